"""Commands about scenario files and the register: validate, schema, scenarios, parameters."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.commands.common import (
    BAD_INPUT,
    AsJson,
    app,
    console,
    errors_told,
)

if TYPE_CHECKING:
    pass


@app.command()
def validate(files: Annotated[list[Path], typer.Argument(help="Scenario files.")]) -> None:
    """Check scenario files; every wrong one is told, and then the exit code is 2."""
    from sim.parameters import InputError
    from sim.scenario_files import load

    wrong = 0
    for path in files:
        try:
            print(f"{path}: fine, {load(path).title}")
        except InputError as error:
            wrong += 1
            sys.stderr.write(f"error: {error}\n")
    if wrong:
        raise typer.Exit(BAD_INPUT)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    from sim.scenario_files import json_schema

    print(json.dumps(json_schema(), indent=2))


@app.command()
def scenarios(folder: Annotated[Path, typer.Argument(help="Folder of scenario files.")] = Path("scenarios")) -> None:
    """List the scenarios with their questions."""
    with errors_told():
        from rich.table import Table

        from sim.parameters import InputError
        from sim.scenario_files import listed, load

        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder")
        table = Table(box=None, pad_edge=False)
        table.add_column("file")
        table.add_column("question")
        for path in listed(folder):
            table.add_row(str(path), load(path).question)
        console().print(table)


@app.command()
def parameters(
    words: Annotated[str, typer.Argument(help="A parameter's full name, or a word to search for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the register: every number with its range, unit and source."""
    with errors_told():
        from sim.parameters import register
        from sim.report import parameter_card, parameters_json, parameters_table

        if as_json:
            print(json.dumps(parameters_json(words)))
        else:
            console().print(parameter_card(words) if words in register() else parameters_table(words))


@app.command(name="compile")
def compile_engine() -> None:
    """Compile the fast engine, once on a machine; set-up does it, and so does the first command that needs it."""
    from sim import compiled

    why_not = compiled.unavailable()
    if why_not is not None:
        print(f"{why_not}; SimPy gives the same numbers, slowly (pip install numba)")
        return
    seconds = compiled.prepare()
    print(f"compiled in {seconds:.0f} s" if seconds else "the fast engine is ready")
