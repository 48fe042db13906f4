"""Plots: few traces, ranges written out, captions with the last day, and the numbers of the runs themselves."""

import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from sim import plots
from sim.ensemble import run_ensemble
from sim.results import Ensemble
from sim.scenario_files import load
from sim.summary import Summary, summarize

BASELINE = Path(__file__).resolve().parents[1] / "scenarios" / "baseline.toml"
GOVERNORS, TARGET, ACTIVE_DUTY = 53, 20_000, 10_000
WHITE, DARK = "#ffffff", "#0e1117"


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return run_ensemble(load(BASELINE), seed=1, replications=4, with_twins=False)


@pytest.fixture(scope="module")
def summary(ensemble: Ensemble) -> Summary:
    return summarize(ensemble)


@pytest.fixture(scope="module")
def states(ensemble: Ensemble) -> go.Figure:
    return plots.states_agreeing(ensemble, GOVERNORS, 28)


@pytest.fixture(scope="module")
def troops(ensemble: Ensemble) -> go.Figure:
    return plots.troops_in_place(ensemble, TARGET, ACTIVE_DUTY)


def names(figure: go.Figure) -> list[str]:
    return [trace.name for trace in figure.data]


def luminance(colour: str) -> float:
    parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255.0
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_each_plot_has_two_bands_the_median_and_its_levels(states: go.Figure, troops: go.Figure) -> None:
    bands = ["5 to 95 % of runs", "25 to 75 %", "median"]
    assert names(states) == [*bands, "side alone would give 28"]
    levels = ["asked for 20,000", "active-duty troops at the border, more than 10,000"]
    assert names(troops) == [*bands, *levels]


def test_a_level_that_is_not_given_is_not_drawn(ensemble: Ensemble) -> None:
    assert len(plots.states_agreeing(ensemble, GOVERNORS).data) == 3
    assert len(plots.troops_in_place(ensemble, TARGET).data) == 4


def test_the_median_is_that_of_the_runs(ensemble: Ensemble, troops: go.Figure) -> None:
    middle = next(trace for trace in troops.data if trace.name == "median")
    assert list(middle.x) == list(range(0, ensemble.n_days, 2))
    assert np.allclose(middle.y, np.median(ensemble.daily("in_place"), axis=0)[::2], atol=0.05)


@pytest.mark.parametrize(("name", "low", "high"), [("5 to 95 % of runs", 0.05, 0.95), ("25 to 75 %", 0.25, 0.75)])
def test_a_band_goes_out_on_its_upper_quantile_and_back_on_its_lower(
    ensemble: Ensemble, states: go.Figure, name: str, low: float, high: float
) -> None:
    outline = next(trace for trace in states.data if trace.name == name)
    lower, upper = np.quantile(ensemble.daily("agreeing"), (low, high), axis=0)[:, ::2]
    assert outline.fill == "toself"
    assert np.allclose(outline.y, [*upper, *lower[::-1]], atol=0.05)
    days = range(0, ensemble.n_days, 2)
    assert list(outline.x) == [*days, *reversed(days)]


def test_levels_lie_where_their_words_say(troops: go.Figure) -> None:
    assert [list(trace.y) for trace in troops.data[3:]] == [[TARGET, TARGET], [ACTIVE_DUTY, ACTIVE_DUTY]]


def test_ranges_are_written_out_and_hold_everything(ensemble: Ensemble, states: go.Figure, troops: go.Figure) -> None:
    for figure, least in ((states, GOVERNORS), (troops, TARGET)):
        low, high = figure.layout.yaxis.range
        assert list(figure.layout.xaxis.range) == [0, ensemble.n_days - 1]
        assert low == 0.0
        assert high >= max(least, *(max(trace.y) for trace in figure.data))


def test_marks_of_the_axis_name_the_day_and_its_date(troops: go.Figure) -> None:
    assert troops.layout.xaxis.ticktext[0] == "0<br>15 May<br>2025"
    assert troops.layout.xaxis.ticktext[1] == "30<br>14 Jun<br>"
    assert troops.layout.xaxis.tickvals[-1] == 180


@pytest.mark.parametrize("n_days", [1, 2, 8, 46, 91, 121, 181, 366, 731, 1826])
def test_a_line_goes_through_few_days_the_first_and_the_last_among_them(n_days: int) -> None:
    days = plots.shown_days(n_days)
    assert (days[0], days[-1]) == (0, n_days - 1)
    assert len(days) <= plots.MOST_POINTS + 1
    assert len(days) == n_days or len(days) > plots.MOST_POINTS / 2
    assert len(set(np.diff(days)[:-1])) <= 1


@pytest.mark.parametrize("n_days", [1, 2, 8, 46, 91, 181, 366, 731, 1826])
def test_marked_days_are_few_begin_at_the_start_and_end_within_the_run(n_days: int) -> None:
    days = plots.marked_days(n_days)
    assert days[0] == 0
    assert days[-1] < n_days
    assert len(days) <= plots.MOST_MARKS
    assert len(days) >= min(2, n_days)


def test_a_run_of_one_day_is_drawn(ensemble: Ensemble) -> None:
    short = replace(ensemble, series=ensemble.series[:, :, :1])
    assert list(plots.troops_in_place(short, TARGET).layout.xaxis.range) == [0, 1]


@pytest.mark.parametrize("plot", [plots.states_agreeing, plots.troops_in_place])
def test_the_caption_is_the_first_line_of_the_docstring_with_the_last_day(ensemble: Ensemble, plot: object) -> None:
    first = (inspect.getdoc(plot) or "").splitlines()[0]
    assert plots.caption(plot, ensemble) == first.replace("{days}", "180")  # type: ignore[arg-type]
    assert "{" not in plots.caption(plot, ensemble)  # type: ignore[arg-type]


def test_backgrounds_and_fonts_are_left_to_the_page(states: go.Figure, troops: go.Figure) -> None:
    for figure in (states, troops):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == plots.CLEAR
        assert figure.layout.font.color is None
        assert not figure.layout.template.layout.to_plotly_json()


@pytest.mark.parametrize("colour", [plots.BLUE, plots.ORANGE, plots.GREY])
@pytest.mark.parametrize("page", [WHITE, DARK])
def test_lines_stand_out_from_a_light_and_a_dark_page(colour: str, page: str) -> None:
    lighter, darker = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3.0


def test_lines_of_one_plot_differ_in_dash_too(troops: go.Figure) -> None:
    dashes = [trace.line.dash for trace in troops.data[2:]]
    assert len(set(dashes)) == len(dashes)


def test_answers_on_top_of_each_other_are_all_governors_on_every_day(ensemble: Ensemble) -> None:
    figure = plots.states_by_answer(ensemble)
    assert np.allclose(sum(np.array(trace.y) for trace in figure.data), GOVERNORS, atol=0.05)
    assert figure.layout.yaxis.range[1] == pytest.approx(GOVERNORS)
    agreed = sum(np.array(trace.y) for trace in figure.data if trace.name.startswith("agreed"))
    assert np.allclose(agreed, ensemble.daily("agreeing").mean(axis=0)[::2], atol=0.02)
    declined = next(trace for trace in figure.data if trace.name == "declined")
    assert np.allclose(declined.y, ensemble.daily("declined").mean(axis=0)[::2], atol=0.01)


def test_the_pipeline_holds_everybody_on_the_way_and_leaves_out_where_nobody_is(ensemble: Ensemble) -> None:
    figure = plots.pipeline(ensemble)
    stages = ["screening", "waiting_for_a_seat", "training", "awaiting_a_supervisor", "travel"]
    means = {name.replace("_", " "): ensemble.daily(name).mean(axis=0) for name in stages}
    assert names(figure) == [name for name, mean in means.items() if mean.any()]
    for trace in figure.data:
        assert np.allclose(trace.y, means[trace.name][::2], atol=0.01)
    highest = sum(means.values()).max()  # type: ignore[union-attr]
    assert figure.layout.yaxis.range[1] == pytest.approx(highest, rel=1e-6)


def test_layers_are_told_apart_without_colour(ensemble: Ensemble) -> None:
    for figure in (plots.states_by_answer(ensemble), plots.pipeline(ensemble)):
        looks = [(trace.fillcolor, trace.fillpattern.shape) for trace in figure.data]
        assert len(set(looks)) == len(looks)
        # Neighbours differ in pattern too, or clearly in lightness.
        for above, below in zip(looks, looks[1:], strict=False):
            assert above[1] != below[1] or abs(luminance(above[0]) - luminance(below[0])) > 0.15


def test_a_summary_is_drawn_as_its_ensemble_is(ensemble: Ensemble, summary: Summary) -> None:
    for draw in (
        lambda of: plots.troops_in_place(of, TARGET, ACTIVE_DUTY, 25_000),
        lambda of: plots.states_agreeing(of, GOVERNORS),
        plots.states_by_answer,
        plots.pipeline,
    ):
        for one, other in zip(draw(ensemble).data, draw(summary).data, strict=True):
            assert one.name == other.name
            assert np.allclose(one.y, other.y, atol=0.11, rtol=1e-5)


def test_levels_that_are_one_number_are_one_line(ensemble: Ensemble) -> None:
    both = names(plots.troops_in_place(ensemble, TARGET, ACTIVE_DUTY, TARGET))
    apart = names(plots.troops_in_place(ensemble, TARGET, ACTIVE_DUTY, TARGET + 1))
    assert len(apart) == len(both) + 1
    assert "asked for, and officers that the directive wants, 20,000" in both
    assert "officers that the directive wants 20,001" in apart


def test_the_chance_of_reaching_a_number_is_the_share_of_runs_that_had_it(ensemble: Ensemble, summary: Summary) -> None:
    figure = plots.chance_of_reaching(summary, (0.05, 0.5))
    assert names(figure) == ["1,000 in place (5 %)", "10,000 in place (50 %)"]
    for trace, level in zip(figure.data, (1_000, 10_000), strict=True):
        for day, share in zip(trace.x, trace.y, strict=True):
            had = [run[: day + 1].max() >= level for run in ensemble.daily("in_place")]
            assert share == pytest.approx(100 * sum(had) / len(had), abs=0.06)
    assert figure.data[0].y[-1] > 0
    assert list(figure.layout.yaxis.range) == [0.0, 105.0]
