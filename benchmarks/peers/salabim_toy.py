"""The toy in salabim: states and cohorts are components that live as the processes of `simpy_toy` do.

In yield mode, which needs no greenlets; without trace, animation and the monitor of the queue. Most of the time goes into
checks of signatures that salabim makes whenever a component is created.

Waiting cohorts are passive in a queue, and the school activates them. A salabim resource would be shorter, but it either
lets small cohorts overtake or, told to honor only the first in line, lets one in at each release even if there is room
for more (salabim 26.0.9).
"""

import numpy as np
import salabim
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


class Nation(salabim.Environment):
    """One run."""

    def setup(self, p: Parameters, replication: int) -> None:
        """Open the school and ask all states."""
        self.p = p
        self.replication = replication
        self.school = School(env=self, seats=p.seats)
        self.counts = [0] * N_COLUMNS
        self.ended = [0] * len(p.pools)
        self.days: list[list[int]] = []
        for state in range(len(p.pools)):
            State(env=self, number=state, at=state * MOMENT)
        Counting(env=self, at=1 - MOMENT)


class School(salabim.Component):
    """The national school seats the oldest cohorts while they fit, whenever it is woken."""

    def setup(self, seats: int) -> None:
        """Open all seats."""
        self.free = seats
        self.waiting = salabim.Queue("waiting", monitor=False, env=self.env)

    def process(self):
        """Like the clerk of a bank."""
        while True:
            while self.waiting and self.waiting.head().n <= self.free:
                cohort = self.waiting.pop()
                self.free -= cohort.n
                cohort.activate()
            yield self.passivate()

    def wake(self) -> None:
        """Somebody has come or left."""
        if self.ispassive():
            self.activate()


class State(salabim.Component):
    """A state is asked until it answers; if it agrees, it sends a cohort a day."""

    def setup(self, number: int) -> None:
        """Its number."""
        self.number = number

    def process(self):
        """The life of a state."""
        nation, p, counts, state = self.env, self.env.p, self.env.counts, self.number
        counts[UNDECIDED] += 1
        asked = 0
        while (day := answer_day(nation.replication, state, asked, p.reply_chance, p.deadline_days)) == NEVER:
            yield self.hold(p.deadline_days)
            counts[UNDECIDED] -= 1
            counts[SILENT] += 1
            yield self.hold(p.round_days - p.deadline_days)
            counts[SILENT] -= 1
            counts[UNDECIDED] += 1
            asked += p.round_days
        yield self.hold(day - asked)
        counts[UNDECIDED] -= 1
        if not says_yes(nation.replication, state, day, p.supports[state], p.sway, p.threshold):
            counts[NO] += 1
            return
        counts[YES] += 1
        left = p.pools[state]
        while left:
            yield self.hold(1)
            n = joining(left, p.joining_percent)
            left -= n
            Cohort(env=nation, state=state, n=n)


class Cohort(salabim.Component):
    """A cohort waits for seats, is trained, travels, and serves until nobody stays for another tour."""

    def setup(self, state: int, n: int) -> None:
        """Its state and people."""
        self.state = state
        self.n = n

    def process(self):
        """The life of a cohort."""
        nation, p, counts, ended = self.env, self.env.p, self.env.counts, self.env.ended
        school, state, n = nation.school, self.state, self.n
        counts[WAITING] += n
        self.enter(school.waiting)
        school.wake()
        yield self.passivate()
        counts[WAITING] -= n
        counts[TRAINING] += n
        yield self.hold(p.training_days)
        school.free += n
        school.wake()
        counts[TRAINING] -= n
        counts[TRAVEL] += n
        yield self.hold(p.travel_days)
        counts[TRAVEL] -= n
        counts[SERVING] += n
        while n:
            yield self.hold(p.tour_days)
            stay = staying(ended[state], n)
            ended[state] += n
            counts[SERVING] -= n - stay
            counts[HOME] += n - stay
            n = stay


class Counting(salabim.Component):
    """The day is counted when all have acted."""

    def process(self):
        """Once a day."""
        while True:
            self.env.days.append(self.env.counts.copy())
            yield self.hold(1)


def run(p: Parameters, replication: int) -> NDArray[np.int64]:
    """One run."""
    nation = Nation(trace=False, yieldless=False, p=p, replication=replication)
    nation.run(till=p.n_days)
    return as_array(nation.days)
