"""Many runs in compiled code: the same numbers as SimPy's, hundreds of times as fast.

Numba compiles `sim.kernel` once and keeps the machine code in a folder named by a hash of all sources that go into it,
because Numba itself does not notice edits in files that it imports. Compiled code lets other threads run.
"""

import hashlib
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from sim import luck
from sim.packed import NUMBERS, Packed, pack
from sim.results import SERIES, STATUSES, Decision, Run
from sim.scenario import Scenario
from sim.setting import Setting
from sim.world import World

Pair = tuple[int | None, int]
_OFFICERS = [SERIES.index("hired"), SERIES.index("deputized")]
# Set in a folder of machine code once all of it is there.
_DONE = "complete"
# What goes into the machine code: the loop over days, the rules that it calls, and the layout of what it reads.
_SOURCES = ("kernel/*", "packed", "governors", "people", "shocks", "parameters", "luck", "results")


class Chunk(NamedTuple):
    """Some runs, reduced: the fields are those of `results.Ensemble`, in the order of the pairs.

    status_counts
        Of these runs alone, shape (n_days, n_states, n_statuses); of length 0 where nobody wants them.
    """

    series: NDArray[np.int32]
    status_counts: NDArray[np.int32]
    last_status: NDArray[np.int8]
    numbers: NDArray[np.float64]
    approval: NDArray[np.int32]
    hashes: NDArray[np.uint64]


@cache
def folder() -> Path:
    """Where the machine code of these sources is kept: the user's cache, or where temporary files go if that cannot be written.

    The name is a hash of the sources and not their place, so another checkout of the same version need not compile.
    """
    here = Path(__file__).resolve().parent
    digest = hashlib.sha256(f"{sys.version_info} {version('numba')} {platform.machine()}".encode())
    sources = [path for name in _SOURCES for path in sorted(here.glob(f"{name}.py"))]
    for path in (*sources, here.parent / "seeds" / "parameters.toml"):
        digest.update(path.read_bytes())
    name = digest.hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for parent in (cache / "guard-request-simulator", Path(tempfile.gettempdir()) / "guard-request-simulator"):
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(parent / name, os.W_OK):
            return parent / name
    raise OSError("no folder for machine code can be written")


@cache
def kernel() -> ModuleType | str:
    """The compiled model, or, in words, why there is none."""
    try:
        import numba
    except Exception as error:  # a broken installation fails in many ways, and SimPy runs all the same
        return f"Numba cannot be imported ({type(error).__name__}: {error})".splitlines()[0]
    try:
        numba.config.CACHE_DIR = str(folder())  # type: ignore[attr-defined]
        numba.config.CACHE_LOCATOR_CLASSES = "sim.kernel.compiling.Locator"  # type: ignore[attr-defined]
    except OSError as error:
        return str(error)
    from sim import kernel as compiled

    return compiled


def unavailable() -> str | None:
    """Why compiled code cannot be used here, or None."""
    found = kernel()
    return found if isinstance(found, str) else None


def is_ready() -> bool:
    """Whether nothing is left to compile."""
    return (folder() / _DONE).is_file()


def prepare() -> float:
    """Compile what has not been compiled yet, and say so on standard error; returns the seconds that it took."""
    if unavailable() or is_ready():
        return 0.0
    sys.stderr.write("compiling the fast engine, once on this machine: about a minute ...\n")
    begun = time.perf_counter()
    chunk(Scenario("compiling", "Compiling", "Is it ready?", days=2), 1, [(0, 0)])
    (folder() / _DONE).touch()
    seconds = time.perf_counter() - begun
    sys.stderr.write(f"compiled in {seconds:.0f} s\n")
    return seconds


_kept: dict[str, Packed] = {}


def packed(scenario: Scenario) -> Packed:
    """A scenario as flat arrays; the last ones are kept for the next chunk of runs."""
    digest = scenario.digest
    found = _kept.get(digest)
    if found is None:
        if len(_kept) >= 8:
            _kept.clear()
        found = _kept[digest] = pack(scenario)
    return found


def drawn(of: Packed, seed: int, draws: Sequence[int | None]) -> NDArray[np.float64]:
    """Numbers of some draws (None: the defaults), shape (n, n_levers, n_parameters)."""
    code: Any = kernel()
    values = np.repeat(of.numbers[np.newaxis], len(draws), axis=0)
    numbered = np.array([-1 if draw is None else draw for draw in draws], np.int64)
    code.draw_numbers(of.draws, *_key(seed), numbered, values)
    return values


def _key(seed: int) -> tuple[np.uint64, np.uint64]:
    k0, k1 = luck.key_of(seed)
    return np.uint64(k0), np.uint64(k1)


def _records(values: NDArray[np.float64]) -> Any:
    """The same numbers as records with a field for each parameter."""
    # No `recarray`: it makes a new type of each view, which Numba would look through field by field at every call.
    return values.view(NUMBERS)[..., 0]


def chunk(
    scenario: Scenario,
    seed: int,
    pairs: Sequence[Pair],
    world: World | None = None,
    series: NDArray[np.int32] | None = None,
    with_counts: bool = True,
) -> Chunk:
    """Run (draw, replication) pairs one after the other, in this thread.

    Parameters
    ----------
    world
        Replaces the 54 jurisdictions.
    series
        Where the series are written, shape (n_pairs, n_series, n_days); new memory if absent.
    with_counts
        Count statuses; for few runs this costs as much as they do.
    """
    of = packed(scenario) if world is None else pack(scenario, world)
    return _played(of, seed, pairs, series=series, with_counts=with_counts)


# The last workspace of each thread: a run leaves it as clean as it was found, and new memory costs as much as some runs.
_rooms = threading.local()


def _workspace(code: Any, n_days: int, n_states: int) -> Any:
    if getattr(_rooms, "of", None) != (code, n_days, n_states):
        _rooms.of, _rooms.work = (code, n_days, n_states), code.workspace(n_days, n_states)
    return _rooms.work


def _played(
    of: Packed,
    seed: int,
    pairs: Sequence[Pair],
    full: Any = None,
    series: NDArray[np.int32] | None = None,
    with_counts: bool = False,
) -> Chunk:
    code: Any = kernel()
    plan = of.plan
    n, n_days, n_states = len(pairs), len(plan.levers_of), len(plan.homes)
    draws = list(dict.fromkeys(draw for draw, _ in pairs))
    row_of = {draw: k for k, draw in enumerate(draws)}
    values = drawn(of, seed, draws)
    rows = np.array([row_of[draw] for draw, _ in pairs], np.int64)
    changes = np.zeros((n_days if with_counts else 0, n_states, len(STATUSES)), np.int32)
    result = Chunk(
        series=np.empty((n, len(SERIES), n_days), np.int32) if series is None else series,
        status_counts=changes,
        last_status=np.empty((n, n_states), np.int8),
        numbers=values[rows, 0],
        approval=np.empty(n, np.int32),
        hashes=np.empty(n, np.uint64),
    )
    code.play_many(
        plan,
        _records(values),
        values,
        rows,
        *_key(seed),
        np.array([replication for _, replication in pairs], np.uint64),
        _workspace(code, n_days, n_states),
        changes,
        result.series,
        result.last_status,
        result.approval,
        result.hashes,
        full or code.nothing(),
    )
    # Everybody begins unasked; what the runs added up is how statuses change from one evening to the next.
    changes[:1, :, 0] += n
    np.cumsum(changes, axis=0, out=changes)
    return result


def officers(scenario: Scenario, seed: int, draws: Sequence[int | None]) -> NDArray[np.int32]:
    """Hired and deputized officers by day under some draws, shape (n, 2, n_days): no luck and no answer moves them."""
    code: Any = kernel()
    of = packed(scenario)
    n_days, n_states = len(of.plan.levers_of), len(of.plan.homes)
    levers = _records(drawn(of, seed, draws))
    days = code.workspace(n_days, n_states).days
    found = np.empty((len(draws), 2, n_days), np.int32)
    for k in range(len(draws)):
        code.officers(days, levers[k, 0])
        found[k] = days["hired"], days["deputized"]
    return found


def run(setting: Setting, replication: int) -> Run:
    """One run in full, as `model.run` gives it, without the event log."""
    code: Any = kernel()
    is_real = setting.world is setting.scenario.world
    of = packed(setting.scenario) if is_real else pack(setting.scenario, setting.world)
    n_days, n_states = len(of.plan.levers_of), len(of.plan.homes)
    full = code.everything(n_days, n_states, of.most_decisions)
    chunk = _played(of, setting.seed, [(setting.draw, replication)], full)
    daily = chunk.series[0].astype(np.int64)
    approval = int(chunk.approval[0])
    return Run(
        draw=setting.draw,
        replication=replication,
        codes=setting.world.codes,
        p=setting.levers[0].p,
        approval_day=None if approval < 0 else approval,
        people=_people(full),
        status=full.status,
        permitted=full.permitted,
        officers=daily[_OFFICERS].T,
        below_reserve=daily[SERIES.index("below_reserve")],
        missing=daily[SERIES.index("missing")],
        decisions=Told(full.decisions[: int(_rooms.work.nation["n_decisions"][0])]),
    )


def _people(full: Any) -> NDArray[np.int32]:
    """Whole people, shape (n_days, n_states, n_roles, n_stages)."""
    counted: NDArray[np.int32] = full.people.transpose(0, 3, 2, 1)
    return counted[:, : full.status.shape[1]]


@dataclass(frozen=True, eq=False)
class Told(Sequence[Decision]):
    """Decisions of one run: records, of which tuples are made once somebody reads one."""

    records: Any

    @cached_property
    def _rows(self) -> list[Decision]:
        code: Any = kernel()
        columns: dict[str, Iterable[Any]] = {name: self.records[name].tolist() for name in Decision._fields}
        columns["answer"] = map(code.DECISIONS.__getitem__, columns["answer"])
        columns["terms"] = map(tuple, columns["terms"])
        columns["is_forced"] = map(bool, columns["is_forced"])
        return [Decision(*row) for row in zip(*columns.values(), strict=True)]

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, k: int) -> Decision: ...
    @overload
    def __getitem__(self, k: slice) -> list[Decision]: ...
    def __getitem__(self, k: int | slice) -> Decision | list[Decision]:
        return self._rows[k]

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._rows)


def people(scenario: Scenario, seed: int, pairs: Sequence[Pair]) -> Iterator[NDArray[np.int32]]:
    """Of one run after the other, whole people at each evening: shape (n_days, n_states, n_roles, n_stages)."""
    code: Any = kernel()
    of = packed(scenario)
    for pair in pairs:
        full = code.everything(len(of.plan.levers_of), len(of.plan.homes), of.most_decisions)
        _played(of, seed, [pair], full)
        yield _people(full)
