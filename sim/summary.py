"""Summaries: an ensemble reduced to what a page shows of it, small enough to be kept for many visitors.

A thousand runs fill some 20 MB; their summary fills less than one. What needs each run by day (a filter, an export of all
runs) goes back to the ensemble.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from operator import call
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.outcomes import Band, band, daily_bands, measure_all
from sim.parallel import spread, workers
from sim.results import SERIES, Ensemble

Numbers = NDArray[np.float64]
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
# Parts of the target whose chance is told by day.
PARTS = tuple(percent / 100.0 for percent in range(5, 101, 5))

# Runs whose days are turned into rows together: their lines of memory are still at hand for the next day.
TOGETHER = 250


@dataclass(frozen=True)
class Summary:
    """What is shown of an ensemble; arrays are read-only and axes are those of `results.Ensemble`.

    runs, failed
        How many runs finished, and how many did not.
    first_error
        What the first run that failed said; empty if none did.
    bands
        Quantiles over runs at LEVELS, shape (n_series, 5, n_days).
    means
        Shape (n_series, n_days).
    reached
        Share of runs that have had at least a part of the target in place by a day, shape (len(PARTS), n_days).
    values
        Each outcome, one number for each finished run; NaN where it never happened.
    status_counts
        Runs in which a state had a status, shape (n_days, n_states, n_statuses).
    last_status
        Status on the last day in each finished run, shape (n_finished, n_states).
    pairs
        (draw, replication) of each finished run.
    words, passport
        The result in a sentence, and the code from which it can be run again; for whoever summarizes to fill in.
    """

    scenario: Any
    seed: int
    codes: tuple[str, ...]
    runs: int
    failed: int
    first_error: str
    bands: NDArray[np.float32]
    means: NDArray[np.float32]
    reached: NDArray[np.float32]
    values: Mapping[str, Numbers]
    status_counts: NDArray[np.int32]
    last_status: NDArray[np.int8]
    pairs: tuple[tuple[int | None, int], ...]
    digest: str
    engine: str
    seconds: float
    words: str = ""
    passport: str | None = None
    _bands: dict[str, Band] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_days(self) -> int:
        """Evenings recorded."""
        return self.bands.shape[2]

    def outcome(self, name: str) -> Band:
        """Median and spread of an outcome over runs."""
        if name not in self._bands:
            self._bands[name] = band(self.values[name])
        return self._bands[name]

    def share(self, status: tuple[int, ...]) -> Numbers:
        """Share of runs in which a state has one of some statuses, shape (n_days, n_states)."""
        return self.status_counts[:, :, list(status)].sum(axis=2) / max(1, self.runs)


def quantiles(of: Ensemble | Summary, name: str) -> Numbers:
    """A series at LEVELS by day, shape (5, n_days)."""
    if isinstance(of, Summary):
        return of.bands[SERIES.index(name)].astype(float)
    return daily_bands(of.daily(name), LEVELS)


def mean(of: Ensemble | Summary, name: str) -> Numbers:
    """The mean of a series over runs by day, shape (n_days,)."""
    if isinstance(of, Summary):
        return of.means[SERIES.index(name)].astype(float)
    return np.asarray(of.daily(name).mean(axis=0))


def dates(of: Ensemble | Summary, days: list[int] | range) -> list[str]:
    """Calendar dates of some days, as 2025-05-15."""
    return [(of.scenario.start + timedelta(days=day)).isoformat() for day in days]


def summarize(ensemble: Ensemble, jobs: int = 1) -> Summary:
    """Reduce an ensemble of which at least one run has finished, on so many threads (0 takes all cores)."""
    done = ensemble.done
    series = ensemble.series if done.all() else ensemble.series[done]
    measured, reached = partial(measure_all, ensemble), partial(_reached, ensemble)
    over_runs = [partial(_over_runs, series, k) for k in range(series.shape[1])]
    # The longest first, so that no thread is left alone with one of them.
    tasks: list[Any] = [measured, reached, *over_runs]
    with workers(jobs, in_threads=True) as threads:
        found: dict[Any, Any] = dict(spread(threads, call, tasks))
    bands, means = zip(*map(found.__getitem__, over_runs), strict=True)
    return Summary(
        scenario=ensemble.scenario,
        seed=ensemble.seed,
        codes=ensemble.codes,
        runs=int(done.sum()),
        failed=len(ensemble.errors),
        first_error=ensemble.errors[min(ensemble.errors)] if ensemble.errors else "",
        bands=_kept(bands, np.float32),
        means=_kept(means, np.float32),
        reached=_kept(found[reached], np.float32),
        values={name: _kept(values, np.float64) for name, values in found[measured].items()},
        status_counts=_kept(ensemble.status_counts, np.int32),
        last_status=_kept(ensemble.last_status[done], np.int8),
        pairs=tuple(pair for pair, is_done in zip(ensemble.pairs, done, strict=True) if is_done),
        digest=ensemble.digest,
        engine=ensemble.engine,
        seconds=ensemble.seconds,
    )


def _over_runs(series: NDArray[np.int32], k: int) -> tuple[Numbers, Numbers]:
    """Of one series, quantiles at LEVELS and the mean over runs, shapes (5, n_days) and (n_days,)."""
    # One at a time: what is in hand then fits the processor's cache, and no second copy of all is made.
    n_runs, _, n_days = series.shape
    ordered = np.empty((n_days, n_runs), np.int32)
    for first in range(0, n_runs, TOGETHER):
        ordered[:, first : first + TOGETHER] = series[first : first + TOGETHER, k].T
    ordered.sort(axis=1)
    # Counts of 32 bits are added five times as fast where their sum has no more.
    is_small = int(ordered[:, -1].max()) * n_runs < 1 << 31
    return _quantiles(ordered), ordered.sum(axis=1, dtype=np.int32 if is_small else np.int64) / n_runs


def _reached(ensemble: Ensemble) -> Numbers:
    """Share of runs that have had a part of the target in place by a day, shape (len(PARTS), n_days)."""
    so_far = np.ascontiguousarray(np.maximum.accumulate(ensemble.daily("in_place"), axis=1).T)
    so_far.sort(axis=1)
    n_days, n = so_far.shape
    target = float(ensemble.scenario.value("request.target"))
    # Counts are whole, so the next whole number up is the same level.
    levels = np.ceil([part * target for part in PARTS]).astype(np.int64)
    # Days one above the other are one sorted row, in which all levels of all days are found at once.
    days = np.arange(n_days)[:, np.newaxis]
    apart = days * (max(int(levels[-1]), int(so_far.max())) + 1)
    below = np.searchsorted((so_far + apart).ravel(), (levels + apart).ravel()).reshape(n_days, -1) - days * n
    return (n - below).T / n


def _quantiles(ordered: NDArray[np.int32]) -> Numbers:
    """Quantiles of runs in rising order along the last axis, as NumPy interpolates them but without sorting again."""
    at = np.array(LEVELS) * (ordered.shape[1] - 1)
    low, high = np.floor(at).astype(int), np.ceil(at).astype(int)
    below, above = ordered[:, low].astype(float), ordered[:, high].astype(float)
    return (below + (above - below) * (at - low)).T


def _kept(values: Any, kind: Any) -> Any:
    """A copy that nobody can change: visitors share it."""
    array = np.array(values, dtype=kind)
    array.flags.writeable = False
    return array
