"""The command report: a scenario and its result as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from sim.commands.common import (
    Days,
    Draws,
    Engine,
    File,
    Jobs,
    Known,
    Replications,
    Seed,
    Set,
    app,
    baseline_beside,
    errors_told,
    progress,
    scenario_from,
    write_new,
)


@app.command()
def report(
    file: File,
    out: Annotated[Path, typer.Option(help="The HTML file to write; must be new.")],
    replications: Replications = 200,
    draws: Draws = None,
    seed: Seed = 1,
    settings: Set = [],  # noqa: B006 - Typer copies it
    days: Days = None,
    jobs: Jobs = 1,
    engine: Engine = "auto",
    known: Known = None,
) -> None:
    """Write a scenario and its result as one HTML page that needs no network: limits, the answer, charts, all numbers."""
    with errors_told():
        from sim.ensemble import run_ensemble
        from sim.export import html_report, stamp
        from sim.parameters import InputError

        if out.exists():
            raise InputError(f"--out {out}: a file of that name stands there; name another one")
        scenario, _ = scenario_from(file, settings, days, known)
        with progress(True) as tell:
            result = run_ensemble(
                scenario, seed, draws, replications, jobs=jobs, engine=engine, with_twins=False, progress=tell
            )
        write_new(out, html_report(result, baseline_beside(file)))
        print(f"written to {out}\n{stamp(result)}")
