"""What a run of the compiled loop writes into: records of the nation, its days and its states, and the calendar of people."""

from functools import cache
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
COUNT, WEIGHTS = np.uint32, COUNT_WEIGHTS.reshape(N_ROLES, N_STAGES)
_MIX = tuple(np.uint64(x) for x in (30, 0xBF58476D1CE4E5B9, 27, 0x94D049BB133111EB, 31))

# The answers of a decision, by code.
DECISIONS = ("accept", "accept with limits", "accept more", "decline", "decline more", "no answer", "withdraw")
SAID_YES, SAID_LIMITED, SAID_MORE, SAID_NO, SAID_NO_MORE, SAID_NOTHING, SAID_WITHDRAW = range(7)
NAN = float("nan")
# Bounds stand so much above what they bound, because sums of bounds round otherwise than sums of terms.
ABOVE, HAIR = 1.0 + 1e-9, 1e-12

# Room for so many states at a time: a loop over all of them has a length that the compiler knows, and no rest.
STEP = 64
# Blocks of luck, of four days each, that are looked at together; a loop over fewer is unrolled and not made of vectors.
LOOK = 16


@cache
def nation_type(n_places: int) -> Any:
    """What there is once in a run, and rows of numbers by state and by role and state.

    One record is one pointer, and what lies in it at fixed places cannot overlap: loops over its rows become vector
    instructions without a look at run time. A world that needs more room is compiled anew.
    """
    once = {
        np.int64: "day stage approval rounds next_ask is_federalizing n_taken has_news any_shock may_close is_calm is_dirty"
        " picture any_ordered any_moved must_settle has_said n_behind n_away screening_days n_active missing n_sending"
        " n_training n_awaiting first_waiting first_awaiting n_decisions strength strength_of_strip n_refusing"
        " n_refusing_in_strip weighed_roles n_wanted",
        np.float64: "national partisan ceiling chance fail_share refused refused_in_strip status_cost each_wanted",
        np.uint64: "k0 k1 replication",
    }
    by_role = {
        np.int64: "course_days wanted_missing wanted_sizes weights wanted parts some",
        np.float64: "costs pulls",
    }
    by_state = {
        np.int32: "offer entered news serving back seen keeps_up capacity wake lean asked refusing seen_side has_moved",
        np.int64: "active awake taken shares quotas",
        np.float64: "strengths come pool chances open_chance",
        np.uint64: "hash said",
        COUNT: "linear",
    }
    by_both = {np.float64: "leaving", np.int32: "left owed screened failed"}
    fields: list[tuple[Any, ...]] = [(name, kind) for kind, names in once.items() for name in names.split()]
    for shape, groups in (((N_ROLES,), by_role), ((n_places,), by_state), ((N_ROLES, n_places), by_both)):
        fields += [(name, kind, shape) for kind, names in groups.items() for name in names.split()]
    fields += [
        ("lows", np.uint64, (LOOK,)),
        ("regional", np.float64, (8,)),
        ("people", np.int64, (N_ROLES, N_STAGES)),
        ("n_status", np.int64, (N_STATUSES,)),
        ("leaning", np.int64, (3,)),
        ("n_asked", np.int64, (3,)),
        ("ended", np.int32, (2, N_ROLES, n_places)),
        ("counts", np.int32, (N_STAGES, N_ROLES, n_places)),
    ]
    return np.dtype(fields)


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
        ("is_crowded", np.int64),
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
ALL = shocks.ALL_ROLES


class Work(NamedTuple):
    """A workspace for one run at a time, its calendar empty before and after each run.

    nation
        One record: see `nation_type`. By state: people in the mission, come home, and in the mission last evening; whether
        a desk keeps up, and what it can see in a day; the next day on which a governor must be looked at; whether it agreed
        (1) or refused (-1), whether it had been asked and whether it refuses to be a host in last evening's picture, and
        whether its answer has changed since; positions of states whose desk has opened; whether a state is federalized;
        scratch (`lows`: see `steps.look_ahead`); the hash so far, counts under their weights, and what was said under its
        weight. By role and state: what attrition adds up to and who left; people taken out of tours that have not ended yet
        (`owed`, from those that end first); who was screened, failed, and whose tours ended (called, ordered). By stage,
        role and state: people.
    homes, days, spots
        Records: one for each state; for each day; for each day and state (shape (n_days, n_states)). Of a day:
        ambiguity, lapse and suspension as in `shocks.Forces`; officers; all people not yet screened or waiting for a seat
        who came forward on it, or for a supervisor since it; whether more came somewhere than a desk can see in a day;
        where in the calendar somebody ends something on it (bits); whether somebody is on disaster duty. Of a spot: jumps
        in force, roles closed by courts, whether a burst is on, how many governors take office (times 4, plus 1 and the
        side of the last), and whether those who came forward were ordered.
    disasters
        Share of strength on disaster duty, shape (n_days, n_places).
    calendar
        People by layer, day, role and state, shape (N_LAYERS, n_days + 1, n_roles, n_places): those in training, in travel
        and in place by the morning on which that ends (the last row stands for all days after the run; those in place
        include those `owed`), those awaiting a supervisor by the day on which their course ended, those waiting or
        screening by the day on which they came.
    """

    nation: NDArray[Any]
    homes: NDArray[Any]
    days: NDArray[Any]
    spots: NDArray[Any]
    disasters: NDArray[np.float64]
    calendar: NDArray[np.int32]


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
        nation=np.zeros(1, nation_type(n_places)).view(np.recarray),
        homes=np.zeros(n_states, packed.HOME).view(np.recarray),
        days=np.zeros(n_days, DAY).view(np.recarray),
        spots=np.zeros((n_days, n_states), SPOT).view(np.recarray),
        disasters=np.zeros((n_days, n_places)),
        calendar=np.zeros((N_LAYERS, n_days + 1, N_ROLES, n_places), np.int32),
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
