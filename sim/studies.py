"""What studies of a scenario have in common: conditions, the numbers of real runs, and packages of the lab.

Each study is a function of plain numbers, so that it can be checked against answers known beforehand; `Source` brings
the numbers of real runs. A run in which something never happens has NaN: where an outcome is compared or ranked it
counts as later than all others, and where a mean is taken as the day after the last, which whoever shows it says.
"""

import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.ensemble import run_ensemble, run_pairs
from sim.outcomes import OUTCOMES
from sim.parallel import spread
from sim.parameters import InputError, Value, near_miss
from sim.results import Ensemble
from sim.scenario import Scenario

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Progress = Callable[[str, int, int], Any]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
# Of all intervals.
CONFIDENCE = 0.95
TAILS = ((1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0)
# Bootstrap samples behind an interval.
RESAMPLES = 1000


@contextmanager
def lab(study: str, package: str) -> Iterator[None]:
    """Say what to install where a package of the lab is missing."""
    try:
        yield
    except ImportError:
        raise InputError(
            f"{study} needs the package {package}, which is not installed: pip install -r requirements-lab.txt"
        ) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings of a library about what is told in the result."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def finite(value: float) -> float | None:
    """The value, or None where it is not a finite number."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True)
class Condition:
    """What a run reaches or not: an outcome compared with a number."""

    outcome: str
    sign: str
    number: float

    def __str__(self) -> str:
        """The condition as it is typed."""
        return f"{self.outcome} {self.sign} {self.number:g}"

    def holds(self, values: Numbers) -> Truths:
        """For each run, whether it holds; a run that never gets there is later than every number."""
        return np.asarray(OPERATORS[self.sign](np.where(np.isnan(values), np.inf, values), self.number), np.bool_)


def check_outcome(name: str) -> str:
    """The name of an outcome; raises InputError with the near miss."""
    if name not in OUTCOMES:
        raise InputError(
            f"--outcome {name!r} is not an outcome{near_miss(name, OUTCOMES)}; there are {', '.join(OUTCOMES)}"
        )
    return name


def parse_condition(text: str) -> Condition:
    """A condition such as `days_to_50 <= 90`; raises InputError with what is allowed."""
    found = re.fullmatch(r"\s*(\w+)\s*(<=|>=|==|<|>)\s*(\S+)\s*", text)
    if not found:
        raise InputError(
            f"--outcome {text!r}: write an outcome, one of {' '.join(OPERATORS)} and a number, "
            "for instance 'days_to_50 <= 90'"
        )
    name, sign, raw = found.groups()
    check_outcome(name)
    try:
        number = float(raw.replace(",", "").replace("_", ""))
    except ValueError:
        raise InputError(f"--outcome {text!r}: {raw!r} is not a number") from None
    if not np.isfinite(number):
        raise InputError(f"--outcome {text!r}: {raw!r} is not a finite number")
    return Condition(name, sign, number)


def counted(values: Numbers, last_day: int) -> Numbers:
    """Numbers that a mean can be taken of: never counts as the day after the last."""
    return np.where(np.isnan(values), last_day + 1.0, values)


@dataclass
class Source:
    """Where the numbers of real runs come from: a scenario under one seed, on as many workers as there are.

    block
        Runs made at a time where a study asks for them one by one.
    """

    scenario: Scenario
    seed: int = 1
    executor: Executor | None = None
    progress: Callable[[str, int, int], Any] | None = None
    block: int = 32

    def ensemble(self, values: Mapping[str, Value], draws: int | None, replications: int, stage: str) -> Ensemble:
        """Runs with some values replaced; every run must finish, since runs are compared one by one."""
        scenario = self.scenario.with_values(values)
        tell = None if self.progress is None else partial(_renamed, self.progress, stage)
        made = run_ensemble(
            scenario, self.seed, draws, replications, executor=self.executor, with_twins=False, progress=tell
        )
        _refuse_failures(made)
        return made

    def one_by_one(self, outcome: str) -> Callable[[int], float]:
        """A function that gives an outcome of run r, which is draw r under luck r; made in blocks and kept."""
        known: dict[int, float] = {}

        def single(replication: int) -> float:
            if replication not in known:
                first = replication - replication % self.block
                starts = range(first, first + self.block, 4)
                tasks = [tuple((r, r) for r in range(at, min(at + 4, first + self.block))) for at in starts]
                for pairs, made in spread(self.executor, partial(run_pairs, self.scenario, self.seed), tasks):
                    _refuse_failures(made)
                    values = OUTCOMES[outcome].measure(made)
                    known.update(zip((r for _, r in pairs), map(float, values), strict=True))
                    if self.progress is not None:
                        self.progress("runs", len(known), first + self.block)
            return known[replication]

        return single


def _renamed(progress: Callable[[str, int, int], Any], stage: str, _: str, n: int, total: int) -> None:
    progress(stage, n, total)


def _refuse_failures(made: Ensemble) -> None:
    for k, text in made.errors.items():
        raise InputError(f"{made.scenario.name}: run {made.pairs[k]} failed, so runs cannot be compared: {text}")
