"""The model: one run of a setting under one luck, from the day the request becomes known to the last evening.

The processes live in `states`, `mobilization`, `requester` and `channels`; this module sets them going and keeps the
books. A day is: endings, asking, answering, leaving, moving, seating, evening (see `shared.MOMENTS`).
"""

import gc
from collections.abc import Generator, Iterable, Sequence
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from sim import governors as rules
from sim.channels import deputize, hire
from sim.cohorts import School
from sim.mobilization import Attrition, Contingent
from sim.requester import Requester
from sim.results import ACCEPTED, DECLINED, FEDERALIZED, LIMITED, NOT_ASKED, WITHDRAWN, Run
from sim.setting import Levers, Setting
from sim.shared import N_ROLES, Luck, Observation, Shared, Weights
from sim.shocks import ALL_ROLES, forces_of, lognormal
from sim.states import StateAgent
from sim.world import State

_LEAN = {ACCEPTED: 1, LIMITED: 1, DECLINED: -1, WITHDRAWN: -1}


def run(setting: Setting, replication: int, with_events: bool = False) -> Run:
    """Simulate one replication of a setting.

    Parameters
    ----------
    replication
        Names the luck: the same number under another scenario is the same luck until a lever moves.
    with_events
        Keep the event log, which costs time.
    """
    # A run makes many objects that live to its end: collecting in between finds nothing and costs a third.
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        return _played(setting, replication, with_events)
    finally:
        if was_collecting:
            gc.enable()


def _played(setting: Setting, replication: int, with_events: bool) -> Run:
    """The run itself."""
    fate = Luck(setting, replication)
    p = setting.levers[0].p
    approval_day = approval(setting, fate)
    federal_day = int(p.federalize_day) if p.federalize_day >= 0 else None
    forces = forces_of(
        setting.world,
        p,
        setting.scenario.shocks,
        [levers.p.request_ambiguity for levers in setting.levers],
        setting.scenario.start,
        setting.seed,
        replication,
        approval_day,
        federal_day,
    )
    shared = Shared(setting, replication, forces, fate, with_events)
    play = _Play(shared, approval_day)
    try:
        return play.run()
    finally:
        play.part()


def approval(setting: Setting, fate: Luck) -> int | None:
    """The day on which the review approves the request, or None."""
    p = setting.levers[0].p
    if fate.approval >= p.review_approval_chance:
        return None
    return int(round(lognormal(p.review_days, p.review_spread, fate.review)))


def _strength(states: Iterable[State], only_strip: bool = False) -> int:
    """People of some states, or of those among them on the border strip."""
    return sum([home.strength for home in states if home.in_strip or not only_strip])


class _Play:
    """All processes of one run, and the evening's bookkeeping."""

    def __init__(self, shared: Shared, approval_day: int | None) -> None:
        """Create every agent; the order in which this happens decides nothing."""
        self.shared = shared
        self.setting, env = shared.setting, shared.env
        self.school = School(shared)
        self.contingents = [Contingent(shared, self.school, k) for k in range(shared.n_states)]
        answers = self.setting.scenario.answers
        self.states = [
            StateAgent(shared, self.contingents[k], k, [row for row in answers if row.state == home.code])
            for k, home in enumerate(shared.world.states)
        ]
        self.requester = Requester(shared, self.states, approval_day)
        self.approval_day = approval_day
        shape = (self.setting.n_days, shared.n_states)
        self.serving = np.zeros(shape, np.int32)
        self.status, self.permitted = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        self.officers: list[tuple[int, ...]] = []
        self.missing: list[int] = []
        self._strength, self._strength_of_strip = _strength(shared.world.states), _strength(shared.world.states, True)
        self._each_state, self._each_role = np.ones(shared.n_states, np.int32), np.ones(N_ROLES, np.int32)
        self._weighed: Levers | None = None
        shared.observation = self.observe()
        self._let_shocks_strike()
        lives = [self.requester.life(), self.requester.command(), hire(shared), deputize(shared)]
        lives += [state.life() for state in self.states]
        lives += [contingent.mobilize() for contingent in self.contingents]
        lives += [self.school.run(), Attrition(shared, self.contingents).run(), self.keep_books()]
        for life in lives:
            env.process(life)

    def run(self) -> Run:
        """Let the days pass."""
        self.shared.env.run()
        return Run(
            draw=self.setting.draw,
            replication=self.shared.replication,
            codes=self.shared.world.codes,
            p=self.setting.levers[0].p,
            approval_day=self.approval_day,
            people=self.shared.people,
            status=self.status,
            permitted=self.permitted,
            officers=np.array(self.officers, np.int64),
            below_reserve=self.below_reserve(),
            missing=np.array(self.missing, np.int64),
            decisions=self.shared.decisions,
            events=self.shared.events or [],
        )

    def part(self) -> None:
        """Let all agents forget each other, so that memory is free at once and the garbage collector finds nothing."""
        # What somebody still waits for would hold them: a tour beyond the last day, a call or an ask that never came.
        waited_for = [
            self.shared.clock.never,
            *(contingent.first_call for contingent in self.contingents),
            *(state.ask_came for state in self.states),
        ]
        for event in waited_for:
            event.callbacks = None  # type: ignore[assignment]
        for contingent in self.contingents:
            for cohort in contingent.cohorts:
                cohort.parties.clear()
                del cohort.process
        for agent in (*self.contingents, *self.states, self.school, self.requester, self.shared.clock):
            vars(agent).clear()

    def _let_shocks_strike(self) -> None:
        """First of all each morning: shocks are told, governors change, roles close and open again."""
        shared, forces = self.shared, self.shared.forces
        told = list(forces.log)
        closed_before = [0] * shared.n_states
        first = self.setting.levers[0]
        any_closed = (
            bool(forces.closed.any())
            or first.p.federalize_day >= 0
            or any(levers.open_roles != first.open_roles for levers in self.setting.levers)
        )

        def strike(event: simpy.Event) -> None:
            day = shared.day
            while told and told[0][0] == day:
                _, kind, states, words = told.pop(0)
                shared.log(kind, states[0] if len(states) == 1 else None, words, len(states))
            for k, side in forces.turnovers.get(day, ()):
                self.states[k].change_governor(side)
            if any_closed:
                self.close_roles(day, closed_before)

        for moment in shared.clock.endings:
            moment.callbacks.append(strike)  # type: ignore[union-attr]

    def close_roles(self, day: int, before: list[int]) -> None:
        """Move people out of roles that the law or a court has closed since yesterday."""
        levers = self.shared.levers
        for k, contingent in enumerate(self.contingents):
            lawful = levers.federal_roles if contingent.is_federal else levers.open_roles
            closed = (~lawful | self.shared.closed[day][k]) & ALL_ROLES
            if closed & ~before[k] and contingent.entered:
                contingent.reassign(closed & ~before[k])
            before[k] = closed

    def keep_books(self) -> Generator[simpy.Event, Any, None]:
        """Each evening: record the counts, and take the observation of tomorrow."""
        shared, serving = self.shared, self.serving
        statuses, permitted = np.frombuffer(shared.statuses, np.int8), np.frombuffer(shared.permitted, np.int8)
        for day, moment in enumerate(shared.clock.evening):
            yield moment
            shared.people[day] = shared.view
            self.status[day], self.permitted[day] = statuses, permitted
            self.officers.append(tuple(shared.officers))
            self.missing.append(shared.missing_today)
            shared.missing_today = 0
            shared.observation = self.observe()
            serving[day] = self._serving_now

    def below_reserve(self) -> NDArray[np.int64]:
        """States by evening with fewer people at home than their governor's reserve."""
        strengths = np.array([home.strength for home in self.shared.world.states])
        p = self.setting.levers[0].p
        at_home = strengths * (1.0 - p.mobilized - self.shared.forces.disaster) - self.serving
        return (at_home < p.offer_reserve * strengths).sum(axis=1)

    def observe(self) -> Observation:
        """Last evening's picture; peers are worked out anew only when somebody has moved."""
        shared, levers = self.shared, self.shared.levers
        if self._weighed is not levers:
            self._weighed = levers
            total, target = sum(levers.role_sizes), self.requester.target
            self._wanted = [target * size // total if total else 0 for size in levers.role_sizes]
        if shared.has_news:
            shared.has_news = False
            self._peers = self._weigh_peers(shared.statuses, [state.side for state in self.states])
        # So few numbers are added quickest by einsum and by products with ones.
        serving = np.einsum("srk->sr", shared.in_mission)
        by_state, by_role = serving @ self._each_role, self._each_state @ serving
        self._serving_now = by_state
        weights = Weights(self._wanted, by_role.tolist(), levers.role_sizes)
        return Observation(**self._peers, serving=by_state.tolist(), weights=weights)

    def _weigh_peers(self, statuses: Sequence[int], sides: Sequence[int]) -> dict[str, Any]:
        """Leans of all states, and what each sees of its neighbours and of the others of its side."""
        world, states = self.shared.world, self.shared.world.states
        lean = [_LEAN.get(status, 0) if home.has_governor else 0 for status, home in zip(statuses, states, strict=True)]
        asked = [
            1 if status not in (NOT_ASKED, FEDERALIZED) and home.has_governor else 0
            for status, home in zip(statuses, states, strict=True)
        ]
        # By side: how many lean each way, and how many were asked.
        sums = {side: [0, 0] for side in (-1, 0, 1)}
        for k, side in enumerate(sides):
            sums[side][0] += lean[k]
            sums[side][1] += asked[k]
        near, same = [], []
        for k, neighbors in enumerate(world.neighbors):
            leaning = n_asked = 0
            for j in neighbors:
                leaning += lean[j]
                n_asked += asked[j]
            near.append(rules.balance(leaning, n_asked))
            same.append(rules.balance(sums[sides[k]][0] - lean[k], sums[sides[k]][1] - asked[k]))
        # A state whose law bars outside forces must say yes to count as a host that consents.
        refusing = [home for home, x in zip(states, lean, strict=True) if x < 0 or (home.bars_outsiders and x == 0)]
        return {
            "lean": tuple(lean),
            "neighbor_balance": tuple(near),
            "side_balance": tuple(same),
            "refused": _strength(refusing) / self._strength,
            "refused_in_strip": _strength(refusing, True) / max(self._strength_of_strip, 1),
        }
