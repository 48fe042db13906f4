"""The document: one scenario, its seed and its number of runs. Everything else on a page is a view of it.

`Desk` is what one visitor has in front of him, as plain values that are replaced and never changed; below it stand the
functions that keep a desk in the session. Callbacks of controls call those, and what they refuse is told on the page.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from sim import compiled
from sim.pages.words import word
from sim.parameters import SEEDS, InputError, Parameter, Value, parameter, register
from sim.scenario import Scenario, check_whole
from sim.scenario_files import MOST_BYTES, listed, load, parse
from sim.setting import setting_of
from sim.sharing import Shared, link_of, read_link
from sim.world import World, load_world

FOLDER = SEEDS.parent / "scenarios"
BASELINE = "baseline"
# Without compiled code a run takes some seventy times as long.
RUNS, FEW_RUNS = 1000, 50
MOST_UNDO = 50
CHANGED = " (changed)"


# --- Without Streamlit


@dataclass(frozen=True)
class Sheet:
    """What is worked on, and the scenario from which it was changed: a control moved back there leaves no trace."""

    now: Shared
    base: Scenario


@dataclass(frozen=True)
class Desk:
    """One visitor's documents.

    sheet
        The document that pages show.
    mine
        The scenario last chosen, opened from a link or uploaded: what *my scenario* means.
    past, future
        What undo and redo give, the nearest last.
    pinned
        The document to compare with, if one was pinned.
    """

    sheet: Sheet
    mine: Shared
    past: tuple[Sheet, ...] = ()
    future: tuple[Sheet, ...] = ()
    pinned: Shared | None = None

    def turned(self, sheet: Sheet) -> "Desk":
        """Another sheet on top; undo brings this one back."""
        if sheet == self.sheet:
            return self
        return replace(self, sheet=sheet, past=(*self.past, self.sheet)[-MOST_UNDO:], future=())

    def opened(self, shared: Shared) -> "Desk":
        """A scenario that is now *mine*."""
        return replace(self.turned(Sheet(shared, shared.scenario)), mine=shared)

    def undone(self) -> "Desk":
        """One step back, if there is one."""
        if not self.past:
            return self
        return replace(self, sheet=self.past[-1], past=self.past[:-1], future=(*self.future, self.sheet))

    def redone(self) -> "Desk":
        """One step forward again, if there is one."""
        if not self.future:
            return self
        return replace(self, sheet=self.future[-1], future=self.future[:-1], past=(*self.past, self.sheet))


@dataclass(frozen=True)
class Difference:
    """One thing in which a scenario differs from another: its name, in words, here and there, and its register entry."""

    what: str
    label: str
    here: str
    there: str
    entry: Parameter | None


def same(a: Value, b: Value) -> bool:
    """Whether two values are one, for numbers as far as a slider can tell."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    both = isinstance(a, int | float) and isinstance(b, int | float)
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) if both else a == b  # type: ignore[arg-type]


def moved(sheet: Sheet, values: Mapping[str, Value]) -> Scenario:
    """The scenario with some values replaced; where a value is the base's again, it is as uncertain as there.

    Raises
    ------
    InputError
        For a value that is not allowed, or values that contradict each other.
    """
    now = sheet.now.scenario
    for name, value in values.items():
        parameter(name).check(value)
        if same(value, sheet.base.value(name)):
            now = _with_entry_of(now, name, sheet.base)
        else:
            now = _without(now, name)
            now = replace(now, values={**now.values, name: value})
    return _titled(now, sheet.base)


def taken(sheet: Sheet, what: str, other: Scenario) -> Scenario:
    """The scenario with one thing as another has it: a parameter with its range, or start, days, changes, shocks, answers."""
    now = sheet.now.scenario
    now = _with_entry_of(now, what, other) if what in register() else replace(now, **{what: getattr(other, what)})
    return _titled(now, sheet.base)


# What a scenario says of a parameter: its value, a range to draw it from, and where the value comes from.
_TABLES = ("values", "ranges", "sources")


def _without(now: Scenario, name: str) -> Scenario:
    """The scenario with one parameter left to the register."""
    tables: dict[str, Any] = {
        table: {key: said for key, said in getattr(now, table).items() if key != name} for table in _TABLES
    }
    return replace(now, **tables)


def _with_entry_of(now: Scenario, name: str, other: Scenario) -> Scenario:
    """The scenario with one parameter as another has it: set, with a range, or left to the register."""
    now = _without(now, name)
    tables: dict[str, Any] = {
        table: {**getattr(now, table), name: getattr(other, table)[name]}
        for table in _TABLES
        if name in getattr(other, table)
    }
    return replace(now, **tables)


def _titled(now: Scenario, base: Scenario) -> Scenario:
    """A changed scenario under the name and title of what it was changed from, with a word that says so."""
    if now.digest == base.digest:
        return base
    check_whole(now, "these settings")
    title = base.title.removesuffix(CHANGED)[: 200 - len(CHANGED)] + CHANGED
    return replace(now, name=f"{base.name.removesuffix('-changed')[:80]}-changed", title=title)


def differences(here: Scenario, there: Scenario) -> list[Difference]:
    """In what two scenarios differ, in the order of the register."""
    rows = []
    for what, mine, theirs in here.differences(there):
        entry = register().get(what)
        held = [
            " in every run"
            if entry and entry.kind == "uncertainty" and what in of.values and what not in of.ranges
            else ""
            for of in (here, there)
        ]
        if entry:
            mine, theirs = word(here.value(what)), word(there.value(what))
        # Equal values: what differs is whether it is drawn.
        if mine == theirs and held[0] == held[1]:
            mine, theirs = (f"{value} ({_range_of(of, what)})" for value, of in ((mine, here), (theirs, there)))
        rows.append(Difference(what, entry.label if entry else what, mine + held[0], theirs, entry))
    return rows


def _range_of(scenario: Scenario, name: str) -> str:
    ends = scenario.ranges.get(name)
    return "the register's range" if ends is None else f"{ends[0]:g} to {ends[1]:g}"


def presets() -> tuple[dict[str, Scenario], list[str]]:
    """The scenario files by name, the baseline first, and what was wrong with those that could not be read."""
    paths = listed(FOLDER)
    return _presets(FOLDER, tuple((path.name, path.stat().st_mtime_ns) for path in paths))


@cache
def _presets(folder: Path, stamps: tuple[tuple[str, int], ...]) -> tuple[dict[str, Scenario], list[str]]:
    found, refused = {}, []
    for name, _ in stamps:
        try:
            found[Path(name).stem] = load(folder / name)
        except InputError as error:
            refused.append(str(error).replace(f"{folder.parent}/", ""))
    return found, refused


def baseline() -> Scenario:
    """The scenario to compare with: the file of that name, or else the register's defaults under no policy at all."""
    return presets()[0].get(BASELINE) or Scenario(BASELINE, "The register's defaults", "What do the defaults give?")


def usual_runs() -> int:
    """How many runs stand behind a page unless somebody says otherwise."""
    return RUNS if compiled.unavailable() is None else FEW_RUNS


def read_file(name: str, content: bytes) -> Scenario:
    """An uploaded scenario file; raises InputError with what is wrong in it."""
    if len(content) > MOST_BYTES:
        raise InputError(f"{name}: the file has {len(content):,} bytes; a scenario has at most {MOST_BYTES:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: byte {error.start} is not UTF-8 text; a scenario is a TOML file in UTF-8") from None
    stem = "".join(letter for letter in Path(name).stem if letter.isprintable() and letter not in '/\\:"')[:80]
    return parse(text, stem.lstrip(".") or "uploaded")


# --- In the session


def desk() -> Desk:
    """The visitor's desk; on the first call of a session what the link holds lies on it, or the baseline."""
    if "desk" not in st.session_state:
        usual = Shared(baseline(), 1, usual_runs())
        st.session_state["desk"] = Desk(Sheet(usual, usual.scenario), usual)
        if link := st.query_params.get("s"):
            open_link(link)
            # What came first stays reachable by undo only if the link could be read.
            st.session_state["desk"] = replace(desk(), past=())
    found: Desk = st.session_state["desk"]
    return found


def current() -> Shared:
    """The document that pages show: `.scenario`, `.seed`, `.runs`."""
    return desk().sheet.now


def change(
    values: Mapping[str, Value] | Scenario | None = None, *, seed: int | None = None, runs: int | None = None
) -> bool:
    """Change the document in one step that undo takes back; False, and told on the page, if that is not allowed.

    Parameters
    ----------
    values
        Register values by dotted name, or a whole scenario in place of the present one.
    """
    on = desk().sheet
    try:
        scenario = values if isinstance(values, Scenario) else moved(on, values or {})
    except InputError as error:
        tell("error", str(error))
        return False
    now = Shared(scenario, on.now.seed if seed is None else seed, on.now.runs if runs is None else runs)
    base = scenario if isinstance(values, Scenario) else on.base
    st.session_state["desk"] = desk().turned(Sheet(now, base))
    return True


def take(what: str, other: Scenario) -> None:
    """Make one difference vanish: what another scenario has, this one has now."""
    on = desk().sheet
    try:
        st.session_state["desk"] = desk().turned(replace(on, now=replace(on.now, scenario=taken(on, what, other))))
    except InputError as error:
        tell("error", str(error))


def open_scenario(scenario: Scenario, seed: int | None = None, runs: int | None = None) -> None:
    """Open a scenario: from now on it is *my scenario*."""
    now = current()
    st.session_state["desk"] = desk().opened(
        Shared(scenario, now.seed if seed is None else seed, now.runs if runs is None else runs)
    )


def open_link(link: str) -> None:
    """Open what a link holds; if it holds nothing that can be read, say so and leave everything as it is."""
    try:
        found = read_link(link)
    except InputError as error:
        tell("error", f"Nothing was loaded: {error}")
        return
    open_scenario(found.scenario, found.seed, found.runs)
    for note in found.notes:
        tell("warning", note)


def open_file(name: str, content: bytes) -> None:
    """Open an uploaded file; if it is no scenario, say so and leave everything as it is."""
    try:
        open_scenario(read_file(name, content))
    except InputError as error:
        tell("error", f"Nothing was loaded: {error}")


def undo() -> None:
    """One step back."""
    st.session_state["desk"] = desk().undone()


def redo() -> None:
    """One step forward."""
    st.session_state["desk"] = desk().redone()


def reset_to_baseline() -> None:
    """The baseline, with the seed and the runs that are set."""
    scenario = baseline()
    st.session_state["desk"] = desk().turned(Sheet(replace(current(), scenario=scenario), scenario))


def reset_to_mine() -> None:
    """The scenario last chosen, opened or uploaded, as it was then."""
    mine = desk().mine
    st.session_state["desk"] = desk().turned(Sheet(mine, mine.scenario))


def pin(shared: Shared | None) -> None:
    """Keep a document as A to compare with; None takes it away."""
    st.session_state["desk"] = replace(desk(), pinned=shared)


def link() -> str | None:
    """The value of `?s=` for the document, or None if it is too long for a link."""
    try:
        return _link_of(current())
    except InputError:
        return None


def _link_of(shared: Shared) -> str:
    """The last link made is kept, for every page asks for it on every run."""
    kept: tuple[Shared, str] | None = st.session_state.get("link")
    if kept is None or kept[0] is not shared:
        kept = st.session_state["link"] = (shared, link_of(shared))
    return kept[1]


def in_address() -> None:
    """Put the document into the address, so that a reload or a lost connection brings it back."""
    is_usual = current() == Shared(baseline(), 1, usual_runs())
    wanted = None if is_usual else link()
    if st.query_params.get("s") != wanted:
        if wanted is None:
            st.query_params.pop("s", None)
        else:
            st.query_params["s"] = wanted


def tell(kind: str, text: str) -> None:
    """Have something said at the head of the page on its next run; kind is "error", "warning", "info" or "success"."""
    st.session_state.setdefault("told", []).append((kind, text))


def told() -> list[tuple[str, str]]:
    """What is to be said now, once."""
    found: list[tuple[str, str]] = st.session_state.pop("told", [])
    return found


def world() -> World:
    """The 54 jurisdictions as the document's requester sees them."""
    return load_world(str(current().scenario.value("request.party")))


def number(name: str) -> int:
    """A whole number of the document's scenario."""
    return int(current().scenario.value(name))  # type: ignore[arg-type]


def states_meant(name: str) -> list[str]:
    """The postal codes that a lever's word names in the document: all where the word depends on answers."""
    now = current()
    at = now.scenario.value(name)
    asked = at if at in parameter("request.asked").choices else "all"
    probe = replace(now.scenario, values={**now.scenario.values, "request.asked": asked})
    is_meant = setting_of(probe, now.seed, None).levers[0].asked
    return [state.code for state, meant in zip(world().states, is_meant, strict=True) if meant]


def state() -> str | None:
    """The postal code of the state that the visitor has selected, on whichever page."""
    found: str | None = st.session_state.get("selected")
    return found


def select(code: str | None) -> None:
    """Select a state for all pages."""
    st.session_state["selected"] = code
