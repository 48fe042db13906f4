"""Scenarios: one file under one question, checked where it is read and trusted afterwards.

A file says what differs from the one it extends. Levers stand in tables named like the register (`[request]`), other
parameters in `[assumptions]`; both are checked against the register, so a new parameter needs nothing here.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema, create_model

from sim.parameters import ROLES, InputError, Parameter, Value, near_miss, parameter, register, shorten
from sim.shocks import AnyShock
from sim.world import load_world

SCHEMA = 1
MOST_DAYS = 1825
MOST_BYTES = 200_000
MOST_EXTENDS = 10
MOST_ROWS = 200
ANSWERS = ("accept", "decline", "no_answer", "withdraw")
ROLE_NAMES = tuple(f"request.roles.{role}" for role in ROLES)

# The classes of shocks, from the union that scenario files are checked by.
_KINDS: tuple[Any, ...] = get_args(get_args(AnyShock)[0])
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Answer(BaseModel):
    """A seat taken, or history replayed: what one state says on one day. Such a state decides nothing by itself."""

    model_config = _STRICT
    state: str
    day: int = Field(ge=0, le=MOST_DAYS)
    answer: Literal["accept", "decline", "no_answer", "withdraw"]
    roles: list[Literal["administration", "support", "transport", "detention", "enforcement"]] | None = Field(
        None, min_length=1, description="Roles permitted with an accept; all open ones if absent."
    )
    troops: int | None = Field(
        None, ge=0, le=200_000, description="People offered with an accept; by the rule if absent."
    )


class Spread(BaseModel):
    """A new value with a new range to draw it from."""

    model_config = _STRICT
    value: float = Field(allow_inf_nan=False)
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)


def _checked(entry: Parameter, with_range: bool = False) -> Any:
    """The annotation of a field that holds a register value."""

    def check(value: Any) -> Any:
        if with_range and isinstance(value, dict):
            spread = Spread.model_validate(value)
            for end in (spread.low, spread.value, spread.high):
                entry.check(int(end) if entry.whole and float(end).is_integer() else end)
            if not spread.low <= spread.value <= spread.high:
                raise InputError(f"{entry.name}: low, value and high must rise, found {shorten(value)}")
            return spread
        return entry.check(value)

    schema = entry.json_schema()
    if with_range:
        schema = {"anyOf": [schema, Spread.model_json_schema()], "title": entry.label}
    return Annotated[Any, PlainValidator(check), WithJsonSchema(schema)]


def _tables() -> dict[str, Any]:
    """Fields for the lever tables, nested as the dots of their names say."""
    tree: dict[str, Any] = {}
    for entry in register().values():
        if entry.kind != "lever":
            continue
        *tables, last = entry.name.split(".")
        branch = tree
        for table in tables:
            branch = branch.setdefault(table, {})
        branch[last] = (_checked(entry), Field(None))
    return {name: (_model(name, branch) | None, None) for name, branch in tree.items()}


def _model(name: str, branch: Mapping[str, Any]) -> Any:
    fields: dict[str, Any] = {
        key: (_model(f"{name}_{key}", value) | None, None) if isinstance(value, dict) else value
        for key, value in branch.items()
    }
    return create_model(f"Table_{name}", __config__=_STRICT, **fields)


@cache
def file_model() -> type[BaseModel]:
    """The Pydantic model of a scenario file, made from the register."""
    levers = {entry.field: entry for entry in register().values() if entry.kind == "lever"}
    others = {entry.field: entry for entry in register().values() if entry.kind != "lever"}
    assumed: dict[str, Any] = {
        key: (_checked(e, e.kind == "uncertainty"), Field(None, alias=e.name)) for key, e in others.items()
    }
    assumptions: Any = create_model("Assumptions", __config__=_STRICT, **assumed)
    moved: dict[str, Any] = {key: (_checked(e), Field(None, alias=e.name)) for key, e in levers.items()}
    change: Any = create_model(
        "Change",
        __config__=_STRICT,
        __doc__="Levers moved on a later day.",
        day=(Annotated[int, Field(ge=1, le=MOST_DAYS)], ...),
        **moved,
    )
    fields: dict[str, Any] = {
        "schema_version": (Literal[1], Field(alias="schema", description="Version of this file format.")),
        "title": (Annotated[str, Field(min_length=1, max_length=200)], ...),
        "question": (Annotated[str, Field(min_length=1, max_length=1000)], ...),
        "extends": (Annotated[str, Field(max_length=200)] | None, Field(None, description="A file beside this one.")),
        "start": (date, Field(date(2025, 5, 15), description="The calendar date of day 0.")),
        "days": (Annotated[int, Field(ge=1, le=MOST_DAYS)], Field(180, description="The last day that is simulated.")),
        **_tables(),
        "assumptions": (assumptions | None, None),
        "changes": (Annotated[list[change], Field(max_length=MOST_ROWS)], []),
        "shocks": (Annotated[list[AnyShock], Field(max_length=MOST_ROWS)], []),
        "answers": (Annotated[list[Answer], Field(max_length=MOST_ROWS)], []),
    }
    return create_model("Scenario", __config__=_STRICT, **fields)


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

    def value(self, name: str) -> Value:
        """The value of a parameter on day 0, from the scenario or the register."""
        return self.values.get(name, register()[name].value)

    def with_values(self, values: Mapping[str, Value], days: int | None = None) -> "Scenario":
        """The same question with some values replaced and perhaps another last day; checked like a file."""
        for name, value in values.items():
            parameter(name).check(value)
        ranges = {name: ends for name, ends in self.ranges.items() if name not in values}
        changed = replace(
            self, values={**self.values, **values}, ranges=ranges, days=self.days if days is None else days
        )
        _check_whole(changed, "the command line")
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
        for key, rows in (("shocks", self.shocks), ("answers", self.answers)):
            if rows:
                document[key] = [row.model_dump(exclude_none=True) for row in rows]
        if self.changes:
            document["changes"] = [{"day": change.day, **change.values} for change in self.changes]
        return document

    def toml(self) -> str:
        """The scenario as a file that extends nothing."""
        return tomli_w.dumps(self.document())

    @property
    def digest(self) -> str:
        """SHA-256 of what is simulated: the document without its words."""
        told = {key: value for key, value in self.document().items() if key not in ("title", "question")}
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


def load(path: Path | str) -> Scenario:
    """Read, extend and check a scenario file; raises InputError in one paragraph for anything wrong."""
    path = Path(path)
    table = _extended(path, ())
    try:
        document = file_model().model_validate(table)
    except ValidationError as error:
        raise InputError(f"{path}: {_first_error(error)}") from None
    scenario = _scenario(path.stem, document)
    _check_whole(scenario, str(path))
    return scenario


def parse(text: str, name: str) -> Scenario:
    """Check a scenario held as text; it cannot extend a file."""
    table = _toml(text, name)
    if "extends" in table:
        raise InputError(f"{name}: extends needs a file beside this one; put everything in one document")
    try:
        document = file_model().model_validate(table)
    except ValidationError as error:
        raise InputError(f"{name}: {_first_error(error)}") from None
    scenario = _scenario(name, document)
    _check_whole(scenario, name)
    return scenario


def _scenario(name: str, document: Any) -> Scenario:
    """The scenario that a checked document describes."""
    values: dict[str, Value] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for entry in register().values():
        value = _looked_up(document, entry)
        if isinstance(value, Spread):
            ranges[entry.name] = (value.low, value.high)
            value = int(value.value) if entry.whole else value.value
        if value is not None:
            values[entry.name] = value
    names = {entry.field: entry.name for entry in register().values()}
    changes = []
    for row in document.changes:
        moved = {names[key]: getattr(row, key) for key in row.model_fields_set if key != "day"}
        changes.append(Change(row.day, dict(sorted(moved.items()))))
    return Scenario(
        name=name,
        title=document.title,
        question=document.question,
        start=document.start,
        days=document.days,
        values=values,
        ranges=ranges,
        changes=tuple(sorted(changes, key=lambda change: change.day)),
        shocks=tuple(document.shocks),
        answers=tuple(document.answers),
    )


def _looked_up(document: Any, entry: Parameter) -> Any:
    """The value that a document gives a parameter, or None."""
    if entry.kind != "lever":
        return getattr(document.assumptions, entry.field, None)
    branch = document
    for part in entry.name.split("."):
        branch = getattr(branch, part, None)
    return branch


def _read(path: Path) -> str:
    """The text of a scenario file, if it can be one."""
    try:
        if not path.is_file():
            known = [found.name for found in path.parent.glob("*.toml")] if path.parent.is_dir() else []
            raise InputError(f"{path}: there is no such file{near_miss(path.name, known)}")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise InputError(f"{path}: the file has {size:,} bytes; a scenario has at most {MOST_BYTES:,}")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8 text; a scenario is a TOML file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _toml(text: str, where: str) -> dict[str, Any]:
    """The TOML table of a text."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {shorten(str(error), 200)}") from None
    except (RecursionError, ValueError) as error:
        # Deep nesting exhausts the stack; a number of many thousand digits is refused by int().
        reason = "nested too deeply" if isinstance(error, RecursionError) else shorten(str(error), 120)
        raise InputError(f"{where}: not valid TOML: {reason}") from None


def _extended(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The table of a file merged over those that it extends; lists of rows replace, tables merge."""
    table = _toml(_read(path), str(path))
    base = table.get("extends")
    if base is None:
        return table
    if not isinstance(base, str) or Path(base).name != base or base in ("", ".", ".."):
        raise InputError(f"{path}: extends = {shorten(base)} must be the name of a file in the same folder")
    chain = (*seen, path.resolve())
    target = path.parent / base
    if target.resolve().parent != path.resolve().parent:
        raise InputError(f"{path}: extends = {base!r} leads out of the scenario's folder")
    if target.resolve() in chain:
        names = " -> ".join(step.name for step in (*chain, target.resolve()))
        raise InputError(f"{path}: extends goes in a circle: {names}")
    if len(chain) > MOST_EXTENDS:
        raise InputError(f"{path}: extends more than {MOST_EXTENDS} files in a row")
    if not target.is_file():
        known = [found.name for found in path.parent.glob("*.toml")]
        raise InputError(f"{path}: extends = {base!r}: there is no such file{near_miss(base, known)}")
    return _merged(_extended(target, chain), table)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _first_error(error: ValidationError) -> str:
    """The first thing wrong in a document, with its key, value and near miss; how many more there are."""
    problems = error.errors(include_url=False)
    problem = problems[0]
    key = _key(problem["loc"])
    found = problem.get("input")
    kind = problem["type"]
    if kind == "extra_forbidden":
        told = f"unknown key {key}{_suggestion(problem['loc'])}"
    elif kind == "missing":
        told = f"{key} is missing"
    elif kind == "union_tag_invalid":
        tag = found.get("kind") if isinstance(found, dict) else found
        kinds = [str(word).strip(" '") for word in problem["ctx"]["expected_tags"].split(",")]
        told = f"{key}.kind = {shorten(tag)} is not one of {', '.join(kinds)}{near_miss(str(tag), kinds)}"
    elif kind == "value_error" and isinstance(problem["ctx"]["error"], InputError):
        told = str(problem["ctx"]["error"])
        if not told.startswith(key):
            told = f"{key}: {told}"
    else:
        told = f"{key} = {shorten(found)}: {problem['msg'].lower().replace('input ', 'it ')}"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return told + more


def _key(loc: Sequence[int | str]) -> str:
    """A Pydantic location as a key of the file: names joined by dots, rows counted from 1."""
    tags = set(_shock_kinds())
    parts: list[str] = []
    for step in loc:
        if isinstance(step, int):
            parts[-1] += f"[{step + 1}]"
        elif step not in tags and not step.startswith(("function-", "literal[", "list[")):
            parts.append(step)
    return ".".join(parts)


def _shock_kinds() -> list[str]:
    return [kind.model_fields["kind"].annotation.__args__[0] for kind in _KINDS]


def _suggestion(loc: Sequence[int | str]) -> str:
    """Where an unknown key may belong: a near miss among its neighbours, or the table that holds it."""
    name = str(loc[-1])
    if loc[0] in ("shocks", "answers"):
        return near_miss(name, _neighbours(loc))
    dotted = ".".join(str(step) for step in loc if not isinstance(step, int) and step not in ("assumptions", "changes"))
    for candidate in (name, dotted):
        if candidate in register():
            entry = register()[candidate]
            if entry.kind == "lever":
                return f"; {candidate} is a lever: set it in the table [{candidate.rpartition('.')[0]}]"
            if "changes" in loc:
                return f"; {candidate} is no lever, so it cannot move during a run"
            return f'; set it in [assumptions] as "{candidate}"'
    return near_miss(dotted, [*register(), *file_model().model_fields, "schema"]) or near_miss(name, _neighbours(loc))


def _neighbours(loc: Sequence[int | str]) -> list[str]:
    """The keys that stand where an unknown one was found."""
    if loc[0] == "shocks":
        return [key for kind in _KINDS for key in kind.model_fields]
    if loc[0] == "answers":
        return list(Answer.model_fields)
    prefix = ".".join(str(step) for step in loc[:-1]) + "."
    names = [name.removeprefix(prefix).split(".")[0] for name in register() if name.startswith(prefix)]
    return names or ["schema", *file_model().model_fields]


def _check_whole(scenario: Scenario, where: str) -> None:
    """What no single key can get wrong: days beyond the end, contradictions, empty requests, unknown states."""
    if not 1 <= scenario.days <= MOST_DAYS:
        raise InputError(f"{where}: days = {scenario.days} is outside 1..{MOST_DAYS}")
    if isinstance(scenario.start, datetime):
        raise InputError(f"{where}: start = {scenario.start} must be a date without a time")
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
FIXED_LEVERS = ("request.party", "federalize.day", "capacity.target")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files."""
    return file_model().model_json_schema(by_alias=True)


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


def listed(folder: Path) -> list[Path]:
    """The scenario files of a folder, the baseline first."""
    return sorted(folder.glob("*.toml"), key=lambda path: (path.stem != "baseline", path.stem))


def texts(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Differences as lines."""
    return [f"{what}: {here} (there {there})" for what, here, there in rows]
