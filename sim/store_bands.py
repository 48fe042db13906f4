"""Results of very many runs on disk: as in `store`, but with counts in the place of daily series.

runs.parquet (the same columns as in `store`, written while the runs come), counts.parquet (in how many runs each series
had each value on each day, and each outcome each value), states.parquet, scenario.toml and manifest.json.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.bands import Bands, bins_of
from sim.parameters import InputError
from sim.results import STATUSES, Ensemble, Pairs
from sim.scenario_files import load as load_scenario
from sim.store import (
    BANDS,
    COUNTS,
    MANIFEST,
    fresh_folder,
    manifest_of,
    put_in_place,
    read_manifest,
    runs_table,
    states_table,
)
from sim.world import load_world

# `day` is null for an outcome, `value` for runs in which it never happened.
SCHEMA = pa.schema([("what", pa.string()), ("day", pa.int16()), ("value", pa.float64()), ("runs", pa.int64())])


class Writer:
    """Writes one folder; what stood there is replaced by `finish` alone, so that an interruption leaves it."""

    def __init__(self, folder: Path) -> None:
        """Begin beside the folder; raises InputError if nothing can be written there."""
        self.folder, self._fresh = folder, fresh_folder(folder)
        self._runs: pq.ParquetWriter | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()
        shutil.rmtree(self._fresh, ignore_errors=True)

    def go_on(self) -> None:
        """Take over the rows of the runs that stand in the folder already."""
        rows = pq.ParquetFile(self.folder / "runs.parquet")
        for k in range(rows.num_row_groups):
            self._write(rows.read_row_group(k))

    def block_done(self, first: int, block: Ensemble) -> None:
        """Write the rows of some runs; `first` is the number of the first."""
        self._write(runs_table(block, first))

    def finish(self, bands: Bands, plan: dict[str, Any], with_csv: bool = False) -> Path:
        """Write everything else and put the folder in its place."""
        self._close()
        with pq.ParquetWriter(self._fresh / COUNTS, SCHEMA, compression="zstd") as counts:
            for table in counts_tables(bands):
                counts.write_table(table)
        pq.write_table(states_table(bands), self._fresh / "states.parquet", compression="zstd")
        if with_csv:
            for path in sorted(self._fresh.glob("*.parquet")):
                _write_csv(path)
        (self._fresh / "scenario.toml").write_text(bands.scenario.toml(), encoding="utf-8")
        manifest = json.dumps(manifest_of(bands, plan), indent=2) + "\n"
        (self._fresh / MANIFEST).write_text(manifest, encoding="utf-8")
        put_in_place(self._fresh, self.folder)
        return self.folder

    def _write(self, table: pa.Table) -> None:
        if self._runs is None:
            self._runs = pq.ParquetWriter(self._fresh / "runs.parquet", table.schema, compression="zstd")
        self._runs.write_table(table)

    def _close(self) -> None:
        if self._runs is not None:
            self._runs.close()
            self._runs = None


def _write_csv(path: Path) -> None:
    """The same table as CSV, a part at a time."""
    table = pq.ParquetFile(path)
    with pyarrow.csv.CSVWriter(path.with_suffix(".csv"), table.schema_arrow) as out:
        for k in range(table.num_row_groups):
            out.write_table(table.read_row_group(k))


def counts_tables(bands: Bands) -> Iterator[pa.Table]:
    """How many runs had each value, a table for each series and each outcome; see SCHEMA."""
    for name, tally in (*bands.series.items(), *bands.outcomes.items()):
        days = [tally.on(day) for day in range(tally.n_days)]
        numbered = [k if name in bands.series else None for k in range(len(days))]
        n_values = [len(day.values) for day in days]
        table = {
            "what": [name] * sum(n_values),
            "day": np.repeat(np.array(numbered, object), n_values),
            "value": np.concatenate([day.values for day in days]),
            "runs": np.concatenate([day.runs for day in days]),
        }
        yield pa.table({key: pa.array(table[key], SCHEMA.field(key).type) for key in SCHEMA.names}, schema=SCHEMA)
        for day, k in zip(days, numbered, strict=True):
            if day.n_never:
                row = {"what": name, "day": k, "value": None, "runs": day.n_never}
                yield pa.Table.from_pylist([row], schema=SCHEMA)


def hashes(folder: Path) -> Iterator[NDArray[np.uint64]]:
    """The hashes of the runs in a folder, part by part in the order of the plan."""
    rows = pq.ParquetFile(folder / "runs.parquet")
    for k in range(rows.num_row_groups):
        texts = rows.read_row_group(k, columns=["hash"])["hash"].to_pylist()
        yield np.array([int(text, 16) for text in texts], np.uint64)


def load(folder: Path) -> tuple[Bands, dict[str, Any]]:
    """Bands and their manifest from a results folder."""
    manifest = read_manifest(folder)
    if manifest.get("kept") != BANDS:
        raise InputError(f"{folder}: these results keep every run whole, not bands")
    scenario = load_scenario(folder / "scenario.toml").renamed(manifest["scenario"])
    if scenario.digest != manifest["scenario_hash"]:
        raise InputError(f"{folder}: scenario.toml has been changed since these results were written")
    pairs = Pairs(None if manifest["is_paired"] else manifest["draws"], manifest["replications"])
    codes = load_world(str(scenario.value("request.party"))).codes
    bands = Bands(scenario, manifest["seed"], pairs, codes, scenario.days + 1)
    try:
        _restore(bands, folder)
    except (OSError, KeyError, ValueError, IndexError, pa.ArrowInvalid) as error:
        raise InputError(f"{folder}: the tables cannot be read ({type(error).__name__}: {error})") from None
    bands.luck_share = manifest.get("luck_share", {})
    bands.seconds = manifest.get("seconds", 0.0)
    bands.engine = manifest.get("engine", "simpy")
    if bands.digest != manifest["digest"]:
        raise InputError(f"{folder}: runs.parquet has been changed since these results were written")
    return bands, manifest


def _restore(bands: Bands, folder: Path) -> None:
    """Fill bands with what the tables of a folder hold."""
    rows = pq.ParquetFile(folder / "runs.parquet")
    for k, part in enumerate(hashes(folder)):
        bands.hashed(part)
        bands.n_run += len(part)
        errors = rows.read_row_group(k, columns=["run", "error"])
        errors = errors.filter(pc.is_valid(errors["error"]))
        bands.told(dict(zip(errors["run"].to_pylist(), errors["error"].to_pylist(), strict=True)))
    counts = pq.ParquetFile(folder / COUNTS)
    for k in range(counts.num_row_groups):
        part = counts.read_row_group(k)
        if part.num_rows:
            _count(bands, part)
    states = pq.read_table(folder / "states.parquet")
    for k, status in enumerate(STATUSES):
        bands.status_counts[:, :, k] = states[status].to_numpy().reshape(bands.n_days, -1)


def _count(bands: Bands, part: pa.Table) -> None:
    """Add a part of the counts, all of one series or outcome."""
    (name,) = part["what"].unique().to_pylist()
    tally = bands.series[name] if name in bands.series else bands.outcome(name)
    days = part["day"].fill_null(0).to_numpy()
    runs, values = part["runs"].to_numpy(), part["value"].to_numpy()
    known = ~np.isnan(values)
    tally.never[days[~known]] += runs[~known]
    bins = bins_of(values[known] - tally.lowest)
    tally.make_room(int(bins.max(initial=0)))
    tally.runs[days[known], bins] = runs[known]
