"""Exercises: a worksheet for a class, and its key apart, whose numbers are computed and not typed.

Students commit to an answer before they look; forecasts are scored by the Brier score (a chance) and the interval score (a
range). A worksheet is `seeds/exercises/NAME.toml`, its key `seeds/exercises/keys/NAME.toml`.

What a page needs:

- `names()`, `load(name)`: the exercises; `Exercise.steps`, each with `Step.run` (or None) and `Step.questions`.
- `Question.kind` says how to ask: "interval" (low and high, at `Question.level`), "chance" (0 to 1), "choice" (one of
  `Question.choices`), "words". `Question.before` is true where the answer must be given before the step is run.
- `scenario_of(run)` is the scenario to show; `run_of(run)` plays it (give your own, cached, to `scored` and `recomputed`).
- `load_key(name)`, `scored(question, key, forecast, play)`: a `Score`; `recomputed(key, play)`: the key's numbers, again.
- `worksheets.worksheet(exercise)` and `worksheets.key_sheet(exercise, key, found)` are lists of blocks, which
  `worksheets.markdown(blocks)` and `worksheets.html_page(title, blocks)` write out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sim.ensemble import run_ensemble
from sim.outcomes import OUTCOMES
from sim.parameters import SEEDS, InputError, near_miss
from sim.results import Ensemble
from sim.scenario import Scenario
from sim.scenario_files import first_error, read, toml_table
from sim.scenario_files import load as load_scenario

FOLDER = SEEDS / "exercises"
SCENARIOS = SEEDS.parent / "scenarios"
MOST_BYTES = 50_000
# A kept number and one computed again are the same if they round to the same; what is kept has four decimals.
NEARNESS = 5.1e-5
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

Values = NDArray[np.float64]
Model = TypeVar("Model", bound=BaseModel)


class Run(BaseModel):
    """A scenario file, levers and assumptions moved in it, and how often it is run."""

    model_config = _STRICT
    scenario: str
    settings: dict[str, Any] = Field(default_factory=dict, alias="set")
    replications: int = Field(400, ge=1, le=2000)
    draws: int | None = Field(None, ge=0, le=2000)
    seed: int = Field(1, ge=0, le=2**31 - 1)

    @property
    def command(self) -> str:
        """The run on the command line."""
        draws = "" if self.draws is None else f" --draws {self.draws}"
        moved = "".join(f" --set {name}={str(value).lower()}" for name, value in self.settings.items())
        seed = f" --seed {self.seed}" if self.seed != 1 else ""
        return (
            f"python -m sim run scenarios/{self.scenario}.toml --replications {self.replications}{draws}{moved}{seed}"
        )


class Question(BaseModel):
    """One thing asked; an interval and a chance are scored, a choice is compared, words are for talking."""

    model_config = _STRICT
    id: str = Field(pattern=r"^[a-z_]{1,30}$")
    ask: str
    kind: Literal["interval", "chance", "choice", "words"]
    before: bool = False
    unit: str = ""
    level: float = Field(0.9, gt=0, lt=1)
    least: float = 0.0
    most: float = 1.0
    choices: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise InputError(f"{self.id}: choices go with kind = 'choice', and only with it")
        if self.least >= self.most:
            raise InputError(f"{self.id}: least = {self.least:g} must lie below most = {self.most:g}")
        return self


class Step(BaseModel):
    """What is done: questions to commit to, a run, and questions on what it shows."""

    model_config = _STRICT
    title: str
    do: str
    minutes: int = Field(ge=1, le=90)
    run: Run | None = None
    against: Run | None = None
    questions: list[Question] = Field(default_factory=list)


class Exercise(BaseModel):
    """A worksheet."""

    model_config = _STRICT
    schema_version: Literal[1] = Field(alias="schema")
    title: str
    aim: str
    before_you_begin: str
    steps: list[Step] = Field(min_length=1)

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return sum(step.minutes for step in self.steps)

    @property
    def questions(self) -> dict[str, Question]:
        """All questions by their id."""
        return {question.id: question for step in self.steps for question in step.questions}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [question.id for step in self.steps for question in step.questions]
        if twice := {name for name in ids if ids.count(name) > 1}:
            raise InputError(f"questions: {min(twice)!r} is asked twice")
        for step in self.steps:
            if step.against and not step.run:
                raise InputError(f"{step.title}: against goes with a run")
            for run in (step.run, step.against):
                if run:
                    scenario_of(run)
        return self


class Number(Run):
    """How a number of a key is computed, and what it was.

    statistic
        Over runs: mean, median, p05, p95, width (p95 - p05), never (the share where it never happened), or share (of
        runs that reach `at_least`). Apart from never and share, runs where it never happened may not occur.
    against
        Another run of the same plan: then the statistic is that of the paired differences, run by run.
    """

    label: str
    outcome: str
    statistic: Literal["mean", "median", "p05", "p95", "width", "never", "share"]
    at_least: float | None = None
    against: Run | None = None
    value: float

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.outcome not in OUTCOMES:
            raise InputError(f"outcome = {self.outcome!r} is not an outcome{near_miss(self.outcome, OUTCOMES)}")
        if (self.statistic == "share") != (self.at_least is not None):
            raise InputError(f"{self.label}: at_least goes with statistic = 'share', and only with it")
        for run in (self, self.against):
            if run:
                scenario_of(run)
        plans = [(run.replications, run.draws, run.seed) for run in (self, self.against) if run]
        if len(set(plans)) > 1:
            raise InputError(f"{self.label}: a run and the one it is held against need the same draws and luck")
        return self

    @property
    def unit(self) -> str:
        """What the number counts."""
        return "of runs" if self.statistic in ("never", "share") else OUTCOMES[self.outcome].unit


class Answer(BaseModel):
    """The answer to one question: words, and numbers; the first number is what a forecast is scored on."""

    model_config = _STRICT
    question: str
    told: str
    choice: str | None = None
    numbers: list[Number] = Field(default_factory=list)


class Key(BaseModel):
    """The key of a worksheet."""

    model_config = _STRICT
    schema_version: Literal[1] = Field(alias="schema")
    answers: list[Answer]
    name: str = ""

    def answer(self, question: str) -> Answer:
        """The answer to a question."""
        return next(answer for answer in self.answers if answer.question == question)


@dataclass(frozen=True)
class Recomputed:
    """A number of a key, as kept and as computed now."""

    question: str
    number: Number
    found: float

    @property
    def is_same(self) -> bool:
        """Whether both are one number, rounded as it is kept."""
        return abs(self.found - self.number.value) <= NEARNESS


@dataclass(frozen=True)
class Score:
    """How far a forecast lay from what the runs did; lower is better.

    best
        The score of whoever knew the runs beforehand: not 0, since the runs differ among themselves.
    vague
        The score of whoever said nothing: the whole range, or a chance of one half.
    """

    score: float
    best: float
    vague: float


# --- Reading


def names() -> list[str]:
    """The exercises there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Exercise:
    """An exercise by its name; raises InputError with the near miss."""
    return _checked(Exercise, FOLDER / f"{_known(name)}.toml")


def load_key(name: str) -> Key:
    """The key of an exercise, checked against its questions."""
    exercise, path = load(name), FOLDER / "keys" / f"{_known(name)}.toml"
    key = _checked(Key, path).model_copy(update={"name": name})
    asked, answered = list(exercise.questions), [answer.question for answer in key.answers]
    if asked != answered:
        raise InputError(f"{path}: answers must be to {', '.join(asked)}, in this order; found {', '.join(answered)}")
    for answer in key.answers:
        question = exercise.questions[answer.question]
        if question.kind == "choice" and answer.choice not in question.choices:
            raise InputError(f"{path}: {question.id}: choice = {answer.choice!r} is not one of its choices")
        if question.kind in ("interval", "chance") and not answer.numbers:
            raise InputError(f"{path}: {question.id}: a forecast needs a number to be scored on")
        if question.kind == "chance" and answer.numbers[0].statistic not in ("share", "never"):
            raise InputError(f"{path}: {question.id}: a chance is scored on statistic 'share' or 'never'")
    return key


def _known(name: str) -> str:
    if name not in names():
        raise InputError(f"{name!r} is not an exercise{near_miss(name, names())}; there are {', '.join(names())}")
    return name


def _checked(model: type[Model], path: Path) -> Model:
    table = toml_table(read(path, "worksheet or key", MOST_BYTES), str(path))
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error, lambda loc: '')}") from None


def scenario_of(run: Run) -> Scenario:
    """The scenario of a run, with what is moved in it."""
    path = SCENARIOS / f"{run.scenario}.toml"
    if path.parent != SCENARIOS:
        raise InputError(f"scenario = {run.scenario!r} must be the name of a file in scenarios/")
    scenario = load_scenario(path)
    return scenario.with_values(run.settings) if run.settings else scenario


# --- Numbers


def run_of(run: Run) -> Ensemble:
    """Play a run."""
    return run_ensemble(scenario_of(run), run.seed, run.draws, run.replications, with_twins=False)


def values_of(number: Number, play: Callable[[Run], Ensemble]) -> Values:
    """One value for each run: the outcome, or its difference from the same run of the other scenario."""
    measure = OUTCOMES[number.outcome].measure
    values = measure(play(plan_of(number)))
    return values - measure(play(number.against)) if number.against else values


def plan_of(number: Number) -> Run:
    """What has to be run for a number, so that equal plans are run once."""
    return Run(**{name: getattr(number, name) for name in ("scenario", "settings", "replications", "draws", "seed")})


def statistic(number: Number, values: Values) -> float:
    """A number of a key from its values; NaN is a run where it never happened."""
    match number.statistic:
        case "never" | "share":
            return float(happened(number, values).mean())
        case "mean":
            return float(values.mean())
        case "width":
            return float(np.quantile(values, 0.95) - np.quantile(values, 0.05))
        case "median" | "p05" | "p95":
            return float(np.quantile(values, {"median": 0.5, "p05": 0.05, "p95": 0.95}[number.statistic]))


def happened(number: Number, values: Values) -> NDArray[np.bool_]:
    """In which runs what a chance is about came true: it never happened, or the outcome reached what was asked."""
    return np.isnan(values) if number.statistic == "never" else values >= (number.at_least or 0.0)


def recomputed(key: Key, play: Callable[[Run], Ensemble] = run_of) -> list[Recomputed]:
    """Every number of a key, computed again; each plan is played once."""
    play = _once(play)
    return [
        Recomputed(answer.question, number, statistic(number, values_of(number, play)))
        for answer in key.answers
        for number in answer.numbers
    ]


def _once(play: Callable[[Run], Ensemble]) -> Callable[[Run], Ensemble]:
    """Play equal plans once; ensembles of a key fit into memory together."""
    played: dict[str, Ensemble] = {}

    def kept(run: Run) -> Ensemble:
        told = run.model_dump_json()
        if told not in played:
            played[told] = play(run)
        return played[told]

    return kept


# --- Scores


def brier(chance: float, came_true: NDArray[np.bool_]) -> float:
    """The mean squared distance between a chance and what came true (0 or 1) in each run (Brier 1950)."""
    return float(((chance - came_true) ** 2).mean())


def interval_score(low: float, high: float, level: float, values: Values) -> float:
    """How wide a range is, plus 2 / (1 - level) for each unit by which a value lies outside, mean over runs.

    References
    ----------
    Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Prediction, and Estimation, section 6.2.
    """
    outside = np.maximum(low - values, 0.0) + np.maximum(values - high, 0.0)
    return float(high - low + 2.0 / (1.0 - level) * outside.mean())


def scored(
    question: Question, key: Key, forecast: float | tuple[float, float], play: Callable[[Run], Ensemble] = run_of
) -> Score:
    """The score of a forecast: of a chance from 0 to 1, or of a (low, high).

    Raises
    ------
    InputError
        If the question asks for no forecast, or the forecast is none: ends that do not rise, or outside what can be.
    """
    if question.kind not in ("interval", "chance"):
        raise InputError(f"{question.id}: only intervals and chances are scored")
    number = key.answer(question.id).numbers[0]
    ends = forecast if isinstance(forecast, tuple) else (forecast, forecast)
    least, most = (0.0, 1.0) if question.kind == "chance" else (question.least, question.most)
    if isinstance(forecast, tuple) != (question.kind == "interval") or not least <= ends[0] <= ends[1] <= most:
        what = "a low and a high end" if question.kind == "interval" else "a chance"
        raise InputError(f"{question.id}: a forecast is {what} in {least:g}..{most:g}, found {forecast}")
    values = values_of(number, play)
    if question.kind == "chance":
        came_true = happened(number, values)
        return Score(*(brier(chance, came_true) for chance in (ends[0], float(came_true.mean()), 0.5)))
    tail = (1.0 - question.level) / 2.0
    known = float(np.quantile(values, tail)), float(np.quantile(values, 1.0 - tail))
    told = [interval_score(*pair, question.level, values) for pair in (ends, known, (question.least, question.most))]
    return Score(*told)
