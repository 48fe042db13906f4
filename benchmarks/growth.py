"""How the cost of the compiled engine grows with runs, states and days: `python -m benchmarks.growth`.

Each size is measured in a process of its own: processor time, the best of some, once machine code is loaded; and what the
work adds to the peak of memory. Runs are counted block by block (`sim.blocks`), as the command line does with very many.
The exponent is the slope of time against size on the log scale, by least squares.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sim import compiled
from sim.blocks import run_bands
from sim.scenario_files import load
from sim.world import World, load_world

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "scenarios" / "baseline.toml"
SIZES = {
    "runs": (100, 1_000, 10_000, 100_000),
    "states": (54, 540, 1_620, 5_000),
    "days": (90, 180, 365, 730, 1_825),
}
MOST_RUNS = 1_000_000
# Runs of one measurement where states or days grow (many enough that laying out a world weighs little); when it is enough.
FEW, MANY = 32, 60
ENOUGH_SECONDS, MOST_TIMES = 2.0, 5


def many_states(n: int) -> World:
    """A made-up world of n states: the real ones over and over on a ring, each with a FIPS code of its own."""
    world = load_world()
    states = [replace(world.states[k % 54], fips=k + 1, code=f"S{k}") for k in range(n)]
    borders = [tuple(j for j in ((k - 1) % n, (k + 1) % n) if j != k) for k in range(n)]
    return World(tuple(states), tuple(borders), tuple(world.disasters_per_day[k % 54] for k in range(n)))


def work(what: str, size: int) -> Callable[[], object]:
    """What is to be timed, ready to be called."""
    scenario = load(BASELINE)
    if what == "runs":
        return lambda: run_bands(scenario, 1, replications=size, jobs=1, with_twins=False, engine="compiled")
    if what == "states":
        world, pairs = many_states(size), [(r, r) for r in range(FEW)]
        return lambda: compiled.chunk(scenario, 1, pairs, world)
    longer, pairs = scenario.with_values({}, size), [(r, r) for r in range(MANY)]
    return lambda: compiled.chunk(longer, 1, pairs)


def peak_megabytes() -> float:
    """The most memory that this process has held; not ru_maxrss, which also counts the process that it was forked from."""
    rows = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(row.split()[1] for row in rows if row.startswith("VmHWM"))) / 1024


def measured(what: str, size: int) -> dict[str, float]:
    """Seconds of one call, and the megabytes that it adds to what the engine itself needs; in this process."""
    compiled.prepare()
    call = work(what, size)
    work(what, min(SIZES[what]))()
    if what == "states":
        call()  # a larger world is compiled anew, which no run pays for
    before, seconds = peak_megabytes(), []
    while len(seconds) < MOST_TIMES and sum(seconds) < ENOUGH_SECONDS:
        begun = time.process_time()
        call()
        seconds.append(time.process_time() - begun)
    return {"seconds": min(seconds), "megabytes": peak_megabytes() - before}


def elsewhere(what: str, size: int) -> dict[str, float]:
    """The same in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.growth", "--one", what, str(size)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def exponent(sizes: tuple[int, ...], values: list[float]) -> float:
    """The slope of values against sizes on the log scale, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"leave out {SIZES['runs'][-1]:,} runs")
    parser.add_argument(
        "--long",
        action="store_true",
        help=f"up to {MOST_RUNS:,} runs: many minutes",
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "SIZE"), help="one measurement, in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one[0], int(options.one[1]))))
        return
    sizes = dict(SIZES)
    if options.quick:
        sizes["runs"] = SIZES["runs"][:-1]
    if options.long:
        sizes["runs"] = (*SIZES["runs"], MOST_RUNS)
    report: dict[str, Any] = {}
    for what, of in sizes.items():
        rows = [elsewhere(what, size) for size in of]
        report[what] = {
            "sizes": of,
            "seconds": [row["seconds"] for row in rows],
            "megabytes": [row["megabytes"] for row in rows],
            "exponent": exponent(of, [row["seconds"] for row in rows]),
        }
    if options.json:
        print(json.dumps(report))
        return
    for what, found in report.items():
        print(f"{'cost against ' + what:32}{'seconds':>10}{'added MB':>11}")
        for size, seconds, megabytes in zip(found["sizes"], found["seconds"], found["megabytes"], strict=True):
            print(f"{size:>32,}{seconds:10.3f}{megabytes:11.0f}")
        print(f"{'exponent (at most 1.05)':32}{found['exponent']:10.2f}")


if __name__ == "__main__":
    main()
