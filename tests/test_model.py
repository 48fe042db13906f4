"""The whole model: small plays worked out by hand, limiting cases, symmetries, and what must hold of any run."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import governors as rules
from sim import luck, model
from sim.governors import TERMS
from sim.parameters import Value, register
from sim.results import (
    ACCEPTED,
    AWAITING,
    DECLINED,
    ENTERED,
    FEDERALIZED,
    IN_PLACE,
    LEFT,
    LIMITED,
    NO_ANSWER,
    NOT_ASKED,
    RETURNED,
    SCREENED_OUT,
    SCREENING,
    SENDING,
    SERIES,
    TRAINING,
    TRAVEL,
    UNDECIDED,
    WAITING,
    WITHDRAWN,
    Run,
    series_of,
)
from sim.scenario import Change
from sim.scenario_files import load
from sim.setting import Setting, setting_of
from sim.shocks import Appeal, CourtOrder, Disaster, FundingLapse, Incident, Turnover
from sim.world import load_world
from tests import strategies
from tests.plays import (
    ADMINISTRATION,
    DETENTION,
    ENFORCEMENT,
    QUIET,
    SUPPORT,
    TRANSPORT,
    WILLING,
    accept,
    assert_sound,
    evenings,
    play,
    reordered,
    said,
    say,
    scenario_of,
    serving,
    setting,
    sizes,
    told,
    with_each,
    world_of,
)

SCENARIOS = sorted((Path(__file__).resolve().parents[1] / "scenarios").glob("*.toml"))
BASELINE = load(SCENARIOS[0].with_name("baseline.toml"))
ONE_ROLE = sizes(transport=1_000)


def baseline(draw: int | None = None, replication: int = 0, days: int = 180, **values: Value) -> Run:
    """A run of the baseline over all states; underscores stand for the dots of names."""
    names = {entry.field: name for name, entry in register().items()}
    changed = BASELINE.with_values({names[field]: value for field, value in values.items()}, days)
    return model.run(setting_of(changed, 1, draw), replication, with_events=True)


def assert_same(here: Run, there: Run, days: int | None = None) -> None:
    """Two runs are the same up to an evening, in counts, statuses, decisions and events."""
    until = slice(None, days)
    for name in ("people", "status", "permitted", "officers", "missing", "below_reserve"):
        assert np.array_equal(getattr(here, name)[until], getattr(there, name)[until]), name
    last = math.inf if days is None else days
    # By their text, since a threshold that no luck was asked for is NaN.
    assert repr([d for d in here.decisions if d.day < last]) == repr([d for d in there.decisions if d.day < last])
    assert [e for e in here.events if e.time < last] == [e for e in there.events if e.time < last]


# --- Whatever happens


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.parametrize("draw", [None, 3])
def test_every_scenario_file_runs_and_is_sound(path: Path, draw: int | None) -> None:
    of = setting_of(load(path), 1, draw)
    assert_sound(model.run(of, 3, with_events=True), of)


@settings(max_examples=max(200, settings.default.max_examples))
@given(data=st.data())
def test_any_valid_scenario_runs_and_is_sound(data: st.DataObject) -> None:
    codes = data.draw(strategies.worlds())
    scenario = data.draw(strategies.scenarios(codes))
    world = load_world(str(scenario.value("request.party"))).subset(codes)
    of = setting_of(scenario, data.draw(st.integers(0, 2**64 - 1)), data.draw(st.none() | st.integers(0, 9)), world)
    assert_sound(model.run(of, data.draw(st.integers(0, 1_000)), with_events=True), of)


# --- Limiting cases


def test_no_volunteers_no_troops() -> None:
    run = baseline(volunteers_share=0.0)
    assert np.isin(run.status[-1], (ACCEPTED, LIMITED)).sum() > 10
    assert not run.people.any()


def test_no_seats_nobody_trained() -> None:
    run = baseline(training_seats=0)
    assert run.people[-1, ..., ENTERED].sum() > 1_000
    assert not run.people[..., TRAINING : IN_PLACE + 1].any()


def test_no_pace_no_answer() -> None:
    run = baseline(decide_pace=0.0, support_mission=10.0, rounds_most=1)
    governed = [code != "DC" for code in run.codes]
    assert (run.status[-1, governed] == NO_ANSWER).all()


@pytest.mark.parametrize("mission", [-8.0, 0.0, 8.0])
def test_precision_0_gives_half(mission: float) -> None:
    runs = [
        model.run(
            setting_of(
                scenario_of(QUIET | ONE_ROLE | {"precision": 0.0, "support.mission": mission, "decide.pace": 5.0}, 9),
                1,
                None,
            ),
            r,
        )
        for r in range(10)
    ]
    answers = [decision.answer for run in runs for decision in run.decisions]
    assert len(answers) == 530
    # Four standard errors of a half over 530 governors.
    assert answers.count("accept") / 530 == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(530))


def test_governors_answer_at_the_pace_of_the_closed_form() -> None:
    values = QUIET | {"decide.pace": 0.09, "decide.conviction": 0.0, "request.ambiguity": 0.0, "decide.last_days": 0}
    runs = [model.run(setting_of(scenario_of(values, 40), 1, None), r) for r in range(12)]
    n = 12 * 53
    for day in (0, 4, 19, 39):
        undecided = sum(int((run.status[day] == UNDECIDED).sum()) for run in runs) / n
        expected = math.exp(-0.09 * (day + 1))
        # Four standard errors of a share over 636 governors.
        assert undecided == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / n))


def test_all_accept_the_force_is_what_all_offer() -> None:
    run = play(WILLING | ONE_ROLE | {"request.target": 1_000, "tour.days": 365}, "CA NM TX VT", 40)
    strengths = [state.strength for state in world_of("CA NM TX VT").states]
    exact = [1_000 * strength / sum(strengths) for strength in strengths]
    quotas = [math.floor(share) for share in exact]
    for k in sorted(range(4), key=lambda k: quotas[k] - exact[k])[: 1_000 - sum(quotas)]:
        quotas[k] += 1
    # A governor sure of the mission offers one and a half quotas.
    ceiling = [math.floor(1.5 * quota) for quota in quotas]
    assert [evenings(run, ENTERED, k)[-1] for k in range(4)] == ceiling
    assert [evenings(run, IN_PLACE, k)[-1] for k in range(4)] == ceiling


def test_all_accept_the_force_is_what_screening_leaves_of_all_who_can() -> None:
    values: dict[str, Value] = {
        "request.target": 200_000,
        "mobilized": 0.08,
        "not_deployable": 0.5,
        "offer.reserve": 0.0,
        "screening.pass": 0.97,
        "tour.days": 365,
        "tour.reup": 1.0,
    }
    run = play(WILLING | ONE_ROLE | values, "NM TX VT", 60)
    for k, state in enumerate(world_of("NM TX VT").states):
        # Offers of up to 92 % of strength exceed the 92 % of 50 % whom the call can reach; 3 % fail.
        able = math.floor(state.strength * 92 * 50 / 10_000)
        assert evenings(run, ENTERED, k)[-1] == able
        assert evenings(run, IN_PLACE, k)[-1] == able - able * 3 // 100


# --- The pipeline, day by day


def test_the_seat_queue_of_one_state_is_the_slotted_queue_worked_out_by_hand() -> None:
    values = {"training.seats": 10, "training.days.transport": 3, "tour.days": 365}
    run = play(WILLING | ONE_ROLE | values, "TX", 12, answers=[accept("TX", 0, 30)])
    # Day:                               0   1   2   3   4   5   6   7   8   9  10  11  12
    assert evenings(run, SCREENING) == [30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert evenings(run, WAITING) == [0, 20, 20, 20, 10, 10, 10, 0, 0, 0, 0, 0, 0]
    assert evenings(run, TRAINING) == [0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0, 0, 0]
    assert evenings(run, TRAVEL) == [0, 0, 0, 0, 10, 0, 0, 10, 0, 0, 10, 0, 0]
    assert evenings(run, IN_PLACE) == [0, 0, 0, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30]


def test_seats_go_to_the_oldest_cohort_and_within_a_day_by_largest_remainder() -> None:
    values = {"training.seats": 5, "training.days.transport": 2, "tour.days": 365}
    answers = [accept("NM", 0, 7), accept("TX", 0, 8), accept("VT", 1, 3)]
    run = play(WILLING | ONE_ROLE | values, "NM TX VT", 12, answers=answers)
    # Five seats on days 1, 3, 5 and 7. Day 1: 5*7/15 = 2.33 and 5*8/15 = 2.67, so 2 and 3. Day 3: 5 and 5 wait, so 2.5
    # each, and the first state gets the odd one. Day 5: the last 2 and 3. Vermont's, a day younger, come on day 7.
    assert evenings(run, TRAINING, 0)[:9] == [0, 2, 2, 3, 3, 2, 2, 0, 0]
    assert evenings(run, TRAINING, 1)[:9] == [0, 3, 3, 2, 2, 3, 3, 0, 0]
    assert evenings(run, TRAINING, 2)[:9] == [0, 0, 0, 0, 0, 0, 0, 3, 3]
    assert evenings(run, WAITING, 2)[:9] == [0, 0, 3, 3, 3, 3, 3, 0, 0]


def test_a_cohort_is_split_over_roles_by_what_the_nation_lacks() -> None:
    run = play(WILLING | sizes(administration=100, support=300, transport=600) | {"request.target": 1_000}, "TX", 0 + 9)
    # 1,500 offered: by what is missing on the evening before, a tenth, three tenths and six tenths.
    assert run.people[0, 0, :, ENTERED].tolist() == [150, 450, 900, 0, 0]


def test_screening_takes_no_more_than_a_desk_can_see_in_a_day() -> None:
    values = {"screening.rate": 0.0, "screening.floor": 12.0, "screening.pass": 0.9, "screening.days": 2}
    run = play(WILLING | ONE_ROLE | values, "TX", 9, answers=[accept("TX", 0, 40)])
    # Seen on days 2, 3, 4 and 5: 12, 12, 12, 4; a tenth of 12, 24, 36 and 40 has failed by then, in whole people.
    assert evenings(run, SCREENING) == [40, 40, 28, 16, 4, 0, 0, 0, 0, 0]
    assert evenings(run, SCREENED_OUT) == [0, 0, 1, 2, 3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("replication", range(3))
def test_screening_is_within_capacity_every_day(replication: int) -> None:
    codes = "CA NM TX VT WY"
    values: dict[str, Value] = {
        "review.days": 0.0,
        "volunteers.share": 0.8,
        "support.mission": 5.0,
        "withdraw.base": -50.0,
    }
    run = play(values, codes, 90, replication=replication)
    people = run.people.sum(axis=2)
    seen = np.diff(people[..., ENTERED], axis=0) - np.diff(people[..., SCREENING], axis=0)
    capacity = [max(25, 200 * state.strength // 13_700) for state in world_of(codes).states]
    assert (seen <= capacity).all()
    assert (seen == capacity).any()


@pytest.mark.parametrize(("is_away", "days"), [(False, 1), (True, 2)])
def test_the_journey_takes_its_days_at_home_and_away(is_away: bool, days: int) -> None:
    run = play(WILLING | ONE_ROLE | {"mission.cross_state": is_away}, "TX", 20, answers=[accept("TX", 0, 10)])
    assert evenings(run, TRAVEL).count(10) == days
    assert evenings(run, IN_PLACE).index(10) == 4 + days


def test_only_contingents_from_elsewhere_travel_to_the_border_strip() -> None:
    values = WILLING | sizes(support=1_000) | {"mission.place": "border_strip"}
    run = play(values, "NM TX", 20, answers=[accept("NM", 0, 10), accept("TX", 0, 10)])
    assert [evenings(run, TRAVEL, k).count(10) for k in (0, 1)] == [1, 2]


def test_tours_end_after_their_days_and_half_stay_on() -> None:
    values = {"tour.days": 10, "tour.reup": 0.5, "training.days.transport": 1}
    run = play(WILLING | ONE_ROLE | values, "TX", 45, answers=[accept("TX", 0, 7)])
    # In place from day 3. Of 7 tours 3 are prolonged on day 13; of the 10 ended by day 23 five, so 2 more; of 12 six,
    # so 1 more; of 13 still six, so none.
    expected = [0] * 3 + [7] * 10 + [3] * 10 + [2] * 10 + [1] * 10 + [0] * 3
    assert evenings(run, IN_PLACE) == expected
    assert evenings(run, RETURNED)[-1] == 7


def test_who_has_come_home_can_be_called_again_after_the_dwell_time_only() -> None:
    values: dict[str, Value] = {
        "tour.days": 5,
        "tour.reup": 0.0,
        "offer.reserve": 0.0,
        "request.target": 200_000,
        "volunteers.next_call": 1.0,
        "rounds.most": 2,
        "rounds.gap_days": 40,
    }
    entered = {}
    for dwell in (10, 60):
        run = play(WILLING | ONE_ROLE | values | {"tour.dwell_days": dwell}, "VT", 60)
        entered[dwell] = evenings(run, ENTERED)[-1]
    strength = world_of("VT").states[0].strength
    assert entered == {10: 2 * strength, 60: strength}


def test_attrition_takes_whole_people_from_those_in_place() -> None:
    values = {"attrition": 0.01, "tour.days": 365, "training.days.transport": 1}
    run = play(WILLING | ONE_ROLE | values, "TX", 12, answers=[accept("TX", 0, 150)])
    # In place from day 3, at risk from that day on: 1.5, then 1.49 of the 149 left, then 1.48 of 148, ...
    due, left, expected = 0.0, 0, []
    for day in range(13):
        due += 0.01 * (150 - left) if day >= 3 else 0.0
        left = math.floor(due)
        expected.append(left)
    assert evenings(run, LEFT) == expected
    assert evenings(run, IN_PLACE)[-1] == 150 - expected[-1]


def test_supervisors_cap_enforcement_in_place() -> None:
    values = {"enforcement.supervisors": 5, "enforcement.per_supervisor": 4, "tour.days": 10, "tour.reup": 0.0}
    run = play(WILLING | sizes(enforcement=1_000) | values, "TX", 40, answers=[accept("TX", 0, 50)])
    # Trained on day 6: 20 have supervisors and travel. On day 17 their tours end and the next 20 go, on day 28 all.
    assert evenings(run, AWAITING) == [0] * 6 + [30] * 11 + [10] * 11 + [0] * 13
    assert evenings(run, IN_PLACE) == [0] * 7 + [20] * 10 + [0] + [20] * 10 + [0] + [10] * 10 + [0] * 2


def test_supervisors_free_on_one_day_go_to_states_by_largest_remainder() -> None:
    values = {"enforcement.supervisors": 5, "enforcement.per_supervisor": 1, "tour.days": 365}
    answers = [accept("NM", 0, 7), accept("TX", 0, 8)]
    run = play(WILLING | sizes(enforcement=1_000) | values, "NM TX", 20, answers=answers)
    assert [evenings(run, IN_PLACE, k)[-1] for k in (0, 1)] == [2, 3]
    assert [evenings(run, AWAITING, k)[-1] for k in (0, 1)] == [5, 5]


def test_enforcement_travels_a_day_whatever_else_its_cohort_does() -> None:
    values = WILLING | sizes(administration=100, enforcement=100) | {"request.target": 200}
    run = play(values, "TX", 20, answers=[accept("TX", 0, 40)])
    # Screened on day 1, courses of 2 and 5 days, a day of travel each.
    assert run.people[:, 0, ADMINISTRATION, IN_PLACE].tolist().index(20) == 4
    assert run.people[:, 0, ENFORCEMENT, TRAVEL].tolist().count(20) == 1
    assert run.people[:, 0, ENFORCEMENT, IN_PLACE].tolist().index(20) == 7


@pytest.mark.parametrize("replication", range(3))
def test_training_seats_are_never_exceeded_and_are_used(replication: int) -> None:
    run = baseline(None, replication, training_seats=300)
    in_training = run.people[..., TRAINING].sum(axis=(1, 2))
    assert in_training.max() == 300


# --- Answers


def decided_on(run: Run, state: int = 0) -> int:
    return next(decision.day for decision in run.decisions if decision.state == state)


def test_a_request_that_is_not_approved_asks_nobody() -> None:
    run = baseline(review_approval_chance=0.0)
    assert run.approval_day is None
    assert (run.status == NOT_ASKED).all()
    assert not run.people.any()
    assert not told(run, "approved", "asked")


def test_half_of_the_reviews_approve_where_the_chance_is_half() -> None:
    days = [play({"review.approval_chance": 0.5}, "VT", 1, replication=r).approval_day for r in range(400)]
    # Four standard errors of a half over 400 reviews.
    assert sum(day is not None for day in days) / 400 == pytest.approx(0.5, abs=0.1)


def test_nobody_is_asked_before_the_review_ends() -> None:
    run = play(WILLING | {"review.days": 17.4, "review.spread": 0.0}, "NM TX", 30, with_events=True)
    assert run.approval_day == 17
    assert (run.status[:17] == NOT_ASKED).all()
    assert [event.time for event in told(run, "approved", "asked")] == [17, 17, 17]


@pytest.mark.parametrize(("values", "asked"), [
    ({}, 20_000),
    ({"request.over_ask": 1.25}, 25_000),
    ({"review.approved_share": 0.5}, 10_000),
    ({"request.asked": ["CA", "TX"]}, 20_000),
])  # fmt: skip
def test_quotas_add_up_to_what_is_sought_in_proportion_to_strength(values: dict[str, Value], asked: int) -> None:
    run = play(QUIET | values, "CA NM TX VT", 2, with_events=True)
    quotas = {event.state: event.people for event in told(run, "asked")}
    assert sum(quotas.values()) == asked
    strengths = {state.code: state.strength for state in world_of("CA NM TX VT").states if state.code in quotas}
    assert set(quotas) == set(values.get("request.asked", strengths))  # type: ignore[arg-type]
    for code, quota in quotas.items():
        assert quota == pytest.approx(asked * strengths[code] / sum(strengths.values()), abs=1)


def test_silence_until_the_deadline_is_no_answer() -> None:
    run = play(QUIET | {"decide.pace": 0.0, "request.deadline_days": 10}, "TX", 20)
    assert run.status[:, 0].tolist() == [UNDECIDED] * 10 + [NO_ANSWER] * 11
    assert [(d.day, d.answer) for d in run.decisions] == [(10, "no answer")]


def test_a_single_round_asks_nobody_twice() -> None:
    run = baseline(rounds_most=1)
    assert not told(run, "round", "asked again")
    assert {decision.ask for decision in run.decisions} == {1}
    assert len(told(run, "asked")) == 54


def test_rounds_are_their_gap_apart_until_there_have_been_enough() -> None:
    values = {"rounds.gap_days": 14, "rounds.most": 5, "volunteers.share": 0.01}
    run = play(WILLING | values, "CA NM TX", 90, with_events=True)
    assert [event.time for event in told(run, "round")] == [14, 28, 42, 56]


def test_no_round_follows_once_nobody_is_missing() -> None:
    run = play(WILLING | {"rounds.gap_days": 14, "rounds.most": 5, "tour.days": 365}, "CA NM TX", 90, with_events=True)
    assert not told(run, "round", "asked again")


def test_an_undecided_state_keeps_its_deadline_through_a_new_round() -> None:
    values = {"decide.pace": 0.0, "rounds.gap_days": 14, "rounds.most": 3, "request.deadline_days": 20}
    run = play(QUIET | values, "NM TX", 60, with_events=True)
    # Silent through the round of day 14, no answer on day 20; asked again on day 28 with a new deadline.
    expected = [UNDECIDED] * 20 + [NO_ANSWER] * 8 + [UNDECIDED] * 20 + [NO_ANSWER] * 13
    assert run.status[:, 0].tolist() == expected
    assert [event.time for event in told(run, "asked again")] == [28, 28]


def test_a_state_that_let_a_deadline_pass_may_answer_the_day_it_is_asked_again() -> None:
    # So ambiguous that nobody answers until all is clear from day 8 on; the deadline passes on day 5.
    values = WILLING | {"request.ambiguity": 1.0, "decide.ambiguity": 10.0, "decide.deadline": 0.0}
    rounds = {"request.deadline_days": 5, "rounds.gap_days": 10, "rounds.most": 2}
    run = play(values | rounds, "NM TX", 20, changes=[Change(8, {"request.ambiguity": 0.0})])
    assert run.status[:, 1].tolist() == [UNDECIDED] * 5 + [NO_ANSWER] * 5 + [ACCEPTED] * 11


@pytest.mark.parametrize(("moved", "is_asked_again"), [
    ({"tour.days": 30}, False),
    ({"request.target": 30_000}, False),
    ({"request.roles.detention": 0}, True),
    ({"request.status": "state_active_duty"}, True),
    ({"enforcement.arrest_authority": False}, True),
    ({"mission.cross_state": True}, True),
])  # fmt: skip
def test_decliners_are_asked_again_only_for_other_roles_status_or_law(
    moved: dict[str, Value], is_asked_again: bool
) -> None:
    values = QUIET | {"rounds.most": 12, "rounds.gap_days": 10, "support.mission": -1.0}
    answers = [say("NM", 0, "decline"), say("TX", 0, "decline")]
    run = play(values, "NM TX", 60, changes=[Change(25, moved)], answers=answers, with_events=True)
    asked_again = [event.time for event in told(run, "asked again")]
    assert asked_again == ([30, 30] if is_asked_again else [])


def test_fatigue_grows_with_every_ask() -> None:
    values = WILLING | {"rounds.gap_days": 10, "rounds.most": 4, "volunteers.share": 0.01, "support.fatigue": 0.5}
    run = play(values, "TX", 60)
    term = [term for term, _ in rules.TERMS].index("asked again")
    assert [(d.ask, d.terms[term]) for d in run.decisions] == [(1, 0.0), (2, -0.5), (3, -1.0), (4, -1.5)]


def test_peers_are_the_neighbors_and_those_of_the_same_side_who_were_asked() -> None:
    answers = [accept("NM", 0), say("OK", 0, "decline"), say("TX", 1, "decline"), say("VT", 5, "decline")]
    run = play(QUIET, "DC NM OK TX VT", 5, answers=answers)
    texas = next(decision for decision in said(run, "decline") if decision.day == 1)
    by_name = dict(zip([term for term, _ in rules.TERMS], texas.terms, strict=True))
    # Texas borders NM (yes) and OK (no): even. On its side stand OK (no) and VT (undecided): half of them, one way.
    assert by_name["neighbors"] == 0.0
    assert by_name["same side"] == pytest.approx(0.5 * -0.5)


def test_the_capital_is_nobodys_peer() -> None:
    answers = [accept("VA", 0, 10), say("MD", 3, "decline")]
    run = play(QUIET, "DC MD VA", 5, answers=answers)
    assert run.status[2].tolist() == [SENDING, UNDECIDED, ACCEPTED]
    declined = next(decision for decision in run.decisions if decision.answer == "decline")
    by_name = dict(zip([term for term, _ in rules.TERMS], declined.terms, strict=True))
    # Maryland borders Virginia, which says yes, and DC, which has nothing to say.
    assert by_name["neighbors"] == pytest.approx(0.25)
    assert by_name["same side"] == 0.0


@pytest.mark.parametrize("mission", [-10.0, 10.0])
def test_the_capital_never_declines_and_is_in_no_count_of_governors(mission: float) -> None:
    run = baseline(support_mission=mission)
    dc = run.codes.index("DC")
    day = run.approval_day
    assert day is not None
    assert run.status[:, dc].tolist() == [NOT_ASKED] * day + [UNDECIDED] + [SENDING] * (180 - day)
    assert dc not in {decision.state for decision in run.decisions}
    rows = dict(zip(SERIES, series_of(run, np.array([code != "DC" for code in run.codes])), strict=True))
    governors = ("not_asked", "undecided", "agreeing", "declined", "no_answer", "withdrawn", "federalized")
    assert (sum(rows[name] for name in governors) == 53).all()
    assert (rows["dc_sending"] == (np.arange(181) > day)).all()


def test_the_capital_sends_again_when_a_new_round_asks_for_more() -> None:
    values = WILLING | {"rounds.most": 2, "rounds.gap_days": 10, "volunteers.share": 0.01, "volunteers.next_call": 1.0}
    run = play(values, "DC VA", 30, with_events=True)
    assert [event.time for event in told(run, "sends")] == [1, 10]
    assert run.status[:, 0].tolist() == [UNDECIDED] + [SENDING] * 30
    assert evenings(run, ENTERED)[-1] > evenings(run, ENTERED)[9] > 0


def test_a_bundle_is_taken_whole_or_not_at_all() -> None:
    everything = sum(1 << role for role in (ADMINISTRATION, SUPPORT, TRANSPORT, DETENTION))
    seen = {
        d.permitted
        for r in range(5)
        for d in said(baseline(r, r, 60, request_mode="bundled"), "accept", "accept with limits")
    }
    assert seen == {everything}


def test_what_a_menu_permits_is_nested_from_the_easiest_role_up() -> None:
    by_cost = (ADMINISTRATION, SUPPORT, TRANSPORT, DETENTION)
    nested = [sum(1 << role for role in by_cost[:n]) for n in range(1, 5)]
    limited = [d for r in range(5) for d in said(baseline(None, r, 60), "accept with limits")]
    assert {d.permitted for d in limited} == set(nested[:3])
    assert {d.permitted for r in range(5) for d in said(baseline(None, r, 60), "accept")} == {nested[3]}


# What each status opens to a request for all five roles, strict and permissive reading, at home and across state lines.
OPEN = {
    ("title_32", False): ("11111", "11111"),
    ("title_32", True): ("11100", "11111"),
    ("state_active_duty", False): ("11111", "11111"),
    ("state_active_duty", True): ("11100", "11110"),
    ("title_10_voluntary", False): ("11100", "11110"),
    ("title_10_voluntary", True): ("11100", "11110"),
}


@pytest.mark.parametrize("reading", ["strict", "permissive"])
@pytest.mark.parametrize(("status", "is_away"), OPEN)
def test_roles_that_the_law_closes_are_never_permitted(status: str, is_away: bool, reading: str) -> None:
    values: dict[str, Value] = {"request.status": status, "mission.cross_state": is_away, "law.reading": reading}
    all_roles = sizes(administration=100, support=100, transport=100, detention=100, enforcement=100)
    run = play(WILLING | all_roles | values | {"support.host": 0.0}, "NM TX", 20)
    opened = OPEN[status, is_away][reading == "permissive"]
    assert set(run.permitted[-1].tolist()) == {int(opened[::-1], 2)}
    assert (run.people[-1, ..., ENTERED].sum(axis=0) > 0).tolist() == [bit == "1" for bit in opened]


@pytest.mark.parametrize("values", [{"enforcement.arrest_authority": False}, {"request.status": "title_10_voluntary"}])
def test_a_seat_taken_cannot_open_what_the_law_closes(values: dict[str, Value]) -> None:
    answers = [accept("TX", 0, 50, "support", "enforcement")]
    run = play(WILLING | sizes(support=100, enforcement=100) | values, "TX", 20, answers=answers)
    assert not run.people[:, 0, ENFORCEMENT].any()
    assert not (run.permitted >> ENFORCEMENT & 1).any()


# --- Seats taken


def test_a_seat_that_declines_never_accepts() -> None:
    values = WILLING | {"rounds.most": 12, "rounds.gap_days": 14, "volunteers.share": 0.02}
    run = play(values, "NM OK TX", 90, answers=[say("TX", 3, "decline")])
    assert run.status[:, 2].tolist() == [UNDECIDED] * 3 + [DECLINED] * 88
    assert not run.people[:, 2].any()
    assert [(d.day, d.answer, d.is_forced) for d in run.decisions if d.state == 2] == [(3, "decline", True)]


def test_a_seat_that_accepts_gives_its_offer_and_its_roles() -> None:
    values = WILLING | {"support.mission": -10.0, "training.seats": 200_000, "tour.days": 365}
    run = play(values, "NM TX", 40, answers=[accept("TX", 4, 123, "support", "transport")])
    assert run.status[:, 1].tolist() == [UNDECIDED] * 4 + [LIMITED] * 37
    assert run.permitted[-1, 1] == 1 << SUPPORT | 1 << TRANSPORT
    assert (evenings(run, ENTERED, 1)[-1], evenings(run, IN_PLACE, 1)[-1]) == (123, 123)
    assert not run.people[:, 1, [ADMINISTRATION, DETENTION, ENFORCEMENT]].any()
    decision = next(d for d in run.decisions if d.state == 1)
    assert (decision.offered, decision.is_forced, math.isnan(decision.threshold)) == (123, True, True)


def test_a_seat_that_stays_silent_has_given_no_answer() -> None:
    run = play(WILLING, "NM TX", 20, answers=[say("TX", 3, "no_answer")])
    assert run.status[:, 1].tolist() == [UNDECIDED] * 3 + [NO_ANSWER] * 18


BUSY: dict[str, Value] = {
    # People in every stage at once: few seats, few supervisors, slow screening.
    "volunteers.pace": 0.5,
    "training.seats": 40,
    "screening.rate": 0.0,
    "screening.floor": 60.0,
    "enforcement.supervisors": 3,
    "enforcement.per_supervisor": 1,
}


def busy_run(**rest: Any) -> Run:
    roles = sizes(administration=100, support=100, enforcement=100)
    return play(WILLING | BUSY | roles, "NM TX", 40, answers=rest.pop("answers"), with_events=True, **rest)


def test_a_seat_that_withdraws_sends_everybody_home_that_evening_wherever_they_are() -> None:
    run = busy_run(answers=[accept("NM", 0, 600), accept("TX", 0, 600), say("TX", 9, "withdraw")])
    tx = run.people[:, 1].sum(axis=1)
    assert (tx[8, [SCREENING, WAITING, TRAINING, AWAITING, IN_PLACE]] > 0).all()
    assert (tx[:9, TRAVEL] > 0).any()
    assert run.status[8:10, 1].tolist() == [ACCEPTED, WITHDRAWN]
    assert not serving(run)[9:, 1].any()
    assert (tx[9:, ENTERED] == tx[8, ENTERED]).all()
    assert (tx[9:, RETURNED] == tx[8, SCREENING : IN_PLACE + 1].sum() + tx[8, RETURNED]).all()
    assert not run.permitted[9:, 1].any()
    home = told(run, "goes home")
    cohorts = {event.entity_id for event in told(run, "come forward") if event.state == "TX"}
    assert {event.entity_id for event in home if event.time == 9 and event.state == "TX"} <= cohorts
    assert (
        sum(event.people for event in home if event.time == 9 and event.state == "TX")
        == tx[8, SCREENING : IN_PLACE + 1].sum()
    )


def test_seats_of_those_who_go_home_are_taken_the_same_day() -> None:
    run = busy_run(answers=[accept("NM", 0, 600), accept("TX", 0, 600), say("TX", 9, "withdraw")])
    in_training = run.people[..., TRAINING].sum(axis=2)
    assert in_training[8, 1] > 0
    assert in_training[9].tolist() == [40, 0]


def test_a_withdrawal_touches_nobody_elsewhere_that_day() -> None:
    stay = busy_run(answers=[accept("NM", 0, 600), accept("TX", 0, 600)])
    leave = busy_run(answers=[accept("NM", 0, 600), accept("TX", 0, 600), say("TX", 9, "withdraw")])
    assert_same(stay, leave, 9)
    gone = [ENTERED, IN_PLACE, RETURNED, LEFT]
    assert np.array_equal(stay.people[9, 0][:, gone], leave.people[9, 0][:, gone])


# --- Withdrawing


def test_governors_withdraw_at_the_daily_chance_of_the_rule() -> None:
    values = WILLING | {"withdraw.base": -3.0, "withdraw.slope": 0.0, "withdraw.most": 50.0}
    runs = [model.run(setting_of(scenario_of(values, 31), 1, None), r) for r in range(6)]
    n = 6 * 53
    gone = sum(len(said(run, "withdraw")) for run in runs) / n
    # All accept on day 0 and have 31 days to reconsider. Four standard errors over 318 governors.
    expected = 1.0 - math.exp(-math.exp(-3.0) * 31)
    assert gone == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / n))


def test_a_bad_incident_lets_governors_withdraw_for_its_days_only() -> None:
    values = WILLING | {"withdraw.burst": 0.0, "withdraw.burst_slope": 0.0, "withdraw.burst_days": 4}
    shock = Incident(kind="incident", day=20, size=-0.5)
    runs = [model.run(setting_of(scenario_of(values, 40, shocks=[shock]), 1, None), r) for r in range(6)]
    days = [decision.day for run in runs for decision in said(run, "withdraw")]
    assert set(days) == {20, 21, 22, 23}
    # Half of 318 leave within the four days. Four standard errors.
    assert len(days) / 318 == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(318))
    good = Incident(kind="incident", day=20, size=0.5)
    assert not said(model.run(setting_of(scenario_of(values, 40, shocks=[good]), 1, None), 0), "withdraw")


# The first ask is answered at once; from day 3 on the request is so ambiguous that nobody answers.
STALLED = WILLING | {"request.target": 3_000, "volunteers.share": 0.01, "decide.ambiguity": 10.0, "rounds.gap_days": 5}
STALL = [Change(3, {"request.ambiguity": 1.0})]


def test_a_governor_may_withdraw_while_a_further_ask_is_open() -> None:
    certain = {"withdraw.burst": 5.0, "withdraw.burst_slope": 0.0, "withdraw.burst_days": 1}
    shock = Incident(kind="incident", day=8, size=-0.1)
    for most in (1, 2):
        run = play(STALLED | certain | {"rounds.most": most}, "TX", 20, changes=STALL, shocks=[shock], with_events=True)
        assert len(told(run, "asked again")) == most - 1
        assert [decision.day for decision in said(run, "withdraw")] == [8]


@pytest.mark.parametrize("most", [1, 2])
def test_a_governor_may_order_units_once_the_call_has_had_its_time(most: int) -> None:
    ordered = {"volunteers.basis": "ordered", "directed.patience": 8, "directed.threshold": -10.0, "rounds.most": most}
    run = play(STALLED | ordered, "TX", 20, changes=STALL, with_events=True)
    assert len(told(run, "asked again")) == most - 1
    assert [event.time for event in told(run, "orders units")] == [8]
    # One and a half quotas were offered, and the order brings the rest within its ramp of a day.
    assert evenings(run, ENTERED)[7] < 300
    assert evenings(run, ENTERED)[8] == 4_500


def test_volunteers_are_never_ordered() -> None:
    run = play(
        STALLED | {"directed.patience": 8, "directed.threshold": -10.0}, "TX", 20, changes=STALL, with_events=True
    )
    assert not told(run, "orders units")


def test_those_ordered_come_in_equal_parts_over_the_ramp() -> None:
    ordered = {"volunteers.basis": "ordered", "directed.patience": 8, "directed.threshold": -10.0}
    for ramp in (1, 3):
        run = play(STALLED | ordered | {"federalize.ramp_days": ramp}, "TX", 20, changes=STALL)
        entered = evenings(run, ENTERED)
        new = np.diff(entered)[7 : 7 + ramp]
        assert new.sum() == 4_500 - entered[7] == entered[-1] - entered[7]
        assert new.max() - new.min() <= 1


@pytest.mark.parametrize(("patience", "day"), [(0, 0), (8, 8)])
def test_patience_counts_from_the_first_call_and_also_where_orders_become_possible_later(
    patience: int, day: int
) -> None:
    values = {"directed.patience": patience, "directed.threshold": -10.0}
    run = play(STALLED | {"volunteers.basis": "ordered"} | values, "TX", 20, with_events=True)
    assert [event.time for event in told(run, "orders units")] == [max(day, 1)]
    later = Change(12, {"volunteers.basis": "ordered"})
    run = play(STALLED | values, "TX", 20, changes=[*STALL, later], with_events=True)
    assert [event.time for event in told(run, "orders units")] == [12]


def test_only_those_who_were_ordered_stay_on_less_often() -> None:
    values = {"tour.days": 5, "tour.reup": 1.0, "directed.reup_factor": 0.0, "directed.threshold": -10.0}
    ordered = {"volunteers.basis": "ordered", "directed.patience": 8}
    run = play(STALLED | ordered | values, "TX", 40, changes=STALL)
    called = evenings(run, ENTERED)[7]
    assert evenings(run, RETURNED)[-1] == evenings(run, ENTERED)[-1] - called > called > 0


def test_a_round_counts_of_open_calls_only_what_they_may_still_bring() -> None:
    # Half of all offered came; nobody else is willing, so the second round asks for the other half.
    values = {
        "volunteers.share": 0.1,
        "rounds.most": 2,
        "rounds.gap_days": 20,
        "request.target": 4_000,
        "offer.most": 1.0,
    }
    run = play(WILLING | ONE_ROLE | values, "TX", 30, with_events=True)
    came = evenings(run, ENTERED)[19]
    assert 0 < came < 3_900
    (missing,) = (event.people for event in told(run, "round"))
    assert missing == 4_000 - came


def test_a_seat_that_accepts_waits_while_no_role_is_open_and_its_ask_lapses() -> None:
    closed = CourtOrder(kind="court_order", day=0, stay=6)
    for deadline, status in ((10, ACCEPTED), (5, NO_ANSWER)):
        values = WILLING | ONE_ROLE | {"request.deadline_days": deadline}
        run = play(values, "TX", 20, shocks=[closed], answers=[accept("TX", 2, 60)])
        assert run.status[-1, 0] == status
        assert not np.isin(run.status[:6, 0], (ACCEPTED, LIMITED)).any()


def test_a_yes_offers_somebody() -> None:
    run = play(WILLING | ONE_ROLE | {"offer.base": -5.0, "offer.slope": 0.0, "request.target": 100}, "TX NM", 10)
    assert [decision.offered for decision in said(run, "accept")] == [1, 1]


def test_a_new_governor_has_taken_no_earlier_position() -> None:
    world = with_each(world_of("TX NM"), [{"prior_position": 1}, {"prior_position": 1}])
    new = Turnover(kind="turnover", day=1, state="NM")
    run = play(QUIET | {"support.pledge": 2.0, "support.mission": 0.0}, world, 45, shocks=[new])
    term = [name for name, _ in TERMS].index("prior position")
    pledge = {decision.state: decision.terms[term] for decision in run.decisions if decision.day > 0}
    # New Mexico stands first, by FIPS code.
    assert pledge == {0: 0.0, 1: 2.0}


# --- Shocks


def test_a_court_order_moves_people_out_of_the_roles_it_closes() -> None:
    order = CourtOrder(kind="court_order", day=15, roles=["support"], states=["TX"], stay="never")
    roles = sizes(administration=100, support=100)
    answers = [accept("NM", 0, 60), accept("TX", 0, 60)]
    run = play(WILLING | roles, "NM TX", 40, shocks=[order], answers=answers, with_events=True)
    support, administration = serving(run)[:, 1, SUPPORT], serving(run)[:, 1, ADMINISTRATION]
    assert (support[14], administration[14]) == (30, 30)
    assert (support[15:] == 0).all()
    assert (administration[15:] == 60).all()
    # They take the course of two days, travel a day, and serve on.
    moved = run.people[15:19, 1, ADMINISTRATION]
    assert moved[:, TRAINING].tolist() == [30, 30, 0, 0]
    assert moved[:, IN_PLACE].tolist() == [30, 30, 30, 60]
    assert run.people[-1, 0, :, IN_PLACE].tolist() == [30, 30, 0, 0, 0]


def test_a_court_order_against_every_role_sends_people_home() -> None:
    order = CourtOrder(kind="court_order", day=15, states=["TX"], stay="never")
    run = play(WILLING, "NM TX", 40, shocks=[order], answers=[accept("NM", 0, 60), accept("TX", 0, 60)])
    assert evenings(run, IN_PLACE, 1)[14] == 60
    assert not serving(run)[15:, 1].any()
    assert evenings(run, RETURNED, 1)[15] == 60
    assert evenings(run, IN_PLACE, 0)[15] == 60


@pytest.mark.parametrize(("stay", "is_stayed"), [(4, True), ("never", False)])
def test_nobody_comes_forward_under_a_court_order_until_it_is_stayed(stay: Any, is_stayed: bool) -> None:
    order = CourtOrder(kind="court_order", day=3, stay=stay)
    values = WILLING | ONE_ROLE | {"volunteers.pace": 0.05}
    run = play(values, "TX", 20, shocks=[order], answers=[accept("TX", 0, 20_000)])
    new = np.diff(evenings(run, ENTERED))
    assert (new[:2] > 0).all()
    assert (new[2:6] == 0).all()
    assert (new[6:] > 0).all() == (new[6:] > 0).any() == is_stayed


def test_a_law_that_changes_moves_people_out_of_the_roles_it_closes() -> None:
    roles = sizes(administration=100, detention=100)
    status = Change(15, {"request.status": "title_10_voluntary"})
    run = play(WILLING | roles, "TX", 40, changes=[status], answers=[accept("TX", 0, 60)])
    assert serving(run)[14, 0, [ADMINISTRATION, DETENTION]].tolist() == [30, 30]
    assert (serving(run)[15:, 0, DETENTION] == 0).all()
    assert (serving(run)[15:, 0, ADMINISTRATION] == 60).all()


def test_nobody_comes_forward_for_a_role_that_the_law_has_closed() -> None:
    roles = sizes(administration=100, detention=100)
    status = Change(5, {"request.status": "title_10_voluntary"})
    run = play(
        WILLING | roles | {"volunteers.pace": 0.1}, "TX", 20, changes=[status], answers=[accept("TX", 0, 10_000)]
    )
    assert run.people[4, 0, DETENTION, ENTERED] > 0
    assert run.people[5:, 0, DETENTION, SCREENING].tolist() == [0] * 16


# Texas alone, with a fifth of its Guard in place and half to stay at home.
DISASTER_AT_HOME = WILLING | ONE_ROLE | {"tour.days": 365, "request.target": 200_000, "mobilized": 0.3}


@pytest.mark.parametrize(("chance", "is_recalled"), [(1.0, True), (0.0, False)])
def test_a_disaster_brings_troops_home_only_under_a_recall_clause(chance: float, is_recalled: bool) -> None:
    strength = world_of("TX").states[0].strength
    a_fifth = strength // 5
    shock = Disaster(kind="disaster", day=20, state="TX", size=0.1, days=5)
    values = DISASTER_AT_HOME | {"offer.recall_chance": chance}
    run = play(values, "TX", 40, shocks=[shock], answers=[accept("TX", 0, a_fifth)])
    # 70 % are not mobilized and 20 % serve; 50 % and the 10 % on disaster duty are needed at home: 10 % are short.
    short = math.floor(0.6 * strength - (0.7 * strength - a_fifth) + 1e-6)
    left = a_fifth - short if is_recalled else a_fifth
    assert evenings(run, IN_PLACE)[19:21] == [a_fifth, left]
    assert evenings(run, IN_PLACE)[-1] == left
    assert not run.missing.any()


def test_troops_away_are_missing_where_a_disaster_needs_more_than_are_at_home() -> None:
    strength = world_of("TX").states[0].strength
    away = strength * 6 // 10
    shock = Disaster(kind="disaster", day=20, state="TX", size=0.2, days=3)
    run = play(DISASTER_AT_HOME, "TX", 30, shocks=[shock], answers=[accept("TX", 0, away)])
    # 70 % less 60 % are at home where 20 % are needed.
    missing = math.floor(0.2 * strength - (0.7 * strength - away) + 1e-6)
    assert run.missing.tolist() == [0] * 20 + [missing] * 3 + [0] * 8
    assert run.below_reserve[25] == 1


def test_a_disaster_at_home_slows_the_coming_forward() -> None:
    values = WILLING | ONE_ROLE | {"volunteers.pace": 0.1, "request.target": 1_000}
    shock = Disaster(kind="disaster", day=0, state="TX", size=0.5, days=1)
    answers = [accept("TX", 0, 10_000)]
    quiet, hit = play(values, "TX", 1, answers=answers), play(values, "TX", 1, answers=answers, shocks=[shock])
    strength = world_of("TX").states[0].strength
    daily = 1.0 - math.exp(-0.1)
    assert evenings(quiet, ENTERED)[0] == math.floor(strength * daily)
    # Half of the Guard can be reached by the call, and half of those at home have time to come.
    assert evenings(hit, ENTERED)[0] == math.floor(strength * 0.5 * daily * 0.5)


def test_a_funding_lapse_slows_volunteers_and_drives_people_out() -> None:
    values = WILLING | ONE_ROLE | {"volunteers.pace": 0.05, "attrition": 0.01, "tour.days": 365}
    lapse = FundingLapse(kind="funding_lapse", day=10, days=10)
    answers = [accept("TX", 0, 20_000)]
    quiet, hit = play(values, "TX", 30, answers=answers), play(values, "TX", 30, answers=answers, shocks=[lapse])
    assert_same(quiet, hit, 10)
    pool = world_of("TX").states[0].strength
    come = pool * (1.0 - math.exp(-0.05 * 10))
    come += (pool - come) * (1.0 - math.exp(-0.05)) * math.exp(-0.5)
    assert evenings(hit, ENTERED)[10] == math.floor(come)
    assert evenings(hit, ENTERED)[19] < evenings(quiet, ENTERED)[19]
    left_that_day = [evenings(run, LEFT)[10] - evenings(run, LEFT)[9] for run in (quiet, hit)]
    assert left_that_day[1] == pytest.approx(3 * left_that_day[0], abs=2)


def test_a_funding_lapse_costs_volunteers_and_troops_in_every_world() -> None:
    lapse = FundingLapse(kind="funding_lapse", day=40, days=30)
    for r in range(5):
        quiet = model.run(setting_of(BASELINE.with_values({}, 80), 1, r), r)
        hit = model.run(setting_of(replace(BASELINE.with_values({}, 80), shocks=(lapse,)), 1, r), r)
        assert np.array_equal(quiet.people[:40], hit.people[:40])
        if quiet.people[69, ..., ENTERED].sum() > quiet.people[39, ..., ENTERED].sum() + 50:
            assert hit.people[69, ..., ENTERED].sum() < quiet.people[69, ..., ENTERED].sum()
        assert hit.people[69, ..., LEFT].sum() >= quiet.people[69, ..., LEFT].sum()


def test_a_new_governor_has_their_own_mind_and_side() -> None:
    shock = Turnover(kind="turnover", day=2, state="TX", side="other_side")
    answers = [accept("TX", 1, 10), say("TX", 5, "withdraw")]
    before, after = play(QUIET | {"spread.own": 1.0}, "TX", 9, shocks=[shock], answers=answers).decisions
    assert (before.day, after.day) == (1, 5)
    names, party = [term for term, _ in rules.TERMS], register()["support.party"].value
    assert [d.terms[names.index("party")] for d in (before, after)] == [party, -party]
    fips = world_of("TX").states[0].fips
    minds = [luck.normals(*luck.draws(1, 0, luck.GOVERNOR, fips, nth)[:2].tolist())[0] for nth in (0, 1)]
    assert [d.terms[names.index("this governor")] for d in (before, after)] == pytest.approx(minds)


# --- Federalization

FEDERAL: dict[str, Value] = {"federalize.day": 20, "federalize.states": "all", "court.federal_clock": False}


def test_a_federalized_state_never_declines() -> None:
    run = baseline(None, 0, federalize_day=40, federalize_states="all", court_federal_clock=False, support_mission=-5.0)
    governed = np.array([code != "DC" for code in run.codes])
    assert (run.status[40:, governed] == FEDERALIZED).all()
    assert (run.status[39] == DECLINED).any()
    assert not [decision for decision in run.decisions if decision.day >= 40]


def test_a_state_federalized_before_it_is_asked_never_declines() -> None:
    values = QUIET | FEDERAL | {"federalize.day": 0, "support.mission": -5.0, "review.days": 10.0, "review.spread": 0.0}
    run = play(values, "NM TX", 60)
    assert (run.status == FEDERALIZED).all()
    assert not run.decisions


def test_federalization_orders_what_is_missing_into_roles_that_the_law_leaves_open() -> None:
    roles = sizes(administration=100, transport=100, detention=100, enforcement=100)
    run = play(
        QUIET | FEDERAL | roles | {"support.mission": -10.0, "decide.pace": 5.0, "request.target": 1_000}, "NM TX", 40
    )
    assert not run.people[:20].any()
    # Whoever is ordered comes within a day, without a governor's leave or a volunteer's wish; strictly read, the law
    # closes two of the roles.
    assert run.people[20, ..., ENTERED].sum() == 1_000
    assert (run.people[-1, ..., ENTERED].sum(axis=0) > 0).tolist() == [True, False, True, False, False]
    assert set(run.permitted[20:].ravel().tolist()) == {1 << ADMINISTRATION | 1 << TRANSPORT}


def test_only_those_who_declined_are_federalized_where_it_says_so() -> None:
    answers = [accept("NM", 0, 10), say("OK", 0, "decline"), say("TX", 0, "no_answer")]
    run = play(QUIET | FEDERAL | {"federalize.states": "declined"}, "NM OK TX", 40, answers=answers)
    assert [run.status[-1, k] == FEDERALIZED for k in range(3)] == [False, True, False]


def test_a_federal_court_sends_the_federalized_home() -> None:
    values = QUIET | FEDERAL | {"court.federal_clock": True, "court.federal_days": 1.0, "court.stay_chance": 0.0}
    run = play(values | {"support.mission": -10.0, "decide.pace": 5.0}, "NM TX", 60, with_events=True)
    day = next(event.time for event in told(run, "court_order"))
    assert 20 < day < 40
    assert (run.status[20:day] == FEDERALIZED).all()
    assert (run.status[day:] == DECLINED).all()
    assert serving(run)[day - 1].sum() > 0
    assert not serving(run)[day:].any()


# --- Other channels


def test_hired_officers_are_the_closed_form() -> None:
    values = {
        "hiring.applicants": 35.0,
        "hiring.pass": 0.02,
        "hiring.vetting_days": 10,
        "hiring.weeks": 2,
        "hiring.seats": 200_000,
    }
    run = play(QUIET | values, "VT", 60)
    # 0.7 a day pass, 10 days of vetting and 14 of training later.
    assert run.officers[:, 0].tolist() == [max(0, 7 * (day - 24 + 1) // 10) for day in range(61)]


def test_hiring_is_held_up_by_academy_seats() -> None:
    values = {
        "hiring.applicants": 50.0,
        "hiring.pass": 0.1,
        "hiring.vetting_days": 0,
        "hiring.weeks": 1,
        "hiring.seats": 10,
    }
    run = play(QUIET | values, "VT", 22)
    # Five a day take seats on days 0 and 1, then wait for the seats that come free on days 7, 8, 14, 15, ...
    assert run.officers[:, 0].tolist() == [0] * 7 + [5] + [10] * 6 + [15] + [20] * 6 + [25] + [30]


def test_deputized_officers_are_the_closed_form() -> None:
    values = {"deputize.agencies": 0.5, "deputize.officers": 3.0, "deputize.training_days": 6}
    run = play(QUIET | values, "VT", 40)
    assert run.officers[:, 1].tolist() == [max(0, 3 * (day - 6 + 1) // 2) for day in range(41)]


# --- Same luck


def test_the_same_seed_gives_the_same_run() -> None:
    here, there = baseline(4, 4), baseline(4, 4)
    assert_same(here, there)
    assert here.hash == there.hash


@pytest.mark.parametrize("other", [{"replication": 1}, {"draw": 1}])
def test_other_luck_or_another_draw_gives_another_run(other: dict[str, int]) -> None:
    assert baseline(**({"draw": 2, "replication": 0} | other)).hash != baseline(2, 0).hash  # type: ignore[arg-type]


def test_another_seed_gives_another_run() -> None:
    assert play({}, seed=1, draw=0).hash != play({}, seed=2, draw=0).hash


@pytest.mark.parametrize("draw", [None, 2, 7])
def test_a_longer_horizon_changes_nothing_before(draw: int | None) -> None:
    assert_same(baseline(draw, draw or 0, 90), baseline(draw, draw or 0, 150), 91)


@pytest.mark.parametrize("shock", [
    Incident(kind="incident", day=70, size=-2.0),
    CourtOrder(kind="court_order", day=70, stay="never"),
    Disaster(kind="disaster", day=70, state="TX", size=0.3),
    FundingLapse(kind="funding_lapse", day=70),
    Turnover(kind="turnover", day=70, state="TX", side="other_side"),
    Appeal(kind="appeal", day=70, same_side=2.0),
], ids=lambda shock: shock.kind)  # fmt: skip
def test_a_shock_changes_nothing_before_its_day(shock: Any) -> None:
    quiet = model.run(setting_of(BASELINE.with_values({}, 90), 1, 2), 2, with_events=True)
    hit = model.run(setting_of(replace(BASELINE.with_values({}, 90), shocks=(shock,)), 1, 2), 2, with_events=True)
    assert_same(quiet, hit, 70)
    assert told(hit, shock.kind) != told(quiet, shock.kind)


@pytest.mark.parametrize("replication", range(6))
def test_a_later_shock_shifts_nobodys_luck_in_an_earlier_one(replication: int) -> None:
    court = CourtOrder(kind="court_order", day=20)
    later = Incident(kind="incident", day=59, size=-1.0)
    values = {"review.days": 0.0}
    alone = play(values, "CA NM OK TX", 60, shocks=[court], replication=replication, with_events=True)
    both = play(values, "CA NM OK TX", 60, shocks=[later, court], replication=replication, with_events=True)
    assert_same(alone, both, 59)


def test_a_lever_that_moves_later_changes_nothing_before() -> None:
    changed = replace(BASELINE.with_values({}, 90), changes=(Change(60, {"tour.days": 30, "request.ambiguity": 0.0}),))
    here = model.run(setting_of(changed, 1, 2), 2, with_events=True)
    assert_same(baseline(2, 2, 90), here, 60)


def test_federalization_changes_nothing_before_its_day() -> None:
    assert_same(baseline(2, 2, 90), baseline(2, 2, 90, federalize_day=70), 70)


@pytest.mark.parametrize("replication", range(3))
def test_a_state_that_is_not_asked_changes_nobodys_fate(replication: int) -> None:
    codes = ["AZ", "CA", "DC", "NM", "OK", "TX", "VA"]
    values: dict[str, Value] = {"request.asked": list(codes), "review.days": 2.0, "training.seats": 100}
    few = play(values, " ".join(codes), 90, draw=1, replication=replication)
    many = play(values, load_world(), 90, draw=1, replication=replication)
    at = [many.codes.index(code) for code in codes]
    assert np.array_equal(few.people, many.people[:, at])
    assert np.array_equal(few.status, many.status[:, at])
    assert (np.delete(many.status, at, axis=1) == NOT_ASKED).all()


# --- Symmetries


@pytest.mark.parametrize("replication", range(3))
def test_relabelling_the_states_relabels_the_answer(replication: int) -> None:
    # Exact where nothing is rationed, since ties for seats and supervisors go to the state that stands first.
    plenty = BASELINE.with_values({"training.seats": 200_000}, 120)
    order = np.random.default_rng(replication).permutation(54).tolist()
    here = model.run(setting_of(plenty, 1, replication, load_world()), replication)
    there = model.run(setting_of(plenty, 1, replication, reordered(load_world(), order)), replication)
    assert there.codes == tuple(here.codes[k] for k in order)
    for name in ("people", "status", "permitted"):
        assert np.array_equal(getattr(here, name)[:, order], getattr(there, name)), name
    assert np.array_equal(here.missing, there.missing)


def test_only_the_fips_code_names_a_states_luck() -> None:
    world = load_world()
    other_names = with_each(world, [{"code": f"Z{k}", "name": f"Land {k}"} for k in range(54)])
    run, there = (model.run(setting_of(BASELINE, 1, 0, w), 0) for w in (world, other_names))
    assert run.hash == there.hash
    shifted = with_each(world, [{"fips": state.fips + 100} for state in world.states])
    assert model.run(setting_of(BASELINE, 1, 0, shifted), 0).hash != run.hash


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_no_party_is_named_but_in_the_world(draw: int) -> None:
    # The world of the other requester with sides and margins turned back is this requester's world.
    seen = load_world("democratic")
    back = with_each(seen, [{"side": -state.side, "margin": -state.margin} for state in seen.states])
    here = model.run(setting_of(BASELINE, 1, draw, load_world("republican")), draw)
    there = model.run(setting_of(BASELINE.with_values({"request.party": "democratic"}), 1, draw, back), draw)
    assert here.hash == there.hash


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_swapped_sides_and_swapped_pulls_cancel(draw: int) -> None:
    # Exact without the mood of the sides: its luck belongs to the requester's side and does not turn with the labels.
    values: dict[str, Value] = {"support.party": 2.0, "support.vote": 0.35, "spread.partisan": 0.0}
    turned = {"request.party": "democratic", "support.party": -2.0, "support.vote": -0.35}
    here = model.run(setting_of(BASELINE.with_values(values), 1, draw), draw)
    there = model.run(setting_of(BASELINE.with_values(values | turned), 1, draw), draw)
    assert here.hash == there.hash


def test_without_pulls_of_party_and_vote_it_does_not_matter_who_asks() -> None:
    blind: dict[str, Value] = {"support.party": 0.0, "support.vote": 0.0, "spread.partisan": 0.0}
    runs = [
        model.run(setting_of(BASELINE.with_values(blind | {"request.party": party}), 1, None), 0)
        for party in ("republican", "democratic")
    ]
    assert runs[0].hash == runs[1].hash
    assert baseline(None, 0).hash != runs[0].hash


@pytest.mark.parametrize("replication", range(3))
def test_on_symmetric_inputs_a_swapped_requester_mirrors_the_result(replication: int) -> None:
    # Pairs of neighbours alike in all but side and margin, which are opposite. Under the other requester each state is
    # what its twin was; give it its twin's luck and place as well, and it must live its twin's life to the last person.
    codes = ["CA", "TX", "NY", "FL", "NM", "OK"]
    world = load_world().subset(codes)
    order = [world.codes.index(code) for code in codes]
    world = reordered(world, order)
    pairs = [
        {
            "strength": 4_000 + 700 * (k // 2),
            "region": k // 2,
            "on_ballot": k // 4,
            "prior_position": 0,
            "in_strip": False,
        }
        | {"side": 1 - 2 * (k % 2), "margin": (1 - 2 * (k % 2)) * (0.4 + k // 2)}
        for k in range(6)
    ]
    twin = [1, 0, 3, 2, 5, 4]
    near = tuple(tuple(j for j in range(6) if j // 2 == k // 2 and j != k) for k in range(6))
    rates = tuple(world.disasters_per_day[k - k % 2] for k in range(6))
    here = replace(with_each(world, pairs), neighbors=near, disasters_per_day=rates)
    turned = with_each(here, [{"side": -state.side, "margin": -state.margin} for state in here.states])
    lucky = with_each(turned, [{"fips": here.states[twin[k]].fips} for k in range(6)])
    there = reordered(lucky, twin)
    values: dict[str, Value] = {"review.days": 1.0, "request.target": 5_000, "training.seats": 300}
    run = play(values, here, 120, replication=replication)
    mirrored = play(values | {"request.party": "democratic"}, there, 120, replication=replication)
    assert mirrored.codes == tuple(run.codes[k] for k in twin)
    assert run.hash == mirrored.hash
    assert len(set(run.status[-1].tolist())) > 1
    # Without the twin's luck the same swap mirrors the chances only.
    unlucky = play(values | {"request.party": "democratic"}, turned, 120, replication=replication)
    assert unlucky.hash != run.hash


def test_an_incident_up_or_down_moves_support_alike() -> None:
    terms = []
    for size in (-1.0, 0.0, 1.0):
        shock = Incident(kind="incident", day=5, size=size)
        run = play(QUIET, "TX", 12, shocks=[shock], answers=[say("TX", 10, "decline")])
        terms.append(dict(zip([term for term, _ in rules.TERMS], run.decisions[0].terms, strict=True))["shocks"])
    assert terms[2] == -terms[0] == pytest.approx(math.exp(-5 / 30))
    assert terms[1] == 0.0


# --- Reasons

REASONED = [
    "baseline",
    "bundled_request",
    "local_cost_regime",
    "court_order",
    "border_strip_only",
    "federalized_counterfactual",
]


@pytest.mark.parametrize("name", REASONED)
def test_every_decision_tells_its_reasons(name: str) -> None:
    scenario = load(SCENARIOS[0].with_name(f"{name}.toml"))
    for r in range(4):
        of = setting_of(scenario, 1, r)
        run = model.run(of, r)
        assert len(run.decisions) >= 53
        for d in run.decisions:
            assert len(d.terms) == len(rules.TERMS) == 19
            assert math.fsum(d.terms) == pytest.approx(d.support, abs=1e-9)
            assert run.approval_day is not None
            assert run.approval_day <= d.day < of.n_days
            assert 1 <= d.ask <= 1 + (d.day - run.approval_day) // 30
            assert of.world.states[d.state].has_governor
            levers = of.levers[d.day]
            if d.answer != "withdraw":
                asked = [role for role, size in enumerate(levers.role_sizes) if size and levers.open_roles >> role & 1]
                assert d.role in (*asked, -1)
                assert d.terms[-1] == (-levers.role_costs[d.role] if d.role >= 0 else 0.0)
            assert d.offered == 0 or d.answer.startswith("accept")
            assert d.quota >= 0


@pytest.mark.parametrize("name", REASONED)
def test_an_answer_is_what_its_luck_makes_of_its_support(name: str) -> None:
    scenario = load(SCENARIOS[0].with_name(f"{name}.toml"))
    n_checked = 0
    for r in range(4):
        of = setting_of(scenario, 1, r)
        run = model.run(of, r)
        for d in run.decisions:
            fips = of.world.states[d.state].fips
            if d.answer == "withdraw":
                u = luck.daily(1, r, luck.WITHDRAW, [fips], of.n_days)[0, d.day]
                assert u < d.chance
            elif d.answer != "no answer":
                u = luck.draws(1, r, luck.PERMIT, fips, d.ask)[0]
                is_yes = d.answer.startswith("accept")
                assert is_yes == (d.support > d.threshold)
                # The rule with support a hair to either side of the threshold.
                assert (
                    rules.chance_of_permitting(1.0, d.threshold + 1e-6)
                    > u
                    > rules.chance_of_permitting(1.0, d.threshold - 1e-6)
                )
                n_checked += 1
    assert n_checked > 100


@pytest.mark.parametrize("mode", ["menu", "bundled"])
def test_support_beyond_the_threshold_would_have_flipped_the_answer(mode: str) -> None:
    # Conviction 0 keeps the day of the answer; a single state keeps the peers out of it.
    values: dict[str, Value] = {"review.days": 0.0, "decide.conviction": 0.0, "request.mode": mode, "rounds.most": 1}
    seen = set()
    for code in ("TX", "VT"):
        for r in range(12):
            first = play(values | {"support.mission": 0.0}, code, 50, replication=r).decisions[0]
            if first.answer == "no answer":
                continue
            is_yes = first.answer.startswith("accept")
            seen.add(is_yes)
            needed = first.threshold - first.support
            for mission, flips in ((needed + 1e-6, not is_yes), (needed - 1e-6, is_yes)):
                again = play(values | {"support.mission": mission}, code, 50, replication=r).decisions[0]
                assert again.day == first.day
                assert (again.answer.startswith("accept") != is_yes) == flips
    assert seen == {True, False}


def test_a_no_answer_on_no_open_role_says_so() -> None:
    values = QUIET | sizes(enforcement=100) | {"enforcement.arrest_authority": False, "request.deadline_days": 5}
    run = play(values, "TX", 9)
    assert [(d.day, d.answer, d.role, d.terms[-1]) for d in run.decisions] == [(5, "no answer", -1, 0.0)]


# --- The event log


def test_the_log_is_in_order_and_costs_nothing_but_time() -> None:
    with_log = baseline(5, 5)
    without = model.run(setting_of(BASELINE, 1, 5), 5)
    assert with_log.hash == without.hash
    assert not without.events
    times = [event.time for event in with_log.events]
    assert times == sorted(times)
    assert {event.state for event in with_log.events} <= {"", *with_log.codes}
    assert all(event.run_number == 5 for event in with_log.events)


def test_the_log_counts_the_same_people_as_the_evenings() -> None:
    of: Setting = setting({"review.days": 0.0, "support.mission": 4.0}, "CA NM TX", 60, draw=None)
    run = model.run(of, 0, with_events=True)
    for event, stage in (("come forward", ENTERED), ("leaves", LEFT)):
        assert sum(e.people for e in told(run, event)) == run.people[-1, ..., stage].sum()
    seated = sum(e.people for e in told(run, "takes seats"))
    assert seated == run.people[-1, ..., ENTERED].sum() - run.people[-1, ..., [SCREENING, WAITING, SCREENED_OUT]].sum()
