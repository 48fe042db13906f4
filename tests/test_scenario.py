"""Scenario files: what they say is what is run, and whatever is wrong with one is told in one paragraph."""

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from sim.parameters import InputError, register
from sim.scenario import Change, Scenario, known_early, parse_setting
from sim.scenario_files import json_schema, listed, load, parse

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
FILES = listed(FOLDER)
NAMES = {
    "baseline", "under_review", "enforcement_included", "bundled_request", "same_side_only", "border_strip_only",
    "incident_day_40", "hurricane_season", "court_order", "federalized_counterfactual", "three_channels",
    "local_cost_regime", "roles_clarified_day_30", "mirror",
}  # fmt: skip
HEAD = 'schema = 1\ntitle = "t"\nquestion = "q?"\n'


def refused(text: str, told: str = "") -> str:
    with pytest.raises(InputError) as caught:
        parse(HEAD + text, "here.toml")
    words = str(caught.value)
    assert words.startswith("here.toml: ")
    assert "\n" not in words
    assert len(words) < 700
    assert told in words, words
    return words


def test_the_fourteen_scenarios_are_there_with_the_baseline_first() -> None:
    assert {path.stem for path in FILES} >= NAMES
    assert FILES[0].stem == "baseline"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_asks_one_question_and_survives_being_written_out(path: Path) -> None:
    scenario = load(path)
    assert scenario.question.count("?") == 1
    assert parse(scenario.toml(), scenario.name) == scenario
    assert parse(scenario.toml(), "other").digest == scenario.digest


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_holds_only_what_differs(path: Path) -> None:
    if path.stem != "baseline":
        assert "extends" in tomllib.loads(path.read_text(encoding="utf-8"))
        assert load(path).differences(load(FOLDER / "baseline.toml"))


def test_extending_merges_tables_and_replaces_lists(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        HEAD + '[request]\ntarget = 5000\nmode = "bundled"\n[[shocks]]\nkind = "incident"\nday = 3\n'
    )
    (tmp_path / "b.toml").write_text(
        'schema = 1\ntitle = "b"\nquestion = "q?"\nextends = "a.toml"\n[request]\ntarget = 7\n[[shocks]]\nkind = "appeal"\nday = 4\n'
    )
    scenario = load(tmp_path / "b.toml")
    assert scenario.values == {"request.target": 7, "request.mode": "bundled"}
    assert [shock.kind for shock in scenario.shocks] == ["appeal"]


def test_every_part_of_a_file_arrives() -> None:
    scenario = parse(
        HEAD
        + """
start = 2025-06-01
days = 90
[request.roles]
transport = 7
[tour]
days = 60
[assumptions]
"volunteers.share" = 0.04
"support.mission" = { value = -1, low = -2, high = 0.5 }
[[changes]]
day = 30
"tour.days" = 45
"request.roles.detention" = 9
[[answers]]
state = "VT"
day = 5
answer = "accept"
roles = ["transport"]
troops = 12
""",
        "x",
    )
    assert (scenario.start, scenario.days) == (date(2025, 6, 1), 90)
    assert scenario.values["request.roles.transport"] == 7
    assert scenario.values["volunteers.share"] == 0.04
    assert scenario.ranges == {"support.mission": (-2.0, 0.5)}
    assert scenario.changes == (Change(30, {"tour.days": 45, "request.roles.detention": 9}),)
    assert (scenario.answers[0].troops, scenario.answers[0].roles) == (12, ["transport"])


def test_the_digest_looks_at_numbers_and_not_at_words() -> None:
    one = parse(HEAD, "a")
    assert parse(HEAD.replace('"t"', '"u"'), "b").digest == one.digest
    assert parse(HEAD + "days = 181\n", "a").digest != one.digest
    assert parse(HEAD + "[tour]\ndays = 91\n", "a").digest != one.digest


WRONG: dict[str, tuple[str, str]] = {
    "unknown key": ("dayss = 4", "unknown key dayss; did you mean 'days'"),
    "unknown table": ("[requests]\ntarget = 4", "did you mean 'request'"),
    "unknown lever": ("[request]\ntargett = 4", "did you mean 'request.target'"),
    "unknown role": ("[request.roles]\ntransprt = 4", "did you mean 'request.roles.transport'"),
    "unknown assumption": ('[assumptions]\n"volunteers.shar" = 0.1', "did you mean 'volunteers.share'"),
    "a lever as an assumption": ('[assumptions]\n"tour.days" = 30', "set it in the table [tour]"),
    "an assumption as a table": ("[volunteers]\nshare = 0.1", 'set it in [assumptions] as "volunteers.share"'),
    "text for a number": ('[tour]\ndays = "30"', "tour.days = '30' is not allowed"),
    "a switch for a number": ("[tour]\ndays = true", "whole number in 1..730"),
    "a number for a switch": ("[mission]\ncross_state = 1", "true or false"),
    "a list for a number": ("[tour]\ndays = [30]", "tour.days"),
    "a number for a table": ("tour = 30", "tour"),
    "a fraction of a day": ("[tour]\ndays = 30.5", "whole number"),
    "out of limits": ("[tour]\ndays = 4000", "in 1..730 (days)"),
    "below limits": ("[request]\ntarget = 0", "in 1..200000 (people)"),
    "no choice": ('[request]\nmode = "bundle"', "did you mean 'bundled'"),
    "nan": ('[assumptions]\n"volunteers.share" = nan', "a number in 0..1"),
    "infinite": ('[assumptions]\n"support.mission" = -inf', "a number in -10..10"),
    "huge float": ('[assumptions]\n"support.mission" = 1e400', "a number in -10..10"),
    "huge whole": ("[request]\ntarget = " + "9" * 300, "request.target"),
    "beyond Python": ("[request]\ntarget = " + "9" * 10_000, "not valid TOML"),
    "unknown state": ('[request]\nasked = ["TX", "TY"]', "request.asked = 'TY' is not one of the 54"),
    "a state's name": ('[request]\nasked = ["Texas"]', "did you mean 'TX'"),
    "a state twice": ('[request]\nasked = ["TX", "TX"]', "names a state twice"),
    "no states": ("[request]\nasked = []", "request.asked"),
    "no roles": (
        "[request.roles]\nadministration = 0\nsupport = 0\ntransport = 0\ndetention = 0",
        "request.roles is empty",
    ),
    "no roles later": (
        '[request.roles]\nadministration = 0\nsupport = 0\ndetention = 0\n[[changes]]\nday = 9\n"request.roles.transport" = 0',
        "request.roles is empty from day 9",
    ),
    "too many days": ("days = 100000", "days = 100000"),
    "no days": ("days = 0", "days = 0"),
    "a year without an end": ("start = 9999-12-31", "must be in the years 1900 to 2199"),
    "a time": ("start = 2025-05-15T10:00:00", "start"),
    "a shock after the end": (
        'days = 10\n[[shocks]]\nkind = "incident"\nday = 11',
        "shocks[1].day = 11 is after the last day 10",
    ),
    "a change after the end": ('days = 10\n[[changes]]\nday = 11\n"tour.days" = 9', "changes[1].day = 11 is after"),
    "an answer after the end": (
        'days = 10\n[[answers]]\nstate = "TX"\nday = 11\nanswer = "accept"',
        "answers[1].day = 11",
    ),
    "federalized after the end": ("days = 10\n[federalize]\nday = 11", "federalize.day = 11 is after the last day 10"),
    "two changes": (
        '[[changes]]\nday = 5\n"tour.days" = 9\n[[changes]]\nday = 5\n"tour.days" = 8',
        "two changes on day 5 set tour.days: 9 and 8",
    ),
    "no change": ("[[changes]]\nday = 5", "changes[1] on day 5 moves no lever"),
    "not a lever": ('[[changes]]\nday = 5\n"volunteers.share" = 0.1', "is no lever"),
    "a fixed lever": ('[[changes]]\nday = 5\n"request.party" = "democratic"', "holds for a whole run"),
    "unknown shock": ('[[shocks]]\nkind = "incidents"\nday = 5', "did you mean 'incident'"),
    "unknown shock field": ('[[shocks]]\nkind = "incident"\nday = 5\nsizes = 1', "did you mean 'size'"),
    "a shock in no state": ('[[shocks]]\nkind = "disaster"\nday = 5\nstate = "XX"', "shocks[1].state = 'XX'"),
    "a negative day": ('[[shocks]]\nkind = "incident"\nday = -1', "shocks[1].day = -1"),
    "no day": ('[[shocks]]\nkind = "incident"', "shocks[1].day is missing"),
    "a shock without kind": ("[[shocks]]\nday = 4", "shocks[1]"),
    "a thousand shocks": ('[[shocks]]\nkind = "incident"\nday = 5\n' * 1000, "shocks"),
    "unknown answer": ('[[answers]]\nstate = "TX"\nday = 5\nanswer = "yes"', "answers[1].answer"),
    "an answer of DC": ('[[answers]]\nstate = "DC"\nday = 5\nanswer = "accept"', "has no governor"),
    "two answers": ('[[answers]]\nstate = "TX"\nday = 5\nanswer = "accept"\n' * 2, "given two answers on day 5"),
    "troops of a no": (
        '[[answers]]\nstate = "TX"\nday = 5\nanswer = "decline"\ntroops = 4',
        "go with answer = 'accept'",
    ),
    "another schema": ("", ""),
    "a falling range": ('[assumptions]\n"support.mission" = { value = 0, low = 1, high = 2 }', "must rise"),
    "duplicate keys": ("days = 5\ndays = 6", "not valid TOML"),
    "broken": ("x = ", "not valid TOML"),
    "deep": ("x = " + "[" * 50_000, "not valid TOML"),
    "deep tables": ("x = " + "{a = " * 20_000, "not valid TOML"),
}
del WRONG["another schema"]


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_in_one_paragraph(text: str, told: str) -> None:
    refused(text, told)


def test_missing_and_unknown_versions_are_told() -> None:
    for text, told in (("", "schema is missing"), ('schema = 2\ntitle = "t"\nquestion = "q"', "schema = 2")):
        with pytest.raises(InputError, match=told):
            parse(text, "x")


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("../b.toml", "file in the same folder"),
        ("/etc/passwd", "file in the same folder"),
        ("..", "file in the same folder"),
        ("", "file in the same folder"),
        ("nowhere.toml", "no such file"),
        ("baselin.toml", "did you mean 'baseline.toml'"),
        ("a.toml", "in a circle"),
        ("out.toml", "leads out of the scenario's folder"),
    ],
)
def test_extending_stays_in_the_folder_and_ends(tmp_path: Path, base: str, told: str) -> None:
    (tmp_path / "b.toml").write_text(HEAD)
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "baseline.toml").write_text(HEAD)
    os.symlink(tmp_path / "b.toml", inside / "out.toml")
    (inside / "a.toml").write_text(HEAD + f'extends = "{base}"\n')
    with pytest.raises(InputError, match=told) as caught:
        load(inside / "a.toml")
    assert "a.toml" in str(caught.value)


def test_a_long_chain_and_a_longer_circle_are_told(tmp_path: Path) -> None:
    for k in range(15):
        (tmp_path / f"s{k}.toml").write_text(HEAD + f'extends = "s{k + 1}.toml"\n')
    with pytest.raises(InputError, match="extends more than 10 files"):
        load(tmp_path / "s0.toml")
    (tmp_path / "s3.toml").write_text(HEAD + 'extends = "s1.toml"\n')
    with pytest.raises(InputError, match=r"s1.toml -> s2.toml -> s3.toml -> s1.toml"):
        load(tmp_path / "s1.toml")


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    big = tmp_path / "big.toml"
    with big.open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    (tmp_path / "latin.toml").write_bytes('title = "caf\xe9"'.encode("latin-1"))
    (tmp_path / "folder.toml").mkdir()
    for name, told in (
        ("big.toml", "100,000,000 bytes"),
        ("binary.toml", "is not UTF-8"),
        ("latin.toml", "byte 12 is not UTF-8"),
        ("folder.toml", "no such file"),
        ("missing.toml", "no such file"),
    ):
        with pytest.raises(InputError, match=told) as caught:
            load(tmp_path / name)
        assert name in str(caught.value)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_scenario_or_one_paragraph(raw: bytes) -> None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    told_or_parsed(text)


KEYS = st.sampled_from(
    [*register(), *(name.split(".")[0] for name in register()), "schema", "title", "days", "start", "assumptions", "changes", "shocks", "answers", "kind", "day", "state", "size", "zz"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["all", "TX", "never", "incident", "accept", date(2025, 5, 15)])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_document_is_a_scenario_or_one_paragraph(table: dict[str, Any]) -> None:
    try:
        text = tomli_w.dumps({"schema": 1, "title": "t", "question": "q"} | table)
    except (TypeError, ValueError):
        return
    told_or_parsed(text)


def told_or_parsed(text: str) -> None:
    try:
        assert isinstance(parse(text, "x.toml"), Scenario)
    except InputError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("x.toml: ")
        assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tour.days=60", ("tour.days", 60)),
        ("volunteers.share = 0.04", ("volunteers.share", 0.04)),
        ("support.mission=-1", ("support.mission", -1.0)),
        ("request.asked=TX,NM", ("request.asked", ["TX", "NM"])),
        ("request.asked=TX", ("request.asked", ["TX"])),
        ("request.asked=border", ("request.asked", "border")),
        ('request.asked=["TX"]', ("request.asked", ["TX"])),
        ("request.mode=bundled", ("request.mode", "bundled")),
        ("mission.cross_state=true", ("mission.cross_state", True)),
        ("federalize.day=never", ("federalize.day", "never")),
        ("federalize.day=60", ("federalize.day", 60)),
    ],
)
def test_a_setting_is_read_as_toml_or_as_a_bare_word(text: str, value: tuple[str, Any]) -> None:
    assert parse_setting(text) == value


def test_early_knowledge_replaces_defaults_from_later() -> None:
    early, lines = known_early(load(FOLDER / "baseline.toml"))
    roles = [early.value(f"request.roles.{role}") for role in ("administration", "support", "transport", "detention")]
    assert roles == [5000] * 4
    assert early.value("court.federal_clock") is False
    assert any("request.roles.transport: 10000" in line for line in lines)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"request.roles.enforcement": 3500}, "request.roles.enforcement = 3500"),
        ({"request.roles.transport": 10000}, "request.roles.transport = 10000"),
        ({"court.clock": True}, "court.state_law_days"),
    ],
)
def test_early_knowledge_refuses_and_names_what_came_later(values: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        known_early(load(FOLDER / "baseline.toml").with_values(values))


def test_one_sets_what_one_means_and_keeps_the_rest() -> None:
    scenario = load(FOLDER / "local_cost_regime.toml")
    moved = scenario.with_values({"support.mission": -2.0, "tour.days": 30}, days=99)
    assert (moved.values["support.mission"], moved.values["tour.days"], moved.days) == (-2.0, 30, 99)
    assert moved.ranges == {}
    assert scenario.ranges == {"support.mission": (-4.5, -2.5)}


def test_the_schema_names_every_parameter() -> None:
    text = str(json_schema())
    for name in register():
        assert name.rsplit(".", 1)[-1] in text
