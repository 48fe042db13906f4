"""Plots: what an ensemble looks like over time, and what a study found.

A plot takes an ensemble, or a study's plain numbers, and returns a figure; the first line of its docstring is its
caption, in which {days} stands for the last day. Backgrounds and fonts are left to the page, so that a plot reads in
light and in dark; ranges are written out, so that a chart keeps its place when its data change.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from html import escape
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from sim.results import STATUS_SERIES, Ensemble
from sim.summary import PARTS, Summary, mean, quantiles

# Told apart under all common kinds of colour blindness, and each at least 3:1 on white and on a dark page; dashes help.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#808080"
WIDE, NARROW = "rgba(0, 114, 178, 0.22)", "rgba(0, 114, 178, 0.36)"
INK = "#222222"
# Colour and pattern of each answer, and of each stage on the way: told apart in grey too.
ANSWERS = {
    "agreeing": ("#0072B2", ""),
    "with_limits": ("#56B4E9", "/"),
    "undecided": ("#C8C8C8", ""),
    "not_asked": ("#E8E8E8", "."),
    "no_answer": ("#A0A0A0", "-"),
    "declined": ("#E69F00", "\\"),
    "withdrawn": ("#D55E00", "x"),
    "federalized": ("#CC79A7", "|"),
}
ON_THE_WAY = {
    "screening": ("#56B4E9", ""),
    "waiting_for_a_seat": ("#E69F00", "\\"),
    "training": ("#0072B2", ""),
    "awaiting_a_supervisor": ("#D55E00", "x"),
    "travel": ("#009E73", "/"),
}
# Lines of one kind: colour and dash.
LINES = ((BLUE, "solid"), (ORANGE, "dash"), (GREY, "dot"), ("#009E73", "dashdot"))
GRID = "rgba(128, 128, 128, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"
HEIGHT = 420
# Points of a line: more than these nobody sees, and every one has to travel and be drawn.
MOST_POINTS = 120
MOST_MARKS = 7
STEPS = (1, 5, 10, 30, 60, 90, 180, 365)

# A level to compare with: its words, where it lies, its colour and its dash.
Level = tuple[str, float, str, str]
Numbers = NDArray[np.float64]
Result = Ensemble | Summary


def caption(plot: Callable[..., go.Figure], ensemble: Result) -> str:
    """What a plot shows, in one line."""
    return (plot.__doc__ or "").strip().splitlines()[0].format(days=ensemble.n_days - 1)


def marked_days(n_days: int, most: int = MOST_MARKS) -> list[int]:
    """Days that an axis or a table names: evenly apart, from day 0, and few enough to be read."""
    step = next((step for step in STEPS if (n_days - 1) / step < most), STEPS[-1])
    return list(range(0, n_days, step))


def shown_days(n_days: int) -> NDArray[np.int_]:
    """Days that a line is drawn through: the first, the last, and evenly between, few enough to be drawn at once."""
    step = -(-n_days // MOST_POINTS)
    return np.unique(np.append(np.arange(0, n_days, step), n_days - 1))


def states_agreeing(ensemble: Result, governors: int, side_alone: int | None = None) -> go.Figure:
    """Governors who agree, with limits or without, evening by evening until day {days}.

    Parameters
    ----------
    ensemble
        At least one of its runs has finished.
    governors
        How many there are: the top of the axis.
    side_alone
        How many would agree if the requester's side alone said yes; no line if absent.
    """
    levels: list[Level] = [] if side_alone is None else [("side alone would give", side_alone, GREY, "dash")]
    return _over_time(ensemble, "agreeing", "governors", levels, float(governors))


def troops_in_place(
    ensemble: Result, target: int, active_duty: int | None = None, officers: int | None = None
) -> go.Figure:
    """Guard members in place, evening by evening until day {days}.

    Parameters
    ----------
    ensemble
        At least one of its runs has finished.
    target
        How many are asked for.
    active_duty
        Active-duty troops at the border, to compare with; no line if absent.
    officers
        Officers that the directive wants, to compare with; no line if absent.
    """
    levels: list[Level] = [("asked for", target, ORANGE, "dash")]
    if officers == target:
        levels = [("asked for, and officers that the directive wants,", target, ORANGE, "dash")]
    elif officers is not None:
        levels.append(("officers that the directive wants", officers, GREY, "dashdot"))
    if active_duty is not None:
        levels.append(("active-duty troops at the border, more than", active_duty, GREY, "dot"))
    highest = max(float(quantiles(ensemble, "in_place")[-1].max()), *(level for _, level, _, _ in levels))
    return _over_time(ensemble, "in_place", "people", levels, highest)


def states_by_answer(ensemble: Result) -> go.Figure:
    """How many governors stand where, mean of all runs, evening by evening until day {days}."""
    means = {name: mean(ensemble, name) for name in STATUS_SERIES}
    means["agreeing"] = means["agreeing"] - means["with_limits"]
    words = {"agreeing": "agreed", "with_limits": "agreed with limits"}
    layers = [(words.get(name, name.replace("_", " ")), means[name], *ANSWERS[name]) for name in ANSWERS]
    return _stacked(ensemble, layers, "governors")


def pipeline(ensemble: Result) -> go.Figure:
    """People who have come forward and are not yet in place, by where they are, mean of all runs, until day {days}."""
    layers = [
        (name.replace("_", " "), mean(ensemble, name), colour, pattern)
        for name, (colour, pattern) in ON_THE_WAY.items()
    ]
    return _stacked(ensemble, layers, "people")


def chance_of_reaching(ensemble: Summary, parts: Sequence[float] = (0.25, 0.5, 0.75, 1.0)) -> go.Figure:
    """Share of runs that have had so many Guard members in place, evening by evening until day {days}.

    Parameters
    ----------
    parts
        Parts of the target, each one of `summary.PARTS`; one line each.
    """
    target = int(ensemble.scenario.value("request.target"))
    days = shown_days(ensemble.n_days)
    figure = go.Figure()
    for part, (colour, dash) in zip(parts, cycle(LINES)):
        words = f"{part * target:,.0f} in place ({100 * part:.0f} %)"
        figure.add_scatter(
            x=days,
            y=short(100.0 * ensemble.reached[PARTS.index(part), days], 1),
            name=words,
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"day %{{x}}<br>{words}: %{{y:.3~g}} % of runs<extra></extra>",
        )
    return laid_out(figure, ensemble, "% of runs", 100.0)


def _stacked(ensemble: Result, layers: Sequence[tuple[str, Numbers, str, str]], unit: str) -> go.Figure:
    """Means over days on top of each other; each layer has its words, colour and pattern, and those that are empty are left out."""
    figure = go.Figure()
    days = shown_days(ensemble.n_days)
    for words, height, colour, pattern in layers:
        if not height.any():
            continue
        figure.add_scatter(
            x=days,
            y=short(height[days], 2),
            name=words,
            mode="lines",
            stackgroup="all",
            line={"color": colour, "width": 1},
            fillcolor=colour,
            fillpattern={
                "shape": pattern,
                "size": 7,
                "solidity": 0.2,
                "fgcolor": INK,
                "bgcolor": colour,
                "fillmode": "replace",
            },
            # Dates stand on the axis: a copy for each layer would be most of what travels.
            hovertemplate=f"day %{{x}}<br>{words}: %{{y:,.3~g}} {unit}<extra></extra>",
        )
    total = sum((height for _, height, _, _ in layers), np.zeros(ensemble.n_days))
    return laid_out(figure, ensemble, unit, float(total.max()) / 1.05)


def _over_time(ensemble: Result, series: str, unit: str, levels: list[Level], highest: float) -> go.Figure:
    """A series over days: two bands, the median, and levels to compare with."""
    days = shown_days(ensemble.n_days)
    p05, p25, median, p75, p95 = short(quantiles(ensemble, series)[:, days], 1)
    line = {
        "type": "scatter",
        "x": days,
        "y": median,
        "name": "median",
        "mode": "lines",
        "line": {"color": BLUE, "width": 2.5},
        # Dates stand on the axis and are left out here: in every point they would be a good part of what travels.
        "customdata": np.column_stack([p05, p95]),
        "hovertemplate": f"day %{{x}}<br>median %{{y:,.4~g}} {unit}"
        "<br>5 to 95 %: %{customdata[0]:,.4~g} to %{customdata[1]:,.4~g}<extra></extra>",
    }
    compared = [
        {
            "type": "scatter",
            "x": [0, ensemble.n_days - 1],
            "y": [level, level],
            "name": f"{words} {level:,}",
            "mode": "lines",
            "line": {"color": colour, "width": 2, "dash": dash},
            "hoverinfo": "skip",
        }
        for words, level, colour, dash in levels
    ]
    bands = [area(days, p05, p95, "5 to 95 % of runs", WIDE), area(days, p25, p75, "25 to 75 %", NARROW)]
    # Traces and layout at once: Plotly would make a layout of its own first.
    return go.Figure([*bands, line, *compared], over_days(ensemble, unit, highest))


def area(
    days: NDArray[np.int_], low: NDArray[np.floating], high: NDArray[np.floating], name: str, fill: str
) -> dict[str, Any]:
    """An area between two quantiles as one outline, which is one trace and not two.

    As a plain mapping, which Plotly checks once, where it is put into a figure; a trace object it would check twice.
    """
    return {
        "type": "scatter",
        "x": np.concatenate([days, days[::-1]]),
        "y": np.concatenate([high, low[::-1]]),
        "name": name,
        "mode": "lines",
        "line": {"width": 0, "color": CLEAR},
        "fill": "toself",
        "fillcolor": fill,
        "hoverinfo": "skip",
    }


def laid_out(figure: go.Figure, ensemble: Result, unit: str, highest: float) -> go.Figure:
    """A figure with axes of days and dates."""
    # At once, because Plotly's `update_layout` takes several times as long.
    figure.layout = over_days(ensemble, unit, highest)
    return figure


def over_days(ensemble: Result, unit: str, highest: float) -> dict[str, Any]:
    """Axes with days and dates."""
    marked, drawn = marked_days(ensemble.n_days), layout("day since the request, and date", unit)
    drawn["xaxis"] |= {
        "range": [0, max(1, ensemble.n_days - 1)],
        "tickvals": marked,
        "ticktext": _dated(marked, ensemble),
        "tickangle": 0,
        "tickformat": None,
        "automargin": True,
    }
    drawn["yaxis"] |= {"range": [0.0, 1.05 * max(1.0, highest)], "tickformat": ",~g"}
    return drawn


def short(values: Numbers, decimals: int) -> NDArray[np.float32]:
    """Numbers as a chart needs them: rounded, and half as long on the way to the browser."""
    return np.round(values, decimals).astype(np.float32)


def _dated(days: list[int], ensemble: Result) -> list[str]:
    """Marks of an axis: the day, the date below, and the year where it begins."""
    dates = [ensemble.scenario.start + timedelta(days=day) for day in days]
    years = [str(date.year) if k == 0 or date.year != dates[k - 1].year else "" for k, date in enumerate(dates)]
    return [f"{day}<br>{date:%d %b}<br>{year}" for day, date, year in zip(days, dates, years, strict=True)]


# --- Studies: plain numbers in, since what a study is lies above this floor


def tornado(names: Sequence[str], sizes: Numbers, errors: Numbers, unit: str) -> go.Figure:
    """What each parameter does to the outcome over its range, largest on top; lines are 95 % intervals.

    Parameters
    ----------
    names, sizes, errors
        Parameters from the largest effect down, their effects, and half the widths of their intervals.
    unit
        What the effects are counted in.
    """
    bars = go.Bar(
        x=sizes[::-1],
        y=list(names)[::-1],
        orientation="h",
        marker={"color": BLUE},
        error_x={"type": "data", "array": errors[::-1], "color": GREY},
        hovertemplate="%{y}<br>%{x:,.4~g} ± %{error_x.array:,.3~g}<extra></extra>",
    )
    highest = float(np.max(sizes + errors, initial=0.0)) or 1.0
    return in_bars(go.Figure([bars]), len(names), unit, highest)


def worth_of_knowing(names: Sequence[str], gains: Numbers, floor: float, unit: str) -> go.Figure:
    """What it would be worth to know each of these before the choice, for the aim stated.

    Parameters
    ----------
    names, gains
        What is known, from the largest gain down; at least one.
    floor
        What chance alone shows: bars that do not reach beyond it are grey.
    """
    bars = go.Bar(
        x=gains[::-1],
        y=list(names)[::-1],
        orientation="h",
        marker={"color": [BLUE if gain > floor else GREY for gain in gains[::-1]]},
        hovertemplate="%{y}<br>%{x:,.4~g}<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure([bars])
    figure.add_scatter(
        x=[floor, floor],
        y=[names[-1], names[0]],
        name=f"chance alone shows {floor:,.4g}",
        mode="lines+markers",
        line={"color": ORANGE, "width": 2, "dash": "dot"},
        hoverinfo="skip",
        showlegend=True,
    )
    return in_bars(figure, len(names), unit, max(float(np.max(gains)), floor) or 1.0)


def narrowing(running: Numbers, wanted: tuple[float, float] | None, enough: int | None, unit: str) -> go.Figure:
    """The mean of the outcome and its 95 % interval after each run.

    Parameters
    ----------
    running
        Mean, low and high end of its interval after each run; shape (3, n_runs), NaN before there is an interval.
    wanted
        Ends of the interval wanted, around the last mean; not drawn if absent.
    enough
        The number of runs that is enough; not marked if absent.
    """
    runs = np.arange(1, running.shape[1] + 1)
    mean, low, high = running
    has_ends = np.isfinite(low) & np.isfinite(high)
    figure = go.Figure([area(runs[has_ends], low[has_ends], high[has_ends], "95 % interval", WIDE)])
    figure.add_scatter(
        x=runs,
        y=mean,
        name="mean",
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        hovertemplate=f"%{{x}} runs<br>mean %{{y:,.5~g}} {unit}<extra></extra>",
    )
    shown = [mean, low[len(low) // 20 :], high[len(high) // 20 :]]
    if wanted is not None:
        shown.append(np.array(wanted))
        for end, name in zip(wanted, ("interval wanted", ""), strict=True):
            figure.add_scatter(
                x=[1, len(runs)],
                y=[end, end],
                name=name,
                showlegend=bool(name),
                mode="lines",
                line={"color": ORANGE, "width": 2, "dash": "dash"},
                hoverinfo="skip",
            )
    ends = float(np.nanmin(np.concatenate(shown))), float(np.nanmax(np.concatenate(shown)))
    room = 0.05 * (ends[1] - ends[0]) or 1.0
    if enough is not None:
        figure.add_scatter(
            x=[enough, enough],
            y=[ends[0], ends[1]],
            name=f"enough: {enough:,} runs",
            mode="lines",
            line={"color": GREY, "width": 2, "dash": "dot"},
            hoverinfo="skip",
        )
    figure.update_layout(**layout("runs", unit))
    figure.update_layout(xaxis_range=[1, max(2, len(runs))], yaxis_range=[ends[0] - room, ends[1] + room])
    return figure


def share_reaching(
    values: Numbers, shares: Numbers, bracket: tuple[float, float] | None, parameter: str, on_log_scale: bool = False
) -> go.Figure:
    """The share of runs that reach what was asked at each value tried; all values under the same luck.

    Parameters
    ----------
    values, shares
        Values tried from low to high, and shares between 0 and 1.
    bracket
        Where the share crosses half; not drawn if absent.
    parameter
        Name and unit of the parameter.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=values,
        y=100.0 * shares,
        name="share of runs",
        mode="lines+markers",
        line={"color": BLUE, "width": 2.5},
        hovertemplate="%{x:,.4~g}: %{y:.0f} % of runs<extra></extra>",
    )
    figure.add_scatter(
        x=[values[0], values[-1]],
        y=[50, 50],
        name="half of the runs",
        mode="lines",
        line={"color": GREY, "width": 2, "dash": "dot"},
        hoverinfo="skip",
    )
    if bracket is not None:
        middle = sum(bracket) / 2.0
        figure.add_scatter(
            x=[middle, middle],
            y=[0, 100],
            name=f"crosses half between {bracket[0]:,.4g} and {bracket[1]:,.4g}",
            mode="lines",
            line={"color": ORANGE, "width": 2, "dash": "dash"},
            hoverinfo="skip",
        )
    figure.update_layout(**layout(parameter, "% of runs"))
    ends = [float(values[0]), float(values[-1])]
    figure.update_xaxes(range=list(np.log10(ends)) if on_log_scale else ends, type="log" if on_log_scale else "linear")
    figure.update_yaxes(range=[-2, 102])
    return figure


def conditions(boxes: Sequence[Mapping[str, tuple[float, float]]], names: Sequence[str]) -> go.Figure:
    """Where each box lies within the range of every parameter that it restricts.

    Parameters
    ----------
    boxes
        For each box, the (low, high) of the parameters that it restricts, as shares of their ranges.
    names
        What each box is called in the legend.
    """
    parameters = list(dict.fromkeys(name for box in boxes for name in box))[::-1]
    figure = go.Figure()
    for box, name, colour in zip(boxes, names, (BLUE, ORANGE, GREY) * len(boxes), strict=False):
        figure.add_bar(
            x=[max(0.01, high - low) for low, high in box.values()],
            base=[low for low, _ in box.values()],
            y=list(box),
            orientation="h",
            name=name,
            marker={"color": colour},
            hovertemplate="%{y}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=parameters)
    return in_bars(figure, len(parameters) * max(1, len(boxes)), "share of the parameter's range", 1.0)


def in_bars(figure: go.Figure, n_bars: int, unit: str, highest: float) -> go.Figure:
    """Room for every bar, and names at full length."""
    figure.update_layout(**layout(unit, ""))
    figure.update_layout(height=max(HEIGHT // 2, 130 + 24 * n_bars))
    figure.update_xaxes(range=[0.0, 1.05 * highest])
    figure.update_yaxes(showgrid=False, automargin=True)
    return figure


def layout(x: str, y: str) -> dict[str, Any]:
    """Axes with their titles, and the legend below, where no toolbar covers it."""
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": True}
    return {
        "template": go.layout.Template(),
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "height": HEIGHT,
        "margin": {"l": 60, "r": 30, "t": 15, "b": 20},
        "hovermode": "closest",
        "legend": {"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "x": 0.0, "xanchor": "left"},
        "xaxis": {**axis, "title": {"text": x}, "tickformat": ",~g", "automargin": True},
        "yaxis": {**axis, "title": {"text": y}},
    }


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }}
</style></head><body><h1>{title}</h1>
{figures}
{notes}
</body></html>
"""


def page(title: str, charts: Sequence[tuple[str, Callable[..., go.Figure], go.Figure]], notes: Sequence[str]) -> str:
    """A page of its own that needs no network: each chart with a heading and its caption, and notes below."""
    parts = []
    for number, (heading, plot, figure) in enumerate(charts):
        told = (plot.__doc__ or "").strip().splitlines()[0]
        drawn = figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False})
        parts.append(f"<h2>{escape(heading)}</h2>\n<p>{escape(told)}</p>\n{drawn}")
    return PAGE.format(
        title=escape(title), figures="\n".join(parts), notes="\n".join(f"<p>{escape(note)}</p>" for note in notes)
    )
