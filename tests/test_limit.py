"""The loop written by hand for the baseline gives the numbers of the compiled engine, and refuses what it cannot play."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks.by_hand.layout import ROOM
from benchmarks.limit import Limit
from sim import compiled
from sim.scenario import Scenario
from sim.scenario_files import load

SCENARIOS = sorted((Path(__file__).resolve().parents[1] / "scenarios").glob("*.toml"))
BASELINE = next(path for path in SCENARIOS if path.stem == "baseline")


def assert_same(limit: Limit, scenario: Scenario, seed: int, runs: range) -> None:
    """Every national total of every day, the last status of every state and the day of approval."""
    series, last, approval = limit.play(seed, np.array(runs, np.uint64))
    chunk = compiled.chunk(scenario, seed, [(r, r) for r in runs])
    different = np.argwhere(series != chunk.series)
    assert not len(different), f"run, series and day of the first difference: {different[0]}"
    assert np.array_equal(last, chunk.last_status)
    assert np.array_equal(approval, chunk.approval)


def test_the_baseline_is_equal_to_the_last_person() -> None:
    scenario = load(BASELINE)
    limit = Limit(scenario)
    assert_same(limit, scenario, 1, range(200))
    # The room is left as it was found, so what is played next does not depend on what was played before.
    for name in ("place", "came", "wait", "disaster"):
        assert name in (ROOM.names or ()) and not limit.room[name].any(), name
    assert_same(limit, scenario, 2**64 - 1, range(30))
    assert_same(limit, scenario, 1, range(7, -1, -1))


@pytest.mark.parametrize("path", [path for path in SCENARIOS if path != BASELINE], ids=lambda path: path.stem)
def test_another_scenario_is_refused_or_equal(path: Path) -> None:
    scenario = load(path)
    try:
        limit = Limit(scenario)
    except ValueError as error:
        assert "the limit plays the baseline alone: " in str(error)
        return
    assert_same(limit, scenario, 3, range(20))


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("bundled_request", "it asks for all or nothing"),
        ("court_order", "dated shocks"),
        ("enforcement_included", "its roles are not the first four"),
        ("federalized_counterfactual", "it federalizes"),
    ],
)
def test_what_is_beyond_the_limit_is_told(stem: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Limit(load(BASELINE.with_stem(stem)))
