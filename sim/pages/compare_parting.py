"""Where the histories of two scenarios part: in all pairs of runs, and in one of them event by event."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import streamlit as st

from sim import closeups
from sim.comparison import LANES, downstream, lane_of, parting_days
from sim.pages import charts, compare, work
from sim.pages.words import date, plain
from sim.report import said
from sim.results import Event
from sim.sharing import Shared
from sim.story import sentence
from sim.summary import Summary, dates

PEOPLE = "people"
MOST_LINES = 300
Happened = Sequence[tuple[str, Event]]


def show(a: Summary, b: Summary, first: Shared, now: Shared) -> None:
    """All pairs of runs, then one pair."""
    st.header("Where the histories part")
    _in_all(a, b, first, now)
    _in_one(a, b, first, now)


def _in_all(a: Summary, b: Summary, first: Shared, now: Shared) -> None:
    """The day on which each pair of runs first differs in any national count."""
    days = parting_days(work.ensemble(first), work.ensemble(now))
    known = days[np.isfinite(days)]
    shorter = a if a.n_days <= b.n_days else b
    told = f"The histories are the same in all {len(days):,} pairs of runs."
    if len(known):
        told = (
            f"The histories part in {len(known):,} of {len(days):,} pairs of runs, first on day {int(known.min())}, in half of "
            f"those by day {said(float(np.median(known)))}."
        )
    share = [round(100 * float((known <= day).sum()) / max(1, len(days)), 1) for day in range(shorter.n_days)]
    charts.show(
        closeups.parted(shorter, days),
        "compare/parted",
        heading="Pairs of runs whose counts have differed so far",
        sentence=told,
        numbers={
            "day": list(range(shorter.n_days)),
            "date": dates(shorter, range(shorter.n_days)),
            "have parted, % of pairs": share,
        },
        passport=compare.passports(a, b),
    )


def _in_one(a: Summary, b: Summary, first: Shared, now: Shared) -> None:
    """One pair of runs in SimPy with all events: where they part, and everything downstream."""
    numbers = [replication for pair in a.pairs if pair in set(b.pairs) for replication in pair[1:]]
    if not numbers:
        return
    st.subheader("One pair of runs, event by event")
    kept = st.session_state.get("run")
    st.session_state["compare_run"] = kept if kept in numbers else numbers[0]
    number = st.number_input(
        "Run",
        0,
        max(numbers),
        key="compare_run",
        on_change=_chosen,
        width=160,
        help="Any of the pairs of runs above; Explore and One state show the same run.",
    )
    if number not in numbers:
        st.markdown("This run did not finish in both; choose another.")
        return
    with st.spinner("Both runs, event by event"):
        mine, other = (work.one_run(shared, int(number), with_events=True) for shared in (first, now))
        happened = downstream(mine, other)
    if not happened:
        st.markdown(f"In run {number}, A and B have the same history, event by event.")
        return
    st.markdown(f"**{plain(_parting(a, happened))}**")
    _timeline(a, b, happened, int(number))
    _lines(b, happened)


def _parting(a: Summary, happened: Happened) -> str:
    """The first day on which something happens in one history alone, and what."""
    day = happened[0][1].time
    told = []
    for letter in "AB":
        events = [event for of, event in happened if of == letter and event.time == day]
        rest = f" (and {len(events) - 1:,} more)" if len(events) > 1 else ""
        told.append(
            f"in {letter} alone: {sentence(events[0]).rstrip('.')}{rest}" if events else f"nothing in {letter} alone"
        )
    return f"The histories part on day {day}, {date(a, day)}; {'; '.join(told)}."


def _chosen() -> None:
    st.session_state["run"] = st.session_state["compare_run"]


def _timeline(a: Summary, b: Summary, happened: Happened, number: int) -> None:
    """A mark for each day and kind on which something happens in one history alone."""
    longer = a if a.n_days >= b.n_days else b
    counts = [sum(letter == of for of, _ in happened) for letter in "AB"]
    charts.show(
        closeups.timeline(longer, list(LANES), [marks(happened, letter) for letter in "AB"]),
        "compare/timeline",
        heading=f"What happens in one history and not in the other, run {number}",
        sentence=(
            f"From there on, {counts[0]:,} events happen in A alone and {counts[1]:,} in B alone; whatever is not here happens in "
            "both on the same day."
        ),
        numbers={
            "day": [event.time for _, event in happened],
            "only in": [letter for letter, _ in happened],
            "kind": [lane_of(event) for _, event in happened],
            "state": [event.state for _, event in happened],
            "event": [event.event for _, event in happened],
            "people": [event.people for _, event in happened],
            "what happens": [sentence(event) for _, event in happened],
        },
        passport=compare.passports(a, b),
    )


def marks(happened: Happened, letter: str) -> list[tuple[int, str, str]]:
    """Events of one history as (day, lane, words): one mark for all of a day and lane, with the first of them in words."""
    alike: dict[tuple[int, str], list[Event]] = defaultdict(list)
    for of, event in happened:
        if of == letter:
            alike[event.time, lane_of(event)].append(event)
    return [(day, lane, _told(events, lane)) for (day, lane), events in alike.items()]


def _told(events: Sequence[Event], lane: str) -> str:
    if lane == PEOPLE:
        # Hundreds of these marks travel to the browser.
        return f"{len(events)} {'movement' if len(events) == 1 else 'movements'}"
    rest = f" (and {len(events) - 1} more)" if len(events) > 1 else ""
    return f"{sentence(events[0])[:80].rstrip('.')}{rest}"


def _lines(b: Summary, happened: Happened) -> None:
    """Everything downstream as dated lines."""
    lanes = st.pills(
        "Told below",
        list(LANES),
        selection_mode="multi",
        default=[lane for lane in LANES if lane != PEOPLE],
        key="compare_lanes",
    )
    rows = [(letter, event) for letter, event in happened if lane_of(event) in lanes]
    shown = rows[:MOST_LINES]
    st.dataframe(
        {
            "day": [event.time for _, event in shown],
            "date": [date(b, event.time) for _, event in shown],
            "only in": [letter for letter, _ in shown],
            "what happens": [sentence(event) for _, event in shown],
        },
        hide_index=True,
        height=400,
        key="compare_lines",
        column_config={
            "day": st.column_config.NumberColumn(width=60),
            "only in": st.column_config.TextColumn(width=60),
        },
    )
    if len(rows) > MOST_LINES:
        st.markdown(
            f":small[The first {MOST_LINES:,} of {len(rows):,} lines; all of them are in the files of the chart above.]"
        )
