"""Scores: how far simulated chances, days and numbers lie from what was observed. Arrays in, numbers out; lower is better.

References
----------
Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation; Gneiting and Ranjan (2011) for the
threshold-weighted CRPS; Czado, Gneiting and Held (2009) for the PIT of counts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]

# No chance is taken as surer than this, the baselines' neither: one surprise must not decide a score.
SUREST = 0.99
BINS = 5
RESAMPLES = 2000


def clipped(chances: ArrayLike) -> Numbers:
    """Chances between 1 - SUREST and SUREST."""
    return np.clip(np.asarray(chances, float), 1.0 - SUREST, SUREST)


def brier(chances: ArrayLike, said: ArrayLike) -> Numbers:
    """Squared distance between the chance of a yes and what was said (1 yes, 0 no), elementwise: 0 to 1."""
    return (clipped(chances) - np.asarray(said, float)) ** 2


def log_score(chances: ArrayLike, said: ArrayLike) -> Numbers:
    """Surprise at what was said, in nats, elementwise: -log of the chance given to it; 0.69 is a coin."""
    p, y = clipped(chances), np.asarray(said, bool)
    return -np.log(np.where(y, p, 1.0 - p))


class Bin(NamedTuple):
    """One row of a reliability table: chances from low to high, how many, their mean, and the share that said yes."""

    low: float
    high: float
    n: int
    chance: float
    share: float


def reliability(chances: ArrayLike, said: ArrayLike, bins: int = BINS) -> list[Bin]:
    """Whether what was called likely was common: bins of equal width, empty ones left out."""
    p, y = np.asarray(chances, float), np.asarray(said, float)
    place = np.minimum((p * bins).astype(int), bins - 1)
    return [
        Bin(k / bins, (k + 1) / bins, int(inside.sum()), float(p[inside].mean()), float(y[inside].mean()))
        for k in range(bins)
        if (inside := place == k).any()
    ]


def crps(sample: ArrayLike, observed: float) -> float:
    """Distance between a simulated distribution and a number, in its unit: mean |x - y| less half the mean |x - x'|.

    Parameters
    ----------
    sample
        Shape (n,), simulated values.
    """
    x = np.sort(np.asarray(sample, float))
    n = len(x)
    # The mean distance of pairs from the sorted sample, in n log n rather than n squared steps.
    spread = 2.0 * float((x * (2.0 * np.arange(1, n + 1) - n - 1)).sum()) / n**2
    return float(np.abs(x - observed).mean()) - spread / 2.0


def crps_of_days(by_day: ArrayLike, after: int, by: int | None) -> float:
    """Distance in days between a chance that has happened by each day and what is known: after one day and by another.

    Days between `after` and `by`, or beyond `after` where `by` is None (censored), are left out, since there nothing is known.

    Parameters
    ----------
    by_day
        Shape (n_days,), rising.
    """
    chance = np.asarray(by_day, float)
    short = float((chance[: after + 1] ** 2).sum())
    return short if by is None else short + float(((1.0 - chance[by:]) ** 2).sum())


def log_score_of_days(by_day: ArrayLike, after: int, by: int | None) -> float:
    """Surprise in nats at a day known to lie after one day and by another (None: not yet by then), as in survival analysis."""
    chance = np.asarray(by_day, float)
    before = chance[after] if after >= 0 else 0.0
    inside = (1.0 if by is None else chance[min(by, len(chance) - 1)]) - before
    return -float(np.log(np.clip(inside, 1.0 - SUREST, 1.0)))


def pit(sample: ArrayLike, observed: float) -> float:
    """Where a number lies in its simulated distribution: 0 below all, 1 above all; ties count half."""
    x = np.asarray(sample, float)
    return float((x < observed).mean() + (x == observed).mean() / 2.0)


def histogram(values: ArrayLike, bins: int = 10) -> list[int]:
    """Counts of PIT values in bins of equal width; flat if the bands are as wide as they should be."""
    return np.histogram(np.asarray(values, float), bins=bins, range=(0.0, 1.0))[0].tolist()  # type: ignore[no-any-return]


class Interval(NamedTuple):
    """A mean over cases, and the 5 and 95 % quantiles of means over cases drawn with replacement; NaN where there is none."""

    mean: float
    low: float
    high: float


def over_cases(values: Sequence[float], seed: int = 1) -> Interval:
    """The mean of one number a case, resampled by case: answers within a case are not independent."""
    x = np.asarray(values, float)
    x = x[~np.isnan(x)]
    if not len(x):
        return Interval(np.nan, np.nan, np.nan)
    drawn = np.random.default_rng(seed).integers(0, len(x), (RESAMPLES, len(x)))
    low, high = np.quantile(x[drawn].mean(axis=1), (0.05, 0.95))
    return Interval(float(x.mean()), float(low), float(high))
