"""The world: the 54 Guard jurisdictions, their borders and disasters, and the legal table, read from seeds/.

Nothing here depends on a scenario but the two covariates that turn with the requester: a state's side and its margin.
"""

import csv
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from sim.parameters import ROLES, SEEDS, InputError, near_miss

REGIONS = ("Northeast", "Midwest", "South", "West", "Islands")


@dataclass(frozen=True)
class State:
    """One jurisdiction.

    Attributes: code and name; fips; strength (people, Army and Air Guard); has_governor (False where the President
    commands); side (+1 the governor belongs to the requester's party, -1 to the other, 0 to neither); margin (last
    presidential margin toward the requester's party, in units of 10 points); region; on_border and in_strip;
    on_ballot (the incumbent can run again); prior_position (-1, 0, +1); bars_outsiders (state law bars outside forces).
    """

    code: str
    name: str
    fips: int
    strength: int
    has_governor: bool
    side: int
    margin: float
    region: int
    on_border: bool
    in_strip: bool
    on_ballot: int
    prior_position: int
    bars_outsiders: bool


@dataclass(frozen=True, eq=False)
class World:
    """All states in one order, and what lies between them; each is its own, so that what is made from one can be kept.

    states
        In FIPS order; everything else is indexed by the position here.
    neighbors
        For each state, the positions of those that share a land border.
    disasters_per_day
        For each state, twelve numbers: disasters a day in each month.
    """

    states: tuple[State, ...]
    neighbors: tuple[tuple[int, ...], ...]
    disasters_per_day: tuple[tuple[float, ...], ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Postal codes in order."""
        return tuple(state.code for state in self.states)

    def position(self, code: str, where: str = "state") -> int:
        """The index of a postal code; raises InputError with the near miss."""
        try:
            return self.codes.index(code)
        except ValueError:
            names = {state.name: state.code for state in self.states}
            hint = f"; did you mean {names[code]!r}?" if code in names else near_miss(code.upper(), self.codes)
            raise InputError(f"{where} = {code!r} is not one of the {len(self.states)} postal codes{hint}") from None

    def reached(self, reach: str | list[str]) -> tuple[int, ...]:
        """Positions of the states that a shock reaches: `all`, `same_side`, `other_side` (of governors), or those listed."""
        if isinstance(reach, list):
            return tuple(sorted(self.position(code) for code in reach))
        wanted = {"all": (1, 0, -1), "same_side": (1,), "other_side": (-1,)}[reach]
        return tuple(k for k, s in enumerate(self.states) if s.side in wanted and (s.has_governor or reach == "all"))

    def subset(self, codes: Iterable[str]) -> "World":
        """A smaller world of some states with the borders among them."""
        keep = sorted(self.position(code) for code in codes)
        new = {old: k for k, old in enumerate(keep)}
        return World(
            tuple(self.states[k] for k in keep),
            tuple(tuple(new[j] for j in self.neighbors[k] if j in new) for k in keep),
            tuple(self.disasters_per_day[k] for k in keep),
        )

    def with_states(self, **changes: Any) -> "World":
        """The same world with one or more fields of every state replaced (for small experiments and tests)."""
        return replace(self, states=tuple(replace(state, **changes) for state in self.states))


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _side(party: str, requester: str) -> int:
    if party == requester:
        return 1
    return -1 if party in ("republican", "democratic") else 0


def _state(row: dict[str, str], requester: str) -> State:
    """A state as the requester's party makes it; seeds count margins toward the Republican Party."""
    toward = 1.0 if requester == "republican" else -1.0
    has_governor = row["consent_authority"] == "governor"
    return State(
        code=row["code"],
        name=row["name"],
        fips=int(row["fips"]),
        strength=int(row["strength"]),
        has_governor=has_governor,
        side=_side(row["party_2025_05"], requester) if has_governor else 0,
        margin=toward * float(row["margin_2024"] or 0.0) / 10.0,
        region=REGIONS.index(row["region"]),
        on_border=row["on_border"] == "1",
        in_strip=row["in_strip"] == "1",
        on_ballot=int(row["on_ballot"]),
        prior_position=int(row["prior_position"]),
        bars_outsiders=row["host_law"] == "bars",
    )


DAYS_OF_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@cache
def load_world(requester: str = "republican") -> World:
    """The 54 jurisdictions as seen from a requester of the given party."""
    states = tuple(_state(row, requester) for row in _rows("states.csv"))
    index = {state.code: k for k, state in enumerate(states)}
    touching: list[list[int]] = [[] for _ in states]
    for row in _rows("adjacency.csv"):
        a, b = index[row["code_a"]], index[row["code_b"]]
        touching[a].append(b)
        touching[b].append(a)
    rates = [[0.0] * 12 for _ in states]
    for row in _rows("disasters.csv"):
        month = int(row["month"]) - 1
        rates[index[row["code"]]][month] = float(row["major"]) / DAYS_OF_MONTH[month]
    return World(states, tuple(tuple(sorted(pair)) for pair in touching), tuple(tuple(rate) for rate in rates))


@cache
def world_then(requester: str, rows: tuple[Any, ...]) -> World:
    """The world of another date: states listed in `rows` (see `scenario.StateThen`) take their covariates from there.

    A state that is not listed stays as it is in seeds/states.csv.
    """
    world = load_world(requester)
    toward = 1.0 if requester == "republican" else -1.0
    then = {row.state: row for row in rows}
    states = []
    for state in world.states:
        if (row := then.get(state.code)) is not None:
            state = replace(
                state,
                strength=row.strength,
                side=_side(row.party, requester) if state.has_governor else 0,
                margin=toward * (row.margin or 0.0) / 10.0,
                on_ballot=row.on_ballot,
                prior_position=row.prior_position,
            )
        states.append(state)
    return replace(world, states=tuple(states))


@cache
def legal_table(path: Path = SEEDS / "statuses.toml") -> dict[str, Any]:
    """The legal table as it stands in seeds/statuses.toml."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def role_standing(
    status: str, *, place: str, cross_state: bool, insurrection_act: bool, arrest_authority: bool
) -> dict[str, str]:
    """What the law says of each role: open, closed, or contested (then the reading decides), before any court speaks.

    Parameters
    ----------
    status
        A name of the legal table.
    place
        "interior" or "border_strip", where only support roles exist.
    """
    if insurrection_act and status.startswith("title_10"):
        status = "insurrection_act"
    table = legal_table()
    roles = dict(table["statuses"][status]["roles_across_state_lines" if cross_state else "roles"])
    if not arrest_authority:
        roles["enforcement"] = "closed"
    if place == "border_strip":
        roles = {r: roles[r] if r in table["border_strip"]["allowed_roles"] else "closed" for r in roles}
    return roles


def open_roles(standing: dict[str, str], reading: str) -> int:
    """The open roles as bits (bit k for ROLES[k]); a contested role is open under the permissive reading."""
    allowed = ("open", "contested") if reading == "permissive" else ("open",)
    return sum(1 << k for k, role in enumerate(ROLES) if standing[role] in allowed)


def may_withdraw(status: str, reading: str) -> bool:
    """Whether a governor may take consent back; the strict reading of a contested point protects the governor's hand."""
    answer = legal_table()["statuses"][status]["governor_may_withdraw"]
    return answer == "yes" or (answer == "contested" and reading == "strict")
