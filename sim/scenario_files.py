"""Scenario files: read over those that they extend, checked against the register, told in one paragraph if wrong.

A file says what differs from the one it extends. Levers stand in tables named like the register (`[request]`), other
parameters in `[assumptions]`; both come from the register, so a new parameter needs nothing here.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, PlainValidator, ValidationError, WithJsonSchema, create_model

from sim.parameters import InputError, Parameter, Value, near_miss, register, shorten
from sim.record import About, Observed, Troops
from sim.scenario import MOST_DAYS, STRICT, Answer, Change, Scenario, StateThen, check_whole
from sim.shocks import AnyShock

MOST_BYTES = 200_000
MOST_EXTENDS = 10
MOST_ROWS = 200
# The classes of shocks, from the union that files are checked by.
_KINDS: tuple[Any, ...] = get_args(get_args(AnyShock)[0])
# The classes of other rows and tables that do not come from the register.
_ROWS: dict[str, type[BaseModel]] = {
    "answers": Answer,
    "states": StateThen,
    "case": About,
    "observed": Observed,
    "troops": Troops,
}


class Spread(BaseModel):
    """A new value with a new range to draw it from."""

    model_config = STRICT
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
    return create_model(f"Table_{name}", __config__=STRICT, **fields)


@cache
def file_model() -> type[BaseModel]:
    """The Pydantic model of a scenario file, made from the register."""
    levers = {entry.field: entry for entry in register().values() if entry.kind == "lever"}
    others = {entry.field: entry for entry in register().values() if entry.kind != "lever"}
    assumed: dict[str, Any] = {
        key: (_checked(e, e.kind == "uncertainty"), Field(None, alias=e.name)) for key, e in others.items()
    }
    assumptions: Any = create_model("Assumptions", __config__=STRICT, **assumed)
    cited: dict[str, Any] = {
        e.field: (Annotated[str, Field(min_length=1, max_length=1000)] | None, Field(None, alias=name))
        for name, e in register().items()
    }
    sources: Any = create_model("Sources", __config__=STRICT, __doc__="Where values set here come from.", **cited)
    moved: dict[str, Any] = {key: (_checked(e), Field(None, alias=e.name)) for key, e in levers.items()}
    change: Any = create_model(
        "Change",
        __config__=STRICT,
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
        "sources": (sources | None, None),
        "changes": (Annotated[list[change], Field(max_length=MOST_ROWS)], []),
        "shocks": (Annotated[list[AnyShock], Field(max_length=MOST_ROWS)], []),
        "answers": (Annotated[list[Answer], Field(max_length=MOST_ROWS)], []),
        "states": (
            Annotated[list[StateThen], Field(max_length=MOST_ROWS)],
            Field([], description="Covariates of states on the scenario's date, instead of those of seeds/states.csv."),
        ),
        # The record of a case: checked like the rest, and read by no simulation.
        "case": (About | None, None),
        "observed": (Annotated[list[Observed], Field(max_length=MOST_ROWS)], []),
        "troops": (Annotated[list[Troops], Field(max_length=MOST_ROWS)], []),
    }
    return create_model("Scenario", __config__=STRICT, **fields)


def load(path: Path | str) -> Scenario:
    """Read, extend and check a scenario file; raises InputError in one paragraph for anything wrong."""
    return load_with_record(path)[0]


def load_with_record(path: Path | str) -> tuple[Scenario, Any]:
    """The scenario of a file, and its checked document, in which `case`, `observed` and `troops` stand."""
    path = Path(path)
    table = _extended(path, ())
    try:
        document = file_model().model_validate(table)
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error)}") from None
    return _scenario(path.stem, document, str(path)), document


def parse(text: str, name: str) -> Scenario:
    """Check a scenario held as text; it cannot extend a file."""
    return of_document(toml_table(text, name), name, name)


def of_document(table: Mapping[str, Any], name: str, where: str) -> Scenario:
    """Check a scenario held as a plain document that extends nothing; `where` is where it stood, for errors."""
    if "extends" in table:
        raise InputError(f"{where}: extends needs a file beside this one; put everything in one document")
    try:
        document = file_model().model_validate(table)
    except ValidationError as error:
        raise InputError(f"{where}: {first_error(error)}") from None
    return _scenario(name, document, where)


def _scenario(name: str, document: Any, where: str) -> Scenario:
    """The scenario that a checked document describes, if all of it fits together."""
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
    cited = document.sources.model_dump(exclude_none=True, by_alias=True) if document.sources else {}
    for cause in cited:
        if cause not in values:
            raise InputError(f"{where}: sources names {cause}, which has no value here to be the source of")
    scenario = Scenario(
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
        sources=cited,
        states=tuple(document.states),
    )
    check_whole(scenario, where)
    return scenario


def _looked_up(document: Any, entry: Parameter) -> Any:
    """The value that a document gives a parameter, or None."""
    if entry.kind != "lever":
        return getattr(document.assumptions, entry.field, None)
    branch = document
    for part in entry.name.split("."):
        branch = getattr(branch, part, None)
    return branch


def read(path: Path, what: str = "scenario", most_bytes: int = MOST_BYTES) -> str:
    """The text of a TOML file, if it can be one; `what` is what it holds, for errors."""
    try:
        if not path.is_file():
            known = [found.name for found in path.parent.glob("*.toml")] if path.parent.is_dir() else []
            raise InputError(f"{path}: there is no such file{near_miss(path.name, known)}")
        if (size := path.stat().st_size) > most_bytes:
            raise InputError(f"{path}: the file has {size:,} bytes; a {what} has at most {most_bytes:,}")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8 text; a {what} is a TOML file in UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def toml_table(text: str, where: str) -> dict[str, Any]:
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
    table = toml_table(read(path), str(path))
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


def first_error(error: ValidationError, suggest: Callable[[Sequence[int | str]], str] | None = None) -> str:
    """The first thing wrong in a document, with its key, value and near miss; how many more there are.

    Parameters
    ----------
    suggest
        Gives a hint for the location of an unknown key; by default those of scenario files.
    """
    problems = error.errors(include_url=False)
    problem = problems[0]
    key = _key(problem["loc"])
    found = problem.get("input")
    kind = problem["type"]
    if kind == "extra_forbidden":
        told = f"unknown key {key}{(suggest or _suggestion)(problem['loc'])}"
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
    if loc[0] in ("shocks", "sources", *_ROWS):
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
    if loc[0] == "sources":
        return list(register())
    if loc[0] in _ROWS:
        return list(_ROWS[str(loc[0])].model_fields)
    prefix = ".".join(str(step) for step in loc[:-1]) + "."
    names = [name.removeprefix(prefix).split(".")[0] for name in register() if name.startswith(prefix)]
    return names or ["schema", *file_model().model_fields]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files."""
    return file_model().model_json_schema(by_alias=True)


def listed(folder: Path) -> list[Path]:
    """The scenario files of a folder, the baseline first."""
    return sorted(folder.glob("*.toml"), key=lambda path: (path.stem != "baseline", path.stem))
