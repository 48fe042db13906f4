"""Ensembles: many runs of one scenario, on one process or several, reduced as they come.

By default run r is draw r of the uncertainties with luck r. Crossing `draws` with `replications` gives every draw every
luck; 0 draws hold all uncertainties at their defaults.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import compiled, model, outcomes
from sim.luck import TWIN
from sim.parallel import WorkersLostError, from_workers, spread, workers
from sim.parameters import InputError, Numbers, near_miss
from sim.results import SERIES, STATUSES, Ensemble, Event, Pair, Pairs, series_of
from sim.scenario import Scenario
from sim.setting import setting_of
from sim.world import load_world

ENGINES = ("auto", "compiled", "simpy")
# So few runs are left to SimPy, which needs no compiled code.
FEW_RUNS = 8
# Runs of a task in compiled code: few, so that no worker waits long for the last one, but not fewer: whoever collects a
# task takes a core from the workers meanwhile.
CHUNK = 256
# Runs of a plan; beyond them luck would meet that of twins.
MOST_RUNS = 1_000_000_000
# Runs that are kept whole, at about 22 kB each, however much memory there is; `blocks.run_bands` takes more.
MOST_KEPT = 1_000_000
# Draws that are run a second time under other luck, to tell luck and assumptions apart.
MOST_TWINS = 40
FEWEST_FOR_TWINS = 10


@dataclass(frozen=True)
class Reduced:
    """What an ensemble keeps of one run; the fields are those of `Ensemble`."""

    series: NDArray[np.int32]
    status: NDArray[np.int8]
    numbers: tuple[float, ...]
    approval: int
    hash: int
    events: list[Event]


def pairs_of(draws: int | None, replications: int) -> Pairs:
    """The runs of a plan: draw r with luck r; every draw with every luck; or (0 draws) luck alone."""
    if replications < 1 or (draws or 0) < 0:
        raise InputError(f"--draws {draws} and --replications {replications}: at least one run is needed")
    pairs = Pairs(draws, replications)
    if len(pairs) > MOST_RUNS:
        raise InputError(f"{len(pairs):,} runs are more than {MOST_RUNS:,} at a time")
    return pairs


def reduced(scenario: Scenario, seed: int, pair: Pair, with_events: bool) -> Reduced | str:
    """One run, reduced; a run that fails is told, so that the others are kept."""
    try:
        setting = setting_of(scenario, seed, pair[0])
        run = model.run(setting, pair[1], with_events)
    except Exception as error:  # whatever a rule raises belongs to this run alone
        return f"{type(error).__name__}: {error}"
    governed = np.array([state.has_governor for state in setting.world.states])
    approval = -1 if run.approval_day is None else run.approval_day
    return Reduced(series_of(run, governed), run.status, tuple(run.p), approval, run.hash, run.events)


def engine_of(wanted: str, n_runs: int, with_events: bool = False) -> str:
    """The engine to run with: both give the same numbers, so what is at hand and fast decides.

    Parameters
    ----------
    wanted
        "simpy", "compiled", or "auto": compiled for more than a few runs where Numba is installed.
    with_events
        The event log is SimPy's alone.

    Raises
    ------
    InputError
        If the compiled engine is asked for and cannot be had.
    """
    if wanted not in ENGINES:
        raise InputError(
            f"--engine {wanted!r} is not one of {', '.join(map(repr, ENGINES))}{near_miss(wanted, ENGINES)}"
        )
    if wanted == "simpy" or (wanted == "auto" and (with_events or n_runs <= FEW_RUNS)):
        return "simpy"
    why_not = "the event log is kept by SimPy alone" if with_events else compiled.unavailable()
    if why_not is None:
        compiled.prepare()
        return "compiled"
    if wanted == "compiled":
        raise InputError(f"--engine compiled: {why_not}; without the option SimPy gives the same numbers, slowly")
    return "simpy"


def standing_in(wanted: str, n_runs: int, with_events: bool = False) -> str | None:
    """Why SimPy plays what compiled code would, if it could be had here; None where nothing is amiss."""
    if wanted != "auto" or with_events or n_runs <= FEW_RUNS:
        return None
    return compiled.unavailable()


def several(
    numbered: Sequence[tuple[int, Pair]], scenario: Scenario, seed: int, with_events: bool
) -> list[tuple[int, Reduced | str]]:
    """Some runs, one after the other: what one task of a worker does."""
    return [(k, reduced(scenario, seed, pair, with_events)) for k, pair in numbered]


def each(
    scenario: Scenario, seed: int, numbered: Sequence[tuple[int, Pair]], with_events: bool, executor: Executor | None
) -> Iterator[tuple[int, Reduced | str]]:
    """Run numbered pairs here or on an executor; results come in any order."""
    work = partial(several, scenario=scenario, seed=seed, with_events=with_events)
    size = 1 if executor is None else max(1, min(16, len(numbered) // 8))
    chunks = (numbered[at : at + size] for at in range(0, len(numbered), size))
    for _, results in from_workers(spread(executor, work, chunks)):
        yield from results


def empty(scenario: Scenario, seed: int, pairs: Sequence[Pair], with_counts: bool = True) -> Ensemble:
    """An ensemble in which nothing has run yet; its statuses need not be counted where outcomes alone are wanted."""
    world = load_world(str(scenario.value("request.party")))
    n_runs, n_days, n_states = len(pairs), scenario.days + 1, len(world.states)
    return Ensemble(
        scenario=scenario,
        seed=seed,
        pairs=pairs,
        codes=world.codes,
        done=np.zeros(n_runs, np.bool_),
        # Written run by run: until one has finished, nothing of it is looked at.
        series=np.empty((n_runs, len(SERIES), n_days), np.int32),
        status_counts=np.zeros((n_days if with_counts else 0, n_states, len(STATUSES)), np.int32),
        last_status=np.zeros((n_runs, n_states), np.int8),
        numbers=np.full((n_runs, len(Numbers._fields)), np.nan),
        approval=np.full(n_runs, -1, np.int32),
        hashes=np.zeros(n_runs, np.uint64),
    )


def keep(ensemble: Ensemble, k: int, result: Reduced | str) -> None:
    """Put one run's result into its place."""
    if isinstance(result, str):
        ensemble.errors[k] = result
        return
    ensemble.errors.pop(k, None)
    ensemble.done[k] = True
    ensemble.series[k] = result.series
    ensemble.numbers[k] = result.numbers
    ensemble.approval[k] = result.approval
    ensemble.hashes[k] = result.hash
    ensemble.last_status[k] = result.status[-1]
    for code in range(len(STATUSES) if len(ensemble.status_counts) else 0):
        ensemble.status_counts[:, :, code] += result.status == code
    if result.events:
        ensemble.events[k] = result.events


def place_of(numbered: Sequence[tuple[int, Pair]]) -> slice | list[int]:
    """Where runs stand in an ensemble: one after the other, as nearly always, they are copied at once."""
    places = [k for k, _ in numbered]
    is_row = places[-1] - places[0] == len(places) - 1
    return slice(places[0], places[-1] + 1) if is_row else places


def chunk_of(
    numbered: Sequence[tuple[int, Pair]],
    scenario: Scenario,
    seed: int,
    with_counts: bool,
    series: NDArray[np.int32] | None = None,
) -> compiled.Chunk | str:
    """Some runs in compiled code: what one task of a thread does. Whatever goes wrong is told.

    Parameters
    ----------
    series
        Those of the ensemble, where they lie in the same memory: a row of runs is written there and not copied.
    """
    place = place_of(numbered)
    here = None if series is None or isinstance(place, list) else series[place]
    try:
        return compiled.chunk(scenario, seed, [pair for _, pair in numbered], series=here, with_counts=with_counts)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def chunks(
    ensemble: Ensemble, numbered: Sequence[tuple[int, Pair]], executor: Executor | None
) -> Iterator[tuple[Sequence[tuple[int, Pair]], compiled.Chunk | str]]:
    """Run numbered pairs in compiled code, here or on an executor; chunks come in any order."""
    # Draws are worked out once in a chunk, so pairs of one draw stay together where they can.
    size = max(1, min(CHUNK, -(-len(numbered) // 4)))
    parts = (numbered[at : at + size] for at in range(0, len(numbered), size))
    is_here = executor is None or isinstance(executor, ThreadPoolExecutor)
    series = ensemble.series if is_here else None
    has_counts = len(ensemble.status_counts) > 0
    work = partial(chunk_of, scenario=ensemble.scenario, seed=ensemble.seed, with_counts=has_counts, series=series)
    yield from from_workers(spread(executor, work, parts))


def keep_chunk(ensemble: Ensemble, numbered: Sequence[tuple[int, Pair]], result: compiled.Chunk | str) -> None:
    """Put a chunk's results into their places."""
    if isinstance(result, str):
        ensemble.errors.update(dict.fromkeys((k for k, _ in numbered), result))
        return
    for k, _ in numbered:
        ensemble.errors.pop(k, None)
    here = place_of(numbered)
    ensemble.done[here] = True
    if result.series.base is not ensemble.series:
        ensemble.series[here] = result.series
    ensemble.numbers[here] = result.numbers
    ensemble.approval[here] = result.approval
    ensemble.hashes[here] = result.hashes
    ensemble.last_status[here] = result.last_status
    ensemble.status_counts += result.status_counts


def play(
    ensemble: Ensemble,
    todo: Sequence[tuple[int, Pair]],
    engine: str,
    with_events: bool,
    executor: Executor | None,
    tell: Callable[[int], Any],
) -> None:
    """Run numbered pairs of an ensemble and keep them; `tell` hears how many are done."""
    done = 0
    if engine == "compiled":
        for numbered, chunk in chunks(ensemble, todo, executor):
            keep_chunk(ensemble, numbered, chunk)
            done += len(numbered)
            tell(done)
        return
    for k, result in each(ensemble.scenario, ensemble.seed, todo, with_events, executor):
        keep(ensemble, k, result)
        done += 1
        tell(done)


def run_pairs(scenario: Scenario, seed: int, pairs: tuple[Pair, ...], engine: str = "auto") -> Ensemble:
    """Some (draw, replication) pairs of a scenario, here and now, for their outcomes: what one task of a study does."""
    ensemble = empty(scenario, seed, pairs, with_counts=False)
    # A study has many tasks, so compiled code pays even where a task has one run.
    ensemble.engine = engine_of(engine, FEW_RUNS + 1)
    play(ensemble, list(enumerate(pairs)), ensemble.engine, False, None, lambda n: None)
    return ensemble


def run_ensemble(
    scenario: Scenario,
    seed: int = 1,
    draws: int | None = None,
    replications: int = 20,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    engine: str = "auto",
    with_events: bool = False,
    with_twins: bool = True,
    started: Ensemble | None = None,
    progress: Callable[[str, int, int], Any] | None = None,
) -> Ensemble:
    """Run a scenario many times and keep every run; `blocks.run_bands` does it in memory that does not grow with them.

    Parameters
    ----------
    draws, replications
        See `pairs_of`.
    jobs, executor
        Workers to use (threads for compiled code, processes for SimPy; 0 takes all cores), or an executor that stands
        already (then jobs is not looked at).
    engine
        See `engine_of`.
    with_twins
        Run some draws again under other luck, to tell what luck does (see `Ensemble.luck_share`).
    started
        An ensemble of the same plan whose finished runs are kept.
    progress
        Called as (stage, finished, all) after each run.

    Raises
    ------
    KeyboardInterrupt
        With the ensemble so far as its argument: what has finished is kept.
    WorkersLostError
        If processes or the cluster ended, with the ensemble in its `so_far`.
    """
    pairs = pairs_of(draws, replications)
    if len(pairs) > MOST_KEPT:
        raise InputError(
            f"{len(pairs):,} runs are more than the {MOST_KEPT:,} that can be kept whole; keep their bands"
        )
    ensemble = started or empty(scenario, seed, pairs)
    ensemble.engine = engine_of(engine, len(pairs), with_events)
    if ensemble.pairs != pairs or ensemble.scenario.digest != scenario.digest or ensemble.seed != seed:
        raise InputError("the runs to go on with belong to another scenario, seed or number of runs")
    tell = progress or (lambda stage, n, total: None)
    begun = time.perf_counter()
    todo = [(k, pair) for k, pair in enumerate(pairs) if not ensemble.done[k]]
    twins = twins_of(pairs) if with_twins else []
    twin_results = empty(scenario, seed, tuple(pair for _, pair in twins), with_counts=False)
    try:
        with workers(1 if executor else jobs, in_threads=ensemble.engine == "compiled") as own:
            pool = executor or own
            before = len(pairs) - len(todo)
            play(ensemble, todo, ensemble.engine, with_events, pool, lambda n: tell("runs", before + n, len(pairs)))
            numbered = [(k, pair) for k, (_, pair) in enumerate(twins)]
            play(twin_results, numbered, ensemble.engine, False, pool, lambda n: tell("luck apart", n, len(twins)))
    except KeyboardInterrupt:
        ensemble.seconds += time.perf_counter() - begun
        raise KeyboardInterrupt(ensemble) from None
    except WorkersLostError as lost:
        ensemble.seconds += time.perf_counter() - begun
        lost.so_far = ensemble
        raise
    ensemble.seconds += time.perf_counter() - begun
    firsts = _some(ensemble, [k for k, _ in twins])
    ensemble.luck_share = luck_shares(firsts, twin_results, outcomes.measure_all(ensemble)) if twins else {}
    return ensemble


def twins_of(pairs: Pairs) -> list[tuple[int, Pair]]:
    """For the first runs of some draws, the same draw under luck that no other run has."""
    if pairs.draws == 0:
        return []
    step = 1 if pairs.draws is None else pairs.replications
    firsts = range(0, len(pairs), step)[:MOST_TWINS]
    return [(k, (pairs[k][0], TWIN + k)) for k in firsts] if len(firsts) >= FEWEST_FOR_TWINS else []


def _some(ensemble: Ensemble, places: list[int]) -> Ensemble:
    """Some runs of an ensemble, for what is measured of each alone."""
    names = ("done", "series", "last_status", "numbers", "approval", "hashes")
    rows = {name: getattr(ensemble, name)[places] for name in names}
    return replace(ensemble, pairs=[ensemble.pairs[k] for k in places], **rows)


def luck_shares(firsts: Ensemble, twins: Ensemble, everything: Mapping[str, Any]) -> dict[str, float | None]:
    """For each outcome, what part of its variance is luck.

    Parameters
    ----------
    firsts, twins
        Some draws under two lucks.
    everything
        By outcome, its values over all runs that finished.
    """
    both = firsts.done & twins.done
    if both.sum() < FEWEST_FOR_TWINS:
        return {}
    here, there = (outcomes.measure_all(replace(each, done=both)) for each in (firsts, twins))
    return {name: outcomes.luck_share(here[name], there[name], everything[name]) for name in here}
