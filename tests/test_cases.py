"""Cases: every file loads and runs alike in both engines, its record is read by no simulation, and errors are told."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from sim.cases import FOLDER, Case, Window, load_case, load_cases
from sim.compiled import unavailable
from sim.ensemble import run_ensemble
from sim.parameters import InputError
from sim.record import ANSWERS, MEASURES, PRESENCE
from sim.scenario_files import load, parse
from sim.world import load_world

CASES = load_cases()
NAMES = [case.name for case in CASES]
every_case = pytest.mark.parametrize("case", CASES, ids=NAMES)

# A request to three states, as small as a case can be.
MADE_UP = """
schema = 1
title = "A made-up request"
question = "Does a file make a case?"
start = 2010-01-04
days = 30
states = [
  {state = "TX", party = "republican", strength = 20000, margin = 20.0},
  {state = "NM", party = "democratic", strength = 4000, margin = -10.0},
  {state = "VT", party = "independent", strength = 3000, margin = 0.0},
]
[request]
party = "democratic"
target = 1000
asked = ["TX", "NM", "VT"]
ambiguity = 0.0
[case]
name = "A made-up request"
asker = "nobody"
ask = "1,000 for a month"
urgency = "planned"
use = "qualitative"
confidence = "low"
sources = {page = "A page <https://example.org>"}
[[observed]]
state = "NM"
answer = "accept"
day = 3
party_basis = "source"
confidence = "high"
source = ["page"]
[[observed]]
state = "TX"
answer = "decline"
day = 5
party_basis = "memory"
confidence = "high"
source = ["page"]
[[troops]]
day = 10
count = 40
measure = "in_place"
confidence = "high"
source = ["page"]
"""


def made_up(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    """The made-up case as a file, with some words replaced and rows added."""
    text = MADE_UP
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path = folder / "made_up.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def row(state: str, answer: str, day: int | None = None, **more: object) -> str:
    """One observed row."""
    fields = {"party_basis": "source"} | more
    told = "".join(f"{key} = {value if isinstance(value, int) else repr(value)}\n" for key, value in fields.items())
    when = f"day = {day}\n" if day is not None else ""
    return f"[[observed]]\nstate = '{state}'\nanswer = '{answer}'\n{when}{told}confidence = 'high'\nsource = ['page']\n"


# --- the files


def test_the_cases_that_the_history_asks_for_are_there() -> None:
    assert set(NAMES) == {
        "katrina_2005",
        "ojs_2006",
        "phalanx_2010",
        "guardian_2018",
        "covid_2020",
        "capitol_2021",
        "capitol_ext_2021",
        "ols_emac_2021",
        "sotu_2022",
        "ols_emac_2023",
    }
    assert [case.scenario.start for case in CASES] == sorted(case.scenario.start for case in CASES)


@every_case
def test_nothing_that_is_held_out_is_a_case(case: Case) -> None:
    last = max((row.day or 0 for row in (*case.observed, *case.troops)), default=0)
    end = case.scenario.start + timedelta(days=last)
    assert case.scenario.start < date(2023, 12, 31)
    assert not (date(2020, 6, 1) <= case.scenario.start < date(2020, 7, 1))
    assert end < date(2023, 12, 31)
    if case.name == "covid_2020":
        assert end < date(2020, 6, 1)


@every_case
def test_every_state_asked_has_covariates_of_its_own_date(case: Case) -> None:
    today = load_world(str(case.scenario.value("request.party")))
    then = {state.code: state for state in case.scenario.world.states}
    assert len(case.scenario.states) >= 4
    assert any(then[s.code].strength != s.strength for s in today.states)
    for given in case.scenario.states:
        toward = 1 if case.scenario.value("request.party") == "republican" else -1
        assert then[given.state].strength == given.strength
        assert then[given.state].margin == pytest.approx(toward * (given.margin or 0.0) / 10)
        assert then[given.state].on_ballot == then[given.state].prior_position == 0


@every_case
def test_a_case_is_a_scenario_like_any_other(case: Case) -> None:
    scenario = load(FOLDER / f"{case.name}.toml")
    assert scenario == case.scenario
    again = parse(scenario.toml(), case.name)
    assert again == scenario
    assert again.digest == scenario.digest


@pytest.mark.skipif(unavailable() is not None, reason="no compiler here")
@every_case
def test_both_engines_play_a_case_alike(case: Case) -> None:
    few = [
        run_ensemble(case.scenario, 5, replications=2, engine=engine, with_twins=False)
        for engine in ("simpy", "compiled")
    ]
    assert not few[0].errors
    assert few[0].digest == few[1].digest
    assert np.array_equal(few[0].status_counts, few[1].status_counts)


def test_changing_everything_observed_changes_no_run() -> None:
    case = next(case for case in CASES if case.name == "ols_emac_2023")
    text = (FOLDER / "ols_emac_2023.toml").read_text(encoding="utf-8")
    head, rows = text.split("# --- What was said")
    rows = (
        rows.replace('"no_contribution"', '"accept"').replace('"partial"', '"decline"').replace("count = ", "count = 9")
    )
    rows = rows.replace("day = 77 ", "day = 1 ").replace("troops = ", "troops = 1")
    changed = parse(head + "# ---" + rows, case.name)
    assert rows != text.split("# --- What was said")[1]
    assert changed.digest == case.scenario.digest
    before, after = (run_ensemble(s, 3, replications=3, with_twins=False).digest for s in (case.scenario, changed))
    assert before == after


# --- covariates


def test_covariates_replace_those_of_today(tmp_path: Path) -> None:
    scenario = load_case(made_up(tmp_path)).scenario
    then = {state.code: state for state in scenario.world.states}
    assert [then[c].side for c in ("TX", "NM", "VT")] == [-1, 1, 0]
    assert [then[c].margin for c in ("TX", "NM", "VT")] == [-2.0, 1.0, 0.0]
    assert then["TX"].strength == 20000
    today = {state.code: state for state in load_world("democratic").states}
    assert then["CA"] == today["CA"]
    assert then["TX"].on_ballot == 0 != today["TX"].on_ballot
    assert scenario.world is scenario.world
    turned = scenario.with_values({"request.party": "republican"})
    assert {s.code: s.side for s in turned.world.states if s.code in ("TX", "NM")} == {"TX": 1, "NM": -1}


def test_covariates_move_what_is_simulated(tmp_path: Path) -> None:
    scenario = load_case(made_up(tmp_path)).scenario
    rows = tuple(r.model_copy(update={"strength": r.strength * 2}) for r in scenario.states)
    other = replace(scenario, states=rows)
    assert other.digest != scenario.digest
    here, there = (run_ensemble(s, 1, replications=3, with_twins=False).digest for s in (scenario, other))
    assert here != there
    assert ("states", "3 with covariates of their own", "0 with covariates of their own") in scenario.differences(
        replace(scenario, states=())
    )


# --- what the record says


def test_one_yes_outweighs_refusals_and_unknown_answers_stay_unknown(tmp_path: Path) -> None:
    more = row("VT", "decline_preemptive", 1) + row("VT", "contributing", precision="month")
    case = load_case(made_up(tmp_path, more=more))
    assert case.answers == {"NM": True, "TX": False, "VT": True}
    # A second request refused leaves the first yes.
    assert load_case(made_up(tmp_path, more=row("NM", "decline", 12))).answers["NM"] is True
    more = row("VT", "offer", 1) + row("VT", "police_only", 2)
    case = load_case(made_up(tmp_path, more=more))
    assert case.answers == {"NM": True, "TX": False}
    assert case.with_police_as("decline").answers["VT"] is False
    assert case.with_police_as("partial").answers["VT"] is True
    assert case.without_memory().answers == {"NM": True}
    assert case.has_refusals
    assert not case.without_memory().has_refusals


def test_what_lies_beyond_the_last_day_is_not_known_within_it(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path, more=row("VT", "accept", 31)))
    assert "VT" not in case.answers
    assert "VT" not in case.yes_days


def test_when_a_state_said_yes_is_a_window(tmp_path: Path) -> None:
    more = row("VT", "accept", 9, precision="by")
    case = load_case(made_up(tmp_path, more=more))
    assert case.yes_days == {"NM": Window(2, 3), "VT": Window(-1, 9)}
    case = load_case(made_up(tmp_path, more=row("VT", "accept", 9, precision="approx")))
    assert case.yes_days["VT"] == Window(5, 12)
    case = load_case(made_up(tmp_path, more=row("VT", "no_contribution", 20, precision="by")))
    assert case.yes_days["VT"] == Window(20, None)
    assert case.answers["VT"] is False


def test_withdrawals_and_statements_about_many(tmp_path: Path) -> None:
    more = row("NM", "withdraw", 12) + row("ALL", "accept", 8, states=2)
    case = load_case(made_up(tmp_path, more=more))
    assert case.withdrawals == {"NM": 12}
    assert case.signed == ((8, 2),)
    assert "ALL" not in case.answers


def test_every_word_of_the_record_has_a_meaning() -> None:
    used = {row.answer for case in CASES for row in case.observed}
    assert used <= set(ANSWERS)
    assert set(PRESENCE) < set(MEASURES)
    assert all(MEASURES[measure] for measure in PRESENCE)


# --- errors


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ('source = ["page"]', 'source = ["pgae"]'),
            "observed[1].source = 'pgae' is not a key of [case.sources]; did you mean 'page'?",
        ),
        (
            ('state = "NM"\nanswer', 'state = "New Mexico"\nanswer'),
            "is not one of the 54 postal codes; did you mean 'NM'?",
        ),
        (
            ('state = "NM"\nanswer', 'state = "DC"\nanswer'),
            "observed[1].state = 'DC' has no governor, so no answer to give",
        ),
        (('party_basis = "source"\n', ""), "observed[1].party_basis is missing"),
        (
            ('state = "NM"\nanswer', 'state = "ALL"\nanswer'),
            "observed[1]: a row of ALL says how many: states is missing",
        ),
        (("day = 3\n", ""), "observed[1].day is missing, so precision must say what is known"),
        (('answer = "accept"', 'answer = "acept"'), "observed[1].answer = 'acept'"),
        (('party = "independent"', 'party = "Independent"'), "states[3].party = 'Independent'"),
        (('asked = ["TX", "NM", "VT"]', 'asked = ["TX", "NM", "VT", "CA"]'), "states lacks CA, which is asked"),
        (('{state = "VT", party', '{state = "NM", party'), "states[3] lists NM a second time"),
        (("margin = 0.0", "margni = 0.0"), "unknown key states[3].margni; did you mean 'margin'?"),
        (('confidence = "low"', 'confidence = "low"\nnote = "x"'), "unknown key case.note; did you mean 'notes'?"),
        (("[[troops]]\nday = 10", "[[troops]]\nday = -1"), "troops[1].day = -1"),
        (('measure = "in_place"', 'measure = "in_place"\nscope = "ZZ"'), "troops[1].scope = 'ZZ' is not one of the 54"),
    ],
)
def test_a_wrong_case_is_told_with_file_key_and_value(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load_case(made_up(tmp_path, change))
    assert "made_up.toml" in str(error.value)
    assert told in str(error.value)


def test_rows_of_one_state_stand_in_the_order_of_time(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the rows of NM must stand in the order of time"):
        load_case(made_up(tmp_path, more=row("NM", "withdraw", 2)))


def test_a_scenario_is_no_case_and_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\[case\] is missing"):
        load_case(FOLDER.parents[1] / "scenarios" / "baseline.toml")
    with pytest.raises(InputError, match="did you mean 'ojs_2006'"):
        load_cases(names=["ojs_2007"])
    with pytest.raises(InputError, match="no such folder of cases"):
        load_cases(tmp_path / "nowhere")
    assert [case.name for case in load_cases(names=["sotu_2022"])] == ["sotu_2022"]
