"""Stored results: which there are in a folder and below, and how to take some away; what is not ours is left alone."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim import store, store_bands
from sim.bands import Bands
from sim.parameters import InputError, near_miss, shorten
from sim.results import Ensemble
from sim.store import BANDS, COUNTS, MANIFEST, TABLES, read_manifest

RESULTS = Path("results")
RUNS, SWEEP, STUDY, DAMAGED, FOREIGN = "runs", "sweep", "study", "damaged", "foreign"
# What a sweep adds to its folder.
ROWS, PARTS, LOCK = "rows.parquet", "parts", ".lock"
# What a study keeps.
REPORT = "study.json"
OURS = {MANIFEST, LOCK, "scenario.toml", "experiment.toml", "points.csv", ROWS, "rows.csv"} | {
    f"{table}.{ending}" for table in (*TABLES, Path(COUNTS).stem) for ending in ("parquet", "csv")
}
# The types that keys of a manifest have in every result of ours; whoever shows them can rely on it.
TYPES: dict[str, type | tuple[type, ...]] = {
    "scenario": str,
    "scenario_hash": str,
    "seed": int,
    "draws": int,
    "replications": int,
    "digest": str,
    "versions": dict,
    "luck_share": dict,
    "seconds": (int, float),
}


@dataclass(frozen=True)
class Stored:
    """A folder found among results.

    name
        Its path below the folder that was looked through, with slashes.
    kind
        `runs` (an ensemble), `sweep`, `study` (a report, in no view), `damaged` (a manifest, but nothing that can be
        used) or `foreign`.
    manifest
        Empty unless it is one of ours.
    trouble
        Why a folder is neither runs nor a sweep.
    size
        Bytes of its files, without links and without other results inside it.
    """

    name: str
    path: Path
    kind: str
    manifest: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""
    size: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all its runs have finished or failed."""
        return self.kind in (RUNS, SWEEP) and self.manifest.get("complete") is True

    @property
    def n_runs(self) -> int | None:
        """Runs planned: of an ensemble, or rows of a sweep."""
        return _whole(self.manifest.get("rows" if self.kind == SWEEP else "runs"))


def found(folder: Path) -> list[Stored]:
    """All results in a folder and below, by name, and what else stands directly in it; links are not followed.

    Folders whose name begins with a dot are passed over: a writing that goes on, or one that was interrupted.

    Raises
    ------
    InputError
        If there is no such folder, unless it is the one where results stand by default: then there are none.
    """
    if not folder.is_dir():
        if folder == RESULTS and not folder.exists():
            return []
        beside = [each.name for each in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        raise InputError(f"{folder}: there is no such folder of results{near_miss(folder.name, beside)}")
    root = folder.resolve()
    places = []
    for place, below, files in os.walk(root):
        here = Path(place)
        below[:] = sorted(name for name in below if not name.startswith("."))
        if MANIFEST in files:
            places.append(here)
    stored = [_seen(here, root) for here in places]
    taken = {here.relative_to(root).parts[0] for here in places if here != root}
    # Where the folder is a result itself, what stands in it is not beside results.
    for path in sorted(root.iterdir()) if root not in places else ():
        if path.is_dir() and not path.name.startswith(".") and path.name not in taken:
            stored.append(_beside(path))
    return sorted(stored, key=lambda each: each.name)


def _beside(path: Path) -> Stored:
    """A folder without a manifest, or a link."""
    kind, trouble = FOREIGN, f"no {MANIFEST}"
    if path.is_symlink():
        trouble = "a link, which is not followed"
    elif (path / REPORT).is_file():
        kind, trouble = STUDY, f"see its {REPORT}"
    return Stored(_readable(path.name), path, kind, trouble=trouble, size=_size(path))


def _seen(path: Path, root: Path) -> Stored:
    """A folder with a manifest."""
    place = path.relative_to(root).as_posix() if path != root else path.name
    manifest: dict[str, Any] = {}
    size = _size(path)
    try:
        if place != _readable(place):
            raise InputError("its name is not UTF-8")
        if links := [each.name for each in path.iterdir() if each.name in {*OURS, PARTS} and each.is_symlink()]:
            raise InputError(f"{links[0]} is a link")
        kind, manifest = _manifest(path)
        _check_tables(path, kind, manifest)
    except InputError as error:
        told = str(error).removeprefix(f"{path / MANIFEST}: ").removeprefix(f"{path}: ")
        return Stored(_readable(place), path, DAMAGED, manifest, told, size)
    return Stored(place, path, kind, manifest, size=size)


def _manifest(path: Path) -> tuple[str, dict[str, Any]]:
    """Which kind of results a folder holds, and its manifest; raises InputError if it is not one of ours."""
    try:
        told = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{MANIFEST} cannot be read ({type(error).__name__})") from None
    if isinstance(told, dict) and told.get("kind") == SWEEP:
        if missing := [key for key in ("scenario", "experiment_hash", "rows") if key not in told]:
            raise InputError(f"{missing[0]} is missing, so this is no manifest of ours")
        return SWEEP, told
    told = read_manifest(path)
    for key, right in TYPES.items():
        if not isinstance(told.get(key, 0 if key == "seconds" else {} if right is dict else None), right):
            raise InputError(f"{MANIFEST}: {key} = {shorten(told.get(key))} is nothing that we write")
    return RUNS, told


def _check_tables(path: Path, kind: str, manifest: dict[str, Any]) -> None:
    """Raise InputError unless every table that must stand in a folder has been written to its end."""
    needed = ["runs.parquet", COUNTS if manifest.get("kept") == BANDS else "timeseries.parquet", "states.parquet"]
    if kind == SWEEP:
        needed = [ROWS] if manifest.get("complete") is True else []
    for name in needed:
        if not _is_parquet(path / name):
            raise InputError(f"{name} {'is damaged' if (path / name).exists() else 'is missing'}")


def _is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as Parquet does, so that it has been written to its end."""
    try:
        if not path.is_file() or path.stat().st_size < 12:
            return False
        with path.open("rb") as file:
            first = file.read(4)
            file.seek(-4, os.SEEK_END)
            return first == file.read(4) == b"PAR1"
    except OSError:
        return False


def _readable(name: str) -> str:
    """A name that can be printed, whatever bytes it was made of."""
    return os.fsencode(name).decode("utf-8", "replace")


def _files(path: Path) -> tuple[list[Path], list[Path]]:
    """What stands in a folder of results: what we write, and everything else."""
    ours: list[Path] = []
    others: list[Path] = []
    for each in sorted(path.iterdir()):
        if each.name == PARTS and each.is_dir() and not each.is_symlink():
            for part in sorted(each.iterdir()):
                is_part = part.name.startswith("part-") and part.suffix == ".parquet"
                (ours if (is_part or _is_fresh(part)) and _is_plain(part) else others).append(part)
        else:
            (ours if (each.name in OURS or _is_fresh(each)) and _is_plain(each) else others).append(each)
    return ours, others


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_fresh(path: Path) -> bool:
    """Whether a file was being written when the writing ended."""
    return path.name.startswith(".") and path.name.endswith(".fresh")


def _size(path: Path) -> int:
    """Bytes of the files of a folder, and of the folders in it that hold no results of their own."""
    total = 0
    if path.is_symlink():
        return total
    for place, below, files in os.walk(path):
        below[:] = [name for name in below if not (Path(place) / name / MANIFEST).exists()]
        for name in files:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total


def called(folder: Path, name: str) -> Stored:
    """The results of that name in a folder, or at that path inside it; raises InputError with the near miss."""
    stored = found(folder)
    for each in stored:
        if each.name == name.rstrip("/"):
            return each
    try:
        path = Path(name).resolve()
    except (OSError, ValueError):
        path = Path()
    for each in stored:
        if each.path == path:
            return each
    hint = near_miss(name, [each.name for each in stored])
    raise InputError(f"{folder}: there are no results called {name!r}{hint} (python -m sim results list shows all)")


def loaded_runs(stored: Stored) -> tuple[Ensemble, dict[str, Any]]:
    """As `loaded`, for what needs every run; raises InputError where bands alone have been kept."""
    result, manifest = loaded(stored)
    if isinstance(result, Bands):
        raise InputError(f"{stored.path}: bands alone were kept of these runs; ask the view runs for single ones")
    return result, manifest


def loaded(stored: Stored) -> tuple[Ensemble | Bands, dict[str, Any]]:
    """The result that was stored and its manifest; raises InputError if there is none that can be read."""
    if stored.kind == SWEEP:
        raise InputError(
            f"{stored.path}: these are the rows of a sweep; ask the view sweeps for them, as in "
            f"query \"FROM sweeps WHERE result = '{stored.name}'\""
        )
    if stored.kind != RUNS:
        raise InputError(f"{stored.path}: these are no results that can be shown: {stored.trouble}")
    try:
        return store_bands.load(stored.path) if stored.manifest.get("kept") == BANDS else store.load(stored.path)
    except (AttributeError, IndexError, TypeError, OverflowError) as error:
        # Tables that are Parquet, but not those of the plan in the manifest.
        raise InputError(f"{stored.path}: the tables do not fit the manifest ({type(error).__name__})") from None


def check_deletable(stored: Stored) -> None:
    """Refuse whatever is not wholly ours; raises InputError."""
    if not stored.manifest:
        raise InputError(f"{stored.path}: not deleted, since these are no results of ours: {stored.trouble}")
    _, others = _files(stored.path)
    if others:
        names = ", ".join(_readable(str(each.relative_to(stored.path))) for each in others[:3])
        raise InputError(f"{stored.path}: not deleted, since it holds what is not ours: {names}")
    if _is_locked(stored.path / LOCK):
        raise InputError(f"{stored.path}: not deleted, since a sweep is running in it")


def delete(stored: Stored) -> int:
    """Take results away, file by file, and return the bytes freed; what is not ours is never touched.

    Raises
    ------
    InputError
        If the folder is not wholly ours, or a file cannot be removed.
    """
    check_deletable(stored)
    ours, _ = _files(stored.path)
    freed = 0
    try:
        # The manifest last: what an interrupted deletion leaves is still known as ours.
        for path in sorted(ours, key=lambda each: each.name == MANIFEST):
            freed += path.lstat().st_size
            if path.name == MANIFEST and (stored.path / PARTS).is_dir():
                (stored.path / PARTS).rmdir()
            path.unlink()
        stored.path.rmdir()
    except OSError as error:
        raise InputError(f"{stored.path}: cannot be deleted ({error.strerror}: {error.filename})") from None
    return freed


def _is_locked(lock: Path) -> bool:
    """Whether a running sweep holds its folder."""
    if not lock.is_file():
        return False
    try:
        import fcntl

        with lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    except ImportError:
        # Where there are no such locks, a file left behind cannot be told from one in use.
        return True
    return False


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
