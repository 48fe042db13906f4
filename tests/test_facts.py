"""Facts: every value of a state comes from seeds/ and names where it is from."""

import pytest

from sim.facts import facts, law, source_of
from sim.world import legal_table, load_world


def told(code: str, requester: str = "republican") -> dict[str, str]:
    return {fact.label: fact.value for fact in facts(code, requester)}


@pytest.mark.parametrize("code", load_world().codes)
def test_every_fact_has_a_value_and_a_source(code: str) -> None:
    found = facts(code, "republican")
    assert len(found) == (12 if code != "DC" else 9)
    assert all(fact.value and fact.source for fact in found)
    assert len({fact.label for fact in found}) == len(found)


def test_facts_are_those_of_the_seeds() -> None:
    texas = told("TX")
    assert texas["Guard members"] == "22,502 (Army 19,419, Air 3,083) on 2025-03-31"
    assert texas["Land borders with"] == "AR, LA, NM, OK"
    assert texas["Its law bars outside forces"] == "yes"
    assert "2022-09-30" in told("GU")["Guard members"]
    assert told("AK")["Land borders with"] == "none"
    assert told("PR")["Last presidential vote"] == "no vote for President"


def test_sides_and_margins_turn_with_the_requester() -> None:
    label, margin = "The governor in May 2025 belongs to", "Last presidential vote"
    here, there = told("TX"), told("TX", "democratic")
    assert (here[label], there[label]) == ("the requester's side", "the other side")
    assert here[margin].startswith("+13.9")
    assert there[margin].startswith("-13.9")


def test_nobody_is_asked_in_dc() -> None:
    dc = told("DC")
    assert dc["Who can agree or decline"] == "president"
    assert not any("governor" in label.lower() for label in dc)


def test_a_source_that_is_the_same_is_the_one_above() -> None:
    assert source_of("states.csv", "arng_as_of") == source_of("states.csv", "strength")
    assert "DMDC" in source_of("states.csv", "strength_quality")
    assert "FEMA" in source_of("disasters.csv", "major")
    with pytest.raises(KeyError, match="no_such"):
        source_of("states.csv", "no_such")


@pytest.mark.parametrize("status", legal_table()["statuses"])
def test_the_law_says_whether_a_governor_may_refuse_and_where_that_stands(status: str) -> None:
    refuse, withdraw = law(status)
    table = legal_table()["statuses"][status]
    assert (refuse.value, withdraw.value) == (table["governor_may_refuse"], table["governor_may_withdraw"])
    assert table["sources"][0]["url"] in refuse.source
    assert table["title"] in refuse.label
