"""Rows of states as vectors: who acts, by bits of a word; all who come forward or go on, at once."""

from typing import Any

import numpy as np

from sim import luck
from sim.kernel.compiling import inlined
from sim.kernel.layout import (
    COUNT,
    LANES,
    LOOK,
    STEP,
    WEIGHTS,
    WORD,
    Work,
)
from sim.packed import N_ROLES
from sim.results import ENTERED, SCREENING

# Where the lowest bit of a word stands, by the top six bits of its product with a de Bruijn sequence (Leiserson,
# Prokop, Randall 1998).
_DE_BRUIJN, _TOP, _ONE = WORD(0x03F79D71B4CB0A89), WORD(58), WORD(1)
_PLACE_OF = np.zeros(64, np.uint8)
for _bit in range(64):
    _PLACE_OF[(int(_DE_BRUIJN) << _bit & (1 << 64) - 1) >> 58] = _bit


@inlined
def lowest(word: Any) -> int:
    """The place of the lowest bit of a word that is not 0."""
    return np.int64(_PLACE_OF[(word & (~word + _ONE)) * _DE_BRUIJN >> _TOP])


@inlined
def without_lowest(word: Any) -> Any:
    """A word without its lowest bit."""
    return word & (word - _ONE)


@inlined
def up_to(row: Any, most: Any, first: int) -> Any:
    """Where a row is at most so much, as bits of one word: of STEP places from a first one on."""
    word = WORD(0)
    for j in range(STEP):
        # A place that may be negative would be looked up one by one.
        word |= WORD(row[WORD(first) + WORD(j)] <= most) << WORD(j)
    return word


@inlined
def beyond(row: Any, most: Any, first: int) -> Any:
    """Where a row is more than so much: see `up_to`."""
    word = WORD(0)
    for j in range(STEP):
        word |= WORD(row[WORD(first) + WORD(j)] > most) << WORD(j)
    return word


@inlined
def add_row(total: Any, row: Any) -> None:
    """Add a row of people to another, state by state."""
    for i in range(len(total)):
        total[i] += row[i]


@inlined
def look_ahead(nation: Any, purpose: Any, fips: Any, block: int, top: Any, last_top: Any, turn: int) -> Any:
    """In which of the next LOOK blocks of luck, of four days each, a word is at most so much: bits, found as vectors.

    From the block `turn` on, `last_top` is the most. The words of these blocks are left in `words`.
    """
    k0, k1, replication, words = nation.k0, nation.k1, nation.replication, nation.words
    found, late = WORD(0), WORD(0)
    for b in range(LOOK):
        c0, c1, c2, c3 = luck.words(k0, k1, replication, purpose, fips, WORD(block) + WORD(b))
        words[0, b], words[1, b], words[2, b], words[3, b] = c0, c1, c2, c3
        least = luck.least(c0, c1, c2, c3)
        found |= WORD(least <= top) << WORD(b)
        late |= WORD(least <= last_top) << WORD(b)
    early = (_ONE << WORD(min(max(turn - block, 0), LOOK))) - _ONE
    return found & early | late & ~early


@inlined
def uniforms(nation: Any, b: int) -> Any:
    """The four uniforms of a block that `look_ahead` has just looked at."""
    words = nation.words
    return luck.uniform(words[0, b]), luck.uniform(words[1, b]), luck.uniform(words[2, b]), luck.uniform(words[3, b])


@inlined
def split_lanes(nation: Any, weights: Any, first: int) -> None:
    """`people.split` of `seated` over roles, in LANES places at once: fills `going`; `totals` are the sums of weights."""
    seated, totals, going, rests = nation.seated, nation.totals, nation.going, nation.rests
    for j in range(LANES):
        i = WORD(first) + WORD(j)
        n, total = seated[i], max(totals[i], 1)
        each, left = 1.0 / total, n
        for role in range(N_ROLES):
            sought = n * weights[role, i]
            part = np.int64(sought * each)
            over = sought - part * total
            # A quotient that was rounded may lie one off.
            off = np.int64(over >= total) - np.int64(over < 0)
            going[role, i], rests[role, i] = part + off, over - off * total
            left -= part + off
        # Fewer are left than there are rests above 0: the largest have one more, without a search that branches.
        for role in range(N_ROLES):
            rank = np.int64(0)
            for other in range(N_ROLES):
                rank += rests[other, i] >= rests[role, i] if other < role else rests[other, i] > rests[role, i]
            going[role, i] += rank < left


@inlined
def enter_all(work: Work, role: int, row: Any) -> None:
    """In all states at once, so many of those who came forward are of this role."""
    of = work.roles[role]
    entered, to, linear = of.counts[ENTERED], of.counts[SCREENING], of.linear
    weight, total = WEIGHTS[role, ENTERED] + WEIGHTS[role, SCREENING], np.int32(0)
    for i in range(len(to)):
        n = row[i]
        total = np.int32(total + n)
        entered[i] += n
        to[i] += n
        linear[i] += COUNT(n) * weight
    of.people[ENTERED] += total
    of.people[SCREENING] += total


@inlined
def move_on(work: Work, role: int, here: int, there: int, row: Any, next_row: Any) -> int:
    """In all states at once, those in a row go on to another stage and another row; returns how many they are."""
    of = work.roles[role]
    before, after, linear, moving = of.counts[here], of.counts[there], of.linear, of.moving
    weight, total = WEIGHTS[role, there] - WEIGHTS[role, here], np.int32(0)
    # In two steps: two rows of one calendar might overlap, and what is known not to needs no look at run time.
    for i in range(len(moving)):
        moving[i] = row[i]
        row[i] = 0
    for i in range(len(moving)):
        n = moving[i]
        next_row[i] += n
        before[i] -= n
        after[i] += n
        linear[i] += COUNT(n) * weight
        total = np.int32(total + n)
    n_moved = np.int64(total)
    of.people[here] -= n_moved
    of.people[there] += n_moved
    return n_moved


@inlined
def remember(days: Any, layer: int, day: int, role: int) -> None:
    """A day remembers that somebody ends something on it."""
    if day < len(days):
        days[day].due |= 1 << (N_ROLES * layer + role)
