"""What a second Dask worker brings on a sweep: `python -m benchmarks.cluster` (needs `make lab`).

A real scheduler with one worker and another with two, all processes of their own on loopback with one thread each, run
the same sweep in turn, one replication of each point, into a folder that is thrown away. Both must give the same rows. Wall
time, the best of some rounds: on a machine with two cores the scheduler and the process that writes the rows share
those with the workers. So the machine's load is told beside the ratio, and what it would be with a free core for each process:
one worker's processor time by that of the busier of two, which other work hardly moves.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client
from distributed.deploy.subprocess import SubprocessCluster

from sim import compiled
from sim.designs import Experiment, load_experiment
from sim.experiments import digest_of, run
from sim.parallel import workers

ROOT = Path(__file__).resolve().parents[1]
SWEEP = """schema = 1
title = "Ten thousand points"
question = "What does a second worker bring?"
base = {base}
design = "lhs"
n = {n}
replications = 1
outcomes = ["volunteers", "peak_in_place", "days_to_25"]

[uncertainties]
"volunteers.share" = {{}}
"volunteers.pace" = {{}}
"training.seats" = {{}}
"support.mission" = {{ low = -2.0, high = 1.0 }}
"""
# A small sweep beforehand: workers load the engine with it.
FEW = 64
# As docs/scale.md starts workers: the profiler that each has by default takes a tenth of what they do here.
NO_PROFILE = "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"
# Seconds to wait for workers on a busy machine.
PATIENCE = 120


def sweep(folder: Path, n: int) -> Experiment:
    """A sweep of n points around the baseline."""
    path = folder / f"points_{n}.toml"
    path.write_text(SWEEP.format(base=json.dumps(str(ROOT / "scenarios" / "baseline.toml")), n=n), encoding="utf-8")
    return load_experiment(path)


@contextmanager
def cluster(n_workers: int) -> Iterator[str]:
    """The address of a scheduler with so many workers."""
    with SubprocessCluster(
        n_workers=n_workers, threads_per_worker=1, dashboard_address=None, worker_class="distributed.Worker"
    ) as made:
        with Client(made, set_as_default=False) as client:
            client.wait_for_workers(n_workers, timeout=PATIENCE)
        yield made.scheduler_address


def processor_seconds(address: str) -> dict[str, float]:
    """What each worker of a cluster has used so far, by its address."""
    with Client(address, set_as_default=False) as client:
        found: dict[str, float] = client.run(time.process_time)
    return found


def swept(experiment: Experiment, address: str, folder: Path) -> tuple[float, float, str]:
    """Wall time of one sweep, processor time of the busiest worker, and the digest of the rows."""
    before = processor_seconds(address)
    with workers(1, scheduler=address) as executor:
        begun = time.perf_counter()
        rows = run(experiment, folder, executor=executor)
        wall = time.perf_counter() - begun
    busiest = max(used - before[worker] for worker, used in processor_seconds(address).items())
    return wall, busiest, digest_of(rows)


def main() -> None:
    """Run the sweeps in turn and print the ratio of what they get through."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compiled.prepare()
    # Workers find the model where this process finds it.
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ[NO_PROFILE] = "False"
    load_before = os.getloadavg()[0]
    times: dict[int, list[float]] = {1: [], 2: []}
    busiest: dict[int, list[float]] = {1: [], 2: []}
    digests = set()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        few, many = sweep(place, FEW), sweep(place, options.points)
        for k in range(options.rounds):
            for n in times:
                # One cluster at a time: processes that wait for work still take some of two cores.
                with cluster(n) as address:
                    swept(few, address, place / f"few-{n}-{k}")
                    wall, busy, digest = swept(many, address, place / f"many-{n}-{k}")
                times[n].append(wall)
                busiest[n].append(busy)
                digests.add(digest)
    if len(digests) != 1:
        raise SystemExit("one worker and two gave different rows")
    report = {
        "points": options.points,
        "seconds": {str(n): min(row) for n, row in times.items()},
        "one worker by two": min(times[1]) / min(times[2]),
        "with a core each": min(busiest[1]) / min(busiest[2]),
        "load before": load_before,
        "cores": os.cpu_count(),
    }
    if options.json:
        print(json.dumps(report))
        return
    for n, row in times.items():
        print(f"{n} worker{'s' * (n > 1)}: {options.points / min(row):8,.0f} points a second ({min(row):.1f} s)")
    print(f"one worker by two: {report['one worker by two']:.2f} times (aim: 1.8)")
    print(f"with a free core for each process: {report['with a core each']:.2f} times")
    print(f"{report['cores']} cores; load of this machine beforehand: {load_before:.1f} (other work lowers the ratio)")


if __name__ == "__main__":
    main()
