"""The evening: the books, what everybody sees tomorrow, and the hash of the run."""

from typing import Any

import numpy as np

from sim import governors
from sim.kernel.compiling import part, rule
from sim.kernel.layout import (
    _MIX,
    ACTIVE,
    AT_AWAITING,
    AT_SCREENING,
    AT_WAITING,
    DAY_STEP,
    GOLDEN,
    QUOTAS,
    SAID_WEIGHT,
    SHARES,
    WEIGHTS,
    WORD,
    Full,
    Work,
)
from sim.kernel.steps import target
from sim.packed import N_ROLES, N_STAGES, Plan
from sim.results import (
    ACCEPTED,
    DECLINED,
    FEDERALIZED,
    IN_PLACE,
    LIMITED,
    NO_ANSWER,
    NOT_ASKED,
    SCREENING,
    UNDECIDED,
    WITHDRAWN,
)


@part
def keep_books(full: Full, work: Work, p: Any, series: Any, day: int) -> None:
    """Record the evening."""
    nation, below = work.nation[0], 0
    for i in range(len(work.homes)):
        home = work.homes[i]
        said = WORD(home.status * 64 + home.permitted)
        home.hash = home.hash * DAY_STEP + (home.linear + said * SAID_WEIGHT)
        home.seen_serving = home.serving
        work.spots[day, i].returned = home.returned
        at_home = home.strength * (1.0 - p.mobilized - work.spots[day, i].disaster) - home.serving
        if at_home < p.offer_reserve * home.strength:
            below += 1
        if len(full.people):
            for role in range(N_ROLES):
                for stage in range(N_STAGES):
                    full.people[day, i, role, stage] = home.counts[role, stage]
            full.status[day, i] = home.status
            full.permitted[day, i] = home.permitted
    nation.people[:] = 0
    for a in range(nation.n_active):
        counts = work.homes[work.lists[ACTIVE, a]].counts
        for role in range(N_ROLES):
            for stage in range(N_STAGES):
                nation.people[role, stage] += counts[role, stage]
    status = nation.n_status
    series[0, day], series[1, day] = status[NOT_ASKED], status[UNDECIDED]
    series[2, day], series[3, day] = status[ACCEPTED] + status[LIMITED], status[LIMITED]
    series[4, day], series[5, day] = status[DECLINED], status[NO_ANSWER]
    series[6, day], series[7, day] = status[WITHDRAWN], status[FEDERALIZED]
    for stage in range(N_STAGES):
        n = 0
        for role in range(N_ROLES):
            n += nation.people[role, stage]
        series[8 + stage, day] = n
    at = 8 + N_STAGES
    for role in range(N_ROLES):
        series[at + role, day] = nation.people[role, IN_PLACE]
    at += N_ROLES
    series[at, day] = 1 if nation.n_sending else 0
    series[at + 1, day], series[at + 2, day] = work.days[day].hired, work.days[day].deputized
    series[at + 3, day], series[at + 4, day] = below, nation.missing
    nation.missing = 0


@part
def observe(plan: Plan, work: Work, p: Any, levers: Any) -> None:
    """Take the picture that all see tomorrow; peers are worked out anew only when somebody has moved."""
    nation = work.nation[0]
    wanted, total = target(p), np.int64(0)
    for role in range(N_ROLES):
        total += levers.sizes[role]
    for role in range(N_ROLES):
        size, serving = levers.sizes[role], 0
        for stage in range(SCREENING, IN_PLACE + 1):
            serving += nation.people[role, stage]
        nation.wanted_sizes[role] = size
        nation.wanted_missing[role] = max(0, (wanted * size // total if total else 0) - serving)
    if nation.has_news:
        nation.has_news = 0
        weigh_peers(plan, work)


@rule
def weigh_peers(plan: Plan, work: Work) -> None:
    """Leans of all states, and what each sees of its neighbors and of the others of its side."""
    nation, homes = work.nation[0], work.homes
    lean, asked = work.lists[SHARES], work.lists[QUOTAS]
    refused = refused_in_strip = 0
    leaning, n_asked = nation.leaning, nation.n_asked
    leaning[:] = 0
    n_asked[:] = 0
    for i in range(len(homes)):
        home = homes[i]
        lean[i] = asked[i] = 0
        if home.has_governor:
            if home.status in (ACCEPTED, LIMITED):
                lean[i] = 1
            elif home.status in (DECLINED, WITHDRAWN):
                lean[i] = -1
            if home.status not in (NOT_ASKED, FEDERALIZED):
                asked[i] = 1
        leaning[home.side + 1] += lean[i]
        n_asked[home.side + 1] += asked[i]
        if lean[i] < 0 or (home.bars_outsiders and lean[i] == 0):
            refused += home.strength
            if home.in_strip:
                refused_in_strip += home.strength
    for i in range(len(homes)):
        home = homes[i]
        near = near_asked = 0
        for k in range(plan.first_neighbor[i], plan.first_neighbor[i + 1]):
            near += lean[plan.neighbors[k]]
            near_asked += asked[plan.neighbors[k]]
        home.neighbor_balance = governors.balance(near, near_asked)
        home.side_balance = governors.balance(leaning[home.side + 1] - lean[i], n_asked[home.side + 1] - asked[i])
    nation.refused = refused / nation.strength
    nation.refused_in_strip = refused_in_strip / max(nation.strength_of_strip, 1)


@rule
def run_hash(work: Work) -> Any:
    """See `results.run_hash`."""
    total, n_states = WORD(0), len(work.homes)
    for i in range(n_states):
        total += mixed(work.homes[i].hash ^ (WORD(i + 1) * GOLDEN))
    officers_hash = WORD(0)
    for day in range(len(work.days)):
        today = work.days[day]
        officers_hash = officers_hash * DAY_STEP + (
            WORD(today.hired) * WEIGHTS[0, 0] + WORD(today.deputized) * WEIGHTS[0, 1]
        )
    return total + mixed(officers_hash ^ (WORD(n_states + 1) * GOLDEN))


@rule
def mixed(x: Any) -> Any:
    """The finalizer of splitmix64."""
    x = (x ^ (x >> _MIX[0])) * _MIX[1]
    x = (x ^ (x >> _MIX[2])) * _MIX[3]
    return x ^ (x >> _MIX[4])


@rule
def clean(work: Work, n_days: int) -> None:
    """Leave the workspace as it was found: every calendar empty."""
    nation = work.nation[0]
    work.calendar[:AT_AWAITING, n_days] = 0
    first = n_days
    for a in range(nation.n_active):
        first = min(first, work.homes[work.lists[ACTIVE, a]].next_screened)
    work.calendar[AT_SCREENING, first:] = 0
    work.calendar[AT_WAITING:AT_SCREENING, nation.first_waiting :] = 0
    work.calendar[AT_AWAITING:AT_WAITING, nation.first_awaiting :] = 0
    for day in range(n_days):
        work.days[day].waiting = work.days[day].awaiting = 0
