"""Three channels: which is first to so many people, at what cost, and what would have to be true for each to be first."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from sim import capacity, plots, plots_run
from sim.capacity import CHANNELS, Line, Needs
from sim.export import daily_table
from sim.outcomes import band
from sim.pages import charts, controls, document, waiting, work
from sim.pages.words import ends, plain
from sim.parameters import parameter
from sim.report import said
from sim.scenario import MOST_DAYS
from sim.sharing import Shared
from sim.summary import Summary, quantiles

WANTED = "capacity.target"
# Years that a visitor may look ahead besides the scenario's own days.
YEAR = 365
KINDS = {"own": "all its own values together", "others": "the others' values together, its own at their soonest ends"}


def page() -> None:
    """Who is first to so many people, at what cost, and what would have to be true for each channel to be first."""
    controls.sidebar()
    now = document.current()
    st.title("Three channels")
    st.markdown(
        "Three ways to the same number of additional people: the Guard under its governors, deputized or contracted officers, "
        "and hired officers. Which is first, what does it cost until then, and what would have to be true for each to be first?"
    )
    left, right = st.columns(2)
    with left:
        controls.control(WANTED, place="-channels")
    with right:
        _days(now)
    with st.spinner(f"Running {now.runs:,} runs over {now.scenario.days:,} days", show_time=True):
        result = work.result(now)
        words, table = _race(now)
    st.markdown(f"**{plain(_who_is_first(result, words))}**")
    charts.show(
        plots_run.channels(
            result, [(_name(channel), of.series) for channel, of in CHANNELS.items()], document.number(WANTED)
        ),
        "channels",
        heading="People whom each channel has",
        sentence=_last_day(result),
        numbers=daily_table(result, [of.series for of in CHANNELS.values()]),
        of=result,
    )
    st.header("Who is first, and at what cost")
    st.markdown(
        plain(
            "Cost is what a channel has cost by the day on which it has so many people: Guard members from their seat in "
            "training on, officers from the day they are available. Vetting, academies and equipment are in no cost."
        )
    )
    st.table(
        {name: [plain(cell) for cell in column] for name, column in table.items()},
        hide_index=True,
        alt="Who is first, and at what cost",
    )
    _needs(now)


def _name(channel: str) -> str:
    title = CHANNELS[channel].title
    return title[0].upper() + title[1:]


def _days(now: Shared) -> None:
    """How far the runs look ahead: part of the document like every lever."""
    choices = sorted({now.scenario.days, document.baseline().days, YEAR, 2 * YEAR, 3 * YEAR} - {0})
    key = "channels/days"
    if st.session_state.get(key) != now.scenario.days:
        st.session_state[key] = now.scenario.days
    st.selectbox(
        "Days that the runs last",
        [days for days in choices if days <= MOST_DAYS],
        key=key,
        format_func=lambda days: f"{days:,} days",
        help="Hiring begins with months of vetting and an academy: over few days it cannot be first to many people.",
        on_change=_set_days,
    )


def _set_days() -> None:
    days = st.session_state["channels/days"]
    document.take("days", replace(document.current().scenario, days=days))


def _race(now: Shared) -> tuple[str, dict[str, list[str]]]:
    """Who is first in a sentence, and the table of the race, worked out once for everybody."""
    return _raced(now.scenario.digest, now.seed, now.runs, now)


@st.cache_resource(max_entries=32, show_spinner=False)
def _raced(digest: str, seed: int, runs: int, _now: Shared) -> tuple[str, dict[str, list[str]]]:
    made = work.ensemble(_now)
    days = capacity.days_to(made)
    first = capacity.first_of(days).mean(axis=1)
    shares = [(of.title, share) for of, share in zip(CHANNELS.values(), first, strict=True)]
    shares += [
        ("several on one day", capacity.together(days).mean()),
        ("none of them", np.isnan(days).all(axis=0).mean()),
    ]
    words = ", ".join(f"{who} in {100 * share:.0f} %" for who, share in shares if share > 0.0 or who in _titles())
    # A column for each channel: three columns are read on a phone.
    table = {"What": ["First in", "Day it has them", "Never within the run", "Cost until then", "Cost of a day"]}
    for k, (channel, of) in enumerate(CHANNELS.items()):
        when, cost = band(days[k]), capacity.cost_until(made, of)
        spent = cost[~np.isnan(cost)]
        table[_name(channel)] = [
            f"{100 * first[k]:.0f} % of runs",
            "never" if when.never == 1.0 else f"median {said(when.median)}, 5 to 95 % of runs {ends(when)}",
            f"{100 * when.never:.0f} % of runs",
            f"median {_dollars(float(np.median(spent)))} in the {len(spent):,} runs that get there"
            if len(spent)
            else "-",
            _value(_now, of.cost),
        ]
    return words, table


def _titles() -> list[str]:
    return [of.title for of in CHANNELS.values()]


def _value(now: Shared, name: str) -> str:
    """What a value is in the document, whether it is drawn around that, and its source."""
    entry = parameter(name)
    is_held = name in now.scenario.values and name not in now.scenario.ranges
    return f"{now.scenario.value(name):g} {entry.unit}{'' if is_held else ', drawn around it'} ({entry.source})"


def _dollars(value: float) -> str:
    return f"{value / 1e9:,.2f} billion USD" if value >= 1e9 else f"{value / 1e6:,.1f} million USD"


def _who_is_first(result: Summary, words: str) -> str:
    wanted = int(result.scenario.value(WANTED))
    return f"First to {wanted:,} people within {result.n_days - 1:,} days: {words} of the runs."


def _last_day(result: Summary) -> str:
    told = []
    for channel, of in CHANNELS.items():
        low, median, high = quantiles(result, of.series)[[0, 2, 4], -1]
        told.append(f"{_name(channel)} {said(median)} ({said(low)} to {said(high)})")
    return f"On day {result.n_days - 1}, medians and 5 to 95 % of runs: {', '.join(told)}."


# --- What would have to be true


def _needs(now: Shared) -> None:
    st.header("What would have to be true for each to be first")
    st.markdown(
        plain(
            "Each value in turn goes through its range in the register, the same in every run; everything else stays as the "
            "scenario has it, under the same draws and luck. Told is where the channel comes to be first in half of the runs. "
            "A soonest end is the end of a range that brings a channel's people sooner; that says nothing of which is better."
        )
    )
    key = f"needs/{now.scenario.digest}/{now.seed}"
    job = waiting.jobs().get(key)
    if job is None or job.is_cancelled or job.error is not None:
        if job is not None:
            waiting.result(job)
        st.button(
            "Find the break-even values",
            key="needs/start",
            on_click=waiting.start,
            args=(
                key,
                f"Break-even values of {now.scenario.title}",
                f"needs/{now.scenario.digest}",
                partial(_work, now),
            ),
        )
        return
    found: Needs | None = waiting.result(job)
    if found is not None:
        for channel in CHANNELS:
            _tell(channel, found)
        _look_at_one(found)


def _work(now: Shared, tell: Any) -> Needs:
    return capacity.needs(now.scenario, now.seed, progress=tell)


def _tell(channel: str, found: Needs) -> None:
    """One channel's sentences."""
    st.subheader(_name(channel))
    lines = found.of(channel)
    st.markdown(plain(f"As the scenario has it, first in {100 * found.shares[channel]:.0f} % of {found.runs:,} runs."))
    told = [capacity.in_words(line) for line in lines]
    if not any(line.found.brackets or line.is_first_at[1] >= 0.5 for line in lines) and channel in found.soonest:
        told.append(capacity.soonest_in_words(found, channel))
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in told))


def _look_at_one(found: Needs) -> None:
    """The shares of one line, as a chart."""
    line = st.selectbox(
        "Look at one of these more closely",
        found.lines,
        format_func=_title,
        key="needs/line",
    )
    if line is None:
        return
    entry = parameter(line.names[0]) if line.kind == "one" else None
    axis = f"{entry.label}{f', {entry.unit}' if entry.unit else ''}" if entry else "part of the way"
    bracket = line.found.brackets[0] if line.found.brackets else None
    interval = line.found.interval
    sure = (
        ""
        if interval is None
        else f" In 95 % of bootstrap samples of the runs it crosses between {interval[0]:,.4g} and {interval[1]:,.4g}."
    )
    charts.show(
        plots.share_reaching(
            np.array(line.found.values),
            np.array(line.found.shares),
            bracket,
            axis,
            entry is not None and entry.scale == "log" and line.found.values[0] > 0.0,
        ),
        "breakeven",
        heading=f"Share of runs in which {CHANNELS[line.channel].title} is first",
        sentence=capacity.in_words(line) + sure,
        numbers={axis: list(line.found.values), "share of runs": [round(share, 4) for share in line.found.shares]},
    )


def _title(line: Line) -> str:
    what = KINDS.get(line.kind) or f"{parameter(line.names[0]).label}"
    return f"{_name(line.channel)}: {what}"
