"""What a run of the compiled loop writes into: records of the nation, its days and its states, and the calendar of people."""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import governors, packed
from sim.packed import N_ROLES, N_STAGES
from sim.parameters import ROLES
from sim.results import COUNT_WEIGHTS, DAY_WEIGHT, STATUS_WEIGHT, STATUSES

ENFORCEMENT = ROLES.index("enforcement")
N_STATUSES = len(STATUSES)
# Sets of roles, as bits.
N_SETS = 1 << N_ROLES
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
# Rows begin at a line of the processor's cache: a vector that crosses two costs twice.
LINE = 64
# Blocks of luck, of four days each, that are looked at together; a loop over fewer is unrolled and not made of vectors.
LOOK = 16
# States over whose roles people are split together: see `LOOK`.
LANES = 16


@cache
def nation_type(n_places: int) -> Any:
    """What there is once in a run, and rows of numbers by state and by role and state.

    One record is one pointer, and what lies in it at fixed places cannot overlap: loops over its rows become vector
    instructions without a look at run time. A world that needs more room is compiled anew.
    """
    once = {
        np.int64: "day forces_day stage approval rounds next_ask is_federalizing n_taken has_news any_shock may_close is_calm"
        " is_dirty picture any_ordered any_moved must_settle has_said n_behind n_away screening_days n_active missing n_sending"
        " n_training n_awaiting first_waiting first_awaiting n_decisions strength strength_of_strip n_refusing"
        " n_refusing_in_strip",
        np.float64: "national partisan ceiling chance fail_share refused refused_in_strip status_cost haste",
        np.uint64: "k0 k1 replication",
    }
    by_role = {
        np.int64: "course_days sizes wanted_missing wanted_sizes wanted_people weights parts some",
        np.float64: "costs pulls",
    }
    by_state = {
        np.int32: "offer entered news serving back seen keeps_up capacity wake lean asked refusing seen_side has_moved",
        np.int64: "active taken shares quotas totals seated who",
        np.float64: "strengths come pool chances open_chance",
        np.uint64: "hash said",
        COUNT: "linear",
    }
    by_both = {np.int64: "going rests sought"}
    fields: list[tuple[Any, ...]] = [(name, kind) for kind, names in once.items() for name in names.split()]
    for shape, groups in (((N_ROLES,), by_role), ((n_places,), by_state), ((N_ROLES, n_places), by_both)):
        fields += [(name, kind, shape) for kind, names in groups.items() for name in names.split()]
    fields += [
        ("regional", np.float64, (8,)),
        ("weighed_on", np.int64, (N_SETS,)),
        ("wanted", np.int64, (N_SETS, N_ROLES)),
        ("n_wanted", np.int64, (N_SETS,)),
        ("n_status", np.int64, (N_STATUSES,)),
        ("leaning", np.int64, (3,)),
        ("n_asked", np.int64, (3,)),
        ("words", np.uint64, (4, LOOK)),
    ]
    return record(fields)


@cache
def day_type(n_places: int) -> Any:
    """What a day of the calendar holds: see `Work`."""
    by_state = {
        "disasters": np.float64,
        "shock": np.float64,
        "new_governors": np.int32,
        "closed": np.uint8,
        "is_burst": np.uint8,
        "was_ordered": np.uint8,
    }
    fields = [(name, kind, (n_places,)) for name, kind in by_state.items()]
    return record([("people", np.int32, (N_LAYERS, N_ROLES, n_places)), *fields])


@cache
def role_type(n_places: int) -> Any:
    """What there is of each role: see `Work`. Rows of one record lie at known distances."""
    by_state = {"leaving": np.float64, "linear": COUNT, "owed": np.int32, "screened": np.int32, "moving": np.int32}
    fields = [(name, kind, (n_places,)) for name, kind in by_state.items()]
    fields += [("ended", np.int32, (2, n_places)), ("counts", np.int32, (N_STAGES, n_places))]
    return record([("people", np.int64, (N_STAGES,)), *fields])


def record(fields: list[tuple[Any, ...]]) -> Any:
    """A record whose rows begin at a line of the processor's cache."""
    names, formats, offsets, end = [], [], [], 0
    for name, *form in fields:
        kind = np.dtype(tuple(form) if len(form) > 1 else form[0])
        at = -(-end // LINE) * LINE if kind.shape else end
        names, formats, offsets = [*names, name], [*formats, kind], [*offsets, at]
        end = at + kind.itemsize
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": -(-end // LINE) * LINE})


def room(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Zeros that begin at a line of the processor's cache."""
    n_bytes = math.prod(shape) * np.dtype(kind).itemsize
    raw = np.zeros(n_bytes + LINE, np.uint8)
    first = -raw.ctypes.data % LINE
    return raw[first : first + n_bytes].view(kind).reshape(shape)


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
DECISION = np.dtype(
    (
        np.record,
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
        ],
    )
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


class Work(NamedTuple):
    """A workspace for one run at a time, its calendar empty before and after each run.

    nation
        One record: see `nation_type`. Forces are read on `forces_day`: today, but the first day in a calm run, which has
        none on any day. By state: people in the mission, come home, and in the mission last evening; whether
        a desk keeps up (-1), and what it can see in a day; the next day on which a governor must be looked at; whether it
        agreed (1) or refused (-1), whether it had been asked and whether it refuses to be a host in last evening's picture,
        and whether its answer has changed since; positions of states whose desk has opened; whether a state is federalized;
        scratch; the hash so far, counts under their weights, and what was said under its weight. By role: the request's
        sizes of today and people sought; who is missing, and the sizes, in last evening's picture. By set of roles: the
        weights by which those who come forward are split, and the day on which these were worked out. The words of the
        blocks of luck that were looked at last.
    homes, days
        Records: one for each state; for each day. Of a day: ambiguity, lapse and suspension as in `shocks.Forces`;
        officers; all people not yet screened or waiting for a seat who came forward on it, or for a supervisor since it;
        whether more came somewhere than a desk can see in a day; where in the calendar somebody ends something on it
        (bits); whether somebody is on disaster duty.
    calendar
        A record for each day and one that stands for all days after the run. People by layer, role and state: those in
        training, in travel and in place by the morning on which that ends (those in place include those `owed`), those
        awaiting a supervisor by the day on which their course ended, those waiting or screening by the day on which they
        came. By state: the share of strength on disaster duty, jumps in force, roles closed by courts, whether a burst is
        on, how many governors take office (times 4, plus 1 and the side of the last), and whether those who came forward
        were ordered.
    roles
        A record for each role. By state: what attrition adds up to; people taken out of tours that have not ended yet
        (`owed`, from those that end first); who was screened, and whose tours ended (called, ordered); counts under their
        weights; scratch (`moving`); people by stage.
    """

    nation: NDArray[Any]
    homes: NDArray[Any]
    days: NDArray[Any]
    calendar: NDArray[Any]
    roles: NDArray[Any]


class Full(NamedTuple):
    """Everything of one run, for those who want to see it; arrays of length 0 where nobody does.

    people
        As it is counted: shape (n_days, n_stages, n_roles, n_places).
    status, permitted
        As in `results.Run`.
    decisions
        A record for each decision, in order; room for more than can come: `nation` tells how many there were.
    """

    people: NDArray[np.int32]
    status: NDArray[np.int8]
    permitted: NDArray[np.int8]
    decisions: NDArray[Any]


def places_of(n_states: int) -> int:
    """Room for so many states, in whole steps."""
    return -(-n_states // STEP) * STEP


def workspace(n_days: int, n_states: int) -> Work:
    """A clean workspace."""
    n_places = places_of(n_states)
    return Work(
        nation=room((1,), nation_type(n_places)).view(np.recarray),
        homes=np.zeros(n_states, packed.HOME).view(np.recarray),
        days=np.zeros(n_days, DAY).view(np.recarray),
        calendar=room((n_days + 1,), day_type(n_places)).view(np.recarray),
        roles=room((N_ROLES,), role_type(n_places)).view(np.recarray),
    )


def nothing() -> Full:
    """Room for nothing: totals alone are wanted."""
    return everything(0, 0, 0)


def everything(n_days: int, n_states: int, n_decisions: int) -> Full:
    """Room for one run in full."""
    return Full(
        np.empty((n_days, N_STAGES, N_ROLES, places_of(n_states)), np.int32),
        np.empty((n_days, n_states), np.int8),
        np.empty((n_days, n_states), np.int8),
        np.empty(n_decisions, DECISION),
    )
