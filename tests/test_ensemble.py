"""Ensembles: which runs there are, that workers and interruptions change nothing, and that a failing run is told."""

import math
from typing import Any

import numpy as np
import pytest

from sim import ensemble as ensembles
from sim import luck, model, outcomes
from sim.ensemble import empty, pairs_of, run_ensemble
from sim.parameters import InputError, register
from sim.results import SERIES, STATUSES, Ensemble
from sim.scenario import Scenario
from sim.setting import setting_of, uncertain_names
from tests.plays import scenario_of

# Short and early, so that something happens in it.
SHORT: Scenario = scenario_of({"review.days": 1.0, "volunteers.share": 0.05}, 30)


@pytest.fixture(scope="module")
def twelve() -> Ensemble:
    return run_ensemble(SHORT, 1, replications=12)


def assert_equal(here: Ensemble, there: Ensemble) -> None:
    assert here.digest == there.digest
    for name in ("done", "series", "status_counts", "last_status", "numbers", "approval", "hashes"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name), err_msg=name)
    assert here.luck_share == there.luck_share
    assert here.events == there.events
    assert here.errors == there.errors


# --- Which runs


def test_by_default_run_r_is_draw_r_with_luck_r() -> None:
    assert pairs_of(None, 3) == ((0, 0), (1, 1), (2, 2))


def test_no_draws_hold_the_uncertainties_and_vary_luck_alone() -> None:
    assert pairs_of(0, 3) == ((None, 0), (None, 1), (None, 2))


def test_draws_and_replications_are_crossed() -> None:
    assert pairs_of(2, 3) == ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))


@pytest.mark.parametrize(("draws", "replications"), [(None, 0), (2, 0), (-1, 5), (None, 10**9 + 1), (2_000, 10**6)])
def test_plans_without_runs_or_with_too_many_are_refused(draws: int | None, replications: int) -> None:
    with pytest.raises(InputError, match=r"at least one run|runs are more than"):
        pairs_of(draws, replications)


def test_more_runs_than_memory_holds_are_not_kept_whole() -> None:
    with pytest.raises(InputError, match="1,000,001 runs are more than the 1,000,000 that can be kept whole"):
        run_ensemble(SHORT, 1, replications=1_000_001)


@pytest.mark.parametrize("draws", [None, 0, 3])
def test_a_plan_is_a_sequence_like_any_other(draws: int | None) -> None:
    pairs = pairs_of(draws, 4)
    listed = list(pairs)
    assert pairs == tuple(listed) == pairs_of(draws, 4)
    assert [pairs[k] for k in range(len(pairs))] == listed
    assert (pairs[-1], pairs[1:3]) == (listed[-1], tuple(listed[1:3]))
    assert pairs not in (pairs_of(draws, 5), tuple(listed[1:]), [*listed[1:], (7, 7)], "other")
    with pytest.raises(IndexError):
        pairs[len(pairs)]


def test_a_plan_of_very_many_runs_needs_no_memory() -> None:
    assert pairs_of(1_000, 1_000_000)[-1] == (999, 999_999)


# --- What is kept


def test_an_ensemble_keeps_each_run_in_its_place(twelve: Ensemble) -> None:
    assert twelve.is_complete
    assert not twelve.errors
    for k in (0, 5, 11):
        run = model.run(setting_of(SHORT, 1, k), k)
        assert twelve.hashes[k] == run.hash
        assert twelve.series[k, SERIES.index("in_place")].tolist() == run.in_place.tolist()
        assert twelve.last_status[k].tolist() == run.status[-1].tolist()
        assert tuple(twelve.numbers[k]) == tuple(run.p)
        assert twelve.approval[k] == (-1 if run.approval_day is None else run.approval_day)


def test_statuses_are_counted_over_runs(twelve: Ensemble) -> None:
    assert (twelve.status_counts.sum(axis=2) == 12).all()
    last = [(twelve.last_status == code).sum(axis=0) for code in range(len(STATUSES))]
    assert np.array_equal(twelve.status_counts[-1].T, last)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_task_of_a_study_has_the_same_runs_without_counts_of_statuses(twelve: Ensemble, engine: str) -> None:
    few = ensembles.run_pairs(SHORT, 1, ((3, 3), (7, 7)), engine)
    assert few.status_counts.shape == (0, *twelve.status_counts.shape[1:])
    for name in ("series", "last_status", "numbers", "approval", "hashes"):
        assert np.array_equal(getattr(few, name), getattr(twelve, name)[[3, 7]]), name


def test_uncertainties_vary_and_everything_else_stays(twelve: Ensemble) -> None:
    varying = {name for k, name in enumerate(register()) if np.ptp(twelve.numbers[:, k]) > 0}
    assert varying <= set(uncertain_names())
    # The scenario sets two of them; whole numbers may coincide by chance.
    assert len(varying) > 0.9 * len(uncertain_names())
    assert not {"review.days", "volunteers.share"} & varying


def test_no_draws_hold_every_uncertainty_at_its_default() -> None:
    ensemble = run_ensemble(SHORT, 1, draws=0, replications=3)
    defaults = [entry.number(SHORT.value(name)) for name, entry in register().items()]
    assert (ensemble.numbers == defaults).all()
    assert len(set(ensemble.hashes.tolist())) == 3
    assert not ensemble.luck_share


def test_a_crossed_ensemble_gives_every_draw_every_luck() -> None:
    ensemble = run_ensemble(SHORT, 1, draws=2, replications=2)
    mission = ensemble.numbers[:, list(register()).index("support.mission")]
    assert mission[0] == mission[1] != mission[2] == mission[3]
    assert ensemble.hashes[3] == model.run(setting_of(SHORT, 1, 1), 1).hash
    assert len(set(ensemble.hashes.tolist())) == 4


def test_more_runs_begin_with_the_same_ones(twelve: Ensemble) -> None:
    few = run_ensemble(SHORT, 1, replications=5)
    assert few.hashes.tolist() == twelve.hashes[:5].tolist()


def test_another_seed_gives_other_runs(twelve: Ensemble) -> None:
    other = run_ensemble(SHORT, 2, replications=3)
    assert not set(other.hashes.tolist()) & set(twelve.hashes.tolist())


def test_two_scenarios_are_paired_until_a_lever_moves() -> None:
    moved = SHORT.with_values({"tour.days": 60})
    here, there = (run_ensemble(s, 1, replications=3, with_twins=False) for s in (SHORT, moved))
    same = [name for name in register() if name != "tour.days"]
    columns = [list(register()).index(name) for name in same]
    assert np.array_equal(here.numbers[:, columns], there.numbers[:, columns])
    assert np.array_equal(here.approval, there.approval)


def test_events_are_kept_when_asked_for() -> None:
    ensemble = run_ensemble(SHORT, 1, replications=2, with_events=True)
    assert sorted(ensemble.events) == [0, 1]
    assert ensemble.events[1] == model.run(setting_of(SHORT, 1, 1), 1, with_events=True).events


def test_progress_is_told_after_every_run() -> None:
    told: list[tuple[str, int, int]] = []
    run_ensemble(SHORT, 1, replications=10, engine="simpy", progress=lambda *step: told.append(step))
    assert told == [("runs", n, 10) for n in range(1, 11)] + [("luck apart", n, 10) for n in range(1, 11)]


# --- Luck apart


def test_twins_have_the_same_draw_under_luck_that_no_run_has(twelve: Ensemble) -> None:
    places = [(k, model.run(setting_of(SHORT, 1, k), luck.TWIN + k)) for k in range(12)]
    measured = outcomes.measure_all(twelve)
    peaks = np.array([run.in_place.max() for _, run in places], float)
    expected = outcomes.luck_share(measured["peak_in_place"], peaks, measured["peak_in_place"])
    assert expected is not None
    assert twelve.luck_share["peak_in_place"] == pytest.approx(expected)
    assert set(twelve.luck_share) == set(outcomes.OUTCOMES)
    assert all(share is None or 0.0 <= share <= 1.0 for share in twelve.luck_share.values())


def test_too_few_draws_leave_the_share_of_luck_untold() -> None:
    assert not run_ensemble(SHORT, 1, replications=9).luck_share
    assert not run_ensemble(SHORT, 1, draws=2, replications=6).luck_share


def test_what_is_certain_has_no_share_of_luck() -> None:
    # Hiring knows no luck: what varies is what is drawn.
    hiring = scenario_of({"hiring.vetting_days": 0, "hiring.weeks": 1, "hiring.seats": 200_000, "review.days": 0.0}, 20)
    shares = run_ensemble(hiring, 1, replications=12).luck_share
    assert shares["cost_hired"] == 0.0


# --- Workers


def test_two_workers_give_what_one_gives(twelve: Ensemble) -> None:
    assert_equal(run_ensemble(SHORT, 1, replications=12, jobs=2), twelve)


# --- Failures and interruptions


def broken(monkeypatch: pytest.MonkeyPatch, replication: int, error: BaseException) -> None:
    """Let one replication fail."""
    real = model.run

    def run(setting: Any, number: int, with_events: bool = False) -> Any:
        if number == replication:
            raise error
        return real(setting, number, with_events)

    monkeypatch.setattr(ensembles.model, "run", run)


def test_one_failing_run_is_told_and_the_others_are_kept(twelve: Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, 4, ZeroDivisionError("nobody is left"))
    ensemble = run_ensemble(SHORT, 1, replications=12, engine="simpy")
    assert ensemble.errors == {4: "ZeroDivisionError: nobody is left"}
    assert ensemble.is_complete
    assert ensemble.done.tolist() == [k != 4 for k in range(12)]
    others = [k for k in range(12) if k != 4]
    assert np.array_equal(ensemble.hashes[others], twelve.hashes[others])
    assert np.array_equal(ensemble.series[others], twelve.series[others])
    assert ensemble.hashes[4] == 0
    assert ensemble.digest != twelve.digest
    assert len(ensemble.daily("in_place")) == 11
    assert (ensemble.status_counts.sum(axis=2) == 11).all()
    # Eleven draws have both lucks, so luck can still be told apart, over the same pairs.
    measured = outcomes.measure_all(ensemble)
    twins = [model.run(setting_of(SHORT, 1, k), luck.TWIN + k).in_place.max() for k in others]
    expected = outcomes.luck_share(measured["peak_in_place"], np.array(twins, float), measured["peak_in_place"])
    assert ensemble.luck_share["peak_in_place"] == pytest.approx(expected)


def test_a_failed_run_can_be_run_again(twelve: Ensemble, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        broken(patch, 4, ZeroDivisionError("nobody is left"))
        ensemble = run_ensemble(SHORT, 1, replications=12)
    assert_equal(run_ensemble(SHORT, 1, replications=12, started=ensemble), twelve)


@pytest.mark.parametrize("where", [7, luck.TWIN + 3], ids=["in a run", "in a twin"])
def test_an_interruption_keeps_what_has_finished_and_the_rest_can_follow(
    where: int, twelve: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        broken(patch, where, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt) as caught:
            run_ensemble(SHORT, 1, replications=12, engine="simpy")
    so_far = caught.value.args[0]
    n_finished = min(where, 12)
    assert so_far.done.tolist() == [k < n_finished for k in range(12)]
    assert np.array_equal(so_far.series[:n_finished], twelve.series[:n_finished])
    assert so_far.is_complete == (n_finished == 12)
    told: list[tuple[str, int, int]] = []
    progress = lambda *step: told.append(step)  # noqa: E731
    resumed = run_ensemble(SHORT, 1, replications=12, engine="simpy", started=so_far, progress=progress)
    assert_equal(resumed, twelve)
    assert [step for step in told if step[0] == "runs"] == [("runs", n, 12) for n in range(n_finished + 1, 13)]


@pytest.mark.parametrize(("scenario", "seed", "n"), [
    (SHORT, 2, 12),
    (SHORT, 1, 11),
    (SHORT.with_values({"tour.days": 60}), 1, 12),
])  # fmt: skip
def test_runs_of_another_plan_are_not_gone_on_with(scenario: Scenario, seed: int, n: int, twelve: Ensemble) -> None:
    with pytest.raises(InputError, match="another scenario, seed or number of runs"):
        run_ensemble(scenario, seed, replications=n, started=twelve)


def test_a_new_ensemble_has_nothing_in_it() -> None:
    blank = empty(SHORT, 1, pairs_of(None, 4))
    assert not blank.is_complete
    assert not blank.done.any()
    assert blank.n_days == 31
    assert math.isnan(blank.numbers[0, 0])
    assert all(not len(values) for values in outcomes.measure_all(blank).values())
