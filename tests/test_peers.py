"""The toy of the peer benchmark gives the same numbers in every engine. Engines that are not installed are skipped."""

import importlib
import json
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import plain, toy

LIBRARIES = {"plain": None, "simpy_toy": "simpy", "mesa_toy": "mesa", "salabim_toy": "salabim", "numba_toy": "numba"}
PEERS = [name for name in LIBRARIES if name != "plain"]

# Three states, of which 0 and 2 agree on day 1; luck plays no part.
SMALL = toy.Parameters(
    n_days=12,
    reply_chance=1.0,
    deadline_days=2,
    round_days=5,
    threshold=0.5,
    sway=0.0,
    joining_percent=50,
    seats=6,
    training_days=2,
    travel_days=1,
    tour_days=3,
    supports=(0.9, 0.1, 0.6),
    pools=(10, 30, 4),
)
# Worked out on paper. State 0 sends 5, 3, 1, 1 from day 2 on, state 2 sends 2, 1, 1; a letter is a state's cohort.
BY_HAND = [
    # undecided, yes, no, silent, waiting, training, travel, serving, home
    (3, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 2, 1, 0, 0, 0, 0, 0, 0),
    (0, 2, 1, 0, 2, 5, 0, 0, 0),  # A5 seated; C2 does not fit into the one seat left
    (0, 2, 1, 0, 6, 5, 0, 0, 0),  # A3 and C1 come; C1 would fit and must not overtake
    (0, 2, 1, 0, 2, 6, 5, 0, 0),  # A5 leaves; C2, A3, C1 fill the school; A1 and C1 come
    (0, 2, 1, 0, 3, 6, 0, 5, 0),  # A5 arrives; the last A1 comes
    (0, 2, 1, 0, 0, 3, 6, 5, 0),
    (0, 2, 1, 0, 0, 3, 0, 11, 0),
    (0, 2, 1, 0, 0, 0, 3, 8, 3),  # the tour of A5 ends: 2 stay
    (0, 2, 1, 0, 0, 0, 0, 11, 3),
    (0, 2, 1, 0, 0, 0, 0, 8, 6),  # A3: the fourth half of eight, 2 stay; C2 and C1: 1 of 3 stays
    (0, 2, 1, 0, 0, 0, 0, 7, 7),  # the second tour of two of A5 ends: 1 stays
]

VARIANTS = {
    "standard": toy.STANDARD,
    "few seats": toy.STANDARD._replace(seats=60),
    "everything takes a day": toy.STANDARD._replace(training_days=1, travel_days=1, tour_days=1, seats=90, n_days=90),
    "short rounds": toy.STANDARD._replace(deadline_days=1, round_days=2, reply_chance=0.02),
    "short tours": toy.STANDARD._replace(tour_days=7, training_days=3, seats=400, joining_percent=20),
    "the deadline is the eve of the next round": toy.STANDARD._replace(deadline_days=29, reply_chance=0.01),
    "a run shorter than anything": toy.STANDARD._replace(n_days=1),
}


def engine(name: str) -> Callable:
    """The run of an engine, or a skip."""
    if LIBRARIES[name]:
        pytest.importorskip(LIBRARIES[name])
    return importlib.import_module(f"benchmarks.peers.{name}").run


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_small_case_worked_by_hand(name):
    assert [tuple(day) for day in engine(name)(SMALL, 0).tolist()] == BY_HAND


@pytest.mark.parametrize("name", LIBRARIES)
def test_states_that_never_answer_are_asked_again_each_round(name):
    undecided = engine(name)(SMALL._replace(reply_chance=0.0), 0)[:, toy.UNDECIDED]
    assert undecided.tolist() == [3, 3, 0, 0, 0, 3, 3, 0, 0, 0, 3, 3]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", PEERS)
def test_every_engine_gives_the_numbers_of_the_plain_day_loop(name, variant):
    run, p = engine(name), VARIANTS[variant]
    for replication in (0, 1, 2, 65_535):
        found = run(p, replication)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, plain.run(p, replication))


def test_many_compiled_runs_are_the_single_ones():
    pytest.importorskip("numba")
    from benchmarks.peers import numba_toy

    replications = np.array([3, 0, 3, 7])
    many = numba_toy.run_many(toy.STANDARD, replications)
    for k, replication in enumerate(replications.tolist()):
        np.testing.assert_array_equal(many[k], plain.run(toy.STANDARD, replication))


@pytest.mark.parametrize("variant", VARIANTS)
def test_nobody_is_lost_and_the_school_is_never_overfull(variant):
    p = VARIANTS[variant]
    days = plain.run(p, 5)
    assert (days >= 0).all()
    assert (days[:, : toy.WAITING].sum(axis=1) == len(p.pools)).all()
    people = days[:, toy.WAITING :].sum(axis=1)
    assert (np.diff(people) >= 0).all()
    assert people[-1] <= sum(p.pools)
    assert days[:, toy.TRAINING].max() <= p.seats


def test_the_standard_toy_reaches_every_answer_and_every_stage():
    # A stage that stays empty would compare nothing.
    assert (plain.run(toy.STANDARD, 0).max(axis=0) > 0).all()


def test_luck_differs_between_replications_and_is_even():
    assert not np.array_equal(plain.run(toy.STANDARD, 0), plain.run(toy.STANDARD, 1))
    draws = [
        toy.uniform(k, state, day, purpose)
        for k in range(20)
        for state in range(54)
        for day in range(180)
        for purpose in range(2)
    ]
    counts, _ = np.histogram(draws, bins=20, range=(0, 1))
    n = len(draws)
    assert 0 <= min(draws)
    assert max(draws) < 1
    # Chi-squared with 19 degrees of freedom: beyond 50 once in 8,000 times; draws are fixed, so this never flickers.
    assert ((counts - n / 20) ** 2 / (n / 20)).sum() < 50


def test_the_benchmark_prints_every_engine_or_says_that_it_is_missing(capsys):
    peers.main(["--rounds", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert set(found["engines"]) | set(found["missing"]) == set(peers.ENGINES)
    assert found["engines"]["SimPy"]["times_simpy"] == 1
    peers.show(found, peers.Console(width=140))
    printed = capsys.readouterr().out
    assert all(name in printed for name in peers.ENGINES)
