"""Scenarios: one question each, as everything that differs from the register; checked when made and trusted afterwards."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from sim.parameters import ROLES, InputError, Value, parameter, register
from sim.world import World, load_world, world_then

SCHEMA = 1
MOST_DAYS = 1825
# Room for every last day on the calendar.
FIRST_YEAR, LAST_YEAR = 1900, 2199
ANSWERS = ("accept", "decline", "no_answer", "withdraw")
ROLE_NAMES = tuple(f"request.roles.{role}" for role in ROLES)
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Answer(BaseModel):
    """A seat taken, or history replayed: what one state says on one day. Such a state decides nothing by itself."""

    model_config = STRICT
    state: str
    day: int = Field(ge=0, le=MOST_DAYS)
    answer: Literal["accept", "decline", "no_answer", "withdraw"]
    roles: list[Literal["administration", "support", "transport", "detention", "enforcement"]] | None = Field(
        None, min_length=1, description="Roles permitted with an accept; all open ones if absent."
    )
    troops: int | None = Field(
        None, ge=0, le=200_000, description="People offered with an accept; by the rule if absent."
    )


class StateThen(BaseModel):
    """What a state was on a date other than that of seeds/states.csv: a scenario of the past carries its own covariates."""

    model_config = STRICT
    state: str
    party: Literal["republican", "democratic", "independent"] = Field(description="Party of the governor on that date.")
    strength: int = Field(ge=1, le=100_000, description="People in its Army and Air Guard.")
    margin: float | None = Field(
        None, ge=-100, le=100, description="Last presidential margin, in points toward the Republican Party."
    )
    on_ballot: Literal[0, 1] = Field(0, description="1 if the incumbent could run again.")
    prior_position: Literal[-1, 0, 1] = Field(0, description="A public position taken before the request.")


@dataclass(frozen=True)
class Change:
    """Levers that move on a day."""

    day: int
    values: dict[str, Value]


@dataclass(frozen=True)
class Scenario:
    """One question, ready to run: everything that differs from the register.

    name
        The file's name without its ending.
    values
        Register values replaced, by dotted name; these are not drawn.
    ranges
        (low, high) of uncertainties that stay uncertain around a value set here.
    sources
        Where a value set here comes from, by dotted name; words that change no number.
    states
        Covariates of states that replace those of seeds/states.csv.
    """

    name: str
    title: str
    question: str
    start: date = date(2025, 5, 15)
    days: int = 180
    values: dict[str, Value] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    shocks: tuple[Any, ...] = ()
    answers: tuple[Answer, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    states: tuple[StateThen, ...] = ()

    @property
    def world(self) -> World:
        """The jurisdictions as this scenario has them."""
        return self.world_of(str(self.value("request.party")))

    def world_of(self, requester: str) -> World:
        """The jurisdictions as a requester of a party sees them; scenarios with the same covariates share one world."""
        return world_then(requester, self.states) if self.states else load_world(requester)

    def value(self, name: str) -> Value:
        """The value of a parameter on day 0, from the scenario or the register."""
        return self.values.get(name, register()[name].value)

    def with_values(self, values: Mapping[str, Value], days: int | None = None) -> "Scenario":
        """The same question with some values replaced and perhaps another last day; checked like a file."""
        for name, value in values.items():
            parameter(name).check(value)
        # What was said of a value does not hold for another one.
        ranges = {name: ends for name, ends in self.ranges.items() if name not in values}
        sources = {name: text for name, text in self.sources.items() if name not in values}
        days = self.days if days is None else days
        changed = replace(self, values={**self.values, **values}, ranges=ranges, sources=sources, days=days)
        check_whole(changed, "the command line")
        return changed

    def renamed(self, name: str) -> "Scenario":
        """The same scenario under another name."""
        return replace(self, name=name)

    def document(self) -> dict[str, Any]:
        """The scenario as a plain document in the file format, with nothing left to extend."""
        levers: dict[str, Any] = {}
        assumptions: dict[str, Any] = {}
        for name in register():
            if name not in self.values:
                continue
            value = self.values[name]
            if register()[name].kind != "lever":
                ends = self.ranges.get(name)
                assumptions[name] = value if ends is None else {"value": value, "low": ends[0], "high": ends[1]}
                continue
            *tables, last = name.split(".")
            branch = levers
            for table in tables:
                branch = branch.setdefault(table, {})
            branch[last] = value
        document = {
            "schema": SCHEMA,
            "title": self.title,
            "question": self.question,
            "start": self.start,
            "days": self.days,
        }
        document |= levers
        if assumptions:
            document["assumptions"] = assumptions
        for key, rows in (("shocks", self.shocks), ("answers", self.answers), ("states", self.states)):
            if rows:
                document[key] = [row.model_dump(exclude_none=True) for row in rows]
        if self.changes:
            document["changes"] = [{"day": change.day, **change.values} for change in self.changes]
        if sources := {name: self.sources[name] for name in register() if name in self.sources and name in self.values}:
            document["sources"] = sources
        return document

    def toml(self) -> str:
        """The scenario as a file that extends nothing."""
        return tomli_w.dumps(self.document())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is simulated: the document without its words."""
        told = {key: value for key, value in self.document().items() if key not in ("title", "question", "sources")}
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()

    def differences(self, other: "Scenario") -> list[tuple[str, str, str]]:
        """What differs: rows of (what, here, there)."""
        rows = [
            (name, _told(self.value(name)), _told(other.value(name)))
            for name in register()
            if self.value(name) != other.value(name) or self.ranges.get(name) != other.ranges.get(name)
        ]
        for key in ("start", "days", "changes", "shocks", "answers"):
            here, there = getattr(self, key), getattr(other, key)
            if here != there:
                rows.append((key, _rows_told(here), _rows_told(there)))
        if self.states != other.states:
            here, there = (f"{len(s.states)} with covariates of their own" for s in (self, other))
            rows.append(("states", here, there))
        return rows


def _told(value: Any) -> str:
    return (
        ", ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _rows_told(value: Any) -> str:
    """A list of rows in one line, anything else as it is."""
    if not isinstance(value, tuple):
        return str(value)
    parts = []
    for row in value:
        fields = row.values if isinstance(row, Change) else row.model_dump(exclude_none=True, exclude={"day"})
        parts.append(f"day {row.day}: " + ", ".join(f"{k} {_told(v)}" for k, v in fields.items()))
    return "; ".join(parts) or "none"


def check_whole(scenario: Scenario, where: str) -> None:
    """What no single key can get wrong: days beyond the end, contradictions, empty requests, unknown states."""
    if not 1 <= scenario.days <= MOST_DAYS:
        raise InputError(f"{where}: days = {scenario.days} is outside 1..{MOST_DAYS}")
    if isinstance(scenario.start, datetime):
        raise InputError(f"{where}: start = {scenario.start} must be a date without a time")
    if not FIRST_YEAR <= scenario.start.year <= LAST_YEAR:
        raise InputError(f"{where}: start = {scenario.start} must be in the years {FIRST_YEAR} to {LAST_YEAR}")
    _check_days(scenario, where)
    _check_states(scenario, where)
    _check_changes(scenario, where)
    sizes = {name: scenario.value(name) for name in ROLE_NAMES}
    for day, moved in [(0, {}), *((change.day, change.values) for change in scenario.changes)]:
        sizes |= {name: value for name, value in moved.items() if name in sizes}
        if not any(sizes.values()):
            since = f" from day {day}" if day else ""
            raise InputError(f"{where}: request.roles is empty{since}: at least one role must ask for people")
    last = scenario.value("federalize.day")
    if last != "never" and int(last) > scenario.days:  # type: ignore[arg-type]
        raise InputError(f"{where}: federalize.day = {last} is after the last day {scenario.days}")


def _check_days(scenario: Scenario, where: str) -> None:
    for key in ("changes", "shocks", "answers"):
        for number, row in enumerate(getattr(scenario, key), 1):
            if row.day > scenario.days:
                raise InputError(f"{where}: {key}[{number}].day = {row.day} is after the last day {scenario.days}")


def _check_states(scenario: Scenario, where: str) -> None:
    """Every postal code exists; only a governor can be given an answer."""
    world = load_world()
    for name, value in scenario.values.items():
        _check_codes(value, f"{where}: {name}")
    for change in scenario.changes:
        for name, value in change.values.items():
            _check_codes(value, f"{where}: changes on day {change.day}: {name}")
    for number, shock in enumerate(scenario.shocks, 1):
        for key in shock.needs_states:
            named = getattr(shock, key, None)
            _check_codes([named] if key == "state" and named else named, f"{where}: shocks[{number}].{key}")
    given: dict[tuple[str, int], str] = {}
    for number, row in enumerate(scenario.answers, 1):
        key = f"{where}: answers[{number}]"
        if not world.states[world.position(row.state, f"{key}.state")].has_governor:
            raise InputError(f"{key}.state = {row.state!r} has no governor, so no answer to give")
        if (row.roles is not None or row.troops is not None) and row.answer != "accept":
            raise InputError(f"{key}: roles and troops go with answer = 'accept', found {row.answer!r}")
        if (row.state, row.day) in given:
            raise InputError(f"{key}: {row.state} is given two answers on day {row.day}")
        given[row.state, row.day] = row.answer
    listed: set[str] = set()
    for number, then in enumerate(scenario.states, 1):
        world.position(then.state, f"{where}: states[{number}].state")
        if then.state in listed:
            raise InputError(f"{where}: states[{number}] lists {then.state} a second time")
        listed.add(then.state)


def _check_codes(value: Any, where: str) -> None:
    if isinstance(value, list):
        for code in value:
            load_world().position(code, where)
        if len(set(value)) < len(value):
            raise InputError(f"{where} names a state twice: {', '.join(value)}")


def _check_changes(scenario: Scenario, where: str) -> None:
    """No lever is moved twice on one day, none that a run reads only once, and a row moves something."""
    seen: dict[tuple[int, str], Value] = {}
    for number, change in enumerate(scenario.changes, 1):
        if not change.values:
            raise InputError(f"{where}: changes[{number}] on day {change.day} moves no lever")
        for name, value in change.values.items():
            if name in FIXED_LEVERS:
                raise InputError(f"{where}: changes on day {change.day}: {name} holds for a whole run and cannot move")
            if (change.day, name) in seen:
                was = seen[change.day, name]
                raise InputError(
                    f"{where}: two changes on day {change.day} set {name}: {_told(was)} and {_told(value)}"
                )
            seen[change.day, name] = value


# Levers that define a run as a whole.
FIXED_LEVERS = ("request.party", "federalize.day", "federalize.states", "federalize.predicate", "capacity.target")


def parse_setting(text: str) -> tuple[str, Value]:
    """A `name=value` of the command line, with the value read as TOML (bare words are taken as text)."""
    name, equals, raw = text.partition("=")
    name, raw = name.strip(), raw.strip()
    if not equals or not name or not raw:
        raise InputError(f"--set {text!r}: write it as name=value, for instance tour.days=60")
    entry = parameter(name)
    try:
        value = tomllib.loads(f"value = {raw}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        words = [word.strip() for word in raw.split(",")]
        value = words if entry.or_states and (len(words) > 1 or raw not in entry.choices) else raw
    if isinstance(value, int) and not isinstance(value, bool) and not entry.whole and not isinstance(entry.value, bool):
        value = float(value) if abs(value) < 1e15 else value
    return name, entry.check(value)


def known_early(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """The scenario with nothing in it that was known only after May 2025.

    Defaults known only later are replaced by their early value; a value known only later that the scenario itself
    sets, or needs because it turns a clock on, is refused.

    Returns
    -------
    The scenario, and one line for each value replaced.
    """
    replaced: dict[str, Value] = {}
    lines = []
    for name, entry in register().items():
        late = entry.later if entry.later is not None else entry.value if entry.known == "H" else None
        given = [scenario.values[name]] if name in scenario.values else []
        given += [change.values[name] for change in scenario.changes if name in change.values]
        if late is not None and any(value == late for value in given):
            raise InputError(
                f"{scenario.name}: {name} = {_told(late)} was known only after May 2025, so --known E cannot use it"
            )
        if entry.known == "H" and entry.early is not None and name not in scenario.values:
            replaced[name] = entry.early
            lines.append(f"{name}: {_told(entry.value)} was known only later; {_told(entry.early)} is used")
    early = scenario.with_values(replaced)
    for clock, needed in (("court.clock", "court.state_law_days"), ("court.federal_clock", "court.federal_days")):
        if early.value(clock) and needed not in scenario.values:
            raise InputError(
                f"{scenario.name}: {clock} is on, and {needed} = {_told(early.value(needed))} was known only after May 2025"
            )
    return early, lines


def texts(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Differences as lines."""
    return [f"{what}: {here} (there {there})" for what, here, there in rows]
