"""Commands that run scenarios: run, repeat, trace, why, compare."""

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.commands.common import (
    FAILED,
    INTERRUPTED,
    AsJson,
    Days,
    Draw,
    Draws,
    Engine,
    File,
    Jobs,
    Known,
    Replication,
    Replications,
    Scheduler,
    Seed,
    Set,
    app,
    baseline_beside,
    console,
    errors_told,
    progress,
    scenario_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from sim.bands import Bands
    from sim.results import Ensemble, Run
    from sim.scenario import Scenario
    from sim.setting import Setting


def plan_of(draws: int | None, replications: int, known: str | None) -> dict[str, Any]:
    """What identifies the runs, as the manifest keeps it."""
    return {
        "draws": replications if draws is None else draws,
        "is_paired": draws is None,
        "replications": replications,
        "known": known or "H",
    }


@app.command()
def run(
    file: File,
    replications: Replications = 20,
    draws: Draws = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006 - Typer copies it
    days: Days = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Threads or processes; 0 takes all cores, as SimPy does in place of Numba.", min=0, max=256),
    ] = None,
    engine: Engine = "auto",
    scheduler: Scheduler = None,
    kept: Annotated[
        str,
        typer.Option(
            "--keep", help="runs, bands (counts of what came, for very many runs), or auto (bands above 20,000)."
        ),
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder for the results; must be new or empty.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the runs in --out.")] = False,
    as_json: AsJson = False,
    events: Annotated[bool, typer.Option("--events", help="Keep the event log of every run (with --out).")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV beside the Parquet files (with --out).")] = False,
    known: Known = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and say what would run.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the two answers only.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print every outcome.")] = False,
) -> None:
    """Run a scenario many times and summarize: states agreeing and troops in place, with bands."""
    with errors_told():
        from sim.blocks import keeps_runs
        from sim.commands.kept import counted_runs, started_from, whole_runs
        from sim.ensemble import pairs_of
        from sim.parameters import InputError
        from sim.passport import passport_of
        from sim.report import answers_table, summary
        from sim.report import as_json as json_of

        if (events or csv or resume) and out is None:
            raise InputError("--events, --csv and --resume write or read results, so they need --out FOLDER")
        scenario, replaced = scenario_from(file, settings, days, known)
        baseline = baseline_beside(file)
        pairs = pairs_of(draws, replications)
        is_whole = keeps_runs(kept, len(pairs))
        if events and not is_whole:
            raise InputError("--events needs every run kept whole: fewer runs, or --keep runs where memory allows it")
        plan = plan_of(draws, replications, known)
        started = None
        if out is not None:
            started = started_from(out, resume, scenario, seed, is_whole)
        if dry_run:
            tell_plan(scenario, pairs, baseline, replaced, out)
            return
        for line in replaced if not as_json else ():
            sys.stderr.write(f"known E: {line}\n")
        n_jobs = jobs_for(jobs, engine, len(pairs), events)
        with progress(not quiet) as tell, workers_for(scheduler) as executor:
            how: dict[str, Any] = {"seed": seed, "draws": draws, "replications": replications, "started": started}
            how |= {"jobs": n_jobs, "executor": executor, "engine": engine, "progress": tell}
            if is_whole:
                how["with_events"] = events
            result, why = (whole_runs if is_whole else counted_runs)(scenario, how, out, plan, csv)
        if as_json:
            print(json.dumps(json_of(result, plan)))
        elif result.n_finished:
            console().print(answers_table(result) if quiet else summary(result, plan, baseline, verbose))
            if code := passport_of(result):
                print(f"Passport {code}")
        finish(result, out, why)


def jobs_for(jobs: int | None, engine: str, n_runs: int, with_events: bool = False) -> int:
    """Workers to use: one, or all cores where SimPy stands in for compiled code, which is told on standard error."""
    from sim.ensemble import standing_in
    from sim.parallel import cores

    why = standing_in(engine, n_runs, with_events)
    if why is None:
        return 1 if jobs is None else jobs
    n = cores(jobs or 0)
    how = "one process" if n == 1 else f"a pool of {n} processes"
    sys.stderr.write(f"{why}; SimPy runs instead, in {how}: the same numbers, more slowly\n")
    return n


@contextmanager
def workers_for(scheduler: str | None) -> "Iterator[Executor | None]":
    """The workers of a cluster if one is named; otherwise the ensemble finds its own here."""
    if scheduler is None:
        yield None
        return
    from sim.parallel import workers

    with workers(1, scheduler) as executor:
        yield executor


def tell_plan(
    scenario: "Scenario", pairs: Any, baseline: "Scenario | None", replaced: list[str], out: Path | None
) -> None:
    """What would be run."""
    from sim.scenario import texts

    lines = [
        f"{scenario.name}: {scenario.title}",
        f"would run {len(pairs)} runs of {scenario.days} days, nothing has been run",
    ]
    lines += [f"known E: {line}" for line in replaced]
    if baseline is not None:
        lines += [f"differs from the baseline: {line}" for line in texts(scenario.differences(baseline))]
    if out is not None:
        lines.append(f"would write to {out}")
    print("\n".join(lines))


def finish(result: "Ensemble | Bands", out: Path | None, why: str | None) -> None:
    """Say what was kept and how to go on, and exit with what happened; `why` it ended early, if it did."""
    from sim.commands.kept import INTERRUPTION

    if out is not None and result.n_finished:
        sys.stderr.write(f"results: {out}\n")
    if why is not None:
        if out is None:
            how = "name --out FOLDER to be able to go on"
        elif result.n_finished or result.n_failed:
            how = f"go on with the same command and --resume (results so far: {out})"
        else:
            how = "so there is nothing to go on with"
        sys.stderr.write(f"{why} after {result.n_finished} of {len(result.pairs)} runs; {how}\n")
        raise typer.Exit(INTERRUPTED if why == INTERRUPTION else FAILED)
    if result.n_failed:
        sys.stderr.write(f"{result.n_failed} of {len(result.pairs)} runs failed; the rest are kept\n")
        raise typer.Exit(FAILED)


def one_run(
    file: Path, replication: int, draw: int | None, seed: int, settings: list[str], days: int | None
) -> "tuple[Run, Setting]":
    """One run with its events."""
    from sim import model
    from sim.setting import setting_of

    scenario, _ = scenario_from(file, settings, days, None)
    setting = setting_of(scenario, seed, replication if draw is None else None if draw < 0 else draw)
    return model.run(setting, replication, with_events=True), setting


@app.command()
def trace(
    file: File,
    state: Annotated[list[str], typer.Option(help="Only this state; may be repeated.")] = [],  # noqa: B006
    kind: Annotated[list[str], typer.Option(help="Only events of this kind; may be repeated.")] = [],  # noqa: B006
    cohorts: Annotated[bool, typer.Option("--cohorts", help="Tell of every cohort too.")] = False,
    replication: Replication = 0,
    draw: Draw = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006
    days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Tell one run as a dated story."""
    with errors_told():
        from sim.parameters import InputError, near_miss
        from sim.story import story

        result, setting = one_run(file, replication, draw, seed, settings, days)
        for code in state:
            setting.world.position(code, "--state")
        kinds = {event.event for event in result.events}
        for name in kind:
            if name not in kinds:
                raise InputError(
                    f"--kind {name!r}: no such event in this run{near_miss(name, kinds)}; there are {', '.join(sorted(kinds))}"
                )
        if as_json:
            kept = (e for e in result.events if (not state or e.state in state) and (not kind or e.event in kind))
            print(json.dumps([event._asdict() for event in kept]))
            return
        for part in story(result, setting, state, kind, cohorts or bool(state)):
            console().print(part)


@app.command()
def why(
    file: File,
    state: Annotated[str, typer.Argument(help="Postal code of a state.")],
    replication: Replication = 0,
    draw: Draw = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006
    days: Days = None,
    as_json: AsJson = False,
) -> None:
    """Show why a governor answered as they did in one run, and what would have flipped it."""
    with errors_told():
        from sim.story import reasons, reasons_json

        result, setting = one_run(file, replication, draw, seed, settings, days)
        setting.world.position(state, "STATE")
        if as_json:
            print(json.dumps(reasons_json(result, setting, state)))
        else:
            console().print(reasons(result, setting, state))


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="Scenario A.")],
    b: Annotated[Path, typer.Argument(help="Scenario B.")],
    replications: Replications = 20,
    draws: Draws = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006
    days: Days = None,
    jobs: Jobs = 1,
    engine: Engine = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare two scenarios run by run under the same luck, and say where their histories part."""
    with errors_told():
        from sim import ensemble as ensembles
        from sim import model
        from sim.comparison import comparison, comparison_json, first_difference
        from sim.parallel import workers
        from sim.setting import setting_of

        scenarios = [scenario_from(path, settings, days, None)[0] for path in (a, b)]
        results, first_runs = [], []
        pairs = ensembles.pairs_of(draws, replications)
        pair, is_compiled = pairs[0], ensembles.engine_of(engine, len(pairs)) == "compiled"
        with progress(True) as tell, workers(jobs_for(jobs, engine, len(pairs)), in_threads=is_compiled) as pool:
            for scenario in scenarios:
                staged = None if tell is None else (lambda _, n, total, name=scenario.name: tell(name, n, total))
                results.append(
                    ensembles.run_ensemble(
                        scenario,
                        seed,
                        draws,
                        replications,
                        executor=pool,
                        engine=engine,
                        with_twins=False,
                        progress=staged,
                    )
                )
                first_runs.append(model.run(setting_of(scenario, seed, pair[0]), pair[1], with_events=True))
        parted = first_difference(*first_runs)
        if as_json:
            print(json.dumps(comparison_json(results[0], results[1], parted)))
        else:
            console().print(comparison(results[0], results[1], parted))
        if any(result.errors for result in results):
            raise typer.Exit(FAILED)


@app.command()
def repeat(
    results: Annotated[Path, typer.Argument(help="A results folder.")],
    jobs: Jobs = 1,
    engine: Engine = "auto",
) -> None:
    """Run stored results again and compare hashes, run by run."""
    with errors_told():
        from sim.commands.kept import again_counted, again_whole
        from sim.store import BANDS, read_manifest, versions

        told = read_manifest(results)
        is_whole = told.get("kept") != BANDS
        n_runs = told["replications"] * (1 if told.get("is_paired") else max(told["draws"], 1))
        n_jobs = jobs_for(jobs, engine, n_runs)
        with progress(True) as tell:
            how = {"jobs": n_jobs, "engine": engine, "with_twins": False, "progress": tell}
            pairs, manifest, digest, differing = (again_whole if is_whole else again_counted)(results, how)
        then, now = manifest["versions"], versions()
        moved = [f"{name} {then.get(name)} -> {now[name]}" for name in now if then.get(name) != now[name]]
        print(f"stored digest   {manifest['digest']}\nrepeated digest {digest}")
        print(
            f"{len(pairs) - len(differing)} of {len(pairs)} runs are the same"
            + (f"; versions moved: {', '.join(moved)}" if moved else "")
        )
        if differing:
            print(f"first that differs: run {differing[0]} {pairs[differing[0]]}")
            raise typer.Exit(FAILED)
