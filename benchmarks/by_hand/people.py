"""People of the limit: tours end, some leave, desks screen, volunteers come, seats are taken."""

import math

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from benchmarks.by_hand.layout import (
    ALL,
    BEHIND,
    DAYS,
    ENTERED,
    FAILED,
    FIRST,
    HAIR,
    LANES,
    LEFT,
    MISSING,
    NONE,
    ON_DUTY,
    ONE,
    OPEN,
    PLACES,
    PRESENT,
    RETURNED,
    ROLES,
    SCREENING,
    TRAINING,
    TRAVEL,
    WAITING,
    U,
)
from benchmarks.by_hand.parts import add_lanes, fast, heads, inlined, lane, split_four, split_many


@inlined
def turn(f, w, day):
    """Disasters begin and end."""
    p = w.p
    turning = w.turning[day]
    while turning != NONE:
        i = np.int64(trailing_zeros(turning))
        turning &= turning - ONE
        share, home = w.disaster[i * DAYS + day], 1.0 - p.mobilized
        w.on_duty[i] = share
        w.at_home[i] = f.strength[i] * (1.0 - p.mobilized - share)
        chance = -math.expm1(-p.volunteers_pace)
        if share > 0.0:
            w.bits[ON_DUTY] |= f.bit[i]
            chance *= (max(0.0, home - share) / home if home > 0.0 else 0.0) * math.exp(p.funding_share * 0.0)
        else:
            w.bits[ON_DUTY] &= ~f.bit[i]
        w.chance[i] = chance


@fast
def end_things(w, day, tour_days, reup):
    """Courses, journeys and tours end."""
    totals, place, present = w.totals, w.place, w.present
    totals[TRAINING] -= w.learned[day]
    totals[TRAVEL] += w.learned[day]
    here = day * PLACES
    if w.arriving[day] > 0:
        arrived = NONE
        for i in range(PLACES):
            word = place[U(here + i)]
            present[i] += word
            arrived += word
        add_lanes(w.present_by_role, arrived, 1)
        totals[TRAVEL] -= w.arriving[day]
        totals[PRESENT] += w.arriving[day]
        w.begun[day] = w.arriving[day]
    start = day - tour_days
    if start < 0 or w.begun[start] == 0:
        return
    place16, some16, other16, ended, stayed, owed = w.place16, w.some16, w.other16, w.ended, w.stayed, w.owed
    for k in range(LANES):
        n = float(np.int32(place16[U(start * LANES + k)]))
        gone_before = min(n, owed[k])
        owed[k] -= gone_before
        n -= gone_before
        so_far = ended[k] + n
        ended[k] = so_far
        staying = np.floor(reup * so_far + HAIR)
        more = staying - stayed[k]
        stayed[k] = staying
        some16[k] = np.int32(more)
        other16[k] = np.int32(n - more)
    some, other = w.some, w.other
    all_gone = all_staying = NONE
    for i in range(PLACES):
        staying, gone = some[i], other[i]
        place[U(start * PLACES + i)] = NONE
        place[U(here + i)] += staying
        present[i] -= gone
        all_gone += gone
        all_staying += staying
    for i in range(PLACES):
        n = float(heads(other[i]))
        w.serving[i] -= n
        w.returned[i] += n
    n = heads(all_gone)
    totals[PRESENT] -= n
    totals[RETURNED] += n
    add_lanes(w.present_by_role, all_gone, -1)
    add_lanes(w.serving_by_role, all_gone, -1)
    w.begun[day] += heads(all_staying)


@fast
def leave(w, rate):
    """Attrition of those in place: they are owed by the tours that end first, which are told when they end."""
    leaving, left, owed, present16, some16, some = w.leaving, w.left, w.owed, w.present16, w.some16, w.some
    for k in range(LANES):
        here = float(np.int32(present16[k]))
        total = leaving[k] + rate * here
        leaving[k] = total
        n = min(here, np.floor(total + HAIR) - left[k])
        left[k] += n
        owed[k] += n
        some16[k] = np.int32(n)
    everybody = NONE
    for i in range(PLACES):
        word = some[i]
        w.present[i] -= word
        w.serving[i] -= float(heads(word))
        everybody += word
    n = heads(everybody)
    w.totals[PRESENT] -= n
    w.totals[LEFT] += n
    add_lanes(w.present_by_role, everybody, -1)
    add_lanes(w.serving_by_role, everybody, -1)


@fast
def screen(f, w, day, came, fail_share):
    """See the oldest cohorts first, as many people as a desk can in a day."""
    if came < 0:
        return
    if w.to_screen[came] > 0:
        row, some, flag, ready = w.came, w.some, w.flag, w.ready
        for i in range(PLACES):
            flag[i] = ONE if U(heads(row[U(came * PLACES + i)])) > w.capacity[i] else NONE
        for g in range(PLACES // 8):
            flags = w.flag64[g]
            while flags != NONE:
                i = 8 * g + (np.int64(trailing_zeros(flags)) >> 3)
                flags &= flags - ONE
                if w.bits[BEHIND] & f.bit[i] == NONE:
                    w.bits[BEHIND] |= f.bit[i]
                    ready[i] = NONE
                    w.next_screened[i] = came
        all_seen = NONE
        for i in range(PLACES):
            word = row[U(came * PLACES + i)]
            seen = word & ready[i]
            row[U(came * PLACES + i)] = word ^ seen
            some[i] = seen
            all_seen += seen
        some16, other16, other, screened, failed = w.some16, w.other16, w.other, w.screened, w.failed
        for k in range(LANES):
            total = screened[k] + float(np.int32(some16[k]))
            screened[k] = total
            out = np.floor(fail_share * total + HAIR)
            other16[k] = np.int32(out - failed[k])
            failed[k] = out
        all_out = NONE
        for i in range(PLACES):
            out = other[i]
            all_out += out
            w.wait[U(came * PLACES + i)] += some[i] - out
        for i in range(PLACES):
            w.serving[i] -= float(heads(other[i]))
        count_screened(w, came, all_seen, all_out)
    behind = w.bits[BEHIND]
    while behind != NONE:
        i = np.int64(trailing_zeros(behind))
        behind &= behind - ONE
        catch_up(f, w, i, came, fail_share)


@inlined
def count_screened(w, came, seen, out):
    """Keep the books of those seen from a day's row."""
    n, n_out, totals = heads(seen), heads(out), w.totals
    if n > 0:
        totals[FIRST] = min(totals[FIRST], came)
    w.to_screen[came] -= n
    w.to_seat[came] += n - n_out
    totals[SCREENING] -= n
    totals[WAITING] += n - n_out
    totals[FAILED] += n_out
    add_lanes(w.serving_by_role, out, -1)


@fast
def catch_up(f, w, i, latest, fail_share):
    """A desk that is behind."""
    left, row = np.int64(w.capacity[i]), w.next_screened[i]
    while row <= latest and left > 0:
        word = w.came[U(row * PLACES + i)]
        n, seen = heads(word), word
        if n > left:
            n = left
            seen = split_four(left, lane(word, 0), lane(word, 1), lane(word, 2), lane(word, 3))
        if n:
            w.came[U(row * PLACES + i)] = word - seen
            left -= n
            out = NONE
            for r in range(ROLES):
                k = i * ROLES + r
                w.screened[k] += float(lane(seen, r))
                total = math.floor(fail_share * w.screened[k] + HAIR)
                out |= U(np.int64(total - w.failed[k])) << U(16 * r)
                w.failed[k] = total
            w.wait[U(row * PLACES + i)] += seen - out
            w.serving[i] -= float(heads(out))
            count_screened(w, row, seen, out)
        if word == seen:
            row += 1
    w.next_screened[i] = row
    if row > latest:
        w.bits[BEHIND] &= ~f.bit[i]
        w.ready[i] = ALL


@inlined
def meet_disasters(f, w):
    """Recall clauses bring troops back; count who is missing."""
    p = w.p
    there = w.bits[ON_DUTY] & w.bits[OPEN]
    while there != NONE:
        i = np.int64(trailing_zeros(there))
        there &= there - ONE
        strength, serving = f.strength[i], w.serving[i]
        on_duty = w.on_duty[i] * strength
        home = strength * (1.0 - p.mobilized)
        short = np.int64(math.floor(max(0.0, p.offer_reserve * strength + on_duty - (home - serving)) + HAIR))
        if short and w.recall[i]:
            word = w.present[i]
            n = min(short, heads(word))
            if n > 0:
                part = split_four(n, lane(word, 0), lane(word, 1), lane(word, 2), lane(word, 3))
                for r in range(ROLES):
                    w.owed[i * ROLES + r] += float(lane(part, r))
                w.present[i] -= part
                w.serving[i] -= float(n)
                add_lanes(w.present_by_role, part, -1)
                add_lanes(w.serving_by_role, part, -1)
                w.totals[PRESENT] -= n
                w.totals[RETURNED] += n
                w.returned[i] += n
                serving -= n
        w.totals[MISSING] += np.int64(math.floor(max(0.0, on_duty - (home - serving)) + HAIR))


@fast
def take_in(f, w, day):
    """Those who come forward today, split over roles."""
    come, pool, offer, entered, flag, news = w.come, w.pool, w.offer, w.entered, w.flag, w.parts
    for i in range(PLACES):
        so_far, willing = come[i], pool[i]
        more = so_far + (willing - so_far) * w.chance[i]
        more = more if more < offer[i] else offer[i]
        more = more if more > so_far else so_far
        more = more if willing > so_far and entered[i] < offer[i] else so_far
        come[i] = more
        n = np.int32(np.floor(more + HAIR) - entered[i])
        news[i] = n
        flag[i] = ONE if n > 0 else NONE
    everybody = NONE
    for g in range(PLACES // 8):
        flags = w.flag64[g]
        while flags != NONE:
            i = 8 * g + (np.int64(trailing_zeros(flags)) >> 3)
            flags &= flags - ONE
            n, roles = news[i], w.permitted[i]
            w0 = w.missing[0] if roles & 1 else 0
            w1 = w.missing[1] if roles & 2 else 0
            w2 = w.missing[2] if roles & 4 else 0
            w3 = w.missing[3] if roles & 8 else 0
            if w0 + w1 + w2 + w3 == 0:
                w0 = f.sizes[0] if roles & 1 else 0
                w1 = f.sizes[1] if roles & 2 else 0
                w2 = f.sizes[2] if roles & 4 else 0
                w3 = f.sizes[3] if roles & 8 else 0
            word = split_four(n, w0, w1, w2, w3)
            w.came[U(day * PLACES + i)] = word
            everybody += word
            w.entered[i] += float(n)
            w.serving[i] += float(n)
    n = heads(everybody)
    w.to_screen[day] = n
    w.totals[ENTERED] += n
    w.totals[SCREENING] += n
    add_lanes(w.serving_by_role, everybody, 1)


@inlined
def allot(w, day, n_seats, travel):
    """Seats go to the oldest cohorts; too few for a day are split over states, then over roles."""
    totals = w.totals
    left = n_seats - totals[TRAINING]
    came = totals[FIRST]
    while came <= day and left > 0:
        wanted = w.to_seat[came]
        if wanted == 0:
            if came == totals[FIRST]:
                totals[FIRST] += 1
        elif wanted <= left:
            seat_all(w, day, came, travel)
            left -= wanted
        else:
            ration(w, day, came, left, travel)
            left = 0
        came += 1


@fast
def seat_all(w, day, came, travel):
    """All who came on a day start their courses."""
    wait, place = w.wait, w.place
    for r in range(ROLES):
        mask = w.group[r]
        if mask == NONE:
            continue
        to, everybody = (day + w.course[r] + travel) * PLACES, NONE
        for i in range(PLACES):
            word = wait[U(came * PLACES + i)] & mask
            place[U(to + i)] += word
            everybody += word
        count_seated(w, day, came, r, travel, heads(everybody))
    for i in range(PLACES):
        wait[U(came * PLACES + i)] = NONE


@inlined
def count_seated(w, day, came, role, travel, n):
    """Keep the books of those who start a course."""
    w.to_seat[came] -= n
    w.learned[day + w.course[role]] += n
    w.arriving[day + w.course[role] + travel] += n
    w.totals[WAITING] -= n
    w.totals[TRAINING] += n


@fast
def ration(w, day, came, free, travel):
    """Split too few seats over the states of one day, then over the roles of each."""
    for i in range(PLACES):
        w.shares[i] = heads(w.wait[U(came * PLACES + i)])
    split_many(free, w.shares, w.parts, w.rests)
    for i in range(PLACES):
        n = w.parts[i]
        if not n:
            continue
        word = w.wait[U(came * PLACES + i)]
        part = split_four(n, lane(word, 0), lane(word, 1), lane(word, 2), lane(word, 3))
        w.wait[U(came * PLACES + i)] = word - part
        for r in range(ROLES):
            some = part & w.group[r]
            if some != NONE:
                w.place[U((day + w.course[r] + travel) * PLACES + i)] += some
                count_seated(w, day, came, r, travel, heads(some))
