"""Mobilization: cohorts of volunteers pass through screening, training and travel to a tour, and go home.

A `Contingent` is one state's people and their desk; a `Cohort` is a SimPy process, the volunteers of one day, who wait
together until they take seats; a `Detachment` is a process too, those of a cohort who start the same course on the same
day and move together until they are home. The `School` holds the national seats and supervisors.
"""

import math
from bisect import insort
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import simpy

from sim import people as rules
from sim.parameters import ROLES
from sim.results import AWAITING, ENTERED, IN_PLACE, LEFT, RETURNED, SCREENED_OUT, SCREENING, TRAINING, TRAVEL, WAITING
from sim.setting import by_role
from sim.shared import N_ROLES, N_STAGES, Shared

ENFORCEMENT = ROLES.index("enforcement")
_ROLES = range(N_ROLES)


class School:
    """The national school: seats in a SimPy container, allotted once a day, oldest cohorts first; and the supervisors.

    Ties between cohorts of one day are settled by largest remainder over states, then FIPS. SimPy's container gives all
    or nothing, so the day's allotment decides and the container keeps count.
    """

    def __init__(self, shared: Shared) -> None:
        """Open all seats."""
        p = shared.setting.levers[0].p
        self.shared = shared
        n_seats = int(p.training_seats)
        self.seats = simpy.Container(shared.env, capacity=max(n_seats, 1), init=n_seats)
        self.course_days = [int(days) for days in by_role(p, "training_days")]
        self.most_supervised = int(p.enforcement_per_supervisor) * int(p.enforcement_supervisors)
        self.waiting: dict[int, list[Cohort]] = {}
        self.awaiting: list[Detachment] = []
        self._freed = 0

    def free(self, n: int) -> None:
        """Give seats back; they can be taken today."""
        self._freed += n

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Each day give freed seats back, allot the free ones, and let trained people go to their supervisors."""
        for moment in self.shared.clock.seating:
            yield moment
            if self._freed:
                yield self.seats.put(self._freed)
                self._freed = 0
            taken = self._allot() if self.waiting else 0
            if taken:
                yield self.seats.get(taken)
            if self.awaiting:
                self._supervise()

    def _allot(self) -> int:
        """Seat the oldest cohorts; return how many seats they take."""
        free = int(self.seats.level)
        left = free
        for day in sorted(self.waiting):
            if left <= 0:
                break
            cohorts = [cohort for cohort in self.waiting[day] if cohort.n_waiting]
            wanted = sum(cohort.n_waiting for cohort in cohorts)
            if wanted <= left:
                for cohort in cohorts:
                    cohort.take_seats(cohort.waiting)
                del self.waiting[day]
                left -= wanted
            else:
                self._ration(cohorts, left)
                left = 0
        return free - left

    def _ration(self, cohorts: list["Cohort"], free: int) -> None:
        """Split too few seats over the cohorts of one day, then over the roles of each."""
        by_state = [0] * self.shared.n_states
        for cohort in cohorts:
            by_state[cohort.state] += cohort.n_waiting
        shares = [0] * len(by_state)
        rules.split(free, by_state, shares)
        granted = [0] * N_ROLES
        for cohort in sorted(cohorts, key=lambda cohort: cohort.state):
            n = min(shares[cohort.state], cohort.n_waiting)
            shares[cohort.state] -= n
            rules.split(n, cohort.waiting, granted)
            cohort.take_seats(list(granted))

    def _supervise(self) -> None:
        """Send trained enforcement people to free supervisors: oldest first, ties by largest remainder, then FIPS."""
        busy = self.shared.queue(TRAVEL, ENFORCEMENT) + self.shared.queue(IN_PLACE, ENFORCEMENT)
        free = self.most_supervised - busy
        for day in sorted({detachment.trained_on for detachment in self.awaiting}):
            if free <= 0:
                break
            group = sorted((d for d in self.awaiting if d.trained_on == day), key=lambda d: (d.state, d.number))
            by_state = [0] * self.shared.n_states
            for detachment in group:
                by_state[detachment.state] += detachment.people[ENFORCEMENT]
            shares = list(by_state)
            if sum(by_state) > free:
                rules.split(free, by_state, shares)
            for detachment in group:
                n = min(shares[detachment.state], detachment.people[ENFORCEMENT])
                shares[detachment.state] -= n
                free -= n
                detachment.supervise(n)
        self.awaiting = [d for d in self.awaiting if d.is_awaiting and d.size]


class Cohort:
    """One state's volunteers of one day, a process that waits for its seats; counts, not single soldiers."""

    def __init__(self, contingent: "Contingent", day: int, screening: list[int], waiting: list[int] | None = None) -> None:
        """Come forward on a day with so many people by role (or, having moved to another role, wait right away)."""
        self.contingent = contingent
        self.shared = contingent.shared
        self.state = contingent.state
        self.day = day
        self.screening = screening
        self.waiting = waiting or [0] * N_ROLES
        self.n_screening = sum(screening)
        self.n_waiting = sum(self.waiting)
        self.name = f"{contingent.code}-{day}"
        contingent.cohorts.append(self)
        self.process = self.shared.env.process(self.life())

    def life(self) -> Generator[simpy.Event, Any, None]:
        """Wait until everybody has a seat or is out; a withdrawal sends all home."""
        seating, day, n_days = self.shared.clock.seating, self.shared.clock.day, self.shared.clock.n_days
        try:
            while self.n_screening or self.n_waiting:
                day += 1
                yield seating[day] if day < n_days else self.shared.clock.at("seating", day)
        except simpy.Interrupt as interrupt:
            self.go_home(str(interrupt.cause))
        self.contingent.cohorts.remove(self)

    def pass_screening(self, role: int, seen: int, failed: int) -> None:
        """Some have been seen; those who pass wait for a seat."""
        self.screening[role] -= seen
        self.n_screening -= seen
        self.waiting[role] += seen - failed
        self.n_waiting += seen - failed

    def take_seats(self, granted: Sequence[int]) -> None:
        """Start the courses of those who got seats: one detachment per length of course."""
        counts, state = self.shared.counts, self.state
        course_days = self.contingent.school.course_days
        groups: dict[int, list[int]] = {}
        for role in _ROLES:
            n = granted[role]
            if n:
                c = self.shared.cell(state, role)
                counts[c + WAITING] -= n
                counts[c + TRAINING] += n
                # Enforcement alone waits for supervisors, so it never shares a detachment.
                key = -1 if role == ENFORCEMENT else course_days[role]
                if key not in groups:
                    groups[key] = [0] * N_ROLES
                groups[key][role] = n
        if granted is not self.waiting:
            for role in _ROLES:
                self.waiting[role] -= granted[role]
        else:
            self.waiting = [0] * N_ROLES
        self.n_waiting = sum(self.waiting)
        for key, group in groups.items():
            days = course_days[ENFORCEMENT] if key == -1 else key
            Detachment(self.contingent, self.day, group, days)
        if self.shared.events is not None and groups:
            n = sum(sum(group) for group in groups.values())
            self.shared.log("takes seats", state, "a seat is free", n, self.name, "training seat")

    def go_home(self, cause: str) -> None:
        """Everybody who is left goes home."""
        counts = self.shared.counts
        for role in _ROLES:
            c = self.shared.cell(self.state, role)
            counts[c + SCREENING] -= self.screening[role]
            counts[c + WAITING] -= self.waiting[role]
            counts[c + RETURNED] += self.screening[role] + self.waiting[role]
        n = self.n_screening + self.n_waiting
        self.screening, self.waiting, self.n_screening, self.n_waiting = [0] * N_ROLES, [0] * N_ROLES, 0, 0
        self.shared.log("goes home", self.state, cause, n, self.name)


class Detachment:
    """People of one cohort who start the same course on the same day and move together until they are home."""

    def __init__(self, contingent: "Contingent", cohort_day: int, people: list[int], course_days: int) -> None:
        """Take seats today; a course of 0 days means that the course is over and the journey begins."""
        self.contingent = contingent
        self.shared = contingent.shared
        self.state = contingent.state
        self.cohort_day = cohort_day
        self.people = people
        self.size = sum(people)
        self.course_days = course_days
        self.stage = TRAINING if course_days else TRAVEL
        self.trained_on = -1
        self.tour_end = -1
        self.name = f"{contingent.code}-{cohort_day}"
        self.number = contingent.count_detachments()
        contingent.detachments.add(self)
        self.process = self.shared.env.process(self.life())

    def life(self) -> Generator[simpy.Event, Any, None]:
        """Learn, find a supervisor where the role needs one, travel, serve one tour after another, go home."""
        clock = self.shared.clock
        try:
            day = clock.day
            if self.course_days:
                day += self.course_days
                yield clock.morning(day)
                if self.people[ENFORCEMENT]:
                    yield from self.find_supervisor()
                    day = clock.day
                else:
                    self.step(TRAINING, TRAVEL)
            if self.size:
                yield clock.morning(day + self.contingent.travel_days)
                self.arrive()
            while self.size:
                yield clock.morning(self.tour_end)
                self.end_tour()
        except simpy.Interrupt as interrupt:
            self.go_home(str(interrupt.cause))
        self.contingent.detachments.discard(self)

    def step(self, here: int, there: int) -> None:
        """Everybody moves from one stage to the next; a course that ends gives its seats back."""
        counts, cell, state = self.shared.counts, self.shared.cell, self.state
        for role in _ROLES:
            n = self.people[role]
            if n:
                c = cell(state, role)
                counts[c + here] -= n
                counts[c + there] += n
        self.stage = there
        if here == TRAINING:
            self.contingent.school.free(self.size)

    def find_supervisor(self) -> Generator[simpy.Event, Any, None]:
        """Wait, trained but not in place, until every person here has a federal supervisor."""
        self.step(TRAINING, AWAITING)
        self.trained_on = self.shared.clock.day
        self.supervised = self.shared.env.event()
        self.contingent.school.awaiting.append(self)
        yield self.supervised

    @property
    def is_awaiting(self) -> bool:
        """Whether somebody here is trained and waits for a supervisor."""
        return self.stage == AWAITING

    def supervise(self, n: int) -> None:
        """So many get supervisors; if not all do, they go ahead as a detachment of their own."""
        if n <= 0:
            return
        if n < self.size:
            # The rest keep waiting here.
            c = self.shared.cell(self.state, ENFORCEMENT)
            self.people[ENFORCEMENT] -= n
            self.size -= n
            self.shared.counts[c + AWAITING] -= n
            self.shared.counts[c + TRAVEL] += n
            ahead = [0] * N_ROLES
            ahead[ENFORCEMENT] = n
            Detachment(self.contingent, self.cohort_day, ahead, 0)
        else:
            self.step(AWAITING, TRAVEL)
            self.supervised.succeed()

    def arrive(self) -> None:
        """Be in place; the tour begins."""
        self.step(TRAVEL, IN_PLACE)
        self.start_tour()
        if self.shared.events is not None:
            self.shared.log("in place", self.state, "the journey ends", self.size, self.name)

    def start_tour(self) -> None:
        """Serve for a tour of today's length."""
        self.tour_end = self.shared.clock.day + int(self.shared.levers.p.tour_days)
        insort(self.contingent.roster, self, key=_by_tour_end)

    def end_tour(self) -> None:
        """Some stay for another tour, the rest go home."""
        self.contingent.roster.remove(self)
        gone = 0
        for role in _ROLES:
            n = self.people[role]
            if n:
                stay = self.contingent.stay_on(role, n)
                c = self.shared.cell(self.state, role)
                self.shared.counts[c + IN_PLACE] -= n - stay
                self.shared.counts[c + RETURNED] += n - stay
                self.people[role] = stay
                gone += n - stay
        self.size -= gone
        self.shared.log("goes home", self.state, "the tour ends", gone, self.name)
        if self.size:
            self.start_tour()

    def release(self, role: int, n: int, to_stage: int | None) -> None:
        """Take people of a role out, to a final stage, or (None) to wait for a seat in another role."""
        c = self.shared.cell(self.state, role)
        self.people[role] -= n
        self.size -= n
        self.shared.counts[c + self.stage] -= n
        if to_stage is not None:
            self.shared.counts[c + to_stage] += n
        if self.stage == TRAINING:
            self.contingent.school.free(n)

    def go_home(self, cause: str) -> None:
        """Stop wherever they are and go home."""
        n = self.size
        if self.stage == IN_PLACE:
            self.contingent.roster.remove(self)
        for role in _ROLES:
            if self.people[role]:
                self.release(role, self.people[role], RETURNED)
        self.shared.log("goes home", self.state, cause, n, self.name)


def _by_tour_end(detachment: Detachment) -> tuple[int, int]:
    return (detachment.tour_end, detachment.number)


class Contingent:
    """One state's people in the mission, and the desk that calls, screens and counts them.

    offer, pool, come
        Running totals: people offered by the governor, willing to come, and come forward (fractional until whole).
    """

    def __init__(self, shared: Shared, school: School, state: int) -> None:
        """Nobody has been called yet."""
        p = shared.setting.levers[0].p
        home = shared.world.states[state]
        self.shared, self.school, self.state, self.code = shared, school, state, home.code
        self.strength = home.strength
        self.cohorts: list[Cohort] = []
        self.detachments: set[Detachment] = set()
        self.roster: list[Detachment] = []
        self.offer, self.pool, self.come, self.calls = 0, 0.0, 0.0, 0
        self.entered = 0
        self.permitted = 0
        self.is_ordered = self.is_federal = self.has_recall_clause = False
        self.call_day = -1
        self.order_luck = 1.0
        self.capacity = rules.screening_capacity(
            p.screening_rate, p.screening_reference_strength, p.screening_floor, home.strength
        )
        self.screening_days = int(p.screening_days)
        self.fail_share = 1.0 - p.screening_pass
        self.chance = -math.expm1(-p.volunteers_pace)
        self.returned = [0]
        self._screened, self._ended, self._exposure = [0] * N_ROLES, [0] * N_ROLES, [0] * N_ROLES
        self._number = 0
        self.first_call = shared.env.event()

    def count_detachments(self) -> int:
        """The next detachment's number, in order of forming."""
        self._number += 1
        return self._number

    @property
    def travel_days(self) -> int:
        """Days of travel: home, or to another state."""
        levers, home = self.shared.levers, self.shared.world.states[self.state]
        away = levers.p.mission_cross_state or (levers.in_strip and not home.in_strip)
        return int(levers.p.travel_away_days if away else levers.p.travel_home_days)

    @property
    def to_come(self) -> int:
        """People whom the open call may still bring, cut at the offer."""
        if self.pool - self.come < 0.5:
            return 0
        return self.offer - self.entered

    @property
    def busy(self) -> int:
        """People whom no call can reach: in the mission, or home for less than the dwell time."""
        since = max(0, len(self.returned) - 1 - int(self.shared.levers.p.tour_dwell_days))
        home = self.shared.view[self.state, :, RETURNED].sum() - self.returned[since]
        return self.shared.serving(self.state) + int(home)

    def call(self, n: int, permitted: int, z: float, order_luck: float) -> None:
        """Call for n more volunteers; the willing of an earlier call stay willing."""
        p = self.shared.levers.p
        self.open_desk()
        self.permitted |= permitted
        self.offer = self.entered + max(0, self.to_come) + n
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
        pulls = by_role(levers.p, "volunteers_role")
        roles = [r for r in _ROLES if self.permitted >> r & 1]
        total = sum(levers.role_sizes[r] for r in roles)
        if total <= 0:
            return 0.0
        weighted = 0.0
        for r in roles:
            weighted += pulls[r] * levers.role_sizes[r]
        return weighted / total

    def order(self, n: int, permitted: int) -> None:
        """Order n people: they come within the ramp instead of volunteering."""
        self.open_desk()
        self.permitted = permitted
        self.is_ordered = True
        self.offer = self.entered + n
        self.come = float(self.entered)
        self.pool = self.come + min(float(n), self.reachable())

    def order_the_rest(self) -> None:
        """A governor orders what the call has not brought."""
        if self.offer > self.entered:
            self.order(self.offer - self.entered, self.permitted)

    def close(self) -> None:
        """Call nobody any more."""
        self.permitted = 0
        self.come = self.pool = float(self.entered)
        self.offer = self.entered
        self.is_ordered = self.has_recall_clause = False
        self.call_day = -1

    def send_home(self, cause: str) -> None:
        """Interrupt every cohort and detachment wherever it is."""
        self.close()
        for party in [*self.cohorts, *sorted(self.detachments, key=lambda d: d.number)]:
            if party.process.is_alive:
                party.process.interrupt(cause)

    def open_now(self) -> int:
        """Roles that are permitted, asked, and open by law and courts today."""
        return self.permitted & ~self.shared.closed[self.shared.day][self.state]

    def mobilize(self) -> Generator[simpy.Event, Any, None]:
        """The desk's day from the first call on: screen, count who leaves, meet a disaster, take in who comes forward."""
        yield self.first_call
        for moment in self.shared.clock.moving[self.shared.day :]:
            yield moment
            if self.entered:
                if self.cohorts:
                    self.screen()
                if self.roster:
                    self.lose_some()
                self.meet_disaster()
            if self.pool > self.come and self.entered < self.offer:
                self.take_in()

    def take_in(self) -> None:
        """Those who come forward today become a cohort, split over roles."""
        shared, day = self.shared, self.shared.day
        p = shared.levers.p
        chance = 1.0 / p.federalize_ramp_days if self.is_ordered else self.chance
        on_disaster, lapse = shared.disaster[day][self.state], shared.lapse[day]
        if on_disaster or lapse:
            chance *= rules.reach_today(p.mobilized, on_disaster, p.funding_share, 1.0 if lapse else 0.0)
        roles = self.open_now()
        if not roles:
            return
        self.come = rules.come_forward(self.come, self.pool, self.offer, chance)
        n = rules.whole(self.come) - self.entered
        if n <= 0:
            return
        self.entered += n
        parts = self.split_over_roles(n, roles)
        counts = shared.counts
        for role in _ROLES:
            if parts[role]:
                c = shared.cell(self.state, role)
                counts[c + ENTERED] += parts[role]
                counts[c + SCREENING] += parts[role]
        cohort = Cohort(self, day, parts)
        if shared.events is not None:
            cause = "ordered" if self.is_ordered else "the governor's call"
            shared.log("come forward", self.state, cause, n, cohort.name)

    def split_over_roles(self, n: int, roles: int) -> list[int]:
        """People by role: what the nation still lacks decides, or the request's sizes where nothing is lacking."""
        unfilled = self.shared.observation.unfilled
        sizes = self.shared.levers.role_sizes
        weights = [unfilled[r] if roles >> r & 1 else 0 for r in _ROLES]
        if not any(weights):
            weights = [sizes[r] if roles >> r & 1 else 0 for r in _ROLES]
        if not any(weights):
            weights = [roles >> r & 1 for r in _ROLES]
        parts = [0] * N_ROLES
        rules.split(n, weights, parts)
        return parts

    def screen(self) -> None:
        """See the oldest cohorts first, as many people as the desk can in a day."""
        left, today = self.capacity, self.shared.day
        seen = [0] * N_ROLES
        for cohort in self.cohorts:
            if left <= 0:
                break
            if not cohort.n_screening or today - cohort.day < self.screening_days:
                continue
            n = min(left, cohort.n_screening)
            left -= n
            if n == cohort.n_screening:
                self.screen_cohort(cohort, list(cohort.screening))
            else:
                rules.split(n, cohort.screening, seen)
                self.screen_cohort(cohort, seen)
            if cohort.n_waiting:
                waiting = self.school.waiting.setdefault(cohort.day, [])
                if cohort not in waiting:
                    waiting.append(cohort)

    def screen_cohort(self, cohort: Cohort, seen: Sequence[int]) -> None:
        """See these people of a cohort; some are screened out."""
        counts = self.shared.counts
        for role in _ROLES:
            n = seen[role]
            if n:
                failed = rules.whole_share(self._screened[role], n, self.fail_share)
                self._screened[role] += n
                c = self.shared.cell(self.state, role)
                counts[c + SCREENING] -= n
                counts[c + WAITING] += n - failed
                counts[c + SCREENED_OUT] += failed
                cohort.pass_screening(role, n, failed)

    def lose_some(self) -> None:
        """Attrition: some of those in place leave, from the tours that end first."""
        p, counts = self.shared.levers.p, self.shared.counts
        rate = p.attrition * (p.funding_attrition if self.shared.lapse[self.shared.day] else 1.0)
        rate = min(rate, 1.0)
        exposure = self._exposure
        base = self.shared.cell(self.state, 0) + IN_PLACE
        for role in _ROLES:
            n = counts[base + role * N_STAGES]
            if n:
                leaving = rules.whole_share(exposure[role], n, rate)
                exposure[role] += n
                if leaving:
                    self.take_from_place(role, leaving, LEFT)
                    self.shared.log("leaves", self.state, "attrition", leaving)

    def take_from_place(self, role: int, n: int, to_stage: int) -> None:
        """Take people in place out of the mission, from the tours that end first."""
        for detachment in self.roster:
            taken = min(n, detachment.people[role])
            if taken:
                detachment.release(role, taken, to_stage)
                n -= taken
            if not n:
                return

    def stay_on(self, role: int, n: int) -> int:
        """How many of n whose tour ends stay for another."""
        p = self.shared.levers.p
        share = p.tour_reup * (p.directed_reup_factor if self.is_ordered else 1.0)
        stay = rules.whole_share(self._ended[role], n, share)
        self._ended[role] += n
        return stay

    def meet_disaster(self) -> None:
        """Where a disaster leaves fewer at home than the reserve, a recall clause brings troops back; count who is missing."""
        on_disaster = self.shared.disaster[self.shared.day][self.state]
        if not on_disaster:
            return
        p = self.shared.levers.p
        at_home = self.strength * (1.0 - p.mobilized) - self.shared.serving(self.state)
        short = rules.whole(max(0.0, p.offer_reserve * self.strength + on_disaster * self.strength - at_home))
        if short and self.has_recall_clause:
            in_place = [self.shared.in_place(self.state, role) for role in _ROLES]
            recalled = min(short, sum(in_place))
            parts = [0] * N_ROLES
            rules.split(recalled, in_place, parts)
            for role in _ROLES:
                if parts[role]:
                    self.take_from_place(role, parts[role], RETURNED)
            if recalled:
                self.shared.log("recalled", self.state, "disaster at home", recalled)
            at_home += recalled
        self.shared.missing_today += rules.whole(max(0.0, on_disaster * self.strength - at_home))

    def reassign(self, closing: int) -> None:
        """Move people out of roles that close: to another permitted role after its course, or home."""
        still_open = self.open_now()
        for role in _ROLES:
            if not closing >> role & 1:
                continue
            moved = sum(self._taken_out(role, bool(still_open)))
            if moved and still_open:
                parts = self.split_over_roles(moved, still_open)
                for other in _ROLES:
                    self.shared.counts[self.shared.cell(self.state, other) + WAITING] += parts[other]
                    self._cross(role, other, parts[other])
                cohort = Cohort(self, self.shared.day, [0] * N_ROLES, parts)
                self.school.waiting.setdefault(cohort.day, []).append(cohort)
            if moved:
                cause = "moves to another role" if still_open else "goes home"
                self.shared.log(cause, self.state, f"{ROLES[role]} closes", moved)

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
        for detachment in sorted(self.detachments, key=lambda d: d.number):
            n = detachment.people[role]
            if n:
                detachment.release(role, n, None if has_other else RETURNED)
                yield n
