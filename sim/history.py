"""History: all cases held against their record, scored beside the baselines, and told where the model fails.

Everything that a page or a table shows of the past comes from here: `held_against` scores one replay, `History` holds
them all. Numbers are computed, never typed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.cases import Case
from sim.parameters import model_version
from sim.record import PRESENCE
from sim.replays import AS_REGISTERED, BASELINES, RUNS, Numbers, Replay, Tell, Variant, as_asked, days_elsewhere, replay
from sim.scores import (
    Bin,
    Interval,
    crps,
    crps_of_days,
    histogram,
    log_score,
    log_score_of_days,
    over_cases,
    pit,
    reliability,
)

MODEL = "model"
# Ends of the bands that coverage is asked of.
LOW, HIGH = 0.05, 0.95
# Days after an incident within which a withdrawal counts as one of its burst; an announcement may lag the decision.
BURST_DAYS = 7


@dataclass(frozen=True)
class StateLine:
    """One state: what it said (True yes), the chance that the model gave a yes, its side, and the baselines' chances."""

    code: str
    said: bool
    chance: float
    side: int
    baselines: dict[str, float]

    @property
    def is_right(self) -> bool:
        """Whether the model's chance lies on the side of what was said."""
        return (self.chance >= 0.5) == self.said


@dataclass(frozen=True)
class CountLine:
    """One count of people against its simulated distribution: 5, 50 and 95 % of runs, PIT, CRPS, and the straight line's error.

    kind
        presence (people who are there), orders (on orders or called up), or upper bound (of a case that only bounds speed).
    """

    day: int
    measure: str
    scope: str
    count: int
    low: float
    median: float
    high: float
    pit: float
    crps: float
    straight_line: float
    kind: str

    @property
    def is_inside(self) -> bool:
        """Whether the count lies in the band."""
        return self.low <= self.count <= self.high


@dataclass(frozen=True)
class NumberLine:
    """One number of states (withdrawals, or agreements by a day) against its simulated distribution."""

    what: str
    day: int
    count: int
    low: float
    median: float
    high: float
    pit: float
    crps: float


@dataclass(frozen=True)
class When:
    """Days to a yes, averaged over states: CRPS in days of the model and of the days seen elsewhere, the survival log score, n."""

    n: int
    crps: float
    elsewhere: float
    n_survival: int
    log_score: float
    log_score_elsewhere: float


@dataclass(frozen=True)
class CaseScore:
    """One case held against its record."""

    name: str
    title: str
    use: str
    states: tuple[StateLine, ...]
    counts: tuple[CountLine, ...]
    numbers: tuple[NumberLine, ...]
    when: When | None
    target: float
    seconds: float

    @property
    def has_refusals(self) -> bool:
        """Whether anybody refused."""
        return not all(state.said for state in self.states)

    def who(self, score: Callable[[Any, Any], Numbers], forecaster: str = MODEL) -> float:
        """A mean score over states of the model or of a baseline; NaN where no answer is known."""
        if not self.states:
            return float("nan")
        chances = [s.chance if forecaster == MODEL else s.baselines[forecaster] for s in self.states]
        return float(score(chances, [s.said for s in self.states]).mean())


def held_against(run: Replay, others: Sequence[Case]) -> CaseScore:
    """Score a replay of a case; `others` are the cases that a baseline may look at."""
    case = run.case
    sides = {state.code: state.side for state in case.scenario.world.states}
    # Where a case itself assumes the kind of mission, who agrees is assumed with it.
    answers = {} if case.assumes_consent else case.answers
    known = {code: said for code, said in answers.items() if not np.isnan(run.chance(code))}
    said_by = {name: baseline(case, others) for name, baseline in BASELINES.items()}
    return CaseScore(
        name=case.name,
        title=case.scenario.title,
        use=case.about.use,
        states=tuple(
            StateLine(code, said, run.chance(code), sides[code], {name: said_by[name][code] for name in BASELINES})
            for code, said in known.items()
        ),
        counts=tuple(_counts(run)),
        numbers=tuple(_numbers(run)),
        when=_when(run, others),
        target=float(case.scenario.value("request.target")),  # type: ignore[arg-type]
        seconds=run.seconds,
    )


def _counts(run: Replay) -> list[CountLine]:
    """Every count of people that the model has a number for."""
    lines = []
    for row in run.case.troops:
        simulated = None if row.by_place else run.counted(row.measure, row.scope)
        if simulated is None or row.day > run.case.scenario.days:
            continue
        x = simulated[:, row.day]
        kind = (
            "upper bound"
            if run.case.about.use == "upper_bound"
            else "presence"
            if row.measure in PRESENCE
            else "orders"
        )
        low, median, high = np.quantile(x, (LOW, 0.5, HIGH))
        straight = abs(as_asked(run.case, row.day) - row.count) if row.scope == "all" else float("nan")
        lines.append(
            CountLine(
                row.day,
                row.measure,
                row.scope,
                row.count,
                low,
                median,
                high,
                pit(x, row.count),
                crps(x, row.count),
                straight,
                kind,
            )
        )
    return lines


def _numbers(run: Replay) -> list[NumberLine]:
    """Withdrawals in all and soon after incidents, where the case has answers; how many states had agreed by a day."""
    case, last = run.case, run.case.scenario.days
    rows: list[tuple[str, int, int, Any]] = []
    for day, n in case.signed:
        if 0 < day <= last and not case.assumes_consent:
            rows.append(("have agreed", day, n, run.agreements[:, day]))
    if case.answers and case.about.use != "qualitative":
        days = case.withdrawals
        rows.append(("withdrew in all", last, len(days), run.withdrawn[:, last]))
        for start in case.incidents:
            end = min(start + BURST_DAYS, last)
            seen = sum(day is not None and start <= day <= end for day in days.values())
            before = run.withdrawn[:, start - 1] if start else 0
            rows.append(("withdrew after the incident", start, seen, run.withdrawn[:, end] - before))
    lines = []
    for what, day, n, x in rows:
        low, median, high = np.quantile(x, (LOW, 0.5, HIGH))
        lines.append(NumberLine(what, day, n, low, median, high, pit(x, n), crps(x, n)))
    return lines


def _when(run: Replay, others: Sequence[Case]) -> When | None:
    """How well the days of agreement are met: given a yes (CRPS), and with silence as censored (survival)."""
    elsewhere = days_elsewhere(run.case, others)
    distances, surprises = [], []
    for code, (after, by) in run.case.yes_days.items():
        chance = run.by_day(code)
        if np.isnan(chance[-1]):
            continue
        # Elsewhere's days are of agreements, so they carry this case's chance of one.
        other = elsewhere * chance[-1]
        surprises.append([log_score_of_days(chance, after, by), log_score_of_days(other, after, by)])
        if by is not None and chance[-1] > 0.0:
            distances.append([crps_of_days(each / each[-1], after, by) for each in (chance, np.maximum(other, 1e-12))])
    if not surprises:
        return None
    means = np.mean(distances, axis=0) if distances else np.full(2, np.nan)
    logs = np.mean(surprises, axis=0)
    return When(len(distances), float(means[0]), float(means[1]), len(surprises), float(logs[0]), float(logs[1]))


@dataclass(frozen=True)
class History:
    """All cases, scored alike.

    how
        In words, what the model had seen of a case: the register as it stands, or a fit that left it out.
    """

    how: str
    scores: tuple[CaseScore, ...]
    runs: int
    seed: int
    version: str

    def cases(self, has_refusals: bool) -> list[CaseScore]:
        """Cases with known answers in which somebody refused, or nobody."""
        return [score for score in self.scores if score.states and score.has_refusals == has_refusals]

    def who(
        self, score: Callable[[Any, Any], Numbers] = log_score, forecaster: str = MODEL, has_refusals: bool = True
    ) -> Interval:
        """A mean over cases of the mean over states, resampled by case."""
        return over_cases([case.who(score, forecaster) for case in self.cases(has_refusals)], self.seed)

    def margin(self, baseline: str, score: Callable[[Any, Any], Numbers] = log_score) -> Interval:
        """How much lower the model's mean score is than a baseline's, over cases with a refusal; above 0 the model is better."""
        return over_cases([case.who(score, baseline) - case.who(score) for case in self.cases(True)], self.seed)

    def beaten_by(self, case: CaseScore, score: Callable[[Any, Any], Numbers] = log_score) -> list[str]:
        """Baselines that do better than the model on a case."""
        return [name for name in BASELINES if case.who(score, name) < case.who(score)]

    def counts(self, kind: str) -> list[tuple[str, CountLine]]:
        """Counts of one kind with the name of their case."""
        return [(score.name, line) for score in self.scores for line in score.counts if line.kind == kind]

    def coverage(self, kind: str = "presence") -> tuple[int, int]:
        """How many counts lie in their band, of how many."""
        lines = [line for _, line in self.counts(kind)]
        return sum(line.is_inside for line in lines), len(lines)

    def pit(self, kind: str = "presence") -> list[int]:
        """The PIT histogram of the counts of one kind."""
        return histogram([line.pit for _, line in self.counts(kind)])

    def reliability(self) -> list[Bin]:
        """Whether what was called likely was common, over all states of cases with a refusal."""
        states = [state for case in self.cases(True) for state in case.states]
        return reliability([s.chance for s in states], [s.said for s in states])


def score_all(
    cases: Sequence[Case],
    runs: int = RUNS,
    seed: int = 1,
    *,
    jobs: int = 1,
    engine: str = "auto",
    with_memory: bool = True,
    tell: Tell | None = None,
    variants: dict[str, Sequence[Variant]] | None = None,
    others: Callable[[Case], Sequence[Case]] | None = None,
    how: str = "the register as it stands, which a fit to some of these cases may have shaped",
) -> History:
    """Replay and score every case.

    Parameters
    ----------
    with_memory
        Keep rows of the record that rest on memory.
    variants
        By name of a case, what its runs are made with; the register as it stands where none is given.
    others
        Which cases a baseline may look at; by default all but the case itself.
    """
    kept = list(cases) if with_memory else [case.without_memory() for case in cases]
    scores = []
    for case in kept:
        seen = others(case) if others else [other for other in kept if other.name != case.name]
        run = replay(
            case,
            runs,
            seed,
            jobs=jobs,
            engine=engine,
            tell=tell,
            variants=(variants or {}).get(case.name, AS_REGISTERED),
        )
        scores.append(held_against(run, seen))
    return History(how, tuple(scores), runs, seed, model_version())
