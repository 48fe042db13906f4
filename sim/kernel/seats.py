"""Seats in training and places under supervisors: to whom they go."""

from typing import Any

import numpy as np

from sim import people
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import (
    AT_AWAITING,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    ENFORCEMENT,
    LANES,
    Work,
)
from sim.kernel.rows import add_row, move_on, remember, split_lanes
from sim.kernel.steps import (
    move,
    put,
)
from sim.packed import N_ROLES, Plan
from sim.results import AWAITING, IN_PLACE, TRAINING, TRAVEL, WAITING


@rule
def take_seats(work: Work, slot: int, came: int, i: int, role: int, n: int, n_days: int) -> None:
    """So many who wait start their course."""
    nation = work.nation[0]
    move(work, i, role, WAITING, TRAINING, n)
    nation.n_training += n
    work.calendar[came].people[AT_WAITING + slot, role, i] -= n
    until = min(nation.day + nation.course_days[role], n_days)
    o = np.int64(work.calendar[came].was_ordered[i]) if slot == 1 else 0
    put(work, AT_TRAINING + o, until, i, role, n)


@inlined
def seat(work: Work, slot: int, came: int, role: int, n_days: int) -> None:
    """All who wait in a role and came on a day start their course; nobody has been ordered."""
    nation = work.nation[0]
    if not work.roles[role].people[WAITING]:
        return
    until = min(nation.day + nation.course_days[role], n_days)
    row, next_row = work.calendar[came].people[AT_WAITING + slot, role], work.calendar[until].people[AT_TRAINING, role]
    nation.n_training += move_on(work, role, WAITING, TRAINING, row, next_row)
    remember(work.days, AT_TRAINING, until, role)


@part
def allot(work: Work, n_seats: int, day: int, n_days: int) -> None:
    """Seats go to the oldest cohorts; too few for a day are split over states, then over the roles of each cohort."""
    nation = work.nation[0]
    left = n_seats - nation.n_training
    came = nation.first_waiting
    while came <= day and left > 0:
        wanted = work.days[came].waiting
        if wanted == 0:
            if came == nation.first_waiting:
                nation.first_waiting += 1
        elif wanted <= left:
            left -= wanted
            work.days[came].waiting = 0
            for slot in range(1 - nation.any_moved, 2):
                for role in range(N_ROLES):
                    if not nation.any_ordered:
                        seat(work, slot, came, role, n_days)
                        continue
                    for a in range(nation.n_active):
                        i = nation.active[a]
                        n = np.int64(work.calendar[came].people[AT_WAITING + slot, role, i])
                        if n:
                            take_seats(work, slot, came, i, role, n, n_days)
        else:
            ration(work, came, left, n_days)
            left = 0
        came += 1


@rule
def ration(work: Work, came: int, free: int, n_days: int) -> None:
    """Split too few seats over the cohorts of one day, then over the roles of each."""
    nation = work.nation[0]
    shares, quotas, totals, seated = nation.shares, nation.quotas, nation.totals, nation.seated
    for i in range(len(shares)):
        shares[i] = 0
    for slot in range(1 - nation.any_moved, 2):
        for role in range(N_ROLES):
            add_row(shares, work.calendar[came].people[AT_WAITING + slot, role])
    people.split(free, shares, quotas)
    work.days[came].waiting -= free
    for slot in range(1 - nation.any_moved, 2):
        for i in range(len(totals)):
            totals[i] = 0
        for role in range(N_ROLES):
            add_row(totals, work.calendar[came].people[AT_WAITING + slot, role])
        for i in range(len(seated)):
            seated[i] = min(quotas[i], totals[i])
            quotas[i] -= seated[i]
        for first in range(0, len(seated), LANES):
            split_lanes(nation, work.calendar[came].people[AT_WAITING + slot], first)
        for role in range(N_ROLES):
            row, going = work.calendar[came].people[AT_WAITING + slot, role], nation.going[role]
            if nation.any_ordered:
                for i in range(len(work.homes)):
                    if going[i]:
                        take_seats(work, slot, came, i, role, going[i], n_days)
                continue
            # Whoever stays is put back once all of the row have gone.
            for i in range(len(going)):
                n = np.int32(going[i])
                going[i] = row[i] - n
                row[i] = n
            seat(work, slot, came, role, n_days)
            add_row(row, going)


@part
def supervise(plan: Plan, work: Work, p: Any, most: int, day: int, n_days: int) -> None:
    """Trained enforcement people travel as supervisors are free: oldest first, then by largest remainder over states."""
    nation, stage = work.nation[0], plan.levers_of[day]
    if not nation.n_awaiting:
        return
    free = most
    free -= work.roles[ENFORCEMENT].people[TRAVEL] + work.roles[ENFORCEMENT].people[IN_PLACE]
    trained = nation.first_awaiting
    while trained <= day and free > 0:
        wanted = work.days[trained].awaiting
        if wanted:
            for i in range(len(work.homes)):
                nation.shares[i] = np.int64(work.calendar[trained].people[AT_AWAITING + 0, ENFORCEMENT, i]) + np.int64(
                    work.calendar[trained].people[AT_AWAITING + 1, ENFORCEMENT, i]
                )
                nation.quotas[i] = nation.shares[i]
            if wanted > free:
                people.split(free, nation.shares, nation.quotas)
            for i in range(len(work.homes)):
                arrival = int(p.travel_away_days) if plan.is_away[stage, i] else int(p.travel_home_days)
                for o in range(2):
                    n = min(nation.quotas[i], np.int64(work.calendar[trained].people[AT_AWAITING + o, ENFORCEMENT, i]))
                    if n:
                        nation.quotas[i] -= n
                        free -= n
                        work.calendar[trained].people[AT_AWAITING + o, ENFORCEMENT, i] -= n
                        work.days[trained].awaiting -= n
                        nation.n_awaiting -= n
                        move(work, i, ENFORCEMENT, AWAITING, TRAVEL, n)
                        put(work, AT_TRAVEL + o, min(day + arrival, n_days), i, ENFORCEMENT, n)
        elif trained == nation.first_awaiting:
            nation.first_awaiting += 1
        trained += 1
