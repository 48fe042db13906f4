"""The toy in SimPy: states and cohorts are processes, seats a container, and nothing wakes before something happens to it.

SimPy settles ties by the order in which events were scheduled. So that a day's cohorts queue in the order of their
states, each state acts at a moment of the day of its own, and the day is counted at its last moment. Moments are 64ths,
which floating-point numbers hold exactly. A container that serves in order needs no allotment: whenever in the day seats
become free, the same cohorts have them at its end.

A queue and a number in place of the container would save a fifth of the time; the container is what SimPy is chosen for.
"""

from collections.abc import Generator

import numpy as np
import simpy
from numpy.typing import NDArray

from benchmarks.peers.toy import (
    HOME,
    N_COLUMNS,
    NEVER,
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
    as_array,
    joining,
    says_yes,
    staying,
)

MOMENT = 1 / 64
Life = Generator[simpy.Event, object, None]


class Nation:
    """One run."""

    def __init__(self, p: Parameters, replication: int) -> None:
        """Open the school and ask all states."""
        self.p = p
        self.replication = replication
        self.env = simpy.Environment()
        self.seats = simpy.Container(self.env, capacity=p.seats, init=p.seats)
        self.counts = [0] * N_COLUMNS
        self.ended = [0] * len(p.pools)
        self.days: list[list[int]] = []
        for state in range(len(p.pools)):
            self.env.process(self.state(state))
        self.env.process(self.counting())

    def state(self, state: int) -> Life:
        """A state is asked until it answers; if it agrees, it sends a cohort a day."""
        p, env, counts = self.p, self.env, self.counts
        yield env.timeout(state * MOMENT)
        counts[UNDECIDED] += 1
        asked = 0
        while (day := answer_day(self.replication, state, asked, p.reply_chance, p.deadline_days)) == NEVER:
            yield env.timeout(p.deadline_days)
            counts[UNDECIDED] -= 1
            counts[SILENT] += 1
            yield env.timeout(p.round_days - p.deadline_days)
            counts[SILENT] -= 1
            counts[UNDECIDED] += 1
            asked += p.round_days
        yield env.timeout(day - asked)
        counts[UNDECIDED] -= 1
        if not says_yes(self.replication, state, day, p.supports[state], p.sway, p.threshold):
            counts[NO] += 1
            return
        counts[YES] += 1
        left = p.pools[state]
        while left:
            yield env.timeout(1)
            n = joining(left, p.joining_percent)
            left -= n
            env.process(self.cohort(state, n))

    def cohort(self, state: int, n: int) -> Life:
        """A cohort waits for seats, is trained, travels, and serves until nobody stays for another tour."""
        p, env, counts, ended = self.p, self.env, self.counts, self.ended
        counts[WAITING] += n
        yield self.seats.get(n)
        counts[WAITING] -= n
        counts[TRAINING] += n
        yield env.timeout(p.training_days)
        self.seats.put(n)
        counts[TRAINING] -= n
        counts[TRAVEL] += n
        yield env.timeout(p.travel_days)
        counts[TRAVEL] -= n
        counts[SERVING] += n
        while n:
            yield env.timeout(p.tour_days)
            stay = staying(ended[state], n)
            ended[state] += n
            counts[SERVING] -= n - stay
            counts[HOME] += n - stay
            n = stay

    def counting(self) -> Life:
        """The day is counted when all have acted."""
        yield self.env.timeout(1 - MOMENT)
        while True:
            self.days.append(self.counts.copy())
            yield self.env.timeout(1)


def run(p: Parameters, replication: int) -> NDArray[np.int64]:
    """One run."""
    nation = Nation(p, replication)
    nation.env.run(until=p.n_days)
    return as_array(nation.days)
