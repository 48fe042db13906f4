"""The world: sides turn with the requester, borders go both ways, and the legal table decides which roles are open."""

import csv
import tomllib
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.parameters import ROLES, InputError
from sim.world import REGIONS, load_world, may_withdraw, open_roles, role_standing

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
WORLD = load_world()
TABLE = tomllib.loads((SEEDS / "statuses.toml").read_text(encoding="utf-8"))
STATUSES = tuple(TABLE["statuses"])
CODES = st.lists(st.sampled_from(WORLD.codes), min_size=1, max_size=12, unique=True)


def rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- States


def test_a_state_by_hand() -> None:
    texas, vermont = WORLD.states[WORLD.position("TX")], WORLD.states[WORLD.position("VT")]
    row = next(row for row in rows("states.csv") if row["code"] == "TX")
    assert (texas.name, texas.fips, texas.strength) == ("Texas", 48, int(row["arng"]) + int(row["ang"]))
    assert (texas.side, texas.on_border, texas.in_strip, texas.prior_position, texas.bars_outsiders) == (
        1,
        True,
        False,
        1,
        True,
    )
    assert texas.margin == pytest.approx(float(row["margin_2024"]) / 10) and 1 < texas.margin < 2
    # Vermont: a governor of the requester's party in a state that voted for the other.
    assert vermont.side == 1 and vermont.margin < -2 and vermont.on_ballot == 1


def test_states_stand_in_fips_order() -> None:
    fips = [state.fips for state in WORLD.states]
    assert len(fips) == 54 and fips == sorted(fips)
    assert WORLD.codes == tuple(row["code"] for row in rows("states.csv"))


def test_sides_and_margins_flip_with_the_requester_and_nothing_else_does() -> None:
    other = load_world("democratic")
    for here, there in zip(WORLD.states, other.states, strict=True):
        assert (there.side, there.margin) == (-here.side, -here.margin)
        assert replace(there, side=here.side, margin=here.margin) == here
    assert (other.neighbors, other.disasters_per_day) == (WORLD.neighbors, WORLD.disasters_per_day)
    assert Counter(state.side for state in WORLD.states)[0] == 1


def test_an_independent_governor_belongs_to_neither_side(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = [row | {"party_2025_05": "independent"} if row["code"] == "TX" else row for row in rows("states.csv")]
    monkeypatch.setattr("sim.world._rows", lambda name: changed if name == "states.csv" else rows(name))
    for party in ("republican", "democratic"):
        world = load_world.__wrapped__(party)
        assert world.states[world.position("TX")].side == 0


def test_only_dc_has_no_governor_and_it_belongs_to_neither_side() -> None:
    for party in ("republican", "democratic"):
        without = [state for state in load_world(party).states if not state.has_governor]
        assert [(state.code, state.side) for state in without] == [("DC", 0)]


def test_the_islands_have_sides_but_no_margin() -> None:
    islands = [state for state in WORLD.states if REGIONS[state.region] == "Islands"]
    assert {state.code for state in islands} == {"PR", "GU", "VI"}
    assert all(state.margin == 0.0 and state.side != 0 for state in islands)


# --- Borders, disasters, smaller worlds


def test_borders_by_hand() -> None:
    def neighbors(code: str) -> set[str]:
        return {WORLD.codes[k] for k in WORLD.neighbors[WORLD.position(code)]}

    assert neighbors("TX") == {"NM", "OK", "AR", "LA"}
    assert neighbors("ME") == {"NH"}
    assert neighbors("DC") == {"MD", "VA"}
    assert neighbors("HI") == neighbors("AK") == neighbors("GU") == set()


@given(CODES)
def test_borders_go_both_ways_in_every_smaller_world(codes: list[str]) -> None:
    small = WORLD.subset(codes)
    for k, touching in enumerate(small.neighbors):
        assert k not in touching
        assert all(k in small.neighbors[j] for j in touching)


@given(CODES)
def test_a_smaller_world_keeps_what_lies_within_it(codes: list[str]) -> None:
    small = WORLD.subset(codes)
    assert set(small.codes) == set(codes)
    assert [state.fips for state in small.states] == sorted(state.fips for state in small.states)
    for k, code in enumerate(small.codes):
        old = WORLD.position(code)
        assert small.position(code) == k
        assert small.states[k] == WORLD.states[old]
        assert small.disasters_per_day[k] == WORLD.disasters_per_day[old]
        assert {small.codes[j] for j in small.neighbors[k]} == {WORLD.codes[j] for j in WORLD.neighbors[old]} & set(
            codes
        )


def test_disasters_a_day_add_up_to_those_of_a_year() -> None:
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    by_year = sum(sum(rate * days for rate, days in zip(row, lengths, strict=True)) for row in WORLD.disasters_per_day)
    assert by_year == pytest.approx(sum(float(row["major"]) for row in rows("disasters.csv")))
    florida = WORLD.disasters_per_day[WORLD.position("FL")]
    assert max(florida[7:10]) == max(florida) > 0


def test_an_unknown_postal_code_is_told_with_the_near_miss() -> None:
    for word, told in (
        ("Texas", "state = 'Texas' is not one of the 54 postal codes; did you mean 'TX'?"),
        ("tx", "state = 'tx' is not one of the 54 postal codes; did you mean 'TX'?"),
        ("QQ", "state = 'QQ' is not one of the 54 postal codes"),
    ):
        with pytest.raises(InputError) as error:
            WORLD.position(word)
        assert str(error.value) == told


def test_with_states_changes_every_state() -> None:
    flat = WORLD.subset(["TX", "VT"]).with_states(margin=0.0, on_ballot=0)
    assert [(state.code, state.margin, state.on_ballot, state.side) for state in flat.states] == [
        ("TX", 0.0, 0, 1),
        ("VT", 0.0, 0, 1),
    ]


# --- The law


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    ("place", "cross_state", "act", "arrest"), [*product(("interior", "border_strip"), *[(False, True)] * 3)]
)
def test_roles_stand_as_the_legal_table_says(
    status: str, place: str, cross_state: bool, act: bool, arrest: bool
) -> None:
    standing = role_standing(
        status, place=place, cross_state=cross_state, insurrection_act=act, arrest_authority=arrest
    )
    is_federal = status in ("title_10_voluntary", "title_10_12406")
    lines = TABLE["statuses"]["insurrection_act" if act and is_federal else status]
    assert list(standing) == list(ROLES)
    for role, word in standing.items():
        if place == "border_strip" and role != "support":
            assert word == "closed"
        elif role == "enforcement" and not arrest:
            assert word == "closed"
        else:
            assert word == lines["roles_across_state_lines" if cross_state else "roles"][role]


def test_asking_about_roles_leaves_the_table_as_it_was() -> None:
    gates = {"cross_state": False, "insurrection_act": False}
    before = role_standing("title_32", place="interior", arrest_authority=True, **gates)
    role_standing("title_32", place="border_strip", arrest_authority=False, **gates)
    assert (
        role_standing("title_32", place="interior", arrest_authority=True, **gates)
        == before
        == dict.fromkeys(ROLES, "open")
    )


@given(st.lists(st.sampled_from(["open", "contested", "closed"]), min_size=5, max_size=5))
def test_a_contested_role_is_open_under_the_permissive_reading_alone(words: list[str]) -> None:
    standing = dict(zip(ROLES, words, strict=True))
    for reading, allowed in (("strict", {"open"}), ("permissive", {"open", "contested"})):
        bits = open_roles(standing, reading)
        assert {role for k, role in enumerate(ROLES) if bits & 2**k} == {
            role for role in ROLES if standing[role] in allowed
        }


def test_open_roles_by_hand() -> None:
    # Bits: administration 1, support 2, transport 4, detention 8, enforcement 16.
    gates = {"insurrection_act": False, "arrest_authority": True}
    home = role_standing("title_10_voluntary", place="interior", cross_state=False, **gates)
    assert (open_roles(home, "strict"), open_roles(home, "permissive")) == (1 + 2 + 4, 1 + 2 + 4 + 8)
    away = role_standing("state_active_duty", place="interior", cross_state=True, **gates)
    assert (open_roles(away, "strict"), open_roles(away, "permissive")) == (7, 15)
    strip = role_standing("title_32", place="border_strip", cross_state=False, **gates)
    assert open_roles(strip, "strict") == open_roles(strip, "permissive") == 2


@pytest.mark.parametrize(
    ("status", "strict", "permissive"),
    [
        ("state_active_duty", True, True),
        ("title_32", True, True),
        ("title_10_voluntary", True, False),  # contested: the strict reading protects the governor's hand
        ("title_10_12406", False, False),
        ("insurrection_act", False, False),
    ],
)
def test_who_may_withdraw(status: str, strict: bool, permissive: bool) -> None:
    assert (may_withdraw(status, "strict"), may_withdraw(status, "permissive")) == (strict, permissive)


def test_every_status_is_looked_at() -> None:
    assert STATUSES == ("state_active_duty", "title_32", "title_10_voluntary", "title_10_12406", "insurrection_act")
