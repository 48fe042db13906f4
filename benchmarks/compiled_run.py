"""How fast the compiled engine is, as ratios inside one run: `python -m benchmarks.compiled_run`.

The unit is one bare SimPy timeout over 54 processes, timed in turn with everything else. Processor time, best and median
of several rounds; wall time only where threads are compared.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import simpy

from sim import compiled, model
from sim.ensemble import run_ensemble
from sim.scenario import Scenario
from sim.scenario_files import load
from sim.setting import setting_of
from sim.world import World, load_world

N_PROCESSES, N_TIMEOUTS = 54, 54_000
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


def many_states(n: int) -> World:
    """A made-up world of n states: the real ones over and over, each with a FIPS code of its own."""
    world = load_world()
    states = [replace(world.states[k % 54], fips=k + 1, code=f"S{k}") for k in range(n)]
    borders = [tuple(j for j in ((k - 1) % n, (k + 1) % n) if j != k) for k in range(n)]
    return World(tuple(states), tuple(borders), tuple(world.disasters_per_day[k % 54] for k in range(n)))


def exponent(sizes: list[int], times: list[float]) -> float:
    """The slope of time against size, both on the log scale, from the smallest size to the largest."""
    return float(np.log(times[-1] / times[0]) / np.log(sizes[-1] / sizes[0]))


def growth(scenario: Scenario) -> dict[str, dict[str, object]]:
    """How the cost of a run grows with runs, states and days."""
    found: dict[str, dict[str, object]] = {}
    runs = [100, 1_000, 10_000]
    times = [seconds(lambda n=n: run_ensemble(scenario, 1, replications=n, with_twins=False)) for n in runs]
    found["runs"] = {"sizes": runs, "seconds": times, "exponent": exponent(runs, times)}
    pairs = [(r, r) for r in range(4)]
    states = [54, 540, 5_400]
    times = [
        min(seconds(lambda w=w: compiled.chunk(scenario, 1, pairs, w)) for _ in range(3))
        for w in map(many_states, states)
    ]
    found["states"] = {"sizes": states, "seconds": times, "exponent": exponent(states, times)}
    pairs = [(r, r) for r in range(60)]
    days = [90, 365, 1_825]
    times = [
        min(seconds(lambda d=d: compiled.chunk(scenario.with_values({}, d), 1, pairs)) for _ in range(3)) for d in days
    ]
    found["days"] = {"sizes": days, "seconds": times, "exponent": exponent(days, times)}
    return found


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
    work: dict[str, Callable[[], object]] = {
        "bare timeouts": bare_timeouts,
        "compiled": lambda: compiled.chunk(scenario, 1, pairs),
        "compiled, six draws": lambda: compiled.chunk(scenario, 1, few),
        "compiled, six draws in full": lambda: [compiled.run(settings[r], r) for _, r in few],
        "SimPy, six draws": lambda: [model.run(settings[r], r) for _, r in few],
    }
    scale = {"bare timeouts": N_TIMEOUTS, "compiled": len(pairs)}
    times: dict[str, list[float]] = {name: [] for name in work}
    wall: dict[int, list[float]] = {1: [], 2: []}
    for name in work:
        work[name]()
    for _ in range(options.rounds):
        for name, call in work.items():
            times[name].append(seconds(call) / scale.get(name, len(few)))
        for jobs in wall:
            wall[jobs].append(
                seconds(
                    lambda jobs=jobs: run_ensemble(scenario, 1, replications=1_000, jobs=jobs, with_twins=False),
                    time.perf_counter,
                )
            )
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
        "growth": growth(scenario),
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
    for what, found in report["growth"].items():
        print(f"cost against {what}, {found['sizes'][0]:,} to {found['sizes'][-1]:,}: exponent {found['exponent']:.2f}")


if __name__ == "__main__":
    main()
