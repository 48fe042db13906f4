"""The requester: waits for the review, asks, allots, asks again; and, as a counterfactual, federalizes."""

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from sim import governors as rules
from sim.people import split
from sim.results import DECLINED, FEDERALIZED, NO_ANSWER, NOT_ASKED, SENDING, SERVING, UNDECIDED, WITHDRAWN
from sim.shared import Shared
from sim.states import AGREED, StateAgent


class Requester:
    """The federal side of the request, a process of its own."""

    def __init__(self, shared: Shared, states: Sequence[StateAgent], approval_day: int | None) -> None:
        """Wait for the review."""
        self.shared, self.states, self.approval_day = shared, states, approval_day
        self.rounds = 0

    @property
    def target(self) -> int:
        """People whom the approved request seeks."""
        p = self.shared.levers.p
        return int(p.request_target * p.review_approved_share)

    def life(self) -> Generator[simpy.Event, Any, None]:
        """After approval ask round after round while people are missing."""
        if self.approval_day is None:
            return
        clock, day = self.shared.clock, self.approval_day
        while self.rounds < int(self.shared.setting.levers[min(day, clock.n_days - 1)].p.rounds_most):
            yield clock.on(clock.asking, day)
            self.ask_first() if self.rounds == 0 else self.ask_again()
            self.rounds += 1
            day += int(self.shared.levers.p.rounds_gap_days)

    def ask_first(self) -> None:
        """Ask every named state for its part of the target, in proportion to strength."""
        levers = self.shared.levers
        self.shared.log("approved", None, "the review ends", self.target)
        weights = [state.home.strength if levers.asked[state.index] else 0 for state in self.states]
        quotas = [0] * len(weights)
        split(int(self.target * levers.p.request_over_ask), weights, quotas)
        for state, quota, weight in zip(self.states, quotas, weights, strict=True):
            if weight:
                state.ask(quota, self.shared.day)

    def in_force(self) -> int:
        """People in the mission and people whom open calls may still bring."""
        serving = int(self.shared.view[:, :, SERVING].sum())
        return serving + sum(state.people.to_come for state in self.states)

    def ask_again(self) -> None:
        """Allot what is missing in proportion to what each state could give times its chance of accepting."""
        levers = self.shared.levers
        shortfall = int(self.target * levers.p.request_over_ask) - self.in_force()
        if shortfall <= 0:
            return
        weights = [self.prospect(state) if levers.asked[state.index] else 0 for state in self.states]
        quotas = [0] * len(weights)
        split(shortfall, weights, quotas)
        self.shared.log("round", None, f"{shortfall} people are missing", shortfall)
        for state, quota in zip(self.states, quotas, strict=True):
            if quota:
                state.ask(quota, self.shared.day)
                if state.status == SENDING:
                    state.send()

    def prospect(self, state: StateAgent) -> int:
        """People whom asking this state again may bring; 0 where it is not asked again."""
        levers = self.shared.levers
        if state.status == SENDING:
            return int(state.could_give())
        can_be_asked = state.status in (*AGREED, NO_ANSWER, NOT_ASKED, UNDECIDED) or (
            state.status in (DECLINED, WITHDRAWN) and state.asked_terms != levers.terms
        )
        if not can_be_asked or not state.home.has_governor:
            return 0
        role = levers.deciding_roles[state.roles_asked()]
        if role < 0:
            return 0
        asks = state.asks if state.is_pending else state.asks + 1
        chance = rules.chance_of_permitting(levers.p.precision, state.weigh(asks) - levers.role_costs[role])
        return int(state.could_give() * chance)

    def command(self) -> Generator[simpy.Event, Any, None]:
        """The counterfactual: from its day on set consent aside in the named states, unless a court holds it up."""
        federal_day = int(self.shared.setting.levers[0].p.federalize_day)
        if federal_day < 0:
            return
        clock = self.shared.clock
        taken: list[StateAgent] = []
        # Looking every day, it stands behind the rounds on a day on which both act.
        for day, moment in enumerate(clock.asking):
            yield moment
            if day < federal_day:
                continue
            is_suspended = bool(self.shared.forces.suspended[day])
            if is_suspended and self.shared.is_federalizing:
                for state in taken:
                    state.return_to_governor()
            elif not is_suspended and not self.shared.is_federalizing:
                taken = taken or self.chosen()
                self.take_command(taken)
            self.shared.is_federalizing = not is_suspended

    def chosen(self) -> list[StateAgent]:
        """States that federalization names, or those that have declined or withdrawn by now."""
        named = self.shared.levers.federal_list
        if named is None:
            return [state for state in self.states if state.status in (DECLINED, WITHDRAWN)]
        return [state for state in self.states if named[state.index] and state.home.has_governor]

    def take_command(self, taken: Sequence[StateAgent]) -> None:
        """Order what is missing from the federalized states, in proportion to strength."""
        shortfall = max(0, self.target - self.in_force())
        quotas = [0] * len(taken)
        split(shortfall, [state.home.strength for state in taken], quotas)
        for state, quota in zip(taken, quotas, strict=True):
            if state.status != FEDERALIZED:
                state.federalize(quota)
