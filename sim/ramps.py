"""Ramps: draws of the register's ranges, held against how many people were counted day by day in a case.

There is no likelihood of a count, so the nearest of many draws are kept (approximate Bayesian computation by rejection).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim import consent
from sim import likelihoods as on
from sim.cases import Case
from sim.ensemble import run_ensemble
from sim.likelihoods import Numbers
from sim.parameters import SEEDS, Value, model_version, register
from sim.record import MEASURES, PRESENCE
from sim.replays import Tell, Variant

REGISTER_FILE = SEEDS / "parameters.toml"
# Draws by case.
DRAWS = 4000
# The fewest national counts of one measure that make a ramp.
FEWEST_COUNTS = 3
FITTED = ("volunteers.pace", "training.seats")
# Looked at, not fitted: what the ramp might be mistaken for.
BESIDE = (
    "volunteers.share",
    "training.days.support",
    "offer.base",
    "offer.most",
    "offer.reserve",
    "not_deployable",
    "mobilized",
    "attrition",
    "tour.reup",
)
# Half the base of a symmetric triangle, in its standard deviations.
TRIANGLE = float(np.sqrt(6.0))


@dataclass(frozen=True)
class RampDraws:
    """Draws of one case: parameters of each draw (n, names), and its mean squared distance to the counts, in logarithms (n,)."""

    names: tuple[str, ...]
    values: Numbers
    distance: Numbers


def counts_of(case: Case) -> tuple[str, list[tuple[int, int]]]:
    """The measure of presence that counts a case's nation most often, and its counts by day; one measure at a time."""
    by_measure: dict[str, list[tuple[int, int]]] = {}
    for row in case.troops:
        if row.measure in PRESENCE and row.scope == "all" and row.day <= case.scenario.days:
            by_measure.setdefault(row.measure, []).append((row.day, row.count))
    measure = max(by_measure, key=lambda name: len(by_measure[name]), default="")
    return measure, by_measure.get(measure, [])


def cases_with_ramps(cases: Sequence[Case]) -> list[Case]:
    """Cases of use `calibration` with enough counts to make a ramp."""
    return [case for case in cases if case.about.use == "calibration" and len(counts_of(case)[1]) >= FEWEST_COUNTS]


def draws_of(case: Case, table: Numbers, draws: int, seed: int, jobs: int = 1, tell: Tell | None = None) -> RampDraws:
    """Simulate a case with draws of the register's ranges, its mission as its own answers alone have it.

    Draw number r is the same in every case, so that what two cases say of it can be put together.
    """
    values: dict[str, Value] = {}
    ranges: dict[str, tuple[float, float]] = {}
    centers = {"support.mission": consent.mission_of(table, consent.posterior({case.name: table}), with_nation=False)}
    centers |= {name: (on.assumed()[name]["mean"], on.assumed()[name]["sd"]) for name in (consent.PARTY, consent.VOTE)}
    for name, (mean, sd) in centers.items():
        values[name], ranges[name] = mean, (mean - TRIANGLE * sd, mean + TRIANGLE * sd)
    # What any fit may write is drawn from ranges that stood in the register before, or a second fit would find another ramp.
    for name, (low, middle, high) in on.assumed()["ramp"]["before"].items():
        values[name], ranges[name] = middle, (low, high)
    scenario = Variant(1.0, values, ranges).applied(case.scenario)
    told = (lambda stage, n, of: tell(f"ramp of {case.name}", n, of)) if tell else None
    ensemble = run_ensemble(scenario, seed, replications=draws, jobs=jobs, with_twins=False, progress=told)
    measure, counts = counts_of(case)
    daily: NDArray[np.int64] = np.sum(  # type: ignore[assignment]
        [ensemble.daily(stage) for stage in MEASURES[measure] or ()], axis=0, dtype=np.int64
    )
    days, seen = np.array(counts).T
    assumed = on.assumed()["ramp"]
    distance = np.log(daily[:, days] + assumed["offset"]) - np.log(seen + assumed["offset"])
    names = (*FITTED, *BESIDE)
    columns = [list(register()).index(name) for name in names]
    return RampDraws(names, ensemble.numbers[ensemble.done][:, columns], (distance**2).mean(axis=1))


def nearest(ramps: Sequence[RampDraws]) -> NDArray[np.bool_]:
    """Which draws come nearest to the counts of all cases; every case counts the same, however many counts it has."""
    distance = np.mean([ramp.distance for ramp in ramps], axis=0)
    return distance <= np.quantile(distance, on.assumed()["ramp"]["kept"])  # type: ignore[no-any-return]


def kept_or_made(
    case: Case, folder: Path, draws: int = DRAWS, seed: int = 1, jobs: int = 1, tell: Tell | None = None
) -> RampDraws:
    """Draws of a case: from a folder if they were made before from the same scenario, counts and seeds, else made and kept."""
    measure, counts = counts_of(case)
    told = f"{model_version()} {case.scenario.digest} {sorted(case.answers.items())} {measure} {counts} {draws} {seed}"
    # Rules and ranges as they stand: a version that moves a result has another number or another register.
    for path in (REGISTER_FILE, on.FILE):
        told += hashlib.sha256(path.read_bytes()).hexdigest()
    file = folder / f"ramp-{case.name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npz"
    if file.is_file():
        with np.load(file) as kept:
            return RampDraws(tuple(map(str, kept["names"])), kept["values"], kept["distance"])
    made = draws_of(case, on.answers(case), draws, seed, jobs, tell)
    folder.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npz")
    np.savez_compressed(part, names=np.array(made.names), values=made.values, distance=made.distance)
    part.replace(file)
    return made
