"""Inquiry: a small study of one scenario, from its plan to what it found in words; or that of a sweep which has been stored.

What commands do with a results folder is done here in a folder that goes away afterwards: a page keeps the rows.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sim import compiled, discovery, sensitivity, stored
from sim.discovery import Box
from sim.experiments import Experiment, Rows, experiment_of, load, run
from sim.parallel import workers
from sim.parameters import InputError, parameter, register
from sim.scenario import Scenario
from sim.sensitivity import Effect
from sim.studies import Condition, Progress, Truths

# What can be asked, by design: in a word, what it tells, what n counts, and how many to choose from, the usual one first.
MORRIS, SOBOL, BOXES = "morris", "sobol", "lhs"


@dataclass(frozen=True)
class Method:
    """A kind of study: its name, what it tells, what n counts, sizes from the smallest, and the packages it needs."""

    title: str
    tells: str
    counts: str
    sizes: tuple[int, ...]
    needs: tuple[tuple[str, str], ...]


METHODS = {
    MORRIS: Method(
        "Morris: which uncertainties matter",
        "One uncertainty after the other goes through its range, from many places: which of them matter most.",
        "trajectories",
        (2, 4, 10, 20),
        (("SALib", "SALib"),),
    ),
    SOBOL: Method(
        "Sobol: shares of the variance",
        "Some uncertainties vary together: in which share of the outcome's variance each takes part.",
        "base samples",
        (16, 32, 64, 128),
        (("SALib", "SALib"),),
    ),
    BOXES: Method(
        "Discovery: under which conditions",
        "Some uncertainties vary together: boxes of conditions inside which most runs reach what is asked.",
        "runs",
        (200, 400, 800),
        (("scipy", "SciPy"), ("ema_workbench", "ema-workbench"), ("sklearn", "scikit-learn")),
    ),
}
# Seconds between two looks whether a box has been found or the work been cancelled.
PAUSE = 0.5
# A Sobol study takes so many uncertainties at most: each costs as many runs as there are base samples.
MOST_FACTORS = 12


def missing(method: str) -> str | None:
    """What has to be installed before a study can be made, in words; None if nothing."""
    names = [name for module, name in METHODS[method].needs if find_spec(module) is None]
    if not names:
        return None
    study, many = ("discover" if method == BOXES else "sensitivity"), "s" if len(names) > 1 else ""
    return (
        f"{study} needs the package{many} {', '.join(names)}, which {'are' if many else 'is'} not installed: "
        "pip install -r requirements-lab.txt"
    )


def open_uncertainties(scenario: Scenario) -> list[str]:
    """Uncertainties that a scenario leaves open and that have a range, by name: what a study can vary."""
    return [
        name
        for name, entry in register().items()
        if entry.kind == "uncertainty" and entry.range and (name not in scenario.values or name in scenario.ranges)
    ]


def planned(scenario: Scenario, method: str, n: int, seed: int, names: Sequence[str] = ()) -> Experiment:
    """The experiment of a study.

    Parameters
    ----------
    n
        What the method counts.
    names
        Uncertainties that vary, each within its range; all that the scenario leaves open if none are named.

    Raises
    ------
    InputError
        If that cannot be, for instance because a name is no uncertainty.
    """
    told: Any = "all"
    if names:
        told = {name: _ends(scenario, name) for name in names}
    table = {
        "title": f"{METHODS[method].title.split(':')[0]}: {scenario.title}"[:200],
        "question": METHODS[method].tells,
        "design": method,
        "uncertainties": told,
        "n": n,
        "seed": seed,
    }
    return experiment_of(table, scenario, scenario.name)


def _ends(scenario: Scenario, name: str) -> dict[str, float]:
    ends = scenario.ranges.get(name) or parameter(name).range
    if ends is None:
        raise InputError(f"{name} has no range to vary in")
    return {"low": ends[0], "high": ends[1]}


def made(experiment: Experiment, progress: Progress | None = None) -> Rows:
    """Run an experiment; nothing of it stays on the disk."""
    with TemporaryDirectory(prefix="study-") as folder:
        # Compiled code lets other threads run; SimPy does not, so it runs in processes of its own.
        if compiled.unavailable() is None:
            return run(experiment, Path(folder) / "sweep", progress=progress)
        with workers(2) as executor:
            return run(experiment, Path(folder) / "sweep", executor=executor, progress=progress)


@dataclass(frozen=True)
class Found:
    """What a study found.

    effects
        By outcome, largest first; empty for a design that has none to tell.
    boxes
        By method, for the condition; empty without one.
    ends
        Lowest and highest value of each number that varied.
    n_runs, n_reaching
        Runs that finished, and those of them that reach the condition.
    """

    experiment: Experiment
    rows: Rows
    effects: dict[str, list[Effect]]
    condition: Condition | None = None
    boxes: dict[str, list[Box]] | None = None
    ends: dict[str, tuple[float, float]] | None = None
    n_runs: int = 0
    n_reaching: int = 0


def analysed(
    experiment: Experiment, rows: Rows, condition: Condition | None, progress: Progress | None = None
) -> Found:
    """What a sweep tells: effects for a Morris or Sobol design, boxes for a condition.

    Raises
    ------
    InputError
        If a package is missing, the condition's outcome was not measured, or there is nothing to tell apart.
    """
    tell = progress or (lambda stage, n, total: None)
    if condition is None:
        tell("working out effects", 0, 1)
        return Found(experiment, rows, sensitivity.effects(experiment, rows), n_runs=len(rows))
    if condition.outcome not in experiment.outcomes:
        raise InputError(f"{condition.outcome} was not measured in this study")
    x, values = discovery.table_of_factors(experiment, rows, condition.outcome)
    reaches = condition.holds(values)
    discovery.check_enough(reaches)
    boxes = {}
    # Both are long work in Python itself, so they get a process of their own and leave this one to whoever else it serves.
    with workers(2) as executor:
        for k, (name, look) in enumerate(LOOKS.items()):
            future = executor.submit(look, x, reaches, experiment.seed)  # type: ignore[union-attr]
            while not future.done():
                tell(f"looking for boxes by {name}", k, len(LOOKS))
                wait([future], PAUSE)
            boxes[name] = future.result()
    return Found(experiment, rows, {}, condition, boxes, discovery.ends_of(x), len(reaches), int(reaches.sum()))


def _by_prim(x: Any, reaches: Truths, seed: int) -> list[Box]:
    return discovery.prim_boxes(x, reaches)


LOOKS: dict[str, Callable[[Any, Truths, int], list[Box]]] = {"PRIM": _by_prim, "CART": discovery.tree_boxes}


def stored_sweeps(folder: Path = stored.RESULTS) -> list[str]:
    """Names of the finished sweeps in a folder of results."""
    return [each.name for each in stored.found(folder) if each.kind == stored.SWEEP and each.is_complete]


def loaded(name: str, folder: Path = stored.RESULTS) -> tuple[Experiment, Rows]:
    """A stored sweep by its name; only what stands in the folder can be named."""
    if name not in stored_sweeps(folder):
        raise InputError(f"there is no finished sweep called {name!r} among the results")
    return load(stored.called(folder, name).path)


# --- In words


def effect_in_words(experiment: Experiment, outcome: str, found: Sequence[Effect], unit: str) -> str:
    """The largest effects on an outcome as a sentence."""
    first = [effect for effect in found if effect.size > 0.0][:3]
    if not first:
        return f"{outcome} is the same at every point: nothing that varied moves it."
    if experiment.design == MORRIS:
        told = ", ".join(f"{parameter(each.name).label} ({_short(each.size)} ± {_short(each.error)})" for each in first)
        return f"Over their ranges these move it most, in {unit}: {told}."
    told = ", ".join(
        f"{parameter(each.name).label} ({100 * each.size:.0f} ± {100 * each.error:.0f} %)" for each in first
    )
    return f"These take part in the largest shares of its variance, alone or with others: {told}."


def box_in_words(box: Box, n_reaching: int) -> str:
    """Coverage and density of a box as a sentence."""
    return (
        f"{box.n_reaching:,} of the {box.n_runs:,} runs inside reach it: a density of {100 * box.density:.0f} %. They are "
        f"{100 * box.coverage:.0f} % of the {n_reaching:,} runs that reach it: the coverage."
    )


def conditions_in_words(box: Box, ends: dict[str, tuple[float, float]]) -> list[str]:
    """The conditions of a box, one line each, by labels."""
    lines = []
    for name, line in zip(box.limits, discovery.in_words(box, ends), strict=True):
        entry = register().get(name)
        lines.append(line.replace(name, f"{entry.label} ({name})", 1) if entry else line)
    return lines


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
