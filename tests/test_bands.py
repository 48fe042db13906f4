"""Bands of very many runs: what is counted is what was run, in memory that does not grow, on any number of workers."""

import json
import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import blocks, outcomes, report, store, store_bands, stored
from sim import ensemble as ensembles
from sim.bands import EXACT, MOST_ERRORS, Bands, Counted, Tally, bins_of, values_of
from sim.blocks import keeps_runs, run_bands
from sim.ensemble import run_ensemble
from sim.outcomes import OUTCOMES, band
from sim.parameters import InputError
from sim.results import SERIES, Ensemble
from tests.plays import scenario_of

# Short, and early enough that thousands are in place.
SHORT = scenario_of({"review.days": 1.0, "volunteers.share": 0.1, "screening.rate": 10_000.0}, 30)
N = 2_000
PLAN = {"draws": N, "is_paired": True, "replications": N, "known": "H", "command": "python -m sim run"}
# Half the width of a bin: what a value can be off at most.
OFF = 0.5 / 1024


@pytest.fixture(scope="module")
def whole() -> Ensemble:
    return run_ensemble(SHORT, 1, replications=N)


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Any:
    """Blocks so small that there are several, the last one shorter."""
    patch = pytest.MonkeyPatch()
    patch.setattr(blocks, "BLOCK", {"compiled": 300, "simpy": 4})
    yield
    patch.undo()


@pytest.fixture(scope="module")
def bands(small_blocks: None) -> Bands:
    return run_bands(SHORT, 1, replications=N)


def assert_same(here: Bands, there: Bands) -> None:
    """Count by count."""
    assert here.digest == there.digest
    assert (here.n_run, here.n_failed, here.errors) == (there.n_run, there.n_failed, there.errors)
    np.testing.assert_array_equal(here.status_counts, there.status_counts)
    assert set(here.outcomes) == set(there.outcomes)
    for name in (*SERIES, *here.outcomes):
        a, b = ((each.series | each.outcomes)[name] for each in (here, there))
        for day in range(a.n_days):
            mine, theirs = a.on(day), b.on(day)
            assert mine.values.tolist() == theirs.values.tolist(), name
            assert mine.runs.tolist() == theirs.runs.tolist(), name
            assert mine.n_never == theirs.n_never, name
    assert here.luck_share == there.luck_share


# --- Bins


def test_small_whole_numbers_have_a_bin_of_their_own() -> None:
    numbers = np.arange(EXACT)
    assert bins_of(numbers).tolist() == bins_of(numbers.astype(float)).tolist() == numbers.tolist()
    assert values_of(numbers).tolist() == numbers.tolist()


def test_bins_follow_each_other_without_a_gap() -> None:
    found = bins_of(np.arange(40_000))
    assert set(np.diff(found).tolist()) == {0, 1}
    # 2,048 and 2,049 share one; from 4,096 on four do, and so on.
    assert np.bincount(found)[[2_047, 2_048, 3_071, 3_072, 4_095, 4_096]].tolist() == [1, 2, 2, 4, 4, 8]


@given(st.integers(0, 2**40))
def test_a_number_is_told_within_half_a_thousandth(number: int) -> None:
    place = bins_of(np.array([number]))
    told = float(values_of(place)[0])
    assert told == number if number < EXACT else abs(told - number) <= OFF * number
    assert bins_of(np.array([told])) == place


@given(st.lists(st.one_of(st.integers(0, EXACT - 1), st.just(math.nan)), min_size=1, max_size=60), st.integers(1, 59))
def test_counts_say_what_the_numbers_say(numbers: list[float], cut: int) -> None:
    values = np.array(numbers, float)
    tally = Tally()
    for part in (values[:cut], values[cut:]):
        tally.add(part[:, np.newaxis])
    counted = tally.on(0)
    assert band(counted) == band(values)
    known = values[~np.isnan(values)]
    assert [counted[rank] for rank in range(len(counted))] == [
        *np.sort(known),
        *[math.inf] * (len(values) - len(known)),
    ]
    if len(known) > 1:
        assert counted.mean() == pytest.approx(known.mean())
        assert counted.variance() == pytest.approx(known.var(ddof=1))


def test_days_before_approval_are_counted() -> None:
    tally = Tally(lowest=-180)
    tally.add(np.array([[-180.0], [-3.0], [4.0]]))
    assert tally.on(0).values.tolist() == [-180, -3, 4]


def test_nothing_counted_is_no_run() -> None:
    assert band(Tally().on(0)).n == 0
    assert math.isnan(Counted(np.array([]), np.array([], int)).mean())


# --- Against runs that are kept whole


def close(here: float | None, there: float | None) -> bool:
    """Equal below 2,048, within half a bin above (half of one at each end where a value lies between two)."""
    if here is None or there is None:
        return here is there
    return here == pytest.approx(there, rel=1e-12 if abs(there) < EXACT - 1 else OFF)


def test_the_digest_and_statuses_are_those_of_the_kept_runs(bands: Bands, whole: Ensemble) -> None:
    assert bands.is_complete
    assert bands.n_finished == N
    assert bands.digest == whole.digest
    np.testing.assert_array_equal(bands.status_counts, whole.status_counts)


def test_every_outcome_has_the_same_band(bands: Bands, whole: Ensemble) -> None:
    here, there = outcomes.values_of(bands), outcomes.values_of(whole)
    assert list(here) == list(there) == [*OUTCOMES, *(f"days_to_{n}_from_approval" for n in (25, 50, 75, 100))]
    for name in here:
        a, b = band(here[name]), band(there[name])
        assert (a.n, a.never) == (b.n, b.never), name
        assert all(close(getattr(a, key), getattr(b, key)) for key in ("median", "p05", "p95")), (name, a, b)
    # Small and large numbers, and some that never happen, or nothing was shown.
    peak = band(there["peak_in_place"])
    assert (peak.p05 or 0) < EXACT < (peak.p95 or 0)
    assert 0.0 < band(there["days_to_50"]).never < 1.0


def test_every_day_has_the_same_band(bands: Bands, whole: Ensemble) -> None:
    for name in SERIES:
        here, there = (outcomes.quantiles_by_day(each, name, (0.05, 0.5, 0.95)) for each in (bands, whole))
        assert here.shape == (3, 31)
        assert all(map(close, here.ravel().tolist(), there.ravel().tolist())), name


def test_luck_and_assumptions_are_told_apart_alike(bands: Bands, whole: Ensemble) -> None:
    assert set(bands.luck_share) == set(whole.luck_share) == set(OUTCOMES)
    for name, share in whole.luck_share.items():
        mine = bands.luck_share[name]
        assert mine is share if share is None else mine == pytest.approx(share, rel=0.01), name
    assert any(share is not None for share in whole.luck_share.values())


def test_the_report_has_the_same_keys_and_words(bands: Bands, whole: Ensemble) -> None:
    here, there = (report.as_json(each, PLAN) for each in (bands, whole))
    assert list(here) == list(there)
    for key in ("digest", "runs", "states_agreeing", "days_to", "days_to_from_approval"):
        assert here[key] == there[key], key
    assert {key: list(each) for key, each in here["outcomes"].items()} == {
        key: list(each) for key, each in there["outcomes"].items()
    }


# --- Workers, blocks and memory


def test_workers_and_sizes_of_blocks_change_nothing(bands: Bands, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(run_bands(SHORT, 1, replications=N, jobs=2), bands)
    monkeypatch.setattr(blocks, "BLOCK", {"compiled": 1_111})
    assert_same(run_bands(SHORT, 1, replications=N), bands)


def test_crossed_draws_are_those_of_the_kept_runs() -> None:
    here, there = (each(SHORT, 1, 12, 60) for each in (run_bands, run_ensemble))
    assert here.digest == there.digest
    assert here.luck_share["states_agreeing"] == pytest.approx(there.luck_share["states_agreeing"])
    assert not run_bands(SHORT, 1, 0, 60).luck_share


def peak(work: Callable[[], Any]) -> int:
    """Most bytes that Python and NumPy held at once during some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_runs() -> None:
    few, many = (peak(lambda n=n: run_bands(SHORT, 1, replications=n, with_twins=False)) for n in (600, 2_400))
    assert many < 1.1 * few
    kept_few, kept_many = (
        peak(lambda n=n: run_ensemble(SHORT, 1, replications=n, with_twins=False)) for n in (600, 2_400)
    )
    assert kept_many > 2 * kept_few


def test_progress_counts_all_runs() -> None:
    told: list[tuple[str, int, int]] = []
    run_bands(SHORT, 1, replications=700, with_twins=False, progress=lambda *step: told.append(step))
    numbers = [n for _, n, _ in told]
    assert {(stage, total) for stage, _, total in told} == {("runs", 700)}
    assert numbers == sorted(set(numbers))
    assert {300, 600, 700} <= set(numbers)


@pytest.mark.parametrize(("wanted", "n", "is_whole"), [
    ("auto", 20_000, True), ("auto", 20_001, False), ("bands", 1, False), ("runs", 50_000, True),
])  # fmt: skip
def test_what_is_kept_is_a_matter_of_number_or_wish(wanted: str, n: int, is_whole: bool) -> None:
    assert keeps_runs(wanted, n) is is_whole


def test_another_word_for_keeping_is_refused() -> None:
    with pytest.raises(InputError, match="--keep 'all' is not one of 'auto', 'runs', 'bands'"):
        keeps_runs("all", 5)


# --- Failures, interruptions and the disk


def breaking(monkeypatch: pytest.MonkeyPatch, errors: dict[int, BaseException]) -> None:
    """Let some replications fail."""
    real = ensembles.model.run

    def run(setting: Any, number: int, with_events: bool = False) -> Any:
        if number in errors:
            raise errors[number]
        return real(setting, number, with_events)

    monkeypatch.setattr(ensembles.model, "run", run)


def test_failing_runs_are_counted_and_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    n = MOST_ERRORS + 6
    breaking(monkeypatch, {k: ZeroDivisionError(f"number {k}") for k in range(1, n - 1)})
    few = scenario_of({"review.days": 1.0}, 2)
    here, there = (each(few, 1, 0, n, engine="simpy") for each in (run_bands, run_ensemble))
    assert here.digest == there.digest
    assert (here.n_finished, here.n_failed, here.is_complete) == (2, n - 2, True)
    assert here.errors == {k: f"ZeroDivisionError: number {k}" for k in range(1, MOST_ERRORS + 1)}
    assert band(outcomes.values_of(here)["volunteers"]).n == 2


def test_an_interruption_keeps_whole_blocks_and_the_rest_can_follow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few = scenario_of({"review.days": 1.0}, 6)
    complete = run_bands(few, 1, replications=14)
    with monkeypatch.context() as patch, store_bands.Writer(tmp_path / "part") as writer:
        breaking(patch, {9: KeyboardInterrupt(), 2: ZeroDivisionError("made up")})
        with pytest.raises(KeyboardInterrupt) as caught:
            run_bands(few, 1, replications=14, engine="simpy", block_done=writer.block_done)
        so_far: Bands = caught.value.args[0]
        writer.finish(so_far, {**PLAN, "draws": 14, "replications": 14})
    assert (so_far.n_run, so_far.n_failed, so_far.is_complete) == (8, 1, False)
    loaded, manifest = store_bands.load(tmp_path / "part")
    assert_same(loaded, so_far)
    assert (manifest["finished"], manifest["failed"], manifest["complete"]) == (7, 1, False)
    resumed = run_bands(few, 1, replications=14, engine="simpy", started=loaded)
    failed = run_ensemble(few, 1, replications=14)
    failed.hashes[2] = 0
    assert resumed.digest == failed.digest != complete.digest
    assert (resumed.n_finished, resumed.errors) == (13, {2: "ZeroDivisionError: made up"})
    with pytest.raises(InputError, match="another scenario, seed or number of runs"):
        run_bands(few, 2, replications=14, started=loaded)


@pytest.fixture(scope="module")
def kept(small_blocks: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bands]:
    folder = tmp_path_factory.mktemp("results") / "many"
    with store_bands.Writer(folder) as writer:
        made = run_bands(SHORT, 1, replications=N, block_done=writer.block_done)
        writer.finish(made, PLAN, with_csv=True)
    return folder, made


def test_what_is_loaded_is_what_was_counted(kept: tuple[Path, Bands], bands: Bands) -> None:
    folder, made = kept
    loaded, manifest = store_bands.load(folder)
    assert_same(loaded, made)
    assert_same(loaded, bands)
    assert loaded.is_complete
    assert manifest["kept"] == "bands"
    assert manifest["digest"] == bands.digest
    assert [path.name for path in folder.parent.iterdir()] == ["many"]


def test_rows_of_runs_are_those_of_a_folder_of_whole_runs(kept: tuple[Path, Bands], whole: Ensemble) -> None:
    # As data frames, in which a NaN equals a NaN.
    assert pq.read_table(kept[0] / "runs.parquet").to_pandas().equals(store.runs_table(whole).to_pandas())
    lines = (kept[0] / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == N + 1
    assert lines[N].split(",")[0] == str(N - 1)


def test_counts_on_disk_add_up_to_the_runs(kept: tuple[Path, Bands]) -> None:
    counts = pq.read_table(kept[0] / "counts.parquet").to_pandas()
    assert (counts.groupby(["what", "day"], dropna=False)["runs"].sum() == N).all()
    assert set(counts["what"]) == {*SERIES, *kept[1].outcomes}


def test_each_kind_of_results_is_known_for_what_it_is(kept: tuple[Path, Bands]) -> None:
    folder, made = kept
    (found,) = stored.found(folder.parent)
    assert (found.kind, found.n_runs, found.is_complete) == ("runs", N, True)
    result, _ = stored.loaded(found)
    assert isinstance(result, Bands)
    assert result.digest == made.digest
    with pytest.raises(InputError, match="bands alone were kept"):
        stored.loaded_runs(found)
    with pytest.raises(InputError, match="keep bands"):
        store.load(folder)
    assert stored.delete(found) > 0
    assert not folder.exists()


@pytest.mark.parametrize("name", ["runs.parquet", "counts.parquet", "states.parquet"])
def test_a_table_of_other_results_is_told(name: str, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, days in zip(folders, (2, 3), strict=True):
        with store_bands.Writer(folder) as writer:
            made = run_bands(scenario_of({}, days), 1, replications=10, block_done=writer.block_done, engine="compiled")
            writer.finish(made, {**PLAN, "draws": 10, "replications": 10})
    (folders[1] / name).replace(folders[0] / name)
    with pytest.raises(InputError, match=r"cannot be read|has been changed"):
        store_bands.load(folders[0])


def test_a_writing_that_ends_early_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), store_bands.Writer(tmp_path / "r") as writer:
        run_bands(SHORT, 1, replications=300, with_twins=False, block_done=writer.block_done)
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
    manifest = {"format": 1, "kept": "runs"}
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="manifest"):
        store_bands.load(tmp_path / "r")
