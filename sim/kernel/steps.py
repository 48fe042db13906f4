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
from sim.kernel.rows import remember
from sim.packed import N_ROLES, Plan
from sim.results import ENTERED, IN_PLACE, RETURNED, SCREENING, SENDING, TRAINING, WAITING


@inlined
def move(work: Work, i: int, role: int, here: int, there: int, n: int) -> None:
    """So many of a state's role go from one stage to another; `here` is ENTERED for those who come forward."""
    nation, of = work.nation[0], work.roles[role]
    of.counts[there, i] += n
    of.people[there] += n
    if here == ENTERED:
        of.counts[ENTERED, i] += n
        of.people[ENTERED] += n
        of.linear[i] += COUNT(n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, there])
        nation.serving[i] += n
        return
    of.counts[here, i] -= n
    of.people[here] -= n
    of.linear[i] += COUNT(n) * (WEIGHTS[role, there] - WEIGHTS[role, here])
    if there > IN_PLACE:
        nation.serving[i] -= n
        if there == RETURNED:
            nation.back[i] += n
    if here == TRAINING:
        nation.n_training -= n


@rule
def enter(work: Work, i: int, role: int, n: int) -> None:
    """So many (perhaps fewer than none) are counted as entered and waiting in a role, having come from another."""
    of = work.roles[role]
    for stage in (ENTERED, WAITING):
        of.counts[stage, i] += n
        of.people[stage] += n
    work.nation[0].serving[i] += n
    weight = WEIGHTS[role, ENTERED] + WEIGHTS[role, WAITING]
    if n >= 0:
        of.linear[i] += COUNT(n) * weight
    else:
        of.linear[i] -= COUNT(-n) * weight


@rule
def put(work: Work, layer: int, day: int, i: int, role: int, n: int) -> None:
    """So many are busy until the morning of a day; the day remembers where to look."""
    work.calendar[day].people[layer, role, i] += n
    remember(work.days, layer, day, role)


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
    before = np.int64(work.calendar[since].people[AT_HOME, 0, i]) if since >= 0 else np.int64(0)
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
def seek(nation: Any, levers: Any, p: Any) -> None:
    """People sought by role, under a set of levers."""
    wanted, total = target(p), np.int64(0)
    for role in range(N_ROLES):
        total += levers.sizes[role]
    for role in range(N_ROLES):
        nation.sizes[role] = levers.sizes[role]
        nation.wanted_people[role] = wanted * levers.sizes[role] // total if total else 0


@rule
def become(home: Any, nation: Any, changes: Any, i: int, status: int) -> None:
    """Take another status; `changes`, where it has room, counts over runs how statuses change, by day, state, status."""
    old = home.status
    if status == old:
        return
    if len(changes):
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


@inlined
def kind_of(purpose: Any) -> int:
    """Where the luck of answering, or of withdrawing, is kept."""
    return 1 if purpose == luck.WITHDRAW else 0


@inlined
def keep_luck(home: Any, which: int, block: int, u: Any) -> None:
    """Keep the luck of four days."""
    home.luck_block[which] = block
    for k in range(4):
        home.daily_luck[which, k] = u[k]


@rule
def luck_of(home: Any, nation: Any, purpose: Any, day: int) -> float:
    """A day's luck of answering or of withdrawing; a block serves four days, and the last block of each is kept."""
    which, block = kind_of(purpose), day >> 2
    if home.luck_block[which] != block:
        u = luck.block(nation.k0, nation.k1, nation.replication, WORD(purpose), home.fips, WORD(block))
        keep_luck(home, which, block, u)
    return home.daily_luck[which, day & 3]


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
    work.roles[role].owed[i] = 0
    for o in range(2):
        for layer in (AT_TRAINING + o, AT_TRAVEL + o, AT_IN_PLACE + o):
            for day in range(since, until):
                if work.days[day].due >> N_ROLES * layer + role & 1:
                    calendar[day].people[layer, role, i] = 0
            calendar[until].people[layer, role, i] = 0
        for day in range(nation.first_waiting, since + 1):
            work.days[day].waiting -= calendar[day].people[AT_WAITING + o, role, i]
            calendar[day].people[AT_WAITING + o, role, i] = 0
        if role == ENFORCEMENT:
            for day in range(nation.first_awaiting, since + 1):
                work.days[day].awaiting -= calendar[day].people[AT_AWAITING + o, ENFORCEMENT, i]
                nation.n_awaiting -= calendar[day].people[AT_AWAITING + o, ENFORCEMENT, i]
                calendar[day].people[AT_AWAITING + o, ENFORCEMENT, i] = 0
    # A desk that keeps up has seen everybody who came so long ago.
    for day in range(home.next_screened if home.is_behind else max(0, since - nation.screening_days), since + 1):
        work.days[day].screening -= calendar[day].people[AT_SCREENING, role, i]
        calendar[day].people[AT_SCREENING, role, i] = 0


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
            n = np.int64(work.roles[role].counts[stage, i])
            moved += n
            if n:
                move(work, i, role, stage, RETURNED, n)
        if moved:
            clear_calendar(work, i, role, nation.day, n_days)


@rule
def take_from_place(work: Work, i: int, role: int, n: int, there: int) -> None:
    """Take people in place out of the mission, from the tours that end first, the called before the ordered.

    Which tours they were is told when these end, or by `settle`.
    """
    move(work, i, role, IN_PLACE, there, n)
    work.roles[role].owed[i] += n


@rule
def settle(work: Work, day: int) -> None:
    """Take those who are owed out of the tours that end first now, because later tours will end sooner."""
    nation = work.nation[0]
    for role in range(N_ROLES):
        for a in range(nation.n_active):
            i = nation.active[a]
            owed, until = np.int64(work.roles[role].owed[i]), day
            while owed > 0:
                for o in range(2):
                    taken = min(owed, np.int64(work.calendar[until].people[AT_IN_PLACE + o, role, i]))
                    work.calendar[until].people[AT_IN_PLACE + o, role, i] -= taken
                    owed -= taken
                until += 1
            work.roles[role].owed[i] = 0
