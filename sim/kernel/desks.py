"""Desks: who came is screened, disasters are met, and those who come forward today are taken in."""

from typing import Any

import numpy as np

from sim import people
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import (
    AT_SCREENING,
    AT_TRAINING,
    AT_WAITING,
    COUNT,
    LANES,
    STEP,
    WEIGHTS,
    Work,
)
from sim.kernel.rows import add_row, beyond, enter_all, lowest, remember, split_lanes, without_lowest
from sim.kernel.steps import (
    move,
    open_now,
    settle,
    take_from_place,
    whole_of,
)
from sim.packed import N_ROLES
from sim.results import IN_PLACE, RETURNED, SCREENED_OUT, SCREENING, TRAINING, WAITING


@part
def screen_all(work: Work, came: int, n_seats: int, day: int, n_days: int) -> None:
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
    if has_seats_for_all(work, came, n_seats):
        for role in range(N_ROLES):
            if work.roles[role].people[SCREENING]:
                until = min(day + nation.course_days[role], n_days)
                row = work.calendar[until].people[AT_TRAINING, role]
                nation.n_training += screen_role(work, queues[role], role, came, nation.fail_share, TRAINING, row)
                remember(work.days, AT_TRAINING, until, role)
        return
    n = np.int64(0)
    for role in range(N_ROLES):
        if work.roles[role].people[SCREENING]:
            row = work.calendar[came].people[AT_WAITING + 1, role]
            n += screen_role(work, queues[role], role, came, nation.fail_share, WAITING, row)
    work.days[came].waiting += n
    if n:
        nation.first_waiting = min(nation.first_waiting, came)


@inlined
def has_seats_for_all(work: Work, came: int, n_seats: int) -> bool:
    """Whether whoever came on a day goes from screening to a seat at once: nobody waits or can come in between."""
    nation, waiting = work.nation[0], np.int64(0)
    for role in range(N_ROLES):
        waiting += work.roles[role].people[WAITING]
    is_free = n_seats - nation.n_training >= work.days[came].screening
    return is_free and not (waiting or nation.n_behind or nation.any_ordered)


@rule
def fall_behind(work: Work, i: int, came: int) -> None:
    """A desk has more people before it than it can see in a day; from now on it goes its own pace."""
    home = work.homes[i]
    home.is_behind, home.next_screened = 1, came
    nation = work.nation[0]
    nation.keeps_up[i] = 0
    nation.n_behind += 1


@inlined
def screen_role(work: Work, queue: Any, role: int, came: int, fail_share: float, there: int, next_row: Any) -> int:
    """See those of a role who came on a day, where desks keep up; those who pass, whose number is returned, go on."""
    nation = work.nation[0]
    of, keeps_up, serving = work.roles[role], nation.keeps_up, nation.serving
    screened, linear, moving = of.screened, of.linear, of.moving
    before, after, out = of.counts[SCREENING], of.counts[there], of.counts[SCREENED_OUT]
    pass_weight = WEIGHTS[role, there] - WEIGHTS[role, SCREENING]
    fail_weight = WEIGHTS[role, SCREENED_OUT] - WEIGHTS[role, there]
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
        next_row[i] += seen - failing
        moving[i] = failing
        linear[i] += COUNT(seen) * pass_weight + COUNT(failing) * fail_weight
        all_seen = np.int32(all_seen + seen)
        all_out = np.int32(all_out + failing)
    for i in range(len(moving)):
        serving[i] -= moving[i]
    n, n_out = np.int64(all_seen), np.int64(all_out)
    of.people[SCREENING] -= n
    of.people[there] += n - n_out
    of.people[SCREENED_OUT] += n_out
    work.days[came].screening -= n
    return n - n_out


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
    if not open_now(home, levers, np.int64(work.calendar[nation.forces_day].closed[i])):
        return 0.0
    chance = 1.0 / max(1, home.ordered_by - day + 1) if home.ordered_by >= 0 else nation.chance
    if disaster > 0.0 or work.days[day].is_lapse:
        chance *= people.reach_today(p.mobilized, disaster, p.funding_share, 1.0 if work.days[day].is_lapse else 0.0)
    return chance


@inlined
def come_all(nation: Any, chances: Any) -> None:
    """Those who come forward today in all states, under the chances of today: fills `news`."""
    come, pool, offer, entered, news = nation.come, nation.pool, nation.offer, nation.entered, nation.news
    serving = nation.serving
    for i in range(len(come)):
        more = people.come_forward(come[i], pool[i], float(offer[i]), chances[i])
        more = more if pool[i] > come[i] and entered[i] < offer[i] else come[i]
        n = np.int32(whole_of(more) - entered[i])
        come[i] = more
        news[i] = n
        entered[i] += n
        serving[i] += n


@part
def take_in(work: Work, levers: Any, day: int) -> None:
    """Those who come forward today become a cohort in each state, split over roles."""
    nation, news = work.nation[0], work.nation[0].news
    who, seated, totals, sought, n = nation.who, nation.seated, nation.totals, nation.sought, np.int64(0)
    # Numbers in hand, where the compiler would read each row again after every number written into another.
    n_people, is_crowded = np.int64(0), np.int64(0)
    for first in range(0, len(news), STEP):
        coming = beyond(news, 0, first)
        while coming:
            i = first + lowest(coming)
            coming = without_lowest(coming)
            home = work.homes[i]
            roles = open_now(home, levers, np.int64(work.calendar[nation.forces_day].closed[i]))
            if nation.weighed_on[roles] != day:
                weigh_roles(nation, roles, day)
            for role in range(N_ROLES):
                sought[role, n] = nation.wanted[roles, role]
            coming_here = np.int64(news[i])
            who[n], seated[n], totals[n] = i, coming_here, nation.n_wanted[roles]
            n_people += coming_here
            is_crowded |= np.int64(coming_here > nation.capacity[i])
            if nation.any_ordered:
                work.calendar[day].was_ordered[i] = home.ordered_by >= 0
            n += 1
    # Places from the last one on hold what an earlier day left there, and nobody reads what comes of it.
    for first in range(0, n, LANES):
        split_lanes(nation, sought, first)
    queues, going = work.calendar[day].people[AT_SCREENING], nation.going
    for k in range(n):
        i = who[k]
        for role in range(N_ROLES):
            queues[role, i] = going[role, k]
    work.days[day].screening += n_people
    work.days[day].is_crowded = is_crowded


@rule
def weigh_roles(nation: Any, roles: int, day: int) -> None:
    """The weights by which those who come forward on a day are split over a set of roles."""
    nation.weighed_on[roles] = day
    people.role_weights(nation.wanted_missing, nation.wanted_sizes, roles, nation.wanted[roles])
    nation.n_wanted[roles] = 0
    for role in range(N_ROLES):
        nation.n_wanted[roles] += nation.wanted[roles, role]


@part
def mobilize(work: Work, levers: Any, p: Any, n_seats: int, day: int, screening_days: int, n_days: int) -> None:
    """The desks' day: screen, meet disasters, take in who comes forward."""
    nation, came = work.nation[0], day - screening_days
    if not nation.n_active:
        return
    if came >= 0 and work.days[came].screening:
        screen_all(work, came, n_seats, day, n_days)
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
    take_in(work, levers, day)
    if nation.must_settle:
        settle(work, day)
    if work.days[day].screening:
        for role in range(N_ROLES):
            enter_all(work, role, work.calendar[day].people[AT_SCREENING, role])
