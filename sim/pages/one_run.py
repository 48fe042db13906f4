"""One run: a single future as a story and a timeline, run by SimPy, and checked against the compiled engine."""

import numpy as np
import streamlit as st

from sim import compiled, plots, plots_run, single
from sim.export import csv_of, mean_table, parquet_of
from sim.pages import charts, controls, document, work
from sim.pages.files import download
from sim.pages.words import date, plain
from sim.parameters import model_version
from sim.results import ACCEPTED, LIMITED, STAGE_SERIES, Ensemble, Event, Run
from sim.setting import Setting, setting_of
from sim.sharing import Shared
from sim.story import chapters, told_of
from sim.summary import Summary

# Days of the story on one page of it, and lines told of a day.
DAYS, MOST_LINES = 10, 40
BY = "peak_in_place"


def page() -> None:
    """One draw of what nobody knows and one luck, from the first day to the last."""
    controls.sidebar()
    now = document.current()
    st.title("One run")
    st.markdown(
        "Behind every band stand single runs. Here is one of them, run live by the SimPy model: what happened on which day, "
        "where people were, and whether the compiled engine says the same."
    )
    number = _which(now)
    with st.spinner("Running it in SimPy", show_time=True):
        setting = setting_of(now.scenario, now.seed, number)
        run = work.one_run(now, number, with_events=True)
    states, kinds, has_cohorts = _filter(run)
    alone = single.alone(run, setting, states)
    # The ensemble's passport and the number of the run bring it back.
    passport = work.result(now).passport
    st.markdown(f"**{plain(_in_words(run, setting, number))}**")
    _timeline(run, alone, told_of(run, states, kinds, has_cohorts), passport)
    _story(run, alone, told_of(run, states, kinds, has_cohorts))
    _counts(alone, states, passport)
    _log(run, now, number)
    _check(now, run, setting, number)


# --- Which run


def _which(now: Shared) -> int:
    """The number of the run: draw r of what nobody knows, under luck r."""
    key = "run/number"
    st.session_state[key] = min(int(st.session_state.get(key, 0)), now.runs - 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            f"Run, 0 to {now.runs - 1:,}",
            0,
            now.runs - 1,
            step=1,
            key=key,
            width=180,
            help=f"Run r is draw r of all uncertainties under luck r, with seed {now.seed}: the runs behind every band.",
        )
        for label, part in (("Fewest in place", 0.0), ("In the middle", 0.5), ("Most in place", 1.0)):
            st.button(
                label, key=f"run/{part}", on_click=_pick, args=(part,), help="By the most troops in place on any day"
            )
    return int(st.session_state[key])


def _pick(part: float) -> None:
    """The run at a place in the order of the most troops in place."""
    result: Summary = work.result(document.current())
    at = np.argsort(result.values[BY], kind="stable")[round(part * (result.runs - 1))]
    st.session_state["run/number"] = int(result.pairs[int(at)][1])


def _filter(run: Run) -> tuple[list[str], list[str], bool]:
    """Which states and kinds of events are looked at, and whether cohorts are told too."""
    names = {state.code: state.name for state in document.world().states}
    left, right = st.columns(2)
    states = left.multiselect(
        "Only these states",
        list(names),
        format_func=lambda code: f"{names[code]} ({code})",
        key="run/states",
        placeholder="All of them",
    )
    has_cohorts = left.toggle("People on their way too", key="run/cohorts", help="Each cohort's steps: many lines.")
    found = sorted({event.event for event in run.events})
    key = "run/kinds"
    # A kind that this run has not stays chosen, or a filter would end when the run changes.
    kinds = right.multiselect(
        "Only these kinds of events",
        sorted({*found, *st.session_state.get(key, [])}),
        key=key,
        placeholder="All of them",
    )
    return list(states), list(kinds), has_cohorts


def _in_words(run: Run, setting: Setting, number: int) -> str:
    in_place = run.in_place
    governed = np.array([state.has_governor for state in setting.world.states])
    agreeing = int(np.isin(run.status[-1, governed], (ACCEPTED, LIMITED)).sum())
    peak = int(in_place.argmax())
    approved = "is never approved" if run.approval_day is None else f"is approved on day {run.approval_day}"
    return (
        f"In run {number:,} the request {approved}; on the last day {agreeing} of {int(governed.sum())} governors agree; the most "
        f"troops in place are {int(in_place[peak]):,}, on day {peak}."
    )


# --- What happened


def _timeline(run: Run, alone: Ensemble, events: list[Event], passport: str | None) -> None:
    """Which kind of thing happened on which day."""
    if not events:
        st.info("Nothing of this kind happened in this run. Take a filter away, or choose another run.")
        return
    marks = single.marks(events)
    often = max(marks, key=lambda mark: mark.events)
    charts.show(
        plots_run.timeline(alone, marks),
        "timeline",
        heading="Timeline",
        sentence=(
            f"{len(events):,} events on {len({mark.day for mark in marks}):,} days; most at once: {often.kind}, "
            f"{often.events:,} on day {often.day}. A larger mark stands for more events."
        ),
        numbers={
            "day": [mark.day for mark in marks],
            "kind": [mark.kind for mark in marks],
            "events": [mark.events for mark in marks],
            "people": [mark.people for mark in marks],
            "in words": [" ".join(mark.words) for mark in marks],
        },
        passport=passport,
    )


def _story(run: Run, alone: Ensemble, events: list[Event]) -> None:
    """The run as dated lines, some days at a time."""
    told = list(chapters(run, events))
    if not told:
        return
    st.header("The story")
    pages, key = -(-len(told) // DAYS), "run/page"
    if int(st.session_state.get(key, 1)) > pages:
        st.session_state[key] = 1
    at = int(st.pagination(pages, key=key)) if pages > 1 else 1
    for chapter in told[(at - 1) * DAYS : at * DAYS]:
        head = f"Day {chapter.day}, {date(alone, chapter.day)} ({chapter.evening})"
        lines = chapter.lines[:MOST_LINES]
        if len(chapter.lines) > MOST_LINES:
            lines = [*lines, f"and {len(chapter.lines) - MOST_LINES:,} more on this day, all in the event log."]
        st.markdown("\n".join([f"**{plain(head)}**", "", *(f"- {plain(line)}" for line in lines)]))


def _counts(alone: Ensemble, states: list[str], passport: str | None) -> None:
    """Where people are, by day."""
    whose = f" of {', '.join(states)}" if states else ""
    on_the_way, in_place = st.tabs(["On the way", "In place and back"], key="run/counts", on_change="rerun")
    last, names = alone.n_days - 1, list(STAGE_SERIES)
    if on_the_way.open:
        with on_the_way:
            most = {name: int(alone.daily(name)[0].max()) for name in plots.ON_THE_WAY}
            largest = max(most, key=lambda name: most[name])
            charts.show(
                plots.pipeline(alone),
                "stages",
                heading=f"People{whose} on the way by stage",
                sentence=f"Most at one stage on any day: {most[largest]:,}, {largest.replace('_', ' ')}.",
                numbers=mean_table(alone, names, range(alone.n_days)),
                passport=passport,
            )
    if in_place.open:
        with in_place:
            charts.show(
                plots_run.in_one_run(
                    alone,
                    [("in place", "in_place"), ("gone home after their tour", "returned"), ("left before", "left")],
                ),
                "in_place",
                heading=f"People{whose} in place, and gone home",
                sentence=f"On day {last}: {int(alone.daily('in_place')[0, -1]):,} in place; until then "
                f"{int(alone.daily('returned')[0, -1]):,} have gone home and {int(alone.daily('left')[0, -1]):,} have left.",
                numbers=mean_table(alone, names, range(alone.n_days)),
                passport=passport,
            )


def _log(run: Run, now: Shared, number: int) -> None:
    """The whole event log as files."""
    st.header("The event log")
    st.markdown(
        plain(
            f"All {len(run.events):,} events of the run, whatever is chosen above. The columns are those that vidigi animates, and "
            f"state, cause and people. Model {model_version()}, seed {now.seed}, run {number}."
        )
    )
    name, origin = f"{now.scenario.name}-run-{number}-events", f"{now.scenario.digest} seed {now.seed} run {number}"
    with st.container(horizontal=True):
        download("CSV", f"{name}.csv", lambda: csv_of(single.log_columns(run.events, number)), key="run/csv")
        download(
            "Parquet",
            f"{name}.parquet",
            lambda: parquet_of(single.log_columns(run.events, number), origin),
            key="run/parquet",
        )


# --- The other engine


def _check(now: Shared, run: Run, setting: Setting, number: int) -> None:
    """SimPy's run beside compiled code's, number by number."""
    st.header("Check")
    if why_not := compiled.unavailable():
        st.info(plain(f"There is nothing to compare with here: {why_not}. All numbers on these pages are SimPy's own."))
        return
    st.markdown(
        "The pages show runs of compiled code, a second writing of the same model. The check runs this replication in both and "
        "compares every count, status and reason, and the hash that the ensemble has kept of it."
    )
    what = (now.scenario.digest, now.seed, now.runs, number)
    if st.button("Check this run", key="run/check", icon=":material/rule:"):
        st.session_state["run/checked"] = what
    if st.session_state.get("run/checked") != what:
        return
    with st.spinner("Comparing both engines", show_time=True):
        found = single.check(run, setting, int(work.ensemble(now).hashes[number]))
    if found.is_same:
        st.success(
            plain(
                f"The same: all {found.n_numbers:,} numbers of run {number:,} are equal in SimPy and in compiled code, and the "
                f"ensemble on screen has kept the same hash, {found.hash:016x}."
            )
        )
    else:
        st.error(
            plain(
                f"Not the same: {'; '.join(found.differing) or 'only the hashes differ'}. Hashes: SimPy {found.hash:016x}, "
                f"compiled {found.hash_there:016x}, ensemble {found.hash_kept:016x}. Please report it with the scenario, the "
                "seed and the run."
            )
        )
    st.table(
        {"Compared": list(found.counted), "Numbers": [f"{n:,}" for n in found.counted.values()]},
        hide_index=True,
        alt="How many numbers were compared",
    )
