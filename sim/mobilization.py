"""Mobilization: cohorts of volunteers pass through screening, training and travel to a tour, and go home.

A `Contingent` is one state's people and their desk, a process; a `Cohort` is a process too, the volunteers of one day;
a `Party` is those of a cohort who take the same course on the same day and move together until they are home. The
`School` holds the national seats and supervisors.
"""

import math
from bisect import insort
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import simpy

from sim import people as rules
from sim.parameters import ROLES
from sim.results import AWAITING, ENTERED, IN_PLACE, LEFT, RETURNED, SCREENED_OUT, SCREENING, TRAINING, TRAVEL, WAITING
from sim.setting import by_role
from sim.shared import N_ROLES, N_STAGES, Shared

ENFORCEMENT = ROLES.index("enforcement")
# A day that no run reaches.
NEVER_DUE = 1 << 30
# Running totals this far above the last whole person are worth a closer look.
ALMOST_ONE = 0.999
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
        course_days = [int(days) for days in by_role(p, "training_days")]
        # Courses of a length are one course, but enforcement waits for supervisors afterwards, so it never shares a party.
        self.courses = [(-1 if role == ENFORCEMENT else days, days) for role, days in enumerate(course_days)]
        self.most_supervised = int(p.enforcement_per_supervisor) * int(p.enforcement_supervisors)
        self.waiting: dict[int, dict[Cohort, None]] = {}
        self.awaiting: list[Party] = []
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
            cohorts = self.waiting[day]
            wanted = 0
            for cohort in cohorts:
                wanted += cohort.n_waiting
            if wanted <= left:
                for cohort in cohorts:
                    if cohort.n_waiting:
                        cohort.take_seats(cohort.waiting[:])
                del self.waiting[day]
                left -= wanted
            else:
                self._ration([cohort for cohort in cohorts if cohort.n_waiting], left)
                left = 0
        return free - left

    def _ration(self, cohorts: list["Cohort"], free: int) -> None:
        """Split too few seats over the cohorts of one day, then over the roles of each."""
        cohorts = sorted(cohorts, key=lambda cohort: cohort.contingent.state)
        by_state: dict[int, int] = {}
        for cohort in cohorts:
            state = cohort.contingent.state
            by_state[state] = by_state.get(state, 0) + cohort.n_waiting
        parts = [0] * len(by_state)
        rules.split(free, list(by_state.values()), parts)
        shares = dict(zip(by_state, parts, strict=True))
        granted = [0] * N_ROLES
        for cohort in cohorts:
            n = min(shares[cohort.contingent.state], cohort.n_waiting)
            if n:
                shares[cohort.contingent.state] -= n
                rules.split(n, cohort.waiting, granted)
                cohort.take_seats(granted)

    def _supervise(self) -> None:
        """Send trained enforcement people to free supervisors: oldest first, ties by largest remainder, then FIPS."""
        busy = self.shared.queue(TRAVEL, ENFORCEMENT) + self.shared.queue(IN_PLACE, ENFORCEMENT)
        free = self.most_supervised - busy
        self.awaiting = [party for party in self.awaiting if party.stage == AWAITING and party.size]
        for day in sorted({party.trained_on for party in self.awaiting}):
            if free <= 0:
                break
            group = sorted(
                (party for party in self.awaiting if party.trained_on == day), key=lambda party: party.contingent.state
            )
            by_state = [0] * self.shared.n_states
            for party in group:
                by_state[party.contingent.state] += party.size
            shares = list(by_state)
            if sum(by_state) > free:
                rules.split(free, by_state, shares)
            for party in group:
                n = min(shares[party.contingent.state], party.size)
                shares[party.contingent.state] -= n
                free -= n
                party.supervise(n)


class Cohort:
    """One state's volunteers of one day, a process from coming forward to the last one home; counts, not single soldiers.

    screening, waiting
        People by role who are still to be screened, and who wait for a seat.
    parties
        Those who have seats or have had them, in groups that move together.
    """

    __slots__ = (
        "contingent",
        "day",
        "n_screening",
        "n_waiting",
        "parties",
        "process",
        "screening",
        "shared",
        "waiting",
    )

    def __init__(
        self, contingent: "Contingent", day: int, screening: list[int], waiting: list[int] | None = None
    ) -> None:
        """Come forward on a day with so many people by role (or, having moved to another role, wait right away)."""
        self.contingent = contingent
        self.shared = contingent.shared
        self.day = day
        self.screening = screening
        self.waiting = waiting or [0] * N_ROLES
        self.n_screening = sum(screening)
        self.n_waiting = sum(self.waiting)
        self.parties: list[Party] = []
        contingent.cohorts[self] = None
        self.process = self.shared.env.process(self.life())

    @property
    def name(self) -> str:
        """State and day, as the event log calls it."""
        return f"{self.contingent.code}-{self.day}"

    def life(self) -> Generator[simpy.Event, Any, None]:
        """Be screened and find seats; then, each morning on which something ends for some, they move on."""
        clock, day, parties = self.shared.clock, self.shared.day, self.parties
        endings, last = clock.endings, clock.n_days - 1
        due = day + 1
        try:
            while self.n_screening or self.n_waiting or parties:
                day = due
                yield endings[day] if day <= last else clock.never
                # Seats are allotted while this process sleeps, so whoever waits for one looks every morning.
                due = day + 1 if self.n_screening or self.n_waiting else NEVER_DUE
                for party in parties[:]:
                    if party.due == day:
                        party.move_on()
                    if party.due < due:
                        due = party.due
        except simpy.Interrupt as interrupt:
            self.go_home(str(interrupt.cause))
        del self.contingent.cohorts[self]

    def take_seats(self, granted: Sequence[int]) -> None:
        """Those who got seats start their courses: one party per length of course."""
        shared, contingent, waiting = self.shared, self.contingent, self.waiting
        counts, c, day, courses = shared.counts, contingent.base, shared.day, contingent.school.courses
        groups: dict[int, Party] = {}
        seated = 0
        for role, n in enumerate(granted):
            if n:
                counts[c + WAITING] -= n
                counts[c + TRAINING] += n
                waiting[role] -= n
                seated += n
                course, days = courses[role]
                if course in groups:
                    groups[course].join(role, n)
                else:
                    groups[course] = party = Party(self, role, n, TRAINING, day + days)
                    self.parties.append(party)
            c += N_STAGES
        self.n_waiting -= seated
        if shared.events is not None:
            shared.log("takes seats", contingent.state, "a seat is free", seated, self, "training seat")

    def go_home(self, cause: str) -> None:
        """Everybody stops wherever they are and goes home."""
        counts, base = self.shared.counts, self.contingent.base
        n = self.n_screening + self.n_waiting
        for role in _ROLES:
            c = base + role * N_STAGES
            counts[c + SCREENING] -= self.screening[role]
            counts[c + WAITING] -= self.waiting[role]
            counts[c + RETURNED] += self.screening[role] + self.waiting[role]
        self.screening, self.waiting, self.n_screening, self.n_waiting = [0] * N_ROLES, [0] * N_ROLES, 0, 0
        for party in list(self.parties):
            n += party.size
            for role, present in party.people.items():
                if present:
                    party.release(role, present, RETURNED)
            party.disband()
        self.shared.log("goes home", self.contingent.state, cause, n, self)


class Party:
    """People of one cohort who start the same course on the same day and move together until they are home.

    people
        Number by role; only roles with people.
    due
        The morning on which their course, journey or tour ends; tomorrow while they await a supervisor.
    """

    __slots__ = ("cohort", "contingent", "due", "people", "shared", "size", "stage", "trained_on")

    def __init__(self, cohort: Cohort, role: int, n: int, stage: int, due: int) -> None:
        """Begin with n people of a role in a stage that ends on the morning of `due`."""
        self.cohort = cohort
        self.contingent = cohort.contingent
        self.shared = cohort.shared
        self.people = {role: n}
        self.size = n
        self.stage = stage
        self.due = due
        self.trained_on = -1

    def join(self, role: int, n: int) -> None:
        """So many of another role take the same course."""
        self.people[role] = n
        self.size += n

    def move_on(self) -> None:
        """What they were doing ends this morning: the course, the journey or the tour."""
        stage = self.stage
        if not self.size:
            self.disband()
        elif stage == TRAINING:
            self.graduate()
        elif stage == TRAVEL:
            self.step(IN_PLACE)
            self.start_tour()
            if self.shared.events is not None:
                self.shared.log("in place", self.contingent.state, "the journey ends", self.size, self.cohort)
        elif stage == IN_PLACE:
            self.end_tour()
        else:
            # Supervisors are allotted while the cohort sleeps, so whoever awaits one looks every morning.
            self.due = self.shared.day + 1

    def step(self, there: int) -> None:
        """Everybody moves to another stage."""
        counts, base, here = self.shared.counts, self.contingent.base, self.stage
        for role, n in self.people.items():
            c = base + role * N_STAGES
            counts[c + here] -= n
            counts[c + there] += n
        self.stage = there

    def graduate(self) -> None:
        """Give the seats back and travel; enforcement first waits for a federal supervisor."""
        school = self.contingent.school
        school.free(self.size)
        if ENFORCEMENT in self.people:
            self.step(AWAITING)
            self.trained_on = self.shared.day
            self.due = self.trained_on + 1
            school.awaiting.append(self)
        else:
            self.depart()

    def depart(self) -> None:
        """Travel."""
        self.step(TRAVEL)
        shared = self.shared
        self.due = shared.day + shared.levers.travel_days[self.contingent.state]

    def supervise(self, n: int) -> None:
        """So many get supervisors and travel; if not all do, the rest wait on."""
        if 0 < n < self.size:
            self.people[ENFORCEMENT] -= n
            self.size -= n
            ahead = Party(self.cohort, ENFORCEMENT, n, AWAITING, self.due)
            self.cohort.parties.append(ahead)
            ahead.depart()
        elif n > 0:
            self.depart()

    def start_tour(self) -> None:
        """Serve for a tour of today's length; the roster stays in the order in which tours end."""
        shared, roster = self.shared, self.contingent.roster
        self.due = due = shared.day + shared.levers.tour_days
        if roster and roster[-1].due > due:
            insort(roster, self, key=_by_due)
        else:
            roster.append(self)

    def end_tour(self) -> None:
        """Some stay for another tour, the rest go home."""
        shared, contingent, people = self.shared, self.contingent, self.people
        counts, base, share = shared.counts, contingent.base, contingent.staying_share()
        contingent.roster.remove(self)
        all_gone = 0
        for role, n in people.items():
            gone = n - contingent.stay_on(role, n, share) if n else 0
            if gone:
                c = base + role * N_STAGES
                counts[c + IN_PLACE] -= gone
                counts[c + RETURNED] += gone
                people[role] = n - gone
                all_gone += gone
        self.size -= all_gone
        if shared.events is not None:
            shared.log("goes home", contingent.state, "the tour ends", all_gone, self.cohort)
        if self.size:
            self.start_tour()
        else:
            self.cohort.parties.remove(self)

    def release(self, role: int, n: int, to_stage: int | None) -> None:
        """Take people of a role out, to a final stage, or (None) to wait for a seat in another role."""
        counts, c, stage = self.shared.counts, self.contingent.base + role * N_STAGES, self.stage
        self.people[role] -= n
        self.size -= n
        counts[c + stage] -= n
        if to_stage is not None:
            counts[c + to_stage] += n
        if stage == TRAINING:
            self.contingent.school.free(n)
        elif stage == IN_PLACE and not self.size:
            # Nobody is left to be taken from this tour; the cohort sees to the rest when the tour would have ended.
            self.contingent.roster.remove(self)

    def disband(self) -> None:
        """Nobody is left."""
        self.cohort.parties.remove(self)


def _by_due(party: Party) -> int:
    return party.due


class Attrition:
    """Those in place who leave before their tour ends: running totals by state and role, in every state at once."""

    def __init__(self, shared: Shared, contingents: Sequence["Contingent"]) -> None:
        """Nobody has left yet."""
        self.shared, self.contingents = shared, contingents
        self.due = np.zeros(shared.n_states * N_ROLES)
        self.left = [0] * (shared.n_states * N_ROLES)
        # A cheap first look at who may have reached another whole person.
        self.mark = np.full(shared.n_states * N_ROLES, ALMOST_ONE)

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
        self.mark[cell] = self.left[cell] + ALMOST_ONE
        self.contingents[state].take_from_place(role, n, LEFT)
        self.shared.log("leaves", state, "attrition", n)


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
        self.base = shared.cell(state, 0)
        self.strength = home.strength
        self.cohorts: dict[Cohort, None] = {}
        self.to_screen: deque[Cohort] = deque()
        self.roster: list[Party] = []
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
        self._screened, self._failed, self._ended = [0] * N_ROLES, [0] * N_ROLES, [0] * N_ROLES
        self.first_call = shared.env.event()

    @property
    def to_come(self) -> int:
        """People whom the open call may still bring, cut at the offer."""
        if self.pool - self.come < 0.5:
            return 0
        return self.offer - self.entered

    @property
    def busy(self) -> int:
        """People whom no call can reach: in the mission, or home for less than the dwell time."""
        dwell = int(self.shared.levers.p.tour_dwell_days)
        return self.shared.serving(self.state) + self.shared.returned_within(self.state, dwell)

    def call(self, n: int, permitted: int, z: float, order_luck: float) -> None:
        """Call for n more volunteers; the willing of an earlier call stay willing."""
        p = self.shared.levers.p
        self.open_desk()
        self.permit(self.permitted | permitted)
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
        self.permit(permitted)
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
        self.permit(0)
        self.come = self.pool = float(self.entered)
        self.offer = self.entered
        self.is_ordered = self.has_recall_clause = False
        self.call_day = -1

    def send_home(self, cause: str) -> None:
        """Interrupt every cohort wherever it is."""
        self.close()
        self.to_screen.clear()
        for cohort in self.cohorts:
            cohort.process.interrupt(cause)

    def open_now(self) -> int:
        """Roles that are permitted, asked, and open by law and courts today."""
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
        chance = 1.0 / p.federalize_ramp_days if self.is_ordered else self.chance
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
        cohort = Cohort(self, day, parts)
        self.to_screen.append(cohort)
        if shared.events is not None:
            cause = "ordered" if self.is_ordered else "the governor's call"
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

    def staying_share(self) -> float:
        """The share of those whose tour ends today who stay for another."""
        p = self.shared.levers.p
        return p.tour_reup * (p.directed_reup_factor if self.is_ordered else 1.0)

    def stay_on(self, role: int, n: int, share: float) -> int:
        """How many of n whose tour ends stay for another."""
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
            in_place = [self.shared.counts[self.base + role * N_STAGES + IN_PLACE] for role in _ROLES]
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
                for other, n in enumerate(parts):
                    self.shared.counts[self.base + other * N_STAGES + WAITING] += n
                    self._cross(role, other, n)
                cohort = Cohort(self, self.shared.day, [0] * N_ROLES, parts)
                self.school.waiting.setdefault(cohort.day, {})[cohort] = None
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
            for party in cohort.parties:
                n = party.people.get(role, 0)
                if n:
                    party.release(role, n, None if has_other else RETURNED)
                    yield n
