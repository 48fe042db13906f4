"""What the processes of one run share: the clock that owns the day, the evening's observation, the counts and the log.

States act on the observation of the evening before, so the order in which they were created decides nothing.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from sim import luck
from sim.parameters import ROLES
from sim.people import role_weights
from sim.results import ENTERED, LEFT, NOT_ASKED, RETURNED, SCREENED_OUT, SERVING, STAGES, Decision, Event
from sim.setting import Levers, Setting
from sim.shocks import Forces
from sim.world import REGIONS

N_ROLES, N_STAGES, N_REGIONS = len(ROLES), len(STAGES), len(REGIONS)

# The moments of a day, in order. Endings: shocks strike; courses, journeys and tours end. Leaving: attrition. Moving:
# people are screened and come forward. Seating: seats and supervisors are allotted. Evening: counts are recorded and the
# new observation is taken.
MOMENTS = ("endings", "asking", "answering", "leaving", "moving", "seating", "evening")


class Clock:
    """The one calendar: a shared event for each moment of each day, laid out before the first.

    Waiting on a moment that all others wait on too costs no entry of one's own in SimPy's queue, which is what makes a
    cohort per state and day affordable. Moments lie an eighth of a day apart, so whatever one sets off has settled
    before the next.
    """

    def __init__(self, env: simpy.Environment, n_days: int, turn_day: Callable[[int], None]) -> None:
        """Lay out the calendar of a run of n_days evenings; `turn_day` is told of each new day first."""
        self.n_days = n_days
        self.never = env.event()
        # Day by day, so that SimPy's queue is filled in order.
        days = [[env.timeout(day + k / 8.0, day) for k in range(len(MOMENTS))] for day in range(n_days)]
        self.endings, self.asking, self.answering, self.leaving, self.moving, self.seating, self.evening = map(
            list, zip(*days, strict=True)
        )

        def turn(event: simpy.Event) -> None:
            turn_day(event.value)  # type: ignore[arg-type]

        for event in self.endings:
            event.callbacks.append(turn)  # type: ignore[union-attr]

    def on(self, moments: list[simpy.Timeout], day: int) -> simpy.Event:
        """A moment of a day; after the last day it never comes."""
        return moments[day] if day < self.n_days else self.never

    def morning(self, day: int) -> simpy.Event:
        """When courses, journeys and tours end on a day."""
        return self.endings[day] if day < self.n_days else self.never


class Observation(NamedTuple):
    """What every state sees on a day: last evening's picture.

    lean
        For each state +1 accepted, -1 declined or withdrawn, 0 otherwise; None of it for a state without a governor.
    neighbor_balance, side_balance
        For each state, the lean of the neighbours, and of the others of its side, who were asked.
    refused
        Share of all states' strength that has declined, and the same for the border strip's states.
    serving
        For each state, people in the mission, from screening to in place.
    weights
        For every set of roles (as bits), what people are split by: those still missing of the target in each of its
        roles, or the request's sizes where nobody is missing.
    """

    lean: tuple[int, ...]
    neighbor_balance: tuple[float, ...]
    side_balance: tuple[float, ...]
    refused: float
    refused_in_strip: float
    serving: Sequence[int]
    weights: Mapping[int, list[int]]


class Weights(dict[int, list[int]]):
    """Weights of roles, worked out for the sets of roles that are asked about."""

    __slots__ = ("_serving", "_sizes", "_wanted")

    def __init__(self, wanted: Sequence[int], serving: Sequence[int], sizes: Sequence[int]) -> None:
        """Take what the target wants in each role, who serves in each, and what the request asks for in each."""
        self._wanted, self._serving, self._sizes = wanted, serving, sizes

    def __missing__(self, roles: int) -> list[int]:
        """Work the weights out once."""
        missing = [max(0, wanted - serving) for wanted, serving in zip(self._wanted, self._serving, strict=True)]
        weights = [0] * N_ROLES
        role_weights(missing, self._sizes, roles, weights)
        self[roles] = weights
        return weights


class Luck:
    """All numbers of one replication that states look up: by state and day, or by state and ask."""

    def __init__(self, setting: Setting, replication: int) -> None:
        """Draw them in a few large blocks; single draws are slow in Python."""
        seed, states = setting.seed, setting.world.states
        fips = np.array([state.fips for state in states])
        most = max(int(levers.p.rounds_most) for levers in setting.levers)
        gap = min(int(levers.p.rounds_gap_days) for levers in setting.levers)
        asks = np.arange(min(most, setting.n_days // gap + 1) + 1)
        self._key = (seed, replication)
        self._fips = fips
        self.answer, self.withdraw = luck.daily(
            seed, replication, (luck.ANSWER, luck.WITHDRAW), fips, setting.n_days
        ).tolist()
        by_ask = luck.draws(seed, replication, [[[luck.PERMIT]], [[luck.OFFER]]], fips[:, np.newaxis], asks)
        self.permit, self._offer = by_ask[0, :, :, 0].tolist(), by_ask[1].tolist()
        # Everything that is drawn once, in one block: the nation, the review, five regions, each first governor.
        purposes = [luck.NATION, luck.REVIEW, *[luck.REGION] * N_REGIONS, *[luck.GOVERNOR] * len(fips)]
        keys = [0, 0, *range(N_REGIONS), *fips.tolist()]
        nation, review, *once = luck.draws(seed, replication, purposes, keys, 0).tolist()
        self.national, self.partisan = luck.normals(nation[0], nation[1])
        self.review, self.approval = luck.normals(review[0], review[1])[0], review[2]
        self.regional = [luck.normals(u[0], u[1])[0] for u in once[:N_REGIONS]]
        self._first = once[N_REGIONS:]

    def own(self, state: int, governor: int) -> float:
        """A governor's own mind, standard normal; 0 is the first governor."""
        u = self._first[state]
        if governor > 0:
            u = luck.draws(*self._key, luck.GOVERNOR, self._fips[state], governor).tolist()
        return luck.normals(u[0], u[1])[0]

    def offer(self, state: int, ask: int) -> tuple[float, float, float, float]:
        """Of one ask: standard normals of the offer and of the volunteers, uniforms of the recall clause and of ordering."""
        u = self._offer[state][ask]
        return (*luck.normals(u[0], u[1]), u[2], u[3])


def _rows(of_days: NDArray[Any]) -> list[list[Any]]:
    """Days of states as lists, which are quicker to look up than arrays; quiet days share one row."""
    if of_days.any():
        return of_days.tolist()
    return of_days[:1].tolist() * len(of_days)


class Shared:
    """The common ground of one run.

    counts
        People now, flat over (state, role, stage); `cell(state, role)` gives where a role's stages begin.
    statuses, permitted
        By state: codes of STATUSES, and the roles permitted as bits; states and contingents write their own.
    has_news
        Whether a status or a side has changed since the last evening.
    people
        The evenings recorded so far, shape (n_days, n_states, n_roles, n_stages).
    officers
        Hired and deputized officers available now.
    """

    def __init__(self, setting: Setting, replication: int, forces: Forces, fate: Luck, with_events: bool) -> None:
        """Start with nobody asked and nobody moving."""
        self.env = simpy.Environment()
        self.setting, self.forces, self.luck, self.replication = setting, forces, fate, replication
        self.clock = Clock(self.env, setting.n_days, self.turn_day)
        self.world = setting.world
        self.n_states = len(self.world.states)
        self.counts = array("i", bytes(4 * self.n_states * N_ROLES * N_STAGES))
        self.view: NDArray[np.int32] = np.frombuffer(self.counts, np.int32).reshape(self.n_states, N_ROLES, N_STAGES)
        self.in_mission = self.view[:, :, SERVING]
        self.statuses = array("b", [NOT_ASKED] * self.n_states)
        self.permitted = array("b", bytes(self.n_states))
        self.has_news = True
        self.officers = [0, 0]
        self.day = 0
        self.levers: Levers = setting.levers[0]
        self.people: NDArray[np.int32] = np.zeros((setting.n_days, self.n_states, N_ROLES, N_STAGES), np.int32)
        self.missing_today = 0
        self.disaster = _rows(forces.disaster)
        self.shock = _rows(forces.shock)
        self.burst = _rows(forces.burst)
        self.closed = _rows(forces.closed)
        self.ambiguity = forces.ambiguity.tolist()
        self.lapse = forces.lapse.tolist()
        self.is_federalizing = False
        self.decisions: list[Decision] = []
        self.events: list[Event] | None = [] if with_events else None
        self.observation: Observation

    def turn_day(self, day: int) -> None:
        """Today is another day, with the levers of that day."""
        self.day, self.levers = day, self.setting.levers[day]

    def cell(self, state: int, role: int) -> int:
        """Where the stages of one state's role begin in `counts`."""
        return (state * N_ROLES + role) * N_STAGES

    def serving(self, state: int) -> int:
        """People of a state in the mission now, from screening to in place."""
        first = self.cell(state, 0)
        own = self.counts[first : first + N_ROLES * N_STAGES]
        gone = sum(own[SCREENED_OUT::N_STAGES]) + sum(own[RETURNED::N_STAGES]) + sum(own[LEFT::N_STAGES])
        return sum(own[ENTERED::N_STAGES]) - gone

    def returned_within(self, state: int, days: int) -> int:
        """People of a state who have come home within so many days."""
        since = self.day - 1 - days
        before = int(self.people[since, state, :, RETURNED].sum()) if since >= 0 else 0
        return int(self.view[state, :, RETURNED].sum()) - before

    def queue(self, stage: int, role: int) -> int:
        """People of all states in one stage of a role now."""
        return int(self.view[:, role, stage].sum())

    def log(
        self,
        event: str,
        state: int | None = None,
        cause: str = "",
        people: int = 0,
        party: Any = None,
        resource: str = "",
    ) -> None:
        """Write a line of the event log, if one is kept; `party` is the cohort or detachment that it happens to."""
        if self.events is None:
            return
        code = "" if state is None else self.world.states[state].code
        kind = "arrival_departure" if event in ("arrival", "depart") else "resource_use" if resource else "event"
        name = party.name if party else code or "requester"
        self.events.append(Event(name, "guard", kind, event, self.day, self.replication, resource, code, cause, people))
