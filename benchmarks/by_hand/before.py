"""What the limit does before the first day and after the last: draws, moods, disasters, the other channels, empty rows."""

import math

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from benchmarks.by_hand.layout import (
    AHEAD,
    ALL,
    BLOCKS,
    DAYS,
    DISASTER,
    GOVERNOR,
    HAIR,
    LANE,
    LANES,
    N_BITS,
    N_NUMBERS,
    N_TOTALS,
    NATION,
    NONE,
    NOT_ASKED,
    ONE,
    PARAMETER,
    PLACES,
    REGION,
    REVIEW,
    ROLES,
    SIZE,
    TWO_PI,
    UNIT,
    WORDS,
    U,
)
from benchmarks.by_hand.parts import cosine, fast, inlined, philox, sine, uniform, words


@fast
def draw_numbers(f, w, draw):
    """All uncertain numbers: triangular, but for one."""
    numbers, drawn = w.numbers, w.drawn
    for j in range(N_NUMBERS):
        numbers[j] = f.defaults[j]
    n = f.n_drawn
    for j in range(n):
        c0, _, _, _ = philox(w.k0, w.k1, draw, PARAMETER, NONE, f.key[j])
        drawn[j] = (np.float64(np.int64(c0)) + 0.5) * UNIT
    for j in range(n):
        u = drawn[j]
        is_below = u < f.turn[j]
        x = u if is_below else 1.0 - u
        root = math.sqrt(x * f.wide[j] * (f.below[j] if is_below else f.above[j]))
        drawn[j] = f.low[j] + root if is_below else f.high[j] - root
    for j in range(n):
        x = drawn[j]
        if f.is_log[j]:
            x = math.exp(x)
        if f.is_whole[j]:
            x = np.rint(x)
        numbers[f.column[j]] = x
    if f.mixed >= 0:
        c0, c1, c2, _ = philox(w.k0, w.k1, draw, PARAMETER, NONE, f.key[f.mixed])
        total = 0.0
        for part in range(f.n_parts):
            total += f.weights[part]
        left, part, most = uniform(c0) * total, 0, f.n_parts - 1
        while part < most:
            left -= f.weights[part]
            if left < 0.0:
                break
            part += 1
        numbers[f.column[f.mixed]] = f.means[part] + f.sds[part] * cosine(c1, c2)


@fast
def empty(f, w):
    """Nobody has been asked and nobody moves; rows of words were left empty by the run before."""
    for k in range(LANES):
        w.leaving[k] = 0.0
        w.left[k] = 0.0
        w.ended[k] = 0.0
        w.stayed[k] = 0.0
        w.screened[k] = 0.0
        w.failed[k] = 0.0
        w.owed[k] = 0.0
    for i in range(PLACES):
        w.present[i] = NONE
        w.status[i] = NOT_ASKED
        w.asks[i] = 0
        w.permitted[i] = 0
        w.recall[i] = 0
        w.calls[i] = 0
        w.offer[i] = 0.0
        w.pool[i] = 0.0
        w.come[i] = 0.0
        w.entered[i] = 0.0
        w.serving[i] = 0.0
        w.seen[i] = 0.0
        w.returned[i] = 0.0
        w.on_duty[i] = 0.0
        w.worst[i] = 0.0
        w.ready[i] = ALL
        w.day_of_answer[i] = -1
        w.day_of_withdrawal[i] = -1
        w.reach[i] = -math.inf
    for day in range(f.n_days):
        w.to_screen[day] = 0
        w.to_seat[day] = 0
        w.may_answer[day] = NONE
        w.may_withdraw[day] = NONE
        w.turning[day] = NONE
    for day in range(f.n_days + AHEAD):
        w.begun[day] = 0
        w.arriving[day] = 0
        w.learned[day] = 0
    for k in range(N_TOTALS):
        w.totals[k] = 0
    for k in range(N_BITS):
        w.bits[k] = NONE
    for k in range(9):
        w.n_status[k] = 0
    for i in range(f.n_states):
        w.n_status[NOT_ASKED] += f.has_governor[i]
    for r in range(ROLES):
        w.serving_by_role[r] = 0
        w.present_by_role[r] = 0


@fast
def be_born(f, w):
    """Moods, minds and what of support never moves; returns the day of approval."""
    p = w.p
    c0, c1, _, _ = words(w, NATION, NONE, NONE)
    national, partisan = p.spread_national * cosine(c0, c1), p.spread_partisan * sine(c0, c1)
    for r in range(5):
        c0, c1, _, _ = words(w, REGION, U(r), NONE)
        w.drawn[r] = p.spread_regional * cosine(c0, c1)
    for i in range(PLACES):
        c0, c1, _, _ = words(w, GOVERNOR, f.fips[i], NONE)
        w.own[i] = (np.float64(np.int64(c0)) + 0.5) * UNIT
        w.standing[i] = (np.float64(np.int64(c1)) + 0.5) * UNIT
    for i in range(f.n_states):
        own = math.sqrt(-2.0 * math.log(w.own[i])) * math.cos(TWO_PI * w.standing[i])
        side = f.side_number[i]
        support = 0.0 + p.support_mission + p.support_party * side
        support += p.support_vote * f.margin[i] * (1.0 + p.support_election * f.on_ballot[i])
        support += p.support_pledge * f.prior[i]
        support += -p.support_status_title_32
        support += national
        support += side * partisan
        support += w.drawn[f.region[i]]
        w.standing[i] = support + p.spread_own * own
    free, kept = 1.0 - p.mobilized - 0.0, p.offer_reserve
    calm = -math.expm1(-p.volunteers_pace)
    for i in range(PLACES):
        w.at_home[i] = f.strength[i] * free
        w.reserve[i] = kept * f.strength[i]
        w.chance[i] = calm
        w.capacity[i] = U(
            np.int64(max(p.screening_floor, p.screening_rate * f.strength[i] / p.screening_reference_strength))
        )
    c0, c1, c2, _ = words(w, REVIEW, NONE, NONE)
    if uniform(c2) >= p.review_approval_chance:
        return -1
    return int(round(p.review_days * math.exp(p.review_spread * cosine(c0, c1))))


@inlined
def lay_out(f, w):
    """Roles: costs, pulls, courses (roles of one length are one group), and what the target wants of each."""
    p = w.p
    w.costs[0], w.costs[1] = p.support_role_administration, p.support_role_support
    w.costs[2], w.costs[3] = p.support_role_transport, p.support_role_detention
    w.pulls[0], w.pulls[1] = p.volunteers_role_administration, p.volunteers_role_support
    w.pulls[2], w.pulls[3] = p.volunteers_role_transport, p.volunteers_role_detention
    w.course[0], w.course[1] = int(p.training_days_administration), int(p.training_days_support)
    w.course[2], w.course[3] = int(p.training_days_transport), int(p.training_days_detention)
    w.hurry, w.even = math.exp(p.decide_deadline), math.log(p.volunteers_share / (1.0 - p.volunteers_share))
    total, wanted, easiest = 0, int(p.request_target * p.review_approved_share), 0
    for r in range(ROLES):
        total += f.sizes[r]
    for r in range(ROLES):
        w.wanted[r] = wanted * f.sizes[r] // total
        w.missing[r] = max(0, w.wanted[r])
        if w.costs[r] < w.costs[easiest]:
            easiest = r
        w.group[r] = NONE
        for s in range(r + 1):
            if w.course[s] == w.course[r]:
                w.group[s] |= LANE << U(16 * r)
                break
    w.easiest = easiest


@fast
def strike(f, w, n_days):
    """Random disasters: those of a state's four days are looked into only where the rarest word may be one."""
    p = w.p
    length, most, n_blocks = int(p.disaster_days), p.disaster_most, (n_days + 3) >> 2
    for i in range(f.n_states):
        fips = f.fips[i]
        top = U(np.int64(p.disaster_rate * f.most_disasters[i] * WORDS))
        for b in range(BLOCKS):
            c0, c1, c2, c3 = words(w, DISASTER, fips, U(b))
            low, lower = c0 if c0 < c1 else c1, c2 if c2 < c3 else c3
            low = low if low < lower else lower
            w.flag[b] = ONE if low <= top else NONE
        for g in range(BLOCKS // 8):
            flags = w.flag64[g]
            while flags != NONE:
                b = 8 * g + (np.int64(trailing_zeros(flags)) >> 3)
                flags &= flags - ONE
                if b >= n_blocks:
                    continue
                four = words(w, DISASTER, fips, U(b))
                for k in range(4):
                    day = 4 * b + k
                    if four[k] > top or day >= n_days:
                        continue
                    u, rate = uniform(four[k]), p.disaster_rate * f.disasters[12 * i + f.month[day]]
                    if u < rate and u < -math.expm1(-rate):
                        c0, c1, _, _ = words(w, SIZE, fips, U(day))
                        size = min(p.disaster_size * math.exp(p.disaster_spread * cosine(c0, c1)), most)
                        until = min(day + length, n_days)
                        for later in range(day, until):
                            share = min(w.disaster[i * DAYS + later] + size, most)
                            w.disaster[i * DAYS + later] = share
                            w.worst[i] = max(w.worst[i], share)
                        w.turning[day] |= f.bit[i]
                        if until < n_days:
                            w.turning[until] |= f.bit[i]


@fast
def train_officers(w, series, n_days):
    """The two other channels."""
    p = w.p
    vetting, course, learning = int(p.hiring_vetting_days), int(p.hiring_weeks) * 7, int(p.deputize_training_days)
    free, queue, hired, deputized = int(p.hiring_seats), 0, 0, 0
    applicants, agents = p.hiring_applicants * p.hiring_pass, p.deputize_agencies * p.deputize_officers
    done, sworn = 0, 0
    for day in range(n_days):
        if day >= vetting:
            total = math.floor(applicants * (day - vetting + 1) + HAIR)
            queue += total - done
            done = total
        if day >= course:
            free += w.seated[day - course]
            hired += w.seated[day - course]
        seats = min(free, queue)
        free -= seats
        queue -= seats
        w.seated[day] = seats
        if day >= learning:
            total = math.floor(agents * (day - learning + 1) + HAIR)
            deputized += total - sworn
            sworn = total
        series[24, day] = hired
        series[25, day] = deputized


@fast
def clear(f, w):
    """Leave all rows empty."""
    for day in range(f.n_days + AHEAD):
        if w.begun[day] != 0 or w.arriving[day] != 0:
            for i in range(PLACES):
                w.place[day * PLACES + i] = NONE
    for day in range(f.n_days):
        if w.to_screen[day] != 0:
            for i in range(PLACES):
                w.came[day * PLACES + i] = NONE
        if w.to_seat[day] != 0:
            for i in range(PLACES):
                w.wait[day * PLACES + i] = NONE
    for i in range(f.n_states):
        if w.worst[i] > 0.0:
            for day in range(f.n_days):
                w.disaster[i * DAYS + day] = 0.0
