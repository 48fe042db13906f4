"""The seeds are whole: sums, codes, borders, the legal table and the claims say what their README says."""

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

SEEDS = Path(__file__).resolve().parents[1] / "seeds"

STATE_COLUMNS = (
    "code fips name kind consent_authority arng ang strength arng_as_of ang_as_of strength_quality party_2025_05 "
    "party_2018_05 margin_2024 margin_2016 region on_border in_strip on_ballot prior_position host_law"
).split()
ISLANDS = {"GU", "PR", "VI"}
ON_BALLOT = set("AZ AR CT HI ID IL IA MD MA MN NE NV NH NY OR PA RI SD TX VT WI".split())
PRIOR_POSITION = set("AL AK AR FL GA ID IA LA MS MT NE NV OH OK SC TN TX UT VA WY".split())
HOST_LAW = set("ID KS ND OK RI SC TX".split())
ROLES = ["administration", "support", "transport", "detention", "enforcement"]

# administration, support, transport, detention, enforcement: o open, c closed, ? contested
ROLE_TABLE = {  # status: (at home, across state lines)
    "state_active_duty": ("ooooo", "ooo?c"),
    "title_32": ("ooooo", "ooo??"),
    "title_10_voluntary": ("ooo?c", "ooo?c"),
    "title_10_12406": ("ooo?c", "ooo?c"),
    "insurrection_act": ("ooooo", "ooooo"),
}
CONSENT_TABLE = {  # status: commands, pays, Posse Comitatus, member, governor, may refuse, may withdraw
    "state_active_duty": ("governor", "state", "does not apply", "not required", "required", "yes", "yes"),
    "title_32": ("governor", "federal government", "does not apply", "not required", "required", "yes", "yes"),
    "title_10_voluntary": ("president", "federal government", "applies", "required", "required", "yes", "contested"),
    "title_10_12406": ("president", "federal government", "applies", "not required", "contested", "no", "no"),
    "insurrection_act": (
        "president",
        "federal government",
        "does not apply",
        "not required",
        "not required",
        "no",
        "no",
    ),
}
CONSENT_KEYS = (
    "commands pays posse_comitatus member_consent governor_consent governor_may_refuse governor_may_withdraw"
).split()
SHOWN = {"first screen", "timeline", "roles card", "quality of the source", "argument cards", "reference line"}


def table(name):
    with open(SEEDS / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def toml(name):
    with open(SEEDS / name, "rb") as file:
        return tomllib.load(file)


@pytest.fixture(scope="module")
def states():
    return table("states.csv")


@pytest.fixture(scope="module")
def statuses():
    return toml("statuses.toml")


def codes(rows, column, value):
    return {row["code"] for row in rows if row[column] == value}


# --- files


@pytest.mark.parametrize(
    "name", ["states.csv", "adjacency.csv", "disasters.csv", "statuses.toml", "claims.toml", "README.md"]
)
def test_files_are_plain_utf8(name):
    raw = (SEEDS / name).read_bytes()
    raw.decode("utf-8")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")


# --- states


def test_54_states_sorted_by_fips(states):
    assert list(states[0]) == STATE_COLUMNS
    assert len(states) == 54
    fips = [int(row["fips"]) for row in states]
    assert fips == sorted(set(fips))
    assert all(str(int(row["fips"])) == row["fips"] for row in states)
    assert len({row["code"] for row in states}) == 54
    assert all(re.fullmatch("[A-Z]{2}", row["code"]) for row in states)
    assert Counter(row["kind"] for row in states) == {"state": 50, "district": 1, "territory": 3}
    assert codes(states, "kind", "territory") == ISLANDS


def test_only_the_district_answers_to_the_president(states):
    assert codes(states, "consent_authority", "president") == {"DC"} == codes(states, "kind", "district")
    assert len(codes(states, "consent_authority", "governor")) == 53


def test_strength_adds_up(states):
    assert all(int(row["arng"]) > 0 and int(row["ang"]) > 0 for row in states)
    assert all(int(row["strength"]) == int(row["arng"]) + int(row["ang"]) for row in states)
    assert sum(int(row["strength"]) for row in states) == 426_226
    assert sum(int(row["strength"]) for row in states if row["code"] != "DC") == 424_048


def test_only_the_army_guard_of_the_islands_is_stale(states):
    assert codes(states, "strength_quality", "stale") == ISLANDS == codes(states, "arng_as_of", "2022-09-30")
    assert len(codes(states, "strength_quality", "reported")) == 51 == len(codes(states, "arng_as_of", "2025-03-31"))
    assert {row["ang_as_of"] for row in states} == {"2025-03-31"}


def test_sides(states):
    fifty = [row for row in states if row["kind"] == "state"]
    assert Counter(row["party_2025_05"] for row in fifty) == {"republican": 27, "democratic": 23}
    assert Counter(row["party_2018_05"] for row in fifty) == {"republican": 33, "democratic": 16, "independent": 1}
    for column in ("party_2025_05", "party_2018_05"):
        assert {row[column] for row in states} <= {"republican", "democratic", "independent"}


def test_margins_are_missing_on_the_islands_only(states):
    for column in ("margin_2024", "margin_2016"):
        assert codes(states, column, "") == ISLANDS
        assert all(-100 <= float(row[column]) <= 100 for row in states if row[column])


def test_regions_border_and_strip(states):
    assert Counter(row["region"] for row in states) == {
        "Northeast": 9,
        "Midwest": 12,
        "South": 17,
        "West": 13,
        "Islands": 3,
    }
    assert codes(states, "region", "Islands") == ISLANDS
    assert codes(states, "on_border", "1") == {"CA", "AZ", "NM", "TX"}
    assert codes(states, "in_strip", "1") == {"AZ", "NM", "CA"}


def test_ballot_prior_position_and_host_law(states):
    assert codes(states, "on_ballot", "1") == ON_BALLOT
    assert codes(states, "prior_position", "1") == PRIOR_POSITION
    assert codes(states, "prior_position", "-1") == set()
    assert codes(states, "host_law", "bars") == HOST_LAW
    for column, values in {
        "on_border": {"0", "1"},
        "in_strip": {"0", "1"},
        "on_ballot": {"0", "1"},
        "prior_position": {"-1", "0", "1"},
        "host_law": {"bars", "unknown"},
    }.items():
        assert {row[column] for row in states} <= values


# --- borders and disasters


def test_borders(states):
    rows = table("adjacency.csv")
    assert list(rows[0]) == ["code_a", "code_b"]
    pairs = [(row["code_a"], row["code_b"]) for row in rows]
    assert len(pairs) == 107 == len({frozenset(pair) for pair in pairs})
    assert pairs == sorted(pairs)
    assert all(a < b for a, b in pairs)
    neighbors = {row["code"]: set() for row in states}
    for a, b in pairs:
        neighbors[a].add(b)
        neighbors[b].add(a)
    assert sum(map(len, neighbors.values())) == 214
    assert all(a in neighbors[b] for a in neighbors for b in neighbors[a])
    assert {code for code in neighbors if not neighbors[code]} == ISLANDS | {"AK", "HI"}
    assert "CO" not in neighbors["AZ"] and "UT" not in neighbors["NM"]  # these touch at a corner only


def test_disasters(states):
    rows = table("disasters.csv")
    assert list(rows[0]) == ["code", "month", "declared", "major"]
    expected = [(row["code"], str(month)) for row in states for month in range(1, 13)]
    assert [(row["code"], row["month"]) for row in rows] == expected
    assert len(rows) == 648
    assert all(0 <= float(row["major"]) <= float(row["declared"]) for row in rows)
    assert sum(float(row["declared"]) for row in rows) == pytest.approx(123.45)
    assert sum(float(row["major"]) for row in rows) == pytest.approx(60.60)


# --- the legal table


def sources_are_whole(sources):
    return bool(sources) and all(
        set(source) == {"title", "url"} and source["title"] and source["url"].startswith("http") for source in sources
    )


def test_legal_table_is_dated_and_not_advice(statuses):
    assert set(statuses) == {"dated", "notice", "statuses", "border_strip", "arrest_authority"}
    assert statuses["dated"] == "2025-05-15"
    assert statuses["notice"].startswith("Not legal advice.")
    assert "Volunteers only" in statuses["notice"]
    assert list(statuses["statuses"]) == list(ROLE_TABLE)


@pytest.mark.parametrize("name", list(ROLE_TABLE))
def test_legal_status(statuses, name):
    status = statuses["statuses"][name]
    texts = ["title", "statute", "note", "contested"]
    assert set(status) == {*texts, *CONSENT_KEYS, "sources", "roles", "roles_across_state_lines"}
    assert all(status[key].strip() for key in texts)
    assert tuple(status[key] for key in CONSENT_KEYS) == CONSENT_TABLE[name]
    assert sources_are_whole(status["sources"])
    words = {"o": "open", "c": "closed", "?": "contested"}
    for key, letters in zip(("roles", "roles_across_state_lines"), ROLE_TABLE[name]):
        assert list(status[key]) == ROLES
        assert list(status[key].values()) == [words[letter] for letter in letters]


def test_both_readings_have_equal_length(statuses):
    texts = [status["contested"] for status in statuses["statuses"].values()] + [statuses["border_strip"]["note"]]
    for text in texts:
        readings = re.findall(r"One reading: (.+?) Another reading: (.+?\.)(?= |$)", text)
        assert len(readings) == text.count("One reading:") == text.count("Another reading:") > 0
        for one, another in readings:
            assert abs(len(one.split()) - len(another.split())) <= 2, (one, another)


def test_border_strip_and_arrest_authority(statuses, states):
    strip = statuses["border_strip"]
    assert strip["allowed_roles"] == ["support"]
    assert strip["states"] == ["AZ", "NM", "CA"]
    assert set(strip["states"]) == codes(states, "in_strip", "1")
    assert strip["transferred_by_april_2025"] == ["NM"]
    assert strip["host_consent"] == "contested"
    assert sources_are_whole(strip["sources"])
    arrest = statuses["arrest_authority"]
    assert arrest["gates"] == ["enforcement"]
    assert "federal supervision" in arrest["note"]
    assert sources_are_whole(arrest["sources"])


# --- the claims


def test_claims_in_order_each_with_a_use():
    book = toml("claims.toml")
    assert set(book["source"]) == {"title", "date", "note"}
    assert book["source"]["date"] == "2025-05"
    claims = book["claims"]
    assert [claim["id"] for claim in claims] == [f"T{number}" for number in range(1, 24)]
    for claim in claims:
        assert set(claim) <= {"id", "claim", "parameters", "use", "shown"}
        assert 1 <= claim["claim"].count(".") <= 2, claim["id"]
        assert claim.get("parameters") or claim.get("use"), claim["id"]
        assert len(set(claim.get("parameters", []))) == len(claim.get("parameters", []))
        assert all(re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", name) for name in claim.get("parameters", []))
        assert claim.get("use", "context") == "context"
        assert ("use" in claim) == ("shown" in claim)
        assert claim.get("shown", "timeline") in SHOWN
    assert {claim["shown"] for claim in claims if "shown" in claim} == SHOWN


def test_claims_name_parameters_that_exist():
    register = toml("parameters.toml")
    for claim in toml("claims.toml")["claims"]:
        missing = [name for name in claim.get("parameters", []) if name not in register]
        assert not missing, (claim["id"], missing)
