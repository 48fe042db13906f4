"""What one SimPy run costs, in bare SimPy timeouts; where its time goes; its memory; and how fast the help answers.

Run with `make bench` or `python -m benchmarks.simpy_run`. Runs and bare timeouts are interleaved in one process and
measured in CPU time, so that a noisy machine moves both.
"""

import cProfile
import gc
import pstats
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import simpy
from rich.console import Console
from rich.table import Table

from sim import model
from sim.scenario import Scenario
from sim.scenario_files import load
from sim.setting import setting_of

ROUNDS = 30
TIMEOUTS = 60_000
STATES = 54
BASELINE = Path(__file__).resolve().parent.parent / "scenarios" / "baseline.toml"
ONE_RUN = "from sim import model; from sim.scenario_files import load; from sim.setting import setting_of; {}"
# Not ru_maxrss, which also counts the process that this one was forked from.
PEAK = "print(next(row.split()[1] for row in open('/proc/self/status') if row.startswith('VmHWM')))"


def bare_timeouts(n: int) -> float:
    """CPU seconds of n SimPy timeouts spread over 54 processes that do nothing else."""
    env = simpy.Environment()

    def wait(times: int):
        for _ in range(times):
            yield env.timeout(1)

    for _ in range(STATES):
        env.process(wait(n // STATES))
    begun = time.process_time()
    env.run()
    return time.process_time() - begun


def one_run(scenario: Scenario, k: int) -> float:
    """CPU seconds of run k, as an ensemble runs it: draw k with luck k, its hash and the collection of its garbage included."""
    begun = time.process_time()
    run = model.run(setting_of(scenario, 1, k), k)
    assert run.hash >= 0
    gc.collect()
    return time.process_time() - begun


def ratios(scenario: Scenario) -> tuple[list[float], list[float]]:
    """CPU seconds of runs and of bare timeouts, interleaved."""
    runs, bare = [], []
    one_run(scenario, 0)
    # What is loaded by now is left out of every collection, so that a run pays for its own objects alone.
    gc.freeze()
    for k in range(ROUNDS):
        runs.append(one_run(scenario, k))
        bare.append(bare_timeouts(TIMEOUTS))
    return runs, bare


def where_time_goes(scenario: Scenario) -> dict[str, float]:
    """Share of profiled time by module of ours, SimPy and the rest."""
    profile = cProfile.Profile()
    for k in range(8):
        setting = setting_of(scenario, 1, k)
        profile.enable()
        model.run(setting, k)
        profile.disable()
    spent: defaultdict[str, float] = defaultdict(float)
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        path = Path(file)
        name = (
            path.stem if path.parent.name == "sim" else "simpy" if path.parent.name == "simpy" else "python and numpy"
        )
        spent[name] += own
    whole = sum(spent.values())
    return {name: own / whole for name, own in sorted(spent.items(), key=lambda row: -row[1])}


def peak_megabytes(last_step: str) -> float:
    """Peak memory of a fresh process that imports the model and then does one more thing."""
    code = ONE_RUN.format(last_step) + "; " + PEAK
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=BASELINE.parent.parent
    )
    return int(out.stdout) / 1024


def child_seconds(*words: str) -> float:
    """CPU seconds of a child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], capture_output=True, check=True, cwd=BASELINE.parent.parent)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    scenario = load(BASELINE)
    console = Console(highlight=False)
    runs, bare = ratios(scenario)
    table = Table("what", "measured", "at most", title="One SimPy run of the baseline", title_justify="left")
    mean = statistics.fmean(runs) / statistics.fmean(bare)
    table.add_row(f"mean run, in {TIMEOUTS:,} bare timeouts", f"{mean:.2f}", "1")
    table.add_row("  median run, ms of CPU", f"{1000 * statistics.median(runs):.0f}", "")
    table.add_row(f"  {TIMEOUTS:,} bare timeouts, ms of CPU", f"{1000 * statistics.median(bare):.0f}", "")
    idle, busy = peak_megabytes("load"), peak_megabytes(f"model.run(setting_of(load({str(BASELINE)!r}), 1, 2), 2)")
    table.add_row("memory that a run adds, MB", f"{busy - idle:.0f}", "100")
    helps = [child_seconds("-m", "sim", "--help") for _ in range(9)]
    passes = [child_seconds("-c", "pass") for _ in range(9)]
    table.add_row("--help, in python -c pass", f"{statistics.median(helps) / statistics.median(passes):.1f}", "15")
    console.print(table)
    shares = Table("where", "share of profiled time", title="Where time goes", title_justify="left")
    for name, share in where_time_goes(scenario).items():
        shares.add_row(name, f"{100 * share:.0f} %")
    console.print(shares)


if __name__ == "__main__":
    main()
