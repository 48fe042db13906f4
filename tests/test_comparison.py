"""Comparisons day by day and event by event, worked out by hand."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from sim import model, story
from sim.comparison import LANES, daily_differences, downstream, first_difference, lane_of
from sim.ensemble import run_ensemble
from sim.results import SERIES, Ensemble, Event
from sim.story import sentence
from tests.plays import WILLING, accept, scenario_of, setting


def event(day: int, name: str, state: str, people: int = 0, cause: str = "", who: str = "") -> Event:
    return Event(who or state, "guard", "event", name, day, 0, "", state, cause, people)


class History:
    """A run that has nothing but its events."""

    def __init__(self, *events: Event) -> None:
        self.events = list(events)


def only(a: Any, b: Any) -> list[tuple[str, int, str, int]]:
    return [(letter, row.time, row.state, row.people) for letter, row in downstream(a, b)]


def test_downstream_is_what_happens_in_one_history_alone_in_the_order_of_days() -> None:
    shared = event(1, "asked", "TX", 100)
    a = History(shared, event(4, "accept", "TX", 50), event(6, "accept", "NM", 7), event(9, "goes home", "TX", 50))
    b = History(shared, event(5, "accept", "TX", 50), event(6, "accept", "NM", 7), event(6, "decline", "OK"))
    assert only(a, b) == [("A", 4, "TX", 50), ("B", 5, "TX", 50), ("B", 6, "OK", 0), ("A", 9, "TX", 50)]
    assert only(a, a) == []
    assert first_difference(a, b) == (a.events[1], b.events[1])  # type: ignore[arg-type]


def test_two_alike_against_one_leave_one_and_a_cohorts_number_tells_nothing() -> None:
    one, again = event(3, "in place", "TX", 5, who="TX-1"), event(3, "in place", "TX", 5, who="TX-2")
    assert only(History(one, again), History(again)) == [("A", 3, "TX", 5)]
    assert only(History(one), History(again)) == []


def test_every_kind_that_a_run_tells_has_a_lane_and_what_is_unknown_is_a_shock() -> None:
    kinds = [kind for kinds in LANES.values() for kind in kinds]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == set(story._SENTENCES)
    assert lane_of(event(1, "withdraw", "TX")) == "governors"
    assert lane_of(event(1, "hurricane", "TX")) == "shocks, law"


def test_in_a_small_play_only_what_hangs_on_the_answer_lies_downstream() -> None:
    # TX offers 10 or 20 on day 2; NM does the same in both.
    runs = [
        model.run(setting(WILLING, "TX NM", answers=[accept("TX", 2, troops), accept("NM", 3, 5)]), 0, True)
        for troops in (10, 20)
    ]
    found = downstream(*runs)
    assert found
    assert min(row.time for _, row in found) == 2
    assert {row.state for _, row in found} == {"TX"}
    assert [sentence(row) for _, row in found if row.event == "accept"][0].startswith("TX accepts: 10 people")
    people = {
        letter: sum(row.people for of, row in found if of == letter and row.event == "come forward") for letter in "AB"
    }
    came = [int(run.people[-1, run.codes.index("TX"), :, 0].sum()) for run in runs]
    assert people == {"A": came[0], "B": came[1]}


@pytest.fixture(scope="module")
def pair() -> tuple[Ensemble, Ensemble]:
    a, b = (
        run_ensemble(scenario_of({"support.mission": value}, 20), 1, None, 4, engine="simpy", with_twins=False)
        for value in (0.0, 3.0)
    )
    return a, b


def test_daily_differences_are_those_of_each_pair(pair: tuple[Ensemble, Ensemble]) -> None:
    a, b = (dataclasses.replace(each) for each in pair)
    n = SERIES.index("agreeing")
    a.series, b.series = a.series.copy(), b.series.copy()
    a.series[:, n, 5], b.series[:, n, 5] = [1, 2, 3, 4], [2, 4, 6, 8]
    found = daily_differences(a, b, "agreeing")
    assert found.shape == (5, 21)
    half = 1.96 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert found[:, 5].tolist() == pytest.approx([2.5, 2.5 - half, 2.5 + half, 1.15, 3.85])
    assert (daily_differences(a, a, "agreeing") == 0).all()


def test_a_run_that_failed_in_one_leaves_its_pair_out(pair: tuple[Ensemble, Ensemble]) -> None:
    a, b = (dataclasses.replace(each, series=each.series.copy(), done=each.done.copy()) for each in pair)
    n = SERIES.index("agreeing")
    a.series[:, n, 5], b.series[:, n, 5] = [1, 2, 3, 4], [2, 4, 6, 8]
    a.done[0], b.done[3] = False, False
    assert daily_differences(a, b, "agreeing")[0, 5] == 2.5
    b.done[2] = False
    mean, low, high = daily_differences(a, b, "agreeing")[:3, 5]
    assert mean == low == high == 2.0
