"""Experiments: every point of a design run under the same lucks, kept chunk by chunk, so that nothing finished is lost.

A results folder holds experiment.toml and scenario.toml (fully resolved), points.csv (the design), manifest.json, one
Parquet file for every finished chunk in parts/, and at the end rows.parquet: one row per replication and point,
replication 0 of every point first. None of them holds a time, so they are the same bytes however often the work was
interrupted and on any number of workers.
"""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.designs import SAMPLED, Experiment, Factor, Point, experiment_of, load_experiment, points, problem, sample
from sim.ensemble import engine_of, run_pairs
from sim.outcomes import OUTCOMES
from sim.parallel import WorkersLostError, from_workers, spread, workers
from sim.parameters import InputError, Value, model_version, shorten
from sim.scenario import Scenario
from sim.store import MANIFEST, check_free, commit, versions

__all__ = [
    "Experiment",
    "Factor",
    "Point",
    "Rows",
    "Summary",
    "WorkersLostError",
    "experiment_of",
    "load",
    "load_experiment",
    "points",
    "problem",
    "run",
    "sample",
    "summaries",
]

FORMAT = 1
EXPERIMENT, SCENARIO, POINTS, ROWS, PARTS, LOCK = (
    "experiment.toml",
    "scenario.toml",
    "points.csv",
    "rows.parquet",
    "parts",
    ".lock",
)
PART = "part-{:06d}.parquet"
# Points of a chunk: few, so that a kill loses little; more in long sweeps, so that there are not too many files, and so
# that workers of a cluster do not ask for work all the time: handing a chunk out and writing it costs some ten runs.
FEWEST, MOST, CHUNKS = 4, 512, 32
Progress = Callable[[str, int, int], Any]
# One row per replication and point; see `schema_of`.
Rows: TypeAlias = pa.Table


@dataclass(frozen=True)
class Chunk:
    """What one task runs: some neighbouring points under one luck.

    number
        Its place in the plan.
    first
        The number of the first of its points.
    """

    number: int
    replication: int
    first: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Row:
    """One run: its hash and outcomes in the order asked for, or what went wrong."""

    hash: str | None
    outcomes: tuple[float, ...] | None
    error: str | None


def measured(chunk: Chunk, base: Scenario, seed: int, names: tuple[str, ...], engine: str, schema: pa.Schema) -> Rows:
    """Run the points of a chunk one after the other; a point that cannot be run, or a run that fails, is a row too.

    A table and no list of rows: Dask would send, receive and unpack every one of them by itself.
    """
    rows = [_row(base, seed, values, chunk.replication, names, engine) for values in chunk.points]
    return table_of(chunk, rows, schema, names)


def _row(base: Scenario, seed: int, values: Point, replication: int, names: tuple[str, ...], engine: str) -> Row:
    try:
        scenario = base.with_values(values)
    except InputError as error:
        # A combination of allowed values that no request can have.
        return Row(None, None, str(error).removeprefix("the command line: "))
    made = run_pairs(scenario, seed, ((None, replication),), engine)
    if made.errors:
        return Row(None, None, made.errors[0])
    return Row(f"{int(made.hashes[0]):016x}", tuple(float(OUTCOMES[name].measure(made)[0]) for name in names), None)


def chunks(experiment: Experiment, design: Sequence[Point]) -> list[Chunk]:
    """The plan: every point under luck 0, then under luck 1, and so on; the same on any number of workers."""
    size = max(FEWEST, min(MOST, experiment.n_rows // CHUNKS))
    starts = [(r, at) for r in range(experiment.replications) for at in range(0, len(design), size)]
    return [Chunk(k, r, at, tuple(design[at : at + size])) for k, (r, at) in enumerate(starts)]


# --- Tables


def _told(value: Value) -> str:
    """A value as a word: what a column of words holds."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def _kind(values: Sequence[Value]) -> pa.DataType:
    """The type of a factor's column: words wherever not all values are switches or numbers."""
    if all(isinstance(value, bool) for value in values):
        return pa.bool_()
    if any(isinstance(value, bool | str | list) for value in values):
        return pa.string()
    return pa.int64() if all(isinstance(value, int) for value in values) else pa.float64()


def schema_of(experiment: Experiment) -> pa.Schema:
    """The columns of rows: point, replication, factors, outcomes (NaN: it never happened), hash, error."""
    columns = [("point", pa.int32()), ("replication", pa.int32())]
    for factor in experiment.factors:
        ends = (pa.int64() if factor.entry.whole else pa.float64()) if factor.ends else _kind(factor.choices)
        columns.append((factor.name, ends))
    columns += [(name, pa.float64()) for name in experiment.outcomes]
    return pa.schema([*columns, ("hash", pa.string()), ("error", pa.string())])


def table_of(chunk: Chunk, rows: Sequence[Row], schema: pa.Schema, names: Sequence[str]) -> pa.Table:
    """The rows of a chunk."""
    n = len(chunk.points)
    columns: dict[str, list[Any]] = {
        "point": list(range(chunk.first, chunk.first + n)),
        "replication": [chunk.replication] * n,
        "hash": [row.hash for row in rows],
        "error": [row.error for row in rows],
    }
    for name in chunk.points[0]:
        values = [values[name] for values in chunk.points]
        is_told = schema.field(name).type == pa.string()
        columns[name] = [_told(value) for value in values] if is_told else values
    for k, name in enumerate(names):
        columns[name] = [None if row.outcomes is None else row.outcomes[k] for row in rows]
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def digest_of(rows: Rows) -> str:
    """SHA-256 of what rows hold, whatever version of Parquet wrote them."""
    told = hashlib.sha256()
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        told.update(f"{name} {column.type} {len(column)}\n".encode())
        told.update(column.is_null().to_numpy(zero_copy_only=False).tobytes())
        if pa.types.is_string(column.type):
            told.update("\0".join(column.fill_null("").to_pylist()).encode())
        else:
            values = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
            told.update(values.to_numpy(zero_copy_only=False).tobytes())
    return told.hexdigest()


def points_csv(experiment: Experiment, design: Sequence[Point]) -> str:
    """The design as CSV: the number of each point and its values."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["point", *experiment.names])
    columns = [[_told(point[name]) for point in design] for name in experiment.names]
    writer.writerows(zip(range(len(design)), *columns, strict=True))
    return text.getvalue()


# --- The folder


def _written(path: Path, content: bytes) -> None:
    """Write a file all at once: under another name, to the disk, and only then under its own."""
    fresh = path.with_name(f".{path.name}.fresh")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _settle(path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def _settle(folder: Path) -> None:
    """Bring a folder's names to the disk, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second process out of a folder; the system lets go of it however this one ends."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"--out {folder}: another sweep is running in this folder") from None
        yield
        (folder / LOCK).unlink(missing_ok=True)


def _versions(experiment: Experiment) -> dict[str, str]:
    """What the rows depend on."""
    samplers = ("SALib", "scipy") if experiment.design in SAMPLED else ()
    return {**versions(), **{name: version(name) for name in samplers}}


def _identity(experiment: Experiment, csv_text: str) -> dict[str, Any]:
    """What two sweeps share whose rows may stand in one file."""
    return {
        "experiment_hash": experiment.digest,
        "points_hash": hashlib.sha256(csv_text.encode()).hexdigest(),
        "versions": _versions(experiment),
    }


def _manifest(experiment: Experiment, identity: dict[str, Any], rows: Rows | None, first_commit: str | None) -> bytes:
    """What a folder holds, without any time: the same for the same work."""
    told = {
        "format": FORMAT,
        "kind": "sweep",
        "experiment": experiment.name,
        "scenario": experiment.base.name,
        "scenario_hash": experiment.base.digest,
        "model_version": model_version(),
        **identity,
        "commit": first_commit,
        "seed": experiment.seed,
        "design": experiment.design,
        "points": experiment.n_points,
        "replications": experiment.replications,
        "rows": experiment.n_rows,
        "complete": rows is not None,
        "failed": None if rows is None else len(rows) - rows["error"].null_count,
        "digest": None if rows is None else digest_of(rows),
    }
    return (json.dumps(told, indent=2) + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a sweep; raises InputError if there is none."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: there are no results of a sweep here (no {MANIFEST})") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as a manifest ({type(error).__name__})") from None
    if not isinstance(manifest, dict) or manifest.get("kind") != "sweep":
        raise InputError(f"{folder}: these are not the results of a sweep")
    if manifest.get("format") != FORMAT:
        found = shorten(manifest.get("format"))
        raise InputError(f"{path}: format = {found} cannot be read by this version, which reads {FORMAT}")
    return manifest


def _check_same(folder: Path, experiment: Experiment, identity: dict[str, Any]) -> str | None:
    """The commit that a folder was begun with, if its results may be gone on with; None for a new one.

    Raises
    ------
    InputError
        If the folder holds another experiment, other versions, or something else.
    """
    if not (folder / MANIFEST).exists():
        # Killed before anything was run: only what is written beforehand can stand there.
        first = {EXPERIMENT, SCENARIO, POINTS, LOCK, PARTS}
        other = [
            path.name
            for path in (folder.iterdir() if folder.is_dir() else ())
            if path.name not in first and not path.name.endswith(".fresh")
        ]
        if other or (folder.exists() and not folder.is_dir()):
            raise InputError(f"--out {folder}: there are no results of a sweep to go on with")
        return commit()
    manifest = read_manifest(folder)
    for key, what in (("experiment_hash", "another experiment"), ("points_hash", "another design")):
        if manifest.get(key) != identity[key]:
            raise InputError(
                f"--resume {folder}: these results belong to {what} ({manifest.get('experiment')}, {key} "
                f"{str(manifest.get(key))[:12]}, here {identity[key][:12]}); name another folder by --out"
            )
    then, now = manifest.get("versions"), identity["versions"]
    if then != now:
        then = then if isinstance(then, dict) else {}
        moved = [
            f"{name} {then.get(name)} -> {now.get(name)}" for name in {**then, **now} if then.get(name) != now.get(name)
        ]
        raise InputError(
            f"--resume {folder}: these results were made by other versions or edited sources ({', '.join(moved)}), so rows "
            "would not belong together; name another folder by --out"
        )
    found = manifest.get("commit")
    return found if isinstance(found, str) else None


def _finished(
    folder: Path, plan: Sequence[Chunk], schema: pa.Schema, experiment_hash: str, note: Callable[[str], Any]
) -> dict[int, pa.Table]:
    """The chunks whose parts can be used, by number; what cannot be used is told."""
    found: dict[int, pa.Table] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and path.name.endswith(".fresh"):
            path.unlink(missing_ok=True)
            continue
        number = re.fullmatch(r"part-(\d{6})\.parquet", path.name)
        if number is None or not path.is_file():
            note(f"{path} is no part of this sweep and is left alone")
            continue
        try:
            table = pq.ParquetFile(path).read(use_threads=False)
        except (OSError, ValueError, pa.ArrowException) as error:
            note(f"{path} cannot be read ({type(error).__name__}), so its runs are made again")
            continue
        told = (table.schema.metadata or {}).get(b"experiment")
        if told is not None and told.decode(errors="replace") != experiment_hash:
            raise InputError(
                f"{path}: this part belongs to another experiment ({told.decode(errors='replace')[:12]}, here "
                f"{experiment_hash[:12]}); take it away, or name another folder by --out"
            )
        k = int(number[1])
        if told is None or k >= len(plan) or not _fits(table, plan[k], schema):
            note(f"{path} does not hold what this sweep would write there, so its runs are made again")
            continue
        found[k] = table.replace_schema_metadata(None)
    return found


def _fits(table: pa.Table, chunk: Chunk, schema: pa.Schema) -> bool:
    """Whether a part holds the rows of a chunk."""
    n = len(chunk.points)
    return (
        table.schema.equals(schema)
        and table["point"].to_pylist() == list(range(chunk.first, chunk.first + n))
        and table["replication"].to_pylist() == [chunk.replication] * n
    )


def run(
    experiment: Experiment,
    folder: Path,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    note: Callable[[str], Any] | None = None,
) -> Rows:
    """Run an experiment into a folder and return its rows, one per replication and point (see `schema_of`).

    Parameters
    ----------
    folder
        New or empty, unless `resume` is set: then what has finished there is not run again.
    jobs, executor
        Processes to use, or an executor that stands already (then jobs is not looked at).
    progress
        Called as (stage, finished, all) after each chunk, in runs.
    note
        Called with a line about each file in parts/ that cannot be used.

    Raises
    ------
    InputError
        If the folder is not empty, holds another experiment, or cannot be written.
    WorkersLostError
        If processes or the cluster ended; what had finished is kept.
    KeyboardInterrupt
        With the number of runs finished as its argument; they are kept.
    """
    design = points(experiment)
    text = points_csv(experiment, design)
    identity = _identity(experiment, text)
    if resume:
        first_commit = _check_same(folder, experiment, identity)
    else:
        check_free(folder)
        first_commit = commit()
    try:
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    with _alone(folder):
        for left in folder.glob(".*.fresh"):
            left.unlink(missing_ok=True)
        _written(folder / SCENARIO, experiment.base.toml().encode())
        _written(folder / EXPERIMENT, experiment.toml().encode())
        _written(folder / POINTS, text.encode())
        if not (folder / MANIFEST).exists():
            _written(folder / MANIFEST, _manifest(experiment, identity, None, first_commit))
        plan, schema = chunks(experiment, design), schema_of(experiment)
        tables = _finished(folder / PARTS, plan, schema, experiment.digest, note or (lambda line: None))
        todo = [chunk for chunk in plan if chunk.number not in tables]
        try:
            with closing(_runs(experiment, todo, jobs, executor, progress)) as done:
                for chunk, table in done:
                    marked = table.replace_schema_metadata({"experiment": experiment.digest})
                    _written(folder / PARTS / PART.format(chunk.number), _parquet(marked))
                    tables[chunk.number] = table
        except KeyboardInterrupt:
            kept = [chunk for chunk in plan if (folder / PARTS / PART.format(chunk.number)).exists()]
            raise KeyboardInterrupt(sum(len(chunk.points) for chunk in kept)) from None
        made = pa.concat_tables([tables[chunk.number] for chunk in plan]).combine_chunks()
        _written(folder / ROWS, _parquet(made))
        _written(folder / MANIFEST, _manifest(experiment, identity, made, first_commit))
    return made


def _runs(
    experiment: Experiment, todo: Sequence[Chunk], jobs: int, executor: Executor | None, progress: Progress | None
) -> Generator[tuple[Chunk, Rows], None, None]:
    """Each chunk with its rows, in the order in which they are done."""
    n_todo = sum(len(chunk.points) for chunk in todo)
    # Settled here, so that compiled code is made once and not by every process; both engines give the same numbers.
    engine = engine_of("auto", n_todo)
    work = partial(
        measured,
        base=experiment.base,
        seed=experiment.seed,
        names=experiment.outcomes,
        engine=engine,
        schema=schema_of(experiment),
    )
    finished = experiment.n_rows - n_todo
    with workers(1 if executor else jobs) as own:
        # A run's own error is a row.
        for chunk, rows in from_workers(spread(executor or own, work, todo)):
            yield chunk, rows
            finished += len(rows)
            if progress is not None:
                progress("runs", finished, experiment.n_rows)


def load(folder: Path | str) -> tuple[Experiment, Rows]:
    """A finished sweep: the experiment, and its rows in the order of the plan.

    `numpy` arrays come by `table[name].to_numpy()`, of shape (replications * n_points,), replication 0 first.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if not manifest.get("complete"):
        raise InputError(f"{folder}: this sweep has not finished: go on with it by sweep FILE --out {folder} --resume")
    experiment = load_experiment(folder / EXPERIMENT)
    experiment = experiment.renamed(str(manifest.get("experiment")), str(manifest.get("scenario")))
    if experiment.digest != manifest.get("experiment_hash"):
        raise InputError(f"{folder}: {EXPERIMENT} or {SCENARIO} has been changed since these results were written")
    try:
        rows = pq.ParquetFile(folder / ROWS).read()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{folder / ROWS}: cannot be read ({type(error).__name__}: {shorten(str(error))})") from None
    if digest_of(rows) != manifest.get("digest"):
        raise InputError(f"{folder}: {ROWS} has been changed since these results were written")
    return experiment, rows


# --- What a sweep shows


@dataclass(frozen=True)
class Summary:
    """An outcome over points: each point counts by its mean over replications.

    median, low, high
        Over points, in the unit of the outcome; None where no point has finished.
    lowest, highest
        Numbers of the points with the lowest and the highest mean.
    never
        Share of runs in which it never happened; these count as the day after the last.
    """

    outcome: str
    unit: str
    median: float | None
    low: float | None
    high: float | None
    lowest: tuple[int, ...]
    highest: tuple[int, ...]
    never: float


def summaries(experiment: Experiment, rows: Rows) -> list[Summary]:
    """For each outcome how it lies over points, and at which it is lowest and highest."""
    has_run = rows["error"].is_null().to_numpy().reshape(experiment.replications, -1)
    return [_summary(experiment, name, rows, has_run) for name in experiment.outcomes]


def _summary(experiment: Experiment, name: str, rows: Rows, has_run: NDArray[np.bool_]) -> Summary:
    values = rows[name].to_numpy().reshape(has_run.shape)
    never = np.isnan(values) & has_run
    counted = np.where(never, experiment.base.days + 1.0, np.where(has_run, values, 0.0))
    n = has_run.sum(axis=0)
    numbers = np.flatnonzero(n)
    unit = OUTCOMES[name].unit
    if not len(numbers):
        return Summary(name, unit, None, None, None, (), (), 0.0)
    means = counted.sum(axis=0)[numbers] / n[numbers]
    low, high = float(means.min()), float(means.max())
    return Summary(
        outcome=name,
        unit=unit,
        median=float(np.median(means)),
        low=low,
        high=high,
        lowest=tuple(int(k) for k in numbers[means == low]),
        highest=tuple(int(k) for k in numbers[means == high]),
        never=float(never.sum() / has_run.sum()),
    )
