"""Commands about stored results: query, and results list, show, compare, delete."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.commands.common import AsJson, app, baseline_beside, console, errors_told

if TYPE_CHECKING:
    from rich.table import Table

    from sim.lake import Answer
    from sim.results import Ensemble
    from sim.stored import Stored

In = Annotated[Path, typer.Option("--in", help="Folder that holds results, in itself or below.")]
Name = Annotated[str, typer.Argument(help="Results by the name that `results list` shows.", show_default=False)]

# Rows of a table on screen, and letters of one cell.
MOST_ROWS = 40
MOST_LETTERS = 48

results = typer.Typer(
    help="List, show, compare and delete stored results.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(results, name="results")


@app.command()
def query(
    sql: Annotated[
        str, typer.Argument(help="One SELECT, DESCRIBE, SHOW or SUMMARIZE in DuckDB's SQL.", show_default=False)
    ],
    folder: In = Path("results"),
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write all rows to this new file instead, FILE.parquet or FILE.csv.")
    ] = None,
) -> None:
    """Ask all stored results at once: views runs, timeseries, events, states, scenarios, sweeps."""
    with errors_told():
        from sim import lake
        from sim.parameters import InputError

        if as_json + as_csv + (out is not None) > 1:
            raise InputError("--json, --csv and --out are three ways to get all rows; name one of them")
        if out is not None:
            answer = lake.write(folder, sql, out)
            _tell_left_out(answer)
            print(f"{answer.n_rows:,} rows of {len(answer.columns)} columns: {out}")
            return
        answer = lake.ask(folder, sql, None if as_json or as_csv else MOST_ROWS)
        _tell_left_out(answer)
        if as_json:
            names = lake.distinct(answer.columns)
            rows = [dict(zip(names, map(lake.plain, row), strict=True)) for row in answer.rows]
            print(json.dumps({"columns": names, "rows": rows, "left_out": answer.left_out}))
        elif as_csv:
            lake.write_csv(sys.stdout, answer.columns, answer.rows)
        else:
            _show(answer)


def _tell_left_out(answer: "Answer") -> None:
    for line in answer.left_out:
        sys.stderr.write(f"left out: {_printable(line)}\n")


def _show(answer: "Answer") -> None:
    """As many rows and columns as can be read, and how many there are more."""
    from rich.table import Table
    from rich.text import Text

    screen = console()
    cells = [[_cell(value) for value in row] for row in answer.rows]
    heads = [_printable(name) for name in answer.columns]
    widths = [max(len(text) for text in (head, *(row[k] for row in cells))) for k, head in enumerate(heads)]
    # A column as wide as the others leave room for says more than many that nobody can read.
    n, room = 0, screen.width
    while n < len(widths) and (n == 0 or widths[n] <= room):
        room -= widths[n] + 2
        n += 1
    table = Table(box=None, pad_edge=False)
    for k in range(n):
        is_number = bool(answer.rows) and all(isinstance(row[k], int | float | None) for row in answer.rows)
        table.add_column(Text(heads[k]), justify="right" if is_number else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row[:n]))
    screen.print(table)
    hidden_rows, hidden_columns = answer.n_rows - len(cells), len(heads) - n
    if not answer.n_rows:
        print("no rows")
    if hidden_rows or hidden_columns:
        more = {"row": hidden_rows, "column": hidden_columns}
        told = " and ".join(f"{n:,} more {what}{'s' * (n > 1)}" for what, n in more.items() if n)
        print(f"{told} not shown; --csv, --json and --out FILE give all")


def _cell(value: Any) -> str:
    """A value as a short text: six digits of a fraction, nothing that moves the cursor."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    text = _printable(str(value).lower() if isinstance(value, bool) else str(value))
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@results.command("list")
def list_results(folder: In = Path("results"), as_json: AsJson = False) -> None:
    """List what is stored: results, sweeps, and folders that are damaged or not ours."""
    with errors_told():
        from rich.text import Text

        from sim.stored import found

        stored = found(folder)
        if as_json:
            print(json.dumps([_row_json(each) for each in stored]))
            return
        if not stored:
            print(f"there are no results in {folder}; python -m sim run SCENARIO --out {folder}/NAME keeps some")
            return
        table = _table("result", "kind", "scenario", ">runs", "engine", "model", "written", ">size", "")
        for each in stored:
            table.add_row(*(Text(_printable(cell)) for cell in _row(each)))
        console().print(table)


def _table(*headings: str) -> "Table":
    """A table without lines; a heading that begins with > stands on the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading.lstrip(">"), justify="right" if heading.startswith(">") else "left", overflow="fold")
    return table


def _row(each: "Stored") -> list[str]:
    """One line of the list."""
    if each.trouble:
        return [each.name, each.kind, "", "", "", "", "", size_told(each.size), each.trouble]
    told = [str(each.manifest.get(key) or "-") for key in ("scenario", "engine", "model_version", "written")]
    n = "-" if each.n_runs is None else f"{each.n_runs:,}"
    state = "complete" if each.is_complete else _part(each)
    # Of "2025-05-15T12:00:30+00:00" what is read is the day and the minute.
    written = told[3][:16].replace("T", " ")
    return [each.name, each.kind, told[0], n, told[1], told[2], written, size_told(each.size), state]


def _part(each: "Stored") -> str:
    """How much of incomplete results there is."""
    finished = each.manifest.get("finished")
    return f"{finished} of {each.n_runs} finished" if isinstance(finished, int) else "not finished"


def _row_json(each: "Stored") -> dict[str, Any]:
    keys = ("scenario", "engine", "model_version", "seed", "written", "digest")
    return {
        "result": each.name,
        "kind": each.kind,
        **{key: each.manifest.get(key) for key in keys},
        "runs": each.n_runs,
        "complete": each.is_complete,
        "bytes": each.size,
        "trouble": each.trouble or None,
    }


def size_told(n: int) -> str:
    """A number of bytes for reading."""
    if n < 1_000:
        return f"{n} B"
    if n < 1_000_000:
        return f"{n / 1e3:.1f} kB"
    return f"{n / 1e6:,.1f} MB" if n < 1_000_000_000 else f"{n / 1e9:,.1f} GB"


@results.command()
def show(
    result: Name,
    folder: In = Path("results"),
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the two answers only.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print every outcome.")] = False,
) -> None:
    """Summarize stored results as `run` did, without running anything."""
    with errors_told():
        from sim.parameters import InputError
        from sim.passport import passport_of
        from sim.report import answers_table, summary
        from sim.report import as_json as json_of
        from sim.stored import called, loaded

        ensemble, manifest = loaded(called(folder, result))
        if as_json:
            # The numbers are of the model that made them.
            print(json.dumps({**json_of(ensemble, manifest), "model_version": manifest.get("model_version")}))
            return
        if not ensemble.n_finished:
            first = next(iter(ensemble.errors.values()), "nothing was run")
            raise InputError(f"{folder}: no run of {result} has finished: {first}")
        baseline = baseline_beside(Path("scenarios") / "baseline.toml")
        console().print(answers_table(ensemble) if quiet else summary(ensemble, manifest, baseline, verbose))
        if code := passport_of(ensemble):
            print(f"Passport {code}")


@results.command("compare")
def compare_results(a: Name, b: Name, folder: In = Path("results"), as_json: AsJson = False) -> None:
    """Compare two stored results run by run; they must be of one plan, so that luck is the same."""
    with errors_told():
        from sim.comparison import comparison, comparison_json
        from sim.parameters import InputError
        from sim.stored import called, loaded_runs

        (here, of_a), (there, of_b) = (loaded_runs(called(folder, name)) for name in (a, b))
        if apart := plans_apart(here, there):
            raise InputError(f"{a} and {b} are not of one plan, so their runs cannot be paired: {'; '.join(apart)}")
        if not (here.done & there.done).any():
            raise InputError(f"{a} and {b} have no run that has finished in both")
        versions = [manifest.get("model_version") for manifest in (of_a, of_b)]
        if versions[0] != versions[1]:
            sys.stderr.write(
                f"made by two versions of the model, A by {versions[0]}, B by {versions[1]}: "
                "a difference may be the model's\n"
            )
        if as_json:
            told = {**comparison_json(here, there, None), "model_version": versions[0]}
            print(json.dumps({**told, "model_versions": versions}))
        else:
            console().print(comparison(here, there, None))


def plans_apart(a: "Ensemble", b: "Ensemble") -> list[str]:
    """In what the plans of two ensembles differ; runs can be paired only if there is nothing."""
    rows = []
    if a.seed != b.seed:
        rows.append(f"seed {a.seed} and {b.seed}")
    if len(a.pairs) != len(b.pairs):
        rows.append(f"{len(a.pairs)} and {len(b.pairs)} runs")
    for k, (mine, other) in enumerate(zip(a.pairs, b.pairs, strict=False)):
        if mine != other:
            rows.append(f"run {k} is {_pair(mine)} and {_pair(other)}")
            break
    return rows


def _pair(pair: tuple[int | None, int]) -> str:
    draw, replication = pair
    return f"{'the defaults' if draw is None else f'draw {draw}'} under luck {replication}"


@results.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="RESULT...", help="Results to delete.", show_default=False)],
    folder: In = Path("results"),
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
) -> None:
    """Delete stored results: only folders that hold nothing but what we wrote, all of those named or none."""
    with errors_told():
        from sim import stored
        from sim.parameters import InputError

        chosen = {each.path: each for each in (stored.called(folder, name) for name in names)}
        for each in chosen.values():
            stored.check_deletable(each)
        if not yes:
            if not is_somebody_there():
                raise InputError("nobody can be asked here, so nothing is deleted; --yes deletes without asking")
            for each in chosen.values():
                print(f"{_printable(each.name)}  {size_told(each.size)}")
            if not typer.confirm("Delete for good?"):
                print("nothing has been deleted")
                return
        for each in chosen.values():
            print(f"deleted {_printable(each.name)}: {size_told(stored.delete(each))} freed")


def is_somebody_there() -> bool:
    """Whether a question would be seen and could be answered."""
    return sys.stdin.isatty() and sys.stdout.isatty()
