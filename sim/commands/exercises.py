"""The command exercises: worksheets for a class and, apart, their keys."""

from pathlib import Path
from typing import Annotated

import typer

from sim.commands.common import FAILED, app, console, errors_told, write_new


@app.command()
def exercises(
    name: Annotated[str | None, typer.Argument(help="An exercise; without one, all are listed.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to print into this new file.")] = None,
    key: Annotated[bool, typer.Option("--key", help="The key instead, with its numbers computed now.")] = False,
) -> None:
    """List the exercises for a class, print a worksheet, or its key; exit code 1 if a number of the key has moved."""
    with errors_told():
        from sim import exercises as book
        from sim import worksheets
        from sim.parameters import InputError

        if name is None:
            if html or key:
                raise InputError(f"--html and --key need the name of an exercise: {', '.join(book.names())}")
            _list()
            return
        exercise = book.load(name)
        blocks, found = worksheets.worksheet(exercise), []
        if key:
            answers = book.load_key(name)
            found = book.recomputed(answers)
            blocks = worksheets.key_sheet(exercise, answers, found)
        if html is None:
            print(worksheets.markdown(blocks))
        else:
            write_new(html, worksheets.html_page(blocks[0][1], blocks))
            print(f"written to {html}")
        if not all(each.is_same for each in found):
            raise typer.Exit(FAILED)


def _list() -> None:
    """All exercises with their aims."""
    from rich.table import Table

    from sim import exercises as book

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "minutes", "aim"):
        table.add_column(heading)
    for name in book.names():
        exercise = book.load(name)
        table.add_row(name, str(exercise.minutes), exercise.aim)
    console().print(table)
