"""One run alone: its counts, its marks, its log, and a difference between engines that is found and named."""

from dataclasses import replace

import numpy as np
import pytest

from sim import compiled, model, single
from sim.ensemble import empty, play
from sim.parameters import InputError
from sim.results import SERIES, Event, Run
from sim.scenario import Scenario
from sim.setting import Setting, setting_of
from sim.store import events_table
from sim.story import chapters, sentence, told_of

DAYS = 40


@pytest.fixture(scope="module")
def setting() -> Setting:
    return setting_of(Scenario("short", "Short", "What then?", days=DAYS), 1, 2)


@pytest.fixture(scope="module")
def run(setting: Setting) -> Run:
    return model.run(setting, 2, with_events=True)


def test_a_run_alone_is_the_ensemble_that_would_have_run_it(run: Run, setting: Setting) -> None:
    alone, made = single.alone(run, setting), empty(setting.scenario, 1, ((2, 2),))
    play(made, [(0, (2, 2))], "simpy", False, None, lambda n: None)
    for name in ("series", "status_counts", "last_status", "numbers", "approval", "hashes", "done"):
        assert np.array_equal(getattr(alone, name), getattr(made, name)), name
    assert alone.digest == made.digest


def test_states_add_up_to_the_nation(run: Run, setting: Setting) -> None:
    half = list(run.codes[:20])
    parts = [single.alone(run, setting, codes) for codes in (half, list(run.codes[20:]))]
    for name in ("agreeing", "training", "in_place"):
        k = SERIES.index(name)
        assert np.array_equal(sum(part.series[0, k] for part in parts), single.alone(run, setting).series[0, k]), name
    with pytest.raises(InputError, match="'XX' is not a state"):
        single.alone(run, setting, ["XX"])


def test_marks_hold_every_event_once_in_the_order_of_days() -> None:
    events = [
        Event("", "guard", "", kind, day, 0, "", "TX", "", people)
        for day, kind, people in [
            (3, "decline", 0),
            (1, "asked", 5),
            (1, "asked", 7),
            (3, "decline", 0),
            (1, "round", 9),
        ]
    ]
    found = single.marks(events)
    assert [(mark.day, mark.kind, mark.events, mark.people) for mark in found] == [
        (1, "asked", 2, 12),
        (1, "round", 1, 9),
        (3, "decline", 2, 0),
    ]
    assert found[0].words == ["TX is asked for 5.", "TX is asked for 7."]
    many = single.marks([events[0]] * 9)
    assert many[0].words == [sentence(events[0])] * 4 + ["and 5 more"]


def test_the_log_is_the_one_that_results_store(run: Run, setting: Setting) -> None:
    ensemble = single.alone(run, setting)
    ensemble.events[0] = run.events
    assert single.log_columns(run.events, 0) == events_table(ensemble).to_pydict()
    assert list(single.log_columns(run.events, 7))[:7] == list(Event._fields)[:7]
    assert set(single.log_columns(run.events, 7)["run_number"]) == {7}


def test_a_story_tells_what_was_chosen_and_nothing_else(run: Run) -> None:
    quiet, everything = told_of(run, [], [], False), told_of(run, [], [], True)
    assert everything == run.events
    assert {"in place", "come forward"}.isdisjoint(event.event for event in quiet)
    code = next(event.state for event in run.events if event.event == "accept")
    chosen = told_of(run, [code], ["accept", "in place"], False)
    assert {event.state for event in chosen} == {code}
    days = [chapter.day for chapter in chapters(run, quiet)]
    assert days == sorted(set(days))


def test_the_check_counts_what_it_compares_and_finds_both_engines_the_same(run: Run, setting: Setting) -> None:
    pytest.importorskip("numba")
    found = single.check(run, setting, run.hash)
    assert found.is_same and found.differing == ()
    assert found.counted["people by day, state, role and stage"] == run.people.size
    expected = sum(getattr(run, name).size for name in single.ARRAYS) + 1
    reasons = sum(len(decision) - 1 + len(decision.terms) for decision in run.decisions)
    assert found.n_numbers == expected + reasons
    assert not single.check(run, setting, run.hash + 1).is_same


@pytest.mark.parametrize("name", single.ARRAYS)
def test_one_number_that_differs_is_found_and_named(run: Run, name: str) -> None:
    array = getattr(run, name).copy()
    array[(3, *([0] * (array.ndim - 1)))] += 1
    found = single.compared(run, replace(run, **{name: array}), run.hash)
    assert len(found.differing) == 1
    assert found.differing[0].startswith(f"{single.ARRAYS[name]}: 1 of ")
    assert "the first at [3" in found.differing[0]
    assert not found.is_same


def test_another_reason_or_day_of_approval_is_found(run: Run) -> None:
    decision = run.decisions[0]._replace(support=run.decisions[0].support + 1e-12)
    assert (
        "decisions"
        in single.compared(run, replace(run, decisions=[decision, *run.decisions[1:]]), run.hash).differing[0]
    )
    assert "approval" in single.compared(run, replace(run, approval_day=99), run.hash).differing[0]


def test_without_compiled_code_it_says_that_there_is_nothing_to_compare_with(
    run: Run, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "kernel", lambda: "Numba is not installed")
    with pytest.raises(InputError, match="nothing to compare with: Numba is not installed"):
        single.check(run, setting, run.hash)
