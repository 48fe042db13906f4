"""Reasons: the smallest single change, applied to that decision alone, really tips the answer."""

import math
from pathlib import Path

import pytest

from sim import governors as rules
from sim import model
from sim.parameters import ROLES, register
from sim.reasons import YES, Flip, decisions_of, flips, threshold_of
from sim.results import Decision, Run
from sim.scenario_files import load
from sim.setting import Setting, setting_of

SCENARIOS = Path(__file__).parent.parent / "scenarios"
PAIRS = [("baseline", 2), ("bundled_request", 3), ("incident_day_40", 5), ("enforcement_included", 7)]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def told(request: pytest.FixtureRequest) -> tuple[Run, Setting]:
    name, k = request.param
    setting = setting_of(load(SCENARIOS / f"{name}.toml"), 1, k)
    return model.run(setting, k), setting


def support_after(decision: Decision, setting: Setting, flip: Flip, value: float) -> float:
    """Support worked out anew with one number moved, from the decision's own terms."""
    levers = setting.levers[decision.day]
    total = 0.0
    for (_, parameter), term in zip(rules.TERMS, decision.terms, strict=True):
        was = getattr(levers.p, flip.name.replace(".", "_"))
        if parameter == flip.name:
            total += value if parameter == "support.mission" else term / was * value
        elif flip.name == f"{parameter}.{ROLES[decision.role]}" or (
            parameter == "support.status" and flip.name.startswith("support.status.")
        ):
            total += -value
        else:
            total += term
    return total


def test_terms_sum_to_the_support(told: tuple[Run, Setting]) -> None:
    run, _ = told
    assert run.decisions
    for decision in run.decisions:
        assert math.fsum(decision.terms) == pytest.approx(decision.support, abs=1e-9)


def test_every_number_that_is_said_to_flip_tips_the_support_at_the_threshold(told: tuple[Run, Setting]) -> None:
    run, setting = told
    tried = 0
    for decision in run.decisions:
        threshold = threshold_of(decision, setting, run.replication)
        for flip in flips(decision, setting, run.replication):
            if flip.name not in register() or register()[flip.name].choices:
                continue
            # The card shows three digits, so the tipping point is only met to about that precision.
            after = support_after(decision, setting, flip, float(flip.needed))
            scale = max(1.0, abs(threshold), abs(after - decision.support))
            assert after == pytest.approx(threshold, abs=0.02 * scale), (decision.day, flip)
            tried += 1
    assert tried > 50


def test_a_yes_needs_less_support_to_flip_and_a_no_more(told: tuple[Run, Setting]) -> None:
    run, setting = told
    for decision in run.decisions:
        threshold = threshold_of(decision, setting, run.replication)
        if math.isnan(threshold):
            continue
        if decision.answer in YES:
            assert threshold < decision.support
        else:
            assert threshold > decision.support


def test_plausible_changes_come_first_and_small_ones_before_large(told: tuple[Run, Setting]) -> None:
    run, setting = told
    for decision in run.decisions:
        found = flips(decision, setting, run.replication)
        assert found == sorted(found, key=lambda flip: (not flip.is_plausible, flip.size))


def test_decisions_of_a_state_are_its_own(told: tuple[Run, Setting]) -> None:
    run, _ = told
    assert sum(len(decisions_of(run, code)) for code in run.codes) == len(run.decisions)


def test_a_given_answer_has_nothing_to_flip() -> None:
    text = load(SCENARIOS / "baseline.toml").toml() + '\n[[answers]]\nstate = "TX"\nday = 20\nanswer = "decline"\n'
    from sim.scenario_files import parse

    setting = setting_of(parse(text, "seat"), 1, 2)
    run = model.run(setting, 2)
    (decision,) = decisions_of(run, "TX")
    assert (decision.answer, decision.is_forced) == ("decline", True)
    assert flips(decision, setting, 2) == []
