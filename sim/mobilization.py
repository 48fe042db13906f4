"""Mobilization: a state's people and the desk that calls, screens and counts them; and attrition.

The desk of each `Contingent` is a SimPy process; whoever comes forward becomes a cohort (`sim.cohorts`).
"""

import math
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import simpy

from sim import people as rules
from sim.cohorts import Cohort, Party, School
from sim.parameters import ROLES
from sim.results import ENTERED, IN_PLACE, LEFT, RETURNED, SCREENED_OUT, SCREENING, WAITING
from sim.setting import by_role
from sim.shared import N_ROLES, N_STAGES, Shared

_ROLES = range(N_ROLES)


class Attrition:
    """Those in place who leave before their tour ends: running totals by state and role, in every state at once."""

    def __init__(self, shared: Shared, contingents: Sequence["Contingent"]) -> None:
        """Nobody has left yet."""
        self.shared, self.contingents = shared, contingents
        self.due = np.zeros(shared.n_states * N_ROLES)
        self.left = [0] * (shared.n_states * N_ROLES)
        # A cheap first look at who may have reached another whole person.
        self.mark = np.full(shared.n_states * N_ROLES, rules.ALMOST_ONE)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Each day add to what is due; whole people leave, from the tours that end first."""
        shared, due = self.shared, self.due
        counts, in_place = shared.counts, shared.view.reshape(-1, N_STAGES)[:, IN_PLACE]
        for day, moment in enumerate(shared.clock.leaving):
            yield moment
            p = shared.levers.p
            rate = min(1.0, p.attrition * (p.funding_attrition if shared.lapse[day] else 1.0))
            due += rate * in_place
            for cell in (due > self.mark).nonzero()[0].tolist():
                n = min(counts[cell * N_STAGES + IN_PLACE], rules.whole(due.item(cell)) - self.left[cell])
                if n:
                    self.leave(cell, n)

    def leave(self, cell: int, n: int) -> None:
        """So many of a state's role leave today."""
        state, role = divmod(cell, N_ROLES)
        self.left[cell] += n
        self.mark[cell] = self.left[cell] + rules.ALMOST_ONE
        self.contingents[state].take_from_place(role, n, LEFT)
        self.shared.log("leaves", state, "attrition", n)


class Contingent:
    """One state's people in the mission, and the desk that calls, screens and counts them.

    offer, pool, come
        Running totals: people offered by the governor, willing to come, and come forward (fractional until whole).
    ordered_by
        The day on which the last of those ordered come; -1 while volunteers are called.
    """

    def __init__(self, shared: Shared, school: School, state: int) -> None:
        """Nobody has been called yet."""
        p = shared.setting.levers[0].p
        home = shared.world.states[state]
        self.shared, self.school, self.state, self.code = shared, school, state, home.code
        self.base = shared.cell(state, 0)
        self.strength = home.strength
        self.cohorts: dict[Cohort, None] = {}
        self.to_screen: deque[Cohort] = deque()
        self.roster: list[Party] = []
        self.offer, self.pool, self.come, self.calls = 0, 0.0, 0.0, 0
        self.entered = 0
        self.permitted = 0
        self.is_federal = self.has_recall_clause = False
        self.call_day = self.ordered_by = -1
        self.order_luck = 1.0
        self.capacity = rules.screening_capacity(
            p.screening_rate, p.screening_reference_strength, p.screening_floor, home.strength
        )
        self.screening_days = int(p.screening_days)
        self.fail_share = 1.0 - p.screening_pass
        self.chance = -math.expm1(-p.volunteers_pace)
        self._screened, self._failed, self._ended = [0] * N_ROLES, [0] * N_ROLES, ([0] * N_ROLES, [0] * N_ROLES)
        self.first_call = shared.env.event()

    @property
    def to_come(self) -> int:
        """People whom the open call or order may still bring: the rest of the pool, cut at the offer."""
        return min(self.offer, rules.whole(self.pool)) - self.entered

    @property
    def busy(self) -> int:
        """People whom no call can reach: in the mission, or home for less than the dwell time."""
        dwell = int(self.shared.levers.p.tour_dwell_days)
        return self.shared.serving(self.state) + self.shared.returned_within(self.state, dwell)

    def call(self, n: int, permitted: int, z: float, order_luck: float) -> None:
        """Call for n more volunteers; the willing of an earlier call stay willing, what nobody was left to fill lapses."""
        p = self.shared.levers.p
        self.open_desk()
        self.permit(self.permitted | permitted)
        self.offer = self.entered + self.to_come + n
        self.ordered_by = -1
        share = rules.volunteering_share(
            p.volunteers_share,
            self.mean_role_pull(),
            p.volunteers_pay,
            1.0 if p.tour_days >= p.volunteers_pay_days else 0.0,
            p.volunteers_spread,
            z,
            self.calls,
            p.volunteers_next_call,
        )
        willing = self.reachable() * share
        self.pool = self.come + max(self.pool - self.come, willing)
        self.calls += 1
        if self.call_day < 0:
            self.call_day, self.order_luck = self.shared.day, order_luck

    def permit(self, roles: int) -> None:
        """Let people serve in these roles and in no others."""
        self.permitted = self.shared.permitted[self.state] = roles

    def open_desk(self) -> None:
        """Let the desk's daily work begin."""
        if not self.first_call.triggered:
            self.first_call.succeed()

    def reachable(self) -> float:
        """People at home whom a call or an order can reach today."""
        p = self.shared.levers.p
        on_disaster = self.shared.disaster[self.shared.day][self.state]
        return rules.available(self.strength, p.mobilized, on_disaster, p.not_deployable, self.busy)

    def mean_role_pull(self) -> float:
        """What the permitted roles add to volunteering: the mean over them, weighted by how many each asks for."""
        levers = self.shared.levers
        return rules.mean_pull(by_role(levers.p, "volunteers_role"), levers.role_sizes, self.permitted)

    def order(self, n: int, permitted: int) -> None:
        """Order n people: they come in equal parts over the ramp instead of volunteering."""
        self.open_desk()
        self.permit(permitted)
        self.ordered_by = self.shared.day + int(self.shared.levers.p.federalize_ramp_days) - 1
        self.offer = self.entered + n
        self.come = float(self.entered)
        self.pool = self.come + min(float(n), self.reachable())

    def order_the_rest(self) -> None:
        """A governor orders what the call has not brought."""
        if self.offer > self.entered:
            self.order(self.offer - self.entered, self.permitted)

    def close(self) -> None:
        """Call nobody any more."""
        self.permit(0)
        self.come = self.pool = float(self.entered)
        self.offer = self.entered
        self.has_recall_clause = False
        self.call_day = self.ordered_by = -1

    def send_home(self, cause: str) -> None:
        """Interrupt every cohort wherever it is."""
        self.close()
        self.to_screen.clear()
        for cohort in self.cohorts:
            cohort.process.interrupt(cause)

    def open_now(self) -> int:
        """Roles that are permitted, and open by law and courts today."""
        levers = self.shared.levers
        lawful = levers.federal_roles if self.is_federal else levers.open_roles
        return self.permitted & lawful & ~self.shared.closed[self.shared.day][self.state]

    def mobilize(self) -> Generator[simpy.Event, Any, None]:
        """The desk's day from the first call on: screen, meet a disaster, take in who comes forward."""
        yield self.first_call
        today, state = self.shared.day, self.state
        for moment, disaster in zip(self.shared.clock.moving[today:], self.shared.disaster[today:], strict=True):
            yield moment
            if self.to_screen:
                self.screen()
            if disaster[state]:
                self.meet_disaster()
            if self.pool > self.come and self.entered < self.offer:
                self.take_in()

    def take_in(self) -> None:
        """Those who come forward today become a cohort, split over roles."""
        shared, day = self.shared, self.shared.day
        roles = self.open_now()
        if not roles:
            return
        p = shared.levers.p
        is_ordered = self.ordered_by >= 0
        chance = 1.0 / max(1, self.ordered_by - day + 1) if is_ordered else self.chance
        on_disaster, lapse = shared.disaster[day][self.state], shared.lapse[day]
        if on_disaster or lapse:
            chance *= rules.reach_today(p.mobilized, on_disaster, p.funding_share, 1.0 if lapse else 0.0)
        self.come = rules.come_forward(self.come, self.pool, self.offer, chance)
        n = rules.whole(self.come) - self.entered
        if n <= 0:
            return
        self.entered += n
        parts = self.split_over_roles(n, roles)
        counts = shared.counts
        c = self.base
        for part in parts:
            if part:
                counts[c + ENTERED] += part
                counts[c + SCREENING] += part
            c += N_STAGES
        cohort = Cohort(self, day, parts, is_ordered=is_ordered)
        self.to_screen.append(cohort)
        if shared.events is not None:
            cause = "ordered" if is_ordered else "the governor's call"
            shared.log("come forward", self.state, cause, n, cohort)

    def split_over_roles(self, n: int, roles: int) -> list[int]:
        """People by role, in proportion to what the nation still lacks."""
        parts = [0] * N_ROLES
        rules.split(n, self.shared.observation.weights[roles], parts)
        return parts

    def screen(self) -> None:
        """See the oldest cohorts first, as many people as the desk can in a day."""
        left, latest = self.capacity, self.shared.day - self.screening_days
        queue, waiting = self.to_screen, self.school.waiting
        while queue and left > 0 and queue[0].day <= latest:
            cohort = queue[0]
            n = cohort.n_screening
            if n <= left:
                seen = cohort.screening[:]
                queue.popleft()
            else:
                n, seen = left, [0] * N_ROLES
                rules.split(left, cohort.screening, seen)
            left -= n
            if n:
                self.screen_cohort(cohort, seen)
                waiting.setdefault(cohort.day, {})[cohort] = None

    def screen_cohort(self, cohort: Cohort, seen: Sequence[int]) -> None:
        """See these people of a cohort: some are screened out, the others wait for a seat."""
        counts, c = self.shared.counts, self.base
        screening, waiting, screened, all_failed = cohort.screening, cohort.waiting, self._screened, self._failed
        n_seen = n_passed = 0
        for role, n in enumerate(seen):
            if n:
                screened[role] += n
                failed = rules.whole(self.fail_share * screened[role]) - all_failed[role]
                passed = n - failed
                counts[c + SCREENING] -= n
                counts[c + WAITING] += passed
                if failed:
                    all_failed[role] += failed
                    counts[c + SCREENED_OUT] += failed
                screening[role] -= n
                waiting[role] += passed
                n_seen += n
                n_passed += passed
            c += N_STAGES
        cohort.n_screening -= n_seen
        cohort.n_waiting += n_passed

    def take_from_place(self, role: int, n: int, to_stage: int) -> None:
        """Take people in place out of the mission, from the tours that end first."""
        while n:
            for party in self.roster:
                present = party.people.get(role)
                if present:
                    taken = n if n < present else present
                    n -= taken
                    # The roster loses a party that this empties.
                    party.release(role, taken, to_stage)
                    break
            else:
                return

    def stay_on(self, role: int, n: int, is_ordered: bool) -> int:
        """How many of n whose tour ends stay for another; fewer of those who were ordered."""
        p, ended = self.shared.levers.p, self._ended[is_ordered]
        stay = rules.whole_share(ended[role], n, rules.staying_share(p.tour_reup, p.directed_reup_factor, is_ordered))
        ended[role] += n
        return stay

    def meet_disaster(self) -> None:
        """Where a disaster leaves fewer at home than the reserve, a recall clause brings troops back; count who is missing."""
        on_disaster = self.shared.disaster[self.shared.day][self.state]
        if not on_disaster:
            return
        p = self.shared.levers.p
        serving, on_duty = self.shared.serving(self.state), on_disaster * self.strength
        reserve = p.offer_reserve * self.strength
        short = rules.whole(rules.short_at_home(self.strength, p.mobilized, serving, reserve + on_duty))
        if short and self.has_recall_clause:
            in_place = [self.shared.counts[self.base + role * N_STAGES + IN_PLACE] for role in _ROLES]
            recalled = min(short, sum(in_place))
            parts = [0] * N_ROLES
            rules.split(recalled, in_place, parts)
            for role in _ROLES:
                if parts[role]:
                    self.take_from_place(role, parts[role], RETURNED)
            if recalled:
                self.shared.log("recalled", self.state, "disaster at home", recalled)
            serving -= recalled
        self.shared.missing_today += rules.whole(rules.short_at_home(self.strength, p.mobilized, serving, on_duty))

    def reassign(self, closing: int) -> None:
        """Move people out of roles that close: to another permitted role after its course, or home."""
        still_open, waiting = self.open_now(), [0] * N_ROLES
        for role in _ROLES:
            if not closing >> role & 1:
                continue
            moved = sum(self._taken_out(role, bool(still_open)))
            if moved and still_open:
                for other, n in enumerate(self.split_over_roles(moved, still_open)):
                    waiting[other] += n
                    self.shared.counts[self.base + other * N_STAGES + WAITING] += n
                    self._cross(role, other, n)
            if moved:
                cause = "moves to another role" if still_open else "goes home"
                self.shared.log(cause, self.state, f"{ROLES[role]} closes", moved)
        if any(waiting):
            cohort = Cohort(self, self.shared.day, [0] * N_ROLES, waiting)
            self.school.waiting.setdefault(cohort.day, {})[cohort] = None

    def _cross(self, role: int, other: int, n: int) -> None:
        """Whoever changes role is counted as entered there, so that each role's books balance."""
        self.shared.counts[self.shared.cell(self.state, role) + ENTERED] -= n
        self.shared.counts[self.shared.cell(self.state, other) + ENTERED] += n

    def _taken_out(self, role: int, has_other: bool) -> Iterator[int]:
        """Everybody in a role leaves where they are: toward another role, or home."""
        counts, c = self.shared.counts, self.shared.cell(self.state, role)
        for cohort in self.cohorts:
            n = cohort.screening[role] + cohort.waiting[role]
            counts[c + SCREENING] -= cohort.screening[role]
            counts[c + WAITING] -= cohort.waiting[role]
            counts[c + RETURNED] += 0 if has_other else n
            cohort.n_screening -= cohort.screening[role]
            cohort.n_waiting -= cohort.waiting[role]
            cohort.screening[role] = cohort.waiting[role] = 0
            yield n
            for party in cohort.parties:
                n = party.people.get(role, 0)
                if n:
                    party.release(role, n, None if has_other else RETURNED)
                    yield n
