"""Scores worked out by hand, baselines on made-up cases, and what a replay keeps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import sim.__main__  # noqa: F401 - adds the commands
from sim import model
from sim.cases import Case, load_case, load_cases
from sim.commands.common import app
from sim.compiled import unavailable
from sim.history import CaseScore, History, StateLine, held_against, score_all
from sim.misses import verdict, where_it_fails
from sim.parameters import model_version
from sim.replays import BASELINES, Variant, as_asked, days_elsewhere, replay
from sim.results import IN_PLACE
from sim.scores import (
    brier,
    crps,
    crps_of_days,
    histogram,
    log_score,
    log_score_of_days,
    over_cases,
    pit,
    reliability,
)
from sim.setting import setting_of
from tests.test_cases import made_up, row

# Answers given in the scenario, so that a run is known beforehand: NM agrees on day 3, TX declines on day 5, VT agrees on day 8.
GIVEN = """
[[answers]]
state = "NM"
day = 3
answer = "accept"
[[answers]]
state = "TX"
day = 5
answer = "decline"
[[answers]]
state = "VT"
day = 8
answer = "accept"
[assumptions]
"review.days" = 0.0
"review.spread" = 0.0
"withdraw.base" = -50.0
"""
numbers = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30)


def known(folder: Path, *changes: tuple[str, str], more: str = "") -> Case:
    """The made-up case with answers that are given, whatever the luck."""
    return load_case(made_up(folder, *changes, more=GIVEN + more))


# --- by hand


def test_who_agrees_by_hand() -> None:
    assert brier([0.8, 0.8, 0.0], [1, 0, 1]).tolist() == pytest.approx([0.04, 0.64, 0.99**2])
    assert log_score([0.5, 0.8, 1.0, 1.0], [1, 0, 1, 0]).tolist() == pytest.approx(
        [np.log(2), -np.log(0.2), -np.log(0.99), -np.log(0.01)]
    )


def test_reliability_by_hand() -> None:
    bins = reliability([0.1, 0.15, 0.9, 1.0], [0, 1, 1, 1])
    assert [tuple(one) for one in bins] == [
        (0.0, 0.2, 2, pytest.approx(0.125), 0.5),
        (0.8, 1.0, 2, pytest.approx(0.95), 1.0),
    ]


def test_crps_by_hand() -> None:
    # Mean distance to 2 is (2 + 2)/2; of the four pairs two lie 4 apart, so half the mean distance between pairs is 1.
    assert crps([0, 4], 2) == pytest.approx(2.0 - 1.0)
    assert crps([3], 7) == pytest.approx(4.0)


@given(numbers, st.floats(-1e4, 1e4))
def test_crps_is_that_of_all_pairs_and_never_below_zero(sample: list[float], seen: float) -> None:
    x = np.array(sample)
    naive = np.abs(x - seen).mean() - np.abs(x[:, None] - x).mean() / 2
    assert crps(x, seen) == pytest.approx(naive, abs=1e-6)
    assert crps(x, seen) >= -1e-6


def test_days_by_hand() -> None:
    by_day = [0.0, 0.5, 1.0, 1.0]
    assert crps_of_days(by_day, 0, 1) == pytest.approx(0.0 + 0.25)
    assert crps_of_days(by_day, 1, 2) == pytest.approx(0.25)
    # Silence up to day 1: only the chance told for days 0 and 1 can be wrong.
    assert crps_of_days(by_day, 1, None) == pytest.approx(0.25)
    # Known by day 2, from whenever on: nothing is known of the days before.
    assert crps_of_days(by_day, -1, 2) == 0.0
    assert log_score_of_days(by_day, 0, 1) == pytest.approx(np.log(2))
    assert log_score_of_days(by_day, 1, None) == pytest.approx(np.log(2))
    assert log_score_of_days(by_day, 2, None) == pytest.approx(-np.log(0.01))
    assert log_score_of_days(by_day, -1, 3) == pytest.approx(0.0)


def test_places_in_a_distribution_by_hand() -> None:
    assert [pit([1, 2, 2, 3], y) for y in (0, 2, 3, 9)] == [0.0, 0.5, 0.875, 1.0]
    assert histogram([0.0, 0.05, 0.95, 1.0]) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_resampling_is_by_case_and_leaves_out_what_is_not_known() -> None:
    found = over_cases([1.0, 3.0, float("nan")])
    assert found.mean == 2.0
    assert (found.low, found.high) == (1.0, 3.0)
    assert np.isnan(over_cases([]).mean)


# --- baselines


def test_baselines_by_hand(tmp_path: Path) -> None:
    case = known(tmp_path)
    before = replace(case, scenario=replace(case.scenario, start=case.scenario.start.replace(year=2009), name="before"))
    after = replace(
        case,
        observed=tuple(r.model_copy(update={"answer": "decline"}) for r in case.observed),
        scenario=replace(case.scenario, start=case.scenario.start.replace(year=2011), name="after"),
    )
    said = {name: baseline(case, [before, after]) for name, baseline in BASELINES.items()}
    assert said["always yes"] == {"NM": 1.0, "TX": 1.0}
    assert said["side only"] == {"NM": 1.0, "TX": 0.0}
    # One yes and three no in the two others, by Laplace's rule.
    assert said["earlier share"] == pytest.approx({"NM": 2 / 6, "TX": 2 / 6})
    # NM (same side) said yes and no, TX (other side) said no twice.
    assert said["earlier share by side"] == pytest.approx({"NM": 0.5, "TX": 0.25})
    # Only what came before counts as the last time.
    assert said["same as last time"] == {"NM": 1.0, "TX": 0.0}
    assert BASELINES["same as last time"](before, [case, after]) == {"NM": 0.5, "TX": 0.5}


def test_a_state_on_neither_side_is_an_even_chance(tmp_path: Path) -> None:
    case = known(tmp_path, more=row("VT", "accept", 8))
    assert BASELINES["side only"](case, [])["VT"] == 0.5


def test_days_seen_elsewhere_and_a_straight_line(tmp_path: Path) -> None:
    case = known(tmp_path)
    assert days_elsewhere(case, [case]).tolist() == [0.0] * 3 + [1.0] * 28
    assert days_elsewhere(case, []).tolist() == [1.0] * 31
    assert as_asked(case, 9) == pytest.approx(1000 * 9 / 45)
    assert as_asked(case, 100) == 1000


# --- a replay whose answers are known


def test_a_case_whose_answers_are_given_is_scored_by_hand(tmp_path: Path) -> None:
    case = known(tmp_path, more=row("VT", "decline", 8))
    run = replay(case, 20, 3)
    assert [run.chance(code) for code in ("NM", "TX", "VT")] == [1.0, 0.0, 1.0]
    assert run.by_day("NM").tolist() == [0.0] * 3 + [1.0] * 28
    assert np.isnan(run.chance("CA"))
    assert run.agreements[:, [2, 3, 8]].tolist() == [[0, 1, 2]] * 20
    score = held_against(run, [case])
    assert score.who(log_score) == pytest.approx((-2 * np.log(0.99) - np.log(0.01)) / 3)
    assert score.who(brier) == pytest.approx((2 * 0.01**2 + 0.99**2) / 3)
    assert {s.code: s.is_right for s in score.states} == {"NM": True, "TX": True, "VT": False}
    assert score.when is not None
    assert (score.when.n, score.when.crps, score.when.log_score) == (1, 0.0, 0.0)
    (count,) = score.counts
    x = run.people["in_place"][:, 10]
    assert (count.low, count.high) == pytest.approx((np.quantile(x, 0.05), np.quantile(x, 0.95)))
    assert count.crps == pytest.approx(crps(x, 40))


def test_reversals_are_counted_after_an_incident(tmp_path: Path) -> None:
    shock = '[[shocks]]\nkind = "incident"\nday = 10\n'
    given_back = '[[answers]]\nstate = "VT"\nday = 12\nanswer = "withdraw"\n'
    case = known(
        tmp_path,
        ('use = "qualitative"', 'use = "calibration"'),
        more=shock + given_back + row("VT", "accept", 8) + row("VT", "withdraw", 11),
    )
    run = replay(case, 20, 1)
    # Whoever has withdrawn has agreed all the same.
    assert run.by_day("VT")[[7, 8, 12, 30]].tolist() == [0.0, 1.0, 1.0, 1.0]
    score = held_against(run, [])
    assert {(line.what, line.count, line.median) for line in score.numbers} == {
        ("withdrew in all", 1, 1.0),
        ("withdrew after the incident", 1, 1.0),
    }
    assert case.incidents == (10,)


def test_changing_an_answer_changes_the_score_and_never_the_simulation(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path))
    other = load_case(made_up(tmp_path, ('answer = "decline"', 'answer = "accept"'), ("count = 40", "count = 4000")))
    runs = [replay(each, 40, 7) for each in (case, other)]
    assert np.array_equal(runs[0].agreed, runs[1].agreed, equal_nan=True)
    assert all(np.array_equal(runs[0].people[stage], runs[1].people[stage]) for stage in runs[0].people)
    scores = [held_against(run, []) for run in runs]
    assert scores[0].who(log_score) != scores[1].who(log_score)
    assert scores[0].counts[0].crps != scores[1].counts[0].crps


def test_people_of_a_single_state_are_those_of_the_model(tmp_path: Path) -> None:
    case = known(tmp_path, ('measure = "in_place"', 'measure = "in_place"\nscope = "NM"'))
    run = replay(case, 12, 5)
    place = case.scenario.world.codes.index("NM")
    counted = run.counted("in_place", "NM")
    assert counted is not None
    for r in (0, 11):
        people = model.run(setting_of(case.scenario, 5, r), r).people
        assert counted[r].tolist() == people[:, place, :, IN_PLACE].sum(axis=1).tolist()
    assert run.counted("planned") is None
    assert run.counted("in_place", "TX") is None


@pytest.mark.skipif(unavailable() is not None, reason="no compiler here")
def test_a_replay_does_not_depend_on_the_engine_or_on_jobs(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path))
    runs = [replay(case, 12, 2, engine="simpy"), replay(case, 12, 2, engine="compiled", jobs=2)]
    assert np.array_equal(runs[0].agreed, runs[1].agreed, equal_nan=True)
    assert np.array_equal(runs[0].withdrawn, runs[1].withdrawn)


def test_variants_share_the_runs_and_leave_what_the_case_sets(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path, more='[assumptions]\n"support.vote" = 0.2\n'))
    never = Variant(0.25, {"support.mission": -9.0, "support.vote": 0.5}, {"support.mission": (-9.5, -8.5)})
    always = Variant(0.75, {"support.mission": 9.0, "decide.pace": 5.0})
    assert never.applied(case.scenario).value("support.vote") == 0.2
    assert never.applied(case.scenario).ranges == {"support.mission": (-9.5, -8.5)}
    run = replay(case, 80, 1, variants=[never, always])
    assert run.withdrawn.shape[0] == 80
    assert run.chance("NM") == pytest.approx(0.75, abs=0.05)


# --- all cases, and words


def test_adding_a_case_is_one_file(tmp_path: Path) -> None:
    made_up(tmp_path)
    runner = CliRunner()
    done = runner.invoke(app, ["score", "--cases", str(tmp_path), "--runs", "20", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [case["name"] for case in told["cases"]] == ["made_up"]
    assert {state["code"] for state in told["cases"][0]["states"]} == {"NM", "TX"}
    assert told["model_version"] == model_version()
    assert told["how"].startswith("the register as it stands")
    listed = json.loads(runner.invoke(app, ["cases", "--cases", str(tmp_path), "--json"]).stdout)
    assert (listed[0]["yes"], listed[0]["no"], listed[0]["from_memory"]) == (1, 1, 1)


def test_score_prints_its_tables_and_writes_its_file(tmp_path: Path) -> None:
    made_up(tmp_path)
    words = ["score", "--cases", str(tmp_path), "--runs", "20", "--out", str(tmp_path / "kept" / "scores.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    for word in (
        f"Model {model_version()}",
        "Who agrees where somebody refused",
        "Verdict",
        "Where it fails",
        "OUTSIDE",
    ):
        assert word in done.stdout
    assert json.loads((tmp_path / "kept" / "scores.json").read_text(encoding="utf-8"))["runs"] == 20


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--case", "guardian_2081"], "did you mean 'guardian_2018'"),
        (["--held-out", "forwards"], "--held-out 'forwards' is not one of 'one', 'forward'; did you mean 'forward'?"),
        (["--police", "maybe"], "--police 'maybe' is not one of 'yes', 'no'"),
        (["--cases", "nowhere"], "there is no such folder of cases"),
    ],
)
def test_wrong_options_are_told_in_one_line(words: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["score", *words])
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.output


def case_score(name: str, chances: dict[str, tuple[bool, float]], share: float) -> CaseScore:
    """A scored case without a simulation; every baseline gives the same share."""
    lines = tuple(
        StateLine(code, said, chance, 1, dict.fromkeys(BASELINES, share)) for code, (said, chance) in chances.items()
    )
    return CaseScore(name, name, "calibration", lines, (), (), None, 1000.0, 0.0)


def test_a_history_by_hand() -> None:
    easy = case_score("easy", {"AZ": (True, 0.9), "NM": (True, 0.9)}, 0.5)
    good = case_score("good", {"AZ": (True, 0.75), "NM": (False, 0.25)}, 0.5)
    poor = case_score("poor", {"AZ": (True, 0.25), "NM": (False, 0.5)}, 0.5)
    history = History("a test", (easy, good, poor), 10, 1, "0.0.0")
    assert [case.name for case in history.cases(True)] == ["good", "poor"]
    per_case = [-np.log(0.75), (-np.log(0.25) - np.log(0.5)) / 2]
    assert history.who().mean == pytest.approx(np.mean(per_case))
    assert history.who(forecaster="side only").mean == pytest.approx(np.log(2))
    assert history.who(has_refusals=False).mean == pytest.approx(-np.log(0.9))
    assert history.margin("side only").mean == pytest.approx(np.log(2) - np.mean(per_case))
    assert history.beaten_by(good) == []
    assert history.beaten_by(poor) == list(BASELINES)
    assert (history.margin("side only").mean > 0) == ("beats every baseline" in verdict(history)[0])
    text = "\n".join(where_it_fails(history))
    assert "poor: who agrees is told worse than by always yes 0.693" in text
    assert "AZ (yes, given 25 %)" in text
    assert "good:" not in text


def test_a_worse_model_is_told_so_as_plainly() -> None:
    poor = case_score("poor", {"AZ": (True, 0.1), "NM": (False, 0.5)}, 0.5)
    assert "does NOT beat every baseline" in verdict(History("a test", (poor,), 10, 1, "0.0.0"))[0]


def test_the_cases_of_the_project_are_scored_with_what_is_known_of_them() -> None:
    cases = load_cases(names=["sotu_2022", "ols_emac_2023", "katrina_2005"])
    history = score_all(cases, 40, 1)
    by_name = {score.name: score for score in history.scores}
    assert len(by_name["sotu_2022"].states) == 4
    assert len(by_name["ols_emac_2023"].states) == 47
    # Katrina assumes consent, so nobody gets credit for foreseeing it.
    assert by_name["katrina_2005"].states == ()
    assert {line.kind for line in by_name["katrina_2005"].counts} == {"upper bound"}
    assert not np.isnan(history.who().mean)
