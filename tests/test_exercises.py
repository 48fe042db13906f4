"""Exercises: every number of a key is computed again, forecasts are scored by hand-worked scores, and paper tells no key."""

import math
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim import exercises
from sim.commands.common import app
from sim.ensemble import run_ensemble
from sim.exercises import (
    Key,
    Number,
    Question,
    Run,
    brier,
    interval_score,
    load,
    load_key,
    names,
    recomputed,
    scored,
)
from sim.parameters import InputError
from sim.results import Ensemble
from sim.worksheets import html_page, markdown, worksheet

FIRST = ["agreement_is_not_arrival", "forecast_the_count", "menu_or_bundle"]
every = pytest.mark.parametrize("name", names())


def cli(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="python -m sim")


@pytest.fixture(scope="module")
def found() -> dict[str, list[exercises.Recomputed]]:
    """All keys computed once, with equal plans run once over all of them."""
    play = exercises._once(exercises.run_of)
    return {name: recomputed(load_key(name), play) for name in names()}


def test_the_first_three_are_there() -> None:
    assert set(names()) >= set(FIRST)


@every
def test_every_number_of_the_key_is_what_the_model_gives(
    name: str, found: dict[str, list[exercises.Recomputed]]
) -> None:
    assert found[name]
    moved = [(each.number.label, each.number.value, each.found) for each in found[name] if not each.is_same]
    assert moved == [], "computed again by python -m tests.make_exercise_keys; then read the words of the key"


def test_the_choices_that_are_right_follow_from_the_numbers(found: dict[str, list[exercises.Recomputed]]) -> None:
    numbers = {
        (name, answer.question): [each.found for each in found[name] if each.question == answer.question]
        for name in names()
        for answer in load_key(name).answers
    }
    choice = {(name, answer.question): answer.choice for name in names() for answer in load_key(name).answers}
    drawn, luck = numbers["forecast_the_count", "width"]
    assert luck < drawn / 2
    assert choice["forecast_the_count", "width"] == "much narrower (less than half as wide)"
    seats, share, deadline = numbers["agreement_is_not_arrival", "bottleneck"]
    assert abs(share) > max(abs(seats), abs(deadline))
    assert "share that volunteers" in str(choice["agreement_is_not_arrival", "bottleneck"])
    before, after = numbers["menu_or_bundle", "change"][1], numbers["menu_or_bundle", "enforcement"][0]
    assert after / before > 2
    assert choice["menu_or_bundle", "enforcement"] == "about twice as much or more"


@every
def test_a_worksheet_has_steps_on_scenario_files_and_commits_before_it_looks(name: str) -> None:
    exercise = load(name)
    assert exercise.aim
    assert exercise.minutes == sum(step.minutes for step in exercise.steps) <= 45
    assert any(step.run for step in exercise.steps)
    forecasts = [
        question for question in exercise.questions.values() if question.kind in ("interval", "chance", "choice")
    ]
    assert forecasts
    assert all(question.before for question in forecasts)
    text = markdown(worksheet(exercise))
    for step in exercise.steps:
        for question in step.questions:
            if question.before and step.run:
                assert text.index(question.ask) < text.index(step.run.command, text.index(step.title))
    assert "Not a forecast" in text


@every
def test_a_worksheet_does_not_tell_its_key(name: str) -> None:
    key, exercise = load_key(name), load(name)
    for text in (markdown(worksheet(exercise)), html_page(exercise.title, worksheet(exercise))):
        for answer in key.answers:
            assert answer.told.strip()[:40] not in text
            for number in answer.numbers:
                assert number.label not in text


@every
def test_the_commands_on_a_worksheet_can_be_run(name: str) -> None:
    for step in load(name).steps:
        for run in (step.run, step.against):
            if run:
                words = shlex.split(run.command)
                assert words[:3] == ["python", "-m", "sim"]
                done = cli(*words[3:], "--dry-run")
                assert done.exit_code == 0, done.output
                assert f"would run {run.replications} runs" in done.stdout.replace(",", "") or run.draws is not None


def test_markdown_and_html_hold_the_same_and_html_is_escaped() -> None:
    blocks = [
        ("h1", "A & <b>"),
        ("p", "x"),
        ("item", "☐ one"),
        ("item", "☐ two"),
        ("pre", "cmd <f>"),
        ("blank", ""),
        ("h2", "q"),
    ]
    assert markdown(blocks) == "# A & <b>\n\nx\n\n- ☐ one\n- ☐ two\n\n    cmd <f>\n\n\n" + "_" * 80 + "\n\n## q\n"
    page = html_page("A & <b>", blocks)
    assert "<h1>A &amp; &lt;b&gt;</h1>" in page
    assert "<ul><li>☐ one</li>\n<li>☐ two</li></ul>" in page
    assert "<pre>cmd &lt;f&gt;</pre>" in page
    assert "http" not in page.replace("http-equiv", "")


# --- Scores, by hand


def test_the_brier_score_by_hand() -> None:
    came_true = np.array([True, False, False, False])
    assert brier(0.25, came_true) == pytest.approx(0.1875)
    assert brier(1.0, came_true) == 0.75
    assert brier(0.5, came_true) == 0.25


def test_the_interval_score_by_hand() -> None:
    values = np.array([0.0, 10.0, 20.0, 33.0])
    assert interval_score(10, 20, 0.9, values) == pytest.approx(10 + 20 * (10 + 0 + 0 + 13) / 4)
    assert interval_score(0, 33, 0.9, values) == 33
    assert interval_score(10, 20, 0.5, values) == pytest.approx(10 + 4 * 23 / 4)


@given(
    st.lists(st.integers(0, 53), min_size=20, max_size=60), st.integers(0, 53), st.integers(0, 53), st.floats(0.0, 1.0)
)
def test_nobody_beats_whoever_knows_the_runs(values: list[int], one: int, other: int, chance: float) -> None:
    x = np.array(values, float)
    low, high = sorted((one, other))
    # The proper scores are best at the true quantiles and the true chance; quantiles of few runs are known to a step only.
    best = min(interval_score(a, b, 0.8, x) for a in sorted(set(values)) for b in sorted(set(values)) if a <= b)
    assert interval_score(low, high, 0.8, x) >= best - 1e-9
    ends = np.quantile(x, [0.1, 0.9], method="inverted_cdf")
    assert interval_score(ends[0], ends[1], 0.8, x) == pytest.approx(best)
    came_true = x >= 27
    assert brier(chance, came_true) >= brier(float(came_true.mean()), came_true) - 1e-12


@pytest.fixture(scope="module")
def few() -> Ensemble:
    return run_ensemble(exercises.scenario_of(Run(scenario="baseline")), 1, None, 8, engine="simpy", with_twins=False)


def test_a_forecast_is_scored_on_the_runs_of_the_key(few: Ensemble) -> None:
    exercise, key = load("forecast_the_count"), load_key("forecast_the_count")
    agreeing = few.daily("agreeing")[:, -1].astype(float)
    score = scored(exercise.questions["count"], key, (5.0, 20.0), lambda run: few)
    assert score.score == pytest.approx(interval_score(5, 20, 0.9, agreeing))
    assert score.vague == 53
    assert score.best == pytest.approx(interval_score(*np.quantile(agreeing, [0.05, 0.95]), 0.9, agreeing))
    score = scored(exercise.questions["majority"], key, 0.2, lambda run: few)
    assert (score.score, score.vague) == (pytest.approx(brier(0.2, agreeing >= 27)), 0.25)
    never = scored(
        load("agreement_is_not_arrival").questions["half"], load_key("agreement_is_not_arrival"), 1.0, lambda run: few
    )
    half = few.daily("in_place").max(axis=1) >= 10_000
    assert never.score == pytest.approx(half.mean())


@pytest.mark.parametrize("forecast", [(20.0, 5.0), (-1.0, 5.0), (0.0, 54.0), 7.0, (math.nan, 5.0), (0.0, math.inf)])
def test_what_is_no_range_is_told(forecast: object) -> None:
    with pytest.raises(InputError, match=r"a low and a high end in 0\.\.53"):
        scored(load("forecast_the_count").questions["count"], load_key("forecast_the_count"), forecast)  # type: ignore[arg-type]


@pytest.mark.parametrize("forecast", [1.5, -0.1, (0.1, 0.2), math.nan])
def test_what_is_no_chance_is_told(forecast: object) -> None:
    with pytest.raises(InputError, match=r"a chance in 0\.\.1"):
        scored(load("forecast_the_count").questions["majority"], load_key("forecast_the_count"), forecast)  # type: ignore[arg-type]


def test_words_are_not_scored() -> None:
    with pytest.raises(InputError, match="only intervals and chances"):
        scored(load("forecast_the_count").questions["grounds"], load_key("forecast_the_count"), 0.5)


def number(statistic: str, at_least: float | None = None) -> Number:
    return Number(
        scenario="baseline", label="n", outcome="volunteers", statistic=statistic, at_least=at_least, value=0.0
    )  # type: ignore[arg-type]


def test_statistics_by_hand() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    expected = {"mean": 3.0, "median": 3.0, "p05": 1.2, "p95": 4.8, "width": 3.6}
    for statistic, value in expected.items():
        assert exercises.statistic(number(statistic), values) == pytest.approx(value)
    assert exercises.statistic(number("share", 4.0), values) == 0.4
    assert exercises.statistic(number("never"), np.array([1.0, np.nan])) == 0.5


# --- Files that are wrong


def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, old: str, new: str, in_key: bool = False) -> str:
    """What is told of an exercise with one thing in it changed."""
    for part in ("", "keys/"):
        target = tmp_path / part / f"{name}.toml"
        target.parent.mkdir(exist_ok=True)
        text = (exercises.FOLDER / part / f"{name}.toml").read_text(encoding="utf-8")
        if bool(part) == in_key:
            assert old in text
            text = text.replace(old, new, 1)
        target.write_text(text, encoding="utf-8")
    monkeypatch.setattr(exercises, "FOLDER", tmp_path)
    with pytest.raises(InputError) as caught:
        load_key(name)
    return str(caught.value)


WRONG = [
    ('scenario = "baseline"', 'scenario = "basline"', False, "did you mean 'baseline.toml'"),
    ('scenario = "baseline"', 'scenario = "../seeds/parameters"', False, "must be the name of a file in scenarios/"),
    ('id = "majority"', 'id = "count"', False, "'count' is asked twice"),
    ('kind = "chance"', 'kind = "chanse"', False, "kind"),
    ("most = 53", "most = 0", False, "must lie below"),
    ("minutes = 8", "minutes = 8\nminuts = 3", False, "unknown key steps[1].minuts"),
    ('question = "count"', 'question = "counts"', True, "answers must be to count, majority"),
    ('outcome = "states_agreeing"', 'outcome = "states_agreing"', True, "did you mean 'states_agreeing'"),
    ("at_least = 27\n", "", True, "at_least goes with statistic = 'share'"),
    ('statistic = "share"\nat_least = 27', 'statistic = "mean"', True, "a chance is scored on statistic"),
    ("less than half as wide", "less than half", True, "is not one of its choices"),
    ("schema = 1", "schema = [", True, "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "in_key", "told"), WRONG, ids=[row[3] for row in WRONG])
def test_a_wrong_file_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str, in_key: bool, told: str
) -> None:
    words = broken(monkeypatch, tmp_path, "forecast_the_count", old, new, in_key)
    assert told in words
    assert "\n" not in words
    assert "forecast_the_count.toml" in words


def test_differences_need_the_same_luck() -> None:
    with pytest.raises(ValueError, match="need the same draws and luck"):
        Number(
            scenario="baseline",
            label="n",
            outcome="volunteers",
            statistic="mean",
            value=0.0,
            against=Run(scenario="mirror", seed=2),
        )


# --- The command


def test_the_command_lists_shows_and_writes_worksheets(tmp_path: Path) -> None:
    listed = cli("exercises").stdout
    assert all(name in listed for name in FIRST)
    assert cli("exercises", "menu_or_bundle").stdout.startswith("# Menu or bundle\n")
    out = tmp_path / "sheet.html"
    assert cli("exercises", "menu_or_bundle", "--html", str(out)).exit_code == 0
    assert "<h1>Menu or bundle</h1>" in out.read_text(encoding="utf-8")
    wrong = cli("exercises", "menu_or_bundel")
    assert (wrong.exit_code, "did you mean 'menu_or_bundle'" in wrong.output) == (2, True)
    assert cli("exercises", "--key").exit_code == 2


def test_the_key_is_computed_when_it_is_shown_and_tells_what_has_moved(
    monkeypatch: pytest.MonkeyPatch, few: Ensemble
) -> None:
    monkeypatch.setattr(exercises.recomputed, "__defaults__", (lambda run: few,))
    shown = cli("exercises", "forecast_the_count", "--key")
    agreeing = few.daily("agreeing")[:, -1]
    assert shown.exit_code == 1
    kept = load_key("forecast_the_count").answer("count").numbers[0].value
    assert re.search(
        rf"Governors who agree, median: [\d.]+ states \(kept: {kept:g} states; it has moved\)", shown.stdout
    )
    assert f"{100 * float((agreeing >= 27).mean()):.0f} % of runs" in shown.stdout


def test_equal_plans_are_played_once(few: Ensemble) -> None:
    played: list[Run] = []

    def play(run: Run) -> Ensemble:
        played.append(run)
        return few

    key = load_key("menu_or_bundle")
    assert isinstance(key, Key)
    recomputed(key, play)
    assert len(played) == 4
    assert isinstance(load("menu_or_bundle").questions["change"], Question)
