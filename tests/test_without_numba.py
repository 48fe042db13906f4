"""A machine without Numba: the same numbers from SimPy in a process pool, told in one line; and what cannot be had is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.ensemble import run_ensemble
from sim.scenario_files import load

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "scenarios" / "baseline.toml"
TINY = ["--days", "12", "--replications", "10"]


@pytest.fixture
def without(tmp_path: Path) -> dict[str, str]:
    """The environment of a process, and of those that it starts, in which Numba cannot be imported."""
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text('raise ImportError("there is none here")')
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def sim(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "sim", *words]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=120, env=environment)


NOTE = "Numba cannot be imported (ImportError: there is none here); SimPy runs instead, in "


def test_a_run_says_what_is_missing_and_gives_the_same_digest(without: dict[str, str]) -> None:
    done = sim(without, "run", str(BASELINE), *TINY, "--json", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"{NOTE}a pool of 2 processes: the same numbers, more slowly\n"
    told = json.loads(done.stdout)
    compiled = run_ensemble(load(BASELINE).with_values({}, 12), 1, replications=10, engine="compiled")
    assert (told["engine"], compiled.engine) == ("simpy", "compiled")
    assert told["digest"] == compiled.digest
    assert told["luck_share"] == compiled.luck_share


def test_all_cores_are_used_unless_told_otherwise(without: dict[str, str]) -> None:
    n = os.cpu_count() or 1
    how = "one process" if n == 1 else f"a pool of {n} processes"
    assert f"{NOTE}{how}" in sim(without, "run", str(BASELINE), *TINY, "-q").stderr
    assert f"{NOTE}one process" in sim(without, "run", str(BASELINE), *TINY, "-q", "--jobs", "1").stderr


def test_nothing_is_said_where_nothing_is_amiss(without: dict[str, str]) -> None:
    for more in (["--engine", "simpy"], ["--replications", "3"]):
        done = sim(without, "run", str(BASELINE), *TINY, "-q", *more)
        assert (done.returncode, done.stderr) == (0, "")


def test_compiled_code_that_cannot_be_had_is_refused_in_one_line(without: dict[str, str]) -> None:
    done = sim(without, "run", str(BASELINE), *TINY, "--engine", "compiled")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --engine compiled: Numba cannot be imported (ImportError: there is none here); without the option SimPy "
        "gives the same numbers, slowly\n"
    )
