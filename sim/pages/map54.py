"""The map of 54: what each state says, day by day, as outlines or as equal squares.

The map itself is sent once: its outlines are in its script, and Streamlit sends an element of this size again by its hash alone.
What the runs say is fed to it by a second component that shows nothing. Day, view and layout then move in the browser.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from sim.pages import document
from sim.parameters import SEEDS
from sim.plots import ANSWERS
from sim.results import ACCEPTED, LIMITED, SENDING, STATUSES
from sim.summary import Summary
from sim.world import load_world

HERE = Path(__file__).resolve().parent
DIGITS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
AGREEING, SENT = (ACCEPTED, LIMITED), (SENDING,)
# By status: its series, which has a colour and a pattern in plots, and its letter.
LOOKS = (
    ("not_asked", "·"),
    ("undecided", "u"),
    ("agreeing", "A"),
    ("with_limits", "L"),
    ("declined", "D"),
    ("no_answer", "N"),
    ("withdrawn", "W"),
    ("federalized", "F"),
    ("agreeing", "S"),
)
HTML = """
<div class="map54">
  <fieldset><legend>What is shown</legend>
    <label><input type="radio" data-part="share" checked> Share of runs agreeing</label>
    <label><input type="radio" data-part="run"> Status in <span data-part="runName">one run</span></label>
  </fieldset>
  <fieldset data-part="layouts"><legend>Layout</legend>
    <label><input type="radio" data-part="geographic" checked> Map</label>
    <label><input type="radio" data-part="squares"> Equal squares</label>
  </fieldset>
  <svg class="states" data-part="svg" role="listbox" aria-label="States"></svg>
  <div class="days">
    <button type="button" data-part="play">Play</button>
    <input type="range" data-part="day" min="0" max="1" value="1" step="1" aria-label="Day of the map">
    <span class="when" data-part="when"></span>
  </div>
  <p class="said" data-part="said"></p>
  <div class="key" data-part="shareKey">
    <span>0 <span class="ramp"></span> 100 % of runs</span><span>The number is the share.</span>
    <span><span class="dashed"></span> no governor to ask: sent by the President</span>
  </div>
  <div class="key" data-part="runKey" hidden></div>
</div>
"""
FEED = """
export default function ({ data }) {
  const feeds = (globalThis.guardMapFeeds ??= new EventTarget());
  feeds.latest = data;
  feeds.dispatchEvent(new Event("fed"));
}
"""


def _script() -> str:
    """The script of the map with outlines, squares and looks in it."""
    outlines = json.loads((SEEDS / "outlines.json").read_text(encoding="utf-8"))
    looks = [
        {"words": words, "letter": letter, "colour": ANSWERS[series][0], "pattern": ANSWERS[series][1]}
        for words, (series, letter) in zip(STATUSES, LOOKS, strict=True)
    ]
    world = load_world()
    parts = {
        "unit": outlines["unit"],
        "frame": outlines["frame"],
        "states": outlines["states"],
        "looks": looks,
        "codes": world.codes,
        "names": [state.name for state in world.states],
        "governed": [state.has_governor for state in world.states],
    }
    return f"const MAP = {json.dumps(parts, separators=(',', ':'))};\n{(HERE / 'map54.js').read_text(encoding='utf-8')}"


_map = st.components.v2.component(
    "guard_map", html=HTML, css=(HERE / "map54.css").read_text(encoding="utf-8"), js=_script()
)
_feed = st.components.v2.component("guard_map_feed", js=FEED)


def show(of: Summary, statuses: NDArray[np.int8], run: int) -> None:
    """The map and, below it, its fallback for those who choose from a list.

    Parameters
    ----------
    of
        The result whose shares are shown.
    statuses
        Status of each state on each day of one run, shape (n_days, n_states).
    run
        The number of that run.
    """
    _map(key="map54", on_picked_change=_picked)
    _feed(key="map54/feed", data=fed(of, statuses, run, document.state()))


def fed(of: Summary, statuses: NDArray[np.int8], run: int, selected: str | None) -> dict[str, Any]:
    """What the map is told of each state: one letter a day for its share, and for one run its status when it changes.

    A change is a digit for the status and, in base 36, three letters for the day from which it holds.
    """
    return {
        "share": ["".join(DIGITS[row]) for row in np.rint(63 * shares(of)).astype(int).T],
        "statuses": ["".join(_changes(row)) for row in statuses.T],
        "start": of.scenario.start.isoformat(),
        "run": run,
        "selected": selected,
    }


def _changes(row: NDArray[np.int8]) -> list[str]:
    """Where a status changes, the first day included."""
    at = np.flatnonzero(np.diff(row, prepend=-1))
    return [f"{row[day]}{np.base_repr(int(day), 36).rjust(3, '0')}" for day in at]


def shares(of: Summary) -> NDArray[np.float64]:
    """Share of runs in which each state agrees, and in which DC is sent, by day; shape (n_days, n_states)."""
    governed = np.array([state.has_governor for state in load_world().states])
    return np.where(governed, of.share(AGREEING), of.share(SENT))


def _picked() -> None:
    """A state was clicked, or chosen by Enter or Space."""
    code = st.session_state["map54"]["picked"]
    if code in load_world().codes:
        document.select(code)


def columns(of: Summary, days: Sequence[int]) -> dict[str, list[Any]]:
    """The shares as a table: a row for each state, a column for each of some days, in percent."""
    found = shares(of)
    table: dict[str, list[Any]] = {"state": [f"{state.name} ({state.code})" for state in load_world().states]}
    for day in days:
        table[f"day {day}, %"] = [round(100 * float(share)) for share in found[day]]
    return table
