"""Sensitivity and discovery: what an outcome hangs on, and under which conditions something is reached."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from sim import inquiry, plots
from sim.experiments import Experiment
from sim.export import csv_of, parquet_of
from sim.inquiry import BOXES, METHODS, MORRIS, SOBOL, Found
from sim.jobs import Job
from sim.outcomes import OUTCOMES
from sim.pages import charts, controls, document, waiting, work
from sim.pages.files import download
from sim.pages.words import plain
from sim.parameters import InputError, parameter, register
from sim.report import said
from sim.sensitivity import unit_of
from sim.sharing import Shared
from sim.studies import Condition

# Bars of a tornado, and the outcome that is asked about first.
MOST_BARS = 15
USUAL = "peak_in_place"
SIGNS = {">=": "at least", "<=": "at most"}
LOOKS = {"PRIM": "Boxes found by peeling (PRIM)", "CART": "Leaves of a classification tree (CART)"}
NEW, STORED = "Make one of this scenario", "Load a stored one"


def page() -> None:
    """Make a study of the scenario or load a stored one; see its tornado, or its boxes in words."""
    controls.sidebar()
    now = document.current()
    st.title("Sensitivity and discovery")
    st.markdown(
        "Which of the uncertain values does an outcome hang on most, and under which conditions do runs reach something? A study "
        "runs many points of the scenario in the background; this page and all others stay usable meanwhile."
    )
    chosen = st.segmented_control("A study", (NEW, STORED), default=NEW, required=True, key="study/from")
    if chosen == STORED:
        _load()
    else:
        _make(now)
    _show(_subject(now))


def _subject(now: Shared) -> str:
    return f"study/{now.scenario.digest}"


# --- Asking


def _make(now: Shared) -> None:
    """What is asked of the scenario on screen."""
    method = st.selectbox(
        "What to ask", list(METHODS), format_func=lambda name: METHODS[name].title, key="study/method"
    )
    of = METHODS[method]
    st.markdown(plain(of.tells))
    if lacking := inquiry.missing(method):
        st.info(
            plain(
                f"{lacking[0].upper()}{lacking[1:]} On this server only stored studies of other kinds can be looked at."
            )
        )
        return
    n = st.segmented_control(
        f"How many {of.counts}",
        of.sizes,
        default=of.sizes[1] if len(of.sizes) > 2 else of.sizes[0],
        required=True,
        format_func=lambda size: f"{size:,}",
        key=f"study/n/{method}",
    )
    open_ones = inquiry.open_uncertainties(now.scenario)
    names: list[str] = []
    if method != MORRIS:
        names = _names(method, open_ones)
        if not names:
            st.info("Choose at least one uncertainty to vary.")
            return
    condition = _condition(now) if method == BOXES else None
    try:
        experiment = inquiry.planned(now.scenario, method, int(n or of.sizes[0]), now.seed, names)
    except InputError as error:
        st.error(plain(str(error)))
        return
    told = f", {_condition_in_words(condition)}" if condition else ""
    st.markdown(
        plain(
            f"{experiment.n_rows:,} runs: {len(experiment.factors)} uncertainties vary over their ranges, everything else "
            f"stays as the scenario has it; seed {now.seed}."
        )
    )
    key = f"{experiment.digest}/{condition or ''}"
    st.button(
        "Start the study",
        key="study/start",
        on_click=_start,
        args=(
            key,
            f"{of.title.split(':')[0]}{told}: {now.scenario.title}",
            _subject(now),
            partial(_made, experiment, condition),
        ),
    )


def _names(method: str, open_ones: list[str]) -> list[str]:
    """Which uncertainties vary: at first those that the sidebar shows."""
    shown = [name for names in controls.GROUPS.values() for name in names if name in open_ones]
    most = inquiry.MOST_FACTORS if method == SOBOL else None
    chosen = st.multiselect(
        f"Uncertainties that vary{f', at most {most}' if most else ''}",
        open_ones,
        default=shown[: most or len(shown)],
        max_selections=most,
        format_func=lambda name: parameter(name).label,
        key=f"study/names/{method}",
        help="The others stand at their defaults. Those of the sidebar are chosen at first.",
    )
    return [name for name in open_ones if name in chosen]


def _condition(now: Shared, key: str = "study", names: tuple[str, ...] = tuple(OUTCOMES)) -> Condition:
    """What a run reaches or not; at first what half of the runs on screen reach."""
    first, second, third = st.columns([3, 1, 1])
    outcome = first.selectbox(
        "What is reached",
        names,
        names.index(USUAL) if USUAL in names else 0,
        format_func=lambda name: f"{OUTCOMES[name].label} ({OUTCOMES[name].unit})",
        key=f"{key}/outcome",
    )
    sign = second.selectbox("Is", tuple(SIGNS), format_func=lambda each: SIGNS[each], key=f"{key}/sign")
    middle = work.result(now).outcome(outcome).median
    number = third.number_input(
        "Number",
        value=float(round(middle if middle is not None else now.scenario.days)),
        key=f"{key}/number/{outcome}",
        format="%.6g",
    )
    return Condition(outcome, sign, float(number))


def _start(key: str, title: str, subject: str, of: Any) -> None:
    st.session_state["study/shown"] = key
    waiting.start(key, title, subject, of)


def _made(experiment: Experiment, condition: Condition | None, tell: Any) -> Found:
    rows = inquiry.made(experiment, tell)
    return inquiry.analysed(experiment, rows, condition, tell)


def _load() -> None:
    """A finished sweep among the results of this computer."""
    try:
        names = inquiry.stored_sweeps()
    except InputError as error:
        st.error(plain(str(error)))
        return
    if not names:
        st.info(
            "There is no finished study in the folder results. `python -m sim sensitivity scenarios/baseline.toml` or "
            "`python -m sim sweep experiments/lhs_people.toml --out results/people` makes one; or make one of this scenario here."
        )
        return
    now = document.current()
    name = st.selectbox("Stored study", names, key="study/stored")
    look = st.selectbox(
        "Look for", ("effects", "boxes"), key="study/look", help="Effects need a Morris or Sobol design."
    )
    condition = _condition(now, "stored") if look == "boxes" else None
    st.button(
        "Load it",
        key="study/load",
        on_click=_start,
        args=(
            f"stored/{name}/{condition or ''}",
            f"Stored study {name}",
            _subject(now),
            partial(_loaded, name, condition),
        ),
    )


def _loaded(name: str, condition: Condition | None, tell: Any) -> Found:
    tell("reading", 0, 1)
    experiment, rows = inquiry.loaded(name)
    return inquiry.analysed(experiment, rows, condition, tell)


# --- Looking


def _show(subject: str) -> None:
    """The study asked for last in this session, or else the last one of this scenario on this server."""
    made = waiting.jobs().about(subject)
    if not made:
        return
    st.divider()
    keys = [job.key for job in made]
    key = "study/shown"
    if st.session_state.get(key) not in keys:
        st.session_state[key] = keys[0]
    if len(made) > 1:
        titles = {job.key: job.title for job in made}
        st.selectbox("Studies of this scenario", keys, format_func=lambda each: titles[each], key=key)
    job = next(job for job in made if job.key == st.session_state[key])
    found: Found | None = waiting.result(job)
    if found is None:
        return
    st.header(plain(job.title))
    _what_it_is(job, found)
    if found.condition is None:
        _effects(found)
    else:
        _boxes(found)
    _files(found)


def _what_it_is(job: Job, found: Found) -> None:
    experiment = found.experiment
    st.markdown(
        plain(
            f"{found.n_runs:,} runs at {experiment.n_points:,} points of {len(experiment.factors)} values that vary; seed "
            f"{experiment.seed}, experiment {experiment.digest[:12]}, scenario {experiment.base.digest[:12]}."
        )
    )


def _effects(found: Found) -> None:
    """The tornado of one outcome."""
    experiment = found.experiment
    names = list(found.effects)
    outcome = st.selectbox(
        "Outcome",
        names,
        names.index(USUAL) if USUAL in names else 0,
        format_func=lambda name: f"{OUTCOMES[name].label} ({OUTCOMES[name].unit})",
        key="study/effects",
    )
    first = [effect for effect in found.effects[outcome] if effect.size > 0.0][:MOST_BARS]
    unit = unit_of(experiment, outcome)
    words = inquiry.effect_in_words(experiment, OUTCOMES[outcome].label, found.effects[outcome], unit)
    if not first:
        st.info(plain(words))
        return
    second, third = ("spread", "direction") if experiment.design == MORRIS else ("alone", "± of alone")
    charts.show(
        plots.tornado(
            [parameter(effect.name).label for effect in first],
            np.array([effect.size for effect in first]),
            np.array([effect.error for effect in first]),
            unit,
        ),
        "tornado",
        heading=f"What {OUTCOMES[outcome].label[0].lower()}{OUTCOMES[outcome].label[1:]} hangs on",
        sentence=words,
        numbers={
            "value": [parameter(effect.name).label for effect in first],
            "name": [effect.name for effect in first],
            "effect": [effect.size for effect in first],
            "±": [effect.error for effect in first],
            second: [effect.second for effect in first],
            third: [_third(effect.mean if experiment.design == MORRIS else effect.second_error) for effect in first],
        },
    )
    st.markdown(plain(_how_to_read(experiment)))


def _third(value: float | None) -> float:
    return float("nan") if value is None else value


def _how_to_read(experiment: Experiment) -> str:
    if experiment.design == MORRIS:
        read = (
            "Effect: how much the outcome changes, on average, when this value alone goes through its whole range, up or down "
            "(mu*), ± half of a 95 % interval. Direction: the same with its sign. Spread: as large as the effect where it depends "
            "on the other values or is bent."
        )
    else:
        read = (
            "Effect: the share of the outcome's variance in which this value takes part, alone or with others (total effect), "
            "± half of a 95 % interval. Alone: the share that it makes without any other."
        )
    return (
        f"{read} A value with a wide range is high in the list because little is known of it. Where days are counted, a run that "
        f"never gets there counts as day {experiment.base.days + 1}."
    )


def _boxes(found: Found) -> None:
    """Boxes in plain words, and where they lie."""
    condition, boxes, ends = found.condition, found.boxes or {}, found.ends or {}
    if condition is None:
        return
    share = 100 * found.n_reaching / found.n_runs
    told = _condition_in_words(condition)
    st.markdown(f"**{plain(f'{found.n_reaching:,} of {found.n_runs:,} runs reach it ({share:.0f} %): {told}.')}**")
    for method, each in boxes.items():
        st.subheader(plain(LOOKS[method]))
        if not each:
            st.info("None that chance would not bring as easily. Ask for another number, or take more runs.")
        for number, box in enumerate(each, 1):
            st.markdown(
                "\n".join(
                    [
                        f"**Box {number}.** {plain(inquiry.box_in_words(box, found.n_reaching))} Inside:",
                        "",
                        *(f"- {plain(line)}" for line in inquiry.conditions_in_words(box, ends)),
                    ]
                )
            )
    _where(boxes.get("PRIM", []), ends)
    st.markdown(
        plain(
            "Density: the share of the box's runs that reach it. Coverage: the share of all runs that reach it which lie in the "
            "box. Boxes describe these runs, spread evenly over the ranges; they do not say how likely conditions are."
        )
    )


def _condition_in_words(condition: Condition) -> str:
    label = OUTCOMES[condition.outcome].label
    return f"{label[0].lower()}{label[1:]} {SIGNS.get(condition.sign, condition.sign)} {said(condition.number)}"


def _where(boxes: list[Any], ends: dict[str, tuple[float, float]]) -> None:
    """The boxes of numbers as parts of their ranges."""
    shares, rows = [], []
    for number, box in enumerate(boxes, 1):
        part = {}
        for name, limit in box.limits.items():
            if isinstance(limit[0], str):
                continue
            low, high = ends[name]
            label = register()[name].label
            part[label] = ((limit[0] - low) / (high - low), (limit[1] - low) / (high - low))
            rows.append((number, label, name, float(limit[0]), float(limit[1]), low, high))
        shares.append(part)
    if not rows:
        return
    columns = ("box", "value", "name", "from", "to", "lowest tried", "highest tried")
    charts.show(
        plots.conditions(shares, [f"box {number}" for number in range(1, len(shares) + 1)]),
        "boxes",
        heading="Where the boxes of PRIM lie within the ranges",
        sentence=f"{len({row[2] for row in rows})} of {len(ends)} values are restricted by a box.",
        numbers={name: list(column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)},
    )


def _files(found: Found) -> None:
    """What makes the same study headlessly, and its rows."""
    experiment = found.experiment
    st.markdown(
        "To make it again: put both files into one folder and run `python -m sim sweep experiment.toml --out FOLDER`, then "
        "`python -m sim sensitivity FOLDER` or `python -m sim discover FOLDER`."
    )

    def columns() -> dict[str, Any]:
        return {name: found.rows[name].to_pylist() for name in found.rows.column_names}

    files = (
        ("experiment.toml", experiment.toml),
        ("scenario.toml", experiment.base.toml),
        ("rows.csv", lambda: csv_of(columns())),
        ("rows.parquet", lambda: parquet_of(columns(), experiment.digest)),
    )
    with st.container(horizontal=True):
        for name, content in files:
            download(name, name, content, key=f"study/file/{name}")
