"""Precision: how many runs make the interval of a mean, and of a median, as narrow as wanted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.parameters import InputError
from sim.studies import CONFIDENCE, Numbers, finite, lab, quiet

# Fewer runs say nothing of an interval of a skewed outcome; the look ahead is that of Hoad, Robinson and Davies (2010).
FEWEST_RUNS, LOOK_AHEAD = 20, 5


@dataclass(frozen=True)
class Precision:
    """How many runs make an interval as narrow as wanted, for the mean and for the median.

    runs_for_mean, runs_for_median
        None where as many runs as were allowed do not do.
    values
        The outcome of each run made, never as NaN; shape (n_runs,).
    running
        Mean, low and high end of its interval after each run; shape (3, n_runs), NaN before there is an interval.
    mean, median
        (estimate, low end, high end) after the number of runs told, or after all; None where it falls on never.
    """

    half_width: float
    is_relative: bool
    most: int
    runs_for_mean: int | None
    runs_for_median: int | None
    values: Numbers
    running: Numbers
    mean: tuple[float | None, ...]
    median: tuple[float | None, ...]


class _Adapter:
    """One run at a time, as sim-tools asks for it, and a memory of what it was given."""

    def __init__(self, single: Callable[[int], float], never: float, shift: float) -> None:
        self.single, self.never, self.shift = single, never, shift
        self.values: list[float] = []

    def single_run(self, replication_number: int) -> dict[str, float]:
        """The outcome of a run, shifted."""
        value = self.single(replication_number)
        self.values.append(value)
        return {"outcome": (self.never if np.isnan(value) else value) + self.shift}


def precision(
    single: Callable[[int], float],
    half_width: float,
    is_relative: bool = False,
    never: float = np.nan,
    most: int = 2000,
) -> Precision:
    """Find how many runs are enough.

    Parameters
    ----------
    single
        The outcome of run r, for r = 0, 1, 2 and so on.
    half_width
        Wanted half-width of the 95 % interval, in the unit of the outcome, or as a share of the estimate.
    never
        What a run in which it never happens counts as in the mean.
    most
        Runs at most.
    """
    with lab("precision", "sim-tools"):
        from sim_tools.output_analysis import ReplicationsAlgorithm
    if not half_width > 0.0:
        raise InputError(f"--half-width {half_width:g} must be more than 0")
    if most < FEWEST_RUNS:
        raise InputError(f"--most {most}: at least {FEWEST_RUNS} runs are needed")
    first = [single(r) for r in range(FEWEST_RUNS)]
    # The algorithm knows half-widths relative to the mean only. Around a mean to which a large number has been added,
    # relative and absolute are the same; a million times the data keeps ten digits of their spread.
    scale = 0.0 if is_relative else 1e6 * max(half_width, float(np.max(np.abs(np.nan_to_num(first, nan=0.0)))), 1.0)
    adapter = _Adapter(single, never, scale)
    algorithm = ReplicationsAlgorithm(
        alpha=1.0 - CONFIDENCE,
        half_width_precision=half_width if is_relative else half_width / scale,
        initial_replications=FEWEST_RUNS,
        look_ahead=LOOK_AHEAD,
        replication_budget=most,
    )
    with quiet():
        solutions, table = algorithm.select(adapter, ["outcome"])
    found = solutions["outcome"]
    runs_for_mean = None if found is None or found > most else max(FEWEST_RUNS, int(found))
    running = table[["Cumulative Mean", "Lower Interval", "Upper Interval"]].to_numpy().T - scale
    runs_for_median = _runs_for_median(single, half_width, is_relative, adapter.values, most)
    values = np.array(adapter.values)
    at = (runs_for_mean or running.shape[1]) - 1
    median = median_interval(values[:runs_for_median])
    return Precision(
        half_width,
        is_relative,
        most,
        runs_for_mean,
        runs_for_median,
        values,
        running,
        tuple(map(finite, running[:, at])),
        tuple(map(finite, median)),
    )


def median_interval(values: Numbers) -> tuple[float, float, float]:
    """The median and its 95 % interval from order statistics; infinite where it falls on runs that never get there."""
    from scipy.stats import quantile_test

    with quiet():
        ranked = np.where(np.isnan(values), np.inf, values)
        low, high = quantile_test(ranked, p=0.5).confidence_interval(CONFIDENCE)
        return float(np.quantile(ranked, 0.5)), float(low), float(high)


def _runs_for_median(
    single: Callable[[int], float], half_width: float, is_relative: bool, values: list[float], most: int
) -> int | None:
    """The first number of runs that is enough, and stays so for the same look ahead as for the mean."""
    since = None
    n = FEWEST_RUNS
    while n <= most + (LOOK_AHEAD * max(since or 0, 100)) // 100:
        while len(values) < n:
            values.append(single(len(values)))
        median, low, high = median_interval(np.array(values[:n]))
        wanted = half_width * abs(median) if is_relative else half_width
        is_enough = np.isfinite(high) and np.isfinite(low) and (high - low) / 2.0 <= wanted
        since = (since or n) if is_enough else None
        if since is None and n >= most:
            return None
        if since is not None and n - since >= (LOOK_AHEAD * max(since, 100)) // 100:
            return since
        n += 1
    return None
