"""The requester of the limit, and what a governor weighs."""

import numpy as np

from benchmarks.by_hand.layout import (
    ACCEPTED,
    AGREE,
    ASKED,
    DECLINED,
    HAIR,
    LIMITED,
    NONE,
    OFFER,
    OPEN,
    PENDING,
    REFUSE,
    ROLES,
    SAW_AGREE,
    SAW_ASKED,
    SAW_REFUSE,
    SENDING,
    UNDECIDED,
    WITHDRAWN,
    U,
)
from benchmarks.by_hand.parts import fast, inlined, logistic, ones, sine, split_many, words
from benchmarks.by_hand.sleeping import await_answer, may_withdraw


@fast
def weigh(f, w, i, asks):
    """Support without a role, on last evening's picture."""
    p = w.p
    agree, refuse, asked = w.bits[SAW_AGREE], w.bits[SAW_REFUSE], w.bits[SAW_ASKED]
    near, peers = f.near[i], f.of_side[f.side[i] + 1] & ~f.bit[i]
    n_near, n_peers = np.int64(ones(near & asked)), np.int64(ones(peers & asked))
    by_near = np.int64(ones(near & agree)) - np.int64(ones(near & refuse))
    by_side = np.int64(ones(peers & agree)) - np.int64(ones(peers & refuse))
    total = -p.support_fatigue * (float(asks) - 1.0)
    total += -p.support_disaster * w.on_duty[i] * 10.0
    total += -p.support_load * (p.mobilized + w.seen[i] / f.strength[i]) * 10.0
    total += p.support_neighbors * (by_near / n_near if n_near > 0 else 0.0)
    total += p.support_network * (by_side / n_peers if n_peers > 0 else 0.0)
    return w.standing[i] + total


@inlined
def to_come(w, i):
    """People whom the open call may still bring."""
    return min(w.offer[i], np.floor(w.pool[i] + HAIR)) - w.entered[i]


@inlined
def could_give(f, w, i):
    """The most that a governor can still offer."""
    p, strength = w.p, f.strength[i]
    given = w.serving[i] + to_come(w, i)
    return max(0.0, (1.0 - p.offer_reserve) * strength - p.mobilized * strength - w.on_duty[i] * strength - given)


@inlined
def become(f, w, i, status):
    """Take another status."""
    old, bit = w.status[i], f.bit[i]
    if old == status:
        return
    w.status[i] = status
    if f.has_governor[i]:
        w.n_status[old] -= 1
        w.n_status[status] += 1
        w.bits[ASKED] |= bit
        w.bits[AGREE] &= ~bit
        w.bits[REFUSE] &= ~bit
        if status in (ACCEPTED, LIMITED):
            w.bits[AGREE] |= bit
        elif status in (DECLINED, WITHDRAWN):
            w.bits[REFUSE] |= bit
    else:
        w.n_status[SENDING] += 1


@fast
def call(f, w, i, n, permitted, z):
    """Call for n more volunteers."""
    p = w.p
    w.bits[OPEN] |= f.bit[i]
    permitted |= w.permitted[i]
    w.permitted[i] = permitted
    w.offer[i] = w.entered[i] + to_come(w, i) + n
    size, pull = 0, 0.0
    for r in range(ROLES):
        if permitted >> r & 1:
            size += f.sizes[r]
            pull += w.pulls[r] * f.sizes[r]
    even = w.even + (pull / size if size > 0 else 0.0)
    even = even + p.volunteers_pay * (1.0 if p.tour_days >= p.volunteers_pay_days else 0.0) + p.volunteers_spread * z
    share = logistic(even) * p.volunteers_next_call ** float(w.calls[i])
    ready = f.strength[i] * max(0.0, 1.0 - p.mobilized - w.on_duty[i]) * (1.0 - p.not_deployable)
    willing = max(0.0, ready - (w.serving[i] + w.returned[i])) * share
    w.pool[i] = w.come[i] + max(w.pool[i] - w.come[i], willing)
    w.calls[i] += 1


@inlined
def send(f, w, i):
    """The President commands here: send volunteers."""
    become(f, w, i, SENDING)
    c0, c1, _, _ = words(w, OFFER, f.fips[i], U(w.asks[i]))
    call(f, w, i, float(w.quota[i]), 15, sine(c0, c1))


@fast
def request(f, w, day, rounds):
    """The requester asks, and asks again."""
    p = w.p
    sought = int(int(p.request_target * p.review_approved_share) * p.request_over_ask)
    if rounds > 0:
        for i in range(f.n_states):
            sought -= np.int64(w.serving[i] + to_come(w, i))
        if sought <= 0:
            return
    for i in range(f.n_states):
        share = 0
        if rounds == 0:
            share = np.int64(f.strength[i])
        elif w.status[i] == SENDING:
            share = np.int64(could_give(f, w, i))
        elif f.has_governor[i] and w.status[i] != DECLINED and w.status[i] != WITHDRAWN:
            asks = w.asks[i] if w.bits[PENDING] & f.bit[i] != NONE else w.asks[i] + 1
            support = weigh(f, w, i, asks) - w.costs[w.easiest]
            share = np.int64(could_give(f, w, i) * logistic(p.precision * support))
        w.shares[i] = share
    split_many(sought, w.shares, w.parts, w.rests)
    for i in range(f.n_states):
        quota = w.parts[i]
        if w.shares[i] == 0 or (rounds > 0 and quota == 0):
            continue
        if w.bits[PENDING] & f.bit[i] != NONE:
            w.quota[i] = max(w.quota[i], quota)
            continue
        w.asks[i] += 1
        w.quota[i] = quota
        status = w.status[i]
        if status == SENDING:
            send(f, w, i)
            continue
        if f.has_governor[i]:
            w.bits[PENDING] |= f.bit[i]
            w.deadline[i] = day + int(p.request_deadline_days)
            if w.deadline[i] < f.n_days:
                w.may_answer[w.deadline[i]] |= f.bit[i]
            await_answer(f, w, i, day)
            if status in (ACCEPTED, LIMITED):
                may_withdraw(f, w, i, day)
        elif day + 1 < f.n_days:
            # Where the President commands, volunteers are sent the day after.
            w.may_answer[day + 1] |= f.bit[i]
        if status != ACCEPTED and status != LIMITED:
            if f.has_governor[i]:
                become(f, w, i, UNDECIDED)
            else:
                w.status[i] = UNDECIDED
