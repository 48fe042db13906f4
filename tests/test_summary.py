"""Summaries: the numbers of the ensemble itself, read-only, and a hundredth of its size."""

import numpy as np
import pytest

from sim.ensemble import run_ensemble
from sim.outcomes import band, days_to, measure_all
from sim.results import ACCEPTED, DECLINED, LIMITED, SERIES, Ensemble
from sim.scenario import Scenario
from sim.summary import LEVELS, PARTS, TOGETHER, Summary, dates, mean, quantiles, summarize


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    found = run_ensemble(Scenario("short", "Short", "What then?", days=60), 1, None, 12, with_twins=False)
    # One run failed: it must be left out everywhere.
    found.done[4] = False
    found.errors[4] = "ValueError: a rule broke"
    return found


@pytest.fixture(scope="module")
def summary(ensemble: Ensemble) -> Summary:
    return summarize(ensemble)


@pytest.mark.parametrize("name", SERIES)
def test_bands_and_means_are_those_of_the_runs_that_finished(ensemble: Ensemble, summary: Summary, name: str) -> None:
    finished = [ensemble.series[k, SERIES.index(name)] for k in range(12) if k != 4]
    assert np.allclose(quantiles(summary, name), np.quantile(finished, LEVELS, axis=0), rtol=1e-6)
    assert np.allclose(mean(summary, name), np.mean(finished, axis=0), rtol=1e-6)
    assert np.allclose(quantiles(summary, name), quantiles(ensemble, name), rtol=1e-6)
    assert np.allclose(mean(summary, name), mean(ensemble, name), rtol=1e-6)


def test_the_share_that_reached_a_part_never_falls_and_is_the_outcome(ensemble: Ensemble, summary: Summary) -> None:
    assert summary.reached.shape == (len(PARTS), 61)
    assert (np.diff(summary.reached, axis=1) >= 0).all()
    assert (np.diff(summary.reached, axis=0) <= 0).all()
    quarter = days_to(ensemble, 25)
    for day in (0, 30, 60):
        assert summary.reached[PARTS.index(0.25), day] == pytest.approx(np.mean(quarter <= day))


@pytest.mark.parametrize("target", [20000, 12345, 1])
def test_a_part_of_the_target_is_reached_by_so_many_and_not_by_fewer(target: int) -> None:
    # Parts of most targets are no whole number of people, and those of a target of one lie within the first.
    scenario = Scenario("short", "Short", "What then?", days=120, values={"request.target": target})
    found = run_ensemble(scenario, 1, None, 20, with_twins=False)
    so_far = np.maximum.accumulate(found.daily("in_place"), axis=1)
    expected = [(so_far >= part * target).mean(axis=0) for part in PARTS]
    assert np.array_equal(summarize(found).reached, np.array(expected, np.float32))
    assert 0.0 < np.max(expected)


@pytest.mark.parametrize("largest", [10**6, 10**9])
def test_means_and_bands_of_many_large_counts_are_those_of_numpy(largest: int) -> None:
    # More runs than are turned into rows together; a thousand million people in each of them are more than 32 bits hold.
    found = run_ensemble(Scenario("short", "Short", "What then?", days=5), 1, None, TOGETHER + 3, with_twins=False)
    found.series[:] = np.random.default_rng(1).integers(0, largest, found.series.shape)
    summary = summarize(found)
    assert np.array_equal(summary.means, found.series.mean(axis=0).astype(np.float32))
    expected = np.quantile(found.series, LEVELS, axis=0).swapaxes(0, 1)
    assert np.allclose(summary.bands, expected, rtol=1e-6)


def test_threads_that_take_part_change_nothing(ensemble: Ensemble, summary: Summary) -> None:
    found = summarize(ensemble, jobs=2)
    for name in ("bands", "means", "reached", "status_counts", "last_status"):
        assert np.array_equal(getattr(found, name), getattr(summary, name)), name


def test_daily_counts_of_finished_runs_can_be_read_and_not_changed() -> None:
    whole = run_ensemble(Scenario("short", "Short", "What then?", days=20), 1, None, 3, with_twins=False)
    assert np.array_equal(whole.daily("entered"), whole.series[:, SERIES.index("entered")])
    with pytest.raises(ValueError, match="read-only"):
        whole.daily("entered")[0, 0] = 1
    # The runs themselves stay as they were made: whoever keeps a run writes into its place.
    whole.series[0, SERIES.index("entered"), 0] = 7
    assert whole.daily("entered")[0, 0] == 7


def test_outcomes_are_those_of_the_ensemble(ensemble: Ensemble, summary: Summary) -> None:
    for name, values in measure_all(ensemble).items():
        assert summary.outcome(name) == band(values)
    assert (summary.runs, summary.failed, summary.first_error) == (11, 1, "ValueError: a rule broke")
    assert len(summary.last_status) == len(summary.pairs) == 11
    assert summary.digest == ensemble.digest


def test_shares_of_statuses_are_parts_of_all_runs() -> None:
    ensemble = run_ensemble(Scenario("short", "Short", "What then?", days=20), 1, None, 5, with_twins=False)
    summary = summarize(ensemble)
    assert np.allclose(summary.share(tuple(range(9))), 1.0)
    agreeing = summary.share((ACCEPTED, LIMITED))[-1]
    assert agreeing[:8] == pytest.approx(
        [np.isin(ensemble.last_status[:, k], (ACCEPTED, LIMITED)).mean() for k in range(8)]
    )
    assert summary.share((DECLINED,)).shape == (21, 54)


def test_nobody_can_change_what_all_share(summary: Summary) -> None:
    arrays = (summary.bands, summary.means, summary.reached, summary.status_counts, summary.values["troop_days"])
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_summary_is_small(ensemble: Ensemble, summary: Summary) -> None:
    per_run = sum(values.nbytes for values in summary.values.values()) / summary.runs + summary.last_status.shape[1]
    assert per_run < 400
    # What does not grow with the runs.
    assert summary.bands.nbytes + summary.means.nbytes + summary.reached.nbytes + summary.status_counts.nbytes < 300_000


def test_dates_are_counted_from_the_start(summary: Summary) -> None:
    assert dates(summary, [0, 17]) == ["2025-05-15", "2025-06-01"]
