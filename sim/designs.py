"""Experiment files: a base scenario, the factors that vary, and the design that says at which points; checked when read.

A point gives every factor one value; all else stays as the base scenario has it, with uncertainties at their defaults.
Designs are those of SALib (Morris, Sobol) and SciPy (Latin hypercube); grids and lists are written out in the file.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from sim.ensemble import MOST_KEPT
from sim.outcomes import OUTCOMES
from sim.parameters import InputError, Parameter, Value, near_miss, parameter, register, shorten
from sim.scenario import SCHEMA, STRICT, Scenario
from sim.scenario_files import first_error, read, toml_table
from sim.scenario_files import load as load_scenario
from sim.world import load_world

# A list of points may be long.
MOST_BYTES = 5_000_000
BASE = "scenario.toml"
SAMPLED = ("lhs", "sobol", "morris")
# Levels of a Morris design.
LEVELS = 4
Point = dict[str, Value]


class ExperimentFile(BaseModel):
    """What an experiment file may hold; factors are checked against the register afterwards."""

    model_config = STRICT
    schema_version: Literal[1] = Field(alias="schema")
    title: Annotated[str, Field(min_length=1, max_length=200)]
    question: Annotated[str, Field(min_length=1, max_length=1000)]
    base: Annotated[str, Field(min_length=1, max_length=300)]
    design: Literal["grid", "list", "lhs", "sobol", "morris"]
    levers: dict[str, Any] = {}
    uncertainties: Any = {}
    points: list[dict[str, Any]] = []
    n: Annotated[int, Field(ge=1, le=MOST_KEPT)] | None = None
    second_order: bool = False
    replications: Annotated[int, Field(ge=1, le=MOST_KEPT)] = 1
    outcomes: Annotated[list[str], Field(min_length=1)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = 1


@dataclass(frozen=True)
class Factor:
    """What varies: a parameter with the values it takes, or (low, high) between which a design puts it.

    choices
        The values, where they are listed.
    ends
        (low, high) in the unit of the parameter, where they are not.
    """

    name: str
    choices: tuple[Value, ...] = ()
    ends: tuple[float, float] | None = None

    @property
    def entry(self) -> Parameter:
        """The parameter's entry in the register."""
        return register()[self.name]

    @property
    def is_logarithmic(self) -> bool:
        """Whether a design spreads it evenly over orders of magnitude, as its draws are."""
        return self.ends is not None and self.entry.scale == "log" and self.ends[0] > 0.0

    def at(self, numbers: NDArray[np.float64]) -> list[Value]:
        """The values that numbers of the design mean: choices by their places, rounded where numbers are whole."""
        if self.ends is None:
            places = np.minimum(numbers.astype(int), len(self.choices) - 1)
            return [self.choices[place] for place in places.tolist()]
        # The logarithm there and back can lead a last bit beyond an end.
        inside = np.clip(numbers, *self.ends)
        return (np.floor(inside + 0.5).astype(int) if self.entry.whole else inside).tolist()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Experiment:
    """An experiment, ready to run.

    name
        The file's name without its ending.
    base
        The scenario in which the factors vary.
    factors
        In the order of the file, levers first.
    listed
        The points of the design "list".
    n
        Points (lhs), base samples (sobol), or trajectories (morris).
    second_order
        Whether a Sobol design has the points for effects of two factors together.
    replications
        Lucks; every point meets each of them.
    outcomes
        Names of what is measured.
    seed
        Of luck and of the design.
    """

    name: str
    title: str
    question: str
    base: Scenario
    design: str
    factors: tuple[Factor, ...]
    listed: tuple[Point, ...] = ()
    n: int | None = None
    second_order: bool = False
    replications: int = 1
    outcomes: tuple[str, ...] = tuple(OUTCOMES)
    seed: int = 1

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Dotted names of the factors."""
        return tuple(factor.name for factor in self.factors)

    @property
    def n_points(self) -> int:
        """How many points the design has, told without making it."""
        if self.design == "grid":
            return math.prod(len(factor.choices) for factor in self.factors)
        if self.design == "list":
            return len(self.listed)
        n, d = self.n or 0, len(self.factors)
        return {"lhs": n, "sobol": n * (2 * d + 2 if self.second_order else d + 2), "morris": n * (d + 1)}[self.design]

    @property
    def n_rows(self) -> int:
        """How many runs: every point under every luck."""
        return self.n_points * self.replications

    def renamed(self, name: str, base_name: str) -> "Experiment":
        """The same experiment under another name, and so its base."""
        return replace(self, name=name, base=self.base.renamed(base_name))

    def document(self) -> dict[str, Any]:
        """The experiment as a plain document in the file format, beside its base as `scenario.toml`."""
        document: dict[str, Any] = {
            "schema": SCHEMA,
            "title": self.title,
            "question": self.question,
            "base": BASE,
            "design": self.design,
            "replications": self.replications,
            "seed": self.seed,
            "outcomes": list(self.outcomes),
        }
        if self.n is not None:
            document["n"] = self.n
        if self.design == "sobol":
            document["second_order"] = self.second_order
        if self.design == "list":
            return document | {"points": [dict(point) for point in self.listed]}
        for table, is_lever in (("levers", True), ("uncertainties", False)):
            told = {
                factor.name: list(factor.choices)
                if factor.ends is None
                else {"low": factor.ends[0], "high": factor.ends[1]}
                for factor in self.factors
                if (factor.entry.kind == "lever") == is_lever
            }
            if told:
                document[table] = told
        return document

    def toml(self) -> str:
        """The experiment as a file, every default written out."""
        document = self.document()
        tables = {name: document.pop(name) for name in ("levers", "uncertainties") if name in document}
        text = tomli_w.dumps(document)
        for name, factors in tables.items():
            # Line by line, since the writer would put ranges after lists, and the order of factors matters.
            text += f"\n[{name}]\n" + "".join(_line(factor, value) for factor, value in factors.items())
        return text

    @property
    def digest(self) -> str:
        """SHA-256 of what is run and measured: the document and the base without their words."""
        told = {key: value for key, value in self.document().items() if key not in ("title", "question", "base")}
        told |= {"scenario": self.base.digest, "order": list(self.names)}
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _line(name: str, value: Any) -> str:
    """A factor as one line of a file."""
    if isinstance(value, dict):
        return f'"{name}" = {{ low = {value["low"]!r}, high = {value["high"]!r} }}\n'
    return tomli_w.dumps({name: value})


# --- Reading and checking


def load_experiment(path: Path | str) -> Experiment:
    """Read and check an experiment file; raises InputError in one paragraph for anything wrong."""
    path = Path(path)
    table = toml_table(read(path, "sweep", MOST_BYTES), str(path))
    document = _checked(table, str(path))
    try:
        base = load_scenario(path.parent / document.base)
    except InputError as error:
        raise InputError(f"{path}: base = {shorten(document.base)}: {error}") from None
    return _experiment(document, base, path.stem, str(path))


def experiment_of(table: Mapping[str, Any], base: Scenario, name: str) -> Experiment:
    """An experiment from a table as a file has it, around a scenario that stands already; checked like a file."""
    return _experiment(_checked({"schema": SCHEMA, "base": BASE, **table}, name), base, name, name)


def _checked(table: Mapping[str, Any], where: str) -> ExperimentFile:
    try:
        return ExperimentFile.model_validate(table)
    except ValidationError as error:
        raise InputError(f"{where}: {first_error(error, _suggestion)}") from None


def _suggestion(loc: Sequence[int | str]) -> str:
    """Where an unknown key may belong."""
    name = str(loc[-1])
    if name in register() or any(known.startswith(f"{name}.") for known in register()):
        return "; factors stand in [levers] or [uncertainties]"
    keys = ["schema", *(key for key in ExperimentFile.model_fields if key != "schema_version")]
    return near_miss(name, keys) or f"; there are {', '.join(keys)}"


def _experiment(document: ExperimentFile, base: Scenario, name: str, where: str) -> Experiment:
    """The experiment that a checked document describes."""
    try:
        _check_keys(document)
        if document.design == "list":
            listed = _listed(document.points, base)
            factors = tuple(Factor(each, _different(point[each] for point in listed)) for each in listed[0])
        else:
            listed, factors = (), _factors(document, base)
        experiment = Experiment(
            name=name,
            title=document.title,
            question=document.question,
            base=base,
            design=document.design,
            factors=factors,
            listed=listed,
            n=document.n,
            second_order=document.second_order,
            replications=document.replications,
            outcomes=tuple(OUTCOMES) if document.outcomes is None else _outcomes(document.outcomes),
            seed=document.seed,
        )
        if experiment.n_rows > MOST_KEPT:
            raise InputError(
                f"{experiment.n_points:,} points with {experiment.replications:,} replications are "
                f"{experiment.n_rows:,} runs, more than {MOST_KEPT:,} at a time"
            )
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return experiment


def _check_keys(document: ExperimentFile) -> None:
    """Which keys a design takes."""
    design = document.design
    if design in SAMPLED and document.n is None:
        means = {"lhs": "points", "sobol": "base samples", "morris": "trajectories"}[design]
        raise InputError(f'n is missing: design = "{design}" needs the number of {means}')
    if design not in SAMPLED and document.n is not None:
        raise InputError(
            f'n = {document.n} goes with lhs, sobol and morris; design = "{design}" has its points written'
        )
    if design == "sobol" and document.n is not None and document.n.bit_count() != 1:
        below = 1 << (document.n.bit_length() - 1)
        raise InputError(
            f"n = {document.n}: Sobol points are balanced in powers of two only; {below} and {2 * below} are the nearest"
        )
    if "second_order" in document.model_fields_set and design != "sobol":
        raise InputError(f'second_order goes with design = "sobol", found "{design}"')
    if design == "list" and (document.levers or document.uncertainties):
        raise InputError(
            'design = "list" takes its points from [[points]] alone, so levers and uncertainties stand there'
        )
    if design == "list" and not document.points:
        raise InputError('points is missing: design = "list" needs at least one [[points]]')
    if design != "list" and document.points:
        raise InputError(f'points go with design = "list", found "{design}"')


def _outcomes(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in OUTCOMES:
            hint = near_miss(name, OUTCOMES)
            raise InputError(f"outcomes: {shorten(name)} is not an outcome{hint}; there are {', '.join(OUTCOMES)}")
    if len(set(names)) < len(names):
        raise InputError(f"outcomes names {next(name for name in names if names.count(name) > 1)!r} twice")
    return tuple(names)


def _listed(rows: Sequence[Mapping[str, Any]], base: Scenario) -> tuple[Point, ...]:
    """The points of a list, each with a value for every factor that any of them names; the rest is the base's."""
    points = []
    for number, row in enumerate(rows, 1):
        points.append(_numbered(number, row))
    names = dict.fromkeys(name for point in points for name in point)
    if not names:
        raise InputError("points name no parameter")
    return tuple(
        {name: point.get(name, _typed(parameter(name), base.value(name))) for name in names} for point in points
    )


def _numbered(number: int, row: Mapping[str, Any]) -> Point:
    try:
        return {name: _typed(parameter(name), value) for name, value in _leaves(row)}
    except InputError as error:
        raise InputError(f"points[{number}]: {error}") from None


def _different(values: Iterator[Value]) -> tuple[Value, ...]:
    """Values in order of appearance, each once."""
    found: list[Value] = []
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)


def _factors(document: ExperimentFile, base: Scenario) -> tuple[Factor, ...]:
    """The factors of a design, levers first."""
    factors = [
        _factor(name, value, "lever", document.design, base) for name, value in _leaves(document.levers, "levers")
    ]
    factors += [
        _factor(name, value, "uncertainty", document.design, base)
        for name, value in _uncertainties(document.uncertainties, base)
    ]
    if not factors:
        raise InputError("nothing varies: name parameters in [levers] or [uncertainties]")
    return tuple(factors)


def _uncertainties(given: Any, base: Scenario) -> list[tuple[str, Any]]:
    """Names with what they are given: from a table, a list of names, or the word "all"."""
    if given == "all":
        # What the base sets without a range is its assumption.
        free = [name for name, entry in register().items() if entry.kind == "uncertainty"]
        return [(name, {}) for name in free if name not in base.values or name in base.ranges]
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        if len(set(given)) < len(given):
            raise InputError(f"uncertainties names {next(name for name in given if given.count(name) > 1)!r} twice")
        return [(name, {}) for name in given]
    if isinstance(given, dict):
        return list(_leaves(given, "uncertainties"))
    raise InputError(
        f'uncertainties = {shorten(given)} must be a table of names, a list of names, or the word "all"'
        + (near_miss(given, ["all"]) if isinstance(given, str) else "")
    )


def _leaves(table: Mapping[str, Any], where: str = "points", before: str = "") -> Iterator[tuple[str, Any]]:
    """Names with their values, from dotted names and nested tables alike."""
    for key, value in table.items():
        name = f"{before}{key}"
        if name in register() or not isinstance(value, dict):
            yield parameter(name).name, value
        elif any(known.startswith(f"{name}.") for known in register()):
            yield from _leaves(value, where, f"{name}.")
        else:
            raise InputError(f"unknown key {where}.{name}{near_miss(name, register())}")


def _factor(name: str, given: Any, kind: str, design: str, base: Scenario) -> Factor:
    """One factor from what the file gives it."""
    entry = parameter(name)
    if entry.kind != kind:
        where = {"lever": "levers", "uncertainty": "uncertainties"}.get(entry.kind)
        right = f"name it in [{where}]" if where else "set it in the base scenario, or vary it in a list of points"
        raise InputError(f"{name} is {_a(entry.kind)}, not {_a(kind)}: {right}")
    if isinstance(given, list):
        values = tuple(_typed(entry, value) for value in given)
        if not values:
            raise InputError(f"{name} = [] lists no value")
        if len(_different(iter(values))) < len(values):
            raise InputError(f"{name} = {shorten(given)} lists a value twice")
        if design != "grid" and len(values) < 2:
            raise InputError(f"{name} = {shorten(given)}: {design} needs at least two choices")
        return Factor(name, values)
    if design == "grid":
        raise InputError(f"{name} = {shorten(given)}: a grid takes a list of values; {name} takes {entry.allowed}")
    if not isinstance(given, dict):
        raise InputError(
            f"{name} = {shorten(given)}: {design} takes {{low = ..., high = ...}}, {{}} for the register's range, or a list"
        )
    return Factor(name, ends=_ends(entry, given, base))


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _ends(entry: Parameter, given: Mapping[str, Any], base: Scenario) -> tuple[float, float]:
    """(low, high) as given, or else as the base or the register has them."""
    for key in given:
        if key not in ("low", "high"):
            raise InputError(f"unknown key {entry.name}.{key}{near_miss(key, ('low', 'high'))}; there are low and high")
    if entry.limits is None:
        raise InputError(f"{entry.name} has no numbers between: it takes {entry.allowed}; give a list of choices")
    usual = base.ranges.get(entry.name) or entry.range
    if usual is None and len(given) < 2:
        raise InputError(f"{entry.name} has no range in the register: give low and high")
    low, high = (
        _end(entry, key, given[key]) if key in given else float(usual[k])  # type: ignore[index]
        for k, key in enumerate(("low", "high"))
    )
    if not low < high:
        raise InputError(f"{entry.name}: low = {low:g} must be below high = {high:g}")
    return (low, high)


def _end(entry: Parameter, key: str, value: Any) -> float:
    if isinstance(value, bool | str | list | dict):
        raise InputError(f"{entry.name}.{key} = {shorten(value)} is no number; {entry.name} takes {entry.allowed}")
    is_written_whole = entry.whole and isinstance(value, float) and value.is_integer()
    return float(entry.check(int(value) if is_written_whole else value))  # type: ignore[arg-type]


def _typed(entry: Parameter, value: Any) -> Value:
    """The value, checked; numbers that need not be whole as floats, so that 1 and 1.0 are one value."""
    value = entry.check(value)
    for code in value if isinstance(value, list) else ():
        load_world().position(code, entry.name)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_number and not entry.whole else value


# --- Designs


def problem(experiment: Experiment) -> dict[str, Any]:
    """The experiment's factors as SALib has them: num_vars, names, bounds, dists; a new dictionary on every call.

    A factor with k choices lies between 0 and k, and a number in it means the choice at its whole part.
    """
    return {
        "num_vars": len(experiment.factors),
        "names": list(experiment.names),
        "bounds": [list(factor.ends or (0.0, float(len(factor.choices)))) for factor in experiment.factors],
        "dists": ["logunif" if factor.is_logarithmic else "unif" for factor in experiment.factors],
    }


def sample(experiment: Experiment) -> NDArray[np.float64]:
    """The design as SALib and SciPy make it, before whole numbers are rounded and choices looked up.

    This is what an analysis of elementary effects needs: rounded, two neighbours of a trajectory can be the same.

    Returns
    -------
    Shape (n_points, n_factors), in the units of the factors.
    """
    sampler = {"lhs": _lhs, "sobol": _sobol, "morris": _morris}.get(experiment.design)
    if sampler is None:
        raise ValueError(f"a {experiment.design} is not sampled")
    try:
        made = sampler(experiment, np.random.default_rng(experiment.seed))
    except ImportError:
        raise InputError(
            f'design = "{experiment.design}" needs the package SALib, which is not installed: '
            "pip install -r requirements-lab.txt"
        ) from None
    return np.asarray(made, np.float64)


def _lhs(experiment: Experiment, generator: np.random.Generator) -> Any:
    from SALib.util import scale_samples
    from scipy.stats.qmc import LatinHypercube

    unit = LatinHypercube(len(experiment.factors), rng=generator).random(experiment.n)
    return scale_samples(unit, problem(experiment))


def _sobol(experiment: Experiment, generator: np.random.Generator) -> Any:
    from SALib.sample import sobol

    return sobol.sample(problem(experiment), experiment.n, calc_second_order=experiment.second_order, seed=generator)


def _morris(experiment: Experiment, generator: np.random.Generator) -> Any:
    from SALib.sample import morris

    return morris.sample(problem(experiment), experiment.n, num_levels=LEVELS, seed=generator)


def points(experiment: Experiment) -> tuple[Point, ...]:
    """The points of the design in its order, each with one value per factor; the last factor of a grid varies fastest."""
    if experiment.design == "list":
        return experiment.listed
    if experiment.design == "grid":
        rows = itertools.product(*(factor.choices for factor in experiment.factors))
        return tuple(dict(zip(experiment.names, row, strict=True)) for row in rows)
    columns = [factor.at(numbers) for factor, numbers in zip(experiment.factors, sample(experiment).T, strict=True)]
    return tuple(dict(zip(experiment.names, row, strict=True)) for row in zip(*columns, strict=True))
