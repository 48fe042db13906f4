"""Plots: what an ensemble looks like over time.

A plot takes an ensemble and returns a figure; the first line of its docstring is its caption, in which {days} stands
for the last day. Backgrounds and fonts are left to the page, so that a plot reads in light and in dark; ranges are
written out, so that a chart keeps its place when its data change.
"""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from sim.outcomes import daily_bands
from sim.results import Ensemble

# Told apart under all common kinds of colour blindness, and each at least 3:1 on white and on a dark page; dashes help.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#808080"
WIDE, NARROW = "rgba(0, 114, 178, 0.22)", "rgba(0, 114, 178, 0.36)"
GRID = "rgba(128, 128, 128, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"
HEIGHT = 420
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_MARKS = 7
STEPS = (1, 5, 10, 30, 60, 90, 180, 365)

# A level to compare with: its words, where it lies, its colour and its dash.
Level = tuple[str, float, str, str]


def caption(plot: Callable[..., go.Figure], ensemble: Ensemble) -> str:
    """What a plot shows, in one line."""
    return (plot.__doc__ or "").strip().splitlines()[0].format(days=ensemble.n_days - 1)


def marked_days(n_days: int, most: int = MOST_MARKS) -> list[int]:
    """Days that an axis or a table names: evenly apart, from day 0, and few enough to be read."""
    step = next((step for step in STEPS if (n_days - 1) / step < most), STEPS[-1])
    return list(range(0, n_days, step))


def states_agreeing(ensemble: Ensemble, governors: int, side_alone: int | None = None) -> go.Figure:
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


def troops_in_place(ensemble: Ensemble, target: int, active_duty: int | None = None) -> go.Figure:
    """Guard members in place, evening by evening until day {days}.

    Parameters
    ----------
    ensemble
        At least one of its runs has finished.
    target
        How many are asked for.
    active_duty
        Active-duty troops at the border, to compare with; no line if absent.
    """
    levels: list[Level] = [("asked for", target, ORANGE, "dash")]
    if active_duty is not None:
        levels.append(("active-duty troops at the border, more than", active_duty, GREY, "dot"))
    highest = max(float(daily_bands(ensemble.daily("in_place"), (0.95,)).max()), *(level for _, level, _, _ in levels))
    return _over_time(ensemble, "in_place", "people", levels, highest)


def _over_time(ensemble: Ensemble, series: str, unit: str, levels: list[Level], highest: float) -> go.Figure:
    """A series over days: two bands, the median, and levels to compare with."""
    days = np.arange(ensemble.n_days)
    p05, p25, median, p75, p95 = np.round(daily_bands(ensemble.daily(series), LEVELS), 1)
    figure = go.Figure([_band(days, p05, p95, "5 to 95 % of runs", WIDE), _band(days, p25, p75, "25 to 75 %", NARROW)])
    dates = [f"{ensemble.scenario.start + timedelta(days=int(day)):%d %b %Y}" for day in days]
    figure.add_scatter(
        x=days,
        y=median,
        name="median",
        mode="lines",
        line={"color": BLUE, "width": 2.5},
        customdata=np.array([dates, p05, p95], dtype=object).T,
        hovertemplate=f"day %{{x}}, %{{customdata[0]}}<br>median %{{y:,.4~g}} {unit}"
        "<br>5 to 95 %: %{customdata[1]:,.4~g} to %{customdata[2]:,.4~g}<extra></extra>",
    )
    for words, level, colour, dash in levels:
        figure.add_scatter(
            x=[0, ensemble.n_days - 1],
            y=[level, level],
            name=f"{words} {level:,}",
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            hoverinfo="skip",
        )
    return _laid_out(figure, ensemble, unit, highest)


def _band(
    days: NDArray[np.int_], low: NDArray[np.float64], high: NDArray[np.float64], name: str, fill: str
) -> go.Scatter:
    """An area between two quantiles as one outline, which is one trace and not two."""
    return go.Scatter(
        x=np.concatenate([days, days[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        name=name,
        mode="lines",
        line={"width": 0, "color": CLEAR},
        fill="toself",
        fillcolor=fill,
        hoverinfo="skip",
    )


def _laid_out(figure: go.Figure, ensemble: Ensemble, unit: str, highest: float) -> go.Figure:
    """Axes with days and dates, and the legend below, where no toolbar covers it."""
    marked = marked_days(ensemble.n_days)
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": True}
    figure.update_layout(
        template=go.layout.Template(),
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        height=HEIGHT,
        margin={"l": 60, "r": 30, "t": 15, "b": 20},
        hovermode="closest",
        legend={"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "x": 0.0, "xanchor": "left"},
        xaxis={
            **axis,
            "title": {"text": "day since the request, and date"},
            "range": [0, max(1, ensemble.n_days - 1)],
            "tickvals": marked,
            "ticktext": _dated(marked, ensemble),
            "tickangle": 0,
            "automargin": True,
        },
        yaxis={**axis, "title": {"text": unit}, "range": [0.0, 1.05 * max(1.0, highest)], "tickformat": ",~g"},
    )
    return figure


def _dated(days: list[int], ensemble: Ensemble) -> list[str]:
    """Marks of an axis: the day, the date below, and the year where it begins."""
    dates = [ensemble.scenario.start + timedelta(days=day) for day in days]
    years = [str(date.year) if k == 0 or date.year != dates[k - 1].year else "" for k, date in enumerate(dates)]
    return [f"{day}<br>{date:%d %b}<br>{year}" for day, date, year in zip(days, dates, years, strict=True)]
