"""The rules of people: hand-worked numbers first, then whole people and shares that nobody is lost from."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import people as rules

PER_MILLE = st.integers(0, 1000)


def largest_remainders(n: int, weights: list[int]) -> list[int]:
    """The method of largest remainders in exact fractions, ties to the first."""
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    exact = [Fraction(n * weight, total) for weight in weights]
    parts = [math.floor(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda k: (parts[k] - exact[k], k))
    for k in order[: n - sum(parts)]:
        parts[k] += 1
    return parts


def split(n: int, weights: list[int]) -> list[int]:
    parts = [-1] * len(weights)
    rules.split(n, weights, parts)
    return parts


# --- Log-odds


@given(x=st.floats(-30.0, 30.0))
def test_logit_undoes_logistic(x: float) -> None:
    assert rules.logit(rules.logistic(x)) == pytest.approx(x, abs=1e-2 if x > 20 else 1e-6)


@given(x=st.floats(allow_nan=False, allow_infinity=False))
def test_logistic_never_overflows_nor_leaves_0_to_1(x: float) -> None:
    assert 0.0 <= rules.logistic(x) <= 1.0


def test_logit_is_clipped_at_the_ends() -> None:
    assert (rules.logit(0.0), rules.logit(1.0)) == (-700.0, 700.0)


# --- Whole people


def test_ten_tenths_are_one_person() -> None:
    assert sum([0.1] * 10) < 1.0
    assert rules.whole(sum([0.1] * 10)) == 1
    assert rules.whole(0.999) == 0


def test_three_percent_of_a_hundred_single_people_are_three() -> None:
    assert [before for before in range(100) if rules.whole_share(before, 1, 0.03)] == [33, 66, 99]


@given(groups=st.lists(st.integers(0, 400), max_size=30), per_mille=PER_MILLE)
def test_shares_of_groups_add_up_to_the_share_of_all(groups: list[int], per_mille: int) -> None:
    seen, taken = 0, 0
    for n in groups:
        part = rules.whole_share(seen, n, per_mille / 1000)
        assert 0 <= part <= n
        seen, taken = seen + n, taken + part
    assert taken == math.floor(Fraction(per_mille, 1000) * sum(groups))


# --- Volunteers


def test_the_share_of_volunteers_is_the_number_worked_out_by_hand() -> None:
    # Odds of 0.05 are 1 to 19; times exp(-0.1 + 0.3 + 0.35).
    odds = math.exp(0.55) / 19.0
    share = rules.volunteering_share(0.05, -0.1, 0.3, 1.0, 0.35, 1.0, 0, 0.5)
    assert share == pytest.approx(odds / (1.0 + odds))
    assert rules.volunteering_share(0.05, -0.1, 0.3, 1.0, 0.35, 1.0, 2, 0.5) == pytest.approx(share / 4.0)


def test_pay_counts_for_long_orders_only() -> None:
    assert rules.volunteering_share(0.05, 0.0, 0.3, 0.0, 0.0, 0.0, 0, 0.5) == pytest.approx(0.05)
    assert rules.volunteering_share(0.05, 0.0, 0.3, 1.0, 0.0, 0.0, 0, 0.5) > 0.05


@given(role=st.floats(-5.0, 5.0), z=st.floats(-6.0, 6.0), calls=st.integers(0, 12))
def test_nobody_stays_nobody_and_everybody_stays_everybody(role: float, z: float, calls: int) -> None:
    assert rules.volunteering_share(0.0, role, 0.3, 1.0, 0.35, z, calls, 0.5) == 0.0
    assert rules.volunteering_share(1.0, role, 0.3, 1.0, 0.35, z, calls, 0.5) == 1.0


def test_disaster_duty_and_a_lapse_slow_the_coming_forward() -> None:
    # Of the 90 % at home 18 % of the whole are on disaster duty: four fifths are left.
    assert rules.reach_today(0.1, 0.18, -0.5, 0.0) == pytest.approx(0.8)
    assert rules.reach_today(0.1, 0.18, -0.5, 1.0) == pytest.approx(0.8 * math.exp(-0.5))
    assert rules.reach_today(0.0, 0.0, -0.5, 0.0) == 1.0
    assert rules.reach_today(0.9, 0.5, -0.5, 0.0) == 0.0
    assert rules.reach_today(1.0, 0.0, -0.5, 0.0) == 0.0


def test_who_can_be_reached_is_the_number_worked_out_by_hand() -> None:
    # 90 % of 10,000 are at home, 88 % of those deployable, 920 in the mission.
    assert rules.available(10_000, 0.08, 0.02, 0.12, 920) == pytest.approx(7_000.0)
    assert rules.available(10_000, 0.08, 0.02, 0.12, 9_000) == 0.0
    assert rules.available(10_000, 0.8, 0.5, 0.12, 0) == 0.0


@given(pool=st.floats(0.0, 20_000.0), pace=st.floats(0.0, 5.0), days=st.integers(1, 60))
def test_days_of_coming_forward_add_up_to_the_closed_form(pool: float, pace: float, days: int) -> None:
    come = 0.0
    for _ in range(days):
        come = rules.come_forward(come, pool, math.inf, -math.expm1(-pace))
    assert come == pytest.approx(pool * (1.0 - math.exp(-pace * days)), rel=1e-9, abs=1e-9)


@given(
    come=st.floats(0.0, 500.0), pool=st.floats(0.0, 1_000.0), offer=st.integers(0, 1_000), chance=st.floats(0.0, 1.0)
)
def test_coming_forward_is_cut_at_the_offer_and_never_undone(
    come: float, pool: float, offer: int, chance: float
) -> None:
    now = rules.come_forward(come, pool, offer, chance)
    assert now >= come
    assert now <= max(come, offer)
    assert now <= max(come, pool) + 1e-9


# --- Screening


@pytest.mark.parametrize(("strength", "a_day"), [(13_700, 200), (20_550, 300), (1_000, 25), (0, 25), (13_768, 200)])
def test_a_state_screens_in_proportion_to_its_strength_but_never_below_the_floor(strength: int, a_day: int) -> None:
    assert rules.screening_capacity(200.0, 13_700.0, 25.0, strength) == a_day


# --- Splitting


def test_ties_go_to_the_first() -> None:
    assert split(2, [1, 1, 1]) == [1, 1, 0]
    assert split(5, [3, 3]) == [3, 2]


def test_the_largest_remainder_gets_the_odd_person() -> None:
    # 5 * 7 / 15 = 2.33 and 5 * 8 / 15 = 2.67
    assert split(5, [7, 8]) == [2, 3]
    assert split(20, [1, 3, 10, 2]) == [1, 4, 13, 2]


def test_without_weights_nobody_is_placed() -> None:
    assert split(7, [0, 0, 0]) == [0, 0, 0]
    assert split(0, [1, 2]) == [0, 0]
    assert split(3, []) == []


@given(n=st.integers(0, 200_000), weights=st.lists(st.integers(0, 20_000), min_size=1, max_size=54))
def test_a_split_is_the_method_of_largest_remainders(n: int, weights: list[int]) -> None:
    parts = split(n, weights)
    total = sum(weights)
    assert sum(parts) == (n if total else 0)
    assert all(not part for part, weight in zip(parts, weights, strict=True) if not weight)
    if total:
        assert all(abs(Fraction(n * w, total) - part) < 1 for part, w in zip(parts, weights, strict=True))
    assert parts == largest_remainders(n, weights)


@given(n=st.integers(0, 5_000), weights=st.lists(st.integers(1, 500), min_size=2, max_size=6, unique=True))
def test_a_split_follows_its_weights_wherever_they_stand(n: int, weights: list[int]) -> None:
    total = sum(weights)
    remainders = [n * weight % total for weight in weights]
    if len(set(remainders)) == len(remainders):
        assert split(n, weights[::-1]) == split(n, weights)[::-1]
