"""Results on disk: one folder per ensemble, from which it can be loaded, repeated bit for bit, or gone on with.

manifest.json (versions, hashes, seed, command), scenario.toml (fully resolved), runs.parquet (one row per draw and
replication, with outcomes and all parameters as columns), timeseries.parquet (one row per run and day),
states.parquet (runs by status, for each day and state) and events.parquet. Never pickle.
"""

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sim import outcomes
from sim.bands import Bands
from sim.ensemble import empty
from sim.parameters import InputError, model_version, near_miss, register
from sim.passport import passport_of
from sim.results import SERIES, STATUSES, Ensemble, Event
from sim.scenario_files import load as load_scenario

FORMAT = 1
MANIFEST = "manifest.json"
TABLES = ("runs", "timeseries", "states", "events")
# What stands in a folder of very many runs instead of `timeseries`; see `store_bands`.
COUNTS = "counts.parquet"
# How runs have been kept, as the manifest says it.
WHOLE, BANDS = "runs", "bands"
_PACKAGES = ("numpy", "simpy", "pydantic", "pyarrow")
# What numbers pass through on the way from a file to an outcome: all that `ensemble` and `designs` import.
SOURCES = (
    "bands channels cohorts compiled designs ensemble governors kernel/* luck mobilization model outcomes packed parallel "
    "parameters people requester record results scenario scenario_files setting shared shocks states world"
)


def commit() -> str | None:
    """The commit of this checkout, with a plus where files have changed since; None outside one."""
    folder = Path(__file__).resolve().parent.parent
    try:
        head = _git(folder, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(folder, "status", "--porcelain", "--", "sim", "seeds") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@cache
def sources() -> str:
    """A hash of the code and seeds of this checkout that make numbers, so that an edit shows under an old version too."""
    here = Path(__file__).resolve().parent
    files = [path for name in SOURCES.split() for path in here.glob(f"{name}.py")]
    files += [path for ending in ("toml", "csv") for path in (here.parent / "seeds").glob(f"*.{ending}")]
    told = hashlib.sha256()
    for path in sorted(files):
        # Windows may have checked out the same lines with other ends.
        told.update(path.relative_to(here.parent).as_posix().encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return told.hexdigest()[:16]


def versions() -> dict[str, str]:
    """What produced a result: the model, its sources, Python and the packages that numbers pass through."""
    found = {name: version(name) for name in _PACKAGES}
    here = {"python": platform.python_version(), "machine": platform.machine()}
    return {"model": model_version(), "sources": sources(), **here, **found}


def manifest_of(ensemble: Ensemble | Bands, plan: dict[str, Any]) -> dict[str, Any]:
    """Everything needed to repeat an ensemble; `plan` holds draws, replications, known, command."""
    return {
        "format": FORMAT,
        "scenario": ensemble.scenario.name,
        "scenario_hash": ensemble.scenario.digest,
        "model_version": model_version(),
        "versions": versions(),
        "commit": commit(),
        "engine": ensemble.engine,
        "seed": ensemble.seed,
        **plan,
        "kept": BANDS if isinstance(ensemble, Bands) else WHOLE,
        "runs": len(ensemble.pairs),
        "finished": ensemble.n_finished,
        "failed": ensemble.n_failed,
        "complete": ensemble.is_complete,
        "seconds": round(ensemble.seconds, 3),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "digest": ensemble.digest,
        "passport": passport_of(ensemble),
        "luck_share": ensemble.luck_share,
    }


def check_free(folder: Path, is_resumed: bool = False) -> None:
    """Refuse a folder whose contents a result would overwrite."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {folder}: a file of that name stands there; results need a folder")
    is_used = folder.is_dir() and any(folder.iterdir())
    if is_used and not is_resumed:
        raise InputError(
            f"--out {folder}: the folder is not empty; name another one, or go on with its runs by --resume"
        )
    if is_resumed and not (folder / MANIFEST).is_file():
        raise InputError(f"--out {folder}: there are no results to go on with")


def save(ensemble: Ensemble, folder: Path, plan: dict[str, Any], with_csv: bool = False) -> Path:
    """Write an ensemble into a folder, all at once: an interrupted writing leaves what stood there.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    fresh = fresh_folder(folder)
    try:
        tables = {
            "runs": runs_table(ensemble),
            "timeseries": timeseries_table(ensemble),
            "states": states_table(ensemble),
        }
        if ensemble.events:
            tables["events"] = events_table(ensemble)
        manifest = manifest_of(ensemble, plan)
        for name, table in tables.items():
            # A table that is passed on alone can still be traced to its runs.
            table = table.replace_schema_metadata(
                {"passport": manifest["passport"] or "", "digest": manifest["digest"]}
            )
            pq.write_table(table, fresh / f"{name}.parquet", compression="zstd")
            if with_csv:
                pyarrow.csv.write_csv(table, fresh / f"{name}.csv")
        (fresh / "scenario.toml").write_text(ensemble.scenario.toml(), encoding="utf-8")
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        put_in_place(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def fresh_folder(folder: Path) -> Path:
    """A new hidden folder beside another; raises InputError if there can be none."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


def put_in_place(fresh: Path, folder: Path) -> None:
    """Let a fresh folder take the place of one, with its name."""
    fresh.chmod(0o755)
    old = fresh.with_name(fresh.name + "-old")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def runs_table(ensemble: Ensemble, first: int = 0) -> pa.Table:
    """One row per run of the plan: identity, outcomes, error, last status of each state, and every parameter of day 0.

    first
        The number of the first run, where these are a block of a longer plan.
    """
    n, done = len(ensemble.pairs), ensemble.done
    columns: dict[str, Any] = {
        "run": np.arange(first, first + n, dtype=np.int32),
        "draw": pa.array([pair[0] for pair in ensemble.pairs], pa.int32()),
        "replication": pa.array([pair[1] for pair in ensemble.pairs], pa.int64()),
        "finished": done,
        "error": pa.array([ensemble.errors.get(k) for k in range(n)], pa.string()),
        "hash": [f"{int(value):016x}" for value in ensemble.hashes],
        "approval": ensemble.approval,
    }
    for name, values in outcomes.measure_all(ensemble).items():
        spread = np.full(n, np.nan)
        spread[done] = values
        columns[name] = spread
    for k, code in enumerate(ensemble.codes):
        columns[f"status {code}"] = ensemble.last_status[:, k]
    for k, name in enumerate(register()):
        columns[name] = ensemble.numbers[:, k]
    return pa.table(columns)


def timeseries_table(ensemble: Ensemble) -> pa.Table:
    """One row per finished run and day, one column per series."""
    runs = np.nonzero(ensemble.done)[0]
    n_days = ensemble.n_days
    columns: dict[str, Any] = {
        "run": np.repeat(runs.astype(np.int32), n_days),
        "day": np.tile(np.arange(n_days, dtype=np.int16), len(runs)),
    }
    for k, name in enumerate(SERIES):
        columns[name] = ensemble.series[runs, k].reshape(-1)
    return pa.table(columns)


def states_table(ensemble: Ensemble | Bands) -> pa.Table:
    """One row per day and state: in how many runs it had each status."""
    n_days, n_states, _ = ensemble.status_counts.shape
    columns: dict[str, Any] = {
        "day": np.repeat(np.arange(n_days, dtype=np.int16), n_states),
        "state": pa.array(list(ensemble.codes) * n_days, pa.string()),
    }
    for k, status in enumerate(STATUSES):
        columns[status] = ensemble.status_counts[:, :, k].reshape(-1)
    return pa.table(columns)


def events_table(ensemble: Ensemble) -> pa.Table:
    """One row per event; run_number is the number of the run in the plan."""
    rows = [event._replace(run_number=k) for k, events in sorted(ensemble.events.items()) for event in events]
    return pa.table({name: [getattr(row, name) for row in rows] for name in Event._fields})


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a results folder; raises InputError if it is not one."""
    path = folder / MANIFEST
    if not path.is_file():
        hint = near_miss(
            folder.name, [found.name for found in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        )
        raise InputError(f"{folder}: there are no results here (no {MANIFEST}){hint}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as a manifest ({type(error).__name__})") from None
    needed = ("format", "seed", "draws", "replications", "digest", "scenario_hash", "scenario")
    missing = [key for key in needed if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        raise InputError(f"{path}: {missing[0]} is missing, so this is no manifest of ours")
    if manifest["format"] != FORMAT:
        raise InputError(f"{path}: format = {manifest['format']} cannot be read by this version, which reads {FORMAT}")
    return manifest


def load(folder: Path) -> tuple[Ensemble, dict[str, Any]]:
    """An ensemble and its manifest from a results folder."""
    manifest = read_manifest(folder)
    if manifest.get("kept") == BANDS:
        raise InputError(f"{folder}: these results keep bands of {manifest['scenario']}, not every run whole")
    scenario = load_scenario(folder / "scenario.toml")
    # The file is called scenario.toml whatever the scenario's own name.
    scenario = scenario.renamed(manifest["scenario"])
    if scenario.digest != manifest["scenario_hash"]:
        raise InputError(f"{folder}: scenario.toml has been changed since these results were written")
    try:
        tables = {
            name: pq.read_table(folder / f"{name}.parquet") for name in TABLES if (folder / f"{name}.parquet").is_file()
        }
        ensemble = _restored(scenario, manifest, tables)
    except (OSError, KeyError, ValueError, pa.ArrowInvalid) as error:
        raise InputError(f"{folder}: the tables cannot be read ({type(error).__name__}: {error})") from None
    return ensemble, manifest


def _restored(scenario: Any, manifest: dict[str, Any], tables: dict[str, pa.Table]) -> Ensemble:
    """The ensemble that some tables hold."""
    runs = tables["runs"]
    pairs = tuple(zip(runs["draw"].to_pylist(), runs["replication"].to_pylist(), strict=True))
    ensemble = empty(scenario, manifest["seed"], pairs)
    ensemble.done[:] = runs["finished"].to_numpy(zero_copy_only=False)
    ensemble.errors = {k: text for k, text in enumerate(runs["error"].to_pylist()) if text is not None}
    ensemble.hashes[:] = [int(text, 16) for text in runs["hash"].to_pylist()]
    ensemble.approval[:] = runs["approval"].to_numpy()
    for k, code in enumerate(ensemble.codes):
        ensemble.last_status[:, k] = runs[f"status {code}"].to_numpy()
    for k, name in enumerate(register()):
        ensemble.numbers[:, k] = runs[name].to_numpy()
    series = tables["timeseries"]
    for k, name in enumerate(SERIES):
        ensemble.series[ensemble.done, k] = series[name].to_numpy().reshape(-1, ensemble.n_days)
    for k, status in enumerate(STATUSES):
        ensemble.status_counts[:, :, k] = tables["states"][status].to_numpy().reshape(ensemble.n_days, -1)
    for row in tables["events"].to_pylist() if "events" in tables else ():
        k = row["run_number"]
        ensemble.events.setdefault(k, []).append(Event(**{**row, "run_number": pairs[k][1]}))
    ensemble.luck_share = manifest.get("luck_share", {})
    ensemble.seconds = manifest.get("seconds", 0.0)
    ensemble.engine = manifest.get("engine", "simpy")
    return ensemble


def command_line() -> str:
    """The command of this process, as a user would type it."""
    return " ".join(["python -m sim", *sys.argv[1:]])
