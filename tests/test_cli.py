"""The command line, as a user meets it: every command, exit codes, one-paragraph errors, light help, and resuming."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import sim.__main__  # adds the commands
from sim import ensemble as ensembles
from sim.commands.common import app

ROOT = Path(__file__).resolve().parent.parent
BASELINE = str(ROOT / "scenarios" / "baseline.toml")
FAST = ["--days", "45", "--replications", "3"]


def sim(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="python -m sim")


def process(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "sim", *words], capture_output=True, text=True, cwd=ROOT, timeout=120, **options
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, runpy; sys.argv = ['sim', '--help']\n"
        "try: runpy.run_module('sim', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'plotly', 'streamlit', 'simpy', 'pyarrow', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'heavy: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "compare" in done.stdout


def test_json_has_the_promised_keys_and_nothing_else_is_printed() -> None:
    done = process("run", BASELINE, *FAST, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    needed = {"scenario", "model_version", "engine", "seed", "draws", "replications", "failed", "seconds", "digest"}
    assert needed <= set(found)
    assert set(found["states_agreeing"]) == {"median", "p05", "p95"}
    assert list(found["troops_in_place"]) == ["peak", "30", "last"]
    assert list(found["days_to"]) == ["25", "50", "75", "100"]
    assert set(found["days_to"]["25"]) == {"median", "p05", "p95", "never"}
    assert len(found["digest"]) == 64


def test_the_digest_does_not_depend_on_the_number_of_jobs() -> None:
    digests = {json.loads(process("run", BASELINE, *FAST, "--json", "--jobs", n).stdout)["digest"] for n in ("1", "2")}
    assert len(digests) == 1


def test_another_seed_is_another_digest() -> None:
    digests = {json.loads(sim("run", BASELINE, *FAST, "--json", "--seed", n).stdout)["digest"] for n in ("1", "2")}
    assert len(digests) == 2


def test_the_summary_begins_with_the_two_answers_and_ends_with_what_it_is_not() -> None:
    text = sim("run", BASELINE, *FAST).stdout
    for words in (
        "of 53",
        "DC, apart",
        "Days to 25 %",
        "from approval",
        "Side alone would give 28",
        "the governor may refuse",
    ):
        assert words in " ".join(text.split()), words
    assert "Not a forecast" in text
    assert text.index("Governors who agree") < text.index("Days to 25 %") < text.index("Not a forecast")


def test_what_differs_from_the_baseline_is_said() -> None:
    text = sim("run", str(ROOT / "scenarios" / "bundled_request.toml"), *FAST).stdout
    assert "request.mode: bundled (baseline: menu)" in text
    assert "Nothing differs" in sim("run", BASELINE, "--replications", "1").stdout


def test_quiet_says_less_and_verbose_more() -> None:
    quiet, normal, verbose = (len(sim("run", BASELINE, *FAST, *more).stdout) for more in (["-q"], [], ["-v"]))
    assert quiet < normal < verbose


def test_dry_run_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ensembles.model, "run", lambda *_: pytest.fail("a dry run ran"))
    done = sim("run", BASELINE, "--dry-run", "--draws", "4", "--replications", "5", "--out", str(tmp_path / "x"))
    assert done.exit_code == 0
    assert "20 runs" in done.stdout
    assert not (tmp_path / "x").exists()


def test_known_early_replaces_defaults_and_says_so() -> None:
    done = sim("run", BASELINE, *FAST, "--known", "E")
    assert done.exit_code == 0
    assert "request.roles.transport: 10000 was known only later; 5000 is used" in done.stderr


def test_known_early_refuses_a_value_from_later_and_names_it() -> None:
    done = sim("run", str(ROOT / "scenarios" / "enforcement_included.toml"), "--known", "E")
    assert done.exit_code == 2
    assert "request.roles.enforcement = 3500" in done.stderr


def test_one_failing_run_is_told_and_the_rest_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = ensembles.model.run

    def sometimes(setting: object, replication: int, with_events: bool = False) -> object:
        if replication == 1:
            raise ZeroDivisionError("made up")
        return real(setting, replication, with_events)  # type: ignore[arg-type]

    monkeypatch.setattr(ensembles.model, "run", sometimes)
    done = sim("run", BASELINE, *FAST, "--out", str(tmp_path / "r"))
    assert done.exit_code == 1
    assert "ZeroDivisionError: made up" in done.stdout
    assert "1 of 3 runs failed" in done.stderr
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["finished"] == 2


def test_repeat_finds_the_same_hashes_and_tells_different_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path / "r")
    assert sim("run", BASELINE, *FAST, "--out", folder).exit_code == 0
    same = sim("repeat", folder)
    assert same.exit_code == 0
    assert "3 of 3 runs are the same" in same.stdout
    real = ensembles.model.run
    monkeypatch.setattr(ensembles.model, "run", lambda setting, k, e=False: real(setting, k + 1, e))
    other = sim("repeat", folder)
    assert other.exit_code == 1
    assert "0 of 3 runs are the same" in other.stdout


def test_an_interrupt_keeps_what_is_finished_and_resume_goes_on_to_the_same_digest(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    words = ["run", BASELINE, "--replications", "400", "--days", "60", "--seed", "5"]
    # SimPy is slow enough to be interrupted; what goes on and what is compared with may be compiled.
    child = subprocess.Popen(
        [sys.executable, "-m", "sim", *words, "--engine", "simpy", "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    wait_until_busy(child.pid, 3.0)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert "--resume" in errors
    manifest = json.loads((folder / "manifest.json").read_text())
    assert 0 < manifest["finished"] < 400
    assert not manifest["complete"]
    done = process(*words, "--out", str(folder), "--resume", "--json", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    whole = json.loads(process(*words, "--json", "--jobs", "2").stdout)
    assert json.loads(done.stdout)["digest"] == whole["digest"]
    assert json.loads((folder / "manifest.json").read_text())["complete"]


def wait_until_busy(pid: int, seconds: float) -> None:
    """Wait until a process has used so much CPU, read from the kernel."""
    deadline = time.monotonic() + 60
    ticks = os.sysconf("SC_CLK_TCK")
    while time.monotonic() < deadline:
        used = sum(int(x) for x in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])
        if used / ticks > seconds:
            return
        time.sleep(0.02)
    raise AssertionError("the process did not get going")


def test_interrupted_bands_are_kept_and_gone_on_with_to_the_same_digest(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    words = ["run", BASELINE, "--replications", "3000", "--days", "8"]
    child = subprocess.Popen(
        [sys.executable, "-m", "sim", *words, "--keep", "bands", "--engine", "simpy", "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    deadline = time.monotonic() + 90
    # Rows are written once a block has been counted.
    while not list(tmp_path.glob(".r-*/runs.parquet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=90)
    assert child.returncode == 130, errors
    manifest = json.loads((folder / "manifest.json").read_text())
    assert f"interrupted after {manifest['finished']} of 3000 runs; go on with the same command and --resume" in errors
    assert 0 < manifest["finished"] < 3_000
    assert manifest["kept"] == "bands"
    resume = ["--out", str(folder), "--resume", "--json"]
    assert "these results keep bands" in sim(*words, *resume).stderr
    done, whole = sim(*words, "--keep", "bands", *resume), sim(*words, "--json")
    assert (done.exit_code, whole.exit_code) == (0, 0), done.stderr
    for key in ("digest", "states_agreeing", "days_to", "runs"):
        assert json.loads(done.stdout)[key] == json.loads(whole.stdout)[key], key
    assert "3000 of 3000 runs are the same" in sim("repeat", str(folder)).stdout


def test_very_many_runs_keep_bands_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sim.blocks.KEPT_WHOLE", 2)
    for more, kept in (([], "bands"), (["--keep", "runs"], "runs")):
        assert sim("run", BASELINE, *FAST, *more, "--out", str(tmp_path / kept)).exit_code == 0
        assert json.loads((tmp_path / kept / "manifest.json").read_text())["kept"] == kept
    assert "Bands alone were kept" in " ".join(sim("run", BASELINE, *FAST).stdout.split())


@pytest.mark.parametrize("n_before", [0, 2])
def test_lost_workers_are_told_and_what_has_finished_is_kept(
    n_before: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = ensembles.several

    def lost(numbered: list[tuple[int, object]], **more: object) -> object:
        if numbered[0][0] >= n_before:
            raise BrokenPipeError("nobody there")
        return real(numbered, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ensembles, "several", lost)
    done = sim("run", BASELINE, *FAST, "--out", str(tmp_path / "r"))
    assert done.exit_code == 1
    assert f"workers were lost (BrokenPipeError: nobody there) after {n_before} of 3 runs" in done.stderr
    assert ("--resume" in done.stderr, (tmp_path / "r").exists()) == (n_before > 0, n_before > 0)


def test_repeat_of_bands_tells_different_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path / "r")
    assert sim("run", BASELINE, *FAST, "--keep", "bands", "--out", folder).exit_code == 0
    assert "3 of 3 runs are the same" in sim("repeat", folder).stdout
    real = ensembles.model.run
    monkeypatch.setattr(ensembles.model, "run", lambda setting, k, e=False: real(setting, max(k, 1), e))
    other = sim("repeat", folder)
    assert other.exit_code == 1
    assert "2 of 3 runs are the same" in other.stdout
    assert "first that differs: run 0 (0, 0)" in other.stdout


def test_events_need_whole_runs(tmp_path: Path) -> None:
    done = sim("run", BASELINE, *FAST, "--keep", "bands", "--events", "--out", str(tmp_path / "r"))
    assert (done.exit_code, "--keep runs" in done.stderr) == (2, True)


def test_resume_of_another_scenario_is_refused(tmp_path: Path) -> None:
    folder = str(tmp_path / "r")
    sim("run", BASELINE, *FAST, "--out", folder)
    done = sim("run", BASELINE, *FAST, "--seed", "9", "--out", folder, "--resume")
    assert done.exit_code == 2
    assert "another scenario or seed" in done.stderr


def test_trace_tells_dated_events_in_order() -> None:
    done = sim("trace", BASELINE, "--replication", "2", "--json")
    rows = json.loads(done.stdout)
    days = [row["time"] for row in rows]
    assert days == sorted(days)
    text = sim("trace", BASELINE, "--replication", "2").stdout
    assert "The review ends: 20,000 people may be asked for." in text
    assert "54 states are asked, for 20,000 in all." in text
    assert "come forward" not in text
    assert "come forward" in sim("trace", BASELINE, "--replication", "2", "--cohorts").stdout
    assert "OH is asked for 666." in sim("trace", BASELINE, "--replication", "2", "--state", "OH").stdout


def test_trace_filters_by_state_and_kind() -> None:
    rows = json.loads(
        sim("trace", BASELINE, "--replication", "2", "--state", "OH", "--kind", "accept", "--json").stdout
    )
    assert {(row["state"], row["event"]) for row in rows} == {("OH", "accept")}
    assert sim("trace", BASELINE, "--state", "XX").exit_code == 2
    wrong = sim("trace", BASELINE, "--kind", "acept", "--replication", "2")
    assert wrong.exit_code == 2
    assert "did you mean 'accept'" in wrong.stderr


def test_why_gives_terms_that_add_up_and_a_change_that_flips() -> None:
    # Quick answers, so that there is one to tell whatever the register says of their pace.
    told = ["why", BASELINE, "OH", "--replication", "2", "--set", "decide.pace=0.4", "--json"]
    first = json.loads(sim(*told).stdout)["decisions"][0]
    assert first["answer"].startswith("accept")
    assert sum(first["terms"].values()) == pytest.approx(first["support"])
    flip = first["flips"][0]
    flipped = json.loads(sim(*told, "--set", f"{flip['name']}={beyond(flip)}").stdout)
    # Moving that number moves other governors too, so only this card's own arithmetic is promised: its support falls below.
    assert flipped["decisions"][0]["terms"]["mission"] < first["terms"]["mission"]


def beyond(flip: dict[str, str]) -> float:
    was, needed = float(flip["was"]), float(flip["needed"])
    return needed + 0.1 * (needed - was)


def test_why_of_a_place_without_a_governor_says_so() -> None:
    done = sim("why", BASELINE, "DC", "--replication", "2")
    assert done.exit_code == 0
    assert "no governor" in done.stdout


def test_compare_pairs_the_luck_and_says_where_histories_part() -> None:
    other = str(ROOT / "scenarios" / "incident_day_40.toml")
    found = json.loads(sim("compare", BASELINE, other, "--replications", "3", "--json").stdout)
    assert found["first_parting_day"] >= 40
    assert found["paired"]["approval_day"]["mean"] == 0
    assert found["first_different_events"][1]["event"] == "incident"
    same = json.loads(sim("compare", BASELINE, BASELINE, *FAST, "--json").stdout)
    assert (same["runs_that_part"], same["first_different_events"]) == (0, None)
    assert "first on day" in sim("compare", BASELINE, other, "--replications", "3").stdout


def test_validate_tells_every_wrong_file(tmp_path: Path) -> None:
    good = [str(path) for path in sorted((ROOT / "scenarios").glob("*.toml"))]
    assert sim("validate", *good).exit_code == 0
    (tmp_path / "a.toml").write_text("x = ")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    done = sim("validate", good[0], str(tmp_path / "a.toml"), str(tmp_path / "b.toml"))
    assert done.exit_code == 2
    assert done.stderr.count("error:") == 2


def test_schema_is_json_schema_that_every_scenario_meets() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    import tomllib

    found = json.loads(sim("schema").stdout)
    for path in sorted((ROOT / "scenarios").glob("*.toml")):
        table = tomllib.loads(path.read_text())
        table["start"] = str(table.get("start", "2025-05-15"))
        jsonschema.validate(table, found)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 1, "title": "t", "question": "q", "request": {"targett": 5}}, found)


def test_parameters_shows_all_some_or_one() -> None:
    assert "support.party" in sim("parameters").stdout
    assert "support.party" not in sim("parameters", "tour").stdout
    assert "Days that people serve" in sim("parameters", "tour.days").stdout
    assert len(json.loads(sim("parameters", "--json").stdout)) > 100


def test_scenarios_lists_every_question() -> None:
    done = process("scenarios")
    assert done.returncode == 0
    assert done.stdout.count("scenarios/") >= 14


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m sim parameters | head -1", shell=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stderr == ""


BAD = {
    "no file": (["run", "scenarios/baselin.toml"], "did you mean 'baseline.toml'"),
    "unknown name": (["run", BASELINE, "--set", "tour.dayz=4"], "did you mean 'tour.days'"),
    "out of limits": (["run", BASELINE, "--set", "tour.days=4000"], "in 1..730 (days)"),
    "not a number": (["run", BASELINE, "--set", "tour.days=soon"], "whole number"),
    "no value": (["run", BASELINE, "--set", "tour.days"], "name=value"),
    "nan": (["run", BASELINE, "--set", "volunteers.share=nan"], "a number in 0..1"),
    "infinite": (["run", BASELINE, "--set", "volunteers.share=inf"], "a number in 0..1"),
    "huge": (["run", BASELINE, "--set", "request.target=" + "9" * 5000], "request.target"),
    "unknown state": (["run", BASELINE, "--set", "request.asked=TX,ZZ"], "'ZZ' is not one of the 54"),
    "no roles": (
        [
            "run",
            BASELINE,
            *(
                w
                for r in ("administration", "support", "transport", "detention")
                for w in ("--set", f"request.roles.{r}=0")
            ),
        ],
        "request.roles is empty",
    ),
    "zero target": (["run", BASELINE, "--set", "request.target=0"], "in 1..200000"),
    "days end before": (["run", "scenarios/incident_day_40.toml", "--days", "20"], "after the last day 20"),
    "events nowhere": (["run", BASELINE, "--events"], "--out"),
    "bad known": (["run", BASELINE, "--known", "Q"], "'E', 'H'"),
    "state": (["why", BASELINE, "Ohio"], "did you mean 'OH'"),
    "no results": (["repeat", "scenarios"], "no manifest.json"),
    "no folder": (["scenarios", "nowhere"], "no such folder"),
    "too many runs": (["run", BASELINE, "--draws", "10000", "--replications", "10000"], "are more than"),
}


@pytest.mark.parametrize(("words", "told"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_paragraph_and_exit_2(words: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = sim(*words)
    assert done.exit_code == 2, done.output
    assert told in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.output
    assert len(done.stderr) < 600


def test_bad_input_leaves_existing_results_untouched(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    sim("run", BASELINE, *FAST, "--out", str(folder))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for words in (["--set", "tour.days=-1"], [], ["--resume", "--seed", "3"]):
        assert sim("run", BASELINE, *FAST, "--out", str(folder), *words).exit_code == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_unwritable_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = sim("run", BASELINE, *FAST, "--out", str(tmp_path / "file" / "r"))
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
