"""Share links: a whole scenario with its seed and number of runs in one word that fits into an address.

A link is "1." (the format) and base64url of zlib of canonical JSON: the scenario as a document that extends nothing, its
name, seed, runs, and the model's version. What it does not name has the register's default, so `seeds/versions.json` keeps
the defaults of every version, and a link from another one is told what has moved since. Whatever is in a link is
checked by the code that checks scenario files; zlib's checksum finds letters that were lost or changed.
"""

import base64
import binascii
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from sim.parameters import SEEDS, InputError, Value, model_version, register, shorten
from sim.scenario import Scenario
from sim.scenario_files import of_document

FORMAT = "1."
# Servers and browsers take addresses at least this long.
MOST_CHARACTERS = 16_000
MOST_BYTES = 200_000
MOST_DEPTH = 12
MOST_RUNS = 10_000
MOST_SEED = 2**64 - 1
KEYS = ("model", "name", "runs", "scenario", "seed")
WHERE = "the link"


@dataclass(frozen=True)
class Shared:
    """What a link holds: a scenario, the seed of all luck and draws, and how many runs."""

    scenario: Scenario
    seed: int = 1
    runs: int = 1000


@dataclass(frozen=True)
class Opened:
    """What was read from a link: `model` is the version that made it, `notes` say what has moved since (plain text)."""

    scenario: Scenario
    seed: int
    runs: int
    model: str
    notes: tuple[str, ...] = ()


def link_of(shared: Shared) -> str:
    """The value of `?s=` for a scenario; raises InputError for one too long to be a link, or whose name is a path."""
    payload = {
        "model": model_version(),
        "name": _name(shared.scenario.name),
        "runs": _whole("runs", shared.runs, 1, MOST_RUNS),
        "scenario": shared.scenario.document(),
        "seed": _whole("seed", shared.seed, 0, MOST_SEED),
    }
    text = packed(payload)
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"{WHERE} would have {len(text):,} characters, more than {MOST_CHARACTERS:,}: share the scenario file instead"
        )
    return text


def read_link(text: str) -> Opened:
    """What a link says.

    Raises
    ------
    InputError
        For anything that is not a whole, unaltered link to a valid scenario; nothing else is ever raised.
    """
    payload = unpacked(text)
    if not isinstance(payload, dict) or sorted(payload) != list(KEYS):
        raise InputError(f"{WHERE} holds no scenario: it must name {', '.join(KEYS)} and nothing else")
    name = _name(payload["name"])
    runs = _whole("runs", payload["runs"], 1, MOST_RUNS)
    seed = _whole("seed", payload["seed"], 0, MOST_SEED)
    scenario, model, notes = revived(payload["scenario"], name, payload["model"], WHERE)
    return Opened(scenario, seed, runs, model, notes)


def packed(payload: Any) -> str:
    """A plain object as a link."""
    return FORMAT + _letters(zlib.compress(_canonical(payload).encode(), 9))


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpacked(text: str) -> Any:
    """The plain object that a link holds, whatever it is; raises InputError if the link is broken, too large or too deep."""
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"{WHERE} has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    prefix = re.match(r"(\d{1,4}\.)?", text)
    if not prefix or not prefix.group():
        raise InputError(f"{WHERE} must begin with {FORMAT!r}, found {shorten(text[:20])}")
    if prefix.group() != FORMAT:
        raise InputError(f"{WHERE} is of format {prefix.group()[:-1]}; this version reads format {FORMAT[:-1]}")
    return _parsed(_inflated(text.removeprefix(FORMAT)))


def _inflated(text: str) -> str:
    """The text inside a link, never more than MOST_BYTES of it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text, re.ASCII):
        raise InputError(f"{WHERE} may hold letters, digits, - and _ only after {FORMAT!r}")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        inflater = zlib.decompressobj()
        found = inflater.decompress(data, MOST_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise InputError(f"{WHERE} is damaged or cut off: letters are missing or were changed") from None
    if len(found) > MOST_BYTES:
        raise InputError(f"{WHERE} unpacks to more than {MOST_BYTES:,} bytes, so it holds no scenario")
    if not inflater.eof:
        raise InputError(f"{WHERE} is cut off: letters are missing at its end")
    # The last letter has bits to spare.
    if inflater.unused_data or _letters(data) != text:
        raise InputError(f"{WHERE} goes on after its end")
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{WHERE} does not hold text") from None


def parsed_json(text: str, where: str) -> Any:
    """JSON from somewhere else: numbers are finite, nothing is nested deeply; raises InputError otherwise."""
    too_deep = f"{where} is nested too deeply to be a scenario"
    try:
        payload = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except OverflowError as error:
        raise InputError(f"{where} holds {error}, which is not a finite number") from None
    except RecursionError:
        raise InputError(too_deep) from None
    except ValueError:
        # Not JSON, or a number of many thousand digits.
        raise InputError(f"{where} does not hold a scenario in a form that can be read") from None
    if _depth(payload) > MOST_DEPTH:
        raise InputError(too_deep)
    return payload


def _parsed(text: str) -> Any:
    """JSON in the one form that `packed` writes, with no key twice."""
    payload = parsed_json(text, WHERE)
    if _canonical(payload) != text:
        raise InputError(f"{WHERE} was not written by this simulator: it is not in its one form")
    return payload


def _canonical(payload: Any) -> str:
    return json.dumps(
        payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=date.isoformat
    )


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise OverflowError(shorten(word))
    return number


def _depth(payload: Any) -> int:
    """How deeply lists and tables stand in each other, without a stack of calls."""
    level, depth = [payload], 0
    while level := [inner for outer in level for inner in _inside(outer)]:
        depth += 1
        if depth > MOST_DEPTH:
            break
    return depth


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _name(value: Any) -> str:
    """A scenario's name: words, never a path."""
    if not isinstance(value, str) or not 0 < len(value) <= 100 or not value.isprintable():
        raise InputError(f"{WHERE}: name = {shorten(value)} must be 1 to 100 printable characters")
    if value[0] == "." or re.search(r"[/\\:]", value):
        raise InputError(f"{WHERE}: name = {shorten(value)} must be a name and not a path")
    return value


def _whole(key: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{WHERE}: {key} = {shorten(value)} must be a whole number in {low}..{high}")
    return value


# --- Links and codes from another version of the model


@dataclass(frozen=True)
class Version:
    """What one version of the model was: the default of every parameter, and the documents of its scenario files."""

    defaults: dict[str, Value]
    scenarios: dict[str, dict[str, Any]]


@cache
def versions() -> dict[str, Version]:
    """Every version of the model that was ever published, this one included, by its number."""
    found = json.loads((SEEDS / "versions.json").read_text(encoding="utf-8"))
    return {number: Version(**kept) for number, kept in found.items()}


def revived(document: Any, name: str, model: Any, where: str) -> tuple[Scenario, str, tuple[str, ...]]:
    """A scenario from a document that some version of the model wrote.

    Under another version a lever that the document leaves at its default keeps the default of then, since it is part of
    the question; other defaults are those of now. A parameter that is gone is left out. Both are told.

    Returns
    -------
    The scenario, the version that made it, and what has moved since, line by line.

    Raises
    ------
    InputError
        If it is no valid scenario, or a value is no longer allowed.
    """
    if not isinstance(model, str) or not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", model, re.ASCII):
        raise InputError(f"{where}: model = {shorten(model)} must be a version such as {model_version()!r}")
    if not isinstance(document, dict):
        raise InputError(f"{where}: scenario = {shorten(document)} must be a table")
    document = json.loads(_canonical(document))
    if isinstance(start := document.get("start"), str) and re.fullmatch(r"\d{4}-\d\d-\d\d", start, re.ASCII):
        try:
            document["start"] = date.fromisoformat(start)
        except ValueError:
            raise InputError(f"{where}: start = {start!r} is not a date") from None
    if model == model_version():
        return of_document(document, name, where), model, ()
    known = versions().get(model)
    then = known.defaults if known else None
    gone = [_told_as_gone(*found) for found in _taken_out(document, then)]
    scenario = of_document(document, name, f"{where} (made with model {model}, this is {model_version()})")
    kept, moved = _moved(scenario, then)
    if kept:
        scenario = of_document(replace(scenario, values={**scenario.values, **kept}).document(), name, where)
    notes = [
        f"Made with model {model}; this is model {model_version()}, so the same scenario may give other results.",
        *gone,
        *moved,
    ]
    return scenario, model, tuple(notes)


def _taken_out(document: dict[str, Any], then: dict[str, Value] | None) -> Iterator[tuple[str, Any]]:
    """Take out of a document the parameters that another version had and this one has not."""
    levers = {key: table for key, table in document.items() if key not in ("assumptions", "sources")}
    tables = [("", document.get("assumptions")), *(("", row) for row in _inside(document.get("changes"))), ("", levers)]
    while tables:
        prefix, table = tables.pop(0)
        if not isinstance(table, dict):
            continue
        for key in list(table):
            name = prefix + key
            # A version that nobody here knows may have had any parameter with a dotted name.
            was_there = name in then if then is not None else "." in name and not isinstance(table[key], dict)
            if was_there and name not in register():
                yield name, table.pop(key)
            elif isinstance(table[key], dict):
                tables.append((f"{name}.", table[key]))
    if isinstance(sources := document.get("sources"), dict):
        document["sources"] = {name: text for name, text in sources.items() if name in register()}
    # A table of levers that are all gone is no table of this version.
    for key in [key for key, table in document.items() if table == {}]:
        del document[key]


def _told_as_gone(name: str, value: Any) -> str:
    return f"{name} = {shorten(value)} is left out: the model has no such parameter any more."


def _moved(scenario: Scenario, then: dict[str, Value] | None) -> tuple[dict[str, Value], list[str]]:
    """Lever defaults of then to be kept, and what is to be told of defaults that moved or came since."""
    if then is None:
        return {}, ["This copy does not know that version, so it cannot say which defaults have moved."]
    kept: dict[str, Value] = {}
    lines = []
    for name, entry in register().items():
        if name in scenario.values or then.get(name) == entry.value:
            continue
        if name not in then:
            lines.append(f"{name} is new since then ({entry.label}); it has its default, {entry.value}.")
        elif entry.kind == "lever":
            kept[name] = entry.check(then[name])
            lines.append(f"{name} keeps its default of then, {then[name]}; today's is {entry.value}.")
        else:
            lines.append(f"{name} has today's default, {entry.value}; then it was {then[name]}.")
    return kept, lines
