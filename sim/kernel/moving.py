"""People on the move: shocks that close roles, courses, journeys and tours that end, desks, seats and supervisors."""

from typing import Any

import numpy as np

from sim import people, shocks
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import (
    ACTIVE,
    AT_AWAITING,
    AT_IN_PLACE,
    AT_SCREENING,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    CAPACITY,
    ENDED,
    ENFORCEMENT,
    FAILED,
    GONE,
    KEEPS_UP,
    LEAVING,
    OTHERS,
    OWED,
    QUOTAS,
    SCREENED,
    SERVING,
    SHARES,
    SOME,
    WORD,
    Work,
)
from sim.kernel.steps import (
    add_to,
    clear_calendar,
    enter,
    look_around,
    move,
    move_all,
    open_now,
    own_mind,
    put,
    put_all,
    settle,
    take_from,
    take_from_place,
)
from sim.packed import N_ROLES, Plan
from sim.results import AWAITING, ENTERED, IN_PLACE, LEFT, RETURNED, SCREENED_OUT, SCREENING, TRAINING, TRAVEL, WAITING


@part
def turn_day(plan: Plan, work: Work, records: Any, values: Any, day: int) -> None:
    """Today is another day, with the levers of that day."""
    nation, stage = work.nation[0], plan.levers_of[day]
    nation.day = day
    if day == 0 or stage != nation.stage:
        nation.stage = stage
        nation.n_away = 0
        for i in range(len(work.homes)):
            nation.n_away += plan.is_away[stage, i]
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
                # Today's picture is of the side that was.
                look_around(plan, work, i)
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
        moved = np.int64(0)
        for stage in range(SCREENING, IN_PLACE + 1):
            moved += work.counts[stage, role, i]
        for stage in range(SCREENING, IN_PLACE + 1):
            n = np.int64(work.counts[stage, role, i])
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
                work.calendar[AT_WAITING, nation.day, other, i] += n
                work.days[nation.day].waiting += n
            nation.first_waiting = min(nation.first_waiting, nation.day)


@part
def end_things(plan: Plan, work: Work, p: Any, day: int, n_days: int) -> None:
    """Courses, journeys and tours end."""
    due = work.days[day].due
    if due:
        for o in range(1 + work.nation[0].any_ordered):
            reup = people.staying_share(p.tour_reup, p.directed_reup_factor, o == 1)
            for role in range(N_ROLES):
                if due >> N_ROLES * (AT_TRAINING + o) + role & 1:
                    end_courses(plan, work, p, o, role, n_days)
                if due >> N_ROLES * (AT_IN_PLACE + o) + role & 1:
                    end_tours(work, p, o, role, reup, n_days)
                if due >> N_ROLES * (AT_TRAVEL + o) + role & 1:
                    row = work.calendar[AT_TRAVEL + o, day, role]
                    move_all(work, role, TRAVEL, IN_PLACE, row)
                    put_all(work, AT_IN_PLACE + o, min(day + int(p.tour_days), n_days), role, row)
                    row[:] = 0


@inlined
def end_courses(plan: Plan, work: Work, p: Any, o: int, role: int, n_days: int) -> None:
    """Courses of a role end today: people travel, or wait for a supervisor."""
    nation = work.nation[0]
    day, stage = nation.day, nation.stage
    row = work.calendar[AT_TRAINING + o, day, role]
    if role == ENFORCEMENT:
        n = move_all(work, role, TRAINING, AWAITING, row)
        add_to(work.calendar[AT_AWAITING + o, day, role], row)
        work.days[day].awaiting += n
        nation.n_awaiting += n
    else:
        move_all(work, role, TRAINING, TRAVEL, row)
        home_day, away_day = min(day + int(p.travel_home_days), n_days), min(day + int(p.travel_away_days), n_days)
        if nation.n_away == 0:
            put_all(work, AT_TRAVEL + o, home_day, role, row)
        else:
            for i in range(len(work.homes)):
                arrival = away_day if plan.is_away[stage, i] else home_day
                if row[i]:
                    put(work, AT_TRAVEL + o, arrival, i, role, np.int64(row[i]))
    row[:] = 0


@inlined
def end_tours(work: Work, p: Any, o: int, role: int, reup: float, n_days: int) -> None:
    """Tours of a role end today, for those whom nothing has taken out of them: some stay for another, the others go home."""
    day = work.nation[0].day
    row, gone = work.calendar[AT_IN_PLACE + o, day, role], work.counts[SOME, role]
    owed, ended = work.lists[OWED + role], work.lists[ENDED + N_ROLES * o + role]
    for i in range(len(row)):
        n = np.int64(row[i])
        taken = min(n, owed[i])
        owed[i] -= taken
        n -= taken
        stay = people.whole_share(ended[i], n, reup)
        ended[i] += n
        gone[i] = n - stay
        row[i] = stay
    move_all(work, role, IN_PLACE, RETURNED, gone)
    put_all(work, AT_IN_PLACE + o, min(day + int(p.tour_days), n_days), role, row)
    row[:] = 0


@part
def leave(work: Work, p: Any, day: int) -> None:
    """Attrition of those in place."""
    nation = work.nation[0]
    rate = min(1.0, p.attrition * (p.funding_attrition if work.days[day].is_lapse else 1.0))
    for role in range(N_ROLES):
        if nation.people[role, IN_PLACE]:
            leave_role(work, role, rate)


@inlined
def leave_role(work: Work, role: int, rate: float) -> None:
    """Add to what is due in a role; whole people leave."""
    here, leaving, left = work.counts[IN_PLACE, role], work.reals[LEAVING + role], work.lists[GONE + role]
    n_due = 0
    for i in range(len(here)):
        leaving[i] += rate * here[i]
        n_due += 1 if leaving[i] > left[i] + people.ALMOST_ONE else 0
    if not n_due:
        return
    some, owed = work.counts[SOME, role], work.lists[OWED + role]
    for i in range(len(here)):
        n = np.int64(0)
        if leaving[i] > left[i] + people.ALMOST_ONE:
            n = min(np.int64(here[i]), people.whole(leaving[i]) - left[i])
        left[i] += n
        owed[i] += n
        some[i] = n
    move_all(work, role, IN_PLACE, LEFT, some)


@part
def screen_all(work: Work, came: int) -> None:
    """Desks that keep up see all who came on a day, if these are no more than they can see in a day."""
    nation = work.nation[0]
    queues, total, keeps_up = work.calendar[AT_SCREENING, came], work.lists[QUOTAS], work.lists[KEEPS_UP]
    total[:] = 0
    for role in range(N_ROLES):
        add_to(total, queues[role])
    for i in range(len(work.homes)):
        if total[i] > work.lists[CAPACITY, i] and keeps_up[i]:
            fall_behind(work, i, came)
    for role in range(N_ROLES):
        n = screen_role(work, queues[role], role, came, nation.fail_share)
        if n:
            nation.first_waiting = min(nation.first_waiting, came)


@rule
def fall_behind(work: Work, i: int, came: int) -> None:
    """A desk has more people before it than it can see in a day; from now on it goes its own pace."""
    home = work.homes[i]
    home.is_behind, home.next_screened = 1, came
    work.lists[KEEPS_UP, i] = 0
    work.nation[0].n_behind += 1


@inlined
def screen_role(work: Work, queue: Any, role: int, came: int, fail_share: float) -> int:
    """See those of a role who came on a day, where desks keep up; returns how many."""
    keeps_up, screened, all_failed = work.lists[KEEPS_UP], work.lists[SCREENED + role], work.lists[FAILED + role]
    passing, failing = work.counts[SOME, role], work.counts[OTHERS, role]
    n = np.int64(0)
    for i in range(len(queue)):
        seen = queue[i] * keeps_up[i]
        n += seen
        passing[i] = seen
    if not n:
        return 0
    take_from(queue, passing)
    add_to(screened, passing)
    for i in range(len(queue)):
        failed = people.whole(fail_share * screened[i])
        failing[i] = failed - all_failed[i]
        all_failed[i] = failed
    take_from(passing, failing)
    move_all(work, role, SCREENING, SCREENED_OUT, failing)
    work.days[came].waiting += move_all(work, role, SCREENING, WAITING, passing)
    work.days[came].screening -= n
    add_to(work.calendar[AT_WAITING + 1, came, role], passing)
    return n


@rule
def screen(work: Work, i: int, day: int, screening_days: int) -> None:
    """A desk that is behind: see the oldest cohorts first, as many people as the desk can in a day."""
    home, nation = work.homes[i], work.nation[0]
    left = home.capacity
    while home.next_screened <= day - screening_days and left > 0:
        came = home.next_screened
        n = np.int64(0)
        for role in range(N_ROLES):
            nation.weights[role] = nation.some[role] = work.calendar[AT_SCREENING, came, role, i]
            n += nation.some[role]
        if n > left:
            n = left
            people.split(left, nation.weights, nation.some)
        else:
            home.next_screened += 1
        if not n:
            continue
        left -= n
        nation.first_waiting = min(nation.first_waiting, came)
        work.days[came].screening -= n
        for role in range(N_ROLES):
            seen = nation.some[role]
            if seen:
                work.lists[SCREENED + role, i] += seen
                failed = people.whole(nation.fail_share * work.lists[SCREENED + role, i]) - work.lists[FAILED + role, i]
                work.calendar[AT_SCREENING, came, role, i] -= seen
                if failed:
                    work.lists[FAILED + role, i] += failed
                    move(work, i, role, SCREENING, SCREENED_OUT, failed)
                move(work, i, role, SCREENING, WAITING, seen - failed)
                work.calendar[AT_WAITING + 1, came, role, i] += seen - failed
                work.days[came].waiting += seen - failed
    if home.next_screened > day - screening_days:
        home.is_behind, work.lists[KEEPS_UP, i] = 0, 1
        nation.n_behind -= 1


@rule
def meet_disaster(work: Work, p: Any, i: int, disaster: float) -> None:
    """A recall clause brings troops back; count who is missing."""
    home, nation = work.homes[i], work.nation[0]
    on_duty, serving = disaster * home.strength, work.lists[SERVING, i]
    needed = p.offer_reserve * home.strength + on_duty
    short = people.whole(people.short_at_home(float(home.strength), p.mobilized, float(serving), needed))
    if short and home.has_recall_clause:
        in_place = np.int64(0)
        for role in range(N_ROLES):
            nation.some[role] = work.counts[IN_PLACE, role, i]
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
        work.calendar[AT_SCREENING, day, role, i] = nation.parts[role]
    work.days[day].screening += n
    work.spots[day, i].was_ordered = is_ordered


@part
def mobilize(work: Work, levers: Any, p: Any, day: int, screening_days: int) -> None:
    """The desks' day: screen, meet a disaster, take in who comes forward."""
    nation, came = work.nation[0], day - screening_days
    if came >= 0 and work.days[came].screening:
        screen_all(work, came)
    has_disaster = work.days[day].has_disaster
    for a in range(nation.n_active):
        i = work.lists[ACTIVE, a]
        home = work.homes[i]
        if home.is_behind:
            screen(work, i, day, screening_days)
        disaster = work.disasters[day, i]
        if has_disaster and disaster > 0.0:
            meet_disaster(work, p, i, disaster)
        if home.pool > home.come and home.entered < home.offer:
            take_in(work, levers, p, i, day, disaster)
    if nation.must_settle:
        settle(work, day)
    if work.days[day].screening:
        for role in range(N_ROLES):
            move_all(work, role, ENTERED, SCREENING, work.calendar[AT_SCREENING, day, role])


@rule
def take_seats(work: Work, slot: int, came: int, i: int, role: int, n: int, n_days: int) -> None:
    """So many who wait start their course."""
    nation = work.nation[0]
    move(work, i, role, WAITING, TRAINING, n)
    nation.n_training += n
    work.calendar[AT_WAITING + slot, came, role, i] -= n
    until = min(nation.day + nation.course_days[role], n_days)
    o = np.int64(work.spots[came, i].was_ordered) if slot == 1 else 0
    put(work, AT_TRAINING + o, until, i, role, n)


@inlined
def seat_all(work: Work, slot: int, came: int, role: int, n_days: int) -> None:
    """All who wait in a role and came on a day start their course; nobody has been ordered."""
    nation = work.nation[0]
    row = work.calendar[AT_WAITING + slot, came, role]
    n = move_all(work, role, WAITING, TRAINING, row)
    if n:
        nation.n_training += n
        put_all(work, AT_TRAINING, min(nation.day + nation.course_days[role], n_days), role, row)
        row[:] = 0


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
                        seat_all(work, slot, came, role, n_days)
                        continue
                    for a in range(nation.n_active):
                        i = work.lists[ACTIVE, a]
                        n = np.int64(work.calendar[AT_WAITING + slot, came, role, i])
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
                n += work.calendar[AT_WAITING + slot, came, role, i]
        work.lists[SHARES, i] = n
    people.split(free, work.lists[SHARES], work.lists[QUOTAS])
    work.days[came].waiting -= free
    for a in range(nation.n_active):
        i = work.lists[ACTIVE, a]
        for slot in range(2):
            n = np.int64(0)
            for role in range(N_ROLES):
                nation.some[role] = work.calendar[AT_WAITING + slot, came, role, i]
                n += nation.some[role]
            n = min(work.lists[QUOTAS, i], n)
            if n:
                work.lists[QUOTAS, i] -= n
                people.split(n, nation.some, nation.parts)
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
    free -= nation.people[ENFORCEMENT, TRAVEL] + nation.people[ENFORCEMENT, IN_PLACE]
    trained = nation.first_awaiting
    while trained <= day and free > 0:
        wanted = work.days[trained].awaiting
        if wanted:
            for i in range(len(work.homes)):
                work.lists[SHARES, i] = np.int64(work.calendar[AT_AWAITING + 0, trained, ENFORCEMENT, i]) + np.int64(
                    work.calendar[AT_AWAITING + 1, trained, ENFORCEMENT, i]
                )
                work.lists[QUOTAS, i] = work.lists[SHARES, i]
            if wanted > free:
                people.split(free, work.lists[SHARES], work.lists[QUOTAS])
            for i in range(len(work.homes)):
                arrival = int(p.travel_away_days) if plan.is_away[stage, i] else int(p.travel_home_days)
                for o in range(2):
                    n = min(work.lists[QUOTAS, i], np.int64(work.calendar[AT_AWAITING + o, trained, ENFORCEMENT, i]))
                    if n:
                        work.lists[QUOTAS, i] -= n
                        free -= n
                        work.calendar[AT_AWAITING + o, trained, ENFORCEMENT, i] -= n
                        work.days[trained].awaiting -= n
                        nation.n_awaiting -= n
                        move(work, i, ENFORCEMENT, AWAITING, TRAVEL, n)
                        put(work, AT_TRAVEL + o, min(day + arrival, n_days), i, ENFORCEMENT, n)
        elif trained == nation.first_awaiting:
            nation.first_awaiting += 1
        trained += 1
