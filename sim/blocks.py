"""Very many runs of one scenario, block by block: each block is counted and let go, so that memory does not grow with runs.

Blocks come in the order of the plan, and inside a block it does not matter which run comes first. So the counts, the
digest and the rows on disk are the same on any number of workers.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from sim import outcomes
from sim.bands import Bands
from sim.ensemble import empty, engine_of, luck_shares, pairs_of, play, twins_of
from sim.parallel import WorkersLostError, uninterrupted, workers
from sim.parameters import InputError
from sim.results import Ensemble
from sim.scenario import Scenario
from sim.world import load_world

# Up to so many runs are kept whole (about 22 kB each) if nothing else is asked for.
KEPT_WHOLE = 20_000
KEEP = ("auto", "runs", "bands")
# Runs of a block, of which an interruption loses at most one: a few seconds of compiled code, some dozen of SimPy.
BLOCK = {"compiled": 4096, "simpy": 512}


def keeps_runs(wanted: str, n_runs: int) -> bool:
    """Whether runs are kept whole; raises InputError unless `wanted` is one of KEEP."""
    if wanted not in KEEP:
        raise InputError(f"--keep {wanted!r} is not one of {', '.join(map(repr, KEEP))}")
    return wanted == "runs" or (wanted == "auto" and n_runs <= KEPT_WHOLE)


def run_bands(
    scenario: Scenario,
    seed: int = 1,
    draws: int | None = None,
    replications: int = 20,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    engine: str = "auto",
    with_twins: bool = True,
    started: Bands | None = None,
    progress: Callable[[str, int, int], Any] | None = None,
    block_done: Callable[[int, Ensemble], Any] | None = None,
) -> Bands:
    """Run a scenario very many times and keep counts of what came; memory does not grow with the number of runs.

    Parameters
    ----------
    draws, replications, jobs, executor, engine, with_twins, progress
        As in `ensemble.run_ensemble`.
    started
        Counts of the first runs of the same plan, which are gone on with.
    block_done
        Called with the number of its first run and each block of runs once it is counted, in the order of the plan.

    Raises
    ------
    KeyboardInterrupt
        With the counts so far as its argument; the block that was running is lost.
    WorkersLostError
        If processes or the cluster ended, with the counts in its `so_far`.
    """
    pairs = pairs_of(draws, replications)
    bands = started or Bands(
        scenario, seed, pairs, load_world(str(scenario.value("request.party"))).codes, scenario.days + 1
    )
    if bands.pairs != pairs or bands.scenario.digest != scenario.digest or bands.seed != seed:
        raise InputError("the runs to go on with belong to another scenario, seed or number of runs")
    bands.engine = engine_of(engine, len(pairs))
    tell = progress or (lambda stage, n, total: None)
    begun = time.perf_counter()
    try:
        with workers(1 if executor else jobs, in_threads=bands.engine == "compiled") as own:
            pool = executor or own
            while bands.n_run < len(pairs):
                at = bands.n_run
                block = _played(bands, pairs[at : at + BLOCK[bands.engine]], pool, "runs", tell, at, len(pairs))
                # Half a block would be counted if an interruption came in between.
                with uninterrupted():
                    bands.add(block, outcomes.measure_more(block))
                    if block_done is not None:
                        block_done(at, block)
                # Let go before the next one is made, or two would stand in memory.
                del block
            twins = twins_of(pairs) if with_twins else []
            sides = [[pairs[k] for k, _ in twins], [pair for _, pair in twins]]
            firsts, seconds = (
                _played(bands, side, pool, "luck apart", tell, k * len(twins), 2 * len(twins))
                for k, side in enumerate(sides)
            )
    except KeyboardInterrupt:
        bands.seconds += time.perf_counter() - begun
        raise KeyboardInterrupt(bands) from None
    except WorkersLostError as lost:
        bands.seconds += time.perf_counter() - begun
        lost.so_far = bands
        raise
    bands.seconds += time.perf_counter() - begun
    bands.luck_share = luck_shares(firsts, seconds, outcomes.values_of(bands))
    return bands


def _played(
    bands: Bands,
    pairs: Any,
    pool: Executor | None,
    stage: str,
    tell: Callable[[str, int, int], Any],
    before: int,
    total: int,
) -> Ensemble:
    """Some runs, kept whole for as long as they are looked at."""
    block = empty(bands.scenario, bands.seed, pairs)
    play(block, list(enumerate(pairs)), bands.engine, False, pool, lambda n: tell(stage, before + n, total))
    return block
