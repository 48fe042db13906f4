"""Breakeven: the value of a parameter at which half of the runs reach something."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.parameters import InputError, Parameter, Value
from sim.studies import RESAMPLES, TAILS, Numbers, Truths

# Values tried evenly between the ends before halving, so that a share that crosses half more than once is seen.
FIRST_VALUES = 7
# Width of the last bracket, as a share of the distance between the ends.
FINENESS = 1 / 200


@dataclass(frozen=True)
class Breakeven:
    """Where the share of runs that reach something crosses half.

    values, shares
        Values tried, from low to high, and the share of runs that reach it at each.
    brackets
        Neighbouring values tried between which the share crosses half; the first is as narrow as wanted, empty where
        none lies within the ends.
    interval
        Where the crossing lies in 95 % of bootstrap samples of the runs; None without a crossing.
    without
        Share of bootstrap samples in which nothing crosses.
    """

    values: tuple[float, ...]
    shares: tuple[float, ...]
    brackets: tuple[tuple[float, float], ...]
    interval: tuple[float, float] | None
    without: float


def breakeven(
    reached: Callable[[float], Truths],
    low: float,
    high: float,
    *,
    is_whole: bool = False,
    on_log_scale: bool = False,
    seed: int = 1,
    first: int = FIRST_VALUES,
) -> Breakeven:
    """Halve the bracket in which the share of runs crosses half.

    A share of runs is a step function, so there is no root to find: the answer is a bracket.

    Parameters
    ----------
    reached
        For a value, which runs reach it; the same runs under the same luck for every value. Shape (n_runs,).
    is_whole
        Try whole numbers only, until two neighbours are left.
    first
        Values tried evenly between the ends before halving, both ends among them.
    """
    known: dict[float, Truths] = {}
    is_log = on_log_scale and low > 0.0

    def crosses(a: float, b: float) -> bool:
        return bool((share(a) >= 0.5) != (share(b) >= 0.5))

    def share(value: float) -> float:
        if value not in known:
            known[value] = np.asarray(reached(value), np.bool_)
        return float(known[value].mean())

    def between(a: float, b: float, part: float = 0.5) -> float:
        value = a * (b / a) ** part if is_log else a + (b - a) * part
        return float(round(value)) if is_whole else min(max(float(value), a), b)

    def is_wide(a: float, b: float) -> bool:
        if is_whole:
            return b - a > 1.0
        return b / a > (high / low) ** FINENESS if is_log else b - a > (high - low) * FINENESS

    for k in range(first):
        share(between(low, high, k / (first - 1)))
    tried = sorted(known)
    brackets = [(a, b) for a, b in pairwise(tried) if crosses(a, b)]
    if brackets:
        a, b = brackets[0]
        while is_wide(a, b):
            middle = between(a, b)
            a, b = (a, middle) if crosses(a, middle) else (middle, b)
        brackets[0] = (a, b)
    tried = sorted(known)
    reaching = np.array([known[value] for value in tried])
    interval, without = _crossing_again(np.array(tried), reaching, seed) if brackets else (None, 1.0)
    return Breakeven(tuple(tried), tuple(map(float, reaching.mean(axis=1))), tuple(brackets), interval, without)


def _crossing_again(values: Numbers, reaching: Truths, seed: int) -> tuple[tuple[float, float] | None, float]:
    """The first crossing in bootstrap samples of the runs, on a straight line between values tried."""
    rng = np.random.default_rng(seed)
    n_runs = reaching.shape[1]
    found = []
    for _ in range(RESAMPLES):
        shares = reaching[:, rng.integers(n_runs, size=n_runs)].mean(axis=1)
        at = np.flatnonzero((shares[:-1] >= 0.5) != (shares[1:] >= 0.5))
        if len(at):
            a, b = shares[at[0]], shares[at[0] + 1]
            found.append(values[at[0]] + (0.5 - a) / (b - a) * (values[at[0] + 1] - values[at[0]]))
    if not found:
        return None, 1.0
    low, high = np.quantile(found, TAILS)
    return (float(low), float(high)), 1.0 - len(found) / RESAMPLES


def ends_of(entry: Parameter, between: tuple[float, float] | None) -> tuple[float, float]:
    """The ends between which a parameter is tried: those given, or the register's range."""
    if entry.limits is None:
        raise InputError(f"--parameter {entry.name} is not a number: it takes {entry.allowed}")
    ends = between or entry.range
    if ends is None:
        raise InputError(f"--parameter {entry.name} has no range in the register: name --between LOW HIGH")
    low, high = ends
    if not low < high:
        raise InputError(f"--between {low:g} {high:g}: the first end must be below the second")
    for end in (low, high):
        entry.check(typed(entry, end))
    return float(low), float(high)


def typed(entry: Parameter, value: float) -> Value:
    """A number as the register wants it: whole where the parameter is whole."""
    return int(value) if entry.whole and float(value).is_integer() else value
