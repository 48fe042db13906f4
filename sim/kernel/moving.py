"""People on the move: shocks that close roles, courses, journeys and tours that end, desks, seats and supervisors."""

from typing import Any

import numpy as np

from sim import people, shocks
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import (
    AT_AWAITING,
    AT_IN_PLACE,
    AT_SCREENING,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    COUNT,
    ENFORCEMENT,
    STEP,
    WEIGHTS,
    WORD,
    Work,
)
from sim.kernel.steps import (
    beyond,
    clear_calendar,
    enter,
    enter_all,
    look_around,
    lowest,
    move,
    move_on,
    open_now,
    own_mind,
    put,
    remember,
    seek,
    settle,
    split_roles,
    take_from_place,
    whole_of,
    without_lowest,
)
from sim.packed import N_ROLES, Plan
from sim.results import AWAITING, IN_PLACE, LEFT, RETURNED, SCREENED_OUT, SCREENING, TRAINING, TRAVEL, WAITING


@part
def turn_day(plan: Plan, work: Work, records: Any, values: Any, day: int) -> None:
    """Today is another day, with the levers of that day."""
    nation, stage = work.nation[0], plan.levers_of[day]
    nation.day = day
    nation.spot_day = 0 if nation.is_calm else day
    if day == 0 or stage != nation.stage:
        nation.stage = stage
        nation.n_away = 0
        for i in range(len(work.homes)):
            nation.n_away += plan.is_away[stage, i]
        p = records[stage]
        seek(nation, plan.levers[stage], p)
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
    still_open = open_now(home, levers, np.int64(work.calendar[nation.spot_day].closed[i]))
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


@part
def screen_all(work: Work, came: int) -> None:
    """Desks that keep up see all who came on a day, if these are no more than they can see in a day."""
    nation, queues = work.nation[0], work.calendar[came].people[AT_SCREENING]
    if work.days[came].is_crowded:
        over, capacity, keeps_up = nation.news, nation.capacity, nation.keeps_up
        for i in range(len(over)):
            over[i] = -capacity[i]
        for role in range(N_ROLES):
            add_row(over, queues[role])
        for i in range(len(over)):
            over[i] &= keeps_up[i]
        for first in range(0, len(over), STEP):
            falling = beyond(over, 0, first)
            while falling:
                fall_behind(work, first + lowest(falling), came)
                falling = without_lowest(falling)
    n = np.int64(0)
    for role in range(N_ROLES):
        if work.roles[role].people[SCREENING]:
            n += screen_role(work, queues[role], role, came, nation.fail_share)
    if n:
        nation.first_waiting = min(nation.first_waiting, came)


@inlined
def add_row(total: Any, row: Any) -> None:
    """Add a row of people to another, state by state."""
    for i in range(len(total)):
        total[i] += row[i]


@rule
def fall_behind(work: Work, i: int, came: int) -> None:
    """A desk has more people before it than it can see in a day; from now on it goes its own pace."""
    home = work.homes[i]
    home.is_behind, home.next_screened = 1, came
    nation = work.nation[0]
    nation.keeps_up[i] = 0
    nation.n_behind += 1


@inlined
def screen_role(work: Work, queue: Any, role: int, came: int, fail_share: float) -> int:
    """See those of a role who came on a day, where desks keep up; returns how many."""
    nation, waiting = work.nation[0], work.calendar[came].people[AT_WAITING + 1, role]
    of, keeps_up, serving = work.roles[role], nation.keeps_up, nation.serving
    screened, linear, moving = of.screened, of.linear, of.moving
    before, after, out = of.counts[SCREENING], of.counts[WAITING], of.counts[SCREENED_OUT]
    pass_weight = WEIGHTS[role, WAITING] - WEIGHTS[role, SCREENING]
    fail_weight = WEIGHTS[role, SCREENED_OUT] - WEIGHTS[role, WAITING]
    all_seen, all_out = np.int32(0), np.int32(0)
    for i in range(len(moving)):
        moving[i] = queue[i] & keeps_up[i]
        queue[i] -= moving[i]
    for i in range(len(moving)):
        seen = moving[i]
        screened[i] += seen
        failed = whole_of(fail_share * screened[i])
        failing = np.int32(failed - out[i])
        out[i] = failed
        before[i] -= seen
        after[i] += seen - failing
        waiting[i] += seen - failing
        moving[i] = failing
        linear[i] += COUNT(seen) * pass_weight + COUNT(failing) * fail_weight
        all_seen = np.int32(all_seen + seen)
        all_out = np.int32(all_out + failing)
    for i in range(len(moving)):
        serving[i] -= moving[i]
    n, n_out = np.int64(all_seen), np.int64(all_out)
    of.people[SCREENING] -= n
    of.people[WAITING] += n - n_out
    of.people[SCREENED_OUT] += n_out
    work.days[came].screening -= n
    work.days[came].waiting += n - n_out
    return n


@rule
def screen(work: Work, i: int, day: int, screening_days: int) -> None:
    """A desk that is behind: see the oldest cohorts first, as many people as the desk can in a day."""
    home, nation = work.homes[i], work.nation[0]
    left = np.int64(nation.capacity[i])
    while home.next_screened <= day - screening_days and left > 0:
        came = home.next_screened
        n = np.int64(0)
        for role in range(N_ROLES):
            nation.weights[role] = nation.some[role] = work.calendar[came].people[AT_SCREENING, role, i]
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
                work.roles[role].screened[i] += seen
                failed = (
                    people.whole(nation.fail_share * work.roles[role].screened[i])
                    - work.roles[role].counts[SCREENED_OUT, i]
                )
                work.calendar[came].people[AT_SCREENING, role, i] -= seen
                if failed:
                    move(work, i, role, SCREENING, SCREENED_OUT, failed)
                move(work, i, role, SCREENING, WAITING, seen - failed)
                work.calendar[came].people[AT_WAITING + 1, role, i] += seen - failed
                work.days[came].waiting += seen - failed
    if home.next_screened > day - screening_days:
        home.is_behind, nation.keeps_up[i] = 0, -1
        nation.n_behind -= 1


@inlined
def meet_disaster(work: Work, p: Any, i: int, disaster: float) -> None:
    """A recall clause brings troops back; count who is missing."""
    home, nation = work.homes[i], work.nation[0]
    on_duty, serving = disaster * home.strength, np.int64(nation.serving[i])
    needed = p.offer_reserve * home.strength + on_duty
    short = people.whole(people.short_at_home(float(home.strength), p.mobilized, float(serving), needed))
    if short and home.has_recall_clause:
        in_place = np.int64(0)
        for role in range(N_ROLES):
            nation.some[role] = work.roles[role].counts[IN_PLACE, i]
            in_place += nation.some[role]
        recalled = min(short, in_place)
        people.split(recalled, nation.some, nation.parts)
        for role in range(N_ROLES):
            if nation.parts[role]:
                take_from_place(work, i, role, nation.parts[role], RETURNED)
        serving -= recalled
    nation.missing += people.whole(people.short_at_home(float(home.strength), p.mobilized, float(serving), on_duty))


@inlined
def chance_today(work: Work, levers: Any, p: Any, i: int, day: int, disaster: float) -> float:
    """The daily chance of those who may come forward in a state, in a day of any kind."""
    home, nation = work.homes[i], work.nation[0]
    if not open_now(home, levers, np.int64(work.calendar[nation.spot_day].closed[i])):
        return 0.0
    chance = 1.0 / max(1, home.ordered_by - day + 1) if home.ordered_by >= 0 else nation.chance
    if disaster > 0.0 or work.days[day].is_lapse:
        chance *= people.reach_today(p.mobilized, disaster, p.funding_share, 1.0 if work.days[day].is_lapse else 0.0)
    return chance


@inlined
def come_all(nation: Any, chances: Any) -> None:
    """Those who come forward today in all states, under the chances of today: fills `news`."""
    come, pool, offer, entered, news = nation.come, nation.pool, nation.offer, nation.entered, nation.news
    for i in range(len(come)):
        more = people.come_forward(come[i], pool[i], float(offer[i]), chances[i])
        more = more if pool[i] > come[i] and entered[i] < offer[i] else come[i]
        n = np.int32(whole_of(more) - entered[i])
        come[i] = more
        news[i] = n
        entered[i] += n


@part
def take_in(work: Work, levers: Any, i: int, day: int, n: int) -> None:
    """Those who come forward today become a cohort, split over roles."""
    home, nation = work.homes[i], work.nation[0]
    roles = open_now(home, levers, np.int64(work.calendar[nation.spot_day].closed[i]))
    if nation.weighed_on[roles] != day:
        nation.weighed_on[roles] = day
        people.role_weights(nation.wanted_missing, nation.wanted_sizes, roles, nation.wanted[roles])
        total = np.int64(0)
        for role in range(N_ROLES):
            total += nation.wanted[roles, role]
        nation.n_wanted[roles], nation.each_wanted[roles] = total, 1.0 / total
    wanted, each = nation.wanted[roles], nation.each_wanted[roles]
    split_roles(n, wanted, nation.n_wanted[roles], each, nation.parts, nation.some)
    for role in range(N_ROLES):
        work.calendar[day].people[AT_SCREENING, role, i] = nation.parts[role]
    work.days[day].screening += n
    if n > nation.capacity[i]:
        work.days[day].is_crowded = 1
    if nation.any_ordered:
        work.calendar[day].was_ordered[i] = home.ordered_by >= 0


@part
def mobilize(work: Work, levers: Any, p: Any, day: int, screening_days: int) -> None:
    """The desks' day: screen, meet disasters, take in who comes forward."""
    nation, came = work.nation[0], day - screening_days
    if came >= 0 and work.days[came].screening:
        screen_all(work, came)
    if nation.n_behind:
        for first in range(0, len(nation.keeps_up), STEP):
            behind = beyond(nation.keeps_up, -1, first)
            while behind:
                screen(work, first + lowest(behind), day, screening_days)
                behind = without_lowest(behind)
    is_plain = nation.is_calm and not nation.any_ordered
    chances, open_chance = nation.chances, nation.open_chance
    for i in range(len(chances)):
        chances[i] = open_chance[i]
    if work.days[day].has_disaster:
        for first in range(0, len(chances), STEP):
            struck = beyond(work.calendar[day].disasters, 0.0, first)
            while struck:
                i = first + lowest(struck)
                struck = without_lowest(struck)
                if work.homes[i].is_open:
                    disaster = work.calendar[day].disasters[i]
                    meet_disaster(work, p, i, disaster)
                    chances[i] = chance_today(work, levers, p, i, day, disaster)
    if not is_plain:
        for a in range(nation.n_active):
            i = nation.active[a]
            chances[i] = chance_today(work, levers, p, i, day, work.calendar[day].disasters[i])
    come_all(nation, chances)
    for first in range(0, len(chances), STEP):
        coming = beyond(nation.news, 0, first)
        while coming:
            i = first + lowest(coming)
            coming = without_lowest(coming)
            take_in(work, levers, i, day, np.int64(nation.news[i]))
    if nation.must_settle:
        settle(work, day)
    if work.days[day].screening:
        for role in range(N_ROLES):
            enter_all(work, role, work.calendar[day].people[AT_SCREENING, role])


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
        split_all(nation, work.calendar[came].people[AT_WAITING + slot])
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


@inlined
def split_all(nation: Any, cohorts: Any) -> None:
    """`people.split` of `seated` over the roles of each state's cohort, in all states at once: fills `going`.

    See `steps.split_roles`; `totals` are the people of each cohort.
    """
    seated, totals, left, inverse, rests = nation.seated, nation.totals, nation.left, nation.inverse, nation.rests
    for i in range(len(seated)):
        left[i] = seated[i]
        inverse[i] = 1.0 / max(totals[i], 1)
    for role in range(N_ROLES):
        row, going, rest = cohorts[role], nation.going[role], rests[role]
        for i in range(len(seated)):
            sought = seated[i] * row[i]
            part = np.int64(sought * inverse[i])
            over = sought - part * totals[i]
            off = np.int64(over >= totals[i]) - np.int64(over < 0) if totals[i] > 0 else 0
            going[i] = part + off
            rest[i] = over - off * totals[i]
            left[i] -= part + off
    for role in range(N_ROLES):
        going, rest = nation.going[role], rests[role]
        for i in range(len(seated)):
            rank = np.int64(0)
            for other in range(N_ROLES):
                rank += rests[other, i] >= rest[i] if other < role else rests[other, i] > rest[i]
            going[i] += rank < left[i]


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
