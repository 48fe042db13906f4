"""How far the compiled engine is from the practical limit: `python -m benchmarks.limit`.

The limit is `benchmarks.by_hand`: the baseline alone, written by hand for speed, with no call into the rules that the
engines share. It leaves out what the baseline never does (dated shocks, given answers, changes, courts, federalization, orders,
journeys to other states, the enforcement role, for which it asks nobody) and what the engine keeps besides totals:
hashes and counts of statuses. What is left is equal to the last person: `tests/test_limit.py` compares all totals of all
days. Both are timed in turn, in processor time, so that a busy machine slows both.
"""

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.by_hand import loop
from benchmarks.by_hand.layout import fixed, room
from benchmarks.compiled_run import BASELINE
from sim import compiled, luck
from sim.results import SERIES
from sim.scenario import Scenario
from sim.scenario_files import load


class Limit:
    """A scenario that the limit can play, made ready."""

    def __init__(self, scenario: Scenario) -> None:
        """Raises ValueError where the scenario does something that the limit cannot."""
        self.fixed, self.room = fixed(compiled.packed(scenario)), room()

    def play(self, seed: int, runs: NDArray[np.uint64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Runs with the draw and the luck of their number: series, last statuses and days of approval as in `compiled.Chunk`."""
        n, n_days, n_states = len(runs), int(self.fixed.n_days[0]), int(self.fixed.n_states[0])
        series, last = np.empty((n, len(SERIES), n_days), np.int32), np.empty((n, n_states), np.int8)
        approval = np.empty(n, np.int32)
        k0, k1 = (np.uint64(word) for word in luck.key_of(seed))
        loop.play_many(self.fixed, self.room, k0, k1, runs, runs, series, last, approval)
        return series, last, approval


def main() -> None:
    """Time both in turn and print how many times as long the engine takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--runs", type=int, default=200, help="runs of a round, each with its own draw")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compiled.prepare()
    scenario = load(BASELINE)
    limit, runs = Limit(scenario), np.arange(options.runs, dtype=np.uint64)
    pairs = [(r, r) for r in range(options.runs)]
    times: dict[str, list[float]] = {"compiled engine": [], "by hand": []}
    for k in range(options.rounds + 1):
        begun = time.process_time()
        compiled.chunk(scenario, 1, pairs)
        between = time.process_time()
        limit.play(1, runs)
        ended = time.process_time()
        # The first round is a warming up: it compiles.
        if k:
            times["compiled engine"].append((between - begun) / len(pairs))
            times["by hand"].append((ended - between) / len(pairs))
    ratio = statistics.median(a / b for a, b in zip(*times.values(), strict=True))
    rows = {name: {"best_ms": 1e3 * min(row), "median_ms": 1e3 * statistics.median(row)} for name, row in times.items()}
    if options.json:
        print(json.dumps({"runs": rows, "compiled by limit": ratio}))
        return
    print(f"{'one run of the baseline':32}{'best ms':>10}{'median ms':>11}")
    for name, row in rows.items():
        print(f"{name:32}{row['best_ms']:10.3f}{row['median_ms']:11.3f}")
    print(f"the compiled engine takes {ratio:.2f} times as long as the limit (aim: at most 2)")


if __name__ == "__main__":
    main()
