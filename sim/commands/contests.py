"""The command contest: a counter-value with a citation becomes a scenario file."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sim.commands.common import app, errors_told, write_new


@app.command()
def contest(
    name: Annotated[str, typer.Argument(help="A parameter, as python -m sim parameters names it.")],
    value: Annotated[str, typer.Argument(help="The counter-value.")],
    source: Annotated[str, typer.Option(help="Where it comes from: author, year, title, address.")],
    low: Annotated[float | None, typer.Option(help="With --high: keep an uncertainty uncertain, from here.")] = None,
    high: Annotated[float | None, typer.Option(help="To here.")] = None,
    by: Annotated[str, typer.Option(help="Who contests it.")] = "",
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When; YYYY-MM-DD.")] = None,
    base: Annotated[Path, typer.Option(help="The scenario whose value is contested.")] = Path(
        "scenarios/baseline.toml"
    ),
    save: Annotated[
        Path | None, typer.Option(help="Write the scenario into this new file, beside the one contested.")
    ] = None,
) -> None:
    """Contest a value of the register: a counter-value with its source becomes a scenario to run against the baseline."""
    with errors_told():
        from sim.contest import contested, file_of
        from sim.parameters import InputError
        from sim.scenario import parse_setting
        from sim.scenario_files import load

        if (low is None) != (high is None):
            raise InputError("--low and --high go together")
        ends = None if low is None or high is None else (low, high)
        name, counter = parse_setting(f"{name}={value}")
        day = None if on is None else on.date()
        text = file_of(contested(load(base), name, counter, source, ends=ends, by=by, on=day), name, base.name)
        if save is None:
            print(text, end="")
            return
        if save.resolve().parent != base.resolve().parent:
            raise InputError(f"--save {save}: it extends {base.name}, so it has to stand in {base.parent}")
        write_new(save, text)
        print(f"written to {save}\npython -m sim compare {base} {save}")
