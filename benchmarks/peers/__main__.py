"""What one run of the toy costs in each engine, side by side.

Run with `python -m benchmarks.peers`. Every round runs the same replications in every engine, one after the other in one
process, in CPU time, so that a noisy machine moves all of them; ratios are taken within a round. An engine is timed only
after it has given the same numbers as the plain day loop.
"""

import argparse
import gc
import importlib
import importlib.metadata
import json
import platform
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.peers import plain
from benchmarks.peers.toy import STANDARD
from benchmarks.simpy_run import bare_timeouts

ROUNDS = 9
REPLICATIONS = range(2)
# The compiled loop repeats the same replications, or its time would be too short to tell.
REPEATS = 200
TIMEOUTS = 20_000


class Engine(NamedTuple):
    """One way to run the toy.

    library
        What must be installed; None if nothing.
    """

    module: str
    library: str | None
    about: str


# The slowest first, so that the others are neighbours in time.
ENGINES = {
    "salabim": Engine("salabim_toy", "salabim", "a component per state and cohort"),
    "SimPy": Engine("simpy_toy", "simpy", "a process per state and cohort"),
    "Mesa": Engine("mesa_toy", "mesa", "an agent per state and cohort"),
    "plain Python": Engine("plain", None, "day loop, no library"),
    "numba": Engine("numba_toy", "numba", f"day loop, compiled, {REPEATS * len(REPLICATIONS)} runs at once"),
}


def installed() -> tuple[dict[str, Callable[[], int]], list[str]]:
    """For every engine at hand a function that does one round's work and returns its number of runs; those missing."""
    work, missing = {}, []
    for name, engine in ENGINES.items():
        try:
            module = importlib.import_module(f"benchmarks.peers.{engine.module}")
        except ModuleNotFoundError as error:
            if error.name != engine.library:
                raise
            missing.append(name)
            continue
        for k in REPLICATIONS:
            if not np.array_equal(module.run(STANDARD, k), plain.run(STANDARD, k)):
                raise ValueError(f"{name}: replication {k} is not what the plain day loop gives")
        work[name] = _many(module.run_many) if hasattr(module, "run_many") else _one_by_one(module.run)
    return work, missing


def _one_by_one(run: Callable) -> Callable[[], int]:
    def work() -> int:
        for k in REPLICATIONS:
            run(STANDARD, k)
            # Or the next run would be walked through together with what this one left.
            gc.collect()
        return len(REPLICATIONS)

    return work


def _many(run_many: Callable) -> Callable[[], int]:
    replications = np.tile(np.array(REPLICATIONS), REPEATS)

    def work() -> int:
        return len(run_many(STANDARD, replications))

    return work


def milliseconds(work: Callable[[], int]) -> float:
    """CPU time a run, the collection of its garbage included, and of nobody else's."""
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    runs = work()
    gc.collect()
    return 1000 * (time.process_time() - begun) / runs


def measure(rounds: int) -> dict:
    """Everything that is printed."""
    work, missing = installed()
    names = list(work)
    for name in names:
        work[name]()
    bare_timeouts(TIMEOUTS)
    spent: dict[str, list[float]] = {name: [] for name in names}
    bare = []
    for k in range(rounds):
        # To and fro, so that a machine that slows down favours nobody.
        for name in names if k % 2 == 0 else reversed(names):
            spent[name].append(milliseconds(work[name]))
        bare.append(1000 * bare_timeouts(TIMEOUTS) / TIMEOUTS)

    def median_ratio(name: str, unit: list[float] | None) -> float | None:
        if unit is None:
            return None
        return statistics.median(own / other for own, other in zip(spent[name], unit, strict=True))

    return {
        "python": platform.python_version(),
        "rounds": rounds,
        "bare_timeout_microseconds": 1000 * statistics.median(bare),
        "missing": missing,
        "engines": {
            name: {
                "about": ENGINES[name].about,
                "version": importlib.metadata.version(library) if (library := ENGINES[name].library) else None,
                "best_ms": min(spent[name]),
                "median_ms": statistics.median(spent[name]),
                "times_simpy": median_ratio(name, spent["SimPy"]),
                "times_numba": median_ratio(name, spent.get("numba")),
                "bare_timeouts": median_ratio(name, bare),
            }
            for name in names
        },
    }


def _short(number: float | None) -> str:
    """Three digits, without exponents."""
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def show(found: dict, console: Console) -> None:
    """A table, slowest first, and what is missing."""
    table = Table(title="One run of the toy (54 states, 180 days) in CPU time", title_justify="left")
    table.add_column("engine", no_wrap=True)
    for column in ("best ms", "median ms", "SimPy = 1", "numba = 1", "bare timeouts"):
        table.add_column(column, justify="right")
    rows = sorted(found["engines"].items(), key=lambda item: -item[1]["median_ms"])
    for name, row in rows:
        columns = ("best_ms", "median_ms", "times_simpy", "times_numba", "bare_timeouts")
        table.add_row(name, *(_short(row[column]) for column in columns))
    console.print(table)
    for name, row in rows:
        console.print(f"{name} {row['version'] or found['python']}: {row['about']}.")
    console.print(
        f"{found['rounds']} interleaved rounds; ratios are medians of those within a round. A bare timeout is one of 54 SimPy "
        f"processes that do nothing else, {found['bare_timeout_microseconds']:.2f} microseconds here."
    )
    if found["missing"]:
        console.print(f"Not installed: {', '.join(found['missing'])} (pip install -r benchmarks/requirements.txt).")


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="One toy in five engines, timed.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of all engines (default {ROUNDS})")
    parser.add_argument("--json", action="store_true", help="print numbers for programs")
    options = parser.parse_args(words)
    if options.rounds < 1:
        parser.error("--rounds is at least 1")
    found = measure(options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found, Console(highlight=False))


if __name__ == "__main__":
    main()
