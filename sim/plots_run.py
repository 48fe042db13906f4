"""Plots of one run, and of three channels side by side; `plots` says what holds for all plots."""

from collections.abc import Sequence
from html import escape
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from sim.plots import BLUE, GREY, HEIGHT, LINES, ORANGE, Result, area, laid_out, short, shown_days
from sim.summary import mean, quantiles

# Colour, band and dash of each channel, told apart in grey too.
WAYS = (
    (BLUE, "rgba(0, 114, 178, 0.22)", "solid"),
    (ORANGE, "rgba(213, 94, 0, 0.20)", "dash"),
    ("#009E73", "rgba(0, 158, 115, 0.20)", "dot"),
)
# Symbols of a timeline's rows.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")


def channels(ensemble: Result, series: Sequence[tuple[str, str]], wanted: int) -> go.Figure:
    """People whom each channel alone has, evening by evening until day {days}: medians, and 5 to 95 % of runs.

    Parameters
    ----------
    series
        What each channel is called, and its name in `results.SERIES`.
    wanted
        How many people are wanted: a level to compare with.
    """
    days = shown_days(ensemble.n_days)
    figure, highest = go.Figure(), float(wanted)
    for (words, name), (colour, fill, dash) in zip(series, cycle(WAYS)):
        low, _, median, _, high = short(quantiles(ensemble, name)[:, days], 1)
        highest = max(highest, min(float(high.max()), 2.0 * wanted))
        band = area(days, low, high, f"{words}, 5 to 95 %", fill)
        figure.add_trace(band | {"showlegend": False})
        figure.add_scatter(
            x=days,
            y=median,
            name=words,
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"day %{{x}}<br>{words}: median %{{y:,.4~g}} people<extra></extra>",
        )
    figure.add_scatter(
        x=[0, ensemble.n_days - 1],
        y=[wanted, wanted],
        name=f"wanted {wanted:,}",
        mode="lines",
        line={"color": GREY, "width": 2, "dash": "longdash"},
        hoverinfo="skip",
    )
    return laid_out(figure, ensemble, "people", highest)


def timeline(ensemble: Result, marks: Sequence[tuple[int, str, int, int, list[str]]]) -> go.Figure:
    """What happened on which day in one run until day {days}: a mark for each kind of event, larger where there were more.

    Parameters
    ----------
    ensemble
        The run, alone.
    marks
        Day, kind, number of events, people, and sentences for whoever points at the mark.
    """
    kinds = list(dict.fromkeys(kind for _, kind, *_ in marks))[::-1]
    figure = go.Figure()
    for (kind, (colour, _)), symbol in zip(zip(kinds, cycle(LINES)), cycle(SYMBOLS)):
        of_kind = [mark for mark in marks if mark[1] == kind]
        figure.add_scatter(
            x=[mark[0] for mark in of_kind],
            y=[kind] * len(of_kind),
            mode="markers",
            marker={
                "color": colour,
                "symbol": symbol,
                "size": [round(6 + 4 * np.log10(mark[2]), 1) for mark in of_kind],
            },
            customdata=[[mark[2], escape("\n".join(mark[4])).replace("\n", "<br>")] for mark in of_kind],
            hovertemplate="day %{x}, %{customdata[0]} of them<br>%{customdata[1]}<extra></extra>",
            showlegend=False,
        )
    laid_out(figure, ensemble, "", 1.0)
    figure.update_layout(height=max(HEIGHT // 2, 120 + 22 * len(kinds)))
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=kinds, range=[-0.6, len(kinds) - 0.4], tickformat=None
    )
    figure.update_yaxes(automargin=True, title=None)
    return figure


def in_one_run(ensemble: Result, series: Sequence[tuple[str, str]]) -> go.Figure:
    """People of one run by where they are, evening by evening until day {days}.

    Parameters
    ----------
    ensemble
        The run, alone.
    series
        What each line is called, and its name in `results.SERIES`.
    """
    days = shown_days(ensemble.n_days)
    figure, highest = go.Figure(), 1.0
    for (words, name), (colour, dash), width in zip(
        series, cycle(LINES), cycle((2.5, 2.5, 2.5, 2.5, 1.5, 1.5, 1.5, 1.5))
    ):
        values = mean(ensemble, name)[days]
        highest = max(highest, float(values.max()))
        figure.add_scatter(
            x=days,
            y=short(values, 0),
            name=words,
            mode="lines",
            line={"color": colour, "width": width, "dash": dash},
            hovertemplate=f"day %{{x}}<br>{words}: %{{y:,.5~g}} people<extra></extra>",
        )
    return laid_out(figure, ensemble, "people", highest)
