"""Experiments: designs, a sweep worked out by hand, rows that survive kills, other workers, and hostile files."""

import csv
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim import ensemble, experiments
from sim.commands.common import app
from sim.designs import ExperimentFile, Factor
from sim.ensemble import run_pairs
from sim.experiments import (
    Experiment,
    digest_of,
    experiment_of,
    load,
    load_experiment,
    points,
    problem,
    run,
    sample,
    summaries,
)
from sim.outcomes import OUTCOMES, measure_all
from sim.parameters import InputError, register
from sim.scenario import Scenario
from sim.scenario_files import parse
from tests.clusters import PATIENCE, Cluster, cluster_in, wait_for

ROOT = Path(__file__).resolve().parent.parent
# How often the sweep is killed; more for a thorough look.
KILLS = int(os.environ.get("SIM_KILLS", "5"))

SHORT = """
schema = 1
title = "A short request"
question = "What happens in 30 days?"
days = 30
[request]
asked = ["TX", "FL", "OH"]
deadline_days = 10
[assumptions]
"review.days" = 1.0
"decide.pace" = 0.09
"""
WORDS = {"title": "A small sweep", "question": "What changes?"}
BASE = parse(SHORT, "short")
GRID = {"request.target": [5000, 10000], "tour.days": [30, 60, 90]}


@pytest.fixture(scope="module", autouse=True)
def _machine_code() -> None:
    """Compiled once beforehand, so that no test waits for it."""
    ensemble.compiled.prepare()


def small(design: str = "grid", **more: Any) -> Experiment:
    """An experiment around the short scenario."""
    if design == "grid":
        more = {"levers": GRID, **more}
    return experiment_of({**WORDS, "design": design, **more}, BASE, "small")


def written(folder: Path, text: str = "", name: str = "small.toml") -> Path:
    """An experiment file beside its base."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "short.toml").write_text(SHORT)
    path = folder / name
    path.write_text(
        'schema = 1\ntitle = "A small sweep"\nquestion = "What changes?"\nbase = "short.toml"\n'
        + (text or 'design = "grid"\n[levers]\n"request.target" = [5000, 10000]\n"tour.days" = [30, 60, 90]\n')
    )
    return path


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="python -m sim")


def final_files(folder: Path) -> dict[str, bytes]:
    """What must be the same bytes however a sweep was run; the commit moves with the checkout."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), "commit": None}).encode()
    return files | {f"parts/{path.name}": path.read_bytes() for path in (folder / "parts").iterdir()}


# --- Designs


def test_a_grid_has_every_combination_and_its_last_factor_varies_fastest() -> None:
    assert [tuple(point.values()) for point in points(small())] == [
        (5000, 30),
        (5000, 60),
        (5000, 90),
        (10000, 30),
        (10000, 60),
        (10000, 90),
    ]
    assert list(points(small())[0]) == ["request.target", "tour.days"]


def test_a_grid_takes_switches_words_lists_of_states_and_never() -> None:
    levers = {
        "mission.cross_state": [False, True],
        "request.asked": ["all", ["TX", "FL"]],
        "federalize.day": ["never", 20],
    }
    made = points(small(levers=levers))
    assert len(made) == 8
    assert made[-1] == {"mission.cross_state": True, "request.asked": ["TX", "FL"], "federalize.day": 20}


def test_nested_tables_and_dotted_names_are_the_same_factors() -> None:
    nested = small(levers={"request": {"target": [5000, 10000]}, "tour": {"days": [30, 60, 90]}})
    assert nested.digest == small().digest


def test_a_list_keeps_its_points_and_takes_what_they_leave_out_from_the_base() -> None:
    rows = [{"request.target": 1000}, {"request.deadline_days": 20}, {"request.target": 1000}]
    assert points(small("list", points=rows)) == (
        {"request.target": 1000, "request.deadline_days": 10},
        {"request.target": 20000, "request.deadline_days": 20},
        {"request.target": 1000, "request.deadline_days": 10},
    )


def ends(name: str) -> tuple[float, float]:
    """The register's range of a number."""
    found = register()[name].range
    assert found is not None
    return found


SAMPLED: dict[str, Any] = {
    "levers": {"tour.days": {"low": 30, "high": 180}, "volunteers.basis": ["voluntary", "ordered"]},
    "uncertainties": {"support.party": {}, "decide.pace": {"high": 0.3}},
}


def test_a_latin_hypercube_puts_one_point_into_each_stratum_of_each_factor() -> None:
    pytest.importorskip("SALib")
    made = small("lhs", n=20, **SAMPLED)
    raw = sample(made)
    assert raw.shape == (20, 4)
    (least, most), slow = ends("support.party"), ends("decide.pace")[0]
    lows, highs = np.array([30.0, 0.0, least, math.log(slow)]), np.array([180.0, 2.0, most, math.log(0.3)])
    raw[:, 3] = np.log(raw[:, 3])  # drawn evenly over orders of magnitude, as the register says
    strata = np.floor(20 * (raw - lows) / (highs - lows)).astype(int)
    assert [sorted(column) for column in strata.T.tolist()] == [list(range(20))] * 4
    words = [point["volunteers.basis"] for point in points(made)]
    assert words.count("voluntary") == words.count("ordered") == 10


def test_whole_numbers_are_rounded_and_choices_looked_up() -> None:
    whole = Factor("tour.days", ends=(30.0, 180.0)).at(np.array([30.0, 30.49, 30.5, 179.6, 180.0]))
    assert whole == [30, 30, 31, 180, 180]
    assert all(isinstance(days, int) for days in whole)
    choice = Factor("volunteers.basis", ("voluntary", "ordered"))
    assert choice.at(np.array([0.0, 0.999, 1.0, 2.0])) == ["voluntary", "voluntary", "ordered", "ordered"]


def test_a_value_never_lies_beyond_its_ends() -> None:
    pace = Factor("decide.pace", ends=(0.015, 0.5))
    assert pace.is_logarithmic
    assert pace.at(np.array([0.5000000000000001, 0.0149999999999999])) == [0.5, 0.015]


@pytest.mark.parametrize(
    ("design", "n", "more", "size"),
    [
        ("lhs", 7, {}, 7),
        ("sobol", 8, {}, 8 * (4 + 2)),
        ("sobol", 8, {"second_order": True}, 8 * (2 * 4 + 2)),
        ("morris", 5, {}, 5 * (4 + 1)),
    ],
)
def test_a_design_has_as_many_points_as_it_tells(design: str, n: int, more: dict[str, Any], size: int) -> None:
    pytest.importorskip("SALib")
    made = small(design, n=n, **more, **SAMPLED)
    assert made.n_points == len(points(made)) == size
    low, high = ends("decide.pace")[0], 0.3
    assert all(low <= point["decide.pace"] <= high for point in points(made))  # type: ignore[operator]


def test_each_step_of_a_morris_trajectory_moves_one_factor_between_levels() -> None:
    pytest.importorskip("SALib")
    made = small("morris", n=6, uncertainties={"support.party": {}, "support.vote": {}, "tour.reup": {}})
    low, high = np.array([ends(name) for name in ("support.party", "support.vote", "tour.reup")]).T
    unit = (sample(made) - low) / (high - low)
    assert np.allclose(3 * unit, np.round(3 * unit))
    steps = np.diff(unit.reshape(6, 4, 3), axis=1)
    assert np.allclose(np.sort(np.abs(steps), axis=2), [0.0, 0.0, 2.0 / 3.0])
    # Every factor moves once in a trajectory.
    assert (np.abs(steps).argmax(axis=2).sum(axis=1) == 3).all()


def test_sobol_points_come_in_the_blocks_that_the_analysis_expects() -> None:
    pytest.importorskip("SALib")
    made = small("sobol", n=4, uncertainties=["support.party", "support.vote"])
    a, first, second, b = np.moveaxis(sample(made).reshape(4, 4, 2), 1, 0)
    assert (first == np.column_stack([b[:, 0], a[:, 1]])).all()
    assert (second == np.column_stack([a[:, 0], b[:, 1]])).all()


@pytest.mark.parametrize("design", ["lhs", "sobol", "morris"])
def test_a_design_hangs_on_the_seed_alone(design: str) -> None:
    pytest.importorskip("SALib")
    made = [points(small(design, n=4, seed=seed, **SAMPLED)) for seed in (0, 0, 1)]
    assert made[0] == made[1] != made[2]


def test_the_problem_is_as_salib_has_it() -> None:
    made = problem(small("lhs", n=4, **SAMPLED))
    assert made == {
        "num_vars": 4,
        "names": ["tour.days", "volunteers.basis", "support.party", "decide.pace"],
        "bounds": [[30.0, 180.0], [0.0, 2.0], list(ends("support.party")), [ends("decide.pace")[0], 0.3]],
        "dists": ["unif", "unif", "unif", "logunif"],
    }


def test_all_uncertainties_are_those_that_the_base_leaves_open() -> None:
    names = small("lhs", n=4, uncertainties="all").names
    assert "support.party" in names
    assert "review.days" not in names
    assert not {"tour.days", "request.target"} & set(names)


def test_a_range_of_the_base_stands_before_that_of_the_register() -> None:
    text = SHORT + '"support.party" = { value = 2.0, low = 1.9, high = 2.1 }\n'
    made = experiment_of({**WORDS, "design": "lhs", "n": 4, "uncertainties": ["support.party"]}, parse(text, "x"), "x")
    assert made.factors == (Factor("support.party", ends=(1.9, 2.1)),)


@pytest.mark.parametrize(
    ("design", "more"),
    [
        ("grid", {}),
        ("list", {"points": [{"request.asked": ["TX"], "tour.days": 40}, {"tour.days": 50}]}),
        ("sobol", {"n": 4, "second_order": True, "replications": 3, "seed": 7, **SAMPLED}),
        ("lhs", {"n": 4, "outcomes": ["volunteers"], **SAMPLED}),
    ],
)
def test_a_resolved_file_is_the_same_experiment(design: str, more: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("SALib")
    made = small(design, **more)
    (tmp_path / "scenario.toml").write_text(BASE.toml())
    (tmp_path / "small.toml").write_text(made.toml())
    again = load_experiment(tmp_path / "small.toml").renamed("small", "short")
    assert again == made
    assert again.digest == made.digest
    assert points(again) == points(made)


def test_the_digest_follows_what_is_run_and_not_what_is_told() -> None:
    first = small()
    assert replace(first, title="Other words", name="other").digest == first.digest
    others = [
        small(seed=2),
        small(replications=2),
        small(outcomes=["volunteers"]),
        small(levers={**GRID, "tour.days": [30, 60]}),
        small(levers=dict(reversed(GRID.items()))),
        replace(first, base=BASE.with_values({}, days=31)),
    ]
    assert len({first.digest, *(other.digest for other in others)}) == 7


@pytest.mark.parametrize("path", sorted((ROOT / "experiments").glob("*.toml")), ids=lambda path: path.stem)
def test_every_experiment_file_is_valid(path: Path) -> None:
    made = load_experiment(path)
    if made.design in ("lhs", "sobol", "morris"):
        pytest.importorskip("SALib")
    for values in points(made)[:3]:
        made.base.with_values(values)
    assert made.n_rows < 10_000


# --- Rows


def test_rows_are_in_the_order_of_the_plan_and_each_is_its_run(tmp_path: Path) -> None:
    made = small(replications=2)
    rows = run(made, tmp_path / "out")
    assert rows["replication"].to_pylist() == [0] * 6 + [1] * 6
    assert rows["point"].to_pylist() == [*range(6)] * 2
    assert rows["request.target"].to_pylist() == [5000, 5000, 5000, 10000, 10000, 10000] * 2
    for k in (0, 4, 11):
        alone = run_pairs(BASE.with_values(points(made)[k % 6]), 1, ((None, k // 6),))
        assert rows["hash"][k].as_py() == f"{int(alone.hashes[0]):016x}"
        for name, values in measure_all(alone).items():
            assert np.array_equal(rows[name][k].as_py(), values[0], equal_nan=True), name
    assert rows["error"].null_count == 12
    columns = ["point", "replication", "request.target", "tour.days", *OUTCOMES, "hash", "error"]
    assert rows.column_names == columns


def test_without_volunteers_nobody_is_in_place_whatever_else(tmp_path: Path) -> None:
    made = small(levers={"request.target": [5000, 10000]}, uncertainties={"volunteers.share": [0.0, 0.1]})
    rows = run(made, tmp_path / "out")
    assert rows["volunteers.share"].to_pylist() == [0.0, 0.1, 0.0, 0.1]
    assert rows["peak_in_place"].to_pylist()[::2] == [0.0, 0.0]
    assert min(rows["volunteers"].to_pylist()[1::2]) > 0.0
    assert np.isnan(rows["days_to_25"].to_pylist()[0])


def test_points_meet_the_same_luck_and_replications_another(tmp_path: Path) -> None:
    made = small("list", points=[{"tour.days": 60}, {"tour.days": 60}], replications=2)
    hashes = run(made, tmp_path / "out")["hash"].to_pylist()
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]


def test_columns_have_the_types_of_their_factors(tmp_path: Path) -> None:
    levers = {
        "mission.cross_state": [True],
        "request.asked": [["TX", "FL"]],
        "federalize.day": ["never", 20],
        "request.over_ask": [1],
        "tour.days": [30],
    }
    rows = run(small(levers=levers), tmp_path / "out")
    kinds = [str(rows.schema.field(name).type) for name in levers]
    assert kinds == ["bool", "string", "string", "double", "int64"]
    assert rows["request.asked"].to_pylist() == ["TX,FL"] * 2
    assert rows["federalize.day"].to_pylist() == ["never", "20"]


def test_the_design_is_written_as_csv(tmp_path: Path) -> None:
    run(small(), tmp_path / "out")
    with (tmp_path / "out" / "points.csv").open() as file:
        found = list(csv.DictReader(file))
    assert found[4] == {"point": "4", "request.target": "10000", "tour.days": "60"}
    assert len(found) == 6


def test_a_loaded_sweep_is_the_one_that_was_run(tmp_path: Path) -> None:
    made = small(replications=2, outcomes=["volunteers", "days_to_25"])
    rows = run(made, tmp_path / "out")
    again, loaded = load(tmp_path / "out")
    assert again == made
    assert digest_of(loaded) == digest_of(rows)


def impossible() -> Experiment:
    """One of four combinations asks for nobody."""
    levers = {f"request.roles.{role}": [0] for role in ("administration", "support", "enforcement")}
    levers |= {"request.roles.transport": [0, 1000], "request.roles.detention": [0, 1000]}
    return small(levers=levers, replications=2)


def test_a_combination_that_cannot_be_run_is_a_row_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = run(impossible(), tmp_path / "out")
    errors = rows["error"].to_pylist()
    assert [error is not None for error in errors] == [True, False, False, False] * 2
    assert errors[0] == "request.roles is empty: at least one role must ask for people"
    assert rows["volunteers"].to_pylist()[0] is None
    assert rows["hash"].null_count == 2
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["failed"] == 2
    assert digest_of(load(tmp_path / "out")[1]) == digest_of(rows)


def test_a_run_that_fails_is_a_row_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run_one, run_many = ensemble.model.run, ensemble.compiled.chunk

    def fail_sometimes(scenario: Scenario, replication: int) -> None:
        if replication == 1 and scenario.value("tour.days") == 60:
            raise ZeroDivisionError("made up")

    def one(setting: Any, replication: int, *more: Any) -> Any:
        fail_sometimes(setting.scenario, replication)
        return run_one(setting, replication, *more)

    def many(scenario: Scenario, seed: int, pairs: Any, **options: Any) -> Any:
        fail_sometimes(scenario, pairs[0][1])
        return run_many(scenario, seed, pairs, **options)

    monkeypatch.setattr(ensemble.model, "run", one)
    monkeypatch.setattr(ensemble.compiled, "chunk", many)
    # Few runs are left to SimPy.
    few = run(small(levers={"tour.days": [30, 60, 90]}, replications=2), tmp_path / "few")
    assert [k for k, text in enumerate(few["error"].to_pylist()) if text] == [4]
    rows = run(small(replications=2), tmp_path / "many")
    assert [k for k, text in enumerate(rows["error"].to_pylist()) if text] == [7, 10]
    assert few["error"][4].as_py() == rows["error"][7].as_py() == "ZeroDivisionError: made up"


def test_both_engines_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    used: list[str] = []
    for engine in ("simpy", "compiled"):
        monkeypatch.setattr(experiments, "engine_of", lambda *_: engine)  # noqa: B023
        real = run_pairs
        monkeypatch.setattr(
            experiments,
            "run_pairs",
            lambda scenario, seed, pairs, engine: used.append(engine) or real(scenario, seed, pairs, engine),
        )
        run(small(replications=2), tmp_path / engine)
    assert set(used) == {"simpy", "compiled"}
    assert final_files(tmp_path / "simpy") == final_files(tmp_path / "compiled")


def test_a_summary_takes_means_over_replications_and_tells_where_the_ends_are() -> None:
    made = replace(small(replications=2, outcomes=["volunteers", "days_to_25"]), factors=())
    nan = float("nan")
    rows = pa.table(
        {
            # Points 0, 1, 2; the second replication of point 2 failed.
            "volunteers": pa.array([10.0, 20.0, 15.0, 30.0, 40.0, None]),
            "days_to_25": pa.array([5.0, nan, 31.0, 5.0, nan, None]),
            "error": pa.array([None] * 5 + ["failed"]),
        }
    )
    people, days = summaries(made, rows)
    # Means 20, 30, 15.
    assert (people.median, people.low, people.high) == (20.0, 15.0, 30.0)
    assert (people.lowest, people.highest, people.never) == ((2,), (1,), 0.0)
    # Never counts as day 31, the day after the last.
    assert (days.low, days.high, days.lowest, days.highest) == (5.0, 31.0, (0,), (1, 2))
    assert days.never == 2 / 5


def test_where_no_run_has_finished_there_is_nothing_to_sum_up(tmp_path: Path) -> None:
    made = small("list", points=[{"federalize.day": 31}], outcomes=["volunteers"])
    rows = run(made, tmp_path / "out")
    assert rows["error"][0].as_py() == "federalize.day = 31 is after the last day 30"
    assert summaries(made, rows)[0].median is None


def test_rows_of_a_chunk_travel_in_one_piece_however_many_they_are() -> None:
    protocol = pytest.importorskip("distributed.protocol")
    frames = []
    for n in (2, 9):
        made = small("list", points=[{"tour.days": 30 + k} for k in range(n)], outcomes=["volunteers"])
        chunk = experiments.Chunk(0, 0, 0, points(made))
        rows = experiments.measured(chunk, made.base, 1, made.outcomes, "simpy", experiments.schema_of(made))
        frames.append(len(protocol.serialize(protocol.to_serialize(rows))[1]))
    assert frames[0] == frames[1]


# --- Interruptions

COUNTED = """
import sys
import sim.__main__
from sim import experiments
from sim.commands.common import app
log, real = sys.argv[1], experiments.measured
def counted(chunk, *more, **named):
    with open(log, "a") as file:
        file.write(f"{chunk.number}\\n")
    return real(chunk, *more, **named)
experiments.measured = counted
app(sys.argv[2:])
"""


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _none_is_left() -> Iterator[None]:
    """A test that fails leaves no process behind."""
    yield
    while STARTED:
        STARTED.pop().kill()


def started(*words: object, code: str | None = None, **options: Any) -> subprocess.Popen[str]:
    """A command in its own process, its output in a pipe."""
    command = ["-m", "sim"] if code is None else ["-c", code]
    process = subprocess.Popen(
        [sys.executable, *command, *map(str, words)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )
    STARTED.append(process)
    return process


def long_file(folder: Path, replications: int) -> Path:
    """Six points a replication, in chunks of four and two."""
    grid = '[levers]\n"request.target" = [5000, 10000]\n"tour.days" = [30, 60, 90]\n'
    return written(folder, f'design = "grid"\nreplications = {replications}\n{grid}')


def test_kills_at_random_moments_lose_nothing_and_nothing_is_run_twice(tmp_path: Path) -> None:
    path = long_file(tmp_path, 2 * KILLS + 4)
    whole = run(load_experiment(path), tmp_path / "whole")
    out, log = tmp_path / "out", tmp_path / "log"
    log.touch()
    chance = random.Random(1)

    def chunks_begun() -> list[int]:
        return [int(line) for line in log.read_text().split()]

    def parts() -> dict[str, tuple[int, int]]:
        found = (out / "parts").glob("part-*.parquet")
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}

    kills = 0
    for attempt in range(KILLS):
        before, begun = parts(), len(chunks_begun())
        process = started(log, "sweep", path, "--out", out, "--resume", "-q", code=COUNTED)
        moments: list[Callable[[], Any]] = [
            lambda at=begun + chance.randint(1, 4): len(chunks_begun()) >= at,  # type: ignore[misc]
            lambda: any((out / "parts").glob(".*.fresh")) or len(chunks_begun()) >= begun + 3,  # noqa: B023
            lambda: (out / "points.csv").exists(),
        ]
        # The first is killed before anything has run, the others anywhere.
        wait_for(moments[2] if attempt == 0 else moments[chance.randint(0, 1)], process)
        kills += process.poll() is None
        process.kill()
        process.communicate(timeout=PATIENCE)
        after = parts()
        assert before.items() <= after.items(), "a finished part was lost or written again"
        finished = {int(name[5:11]) for name in before}
        assert not finished & set(chunks_begun()[begun:]), "a finished chunk was run again"
    assert kills == KILLS
    before, begun = parts(), len(chunks_begun())
    assert before, "no part was kept"
    last = started(log, "sweep", path, "--out", out, "--resume", "-q", code=COUNTED)
    told = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, told
    finished = {int(name[5:11]) for name in before}
    assert sorted(chunks_begun()[begun:]) == sorted(set(range(2 * (2 * KILLS + 4))) - finished)
    assert final_files(out) == final_files(tmp_path / "whole")
    assert digest_of(load(out)[1]) == digest_of(whole)


def test_a_file_has_its_name_only_when_it_is_whole_and_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, parts = interrupted(tmp_path / "out")
    on_disk: list[int] = []

    def last_moment(file: int) -> None:
        on_disk.append(len(list(parts.glob("part-*.parquet"))))
        if on_disk[-1] == 3:
            raise KeyboardInterrupt

    # What stands under its own name whenever the disk is asked: two parts, then the third, never half of one.
    monkeypatch.setattr(os, "fsync", last_moment)
    with pytest.raises(KeyboardInterrupt) as stop:
        run(made, tmp_path / "out", resume=True)
    assert (on_disk[0], on_disk[-2:]) == (2, [2, 3])
    assert stop.value.args == (10,)
    assert [len(pq.read_table(part)) for part in sorted(parts.glob("part-*.parquet"))] == [4, 2, 4]


def test_a_finished_sweep_gone_on_with_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run(small(), tmp_path / "out")
    before = final_files(tmp_path / "out")
    monkeypatch.setattr(experiments, "run_pairs", lambda *_: pytest.fail("something ran"))
    run(small(), tmp_path / "out", resume=True)
    assert final_files(tmp_path / "out") == before


def test_killed_workers_of_a_killed_sweep_end_too_and_two_processes_give_the_same_bytes(tmp_path: Path) -> None:
    path = long_file(tmp_path, 100)
    run(load_experiment(path), tmp_path / "whole")
    process = started("sweep", path, "--out", tmp_path / "out", "--jobs", 2, "-q")
    wait_for(lambda: list((tmp_path / "out" / "parts").glob("part-*")), process)
    assert process.poll() is None
    process.kill()
    # Workers hold the other end of this pipe: it closes only when they have ended.
    process.communicate(timeout=PATIENCE)
    again = started("sweep", path, "--out", tmp_path / "out", "--jobs", 2, "--resume", "-q")
    told = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, told
    assert final_files(tmp_path / "out") == final_files(tmp_path / "whole")


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_says_how_to_go_on(tmp_path: Path, jobs: int) -> None:
    path = long_file(tmp_path, 150)
    process = started("sweep", path, "--out", tmp_path / "out", "--jobs", jobs, start_new_session=True)
    wait_for(lambda: list((tmp_path / "out" / "parts").glob("part-*")), process)
    os.killpg(process.pid, signal.SIGINT)
    printed, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, printed) == (130, "")
    assert "Traceback" not in told
    assert f"of 900 runs; go on with: python -m sim sweep {path} --out {tmp_path / 'out'} --resume" in told
    n = int(told.split("interrupted after ")[1].split()[0])
    kept = sum(pq.read_metadata(part).num_rows for part in (tmp_path / "out" / "parts").glob("part-*"))
    assert 0 < n == kept < 900


def test_workers_that_end_are_told_and_what_has_finished_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = experiments.measured

    def lost(chunk: experiments.Chunk, **more: Any) -> Any:
        if chunk.number == 1:
            raise MemoryError("made up")
        return real(chunk, **more)

    monkeypatch.setattr(experiments, "measured", lost)
    done = invoke("sweep", written(tmp_path), "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "workers were lost (MemoryError: made up); what has finished is kept; go on with" in done.stderr
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 1


def test_two_sweeps_cannot_share_a_folder(tmp_path: Path) -> None:
    path = long_file(tmp_path, 500)
    process = started("sweep", path, "--out", tmp_path / "out")
    try:
        wait_for(lambda: list((tmp_path / "out" / "parts").glob("part-*")), process)
        done = invoke("sweep", path, "--out", tmp_path / "out", "--resume")
        assert done.exit_code == 2
        assert "another sweep is running in this folder" in done.stderr
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


# --- What else may lie in a folder


def interrupted(folder: Path) -> tuple[Experiment, Path]:
    """A sweep of four chunks of which the last two are missing, as after a kill."""
    made = small(replications=2)
    run(made, folder)
    for name in ("part-000002.parquet", "part-000003.parquet"):
        (folder / "parts" / name).unlink()
    (folder / "rows.parquet").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "complete": False}))
    return made, folder / "parts"


def other_rows(part: Path) -> None:
    table = pq.read_table(part)
    pq.write_table(table.slice(0, 1), part)


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated": (lambda part: part.write_bytes(part.read_bytes()[:-200]), "cannot be read"),
    "empty": (lambda part: part.write_bytes(b""), "cannot be read"),
    "text": (lambda part: part.write_text("point,replication\n"), "cannot be read"),
    "damaged inside": (
        lambda part: part.write_bytes(b"PAR1" + b"\0" * 400 + part.read_bytes()[-200:]),
        "cannot be read",
    ),
    "without our mark": (lambda part: pq.write_table(pa.table({"x": [1]}), part), "does not hold what this sweep"),
    "other rows": (other_rows, "does not hold what this sweep"),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda name: name.replace(" ", "-"))
def test_a_damaged_part_is_told_and_made_again(damage: str, tmp_path: Path) -> None:
    run(small(replications=2), tmp_path / "whole")
    made, parts = interrupted(tmp_path / "out")
    spoil, words = DAMAGES[damage]
    spoil(parts / "part-000001.parquet")
    lines: list[str] = []
    run(made, tmp_path / "out", resume=True, note=lines.append)
    assert len(lines) == 1
    assert words in lines[0]
    assert final_files(tmp_path / "out") == final_files(tmp_path / "whole")


def test_foreign_files_in_parts_are_told_and_left_alone(tmp_path: Path) -> None:
    made, parts = interrupted(tmp_path / "out")
    (parts / "notes.txt").write_text("mine")
    (parts / "part-000003.parquet.bak").write_text("mine")
    (parts / ".part-000000.parquet.fresh").write_text("half of a part, when the kill came")
    lines: list[str] = []
    run(made, tmp_path / "out", resume=True, note=lines.append)
    assert sorted(line.split(" is ")[0].rsplit("/")[-1] for line in lines) == ["notes.txt", "part-000003.parquet.bak"]
    assert (parts / "notes.txt").read_text() == "mine"
    assert not list(parts.glob("*.fresh"))
    assert load(tmp_path / "out")[0] == made


def test_parts_of_another_experiment_are_refused(tmp_path: Path) -> None:
    run(small(seed=2), tmp_path / "other")
    made, parts = interrupted(tmp_path / "out")
    (parts / "part-000001.parquet").write_bytes((tmp_path / "other" / "parts" / "part-000001.parquet").read_bytes())
    with pytest.raises(InputError, match=r"part-000001\.parquet: this part belongs to another experiment"):
        run(made, tmp_path / "out", resume=True)


def test_going_on_with_another_experiment_design_or_version_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    interrupted(tmp_path / "out")
    with pytest.raises(InputError, match="belong to another experiment"):
        run(small(replications=3), tmp_path / "out", resume=True)
    with monkeypatch.context() as patched:
        patched.setattr(experiments, "points_csv", lambda *_: "points that another version would make")
        with pytest.raises(InputError, match="belong to another design"):
            run(small(replications=2), tmp_path / "out", resume=True)
    monkeypatch.setattr(experiments, "versions", lambda: {"model": "0.0.1"})
    with pytest.raises(InputError, match=r"made by other versions or edited sources \(model .* -> 0\.0\.1, sources"):
        run(small(replications=2), tmp_path / "out", resume=True)


@pytest.mark.parametrize("name", ["sim/kernel/moving.py", "seeds/statuses.toml"])
def test_a_sweep_begun_before_the_model_was_edited_is_not_gone_on_with(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for folder in ("sim", "seeds"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    run(small(), tmp_path / "out")

    def resumed() -> subprocess.CompletedProcess[str]:
        words = ["sweep", written(tmp_path / "x"), "--out", tmp_path / "out", "--resume", "-q"]
        line = [sys.executable, "-m", "sim", *map(str, words)]
        return subprocess.run(line, capture_output=True, text=True, cwd=copy, timeout=PATIENCE)

    assert resumed().returncode == 0
    (copy / "sim" / "report.py").open("a").write("\n# A word that no number passes through.\n")
    assert resumed().returncode == 0
    (copy / name).open("a").write("\n# A word.\n")
    done = resumed()
    assert done.returncode == 2
    assert re.search(r"other versions or edited sources \(sources \w{16} -> \w{16}\), so rows would", done.stderr)


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("")
    for folder in ("used", "file"):
        for more in ([], ["--resume"]):
            done = invoke("sweep", written(tmp_path / "x"), "--out", tmp_path / folder, *more)
            assert done.exit_code == 2, (folder, more)
            assert done.stderr.count("\n") == 1
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as a manifest"),
        ("[1]", "not the results of a sweep"),
        ('{"kind": "run", "format": 1}', "not the results of a sweep"),
        ('{"kind": "sweep", "format": 9}', "format = 9 cannot be read"),
        ('{"kind": "sweep", "format": 1}', "belong to another experiment"),
        ("[" * 100_000, "cannot be read as a manifest"),
    ],
)
def test_a_hostile_manifest_is_told(text: str, words: str, tmp_path: Path) -> None:
    made, _ = interrupted(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=words):
        run(made, tmp_path / "out", resume=True)


def test_only_a_finished_and_unchanged_sweep_is_loaded(tmp_path: Path) -> None:
    interrupted(tmp_path / "half")
    with pytest.raises(InputError, match="has not finished"):
        load(tmp_path / "half")
    with pytest.raises(InputError, match="no results of a sweep here"):
        load(tmp_path / "nowhere")
    rows = run(small(), tmp_path / "out")
    (tmp_path / "out" / "scenario.toml").write_text(SHORT.replace("days = 30", "days = 31"))
    with pytest.raises(InputError, match="has been changed"):
        load(tmp_path / "out")
    run(small(), tmp_path / "out", resume=True)
    values = np.array(rows["volunteers"])
    place = rows.column_names.index("volunteers")
    pq.write_table(rows.set_column(place, "volunteers", pa.array(values + 1.0)), tmp_path / "out" / "rows.parquet")
    with pytest.raises(InputError, match=r"rows\.parquet has been changed"):
        load(tmp_path / "out")
    (tmp_path / "out" / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"rows\.parquet: cannot be read"):
        load(tmp_path / "out")


# --- Other machines


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler and two workers on this machine."""
    with cluster_in(tmp_path) as made:
        yield made


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(cluster: Cluster, tmp_path: Path) -> None:
    address, (_, one, _) = cluster
    path = long_file(tmp_path, 150)
    run(load_experiment(path), tmp_path / "whole")
    process = started("sweep", path, "--out", tmp_path / "out", "--scheduler", address, "-q")
    parts = tmp_path / "out" / "parts"
    wait_for(lambda: len(list(parts.glob("part-*"))) >= 3, process)
    assert process.poll() is None
    one.kill()
    one.wait()
    assert len(list(parts.glob("part-*"))) < 300, "the worker was killed after the end"
    told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    assert final_files(tmp_path / "out") == final_files(tmp_path / "whole")


def test_a_cluster_that_goes_away_is_told_and_the_sweep_goes_on_without_it(cluster: Cluster, tmp_path: Path) -> None:
    address, (scheduler, *_) = cluster
    path = long_file(tmp_path, 150)
    made = load_experiment(path)
    run(made, tmp_path / "whole")
    process = started("sweep", path, "--out", tmp_path / "out", "--scheduler", address, "-q")
    parts = tmp_path / "out" / "parts"
    wait_for(lambda: list(parts.glob("part-*")), process)
    scheduler.kill()
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    # Before it the libraries of the cluster may have told what they met.
    assert told.splitlines()[-1].startswith("workers were lost (")
    assert "what has finished is kept; go on with: python -m sim sweep" in told
    assert 0 < len(list(parts.glob("part-*"))) < 300
    run(made, tmp_path / "out", resume=True)
    assert final_files(tmp_path / "out") == final_files(tmp_path / "whole")


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done = invoke("sweep", written(tmp_path), "--out", tmp_path / "out", "--scheduler", "nonsense")
    assert done.exit_code == 2
    assert "--scheduler nonsense: no scheduler answers there" in done.stderr


# --- The command


def test_a_dry_run_tells_the_plan_and_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(experiments, "run_pairs", lambda *_: pytest.fail("a dry run ran"))
    text = 'design = "grid"\nreplications = 3\n[levers]\n"request.target" = [5000, 10000]\n"federalize.day" = ["never", 31]\n'
    done = invoke("sweep", written(tmp_path, text), "--out", tmp_path / "out", "--dry-run")
    assert done.exit_code == 0
    assert "4 points x 3 replications = 12 runs of short, 30 days each; nothing has been run" in done.stdout
    assert "2 points cannot be run" in done.stdout
    assert "point 1: federalize.day = 31 is after the last day 30" in done.stdout
    assert not (tmp_path / "out").exists()


def test_results_stand_under_the_name_of_the_file_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("sweep", written(tmp_path, name="a_name.toml"), "-q")
    assert done.exit_code == 0, done.stderr
    assert load(Path("results/a_name"))[0].name == "a_name"
    assert len(done.stdout.splitlines()) == 1


def test_json_is_one_object_with_the_digest(tmp_path: Path) -> None:
    done = invoke("sweep", written(tmp_path), "--out", tmp_path / "out", "--json")
    found = json.loads(done.stdout)
    assert (found["rows"], found["failed"], found["complete"]) == (6, 0, True)
    assert set(found["outcomes"]) == set(OUTCOMES)
    assert found["outcomes"]["peak_in_place"]["lowest"]["values"]["request.target"] in (5000, 10000)
    assert len(found["digest"]) == 64
    assert done.stderr == ""


def test_the_summary_tells_ends_neutrally_and_what_it_is_not(tmp_path: Path) -> None:
    done = invoke("sweep", written(tmp_path), "--out", tmp_path / "out")
    text = " ".join(done.stdout.split())
    assert "Not a forecast" in text
    assert "request.target 5000" in text
    assert not {"best", "worst", "better", "worse", "optimal"} & set(text.lower().replace(",", " ").split())


def test_failed_rows_make_exit_code_1_and_are_told(tmp_path: Path) -> None:
    text = 'design = "grid"\n[levers]\n"federalize.day" = ["never", 31]\n'
    done = invoke("sweep", written(tmp_path, text), "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "1 of 2 runs failed, the first with: federalize.day = 31 is after the last day 30" in done.stderr
    assert len(load(tmp_path / "out")[1]) == 2


# --- Hostile files

LHS = 'design = "lhs"\nn = 4\n'
HOSTILE: dict[str, tuple[str, str]] = {
    "an unknown key": ('design = "grid"\nreplication = 3\n', "unknown key replication; did you mean 'replications'?"),
    "a factor at the top": (
        LHS + "[tour]\ndays = 3\n",
        "unknown key tour; factors stand in [levers] or [uncertainties]",
    ),
    "a misspelt design": ('design = "latin"\n', "design = 'latin'"),
    "no design": ("[levers]\n", "design is missing"),
    "an unknown lever": ('design = "grid"\n[levers]\n"request.targt" = [1]\n', "did you mean 'request.target'?"),
    "an unknown nested lever": (
        'design = "grid"\n[levers.request]\ntargt = [1]\n',
        "'request.targt' is not a parameter; did you mean 'request.target'?",
    ),
    "an uncertainty among levers": (
        'design = "grid"\n[levers]\n"support.party" = [1.0]\n',
        "support.party is an uncertainty, not a lever: name it in [uncertainties]",
    ),
    "a constant": (
        'design = "grid"\n[levers]\n"volunteers.pay_days" = [1.0]\n',
        "volunteers.pay_days is a constant, not a lever: set it in the base scenario, or vary it in a list of points",
    ),
    "a value outside its limits": (
        'design = "grid"\n[levers]\n"tour.days" = [30, 731]\n',
        "tour.days = 731 is not allowed: it takes a whole number in 1..730 (days)",
    ),
    "a fraction of a day": ('design = "grid"\n[levers]\n"tour.days" = [30.5]\n', "tour.days = 30.5 is not allowed"),
    "a misspelt choice": (
        'design = "grid"\n[levers]\n"request.mode" = ["menue"]\n',
        "it takes 'menu' or 'bundled'; did you mean 'menu'?",
    ),
    "an unknown state": ('design = "grid"\n[levers]\n"request.asked" = [["TX", "ZZ"]]\n', "request.asked"),
    "no values": ('design = "grid"\n[levers]\n"tour.days" = []\n', "tour.days = [] lists no value"),
    "a value twice": ('design = "grid"\n[levers]\n"request.over_ask" = [1, 1.0]\n', "lists a value twice"),
    "a range in a grid": (
        'design = "grid"\n[levers]\n"tour.days" = { low = 30, high = 60 }\n',
        "a grid takes a list of values",
    ),
    "ends that fall": (LHS + '[levers]\n"tour.days" = { low = 60, high = 30 }\n', "low = 60 must be below high = 30"),
    "an unknown end": (
        LHS + '[levers]\n"tour.days" = { lov = 60 }\n',
        "unknown key tour.days.lov; did you mean 'low'?",
    ),
    "an end that is no number": (LHS + '[levers]\n"tour.days" = { low = "x" }\n', "tour.days.low = 'x' is no number"),
    "an end that is not finite": (LHS + '[levers]\n"request.over_ask" = { low = nan }\n', "request.over_ask = nan"),
    "a range of words": (LHS + '[levers]\n"request.mode" = { low = 0, high = 1 }\n', "give a list of choices"),
    "no range known": (LHS + '[levers]\n"federalize.day" = {}\n', "federalize.day has no range in the register"),
    "no n": ('design = "morris"\nuncertainties = "all"\n', "needs the number of trajectories"),
    "n with a grid": ('design = "grid"\nn = 3\n', "n = 3 goes with lhs, sobol and morris"),
    "n that is no power of two": ('design = "sobol"\nn = 100\nuncertainties = "all"\n', "64 and 128 are the nearest"),
    "a negative n": ('design = "lhs"\nn = -1\n', "n = -1"),
    "an endless n": (f'design = "lhs"\nn = {"9" * 4000}\n', "n = a number of about 4,000 digits"),
    "n with too many digits": (f'design = "lhs"\nn = {"9" * 5000}\n', "not valid TOML"),
    "too many runs": (LHS + 'replications = 900000\nuncertainties = "all"\n', "more than 1,000,000 at a time"),
    "too large a grid": (
        'design = "grid"\n[levers]\n'
        + "".join(
            f'"{name}" = {list(range(1, 101))}\n'
            for name in ("request.target", "tour.days", "tour.dwell_days", "rounds.most")
        ),
        "100,000,000 points",
    ),
    "an unknown outcome": (
        LHS + 'outcomes = ["days_to_26"]\nuncertainties = "all"\n',
        "is not an outcome; did you mean 'days_to_25'?",
    ),
    "an outcome twice": (
        LHS + 'outcomes = ["volunteers", "volunteers"]\nuncertainties = "all"\n',
        "outcomes names 'volunteers' twice",
    ),
    "nothing that varies": (LHS, "nothing varies"),
    "points in a grid": (
        'design = "grid"\n[levers]\n"tour.days" = [30]\n[[points]]\n"tour.days" = 3\n',
        "points go with",
    ),
    "levers in a list": ('design = "list"\n[levers]\n"tour.days" = [30]\n', "[[points]] alone"),
    "a list without points": ('design = "list"\n', "at least one [[points]]"),
    "points of nothing": ('design = "list"\n[[points]]\n', "points name no parameter"),
    "a wrong point": (
        'design = "list"\n[[points]]\n"tour.days" = 3\n[[points]]\n"tour.days" = -3\n',
        "points[2]: tour.days = -3",
    ),
    "uncertainties as a number": (LHS + "uncertainties = 3\n", "uncertainties = 3 must be a table of names"),
    "an uncertainty twice": (LHS + 'uncertainties = ["attrition", "attrition"]\n', "names 'attrition' twice"),
    "a negative seed": (LHS + 'seed = -1\nuncertainties = "all"\n', "seed = -1"),
    "a text for a number": (LHS + 'replications = "3"\n', "replications = '3'"),
    "second order elsewhere": (LHS + "second_order = true\n", "second_order goes with design"),
    "broken TOML": ("design = \n", "not valid TOML"),
    "a key twice": ('design = "grid"\ndesign = "grid"\n', "not valid TOML"),
    "deep nesting": ("x = " + "[" * 20_000, "not valid TOML"),
}


@pytest.mark.parametrize("kind", HOSTILE, ids=lambda kind: kind.replace(" ", "-"))
def test_a_hostile_file_is_told_in_one_paragraph(kind: str, tmp_path: Path) -> None:
    text, words = HOSTILE[kind]
    path = written(tmp_path, text)
    done = invoke("sweep", path, "--out", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith(f"error: {path}: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 1500
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("shrt.toml", "there is no such file; did you mean 'short.toml'?"),
        ("../nowhere/x.toml", "there is no such file"),
        (".", "there is no such file"),
        ("small.toml", "unknown key"),
        ("broken.toml", "not valid TOML"),
        ("a\\u0000b", "there is no such file"),
    ],
)
def test_a_base_that_cannot_be_read_is_told(base: str, words: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "broken.toml").write_text("= 3")
    path.write_text(path.read_text().replace("short.toml", base))
    done = invoke("sweep", path, "--out", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert "base = " in done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x = 1\n" * 1_000_000], ids=["no-text", "too-long"])
def test_a_file_that_is_none_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    for place in (path, tmp_path, tmp_path / "y.toml"):
        done = invoke("sweep", place)
        assert done.exit_code == 2
        assert done.stderr.count("\n") == 1


# --- The page


@pytest.mark.parametrize("number", range(3))
def test_every_file_that_the_page_shows_is_valid(number: int, tmp_path: Path) -> None:
    pytest.importorskip("SALib")
    page = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    assert len(shown) == 3
    path = tmp_path / "shown.toml"
    path.write_text(shown[number].replace("../scenarios", (ROOT / "scenarios").as_posix()))
    made = load_experiment(path)
    assert len(points(made)) == (9, 100, 3)[number]


def test_the_page_names_every_key_and_option() -> None:
    page = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    keys = ["schema", *(key for key in ExperimentFile.model_fields if key != "schema_version")]
    assert [key for key in keys if f"`{key}`" not in page] == []
    options = re.findall(r"--[a-z-]+", invoke("sweep", "--help").stdout)
    assert [option for option in options if option not in page and option not in ("--help", "--quiet")] == []


def test_the_python_of_the_page_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "experiments.md").read_text(), re.M | re.S)
    written(tmp_path / "experiments", name="target_and_deadline.toml")
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(code.replace("jobs=2", "jobs=1"), found)
    assert found["agreeing"].shape == (1, 6)
