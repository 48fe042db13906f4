"""How fast the compiled engine is, as ratios inside one run: `python -m benchmarks.compiled_run`.

The unit is one bare SimPy timeout over 54 processes, timed in turn with everything else. Processor time, best and median
of several rounds; wall time only where threads are compared. How cost grows is measured by `benchmarks.growth`.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import simpy

from sim import compiled, model
from sim.ensemble import run_ensemble
from sim.results import Run
from sim.scenario_files import load
from sim.setting import Setting, setting_of
from sim.summary import summarize

N_PROCESSES, N_TIMEOUTS = 54, 54_000
# How often compiled code plays the draws that SimPy plays once: it is the cost of a run among others that is compared,
# and what SimPy leaves in the processor's caches makes the first ones slow.
AGAIN = 10
BASELINE = Path(__file__).resolve().parents[1] / "scenarios" / "baseline.toml"


def bare_timeouts() -> None:
    """The unit: nothing but SimPy's own loop."""
    env = simpy.Environment()

    def process():
        while True:
            yield env.timeout(1)

    for _ in range(N_PROCESSES):
        env.process(process())
    env.run(until=N_TIMEOUTS / N_PROCESSES)


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Of one call."""
    begun = clock()
    work()
    return clock() - begun


def main() -> None:
    """Time everything in turn and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compiled.prepare()
    scenario = load(BASELINE)
    pairs = [(r, r) for r in range(200)]
    few = pairs[:6]
    settings = [setting_of(scenario, 1, draw) for draw, _ in few]

    def one_by_one(run: Callable[[Setting, int], Run], times: int = 1) -> None:
        """Each run is let go before the next: new memory would cost more than what is measured."""
        for setting, (_, replication) in times * list(zip(settings, few, strict=True)):
            run(setting, replication)

    def with_bands(jobs: int) -> None:
        """A thousand runs, and of all of them the bands of every series by day and every outcome."""
        summarize(run_ensemble(scenario, 1, replications=1_000, jobs=jobs, with_twins=False), jobs)

    work: dict[str, Callable[[], object]] = {
        "bare timeouts": bare_timeouts,
        "compiled": lambda: compiled.chunk(scenario, 1, pairs),
        "compiled, six draws": lambda: compiled.chunk(scenario, 1, AGAIN * few),
        "compiled, six draws in full": lambda: one_by_one(compiled.run, AGAIN),
        "SimPy, six draws": lambda: one_by_one(model.run),
    }
    scale = {
        "bare timeouts": N_TIMEOUTS,
        "compiled": len(pairs),
        "compiled, six draws": AGAIN * len(few),
        "compiled, six draws in full": AGAIN * len(few),
        "SimPy, six draws": len(few),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    wall: dict[int, list[float]] = {1: [], 2: []}
    for name in work:
        work[name]()
    for _ in range(options.rounds):
        for name, call in work.items():
            times[name].append(seconds(call) / scale[name])
        for jobs in wall:
            wall[jobs].append(seconds(lambda jobs=jobs: with_bands(jobs), time.perf_counter))
    unit = min(times["bare timeouts"])
    rows = {
        name: {"best_ms": 1e3 * min(t), "median_ms": 1e3 * statistics.median(t), "timeouts": min(t) / unit}
        for name, t in times.items()
    }
    report = {
        "runs": rows,
        "SimPy by compiled": min(times["SimPy, six draws"]) / min(times["compiled, six draws"]),
        "SimPy by compiled in full": min(times["SimPy, six draws"]) / min(times["compiled, six draws in full"]),
        "one thread by two": min(wall[1]) / min(wall[2]),
        "1,000 runs on two threads, timeouts": min(wall[2]) / unit,
    }
    if options.json:
        print(json.dumps(report))
        return
    print(f"{'one run of the baseline':32}{'best ms':>10}{'median ms':>11}{'bare timeouts':>15}")
    for name, row in rows.items():
        print(f"{name:32}{row['best_ms']:10.3f}{row['median_ms']:11.3f}{row['timeouts']:15,.0f}")
    print(f"SimPy by compiled, same draws: {report['SimPy by compiled']:.0f} times")
    print(f"SimPy by compiled with all daily counts and reasons: {report['SimPy by compiled in full']:.0f} times")
    print(f"one thread by two, 1,000 runs: {report['one thread by two']:.2f} times")
    print(f"1,000 runs with bands on two threads: {report['1,000 runs on two threads, timeouts']:,.0f} bare timeouts")


if __name__ == "__main__":
    main()
