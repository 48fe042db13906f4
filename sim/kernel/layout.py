"""What a run of the compiled loop writes into: records of the nation, its days and its states, and the calendar of people."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import governors, packed, shocks
from sim.packed import N_ROLES, N_STAGES
from sim.parameters import ROLES
from sim.results import COUNT_WEIGHTS, DAY_WEIGHT, SERIES, STATUS_WEIGHT, STATUSES

ENFORCEMENT = ROLES.index("enforcement")
N_SERIES, N_STATUSES = len(SERIES), len(STATUSES)
N_TERMS = len(governors.TERMS)
WORD = np.uint64
DAY_STEP, SAID_WEIGHT, GOLDEN = np.uint64(DAY_WEIGHT), np.uint64(STATUS_WEIGHT), np.uint64(0x9E3779B97F4A7C15)
WEIGHTS = COUNT_WEIGHTS.reshape(N_ROLES, N_STAGES)
_MIX = tuple(np.uint64(x) for x in (30, 0xBF58476D1CE4E5B9, 27, 0x94D049BB133111EB, 31))

# The answers of a decision, by code.
DECISIONS = ("accept", "accept with limits", "accept more", "decline", "decline more", "no answer", "withdraw")
SAID_YES, SAID_LIMITED, SAID_MORE, SAID_NO, SAID_NO_MORE, SAID_NOTHING, SAID_WITHDRAW = range(7)
NAN = float("nan")
# Bounds stand so much above what they bound, because sums of bounds round otherwise than sums of terms.
ABOVE, HAIR = 1.0 + 1e-9, 1e-12

# What there is once in a run.
NATION = np.dtype(
    [
        ("day", np.int64),
        ("stage", np.int64),
        ("approval", np.int64),
        ("rounds", np.int64),
        ("next_ask", np.int64),
        ("is_federalizing", np.int64),
        ("n_taken", np.int64),
        ("has_news", np.int64),
        ("any_shock", np.int64),
        ("may_close", np.int64),
        ("is_calm", np.int64),
        ("picture", np.int64),
        ("any_ordered", np.int64),
        ("any_moved", np.int64),
        ("must_settle", np.int64),
        ("has_said", np.int64),
        ("is_dirty", np.int64),
        ("n_behind", np.int64),
        ("n_away", np.int64),
        ("screening_days", np.int64),
        ("n_active", np.int64),
        ("missing", np.int64),
        ("n_sending", np.int64),
        ("n_training", np.int64),
        ("n_awaiting", np.int64),
        ("first_waiting", np.int64),
        ("first_awaiting", np.int64),
        ("n_decisions", np.int64),
        ("strength", np.int64),
        ("strength_of_strip", np.int64),
        ("national", np.float64),
        ("partisan", np.float64),
        ("ceiling", np.float64),
        ("chance", np.float64),
        ("fail_share", np.float64),
        ("refused", np.float64),
        ("refused_in_strip", np.float64),
        ("status_cost", np.float64),
        ("k0", np.uint64),
        ("k1", np.uint64),
        ("replication", np.uint64),
        ("regional", np.float64, (8,)),
        ("costs", np.float64, (N_ROLES,)),
        ("pulls", np.float64, (N_ROLES,)),
        ("course_days", np.int64, (N_ROLES,)),
        ("wanted_missing", np.int64, (N_ROLES,)),
        ("wanted_sizes", np.int64, (N_ROLES,)),
        ("weights", np.int64, (N_ROLES,)),
        ("parts", np.int64, (N_ROLES,)),
        ("some", np.int64, (N_ROLES,)),
        ("people", np.int32, (N_ROLES, N_STAGES)),
        ("n_status", np.int64, (N_STATUSES,)),
        ("leaning", np.int64, (3,)),
        ("n_asked", np.int64, (3,)),
    ]
)


# What a day is, and what a day is in one state.
DAY = np.dtype(
    [
        ("ambiguity", np.float64),
        ("is_lapse", np.int64),
        ("is_suspended", np.int64),
        ("hired", np.int64),
        ("deputized", np.int64),
        ("screening", np.int64),
        ("waiting", np.int64),
        ("awaiting", np.int64),
        ("due", np.int64),
        ("has_disaster", np.int64),
    ]
)
SPOT = np.dtype(
    [
        ("shock", np.float64),
        ("closed", np.uint8),
        ("is_burst", np.uint8),
        ("was_ordered", np.uint8),
        ("new_governors", np.int32),
    ],
    align=True,
)
DECISION = np.dtype(
    [
        ("day", np.int64),
        ("state", np.int64),
        ("answer", np.int64),
        ("ask", np.int64),
        ("role", np.int64),
        ("permitted", np.int64),
        ("offered", np.int64),
        ("quota", np.int64),
        ("is_forced", np.int64),
        ("support", np.float64),
        ("threshold", np.float64),
        ("chance", np.float64),
        ("terms", np.float64, (N_TERMS,)),
    ]
)

# Layers of the calendar. Where two stand for one stage, the first holds those who were called, the second those ordered;
# of those who wait for a seat the first holds people moved out of a role, the second those who came forward. The last
# holds, in its first role, all who had come home by that evening.
AT_TRAINING, AT_TRAVEL, AT_IN_PLACE, AT_AWAITING, AT_WAITING, AT_SCREENING, AT_HOME, N_LAYERS = (
    0,
    2,
    4,
    6,
    8,
    10,
    11,
    12,
)
# Room for so many states at a time: loops over all of them have no rest that must be done one by one.
STEP = 8
ALL = shocks.ALL_ROLES


class Work(NamedTuple):
    """A workspace for one run at a time, its calendar empty before and after each run.

    nation, homes, days, spots
        Records: one; one for each state; for each day; for each day and state (shape (n_days, n_states)). Of a day:
        ambiguity, lapse and suspension as in `shocks.Forces`; officers; all people not yet screened or waiting for a seat
        who came forward on it, or for a supervisor since it; where in the calendar somebody ends something on it (bits);
        whether somebody is on disaster duty. Of a spot: jumps in force, roles closed by courts, whether a burst is on, how
        many governors take office (times 4, plus 1 and the side of the last), and whether those who came forward were
        ordered.
    disasters
        Share of strength on disaster duty, shape (n_days, n_places).
    calendar
        People by layer, day, role and state, shape (N_LAYERS, n_days + 1, n_roles, n_places): those in training, in travel
        and in place by the morning on which that ends (the last row stands for all days after the run; those in place
        include those `OWED`), those awaiting a supervisor by the day on which their course ended, those waiting or
        screening by the day on which they came.
    counts
        People by stage, role and state, shape (N_STAGES + 2, n_roles, n_places); the last two are scratch.
    reals, words
        Rows of numbers by state: strength and what attrition adds up to, by role; the hash so far, counts under their
        weights, and what was said under its weight.
    lists
        Rows of numbers by state: people in the mission, come home, and in the mission last evening; by role those who left,
        were taken out of tours that have not ended yet (`OWED`, from those that end first), were screened, failed, and whose
        tours ended (called, ordered); whether a desk keeps up, and what it can see in a day; positions of states whose desk
        has opened; whether a state is federalized; the next day on which its governor must be looked at; whether it agreed
        (1) or refused (-1) and whether it had been asked in last evening's picture; scratch.
    """

    nation: NDArray[Any]
    homes: NDArray[Any]
    days: NDArray[Any]
    spots: NDArray[Any]
    disasters: NDArray[np.float64]
    calendar: NDArray[np.int32]
    counts: NDArray[np.int32]
    reals: NDArray[np.float64]
    words: NDArray[np.uint64]
    lists: NDArray[np.int64]


ACTIVE, TAKEN, WAKE, LEAN, ASKED, SHARES, QUOTAS, SERVING, BACK, SEEN, KEEPS_UP, CAPACITY, N_SCREENING = range(13)
GONE, OWED, SCREENED, FAILED, ENDED = (N_SCREENING + 1 + k * N_ROLES for k in range(5))
N_LISTS = ENDED + 2 * N_ROLES
STRENGTH, LEAVING, N_REALS = 0, 1, 1 + N_ROLES
HASH, LINEAR, SAID, N_WORDS = range(4)
SOME, OTHERS = N_STAGES, N_STAGES + 1


class Full(NamedTuple):
    """Everything of one run, for those who want to see it; arrays of length 0 where nobody does.

    people, status, permitted
        As in `results.Run`.
    decisions
        A record for each decision, in order; room for more than can come.
    """

    people: NDArray[np.int32]
    status: NDArray[np.int8]
    permitted: NDArray[np.int8]
    decisions: NDArray[Any]


def workspace(n_days: int, n_states: int) -> Work:
    """A clean workspace."""
    n_places = -(-n_states // STEP) * STEP
    return Work(
        nation=np.zeros(1, NATION).view(np.recarray),
        homes=np.zeros(n_states, packed.HOME).view(np.recarray),
        days=np.zeros(n_days, DAY).view(np.recarray),
        spots=np.zeros((n_days, n_states), SPOT).view(np.recarray),
        disasters=np.zeros((n_days, n_places)),
        calendar=np.zeros((N_LAYERS, n_days + 1, N_ROLES, n_places), np.int32),
        counts=np.zeros((N_STAGES + 2, N_ROLES, n_places), np.int32),
        reals=np.zeros((N_REALS, n_places)),
        words=np.zeros((N_WORDS, n_places), np.uint64),
        lists=np.zeros((N_LISTS, n_places), np.int64),
    )


def nothing() -> Full:
    """Room for nothing: totals alone are wanted."""
    return everything(0, 0, 0)


def everything(n_days: int, n_states: int, n_decisions: int) -> Full:
    """Room for one run in full."""
    decisions = np.zeros(n_decisions, DECISION).view(np.recarray)
    decisions.answer = -1
    return Full(
        np.zeros((n_days, n_states, N_ROLES, N_STAGES), np.int32),
        np.zeros((n_days, n_states), np.int8),
        np.zeros((n_days, n_states), np.int8),
        decisions,
    )
