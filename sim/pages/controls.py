"""Controls: from any entry of the register one control, whose value is the document's and whose words are the register's.

What can be set is not decided here: labels, ranges, units, choices, help and sources come from `sim.parameters`. Here stands
only what is in sight first.
"""

import math
from typing import Any

import streamlit as st

from sim.pages import document
from sim.pages.words import plain, word
from sim.parameters import NEVER, Parameter, Value, parameter, register
from sim.scenario import Scenario

HEADLINE = [
    "request.target",
    "request.asked",
    "request.mode",
    "request.status",
    "request.deadline_days",
    "federalize.day",
]
# At most ten in each; all others are reached by name under "Any other".
GROUPS = {
    "Roles asked for": [name for name in register() if name.startswith("request.roles.")],
    "Governors": [
        "support.mission",
        "support.party",
        "support.vote",
        "support.pledge",
        "support.neighbors",
        "support.network",
        "decide.pace",
        "offer.base",
        "offer.reserve",
        "withdraw.base",
    ],
    "People": [
        "volunteers.basis",
        "volunteers.share",
        "volunteers.pace",
        "not_deployable",
        "mobilized",
        "training.seats",
        "mission.cross_state",
        "tour.days",
        "tour.reup",
        "attrition",
    ],
    "Shocks": [
        "disaster.rate",
        "disaster.size",
        "incident.random",
        "incident.rate",
        "incident.size",
        "court.clock",
        "court.state_law_days",
        "court.reach",
        "court.stay_chance",
        "law.reading",
    ],
}
ADVANCED = "Advanced: any other"
A_LIST = "a list of states"
GRIDS = [mantissa * 10.0**exponent for exponent in range(6, -7, -1) for mantissa in (5, 2, 1)]


def sidebar() -> None:
    """All controls in the sidebar: the headline levers in sight, the rest in groups that are filled when they are opened."""
    with st.sidebar:
        chooser()
        st.header("Levers")
        for name in HEADLINE:
            control(name)
        for heading, names in GROUPS.items():
            with st.expander(heading, key=f"group/{heading}", on_change="rerun") as group:
                if group.open:
                    for name in names:
                        control(name)
        with st.expander(ADVANCED, key=f"group/{ADVANCED}", on_change="rerun") as group:
            if group.open:
                others()


def chooser() -> None:
    """The scenario files; another is opened as soon as it is chosen."""
    found, refused = document.presets()
    for text in refused:
        document.tell("warning", f"Left out: {text}")
    base = document.desk().sheet.base
    _show("preset", next((name for name in found if found[name] == base), None))
    st.selectbox(
        "Scenario",
        list(found),
        format_func=lambda name: found[name].title,
        key="preset",
        placeholder="Opened from a file or link",
        on_change=_chosen,
    )


def _chosen() -> None:
    name = st.session_state["preset"]
    if name is not None:
        document.open_scenario(document.presets()[0][name])


def others() -> None:
    """Any entry of the register that has no place above, found by its label."""
    placed = {*HEADLINE, *(name for names in GROUPS.values() for name in names)}
    rest = [name for name in register() if name not in placed and not name.startswith("context.")]
    chosen = st.selectbox(
        "Find a value",
        rest,
        None,
        lambda name: f"{register()[name].label} ({name})",
        key="other",
        placeholder="Type a word",
    )
    if chosen:
        control(chosen)


def control(name: str, place: str = "") -> None:
    """The control of one parameter; moving it changes the document.

    Parameters
    ----------
    place
        Where on the page, if the same parameter has a second control there.
    """
    entry, now, base = parameter(name), document.current().scenario, document.desk().sheet.base
    at, key = now.value(name), f"control{place}/{name}"
    label, help_text = label_of(entry), told(entry, now)
    if isinstance(entry.value, bool):
        _show(key, at)
        st.toggle(label, key=key, help=help_text, on_change=_moved, args=(name, key))
    elif entry.or_never:
        _never_or(entry, at, key, label, help_text, now.days)
    elif entry.or_states:
        _choice_or_states(entry, at, key, label, help_text)
    elif entry.choices:
        _show(key, at)
        st.selectbox(
            label, entry.choices, format_func=word, key=key, help=help_text, on_change=_moved, args=(name, key)
        )
    else:
        low, high, step = span(entry, [number for number in (at, base.value(name)) if isinstance(number, int | float)])
        _slider(name, key, label, help_text, low, high, step, at)


def label_of(entry: Parameter) -> str:
    """Label and unit, and whether the value is an assumption."""
    unit = "" if entry.unit in entry.label.lower() else f", {entry.unit}"
    mark = " :gray-badge[assumption]" if entry.source == "assumption" else ""
    return f"{plain(entry.label + unit)}{mark}"


def told(entry: Parameter, scenario: Scenario) -> str:
    """What a control means, where its number comes from, and what moving it does."""
    is_held = entry.name in scenario.values and entry.name not in scenario.ranges
    drawn = "Here it stays uncertain: each run draws its own around this value. Moved, it is the same in every run."
    how = "" if entry.kind != "uncertainty" else "It is held at one value in every run." if is_held else drawn
    address = f" {entry.url}" if entry.url else ""
    return plain(f"{entry.help} {how} Source: {entry.source}.{address} ({entry.name})")


def span(entry: Parameter, at: list[float | int]) -> tuple[float, float, float]:
    """Ends and step of a slider: the plausible range, or further where a value lies beyond it."""
    ends = entry.range or entry.limits or (0.0, 1.0)
    low, high = min(*ends, *at), max(*ends, *at)
    if low == high:
        # A constant has no range of its own: then what is allowed is the range.
        low, high = entry.limits or (low, low + 1.0)
    return low, high, grid(low, at, high, entry.whole)


def grid(low: float, at: list[float | int], high: float, is_whole: bool) -> float:
    """The step of a slider: round, on both ends and on the values, and in about a hundred places at most."""
    fits = [
        step
        for step in GRIDS
        if all(document.same((end - low) / step, round((end - low) / step)) for end in (*at, high))
    ]
    fine = [step for step in fits if step <= (high - low) / 50 and (not is_whole or step >= 1)]
    return fine[0] if fine else 1 if is_whole else GRIDS[-1]


def _slider(name: str, key: str, label: str, help_text: str, low: float, high: float, step: float, at: Any) -> None:
    """A slider on whole numbers or on others, as the register says."""
    kind, form = (int, "%,d") if parameter(name).whole else (float, f"%.{max(0, -math.floor(math.log10(step)))}f")
    _show(key, kind(at))
    st.slider(
        label,
        kind(low),
        kind(high),
        step=kind(step),
        format=form,
        key=key,
        help=help_text,
        on_change=_moved,
        args=(name, key),
    )


def _never_or(entry: Parameter, at: Value, key: str, label: str, help_text: str, days: int) -> None:
    """A switch, and a day once it is on; the middle of the run is where it begins."""
    _show(f"{key}/on", at != NEVER)
    st.toggle(label, key=f"{key}/on", help=help_text, on_change=_switched, args=(entry.name, f"{key}/on", days // 2))
    if at != NEVER:
        low = entry.limits[0] if entry.limits else 0
        _slider(entry.name, key, plain(f"{entry.label}, day"), help_text, low, max(low + 1, days), 1, at)


def _choice_or_states(entry: Parameter, at: Value, key: str, label: str, help_text: str) -> None:
    """A choice of words, or states one by one."""
    codes = [] if isinstance(at, str) else list(at)  # type: ignore[arg-type]
    _show(f"{key}/word", A_LIST if codes else at)
    st.selectbox(
        label,
        [*entry.choices, A_LIST],
        format_func=word,
        key=f"{key}/word",
        help=help_text,
        on_change=_listed,
        args=(entry.name, f"{key}/word"),
    )
    if codes:
        names = {state.code: state.name for state in document.world().states}
        _show(key, codes)
        st.multiselect(
            plain(f"{entry.label}, one by one"),
            list(names),
            format_func=lambda code: f"{names[code]} ({code})",
            key=key,
            on_change=_moved,
            args=(entry.name, key),
        )


def _show(key: str, value: Any) -> None:
    """Let a control stand where the document says."""
    if st.session_state.get(key) != value or key not in st.session_state:
        st.session_state[key] = value


def _moved(name: str, key: str) -> None:
    """A control was moved: change the document, which the control then follows, also where that was refused."""
    value = st.session_state[key]
    document.change({name: round(value, 9) if isinstance(value, float) else value})


def _switched(name: str, key: str, day: int) -> None:
    document.change({name: day if st.session_state[key] else NEVER})


def _listed(name: str, key: str) -> None:
    """From a word to a list and back; a list begins with the states that the word means now."""
    chosen = st.session_state[key]
    document.change({name: document.states_meant(name) if chosen == A_LIST else chosen})
