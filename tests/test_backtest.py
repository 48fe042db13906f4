"""Back test: the baseline still gives the numbers of tests/reference.json, which names the command that made them."""

import json
from typing import Any

import pytest

from tests import make_reference

REFERENCE: dict[str, Any] = json.loads(make_reference.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return make_reference.measured()


def test_the_reference_is_of_this_plan() -> None:
    plan = (make_reference.COMMAND, make_reference.SCENARIO, make_reference.SEED, make_reference.REPLICATIONS)
    assert tuple(REFERENCE[key] for key in ("command", "scenario", "seed", "replications")) == plan


def test_the_digest_of_ten_runs_is_the_reference(measured: dict[str, Any]) -> None:
    if REFERENCE["platform"] != make_reference.this_platform():
        pytest.skip(f"the digest is of {REFERENCE['platform']}; elsewhere the last bits of exp and log may differ")
    assert measured["digest"] == REFERENCE["digest"]
    assert measured["runs"] == REFERENCE["runs"]


@pytest.mark.parametrize("name", make_reference.MEASURES)
def test_the_median_of_ten_runs_is_the_reference_on_any_platform(name: str, measured: dict[str, Any]) -> None:
    # A last bit can tip a single answer, hardly a median: one state, or 2 % of people.
    assert measured["medians"][name] == pytest.approx(REFERENCE["medians"][name], rel=0.02, abs=1.0)
