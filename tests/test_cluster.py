"""Ensembles and studies on a Dask cluster: the same bytes as on one machine, also where workers are lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim import blocks, compiled
from sim.blocks import run_bands
from sim.commands.common import app
from sim.ensemble import run_ensemble
from sim.parallel import WorkersLostError, workers
from sim.scenario_files import load
from tests.clusters import PATIENCE, Cluster, cluster_in

BASELINE = str(Path(__file__).resolve().parent.parent / "scenarios" / "baseline.toml")
SHORT = load(BASELINE).with_values({}, 20)
N = 600


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster that all tests here use together and leave as it is."""
    compiled.prepare()
    with cluster_in(tmp_path_factory.mktemp("cluster")) as (found, _):
        yield found


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of its own, for a test that takes something away from it."""
    with cluster_in(tmp_path) as made:
        yield made


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="python -m sim")


def kept(folder: Path) -> dict[str, bytes]:
    """The bytes of all tables and, but for times and the command, what the manifest says."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = json.loads(files.pop("manifest.json"))
    stays = {key: value for key, value in manifest.items() if key not in ("seconds", "written", "command")}
    return files | {"manifest.json": json.dumps(stays).encode()}


@pytest.mark.parametrize("more", [
    ["--replications", N],
    ["--replications", N, "--keep", "bands"],
    ["--draws", 3, "--replications", 4, "--engine", "simpy"],
    ["--replications", 3, "--events"],
], ids=["compiled", "bands", "simpy", "events"])  # fmt: skip
def test_an_ensemble_on_a_cluster_is_kept_in_the_same_bytes(more: list[object], address: str, tmp_path: Path) -> None:
    words = ["run", BASELINE, "--days", 20, *more, "-q", "--out"]
    here = invoke(*words, tmp_path / "here")
    there = invoke(*words, tmp_path / "there", "--scheduler", address)
    assert (here.exit_code, there.exit_code) == (0, 0), (here.stderr, there.stderr)
    assert here.stdout == there.stdout
    assert kept(tmp_path / "here") == kept(tmp_path / "there")


def test_workers_of_the_cluster_do_the_runs(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the tests above would compare this process with itself."""
    made = run_ensemble(SHORT, 1, 0, 20, engine="compiled")
    monkeypatch.setattr(compiled, "chunk", lambda *_: pytest.fail("run here"))
    with workers(1, address) as executor:
        there = run_ensemble(SHORT, 1, 0, 20, engine="compiled", executor=executor)
    assert (there.errors, there.digest) == ({}, made.digest)


@pytest.mark.parametrize("words", [
    ["sensitivity", BASELINE, "--days", 5, "--trajectories", 2],
    ["precision", BASELINE, "--days", 10, "--outcome", "states_agreeing", "--half-width", 6, "--most", 40],
    ["breakeven", BASELINE, "--days", 20, "--parameter", "review.days", "--outcome", "approval_day <= 12", "--between", 1,
     365, "--replications", 5],
    ["value", BASELINE, "--days", 10, "--choice", "request.mode", "--options", "menu,bundled", "--outcome",
     "states_agreeing", "--aim", "low", "--replications", 12],
], ids=lambda words: str(words[0]))  # fmt: skip
def test_a_study_on_a_cluster_says_the_same(words: list[object], address: str, tmp_path: Path) -> None:
    found: list[dict[str, Any]] = []
    for name, more in (("here", []), ("there", ["--scheduler", address])):
        done = invoke(*words, "--out", tmp_path / name, *more, "--json")
        assert done.exit_code == 0, (done.output, done.exception)
        told = json.loads(done.stdout)
        assert told == json.loads((tmp_path / name / "study.json").read_text())
        found.append(told)
    assert found[0] == found[1]


def losing(victims: list[Any], after: int) -> Callable[[str, int, int], None]:
    """Progress that kills processes once so many runs have been told."""

    def tell(_: str, n: int, total: int) -> None:
        while n >= after and victims:
            assert n < total, "killed after the end"
            victim = victims.pop()
            victim.kill()
            victim.wait(timeout=PATIENCE)

    return tell


@pytest.mark.parametrize("run", [run_ensemble, run_bands])
def test_a_worker_that_is_killed_in_the_middle_changes_nothing(
    run: Any, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(blocks.BLOCK, "compiled", 400)
    whole = run(SHORT, 1, replications=1_500)
    address, (_, one, _) = cluster
    victims = [one]
    with workers(1, address) as executor:
        made = run(SHORT, 1, replications=1_500, executor=executor, progress=losing(victims, 200))
    assert not victims
    assert (made.digest, made.luck_share, made.n_failed) == (whole.digest, whole.luck_share, 0)


def test_a_cluster_that_goes_away_leaves_what_has_finished(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(blocks.BLOCK, "compiled", 400)
    address, processes = cluster
    # The scheduler first: the workers would be missed only after a while.
    victims = processes[::-1]
    with pytest.raises(WorkersLostError) as caught, workers(1, address) as executor:
        run_bands(SHORT, 1, replications=4_000, executor=executor, progress=losing(victims, 900))
    so_far = caught.value.so_far
    assert 800 <= so_far.n_run < 4_000
    assert (
        run_bands(SHORT, 1, replications=4_000, started=so_far).digest == run_bands(SHORT, 1, replications=4_000).digest
    )
