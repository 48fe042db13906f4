"""The toy as a plain Python day loop: what a careful programmer writes without any library.

Nothing is looked at on a day on which nothing happens to it. Answers wait in a calendar; courses, journeys and tours are
belts with one place for each day that they last.
"""

from bisect import insort
from collections import defaultdict, deque

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.toy import NEVER, Parameters, answer_day, as_array, joining, says_yes, staying

Party = tuple[int, int]  # state, people


def run(p: Parameters, replication: int) -> NDArray[np.int64]:
    """One run."""
    undecided = yes = no = in_training = in_travel = serving = home = in_queue = 0
    silent = list(range(len(p.pools)))
    replies: defaultdict[int, list[int]] = defaultdict(list)
    deadlines: dict[int, list[int]] = {}
    left = list(p.pools)
    recruiting: list[int] = []  # states that said yes and have volunteers left, in order
    waiting: deque[Party] = deque()
    free = p.seats
    courses: deque[list[Party]] = deque([[]] * p.training_days)
    journeys: deque[list[Party]] = deque([[]] * p.travel_days)
    tours: deque[list[Party]] = deque([[]] * p.tour_days)
    ended = [0] * len(p.pools)
    days = []

    for day in range(p.n_days):
        begun = []
        for state, n in tours.popleft():
            stay = staying(ended[state], n)
            ended[state] += n
            serving -= n - stay
            home += n - stay
            if stay:
                begun.append((state, stay))
        arrived = journeys.popleft()
        tours.append(arrived + begun)
        n = sum(n for _, n in arrived)
        in_travel -= n
        serving += n
        trained = courses.popleft()
        journeys.append(trained)
        n = sum(n for _, n in trained)
        in_training -= n
        in_travel += n
        free += n

        # Before the day's answers, because the first cohort comes on the day after the yes.
        for state in recruiting:
            n = joining(left[state], p.joining_percent)
            left[state] -= n
            in_queue += n
            waiting.append((state, n))
        recruiting = [state for state in recruiting if left[state]]

        if day % p.round_days == 0:
            deadlines[day + p.deadline_days] = unheard = []
            for state in silent:
                reply = answer_day(replication, state, day, p.reply_chance, p.deadline_days)
                (unheard if reply == NEVER else replies[reply]).append(state)
            undecided = len(silent)
            silent = []
        for state in replies.pop(day, ()):
            undecided -= 1
            if says_yes(replication, state, day, p.supports[state], p.sway, p.threshold):
                yes += 1
                insort(recruiting, state)
            else:
                no += 1
        if day in deadlines:
            silent = deadlines.pop(day)
            undecided -= len(silent)

        seated = []
        while waiting and waiting[0][1] <= free:
            party = waiting.popleft()
            seated.append(party)
            free -= party[1]
        courses.append(seated)
        n = sum(n for _, n in seated)
        in_queue -= n
        in_training += n

        days.append((undecided, yes, no, len(silent), in_queue, in_training, in_travel, serving, home))
    return as_array(days)
