"""Luck: Philox 4x32-10 is the published one, and a draw depends on who asks for what and on nothing else."""

import math
import zlib
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from randomgen import Philox

from sim import luck
from sim.parameters import register

WORD = st.integers(0, 2**32 - 1)
SEEDS = st.integers(0, 2**64 - 1)
STATES = st.lists(st.integers(1, 78), min_size=1, max_size=12, unique=True)

# kat_vectors of Random123, lines "philox4x32 10": counter, key, answer.
KNOWN_ANSWERS = {
    "zeros": ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    "ones": ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    "pi": ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
}


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def block(counter: list[int], key: list[int]) -> list[int]:
    return luck.philox(np.array([counter], np.uint32), (key[0], key[1]))[0].tolist()


# --- Philox


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(name: str) -> None:
    counter, key, answer = map(words, KNOWN_ANSWERS[name])
    assert block(counter, key) == answer


@given(st.lists(WORD, min_size=4, max_size=4), st.lists(WORD, min_size=2, max_size=2))
def test_philox_agrees_with_an_independent_implementation(counter: list[int], key: list[int]) -> None:
    # randomgen holds the counter as one number of 128 bits, low word first, and adds 1 before each block.
    before = (sum(word << 32 * k for k, word in enumerate(counter)) - 1) % 2**128
    other = Philox(number=4, width=32)
    state = other.state
    state["state"]["counter"] = np.array([before >> 32 * k & 0xFFFFFFFF for k in range(4)], np.uint32)
    state["state"]["key"] = np.array(key, np.uint32)
    state["buffer_pos"] = 4
    other.state = state
    assert block(counter, key) == other.random_raw(4).tolist()


@given(st.lists(st.lists(WORD, min_size=4, max_size=4), min_size=1, max_size=20), WORD, WORD)
def test_a_block_is_the_same_alone_and_among_others(counters: list[list[int]], k0: int, k1: int) -> None:
    together = luck.philox(np.array(counters, np.uint32), (k0, k1)).tolist()
    assert together == [block(counter, [k0, k1]) for counter in counters]


# --- Draws


def test_a_draw_is_the_block_of_index_state_purpose_and_replication() -> None:
    seed = (5 << 32) + 9
    expected = [(word + 0.5) / 2**32 for word in block([11, 48, luck.PERMIT, 3], [9, 5])]
    assert luck.draws(seed, 3, luck.PERMIT, 48, 11).tolist() == expected


@given(SEEDS, WORD, WORD, STATES, st.randoms(use_true_random=False))
def test_a_draw_knows_nothing_of_order_batch_or_other_states(
    seed: int, replication: int, index: int, states: list[int], order: Random
) -> None:
    together = luck.draws(seed, replication, luck.ANSWER, states, index)
    shuffled = list(states)
    order.shuffle(shuffled)
    again = luck.draws(seed, replication, luck.ANSWER, shuffled, index)
    for k, state in enumerate(states):
        alone = luck.draws(seed, replication, luck.ANSWER, state, index)
        assert together[k].tolist() == alone.tolist() == again[shuffled.index(state)].tolist()


def test_states_and_indices_are_broadcast() -> None:
    table = luck.draws(1, 2, luck.OFFER, np.array([[4], [35], [48]]), np.arange(5))
    assert table.shape == (3, 5, 4)
    for (i, state), j in product(enumerate([4, 35, 48]), range(5)):
        assert table[i, j].tolist() == luck.draws(1, 2, luck.OFFER, state, j).tolist()


@pytest.mark.parametrize("moved", ["seed", "high word of the seed", "replication", "purpose", "state", "index"])
def test_a_draw_moves_with_each_of_its_keys(moved: str) -> None:
    keys = {"seed": 7, "replication": 0, "purpose": luck.ANSWER, "state": 48, "index": 3}
    other = dict(keys)
    if moved == "high word of the seed":
        other["seed"] += 1 << 32
    else:
        other[moved] += 1
    first, second = luck.draws(**keys), luck.draws(**other)
    assert not np.intersect1d(first, second).size


def test_purposes_are_distinct_numbers_and_no_draw_serves_two_of_them() -> None:
    purposes = {
        name: value for name, value in vars(luck).items() if name.isupper() and name[0] != "_" and name != "TWIN"
    }
    assert len(purposes) >= 14
    assert all(type(value) is int and 0 < value < 2**32 for value in purposes.values())
    assert len(set(purposes.values())) == len(purposes)
    drawn = [luck.draws(1, 1, purpose, 48, 0)[0] for purpose in purposes.values()]
    assert len(set(drawn)) == len(drawn)


def test_twin_replications_fit_a_word_and_lie_apart_from_all_others() -> None:
    assert 1_000_000 < luck.TWIN <= 2**32 - 1_000_000


@given(SEEDS, STATES, st.integers(1, 60), st.integers(0, 40))
def test_a_day_is_one_word_of_the_block_of_its_four_days(seed: int, states: list[int], n_days: int, more: int) -> None:
    uniforms = luck.daily(seed, 6, luck.WITHDRAW, states, n_days)
    assert uniforms.shape == (len(states), n_days)
    for (i, state), day in product(enumerate(states), range(n_days)):
        assert uniforms[i, day] == luck.draws(seed, 6, luck.WITHDRAW, state, day // 4)[day % 4]
    longer = luck.daily(seed, 6, luck.WITHDRAW, states, n_days + more)
    assert longer[:, :n_days].tolist() == uniforms.tolist()


def test_uniforms_lie_strictly_between_0_and_1_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = np.array([[0, 0, 2**32 - 1, 2**32 - 1]], np.uint32)
    monkeypatch.setattr(luck, "philox", lambda counter, key: np.broadcast_to(ends, counter.shape))
    for u in (*luck.draws(1, 1, 1, 1, 1), *luck.of_parameters(1, 1, ["tour.days"])[0]):
        assert 0.0 < u < 1.0
        assert math.isfinite(luck.normals(u, u)[0])


def test_uniforms_are_uniform() -> None:
    # 40,000 draws in 20 classes: chi-square with 19 degrees of freedom is above 43.8 once in 1,000 times.
    u = luck.draws(3, 0, luck.ANSWER, 48, np.arange(10_000)).ravel()
    counts = np.histogram(u, bins=20, range=(0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 43.8
    # The four words of a block are not correlated: 4 standard errors of 1/sqrt(10,000).
    four = luck.draws(3, 0, luck.ANSWER, 48, np.arange(10_000))
    off = np.corrcoef(four.T)[np.triu_indices(4, 1)]
    assert np.abs(off).max() < 0.04


# --- Normals


@given(st.floats(2.0**-33, 1 - 2.0**-33), st.floats(2.0**-33, 1 - 2.0**-33))
def test_two_normals_are_a_point_whose_radius_and_angle_are_the_uniforms(first: float, second: float) -> None:
    x, y = luck.normals(first, second)
    assert math.exp(-(x * x + y * y) / 2.0) == pytest.approx(first, rel=1e-9)
    radius, angle = math.hypot(x, y), 2.0 * math.pi * second
    assert (x, y) == pytest.approx((radius * math.cos(angle), radius * math.sin(angle)), abs=1e-9)


def test_normals_have_the_moments_of_a_standard_normal() -> None:
    # 40,000 pairs; each tolerance is 4 standard errors: mean 1, variance sqrt(2), fourth moment sqrt(96), product 1.
    n = 40_000
    u = luck.draws(5, 0, luck.GOVERNOR, 48, np.arange(n))
    x, y = np.array([luck.normals(first, second) for first, second in u[:, :2].tolist()]).T
    error = 4.0 / math.sqrt(n)
    for z in (x, y):
        assert abs(z.mean()) < error
        assert abs((z**2).mean() - 1.0) < error * math.sqrt(2.0)
        assert abs((z**4).mean() - 3.0) < error * math.sqrt(96.0)
    assert abs((x * y).mean()) < error


# --- Parameters


@given(
    SEEDS, st.integers(0, 2**32 - 1), st.lists(st.sampled_from(list(register())), min_size=1, max_size=10, unique=True)
)
def test_a_parameters_luck_is_keyed_by_its_name(seed: int, draw: int, names: list[str]) -> None:
    together = luck.of_parameters(seed, draw, names)
    assert together == luck.of_parameters(seed, draw, names[::-1])[::-1]
    for name, four in zip(names, together, strict=True):
        assert [four] == luck.of_parameters(seed, draw, [name])
        assert four == luck.draws(seed, draw, luck.PARAMETER, 0, zlib.crc32(name.encode())).tolist()


def test_no_two_parameters_share_their_luck() -> None:
    assert len({zlib.crc32(name.encode()) for name in register()}) == len(register())
    firsts = [four[0] for four in luck.of_parameters(1, 0, list(register()))]
    assert len(set(firsts)) == len(firsts)
