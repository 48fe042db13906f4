"""Replays: a case simulated many times, reduced to what can be held against its record, and the honest baselines beside it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import compiled, model
from sim.cases import Case
from sim.ensemble import run_ensemble
from sim.parameters import Value
from sim.record import MEASURES
from sim.results import ACCEPTED, LIMITED, NOT_ASKED, STAGES, WITHDRAWN, Ensemble
from sim.scenario import Scenario
from sim.setting import setting_of

Numbers = NDArray[np.float64]
Tell = Callable[[str, int, int], Any]
RUNS = 2000
# Runs kept in full where the people of a single state were counted.
FULL_RUNS = 200


@dataclass(frozen=True)
class Variant:
    """A share of the runs that are made with some values and ranges of the register replaced: one regime of a fit."""

    weight: float
    values: dict[str, Value] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario under this variant; what the scenario itself sets stays."""
        fresh = {name: value for name, value in self.values.items() if name not in scenario.values}
        ends = {name: pair for name, pair in self.ranges.items() if name in fresh}
        return replace(scenario, values={**scenario.values, **fresh}, ranges={**scenario.ranges, **ends})


AS_REGISTERED = (Variant(1.0),)


@dataclass
class Replay:
    """Many runs of a case.

    agreed
        Chance that a state has agreed by an evening, if it is asked at all: shape (n_days, n_states), NaN for states never asked.
    agreements, withdrawn
        Governors who have ever agreed, and who have withdrawn, by run and evening: shape (n_runs, n_days).
    people
        By stage as in `results.STAGE_SERIES`, shape (n_runs, n_days).
    at_home
        The same for the people of one state, of fewer runs, by (code, stage).
    """

    case: Case
    codes: tuple[str, ...]
    agreed: Numbers
    agreements: NDArray[np.int32]
    withdrawn: NDArray[np.int32]
    people: dict[str, NDArray[np.int32]]
    at_home: dict[tuple[str, str], NDArray[np.int32]]
    seconds: float = 0.0
    failed: int = 0

    def chance(self, code: str) -> float:
        """The chance that a state agrees within the days simulated, if asked."""
        return float(self.agreed[-1, self.codes.index(code)])

    def by_day(self, code: str) -> Numbers:
        """The chance that a state has agreed by each evening, if asked."""
        return self.agreed[:, self.codes.index(code)]

    def counted(self, measure: str, scope: str = "all") -> NDArray[np.int64] | None:
        """What a measure would have counted, by run and evening; None where it counts no presence or was not kept."""
        stages = MEASURES[measure]
        if stages is None:
            return None
        parts: list[NDArray[np.int32]] = []
        for stage in stages:
            rows = self.people.get(stage) if scope == "all" else self.at_home.get((scope, stage))
            if rows is None:
                return None
            parts.append(rows)
        return np.sum(parts, axis=0, dtype=np.int64)  # type: ignore[no-any-return]


def replay(
    case: Case,
    runs: int = RUNS,
    seed: int = 1,
    *,
    jobs: int = 1,
    engine: str = "auto",
    variants: Sequence[Variant] = AS_REGISTERED,
    with_states: bool = True,
    tell: Tell | None = None,
) -> Replay:
    """Run a case many times.

    Parameters
    ----------
    variants
        What the runs are made with, in shares: the register as it stands, or the regimes of a fit.
    with_states
        Keep the people of single states, where some were counted.
    """
    total = sum(variant.weight for variant in variants)
    parts: list[Ensemble] = []
    made: list[tuple[Scenario, int]] = []
    done = 0
    for k, variant in enumerate(variants):
        share = round(runs * variant.weight / total)
        if share == 0:
            continue
        scenario = variant.applied(case.scenario)
        told = (lambda stage, n, of, before=done: tell(case.name, before + n, runs)) if tell else None
        # Each variant has luck of its own, or the same luck would stand for all of them.
        parts.append(
            run_ensemble(
                scenario, seed + k, replications=share, jobs=jobs, engine=engine, with_twins=False, progress=told
            )
        )
        made.append((scenario, seed + k))
        done += share
    counts: NDArray[np.int64] = np.sum([part.status_counts for part in parts], axis=0, dtype=np.int64)  # type: ignore[assignment]
    finished = int(sum(part.done.sum() for part in parts))
    asked = finished - counts[-1, :, NOT_ASKED]
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = counts[:, :, [ACCEPTED, LIMITED, WITHDRAWN]].sum(axis=2) / asked
    withdrawn = np.concatenate([part.daily("withdrawn") for part in parts])
    stages = sorted({stage for named in MEASURES.values() if named for stage in named})
    return Replay(
        case=case,
        codes=parts[0].codes,
        agreed=np.where(asked > 0, agreed, np.nan),
        agreements=np.concatenate([part.daily("agreeing") for part in parts]) + withdrawn,
        withdrawn=withdrawn,
        people={stage: np.concatenate([part.daily(stage) for part in parts]) for stage in stages},
        at_home=_at_home(case, made, [len(part.pairs) for part in parts]) if with_states else {},
        seconds=sum(part.seconds for part in parts),
        failed=sum(len(part.errors) for part in parts),
    )


def _at_home(
    case: Case, made: Sequence[tuple[Scenario, int]], sizes: Sequence[int]
) -> dict[tuple[str, str], NDArray[np.int32]]:
    """The people of single states by stage and evening, of as many runs as are kept in full."""
    rows = [row for row in case.troops if row.scope != "all" and not row.by_place and row.day <= case.scenario.days]
    wanted = sorted({(row.scope, stage) for row in rows for stage in MEASURES[row.measure] or ()})
    if not wanted:
        return {}
    codes = case.scenario.world.codes
    kept: dict[tuple[str, str], list[NDArray[np.int32]]] = {key: [] for key in wanted}
    for (scenario, seed), size in zip(made, sizes, strict=True):
        pairs = [(r, r) for r in range(max(1, min(size, round(FULL_RUNS * size / sum(sizes)))))]
        runs: Iterator[NDArray[np.int32]]
        if compiled.unavailable():
            runs = (model.run(setting_of(scenario, seed, draw), luck).people for draw, luck in pairs)
        else:
            runs = compiled.people(scenario, seed, pairs)
        for people in runs:
            for code, stage in wanted:
                place = STAGES.index(stage.replace("_", " "))
                kept[code, stage].append(people[:, codes.index(code), :, place].sum(axis=1, dtype=np.int32))
    return {key: np.array(rows) for key, rows in kept.items()}


# --- Baselines: what somebody would say who has not seen a model


def always_yes(case: Case, others: Sequence[Case]) -> dict[str, float]:
    """Everybody who is asked agrees."""
    return dict.fromkeys(case.answers, 1.0)


def side_only(case: Case, others: Sequence[Case]) -> dict[str, float]:
    """Governors of the requester's side agree, those of the other side do not; an even chance for those of neither."""
    return {code: (1.0 + _sides(case)[code]) / 2.0 for code in case.answers}


def earlier_share(case: Case, others: Sequence[Case]) -> dict[str, float]:
    """The share of yes among all answers known of the other cases, by Laplace's rule."""
    said = [answer for other in others for answer in other.answers.values()]
    return dict.fromkeys(case.answers, _share(said))


def earlier_share_by_side(case: Case, others: Sequence[Case]) -> dict[str, float]:
    """The same share among governors of the same side toward the requester."""
    said: dict[int, list[bool]] = {}
    for other in others:
        sides = _sides(other)
        for code, answer in other.answers.items():
            said.setdefault(sides[code], []).append(answer)
    return {code: _share(said.get(_sides(case)[code], [])) for code in case.answers}


def last_answer(case: Case, others: Sequence[Case]) -> dict[str, float]:
    """What the same state said in the last case before this one of which its answer is known; else the earlier share of yes."""
    before = [other for other in others if other.scenario.start < case.scenario.start]
    share = _share([answer for other in before for answer in other.answers.values()])
    known: dict[str, float] = {}
    for other in sorted(before, key=lambda other: other.scenario.start):
        known |= {code: float(answer) for code, answer in other.answers.items()}
    return {code: known.get(code, share) for code in case.answers}


BASELINES: dict[str, Callable[[Case, Sequence[Case]], dict[str, float]]] = {
    "always yes": always_yes,
    "side only": side_only,
    "earlier share": earlier_share,
    "earlier share by side": earlier_share_by_side,
    "same as last time": last_answer,
}


def days_elsewhere(case: Case, others: Sequence[Case]) -> Numbers:
    """By day, the share of dated agreements in the other cases that had come by then; all at once on day 0 if there are none."""
    days = [window.by for other in others for window in other.yes_days.values() if window.by is not None]
    evenings = np.arange(case.scenario.days + 1)
    return (np.array(days or [0])[:, np.newaxis] <= evenings).mean(axis=0)  # type: ignore[no-any-return]


def as_asked(case: Case, day: int) -> float:
    """People who would be there if the target came in a straight line up to the deadline."""
    scenario = case.scenario
    target, deadline = (float(scenario.value(f"request.{name}")) for name in ("target", "deadline_days"))  # type: ignore[arg-type]
    for change in scenario.changes:
        if change.day <= day and "request.target" in change.values:
            target = float(change.values["request.target"])  # type: ignore[arg-type]
    return target * min(1.0, day / deadline)


def _sides(case: Case) -> dict[str, int]:
    return {state.code: state.side for state in case.scenario.world.states}


def _share(said: Sequence[bool]) -> float:
    return (sum(said) + 1.0) / (len(said) + 2.0)
