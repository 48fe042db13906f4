"""Run passports: a short code gives the scenario, the seed and the runs back, and running them gives the digest it names."""

import json
import re
import tomllib
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import sim.__main__  # noqa: F401 - adds the commands
from sim import passport as passports
from sim import sharing
from sim.commands.common import app
from sim.ensemble import empty, pairs_of, run_ensemble, run_pairs
from sim.parameters import InputError, Value, model_version, register
from sim.passport import passport_of, read_passport, rerun, verdict
from sim.results import Ensemble
from sim.scenario import Scenario
from sim.scenario_files import listed, load
from tests.strategies import CODES, scenarios

ROOT = Path(__file__).resolve().parent.parent
FILES = listed(ROOT / "scenarios")
BASELINE = load(FILES[0])
KEPT: dict[str, dict[str, Any]] = json.loads((ROOT / "tests" / "links.json").read_text(encoding="utf-8"))


def finished(scenario: Scenario, seed: int = 1, draws: int | None = None, replications: int = 3) -> Ensemble:
    """An ensemble that counts as finished, with nothing in it: enough for a code."""
    ensemble = empty(replace(scenario, days=1), seed, pairs_of(draws, replications))
    ensemble.scenario = scenario
    ensemble.done[:] = True
    return ensemble


def code_of(ensemble: Ensemble) -> str:
    code = passport_of(ensemble)
    assert code is not None
    return code


def cli(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), prog_name="python -m sim")


def refused(code: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_passport(code)
    assert told in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


# --- Short, and exact


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_file_has_a_code_of_one_line(path: Path) -> None:
    code = code_of(finished(load(path), replications=1000))
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{1,5})*", code)
    assert len(code) <= 32
    found = read_passport(code)
    assert found.scenario.digest == load(path).digest
    assert (found.scenario.name, found.scenario.title, found.code) == (path.stem, load(path).title, code)


@pytest.mark.parametrize(
    "values",
    [
        {"tour.days": 60, "request.target": 15_000},
        {"request.mode": "bundled", "request.deadline_days": 20},
        {"request.status": "state_active_duty", "mission.cross_state": True},
    ],
)
def test_two_levers_moved_stay_about_sixty_letters(values: dict[str, Value]) -> None:
    scenario = BASELINE.with_values(values)
    code = code_of(finished(scenario, replications=1000))
    assert len(code) <= 62
    assert read_passport(code).scenario.digest == scenario.digest
    assert read_passport(code).scenario.title.endswith(", changed")


@settings(max_examples=150, deadline=None)
@given(scenarios(list(CODES)), st.integers(0, 2**64 - 1), st.none() | st.integers(0, 40), st.integers(1, 300))
def test_any_scenario_seed_and_plan_come_back(
    scenario: Scenario, seed: int, draws: int | None, replications: int
) -> None:
    ensemble = finished(scenario, seed, draws, replications)
    found = read_passport(code_of(ensemble))
    told = {**found.scenario.document(), "title": scenario.title, "question": scenario.question}
    assert told == scenario.document()
    assert found.scenario.digest == scenario.digest
    assert (found.seed, pairs_of(found.draws, found.replications)) == (seed, ensemble.pairs)
    assert (found.digest, found.model, found.notes) == (ensemble.digest[:8], model_version(), ())


def test_a_whole_number_and_a_fraction_of_the_same_size_are_told_apart() -> None:
    # The file has 2.0, and digests tell 2 from it.
    scenario = load(ROOT / "scenarios" / "hurricane_season.toml").with_values({"disaster.rate": 2})
    assert read_passport(code_of(finished(scenario))).scenario.digest == scenario.digest


def test_how_it_is_typed_does_not_matter() -> None:
    code = code_of(finished(BASELINE))
    for typed in (
        code.lower(),
        code.replace("-", ""),
        f" {code}\n",
        code.replace("-", " ").replace("0", "o").replace("1", "l"),
    ):
        assert read_passport(typed).code == code


@pytest.mark.parametrize("plan", [(None, 1), (None, 5), (0, 1), (0, 4), (1, 3), (3, 1), (3, 4)])
def test_the_plan_is_told_from_the_runs(plan: tuple[int | None, int]) -> None:
    ensemble = finished(BASELINE, 1, *plan)
    found = read_passport(str(passport_of(ensemble)))
    assert (found.draws, found.replications) == plan
    # Runs that were kept on disk come back as plain pairs.
    assert passport_of(replace(ensemble, pairs=list(ensemble.pairs))) == passport_of(ensemble)


def test_some_runs_of_a_plan_or_unfinished_ones_have_no_code() -> None:
    with pytest.raises(InputError, match="all runs of a plan"):
        passport_of(run_pairs(BASELINE, 1, ((0, 0), (0, 1), (1, 0))))
    ensemble = finished(BASELINE)
    ensemble.done[1] = False
    assert passport_of(ensemble) is None


# --- Mistyped, cut off, hostile


def test_every_mistyped_letter_and_every_swap_is_noticed_and_mended() -> None:
    code = code_of(finished(BASELINE.with_values({"tour.days": 60}))).replace("-", "")
    for k in range(len(code)):
        for letter in "0Z7":
            if letter != code[k]:
                refused(code[:k] + letter + code[k + 1 :], "did you mean")
        if k + 1 < len(code) and code[k] != code[k + 1]:
            refused(code[:k] + code[k + 1] + code[k] + code[k + 2 :], "did you mean")
    wrong = ("X" if code[5] != "X" else "Y").join((code[:5], code[6:]))
    refused(wrong, "did you mean " + read_passport(code).code + "?")


def test_bad_codes_say_what_is_wrong() -> None:
    code = code_of(finished(BASELINE))
    refused("", "it is empty")
    refused("hello, world", "it cannot hold ','")
    refused("u" * 10, "it cannot hold 'U'")
    refused(code[:-3], "letters are missing or were mistyped")
    refused(code[3:], "letters are missing or were mistyped")
    refused("0" * 20_001, "at most 20,000 are read")
    refused("ş" + code, "it cannot hold")


def sealed(whole: bytes) -> str:
    """A code around any bytes, with a check that holds."""
    return passports._written(whole + passports._check(whole))


def with_difference(text: str, model: str | None = None) -> str:
    """A code whose difference from the baseline is any text."""
    model = model or model_version()
    head = bytes([1, *map(int, model.split(".")), 1, 0, 3, 0, 0, 0, 0])
    base = next(base for base, (name, _) in passports._beginnings(model).items() if name == "baseline")
    deflater = passports.zlib.compressobj(9, passports.zlib.DEFLATED, -15, zdict=passports._dictionary(model))
    return sealed(head + base + deflater.compress(text.encode()) + deflater.flush())


def test_codes_that_hold_but_say_nonsense_are_refused() -> None:
    whole = passports._bytes_of(code_of(finished(BASELINE)).replace("-", ""))
    assert whole is not None
    refused(sealed(b"\x02" + whole[1:]), "format 2; this version reads format 1")
    refused(sealed(whole[:6]), "cut off")
    refused(sealed(whole[:12]), "nothing that could be run")
    refused(sealed(b"\x01\x63\x00\x00" + whole[4:]), "model 99.0.0, which this copy does not know (it knows 1.0.0")
    refused(sealed(whole[:-2] + b"\0\0"), "begins from a scenario that model")
    refused(sealed(whole[:4] + b"\xff" * 9 + b"\x7f" + whole[5:]), "nothing that could be run")
    refused(sealed(whole[:6] + b"\x00" + whole[7:]), "at least one run is needed")
    refused(sealed(whole + b"\xff\xff"), "another state of model")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (',"tour.days":9000', "tour.days = 9000 is not allowed"),
        (',"tour.dys":9', "'tour.dys' is not a parameter"),
        (',"extends":"x.toml"', "'extends' is not a parameter"),
        (',"volunteers.share":1e999', "not a finite number"),
        (',"volunteers.share":NaN', "not a finite number"),
        (',"days":{"a":1}', "days"),
        (',"start":"../x"', "start"),
        (',"shocks":' + "[" * 150_000, "nested too deeply"),
        (',"shocks":[{"kind":"inci\\u0064ent"}]', "backslash"),
        (',"shocks":"' + "a" * 300_000 + '"', "more than 200,000 bytes"),
        ("nothing", "form that can be read"),
        (",", "no difference"),
    ],
)  # fmt: skip
def test_a_hostile_difference_is_refused(text: str, told: str) -> None:
    refused(with_difference(text), told)


def test_nothing_follows_a_difference_and_no_more_of_it_is_unpacked_than_allowed() -> None:
    whole = passports._bytes_of(with_difference(',"tour.days":45').replace("-", ""))
    assert whole is not None
    assert read_passport(sealed(whole)).scenario.value("tour.days") == 45
    refused(sealed(whole + b"\0"), "cut off")
    bomb = with_difference("," + "a" * 8_000_000)
    tracemalloc.start()
    refused(bomb, "more than 200,000 bytes")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@settings(max_examples=1000, deadline=None)
@given(
    st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: b"\x01\x01\x01\x00" + data), st.text(max_size=60)
)
def test_any_bytes_and_any_text_are_read_or_told(data: bytes, text: str) -> None:
    for code in (sealed(data), text):
        try:
            read_passport(code)
        except InputError as error:
            str(error).encode()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*register(), "days", "start", "shocks", "changes", "answers"]), st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2), max_leaves=5))  # fmt: skip
def test_any_difference_is_read_or_told(name: str, value: Any) -> None:
    try:
        read_passport(with_difference("," + json.dumps({name: value})[1:-1]))
    except InputError as error:
        str(error).encode()


# --- Run again


def test_running_again_gives_the_digest_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = BASELINE.with_values({"tour.days": 45}, days=30)
    result = run_ensemble(scenario, 7, 2, 2, engine="simpy", with_twins=False)
    found = read_passport(code_of(result))
    again = rerun(found, engine="simpy", with_twins=False)
    assert verdict(found, again) == (True, f"The same: all 4 runs give digest {result.digest[:8]}.")
    other = rerun(replace(found, seed=8), engine="simpy", with_twins=False)
    is_same, told = verdict(found, other)
    assert not is_same
    assert "the version is the same, so a rule or a default was changed here" in told
    assert "made with model 0.9.0" in verdict(replace(found, model="0.9.0"), other)[1]
    other.errors[0] = "ValueError: x"
    assert "1 runs failed here" in verdict(found, other)[1]


@pytest.mark.parametrize("version", [version for version in KEPT if "passport" in KEPT[version]])
def test_codes_of_every_version_can_still_be_read(version: str) -> None:
    kept = KEPT[version]
    found = read_passport(kept["passport"])
    assert (found.model, found.seed) == (version, kept["seed"])
    assert found.scenario.value("request.target") == kept["target"]
    assert len(found.scenario.shocks) == kept["shocks"]
    assert bool(found.notes) == (version != model_version())


def test_this_version_has_a_code_kept() -> None:
    assert "passport" in KEPT[model_version()], "record it: python -m tests.make_links"


def test_a_code_of_an_older_version_says_what_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    now = sharing.versions()[model_version()]
    then = {**now.defaults, "old.assumption": 1.0, "tour.days": 77}
    both = {"0.9.0": sharing.Version(then, now.scenarios), **sharing.versions()}
    for module in (sharing, passports):
        monkeypatch.setattr(module, "versions", lambda: both)
    found = read_passport(with_difference(',"old.assumption":0.5,"request.target":9', "0.9.0"))
    assert found.scenario.value("request.target") == 9
    assert found.scenario.value("tour.days") == 77
    assert [note.split(" ")[0] for note in found.notes] == ["Made", "old.assumption", "tour.days"]


# --- Commands and files


def test_a_run_tells_its_code_and_the_command_rebuilds_and_checks_it(tmp_path: Path) -> None:
    out, saved = tmp_path / "out", tmp_path / "again.toml"
    run = cli("run", str(FILES[0]), "--days", "30", "--replications", "2", "--seed", "5", "--set", "tour.days=45", "--out", str(out), "-q")  # fmt: skip
    code = run.stdout.splitlines()[-1].removeprefix("Passport ")
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["passport"] == code
    for table in out.glob("*.parquet"):
        assert pq.read_schema(table).metadata[b"passport"].decode() == code
    checked = cli("passport", code.lower(), "--check", "--save", str(saved))
    assert checked.exit_code == 0, checked.output
    assert f"The same: all 2 runs give digest {manifest['digest'][:8]}." in checked.stdout
    assert "python -m sim run FILE --replications 2 --seed 5" in checked.stdout
    assert load(saved).digest == manifest["scenario_hash"]
    assert f"# Passport {code}" in saved.read_text()
    twice = cli("passport", code, "--save", str(saved))
    assert (twice.exit_code, "stands there" in twice.output) == (2, True)


def test_the_command_prints_a_file_or_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_ensemble(replace(BASELINE, days=20), 3, 0, 2, engine="simpy", with_twins=False)
    code = code_of(result)
    printed = cli("passport", code)
    assert tomllib.loads(printed.stdout)["days"] == 20
    told = json.loads(cli("passport", code, "--json").stdout)
    assert (told["code"], told["seed"], told["draws"], told["replications"], told["same"]) == (code, 3, 0, 2, None)
    assert tomllib.loads(told["scenario"])["days"] == 20
    monkeypatch.setattr(Ensemble, "digest", "ff" * 32)
    differs = cli("passport", code, "--check")
    assert differs.exit_code == 1
    assert "Differs: the code says" in differs.stdout


def test_a_mistyped_code_on_the_command_line_is_told_in_one_paragraph() -> None:
    code = code_of(finished(BASELINE))
    wrong = cli("passport", code[:-1] + ("A" if code[-1] != "A" else "B"))
    assert wrong.exit_code == 2
    assert f"did you mean {code}?" in wrong.output
