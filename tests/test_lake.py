"""Stored results, listed, asked in SQL, shown, compared and deleted: answers that numpy gives too, and nothing else touched."""

import csv
import io
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim import comparison, lake, outcomes, store, stored
from sim.commands import results as commands
from sim.commands.common import app
from sim.designs import experiment_of
from sim.ensemble import run_ensemble
from sim.experiments import run as run_experiment
from sim.parameters import InputError, model_version, register
from sim.results import STATUSES, Ensemble
from sim.scenario_files import load

duckdb = pytest.importorskip("duckdb")

ROOT = Path(__file__).resolve().parent.parent
BASELINE = load(ROOT / "scenarios" / "baseline.toml").with_values({"tour.days": 60}, days=45)
INCIDENT = load(ROOT / "scenarios" / "incident_day_40.toml").with_values({"volunteers.share": 0.04}, days=45)
PLAN = {"draws": 3, "is_paired": True, "replications": 3, "known": "H", "command": "python -m sim run"}
TABLES = ("runs", "timeseries", "states", "events")


def told(*words: str, **options: object) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="python -m sim", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def baseline() -> Ensemble:
    return run_ensemble(BASELINE, 7, None, 3, with_events=True)


@pytest.fixture(scope="module")
def incident() -> Ensemble:
    return run_ensemble(INCIDENT, 7, None, 3)


@pytest.fixture(scope="module")
def kept(baseline: Ensemble, incident: Ensemble, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two results that nobody changes; names that are patterns elsewhere."""
    folder = tmp_path_factory.mktemp("kept") / "results"
    store.save(baseline, folder / "baseline", PLAN)
    store.save(incident, folder / "it's" / "seed=7 [a-z]*", PLAN)
    return folder


INCIDENT_NAME = "it's/seed=7 [a-z]*"


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(kept, tmp_path / "results"))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def one(folder: Path, sql: str) -> tuple[object, ...]:
    (row,) = lake.ask(folder, sql).rows
    return row


# --- Answers that can be worked out otherwise


def test_a_mean_of_an_outcome_is_numpys(baseline: Ensemble, incident: Ensemble, kept: Path) -> None:
    rows = lake.ask(kept, "SELECT result, avg(peak_in_place), count(*) FROM runs GROUP BY ALL ORDER BY result").rows
    expected = [outcomes.measure_all(each)["peak_in_place"].mean() for each in (baseline, incident)]
    assert [row[0] for row in rows] == ["baseline", INCIDENT_NAME]
    assert [row[1] for row in rows] == pytest.approx(expected)
    assert expected[0] != expected[1]
    assert [row[2] for row in rows] == [3, 3]


def test_a_quantile_by_day_is_numpys(baseline: Ensemble, kept: Path) -> None:
    sql = "SELECT quantile_cont(in_place, 0.9) FROM timeseries WHERE result = 'baseline' GROUP BY day ORDER BY day"
    found = [row[0] for row in lake.ask(kept, sql).rows]
    expected = np.quantile(baseline.daily("in_place"), 0.9, axis=0)
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected)


def test_states_and_events_are_those_of_the_ensemble(baseline: Ensemble, kept: Path) -> None:
    sql = "SELECT \"declined\" FROM states WHERE result = 'baseline' AND state = 'VT' ORDER BY day"
    expected = baseline.status_counts[:, baseline.codes.index("VT"), STATUSES.index("declined")]
    assert [row[0] for row in lake.ask(kept, sql).rows] == expected.tolist()
    n_asked = sum(event.event == "asked" for events in baseline.events.values() for event in events)
    n_all = sum(map(len, baseline.events.values()))
    assert one(kept, "SELECT count(*), count(*) FILTER (event = 'asked'), any_value(result) FROM events") == (
        n_all,
        n_asked,
        "baseline",
    )


def test_a_join_over_views_pairs_the_runs_of_two_results(baseline: Ensemble, incident: Ensemble, kept: Path) -> None:
    sql = (
        "SELECT avg(b.volunteers - a.volunteers) FROM runs a JOIN runs b USING (draw, replication) "
        f"WHERE a.result = 'baseline' AND b.result = '{INCIDENT_NAME.replace(chr(39), chr(39) * 2)}'"
    )
    expected = comparison.paired(baseline, incident)["volunteers"]["mean"]
    assert expected
    assert one(kept, sql)[0] == pytest.approx(expected)


def test_what_never_happened_is_nan_in_sql_and_null_in_json(baseline: Ensemble, kept: Path) -> None:
    never = int(np.isnan(outcomes.measure_all(baseline)["days_to_100"]).sum())
    assert never
    sql = "SELECT days_to_100 FROM runs WHERE result = 'baseline' AND isnan(days_to_100)"
    assert lake.ask(kept, sql).n_rows == never
    rows = json.loads(told("query", sql, "--in", str(kept), "--json").stdout)["rows"]
    assert rows == [{"days_to_100": None}] * never


def test_scenarios_hold_manifest_and_values_that_all_runs_share(
    baseline: Ensemble, incident: Ensemble, kept: Path
) -> None:
    answer = lake.ask(kept, "FROM scenarios ORDER BY result")
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    for row, ensemble, name in zip(rows, (baseline, incident), ("baseline", INCIDENT_NAME), strict=True):
        assert row["result"] == name
        assert row["digest"] == ensemble.digest
        assert row["title"] == ensemble.scenario.title
        assert (row["seed"], row["runs"], row["finished"], row["days"]) == (7, 3, 3, 45)
        assert (row["model_version"], row["engine"], row["complete"]) == (model_version(), "simpy", True)
        for parameter in register().values():
            value = ensemble.scenario.value(parameter.name)
            is_drawn = parameter.kind == "uncertainty" and parameter.name not in ensemble.scenario.values
            found = row[parameter.name]
            if is_drawn:
                assert found is None, parameter.name
            elif isinstance(value, str | list):
                assert found == (value if isinstance(value, str) else ", ".join(value)), parameter.name
            else:
                assert found == value or found == str(value), parameter.name
    assert [row["volunteers.share"] for row in rows] == [None, 0.04]
    assert json.loads(rows[1]["shocks"])[0]["kind"] == "incident"
    manifest = json.loads((kept / "baseline" / "manifest.json").read_text())
    assert manifest["written"] == f"{rows[0]['written']:%Y-%m-%dT%H:%M:%S}+00:00"


def test_values_of_another_version_are_those_that_it_wrote_down(folder: Path) -> None:
    left = [e.name for e in register().values() if e.kind != "uncertainty" and e.name not in BASELINE.values]
    assert left
    names = ", ".join(f'"{name}"' for name in left)
    sql = f"SELECT \"tour.days\", {names} FROM scenarios WHERE result = 'baseline'"
    assert None not in one(folder, sql)
    changed(model_version="0.0.1")(folder / "baseline")  # type: ignore[operator]
    # What is left to the register then stood in another register.
    assert one(folder, sql) == (60, *[None] * len(left))


def test_times_are_utc(folder: Path) -> None:
    changed(written="2025-05-15T01:30:00+02:00")(folder / "baseline")  # type: ignore[operator]
    found = one(folder, "SELECT written::VARCHAR FROM scenarios WHERE result = 'baseline'")
    assert found == ("2025-05-14 23:30:00",)
    changed(written="some day")(folder / "baseline")  # type: ignore[operator]
    assert one(folder, "SELECT written FROM scenarios WHERE result = 'baseline'") == (None,)


# --- Views over tables that differ


def rewritten(path: Path, change: object) -> None:
    pq.write_table(change(pq.read_table(path)), path)  # type: ignore[operator]


def test_tables_of_two_versions_are_united_by_name(folder: Path) -> None:
    path = folder / "baseline" / "runs.parquet"
    rewritten(
        path,
        lambda table: (
            table.drop_columns(["volunteers", "hash"])
            .select([1, 0, *range(2, table.num_columns - 2)])
            .append_column("of_old", pa.array([1.5, 2.5, 3.5]))
            .append_column("result", pa.array(["x", "y", "z"]))
        ),
    )
    sql = (
        "SELECT run, draw, volunteers IS NULL, of_old, stored_result FROM runs WHERE result {} 'baseline' ORDER BY run"
    )
    assert lake.ask(folder, sql.format("=")).rows == [
        (0, 0, True, 1.5, "x"),
        (1, 1, True, 2.5, "y"),
        (2, 2, True, 3.5, "z"),
    ]
    assert [row[2:] for row in lake.ask(folder, sql.format("<>")).rows] == [(False, None, None)] * 3


def test_names_of_folders_are_names_and_neither_columns_nor_patterns(folder: Path, tmp_path: Path) -> None:
    for name in ("a1", "a[1]", "draw=99"):
        shutil.copytree(folder / "baseline", tmp_path / "named" / name)
    rewritten(tmp_path / "named" / "a[1]" / "runs.parquet", lambda table: table.slice(2))
    sql = "SELECT result, count(*), max(draw) FROM runs GROUP BY ALL ORDER BY ALL"
    assert lake.ask(tmp_path / "named", sql).rows == [("a1", 3, 2), ("a[1]", 1, 2), ("draw=99", 3, 2)]
    assert lake.ask(tmp_path / "named" / "draw=99", sql).rows == [("draw=99", 3, 2)]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sweeps over different levers, of which one takes words and numbers in two sweeps."""
    folder = tmp_path_factory.mktemp("swept")
    common = {
        "schema": 1,
        "title": "t",
        "question": "q",
        "design": "grid",
        "replications": 2,
        "outcomes": ["volunteers"],
    }
    base = BASELINE.with_values({}, days=30)
    first = experiment_of({**common, "levers": {"tour.days": [30, 60], "federalize.day": [20, "never"]}}, base, "first")
    second = experiment_of(
        {**common, "levers": {"request.target": [5000, 10000, 20000], "federalize.day": [10, 20]}}, base, "second"
    )
    run_experiment(first, folder / "first")
    run_experiment(second, folder / "second")
    return folder


def test_sweeps_are_united_by_name(swept: Path) -> None:
    for name in ("first", "second"):
        table = pq.read_table(swept / name / "rows.parquet")
        found = one(swept, f"SELECT count(*), sum(volunteers) FROM sweeps WHERE result = '{name}'")
        assert found == (table.num_rows, pytest.approx(np.nansum(table["volunteers"].to_numpy())))
    sql = 'SELECT result, count("tour.days"), count("request.target"), count(DISTINCT "federalize.day") FROM sweeps GROUP BY ALL ORDER BY 1'
    assert lake.ask(swept, sql).rows == [("first", 8, 0, 2), ("second", 0, 12, 2)]
    assert one(swept, "SELECT count(*) FROM runs") == (0,)
    assert [(each.name, each.kind, each.n_runs, each.is_complete) for each in stored.found(swept)] == [
        ("first", "sweep", 8, True),
        ("second", "sweep", 12, True),
    ]


def test_parts_of_a_sweep_are_not_rows_a_second_time(swept: Path) -> None:
    assert list((swept / "first" / "parts").glob("*.parquet"))
    assert one(swept, "SELECT count(*) FROM sweeps") == (20,)


def test_views_of_nothing_have_the_columns_of_something(kept: Path, tmp_path: Path) -> None:
    for view in TABLES:
        full = lake.ask(kept, f"SELECT * FROM {view} LIMIT 0").columns
        answer = lake.ask(tmp_path, f"FROM {view}")
        assert (answer.columns, answer.n_rows) == (full, 0)
        assert answer.columns[1:] == tuple(pq.read_schema(kept / "baseline" / f"{view}.parquet").names)
    types = [
        dict(lake.ask(place, "SELECT column_name, column_type FROM (DESCRIBE runs)").rows) for place in (kept, tmp_path)
    ]
    assert types[0] == types[1]
    assert lake.ask(tmp_path, "FROM scenarios").columns == lake.ask(kept, "FROM scenarios").columns
    assert lake.ask(tmp_path, "FROM sweeps").columns == ("result",)


def test_the_default_folder_may_be_missing_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert told("query", "SELECT count(*) AS n FROM runs", "--csv").stdout == "n\n0\n"
    assert "no results in results" in told("results", "list").stdout
    (tmp_path / "kept").mkdir()
    wrong = told("query", "FROM runs", "--in", "kebt")
    assert wrong.exit_code == 2
    assert "did you mean 'kept'" in wrong.stderr


def test_a_folder_that_is_a_result_itself_can_be_asked(kept: Path) -> None:
    assert one(kept / "baseline", "SELECT count(*), any_value(result) FROM runs") == (3, "baseline")
    assert [each.name for each in stored.found(kept / "baseline")] == ["baseline"]


def test_incomplete_results_hold_what_has_finished(baseline: Ensemble, tmp_path: Path) -> None:
    part = replace(baseline, done=np.array([True, False, True]), errors={}, events={})
    store.save(part, tmp_path / "part", PLAN)
    assert one(tmp_path, "SELECT count(*) FILTER (finished), count(*) FROM runs") == (2, 3)
    assert one(tmp_path, "SELECT finished, runs, complete FROM scenarios") == (2, 3, False)
    assert "2 of 3 finished" in told("results", "list", "--in", str(tmp_path)).stdout


# --- What is refused

HOSTILE = {
    "copy out": "COPY runs TO '{here}/stolen.csv'",
    "copy over": "COPY (SELECT 1) TO '{kept}/baseline/runs.parquet'",
    "attach": "ATTACH '{here}/stolen.db'",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "read a file": "SELECT * FROM read_csv('/etc/passwd')",
    "read text": "SELECT content FROM read_text('/etc/passwd')",
    "read by name": "FROM '/etc/passwd'",
    "list files": "SELECT * FROM glob('/etc/*')",
    "sniff": "FROM sniff_csv('/etc/passwd')",
    "scenario file": "FROM read_text('{kept}/baseline/scenario.toml')",
    "network": "FROM 'https://example.org/x.csv'",
    "pragma": "PRAGMA database_list",
    "set": "SET enable_external_access = true",
    "reset": "RESET lock_configuration",
    "call": "CALL enable_logging(storage = 'file', storage_config = {{'path': '{here}/log'}})",
    "logging": "FROM enable_logging(storage = 'file', storage_config = {{'path': '{here}/log'}})",
    "profiling": "FROM enable_profiling(save_location = '{here}/profile.json')",
    "several": "SELECT 1; SELECT 2",
    "several of which one writes": "SELECT 1; COPY runs TO '{here}/stolen.csv'",
    "drop": "DROP VIEW runs",
    "insert": "INSERT INTO scenarios (result) VALUES ('made up')",
    "insert inside": "WITH x AS (INSERT INTO scenarios (result) VALUES ('made up') RETURNING result) FROM x",
    "delete": "DELETE FROM scenarios",
    "create": "CREATE TABLE mine AS SELECT 1",
    "export": "EXPORT DATABASE '{here}/stolen'",
    "explain": "EXPLAIN ANALYZE SELECT 1",
    "commit": "COMMIT",
    "variables of Python": "FROM folder",
    "nothing": "",
    "a comment": "/* nothing */",
    "no SQL": "give me all runs",
    "no value": "SELECT $1",
    "wrong type": "SELECT 'a'::INTEGER",
    "long": "SELECT " + "x" * 50_000,
    "deep": "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "not UTF-8": "SELECT '\udcff'",
}


@pytest.mark.parametrize("sql", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_sql_is_refused_in_one_paragraph_and_does_nothing(
    sql: str, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tree(kept)
    done = told("query", sql.format(here=tmp_path, kept=kept), "--in", str(kept))
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("error: query: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 600
    assert done.stdout == ""
    assert "root:" not in done.output
    assert tree(kept) == before
    assert list(tmp_path.iterdir()) == []


def test_the_refusal_of_a_file_is_duckdbs_and_not_a_matter_of_words(kept: Path) -> None:
    """The same call reads a file of the results, so what is refused is the place."""
    path = str(kept / "baseline" / "runs.parquet")
    assert one(kept, f"SELECT count(*) FROM read_parquet('{path}')") == (3,)
    with pytest.raises(InputError, match="disabled by configuration"):
        lake.ask(kept, f"SELECT count(*) FROM read_parquet('{path}x')")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a;",
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
        "FROM runs SELECT run AS a LIMIT 1",
        "VALUES (1)",
        "DESCRIBE runs",
        "SHOW TABLES",
        "SUMMARIZE runs",
        "FROM timeseries PIVOT (max(in_place) FOR day IN (10, 20) GROUP BY result)",
    ],
)
def test_what_returns_rows_is_answered(sql: str, kept: Path) -> None:
    done = told("query", sql, "--in", str(kept), "--csv")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2


@pytest.mark.parametrize(
    ("sql", "near"),
    [
        ("SELECT voluntears FROM runs", '"volunteers"'),
        ('SELECT "tour.dayz" FROM runs', '"tour.days"'),
        ("FROM rums", 'Did you mean "runs"?'),
        ("SELECT medain(run) FROM runs", "median"),
    ],
)
def test_a_near_miss_is_named(sql: str, near: str, kept: Path) -> None:
    done = told("query", sql, "--in", str(kept))
    assert done.exit_code == 2
    assert near in done.stderr


def test_without_duckdb_it_says_what_to_install(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = told("query", "FROM runs", "--in", str(kept))
    assert done.exit_code == 2
    assert "pip install -r requirements-lab.txt" in done.stderr
    assert "duckdb" in (ROOT / "requirements-lab.txt").read_text()
    # What there is, and what it says, needs no database.
    assert told("results", "show", "baseline", "--in", str(kept)).exit_code == 0
    assert "baseline" in told("results", "list", "--in", str(kept)).stdout


# --- How answers look


def test_csv_and_json_hold_the_same_and_all(baseline: Ensemble, incident: Ensemble, kept: Path) -> None:
    sql = "SELECT result, run, day, in_place FROM timeseries ORDER BY ALL"
    table = list(csv.DictReader(io.StringIO(told("query", sql, "--in", str(kept), "--csv").stdout)))
    rows = json.loads(told("query", sql, "--in", str(kept), "--json").stdout)["rows"]
    assert table == [{name: str(value) for name, value in row.items()} for row in rows]
    assert len(rows) == 2 * 3 * 46
    assert sum(row["in_place"] for row in rows) == sum(
        int(each.daily("in_place").sum()) for each in (baseline, incident)
    )


def test_every_type_becomes_json_and_csv(kept: Path) -> None:
    sql = (
        "SELECT 1 AS a, 2 AS a, NULL AS b, true AS c, DATE '2025-05-15' AS d, 1.5::DECIMAL(4, 2) AS e, [1, 2] AS f, "
        "{'x': 'inf'::DOUBLE} AS g, 170141183460469231731687303715884105727::HUGEINT AS h, '\\x41'::BLOB AS i, "
        "INTERVAL 3 DAY AS j, TIME '01:02:03' AS k, MAP {'p': 1} AS l, uuid() AS m, 'a\nb' AS n, 'nan'::DOUBLE AS o"
    )
    (row,) = json.loads(told("query", sql, "--in", str(kept), "--json").stdout)["rows"]
    assert row.pop("m")
    assert row == {
        "a": 1,
        "a_1": 2,
        "b": None,
        "c": True,
        "d": "2025-05-15",
        "e": 1.5,
        "f": [1, 2],
        "g": {"x": None},
        "h": 2**127 - 1,
        "i": "41",
        "j": "3 days, 0:00:00",
        "k": "01:02:03",
        "l": {"p": 1},
        "n": "a\nb",
        "o": None,
    }
    heads, cells = list(csv.reader(io.StringIO(told("query", sql, "--in", str(kept), "--csv").stdout)))
    assert heads[:3] == ["a", "a", "b"]
    assert (cells[2], cells[3], cells[4], cells[6], cells[-2], cells[-1]) == (
        "",
        "true",
        "2025-05-15",
        "[1, 2]",
        "a\nb",
        "nan",
    )
    assert told("query", sql, "--in", str(kept)).exit_code == 0


def test_a_table_says_how_many_rows_and_columns_it_does_not_show(kept: Path) -> None:
    done = told("query", "SELECT range AS n FROM range(1000)", "--in", str(kept))
    assert done.stdout.split()[: 1 + commands.MOST_ROWS] == ["n", *map(str, range(commands.MOST_ROWS))]
    assert f"{1000 - commands.MOST_ROWS} more rows not shown" in done.stdout
    assert f"\n{commands.MOST_ROWS} " not in done.stdout
    wide = told("query", "FROM runs", "--in", str(kept)).stdout
    n_columns = len(lake.ask(kept, "FROM runs").columns)
    shown = wide.splitlines()[0].split()
    assert shown[:3] == ["result", "run", "draw"]
    assert f"{n_columns - len(shown)} more columns not shown" in wide
    assert max(map(len, wide.splitlines())) <= 120
    assert "not shown" not in told("query", "SELECT 1 AS n", "--in", str(kept)).stdout
    assert "no rows" in told("query", "SELECT 1 AS n WHERE false", "--in", str(kept)).stdout


def test_nothing_in_a_cell_moves_the_cursor_or_is_markup(kept: Path) -> None:
    done = told("query", "SELECT chr(27) || '[2J[bold]x[/bold]' AS \"[red]a\"", "--in", str(kept))
    assert "\x1b" not in done.stdout
    assert "[bold]x[/bold]" in done.stdout
    assert "[red]a" in done.stdout


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_out_holds_all_rows_and_is_never_overwritten(
    ending: str, incident: Ensemble, kept: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / f"it's [1].{ending}"
    words = [
        "query",
        "SELECT day, in_place FROM timeseries WHERE result LIKE 'it%' ORDER BY run, day",
        "--in",
        str(kept),
    ]
    done = told(*words, "--out", str(out))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("138 rows of 2 columns")
    table = pq.read_table(out) if ending == "parquet" else pa.csv.read_csv(out)
    assert table["in_place"].to_pylist() == incident.daily("in_place").reshape(-1).tolist()
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    before = out.read_bytes()
    again = told(*words, "--out", str(out))
    assert again.exit_code == 2
    assert "stands there" in again.stderr
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "x.txt"], "must end in .parquet or .csv"),
        (["--out", "x.csv", "--json"], "name one of them"),
        (["--csv", "--json"], "name one of them"),
        (["--out", "file/x.csv"], "cannot be written"),
    ],
)
def test_an_out_that_cannot_be_is_told(
    words: list[str], said: str, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("x")
    done = told("query", "FROM runs", "--in", str(kept), *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("sql", ["SELECT nope FROM runs", "SELECT 'a'::INTEGER", "DROP VIEW runs"])
def test_a_wrong_question_leaves_no_file(sql: str, kept: Path, tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet"):
        assert told("query", sql, "--in", str(kept), "--out", str(tmp_path / name)).exit_code == 2
    assert list(tmp_path.iterdir()) == []


# --- Folders that are damaged or not ours


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def changed(**values: object) -> object:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def linked(folder: Path) -> None:
    (folder / "runs.parquet").rename(folder.parent.parent / "elsewhere.parquet")
    (folder / "runs.parquet").symlink_to(folder.parent.parent / "elsewhere.parquet")


DAMAGE = {
    "empty manifest": (lambda f: (f / "manifest.json").write_text(""), "cannot be read"),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), "no manifest of ours"),
    "a foreign manifest": (lambda f: (f / "manifest.json").write_text('{"name": "app"}'), "no manifest of ours"),
    "a foreign sweep": (lambda f: (f / "manifest.json").write_text('{"kind": "sweep"}'), "no manifest of ours"),
    "deep": (lambda f: (f / "manifest.json").write_text("[" * 100_000), "cannot be read"),
    "bytes": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe"), "cannot be read"),
    "another format": (changed(format=99), "format = 99"),
    "a wrong type": (changed(seed="x"), "seed = 'x'"),
    "no table": (lambda f: (f / "states.parquet").unlink(), "states.parquet is missing"),
    "half a table": (lambda f: cut(f / "runs.parquet"), "runs.parquet is damaged"),
    "an empty table": (lambda f: (f / "runs.parquet").write_bytes(b""), "runs.parquet is damaged"),
    "a link": (linked, "runs.parquet is a link"),
}


@pytest.mark.parametrize(("damage", "why"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_results_are_listed_as_such_left_out_and_kept(damage: object, why: str, folder: Path) -> None:
    damage(folder / "baseline")  # type: ignore[operator]
    before = tree(folder)
    listed = told("results", "list", "--in", str(folder))
    assert listed.exit_code == 0
    rows = {row["result"]: row for row in json.loads(told("results", "list", "--in", str(folder), "--json").stdout)}
    assert rows["baseline"]["kind"] == "damaged"
    assert why in rows["baseline"]["trouble"]
    assert rows[INCIDENT_NAME]["kind"] == "runs"
    asked = told("query", "SELECT DISTINCT result FROM runs", "--in", str(folder), "--csv")
    assert asked.exit_code == 0
    assert asked.stdout == f"result\n{INCIDENT_NAME}\n"
    assert "left out: baseline: " in asked.stderr
    # What has lost a table can still be seen to be ours, and be deleted.
    is_ours = "parquet" in why and "link" not in why
    refused = [["show", "baseline"], ["compare", "baseline", "baseline"]]
    for words in refused if is_ours else [*refused, ["delete", "baseline", "--yes"]]:
        done = told("results", *words, "--in", str(folder))
        assert done.exit_code == 2, words
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    assert tree(folder) == before
    if is_ours:
        assert told("results", "delete", "baseline", "--yes", "--in", str(folder)).exit_code == 0
        assert not (folder / "baseline").exists()


def test_a_table_that_only_duckdb_finds_damaged_is_left_out(folder: Path) -> None:
    path = folder / "baseline" / "runs.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    asked = told("query", "SELECT DISTINCT result FROM runs", "--in", str(folder), "--csv")
    assert asked.stdout == f"result\n{INCIDENT_NAME}\n"
    assert "left out: baseline: runs.parquet cannot be read" in asked.stderr
    assert told("query", "SELECT DISTINCT result FROM timeseries", "--in", str(folder), "--csv").stdout.count("\n") == 3
    shown = told("results", "show", "baseline", "--in", str(folder))
    assert shown.exit_code == 2
    assert "tables cannot be read" in shown.stderr


def shortened(table: pa.Table) -> pa.Table:
    return table.slice(1)


def nobodys(column: str, value: object) -> object:
    return lambda table: table.set_column(
        table.column_names.index(column), column, pa.array([value] * len(table), table.schema.field(column).type)
    )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("runs", shortened),
        ("timeseries", shortened),
        ("states", shortened),
        ("runs", nobodys("hash", None)),
        ("events", nobodys("run_number", 99)),
    ],
)
def test_tables_that_do_not_fit_are_told(name: str, change: object, folder: Path) -> None:
    rewritten(folder / "baseline" / f"{name}.parquet", change)
    done = told("results", "show", "baseline", "--in", str(folder))
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_broken_scenario_leaves_what_the_manifest_says(folder: Path) -> None:
    (folder / "baseline" / "scenario.toml").write_text("x = ")
    answer = lake.ask(folder, "SELECT seed, title, \"tour.days\" FROM scenarios WHERE result = 'baseline'")
    assert answer.rows == [(7, None, None)]
    assert "scenario.toml cannot be read" in answer.left_out[0]


def test_foreign_folders_and_links_are_listed_and_links_not_followed(folder: Path, kept: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "manifest.txt").write_text("mine")
    (folder / "link").symlink_to(kept / "baseline")
    (folder / "loop").symlink_to(folder)
    (folder / ".baseline-x7").mkdir()
    (folder / "a file").write_text("x")
    (folder / "value").mkdir()
    (folder / "value" / "study.json").write_text("{}")
    found = {each.name: (each.kind, each.trouble) for each in stored.found(folder)}
    assert found == {
        "baseline": ("runs", ""),
        INCIDENT_NAME: ("runs", ""),
        "link": ("foreign", "a link, which is not followed"),
        "loop": ("foreign", "a link, which is not followed"),
        "notes": ("foreign", "no manifest.json"),
        "value": ("study", "see its study.json"),
    }
    assert one(folder, "SELECT count(*) FROM runs") == (6,)


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_name_that_is_no_text_is_told(folder: Path) -> None:
    os.rename(folder / "baseline", os.fsencode(folder) + b"/bad\xff")
    (bad,) = (each for each in stored.found(folder) if each.kind == "damaged")
    assert bad.trouble == "its name is not UTF-8"
    assert told("results", "list", "--in", str(folder)).exit_code == 0
    assert one(folder, "SELECT count(*) FROM runs") == (3,)


# --- list, show, compare


def test_the_list_tells_size_version_and_when(kept: Path) -> None:
    text = told("results", "list", "--in", str(kept)).stdout
    (line,) = (line for line in text.splitlines() if line.startswith("baseline"))
    size = sum(path.stat().st_size for path in (kept / "baseline").iterdir())
    manifest = json.loads((kept / "baseline" / "manifest.json").read_text())
    for words in ("runs", "3", "simpy", model_version(), manifest["written"][:10], f"{size / 1e3:.1f} kB", "complete"):
        assert words in line.split("  ") or words in line, words
    (row,) = (
        row
        for row in json.loads(told("results", "list", "--in", str(kept), "--json").stdout)
        if row["result"] == "baseline"
    )
    assert (row["bytes"], row["runs"], row["digest"]) == (size, 3, manifest["digest"])


def test_show_prints_what_run_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    words = [
        "run",
        "scenarios/incident_day_40.toml",
        "--replications",
        "3",
        "--days",
        "45",
        "--out",
        str(tmp_path / "r"),
    ]
    ran = told(*words, "-v").stdout
    assert "All outcomes" in ran
    assert told("results", "show", "r", "--in", str(tmp_path), "-v").stdout == ran
    quiet = told("results", "show", "r", "--in", str(tmp_path), "-q").stdout
    assert "Governors who agree" in quiet
    assert "All outcomes" not in quiet
    assert "All outcomes" not in told("results", "show", "r", "--in", str(tmp_path)).stdout


def test_show_as_json_is_of_the_model_that_ran(folder: Path, baseline: Ensemble) -> None:
    changed(model_version="0.0.1")(folder / "baseline")  # type: ignore[operator]
    found = json.loads(told("results", "show", "baseline", "--in", str(folder), "--json").stdout)
    assert (found["model_version"], found["digest"], found["runs"]) == ("0.0.1", baseline.digest, 3)
    assert found["states_agreeing"] == outcomes.band(outcomes.measure_all(baseline)["states_agreeing"]).as_dict()


def test_results_are_known_by_name_and_by_path(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kept.parent)
    for name in ("baseline", "baseline/", "results/baseline", "./results/../results/baseline", str(kept / "baseline")):
        assert stored.called(Path("results"), name).path == kept / "baseline", name
    wrong = told("results", "show", "baselin")
    assert wrong.exit_code == 2
    assert "did you mean 'baseline'" in wrong.stderr
    for name in ("", ".", "..", "/", "\0", "x" * 5000):
        with pytest.raises(InputError, match="no results called"):
            stored.called(Path("results"), name)


def test_a_sweep_is_shown_by_asking(swept: Path) -> None:
    done = told("results", "show", "first", "--in", str(swept))
    assert done.exit_code == 2
    assert "FROM sweeps WHERE result = 'first'" in done.stderr
    assert lake.ask(swept, "FROM sweeps WHERE result = 'first'").n_rows == 8


def test_compare_says_what_the_ensembles_say(kept: Path, baseline: Ensemble, incident: Ensemble) -> None:
    done = told("results", "compare", "baseline", INCIDENT_NAME, "--in", str(kept), "--json")
    found = json.loads(done.stdout)
    assert found["paired"] == comparison.paired(baseline, incident)
    assert found["digests"] == [baseline.digest, incident.digest]
    assert any(value["mean"] for value in found["paired"].values())
    assert done.stderr == ""
    text = told("results", "compare", "baseline", INCIDENT_NAME, "--in", str(kept)).stdout
    assert "What differs (A -> B):" in text
    assert "volunteers.share" in text


def test_compare_tells_two_versions_of_the_model(folder: Path) -> None:
    changed(model_version="0.0.1")(folder / "baseline")  # type: ignore[operator]
    done = told("results", "compare", "baseline", INCIDENT_NAME, "--in", str(folder))
    assert done.exit_code == 0
    assert f"A by 0.0.1, B by {model_version()}" in done.stderr


OTHER_PLANS = {
    "seed": ((8, None, 3), "seed 7 and 8"),
    "fewer": ((7, None, 2), "3 and 2 runs"),
    "luck alone": ((7, 0, 3), "run 0 is draw 0 under luck 0 and the defaults under luck 0"),
    "crossed": ((7, 1, 3), "run 1 is draw 1 under luck 1 and draw 0 under luck 1"),
}


@pytest.mark.parametrize(("plan", "why"), OTHER_PLANS.values(), ids=OTHER_PLANS.keys())
def test_compare_refuses_other_plans_and_says_how_they_differ(
    plan: tuple[int, int | None, int], why: str, folder: Path
) -> None:
    seed, draws, replications = plan
    short = BASELINE.with_values({}, days=5)
    other = run_ensemble(short, seed, draws, replications, with_twins=False)
    store.save(other, folder / "other", {**PLAN, "draws": draws or 0, "replications": replications})
    done = told("results", "compare", "baseline", "other", "--in", str(folder))
    assert done.exit_code == 2
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


# --- delete


def test_delete_takes_away_what_was_named_and_says_what_is_free(folder: Path) -> None:
    size = sum(path.stat().st_size for path in (folder / "baseline").iterdir())
    rest = {name: content for name, content in tree(folder).items() if not name.startswith("baseline/")}
    done = told("results", "delete", "baseline", "--yes", "--in", str(folder))
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"deleted baseline: {commands.size_told(size)} freed\n"
    assert not (folder / "baseline").exists()
    assert tree(folder) == rest


def test_delete_takes_a_whole_sweep(swept: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(swept, tmp_path / "results"))
    (copied / "first" / ".rows.parquet.fresh").write_bytes(b"half")
    (copied / "first" / "parts" / ".part-000009.parquet.fresh").write_bytes(b"half")
    (copied / "first" / ".lock").write_text("")
    assert told("results", "delete", "first", "--yes", "--in", str(copied)).exit_code == 0
    assert [path.name for path in copied.iterdir()] == ["second"]


def test_delete_leaves_a_sweep_that_runs(swept: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    copied = Path(shutil.copytree(swept, tmp_path / "results"))
    with (copied / "first" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = tree(copied)
        done = told("results", "delete", "first", "--yes", "--in", str(copied))
        assert done.exit_code == 2
        assert "a sweep is running" in done.stderr
        assert tree(copied) == before


def put_file(folder: Path) -> str:
    (folder / "baseline" / "notes.md").write_text("mine")
    return "baseline"


def put_folder(folder: Path) -> str:
    (folder / "baseline" / "more").mkdir()
    return "baseline"


def put_link(folder: Path) -> str:
    (folder / "baseline" / "events.csv").symlink_to(folder.parent / "precious" / "manifest.json")
    return "baseline"


def put_link_for_parts(folder: Path) -> str:
    (folder / "baseline" / "parts").symlink_to(folder.parent / "precious")
    return "baseline"


def put_link_among_parts(folder: Path) -> str:
    (folder / "baseline" / "parts").mkdir()
    (folder / "baseline" / "parts" / "part-000000.parquet").symlink_to(folder.parent / "precious" / "runs.parquet")
    return "baseline"


def a_link(folder: Path) -> str:
    (folder / "link").symlink_to(folder.parent / "precious")
    return "link"


def through_a_link(folder: Path) -> str:
    (folder / "link").symlink_to(folder.parent)
    return "link/precious"


def outside(folder: Path) -> str:
    return "../precious"


def by_path(folder: Path) -> str:
    return str(folder.parent / "precious")


def foreign(folder: Path) -> str:
    (folder / "notes").mkdir()
    (folder / "notes" / "runs.parquet").write_text("mine")
    return "notes"


def app_manifest(folder: Path) -> str:
    (folder / "web").mkdir()
    (folder / "web" / "manifest.json").write_text('{"name": "an app"}')
    return "web"


def all_of_it(folder: Path) -> str:
    return "."


@pytest.mark.parametrize(
    "case",
    [
        put_file,
        put_folder,
        put_link,
        put_link_for_parts,
        put_link_among_parts,
        a_link,
        through_a_link,
        outside,
        by_path,
        foreign,
        app_manifest,
        all_of_it,
    ],
)
def test_delete_touches_nothing_that_is_not_ours(case: object, folder: Path) -> None:
    precious = folder.parent / "precious"
    shutil.copytree(folder / "baseline", precious)
    name = case(folder)  # type: ignore[operator]
    before = tree(folder.parent)
    links = sorted(path for path in folder.rglob("*") if path.is_symlink())
    done = told("results", "delete", INCIDENT_NAME, name, "--yes", "--in", str(folder))
    assert done.exit_code == 2, done.output
    assert done.stderr.count("\n") == 1
    # Not even the other one that was named: all or none.
    assert tree(folder.parent) == before
    assert sorted(path for path in folder.rglob("*") if path.is_symlink()) == links


@pytest.mark.parametrize("name", ["parts", "events.csv"])
def test_a_link_that_comes_after_the_look_is_not_followed_either(name: str, folder: Path) -> None:
    precious = folder.parent / "precious"
    precious.mkdir()
    (precious / "part-000000.parquet").write_text("mine")
    chosen = stored.called(folder, "baseline")
    to = precious if name == "parts" else precious / "part-000000.parquet"
    (folder / "baseline" / name).symlink_to(to)
    before = tree(folder.parent)
    with pytest.raises(InputError, match=f"not ours: {name}"):
        stored.delete(chosen)
    assert tree(folder.parent) == before


def test_the_same_name_twice_is_deleted_once(folder: Path) -> None:
    done = told("results", "delete", "baseline", "baseline", "--yes", "--in", str(folder))
    assert done.exit_code == 0
    assert done.stdout.count("deleted") == 1


def test_nobody_to_ask_deletes_nothing(folder: Path) -> None:
    before = tree(folder)
    for words in ("y\n", ""):
        done = told("results", "delete", "baseline", "--in", str(folder), input=words)
        assert done.exit_code == 2
        assert "--yes" in done.stderr
    assert tree(folder) == before


def test_a_deletion_that_fails_midway_can_be_gone_on_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.unlink

    def locked(self: Path, missing_ok: bool = False) -> None:
        if self.name == "timeseries.parquet":
            raise PermissionError(13, "Permission denied", str(self))
        real(self, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", locked)
        done = told("results", "delete", "baseline", "--yes", "--in", str(folder))
    assert done.exit_code == 2
    assert "Permission denied" in done.stderr
    assert (folder / "baseline" / "manifest.json").exists()
    assert not (folder / "baseline" / "runs.parquet").exists()
    assert told("results", "delete", "baseline", "--yes", "--in", str(folder)).exit_code == 0
    assert not (folder / "baseline").exists()


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    pty = pytest.importorskip("pty")
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize(("word", "is_kept"), [(b"n\n", True), (b"\n", True), (b"y\n", False)])
def test_on_a_terminal_it_asks_first(word: bytes, is_kept: bool, folder: Path, terminal: tuple[int, int]) -> None:
    near, far = terminal
    words = [sys.executable, "-m", "sim", "results", "delete", "baseline", "--in", str(folder)]
    child = subprocess.Popen(words, stdin=far, stdout=far, stderr=far, cwd=ROOT)
    seen = b""
    while b"good?" not in seen:
        assert select.select([near], [], [], 30)[0], "nothing was asked"
        seen += os.read(near, 4096)
        assert b"deleted" not in seen
    assert (folder / "baseline" / "manifest.json").exists()
    os.write(near, word)
    assert child.wait(60) == 0
    assert (folder / "baseline").exists() == is_kept
    assert (folder / INCIDENT_NAME).exists()


def test_sizes_are_told_in_few_letters() -> None:
    assert [commands.size_told(n) for n in (0, 999, 1000, 1_500_000, 2_000_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.5 MB",
        "2.0 GB",
    ]
