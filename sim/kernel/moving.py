"""People on the move: shocks that close roles; courses, journeys and tours that end; those who leave."""

import math
from typing import Any

import numpy as np

from sim import people, shocks
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import (
    AT_AWAITING,
    AT_IN_PLACE,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    COUNT,
    ENFORCEMENT,
    WEIGHTS,
    WORD,
    Work,
)
from sim.kernel.rows import move_on, remember
from sim.kernel.steps import (
    clear_calendar,
    enter,
    look_around,
    move,
    open_now,
    own_mind,
    put,
    seek,
    whole_of,
)
from sim.packed import N_ROLES, Plan
from sim.results import AWAITING, IN_PLACE, LEFT, RETURNED, SCREENING, TRAINING, TRAVEL, WAITING


@part
def turn_day(plan: Plan, work: Work, records: Any, values: Any, day: int) -> None:
    """Today is another day, with the levers of that day."""
    nation, stage = work.nation[0], plan.levers_of[day]
    nation.day = day
    nation.forces_day = 0 if nation.is_calm else day
    if day == 0 or stage != nation.stage:
        nation.stage = stage
        nation.n_away = 0
        for i in range(len(work.homes)):
            nation.n_away += plan.is_away[stage, i]
        p = records[stage]
        seek(nation, plan.levers[stage], p)
        nation.haste = math.exp(max(p.decide_deadline, 0.0))
        nation.status_cost = values[stage, plan.levers[stage].status_cost_at]
        nation.costs[0], nation.costs[1] = p.support_role_administration, p.support_role_support
        nation.costs[2], nation.costs[3] = p.support_role_transport, p.support_role_detention
        nation.costs[4] = p.support_role_enforcement
        nation.pulls[0], nation.pulls[1] = p.volunteers_role_administration, p.volunteers_role_support
        nation.pulls[2], nation.pulls[3] = p.volunteers_role_transport, p.volunteers_role_detention
        nation.pulls[4] = p.volunteers_role_enforcement


@part
def strike(plan: Plan, work: Work, day: int, n_days: int) -> None:
    """Governors change; roles close and open again."""
    nation, levers = work.nation[0], plan.levers[plan.levers_of[day]]
    if len(plan.shocks):
        for i in range(len(work.homes)):
            new = np.int64(work.calendar[day].new_governors[i])
            if new:
                home = work.homes[i]
                # Today's picture is of the side that was.
                look_around(plan, work, i)
                home.governor += WORD(new >> 2)
                home.side = (new & 3) - 1
                home.prior_position = 0.0
                home.own = own_mind(home, nation)
                home.standing_of = -1
                nation.has_moved[i] = nation.has_news = 1
    if nation.may_close:
        for i in range(len(work.homes)):
            home = work.homes[i]
            lawful = levers.federal_roles if home.is_federal else levers.open_roles
            closed = (~lawful | np.int64(work.calendar[day].closed[i])) & shocks.ALL_ROLES
            closing = closed & ~home.closed_before
            if closing and nation.entered[i]:
                reassign(work, levers, i, closing, n_days)
            home.closed_before = closed


@rule
def reassign(work: Work, levers: Any, i: int, closing: int, n_days: int) -> None:
    """Move people out of roles that close: to another permitted role after its course, or home."""
    home, nation = work.homes[i], work.nation[0]
    still_open = open_now(home, levers, np.int64(work.calendar[nation.forces_day].closed[i]))
    for role in range(N_ROLES):
        if not closing >> role & 1:
            continue
        moved = np.int64(0)
        for stage in range(SCREENING, IN_PLACE + 1):
            moved += work.roles[role].counts[stage, i]
        for stage in range(SCREENING, IN_PLACE + 1):
            n = np.int64(work.roles[role].counts[stage, i])
            if n and not still_open:
                move(work, i, role, stage, RETURNED, n)
            elif n and stage != WAITING:
                move(work, i, role, stage, WAITING, n)
        if not moved:
            continue
        clear_calendar(work, i, role, nation.day, n_days)
        if still_open:
            people.role_weights(nation.wanted_missing, nation.wanted_sizes, still_open, nation.weights)
            people.split(moved, nation.weights, nation.parts)
            nation.any_moved = 1
            enter(work, i, role, -moved)
            for other in range(N_ROLES):
                n = nation.parts[other]
                enter(work, i, other, n)
                work.calendar[nation.day].people[AT_WAITING, other, i] += n
                work.days[nation.day].waiting += n
            nation.first_waiting = min(nation.first_waiting, nation.day)


@part
def end_things(plan: Plan, work: Work, p: Any, day: int, n_days: int) -> None:
    """Courses, journeys and tours end."""
    due, nation = work.days[day].due, work.nation[0]
    if due:
        for o in range(1 + nation.any_ordered):
            reup = people.staying_share(p.tour_reup, p.directed_reup_factor, o == 1)
            for role in range(N_ROLES):
                if due >> N_ROLES * (AT_TRAINING + o) + role & 1:
                    end_courses(plan, work, p, o, role, n_days)
                if due >> N_ROLES * (AT_IN_PLACE + o) + role & 1:
                    end_tours(work, p, o, role, reup, n_days)
                if due >> N_ROLES * (AT_TRAVEL + o) + role & 1:
                    until, layer = min(day + int(p.tour_days), n_days), AT_IN_PLACE + o
                    row, next_row = (
                        work.calendar[day].people[AT_TRAVEL + o, role],
                        work.calendar[until].people[layer, role],
                    )
                    move_on(work, role, TRAVEL, IN_PLACE, row, next_row)
                    remember(work.days, layer, until, role)


@inlined
def end_courses(plan: Plan, work: Work, p: Any, o: int, role: int, n_days: int) -> None:
    """Courses of a role end today: people travel, or wait for a supervisor."""
    nation = work.nation[0]
    day, stage = nation.day, nation.stage
    row = work.calendar[day].people[AT_TRAINING + o, role]
    if role == ENFORCEMENT:
        n = move_on(work, role, TRAINING, AWAITING, row, work.calendar[day].people[AT_AWAITING + o, role])
        work.days[day].awaiting += n
        nation.n_awaiting += n
        nation.n_training -= n
        return
    home_day, away_day = min(day + int(p.travel_home_days), n_days), min(day + int(p.travel_away_days), n_days)
    if nation.n_away:
        for i in range(len(work.homes)):
            if plan.is_away[stage, i] and row[i]:
                put(work, AT_TRAVEL + o, away_day, i, role, np.int64(row[i]))
                move(work, i, role, TRAINING, TRAVEL, np.int64(row[i]))
                row[i] = 0
    next_row = work.calendar[home_day].people[AT_TRAVEL + o, role]
    nation.n_training -= move_on(work, role, TRAINING, TRAVEL, row, next_row)
    remember(work.days, AT_TRAVEL + o, home_day, role)


@inlined
def end_tours(work: Work, p: Any, o: int, role: int, reup: float, n_days: int) -> None:
    """Tours of a role end today, for those whom nothing has taken out of them: some stay for another, the others go home."""
    nation = work.nation[0]
    until, layer = min(nation.day + int(p.tour_days), n_days), AT_IN_PLACE + o
    row, next_row = work.calendar[nation.day].people[layer, role], work.calendar[until].people[layer, role]
    of, serving, back = work.roles[role], nation.serving, nation.back
    owed, ended, here, there, linear, moving = (
        of.owed,
        of.ended[o],
        of.counts[IN_PLACE],
        of.counts[RETURNED],
        of.linear,
        of.moving,
    )
    weight, total = WEIGHTS[role, RETURNED] - WEIGHTS[role, IN_PLACE], np.int32(0)
    for i in range(len(moving)):
        moving[i] = row[i]
        row[i] = 0
    for i in range(len(moving)):
        taken = min(moving[i], owed[i])
        owed[i] -= taken
        n = np.int32(moving[i] - taken)
        stay = np.int32(whole_of(reup * (ended[i] + n)) - whole_of(reup * ended[i]))
        gone = np.int32(n - stay)
        ended[i] += n
        next_row[i] += stay
        moving[i] = gone
        here[i] -= gone
        there[i] += gone
        linear[i] += COUNT(gone) * weight
        total = np.int32(total + gone)
    for i in range(len(moving)):
        serving[i] -= moving[i]
        back[i] += moving[i]
    of.people[IN_PLACE] -= total
    of.people[RETURNED] += total
    remember(work.days, layer, until, role)


@part
def leave(work: Work, p: Any, day: int) -> None:
    """Attrition of those in place."""
    rate = min(1.0, p.attrition * (p.funding_attrition if work.days[day].is_lapse else 1.0))
    for role in range(N_ROLES):
        if work.roles[role].people[IN_PLACE]:
            leave_role(work, role, rate)


@inlined
def leave_role(work: Work, role: int, rate: float) -> None:
    """Add to what is due in a role; whole people leave, out of the tours that end first."""
    of, serving = work.roles[role], work.nation[0].serving
    leaving, owed, linear, moving = of.leaving, of.owed, of.linear, of.moving
    here, left = of.counts[IN_PLACE], of.counts[LEFT]
    weight, total = WEIGHTS[role, LEFT] - WEIGHTS[role, IN_PLACE], np.int32(0)
    for i in range(len(here)):
        leaving[i] += rate * here[i]
        n = min(here[i], np.int32(whole_of(leaving[i]) - left[i]))
        left[i] += n
        owed[i] += n
        here[i] -= n
        moving[i] = n
        linear[i] += COUNT(n) * weight
        total = np.int32(total + n)
    for i in range(len(moving)):
        serving[i] -= moving[i]
    of.people[IN_PLACE] -= total
    of.people[LEFT] += total
