"""Outcomes: what is measured of every run, each one function with a unit.

A function takes an ensemble and returns one number for each finished run; NaN means that it never happened. To add an
outcome is to add a function here: the command line, the exports and the app find it in `OUTCOMES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.bands import SINCE_APPROVAL, Bands, Counted, Tally
from sim.parameters import register
from sim.results import SERIES, Ensemble

Numbers = NDArray[np.float64]
PERCENTS = (25, 50, 75, 100)
# Where people of the Guard are while they are paid.
PAID = ("training", "awaiting_a_supervisor", "travel", "in_place")


@dataclass(frozen=True)
class Outcome:
    """A measure: its name, unit, one line that says what it is, and the function."""

    name: str
    unit: str
    label: str
    measure: Callable[[Ensemble], Numbers]


OUTCOMES: dict[str, Outcome] = {}


def outcome(unit: str) -> Callable[[Callable[[Ensemble], Numbers]], Callable[[Ensemble], Numbers]]:
    """Register a measure; the first line of its docstring is its label."""

    def add(measure: Callable[[Ensemble], Numbers]) -> Callable[[Ensemble], Numbers]:
        label = (measure.__doc__ or "").strip().splitlines()[0].rstrip(".")
        OUTCOMES[measure.__name__] = Outcome(measure.__name__, unit, label, measure)
        return measure

    return add


def number(ensemble: Ensemble, name: str) -> Numbers:
    """A parameter's value on day 0 in each finished run."""
    return ensemble.numbers[ensemble.done, list(register()).index(name)]


def first_day(daily: NDArray[np.int32], level: Numbers) -> Numbers:
    """The first day on which a series reaches a level, NaN where it never does. Shapes (n, n_days) and (n,)."""
    # Counts are whole, so the next whole number up is the same level, and numbers of one kind compare fast.
    reached = daily >= np.ceil(level).astype(daily.dtype)[:, np.newaxis]
    return np.where(reached.any(axis=1), reached.argmax(axis=1), np.nan)


@outcome("states")
def states_agreeing(e: Ensemble) -> Numbers:
    """Governors who agree on the last day, with limits or without."""
    return e.daily("agreeing")[:, -1].astype(float)


@outcome("states")
def states_agreeing_at_most(e: Ensemble) -> Numbers:
    """Most governors who agree on any one day."""
    return e.daily("agreeing").max(axis=1).astype(float)


@outcome("states")
def states_with_limits(e: Ensemble) -> Numbers:
    """Governors who agree to some of the roles only, on the last day."""
    return e.daily("with_limits")[:, -1].astype(float)


@outcome("states")
def states_declined(e: Ensemble) -> Numbers:
    """Governors who have declined, on the last day."""
    return e.daily("declined")[:, -1].astype(float)


@outcome("states")
def states_no_answer(e: Ensemble) -> Numbers:
    """Governors who let the deadline pass, on the last day."""
    return e.daily("no_answer")[:, -1].astype(float)


@outcome("states")
def states_withdrawn(e: Ensemble) -> Numbers:
    """Governors who agreed and withdrew, on the last day."""
    return e.daily("withdrawn")[:, -1].astype(float)


@outcome("people")
def volunteers(e: Ensemble) -> Numbers:
    """People who came forward, ordered people included."""
    return e.daily("entered")[:, -1].astype(float)


@outcome("people")
def peak_in_place(e: Ensemble) -> Numbers:
    """Most troops in place on any one day."""
    return e.daily("in_place").max(axis=1).astype(float)


@outcome("people")
def in_place_last(e: Ensemble) -> Numbers:
    """Troops in place on the last day."""
    return e.daily("in_place")[:, -1].astype(float)


@outcome("people")
def shortfall_last(e: Ensemble) -> Numbers:
    """People missing of the target on the last day."""
    return np.maximum(0.0, number(e, "request.target") - e.daily("in_place")[:, -1])


@outcome("person-days")
def troop_days(e: Ensemble) -> Numbers:
    """Days in place, summed over troops."""
    return e.daily("in_place").sum(axis=1, dtype=np.int64).astype(float)


def days_to(e: Ensemble, percent: int) -> Numbers:
    """Days from the request until troops in place reach a percentage of the target."""
    return first_day(e.daily("in_place"), number(e, "request.target") * percent / 100.0)


@outcome("days from the request")
def days_to_25(e: Ensemble) -> Numbers:
    """Days until a quarter of the target is in place."""
    return days_to(e, 25)


@outcome("days from the request")
def days_to_50(e: Ensemble) -> Numbers:
    """Days until half of the target is in place."""
    return days_to(e, 50)


@outcome("days from the request")
def days_to_75(e: Ensemble) -> Numbers:
    """Days until three quarters of the target are in place."""
    return days_to(e, 75)


@outcome("days from the request")
def days_to_100(e: Ensemble) -> Numbers:
    """Days until the whole target is in place."""
    return days_to(e, 100)


@outcome("days from the request")
def approval_day(e: Ensemble) -> Numbers:
    """Days until the review approves the request, if it does within the run."""
    approval = e.approval[e.done]
    return np.where((approval < 0) | (approval >= e.n_days), np.nan, approval)


@outcome("USD")
def cost_guard(e: Ensemble) -> Numbers:
    """Cost of the Guard: every day from the seat in training to the end of the tour."""
    paid = sum(e.daily(stage) for stage in PAID)
    return np.asarray(paid).sum(axis=1, dtype=np.int64) * number(e, "cost.guard")


@outcome("USD")
def cost_hired(e: Ensemble) -> Numbers:
    """Cost of hired officers from the day they are available."""
    return e.daily("hired").sum(axis=1, dtype=np.int64) * number(e, "cost.hired")


@outcome("USD")
def cost_deputized(e: Ensemble) -> Numbers:
    """Cost of deputized officers from the day they are available."""
    return e.daily("deputized").sum(axis=1, dtype=np.int64) * number(e, "cost.deputized")


@outcome("states")
def below_reserve_at_most(e: Ensemble) -> Numbers:
    """Most states on any one day with fewer people at home than the governor's reserve."""
    return e.daily("below_reserve").max(axis=1).astype(float)


@outcome("person-days")
def missing_for_disasters(e: Ensemble) -> Numbers:
    """People missing at home when a disaster came, summed over days."""
    return e.daily("missing").sum(axis=1, dtype=np.int64).astype(float)


@outcome("people")
def people_by_all_channels(e: Ensemble) -> Numbers:
    """Guard in place, hired and deputized officers together on the last day."""
    return together(e)[:, -1].astype(float)


@outcome("days from the request")
def days_to_capacity_by_guard(e: Ensemble) -> Numbers:
    """Days until the Guard alone has the number of people that the directive wants."""
    return first_day(e.daily("in_place"), number(e, "capacity.target"))


@outcome("days from the request")
def days_to_capacity_by_hiring(e: Ensemble) -> Numbers:
    """Days until hiring alone has that number."""
    return first_day(e.daily("hired"), number(e, "capacity.target"))


@outcome("days from the request")
def days_to_capacity_by_deputizing(e: Ensemble) -> Numbers:
    """Days until deputizing alone has that number."""
    return first_day(e.daily("deputized"), number(e, "capacity.target"))


@outcome("days from the request")
def days_to_capacity_together(e: Ensemble) -> Numbers:
    """Days until the three channels together have that number."""
    return first_day(together(e), number(e, "capacity.target"))


def together(e: Ensemble) -> NDArray[np.int32]:
    """People available by all three channels, shape (n_finished, n_days)."""
    return e.daily("in_place") + e.daily("hired") + e.daily("deputized")


def measure_all(ensemble: Ensemble) -> dict[str, Numbers]:
    """Every outcome of every finished run."""
    return {name: each.measure(ensemble) for name, each in OUTCOMES.items()}


def measure_more(ensemble: Ensemble) -> dict[str, Numbers]:
    """Every outcome of every finished run, and the days to each share of the target from approval on."""
    measured = measure_all(ensemble)
    approval = measured["approval_day"]
    return measured | {since_approval(percent): measured[f"days_to_{percent}"] - approval for percent in PERCENTS}


def since_approval(percent: int) -> str:
    """The name of the days to a share of the target, counted from approval."""
    return f"days_to_{percent}{SINCE_APPROVAL}"


# One number for each run that finished, or how often each number came.
Values = Numbers | Counted


def values_of(result: Ensemble | Bands) -> dict[str, Values]:
    """What `measure_more` measures, however the runs have been kept."""
    if isinstance(result, Bands):
        names = [*OUTCOMES, *map(since_approval, PERCENTS)]
        return {name: result.outcomes.get(name, Tally()).on(0) for name in names}
    return dict(measure_more(result))


def values_on(result: Ensemble | Bands, name: str, day: int) -> Values:
    """One series on one day, over the runs that finished."""
    if isinstance(result, Bands):
        return result.series[name].on(day)
    return result.series[result.done, SERIES.index(name), day].astype(float)


def quantiles_by_day(result: Ensemble | Bands, name: str, levels: tuple[float, ...]) -> Numbers:
    """`daily_bands` of a series, however the runs have been kept; shape (n_levels, n_days)."""
    if isinstance(result, Bands):
        days = [result.series[name].on(day) for day in range(result.n_days)]
        return np.array([[_quantile(day, level) for day in days] for level in levels])
    return daily_bands(result.daily(name), levels)


@dataclass(frozen=True)
class Band:
    """An outcome over runs: median, 5 % and 95 % quantiles, and how sure the runs make the median.

    Runs in which it never happened count as later than all others: a quantile that falls on them is None.

    never
        Share of runs in which it never happened.
    error
        Half the width of a 95 % interval for the median, from order statistics; None where it reaches "never".
    n
        Number of runs.
    """

    median: float | None
    p05: float | None
    p95: float | None
    never: float
    error: float | None
    n: int

    def as_dict(self) -> dict[str, float | None]:
        """Median, p05, p95, as the command line's JSON has them."""
        return {"median": self.median, "p05": self.p05, "p95": self.p95}


def band(values: NDArray[np.floating] | NDArray[np.integer] | Counted) -> Band:
    """Summarize one number per run."""
    if isinstance(values, Counted):
        x: Values = values
        never = values.n_never / max(1, len(values))
    else:
        x = np.sort(np.where(np.isnan(values), np.inf, values).astype(float))
        never = float(np.isinf(x).mean()) if len(x) else 0.0
    if not len(x):
        return Band(None, None, None, 0.0, None, 0)
    p05, median, p95 = (_finite(_quantile(x, q)) for q in (0.05, 0.5, 0.95))
    # Normal approximation to the binomial: the ranks between which the true median lies with 95 % confidence.
    reach = 1.96 * np.sqrt(len(x)) / 2.0
    low = x[int(max(0.0, np.floor(len(x) / 2.0 - reach)))]
    high = x[int(min(len(x) - 1.0, np.ceil(len(x) / 2.0 + reach)))]
    error = _finite((high - low) / 2.0) if np.isfinite(high) else None
    return Band(median, p05, p95, never, error if len(x) > 1 else None, len(x))


def _quantile(ordered: Values, q: float) -> float:
    """Linear interpolation between order statistics; infinite as soon as it touches a run that never gets there."""
    at = q * (len(ordered) - 1)
    low, high = ordered[int(np.floor(at))], ordered[int(np.ceil(at))]
    if np.isinf(high):
        return float(high if at > np.floor(at) or np.isinf(low) else low)
    return float(low + (high - low) * (at - np.floor(at)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def daily_bands(daily: NDArray[np.int32], levels: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> Numbers:
    """Quantiles over runs by day, shape (n_levels, n_days)."""
    return np.quantile(daily, levels, axis=0)


def luck_share(first: Numbers, second: Numbers, everything: Values) -> float | None:
    """The part of an outcome's variance that is luck alone.

    Parameters
    ----------
    first, second
        The outcome of the same draws under two independent lucks.
    everything
        The outcome of all runs, draws and lucks varying together.

    Returns
    -------
    Between 0 and 1; None where an outcome that never happened, or too little variation, leaves it unknown.
    """
    known = np.isfinite(first) & np.isfinite(second)
    if isinstance(everything, Counted):
        n_total, variance = everything.n_known, everything.variance()
    else:
        total = everything[np.isfinite(everything)]
        n_total, variance = len(total), float(total.var(ddof=1)) if len(total) > 1 else 0.0
    if known.sum() < 10 or known.mean() < 0.9 or n_total < 0.9 * len(everything) or not variance > 0.0:
        return None
    within = ((first - second)[known] ** 2).mean() / 2.0
    return float(min(1.0, within / variance))
