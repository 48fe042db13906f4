"""What `run` and `repeat` keep: every run whole, or bands of very many."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sim.bands import Bands
    from sim.results import Ensemble, Pair
    from sim.scenario import Scenario

INTERRUPTION = "interrupted"


def whole_runs(
    scenario: "Scenario", how: dict[str, Any], out: Path | None, plan: dict[str, Any], with_csv: bool
) -> "tuple[Ensemble, str | None]":
    """Run and keep every run whole; written at the end, if a folder was named. Also tells what ended it early, if anything."""
    from sim.ensemble import run_ensemble
    from sim.store import command_line, save

    result, why = ended(lambda: run_ensemble(scenario, **how))
    if out is not None and (result.n_finished or result.n_failed):
        save(result, out, {**plan, "command": command_line()}, with_csv)
    return result, why


def counted_runs(
    scenario: "Scenario", how: dict[str, Any], out: Path | None, plan: dict[str, Any], with_csv: bool
) -> "tuple[Bands, str | None]":
    """Run and keep counts alone; rows are written as they come, if a folder was named. Also tells what ended it early."""
    from sim.blocks import run_bands
    from sim.store import command_line
    from sim.store_bands import Writer

    with nullcontext() if out is None else Writer(out) as writer:
        if writer is not None:
            how = {**how, "block_done": writer.block_done}
            if how["started"] is not None:
                writer.go_on()
        result, why = ended(lambda: run_bands(scenario, **how))
        if writer is not None and result.n_run:
            writer.finish(result, {**plan, "command": command_line()}, with_csv)
    return result, why


def ended(work: "Callable[[], Any]") -> tuple[Any, str | None]:
    """What was run and why it ended early, if it did: `INTERRUPTION`, or that workers were lost."""
    from sim.parallel import WorkersLostError

    try:
        return work(), None
    except KeyboardInterrupt as stop:
        return stop.args[0], INTERRUPTION
    except WorkersLostError as lost:
        return lost.so_far, f"workers were lost ({lost})"


def started_from(
    out: Path, is_resumed: bool, scenario: "Scenario", seed: int, is_whole: bool
) -> "Ensemble | Bands | None":
    """The runs in a results folder to go on with, or None for a new one."""
    from sim import store, store_bands
    from sim.parameters import InputError

    store.check_free(out, is_resumed)
    if not is_resumed:
        return None
    kept = store.read_manifest(out).get("kept", store.WHOLE)
    if is_whole != (kept == store.WHOLE):
        raise InputError(f"--resume {out}: these results keep {kept}; go on with them by --keep {kept}")
    started: Ensemble | Bands = store.load(out)[0] if is_whole else store_bands.load(out)[0]
    if started.scenario.digest != scenario.digest or started.seed != seed:
        raise InputError(
            f"--resume {out}: these results belong to another scenario or seed ({started.scenario.name}, seed {started.seed})"
        )
    return started


def again_whole(results: Path, how: dict[str, Any]) -> "tuple[Sequence[Pair], dict[str, Any], str, list[int]]":
    """Results of which every run was kept once more: their runs, manifest, the new digest, and runs that differ."""
    from sim.ensemble import run_ensemble
    from sim.store import load

    stored, manifest = load(results)
    draws = None if manifest["is_paired"] else manifest["draws"]
    again = run_ensemble(stored.scenario, stored.seed, draws, manifest["replications"], **how)
    differing = [k for k in range(len(stored.pairs)) if stored.done[k] and stored.hashes[k] != again.hashes[k]]
    return stored.pairs, manifest, again.digest, differing


def again_counted(results: Path, how: dict[str, Any]) -> "tuple[Sequence[Pair], dict[str, Any], str, list[int]]":
    """The same for results of which bands were kept."""
    from sim.blocks import run_bands
    from sim.store_bands import hashes, load

    stored, manifest = load(results)
    then = (each for part in hashes(results) for each in part.tolist())
    differing: list[int] = []

    def compare_block(first: int, block: "Ensemble") -> None:
        # A run that failed then has no hash, and what comes after an interruption was not kept.
        pairs = zip(block.hashes.tolist(), then, strict=False)
        differing.extend(first + k for k, (mine, other) in enumerate(pairs) if other and mine != other)

    draws = None if manifest["is_paired"] else manifest["draws"]
    again = run_bands(stored.scenario, stored.seed, draws, manifest["replications"], block_done=compare_block, **how)
    return stored.pairs, manifest, again.digest, differing
