"""History: the model held against what governors and troops did; bad scores as large as good ones."""

import json
import math
from functools import cache

import streamlit as st

from sim import plots_history, replays
from sim.cases import Case, load_cases
from sim.history import MODEL, CaseScore, History, score_all
from sim.misses import verdict, where_it_fails
from sim.pages import charts, work
from sim.pages.words import plain
from sim.parameters import SEEDS, model_version
from sim.replays import BASELINES, Replay
from sim.report import said
from sim.scores import brier, log_score

# Runs of a case on this page: enough for a look; `python -m sim score` takes more, and holds cases out.
RUNS = 400
UNITS = {"log score": "nats a state (lower is better)", "Brier score": "squared error a state (lower is better)"}


def page() -> None:
    """What the record says, how well the model tells it, where it fails, and one case after the other."""
    cases = {case.name: case for case in load_cases()}
    st.title("Held against history")
    st.markdown(
        plain(
            f"{len(cases)} past requests are replayed with the model of today, {model_version()}, on the covariates of their own "
            f"dates, and held against what was said and counted. Here each case is run {RUNS} times with the register as it "
            "stands, which a fit to some of these cases may have shaped; python -m sim score --held-out one scores each with a "
            "fit that has not seen it. Everything after May 2025, and two earlier cases, are kept out for others to score."
        )
    )
    scores = _scored(model_version(), work.bar(RUNS * len(cases)))
    st.header("How well, and how badly")
    for line in verdict(scores):
        st.markdown(f"- {plain(line)}")
    _who(scores)
    st.header("Where it fails, and why we think so")
    for line in where_it_fails(scores):
        st.markdown(f"- {plain(line)}")
    st.header("Two checks")
    left, right = st.columns(2)
    with left:
        _pit(scores)
    with right:
        _reliability(scores)
    st.header("One case")
    name = st.selectbox("Case", list(cases), format_func=lambda name: cases[name].scenario.title, key="history/case")
    if name:
        _case(cases[name], next(score for score in scores.scores if score.name == name))


@st.cache_resource(max_entries=2, show_spinner="Replaying all cases")
def _scored(version: str, _tell: work.Tell | None = None) -> History:
    """All cases scored; the version is the key."""
    return score_all(load_cases(), RUNS, jobs=work.JOBS, tell=_tell)


@st.cache_resource(max_entries=10, show_spinner="Replaying the case")
def _replayed(name: str, version: str) -> Replay:
    (case,) = load_cases(names=[name])
    return replays.replay(case, RUNS, jobs=work.JOBS)


def _who(scores: History) -> None:
    """The model beside the baselines."""
    kind = st.segmented_control("Score of who agrees", list(UNITS), default="log score", key="history/score")
    score = brier if kind == "Brier score" else log_score
    found = [(name, scores.who(score, name)) for name in (MODEL, *BASELINES)]
    rows = [(name, mean.mean, mean.low, mean.high) for name, mean in found]
    best = min(rows, key=lambda row: row[1])
    charts.show(
        plots_history.forecasters(rows, UNITS[kind or "log score"]),
        "history_who",
        heading="Who agrees: the model beside honest baselines",
        sentence=f"Mean over {len(scores.cases(True))} cases with a refusal; the best is {best[0]} with {best[1]:.2f}, "
        f"the model has {rows[0][1]:.2f}.",
        numbers={"forecaster": [row[0] for row in rows]}
        | {what: [row[k] for row in rows] for k, what in enumerate(("mean", "5 %", "95 %"), 1)}
        | {"where nobody refused": [scores.who(score, row[0], has_refusals=False).mean for row in rows]},
    )


def _pit(scores: History) -> None:
    counts = scores.pit()
    inside, n = scores.coverage()
    parts = [f"{100 * k // len(counts)} to {100 * (k + 1) // len(counts)} %" for k in range(len(counts))]
    charts.show(
        plots_history.histogram(counts),
        "history_pit",
        heading="Counts of people inside their distributions (PIT)",
        sentence=f"{inside} of {n} counts of presence lie in the band of 5 to 95 %; even bars would mean bands as wide as "
        "they say.",
        numbers={"part below": parts, "counts": counts},
    )


def _reliability(scores: History) -> None:
    bins = scores.reliability()
    charts.show(
        plots_history.reliability([(row.chance, row.share, row.n) for row in bins]),
        "history_reliability",
        heading="Was what was called likely common?",
        sentence=f"{sum(row.n for row in bins)} known answers of cases with a refusal; points on the dashed line would be "
        "chances as common as they were called.",
        numbers={
            "chance": [row.chance for row in bins],
            "said yes": [row.share for row in bins],
            "states": [row.n for row in bins],
        },
    )


def _case(case: Case, score: CaseScore) -> None:
    """One case: what it was, answers on squares, counts on bands, its scores."""
    st.markdown(plain(case.scenario.question))
    run = _replayed(case.name, model_version())
    said_and_given = {line.code: line for line in score.states}
    kinds = {
        code: f"said {'yes' if line.said else 'no'}, model {'likely' if line.chance >= 0.5 else 'unlikely'}"
        for code, line in said_and_given.items()
    }
    if kinds:
        right = sum(line.is_right for line in score.states)
        charts.show(
            plots_history.answers(_squares(), kinds),
            "history_answers",
            heading="Answers, right and wrong",
            sentence=f"The model's chance lies on the side of {right} of {len(kinds)} known answers; likely is a chance of one "
            "half or more.",
            numbers={
                "state": list(kinds),
                "said": ["yes" if line.said else "no" for line in score.states],
                "chance of a yes": [line.chance for line in score.states],
            },
        )
    else:
        st.info("Who agreed is not scored here: no answer is known, or the case file itself assumes consent.")
    for measure in sorted({row.measure for row in case.troops if row.scope == "all" and not row.by_place}):
        simulated = run.counted(measure)
        if simulated is None:
            continue
        rows = [
            (row.day, row.count)
            for row in case.troops
            if row.measure == measure and row.scope == "all" and row.day <= case.scenario.days
        ]
        lines = [line for line in score.counts if line.measure == measure and line.scope == "all"]
        inside = sum(line.is_inside for line in lines)
        charts.show(
            plots_history.replay(simulated, rows, score.target),
            f"history_{measure}",
            heading=f"People {measure.replace('_', ' ')}: counted, and in the runs",
            sentence=f"{inside} of {len(lines)} counts lie in the band of 5 to 95 % of {simulated.shape[0]} runs.",
            numbers={
                "day": [line.day for line in lines],
                "counted": [line.count for line in lines],
                "5 %": [line.low for line in lines],
                "median": [line.median for line in lines],
                "95 %": [line.high for line in lines],
            },
        )
    for line in score.numbers:
        st.markdown(
            plain(
                f"Governors who {line.what} by day {line.day}: {line.count} in the record, {said(line.low)} to "
                f"{said(line.high)} in the runs."
            )
        )
    better = scores_beaten(score)
    if better:
        st.markdown(plain(f"On this case {better} told who agrees better than the model."))


def scores_beaten(score: CaseScore) -> str:
    """Baselines that did better than the model on a case, in words."""
    if not score.states:
        return ""
    mine = score.who(log_score)
    return ", ".join(name for name in BASELINES if score.who(log_score, name) < mine and not math.isnan(mine))


@cache
def _squares() -> dict[str, tuple[int, int]]:
    """Column and row of each state on the map of equal squares."""
    outlines = json.loads((SEEDS / "outlines.json").read_text(encoding="utf-8"))
    return {code: tuple(state["square"]) for code, state in outlines["states"].items()}
