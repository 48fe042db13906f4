"""Luck: counter-based random numbers, each a pure function of who asks for what.

A draw is Philox 4x32-10 of `(seed, replication, purpose, state, index)` and of nothing else, so adding a state, a
lever or a shock shifts nobody's luck, any number of workers sees the same numbers, and two scenarios with the same
replication number are paired until a lever moves.

References
----------
Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3. Model note, section 3.
"""

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# What a draw is for. Numbers are part of every result: append, never renumber.
PARAMETER = 1
REVIEW = 2
NATION = 3
REGION = 4
GOVERNOR = 5
ANSWER = 6
PERMIT = 7
OFFER = 8
WITHDRAW = 9
DISASTER = 10
DISASTER_SIZE = 11
INCIDENT = 12
COURT = 13
COURT_REACH = 14

# Replication numbers from here on belong to the second luck that tells luck and assumptions apart.
TWIN = 1 << 31

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = 0xFFFFFFFF
_ROUNDS = 10
_UNIT = 2.0**-32


def philox(counter: NDArray[np.uint32], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Ten rounds of Philox 4x32 over many counters at once.

    Parameters
    ----------
    counter
        Shape (n, 4), 32-bit words.
    key
        Two 32-bit words.

    Returns
    -------
    Shape (n, 4), 32-bit words.

    References
    ----------
    Salmon et al. 2011; the known-answer vectors of their Random123 library are in the tests.
    """
    c0, c1, c2, c3 = (counter[:, k].astype(np.uint64) for k in range(4))
    k0, k1 = key
    m0, m1 = np.uint64(_MULTIPLIERS[0]), np.uint64(_MULTIPLIERS[1])
    mask, half = np.uint64(_MASK), np.uint64(32)
    for _ in range(_ROUNDS):
        p0, p1 = m0 * c0, m1 * c2
        c0, c2 = (p1 >> half) ^ c1 ^ np.uint64(k0), (p0 >> half) ^ c3 ^ np.uint64(k1)
        c1, c3 = p1 & mask, p0 & mask
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def normals(first: float, second: float) -> tuple[float, float]:
    """Two independent standard normals from two uniforms (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(first))
    return radius * math.cos(2.0 * math.pi * second), radius * math.sin(2.0 * math.pi * second)


def key_of(seed: int) -> tuple[int, int]:
    """The two key words of a seed from 0 to 2**64 - 1."""
    return seed & _MASK, (seed >> 32) & _MASK


_M0, _M1 = (np.uint64(m) for m in _MULTIPLIERS)
# What is added to each word of the key in each round.
_W0, _W1 = (tuple(np.uint64(n * w & _MASK) for n in range(_ROUNDS)) for w in _WEYL)
_WORD, _HALF = np.uint64(_MASK), np.uint64(32)


def words(
    k0: np.uint64,
    k1: np.uint64,
    replication: np.uint64,
    purpose: np.uint64,
    state: np.uint64,
    index: np.uint64,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four words of one counter, 32 bits each, in the scalar form that compiled code needs.

    All arguments are unsigned 64-bit words that hold 32 bits; k0 and k1 come from `key_of`.
    """
    c0, c1, c2, c3 = index, state, purpose, replication
    # Written out, because a loop over rounds keeps a loop over counters from becoming vector instructions.
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[0] & _WORD, k1 + _W1[0] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[1] & _WORD, k1 + _W1[1] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[2] & _WORD, k1 + _W1[2] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[3] & _WORD, k1 + _W1[3] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[4] & _WORD, k1 + _W1[4] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[5] & _WORD, k1 + _W1[5] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[6] & _WORD, k1 + _W1[6] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[7] & _WORD, k1 + _W1[7] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[8] & _WORD, k1 + _W1[8] & _WORD)
    c0, c1, c2, c3 = turned(c0, c1, c2, c3, k0 + _W0[9] & _WORD, k1 + _W1[9] & _WORD)
    return c0, c1, c2, c3


def turned(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One round of Philox."""
    p0, p1 = _M0 * c0, _M1 * c2
    return (p1 >> _HALF) ^ c1 ^ k0, p1 & _WORD, (p0 >> _HALF) ^ c3 ^ k1, p0 & _WORD


def uniform(word: np.uint64) -> float:
    """A word of 32 bits as a number strictly between 0 and 1."""
    return (float(word) + 0.5) * _UNIT


def least(c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64) -> np.uint64:
    """The least of four words."""
    low, lower = c0 if c0 < c1 else c1, c2 if c2 < c3 else c3
    return low if low < lower else lower


def reach(chance: float) -> np.uint64:
    """The largest word whose uniform may be below a chance: whatever is above it is not, and needs no closer look."""
    return np.uint64(min(chance, 1.0) * 2.0**32)


def block(
    k0: np.uint64,
    k1: np.uint64,
    replication: np.uint64,
    purpose: np.uint64,
    state: np.uint64,
    index: np.uint64,
) -> tuple[float, float, float, float]:
    """Four uniforms of one counter: what `draws` gives; arguments as in `words`."""
    c0, c1, c2, c3 = words(k0, k1, replication, purpose, state, index)
    return uniform(c0), uniform(c1), uniform(c2), uniform(c3)


def draws(seed: int, replication: int, purpose: ArrayLike, state: ArrayLike, index: ArrayLike) -> NDArray[np.float64]:
    """Four uniforms for every purpose, state and index; the three are broadcast against each other.

    Parameters
    ----------
    purpose
        One of the numbers above; several in one call cost hardly more than one.
    state
        FIPS codes, or 0 for the nation, or the number of a region.
    index
        A round, an order, a governor, or a day divided by four.

    Returns
    -------
    The broadcast shape and a last axis of 4; strictly between 0 and 1.
    """
    shape = np.broadcast_shapes(np.shape(purpose), np.shape(state), np.shape(index))
    counter = np.empty((*shape, 4), np.uint32)
    counter[..., 0], counter[..., 1], counter[..., 2], counter[..., 3] = index, state, purpose, replication
    words = philox(counter.reshape(-1, 4), key_of(seed)).reshape(counter.shape)
    uniforms: NDArray[np.float64] = np.multiply(words + 0.5, _UNIT, dtype=np.float64)
    return uniforms


def daily(seed: int, replication: int, purpose: ArrayLike, states: ArrayLike, n_days: int) -> NDArray[np.float64]:
    """One uniform for every state and day; a block serves four days.

    Returns
    -------
    Shape (n_states, n_days), and a first axis of purposes if several are given.
    """
    fips = np.asarray(states, np.uint32)[:, np.newaxis]
    purposes = np.asarray(purpose)[..., np.newaxis, np.newaxis]
    four = draws(seed, replication, purposes, fips, np.arange((n_days + 3) // 4))
    return four.reshape(*purposes.shape[:-2], len(fips), -1)[..., :n_days]


def of_parameters(seed: int, draw: int, names: Sequence[str]) -> list[list[float]]:
    """Four uniforms for each parameter of one draw, keyed by the parameter's name."""
    keys = [zlib.crc32(name.encode()) for name in names]
    counter = np.zeros((len(names), 4), np.uint32)
    counter[:, 0], counter[:, 2], counter[:, 3] = keys, PARAMETER, draw
    return ((philox(counter, key_of(seed)) + 0.5) * _UNIT).tolist()
