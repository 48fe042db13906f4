"""Plots of the past: a replay under what was counted, answers on squares, scores beside baselines, two checks of chances.

`plots` says what holds for all plots. Everything comes as plain arrays, so nothing here knows the model or a case.
"""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from sim.plots import BLUE, GREY, HEIGHT, NARROW, ORANGE, WIDE, area, in_bars, layout, marked_days, short, shown_days

Numbers = NDArray[np.float64]
# What was said and what the model gave: colour and letter, so that colour is never alone.
ANSWERED = {
    "said yes, model likely": ("#0072B2", "Y"),
    "said yes, model unlikely": ("#56B4E9", "y"),
    "said no, model unlikely": ("#E69F00", "N"),
    "said no, model likely": ("#D55E00", "n"),
    "answer not known": ("#E8E8E8", ""),
}
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def replay(simulated: NDArray[np.int64], counted: Sequence[tuple[int, int]], target: float) -> go.Figure:
    """People of one measure in the runs of a past request, and those who were counted.

    Parameters
    ----------
    simulated
        By run and evening, shape (n_runs, n_days).
    counted
        (day, people) of each count.
    target
        How many were asked for: a level to compare with.
    """
    n_days = simulated.shape[1]
    days = shown_days(n_days)
    p05, p25, median, p75, p95 = short(np.quantile(simulated[:, days], LEVELS, axis=0), 0)
    figure = go.Figure([area(days, p05, p95, "5 to 95 % of runs", WIDE), area(days, p25, p75, "25 to 75 %", NARROW)])
    figure.add_scatter(x=days, y=median, name="median", mode="lines", line={"color": BLUE, "width": 2.5})
    figure.add_scatter(
        x=[0, n_days - 1],
        y=[target, target],
        name=f"asked for {target:,.0f}",
        mode="lines",
        line={"color": GREY, "width": 2, "dash": "dash"},
    )
    figure.add_scatter(
        x=[day for day, _ in counted],
        y=[n for _, n in counted],
        name="counted",
        mode="markers",
        marker={"color": ORANGE, "size": 11, "symbol": "diamond", "line": {"color": "white", "width": 1}},
        hovertemplate="day %{x}: %{y:,} counted<extra></extra>",
    )
    highest = max(float(p95.max()), target, *(float(n) for _, n in counted))
    figure.update_layout(**layout("day since the request", "people"))
    figure.update_xaxes(range=[0, max(1, n_days - 1)], tickvals=marked_days(n_days))
    figure.update_yaxes(range=[0.0, 1.05 * max(1.0, highest)], tickformat=",~g")
    return figure


def answers(squares: Mapping[str, tuple[int, int]], kinds: Mapping[str, str]) -> go.Figure:
    """States by what they said and by what the model gave, each as a square of the same size.

    Parameters
    ----------
    squares
        Column and row of each state, by postal code.
    kinds
        A key of ANSWERED by postal code; states that are missing here are not known.
    """
    figure = go.Figure()
    for kind, (colour, letter) in ANSWERED.items():
        codes = [code for code in squares if kinds.get(code, "answer not known") == kind]
        figure.add_scatter(
            x=[squares[code][0] for code in codes],
            y=[-squares[code][1] for code in codes],
            name=f"{kind} ({letter})" if letter else kind,
            showlegend=True,
            mode="markers+text",
            text=[f"{code}<br>{letter}" for code in codes],
            textfont={"size": 10, "color": "white" if colour in ("#0072B2", "#D55E00") else "#222222"},
            marker={"symbol": "square", "size": 32, "color": colour, "line": {"color": GREY, "width": 1}},
            hovertemplate=f"%{{text}}: {kind}<extra></extra>",
        )
    columns, rows = zip(*squares.values(), strict=True)
    figure.update_layout(**layout("", ""))
    figure.update_xaxes(range=[min(columns) - 0.7, max(columns) + 0.7], visible=False)
    figure.update_yaxes(range=[-max(rows) - 0.7, -min(rows) + 0.7], visible=False)
    return figure


def forecasters(scores: Sequence[tuple[str, float, float, float]], unit: str) -> go.Figure:
    """Mean scores of the model and of the baselines with their intervals: further left is better.

    Parameters
    ----------
    scores
        (name, mean, low, high), the model first.
    """
    names = [escape(name) for name, *_ in scores][::-1]
    means, low, high = (np.array([row[k] for row in scores][::-1], float) for k in (1, 2, 3))
    figure = go.Figure(
        go.Scatter(
            x=means,
            y=names,
            mode="markers",
            marker={"size": 12, "color": [BLUE if k == len(names) - 1 else ORANGE for k in range(len(names))]},
            error_x={"type": "data", "symmetric": False, "array": high - means, "arrayminus": means - low},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
    )
    return in_bars(figure, len(names), unit, float(np.nanmax([*high, *means, 0.1])))


def histogram(counts: Sequence[int]) -> go.Figure:
    """Where counts of people lie in their simulated distributions: even bars mean that bands are as wide as they say."""
    n = len(counts)
    words = [f"{100 * k // n} to {100 * (k + 1) // n} %" for k in range(n)]
    figure = go.Figure(go.Bar(x=words, y=list(counts), marker={"color": BLUE}, name="counts"))
    even = sum(counts) / max(1, n)
    figure.add_scatter(x=words, y=[even] * n, mode="lines", name="even", line={"color": ORANGE, "dash": "dash"})
    figure.update_layout(**layout("part of the simulated distribution below the count", "counts"))
    figure.update_xaxes(tickformat=None)
    figure.update_yaxes(range=[0, 1.15 * max([1, *counts])])
    return figure


def reliability(bins: Sequence[tuple[float, float, int]]) -> go.Figure:
    """Whether what was called likely was common: the share that said yes against the chance that the model gave.

    Parameters
    ----------
    bins
        (mean chance, share that said yes, how many states).
    """
    figure = go.Figure(
        go.Scatter(
            x=[chance for chance, _, _ in bins],
            y=[share for _, share, _ in bins],
            mode="markers+text",
            text=[str(n) for *_, n in bins],
            textposition="top center",
            marker={"color": BLUE, "size": 12},
            name="states (how many)",
        )
    )
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="as called", line={"color": ORANGE, "dash": "dash"})
    figure.update_layout(**layout("chance of a yes, by the model", "share that said yes"))
    figure.update_layout(height=HEIGHT)
    figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(range=[-0.03, 1.1])
    return figure
