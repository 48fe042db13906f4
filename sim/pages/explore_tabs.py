"""What Explore shows second: every outcome, states by answer, the pipeline, the chance of N by day D, and the 54 as a table."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from sim import plots
from sim.export import mean_table
from sim.outcomes import OUTCOMES
from sim.pages import charts, map54
from sim.pages.words import date, ends, plain
from sim.report import said, side_alone
from sim.results import STATUS_SERIES
from sim.summary import PARTS, Summary, dates, mean

# The first is a table: a second chart would be drawn anew with every step of a lever.
TABS = ("In numbers", "Where governors stand", "The pipeline", "Chance of N by day D", "The 54 as a table")


def show(result: Summary, there: Summary) -> None:
    """What is looked at second; only the tab in sight is drawn. `there` is the baseline under the same luck."""
    shown: tuple[Callable[[Summary], None], ...] = (partial(numbers, there=there), answers, pipeline, chance, table)
    for tab, draw in zip(st.tabs(TABS, key="tabs", on_change="rerun"), shown, strict=True):
        if tab.open:
            with tab:
                draw(result)


def numbers(result: Summary, there: Summary) -> None:
    """Every outcome, and what it is in the baseline."""
    # Few columns, so that a phone has room for the words.
    rows: dict[str, list[Any]] = {"what": [], "median": [], "5 to 95 % of runs": [], "baseline": []}
    for name, outcome in OUTCOMES.items():
        found = result.outcome(name)
        row = (f"{outcome.label} ({outcome.unit})", said(found.median), ends(found), said(there.outcome(name).median))
        for column, told in zip(rows.values(), row, strict=True):
            column.append(told)
    guard = result.outcome("cost_guard")
    heading = f"Every outcome of the {result.n_days - 1} days"
    st.header(heading)
    st.markdown(
        plain(f"The Guard costs {said(guard.median)} USD in the median, 5 to 95 % of runs {ends(guard)}. ")
        + "Costs a day are assumptions with ranges: see the group Advanced."
    )
    charts.table(rows, heading, most=len(OUTCOMES))


def answers(result: Summary) -> None:
    """Governors by what they say."""
    last = {name: f"{mean(result, name)[-1]:.1f}" for name in STATUS_SERIES}
    alone = side_alone(result.scenario)
    charts.show(
        plots.states_by_answer(result),
        "answers",
        heading=plots.caption(plots.states_by_answer, result),
        sentence=(
            f"On the last day, in the mean of the runs, {last['agreeing']} agree, {last['with_limits']} of them with limits, "
            f"{last['declined']} have declined and {last['no_answer']} have not answered. "
            f"The requester's side alone would be {alone}."
        ),
        numbers=mean_table(result, list(STATUS_SERIES), range(result.n_days)),
        of=result,
    )


def pipeline(result: Summary) -> None:
    """Where people wait."""
    stages = list(plots.ON_THE_WAY)
    means = mean_table(result, stages, range(result.n_days))
    fullest = max(stages, key=lambda stage: max(means[stage.replace("_", " ")]))
    most = means[fullest.replace("_", " ")]
    at = most.index(max(most))
    charts.show(
        plots.pipeline(result),
        "pipeline",
        heading=plots.caption(plots.pipeline, result),
        sentence=(
            f"Most wait in {fullest.replace('_', ' ')}: {said(max(most))} in the mean on day {at} ({date(result, at)})."
            if max(most) > 0
            else "Nobody comes forward in these runs."
        ),
        numbers=means,
        of=result,
    )


def chance(result: Summary) -> None:
    """The chance of so many by a day."""
    target = int(result.scenario.value("request.target"))
    left, right = st.columns(2)
    percents = [round(100 * part) for part in PARTS]
    part = left.select_slider(
        "N, in percent of those asked for",
        percents,
        50,
        key="chance_n",
        format_func=lambda p: f"{p} % ({p * target / 100:,.0f})",
    )
    middle = (result.n_days - 1) // 2
    day = right.slider("Day D", 0, max(1, result.n_days - 1), middle, key=f"chance_d/{result.n_days}")
    share = float(result.reached[percents.index(part), min(day, result.n_days - 1)])
    lines = sorted({25, 50, 75, 100, part})
    charts.show(
        plots.chance_of_reaching(result, [percent / 100 for percent in lines]),
        "chance",
        heading=plots.caption(plots.chance_of_reaching, result),
        sentence=(
            f"By day {day} ({date(result, day)}), {100 * share:.0f} % of the runs have had {part * target / 100:,.0f} in place."
        ),
        numbers=_chances(result, percents),
        of=result,
    )


def _chances(result: Summary, percents: list[int]) -> dict[str, list[Any]]:
    """Share of runs, in percent, by day and part of the target."""
    parts = {f"{percent} % of target": row for percent, row in zip(percents, result.reached, strict=True)}
    shown = {name: [round(100 * float(share), 1) for share in row] for name, row in parts.items()}
    return {"day": list(range(result.n_days)), "date": dates(result, range(result.n_days)), **shown}


def table(result: Summary) -> None:
    """The map as a table."""
    st.header("Share of runs in which each state agrees")
    st.markdown(":small[For DC the share in which its Guard is sent on the President's order.]")
    found = map54.columns(result, plots.marked_days(result.n_days))
    st.dataframe(found, hide_index=True, height=400, key="map_table")
