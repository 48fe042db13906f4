"""The limit's day, and its runs."""

from benchmarks.by_hand.answering import answer
from benchmarks.by_hand.asking import request
from benchmarks.by_hand.before import (
    be_born,
    clear,
    draw_numbers,
    empty,
    lay_out,
    strike,
    train_officers,
)
from benchmarks.by_hand.layout import (
    ACCEPTED,
    AGREE,
    ASKED,
    DECLINED,
    ENTERED,
    FAILED,
    LEFT,
    LIMITED,
    MISSING,
    NO_ANSWER,
    NOT_ASKED,
    PLACES,
    PRESENT,
    REFUSE,
    RETURNED,
    ROLES,
    SAW_AGREE,
    SAW_ASKED,
    SAW_REFUSE,
    SCREENING,
    SENDING,
    TRAINING,
    TRAVEL,
    UNDECIDED,
    WAITING,
    WITHDRAWN,
)
from benchmarks.by_hand.parts import fast, inlined
from benchmarks.by_hand.people import allot, end_things, leave, meet_disasters, screen, take_in, turn


@inlined
def keep_books(f, w, series, day):
    """The evening: totals, and the picture that all see tomorrow."""
    below = 0
    for i in range(PLACES):
        serving = w.serving[i]
        w.seen[i] = serving
        below += 1 if w.at_home[i] - serving < w.reserve[i] else 0
    n, totals, present = w.n_status, w.totals, w.present_by_role
    series[0, day], series[1, day] = n[NOT_ASKED], n[UNDECIDED]
    series[2, day], series[3, day] = n[ACCEPTED] + n[LIMITED], n[LIMITED]
    series[4, day], series[5, day] = n[DECLINED], n[NO_ANSWER]
    series[6, day], series[7, day] = n[WITHDRAWN], 0
    series[8, day], series[9, day], series[10, day] = totals[ENTERED], totals[SCREENING], totals[WAITING]
    series[11, day], series[12, day], series[13, day] = totals[TRAINING], 0, totals[TRAVEL]
    series[14, day], series[15, day], series[16, day] = totals[PRESENT], totals[FAILED], totals[RETURNED]
    series[17, day] = totals[LEFT]
    series[18, day], series[19, day], series[20, day], series[21, day] = present[0], present[1], present[2], present[3]
    series[22, day] = 0
    series[23, day] = 1 if n[SENDING] else 0
    series[26, day], series[27, day] = below, totals[MISSING]
    totals[MISSING] = 0
    for r in range(ROLES):
        w.missing[r] = max(0, w.wanted[r] - w.serving_by_role[r])
    w.bits[SAW_AGREE], w.bits[SAW_REFUSE], w.bits[SAW_ASKED] = w.bits[AGREE], w.bits[REFUSE], w.bits[ASKED]


@fast
def play(f, w, draw, series):
    """One run; returns the day of approval."""
    n_days = f.n_days
    draw_numbers(f, w, draw)
    empty(f, w)
    approval = be_born(f, w)
    lay_out(f, w)
    strike(f, w, n_days)
    train_officers(w, series, n_days)
    p = w.p
    tour_days, reup, fail_share = int(p.tour_days), p.tour_reup, 1.0 - p.screening_pass
    rate, n_seats, travel = min(1.0, p.attrition), int(p.training_seats), int(p.travel_home_days)
    gap, most_rounds, screening_days = int(p.rounds_gap_days), int(p.rounds_most), int(p.screening_days)
    next_ask, rounds = approval, 0
    for day in range(n_days):
        turn(f, w, day)
        end_things(w, day, tour_days, reup)
        if day == next_ask and rounds < most_rounds:
            request(f, w, day, rounds)
            rounds += 1
            next_ask = day + gap
        answer(f, w, day)
        if w.totals[PRESENT] > 0:
            leave(w, rate)
        if rounds > 0:
            screen(f, w, day, day - screening_days, fail_share)
            meet_disasters(f, w)
            take_in(f, w, day)
            allot(w, day, n_seats, travel)
        keep_books(f, w, series, day)
    clear(f, w)
    return approval


@fast
def play_many(fixed, room, k0, k1, draws, replications, series, last_status, approval):
    """Many runs, one after the other."""
    f, w = fixed[0], room[0]
    w.k0, w.k1 = k0, k1
    for n in range(len(draws)):
        w.replication = replications[n]
        approval[n] = play(f, w, draws[n], series[n])
        for i in range(f.n_states):
            last_status[n, i] = w.status[i]
