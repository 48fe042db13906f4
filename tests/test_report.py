"""Reports: what is said in words agrees with the numbers, and stays neutral."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sim import comparison, report, story
from sim.ensemble import run_ensemble
from sim.outcomes import OUTCOMES, Band
from sim.results import SERIES, Ensemble, Event
from sim.scenario_files import load

SCENARIOS = Path(__file__).parent.parent / "scenarios"
PLAN = {"draws": 4, "is_paired": True, "replications": 4, "known": "H"}


@pytest.fixture(scope="module")
def baseline() -> Ensemble:
    return run_ensemble(load(SCENARIOS / "baseline.toml"), 1, None, 4)


def printed(what: object) -> str:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))
    console.print(what)
    return console.export_text()


@pytest.mark.parametrize(
    ("band", "words"),
    [
        (Band(12.0, 3.0, 30.0, 0.0, 1.0, 50), "12  (3 to 30)"),
        (Band(80.0, 20.0, None, 0.2, None, 50), "80  (20 to never)"),
        (Band(None, 20.0, None, 0.6, None, 50), "not in half of the runs  (20 to never)"),
        (Band(None, None, None, 0.98, None, 50), "hardly ever"),
        (Band(None, None, None, 1.0, None, 50), "never"),
        (Band(None, None, None, 0.0, None, 0), "no run"),
    ],
)
def test_a_band_is_told_with_its_never_cases(band: Band, words: str) -> None:
    assert report.ranged(band) == words


def test_side_alone_counts_the_governors_of_the_requesters_side_who_are_asked() -> None:
    scenario = load(SCENARIOS / "baseline.toml")
    assert report.side_alone(scenario) == 28
    assert report.side_alone(scenario.with_values({"request.asked": "border"})) == 1
    assert report.side_alone(scenario.with_values({"request.asked": ["TX", "FL", "CA"]})) == 2
    assert report.side_alone(load(SCENARIOS / "mirror.toml")) == 25


def test_paired_differences_are_run_by_run(baseline: Ensemble) -> None:
    other = replace(baseline, series=baseline.series.copy())
    other.series[:, SERIES.index("agreeing"), -1] += np.array([1, 2, 3, 4])
    row = comparison.paired(baseline, other)["states_agreeing"]
    assert row["mean"] == 2.5
    half = 1.96 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert row["low"] == pytest.approx(2.5 - half)
    assert row["high"] == pytest.approx(2.5 + half)
    assert comparison.paired(baseline, baseline)["peak_in_place"]["mean"] == 0


def test_histories_part_on_the_first_day_that_any_count_differs(baseline: Ensemble) -> None:
    other = replace(baseline, series=baseline.series.copy())
    other.series[2, 5, 77] += 1
    days = comparison.parting_days(baseline, other)
    assert np.isnan(days[[0, 1, 3]]).all()
    assert days[2] == 77


def test_the_first_different_event_of_each_history_is_shown() -> None:
    event = Event("OH", "guard", "event", "decline", 3, 0, "", "OH", "ask 1", 0)
    later = event._replace(time=4)

    class History:
        def __init__(self, *events: Event) -> None:
            self.events = list(events)

    assert comparison.first_difference(History(event), History(event)) is None  # type: ignore[arg-type]
    assert comparison.first_difference(History(event), History(later)) == (event, later)  # type: ignore[arg-type]
    assert comparison.first_difference(History(event), History(event, later)) == (None, later)  # type: ignore[arg-type]


def test_the_summary_says_the_same_as_the_json(baseline: Ensemble) -> None:
    found = report.as_json(baseline, PLAN)
    text = printed(report.summary(baseline, PLAN, baseline.scenario, True))
    assert report.whole(found["states_agreeing"]["median"]) in text
    assert report.whole(found["troops_in_place"]["peak"]["median"]) in text
    assert set(found["outcomes"]) == set(OUTCOMES)
    for name in OUTCOMES:
        assert name in text


def test_words_stay_neutral(baseline: Ensemble) -> None:
    text = printed(report.summary(baseline, PLAN, baseline.scenario, True)).lower()
    for word in ("republican", "democrat", "loyal", "defian", "success", "fail to", "trump", "biden", "resist"):
        assert not re.search(word, text), word
    assert "not a forecast" in text


@pytest.mark.parametrize("kind", sorted(story._SENTENCES))
def test_every_sentence_can_be_told(kind: str) -> None:
    event = Event("OH-3", "guard", "event", kind, 3, 0, "", "OH", "a cause", 1200)
    words = story.sentence(event)
    assert words.endswith(".")
    assert "{" not in words


def test_the_summary_tells_the_law_of_each_status_that_the_scenario_uses(baseline: Ensemble) -> None:
    def told(name: str) -> str:
        return " ".join(report.who_commands(load(SCENARIOS / f"{name}.toml")))

    assert "commanded by the governor, paid by the federal government; the governor may refuse: yes" in told("baseline")
    assert "open: administration, support, transport, detention." in told("baseline")
    assert "federalized" not in told("baseline")
    counterfactual = told("federalized_counterfactual")
    assert "From day 60 on, in states that are federalized (ground claimed: unable to execute)" in counterfactual
    assert "commanded by the president" in counterfactual
    assert "contested: detention" in counterfactual
    assert "open: support." in told("border_strip_only")
