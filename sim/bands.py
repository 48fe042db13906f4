"""Counts instead of runs: what very many runs of one plan leave behind, as large for a million of them as for ten.

Every value is counted in the bin that it falls into. Counts of people and states, days and dollars are whole numbers:
below 2,048 each has a bin of its own, above that bins are at most 0.1 % wide, as in an HdrHistogram. So quantiles are
exact below 2,048 and within 0.05 % above, whichever run came first.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.results import SERIES, STATUSES, Ensemble, Pair

# Bins of each doubling; below twice as many, every whole number has its own.
STEPS = 1024
EXACT = 2 * STEPS
# The upper bits of a float are its exponent and as many bits of its fraction as tell that many steps apart, so that they
# count bins by themselves; here they begin where the bins do.
_DROPPED = 52 - 10
_FIRST = (int(np.float64(STEPS).view(np.int64)) >> _DROPPED) - STEPS
# What is kept of the texts of failed runs; all are counted.
MOST_ERRORS = 20
# Ends the names of what is counted from approval on, which can lie before it, by no more days than there are.
SINCE_APPROVAL = "_from_approval"


def bins_of(values: NDArray[Any]) -> NDArray[np.int64]:
    """The bin of each number, which must be 0 or more and finite; any shape."""
    if values.dtype.kind == "i" and values.max(initial=0) < EXACT:
        return values.astype(np.int64)
    x = np.ascontiguousarray(values, np.float64)
    return np.where(x < STEPS, x.astype(np.int64), (x.view(np.int64) >> _DROPPED) - _FIRST)


def values_of(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """The middle of the whole numbers that fall into each bin."""
    edges = [((bins + k + _FIRST) << _DROPPED).view(np.float64) for k in (0, 1)]
    return np.where(bins < EXACT, bins.astype(np.float64), (edges[0] + edges[1] - 1.0) / 2.0)


@dataclass(frozen=True, eq=False)
class Counted:
    """One quantity over runs, read as if its values stood in a sorted array, those that never happened (infinite) last.

    values, runs
        The values that came, ascending, and in how many runs each; shape (n_values,).
    n_never
        Runs in which it never happened.
    """

    values: NDArray[np.float64]
    runs: NDArray[np.int64]
    n_never: int = 0

    @cached_property
    def _up_to(self) -> NDArray[np.int64]:
        return np.cumsum(self.runs)

    def __len__(self) -> int:
        return self.n_known + self.n_never

    def __getitem__(self, rank: int) -> float:
        place = int(np.searchsorted(self._up_to, rank, side="right"))
        return float(self.values[place]) if place < len(self.values) else np.inf

    @property
    def n_known(self) -> int:
        """Runs in which it happened."""
        return int(self._up_to[-1]) if len(self._up_to) else 0

    def mean(self) -> float:
        """Over the runs in which it happened; NaN without any."""
        return float((self.values * self.runs).sum() / self.n_known) if self.n_known else np.nan

    def variance(self) -> float:
        """Over the runs in which it happened, as of a sample; NaN for fewer than two."""
        if self.n_known < 2:
            return np.nan
        return float((self.runs * (self.values - self.mean()) ** 2).sum() / (self.n_known - 1))


@dataclass(eq=False)
class Tally:
    """How often each value came, of one quantity on several days.

    lowest
        What is counted as 0; no value may be lower.
    runs
        Shape (n_days, n_bins); as many bins as the highest value needs.
    never
        Runs in which it never happened (NaN), shape (n_days,).
    """

    n_days: int = 1
    lowest: int = 0
    runs: NDArray[np.uint32] = field(init=False)
    never: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = np.zeros((self.n_days, 64), np.uint32)
        self.never = np.zeros(self.n_days, np.int64)

    def add(self, values: NDArray[Any]) -> None:
        """Count more runs, shape (n_runs, n_days)."""
        if values.dtype.kind == "f":
            known = np.isfinite(values)
            self.never += (~known).sum(axis=0)
            bins = bins_of(np.where(known, values, self.lowest) - self.lowest)
        else:
            known, bins = None, bins_of(values - self.lowest)
        self.make_room(int(bins.max(initial=0)))
        n_days, n_bins = self.runs.shape
        places = bins + np.arange(n_days) * n_bins
        came = places.ravel() if known is None else places[known]
        self.runs += np.bincount(came, minlength=n_days * n_bins).reshape(n_days, n_bins).astype(np.uint32)

    def make_room(self, highest: int) -> None:
        """Let there be bins up to that one, and a fifth more, so that room is seldom made anew."""
        if highest >= self.runs.shape[1]:
            n_bins = -(-highest * 6 // (5 * 64)) * 64
            self.runs = np.pad(self.runs, ((0, 0), (0, n_bins - self.runs.shape[1])))

    def on(self, day: int) -> Counted:
        """One day's values."""
        bins = np.flatnonzero(self.runs[day])
        return Counted(values_of(bins) + self.lowest, self.runs[day, bins].astype(np.int64), int(self.never[day]))


@dataclass
class Bands:
    """All runs of one plan, reduced to counts; blocks of runs are added in the order of the plan.

    n_days
        Evenings recorded.
    series
        By name in SERIES, with a day for each evening.
    outcomes
        By outcome, with one day alone.
    status_counts
        Runs in which a state had a status, shape (n_days, n_states, n_statuses).
    n_run
        Runs of the plan that have been added, from the first on: finished or failed.
    errors
        What went wrong in the first runs that failed, by number of the run.
    luck_share, seconds, engine
        As in `results.Ensemble`.
    """

    scenario: Any
    seed: int
    pairs: Sequence[Pair]
    codes: tuple[str, ...]
    n_days: int
    series: dict[str, Tally] = field(init=False)
    outcomes: dict[str, Tally] = field(init=False)
    status_counts: NDArray[np.int32] = field(init=False)
    n_run: int = 0
    n_failed: int = 0
    errors: dict[int, str] = field(default_factory=dict)
    luck_share: dict[str, float | None] = field(default_factory=dict)
    seconds: float = 0.0
    engine: str = "simpy"

    def __post_init__(self) -> None:
        self.series = {name: Tally(self.n_days) for name in SERIES}
        self.outcomes = {}
        self.status_counts = np.zeros((self.n_days, len(self.codes), len(STATUSES)), np.int32)
        self._hashed = hashlib.sha256()

    @property
    def n_finished(self) -> int:
        """Runs that finished."""
        return self.n_run - self.n_failed

    @property
    def is_complete(self) -> bool:
        """Whether every run has finished or failed."""
        return self.n_run == len(self.pairs)

    @property
    def digest(self) -> str:
        """What `results.Ensemble.digest` is for the same runs."""
        told = self._hashed.copy()
        for at in range(self.n_run, len(self.pairs), 1 << 20):
            told.update(bytes(8 * min(1 << 20, len(self.pairs) - at)))
        return told.hexdigest()

    def hashed(self, hashes: NDArray[np.uint64]) -> None:
        """Let the digest know the hashes of the next runs."""
        self._hashed.update(hashes.astype("<u8").tobytes())

    def add(self, block: Ensemble, measured: dict[str, NDArray[np.float64]]) -> None:
        """Count the next runs of the plan, all of which have finished or failed; `measured` holds their outcomes."""
        for name, tally in self.series.items():
            tally.add(block.daily(name))
        for name, values in measured.items():
            self.outcome(name).add(values[:, np.newaxis])
        self.status_counts += block.status_counts
        self.hashed(block.hashes)
        self.told({self.n_run + k: text for k, text in sorted(block.errors.items())})
        self.n_run += len(block.pairs)

    def outcome(self, name: str) -> Tally:
        """The counts of an outcome, which begin here if it is a new one."""
        lowest = -self.n_days if name.endswith(SINCE_APPROVAL) else 0
        return self.outcomes.setdefault(name, Tally(1, lowest))

    def told(self, errors: dict[int, str]) -> None:
        """Count runs that failed, by number of the run, and keep the words of the first."""
        self.n_failed += len(errors)
        for k in list(errors)[: MOST_ERRORS - len(self.errors)]:
            self.errors[k] = errors[k]
