"""Comparisons: two ensembles of the same luck, run by run."""

import math
from collections import Counter
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sim import outcomes
from sim.outcomes import OUTCOMES, band
from sim.parameters import model_version
from sim.report import NOT_A_FORECAST, whole
from sim.results import Ensemble, Event, Run
from sim.story import sentence

# Kinds of events, from the top of a timeline down; whatever is named nowhere is a shock or the law.
LANES = {
    "requester": ("approved", "round", "asked", "asked again", "federalized", "returned to the governor"),
    "shocks, law": (),
    "governors": (
        "accept",
        "accept with limits",
        "accept more",
        "decline",
        "decline more",
        "no answer",
        "withdraw",
        "orders units",
        "sends",
    ),
    "people": (
        "come forward",
        "takes seats",
        "in place",
        "goes home",
        "leaves",
        "moves to another role",
        "officers hired",
        "recalled",
    ),
}


def lane_of(event: Event) -> str:
    """Which of LANES an event belongs to."""
    return next((lane for lane, kinds in LANES.items() if event.event in kinds), "shocks, law")


def paired(a: Ensemble, b: Ensemble) -> dict[str, dict[str, float | None]]:
    """Differences b - a of every outcome, run by run under the same luck.

    Returns
    -------
    By outcome: mean difference, the ends of its 95 % interval, 5-95 % of the differences, and the share of pairs in
    which the outcome happened in both.
    """
    both = a.done & b.done
    at_a, at_b = (np.cumsum(e.done) - 1 for e in (a, b))
    found = {}
    measured_a, measured_b = outcomes.measure_all(a), outcomes.measure_all(b)
    for name in OUTCOMES:
        differences = measured_b[name][at_b[both]] - measured_a[name][at_a[both]]
        known = differences[np.isfinite(differences)]
        mean = half = low = high = None
        if len(known):
            mean = float(known.mean())
            low, high = (float(q) for q in np.quantile(known, (0.05, 0.95)))
        if len(known) > 1:
            half = float(1.96 * known.std(ddof=1) / math.sqrt(len(known)))
        found[name] = {
            "mean": mean,
            "low": None if mean is None or half is None else mean - half,
            "high": None if mean is None or half is None else mean + half,
            "p05": low,
            "p95": high,
            "both": float(len(known) / both.sum()) if both.any() else 0.0,
        }
    return found


def parting_days(a: Ensemble, b: Ensemble) -> np.ndarray:
    """For each run finished in both, the first day on which any national count differs; NaN where none does."""
    n_days = min(a.n_days, b.n_days)
    both = a.done & b.done
    differs = (a.series[both][:, :, :n_days] != b.series[both][:, :, :n_days]).any(axis=1)
    return np.where(differs.any(axis=1), differs.argmax(axis=1), np.nan)


def daily_differences(a: Ensemble, b: Ensemble, name: str) -> np.ndarray:
    """Differences b - a of a series by day, run by run under the same luck, over the days that both have.

    Returns
    -------
    Mean, the ends of its 95 % interval, and the 5 and 95 % quantiles, shape (5, n_days); the interval of a single
    pair has no width.
    """
    n_days = min(a.n_days, b.n_days)
    both = a.done & b.done
    at_a, at_b = (np.cumsum(e.done) - 1 for e in (a, b))
    change = b.daily(name)[at_b[both], :n_days].astype(float) - a.daily(name)[at_a[both], :n_days]
    mean, n = change.mean(axis=0), len(change)
    half = 1.96 * change.std(axis=0, ddof=1) / math.sqrt(n) if n > 1 else np.zeros(n_days)
    return np.vstack([mean, mean - half, mean + half, np.quantile(change, (0.05, 0.95), axis=0)])


def downstream(a: Run, b: Run) -> list[tuple[str, Event]]:
    """Everything that happens in one history and not in the other, as ("A" or "B", event) in the order of days.

    Two events are the same if they happen on the same day, to the same state, from the same cause, with as many people:
    the number of a cohort does not tell them apart.
    """
    counts = [Counter(_happening(event) for event in run.events) for run in (a, b)]
    found: list[tuple[str, Event]] = []
    for letter, run, other in (("A", a, counts[1]), ("B", b, counts[0])):
        for event in run.events:
            if other[_happening(event)] > 0:
                other[_happening(event)] -= 1
            else:
                found.append((letter, event))
    return sorted(found, key=lambda row: row[1].time)


def _happening(event: Event) -> tuple[Any, ...]:
    return event.time, event.event, event.state, event.cause, event.people


def first_difference(a: Run, b: Run) -> tuple[Event | None, Event | None] | None:
    """The first events at which two histories part, one of each (None where one has no further event)."""
    for mine, other in zip(a.events, b.events, strict=False):
        if mine != other:
            return mine, other
    if len(a.events) != len(b.events):
        n = min(len(a.events), len(b.events))
        return (a.events[n] if len(a.events) > n else None, b.events[n] if len(b.events) > n else None)
    return None


def comparison(a: Ensemble, b: Ensemble, parted: tuple[Event | None, Event | None] | None) -> RenderableType:
    """Two scenarios under the same luck."""
    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "unit", "A: median", "B: median", "mean of B - A (95 % interval)", "5-95 % of B - A"):
        table.add_column(heading, overflow="fold")
    measured_a, measured_b = outcomes.measure_all(a), outcomes.measure_all(b)
    for name, row in paired(a, b).items():
        if row["mean"] is None:
            interval = spread = "-"
        else:
            ends = "" if row["low"] is None else f"  ({_signed(row['low'])} to {_signed(row['high'])})"
            interval = f"{_signed(row['mean'])}{ends}"
            spread = f"{_signed(row['p05'])} to {_signed(row['p95'])}"
            if row["both"] is not None and row["both"] < 1.0:
                spread += f"  (happened in both in {100 * row['both']:.0f} %)"
        medians = (band(measured[name]).median for measured in (measured_a, measured_b))
        table.add_row(
            name, OUTCOMES[name].unit, *(whole(m) if m is not None else "never" for m in medians), interval, spread
        )
    days = parting_days(a, b)
    parted_runs = days[np.isfinite(days)]
    if len(parted_runs):
        words = (
            f"The histories part in {len(parted_runs)} of {len(days)} runs, first on day {int(parted_runs.min())}, "
            f"in half of them by day {whole(float(np.median(parted_runs)))}."
        )
    else:
        words = f"The histories are the same in all {len(days)} runs."
    if parted:
        for label, event in zip("AB", parted, strict=True):
            words += f"\n  In the first pair of runs, {label}: " + (
                "nothing more happens" if event is None else f"day {event.time}: {sentence(event)}"
            )
    head = Text(f"A: {a.scenario.title}\nB: {b.scenario.title}", style="bold")
    differences = [f"  {what}: {here} -> {there}" for what, here, there in a.scenario.differences(b.scenario)]
    told = Text("What differs (A -> B):\n" + ("\n".join(differences) or "  nothing"))
    return Group(head, told, table, Text(words), Text(NOT_A_FORECAST, style="italic"))


def _signed(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+,.0f}" if abs(value) >= 20 else f"{value:+.2f}"


def comparison_json(a: Ensemble, b: Ensemble, parted: tuple[Event | None, Event | None] | None) -> dict[str, Any]:
    """Two scenarios under the same luck as one object."""
    days = parting_days(a, b)
    known = days[np.isfinite(days)]
    return {
        "a": a.scenario.name,
        "b": b.scenario.name,
        "model_version": model_version(),
        "seed": a.seed,
        "runs": len(a.pairs),
        "differences": [{"what": w, "a": x, "b": y} for w, x, y in a.scenario.differences(b.scenario)],
        "paired": paired(a, b),
        "runs_that_part": len(known),
        "first_parting_day": int(known.min()) if len(known) else None,
        "median_parting_day": float(np.median(known)) if len(known) else None,
        "first_different_events": None if parted is None else [e and e._asdict() for e in parted],
        "digests": [a.digest, b.digest],
        "note": NOT_A_FORECAST,
    }
