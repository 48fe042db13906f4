"""The value of information: what it would be worth to know more before a stated choice, for a stated aim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.outcomes import OUTCOMES, number
from sim.parameters import InputError, Value, near_miss
from sim.results import Ensemble
from sim.scenario import parse_setting
from sim.setting import uncertain_names
from sim.studies import RESAMPLES, TAILS, Numbers, Source, counted, lab, quiet

# With fewer values an uncertainty has group means, and no curve.
FEWEST_FOR_A_SPLINE = 8
# Knots of the spline: a course that turns more often is not told apart from chance with a few hundred runs.
KNOTS = 5
# Uncertainties without influence, made by shuffling, to know what chance alone shows.
SHUFFLES = 1000
METHOD = (
    "differences between options, run by run, regressed on the ranks of each uncertainty (cubic spline with ridge "
    "penalty, leave-one-out cross-validation; group means where it takes few values), after Strong, Oakley and Brennan "
    "2014."
)


@dataclass(frozen=True)
class Information:
    """What it would be worth to know more before a choice is made, in the unit of the outcome.

    means
        Mean outcome of each option.
    best
        Position of the option whose mean fits the stated aim best.
    perfect
        Gain in the mean outcome, toward the stated aim, if everything were known beforehand, and a 95 % interval from a
        bootstrap over runs.
    single
        The same gain if one uncertainty alone were known, from the largest down.
    floor
        What chance alone shows: with as many uncertainties, none of any influence, the largest gain would stay below
        it in 95 of 100 cases.
    """

    means: tuple[float, ...]
    best: int
    perfect: float
    perfect_interval: tuple[float, float]
    single: dict[str, float]
    floor: float


def value_of_information(outcome: Numbers, factors: Mapping[str, Numbers], aim: str, seed: int = 1) -> Information:
    """Work out what knowing more would be worth for a stated choice and aim.

    For one uncertainty the differences between options are smoothed over its values: group means where it takes few
    values, else a cubic spline over its ranks, shrunk by ridge regression as leave-one-out cross-validation picks.

    Parameters
    ----------
    outcome
        The outcome of every option in every run, under the same draws and luck; shape (n_options, n_runs).
    factors
        Values of each uncertainty; shape (n_runs,).
    aim
        high or low: what is wanted, a statement of whoever asks.

    References
    ----------
    Strong, Oakley and Brennan (2014), Medical Decision Making 34(3), for the regression of differences on draws.
    """
    wanted = outcome if aim == "high" else -outcome
    best = int(wanted.mean(axis=1).argmax())
    gain = wanted - wanted[best]
    rng = np.random.default_rng(seed)
    again = [perfect_gain(gain[:, rng.integers(gain.shape[1], size=gain.shape[1])]) for _ in range(RESAMPLES)]
    low, high = np.quantile(again, TAILS)
    # A smooth course may overshoot; to know one thing is never worth more than to know everything.
    most = perfect_gain(gain)
    single = {name: min(most, single_gain(gain, values)) for name, values in factors.items()}
    shuffled = [gain[:, rng.permutation(gain.shape[1])] for _ in range(SHUFFLES)]
    courses = smoothed(np.arange(gain.shape[1], dtype=float), np.concatenate(shuffled))
    without = [min(most, perfect_gain(course)) for course in np.split(courses, SHUFFLES)]
    return Information(
        means=tuple(map(float, outcome.mean(axis=1))),
        best=best,
        perfect=most,
        perfect_interval=(float(low), float(high)),
        single=dict(sorted(single.items(), key=lambda item: -item[1])),
        floor=float(np.quantile(without, 0.95 ** (1.0 / max(1, len(factors))))),
    )


def perfect_gain(gain: Numbers) -> float:
    """Mean of the best option of each run, less the best of the means; shape (n_options, n_runs)."""
    return float(gain.max(axis=0).mean() - gain.mean(axis=1).max())


def single_gain(gain: Numbers, factor: Numbers) -> float:
    """The same when only what a factor tells of each option is known."""
    return perfect_gain(smoothed(factor, gain))


def smoothed(factor: Numbers, rows: Numbers) -> Numbers:
    """What a factor, shape (n_runs,), tells of rows of values: their smooth course; shape (n_rows, n_runs)."""
    _, place, counts = np.unique(factor, return_inverse=True, return_counts=True)
    if len(counts) < FEWEST_FOR_A_SPLINE:
        return np.array([(np.bincount(place, row) / counts)[place] for row in rows])
    with lab("value", "scikit-learn"):
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import SplineTransformer
    # Ranks are evenly spaced, so that a long tail does not decide how smooth the middle is.
    ranks = ((np.cumsum(counts) - counts / 2.0) / counts.sum())[place][:, np.newaxis]
    curve = make_pipeline(SplineTransformer(KNOTS), RidgeCV(np.logspace(-3, 3, 13), alpha_per_target=True))
    with quiet():
        return np.asarray(curve.fit(ranks, rows.T).predict(ranks)).T


def choices(name: str, options: str) -> list[Value]:
    """The values of a choice from words with commas between, each checked against the register."""
    words = [word.strip() for word in options.split(",") if word.strip()]
    if len(set(words)) < 2:
        raise InputError(f"--options {options!r}: a choice needs at least two different values, with commas between")
    return [parse_setting(f"{name}={word}")[1] for word in words]


def drawn(ensemble: Ensemble, choice: str, wanted: Sequence[str]) -> dict[str, Numbers]:
    """The values of the uncertainties that vary between runs, by name; only those wanted, or all."""
    found = {name: number(ensemble, name) for name in uncertain_names() if name != choice}
    varying = {name: values for name, values in found.items() if np.ptp(values) > 0.0}
    for name in wanted:
        if name not in varying:
            hint = near_miss(name, varying)
            raise InputError(f"--uncertainty {name!r} is not an uncertainty that is drawn in these runs{hint}")
    return {name: values for name, values in varying.items() if not wanted or name in wanted}


def outcome_of_options(
    source: Source, options: Sequence[Mapping[str, Value]], outcome: str, draws: int | None, replications: int
) -> tuple[Numbers, Ensemble]:
    """The outcome of each option in each run, shape (n_options, n_runs), and the ensemble of the first."""
    made = [source.ensemble(option, draws, replications, ", ".join(map(str, option.values()))) for option in options]
    return np.array([counted(OUTCOMES[outcome].measure(each), each.n_days - 1) for each in made]), made[0]
