"""The governor's rules: hand-worked numbers first, then what must hold for any numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import governors as rules
from sim import luck
from sim.parameters import register

SUPPORT = st.floats(-12.0, 12.0)
SHARE = st.floats(0.0, 1.0)


# --- Support


@pytest.mark.parametrize(("on_ballot", "in_strip", "vote", "place"), [(1, 1.0, -0.504, 1.0), (0, 0.0, -0.42, 0.0)])
def test_standing_terms_are_the_numbers_worked_out_by_hand(
    on_ballot: int, in_strip: float, vote: float, place: float
) -> None:
    terms = rules.standing_terms(
        mission=-0.5,
        party=2.0,
        side=-1,
        vote=0.35,
        margin=-1.2,
        election=0.2,
        on_ballot=on_ballot,
        pledge=0.5,
        prior_position=1,
        status=1.5,
        place=1.0,
        in_strip=in_strip,
        national=0.1,
        partisan=0.3,
        regional=-0.2,
        own=0.4,
    )
    assert terms == pytest.approx((-0.5, -2.0, vote, 0.5, -1.5, place, 0.1, -0.3, -0.2, 0.4))


def test_moving_terms_are_the_numbers_worked_out_by_hand() -> None:
    terms = rules.moving_terms(
        fatigue=0.5,
        asks=3,
        host=1.0,
        host_refusal=0.4,
        disaster=0.5,
        disaster_share=0.02,
        load=0.3,
        mobilized_share=0.08,
        neighbors=0.25,
        neighbor_balance=-0.5,
        network=0.5,
        side_balance=1.0,
        shocks=-0.7,
        echo=-0.2,
        is_federalizing=1.0,
    )
    assert terms == pytest.approx((-1.0, -0.4, -0.1, -0.24, -0.125, 0.5, -0.7, -0.2))


def test_a_first_ask_costs_no_fatigue_and_a_quiet_day_moves_nothing() -> None:
    assert not any(rules.moving_terms(0.5, 1, 1.0, 0.0, 0.5, 0.0, 0.3, 0.0, 0.25, 0.0, 0.5, 0.0, 0.0, 1.0, 0.0))


def test_every_term_has_a_name_and_a_parameter_in_the_register() -> None:
    n_terms = len(rules.standing_terms(*[0.0] * 16)) + len(rules.moving_terms(*[0.0] * 15)) + 1
    assert len(rules.TERMS) == n_terms
    assert len({term for term, _ in rules.TERMS}) == n_terms
    for _, name in rules.TERMS:
        assert name in register() or any(entry.startswith(name + ".") for entry in register())


@given(leaning=st.integers(-53, 53), asked=st.integers(0, 53))
def test_the_balance_of_peers_is_their_mean_lean(leaning: int, asked: int) -> None:
    leaning = max(-asked, min(asked, leaning))
    votes = [math.copysign(1, leaning)] * abs(leaning) + [0.0] * (asked - abs(leaning))
    assert rules.balance(leaning, asked) == pytest.approx(np.mean(votes) if votes else 0.0)


# --- Permitting


@given(support=st.floats(-1e6, 1e6))
def test_without_precision_every_answer_is_a_coin_flip(support: float) -> None:
    assert rules.chance_of_permitting(0.0, support) == 0.5


@pytest.mark.parametrize(("support", "odds"), [(0.0, 1.0), (math.log(3.0), 3.0), (-math.log(9.0), 1.0 / 9.0)])
def test_support_is_the_logarithm_of_the_odds(support: float, odds: float) -> None:
    assert rules.chance_of_permitting(1.0, support) == pytest.approx(odds / (1.0 + odds))


@given(support=SUPPORT, cost=st.floats(0.0, 5.0), more=st.floats(0.001, 5.0), precision=st.floats(0.1, 10.0))
def test_a_costlier_role_is_permitted_less_at_any_fixed_support(
    support: float, cost: float, more: float, precision: float
) -> None:
    cheap = rules.chance_of_permitting(precision, support - cost)
    dear = rules.chance_of_permitting(precision, support - cost - more)
    assert dear < cheap or cheap == dear == 1.0


@given(support=SUPPORT, precision=st.floats(0.0, 10.0))
def test_yes_and_no_mirror_when_support_changes_its_sign(support: float, precision: float) -> None:
    both = rules.chance_of_permitting(precision, support) + rules.chance_of_permitting(precision, -support)
    assert both == pytest.approx(1.0)


@given(u=st.floats(1e-6, 1.0 - 1e-6), precision=st.floats(0.05, 10.0))
def test_the_answer_tips_at_the_tipping_support(u: float, precision: float) -> None:
    tips = rules.tipping_support(precision, u)
    margin = 1e-6 / precision + 1e-9 * abs(tips)
    assert u < rules.chance_of_permitting(precision, tips + margin)
    assert not u < rules.chance_of_permitting(precision, tips - margin)


def test_nothing_tips_a_coin_flip() -> None:
    assert math.isnan(rules.tipping_support(0.0, 0.3))


@given(support=SUPPORT, u=st.floats(1e-9, 1.0 - 1e-9), precision=st.floats(0.0, 10.0))
def test_a_role_is_permitted_where_luck_lies_below_the_chance(support: float, u: float, precision: float) -> None:
    threshold, chance = rules.tipping_support(precision, u), rules.chance_of_permitting(precision, support)
    # Closer than this the two ways of rounding may part.
    if abs(u - chance) > 1e-12:
        assert rules.is_permitted(support, threshold, u) == (u < chance)


@pytest.mark.parametrize(("support", "is_permitted"), [(-1.11, False), (-1.10, False), (-1.09, True), (0.0, True)])
def test_luck_of_one_in_four_permits_from_odds_of_one_to_three_on(support: float, is_permitted: bool) -> None:
    # The chance is 1/4 at a support of -log(3) = -1.0986.
    assert rules.is_permitted(support, rules.tipping_support(1.0, 0.25), 0.25) == is_permitted


@pytest.mark.parametrize("support", [-5.0, 0.0, 5.0])
def test_without_precision_luck_alone_permits(support: float) -> None:
    nothing = rules.tipping_support(0.0, 0.3)
    assert rules.is_permitted(support, nothing, 0.3)
    assert not rules.is_permitted(support, nothing, 0.7)


# --- Answering


def test_the_chance_of_answering_is_the_number_worked_out_by_hand() -> None:
    # 0.09 * exp(0.15 * 2 - 0.7 * 0.7 + 0.7) = 0.09 * exp(0.51) = 0.1498762; 1 - exp(-0.1498762) = 0.1391855
    assert rules.chance_of_answering(0.09, 0.15, -2.0, 0.7, 0.7, 0.7, 1.0) == pytest.approx(0.1391855, abs=1e-6)


@pytest.mark.parametrize(("support", "is_last"), [(0.0, 0.0), (2.5, 0.0), (-2.5, 1.0)])
def test_simulated_governors_answer_as_the_closed_form_says(support: float, is_last: float) -> None:
    n, days = 5000, 40
    chance = rules.chance_of_answering(0.09, 0.15, support, 0.7, 0.7, 0.7, is_last)
    answered = luck.daily(5, 0, luck.ANSWER, np.arange(1, n + 1), days) < chance
    hazard = 0.09 * math.exp(0.15 * abs(support) - 0.49 + 0.7 * is_last)
    for t in (1, 5, 20, 40):
        still_undecided = 1.0 - answered[:, :t].any(axis=1).mean()
        expected = math.exp(-hazard * t)
        # Four standard errors of a share over 5,000 governors.
        assert still_undecided == pytest.approx(expected, abs=4.0 * math.sqrt(expected * (1.0 - expected) / n))


@given(pace=st.floats(0.001, 0.5), support=SUPPORT, ambiguity=SHARE)
def test_firm_minds_clear_requests_and_close_deadlines_hasten_answers(
    pace: float, support: float, ambiguity: float
) -> None:
    def chance(support: float, ambiguity: float, is_last: float) -> float:
        return rules.chance_of_answering(pace, 0.15, support, 0.7, ambiguity, 0.7, is_last)

    here = chance(support, ambiguity, 0.0)
    assert 0.0 < here < 1.0
    assert chance(-support, ambiguity, 0.0) == here
    assert chance(support * 1.5, ambiguity, 0.0) >= here
    assert chance(support, ambiguity / 2.0, 0.0) >= here
    assert chance(support, ambiguity, 1.0) > here


@given(support=SUPPORT)
def test_without_pace_nobody_answers(support: float) -> None:
    assert rules.chance_of_answering(0.0, 0.15, support, 0.7, 0.7, 0.7, 1.0) == 0.0


# --- Withdrawing


def test_at_even_support_about_one_in_660_withdraws_on_a_day() -> None:
    # exp(-6.5) = 0.00150344
    chance = rules.chance_of_withdrawing(-6.5, 0.5, 0.1, 0.0, 0.9, 3.0, 0.0, 0.0)
    assert chance == pytest.approx(0.0015023, abs=1e-6)
    assert 650 < 1.0 / chance < 670


@given(support=st.floats(-200.0, 200.0), ceiling=st.floats(0.0, 2.0))
def test_without_a_burst_the_chance_stays_below_the_ceiling(support: float, ceiling: float) -> None:
    chance = rules.chance_of_withdrawing(-6.5, 0.5, ceiling, 0.0, 0.9, 3.0, support, 0.0)
    assert 0.0 <= chance <= -math.expm1(-ceiling) + 1e-12


def test_the_ceiling_is_reached_where_support_collapses() -> None:
    chance = rules.chance_of_withdrawing(-6.5, 0.5, 0.1, 0.0, 0.9, 3.0, -100.0, 0.0)
    assert chance == pytest.approx(1.0 - math.exp(-0.1))


@given(support=st.floats(-8.0, 8.0), days=st.integers(1, 30), burst=st.floats(-3.0, 3.0))
def test_a_burst_spread_over_its_days_adds_up_to_the_logistic(support: float, days: int, burst: float) -> None:
    stays = 1.0
    for _ in range(days):
        stays *= 1.0 - rules.chance_of_withdrawing(-50.0, 0.0, 0.1, burst, 0.9, days, support, 1.0)
    odds = math.exp(burst - 0.9 * support)
    assert 1.0 - stays == pytest.approx(odds / (1.0 + odds), abs=1e-9)


@given(support=st.floats(-8.0, 8.0))
def test_a_burst_comes_on_top_and_support_holds_governors(support: float) -> None:
    def chance(support: float, is_burst: float) -> float:
        return rules.chance_of_withdrawing(-6.5, 0.5, 0.1, 0.0, 0.9, 3.0, support, is_burst)

    assert chance(support, 1.0) > chance(support, 0.0)
    assert chance(support + 0.5, 1.0) < chance(support, 1.0)
    assert chance(support + 0.5, 0.0) <= chance(support, 0.0)


# --- Offering


def test_what_a_governor_can_offer_is_the_number_worked_out_by_hand() -> None:
    # Half of 10,000 stays; 800 are mobilized, 200 on disaster duty, 500 promised already.
    assert rules.most_offered(10_000, 0.5, 0.08, 0.02, 500) == pytest.approx(3_500.0)
    assert rules.most_offered(10_000, 0.5, 0.08, 0.02, 5_000) == 0.0


def test_an_even_governor_offers_half_of_one_and_a_half_quotas() -> None:
    assert rules.offered(0.0, 0.4, 0.8, 0.0, 0.0, 1.5, 100, 1e9) == 75
    # logistic(0.4 * 2 + 0.8 * 0.5) = logistic(1.2) = 0.768525; times 1.5 * 200 = 230.56
    assert rules.offered(0.0, 0.4, 0.8, 0.5, 2.0, 1.5, 200, 1e9) == 230
    assert rules.offered(0.0, 0.4, 0.8, 0.5, 2.0, 1.5, 200, 99.9) == 99


@given(
    base=st.floats(-1.0, 1.0),
    z=st.floats(-6.0, 6.0),
    support=SUPPORT,
    most=st.floats(0.0, 10.0),
    quota=st.integers(0, 50_000),
    cap=st.floats(0.0, 20_000.0),
)
def test_an_offer_is_whole_and_above_neither_cap_nor_quota(
    base: float, z: float, support: float, most: float, quota: int, cap: float
) -> None:
    n = rules.offered(base, 0.4, 0.8, z, support, most, quota, cap)
    assert isinstance(n, int)
    assert 0 <= n <= cap
    assert n <= max(1.0, most * quota)
    assert n >= 1 or cap < 1.0
    assert n <= rules.offered(base, 0.4, 0.8, z, support + 1.0, most, quota, cap)


# --- Ordering


@given(threshold=st.floats(-3.0, 3.0))
def test_a_governor_at_the_threshold_orders_half_of_the_time(threshold: float) -> None:
    assert rules.chance_of_ordering(threshold, threshold) == 0.5
    assert rules.chance_of_ordering(threshold + 1.0, threshold) > 0.7
