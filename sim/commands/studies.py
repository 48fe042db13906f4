"""Commands that study a scenario or a sweep: precision, breakeven, value, sensitivity, discover."""

from pathlib import Path
from typing import Annotated

import typer

from sim.commands.common import (
    AsJson,
    Days,
    Draws,
    File,
    Jobs,
    Replications,
    Scheduler,
    Seed,
    Set,
    app,
    errors_told,
    progress,
    scenario_from,
)
from sim.commands.study_results import bar, hand_over, head, number, place, table

Out = Annotated[Path | None, typer.Option(help="Folder for the results; results/COMMAND-NAME by default.")]
Reached = Annotated[
    str,
    typer.Option("--outcome", help="What a run reaches or not, for instance 'days_to_50 <= 90'.", show_default=False),
]
Measured = Annotated[str, typer.Option("--outcome", help="Name of an outcome; run -v lists them.", show_default=False)]
# How many rows a table and a plot show; the JSON has all.
MOST_ROWS = 15
EVERYTHING = "everything, luck too"


@app.command()
def precision(
    file: File,
    outcome: Measured,
    half_width: Annotated[
        float,
        typer.Option(help="Half-width wanted of the 95 % interval, in the unit of the outcome.", show_default=False),
    ],
    is_relative: Annotated[
        bool, typer.Option("--relative", help="The half-width is a share of the mean, or of the median.")
    ] = False,
    most: Annotated[int, typer.Option(help="Runs at most.", min=20, max=1_000_000)] = 2000,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006 - Typer copies it
    days: Days = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find how many runs make the interval of a mean, and of a median, as narrow as wanted."""
    with errors_told():
        import numpy as np

        from sim import plots
        from sim.outcomes import OUTCOMES
        from sim.parallel import workers
        from sim.precision import precision as study
        from sim.studies import Source, check_outcome

        scenario, _ = scenario_from(file, settings, days, None)
        unit = OUTCOMES[check_outcome(outcome)].unit
        folder = place(out, "precision", scenario.name)
        with workers(jobs, scheduler) as executor, progress(not as_json) as tell:
            single = Source(scenario, seed, executor, tell).one_by_one(outcome)
            found = study(single, half_width, is_relative, scenario.days + 1.0, most)
        wanted = f"{100 * half_width:g} %" if is_relative else number(half_width, unit)
        shown = table(
            f"Runs for a 95 % interval of ± {wanted}: {outcome} ({unit})", "of the", "runs", "estimate", "from", "to"
        )
        for name, runs, ends in (
            ("mean", found.runs_for_mean, found.mean),
            ("median", found.runs_for_median, found.median),
        ):
            shown.add_row(name, f"more than {most:,}" if runs is None else f"{runs:,}", *map(number, ends))
        never = float(np.isnan(found.values).mean())
        notes = [
            f"Of {len(found.values):,} runs made, each with its own draw of the uncertainties and its own luck; seed {seed}. "
            "The interval tells how well these runs know the model's mean or median, not how well the model knows the world."
        ]
        if never > 0.0:
            notes.append(
                f"{100 * never:.0f} % of runs never get there: in the mean they count as day {scenario.days + 1}, "
                "in the median as later than all others."
            )
        aim = None
        if found.mean[0] is not None:
            reach = half_width * abs(found.mean[0]) if is_relative else half_width
            aim = (found.mean[0] - reach, found.mean[0] + reach)
        figure = plots.narrowing(found.running, aim, found.runs_for_mean, unit)
        page = plots.page(f"Precision: {scenario.title}", [(outcome, plots.narrowing, figure)], notes)
        told = head("precision", scenario, seed) | {
            "outcome": outcome,
            "unit": unit,
            "half_width": half_width,
            "is_relative": is_relative,
            "most": most,
            "runs_made": len(found.values),
            "never": never,
            "never_counts_as_in_the_mean": scenario.days + 1,
            "mean": _estimate(found.runs_for_mean, found.mean),
            "median": _estimate(found.runs_for_median, found.median),
            "values": found.values,
        }
        hand_over(folder, told, page, [shown, *notes], as_json)


def _estimate(runs: int | None, ends: tuple[float | None, ...]) -> dict[str, float | None]:
    return {"runs": runs, "estimate": ends[0], "low": ends[1], "high": ends[2]}


@app.command()
def breakeven(
    file: File,
    parameter: Annotated[str, typer.Option(help="A number of the register, by name.", show_default=False)],
    outcome: Reached,
    between: Annotated[
        tuple[float, float] | None, typer.Option(help="Ends, instead of the register's range.", metavar="LOW HIGH")
    ] = None,
    replications: Replications = 40,
    draws: Draws = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006
    days: Days = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find the value of a parameter at which half of the runs reach an outcome, all values under the same luck."""
    with errors_told():
        import numpy as np

        from sim import plots
        from sim.breakeven import breakeven as study
        from sim.breakeven import ends_of, typed
        from sim.outcomes import OUTCOMES
        from sim.parallel import workers
        from sim.parameters import parameter as entry_of
        from sim.studies import Source, parse_condition

        scenario, _ = scenario_from(file, settings, days, None)
        condition, entry = parse_condition(outcome), entry_of(parameter)
        low, high = ends_of(entry, between)
        folder = place(out, "breakeven", scenario.name)
        with workers(jobs, scheduler) as executor, progress(not as_json) as tell:
            source = Source(scenario, seed, executor, tell)
            on_log_scale = entry.scale == "log" and low > 0.0
            found = study(
                lambda value: condition.holds(
                    OUTCOMES[condition.outcome].measure(
                        source.ensemble(
                            {parameter: typed(entry, value)}, draws, replications, f"{parameter} {value:.4g}"
                        )
                    )
                ),
                low,
                high,
                is_whole=entry.whole,
                on_log_scale=on_log_scale,
                seed=seed,
            )
        runs = (draws or 1) * replications
        lines = [
            f"{condition} is reached in {100 * found.shares[0]:.0f} % of {runs:,} runs at {parameter} = "
            f"{number(low, entry.unit)}, and in {100 * found.shares[-1]:.0f} % at {number(high, entry.unit)}."
        ]
        if not found.brackets:
            lines.append(
                "The share does not cross half at any value tried, so there is no value to name between these ends."
            )
        else:
            a, b = found.brackets[0]
            lines.append(f"It crosses half between {parameter} = {number(a)} and {number(b, entry.unit)}.")
            if found.interval is not None:
                lines.append(
                    f"In 95 % of bootstrap samples of the runs it crosses between {number(found.interval[0])} and "
                    f"{number(found.interval[1], entry.unit)}"
                    + (f"; in {100 * found.without:.0f} % of all samples it does not cross." if found.without else ".")
                )
        for a, b in found.brackets[1:]:
            lines.append(f"It crosses half again between {number(a)} and {number(b)}, not looked at more closely.")
        shown = table(f"Share of runs that reach {condition}", parameter, "% of runs", "")
        for value, share in zip(found.values, found.shares, strict=True):
            shown.add_row(number(value), f"{100 * share:.0f}", bar(share, 1.0))
        unit = f"{parameter} ({entry.unit})" if entry.unit else parameter
        bracket = found.brackets[0] if found.brackets else None
        figure = plots.share_reaching(np.array(found.values), np.array(found.shares), bracket, unit, on_log_scale)
        page = plots.page(f"Breakeven: {scenario.title}", [(str(condition), plots.share_reaching, figure)], lines)
        told = head("breakeven", scenario, seed) | {
            "parameter": parameter,
            "unit": entry.unit,
            "outcome": str(condition),
            "runs": runs,
            "ends": [low, high],
            "values": found.values,
            "shares": found.shares,
            "bracket": bracket,
            "further_brackets": found.brackets[1:],
            "interval": found.interval,
            "bootstrap_without_crossing": found.without if found.brackets else None,
        }
        hand_over(folder, told, page, [shown, *lines], as_json)


@app.command()
def value(
    file: File,
    choice: Annotated[str, typer.Option(help="What is chosen: a parameter, by name.", show_default=False)],
    options: Annotated[str, typer.Option(help="Values to choose from, with commas between.", show_default=False)],
    outcome: Measured,
    aim: Annotated[str, typer.Option(help="high or low: which is wanted, as you state it.", show_default=False)],
    uncertainty: Annotated[
        list[str], typer.Option(help="Only this uncertainty; may be repeated. All that are drawn by default.")
    ] = [],  # noqa: B006
    replications: Replications = 200,
    draws: Draws = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006
    days: Days = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Work out what it would be worth to know more before a stated choice, for a stated aim."""
    with errors_told():
        import numpy as np

        from sim import plots
        from sim.information import METHOD, choices, drawn, outcome_of_options, value_of_information
        from sim.outcomes import OUTCOMES
        from sim.parallel import workers
        from sim.parameters import InputError, near_miss
        from sim.studies import Source, check_outcome

        if aim not in ("high", "low"):
            raise InputError(f"--aim {aim!r} is not one of 'high', 'low'{near_miss(aim.lower(), ('high', 'low'))}")
        scenario, _ = scenario_from(file, settings, days, None)
        unit = OUTCOMES[check_outcome(outcome)].unit
        values = choices(choice, options)
        folder = place(out, "value", scenario.name)
        with workers(jobs, scheduler) as executor, progress(not as_json) as tell:
            source = Source(scenario, seed, executor, tell)
            measured, first = outcome_of_options(
                source, [{choice: each} for each in values], outcome, draws, replications
            )
        found = value_of_information(measured, drawn(first, choice, uncertainty), aim, seed)
        names = [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
        means = table(f"Mean of {outcome} ({unit}) by {choice}; the aim stated: {aim}", choice, "mean", "")
        for k, (name, mean) in enumerate(zip(names, found.means, strict=True)):
            means.add_row(name, number(mean), "fits the aim stated most, on average" if k == found.best else "")
        worth = table(f"Worth of knowing beforehand, in {unit}", "what", "gain", "")
        worth.add_row(EVERYTHING, number(found.perfect), bar(found.perfect, found.perfect))
        rows = [(name, gain) for name, gain in found.single.items() if gain > 0.0][:MOST_ROWS]
        for name, gain in rows:
            mark = "" if gain > found.floor else "  (no more than chance shows)"
            worth.add_row(name + mark, number(gain), bar(gain, found.perfect))
        low, high = found.perfect_interval
        notes = [
            f"Knowing everything: 95 % interval {number(low)} to {number(high, unit)}. Chance alone shows up to "
            f"{number(found.floor, unit)} for one of {len(found.single)} uncertainties. {measured.shape[1]:,} runs an "
            f"option, all options under the same draws and luck; seed {seed}.",
            f"Method: {METHOD}",
            f"That {aim} is wanted is a statement of whoever asks; the model calls no outcome good or bad.",
        ]
        if found.perfect == 0.0:
            notes.insert(
                0,
                f"{names[found.best]} fits the aim stated at least as well in every run: knowing more changes nothing.",
            )
        if OUTCOMES[outcome].unit.startswith("days"):
            notes.append(f"A run that never gets there counts as day {scenario.days + 1}.")
        figure = plots.worth_of_knowing(
            [EVERYTHING, *(name for name, _ in rows)],
            np.array([found.perfect, *(gain for _, gain in rows)]),
            found.floor,
            unit,
        )
        page = plots.page(f"Value of information: {scenario.title}", [(outcome, plots.worth_of_knowing, figure)], notes)
        told = head("value", scenario, seed) | {
            "choice": choice,
            "outcome": outcome,
            "unit": unit,
            "aim": aim,
            "runs_per_option": measured.shape[1],
            "means": dict(zip(names, found.means, strict=True)),
            "best_by_the_aim_stated": names[found.best],
            "everything_known": found.perfect,
            "everything_known_interval": found.perfect_interval,
            "one_known": found.single,
            "chance_alone": found.floor,
            "method": METHOD,
        }
        hand_over(folder, told, page, [means, "", worth, *notes], as_json)
