"""Close-ups: plots of one state, of one decision, and of two scenarios side by side.

Like `plots`, they take results or plain numbers and return figures whose first docstring line is the caption.
"""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from sim.plots import BLUE, CLEAR, GREY, HEIGHT, LINES, ORANGE, WIDE, area, in_bars, laid_out, short, shown_days
from sim.summary import LEVELS, Summary, quantiles

Numbers = NDArray[np.float64]
# Two scenarios: colour, dash, fill and mark of each.
PAIR = ((BLUE, "solid", WIDE, "circle"), (ORANGE, "dash", "rgba(213, 94, 0, 0.20)", "diamond-open"))


def shares(of: Summary, lines: Sequence[tuple[str, Numbers]]) -> go.Figure:
    """Share of runs, evening by evening until day {days}.

    Parameters
    ----------
    lines
        Words and shares from 0 to 1 by day, one line each.
    """
    days = shown_days(of.n_days)
    figure = go.Figure()
    for (words, share), (colour, dash) in zip(lines, cycle(LINES)):
        figure.add_scatter(
            x=days,
            y=short(100.0 * share[days], 1),
            name=words,
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"day %{{x}}<br>{words}: %{{y:.3~g}} % of runs<extra></extra>",
            showlegend=True,
        )
    return laid_out(figure, of, "% of runs", 100.0)


def terms(names: Sequence[str], sizes: Numbers) -> go.Figure:
    """What speaks for a yes (to the right) and against it (to the left).

    Parameters
    ----------
    names, sizes
        At least one term, and what each adds to support, log-odds.
    """
    figure = go.Figure()
    for words, is_for, colour, pattern in (("for", True, BLUE, ""), ("against", False, ORANGE, "/")):
        keep = [n for n, size in reversed(list(enumerate(sizes))) if (size > 0) == is_for]
        figure.add_bar(
            x=[round(float(sizes[n]), 3) for n in keep],
            y=[names[n] for n in keep],
            orientation="h",
            name=words,
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "fgcolor": "#FFFFFF", "bgcolor": colour, "solidity": 0.2},
            },
            text=[f"{sizes[n]:+.2f}" for n in keep],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}<br>%{x:+.3f} log-odds<extra></extra>",
            showlegend=True,
        )
    # Room for the numbers beside the bars, on a phone too.
    reach = 1.7 * float(np.abs(sizes).max(initial=0.0)) or 1.0
    figure = in_bars(figure, len(names), "log-odds", 1.0)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[-reach, reach], zeroline=True, zerolinecolor=GREY, zerolinewidth=2)
    figure.update_yaxes(categoryorder="array", categoryarray=list(names)[::-1])
    return figure


def intervals(rows: Sequence[tuple[str, Numbers]], unit: str, highest: float) -> go.Figure:
    """Medians, and where half of the runs (thick) and 90 % of the runs (thin) lie.

    Parameters
    ----------
    rows
        From the top down: words, and one number for each run, at least one.
    highest
        End of the axis.
    """
    figure = go.Figure()
    names = [words for words, _ in rows]
    spans = [np.quantile(values, LEVELS) for _, values in rows]
    for low, high, words, width in ((0, 4, "5 to 95 % of runs", 3), (1, 3, "25 to 75 %", 11)):
        x: list[float | None] = []
        y: list[str | None] = []
        for name, span in zip(names, spans, strict=True):
            x += [round(float(span[low]), 2), round(float(span[high]), 2), None]
            y += [name, name, None]
        figure.add_scatter(
            x=x, y=y, name=words, mode="lines", line={"color": BLUE, "width": width}, hoverinfo="skip", showlegend=True
        )
    figure.add_scatter(
        x=[round(float(span[2]), 2) for span in spans],
        y=names,
        name="median",
        mode="markers",
        marker={"color": ORANGE, "size": 12, "symbol": "diamond", "line": {"color": "#FFFFFF", "width": 1}},
        hovertemplate=f"%{{y}}<br>median %{{x:,.4~g}} {unit}<extra></extra>",
        showlegend=True,
    )
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
    figure = in_bars(figure, len(rows), unit, highest)
    figure.update_yaxes(range=[-0.6, len(rows) - 0.4])
    return figure


def two(a: Summary, b: Summary, series: str, unit: str) -> go.Figure:
    """A and B on the same axes, evening by evening: medians, and bands from 5 to 95 % of runs."""
    longer = a if a.n_days >= b.n_days else b
    figure = go.Figure()
    highest = 0.0
    for of, letter, (colour, dash, fill, _) in zip((a, b), "AB", PAIR, strict=True):
        days = shown_days(of.n_days)
        p05, _, median, _, p95 = short(quantiles(of, series)[:, days], 1)
        band = area(days, p05, p95, f"{letter}: 5 to 95 %", fill)
        # Where bands lie on each other, their edges tell them apart.
        figure.add_trace(band | {"line": {"width": 1, "color": colour, "dash": dash}})
        figure.add_scatter(
            x=days,
            y=median,
            name=f"{letter}: median",
            mode="lines",
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"day %{{x}}<br>{letter}: median %{{y:,.4~g}} {unit}<extra></extra>",
        )
        highest = max(highest, float(p95.max()))
    return laid_out(figure, longer, unit, highest)


def difference(of: Summary, daily: Numbers, unit: str) -> go.Figure:
    """B less A, run by run under the same luck, evening by evening.

    Parameters
    ----------
    of
        Gives the calendar.
    daily
        Mean, the ends of its 95 % interval, and the 5 and 95 % quantiles, shape (5, n_days).
    """
    days = shown_days(daily.shape[1])
    mean, low, high, p05, p95 = short(daily[:, days], 2)
    figure = go.Figure([area(days, p05, p95, "5 to 95 % of pairs of runs", WIDE)])
    figure.add_trace(area(days, low, high, "95 % interval of the mean", "rgba(213, 94, 0, 0.45)"))
    figure.add_scatter(
        x=days,
        y=mean,
        name="mean of B - A",
        mode="lines",
        line={"color": ORANGE, "width": 2},
        hovertemplate=f"day %{{x}}<br>mean of B - A %{{y:+,.4~g}} {unit}<extra></extra>",
    )
    figure = laid_out(figure, of, unit, 1.0)
    reach = 1.05 * max(1.0, float(np.abs(daily[3:]).max()), float(np.abs(daily[:3]).max()))
    figure.update_yaxes(range=[-reach, reach], zeroline=True, zerolinecolor=GREY, zerolinewidth=2)
    return figure


def parted(of: Summary, days: Numbers) -> go.Figure:
    """Share of pairs of runs whose histories have parted, evening by evening.

    Parameters
    ----------
    of
        Gives the calendar.
    days
        For each pair the day on which it parts, NaN for never.
    """
    at = np.arange(of.n_days)
    share = (days[:, np.newaxis] <= at).mean(axis=0) if len(days) else np.zeros(of.n_days)
    return shares(of, [("have parted", share)])


def timeline(of: Summary, lanes: Sequence[str], marks: Sequence[Sequence[tuple[int, str, str]]]) -> go.Figure:
    """What happens in one history and not in the other, by day.

    Parameters
    ----------
    of
        Gives the calendar.
    lanes
        Kinds of happenings, from the top down.
    marks
        For A and for B, rows of (day, lane, words).
    """
    place = {lane: len(lanes) - 1 - n for n, lane in enumerate(lanes)}
    figure = go.Figure()
    for rows, letter, (colour, _, _, symbol), side in zip(marks, "AB", PAIR, (0.17, -0.17), strict=True):
        figure.add_scatter(
            x=[day for day, _, _ in rows],
            y=[place[lane] + side for _, lane, _ in rows],
            name=f"only in {letter}",
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 1.5, "color": colour}},
            text=[words for _, _, words in rows],
            hovertemplate=f"day %{{x}}, only in {letter}<br>%{{text}}<extra></extra>",
            showlegend=True,
        )
    figure = laid_out(figure, of, "", 1.0)
    figure.update_layout(height=HEIGHT * 3 // 4, plot_bgcolor=CLEAR)
    figure.update_yaxes(
        range=[-0.5, len(lanes) - 0.5], tickvals=list(place.values()), ticktext=list(place), automargin=True
    )
    return figure
