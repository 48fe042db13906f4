"""People on the move: shocks that close roles, courses, journeys and tours that end, desks, seats and supervisors."""

from typing import Any

import numpy as np

from sim import people, shocks
from sim.kernel.compiling import part, rule
from sim.kernel.layout import (
    ACTIVE,
    ALL,
    AT_AWAITING,
    AT_IN_PLACE,
    AT_SCREENING,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    ENFORCEMENT,
    QUOTAS,
    SHARES,
    WORD,
    Work,
)
from sim.kernel.steps import clear_calendar, enter, move, open_now, own_mind, put, take_from_place
from sim.packed import N_ROLES, Plan
from sim.results import AWAITING, ENTERED, IN_PLACE, LEFT, RETURNED, SCREENED_OUT, SCREENING, TRAINING, TRAVEL, WAITING


@part
def turn_day(plan: Plan, work: Work, records: Any, values: Any, day: int) -> None:
    """Today is another day, with the levers of that day."""
    nation, stage = work.nation[0], plan.levers_of[day]
    nation.day = day
    if day == 0 or stage != nation.stage:
        nation.stage = stage
        p = records[stage]
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
            new = np.int64(work.spots[day, i].new_governors)
            if new:
                home = work.homes[i]
                home.governor += WORD(new >> 2)
                home.side = (new & 3) - 1
                home.prior_position = 0.0
                home.own = own_mind(home, nation)
                home.standing_of = -1
                nation.has_news = 1
    if nation.may_close:
        for i in range(len(work.homes)):
            home = work.homes[i]
            lawful = levers.federal_roles if home.is_federal else levers.open_roles
            closed = (~lawful | np.int64(work.spots[day, i].closed)) & shocks.ALL_ROLES
            closing = closed & ~home.closed_before
            if closing and home.entered:
                reassign(work, levers, i, closing, n_days)
            home.closed_before = closed


@rule
def reassign(work: Work, levers: Any, i: int, closing: int, n_days: int) -> None:
    """Move people out of roles that close: to another permitted role after its course, or home."""
    home, nation = work.homes[i], work.nation[0]
    still_open = open_now(home, levers, np.int64(work.spots[nation.day, i].closed))
    for role in range(N_ROLES):
        if not closing >> role & 1:
            continue
        moved = 0
        for stage in range(SCREENING, IN_PLACE + 1):
            moved += home.counts[role, stage]
        for stage in range(SCREENING, IN_PLACE + 1):
            n = home.counts[role, stage]
            if n and not still_open:
                move(home, nation, role, stage, RETURNED, n)
            elif n and stage != WAITING:
                move(home, nation, role, stage, WAITING, n)
        if not moved:
            continue
        clear_calendar(work, i, role, nation.day, n_days)
        home.first_due[role] = n_days
        if still_open:
            people.role_weights(nation.wanted_missing, nation.wanted_sizes, still_open, nation.weights)
            people.split(moved, nation.weights, nation.parts)
            enter(home, nation, role, -moved)
            for other in range(N_ROLES):
                n = nation.parts[other]
                enter(home, nation, other, n)
                work.calendar[AT_WAITING, nation.day, i, other] += n
                work.days[nation.day].waiting += n
            nation.first_waiting = min(nation.first_waiting, nation.day)


@part
def end_things(plan: Plan, work: Work, p: Any, day: int, n_days: int) -> None:
    """Courses, journeys and tours end."""
    nation, stage = work.nation[0], plan.levers_of[day]
    home_days, away_days, tour_days = int(p.travel_home_days), int(p.travel_away_days), int(p.tour_days)
    until = min(day + tour_days, n_days)
    for o in range(1 + nation.any_ordered):
        reup = people.staying_share(p.tour_reup, p.directed_reup_factor, o == 1)
        for a in range(nation.n_active):
            i = work.lists[ACTIVE, a]
            due = np.int64(work.spots[day, i].due)
            if not due:
                continue
            home = work.homes[i]
            arrival = min(day + (away_days if plan.is_away[stage, i] else home_days), n_days)
            ending, arriving = due >> N_ROLES * (AT_IN_PLACE + o) & ALL, due >> N_ROLES * (AT_TRAVEL + o) & ALL
            learned = due >> N_ROLES * (AT_TRAINING + o) & ALL
            for role in range(N_ROLES):
                if learned >> role & 1:
                    n = np.int64(work.calendar[AT_TRAINING + o, day, i, role])
                    work.calendar[AT_TRAINING + o, day, i, role] = 0
                    if role == ENFORCEMENT:
                        move(home, nation, role, TRAINING, AWAITING, n)
                        work.calendar[AT_AWAITING + o, day, i, role] += n
                        work.days[day].awaiting += n
                        nation.n_awaiting += n
                    else:
                        move(home, nation, role, TRAINING, TRAVEL, n)
                        put(work.calendar, work.spots, AT_TRAVEL + o, arrival, i, role, n)
                if ending >> role & 1:
                    n = np.int64(work.calendar[AT_IN_PLACE + o, day, i, role])
                    work.calendar[AT_IN_PLACE + o, day, i, role] = 0
                    stay = people.whole_share(home.ended[o, role], n, reup)
                    home.ended[o, role] += n
                    if n > stay:
                        move(home, nation, role, IN_PLACE, RETURNED, n - stay)
                    if stay:
                        put(work.calendar, work.spots, AT_IN_PLACE + o, until, i, role, stay)
                        home.first_due[role] = min(home.first_due[role], until)
                if arriving >> role & 1:
                    n = np.int64(work.calendar[AT_TRAVEL + o, day, i, role])
                    work.calendar[AT_TRAVEL + o, day, i, role] = 0
                    move(home, nation, role, TRAVEL, IN_PLACE, n)
                    put(work.calendar, work.spots, AT_IN_PLACE + o, until, i, role, n)
                    home.first_due[role] = min(home.first_due[role], until)


@part
def leave(work: Work, p: Any, day: int) -> None:
    """Attrition of those in place."""
    nation = work.nation[0]
    rate = min(1.0, p.attrition * (p.funding_attrition if work.days[day].is_lapse else 1.0))
    for a in range(nation.n_active):
        i = work.lists[ACTIVE, a]
        home = work.homes[i]
        for role in range(N_ROLES):
            here = home.counts[role, IN_PLACE]
            if not here:
                continue
            home.leaving[role] += rate * here
            if home.leaving[role] > home.left[role] + people.ALMOST_ONE:
                n = min(np.int64(here), people.whole(home.leaving[role]) - home.left[role])
                if n:
                    home.left[role] += n
                    take_from_place(work, i, role, n, LEFT)


@part
def screen(work: Work, i: int, day: int, screening_days: int) -> None:
    """See the oldest cohorts first, as many people as the desk can in a day."""
    home, nation = work.homes[i], work.nation[0]
    left = home.capacity
    while home.next_screened <= day - screening_days and left > 0:
        came = home.next_screened
        queue = work.calendar[AT_SCREENING, came, i]
        n = 0
        for role in range(N_ROLES):
            nation.some[role] = queue[role]
            n += queue[role]
        if n > left:
            n = left
            people.split(left, queue, nation.some)
        else:
            home.next_screened += 1
        if not n:
            continue
        left -= n
        nation.first_waiting = min(nation.first_waiting, came)
        for role in range(N_ROLES):
            seen = nation.some[role]
            if seen:
                home.screened[role] += seen
                failed = people.whole(nation.fail_share * home.screened[role]) - home.failed[role]
                queue[role] -= seen
                if failed:
                    home.failed[role] += failed
                    move(home, nation, role, SCREENING, SCREENED_OUT, failed)
                move(home, nation, role, SCREENING, WAITING, seen - failed)
                work.calendar[AT_WAITING + 1, came, i, role] += seen - failed
                work.days[came].waiting += seen - failed


@rule
def meet_disaster(work: Work, p: Any, i: int, disaster: float) -> None:
    """A recall clause brings troops back; count who is missing."""
    home, nation = work.homes[i], work.nation[0]
    on_duty, serving = disaster * home.strength, home.serving
    needed = p.offer_reserve * home.strength + on_duty
    short = people.whole(people.short_at_home(float(home.strength), p.mobilized, float(serving), needed))
    if short and home.has_recall_clause:
        in_place = 0
        for role in range(N_ROLES):
            nation.some[role] = home.counts[role, IN_PLACE]
            in_place += nation.some[role]
        recalled = min(short, in_place)
        people.split(recalled, nation.some, nation.parts)
        for role in range(N_ROLES):
            if nation.parts[role]:
                take_from_place(work, i, role, nation.parts[role], RETURNED)
        serving -= recalled
    nation.missing += people.whole(people.short_at_home(float(home.strength), p.mobilized, float(serving), on_duty))


@part
def take_in(work: Work, levers: Any, p: Any, i: int, day: int, disaster: float) -> None:
    """Those who come forward today become a cohort, split over roles."""
    home, nation = work.homes[i], work.nation[0]
    roles = open_now(home, levers, np.int64(work.spots[day, i].closed))
    if not roles:
        return
    is_ordered = home.ordered_by >= 0
    chance = 1.0 / max(1, home.ordered_by - day + 1) if is_ordered else nation.chance
    if disaster > 0.0 or work.days[day].is_lapse:
        chance *= people.reach_today(p.mobilized, disaster, p.funding_share, 1.0 if work.days[day].is_lapse else 0.0)
    home.come = people.come_forward(home.come, home.pool, float(home.offer), chance)
    n = people.whole(home.come) - home.entered
    if n <= 0:
        return
    home.entered += n
    people.role_weights(nation.wanted_missing, nation.wanted_sizes, roles, nation.weights)
    people.split(n, nation.weights, nation.parts)
    for role in range(N_ROLES):
        part = nation.parts[role]
        if part:
            move(home, nation, role, ENTERED, SCREENING, part)
            work.calendar[AT_SCREENING, day, i, role] = part
    work.spots[day, i].was_ordered = is_ordered


@part
def mobilize(work: Work, levers: Any, p: Any, day: int, screening_days: int) -> None:
    """The desks' day: screen, meet a disaster, take in who comes forward."""
    nation = work.nation[0]
    for a in range(nation.n_active):
        i = work.lists[ACTIVE, a]
        home = work.homes[i]
        if home.next_screened <= day - screening_days:
            screen(work, i, day, screening_days)
        disaster = work.spots[day, i].disaster
        if disaster > 0.0:
            meet_disaster(work, p, i, disaster)
        if home.pool > home.come and home.entered < home.offer:
            take_in(work, levers, p, i, day, disaster)


@part
def take_seats(work: Work, slot: int, came: int, i: int, role: int, n: int, n_days: int) -> None:
    """So many who wait start their course."""
    home, nation = work.homes[i], work.nation[0]
    move(home, nation, role, WAITING, TRAINING, n)
    nation.n_training += n
    work.calendar[AT_WAITING + slot, came, i, role] -= n
    until = min(nation.day + nation.course_days[role], n_days)
    o = np.int64(work.spots[came, i].was_ordered) if slot == 1 else 0
    put(work.calendar, work.spots, AT_TRAINING + o, until, i, role, n)


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
            for a in range(nation.n_active):
                i = work.lists[ACTIVE, a]
                for slot in range(2):
                    for role in range(N_ROLES):
                        n = np.int64(work.calendar[AT_WAITING + slot, came, i, role])
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
    for i in range(len(work.homes)):
        n = np.int64(0)
        for slot in range(2):
            for role in range(N_ROLES):
                n += work.calendar[AT_WAITING + slot, came, i, role]
        work.lists[SHARES, i] = n
    people.split(free, work.lists[SHARES], work.lists[QUOTAS])
    work.days[came].waiting -= free
    for a in range(nation.n_active):
        i = work.lists[ACTIVE, a]
        for slot in range(2):
            n = np.int64(0)
            for role in range(N_ROLES):
                n += work.calendar[AT_WAITING + slot, came, i, role]
            n = min(work.lists[QUOTAS, i], n)
            if n:
                work.lists[QUOTAS, i] -= n
                people.split(n, work.calendar[AT_WAITING + slot, came, i], nation.parts)
                for role in range(N_ROLES):
                    if nation.parts[role]:
                        take_seats(work, slot, came, i, role, nation.parts[role], n_days)


@part
def supervise(plan: Plan, work: Work, p: Any, most: int, day: int, n_days: int) -> None:
    """Trained enforcement people travel as supervisors are free: oldest first, then by largest remainder over states."""
    nation, stage = work.nation[0], plan.levers_of[day]
    if not nation.n_awaiting:
        return
    free = most
    for a in range(nation.n_active):
        counts = work.homes[work.lists[ACTIVE, a]].counts
        free -= counts[ENFORCEMENT, TRAVEL] + counts[ENFORCEMENT, IN_PLACE]
    trained = nation.first_awaiting
    while trained <= day and free > 0:
        wanted = work.days[trained].awaiting
        if wanted:
            for i in range(len(work.homes)):
                work.lists[SHARES, i] = np.int64(work.calendar[AT_AWAITING + 0, trained, i, ENFORCEMENT]) + np.int64(
                    work.calendar[AT_AWAITING + 1, trained, i, ENFORCEMENT]
                )
                work.lists[QUOTAS, i] = work.lists[SHARES, i]
            if wanted > free:
                people.split(free, work.lists[SHARES], work.lists[QUOTAS])
            for i in range(len(work.homes)):
                arrival = int(p.travel_away_days) if plan.is_away[stage, i] else int(p.travel_home_days)
                for o in range(2):
                    n = min(work.lists[QUOTAS, i], np.int64(work.calendar[AT_AWAITING + o, trained, i, ENFORCEMENT]))
                    if n:
                        work.lists[QUOTAS, i] -= n
                        free -= n
                        work.calendar[AT_AWAITING + o, trained, i, ENFORCEMENT] -= n
                        work.days[trained].awaiting -= n
                        nation.n_awaiting -= n
                        move(work.homes[i], nation, ENFORCEMENT, AWAITING, TRAVEL, n)
                        put(work.calendar, work.spots, AT_TRAVEL + o, min(day + arrival, n_days), i, ENFORCEMENT, n)
        elif trained == nation.first_awaiting:
            nation.first_awaiting += 1
        trained += 1
