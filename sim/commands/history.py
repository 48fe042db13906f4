"""Commands that hold the model against the past: cases, score, calibrate."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.commands.common import AsJson, Engine, Jobs, Seed, app, console, errors_told, progress
from sim.commands.history_results import as_json as told_of
from sim.commands.history_results import give, parts_of_fit, tables_of
from sim.commands.study_results import table

if TYPE_CHECKING:
    from sim.calibration import Tables
    from sim.cases import Case
    from sim.replays import Tell, Variant

Folder = Annotated[
    Path | None,
    typer.Option("--cases", help="Folder of case files; those of the project by default.", show_default=False),
]
Names = Annotated[list[str], typer.Option("--case", help="Name of a case; may be repeated; all by default.")]
WithoutMemory = Annotated[
    bool,
    typer.Option(
        "--without-memory", help="Leave out every fact that rests on memory, parties of governors among them."
    ),
]
Kept = Annotated[Path, typer.Option(help="Folder where draws of the ramp are kept, so that a broken run goes on.")]
RampDraws = Annotated[int, typer.Option("--draws", help="Draws of the ramp, by case.", min=100, max=1_000_000)]
KEPT = Path("results/calibration")


@app.command()
def cases(folder: Folder = None, as_json: AsJson = False) -> None:
    """List the past requests that the model is held against, and what is known of each."""
    with errors_told():
        from sim.cases import EVERYBODY, FOLDER, load_cases

        found = load_cases(folder or FOLDER)
        rows = []
        for case in found:
            said = list(case.answers.values())
            rows.append(
                {
                    "case": case.name,
                    "day_0": case.scenario.start,
                    "days": case.scenario.days,
                    "use": case.about.use,
                    "yes": sum(said),
                    "no": len(said) - sum(said),
                    "rows": sum(row.state != EVERYBODY for row in case.observed),
                    "from_memory": sum(row.from_memory for row in case.observed)
                    + sum(c.from_memory for c in case.troops),
                    "counts": len(case.troops),
                    "title": case.scenario.title,
                }
            )
        if as_json:
            print(json.dumps([row | {"day_0": str(row["day_0"])} for row in rows]))
            return
        shown = table("Past requests", *(key.replace("_", " ") for key in rows[0])) if rows else table("No case")
        for row in rows:
            shown.add_row(*(str(value) for value in row.values()))
        console().print(shown)


@app.command()
def score(
    folder: Folder = None,
    case: Names = [],  # noqa: B006 - Typer copies it
    held_out: Annotated[
        str | None,
        typer.Option(
            help="Score with fits that have not seen a case: one (left out), or forward (fits to what came before)."
        ),
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs of each case.", min=20, max=1_000_000)] = 2000,
    without_memory: WithoutMemory = False,
    police: Annotated[
        str | None, typer.Option(help="Take police sent instead of the Guard as yes or no; unknown by default.")
    ] = None,
    seed: Seed = 1,
    jobs: Jobs = 1,
    engine: Engine = "auto",
    draws: RampDraws = 4000,
    kept: Kept = KEPT,
    out: Annotated[Path | None, typer.Option(help="File for the scores as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold the model against past requests: who agreed, when, how many came, who took it back; beside honest baselines."""
    with errors_told():
        from sim.calibration import check_held_out, others_of
        from sim.calibration import held_out as fits_without
        from sim.history import score_all
        from sim.misses import verdict, where_it_fails
        from sim.parameters import InputError, near_miss

        every = _cases(folder, without_memory)
        if police is not None:
            if police not in ("yes", "no"):
                raise InputError(f"--police {police!r} is not one of 'yes', 'no'{near_miss(police, ('yes', 'no'))}")
            every = [each.with_police_as("partial" if police == "yes" else "decline") for each in every]
        names = _named(every, case)
        with progress(not as_json) as tell:
            variants: dict[str, Sequence[Variant]] = {}
            how = "the register as it stands, which a fit to some of these cases may have shaped"
            if held_out is not None:
                check_held_out(held_out)
                fits = fits_without(every, held_out, _tables(every, draws, seed, jobs, kept, tell), names)
                variants |= {name: found.variants() for name, found in fits.items()}
                how = {"one": "a fit to the other cases", "forward": "a fit to the cases that began before"}[held_out]
            history = score_all(
                [each for each in every if each.name in names],
                runs,
                seed,
                jobs=jobs,
                engine=engine,
                tell=tell,
                variants=variants,
                others=lambda one: others_of(one, every, held_out or "one"),
                how=how,
            )
        told = told_of(history) | {"verdict": list(verdict(history)), "where_it_fails": where_it_fails(history)}
        give(told, tables_of(history), out, as_json)


@app.command()
def calibrate(
    folder: Folder = None,
    without_memory: WithoutMemory = False,
    draws: RampDraws = 4000,
    seed: Seed = 1,
    jobs: Jobs = 1,
    kept: Kept = KEPT,
    write: Annotated[
        bool, typer.Option("--write", help="Change the register; otherwise only tell what would change.")
    ] = False,
    version: Annotated[
        str | None, typer.Option(help="The new model version that goes with --write, for instance 1.2.0.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the fit as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fit the few parameters that the record can carry, and tell what it cannot tell apart; --write puts them into the register."""
    with errors_told():
        from datetime import date

        from sim.calibration import as_told, fit, inseparable, usable
        from sim.parameters import InputError
        from sim.rewrite import changes_of, source_of
        from sim.rewrite import write as write_register

        if write and version is None:
            raise InputError("--write needs --version: results move, and every quoted score names the version")
        every = _cases(folder, without_memory)
        with progress(not as_json) as tell:
            tables = _tables(every, draws, seed, jobs, kept, tell)
            found = fit(every, tables)
            left_out = {}
            seen = usable(every)
            for k, one in enumerate(seen, 1):
                left_out[one.name] = fit([each for each in every if each.name != one.name], tables)
                if tell:
                    tell("leaving one out", k, len(seen))
        pairs = inseparable(found, every)
        today = date.today()
        changes = write_register(found, str(version), today) if write else changes_of(found, today)
        told = as_told(found) | {
            "left_out": {name: as_told(one) for name, one in left_out.items()},
            "inseparable": pairs,
            "changes": changes,
            "written": write,
            "source": source_of(found.cases, today),
        }
        give(told, parts_of_fit(found, left_out, pairs, write), out, as_json)


def _cases(folder: Path | None, without_memory: bool) -> "list[Case]":
    from sim.cases import FOLDER, load_cases

    found = load_cases(folder or FOLDER)
    return [case.without_memory() for case in found] if without_memory else found


def _named(every: "Sequence[Case]", names: Sequence[str]) -> set[str]:
    """The names asked for; raises InputError for one that is none."""
    from sim.parameters import InputError, near_miss

    known = [case.name for case in every]
    for name in names:
        if name not in known:
            raise InputError(f"--case {name!r} is not a case{near_miss(name, known)} (python -m sim cases lists them)")
    return set(names or known)


def _tables(every: "Sequence[Case]", draws: int, seed: int, jobs: int, kept: Path, tell: "Tell | None") -> "Tables":
    from sim import ramps
    from sim.calibration import Tables

    return Tables(
        {case.name: ramps.kept_or_made(case, kept, draws, seed, jobs, tell) for case in ramps.cases_with_ramps(every)}
    )
