"""Facts of one state: what seeds/ holds of it, each with its source, as `seeds/README.md` names it."""

import csv
import re
from dataclasses import dataclass
from functools import cache

from sim.parameters import SEEDS
from sim.world import REGIONS, legal_table, load_world

SIDES = {1: "the requester's side", -1: "the other side", 0: "neither side"}
POSITIONS = {1: "joined the governors' statement", 0: "none, or not looked up", -1: "a public statement against"}


@dataclass(frozen=True)
class Fact:
    """One thing known of a state: what it is, its value as it is read, and where it comes from (Markdown of our own)."""

    label: str
    value: str
    source: str


@cache
def _row(code: str) -> dict[str, str]:
    """The row of a state in states.csv."""
    with (SEEDS / "states.csv").open(encoding="utf-8", newline="") as file:
        return next(row for row in csv.DictReader(file) if row["code"] == code)


@cache
def source_of(file: str, column: str) -> str:
    """Where a column of a seed file comes from; "the same" is what stands in the line above."""
    text = (SEEDS / "README.md").read_text(encoding="utf-8")
    part = text.split(f"\n## {file}\n", 1)[1].split("\n## ", 1)[0]
    source = ""
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("| `") or len(cells) < 5:
            continue
        # "above" points into a list that is not shown with it.
        source = source if cells[3] == "the same" else cells[3].replace(" above", "")
        if f"`{column}`" in re.findall(r"`[^`]+`", cells[0]):
            return source
    raise KeyError(f"{file}: {column}")


def facts(code: str, requester: str) -> list[Fact]:
    """What is known of one state, as a requester of the given party sees it."""
    world, row = load_world(requester), _row(code)
    k = world.position(code)
    state = world.states[k]
    stale = "" if row["strength_quality"] == "reported" else f"; the Army Guard's count is of {row['arng_as_of']}"

    def fact(label: str, value: str, column: str, file: str = "states.csv") -> Fact:
        return Fact(label, value, source_of(file, column))

    found = [
        fact(
            "Guard members",
            f"{state.strength:,} (Army {int(row['arng']):,}, Air {int(row['ang']):,}) on {row['ang_as_of']}{stale}",
            "strength",
        ),
        fact("Who can agree or decline", row["consent_authority"], "consent_authority"),
    ]
    if state.has_governor:
        found += [
            fact("The governor in May 2025 belongs to", SIDES[state.side], "party_2025_05"),
            fact("May stand again by November 2026", _yes(state.on_ballot), "on_ballot"),
            fact("Public position before May 2025", POSITIONS[state.prior_position], "prior_position"),
        ]
    margin = (
        f"{10 * state.margin:+.1f} points toward the requester's party"
        if row["margin_2024"]
        else "no vote for President"
    )
    near = ", ".join(world.codes[j] for j in world.neighbors[k]) or "none"
    yearly = _disasters_a_year(code)
    found += [
        fact("Last presidential vote", margin, "margin_2024"),
        fact("Region", REGIONS[state.region], "region"),
        fact("Land borders with", near, "code_a", "adjacency.csv"),
        fact("On the border with Mexico", _yes(state.on_border), "on_border"),
        fact("Holds part of the border strip", _yes(state.in_strip), "in_strip"),
        fact("Its law bars outside forces", "yes" if state.bars_outsiders else "not known", "host_law"),
        fact("Major disasters declared a year", f"{yearly:.2f}, mean of 2005-2024", "major", "disasters.csv"),
    ]
    return found


def law(status: str) -> list[Fact]:
    """What the legal status asked for leaves to any governor."""
    table = legal_table()["statuses"][status]
    source = "; ".join(f"{row['title']}, <{row['url']}>" for row in table["sources"])
    asks = (("Governor may refuse", "governor_may_refuse"), ("Governor may withdraw", "governor_may_withdraw"))
    return [Fact(f"{words} under {table['title']}", str(table[key]), source) for words, key in asks]


def _yes(is_so: int | bool) -> str:
    return "yes" if is_so else "no"


@cache
def _disasters_a_year(code: str) -> float:
    """Major disaster declarations a year."""
    with (SEEDS / "disasters.csv").open(encoding="utf-8", newline="") as file:
        return sum(float(row["major"]) for row in csv.DictReader(file) if row["code"] == code)
