"""Shocks: events outside anybody's control, and what all of them together do to each state on each day.

A kind of shock is one class here: its fields are what a scenario file may say, its `mark` writes its effect into
`Forces`. Shocks know nothing of answers or troops, so their whole course is known before the first day of a run.

References
----------
Model note, section 7 (docs/model.md).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sim import luck
from sim.parameters import ROLES, Numbers, triangular
from sim.world import World

ALL_ROLES = (1 << len(ROLES)) - 1
# What a suit under state law closes.
STATE_LAW_ROLES = (1 << ROLES.index("detention")) | (1 << ROLES.index("enforcement"))
# More shocks of a kind than a scenario can have on one day.
_PER_DAY = 256

Role = Literal["administration", "support", "transport", "detention", "enforcement"]
Reach = Literal["all", "same_side", "other_side"] | Annotated[list[str], Field(min_length=1, max_length=54)]


@dataclass
class Forces:
    """What shocks do, by day and state; shape (n_days, n_states) unless said otherwise.

    jump
        New jumps of support, log-odds.
    shock
        Jumps in force, faded (filled by `settle`).
    burst
        Whether a withdrawal burst is on.
    closed
        Roles that a court has closed, as bits.
    disaster
        Share of strength on disaster duty.
    ambiguity
        The request's ambiguity, shape (n_days,).
    lapse
        Whether funding lapses, shape (n_days,).
    suspended
        Whether a court holds federalization up, shape (n_days,).
    turnovers
        For each day, the states with a new governor and the new side.
    log
        (day, kind, positions of the states reached, words) for the event log.
    """

    world: World
    p: Numbers
    n_days: int
    seed: int
    replication: int
    ambiguity: NDArray[np.float64]
    jump: NDArray[np.float64] = field(init=False)
    shock: NDArray[np.float64] = field(init=False)
    burst: NDArray[np.bool_] = field(init=False)
    closed: NDArray[np.int64] = field(init=False)
    disaster: NDArray[np.float64] = field(init=False)
    lapse: NDArray[np.bool_] = field(init=False)
    suspended: NDArray[np.bool_] = field(init=False)
    turnovers: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    log: list[tuple[int, str, tuple[int, ...], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start with a quiet world."""
        shape = (self.n_days, len(self.world.states))
        self.jump, self.shock, self.disaster = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.burst, self.closed = np.zeros(shape, np.bool_), np.zeros(shape, np.int64)
        self.lapse, self.suspended = np.zeros(self.n_days, np.bool_), np.zeros(self.n_days, np.bool_)

    def start_burst(self, day: int, states: Sequence[int]) -> None:
        """Let governors withdraw more readily for some days."""
        self.burst[day : day + int(self.p.withdraw_burst_days), list(states)] = True

    def close_roles(self, day: int, states: Sequence[int], roles: int, stay_after: float) -> None:
        """Close roles in some states from a day on, until the order is stayed (infinity: never)."""
        end = day_of_stay(day, stay_after, self.n_days)
        self.closed[day:end, list(states)] |= roles
        self.start_burst(day, states)

    def stay_of(self, order: int) -> float:
        """Days after which a court order is stayed, or infinity; luck of this order."""
        u, p = luck.draws(self.seed, self.replication, luck.COURT, 0, order).tolist(), self.p
        return days_to_stay(
            u[0], u[1], p.court_stay_chance, p.court_stay_least_days, p.court_stay_usual_days, p.court_stay_most_days
        )

    def note(self, day: int, kind: str, states: Sequence[int], words: str) -> None:
        """Remember a shock for the event log."""
        self.log.append((day, kind, tuple(states), words))

    def settle(self) -> None:
        """Fade the jumps and cap what cannot grow without end."""
        np.minimum(self.disaster, self.p.disaster_most, out=self.disaster)
        if self.jump.any():
            keep = math.exp(-1.0 / self.p.support_fade)
            running = np.zeros(self.jump.shape[1])
            for day in range(self.n_days):
                running = running * keep + self.jump[day]
                self.shock[day] = running
        self.log.sort(key=lambda row: row[0])


class Shock(BaseModel, ABC):
    """What every shock has: the day on which it strikes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    day: int = Field(ge=0, le=1825, description="Day of the run, 0 is the day the request becomes known.")
    needs_states: ClassVar[tuple[str, ...]] = ("states", "state")

    @abstractmethod
    def mark(self, forces: Forces, order: int) -> None:
        """Write the effect; `order` is a number of its own that keys its luck."""


class Incident(Shock):
    """A widely reported event that makes support jump, down or up, and fades; a negative one lets governors withdraw."""

    kind: Literal["incident"]
    size: float | None = Field(None, ge=-10, le=10, description="Jump of support in log-odds; incident.size if absent.")
    states: Reach = "all"

    def mark(self, forces: Forces, order: int) -> None:
        """Jump now, burst if negative."""
        size = forces.p.incident_size if self.size is None else self.size
        strike(forces, self.day, size, forces.world.reached(self.states))


def strike(forces: Forces, day: int, size: float, states: Sequence[int]) -> None:
    """An incident's effect: the jump, and the burst that a negative one brings."""
    forces.jump[day, list(states)] += size
    if size < 0:
        forces.start_burst(day, states)
    forces.note(day, "incident", states, f"an incident moves support by {size:+g}")


class Clarification(Shock):
    """Roles are decided, a statement is made or a legal opinion given: the request is less ambiguous from now on."""

    kind: Literal["clarification"]
    ambiguity: float = Field(0.0, ge=0, le=1, description="Ambiguity from this day on; it only ever falls.")

    def mark(self, forces: Forces, order: int) -> None:
        """Lower the ambiguity for the rest of the run."""
        np.minimum(forces.ambiguity[self.day :], self.ambiguity, out=forces.ambiguity[self.day :])
        forces.note(self.day, "clarification", (), f"ambiguity falls to {self.ambiguity:g}")


class CourtOrder(Shock):
    """A court closes roles in some states; the order may be stayed."""

    kind: Literal["court_order"]
    roles: Annotated[list[Role], Field(min_length=1, max_length=5)] | Literal["all"] = "all"
    states: Reach = "all"
    stay: Annotated[int, Field(ge=0, le=1825)] | Literal["chance", "never"] = Field(
        "chance", description="Days until a stay, 'never', or 'chance' (court.stay_chance and its lag)."
    )

    def mark(self, forces: Forces, order: int) -> None:
        """Close the roles until the stay."""
        bits = ALL_ROLES if self.roles == "all" else sum(1 << ROLES.index(role) for role in set(self.roles))
        stay = forces.stay_of(order) if self.stay == "chance" else math.inf if self.stay == "never" else self.stay
        states = forces.world.reached(self.states)
        forces.close_roles(self.day, states, bits, stay)
        named = "all roles" if self.roles == "all" else ", ".join(self.roles)
        until = "not stayed" if math.isinf(stay) else f"stayed after {round(stay)} days"
        forces.note(self.day, "court_order", states, f"a court closes {named} ({until})")


class Disaster(Shock):
    """A disaster at home takes part of a state's Guard for some days."""

    kind: Literal["disaster"]
    state: str
    size: float | None = Field(None, gt=0, le=1, description="Share of strength on duty; disaster.size if absent.")
    days: int | None = Field(None, ge=1, le=365, description="Days of duty; disaster.days if absent.")

    def mark(self, forces: Forces, order: int) -> None:
        """Put part of the Guard on disaster duty."""
        size = forces.p.disaster_size if self.size is None else self.size
        call_out(forces, self.day, forces.world.position(self.state), size, self.days)


def call_out(forces: Forces, day: int, state: int, size: float, days: int | None = None) -> None:
    """A disaster's effect: a share of strength on duty for some days."""
    length = int(forces.p.disaster_days) if days is None else days
    forces.disaster[day : day + length, state] += size
    forces.note(day, "disaster", (state,), f"a disaster calls out {100 * size:.1f} % of strength for {length} days")


class FundingLapse(Shock):
    """Funding lapses: fewer come forward and more leave until it returns."""

    kind: Literal["funding_lapse"]
    days: int = Field(14, ge=1, le=1825, description="Length of the lapse.")

    def mark(self, forces: Forces, order: int) -> None:
        """Mark the days of the lapse."""
        forces.lapse[self.day : self.day + self.days] = True
        forces.note(self.day, "funding_lapse", (), f"funding lapses for {self.days} days")


class Turnover(Shock):
    """A new governor takes office, with a mind and perhaps a side of their own."""

    kind: Literal["turnover"]
    state: str
    side: Literal["same_side", "other_side", "neither"] | None = Field(None, description="Unchanged if absent.")

    def mark(self, forces: Forces, order: int) -> None:
        """Remember the new side; the state draws a new governor on that day."""
        k = forces.world.position(self.state)
        forces.turnovers.setdefault(self.day, []).append((k, self.new_side(forces.world)))
        forces.note(self.day, "turnover", (k,), "a new governor takes office")

    def new_side(self, world: World) -> int:
        """The new governor's side: +1 the requester's, -1 the other, 0 neither."""
        old = world.states[world.position(self.state)].side
        return {"same_side": 1, "other_side": -1, "neither": 0, None: old}[self.side]


class Appeal(Shock):
    """A public push by the requester that moves governors, each side its own way."""

    kind: Literal["appeal"]
    same_side: float = Field(0.0, ge=-10, le=10, description="Jump of support on the requester's side, log-odds.")
    other_side: float = Field(0.0, ge=-10, le=10, description="Jump of support on the other side, log-odds.")

    def mark(self, forces: Forces, order: int) -> None:
        """Jump by side."""
        for reach, size in (("same_side", self.same_side), ("other_side", self.other_side)):
            forces.jump[self.day, list(forces.world.reached(reach))] += size
        words = (
            f"an appeal moves support by {self.same_side:+g} on the requester's side, {self.other_side:+g} on the other"
        )
        forces.note(self.day, "appeal", (), words)


AnyShock = Annotated[
    Incident | Clarification | CourtOrder | Disaster | FundingLapse | Turnover | Appeal, Field(discriminator="kind")
]


def forces_of(
    world: World,
    p: Numbers,
    shocks: Sequence[Any],
    ambiguity: Sequence[float],
    start: date,
    seed: int,
    replication: int,
    approval_day: int | None,
    federal_day: int | None,
) -> Forces:
    """All dated and random shocks of one run.

    Parameters
    ----------
    p
        Numbers of day 0.
    ambiguity
        By day, as the levers set it; its length is the number of days.
    approval_day, federal_day
        When the clocks of the courts start, or None.
    """
    forces = Forces(world, p, len(ambiguity), seed, replication, np.array(ambiguity, float))
    for shock, order in luck_index(shocks):
        shock.mark(forces, order)
    _random_disasters(forces, start)
    if p.incident_random:
        _random_incidents(forces)
    if p.court_clock and approval_day is not None:
        _state_law_order(forces, approval_day)
    if p.court_federal_clock and federal_day is not None:
        _federal_order(forces, federal_day)
    forces.settle()
    return forces


def luck_index(shocks: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """Shocks with the index of their luck: kind, day and place among those, so another shock shifts nobody's luck."""
    nth: dict[tuple[str, int], int] = {}
    for shock in shocks:
        key = (shock.kind, shock.day)
        nth[key] = nth.get(key, 0) + 1
        yield shock, _PER_DAY * shock.day + nth[key]


def chance_within_a_day(rate: float) -> float:
    """The chance of at least one event in a day of a Poisson process."""
    return -math.expm1(-rate)


def days_to_order(u: float, mean: float) -> int:
    """Whole days, at least one, until a court's exponential clock rings."""
    return max(1, round(-mean * math.log(u)))


def days_to_stay(u: float, u_lag: float, chance: float, least: float, usual: float, most: float) -> float:
    """Days until a court order is stayed, triangular; infinite where it is not."""
    return triangular(u_lag, least, usual, most) if u < chance else math.inf


def day_of_stay(day: int, after: float, n_days: int) -> int:
    """The first day on which an order no longer holds, n_days where none in the run."""
    if math.isinf(after):
        return n_days
    return min(n_days, day + max(0, round(after)))


def lognormal(median: float, log_sd: float, z: float) -> float:
    """A lognormal value from a standard normal."""
    return median * math.exp(log_sd * z)


def _random_disasters(forces: Forces, start: date) -> None:
    """Disasters by state and month, at the rates of past declarations."""
    p, states = forces.p, forces.world.states
    if p.disaster_rate <= 0.0:
        return
    months = [(start + timedelta(days=day)).month - 1 for day in range(forces.n_days)]
    rates = forces.world.disasters_per_day
    chance = np.array([[chance_within_a_day(p.disaster_rate * rate) for rate in row] for row in rates])[:, months]
    u = luck.daily(forces.seed, forces.replication, luck.DISASTER, [s.fips for s in states], forces.n_days)
    where, when = np.nonzero(u < chance)
    fips = np.array([state.fips for state in states])[where]
    u_size = luck.draws(forces.seed, forces.replication, luck.DISASTER_SIZE, fips, when)
    for k, day, u2 in zip(where.tolist(), when.tolist(), u_size.tolist(), strict=True):
        z = luck.normals(u2[0], u2[1])[0]
        size = min(lognormal(p.disaster_size, p.disaster_spread, z), p.disaster_most)
        call_out(forces, day, k, size)


def _random_incidents(forces: Forces) -> None:
    """Incidents that nobody dated, known to all states."""
    chance = chance_within_a_day(forces.p.incident_rate)
    u = luck.daily(forces.seed, forces.replication, luck.INCIDENT, [0], forces.n_days)[0]
    for day in np.nonzero(u < chance)[0]:
        strike(forces, int(day), forces.p.incident_size, range(len(forces.world.states)))


def _order_day(forces: Forces, state: int, mean: float, since: int) -> int:
    """The day on which a court's exponential clock rings (after the end of the run: never)."""
    u = luck.draws(forces.seed, forces.replication, luck.COURT, state, 0).tolist()[0]
    return since + days_to_order(u, mean)


# Indices of the two random orders in the luck of courts, far from those of dated orders.
STATE_LAW, FEDERAL = 1 << 20, (1 << 20) + 1


def _state_law_order(forces: Forces, since: int) -> None:
    """One suit under state law that closes detention and enforcement in the states that it reaches."""
    day = _order_day(forces, STATE_LAW, forces.p.court_state_law_days, since)
    if day >= forces.n_days:
        return
    fips = [state.fips for state in forces.world.states]
    u = luck.draws(forces.seed, forces.replication, luck.COURT_REACH, fips, 0)[:, 0]
    reached = [k for k, s in enumerate(forces.world.states) if s.has_governor and u[k] < forces.p.court_reach]
    stay = forces.stay_of(STATE_LAW)
    forces.close_roles(day, reached, STATE_LAW_ROLES, stay)
    forces.note(day, "court_order", reached, "a court closes detention and enforcement under state law")


def _federal_order(forces: Forces, since: int) -> None:
    """A federal suit that holds federalization up until it is stayed."""
    day = _order_day(forces, FEDERAL, forces.p.court_federal_days, since)
    stay = forces.stay_of(FEDERAL)
    forces.suspended[day : day_of_stay(day, stay, forces.n_days)] = True
    if day < forces.n_days:
        until = "not stayed" if math.isinf(stay) else f"stayed after {round(stay)} days"
        forces.note(day, "court_order", (), f"a federal court holds federalization up ({until})")
