"""Governors of the limit answer, agree, decline, and take consent back."""

import math

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from benchmarks.by_hand.asking import become, call, could_give, send, weigh
from benchmarks.by_hand.layout import (
    ACCEPTED,
    AGREE,
    AHEAD,
    ALL,
    ANSWER,
    BEHIND,
    DAYS,
    DECLINED,
    FIRST,
    LIMITED,
    NO_ANSWER,
    NONE,
    OFFER,
    ONE,
    PENDING,
    PERMIT,
    PLACES,
    PRESENT,
    RETURNED,
    ROLES,
    SCREENING,
    TRAINING,
    TRAVEL,
    UNDECIDED,
    WAITING,
    WITHDRAW,
    WITHDRAWN,
    U,
)
from benchmarks.by_hand.parts import add_lanes, cosine, fast, heads, inlined, logistic, sine, uniform, words
from benchmarks.by_hand.sleeping import go_on, luck_of, may_withdraw, sleep_on


@fast
def accept(f, w, i, day, permitted, support):
    """Permit roles, offer people, call for volunteers."""
    p = w.p
    first = w.bits[AGREE] & f.bit[i] == NONE
    c0, c1, c2, _ = words(w, OFFER, f.fips[i], U(w.asks[i]))
    share = logistic(p.offer_base + p.offer_slope * support + p.offer_spread * cosine(c0, c1))
    troops = math.floor(min(max(share * p.offer_most * float(w.quota[i]), 1.0), could_give(f, w, i)))
    if first and uniform(c2) < p.offer_recall_chance:
        w.recall[i] = 1
    w.bits[PENDING] &= ~f.bit[i]
    become(f, w, i, ACCEPTED if permitted | w.permitted[i] == 15 else LIMITED)
    call(f, w, i, float(troops), permitted, sine(c0, c1))
    may_withdraw(f, w, i, day + 1)


@fast
def consider(f, w, i, day):
    """Answer today, or not yet; at the deadline an ask lapses."""
    p, bit = w.p, f.bit[i]
    if day >= w.deadline[i]:
        w.bits[PENDING] &= ~bit
        if w.status[i] == UNDECIDED:
            become(f, w, i, NO_ANSWER)
        return
    general = weigh(f, w, i, w.asks[i])
    support = general - w.costs[w.easiest]
    is_last = 1.0 if day >= w.deadline[i] - p.decide_last_days else 0.0
    exponent = (
        p.decide_conviction * abs(support) - p.decide_ambiguity * p.request_ambiguity + p.decide_deadline * is_last
    )
    chance = -math.expm1(-p.decide_pace * math.exp(min(max(exponent, -50.0), 50.0)))
    if luck_of(f, w, i, ANSWER, day, w.day_of_answer[i], w.word_of_answer[i]) >= chance:
        sleep_on(f, w, i, day + 1)
        return
    c0, _, _, _ = words(w, PERMIT, f.fips[i], U(w.asks[i]))
    u, permitted = uniform(c0), 0
    for r in range(ROLES):
        if u < logistic(p.precision * (general - w.costs[r])):
            permitted |= 1 << r
    if permitted:
        accept(f, w, i, day, permitted, support)
        return
    w.bits[PENDING] &= ~bit
    if w.bits[AGREE] & bit == NONE:
        become(f, w, i, DECLINED)


@fast
def reconsider(f, w, i, day):
    """Withdraw today, or go on."""
    p = w.p
    support = weigh(f, w, i, w.asks[i]) - w.costs[w.easiest]
    rate = min(math.exp(min(max(p.withdraw_base - p.withdraw_slope * support, -50.0), 50.0)), p.withdraw_most)
    if luck_of(f, w, i, WITHDRAW, day, w.day_of_withdrawal[i], w.word_of_withdrawal[i]) < 1.0 - math.exp(-rate):
        withdraw(f, w, i, day)
    else:
        go_on(f, w, i, day + 1)


@fast
def withdraw(f, w, i, day):
    """Take consent back: everybody from here goes home."""
    bit, totals = f.bit[i], w.totals
    become(f, w, i, WITHDRAWN)
    w.bits[PENDING] &= ~bit
    w.bits[BEHIND] &= ~bit
    w.ready[i] = ALL
    everybody = w.present[i]
    add_lanes(w.present_by_role, everybody, -1)
    totals[PRESENT] -= heads(everybody)
    w.present[i] = NONE
    for k in range(i * ROLES, i * ROLES + ROLES):
        w.owed[k] = 0.0
    for row in range(max(0, day - int(w.p.tour_days) + 1), day + 1):
        w.place[U(row * PLACES + i)] = NONE
    travel = int(w.p.travel_home_days)
    for row in range(day + 1, min(day + AHEAD, DAYS + AHEAD)):
        word = w.place[U(row * PLACES + i)]
        if word != NONE:
            n = heads(word)
            w.place[U(row * PLACES + i)] = NONE
            w.arriving[row] -= n
            if row - travel > day:
                w.learned[row - travel] -= n
                totals[TRAINING] -= n
            else:
                totals[TRAVEL] -= n
            everybody += word
    for row in range(totals[FIRST], day):
        word = w.wait[U(row * PLACES + i)]
        if word != NONE:
            w.wait[U(row * PLACES + i)] = NONE
            w.to_seat[row] -= heads(word)
            totals[WAITING] -= heads(word)
            everybody += word
    for row in range(day):
        word = w.came[U(row * PLACES + i)]
        if word != NONE:
            w.came[U(row * PLACES + i)] = NONE
            w.to_screen[row] -= heads(word)
            totals[SCREENING] -= heads(word)
            everybody += word
    add_lanes(w.serving_by_role, everybody, -1)
    n = heads(everybody)
    totals[RETURNED] += n
    w.returned[i] += n
    w.serving[i] = 0.0
    w.permitted[i] = 0
    w.recall[i] = 0
    w.come[i] = w.pool[i] = w.offer[i] = w.entered[i]


@inlined
def answer(f, w, day):
    """Every state that may act today."""
    acting = w.may_answer[day] | w.may_withdraw[day]
    while acting != NONE:
        i = np.int64(trailing_zeros(acting))
        bit = f.bit[i]
        acting &= acting - ONE
        if not f.has_governor[i]:
            if w.status[i] == UNDECIDED:
                send(f, w, i)
            continue
        if w.may_withdraw[day] & w.bits[AGREE] & bit != NONE:
            reconsider(f, w, i, day)
        if w.may_answer[day] & w.bits[PENDING] & bit != NONE:
            consider(f, w, i, day)
