"""Contested values: a counter-value with its source is a scenario like any other, and its source goes wherever it goes."""

import tomllib
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim.commands.common import app
from sim.contest import contested, file_of
from sim.ensemble import run_ensemble
from sim.parameters import InputError, register
from sim.passport import passport_of, read_passport
from sim.report import summary
from sim.scenario import Scenario
from sim.scenario_files import json_schema, load, parse
from sim.sharing import Shared, link_of, read_link
from sim.store import load as load_results
from sim.store import save

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
BASELINE = load(SCENARIOS / "baseline.toml")
CITED = "Doe (2026), How many come forward, https://example.org/doe"


def cli(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="python -m sim")


@pytest.fixture
def doubted() -> Scenario:
    return contested(BASELINE, "volunteers.share", 0.02, CITED, ends=(0.01, 0.04), by="A class", on=date(2026, 3, 1))


def test_a_counter_value_replaces_one_value_and_says_where_it_comes_from(doubted: Scenario) -> None:
    assert [what for what, _, _ in doubted.differences(BASELINE)] == ["volunteers.share"]
    assert doubted.value("volunteers.share") == 0.02
    assert doubted.ranges == {"volunteers.share": (0.01, 0.04)}
    assert doubted.sources == {"volunteers.share": f"{CITED} (contested by A class, 2026-03-01)"}
    assert doubted.title == "Contested: share that volunteers"
    assert (
        doubted.question
        == "What changes if the value of 'Share that volunteers' is 0.02 share (0.01 to 0.04) and not 0.05 share?"
    )


@pytest.mark.parametrize(
    ("name", "value", "ends"),
    [
        ("volunteers.share", 0.02, (0.01, 0.04)),
        ("volunteers.share", 0.05, None),
        ("tour.days", 60, None),
        ("request.roles.transport", 7, None),
        ("disaster.most", 0.7, None),
        ("request.asked", ["TX", "FL"], None),
        ("mission.cross_state", True, None),
    ],
)
def test_the_file_extends_the_baseline_and_is_the_same_scenario(
    tmp_path: Path, name: str, value: Any, ends: tuple[float, float] | None
) -> None:
    (tmp_path / "baseline.toml").write_bytes((SCENARIOS / "baseline.toml").read_bytes())
    scenario = contested(BASELINE, name, value, CITED, ends=ends)
    path = tmp_path / "doubt.toml"
    path.write_text(file_of(scenario, name, "baseline.toml"), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["extends"] == "baseline.toml"
    assert load(path) == scenario.renamed("doubt")
    assert parse(scenario.toml(), scenario.name) == scenario
    assert register()[name].source in path.read_text(encoding="utf-8").splitlines()[0]


def test_the_source_travels_with_the_scenario_and_moves_no_number(doubted: Scenario, tmp_path: Path) -> None:
    silent = contested(BASELINE, "volunteers.share", 0.02, "another source", ends=(0.01, 0.04))
    assert silent.digest == doubted.digest
    assert read_link(link_of(Shared(doubted))).scenario == doubted
    short = contested(doubted, "tour.days", 60, "Roe (2025)")
    assert short.sources == {"tour.days": "Roe (2025)", **doubted.sources}
    result = run_ensemble(doubted.with_values({}, days=20), 1, 0, 2, engine="simpy", with_twins=False)
    save(result, tmp_path / "out", {"draws": 0, "replications": 2, "is_paired": False})
    assert load_results(tmp_path / "out")[0].scenario.sources == doubted.sources
    code = passport_of(result)
    assert code is not None
    assert read_passport(code).scenario.digest == result.scenario.digest


def test_another_value_has_another_source(doubted: Scenario) -> None:
    held = contested(doubted, "volunteers.share", 0.03, "Roe (2025)")
    assert (held.ranges, held.sources) == ({}, {"volunteers.share": "Roe (2025)"})
    assert doubted.with_values({"volunteers.share": 0.03}).sources == {}
    assert doubted.with_values({"tour.days": 60}).sources == doubted.sources


def test_a_summary_tells_the_source_beside_the_value(doubted: Scenario) -> None:
    result = run_ensemble(doubted, 1, 0, 1, engine="simpy", with_twins=False)
    out = Console(file=StringIO(), width=200)
    out.print(summary(result, {"draws": 0, "replications": 1}, BASELINE, False))
    text = " ".join(out.file.getvalue().split())  # type: ignore[attr-defined]
    assert f"volunteers.share: 0.02 (baseline: 0.05); source: {CITED} (contested by A class, 2026-03-01)" in text


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such parameter": ({"name": "volunteers.shar"}, "did you mean 'volunteers.share'"),
    "not allowed": ({"value": 7.0}, "volunteers.share = 7.0 is not allowed"),
    "ends outside": ({"ends": (-1.0, 0.5)}, "is not allowed"),
    "ends that do not rise": ({"ends": (0.04, 0.01)}, "low, value and high must rise"),
    "a value outside its ends": ({"ends": (0.03, 0.04)}, "low, value and high must rise"),
    "a range for a lever": ({"name": "tour.days", "value": 60, "ends": (50, 70)}, "is a lever and never drawn"),
    "nothing new": ({"name": "tour.days", "value": 90}, "is what baseline has already"),
    "no source": ({"source": " "}, "needs a source"),
    "no source but an assumption": ({"source": "Assumption"}, "needs a source"),
    "a long source": ({"source": "x" * 601}, "at most 600 printable"),
    "a source that writes on a terminal": ({"source": "\x1b[2J gone"}, "at most 600 printable"),
}


@pytest.mark.parametrize(("changed", "told"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_contested_is_told(changed: dict[str, Any], told: str) -> None:
    whole = {"name": "volunteers.share", "value": 0.02, "source": CITED, **changed}
    with pytest.raises(InputError) as caught:
        contested(BASELINE, **whole)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_source_on_several_lines_becomes_one_and_cannot_write_keys() -> None:
    scenario = contested(BASELINE, "tour.days", 60, 'Doe\n(2026)"\nevil = 1', by='x"\ny = 2')
    text = file_of(scenario, "tour.days", "baseline.toml")
    assert set(tomllib.loads(text)) == {"schema", "title", "question", "extends", "tour", "sources"}
    assert scenario.sources["tour.days"] == 'Doe (2026)" evil = 1 (contested by x" y = 2)'


# --- The key of scenario files

HEAD = 'schema = 1\ntitle = "t"\nquestion = "q?"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[sources]\n"tour.days" = "x"', "sources names tour.days, which has no value here to be the source of"),
        ('[tour]\ndays = 3\n[sources]\n"tour.dys" = "x"', "unknown key sources.tour.dys; did you mean 'tour.days'?"),
        ('[tour]\ndays = 3\n[sources]\n"tour.days" = 3', "sources.tour.days = 3"),
        ('[tour]\ndays = 3\n[sources]\n"tour.days" = ""', "sources.tour.days = ''"),
        ('sources = "x"', "sources = 'x'"),
    ],
)
def test_wrong_sources_in_a_file_are_told(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(HEAD + text, "here.toml")
    assert str(caught.value).startswith(f"here.toml: {told}")


def test_sources_of_a_file_join_those_that_it_extends(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + '[tour]\ndays = 3\n[sources]\n"tour.days" = "A"\n')
    (tmp_path / "b.toml").write_text(
        'schema = 1\ntitle = "b"\nquestion = "q?"\nextends = "a.toml"\n[request]\ntarget = 7\n[sources]\n"request.target" = "B"\n'
    )
    assert load(tmp_path / "b.toml").sources == {"tour.days": "A", "request.target": "B"}


def test_the_schema_knows_sources() -> None:
    schema = json_schema()
    assert set(schema["$defs"]["Sources"]["properties"]) == set(register())
    assert "sources" in schema["properties"]


# --- The command


def test_the_command_writes_a_scenario_beside_the_one_contested(tmp_path: Path) -> None:
    base, out = tmp_path / "baseline.toml", tmp_path / "doubt.toml"
    base.write_bytes((SCENARIOS / "baseline.toml").read_bytes())
    words = [
        "contest",
        "volunteers.share",
        "0.02",
        "--low",
        "0.01",
        "--high",
        "0.04",
        "--source",
        CITED,
        "--base",
        str(base),
    ]
    printed = cli(*words, "--by", "A class", "--on", "2026-03-01")
    assert printed.exit_code == 0
    saved = cli(*words, "--by", "A class", "--on", "2026-03-01", "--save", str(out))
    assert saved.exit_code == 0, saved.output
    assert out.read_text(encoding="utf-8") == printed.stdout
    assert load(out).ranges == {"volunteers.share": (0.01, 0.04)}
    compare = saved.stdout.splitlines()[1].removeprefix("python -m sim ").split()
    assert compare == ["compare", str(base), str(out)]
    done = cli("run", str(out), "--days", "20", "--replications", "1", "--dry-run")
    assert "volunteers.share: 0.02 (there 0.05)" in done.stdout
    for wrong, told in (
        ([*words, "--save", str(out)], "stands there"),
        ([*words, "--save", str(tmp_path / "elsewhere" / "x.toml")], "has to stand in"),
        (words[:3] + ["--low", "0.01", "--source", CITED], "go together"),
        (["contest", "volunteers.share", "many", "--source", CITED], "volunteers.share = 'many' is not allowed"),
    ):
        refused = cli(*wrong)
        assert (refused.exit_code, told in refused.output) == (2, True), refused.output
