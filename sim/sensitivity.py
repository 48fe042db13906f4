"""Sensitivity: which parameters an outcome hangs on most, by Morris' elementary effects or Sobol's shares of variance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.designs import LEVELS
from sim.experiments import Experiment, Rows, experiment_of, problem, sample
from sim.outcomes import OUTCOMES
from sim.parameters import InputError
from sim.scenario import Scenario
from sim.studies import CONFIDENCE, Numbers, counted, lab, quiet

# What the analysis can be made of.
ANALYSED = ("morris", "sobol")
# Bootstrap samples behind the interval of one effect; SALib makes them for every parameter.
MORRIS_RESAMPLES, SOBOL_RESAMPLES = 1000, 200


@dataclass(frozen=True)
class Effect:
    """What one parameter does to one outcome over its range.

    size
        Morris: mean absolute elementary effect over the whole range (mu*), in the unit of the outcome. Sobol: share of
        the variance in which the parameter takes part, alone or with others (total effect, ST).
    error
        Half the width of the 95 % bootstrap interval of size.
    second
        Morris: spread of the elementary effects (sigma), large where the effect depends on the other parameters or is
        bent. Sobol: share of the variance that the parameter makes alone (first order, S1).
    second_error
        Half the width of its interval; None for Morris.
    mean
        Morris: mean elementary effect with its sign (mu), near zero where signs differ; None for Sobol.
    """

    name: str
    size: float
    error: float
    second: float
    second_error: float | None = None
    mean: float | None = None


def morris_effects(problem: Mapping[str, Any], points: Numbers, values: Numbers, seed: int = 1) -> list[Effect]:
    """Elementary effects, largest first.

    Parameters
    ----------
    problem
        The SALib problem: names, bounds.
    points
        The design, in the order in which SALib made it; shape (n_points, n_factors).
    values
        The outcome at each point; shape (n_points,).
    """
    with lab("sensitivity", "SALib"):
        from SALib.analyze import morris
    with quiet():
        found = morris.analyze(
            dict(problem),
            points,
            values,
            conf_level=CONFIDENCE,
            num_resamples=MORRIS_RESAMPLES,
            num_levels=LEVELS,
            seed=seed,
        )
    rows = zip(problem["names"], *(found[key] for key in ("mu_star", "mu_star_conf", "sigma", "mu")), strict=True)
    effects = [
        Effect(name, float(size), float(error), float(sigma), mean=float(mu)) for name, size, error, sigma, mu in rows
    ]
    return sorted(effects, key=lambda effect: -effect.size)


def sobol_effects(problem: Mapping[str, Any], values: Numbers, has_second_order: bool, seed: int = 1) -> list[Effect]:
    """Shares of variance, largest total effect first; an outcome that does not vary has none.

    Parameters
    ----------
    problem
        The SALib problem: names, bounds.
    values
        The outcome at each point, in the order in which SALib made them; shape (n_points,).
    has_second_order
        Whether the design was made for second-order effects too: 2 n_factors + 2 points a sample, or n_factors + 2.
    """
    with lab("sensitivity", "SALib"):
        from SALib.analyze import sobol
    if np.ptp(values) == 0.0:
        return []
    with quiet():
        # SALib takes 0 for no seed at all.
        found = sobol.analyze(
            dict(problem), values, has_second_order, num_resamples=SOBOL_RESAMPLES, conf_level=CONFIDENCE, seed=seed + 1
        )
    rows = zip(problem["names"], *(found[key] for key in ("ST", "ST_conf", "S1", "S1_conf")), strict=True)
    return sorted((Effect(name, *map(float, numbers)) for name, *numbers in rows), key=lambda effect: -effect.size)


def screening(scenario: Scenario, trajectories: int, replications: int, seed: int) -> Experiment:
    """A Morris design over all uncertainties that the scenario leaves open, within their ranges."""
    table = {
        "title": f"Sensitivity: {scenario.title}"[:200],
        "question": "Which uncertainties does each outcome hang on most?",
        "design": "morris",
        "uncertainties": "all",
        "n": trajectories,
        "replications": replications,
        "seed": seed,
    }
    return experiment_of(table, scenario, scenario.name)


def effects(experiment: Experiment, rows: Rows) -> dict[str, list[Effect]]:
    """The effects on each outcome's mean over replications, by the analysis that belongs to the design.

    Parameters
    ----------
    rows
        Those of the sweep, replication 0 of every point first. A run that never gets there counts as the day after the
        last.

    Raises
    ------
    InputError
        If the design has no such analysis, or a run has failed: a missing point breaks the design.
    """
    if experiment.design not in ANALYSED:
        raise InputError(
            f'{experiment.name}: design = "{experiment.design}" has no effects to tell; sensitivity needs morris or sobol'
        )
    failed = rows["error"].drop_null().to_pylist()
    if failed:
        raise InputError(
            f"{experiment.name}: {len(failed):,} of {len(rows):,} runs failed, and effects need every point of the "
            f"design; the first with: {failed[0]}"
        )
    found = {}
    told, design = problem(experiment), sample(experiment)
    for name in experiment.outcomes:
        values = counted(rows[name].to_numpy(), experiment.base.days).reshape(experiment.replications, -1).mean(axis=0)
        if experiment.design == "morris":
            found[name] = morris_effects(told, design, values, experiment.seed)
        else:
            found[name] = sobol_effects(told, values, experiment.second_order, experiment.seed)
    return found


def unit_of(experiment: Experiment, outcome: str) -> str:
    """What effects on an outcome are counted in."""
    return OUTCOMES[outcome].unit if experiment.design == "morris" else "share of the variance"
