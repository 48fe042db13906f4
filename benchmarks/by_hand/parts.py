"""Small parts of the limit: luck, whole people in words, and splits."""

import math
from typing import Any

import numpy as np
from numba import njit
from numba.core.extending import intrinsic

from benchmarks.by_hand.layout import HALF, LANE, M0, M1, PAIRS, PLACES, STEP, TWO_PI, UNIT, W0, W1, WORD, U

# Without reference counting; `inlined` leaves no call for the vectorizer to stumble over.
fast = njit(nogil=True, error_model="numpy", _nrt=False)
inlined = njit(nogil=True, error_model="numpy", _nrt=False, forceinline=True)


@intrinsic
def ones(typing: Any, word: Any) -> Any:
    """How many bits are set."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return word(word), code


@inlined
def philox(k0, k1, c3, c2, c1, c0):
    """Philox 4x32-10, its rounds written out."""
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
    k0, k1 = (k0 + W0) & WORD, (k1 + W1) & WORD
    p0, p1 = M0 * c0, M1 * c2
    return (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD


@inlined
def words(w, purpose, state, index):
    """Four words of this run's luck."""
    return philox(w.k0, w.k1, w.replication, purpose, state, index)


@inlined
def uniform(word):
    """A word as a number between 0 and 1."""
    return (float(word) + 0.5) * UNIT


@inlined
def cosine(first, second):
    """A standard normal."""
    return math.sqrt(-2.0 * math.log(uniform(first))) * math.cos(TWO_PI * uniform(second))


@inlined
def sine(first, second):
    """The other standard normal of the same two."""
    return math.sqrt(-2.0 * math.log(uniform(first))) * math.sin(TWO_PI * uniform(second))


@inlined
def logistic(x):
    """Of log-odds."""
    return 1.0 / (1.0 + math.exp(-min(max(x, -700.0), 700.0)))


@inlined
def heads(word):
    """All people of a word."""
    pairs = (word & PAIRS) + ((word >> STEP) & PAIRS)
    return np.int64((pairs + (pairs >> HALF)) & WORD)


@inlined
def lane(word, role):
    """People of one role."""
    return np.int64((word >> U(16 * role)) & LANE)


@inlined
def add_lanes(to, word, sign):
    """Add a word to sums by role."""
    to[0] += sign * lane(word, 0)
    to[1] += sign * lane(word, 1)
    to[2] += sign * lane(word, 2)
    to[3] += sign * lane(word, 3)


@inlined
def split_four(n, w0, w1, w2, w3):
    """Split n over four weights by largest remainder, as one word; ties go to the first."""
    total = w0 + w1 + w2 + w3
    # Exact: a share is at least 1/total below the next whole one, and totals are below 2**19.
    each = 1.0 / total
    x0, x1, x2, x3 = n * w0, n * w1, n * w2, n * w3
    q0, q1 = np.int64(x0 * each + 2e-7), np.int64(x1 * each + 2e-7)
    q2, q3 = np.int64(x2 * each + 2e-7), np.int64(x3 * each + 2e-7)
    left = n - q0 - q1 - q2 - q3
    r0, r1, r2, r3 = x0 - q0 * total, x1 - q1 * total, x2 - q2 * total, x3 - q3 * total
    b01, b02, b03 = np.int64(r1 > r0), np.int64(r2 > r0), np.int64(r3 > r0)
    b12, b13, b23 = np.int64(r2 > r1), np.int64(r3 > r1), np.int64(r3 > r2)
    q0 += np.int64(b01 + b02 + b03 < left)
    q1 += np.int64(1 - b01 + b12 + b13 < left)
    q2 += np.int64(2 - b02 - b12 + b23 < left)
    q3 += np.int64(3 - b03 - b13 - b23 < left)
    return U(q0) | U(q1) << STEP | U(q2) << HALF | U(q3) << U(48)


@fast
def split_many(n, weights, parts, rests):
    """The same over all states."""
    total = 0
    for i in range(PLACES):
        total += weights[i]
        parts[i] = 0
    if total <= 0 or n <= 0:
        return
    each = 1.0 / total
    given = 0
    for i in range(PLACES):
        part = np.int64(n * weights[i] * each + 2e-7)
        parts[i] = part
        rests[i] = n * weights[i] - part * total
        given += part
    left = n - given
    if left <= 0:
        return
    low, high = 0, total
    while high - low > 1:
        middle = (low + high) >> 1
        above = 0
        for i in range(PLACES):
            above += 1 if rests[i] >= middle else 0
        if above > left:
            low = middle
        else:
            high = middle
    for i in range(PLACES):
        more = 1 if rests[i] >= high else 0
        parts[i] += more
        left -= more
    i = 0
    while left > 0:
        if rests[i] == low:
            parts[i] += 1
            left -= 1
        i += 1
