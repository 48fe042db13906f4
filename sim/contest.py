"""How a value is contested: a counter-value with a citation becomes a scenario, which anybody can run against the baseline.

The register stays as it is: whoever doubts one of its values says which, what it should be and why, and the answer is what
that changes under the same luck.
"""

from dataclasses import replace
from datetime import date

import tomli_w

from sim.parameters import InputError, Parameter, Value, parameter, shorten
from sim.scenario import Scenario
from sim.scenario_files import of_document

MOST_WORDS = 600


def contested(
    base: Scenario,
    name: str,
    value: Value,
    source: str,
    *,
    ends: tuple[float, float] | None = None,
    by: str = "",
    on: date | None = None,
) -> Scenario:
    """A scenario with one value replaced, its source beside it.

    Parameters
    ----------
    base
        The scenario whose value is contested.
    source
        Where the counter-value comes from: a citation, one line.
    ends
        (low, high) between which an uncertainty is still drawn, around the value; without them it is held in every run.
    by, on
        Who contests it, and when.

    Raises
    ------
    InputError
        If the register does not allow the value, the ends do not rise around it, nothing would change, or there is no source.
    """
    entry = parameter(name)
    if ends is not None and entry.kind != "uncertainty":
        raise InputError(f"{name} is a {entry.kind} and never drawn, so it takes a value and no range")
    # An uncertainty that is left to the register is drawn: to hold it at its default is a change too.
    is_held = entry.kind != "uncertainty" or name in base.values
    if is_held and (base.value(name), base.ranges.get(name)) == (value, ends):
        raise InputError(f"{name} = {shorten(value)} is what {base.name} has already, so nothing is contested")
    cited = _line("source", source)
    if cited.lower() in ("", "assumption"):
        raise InputError(
            'a counter-value needs a source that others can look up: --source "Author (year), title, address"'
        )
    signed = ", ".join(part for part in (_line("by", by), on.isoformat() if on else "") if part)
    here, there = _told(value, ends, entry), _told(base.value(name), base.ranges.get(name), entry)
    changed = replace(
        base,
        name=f"{base.name}_contested"[:100],
        title=f"Contested: {entry.label.lower()}",
        question=f"What changes if the value of {entry.label!r} is {here} and not {there}?",
        values={**base.values, name: value},
        ranges={key: pair for key, pair in base.ranges.items() if key != name} | ({name: ends} if ends else {}),
        sources={**base.sources, name: f"{cited} (contested by {signed})" if signed else cited},
    )
    return of_document(changed.document(), changed.name, "the contested value")


def file_of(scenario: Scenario, name: str, extends: str) -> str:
    """The text of a scenario file that says only what is contested and extends another file beside it."""
    whole, entry = scenario.document(), parameter(name)
    document = {"schema": whole["schema"], "title": scenario.title, "question": scenario.question, "extends": extends}
    if entry.kind == "lever":
        *tables, last = name.split(".")
        branch = document
        for table in tables:
            branch[table] = {}
            branch = branch[table]
        branch[last] = scenario.values[name]
    else:
        document["assumptions"] = {name: whole["assumptions"][name]}
    document["sources"] = {name: scenario.sources[name]}
    return (
        f"# The register has {_told(entry.value, None, entry)}; its source: {entry.source}.\n{tomli_w.dumps(document)}"
    )


def _line(key: str, text: str) -> str:
    """Words of somebody as one line."""
    line = " ".join(text.split())
    if len(line) > MOST_WORDS or not line.isprintable():
        raise InputError(f"{key} = {shorten(text)} must be at most {MOST_WORDS} printable characters")
    return line


def _told(value: Value, ends: tuple[float, float] | None, entry: Parameter) -> str:
    """A value with its unit and range in words."""
    text = (
        str(value).lower() if isinstance(value, bool) else ", ".join(value) if isinstance(value, list) else str(value)
    )
    unit = f" {entry.unit}" if entry.unit and not isinstance(value, str | bool | list) else ""
    return f"{text}{unit}" + (f" ({ends[0]:g} to {ends[1]:g})" if ends else "")
