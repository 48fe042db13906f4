"""Outcomes: every measure on a tiny ensemble made by hand, and bands in which "never" counts as later than all."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.outcomes import OUTCOMES, band, daily_bands, first_day, luck_share, measure_all
from sim.parameters import register
from sim.results import SERIES, STATUSES, Ensemble
from sim.scenario import Scenario

NEVER = math.nan
FINITE = st.floats(-1e6, 1e6)


def tiny() -> Ensemble:
    """Three runs over four evenings, of which the second failed; a target of 100 people, 80 by all channels."""
    values = dict.fromkeys(register(), 0.0)
    values |= {
        "request.target": 100.0,
        "capacity.target": 80.0,
        "cost.guard": 5.0,
        "cost.hired": 4.0,
        "cost.deputized": 3.0,
    }
    daily = {
        "agreeing": ([0, 5, 7, 6], [0, 1, 1, 1]),
        "with_limits": ([0, 2, 3, 2], [0, 0, 1, 1]),
        "declined": ([0, 1, 3, 4], [0, 9, 9, 9]),
        "no_answer": ([0, 0, 0, 2], [0, 0, 0, 0]),
        "withdrawn": ([0, 0, 0, 1], [0, 0, 0, 0]),
        "entered": ([10, 60, 120, 130], [0, 0, 40, 40]),
        "training": ([10, 5, 0, 0], [0, 0, 8, 0]),
        "awaiting_a_supervisor": ([0, 1, 1, 0], [0, 0, 0, 0]),
        "travel": ([0, 4, 9, 0], [0, 0, 0, 8]),
        "in_place": ([0, 25, 100, 90], [0, 0, 24, 30]),
        "hired": ([0, 0, 10, 20], [0, 30, 40, 80]),
        "deputized": ([0, 6, 6, 80], [0, 0, 0, 1]),
        "below_reserve": ([0, 3, 2, 1], [0, 0, 0, 0]),
        "missing": ([0, 7, 5, 0], [0, 0, 0, 1]),
    }
    series = np.full((3, len(SERIES), 4), 9_999, np.int32)
    for name, runs in daily.items():
        series[[0, 2], SERIES.index(name)] = runs
    return Ensemble(
        scenario=Scenario("tiny", "Tiny", "What?", days=3),
        seed=1,
        pairs=((0, 0), (1, 1), (2, 2)),
        codes=("TX",),
        done=np.array([True, False, True]),
        series=series,
        status_counts=np.zeros((4, 1, len(STATUSES)), np.int32),
        last_status=np.zeros((3, 1), np.int8),
        numbers=np.array([list(values.values())] * 3),
        approval=np.array([0, 3, -1], np.int32),
        hashes=np.zeros(3, np.uint64),
    )


EXPECTED: dict[str, list[float]] = {
    "states_agreeing": [6, 1],
    "states_agreeing_at_most": [7, 1],
    "states_with_limits": [2, 1],
    "states_declined": [4, 9],
    "states_no_answer": [2, 0],
    "states_withdrawn": [1, 0],
    "volunteers": [130, 40],
    "peak_in_place": [100, 30],
    "in_place_last": [90, 30],
    "shortfall_last": [10, 70],
    "troop_days": [215, 54],
    "days_to_25": [1, 3],
    "days_to_50": [2, NEVER],
    "days_to_75": [2, NEVER],
    "days_to_100": [2, NEVER],
    "approval_day": [0, NEVER],
    # Days in training (15 and 8), awaiting a supervisor (2 and 0), travelling (13 and 8) and in place.
    "cost_guard": [5 * (15 + 2 + 13 + 215), 5 * (8 + 0 + 8 + 54)],
    "cost_hired": [4 * 30, 4 * 150],
    "cost_deputized": [3 * 92, 3 * 1],
    "below_reserve_at_most": [3, 0],
    "missing_for_disasters": [12, 1],
    "people_by_all_channels": [190, 111],
    "days_to_capacity_by_guard": [2, NEVER],
    "days_to_capacity_by_hiring": [NEVER, 3],
    "days_to_capacity_by_deputizing": [3, NEVER],
    "days_to_capacity_together": [2, 3],
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome_of_the_tiny_ensemble_is_the_number_worked_out_by_hand(name: str) -> None:
    np.testing.assert_array_equal(OUTCOMES[name].measure(tiny()), EXPECTED[name])


def test_every_outcome_has_a_unit_a_label_and_its_number_by_hand() -> None:
    assert set(OUTCOMES) == set(EXPECTED) == set(measure_all(tiny()))
    assert all(each.unit and each.label and each.name == name for name, each in OUTCOMES.items())
    assert len({each.label for each in OUTCOMES.values()}) == len(OUTCOMES)


def test_a_surplus_is_no_shortfall() -> None:
    ensemble = tiny()
    ensemble.series[0, SERIES.index("in_place"), -1] = 150
    assert OUTCOMES["shortfall_last"].measure(ensemble)[0] == 0.0


@given(
    daily=st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), min_size=1, max_size=6),
    level=st.integers(0, 10) | st.floats(0.0, 10.0),
)
def test_the_first_day_is_the_first_on_which_the_level_is_reached(daily: list[list[int]], level: float) -> None:
    found = first_day(np.array(daily, np.int32), np.full(len(daily), float(level)))
    expected = [next((float(day) for day, n in enumerate(row) if n >= level), NEVER) for row in daily]
    np.testing.assert_array_equal(found, expected)


# --- Bands


@given(values=st.lists(FINITE, min_size=1, max_size=60))
def test_where_it_always_happened_a_band_is_numpys_quantiles(values: list[float]) -> None:
    found = band(np.array(values))
    assert [found.p05, found.median, found.p95] == pytest.approx(
        np.quantile(values, [0.05, 0.5, 0.95]), rel=1e-9, abs=1e-6
    )
    assert (found.never, found.n) == (0.0, len(values))


@given(values=st.lists(FINITE, max_size=40), n_never=st.integers(0, 40), seed=st.integers(0, 99))
def test_never_counts_as_later_than_all(values: list[float], n_never: int, seed: int) -> None:
    mixed = np.random.default_rng(seed).permutation(np.array(values + [NEVER] * n_never))
    found = band(mixed)
    n = len(values) + n_never
    assert found.n == n
    assert found.never == pytest.approx(n_never / n if n else 0.0)
    # As if "never" were a day after all others: a quantile that leans on such a day is none.
    late = np.sort(np.array(values + [1e12] * n_never))
    for q, told in ((0.05, found.p05), (0.5, found.median), (0.95, found.p95)):
        expected = np.quantile(late, q) if n else 1e12
        if expected < 1e7:
            assert told == pytest.approx(expected, rel=1e-9, abs=1e-6)
        elif math.ceil(q * (n - 1)) >= len(values) and q * (n - 1) % 1 > 1e-9:
            assert told is None


@pytest.mark.parametrize(("values", "expected"), [
    ([1, 2, 3, NEVER, NEVER], (1.2, 3.0, None, 0.4)),
    ([1, 2, NEVER, NEVER], (1.15, None, None, 0.5)),
    ([NEVER] * 3, (None, None, None, 1.0)),
    ([4.0], (4.0, 4.0, 4.0, 0.0)),
])  # fmt: skip
def test_a_median_is_told_only_where_half_get_there(values: list[float], expected: tuple[float | None, ...]) -> None:
    found = band(np.array(values))
    assert (found.p05, found.median, found.p95, found.never) == pytest.approx(expected)


def test_no_runs_no_band() -> None:
    found = band(np.array([]))
    assert (found.median, found.never, found.error, found.n) == (None, 0.0, None, 0)


def test_a_band_prints_its_three_numbers() -> None:
    assert band(np.arange(21.0)).as_dict() == pytest.approx({"median": 10.0, "p05": 1.0, "p95": 19.0})


def test_the_error_of_the_median_is_half_of_an_interval_between_ranks() -> None:
    # 100 runs: 1.96 * sqrt(100) / 2 = 9.8, so from the 41st (50 - 9.8, down) to the 61st (50 + 9.8, up).
    assert band(np.arange(1.0, 101.0)).error == 10.0
    assert band(np.array([7.0])).error is None
    assert band(np.full(50, 7.0)).error == 0.0
    assert band(np.array([1.0] * 52 + [NEVER] * 48)).error is None


@pytest.mark.parametrize("n", [10, 20, 50, 101, 500])
def test_the_interval_behind_the_error_covers_the_median_in_95_of_100_cases(n: int) -> None:
    # On the ranks 1 to n the error tells the width in ranks; by the exact binomial the true median lies that close in:
    error = band(np.arange(1.0, n + 1.0)).error
    assert error is not None
    width = round(2 * error)
    best = max(sum(math.comb(n, k) for k in range(low, low + width)) for low in range(1, n)) / 2**n
    assert 0.945 <= best <= 0.995


@given(values=st.lists(FINITE, min_size=2, max_size=40), shift=st.floats(-100.0, 100.0))
def test_a_band_moves_with_its_numbers_and_its_error_does_not(values: list[float], shift: float) -> None:
    here, there = band(np.array(values)), band(np.array(values) + shift)
    assert here.median is not None
    assert there.median == pytest.approx(here.median + shift, abs=1e-6)
    assert there.error == pytest.approx(here.error, abs=1e-6)


def test_daily_bands_are_quantiles_over_runs() -> None:
    daily = np.array([[0, 10], [1, 20], [2, 30], [3, 40], [4, 50]], np.int32)
    assert daily_bands(daily, (0.0, 0.5, 1.0)).tolist() == [[0, 10], [2, 30], [4, 50]]
    assert daily_bands(daily).shape == (5, 2)


# --- What luck does


def normal(seed: int, n: int = 4_000) -> Any:
    return np.random.default_rng(seed).normal(size=n)


def test_where_other_luck_gives_the_same_numbers_luck_has_no_share() -> None:
    first = normal(1)
    assert luck_share(first, first.copy(), first) == 0.0


def test_where_the_draw_says_nothing_all_is_luck() -> None:
    # Independent twins: half of the mean square of the difference is the variance. Sampling error about 2 %.
    assert luck_share(normal(1), normal(2), normal(1)) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_share_of_luck_is_its_part_of_the_variance(share: float) -> None:
    draws = normal(3) * math.sqrt(1.0 - share)
    first, second = draws + normal(4) * math.sqrt(share), draws + normal(5) * math.sqrt(share)
    assert luck_share(first, second, first) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(("first", "second", "everything"), [
    (np.arange(9.0), np.arange(9.0), np.arange(9.0)),
    (np.full(20, 3.0), np.full(20, 3.0), np.full(20, 3.0)),
    (np.array([NEVER] * 5 + [1.0, 2.0] * 10), np.arange(25.0), np.arange(25.0)),
    (np.arange(20.0), np.arange(20.0), np.array([NEVER] * 5 + [1.0, 2.0] * 10)),
], ids=["too few", "no variation", "twins never", "runs never"])  # fmt: skip
def test_the_share_of_luck_is_unknown_where_it_cannot_be_told(first: Any, second: Any, everything: Any) -> None:
    assert luck_share(first, second, everything) is None


def test_a_few_runs_that_never_get_there_are_left_out() -> None:
    first, second = normal(6, 100), normal(7, 100)
    first[:5] = NEVER
    assert luck_share(first, second, first) == pytest.approx(luck_share(first[5:], second[5:], first[5:]))
