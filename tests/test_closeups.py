"""Close-ups: what is drawn is what was given, on axes that keep their place, told apart without colour."""

import numpy as np
import pytest

from sim import closeups, plots
from sim.ensemble import run_ensemble
from sim.summary import Summary, quantiles, summarize
from tests.plays import WILLING, scenario_of


@pytest.fixture(scope="module")
def pair() -> tuple[Summary, Summary]:
    a, b = (
        summarize(run_ensemble(scenario_of(WILLING, days), 1, None, 3, engine="simpy", with_twins=False))
        for days in (20, 12)
    )
    return a, b


def test_shares_are_in_percent_and_each_line_has_a_dash_of_its_own(pair: tuple[Summary, Summary]) -> None:
    lines = [("agrees", np.linspace(0.0, 1.0, 21)), ("has declined", np.full(21, 0.25))]
    figure = closeups.shares(pair[0], lines)
    assert [trace.name for trace in figure.data] == ["agrees", "has declined"]
    assert figure.data[0].y[-1] == 100
    assert set(figure.data[1].y) == {25}
    assert len({trace.line.dash for trace in figure.data}) == 2
    assert tuple(figure.layout.yaxis.range) == (0.0, 105.0)


def test_terms_lie_for_to_the_right_and_against_to_the_left_in_the_order_given() -> None:
    figure = closeups.terms(["mission", "party", "role"], np.array([-2.0, 1.5, -0.5]))
    bars = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figure.data}
    assert bars == {"for": {"party": 1.5}, "against": {"role": -0.5, "mission": -2.0}}
    low, high = figure.layout.xaxis.range
    assert low == -high
    assert high > 2.0
    assert list(figure.layout.yaxis.categoryarray) == ["role", "party", "mission"]
    # In grey or on any page the two kinds differ by hatching, on a ground of their own.
    assert figure.data[1].marker.pattern.shape == "/"
    assert figure.data[1].marker.pattern.bgcolor == figure.data[1].marker.color


def test_intervals_are_the_quantiles() -> None:
    values = np.arange(101.0)
    figure = closeups.intervals([("all", values), ("given", values[:11])], "governors", 100.0)
    thin, thick, median = figure.data
    assert list(thin.x) == [5.0, 95.0, None, 0.5, 9.5, None]
    assert list(thick.x) == [25.0, 75.0, None, 2.5, 7.5, None]
    assert list(median.x) == [50.0, 5.0]
    assert list(median.y) == ["all", "given"]


def test_two_scenarios_share_one_axis_as_long_as_the_longer(pair: tuple[Summary, Summary]) -> None:
    a, b = pair
    figure = closeups.two(a, b, "in_place", "people")
    assert [trace.name for trace in figure.data] == ["A: 5 to 95 %", "A: median", "B: 5 to 95 %", "B: median"]
    assert tuple(figure.layout.xaxis.range) == (0, 20)
    assert list(figure.data[1].y) == pytest.approx(quantiles(a, "in_place")[2], abs=0.06)
    assert len(figure.data[3].x) == 13
    highest = max(float(quantiles(of, "in_place")[-1].max()) for of in pair)
    assert figure.layout.yaxis.range[1] == pytest.approx(1.05 * max(1.0, highest))
    assert {figure.data[n].line.dash for n in (1, 3)} == {"solid", "dash"}


def test_a_difference_lies_around_zero(pair: tuple[Summary, Summary]) -> None:
    daily = np.vstack([np.full(21, m) for m in (-2.0, -3.0, -1.0, -9.0, 4.0)])
    figure = closeups.difference(pair[0], daily, "people")
    low, high = figure.layout.yaxis.range
    assert low == -high == pytest.approx(-1.05 * 9.0)
    assert set(figure.data[2].y) == {-2.0}


def test_pairs_have_parted_from_their_day_on(pair: tuple[Summary, Summary]) -> None:
    figure = closeups.parted(pair[0], np.array([3.0, np.nan, 10.0, 10.0]))
    share = dict(zip(figure.data[0].x, figure.data[0].y, strict=True))
    assert [share[day] for day in (2, 3, 9, 10, 20)] == [0, 25, 25, 75, 75]
    assert not np.any(closeups.parted(pair[0], np.array([])).data[0].y)


def test_a_timeline_has_a_lane_for_each_kind_and_a_mark_of_its_own_for_each_history(
    pair: tuple[Summary, Summary],
) -> None:
    marks = [[(3, "governors", "TX declines")], [(5, "people", "2 movements"), (6, "governors", "NM accepts")]]
    figure = closeups.timeline(pair[0], ["governors", "people"], marks)
    a, b = figure.data
    assert dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True)) == {
        "governors": 1,
        "people": 0,
    }
    assert [round(y) for y in a.y] == [1]
    assert [round(y) for y in b.y] == [0, 1]
    assert a.marker.symbol != b.marker.symbol
    assert list(b.text) == ["2 movements", "NM accepts"]


@pytest.mark.parametrize(
    "plot", [closeups.shares, closeups.parted, closeups.two, closeups.difference, closeups.timeline]
)
def test_every_plot_has_a_caption_of_one_line(plot: object, pair: tuple[Summary, Summary]) -> None:
    told = plots.caption(plot, pair[0])  # type: ignore[arg-type]
    assert told.endswith(".")
    assert "{" not in told
