"""Results: the hash of a run sees every count, status and role and nothing else; totals by day add up."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sim.parameters import ROLES
from sim.results import (
    IN_PLACE,
    SENDING,
    SERIES,
    STAGES,
    STATUSES,
    Run,
    run_hash,
    series_of,
)

N_DAYS, N_STATES = 4, 3
SHAPE = (N_DAYS, N_STATES, len(ROLES), len(STAGES))
PEOPLE = arrays.arrays(np.int32, SHAPE, elements=st.integers(0, 2**31 - 1))
STATUS = arrays.arrays(np.int8, SHAPE[:2], elements=st.integers(0, len(STATUSES) - 1))
PERMITTED = arrays.arrays(np.int8, SHAPE[:2], elements=st.integers(0, 31))
OFFICERS = arrays.arrays(np.int64, (N_DAYS, 2), elements=st.integers(0, 2**40))
NOBODY = np.zeros((N_DAYS, 2), np.int64)
CELL = st.tuples(*(st.integers(0, n - 1) for n in SHAPE))


@given(people=PEOPLE, status=STATUS, permitted=PERMITTED, cell=CELL, count=st.integers(0, 2**31 - 1))
def test_the_hash_sees_every_single_count(people: Any, status: Any, permitted: Any, cell: Any, count: int) -> None:
    before = run_hash(people, status, permitted, NOBODY)
    changed = people.copy()
    changed[cell] = count
    assert (run_hash(changed, status, permitted, NOBODY) != before) == (count != people[cell])


@given(people=PEOPLE, status=STATUS, permitted=PERMITTED, cell=CELL, code=st.integers(0, len(STATUSES) - 1))
def test_the_hash_sees_every_single_status(people: Any, status: Any, permitted: Any, cell: Any, code: int) -> None:
    before = run_hash(people, status, permitted, NOBODY)
    changed = status.copy()
    changed[cell[:2]] = code
    assert (run_hash(people, changed, permitted, NOBODY) != before) == (code != status[cell[:2]])


@given(people=PEOPLE, status=STATUS, permitted=PERMITTED, cell=CELL, role=st.integers(0, len(ROLES) - 1))
def test_the_hash_sees_every_single_permitted_role(
    people: Any, status: Any, permitted: Any, cell: Any, role: int
) -> None:
    before = run_hash(people, status, permitted, NOBODY)
    changed = permitted.copy()
    changed[cell[:2]] ^= 1 << role
    assert run_hash(people, status, changed, NOBODY) != before


@given(
    people=PEOPLE, officers=OFFICERS, day=st.integers(0, N_DAYS - 1), channel=st.integers(0, 1), n=st.integers(0, 2**40)
)
def test_the_hash_sees_every_officer_of_the_other_channels(
    people: Any, officers: Any, day: int, channel: int, n: int
) -> None:
    still = np.zeros(SHAPE[:2], np.int8)
    changed = officers.copy()
    changed[day, channel] = n
    same = run_hash(people, still, still, changed) == run_hash(people, still, still, officers)
    assert same == (n == officers[day, channel])


def test_the_hash_sees_people_change_their_role_or_stage() -> None:
    status, permitted = np.ones(SHAPE[:2], np.int8), np.ones(SHAPE[:2], np.int8)
    hashes = set()
    for cell in range(len(ROLES) * len(STAGES)):
        people = np.zeros(SHAPE, np.int32)
        people[1, 1].reshape(-1)[cell] = 40
        hashes.add(run_hash(people, status, permitted, NOBODY))
    assert len(hashes) == len(ROLES) * len(STAGES)


@pytest.mark.parametrize("with_people", [False, True])
def test_every_pair_of_a_status_and_roles_hashes_differently(with_people: bool) -> None:
    people = np.full(SHAPE, 7 * with_people, np.int32)
    hashes = set()
    for code in range(len(STATUSES)):
        for roles in range(32):
            status, permitted = np.zeros(SHAPE[:2], np.int8), np.zeros(SHAPE[:2], np.int8)
            status[1, 1], permitted[1, 1] = code, roles
            hashes.add(run_hash(people, status, permitted, NOBODY))
    assert len(hashes) == 32 * len(STATUSES)


@given(people=PEOPLE, status=STATUS, permitted=PERMITTED, a=CELL, b=CELL)
def test_the_hash_sees_two_counts_change_places(people: Any, status: Any, permitted: Any, a: Any, b: Any) -> None:
    changed = people.copy()
    changed[a], changed[b] = people[b], people[a]
    assert (run_hash(changed, status, permitted, NOBODY) != run_hash(people, status, permitted, NOBODY)) == (
        people[a] != people[b]
    )


@given(people=PEOPLE, status=STATUS, permitted=PERMITTED)
def test_the_hash_does_not_depend_on_how_the_arrays_lie_in_memory(people: Any, status: Any, permitted: Any) -> None:
    expected = run_hash(people, status, permitted, NOBODY)
    assert 0 <= expected < 2**64
    by_column = run_hash(np.asfortranarray(people), np.asfortranarray(status), np.asfortranarray(permitted), NOBODY)
    every_other = np.zeros((2 * N_DAYS, *SHAPE[1:]), np.int32)
    every_other[::2] = people
    assert by_column == expected
    assert run_hash(every_other[::2], status, permitted, NOBODY) == expected
    assert run_hash(people[::-1].copy()[::-1], status, permitted, NOBODY) == expected
    assert run_hash(people.astype(np.int64), status.astype(np.int64), permitted.astype(np.int64), NOBODY) == expected


def test_statuses_of_a_run_in_another_order_hash_differently() -> None:
    people = np.zeros(SHAPE, np.int32)
    status = np.arange(N_DAYS * N_STATES, dtype=np.int8).reshape(N_DAYS, N_STATES) % len(STATUSES)
    still = np.zeros(SHAPE[:2], np.int8)
    assert len({run_hash(people, np.roll(status, k, axis=0), still, NOBODY) for k in range(N_DAYS)}) == N_DAYS


def run_of(people: Any, status: Any) -> Run:
    days = np.arange(N_DAYS)
    return Run(
        draw=None,
        replication=0,
        codes=("AA", "BB", "DC"),
        p=None,
        approval_day=0,
        people=people,
        status=status,
        permitted=np.zeros(SHAPE[:2], np.int8),
        officers=np.stack([10 * days, 100 * days], axis=1),
        below_reserve=days + 1,
        missing=days + 2,
    )


@given(people=arrays.arrays(np.int32, SHAPE, elements=st.integers(0, 10_000)), status=STATUS)
def test_the_series_are_the_sums_over_governors_and_people(people: Any, status: Any) -> None:
    rows = dict(zip(SERIES, series_of(run_of(people, status), np.array([True, True, False])), strict=True))
    for day in range(N_DAYS):
        said = [STATUSES[code] for code in status[day, :2]]
        assert rows["agreeing"][day] == said.count("accepted") + said.count("accepted with limits")
        assert rows["with_limits"][day] == said.count("accepted with limits")
        for name in ("not asked", "undecided", "declined", "no answer", "withdrawn", "federalized"):
            assert rows[name.replace(" ", "_")][day] == said.count(name)
        assert rows["dc_sending"][day] == (status[day, 2] == SENDING)
        for stage, name in enumerate(STAGES):
            assert rows[name.replace(" ", "_")][day] == sum(people[day, :, :, stage].ravel().tolist())
        for role, name in enumerate(ROLES):
            assert rows[f"in_place_{name}"][day] == sum(people[day, :, role, IN_PLACE].tolist())
        others = [rows[name][day] for name in ("hired", "deputized", "below_reserve", "missing")]
        assert others == [10 * day, 100 * day, day + 1, day + 2]


@pytest.mark.parametrize("name", ["in_place", "agreeing", "dc_sending"])
def test_series_have_one_name_each(name: str) -> None:
    assert SERIES.count(name) == 1
    assert len(set(SERIES)) == len(SERIES)
