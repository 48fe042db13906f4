"""Commands that study a sweep: sensitivity, which makes it first where there is none, and discover."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.commands.common import (
    FAILED,
    INTERRUPTED,
    AsJson,
    Days,
    Jobs,
    Scheduler,
    Set,
    app,
    errors_told,
    progress,
    scenario_from,
)
from sim.commands.studies import MOST_ROWS, Out, Reached
from sim.commands.study_results import bar, hand_over, head, number, place, table

if TYPE_CHECKING:
    from rich.table import Table

    from sim.discovery import Box
    from sim.experiments import Experiment, Rows
    from sim.sensitivity import Effect

# What a default design takes: enough for an order of the largest effects within two minutes.
TRAJECTORIES = 10
SHOWN = ("states_agreeing", "peak_in_place")
SWEEP = "sweep"


@app.command()
def sensitivity(
    file: Annotated[
        Path,
        typer.Argument(
            help="A scenario file, an experiment file with design morris or sobol, or the results of its sweep.",
            show_default=False,
        ),
    ],
    outcome: Annotated[
        list[str], typer.Option(help="Outcome to show; may be repeated. The JSON has all that were measured.")
    ] = [],  # noqa: B006 - Typer copies it
    trajectories: Annotated[
        int | None, typer.Option(help=f"For a scenario file: Morris trajectories, {TRAJECTORIES} by default.", min=2)
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="For a scenario file: lucks that every point meets, 1 by default.", min=1)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="For a scenario file: seed of luck and design.", min=0, max=2**64 - 1)
    ] = None,
    settings: Set = [],  # noqa: B006
    days: Days = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Show which parameters an outcome hangs on most, as a tornado; an interrupted study goes on where it was."""
    with errors_told():
        import numpy as np

        from sim import plots
        from sim.experiments import load, load_experiment
        from sim.outcomes import OUTCOMES
        from sim.parameters import InputError
        from sim.scenario_files import read, toml_table
        from sim.sensitivity import effects, screening, unit_of

        rows = None
        if file.is_dir():
            experiment, rows = load(file)
        elif "design" in toml_table(read(file, "sensitivity"), str(file)):
            experiment = load_experiment(file)
        else:
            scenario, _ = scenario_from(file, settings, days, None)
            experiment = screening(
                scenario, trajectories or TRAJECTORIES, replications or 1, 1 if seed is None else seed
            )
            settings, days, trajectories, replications, seed = [], None, None, None, None
        if settings or any(each is not None for each in (days, trajectories, replications, seed)):
            raise InputError(
                f"{file}: --set, --days, --trajectories, --replications and --seed go with a scenario file; an "
                "experiment has them written"
            )
        shown = _shown(experiment, outcome)
        folder = place(out, "sensitivity", experiment.name)
        if rows is None:
            rows = _swept(experiment, folder / SWEEP, jobs, scheduler, as_json)
        found = effects(experiment, rows)
        lucks = f"{experiment.replications:,} luck{'s' if experiment.replications > 1 else ''}"
        plan = (
            f"{experiment.n_points:,} points, each under {lucks}: {experiment.n_rows:,} runs; seed {experiment.seed}."
        )
        notes = [_how_to_read(experiment), plan]
        if any(OUTCOMES[name].unit.startswith("days") for name in shown):
            notes.append(f"A run that never gets there counts as day {experiment.base.days + 1}.")
        charts = []
        for name in shown:
            first = [effect for effect in found[name] if effect.size > 0.0][:MOST_ROWS]
            figure = plots.tornado(
                [effect.name for effect in first],
                np.array([effect.size for effect in first]),
                np.array([effect.error for effect in first]),
                unit_of(experiment, name),
            )
            charts.append((f"{name} ({OUTCOMES[name].unit})", plots.tornado, figure))
        told = head("sensitivity", experiment.base, experiment.seed) | {
            "experiment": experiment.name,
            "experiment_hash": experiment.digest,
            "design": experiment.design,
            "points": experiment.n_points,
            "replications": experiment.replications,
            "never_counts_as_day": experiment.base.days + 1,
            "effects": {name: [_as_object(experiment, effect) for effect in each] for name, each in found.items()},
        }
        page = plots.page(experiment.title, charts, notes)
        tables = [part for name in shown for part in (_tornado(experiment, name, found[name]), "")]
        hand_over(folder, told, page, [*tables, *notes], as_json)


def _shown(experiment: "Experiment", wanted: list[str]) -> list[str]:
    """Outcomes that are printed and drawn."""
    from sim.parameters import InputError, near_miss

    for name in wanted:
        if name not in experiment.outcomes:
            raise InputError(
                f"--outcome {name!r} is not measured here{near_miss(name, experiment.outcomes)}; there are "
                f"{', '.join(experiment.outcomes)}"
            )
    return wanted or [name for name in SHOWN if name in experiment.outcomes] or list(experiment.outcomes[:2])


def _swept(experiment: "Experiment", folder: Path, jobs: int, scheduler: str | None, is_quiet: bool) -> "Rows":
    """The rows of a sweep, run as far as they are not there yet."""
    from sim.experiments import WorkersLostError, run
    from sim.parallel import workers

    try:
        with workers(jobs, scheduler) as executor, progress(not is_quiet) as tell:
            return run(experiment, folder, executor=executor, resume=True, progress=tell)
    except KeyboardInterrupt as stop:
        n = stop.args[0] if stop.args else 0
        sys.stderr.write(f"interrupted after {n:,} of {experiment.n_rows:,} runs; the same command goes on with them\n")
        raise typer.Exit(INTERRUPTED) from None
    except WorkersLostError as lost:
        sys.stderr.write(
            f"workers were lost ({lost}); what has finished is kept, and the same command goes on with it\n"
        )
        raise typer.Exit(FAILED) from None


def _how_to_read(experiment: "Experiment") -> str:
    if experiment.design == "morris":
        return (
            "Effect: how much the outcome changes, on average, when this parameter alone goes through its whole range, up or "
            "down (Morris' mu*), ± half of a 95 % interval. Direction: the same with its sign (mu); near 0 where signs differ. "
            "Spread (sigma): as large as the effect where it depends on the other parameters or is bent."
        )
    return (
        "Effect: the share of the outcome's variance in which this parameter takes part, alone or with others (Sobol's total "
        "effect, ST), ± half of a 95 % interval. Alone: the share that it makes without any other (first order, S1)."
    )


def _tornado(experiment: "Experiment", outcome: str, found: "list[Effect]") -> "Table":
    """The largest effects with bars of text."""
    from sim.outcomes import OUTCOMES

    is_morris = experiment.design == "morris"
    unit = OUTCOMES[outcome].unit
    more = ("direction", "spread") if is_morris else ("alone", "±")
    made = table(f"{OUTCOMES[outcome].label} ({outcome}, {unit})", "parameter", "", "effect", "±", *more)
    first = [effect for effect in found if effect.size > 0.0][:MOST_ROWS]
    for effect in first:
        others = (effect.mean, effect.second) if is_morris else (effect.second, effect.second_error)
        numbers = [number(each) for each in (effect.size, effect.error, *others)]
        made.add_row(effect.name, bar(effect.size, first[0].size), *numbers)
    if not first:
        made.add_row("nothing: it is the same at every point")
    return made


def _as_object(experiment: "Experiment", effect: "Effect") -> dict[str, str | float | None]:
    """An effect under the names that the method gives it."""
    if experiment.design == "morris":
        return {
            "parameter": effect.name,
            "mu_star": effect.size,
            "mu_star_error": effect.error,
            "mu": effect.mean,
            "sigma": effect.second,
        }
    return {
        "parameter": effect.name,
        "ST": effect.size,
        "ST_error": effect.error,
        "S1": effect.second,
        "S1_error": effect.second_error,
    }


@app.command()
def discover(
    folder: Annotated[Path, typer.Argument(help="The results of a sweep, best with design lhs.", show_default=False)],
    outcome: Reached,
    density: Annotated[
        float | None,
        typer.Option(
            help="Share of a box's runs that shall reach it, instead of a balance with coverage.", min=0.01, max=1.0
        ),
    ] = None,
    boxes: Annotated[int, typer.Option(help="Boxes at most.", min=1, max=9)] = 2,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find conditions under which runs of a sweep reach an outcome, as boxes in plain words."""
    with errors_told():
        from sim import plots
        from sim.discovery import ends_of, in_words, prim_boxes, table_of_factors, tree_boxes
        from sim.experiments import load
        from sim.parameters import InputError, near_miss
        from sim.studies import parse_condition

        experiment, rows = load(folder)
        condition = parse_condition(outcome)
        if condition.outcome not in experiment.outcomes:
            hint = near_miss(condition.outcome, experiment.outcomes)
            raise InputError(f"--outcome: {condition.outcome} is not measured in {folder}{hint}")
        results = place(out, "discover", experiment.name)
        x, values = table_of_factors(experiment, rows, condition.outcome)
        reaches = condition.holds(values)
        found = {
            "PRIM": prim_boxes(x, reaches, boxes, density),
            "CART": tree_boxes(x, reaches, experiment.seed),
        }
        ends = ends_of(x)
        n, k = len(reaches), int(reaches.sum())
        lines = [f"{k:,} of {n:,} runs reach {condition} ({100 * k / n:.0f} %)."]
        for name, each in found.items():
            lines += ["", *_told_boxes(name, each, ends, k)]
        lines += [
            "",
            "Density: the share of the box's runs that reach it. Coverage: the share of all runs that reach it which lie in "
            "the box. Boxes describe these runs, spread evenly over the ranges; they do not say how likely conditions are.",
        ]
        shares = [
            {
                name: ((limit[0] - low) / (high - low), (limit[1] - low) / (high - low))
                for name, limit in box.limits.items()
                if not isinstance(limit[0], str)
                for low, high in [ends[name]]
            }
            for box in found["PRIM"]
        ]
        names = [f"box {number}" for number in range(1, len(shares) + 1)]
        figure = plots.conditions(shares, names)
        page = plots.page(
            f"Discovery: {experiment.title}",
            [(str(condition), plots.conditions, figure)],
            [line for line in lines if line],
        )
        told = head("discover", experiment.base, experiment.seed) | {
            "experiment": experiment.name,
            "experiment_hash": experiment.digest,
            "design": experiment.design,
            "outcome": str(condition),
            "runs": n,
            "reaching": k,
            "failed": len(rows) - n,
            "boxes": {
                name: [{**vars(box), "words": in_words(box, ends)} for box in each] for name, each in found.items()
            },
        }
        hand_over(results, told, page, ["\n".join(lines)], as_json)


METHODS = {
    "PRIM": "Boxes by patient rule induction (PRIM)",
    "CART": "Leaves of a classification tree (CART) with a larger share than all runs",
}


def _told_boxes(method: str, boxes: "list[Box]", ends: dict[str, tuple[float, float]], n_reaching: int) -> list[str]:
    """Boxes in plain words."""
    from sim.discovery import in_words

    if not boxes:
        return [f"{METHODS[method]}: none that chance would not bring as easily."]
    lines = [f"{METHODS[method]}:"]
    for place_, box in enumerate(boxes, 1):
        lines.append(
            f"  {place_}. {box.n_reaching:,} of the {box.n_runs:,} runs inside reach it (density {100 * box.density:.0f} %); "
            f"they are {100 * box.coverage:.0f} % of the {n_reaching:,} that do (coverage). Inside:"
        )
        lines += [f"       {line}" for line in in_words(box, ends)]
    return lines
