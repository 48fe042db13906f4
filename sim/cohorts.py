"""Cohorts: the volunteers of one day, who are screened, take seats in the national school, travel, serve and go home.

A `Cohort` is a SimPy process; a `Party` is those of a cohort who take the same course on the same day and move together
until they are home. The `School` holds the seats and the supervisors.
"""

from bisect import insort
from collections.abc import Generator, Sequence
from typing import Any, Protocol

import simpy

from sim import people as rules
from sim.parameters import ROLES
from sim.results import AWAITING, IN_PLACE, RETURNED, SCREENING, TRAINING, TRAVEL, WAITING
from sim.setting import by_role
from sim.shared import N_ROLES, N_STAGES, Shared

ENFORCEMENT = ROLES.index("enforcement")
# A day that no run reaches.
NEVER_DUE = 1 << 30
_ROLES = range(N_ROLES)


class Home(Protocol):
    """What a cohort knows of the contingent that it belongs to (`mobilization.Contingent`).

    base
        Where the state's counts begin.
    cohorts, roster
        Cohorts with anybody left; parties in place, in the order in which their tours end.
    """

    shared: Shared
    school: "School"
    state: int
    code: str
    base: int
    cohorts: "dict[Cohort, None]"
    roster: "list[Party]"

    def stay_on(self, role: int, n: int, is_ordered: bool) -> int:
        """How many of n whose tour ends stay for another."""
        ...


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
                (party for party in self.awaiting if party.trained_on == day),
                key=lambda party: (party.contingent.state, party.cohort.is_ordered),
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
    is_ordered
        Whether they were ordered and not called.
    """

    __slots__ = (
        "contingent",
        "day",
        "is_ordered",
        "n_screening",
        "n_waiting",
        "parties",
        "process",
        "screening",
        "shared",
        "waiting",
    )

    def __init__(
        self,
        contingent: "Home",
        day: int,
        screening: list[int],
        waiting: list[int] | None = None,
        is_ordered: bool = False,
    ) -> None:
        """Come forward on a day with so many people by role (or, having moved to another role, wait right away)."""
        self.contingent = contingent
        self.shared = contingent.shared
        self.day = day
        self.is_ordered = is_ordered
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
        """Serve for a tour of today's length; the roster stays in the order in which tours end, the called before the ordered."""
        shared, roster = self.shared, self.contingent.roster
        self.due = shared.day + shared.levers.tour_days
        if roster and _place_in_roster(roster[-1]) > _place_in_roster(self):
            insort(roster, self, key=_place_in_roster)
        else:
            roster.append(self)

    def end_tour(self) -> None:
        """Some stay for another tour, the rest go home."""
        shared, contingent, people = self.shared, self.contingent, self.people
        counts, base, is_ordered = shared.counts, contingent.base, self.cohort.is_ordered
        contingent.roster.remove(self)
        all_gone = 0
        for role, n in people.items():
            gone = n - contingent.stay_on(role, n, is_ordered) if n else 0
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


def _place_in_roster(party: Party) -> tuple[int, bool]:
    return party.due, party.cohort.is_ordered
