"""The layout of the limit: two records, one of what all runs share, one of what a run needs.

People of a state by role are one 64-bit word, 16 bits a role: moving all roles is one addition, and moving a whole country
is a loop over words that the compiler turns into vector instructions. Whoever has a seat has a settled course: their
word goes into the row of the day on which they will arrive, and only national sums follow them through course and
journey; so a row is also the tour that begins on that day. One record is one pointer and fixed offsets: the compiler
knows that its fields do not overlap.
"""

import math
from typing import Any

import numpy as np

from sim.packed import NUMBERS, Packed

# Room for states, and for lanes (a state's role): loops of a length that the compiler knows.
PLACES, ROLES = 56, 4
LANES = PLACES * ROLES
# Days, and rows beyond the last for those who would arrive then; drawn numbers; parts of a mixture.
DAYS, AHEAD, DRAWN, PARTS = 192, 64, 128, 4
# Blocks of luck, of four days each: in a whole run, and looked into at a time.
BLOCKS, CHUNK = DAYS // 4, 16
N_NUMBERS = len(NUMBERS.names or ())

NOT_ASKED, UNDECIDED, ACCEPTED, LIMITED, DECLINED, NO_ANSWER, WITHDRAWN, SENDING = 0, 1, 2, 3, 4, 5, 6, 8
# National totals; the last is the first day whose people may still wait for a seat.
(ENTERED, SCREENING, WAITING, TRAINING, TRAVEL, PRESENT, FAILED, RETURNED, LEFT, MISSING, FIRST, N_TOTALS) = range(12)
# Sets of states, a bit for each: as they are, and as all saw them last evening.
AGREE, REFUSE, ASKED, SAW_AGREE, SAW_REFUSE, SAW_ASKED, PENDING, ON_DUTY, BEHIND, OPEN, N_BITS = range(11)

U = np.uint64
NONE, ONE, HALF, WORD = U(0), U(1), U(32), U(0xFFFFFFFF)
PAIRS, LANE, STEP, ALL = U(0x0000FFFF0000FFFF), U(0xFFFF), U(16), U(0xFFFFFFFFFFFFFFFF)
# Philox 4x32: its multipliers and what is added to the key; and what luck is for.
M0, M1, W0, W1 = U(0xD2511F53), U(0xCD9E8D57), U(0x9E3779B9), U(0xBB67AE85)
PARAMETER, REVIEW, NATION, REGION, GOVERNOR, ANSWER, PERMIT, OFFER, WITHDRAW, DISASTER, SIZE = map(U, range(1, 12))
WORDS, UNIT, TWO_PI, HAIR = 2.0**32, 2.0**-32, 2.0 * math.pi, 1e-9
# A bound is this much above what it bounds, for rounding.
ABOVE = 1.0 + 1e-9


def record(*fields: tuple[str, str, int], same: tuple[tuple[str, Any, str], ...] = ()) -> Any:
    """A record of numbers (length 0) and arrays; each of `same` (name, kind, other) is another field's memory, seen anew."""
    names, formats, offsets, at = [], [], [], 0
    for name, kind, n in fields:
        at = -(-at // 64) * 64 if n else -(-at // 8) * 8
        names.append(name)
        formats.append(np.dtype((kind, (n,))) if n else np.dtype(kind))
        offsets.append(at)
        at += formats[-1].itemsize
    for name, kind, other in same:
        k, seen = names.index(other), np.dtype(kind)
        n = formats[k].itemsize // seen.itemsize
        names.append(name)
        formats.append(seen if n == 1 else np.dtype((seen, (n,))))
        offsets.append(offsets[k])
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": -(-at // 64) * 64})


# What all runs share: the states, who borders on whom (a bit for each), and how numbers are drawn.
FIXED = record(
    *((name, "i8", 0) for name in ("n_states", "n_days", "n_drawn", "mixed", "n_parts")),
    *((name, "u8", PLACES) for name in ("fips", "near", "bit")),
    ("of_side", "u8", 3),
    *((name, "i8", PLACES) for name in ("has_governor", "side", "region")),
    *((name, "f8", PLACES) for name in ("strength", "side_number", "margin", "on_ballot", "prior", "most_disasters")),
    ("disasters", "f8", 12 * PLACES),
    ("month", "i8", DAYS),
    ("sizes", "i8", ROLES),
    ("defaults", "f8", N_NUMBERS),
    ("key", "u8", DRAWN),
    ("column", "i8", DRAWN),
    *((name, "f8", DRAWN) for name in ("turn", "low", "high", "wide", "below", "above")),
    *((name, "u1", DRAWN) for name in ("is_log", "is_whole")),
    *((name, "f8", PARTS) for name in ("weights", "means", "sds")),
)
# Where a run is played.
ROOM = record(
    ("numbers", "f8", N_NUMBERS),
    ("drawn", "f8", DRAWN),
    # Of the nation, and by role.
    ("totals", "i8", N_TOTALS),
    ("bits", "u8", N_BITS),
    ("n_status", "i8", 9),
    ("easiest", "i8", 0),
    *((name, "u8", 0) for name in ("k0", "k1", "replication")),
    ("hurry", "f8", 0),
    ("even", "f8", 0),
    *((name, "i8", ROLES) for name in ("serving_by_role", "present_by_role", "missing", "wanted", "course")),
    *((name, "f8", ROLES) for name in ("costs", "pulls")),
    ("group", "u8", ROLES),
    # By lane. `owed` are people who have left tours that do not know it yet; `flag` tells where something is to be done.
    *((name, "f8", LANES) for name in ("leaving", "left", "ended", "stayed", "screened", "failed", "owed")),
    ("flag", "u1", LANES),
    # By state.
    *((name, "u8", PLACES) for name in ("present", "some", "other", "capacity", "ready")),
    *((name, "f8", PLACES) for name in ("offer", "pool", "come", "entered", "chance", "serving", "seen", "returned")),
    *((name, "f8", PLACES) for name in ("on_duty", "worst", "at_home", "reserve", "own", "standing", "reach")),
    *((name, "i8", PLACES) for name in ("status", "asks", "quota", "deadline", "permitted", "recall", "calls")),
    *((name, "i8", PLACES) for name in ("next_screened", "shares", "parts", "rests", "calm", "last", "withdrawing")),
    # The next day on which a state may answer or withdraw, and the word of that day's luck.
    *((name, "i8", PLACES) for name in ("day_of_answer", "day_of_withdrawal")),
    *((name, "u8", PLACES) for name in ("word_of_answer", "word_of_withdrawal")),
    # By day: people in a row, who arrive, who end a course; states that may act, whose disaster begins or ends.
    *((name, "i8", DAYS + AHEAD) for name in ("begun", "arriving", "learned")),
    *((name, "i8", DAYS) for name in ("to_screen", "to_seat", "seated")),
    *((name, "u8", DAYS) for name in ("may_answer", "may_withdraw", "turning")),
    # Rows of words: who begins a tour on a day; who came on it and is not yet screened; who waits for a seat since.
    ("place", "u8", (DAYS + AHEAD) * PLACES),
    ("came", "u8", DAYS * PLACES),
    ("wait", "u8", DAYS * PLACES),
    ("disaster", "f8", DAYS * PLACES),
    same=(
        ("p", NUMBERS, "numbers"),
        *((f"{name}16", "u2", name) for name in ("place", "present", "some", "other")),
        ("flag64", "u8", "flag"),
    ),
)


def room() -> Any:
    """A clean room, an array of one record."""
    return np.zeros(1, ROOM).view(np.recarray)


def fixed(of: Packed) -> Any:
    """A packed scenario in the layout of the limit; raises ValueError where it does something that the limit cannot."""
    plan, homes, draws = of.plan, of.plan.homes, of.draws
    n, n_days, n_drawn = len(homes), len(plan.levers_of), len(draws.key)
    if why := _beyond(of):
        raise ValueError(f"the limit plays the baseline alone: {why}")
    low, mode, high = draws.low.copy(), draws.mode.copy(), draws.high.copy()
    for end in (low, mode, high):
        end[draws.is_log > 0] = [math.log(x) for x in end[draws.is_log > 0]]
    is_point = high <= low
    low[is_point] = mode[is_point]
    wide = np.where(is_point, 1.0, high - low)
    mixed = int(np.argmax(draws.weights[:, 0] > 0))
    values = {
        "n_states": n,
        "n_days": n_days,
        "n_drawn": n_drawn,
        "mixed": mixed,
        "n_parts": int((draws.weights[mixed] > 0).sum()),
        "fips": homes.fips,
        "near": [
            sum(1 << int(j) for j in plan.neighbors[plan.first_neighbor[i] : plan.first_neighbor[i + 1]])
            for i in range(n)
        ],
        "bit": [1 << i for i in range(PLACES)],
        "of_side": [sum(1 << i for i in range(n) if homes.side[i] == side) for side in (-1, 0, 1)],
        "has_governor": homes.has_governor,
        "side": homes.side,
        "region": homes.region,
        "strength": homes.strength,
        "side_number": homes.side,
        "margin": homes.margin,
        "on_ballot": homes.on_ballot,
        "prior": homes.prior_position,
        "most_disasters": plan.disasters_per_day[:, np.unique(plan.month)].max(axis=1),
        "disasters": plan.disasters_per_day.ravel(),
        "month": plan.month,
        "sizes": plan.levers[0].sizes[:ROLES],
        "defaults": of.numbers[0],
        "key": draws.key,
        "column": draws.column,
        "turn": np.where(is_point, 2.0, (mode - low) / wide),
        "low": low,
        "high": high,
        "wide": wide,
        "below": mode - low,
        "above": np.where(is_point, 0.0, high - mode),
        "is_log": draws.is_log,
        "is_whole": draws.is_whole,
        "weights": draws.weights[mixed],
        "means": draws.means[mixed],
        "sds": draws.sds[mixed],
    }
    row = np.zeros(1, FIXED)
    for name, value in values.items():
        if np.ndim(value):
            row[name][0, : len(value)] = value
        else:
            row[name] = value
    return row.view(np.recarray)


def _beyond(of: Packed) -> str:
    """What of a scenario is beyond the limit, in words; nothing where all of it can be played."""
    plan, homes, draws, levers = of.plan, of.plan.homes, of.draws, of.plan.levers[0]
    p = of.numbers[0].view(NUMBERS)[0]
    highest = of.numbers[0].copy()
    np.maximum.at(highest, draws.column, draws.high)
    most = highest.view(NUMBERS)[0]
    courses = (most.training_days_administration, most.training_days_support)
    courses += (most.training_days_transport, most.training_days_detention)
    reasons = {
        "it changes, has dated shocks or given answers": len(plan.levers) > 1 or len(plan.shocks) or len(plan.answers),
        "it does not ask every state": not plan.asked.all(),
        "people travel to other states": plan.is_away.any() or p.mission_cross_state,
        "it asks for all or nothing": levers.is_bundled,
        "consent cannot be taken back": not levers.may_withdraw,
        "its roles are not the first four": levers.named_roles & levers.open_roles != (1 << ROLES) - 1,
        "it federalizes": p.federalize_day >= 0,
        "courts or incidents by chance": p.court_clock or p.incident_random,
        "units may be ordered": p.volunteers_basis,
        "whoever is home may be called again": most.tour_dwell_days < len(plan.levers_of) - 1,
        "a number is not drawn as in the baseline": (draws.weights[:, 0] > 0).sum() != 1,
        "it is too large": len(homes) > PLACES
        or len(plan.levers_of) > DAYS
        or len(draws.key) > DRAWN
        or draws.weights.shape[1] > PARTS
        or homes.strength.max() >= 1 << 15
        or max(courses) + most.travel_home_days >= AHEAD,
    }
    return "; ".join(words for words, holds in reasons.items() if holds)
