"""Influence: peers' effects add up to the terms, and what is forced moves what it is said to move, in plays worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from sim import model
from sim.governors import TERMS
from sim.influence import (
    HOST,
    NEIGHBORS,
    SIDE,
    Moved,
    contrast,
    declining,
    first_answer,
    first_difference,
    in_all,
    last_own_day,
    moved,
    moved_by,
    otherwise,
    sides,
    tilt,
    until,
)
from sim.reasons import decisions_of
from sim.results import ACCEPTED, DECLINED, STATUSES
from sim.scenario import Change
from sim.scenario_files import load, parse
from sim.setting import setting_of
from tests.plays import WILLING, accept, play, say, scenario_of, setting, sizes, world_of

SCENARIOS = Path(__file__).parent.parent / "scenarios"
TERM = [term for term, _ in TERMS]


# --- Who moved it


@pytest.mark.parametrize(
    "name", ["baseline", "incident_day_40", "federalized_counterfactual", "border_strip_only", "mirror"]
)
def test_the_effects_of_peers_add_up_to_the_terms_of_every_decision(name: str) -> None:
    of = setting_of(load(SCENARIOS / f"{name}.toml"), 1, 2)
    run = model.run(of, 2)
    assert len(run.decisions) > 40
    for decision in run.decisions:
        found = moved_by(decision, of, run)
        for term in (NEIGHBORS, SIDE, HOST):
            added = sum(peer.effect for peer in found if peer.term == term)
            assert added == pytest.approx(decision.terms[TERM.index(term)], abs=1e-9), (decision.day, term)


def test_two_neighbors_of_three_who_were_asked_count_by_thirds() -> None:
    # OK touches TX, NM and CO. TX says yes on day 1, NM no on day 2, CO nothing yet; OK weighs on day 5.
    values = WILLING | {
        "support.neighbors": 0.9,
        "support.network": 0.0,
        "support.host": 0.0,
        "request.deadline_days": 30,
    }
    answers = [accept("TX", 1), say("NM", 2, "decline"), accept("CO", 20), accept("OK", 5)]
    of = setting(values, "TX NM CO OK", answers=answers)
    run = model.run(of, 0)
    k = run.codes.index("OK")
    (decision,) = [d for d in run.decisions if d.state == k][:1]
    assert decision.day == 5
    told = {(run.codes[peer.state], STATUSES[peer.status]): peer.effect for peer in moved_by(decision, of, run)}
    assert told == {("TX", "accepted"): pytest.approx(0.3), ("NM", "declined"): pytest.approx(-0.3)}


def test_what_is_said_on_the_day_itself_is_not_yet_seen() -> None:
    answers = [accept("TX", 5), accept("NM", 5)]
    of = setting(WILLING | {"support.neighbors": 1.0, "support.host": 0.0}, "TX NM", answers=answers)
    run = model.run(of, 0)
    assert [d.day for d in run.decisions] == [5, 5]
    assert [moved_by(d, of, run) for d in run.decisions] == [[], []]


def test_a_host_that_declines_weighs_by_its_strength() -> None:
    values = WILLING | {
        "support.neighbors": 0.0,
        "support.network": 0.0,
        "support.host": 2.0,
        "mission.cross_state": True,
    }
    of = setting(values, "TX NM", answers=[say("TX", 1, "decline"), accept("NM", 3)])
    run = model.run(of, 0)
    texas, new_mexico = (of.world.states[run.codes.index(code)].strength for code in ("TX", "NM"))
    (decision,) = decisions_of(run, "NM")
    (peer,) = moved_by(decision, of, run)
    assert (run.codes[peer.state], peer.term) == ("TX", HOST)
    assert peer.effect == pytest.approx(-2.0 * texas / (texas + new_mexico))


def test_sides_turn_with_governors_and_not_before() -> None:
    text = (SCENARIOS / "baseline.toml").read_text() + "\n".join(
        f'[[shocks]]\nkind = "turnover"\nstate = "TX"\nday = {day}\nside = "{side}"\n'
        for day, side in ((40, "neither"), (20, "other_side"))
    )
    of = setting_of(parse(text, "turned"), 1, None)
    k = of.world.position("TX")
    assert [sides(of, evening)[k] for evening in (-1, 19, 20, 39, 40)] == [1, 1, -1, -1, 0]


# --- Whom it moved


def test_answering_otherwise_changes_nothing_before_that_day_and_then_moves_the_neighbor() -> None:
    # NM follows its only neighbor: support is 10 times TX's lean, so it says what TX has said the day after.
    values = WILLING | {
        "support.mission": 0.0, "support.party": 0.0, "support.vote": 0.0, "support.pledge": 0.0, "support.network": 0.0,
        "support.host": 0.0, "support.neighbors": 10.0, "precision": 10.0, "decide.conviction": 2.0, "decide.pace": 0.000001,
        "support.role.transport": 0.0, "support.role.support": 0.0, "support.role.administration": 0.0,
        "support.status.title_32": 0.0, "decide.deadline": 0.0, "request.deadline_days": 40,
    }  # fmt: skip
    scenario = scenario_of(values, answers=[accept("TX", 7)])
    world = world_of("TX NM")
    of = setting_of(scenario, 1, None, world)
    run = model.run(of, 0)
    first = first_answer(run, "TX")
    assert first is not None
    assert (first.day, first.answer) == (7, "accept")
    other = otherwise(scenario, first, "TX")
    again = model.run(setting_of(other, 1, None, world), 0)
    texas, new_mexico = (run.codes.index(code) for code in ("TX", "NM"))
    assert (run.status[:7] == again.status[:7]).all()
    assert (run.status[7, texas], again.status[7, texas]) == (ACCEPTED, DECLINED)
    found = {row.state: row for row in moved(run, again)}
    assert set(found) == {texas, new_mexico}
    assert found[new_mexico].kind == "answer"
    assert [row[:2] for row in found[new_mexico].before] == [(8, "accept")]
    assert [row[:2] for row in found[new_mexico].after] == [(8, "decline")]


def test_a_no_is_turned_into_a_yes_and_silence_too() -> None:
    for answer, day in (("decline", 4), ("no_answer", 6)):
        scenario = scenario_of(WILLING, answers=[say("TX", day, answer)])
        world = world_of("TX")
        first = first_answer(model.run(setting_of(scenario, 1, None, world), 0), "TX")
        assert first is not None
        other = otherwise(scenario, first, "TX")
        assert [(row.day, row.answer) for row in other.answers] == [(day, "accept")]
        again = first_answer(model.run(setting_of(other, 1, None, world), 0), "TX")
        assert again is not None
        assert (again.day, again.answer) == (day, "accept")


def test_a_state_made_to_decline_declines_at_every_ask() -> None:
    # On day 30 another role is asked for, so that a decliner is asked a second time.
    values = WILLING | {"rounds.most": 12} | sizes(transport=1000)
    scenario = scenario_of(values, 90, changes=[Change(30, {"request.roles.support": 500})])
    world = world_of("TX NM")
    run = model.run(setting_of(declining(scenario, "TX"), 1, None, world), 0)
    assert [decision.answer for decision in decisions_of(run, "TX")] == ["decline", "decline"]
    assert run.status[-1, run.codes.index("TX")] == DECLINED
    assert not run.people[:, run.codes.index("TX")].any()
    assert run.people[-1, run.codes.index("NM")].any()


def test_declining_replaces_what_the_scenario_gave_and_leaves_others() -> None:
    scenario = scenario_of({"rounds.most": 3}, 1, answers=[accept("TX", 0), accept("NM", 1)])
    assert [(row.state, row.day, row.answer) for row in declining(scenario, "TX").answers] == [
        ("NM", 1, "accept"),
        ("TX", 0, "decline"),
        ("TX", 1, "decline"),
    ]


def test_moved_tells_answers_from_days_from_people() -> None:
    # TX offers 10 or 20; NM says yes on day 3 or 4; AZ says yes or no; OK does the same in both.
    def run(troops: int, day: int, answer: str):  # type: ignore[no-untyped-def]
        answers = [accept("TX", 2, troops), accept("NM", day, 5), say("AZ", 2, answer), accept("OK", 2, 7)]
        return play(WILLING, "TX NM AZ OK", answers=answers)

    a, b = run(10, 3, "decline"), run(20, 4, "no_answer")
    assert [(a.codes[row.state], row.kind) for row in moved(a, b)] == [
        ("AZ", "answer"),
        ("NM", "day"),
        ("TX", "people"),
    ]
    assert moved(a, a) == []
    assert [first_difference(row) for row in moved(a, b)] == [
        ("day 2: decline", "day 2: no answer"),
        ("day 3: accept, 5 people", "day 4: accept, 5 people"),
        ("day 2: accept, 10 people", "day 2: accept, 20 people"),
    ]


def test_a_history_that_goes_on_differs_from_one_that_does_not() -> None:
    row = Moved(0, "answer", ((3, "accept", 5), (9, "withdraw", 0)), ((3, "accept", 5),))
    assert first_difference(row) == ("day 9: withdraw", "nothing more")


# --- Given, and made


def test_the_first_days_are_those_of_the_whole_scenario() -> None:
    for name in ("federalized_counterfactual", "incident_day_40", "hurricane_season"):
        scenario = load(SCENARIOS / f"{name}.toml")
        day = last_own_day(scenario)
        day = min(day, 50)
        whole, part = (model.run(setting_of(of, 1, 3), 3) for of in (scenario, until(scenario, day)))
        assert part.status.shape[0] == day + 1
        assert (whole.status[: day + 1] == part.status).all()
        assert (whole.people[: day + 1] == part.people).all()


def test_the_last_own_day_lies_before_federalization() -> None:
    scenario = load(SCENARIOS / "federalized_counterfactual.toml")
    assert last_own_day(scenario) == int(str(scenario.value("federalize.day"))) - 1
    assert last_own_day(load(SCENARIOS / "baseline.toml")) == 180


def test_selection_and_effect_by_hand() -> None:
    # Four runs; the state declines by itself in the last two, in which forcing it changes nothing.
    everywhere, made = np.array([10.0, 8.0, 4.0, 2.0]), np.array([9.0, 6.0, 4.0, 2.0])
    found = contrast("others", everywhere, made, np.array([False, False, True, True]))
    assert (found.everywhere, found.given, found.made) == (6.0, 3.0, 5.25)
    assert found.medians == (6.0, 3.0, 5.0)
    assert (found.selection, found.effect) == (-3.0, -0.75)
    half = 1.96 * np.std([-1, -2, 0, 0], ddof=1) / 2
    assert (found.low, found.high) == (pytest.approx(-0.75 - half), pytest.approx(-0.75 + half))


def test_an_outcome_that_never_happens_has_no_mean_and_no_effect() -> None:
    never = np.full(3, np.nan)
    found = contrast("days_to_100", never, never, np.array([True, False, False]))
    assert (found.everywhere, found.given, found.effect, found.low) == (None, None, None, None)
    assert found.medians == (None, None, None)


def test_runs_that_failed_in_one_result_are_left_out_of_all() -> None:
    class Result:
        def __init__(self, *pairs: tuple[int, int]) -> None:
            self.pairs = pairs

    first, second = Result((0, 0), (1, 1), (3, 3)), Result((1, 1), (2, 2), (3, 3))
    assert in_all(first, second) == [[1, 2], [0, 2]]  # type: ignore[arg-type]
    assert in_all(first) == [[0, 1, 2]]  # type: ignore[arg-type]


def test_the_tilt_names_the_value_that_differs_most() -> None:
    names = ["support.mission", "support.party", "request.target", "offer.base"]
    numbers = np.array([[1.0, 0.0, 5.0, 2.0], [3.0, 1.0, 5.0, 2.0], [1.0, 1.0, 5.0, 2.0], [3.0, 0.0, 9.0, 2.0]])
    found = tilt(numbers, np.array([True, False, True, False]), names)
    assert found == [("support.mission", 2.0, 1.0), ("support.party", 0.5, 0.5)]


def test_who_has_nothing_to_decide_has_no_first_answer() -> None:
    assert first_answer(play(WILLING, "DC TX", days=5, answers=[accept("TX", 5)]), "DC") is None
