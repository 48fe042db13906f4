"""Governors sleep in the limit: luck is compared with a bound of the chance until a day comes on which they may act."""

import math

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from benchmarks.by_hand.layout import ABOVE, ANSWER, CHUNK, NONE, ONE, WITHDRAW, WORDS, U
from benchmarks.by_hand.parts import fast, inlined, uniform, words


@fast
def next_day(w, purpose, fips, day, until, bound):
    """The first day from `day` on whose luck is within a bound, and the word of that luck; not before `until` if there is none."""
    while day < until:
        block, top = day >> 2, U(bound)
        for b in range(CHUNK):
            c0, c1, c2, c3 = words(w, purpose, fips, U(block + b))
            low, lower = c0 if c0 < c1 else c1, c2 if c2 < c3 else c3
            low = low if low < lower else lower
            w.flag[b] = ONE if low <= top else NONE
        for g in range(CHUNK // 8):
            flags = w.flag64[g]
            while flags != NONE:
                b = block + 8 * g + (np.int64(trailing_zeros(flags)) >> 3)
                flags &= flags - ONE
                c0, c1, c2, c3 = words(w, purpose, fips, U(b))
                if c0 <= top and 4 * b >= day:
                    return 4 * b, c0
                if c1 <= top and 4 * b + 1 >= day:
                    return 4 * b + 1, c1
                if c2 <= top and 4 * b + 2 >= day:
                    return 4 * b + 2, c2
                if c3 <= top and 4 * b + 3 >= day:
                    return 4 * b + 3, c3
        day = 4 * (block + CHUNK)
    return until, NONE


@inlined
def luck_of(f, w, i, purpose, day, found, word):
    """A state's luck of a day: mostly of the day that was found, but an older search may have left another."""
    if found == day:
        return uniform(word)
    c0, c1, c2, c3 = words(w, purpose, f.fips[i], U(day >> 2))
    k = day & 3
    return uniform(c0 if k == 0 else c1 if k == 1 else c2 if k == 2 else c3)


@inlined
def widest(f, w, i):
    """How far support can move up from what stands, and how far down, while nothing more is offered."""
    p = w.p
    peers = abs(p.support_neighbors) + abs(p.support_network)
    tired, load = -p.support_fatigue * (float(w.asks[i]) - 1.0), p.support_load * 10.0
    up = tired - load * p.mobilized + peers
    down = tired - load * (p.mobilized + w.offer[i] / f.strength[i]) - p.support_disaster * w.worst[i] * 10.0 - peers
    return up, down


@fast
def await_answer(f, w, i, day):
    """Bound the chance of an answer for as long as this ask lasts."""
    p = w.p
    up, down = widest(f, w, i)
    lean = w.standing[i] - w.costs[w.easiest]
    exponent = p.decide_conviction * max(abs(lean + up), abs(lean + down)) - p.decide_ambiguity * p.request_ambiguity
    calm = p.decide_pace * math.exp(min(exponent, 50.0)) * ABOVE
    w.calm[i] = np.int64(min(calm, 1.0) * WORDS)
    w.last[i] = np.int64(min(calm * w.hurry * ABOVE, 1.0) * WORDS)
    sleep_on(f, w, i, day)


@fast
def sleep_on(f, w, i, day):
    """From a day on, find the next on which an answer may come; the last days before the deadline have their own bound."""
    end = min(w.deadline[i], f.n_days)
    until = min(w.deadline[i] - int(w.p.decide_last_days), f.n_days)
    found, word = day, NONE
    if day < until:
        found, word = next_day(w, ANSWER, f.fips[i], day, until, w.calm[i])
    if found >= until:
        found, word = next_day(w, ANSWER, f.fips[i], max(day, until), end, w.last[i])
    if found < end:
        w.may_answer[found] |= f.bit[i]
        w.day_of_answer[i] = found
        w.word_of_answer[i] = word


@inlined
def may_withdraw(f, w, i, day):
    """Bound the chance of withdrawing, somewhat above what it must be, so that later asks and offers seldom raise it."""
    p = w.p
    lowest = w.standing[i] - w.costs[w.easiest] + widest(f, w, i)[1]
    exponent = p.withdraw_base - p.withdraw_slope * lowest
    if exponent > w.reach[i]:
        w.reach[i] = exponent + 0.7
        rate = min(math.exp(min(exponent + 0.7, 50.0)), p.withdraw_most)
        w.withdrawing[i] = np.int64(min(rate * ABOVE, 1.0) * WORDS) + 1
        go_on(f, w, i, day)


@fast
def go_on(f, w, i, day):
    """From a day on, find the next on which consent may be taken back."""
    found, word = next_day(w, WITHDRAW, f.fips[i], day, f.n_days, w.withdrawing[i])
    if found < f.n_days:
        w.may_withdraw[found] |= f.bit[i]
        w.day_of_withdrawal[i] = found
        w.word_of_withdrawal[i] = word
