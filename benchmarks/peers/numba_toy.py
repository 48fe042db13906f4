"""The toy as a compiled loop over many replications: the plain day loop with arrays in place of lists.

The rules are those of `toy`, compiled as they stand. Cohorts are rows in the order in which they joined, which is the
order in which they take seats; so those seated on a day are a slice, and courses and journeys need no lists of their own.
"""

import numpy as np
from numba import njit
from numba.extending import register_jitable
from numpy.typing import NDArray

from benchmarks.peers import toy
from benchmarks.peers.toy import (
    HOME,
    N_COLUMNS,
    NO,
    SERVING,
    SILENT,
    TRAINING,
    TRAVEL,
    UNDECIDED,
    WAITING,
    YES,
    Parameters,
    answer_day,
    joining,
    says_yes,
    staying,
)

for rule in toy.RULES:
    register_jitable(rule)


def run(p: Parameters, replication: int) -> NDArray[np.int64]:
    """One run."""
    return run_many(p, np.array([replication]))[0]


def run_many(p: Parameters, replications: NDArray[np.int64]) -> NDArray[np.int64]:
    """Many runs: shape (n_replications, n_days, 9). Releases the lock, so that threads share the work."""
    out = np.empty((len(replications), p.n_days, N_COLUMNS), np.int64)
    numbers = p._replace(supports=(), pools=())
    _run_many(numbers, np.array(p.supports), np.array(p.pools), replications, out)
    return out


@njit(nogil=True)
def _run_many(p, supports, pools, replications, out):
    """All replications, one after the other, in one workspace."""
    n_states = len(pools)
    left = np.empty(n_states, np.int64)
    ended = np.empty(n_states, np.int64)
    replies = np.empty(n_states, np.int64)  # day of the coming answer of a state that was asked, or NEVER
    answers = np.empty(n_states, np.int64)
    cohorts = np.empty((n_states * p.n_days, 2), np.int64)  # state and people
    first_seated = np.empty(p.n_days + 1, np.int64)  # by day: the first cohort that had to wait until then
    tours = np.empty((p.tour_days, n_states), np.int64)  # people by first day of their tour, on a ring, and state
    for k in range(len(replications)):
        left[:] = pools
        ended[:] = 0
        answers[:] = SILENT
        tours[:] = 0
        _run(p, supports, replications[k], left, ended, replies, answers, cohorts, first_seated, tours, out[k])


@njit(nogil=True)
def _run(p, supports, replication, left, ended, replies, answers, cohorts, first_seated, tours, out):
    """One run in a workspace made ready."""
    n_states = len(supports)
    counts = np.zeros(N_COLUMNS, np.int64)
    counts[SILENT] = n_states
    free = p.seats
    joined = 0
    seated = 0

    for day in range(p.n_days):
        tour = tours[day % p.tour_days]
        if day >= p.tour_days:
            for state in range(n_states):
                n = tour[state]
                if n:
                    stay = staying(ended[state], n)
                    ended[state] += n
                    tour[state] = stay
                    counts[SERVING] -= n - stay
                    counts[HOME] += n - stay
        course = day - p.training_days - p.travel_days
        if course >= 0:
            for row in range(first_seated[course], first_seated[course + 1]):
                n = cohorts[row, 1]
                tour[cohorts[row, 0]] += n
                counts[TRAVEL] -= n
                counts[SERVING] += n
        course = day - p.training_days
        if course >= 0:
            for row in range(first_seated[course], first_seated[course + 1]):
                n = cohorts[row, 1]
                free += n
                counts[TRAINING] -= n
                counts[TRAVEL] += n

        is_round = day % p.round_days == 0
        is_deadline = day % p.round_days == p.deadline_days
        for state in range(n_states):
            answer = answers[state]
            if answer == YES:
                if left[state]:
                    n = joining(left[state], p.joining_percent)
                    left[state] -= n
                    cohorts[joined, 0] = state
                    cohorts[joined, 1] = n
                    joined += 1
                    counts[WAITING] += n
                continue
            if answer == NO:
                continue
            if is_round and answer == SILENT:
                replies[state] = answer_day(replication, state, day, p.reply_chance, p.deadline_days)
                now = UNDECIDED
            elif answer == UNDECIDED and replies[state] == day:
                now = YES if says_yes(replication, state, day, supports[state], p.sway, p.threshold) else NO
            elif is_deadline and answer == UNDECIDED:
                now = SILENT
            else:
                continue
            answers[state] = now
            counts[answer] -= 1
            counts[now] += 1

        first_seated[day] = seated
        while seated < joined and cohorts[seated, 1] <= free:
            n = cohorts[seated, 1]
            free -= n
            counts[WAITING] -= n
            counts[TRAINING] += n
            seated += 1
        first_seated[day + 1] = seated

        out[day] = counts
