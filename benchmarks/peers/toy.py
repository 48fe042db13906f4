"""The toy: what every engine must reproduce, number by number.

It has the size and the skeleton of the real model (54 states, 180 days, rounds of asking, daily cohorts, seats, tours)
and none of its substance: nothing here is a claim about governors.

One day, in this order:

1. Tours end. Of all whose tours have ended so far in a state, half, rounded down, have stayed for another; the others
   went home. Journeys end, and tours begin. Courses end, and seats are free again.
2. Every `round_days` days, from day 0, the states that gave no answer are asked again; on day 0 all are asked.
3. A state that was asked answers on each of the next `deadline_days` days with the same chance. On the last of them, if
   it is still undecided, it counts as silent until the next round. `deadline_days` is shorter than `round_days`.
4. From the day after its yes, a state's pool of volunteers sends a cohort a day until it is empty.
5. Cohorts take seats, the oldest first, those of one day in the order of their states. A cohort starts as a whole, and
   none overtakes another. No cohort is larger than the school.
6. The day is counted.

Courses, journeys and tours last at least a day.

Rules are scalar functions of numbers, without objects, so that a compiler takes them as they are. An engine decides only
who does what when, and looks ahead where it can: because luck is a function, the day of an answer is known when the
question is put.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Columns of the output: states by answer, then people by stage.
UNDECIDED, YES, NO, SILENT, WAITING, TRAINING, TRAVEL, SERVING, HOME = range(9)
COLUMNS = ("undecided", "yes", "no", "silent", "waiting", "training", "travel", "serving", "home")
N_COLUMNS = len(COLUMNS)

# What a draw is for.
REPLY, SUPPORT = range(2)
# The answer day of a state that lets the deadline pass.
NEVER = -1

_MASK = 0xFFFFFFFF


class Parameters(NamedTuple):
    """The numbers of the toy.

    reply_chance
        Chance a day that a state which was asked answers.
    deadline_days, round_days
        Days to answer; days from one round to the next.
    threshold
        Support from which the answer is yes, 0 to 1.
    sway
        How much of that support is luck, 0 to 1.
    joining_percent
        Share of those left in a pool who come on a day, in percent, rounded up.
    seats
        People whom the national school trains at once.
    supports, pools
        By state: support without luck, 0 to 1; volunteers, in people.
    """

    n_days: int
    reply_chance: float
    deadline_days: int
    round_days: int
    threshold: float
    sway: float
    joining_percent: int
    seats: int
    training_days: int
    travel_days: int
    tour_days: int
    supports: tuple[float, ...]
    pools: tuple[int, ...]


N_STATES = 54
STANDARD = Parameters(
    n_days=180,
    reply_chance=0.06,
    deadline_days=21,
    round_days=30,
    threshold=0.45,
    sway=0.5,
    joining_percent=4,
    seats=2_500,
    training_days=14,
    travel_days=2,
    tour_days=90,
    # Spread evenly, and in another order than the pools.
    supports=tuple((35 * state % N_STATES + 0.5) / N_STATES for state in range(N_STATES)),
    pools=tuple(200 + 10 * (23 * state % N_STATES) for state in range(N_STATES)),
)


def uniform(replication: int, state: int, day: int, purpose: int) -> float:
    """A number from 0 to below 1 that is a function of who asks for what.

    Every engine draws in an order of its own, so luck cannot be a stream. The mixer has the form of splitmix64's (shift,
    multiply, shift, multiply, shift) in 32 bits, so that the arithmetic is the same in Python's integers and in 64-bit
    words. Holds for 65,536 replications of 64 states, 512 days and 2 purposes.

    References
    ----------
    Wellons (2018), Prospecting for hash functions: the constants of `lowbias32`.
    """
    x = (((replication * 64 + state) * 512 + day) * 2 + purpose) & _MASK
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _MASK
    return (x ^ (x >> 16)) * 2.0**-32


def answer_day(replication: int, state: int, asked: int, reply_chance: float, deadline_days: int) -> int:
    """Day on which a state answers the question of day `asked`; NEVER if it lets the deadline pass."""
    for day in range(asked + 1, asked + deadline_days + 1):
        if uniform(replication, state, day, REPLY) < reply_chance:
            return day
    return NEVER


def says_yes(replication: int, state: int, day: int, support: float, sway: float, threshold: float) -> bool:
    """Whether a state that answers on this day agrees."""
    return (1.0 - sway) * support + sway * uniform(replication, state, day, SUPPORT) >= threshold


def joining(left: int, percent: int) -> int:
    """How many of those left in a pool come today; at least one, so that a pool empties."""
    return (left * percent + 99) // 100


def staying(ended: int, n: int) -> int:
    """How many of n whose tour ends stay, after `ended` before them in their state: halves are never lost."""
    return (ended + n) // 2 - ended // 2


RULES = (uniform, answer_day, says_yes, joining, staying)


def as_array(days: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """The output of a run: shape (n_days, 9), in the order of COLUMNS, at the end of each day."""
    return np.array(days, dtype=np.int64)
