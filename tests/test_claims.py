"""The claims: each sentence of the text behind the simulator is carried by parameters that exist and are read, or is shown."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sim.parameters import register

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
CLAIMS = {row["id"]: row for row in tomllib.loads((SEEDS / "claims.toml").read_text(encoding="utf-8"))["claims"]}
WANTED = [f"T{number}" for number in range(1, 24)]


def test_no_claim_is_left_out_or_made_up() -> None:
    assert list(CLAIMS) == WANTED


@pytest.mark.parametrize("claim", WANTED)
def test_a_claim_is_carried_by_parameters_that_are_read_or_is_shown(
    claim: str, parameters_read: frozenset[str]
) -> None:
    row: dict[str, Any] = CLAIMS[claim]
    carried = [name for name in row.get("parameters", []) if not name.startswith("context.")]
    assert set(row.get("parameters", [])) <= set(register())
    assert set(carried) <= parameters_read
    # What no rule carries, the app shows in a named place.
    assert carried or (row.get("use") == "context" and row.get("shown"))


def test_a_source_that_points_to_a_claim_points_to_one_that_exists() -> None:
    for name, entry in register().items():
        told = f"{entry.source} {entry.note}".split("source text, claim ")[1:]
        cited = [text.split()[0].rstrip(".,;:)") for text in told]
        assert set(cited) <= set(WANTED), name
        is_context = name.startswith("context.")
        assert not is_context or name in CLAIMS[cited[0]]["parameters"]
