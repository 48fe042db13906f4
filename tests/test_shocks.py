"""Shocks: each kind strikes on its day and not before, does what it says and no more, and random ones keep their rates."""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sim import luck
from sim.model import run
from sim.parameters import ROLES, Value, numbers, register
from sim.scenario import Scenario
from sim.setting import setting_of
from sim.shocks import (
    ALL_ROLES,
    AnyShock,
    Appeal,
    Clarification,
    CourtOrder,
    Disaster,
    Forces,
    FundingLapse,
    Incident,
    Shock,
    Turnover,
    forces_of,
)
from sim.world import World, load_world

KINDS = AnyShock.__origin__.__args__  # type: ignore[attr-defined]
# Texas and Tennessee on the requester's side, California on the other, DC without a governor; in FIPS order CA, DC, TN, TX.
SMALL = load_world().subset(["TX", "TN", "CA", "DC"])
CA, DC, TN, TX = range(4)
N_DAYS = 61
START = date(2025, 5, 15)

# For each kind, what a scenario may say beside the day, and the fields of Forces that it moves.
SAMPLES: dict[type[Shock], tuple[dict[str, Any], set[str]]] = {
    Incident: ({"kind": "incident", "size": -1.0}, {"jump", "shock", "burst"}),
    Clarification: ({"kind": "clarification", "ambiguity": 0.1}, {"ambiguity"}),
    CourtOrder: ({"kind": "court_order", "roles": ["detention"], "stay": 5}, {"closed", "burst"}),
    Disaster: ({"kind": "disaster", "state": "TX", "size": 0.2, "days": 3}, {"disaster"}),
    FundingLapse: ({"kind": "funding_lapse", "days": 4}, {"lapse"}),
    Turnover: ({"kind": "turnover", "state": "TX", "side": "other_side"}, {"turnovers"}),
    Appeal: ({"kind": "appeal", "same_side": 0.5, "other_side": -0.5}, {"jump", "shock"}),
}
DAILY = ("jump", "shock", "burst", "closed", "disaster", "ambiguity", "lapse", "suspended")
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def forces(
    *shocks: Shock,
    world: World = SMALL,
    n_days: int = N_DAYS,
    replication: int = 0,
    approval_day: int | None = None,
    federal_day: int | None = None,
    start: date = START,
    **values: Value,
) -> Forces:
    """The course of some shocks in a small world, without random disasters unless their rate is given."""
    plain = {name: entry.value for name, entry in register().items()} | {"disaster.rate": 0.0}
    plain |= {name.replace("__", "."): value for name, value in values.items()}
    return forces_of(world, numbers(plain), shocks, [0.7] * n_days, start, 1, replication, approval_day, federal_day)


def sample(kind: type[Shock], day: int) -> Shock:
    return kind(day=day, **SAMPLES[kind][0])


def moved(here: Forces, there: Forces) -> dict[str, int]:
    """The fields that differ, each with the first day on which it does."""
    days = {}
    for name in DAILY:
        differs = (getattr(here, name) != getattr(there, name)).reshape(here.n_days, -1).any(axis=1)
        if differs.any():
            days[name] = int(differs.argmax())
    turned = [
        day
        for day in here.turnovers.keys() | there.turnovers.keys()
        if here.turnovers.get(day) != there.turnovers.get(day)
    ]
    return days | ({"turnovers": min(turned)} if turned else {})


# --- The contract of every kind


def test_every_kind_has_a_sample_and_every_effect_is_looked_at() -> None:
    assert set(SAMPLES) == set(KINDS)
    told = {name for _, names in SAMPLES.values() for name in names} | {"suspended"}
    assert told == set(DAILY) | {"turnovers"}
    given_at_birth = {"world", "p", "n_days", "seed", "replication", "log"}
    assert {field.name for field in fields(Forces)} == told | given_at_birth


@every_kind
@given(day=st.integers(0, N_DAYS - 1))
def test_a_shock_strikes_on_its_day_and_not_before(kind: type[Shock], day: int) -> None:
    struck = forces(sample(kind, day))
    assert moved(struck, forces()) == dict.fromkeys(SAMPLES[kind][1], day)
    assert [(row[0], row[1]) for row in struck.log] == [(day, SAMPLES[kind][0]["kind"])]


@every_kind
@given(first=st.integers(0, N_DAYS - 1), second=st.integers(0, N_DAYS - 1), other=st.sampled_from(KINDS))
def test_a_second_shock_never_touches_days_before_it(
    kind: type[Shock], first: int, second: int, other: type[Shock]
) -> None:
    alone, both = forces(sample(other, first)), forces(sample(other, first), sample(kind, second))
    assert all(day >= second for day in moved(both, alone).values())
    assert [row[0] for row in both.log] == sorted([first, second])


@every_kind
@given(day=st.integers(0, N_DAYS - 1))
def test_a_longer_run_has_the_same_beginning(kind: type[Shock], day: int) -> None:
    short, long = forces(sample(kind, day)), forces(sample(kind, day), n_days=N_DAYS + 30)
    for name in DAILY:
        assert np.array_equal(getattr(short, name), getattr(long, name)[:N_DAYS])


@every_kind
def test_a_shock_changes_no_run_before_its_day(kind: type[Shock]) -> None:
    plain = Scenario("plain", "", "", days=60)
    struck = Scenario("struck", "", "", days=60, shocks=(sample(kind, 35),))
    before, after = (run(setting_of(scenario, 1, None, SMALL), 3) for scenario in (plain, struck))
    assert before.people[:35].sum() > 0
    for name in ("people", "status", "permitted", "officers"):
        assert np.array_equal(getattr(before, name)[:35], getattr(after, name)[:35])


@every_kind
def test_a_shock_takes_a_day_and_no_unknown_key(kind: type[Shock]) -> None:
    words = SAMPLES[kind][0]
    for wrong in ({}, {"day": -1}, {"day": 1826}, {"day": 3.5}, {"day": True}, {"day": 3, "unheard": 1}):
        with pytest.raises(ValidationError):
            kind(**words, **wrong)
    assert TypeAdapter(AnyShock).validate_python({**words, "day": 3}) == sample(kind, 3)


# --- Incidents and appeals


@given(st.floats(-10, 10), st.integers(0, N_DAYS - 1))
def test_an_incident_up_mirrors_the_same_incident_down(size: float, day: int) -> None:
    up, down = (forces(Incident(kind="incident", day=day, size=x)) for x in (size, -size))
    assert np.array_equal(up.shock, -down.shock)
    assert np.array_equal(up.jump, -down.jump)
    # Only bad news lets governors withdraw.
    assert (up.burst.any(), down.burst.any()) == (size < 0, size > 0)


@given(st.lists(st.tuples(st.integers(0, N_DAYS - 1), st.floats(-3, 3)), min_size=1, max_size=5), st.floats(1.0, 200.0))
def test_jumps_fade_exponentially_and_add_up(jumps: list[tuple[int, float]], fade: float) -> None:
    struck = forces(*(Incident(kind="incident", day=day, size=size) for day, size in jumps), support__fade=fade)
    for t in range(N_DAYS):
        expected = sum(size * math.exp(-(t - day) / fade) for day, size in jumps if t >= day)
        assert struck.shock[t] == pytest.approx([expected] * 4, abs=1e-9)


def test_an_incident_fades_to_a_third_in_its_fading_time() -> None:
    struck = forces(Incident(kind="incident", day=10, size=-2.0))
    assert struck.shock[9].tolist() == [0.0] * 4
    assert struck.shock[10].tolist() == [-2.0] * 4
    assert struck.shock[40] == pytest.approx([-2.0 / math.e] * 4)
    assert struck.burst[:, TX].nonzero()[0].tolist() == [10, 11, 12]


@pytest.mark.parametrize(
    ("reach", "reached"),
    [
        ("all", [CA, DC, TN, TX]),
        ("same_side", [TN, TX]),
        ("other_side", [CA]),
        (["TX", "CA"], [CA, TX]),
        (["DC"], [DC]),
    ],
)
def test_reach_names_sides_or_states(reach: str | list[str], reached: list[int]) -> None:
    struck = forces(Incident(kind="incident", day=5, size=-1.0, states=reach))
    assert struck.jump[5].nonzero()[0].tolist() == reached
    assert struck.burst[5].nonzero()[0].tolist() == reached
    assert struck.log[0][2] == tuple(reached)


def test_without_a_size_the_registers_is_used() -> None:
    struck = forces(Incident(kind="incident", day=1), incident__size=0.25)
    assert struck.jump[1].tolist() == [0.25] * 4


def test_an_appeal_moves_each_side_its_own_way_and_dc_not_at_all() -> None:
    struck = forces(Appeal(kind="appeal", day=4, same_side=0.5, other_side=-0.75))
    assert struck.jump[4].tolist() == [-0.75, 0.0, 0.5, 0.5]
    assert not struck.burst.any()


# --- Clarifications, lapses, turnovers


@given(st.lists(st.tuples(st.integers(0, N_DAYS - 1), st.floats(0, 1)), min_size=1, max_size=4))
def test_ambiguity_only_ever_falls(steps: list[tuple[int, float]]) -> None:
    struck = forces(*(Clarification(kind="clarification", day=day, ambiguity=level) for day, level in steps))
    assert struck.ambiguity.tolist() == [
        min([0.7, *(level for day, level in steps if day <= t)]) for t in range(N_DAYS)
    ]


@given(st.integers(0, N_DAYS - 1), st.integers(1, 100))
def test_a_lapse_lasts_its_days(day: int, days: int) -> None:
    struck = forces(FundingLapse(kind="funding_lapse", day=day, days=days))
    assert struck.lapse.nonzero()[0].tolist() == [t for t in range(N_DAYS) if day <= t < day + days]


@pytest.mark.parametrize(("side", "expected"), [("same_side", 1), ("other_side", -1), ("neither", 0), (None, -1)])
def test_a_turnover_names_the_new_side_or_keeps_the_old(side: Any, expected: int) -> None:
    struck = forces(Turnover(kind="turnover", day=7, state="CA", side=side))
    assert struck.turnovers == {7: [(CA, expected)]}


# --- Courts


@given(
    st.integers(0, N_DAYS - 1),
    st.lists(st.sampled_from(ROLES), min_size=1, max_size=5),
    st.sampled_from(["all", "same_side", "other_side", ["TX"], ["CA", "DC"]]),
    st.integers(0, 80) | st.just("never"),
)
def test_a_court_order_closes_exactly_its_roles_states_and_days(
    day: int, roles: list[Any], states: Any, stay: Any
) -> None:
    struck = forces(CourtOrder(kind="court_order", day=day, roles=roles, states=states, stay=stay))
    end = N_DAYS if stay == "never" else day + stay
    reached = {"all": [CA, DC, TN, TX], "same_side": [TN, TX], "other_side": [CA]}.get(
        states if isinstance(states, str) else "",
        [SMALL.codes.index(code) for code in states] if isinstance(states, list) else [],
    )
    for t in range(N_DAYS):
        for k in range(4):
            names = {role for r, role in enumerate(ROLES) if struck.closed[t, k] & 2**r}
            assert names == (set(roles) if day <= t < end and k in reached else set())
    assert struck.burst.any(axis=0).nonzero()[0].tolist() == sorted(reached)


def test_an_order_without_roles_closes_all_and_orders_add_up() -> None:
    both = forces(
        CourtOrder(kind="court_order", day=3, roles="all", states=["TX"], stay=2),
        CourtOrder(kind="court_order", day=4, roles=["detention"], states=["TX", "CA"], stay=3),
    )
    assert both.closed[2:8, TX].tolist() == [0, ALL_ROLES, ALL_ROLES, 8, 8, 0]
    assert both.closed[2:8, CA].tolist() == [0, 0, 8, 8, 8, 0]


def closed_days(chance: float, replication: int, order: int = 0) -> int:
    """Days that an order with a stay by chance holds, in a run of 100 days, after so many others of the same day."""
    others = [CourtOrder(kind="court_order", day=5, states=["CA"], stay="never")] * order
    struck = forces(
        *others,
        CourtOrder(kind="court_order", day=5, states=["TX"]),
        n_days=100,
        replication=replication,
        court__stay_chance=chance,
    )
    return int((struck.closed[:, TX] > 0).sum())


def test_a_stay_by_chance_comes_never_always_or_by_its_chance() -> None:
    assert {closed_days(0.0, r) for r in range(20)} == {95}
    always = [closed_days(1.0, r) for r in range(300)]
    assert min(always) < 3 and max(always) > 15 and max(always) <= 21
    # The mean of triangular(0, 7, 21), whose variance is 19.06; 4 standard errors, and rounding adds none to the mean.
    assert np.mean(always) == pytest.approx(28 / 3, abs=4 * math.sqrt(19.06 / 300))
    # Of 300 orders 0.7 are stayed; 4 standard errors of a share.
    stayed = np.mean([closed_days(0.7, r) < 95 for r in range(300)])
    assert stayed == pytest.approx(0.7, abs=4 * math.sqrt(0.21 / 300))


def test_each_order_has_its_own_luck() -> None:
    assert len({closed_days(1.0, 0, order) for order in range(12)}) > 3


def test_another_kind_of_shock_shifts_no_orders_luck() -> None:
    order = CourtOrder(kind="court_order", day=5, states=["TX"])
    alone = forces(order, n_days=100, court__stay_chance=1.0)
    beside = forces(
        Clarification(kind="clarification", day=2, ambiguity=1.0), order, n_days=100, court__stay_chance=1.0
    )
    assert (alone.closed == beside.closed).all()
    assert alone.closed.any()


# --- Disasters


def test_a_disaster_takes_its_share_for_its_days_in_its_state() -> None:
    struck = forces(Disaster(kind="disaster", day=8, state="TN", size=0.25, days=3))
    assert struck.disaster[7:12, TN].tolist() == [0.0, 0.25, 0.25, 0.25, 0.0]
    assert struck.disaster[:, [CA, DC, TX]].sum() == 0.0


def test_without_size_and_days_the_registers_are_used() -> None:
    struck = forces(Disaster(kind="disaster", day=8, state="TN"), disaster__size=0.03, disaster__days=6)
    assert struck.disaster[:, TN].nonzero()[0].tolist() == list(range(8, 14))
    assert set(struck.disaster[8:14, TN]) == {0.03}


@given(st.lists(st.tuples(st.integers(0, N_DAYS - 1), st.floats(0.01, 1), st.integers(1, 30)), min_size=1, max_size=6))
def test_disasters_add_up_to_at_most_the_registers_share_of_a_guard(rows: list[tuple[int, float, int]]) -> None:
    dated = [Disaster(kind="disaster", day=day, state="TX", size=size, days=days) for day, size, days in rows]
    struck, capped = forces(*dated), forces(*dated, disaster__most=0.2)
    for t in range(N_DAYS):
        at_once = sum(size for day, size, days in rows if day <= t < day + days)
        assert struck.disaster[t, TX] == pytest.approx(min(at_once, 0.5))
        assert capped.disaster[t, TX] == pytest.approx(min(at_once, 0.2))


def declared_a_day() -> dict[tuple[str, int], float]:
    """Major declarations a day by state and month, from the seeds; February counts 28 days."""
    path = Path(__file__).resolve().parents[1] / "seeds" / "disasters.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    days = {month: (date(2025 + month // 12, month % 12 + 1, 1) - date(2025, month, 1)).days for month in range(1, 13)}
    return {(row["code"], int(row["month"])): float(row["major"]) / days[int(row["month"])] for row in rows}


def test_random_disasters_come_at_the_rates_of_past_declarations() -> None:
    # At most one a day and state, so the chance of a day is 1 - exp(-rate); 40 lucks, tolerance 4 standard deviations.
    world, rates, n_lucks, n_days = load_world(), declared_a_day(), 40, 184
    calendar = [START + timedelta(days=day) for day in range(n_days)]
    came = [forces(world=world, n_days=n_days, replication=r, disaster__rate=1.0).log for r in range(n_lucks)]
    where = [world.codes[row[2][0]] for log in came for row in log]
    when = [calendar[row[0]].month for log in came for row in log]
    for codes, months in (
        (world.codes, range(1, 13)),
        (("FL", "LA", "NC"), (8, 9, 10)),
        (("KS", "NE", "IA", "OK", "MO"), (5, 6)),
        (world.codes, (11,)),
    ):
        chances = [1 - math.exp(-rates[code, day.month]) for code in codes for day in calendar if day.month in months]
        expected, variance = n_lucks * sum(chances), n_lucks * sum(x * (1 - x) for x in chances)
        found = sum(code in codes and month in months for code, month in zip(where, when, strict=True))
        assert expected > 30 and found == pytest.approx(expected, abs=4 * math.sqrt(variance)), (codes[0], months)


def test_random_disasters_have_the_median_size_and_the_rate_asked_for() -> None:
    def sizes(rate: float) -> list[float]:
        logs = [forces(world=load_world(), n_days=180, replication=r, disaster__rate=rate).log for r in range(20)]
        return [float(row[3].split()[4]) / 100 for log in logs for row in log]

    once, thrice = sizes(1.0), sizes(3.0)
    # Half of them lie below the median of 2 %: 4 standard errors of a share.
    assert np.mean(np.array(thrice) < 0.02) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(len(thrice)) + 0.01)
    assert len(thrice) == pytest.approx(3 * len(once), abs=4 * math.sqrt(9 * len(once) + len(thrice)))
    assert max(thrice) <= 0.5


def test_random_disasters_of_a_state_do_not_depend_on_the_others() -> None:
    small, whole = (forces(world=world, n_days=180, disaster__rate=20.0) for world in (SMALL, load_world()))
    for k, code in enumerate(SMALL.codes):
        assert small.disaster[:, k].any()
        assert np.array_equal(small.disaster[:, k], whole.disaster[:, load_world().position(code)])


# --- Clocks that run by chance


def test_random_incidents_keep_their_rate_and_reach_everybody() -> None:
    came = [forces(n_days=360, replication=r, incident__random=True, incident__rate=0.05) for r in range(40)]
    chance = 1 - math.exp(-0.05)
    expected = 40 * 360 * chance
    found = sum(len(one.log) for one in came)
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - chance)))
    for one in came:
        for day, _, states, _ in one.log:
            assert states == (CA, DC, TN, TX) and one.jump[day].tolist() == [-1.0] * 4


def first_closed(replication: int, approval_day: int | None, **values: Value) -> int | None:
    struck = forces(n_days=1500, replication=replication, approval_day=approval_day, court__clock=True, **values)
    return struck.log[0][0] if struck.log else None


def test_a_state_law_order_waits_an_exponential_time_from_approval() -> None:
    waits = [first_closed(r, 10) for r in range(400)]
    assert None not in waits
    # Rounded to whole days and at least 1, which adds about 1/132 to the mean of 33; 4 standard errors.
    assert np.mean([day - 10 for day in waits if day is not None]) == pytest.approx(
        33.0, abs=4 * 33 / math.sqrt(400) + 0.02
    )
    assert min(day for day in waits if day is not None) > 10


def test_a_state_law_order_closes_the_contested_roles_where_it_reaches() -> None:
    kept = {"n_days": 1500, "approval_day": 10, "court__clock": True, "court__stay_chance": 0.0}
    everywhere = [forces(replication=r, court__reach=1.0, **kept) for r in range(5)]
    for struck in everywhere:
        day = struck.log[0][0]
        assert struck.log[0][2] == (CA, TN, TX)
        assert set(struck.closed[day:, [CA, TN, TX]].ravel()) == {8 + 16}
        assert not struck.closed[:day].any() and not struck.closed[:, DC].any()
    # Each of three governed states lies within reach with chance 0.3: 4 standard errors of 600 cases.
    reached = np.mean([len(forces(replication=r, court__reach=0.3, **kept).log[0][2]) / 3 for r in range(200)])
    assert reached == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 600))


def test_a_federal_order_suspends_federalization_until_its_stay() -> None:
    for stay_chance in (0.0, 1.0):
        for r in range(30):
            struck = forces(n_days=300, replication=r, federal_day=50, court__stay_chance=stay_chance)
            days = struck.suspended.nonzero()[0].tolist()
            assert all(second == first + 1 for first, second in pairwise(days))
            assert not struck.closed.any()
            if stay_chance == 0.0:
                assert days[0] > 50 and days[-1] == 299
            elif days:
                assert 50 < days[0] and days[-1] - days[0] < 21
    waits = [
        forces(n_days=300, replication=r, federal_day=50, court__stay_chance=0.0).log[0][0] - 50 for r in range(400)
    ]
    # An exponential time with mean 5, rounded and at least 1: sums of its tail, 4 standard errors.
    mean = 1 + sum(math.exp(-(k + 0.5) / 5) for k in range(1, 200))
    assert np.mean(waits) == pytest.approx(mean, abs=4 * 5 / math.sqrt(400))


# --- Shocks that never fire


NEVER: dict[str, Callable[[], Scenario]] = {
    "no rate of incidents": lambda: quiet(values={"incident.random": True, "incident.rate": 0.0}),
    "a court that never hears": lambda: quiet(values={"court.clock": True, "review.approval_chance": 0.0}),
    "no federalization": lambda: quiet(values={"court.federal_clock": False}),
    "an incident of no size": lambda: quiet(shocks=(Incident(kind="incident", day=20, size=0.0),)),
    "an appeal of no size": lambda: quiet(shocks=(Appeal(kind="appeal", day=20),)),
    "a clarification of what is clear": lambda: quiet(
        shocks=(Clarification(kind="clarification", day=20, ambiguity=0.7),)
    ),
    "an incident elsewhere": lambda: quiet(shocks=(Incident(kind="incident", day=20, size=-3.0, states=["DC"]),)),
}


def quiet(values: dict[str, Value] | None = None, shocks: Sequence[Any] = ()) -> Scenario:
    return Scenario("quiet", "", "", days=80, values={"disaster.rate": 0.0, **(values or {})}, shocks=tuple(shocks))


@pytest.mark.parametrize("name", NEVER)
def test_a_shock_that_never_fires_changes_nothing(name: str) -> None:
    scenario = NEVER[name]()
    approval = {"review.approval_chance": scenario.value("review.approval_chance")}
    for replication in range(3):
        changed, plain = (
            run(setting_of(one, 1, None, SMALL), replication) for one in (scenario, quiet(values=approval))
        )
        assert changed.hash == plain.hash
        assert plain.people.sum() > 0 or approval["review.approval_chance"] == 0.0


def test_random_disasters_draw_nobody_elses_luck() -> None:
    here = forces(Incident(kind="incident", day=3), CourtOrder(kind="court_order", day=9), disaster__rate=0.0)
    there = forces(Incident(kind="incident", day=3), CourtOrder(kind="court_order", day=9), disaster__rate=20.0)
    assert set(moved(here, there)) == {"disaster"}


def test_an_exponential_clock_is_the_luck_of_its_court() -> None:
    struck = forces(n_days=1500, approval_day=0, court__clock=True)
    u = luck.draws(1, 0, luck.COURT, 1 << 20, 0)[0]
    assert struck.log[0][0] == max(1, round(-33.0 * math.log(u)))
