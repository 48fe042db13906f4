"""The toy in Mesa: states and cohorts are agents.

States step every day, in order, as Mesa's agents do. Cohorts, of which there are thousands, do not: the model's calendar
calls a cohort on the day on which something happens to it, and a cohort whose people are all home is removed. Counts are
kept as they change; the data collector would ask every agent every day. The calendar is a dictionary because Mesa's own
event list, still experimental, takes several times as long as all the rest.

Mesa 3.3 numbers agents in a dictionary that keeps every model alive, so memory grows from run to run.
"""

from collections import defaultdict, deque

import mesa
import numpy as np
from numpy.typing import NDArray

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
    as_array,
    joining,
    says_yes,
    staying,
)


class State(mesa.Agent):
    """A state is asked until it answers; if it agrees, it sends a cohort a day."""

    def __init__(self, model: "Nation", number: int) -> None:
        """Not asked yet, which in a round is the same as silent."""
        super().__init__(model)
        self.number = number
        self.answer = SILENT
        self.reply = 0
        self.left = model.p.pools[number]
        self.ended = 0
        model.counts[SILENT] += 1

    def step(self) -> None:
        """One day."""
        answer = self.answer
        if answer == NO:
            return
        if answer == YES:
            if self.left:
                n = joining(self.left, self.model.p.joining_percent)
                self.left -= n
                Cohort(self.model, self, n)
        elif answer == UNDECIDED:
            self.decide()
        elif self.model.is_round:
            p, day = self.model.p, self.model.day
            self.reply = answer_day(self.model.replication, self.number, day, p.reply_chance, p.deadline_days)
            self.say(UNDECIDED)

    def decide(self) -> None:
        """Answer on the day, or let the deadline pass."""
        model, p = self.model, self.model.p
        if self.reply == model.day:
            support = p.supports[self.number]
            agrees = says_yes(model.replication, self.number, model.day, support, p.sway, p.threshold)
            self.say(YES if agrees else NO)
        elif model.is_deadline:
            self.say(SILENT)

    def say(self, answer: int) -> None:
        """Change the answer."""
        self.model.counts[self.answer] -= 1
        self.model.counts[answer] += 1
        self.answer = answer


class Cohort(mesa.Agent):
    """A cohort waits for seats, is trained, travels, and serves until nobody stays for another tour."""

    def __init__(self, model: "Nation", state: State, n: int) -> None:
        """Join the queue."""
        super().__init__(model)
        self.state = state
        self.n = n
        model.counts[WAITING] += n
        model.waiting.append(self)

    def train(self) -> None:
        """Take seats."""
        model = self.model
        model.free -= self.n
        model.counts[WAITING] -= self.n
        model.counts[TRAINING] += self.n
        model.calendar[model.day + model.p.training_days].append(self.travel)

    def travel(self) -> None:
        """Leave the seats and set out."""
        model = self.model
        model.free += self.n
        model.counts[TRAINING] -= self.n
        model.counts[TRAVEL] += self.n
        model.calendar[model.day + model.p.travel_days].append(self.serve)

    def serve(self) -> None:
        """Arrive."""
        model = self.model
        model.counts[TRAVEL] -= self.n
        model.counts[SERVING] += self.n
        model.calendar[model.day + model.p.tour_days].append(self.end_tour)

    def end_tour(self) -> None:
        """Half stay, half go home."""
        model, state = self.model, self.state
        stay = staying(state.ended, self.n)
        state.ended += self.n
        model.counts[SERVING] -= self.n - stay
        model.counts[HOME] += self.n - stay
        self.n = stay
        if stay:
            model.calendar[model.day + model.p.tour_days].append(self.end_tour)
        else:
            self.remove()


class Nation(mesa.Model):
    """One run."""

    def __init__(self, p: Parameters, replication: int) -> None:
        """All states, none of them asked."""
        super().__init__(seed=replication)
        self.p = p
        self.replication = replication
        self.counts = [0] * N_COLUMNS
        self.days: list[list[int]] = []
        self.free = p.seats
        self.waiting: deque[Cohort] = deque()
        self.calendar = defaultdict(list)
        self.day = 0
        self.is_round = self.is_deadline = False
        self.states = State.create_agents(self, len(p.pools), list(range(len(p.pools))))

    def step(self) -> None:
        """One day."""
        self.day = self.steps - 1
        for act in self.calendar.pop(self.day, ()):
            act()
        day_of_round = self.day % self.p.round_days
        self.is_round = day_of_round == 0
        self.is_deadline = day_of_round == self.p.deadline_days
        self.states.do("step")
        while self.waiting and self.waiting[0].n <= self.free:
            self.waiting.popleft().train()
        self.days.append(self.counts.copy())
        self.running = self.steps < self.p.n_days


def run(p: Parameters, replication: int) -> NDArray[np.int64]:
    """One run."""
    nation = Nation(p, replication)
    nation.run_model()
    return as_array(nation.days)
