"""Results on disk: what is saved is what is loaded, repeated and gone on with; nothing is overwritten."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim import outcomes, store
from sim.ensemble import run_ensemble
from sim.parameters import InputError, register
from sim.results import Ensemble, Event
from sim.scenario_files import load

SCENARIO = load(Path(__file__).parent.parent / "scenarios" / "incident_day_40.toml").with_values({}, days=50)
PLAN = {"draws": 3, "is_paired": True, "replications": 3, "known": "H", "command": "python -m sim run"}


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return run_ensemble(SCENARIO, 7, None, 3, with_events=True)


@pytest.fixture
def saved(ensemble: Ensemble, tmp_path: Path) -> Path:
    return store.save(ensemble, tmp_path / "results", PLAN)


def test_loading_gives_back_what_was_saved(ensemble: Ensemble, saved: Path) -> None:
    loaded, manifest = store.load(saved)
    for each in fields(Ensemble):
        mine, theirs = getattr(ensemble, each.name), getattr(loaded, each.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, theirs, err_msg=each.name)
        elif each.name != "seconds":
            assert mine == theirs, each.name
    assert manifest["digest"] == loaded.digest == ensemble.digest


def test_tables_have_the_promised_rows_and_columns(ensemble: Ensemble, saved: Path) -> None:
    runs = pq.read_table(saved / "runs.parquet")
    assert runs.num_rows == 3
    assert set(register()) <= set(runs.column_names)
    assert set(outcomes.OUTCOMES) <= set(runs.column_names)
    assert pq.read_table(saved / "timeseries.parquet").num_rows == 3 * 51
    assert pq.read_table(saved / "states.parquet").num_rows == 51 * 54
    assert pq.read_table(saved / "events.parquet").column_names == list(Event._fields)


def test_each_run_is_in_exactly_one_status_per_state_and_day(saved: Path) -> None:
    states = pq.read_table(saved / "states.parquet").to_pandas().drop(columns=["day", "state"])
    assert (states.sum(axis=1) == 3).all()


def test_csv_says_the_same_as_parquet(ensemble: Ensemble, tmp_path: Path) -> None:
    folder = store.save(ensemble, tmp_path / "with_csv", PLAN, with_csv=True)
    lines = (folder / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    assert lines[0].split(",")[0] == '"run"'


def test_a_used_folder_is_refused_and_left_alone(saved: Path) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    with pytest.raises(InputError, match="not empty"):
        store.check_free(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_a_writing_that_fails_leaves_the_old_results(
    ensemble: Ensemble, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}

    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store, "states_table", full_disk)
    with pytest.raises(OSError, match="No space"):
        store.save(ensemble, saved, PLAN)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["results"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', '{"format": 99}', "[" * 100_000])
def test_a_broken_manifest_is_told_in_one_paragraph(saved: Path, text: str) -> None:
    (saved / store.MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        store.load(saved)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_format_is_told(saved: Path) -> None:
    manifest = json.loads((saved / store.MANIFEST).read_text())
    (saved / store.MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(InputError, match="format = 99"):
        store.load(saved)


def test_a_changed_scenario_is_told(saved: Path) -> None:
    path = saved / "scenario.toml"
    path.write_text(path.read_text().replace("day = 40", "day = 41"))
    with pytest.raises(InputError, match="has been changed"):
        store.load(saved)


def test_a_damaged_table_is_told(saved: Path) -> None:
    (saved / "runs.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(InputError, match="tables cannot be read"):
        store.load(saved)


def test_failed_runs_are_stored_with_their_error(ensemble: Ensemble, tmp_path: Path) -> None:
    broken = run_ensemble(SCENARIO, 7, None, 3)
    broken.done[1] = False
    broken.errors[1] = "ValueError: made up"
    loaded, manifest = store.load(store.save(broken, tmp_path / "broken", PLAN))
    assert loaded.errors == {1: "ValueError: made up"}
    assert manifest["failed"] == 1
    assert loaded.done.tolist() == [True, False, True]
