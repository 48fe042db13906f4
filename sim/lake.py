"""All results below a folder as one place to ask in SQL.

Views, each with a column `result` that names the folder: `runs`, `timeseries`, `states` and `events` hold the tables
of all stored ensembles, `sweeps` the rows of all sweeps, united by the names of their columns; `scenarios` has a row
for each ensemble. A question reads the Parquet files of results and nothing else, and changes nothing.
"""

import csv
import json
import math
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sim.ensemble import empty
from sim.parameters import InputError, Parameter, model_version, register
from sim.results import Event
from sim.scenario import Scenario
from sim.store import TABLES, events_table, runs_table, states_table, timeseries_table
from sim.stored import DAMAGED, ROWS, RUNS, SWEEP, Stored, found

if TYPE_CHECKING:
    import duckdb

ENDINGS = (".parquet", ".csv")
# The longest error of DuckDB that is still one paragraph.
MOST_WORDS = 400


@dataclass(frozen=True)
class Answer:
    """What a question gave.

    rows
        The first rows, as many as were asked for.
    n_rows
        How many there are in all.
    left_out
        A line for each result that could not be read, so that it is in no view.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    n_rows: int
    left_out: tuple[str, ...]


def ask(folder: Path, sql: str, most: int | None = None) -> Answer:
    """Answer a question in SQL from all results below a folder; keep no more than the first `most` rows.

    Raises
    ------
    InputError
        If duckdb is missing, the SQL is wrong, or it is not one statement that only returns rows.
    """
    with _opened(folder, None) as (connection, left_out), _told_by_duckdb():
        answer = connection.execute(_question(connection, sql))
        columns = tuple(column[0] for column in answer.description)
        rows: list[tuple[Any, ...]] = []
        n = 0
        while block := answer.fetchmany(10_000):
            n += len(block)
            rows += block if most is None else block[: max(0, most - len(rows))]
        return Answer(columns, rows, n, tuple(left_out))


def write(folder: Path, sql: str, out: Path) -> Answer:
    """Answer a question into a new file, Parquet or CSV by its ending, all at once; the answer has no rows here."""
    check_out(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent.resolve()))
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror})") from None
    fresh = place / f"answer{out.suffix}"
    try:
        with _opened(folder, place) as (connection, left_out), _told_by_duckdb():
            question = _question(connection, sql)
            if out.suffix == ".csv":
                answer = connection.execute(question)
                columns = tuple(column[0] for column in answer.description)
                with fresh.open("w", encoding="utf-8", newline="") as file:
                    n = write_csv(file, columns, iter(answer.fetchone, None))
            else:
                relation = connection.sql(question)
                columns = tuple(relation.columns)
                relation.write_parquet(str(fresh))
                told = connection.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({_text(str(fresh))})")
                n = int((told.fetchone() or (0,))[0])
        check_out(out)
        fresh.replace(out)
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Answer(columns, [], n, tuple(left_out))


def check_out(out: Path) -> None:
    """Refuse a file that stands there already or has another ending; raises InputError."""
    if out.suffix not in ENDINGS:
        raise InputError(f"--out {out}: the name of the file must end in {' or '.join(ENDINGS)}")
    if out.exists() or out.is_symlink():
        raise InputError(f"--out {out}: a file of that name stands there; name another one")


def write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Rows as CSV with a line of names; NULL is empty. Returns the number of rows."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    n = 0
    for row in rows:
        # Fractions stay as they are, a NaN as well: "it never happened" is not the same as "not known".
        writer.writerow([value if isinstance(value, float) else _word(value) for value in row])
        n += 1
    return n


def _word(value: Any) -> str:
    """A value as text in CSV."""
    if value is None:
        return ""
    told = plain(value)
    return told if isinstance(told, str) else json.dumps(told)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers that are not finite become null, dates text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(each) for each in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, timedelta) or not hasattr(value, "__float__"):
        return str(value)
    return plain(float(value))


def distinct(columns: Iterable[str]) -> list[str]:
    """Names of columns, with a number added where one comes again."""
    names: list[str] = []
    for name in columns:
        again, n = name, 0
        while again in names:
            n += 1
            again = f"{name}_{n}"
        names.append(again)
    return names


@contextmanager
def _told_by_duckdb() -> Iterator[None]:
    """DuckDB's own words about a wrong question, with its near miss, in one paragraph."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except UnicodeError:
        raise InputError("query: the question is not UTF-8") from None
    except (duckdb.Error, OverflowError) as error:
        # DuckDB repeats the question below its message, with a mark under the place: too much for one paragraph.
        words = " ".join(str(error).partition("LINE 1:")[0].split())
        raise InputError(f"query: {words if len(words) <= MOST_WORDS else words[: MOST_WORDS - 1] + '…'}") from None


def _question(connection: "duckdb.DuckDBPyConnection", sql: str) -> "duckdb.Statement":
    """The one statement of a question; whatever does more than return rows is refused."""
    import duckdb

    sql.encode("utf-8")  # bytes that are no text raise here, in words that are told
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise InputError(f"query: one statement at a time, found {len(statements)}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise InputError(
            f"query: {statements[0].type.name} is refused: a question can be SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW "
            "or SUMMARIZE, which return rows and change nothing"
        )
    return statements[0]


@contextmanager
def _opened(folder: Path, out: Path | None) -> "Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]":
    """A database in memory with the views, shut against everything outside, and what had to be left out.

    out
        The one folder that an answer may be written to.
    """
    try:
        import duckdb
    except ImportError:
        raise InputError(
            "query needs the package duckdb, which is not installed: pip install -r requirements-lab.txt"
        ) from None

    stored = found(folder)
    left_out = [f"{each.name}: {each.trouble}" for each in stored if each.kind == DAMAGED]
    with duckdb.connect(":memory:") as connection:
        root = folder.resolve()
        allowed: list[str] = []
        for view, kind in (*((table, RUNS) for table in TABLES), ("sweeps", SWEEP)):
            name = ROWS if kind == SWEEP else f"{view}.parquet"
            paths = [each.path / name for each in stored if each.kind == kind and (each.path / name).is_file()]
            allowed += _make_view(connection, view, paths, root, left_out)
        _make_scenarios(connection, [each for each in stored if each.kind == RUNS], left_out)
        _shut(connection, allowed, out)
        yield connection, left_out


def _shut(connection: "duckdb.DuckDBPyConnection", allowed: Sequence[str], out: Path | None) -> None:
    """Let the database read the files of results and nothing else, for good."""
    for name, value in (
        ("allowed_paths", f"[{', '.join(map(_text, allowed))}]"),
        ("allowed_directories", "[]" if out is None else f"[{_text(str(out))}]"),
        ("temp_directory", "''"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("allow_community_extensions", "false"),
        ("enable_external_access", "false"),
        ("lock_configuration", "true"),
    ):
        connection.execute(f"SET {name} = {value}")
    # A WITH may hold an INSERT; nothing of the kind can be done here.
    connection.execute("BEGIN TRANSACTION READ ONLY")


def _make_view(
    connection: "duckdb.DuckDBPyConnection", view: str, paths: Sequence[Path], root: Path, left_out: list[str]
) -> list[str]:
    """Unite Parquet files in a view; returns the names by which DuckDB may open them."""
    import duckdb

    kept = list(paths)
    try:
        columns = _columns(connection, kept)
    except duckdb.Error:
        # Only now is it worth to look at each alone.
        kept = []
        for path in paths:
            try:
                _columns(connection, [path])
                kept.append(path)
            except duckdb.Error as error:
                left_out.append(f"{_name(path, root)}: {path.name} cannot be read ({type(error).__name__})")
        columns = _columns(connection, kept)
    if kept:
        below, last = len(str(root)) + 2, len(kept[0].name) + 1
        # The name of a folder is what stands between the root and the file.
        name = f"substr(file_of, {below}, length(file_of) - {below - 1 + last})"
        if len(kept) == 1 and kept[0].parent == root:
            name = _text(root.name)
        rename = "".join(f" RENAME ({_name_of(c)} AS stored_result)" for c in columns if c.lower() == "result")
        connection.execute(
            f"CREATE VIEW {view} AS SELECT {name} AS result, * EXCLUDE (file_of){rename} FROM {_parquet(kept)}"
        )
    elif view in TABLES:
        connection.register("nothing", _tables_of_nothing()[view])
        connection.execute(f"CREATE TABLE {view} AS SELECT '' AS result, * FROM nothing LIMIT 0")
        connection.unregister("nothing")
    else:
        connection.execute(f"CREATE TABLE {view} (result VARCHAR)")
    return sorted({name for path in kept for name in (str(path), _literal(path))})


def _columns(connection: "duckdb.DuckDBPyConnection", paths: Sequence[Path]) -> list[str]:
    """The columns of Parquet files united; raises duckdb.Error if one of them cannot be read."""
    if not paths:
        return []
    return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {_parquet(paths)}").fetchall()]


def _name(path: Path, root: Path) -> str:
    """The name of the results that a table belongs to."""
    return root.name if path.parent == root else path.parent.relative_to(root).as_posix()


def _parquet(paths: Sequence[Path]) -> str:
    """A call that reads Parquet files as one table, with the file of each row."""
    files = ", ".join(_text(_literal(path)) for path in paths)
    # Folders called `seed=3` are names, not columns.
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false, filename = 'file_of')"


def _literal(path: Path) -> str:
    """A path in which no character stands for others."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _text(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def _name_of(column: str) -> str:
    """The name of a column in SQL."""
    return '"' + column.replace('"', '""') + '"'


def _tables_of_nothing() -> dict[str, Any]:
    """The tables of an ensemble in which nothing has run: their columns are those of every result of this version."""
    nothing = empty(Scenario("", "", "", days=1), 0, ((None, 0),))
    nothing.events[0] = [Event("", "", "", "", 0, 0, "", "", "", 0)]
    return {
        "runs": runs_table(nothing),
        "timeseries": timeseries_table(nothing),
        "states": states_table(nothing),
        "events": events_table(nothing),
    }


# --- The view of scenarios

HEAD = {
    "result": "VARCHAR",
    "scenario": "VARCHAR",
    "title": "VARCHAR",
    "question": "VARCHAR",
    "start": "DATE",
    "days": "BIGINT",
    "seed": "UBIGINT",
    "draws": "BIGINT",
    "replications": "BIGINT",
    "known": "VARCHAR",
    "model_version": "VARCHAR",
    "engine": "VARCHAR",
    "commit": "VARCHAR",
    "runs": "BIGINT",
    "finished": "BIGINT",
    "failed": "BIGINT",
    "complete": "BOOLEAN",
    "seconds": "DOUBLE",
    "written": "TIMESTAMP",
    "digest": "VARCHAR",
    "changes": "VARCHAR",
    "shocks": "VARCHAR",
    "answers": "VARCHAR",
}


def _make_scenarios(connection: "duckdb.DuckDBPyConnection", stored: Sequence[Stored], left_out: list[str]) -> None:
    """One row for each ensemble: what its manifest says, and the value of every parameter that is the same in all runs."""
    rows = []
    for each in stored:
        try:
            document = tomllib.loads((each.path / "scenario.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            left_out.append(f"{each.name}: only its values: scenario.toml cannot be read ({type(error).__name__})")
            document = {}
        rows.append({**_head(each, document), **(_values(each, document) if document else {})})
    # Names that only another version knows are words: nothing says what they are.
    others = {name: "VARCHAR" for row in rows for name in row}
    known = {**HEAD, **{name: _column_type(entry) for name, entry in register().items()}}
    columns = {**known, **{name: kind for name, kind in others.items() if name not in known}}
    described = ", ".join(f"{_name_of(name)} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE TABLE scenarios ({described})")
    # Column by column as words: one statement for a thousand rows takes as long as one for a single row.
    words = [[_told(row.get(name)) for row in rows] for name in columns]
    casts = ", ".join(f"try_cast(unnest(?::VARCHAR[]) AS {kind})" for kind in columns.values())
    connection.execute(f"INSERT INTO scenarios SELECT {casts}", words)


def _head(each: Stored, document: dict[str, Any]) -> dict[str, Any]:
    """What is said of an ensemble as a whole."""
    row: dict[str, Any] = {key: each.manifest.get(key) for key in HEAD}
    row |= {key: document.get(key) for key in ("title", "question", "start", "days")}
    for key in ("changes", "shocks", "answers"):
        row[key] = json.dumps(document[key], default=str) if key in document else None
    try:
        row["written"] = datetime.fromisoformat(str(row["written"])).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        row["written"] = None
    return {**row, "result": each.name}


def _values(each: Stored, document: dict[str, Any]) -> dict[str, Any]:
    """Parameters that all runs share on day 0: what the scenario sets, and what this version's register adds to it."""
    values: dict[str, Any] = {}
    if each.manifest.get("model_version") == model_version():
        # An uncertainty that the scenario leaves open is drawn for each run, unless there are no draws.
        is_drawn = each.manifest.get("draws") != 0
        values = {k: e.value for k, e in register().items() if not (is_drawn and e.kind == "uncertainty")}
    apart = ("schema", "title", "question", "start", "days", "assumptions", "changes", "shocks", "answers")
    values |= _dotted({key: value for key, value in document.items() if key not in apart})
    assumptions = document.get("assumptions")
    for name, value in assumptions.items() if isinstance(assumptions, dict) else ():
        values[name] = value.get("value") if isinstance(value, dict) else value
    return {name: value for name, value in values.items() if name not in HEAD}


def _dotted(table: dict[str, Any], before: str = "") -> dict[str, Any]:
    """The values of nested tables by their dotted names."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            values |= _dotted(value, f"{before}{key}.")
        else:
            values[before + key] = value
    return values


def _column_type(entry: Parameter) -> str:
    """The type of a parameter's column: words where it takes words as well as numbers."""
    if isinstance(entry.value, bool):
        return "BOOLEAN"
    is_number = isinstance(entry.value, int | float) and not entry.choices and not entry.or_never
    return "DOUBLE" if is_number else "VARCHAR"


def _told(value: Any) -> str | None:
    """A value in words, from which a column of any type can be read."""
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
