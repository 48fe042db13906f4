"""Both engines are one model: equal in every count, status, day, role and reason, run by run; and a planted error shows."""

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import compiled, luck, model
from sim.ensemble import run_ensemble
from sim.parameters import ROLES, free_parameters
from sim.results import ENTERED, Decision, Run
from sim.scenario import Change
from sim.scenario_files import load
from sim.setting import Setting, setting_of
from sim.world import load_world
from tests import strategies
from tests.plays import WILLING, accept, setting, sizes

pytest.importorskip("numba")
SCENARIOS = sorted((Path(__file__).resolve().parents[1] / "scenarios").glob("*.toml"))
# `ENGINES_EXAMPLES=5000 make test` looks longer.
EXAMPLES = int(os.environ.get("ENGINES_EXAMPLES", "300"))


def rows(decisions: list[Decision]) -> list[Any]:
    """Decisions in an order that does not depend on which state spoke first on a day; NaN equals NaN."""
    told = sorted(decisions, key=lambda d: (d.day, d.state))
    return [tuple(None if isinstance(x, float) and math.isnan(x) else x for x in d) for d in told]


def assert_same(a: Run, b: Run) -> None:
    """Two runs agree in everything but the event log."""
    for name in ("people", "status", "permitted", "officers", "below_reserve", "missing"):
        here, there = getattr(a, name), getattr(b, name)
        if not np.array_equal(here, there):
            raise AssertionError(f"{name} differs first at {np.argwhere(here != there)[0].tolist()}")
    assert rows(a.decisions) == rows(b.decisions)
    assert (a.approval_day, a.p, a.codes, a.draw, a.replication) == (
        b.approval_day,
        b.p,
        b.codes,
        b.draw,
        b.replication,
    )
    assert a.hash == b.hash


def assert_engines_agree(setting: Setting, replication: int) -> None:
    assert_same(model.run(setting, replication), compiled.run(setting, replication))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("draw", "replication"), [(None, 3), (0, 0), (7, 7)])
def test_every_scenario_file_gives_the_same_runs(path: Path, draw: int | None, replication: int) -> None:
    assert_engines_agree(setting_of(load(path), 1, draw), replication)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_valid_scenario_gives_the_same_run(data: st.DataObject) -> None:
    codes = data.draw(strategies.worlds())
    scenario = data.draw(strategies.scenarios(codes))
    world = load_world(str(scenario.value("request.party"))).subset(codes)
    seed, draw = data.draw(st.integers(0, 2**64 - 1)), data.draw(st.none() | st.integers(0, 9))
    assert_engines_agree(setting_of(scenario, seed, draw, world), data.draw(st.integers(0, 1_000)))


def test_people_are_split_by_the_sizes_of_the_evening_before() -> None:
    # More have come than are sought, so that the sizes alone decide; on day 3 they change.
    played = setting(
        WILLING
        | {"request.target": 100, "volunteers.share": 0.02, "volunteers.pace": 0.2}
        | sizes(support=100, transport=300),
        "TX",
        6,
        answers=[accept("TX", 0, 300)],
        changes=[Change(3, {"request.roles.support": 300})],
    )
    assert_engines_agree(played, 0)
    came = np.diff(compiled.run(played, 0).people[:, 0, :, ENTERED], axis=0)
    support, transport = came[:, ROLES.index("support")], came[:, ROLES.index("transport")]
    assert support[2] == pytest.approx(transport[2] / 3, abs=1)
    assert support[3] == pytest.approx(transport[3], abs=1)
    assert support[2] > 3


# No shock, no change, nothing by court: governors sleep until luck may reach them.
CALM: dict[str, Any] = {
    "federalize.day": "never",
    "court.clock": False,
    "court.federal_clock": False,
    "incident.random": False,
}


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_governors_who_sleep_wake_on_time(data: st.DataObject) -> None:
    codes = data.draw(strategies.worlds())
    scenario = data.draw(strategies.scenarios(codes))
    moved = {
        "withdraw.base": data.draw(st.floats(-6.0, 0.0)),
        "decide.conviction": data.draw(st.floats(0.0, 1.0)),
        "support.load": data.draw(st.floats(0.0, 2.0)),
        "disaster.rate": data.draw(st.floats(0.0, 10.0)),
    }
    calm = replace(scenario, shocks=(), changes=()).with_values(CALM | moved)
    world = load_world(str(scenario.value("request.party"))).subset(codes)
    draw = data.draw(st.none() | st.integers(0, 9))
    assert_engines_agree(setting_of(calm, 1, draw, world), data.draw(st.integers(0, 1_000)))


@pytest.mark.parametrize("name", ["baseline", "federalized_counterfactual"])
@pytest.mark.parametrize("draws", [None, 0, 3])
def test_ensembles_are_the_same_arrays(name: str, draws: int | None) -> None:
    scenario = load(SCENARIOS[0].with_name(f"{name}.toml")).with_values({}, 60)
    plan = {"draws": draws, "replications": 12 if draws is None else 4}
    a, b = (run_ensemble(scenario, 5, **plan, engine=engine) for engine in ("simpy", "compiled"))
    assert (a.engine, b.engine) == ("simpy", "compiled")
    for array in ("series", "status_counts", "last_status", "numbers", "approval", "hashes", "done"):
        assert np.array_equal(getattr(a, array), getattr(b, array)), array
    assert a.digest == b.digest
    assert a.luck_share == b.luck_share


def test_threads_and_their_number_change_nothing() -> None:
    scenario = load(SCENARIOS[0]).with_values({}, 40)
    one, two = (run_ensemble(scenario, 1, replications=600, jobs=jobs, engine="compiled") for jobs in (1, 2))
    assert one.digest == two.digest
    assert np.array_equal(one.status_counts, two.status_counts)


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    st.integers(0, 100),
    st.integers(0, 2**32 - 1),
)
def test_scalar_luck_is_luck_in_blocks(seed: int, replication: int, purpose: int, state: int, index: int) -> None:
    words = [np.uint64(x) for x in (*luck.key_of(seed), replication, purpose, state, index)]
    assert list(luck.block(*words)) == luck.draws(seed, replication, purpose, state, index).tolist()


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_drawn_numbers_are_those_of_a_setting(seed: int) -> None:
    for path in SCENARIOS:
        scenario = load(path)
        values = compiled.drawn(compiled.packed(scenario), seed, [None, 0, 1, 2**31 - 1])
        for row, draw in zip(values, (None, 0, 1, 2**31 - 1), strict=True):
            of = setting_of(scenario, seed, draw)
            assert row[0].tolist() == list(of.levers[0].p)
            assert row[-1].tolist() == list(of.levers[-1].p)
    assert free_parameters({}, {})
