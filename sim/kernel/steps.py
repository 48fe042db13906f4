"""The small steps that the moments of a day are made of: moving people, weighing, calling, sending home."""

from typing import Any

import numpy as np

from sim import governors, luck, people
from sim.kernel.compiling import inlined, rule
from sim.kernel.layout import (
    AT_AWAITING,
    AT_HOME,
    AT_IN_PLACE,
    AT_SCREENING,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    COUNT,
    ENFORCEMENT,
    WEIGHTS,
    WORD,
    Work,
)
from sim.packed import N_ROLES, Plan
from sim.results import ENTERED, IN_PLACE, RETURNED, SCREENING, SENDING, TRAINING, WAITING


@inlined
def move(nation: Any, i: int, role: int, here: int, there: int, n: int) -> None:
    """So many of a state's role go from one stage to another; `here` is ENTERED for those who come forward."""
    counts = nation.counts
    counts[there, role, i] += n
    nation.people[role, there] += n
    if here == ENTERED:
        counts[ENTERED, role, i] += n
        nation.people[role, ENTERED] += n
        nation.linear[i] += COUNT(n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, there])
        nation.serving[i] += n
        return
    counts[here, role, i] -= n
    nation.people[role, here] -= n
    nation.linear[i] += COUNT(n) * (WEIGHTS[role, there] - WEIGHTS[role, here])
    if there > IN_PLACE:
        nation.serving[i] -= n
        if there == RETURNED:
            nation.back[i] += n
    if here == TRAINING:
        nation.n_training -= n


@inlined
def look_ahead(nation: Any, purpose: Any, fips: Any, block: int) -> None:
    """The least word of luck in each of the next blocks of four days, one after the other as vectors: fills `lows`."""
    k0, k1, replication, lows = nation.k0, nation.k1, nation.replication, nation.lows
    for b in range(len(lows)):
        c0, c1, c2, c3 = luck.words(k0, k1, replication, purpose, fips, WORD(block) + WORD(b))
        lows[b] = luck.least(c0, c1, c2, c3)


@inlined
def enter_all(nation: Any, role: int, row: Any) -> None:
    """In all states at once, so many come forward."""
    entered, to, serving, linear = (
        nation.counts[ENTERED, role],
        nation.counts[SCREENING, role],
        nation.serving,
        nation.linear,
    )
    weight, total = WEIGHTS[role, ENTERED] + WEIGHTS[role, SCREENING], np.int32(0)
    for i in range(len(to)):
        total = np.int32(total + row[i])
        entered[i] += row[i]
        to[i] += row[i]
        serving[i] += row[i]
        linear[i] += COUNT(row[i]) * weight
    nation.people[role, ENTERED] += total
    nation.people[role, SCREENING] += total


@inlined
def move_on(nation: Any, role: int, here: int, there: int, row: Any, next_row: Any) -> int:
    """In all states at once, those in a row go on to another stage and another row; returns how many they are."""
    of, to, linear = nation.counts[here, role], nation.counts[there, role], nation.linear
    weight, total = WEIGHTS[role, there] - WEIGHTS[role, here], np.int32(0)
    for i in range(len(to)):
        n = row[i]
        row[i] = 0
        next_row[i] += n
        of[i] -= n
        to[i] += n
        linear[i] += COUNT(n) * weight
        total = np.int32(total + n)
    n_moved = np.int64(total)
    nation.people[role, here] -= n_moved
    nation.people[role, there] += n_moved
    return n_moved


@rule
def enter(nation: Any, i: int, role: int, n: int) -> None:
    """So many (perhaps fewer than none) are counted as entered and waiting in a role, having come from another."""
    for stage in (ENTERED, WAITING):
        nation.counts[stage, role, i] += n
        nation.people[role, stage] += n
    nation.serving[i] += n
    if n >= 0:
        nation.linear[i] += COUNT(n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, WAITING])
    else:
        nation.linear[i] -= COUNT(-n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, WAITING])


@rule
def put(work: Work, layer: int, day: int, i: int, role: int, n: int) -> None:
    """So many are busy until the morning of a day; the day remembers where to look."""
    work.calendar[layer, day, role, i] += n
    remember(work.days, layer, day, role)


@inlined
def remember(days: Any, layer: int, day: int, role: int) -> None:
    """A day remembers that somebody ends something on it."""
    if day < len(days):
        days[day].due |= 1 << (N_ROLES * layer + role)


@inlined
def split_roles(n: int, weights: Any, total: int, each: float, parts: Any, rests: Any) -> None:
    """`people.split` over roles of a total above 0, where `each` is 1 / total: no division; `rests` is scratch."""
    left = n
    for role in range(N_ROLES):
        part = np.int64(n * weights[role] * each)
        rest = n * weights[role] - part * total
        # A quotient that was rounded may lie one off.
        off = np.int64(rest >= total) - np.int64(rest < 0)
        part += off
        rest -= off * total
        parts[role], rests[role] = part, rest
        left -= part
    while left > 0:
        best, most = 0, np.int64(0)
        for role in range(N_ROLES):
            if rests[role] > most:
                best, most = role, rests[role]
        parts[best] += 1
        rests[best] = 0
        left -= 1


@inlined
def whole_of(total: float) -> int:
    """`people.whole` in 32 bits, which all the states of a row can be counted in at once."""
    return np.int32(np.floor(total + people.HAIR))


@inlined
def to_come(nation: Any, i: int) -> int:
    """See `mobilization.Contingent.to_come`."""
    return min(np.int64(nation.offer[i]), people.whole(nation.pool[i])) - nation.entered[i]


@rule
def busy(work: Work, i: int, dwell: int) -> int:
    """See `mobilization.Contingent.busy`."""
    nation = work.nation[0]
    since = nation.day - 1 - dwell
    before = np.int64(work.calendar[AT_HOME, since, 0, i]) if since >= 0 else np.int64(0)
    return np.int64(nation.serving[i]) + nation.back[i] - before


@inlined
def could_give(work: Work, p: Any, i: int, disaster: float) -> float:
    """See `states.StateAgent.could_give`."""
    home, nation = work.homes[i], work.nation[0]
    return governors.most_offered(
        float(home.strength), p.offer_reserve, p.mobilized, disaster, float(nation.serving[i] + to_come(nation, i))
    )


@rule
def open_now(home: Any, levers: Any, closed: int) -> int:
    """See `mobilization.Contingent.open_now`."""
    lawful = levers.federal_roles if home.is_federal else levers.open_roles
    return home.permitted & lawful & ~closed


@rule
def roles_asked(levers: Any, closed: int) -> int:
    """Roles asked and open here today, as bits."""
    return levers.named_roles & levers.open_roles & ~closed


@rule
def target(p: Any) -> int:
    """People whom the approved request seeks."""
    return int(p.request_target * p.review_approved_share)


@rule
def become(home: Any, nation: Any, changes: Any, i: int, status: int) -> None:
    """Take another status; `changes` counts over runs how statuses change, by day, state and status."""
    old = home.status
    if status == old:
        return
    changes[nation.day, i, old] -= 1
    changes[nation.day, i, status] += 1
    if home.has_governor:
        nation.n_status[old] -= 1
        nation.n_status[status] += 1
    elif status == SENDING:
        nation.n_sending += 1
    home.status = status
    nation.has_moved[i] = nation.has_news = nation.has_said = 1


@rule
def standing(home: Any, nation: Any, levers: Any, p: Any) -> Any:
    """The standing terms of support."""
    return governors.standing_terms(
        p.support_mission,
        p.support_party,
        float(home.side),
        p.support_vote,
        home.margin,
        p.support_election,
        home.on_ballot,
        p.support_pledge,
        home.prior_position,
        nation.status_cost,
        p.support_place,
        1.0 if levers.in_strip else 0.0,
        p.spread_national * nation.national,
        p.spread_partisan * nation.partisan,
        p.spread_regional * nation.regional[home.region],
        p.spread_own * home.own,
    )


@rule
def stand(home: Any, nation: Any, levers: Any, p: Any) -> None:
    """Add the standing terms up, once for each set of levers and each governor."""
    if home.standing_of != nation.stage:
        home.standing = governors.added(standing(home, nation, levers, p))
        home.standing_of = nation.stage


@rule
def moving(home: Any, nation: Any, levers: Any, p: Any, disaster: float, shock: float, asks: int) -> Any:
    """The moving terms of support."""
    return governors.moving_terms(
        p.support_fatigue,
        float(asks),
        p.support_host,
        governors.host_refusal(
            levers.in_strip > 0,
            p.law_reading > 0.0,
            p.mission_cross_state > 0.0,
            nation.refused,
            nation.refused_in_strip,
        ),
        p.support_disaster,
        disaster,
        p.support_load,
        p.mobilized + home.seen_serving / home.strength,
        p.support_neighbors,
        home.neighbor_balance,
        p.support_network,
        home.side_balance,
        shock,
        p.federalize_echo,
        1.0 if nation.is_federalizing else 0.0,
    )


@inlined
def look_around(plan: Plan, work: Work, i: int) -> None:
    """What a state sees in last evening's picture: itself, its neighbors, and the others of its side."""
    home, nation = work.homes[i], work.nation[0]
    home.seen_serving = nation.seen[i]
    if home.picture == nation.picture:
        return
    home.picture = nation.picture
    lean, asked = nation.lean, nation.asked
    near = near_asked = 0
    for k in range(plan.first_neighbor[i], plan.first_neighbor[i + 1]):
        near += lean[plan.neighbors[k]]
        near_asked += asked[plan.neighbors[k]]
    home.neighbor_balance = governors.balance(near, near_asked)
    side = home.side + 1
    home.side_balance = governors.balance(nation.leaning[side] - lean[i], nation.n_asked[side] - asked[i])


@rule
def weigh(home: Any, nation: Any, levers: Any, p: Any, disaster: float, shock: float, asks: int) -> float:
    """Support without a role."""
    stand(home, nation, levers, p)
    return home.standing + governors.added(moving(home, nation, levers, p, disaster, shock, asks))


@rule
def own_mind(home: Any, nation: Any) -> float:
    """What this governor adds, standard normal."""
    u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.GOVERNOR), home.fips, home.governor)
    return luck.normals(u[0], u[1])[0]


@rule
def answer_luck(home: Any, nation: Any, day: int) -> float:
    """A day's luck of answering; a block serves four days."""
    block = day >> 2
    if home.answer_block != block:
        home.answer_block = block
        u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.ANSWER), home.fips, WORD(block))
        for k in range(4):
            home.answer_luck[k] = u[k]
    return home.answer_luck[day & 3]


@rule
def withdraw_luck(home: Any, nation: Any, day: int) -> float:
    """A day's luck of withdrawing."""
    block = day >> 2
    if home.withdraw_block != block:
        home.withdraw_block = block
        u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.WITHDRAW), home.fips, WORD(block))
        for k in range(4):
            home.withdraw_luck[k] = u[k]
    return home.withdraw_luck[day & 3]


@rule
def ask_luck(home: Any, nation: Any, purpose: int) -> Any:
    """Four uniforms of this ask."""
    return luck.block(nation.k0, nation.k1, nation.replication, WORD(purpose), home.fips, WORD(home.asks))


@rule
def open_desk(home: Any, nation: Any, active: Any, i: int) -> None:
    """Let the desk's daily work begin; `active` stays in the order of states."""
    if home.is_open:
        return
    home.is_open = 1
    k = nation.n_active
    while k > 0 and active[k - 1] > i:
        active[k] = active[k - 1]
        k -= 1
    active[k] = i
    nation.n_active += 1


@rule
def reachable(work: Work, p: Any, disaster: float, i: int) -> float:
    """People at home whom a call or an order can reach today."""
    taken = busy(work, i, int(p.tour_dwell_days))
    return people.available(float(work.homes[i].strength), p.mobilized, disaster, p.not_deployable, float(taken))


@rule
def call(
    work: Work, levers: Any, p: Any, disaster: float, i: int, n: int, permitted: int, z: float, order_luck: float
) -> None:
    """Call for n more volunteers."""
    home, nation = work.homes[i], work.nation[0]
    open_desk(home, nation, nation.active, i)
    nation.has_said = 1
    home.permitted |= permitted
    nation.offer[i] = nation.entered[i] + to_come(nation, i) + n
    home.is_bounded = 0
    home.ordered_by = -1
    share = people.volunteering_share(
        p.volunteers_share,
        people.mean_pull(nation.pulls, levers.sizes, home.permitted),
        p.volunteers_pay,
        1.0 if p.tour_days >= p.volunteers_pay_days else 0.0,
        p.volunteers_spread,
        z,
        home.calls,
        p.volunteers_next_call,
    )
    willing = reachable(work, p, disaster, i) * share
    nation.pool[i] = nation.come[i] + max(nation.pool[i] - nation.come[i], willing)
    nation.open_chance[i] = nation.chance if home.permitted else 0.0
    home.calls += 1
    if home.call_day < 0:
        home.call_day = nation.day
        home.order_luck = order_luck


@rule
def order(work: Work, p: Any, disaster: float, i: int, n: int, permitted: int) -> None:
    """Order n people."""
    home, nation = work.homes[i], work.nation[0]
    open_desk(home, nation, nation.active, i)
    nation.any_ordered = nation.has_said = 1
    home.permitted = permitted
    home.ordered_by = nation.day + int(p.federalize_ramp_days) - 1
    nation.offer[i] = nation.entered[i] + n
    nation.come[i] = float(nation.entered[i])
    nation.pool[i] = nation.come[i] + min(float(n), reachable(work, p, disaster, i))


@rule
def decide(
    decisions: Any,
    home: Any,
    nation: Any,
    levers: Any,
    p: Any,
    disaster: float,
    shock: float,
    i: int,
    answer: int,
    role: int,
    general: float,
    cost: float,
    threshold: float,
    offered: int,
    chance: float,
) -> None:
    """Keep the reasons of a decision, where somebody wants them."""
    k = nation.n_decisions
    if k >= len(decisions):
        return
    nation.n_decisions += 1
    row = decisions[k]
    row.day, row.state, row.answer, row.ask, row.role = nation.day, i, answer, home.asks, role
    row.permitted, row.offered, row.quota, row.is_forced = home.permitted, offered, home.quota, home.is_taken
    row.support, row.threshold, row.chance = general - cost, threshold, chance
    first = standing(home, nation, levers, p)
    second = moving(home, nation, levers, p, disaster, shock, home.asks)
    for j in range(len(first)):
        row.terms[j] = first[j]
    for j in range(len(second)):
        row.terms[len(first) + j] = second[j]
    row.terms[len(first) + len(second)] = -cost


@rule
def clear_calendar(work: Work, i: int, role: int, since: int, until: int) -> None:
    """Nobody of a state's role has a place in any calendar any more."""
    home, nation, calendar = work.homes[i], work.nation[0], work.calendar
    nation.owed[role, i] = 0
    for o in range(2):
        for layer in (AT_TRAINING + o, AT_TRAVEL + o, AT_IN_PLACE + o):
            for day in range(since, until):
                if work.days[day].due >> N_ROLES * layer + role & 1:
                    calendar[layer, day, role, i] = 0
            calendar[layer, until, role, i] = 0
        for day in range(nation.first_waiting, since + 1):
            work.days[day].waiting -= calendar[AT_WAITING + o, day, role, i]
            calendar[AT_WAITING + o, day, role, i] = 0
        if role == ENFORCEMENT:
            for day in range(nation.first_awaiting, since + 1):
                work.days[day].awaiting -= calendar[AT_AWAITING + o, day, ENFORCEMENT, i]
                nation.n_awaiting -= calendar[AT_AWAITING + o, day, ENFORCEMENT, i]
                calendar[AT_AWAITING + o, day, ENFORCEMENT, i] = 0
    # A desk that keeps up has seen everybody who came so long ago.
    for day in range(home.next_screened if home.is_behind else max(0, since - nation.screening_days), since + 1):
        work.days[day].screening -= calendar[AT_SCREENING, day, role, i]
        calendar[AT_SCREENING, day, role, i] = 0


@rule
def close(home: Any, nation: Any, i: int) -> None:
    """Call nobody any more."""
    home.permitted = 0
    nation.come[i] = nation.pool[i] = float(nation.entered[i])
    nation.offer[i] = nation.entered[i]
    nation.open_chance[i] = 0.0
    home.has_recall_clause = 0
    home.call_day = home.ordered_by = -1


@rule
def send_home(work: Work, i: int, n_days: int) -> None:
    """Everybody of a state goes home, wherever they are."""
    nation = work.nation[0]
    close(work.homes[i], nation, i)
    nation.has_said = 1
    if not nation.serving[i]:
        return
    for role in range(N_ROLES):
        moved = np.int64(0)
        for stage in range(SCREENING, IN_PLACE + 1):
            n = np.int64(nation.counts[stage, role, i])
            moved += n
            if n:
                move(nation, i, role, stage, RETURNED, n)
        if moved:
            clear_calendar(work, i, role, nation.day, n_days)


@rule
def take_from_place(work: Work, i: int, role: int, n: int, there: int) -> None:
    """Take people in place out of the mission, from the tours that end first, the called before the ordered.

    Which tours they were is told when these end, or by `settle`.
    """
    nation = work.nation[0]
    move(nation, i, role, IN_PLACE, there, n)
    nation.owed[role, i] += n


@rule
def settle(work: Work, day: int) -> None:
    """Take those who are owed out of the tours that end first now, because later tours will end sooner."""
    nation = work.nation[0]
    for role in range(N_ROLES):
        for a in range(nation.n_active):
            i = nation.active[a]
            owed, until = np.int64(nation.owed[role, i]), day
            while owed > 0:
                for o in range(2):
                    taken = min(owed, np.int64(work.calendar[AT_IN_PLACE + o, until, role, i]))
                    work.calendar[AT_IN_PLACE + o, until, role, i] -= taken
                    owed -= taken
                until += 1
            nation.owed[role, i] = 0
