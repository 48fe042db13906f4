"""Studies: answers known beforehand for each analysis, and one small real study through each command."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim import breakeven, discovery, experiments, information, plots, precision, sensitivity, studies
from sim.commands.common import app
from sim.designs import LEVELS
from sim.outcomes import OUTCOMES
from sim.parameters import InputError, parameter
from sim.scenario_files import load
from sim.setting import uncertain_names

ROOT = Path(__file__).resolve().parent.parent
BASELINE = str(ROOT / "scenarios" / "baseline.toml")
SHORT = ["--days", "30"]


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="python -m sim")


def told(result: Result, out: Path) -> dict:
    """The JSON of a study that went well, and the same from its file."""
    assert result.exit_code == 0, (result.output, result.exception)
    found = json.loads((out / "study.json").read_text())
    page = (out / "plot.html").read_text()
    # The page carries the plotting library: it asks nothing of a network.
    assert "Plotly.newPlot" in page
    assert 'src="http' not in page
    assert len(page) > 1_000_000
    assert found["scenario_hash"]
    assert found["model_version"]
    return found


# --- Conditions


@pytest.mark.parametrize(
    ("text", "outcome", "sign", "number"),
    [
        ("days_to_50 <= 90", "days_to_50", "<=", 90.0),
        ("days_to_50<90", "days_to_50", "<", 90.0),
        (" peak_in_place >= 10,000 ", "peak_in_place", ">=", 10_000.0),
        ("states_agreeing==0", "states_agreeing", "==", 0.0),
        ("cost_guard>1e9", "cost_guard", ">", 1e9),
    ],
)
def test_a_condition_is_read(text: str, outcome: str, sign: str, number: float) -> None:
    assert studies.parse_condition(text) == studies.Condition(outcome, sign, number)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day_to_50 <= 90", "did you mean 'days_to_50'"),
        ("days_to_50 =< 90", "one of <= >= == < >"),
        ("days_to_50", "for instance"),
        ("days_to_50 <= soon", "'soon' is not a number"),
        ("days_to_50 <= nan", "not a finite number"),
    ],
)
def test_a_wrong_condition_is_told(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        studies.parse_condition(text)


def test_never_is_later_than_every_number() -> None:
    values = np.array([10.0, 90.0, 91.0, np.nan])
    holds = {sign: list(studies.Condition("days_to_50", sign, 90.0).holds(values)) for sign in studies.OPERATORS}
    assert holds["<="] == [True, True, False, False]
    assert holds["<"] == [True, False, False, False]
    assert holds[">"] == [False, False, True, True]
    assert holds[">="] == [False, True, True, True]
    assert holds["=="] == [False, True, False, False]


def test_in_a_mean_never_counts_as_the_day_after_the_last() -> None:
    assert list(studies.counted(np.array([3.0, np.nan]), 180)) == [3.0, 181.0]


# --- Precision


@pytest.fixture(scope="module")
def normal() -> np.ndarray:
    return np.random.default_rng(5).normal(50.0, 4.0, 5000)


@pytest.mark.parametrize(("half_width", "is_relative"), [(0.5, False), (0.01, True)])
def test_runs_for_a_mean_are_those_of_the_textbook(normal: np.ndarray, half_width: float, is_relative: bool) -> None:
    found = precision.precision(lambda r: float(normal[r]), half_width, is_relative)
    expected = (1.96 * 4.0 / 0.5) ** 2  # about 246: 1 % of 50 is 0.5 as well
    assert found.runs_for_mean == pytest.approx(expected, rel=0.15)
    mean, low, high = found.mean
    assert (high - low) / 2.0 == pytest.approx(0.5, rel=0.03)
    assert mean == pytest.approx(normal[: found.runs_for_mean].mean())
    # The median of a normal distribution has pi / 2 times the variance of its mean.
    assert found.runs_for_median == pytest.approx(expected * math.pi / 2.0, rel=0.3)


def test_a_mean_far_from_zero_needs_no_more_runs(normal: np.ndarray) -> None:
    near = precision.precision(lambda r: float(normal[r]) - 50.0, 0.5)
    far = precision.precision(lambda r: float(normal[r]) + 1e6, 0.5)
    assert near.runs_for_mean == far.runs_for_mean
    assert near.mean[1] == pytest.approx(far.mean[1] - 1_000_050.0, abs=1e-4)


def test_what_most_runs_do_not_reach_is_none(normal: np.ndarray) -> None:
    found = precision.precision(lambda r: float(normal[r]), 0.1, most=60)
    assert (found.runs_for_mean, found.runs_for_median) == (None, None)
    assert len(found.values) <= 60 + precision.LOOK_AHEAD


def test_a_median_among_runs_that_never_get_there_has_no_end() -> None:
    values = np.array([10.0] * 45 + [np.nan] * 55)
    rank = np.random.default_rng(1).permutation(100)
    assert studies.finite(precision.median_interval(values[rank])[0]) is None
    found = precision.precision(lambda r: float(values[rank[r % 100]]), 1.0, never=181.0, most=200)
    assert found.runs_for_median is None
    assert found.mean[0] == pytest.approx(0.45 * 10.0 + 0.55 * 181.0, rel=0.05)


def test_the_interval_of_a_median_holds_it_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(2)
    held = [low <= 0.0 <= high for _, low, high in (precision.median_interval(rng.normal(size=60)) for _ in range(300))]
    assert 0.92 <= np.mean(held) <= 1.0


# --- Breakeven


def test_a_step_is_found_as_exactly_as_asked() -> None:
    found = breakeven.breakeven(lambda value: np.full(9, value >= 0.371), 0.0, 1.0)
    ((a, b),) = found.brackets
    assert a < 0.371 <= b
    assert b - a <= breakeven.FINENESS
    assert found.without == 0.0


def test_a_step_among_whole_numbers_lies_between_two_neighbours() -> None:
    found = breakeven.breakeven(lambda value: np.full(9, value < 37), 0.0, 100.0, is_whole=True)
    assert found.brackets == ((36.0, 37.0),)
    assert all(value.is_integer() for value in found.values)


def test_a_step_on_a_log_scale_is_found() -> None:
    ((a, b),) = breakeven.breakeven(lambda value: np.full(9, value >= 0.002), 1e-4, 1.0, on_log_scale=True).brackets
    assert a < 0.002 <= b
    assert b / a < 1.05


def test_half_of_unlike_runs_is_their_median() -> None:
    steps = np.linspace(0.0, 1.0, 101)  # run k reaches it from the value k / 100 on
    found = breakeven.breakeven(lambda value: steps <= value, 0.0, 1.0)
    ((a, b),) = found.brackets
    assert a <= 0.5 <= b
    low, high = found.interval
    # A median of 101 even steps: the binomial interval of ranks is 41 to 60.
    assert low == pytest.approx(0.40, abs=0.05)
    assert high == pytest.approx(0.60, abs=0.05)


def test_no_crossing_is_told_with_the_shares_at_both_ends() -> None:
    found = breakeven.breakeven(lambda value: np.arange(10) < 3, 0.0, 1.0)
    assert found.brackets == ()
    assert found.interval is None
    assert (found.shares[0], found.shares[-1]) == (0.3, 0.3)


def test_every_crossing_is_told() -> None:
    found = breakeven.breakeven(lambda value: np.full(5, 0.3 < value < 0.7), 0.0, 1.0)
    assert len(found.brackets) == 2
    assert found.brackets[0][0] <= 0.3 <= found.brackets[0][1]


@pytest.mark.parametrize(
    ("name", "between", "words"),
    [
        ("request.mode", None, "is not a number"),
        ("volunteers.share", (0.5, 0.1), "must be below"),
        ("volunteers.share", (0.5, 7.0), "not allowed"),
        ("training.seats", (0.5, 7.0), "a whole number"),
    ],
)
def test_wrong_ends_are_told(name: str, between: tuple[float, float] | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        breakeven.ends_of(parameter(name), between)


# --- Value of information


def two_states() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Two options in two equally likely states of the world: A gives 10 or 0, B gives 4 always; a coin besides."""
    world, coin = np.repeat([0.0, 1.0], 100), np.tile([0.0, 1.0], 100)
    return np.array([np.where(world == 0.0, 10.0, 0.0), np.full(200, 4.0)]), {"world": world, "coin": coin}


def test_two_states_of_the_world_by_hand() -> None:
    outcome, factors = two_states()
    found = information.value_of_information(outcome, factors, "high")
    # Now: A, 5 on average. Knowing: 10 or 4, so 7. Knowing the coin changes nothing.
    assert found.means == (5.0, 4.0)
    assert found.best == 0
    assert found.perfect == 2.0
    assert found.single == {"world": 2.0, "coin": 0.0}
    assert found.perfect_interval[0] < 2.0 < found.perfect_interval[1]


def test_the_aim_is_the_users() -> None:
    outcome, factors = two_states()
    found = information.value_of_information(outcome, factors, "low")
    # Now: B, 4. Knowing: B in the first state, A in the second: 4 or 0, so 2.
    assert found.best == 1
    assert found.perfect == 2.0
    mirrored = information.value_of_information(-outcome, factors, "high")
    assert (mirrored.best, mirrored.single) == (found.best, found.single)


def test_one_uncertainty_among_many_is_found_at_its_worth() -> None:
    rng = np.random.default_rng(4)
    factors = {f"x{k}": rng.random(600) for k in range(30)}
    # A gives 2 x0, B gives 1, with noise: knowing x0 is worth E[max(2 x0, 1)] - 1 = 1/4.
    outcome = np.array([2.0 * factors["x0"], np.ones(600)]) + rng.normal(0.0, 0.3, (2, 600))
    found = information.value_of_information(outcome, factors, "high")
    assert next(iter(found.single)) == "x0"
    assert found.single["x0"] == pytest.approx(0.25, abs=0.04)
    assert sum(gain > found.floor for gain in found.single.values()) <= 2
    assert found.floor < 0.1


def test_knowing_one_is_never_worth_more_than_knowing_all() -> None:
    rng = np.random.default_rng(6)
    outcome = rng.normal(size=(3, 200))
    found = information.value_of_information(
        outcome, {"x": rng.random(200), "y": rng.integers(0, 4, 200) * 1.0}, "high"
    )
    assert all(0.0 <= gain <= found.perfect for gain in found.single.values())


def test_a_choice_needs_two_values_of_the_register() -> None:
    assert information.choices("request.mode", "menu, bundled") == ["menu", "bundled"]
    assert information.choices("tour.days", "30,60") == [30, 60]
    with pytest.raises(InputError, match="at least two"):
        information.choices("request.mode", "menu")
    with pytest.raises(InputError, match="did you mean 'bundled'"):
        information.choices("request.mode", "menu,bundeld")


# --- Sensitivity: the Ishigami function, whose shares of variance are known in closed form


ISHIGAMI = {"num_vars": 3, "names": ["x1", "x2", "x3"], "bounds": [[-math.pi, math.pi]] * 3}


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


@pytest.mark.parametrize("has_second_order", [True, False])
def test_shares_of_variance_are_those_of_ishigami(has_second_order: bool) -> None:
    from SALib.sample import sobol

    points = sobol.sample(ISHIGAMI, 2048, calc_second_order=has_second_order, seed=1)
    found = {e.name: e for e in sensitivity.sobol_effects(ISHIGAMI, ishigami(points), has_second_order)}
    for name, first, total in (("x1", 0.3139, 0.5576), ("x2", 0.4424, 0.4424), ("x3", 0.0, 0.2437)):
        assert found[name].second == pytest.approx(first, abs=0.03)
        assert found[name].size == pytest.approx(total, abs=0.04)
        assert 0.0 < found[name].error < 0.1
        assert found[name].second_error is not None
    assert list(found) == ["x1", "x2", "x3"]


def test_elementary_effects_of_a_plane_are_its_slopes_over_the_range() -> None:
    from SALib.sample import morris

    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0.0, 10.0], [0.0, 1.0], [-1.0, 1.0]]}
    points = morris.sample(problem, 10, num_levels=LEVELS, seed=1)
    found = sensitivity.morris_effects(problem, points, 2.0 * points[:, 0] - 5.0 * points[:, 1])
    assert [e.name for e in found] == ["a", "b", "c"]
    assert [e.size for e in found] == pytest.approx([20.0, 5.0, 0.0])
    assert [e.mean for e in found] == pytest.approx([20.0, -5.0, 0.0])
    assert [e.second for e in found] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_elementary_effects_of_ishigami_show_what_is_bent() -> None:
    from SALib.sample import morris

    points = morris.sample(ISHIGAMI, 200, num_levels=LEVELS, seed=1)
    found = {e.name: e for e in sensitivity.morris_effects(ISHIGAMI, points, ishigami(points))}
    # On four levels 7 sin^2 changes by 7 * 3/4 over two thirds of the range, this way or that.
    assert found["x2"].size == pytest.approx(7.0 * 0.75 * 1.5)
    assert found["x3"].second > found["x3"].size * 0.9
    assert found["x1"].error > 0.0


def test_an_outcome_that_does_not_vary_has_no_shares() -> None:
    assert sensitivity.sobol_effects(ISHIGAMI, np.ones(8 * 8), True) == []


# --- Discovery


@pytest.fixture(scope="module")
def cases() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x = pd.DataFrame(rng.random((800, 5)), columns=["a.b", "c", "d", "e", "f"])
    x["whole"] = rng.integers(0, 5, 800)
    x["mode"] = rng.choice(["menu", "bundled"], 800)
    x["switch"] = rng.random(800) < 0.5
    x["fixed"] = 3.0
    return x


@pytest.mark.parametrize("find", [discovery.prim_boxes, discovery.tree_boxes])
def test_a_made_up_box_is_recovered(cases: pd.DataFrame, find: object) -> None:
    reaches = ((cases["a.b"] > 0.6) & (cases["c"] < 0.5)).to_numpy()
    (box,) = find(cases, reaches)  # type: ignore[operator]
    assert set(box.limits) == {"a.b", "c"}
    assert box.limits["a.b"][0] == pytest.approx(0.6, abs=0.03)
    assert box.limits["c"][1] == pytest.approx(0.5, abs=0.03)
    assert box.coverage > 0.95
    assert box.density > 0.9
    inside = cases["a.b"].between(*box.limits["a.b"]) & cases["c"].between(*box.limits["c"])
    assert (box.n_runs, box.n_reaching) == (inside.sum(), (inside & reaches).sum())
    assert box.coverage == pytest.approx(box.n_reaching / reaches.sum())
    assert box.density == pytest.approx(box.n_reaching / box.n_runs)


@pytest.mark.parametrize("find", [discovery.prim_boxes, discovery.tree_boxes])
def test_whole_numbers_words_and_switches_make_boxes(cases: pd.DataFrame, find: object) -> None:
    reaches = ((cases["whole"] >= 3) & (cases["mode"] == "menu") & cases["switch"]).to_numpy()
    (box,) = find(cases, reaches)  # type: ignore[operator]
    assert box.limits == {"whole": (3.0, 4.0), "mode": ("menu",), "switch": ("true",)}
    lines = discovery.in_words(box, {"whole": (0.0, 4.0)})
    assert set(lines) == {"whole is at least 3 (of 0 to 4)", "mode is menu", "switch is true"}


@pytest.mark.parametrize("find", [discovery.prim_boxes, discovery.tree_boxes])
def test_chance_makes_no_box(cases: pd.DataFrame, find: object) -> None:
    reaches = np.random.default_rng(9).random(len(cases)) < 0.3
    assert find(cases, reaches) == []  # type: ignore[operator]


def test_two_made_up_boxes_are_told_one_after_the_other(cases: pd.DataFrame) -> None:
    reaches = ((cases["a.b"] > 0.7) & (cases["c"] > 0.5) | (cases["a.b"] < 0.2) & (cases["d"] > 0.5)).to_numpy()
    boxes = discovery.prim_boxes(cases, reaches, most=3)
    assert len(boxes) >= 2
    assert sum(box.coverage for box in boxes) > 0.8
    assert sum(box.n_reaching for box in boxes) <= reaches.sum()


def test_a_wanted_density_is_kept(cases: pd.DataFrame) -> None:
    reaches = (cases["a.b"] + 0.2 * np.random.default_rng(1).normal(size=len(cases)) > 0.6).to_numpy()
    loose = discovery.prim_boxes(cases, reaches, 1, 0.7)[0]
    dense = discovery.prim_boxes(cases, reaches, 1, 0.85)[0]
    assert loose.density >= 0.7
    assert dense.density >= 0.85
    assert set(loose.limits) == set(dense.limits) == {"a.b"}
    assert dense.coverage < loose.coverage


@pytest.mark.parametrize(
    ("reaches", "words"),
    [
        ([True] * 30, "30 of 30"),
        ([False] * 30, "none of 30"),
        ([True] * 4 + [False] * 30, "4 of 34"),
        ([True], "too few"),
    ],
)
def test_nothing_to_tell_apart_is_told(reaches: list[bool], words: str) -> None:
    with pytest.raises(InputError, match=words):
        discovery.check_enough(np.array(reaches))


def test_conditions_between_two_ends_are_told_in_words() -> None:
    box = discovery.Box({"x": (2.0, 3.0), "y": (0.0, 1.5)}, 0.5, 0.5, 10, 5)
    words = discovery.in_words(box, {"x": (0.0, 10.0), "y": (0.0, 2.0)})
    assert words == ["x is between 2 and 3 (of 0 to 10)", "y is at most 1.5 (of 0 to 2)"]


# --- Plots


def test_a_tornado_has_its_largest_bar_on_top() -> None:
    figure = plots.tornado(["large", "small"], np.array([5.0, 1.0]), np.array([0.5, 0.1]), "states")
    assert list(figure.data[0].y) == ["small", "large"]
    assert list(figure.data[0].x) == [1.0, 5.0]
    assert figure.layout.xaxis.range[1] >= 5.5


def test_what_chance_shows_as_well_is_grey() -> None:
    figure = plots.worth_of_knowing(["everything", "a", "b"], np.array([5.0, 3.0, 1.0]), 2.0, "people")
    assert list(figure.data[0].marker.color) == [plots.GREY, plots.BLUE, plots.BLUE]
    assert list(figure.data[1].x) == [2.0, 2.0]


def test_boxes_lie_where_their_ends_say() -> None:
    figure = plots.conditions([{"a": (0.5, 0.75)}, {"a": (0.0, 0.5), "b": (0.25, 1.0)}], ["box 1", "box 2"])
    assert [list(bar.base) for bar in figure.data] == [[0.5], [0.0, 0.25]]
    assert [list(bar.x) for bar in figure.data] == [[0.25], [0.5, 0.75]]


def test_the_page_has_the_caption_of_its_plot_and_escapes_words() -> None:
    figure = plots.share_reaching(np.array([0.0, 1.0]), np.array([0.0, 1.0]), (0.4, 0.6), "tour.days (days)")
    page = plots.page("A & B", [("x < 3", plots.share_reaching, figure)], ["one <b>"])
    assert "The share of runs that reach what was asked" in page
    assert "A &amp; B" in page
    assert "x &lt; 3" in page
    assert "one &lt;b&gt;" in page


# --- Real runs, small


def test_one_by_one_gives_the_runs_of_the_ensemble() -> None:
    source = studies.Source(load(BASELINE).with_values({}, 20), seed=3, block=4)
    single = source.one_by_one("volunteers")
    made = source.ensemble({}, None, 6, "runs")
    assert [single(r) for r in range(6)] == list(made.daily("entered")[:, -1])


def test_precision_of_real_runs(tmp_path: Path) -> None:
    out = tmp_path / "new"
    words = ["precision", BASELINE, *SHORT, "--outcome", "states_agreeing", "--half-width", "6", "--most", "40"]
    found = told(command(*words, "--out", str(out)), out)
    assert found["seed"] == 1
    assert found["mean"]["low"] < found["mean"]["estimate"] < found["mean"]["high"]
    assert found["mean"]["runs"] is None or (found["mean"]["high"] - found["mean"]["low"]) / 2.0 <= 6.0
    # The same command again writes over its own result, and nothing else does.
    assert told(command(*words, "--out", str(out)), out)["values"] == found["values"]
    printed = command(*words, "--out", str(out), "--json")
    assert json.loads(printed.stdout) == json.loads((out / "study.json").read_text())
    taken = command("breakeven", BASELINE, "--parameter", "tour.days", "--outcome", "volunteers>1", "--out", str(out))
    assert (taken.exit_code, "another study" in taken.stderr) == (2, True)


def test_breakeven_of_real_runs(tmp_path: Path) -> None:
    words = ["--parameter", "review.days", "--outcome", "approval_day <= 12", "--between", "1", "365"]
    result = command("breakeven", BASELINE, *SHORT, *words, "--replications", "5", "--out", str(tmp_path / "b"))
    found = told(result, tmp_path / "b")
    assert (found["shares"][0], found["shares"][-1]) == (1.0, 0.0)
    low, high = found["bracket"]
    assert 5.0 < low < high < 60.0
    at = dict(zip(found["values"], found["shares"], strict=True))
    assert at[low] >= 0.5 > at[high]
    assert "crosses half between review.days" in " ".join(result.stdout.split())


def test_breakeven_without_a_crossing_says_so(tmp_path: Path) -> None:
    words = ["--parameter", "tour.days", "--between", "30", "32", "--outcome", "volunteers >= 0"]
    result = command("breakeven", BASELINE, "--days", "5", *words, "--replications", "2", "--out", str(tmp_path / "b"))
    assert told(result, tmp_path / "b")["bracket"] is None
    text = " ".join(result.stdout.split())
    assert "does not cross half" in text
    assert "100 % of 2 runs at tour.days = 30" in text


def test_value_of_real_runs(tmp_path: Path) -> None:
    words = ["--choice", "request.mode", "--options", "menu,bundled", "--outcome", "states_agreeing", "--aim", "low"]
    result = command("value", BASELINE, *SHORT, *words, "--replications", "12", "--out", str(tmp_path / "v"))
    found = told(result, tmp_path / "v")
    assert set(found["means"]) == {"menu", "bundled"}
    assert found["best_by_the_aim_stated"] == min(found["means"], key=found["means"].get)
    assert found["everything_known"] >= max(found["one_known"].values()) - 1e-9
    assert len(found["one_known"]) > 50
    assert "the aim stated: low" in result.stdout
    assert ("knowing more changes nothing" in " ".join(result.stdout.split())) == (found["everything_known"] == 0.0)


def test_sensitivity_of_a_scenario_runs_goes_on_and_is_read_again(tmp_path: Path) -> None:
    out = tmp_path / "s"
    words = ["sensitivity", BASELINE, "--days", "20", "--trajectories", "2", "--out", str(out)]
    result = command(*words)
    found = told(result, out)
    assert set(found["effects"]) == set(OUTCOMES)
    effects = found["effects"]["states_agreeing"]
    sizes = [effect["mu_star"] for effect in effects]
    assert sizes == sorted(sizes, reverse=True)
    assert {effect["parameter"] for effect in effects} == set(uncertain_names())
    assert found["points"] == 2 * (len(effects) + 1)
    assert "█" in result.stdout
    # What has run is not run again: without its parts the rows would be made anew.
    before = {path.name: path.stat().st_mtime_ns for path in (out / "sweep" / "parts").iterdir()}
    assert told(command(*words), out)["effects"] == found["effects"]
    assert {path.name: path.stat().st_mtime_ns for path in (out / "sweep" / "parts").iterdir()} == before
    again = command("sensitivity", str(out / "sweep"), "--outcome", "volunteers", "--out", str(tmp_path / "again"))
    assert told(again, tmp_path / "again")["effects"] == found["effects"]
    assert "(volunteers, people)" in " ".join(again.stdout.split())


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Latin hypercube over what decides when a request is approved, and one parameter that does not."""
    folder = tmp_path_factory.mktemp("swept")
    table = {
        "title": "Approval",
        "question": "When?",
        "design": "lhs",
        "n": 60,
        "outcomes": ["approval_day", "volunteers"],
        "uncertainties": {"review.days": {"low": 1, "high": 60}, "tour.reup": {}, "support.party": {}},
    }
    experiments.run(experiments.experiment_of(table, load(BASELINE).with_values({}, 30), "approval"), folder / "lhs")
    return folder / "lhs"


def test_discovery_of_a_real_sweep(swept: Path, tmp_path: Path) -> None:
    result = command("discover", str(swept), "--outcome", "approval_day <= 12", "--out", str(tmp_path / "d"))
    found = told(result, tmp_path / "d")
    assert found["runs"] == 60
    for method in ("PRIM", "CART"):
        (box,) = found["boxes"][method]
        assert list(box["limits"]) == ["review.days"]
        assert box["limits"]["review.days"][0] < 3.0
        assert box["coverage"] > 0.9
        assert box["density"] > 0.9
    text = " ".join(result.stdout.split())
    assert "review.days is at most" in text
    assert f"{found['reaching']} of 60 runs reach approval_day <= 12" in text


def test_effects_of_sobol_are_told_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(load(BASELINE).with_values({}, 15).toml())
    (tmp_path / "sobol.toml").write_text(
        'schema = 1\ntitle = "T"\nquestion = "Q?"\nbase = "scenario.toml"\ndesign = "sobol"\nn = 8\n'
        'outcomes = ["approval_day", "cost_hired"]\n[uncertainties]\n"review.days" = {low = 1, high = 14}\n"tour.reup" = {}\n'
    )
    result = command("sensitivity", str(tmp_path / "sobol.toml"), "--out", str(tmp_path / "s"))
    first, second = told(result, tmp_path / "s")["effects"]["approval_day"]
    assert (first["parameter"], second["parameter"]) == ("review.days", "tour.reup")
    assert first["ST"] > 0.5 > second["ST"] == 0.0
    assert {"S1", "S1_error", "ST_error"} <= set(first)
    refused = command("sensitivity", str(tmp_path / "sobol.toml"), "--days", "9", "--out", str(tmp_path / "x"))
    assert (refused.exit_code, "go with a scenario file" in refused.stderr) == (2, True)


def test_what_a_sweep_cannot_tell_is_told(swept: Path, tmp_path: Path) -> None:
    for words, said in (
        (["sensitivity", str(swept)], 'design = "lhs" has no effects'),
        (["sensitivity", str(swept), "--outcome", "volunteer"], "did you mean 'volunteers'"),
        (["discover", str(swept), "--outcome", "approval_day <= 0"], "none of 60"),
        (["discover", str(swept), "--outcome", "peak_in_place > 3"], "is not measured"),
        (["discover", str(tmp_path), "--outcome", "volunteers > 3"], "no results of a sweep"),
    ):
        result = command(*words, "--out", str(tmp_path / "x"))
        assert (result.exit_code, said in result.stderr) == (2, True), result.output
        assert len(result.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "x").exists()


def test_a_design_with_a_failed_run_has_no_effects() -> None:
    experiment = sensitivity.screening(load(BASELINE), 2, 1, 1)
    rows = pa.table({"error": pa.array([None, "broke"])})
    with pytest.raises(InputError, match="1 of 2 runs failed"):
        sensitivity.effects(experiment, rows)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["precision", "--outcome", "state_agreeing", "--half-width", "1"], "did you mean 'states_agreeing'"),
        (["precision", "--outcome", "states_agreeing", "--half-width", "0"], "must be more than 0"),
        (["breakeven", "--parameter", "tour.day", "--outcome", "volunteers > 1"], "did you mean 'tour.days'"),
        (["breakeven", "--parameter", "tour.days", "--outcome", "volunteers"], "for instance 'days_to_50 <= 90'"),
        (
            [
                "value",
                "--choice",
                "request.mode",
                "--options",
                "menu,bundled",
                "--outcome",
                "volunteers",
                "--aim",
                "more",
            ],
            "not one of 'high', 'low'",
        ),
        (
            "value --choice request.mode --options menu,bundled --outcome volunteers --aim low --replications 2 "
            "--uncertainty tour.days".split(),
            "not an uncertainty that is drawn",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_paragraph(words: list[str], said: str, tmp_path: Path) -> None:
    result = command(words[0], BASELINE, "--days", "10", *words[1:], "--out", str(tmp_path / "x"))
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("package", "study"),
    [
        ("sim_tools.output_analysis", lambda: precision.precision(lambda r: 1.0, 1.0)),
        ("sklearn.linear_model", lambda: information.smoothed(np.arange(20.0), np.zeros((1, 20)))),
        ("SALib.analyze", lambda: sensitivity.sobol_effects(ISHIGAMI, np.arange(8.0), True)),
        ("SALib.analyze", lambda: sensitivity.morris_effects(ISHIGAMI, np.zeros((4, 3)), np.zeros(4))),
        ("ema_workbench.analysis.prim", lambda: discovery.prim_boxes(pd.DataFrame(), np.ones(3, bool))),
        ("sklearn.tree", lambda: discovery.tree_boxes(pd.DataFrame(), np.ones(3, bool))),
    ],
)
def test_a_missing_package_is_told(package: str, study: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match="pip install -r requirements-lab.txt"):
        study()  # type: ignore[operator]


def test_results_are_never_written_over_anything_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = command("precision", BASELINE, "--outcome", "volunteers", "--half-width", "1", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "is not empty" in result.stderr
