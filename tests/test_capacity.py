"""Capacity: who is first, at what cost, and where each channel comes to be first, against runs that are made for it."""

from dataclasses import replace

import numpy as np
import pytest

from sim import capacity, compiled
from sim.breakeven import Breakeven
from sim.capacity import CHANNELS, Line
from sim.ensemble import run_ensemble
from sim.outcomes import OUTCOMES
from sim.parameters import parameter
from sim.results import Ensemble
from sim.scenario import MOST_DAYS, Scenario

pytest.importorskip("numba")
NAN = float("nan")
BASE = Scenario("base", "Base", "What then?", days=60, values={"capacity.target": 1500})


@pytest.fixture(scope="module")
def made() -> Ensemble:
    return run_ensemble(BASE, 1, None, 12, with_twins=False)


def test_first_is_who_alone_has_enough_on_the_earliest_day() -> None:
    days = np.array([[5.0, NAN, 3.0, NAN], [9.0, NAN, 3.0, 7.0], [NAN, NAN, 8.0, NAN]])
    assert capacity.first_of(days).tolist() == [
        [True, False, False, False],
        [False, False, False, True],
        [False, False, False, False],
    ]
    assert capacity.together(days).tolist() == [False, False, True, False]


def test_cost_until_the_last_day_is_the_whole_cost_and_less_before(made: Ensemble) -> None:
    for name, whole in (("guard", "cost_guard"), ("deputizing", "cost_deputized")):
        channel = CHANNELS[name]
        days, cost = OUTCOMES[channel.days].measure(made), capacity.cost_until(made, channel)
        assert np.array_equal(np.isnan(days), np.isnan(cost))
        assert (~np.isnan(days)).any(), "nobody ever has enough, so nothing is shown"
        total = OUTCOMES[whole].measure(made)
        for k in np.flatnonzero(~np.isnan(days)):
            short = replace(made, series=made.series[:, :, : int(days[k]) + 1])
            assert cost[k] == pytest.approx(OUTCOMES[whole].measure(short)[k])
            assert cost[k] <= total[k]


def test_officers_apart_are_those_of_the_runs(made: Ensemble) -> None:
    found = compiled.officers(BASE, 1, [draw for draw, _ in made.pairs])
    assert np.array_equal(found[:, 0], made.daily("hired"))
    assert np.array_equal(found[:, 1], made.daily("deputized"))
    assert found[:, 1].any()


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_soonest_end_of_each_own_value_brings_people_sooner(channel: str) -> None:
    of = CHANNELS[channel]
    days = 60 if channel != "hiring" else 400
    base = replace(BASE, days=days)

    def people(values: dict[str, object]) -> int:
        ensemble = run_ensemble(base.with_values(values), 1, None, 9, with_twins=False)
        return int(ensemble.daily(of.series).sum(dtype=np.int64))

    # Elsewhere another value may be what holds the channel up.
    best = capacity.on_the_way(channel, "own", 1.0)
    for name in of.own:
        worst = capacity.on_the_way(channel, "own", 0.0)[name]
        assert people({**best, name: worst}) < people(best), name
        assert {worst, best[name]} == set(parameter(name).range or ()), name


def test_no_other_channel_is_moved_by_the_values_of_one(made: Ensemble) -> None:
    officers = [name for key in ("deputizing", "hiring") for name in CHANNELS[key].own]
    moved = BASE.with_values(
        {name: capacity.on_the_way("deputizing", "others", 1.0).get(name, parameter(name).value) for name in officers}
    )
    other = run_ensemble(moved, 1, None, 12, with_twins=False)
    assert np.array_equal(other.daily("in_place"), made.daily("in_place"))
    assert not np.array_equal(other.daily("deputized"), made.daily("deputized"))


def test_each_channel_is_first_somewhere_and_a_run_at_the_value_told_says_so() -> None:
    told: list[tuple[str, int, int]] = []
    found = capacity.needs(BASE, 1, 16, lambda stage, n, total: told.append((stage, n, total)))
    assert all(n < total for _, n, total in told)
    assert [n for _, n, _ in told] == sorted(n for _, n, _ in told)
    assert told[0][0] == "the Guard: Guard members asked for"
    whole = run_ensemble(BASE, 1, None, 16, with_twins=False)
    assert list(found.shares.values()) == capacity.first_of(capacity.days_to(whole)).mean(axis=1).tolist()
    line = next(line for line in found.of("deputizing") if line.names == ("deputize.agencies",))
    assert line.at is not None and line.rises
    for value, share in zip(line.found.values, line.found.shares, strict=True):
        ensemble = run_ensemble(BASE.with_values({"deputize.agencies": value}), 1, None, 16, with_twins=False)
        assert capacity.first_of(capacity.days_to(ensemble))[1].mean() == share
    assert f"at least {line.at:.3g} agencies/day (register: 0.5 to 10)" in capacity.in_words(line)


def test_hiring_is_first_where_the_days_allow_it_and_says_which_day_where_they_do_not() -> None:
    long = replace(BASE, days=200)
    values = capacity.on_the_way("hiring", "others", 1.0)
    ensemble = run_ensemble(long.with_values(values), 1, None, 9, with_twins=False)
    assert capacity.first_of(capacity.days_to(ensemble))[2].mean() >= 0.5
    found = capacity.needs(BASE, 1, 9)
    lines = found.of("hiring")
    assert all(line.found.brackets == () for line in lines) and lines[-1].kind == "others"
    assert capacity.in_words(lines[0]).startswith(
        "Hiring is first in half of the runs nowhere in the range of Applicants a day"
    )
    day = found.soonest["hiring"]
    best = replace(BASE, days=MOST_DAYS).with_values(capacity.on_the_way("hiring", "own", 1.0))
    assert day == OUTCOMES["days_to_capacity_by_hiring"].measure(run_ensemble(best, 1, None, 1, with_twins=False))[0]
    assert f"has 1,500 people on day {day:,.0f}; the runs end on day 60" in capacity.soonest_in_words(found, "hiring")


def test_sentences_say_on_which_side_and_where_nothing_crosses() -> None:
    falling = Breakeven((5.0, 8.0, 20.0), (0.9, 0.7, 0.1), ((8.0, 20.0),), (8.0, 20.0), 0.0)
    line = Line("deputizing", "one", ("deputize.training_days",), falling)
    assert not line.rises and line.at == 8.0
    assert "is at most 8 days (register: 5 to 20)" in capacity.in_words(line)
    everywhere = Breakeven((5.0, 20.0), (0.9, 0.7), (), None, 1.0)
    assert "everywhere in the range" in capacity.in_words(replace(line, found=everywhere))
    way = Breakeven((0.0, 0.5, 1.0), (0.0, 0.5, 1.0), ((0.0, 0.5),), None, 0.0)
    words = capacity.in_words(Line("hiring", "own", tuple(CHANNELS["hiring"].own), way))
    assert "have gone 50 % of the way to their soonest ends" in words
    assert "Applicants a day 1,300" in words
