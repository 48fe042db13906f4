"""The command that runs an experiment file: sweep."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.commands.common import FAILED, INTERRUPTED, AsJson, Jobs, Scheduler, app, console, errors_told, progress

if TYPE_CHECKING:
    from rich.table import Table

    from sim.experiments import Experiment, Point, Rows, Summary

# Values of a point are told in a table up to this many factors, otherwise its number alone.
MOST_FACTORS = 3


@app.command()
def sweep(
    file: Annotated[
        Path,
        typer.Argument(
            help="An experiment file, for instance experiments/target_and_deadline.toml.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; must be new or empty; results/NAME by default.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the runs in the folder.")] = False,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and say what would run.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print one line only.")] = False,
) -> None:
    """Run every point of a design under the same lucks, into a folder that an interrupted sweep goes on with."""
    with errors_told():
        from sim import experiments
        from sim.parallel import workers

        experiment = experiments.load_experiment(file)
        design = experiments.points(experiment)
        folder = out or Path("results") / experiment.name
        if dry_run:
            _tell_plan(experiment, design, folder)
            return
        try:
            with workers(jobs, scheduler) as executor, progress(not quiet and not as_json) as tell:
                rows = experiments.run(experiment, folder, executor=executor, resume=resume, progress=tell, note=_note)
        except KeyboardInterrupt as stop:
            n = stop.args[0] if stop.args else 0
            _note(f"interrupted after {n:,} of {experiment.n_rows:,} runs; {_how_to_go_on(file, folder)}")
            raise typer.Exit(INTERRUPTED) from None
        except experiments.WorkersLostError as lost:
            _note(f"workers were lost ({lost}); what has finished is kept; {_how_to_go_on(file, folder)}")
            raise typer.Exit(FAILED) from None
        _show(experiment, design, rows, folder, as_json, quiet)
        if failed := rows["error"].drop_null().to_pylist():
            _note(f"{len(failed):,} of {len(rows):,} runs failed, the first with: {failed[0]}; the rest are kept")
            raise typer.Exit(FAILED)


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _how_to_go_on(file: Path, folder: Path) -> str:
    return f"go on with: python -m sim sweep {file} --out {folder} --resume"


def _tell_plan(experiment: "Experiment", design: "tuple[Point, ...]", folder: Path) -> None:
    """What would be run, and which points cannot be."""
    from sim.parameters import InputError

    lines = [
        f"{experiment.name}: {experiment.title}",
        f"would run {experiment.n_points:,} points x {experiment.replications:,} replications = {experiment.n_rows:,} "
        f"runs of {experiment.base.name}, {experiment.base.days} days each; nothing has been run",
        f"design {experiment.design}, seed {experiment.seed}, {len(experiment.outcomes)} outcomes",
    ]
    for factor in experiment.factors:
        if factor.ends is None:
            told = ", ".join(_told(value) for value in factor.choices)
        else:
            told = f"{factor.ends[0]:g} to {factor.ends[1]:g}" + (", log scale" if factor.is_logarithmic else "")
        lines.append(f"  {factor.name}: {told}" + (f" ({factor.entry.unit})" if factor.entry.unit else ""))
    wrong = []
    for number, values in enumerate(design):
        try:
            experiment.base.with_values(values)
        except InputError as error:
            wrong.append(f"point {number}: {str(error).removeprefix('the command line: ')}")
    if wrong:
        lines.append(f"{len(wrong):,} points cannot be run and would be rows with an error, the first: {wrong[0]}")
    lines.append(f"would write to {folder}")
    print("\n".join(lines))


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return ",".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)


def _show(
    experiment: "Experiment",
    design: "tuple[Point, ...]",
    rows: "Rows",
    folder: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """The summary: one JSON object, one line, or a table."""
    from sim.experiments import read_manifest, summaries
    from sim.report import NOT_A_FORECAST

    manifest = read_manifest(folder)
    found = summaries(experiment, rows)
    if as_json:
        outcomes = {each.outcome: _as_json(each, design) for each in found}
        told = {key: value for key, value in manifest.items() if key not in ("format", "versions", "points_hash")}
        print(
            json.dumps(
                {**told, "title": experiment.title, "folder": str(folder), "outcomes": outcomes, "note": NOT_A_FORECAST}
            )
        )
        return
    line = (
        f"{experiment.n_points:,} points x {experiment.replications:,} replications of {experiment.base.name}, "
        f"seed {experiment.seed}: {len(rows):,} rows, digest {manifest['digest'][:16]}"
    )
    if not quiet:
        console().print(f"{experiment.title}\n{experiment.question}\n", markup=False)
        console().print(_table(experiment, found, design))
        for note in _notes(experiment, found):
            console().print(note, markup=False)
        console().print(NOT_A_FORECAST, style="italic")
    console().print(line, markup=False)
    _note(f"results: {folder}")


def _as_json(each: "Summary", design: "tuple[Point, ...]") -> dict[str, Any]:
    """An outcome for a program: where several points are equal, the first."""
    at = {
        key: {"points": len(points), "first": points[0], "values": design[points[0]]} if points else None
        for key, points in (("lowest", each.lowest), ("highest", each.highest))
    }
    return {"unit": each.unit, "median": each.median, "low": each.low, "high": each.high, "never": each.never, **at}


def _table(experiment: "Experiment", found: "list[Summary]", design: "tuple[Point, ...]") -> "Table":
    """How each outcome lies over points, and where its ends are."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "unit", "median", "lowest", "at", "highest", "at"):
        is_number = heading in ("median", "lowest", "highest")
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
    for each in found:
        if each.median is None:
            table.add_row(each.outcome, each.unit, "-", "-", "no run has finished", "-", "")
        elif each.low == each.high:
            number = _number(each.median)
            table.add_row(each.outcome, each.unit, number, number, "all points the same", number, "")
        else:
            low, high = (_number(value or 0.0) for value in (each.low, each.high))
            table.add_row(
                each.outcome,
                each.unit,
                _number(each.median),
                low,
                _place(each.lowest, design),
                high,
                _place(each.highest, design),
            )
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def _place(numbers: tuple[int, ...], design: "tuple[Point, ...]") -> str:
    """The first of some points, by its values where they are few."""
    point = design[numbers[0]]
    told = ", ".join(f"{name} {_told(value)}" for name, value in point.items())
    first = told if len(point) <= MOST_FACTORS else f"point {numbers[0]}"
    return first + (f" and {len(numbers) - 1:,} more" if len(numbers) > 1 else "")


def _notes(experiment: "Experiment", found: "list[Summary]") -> list[str]:
    """What the numbers of the table are."""
    notes = [
        "Each point counts by its mean over replications, all points under the same lucks; what is not named in the "
        "experiment stays at its default."
    ]
    if any(each.never > 0.0 for each in found):
        notes.append(f"A run in which something never happens counts as day {experiment.base.days + 1}.")
    if len(experiment.factors) > MOST_FACTORS:
        notes.append("Values of points are in points.csv.")
    return notes
