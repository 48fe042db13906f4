"""The small steps that the moments of a day are made of: moving people, weighing, calling, sending home."""

from typing import Any

import numpy as np

from sim import governors, luck, people
from sim.kernel.compiling import part, rule
from sim.kernel.layout import (
    AT_AWAITING,
    AT_IN_PLACE,
    AT_SCREENING,
    AT_TRAINING,
    AT_TRAVEL,
    AT_WAITING,
    ENFORCEMENT,
    WEIGHTS,
    WORD,
    Work,
)
from sim.packed import N_ROLES
from sim.results import ENTERED, IN_PLACE, RETURNED, SCREENING, SENDING, TRAINING, WAITING


@rule
def move(home: Any, nation: Any, role: int, here: int, there: int, n: int) -> None:
    """So many of a state's role go from one stage to another; `here` is ENTERED for those who come forward."""
    home.counts[role, there] += n
    if here == ENTERED:
        home.counts[role, ENTERED] += n
        home.linear += WORD(n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, there])
        home.serving += n
    else:
        home.counts[role, here] -= n
        home.linear += WORD(n) * (WEIGHTS[role, there] - WEIGHTS[role, here])
        if there > IN_PLACE:
            home.serving -= n
            if there == RETURNED:
                home.returned += n
        if here == TRAINING:
            nation.n_training -= n


@rule
def enter(home: Any, nation: Any, role: int, n: int) -> None:
    """So many (perhaps fewer than none) are counted as entered and waiting in a role, having come from another."""
    home.counts[role, ENTERED] += n
    home.counts[role, WAITING] += n
    home.serving += n
    if n >= 0:
        home.linear += WORD(n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, WAITING])
    else:
        home.linear -= WORD(-n) * (WEIGHTS[role, ENTERED] + WEIGHTS[role, WAITING])


@rule
def put(calendar: Any, spots: Any, layer: int, day: int, i: int, role: int, n: int) -> None:
    """So many are busy until the morning of a day; the day remembers where to look."""
    calendar[layer, day, i, role] += n
    if day < len(spots):
        spots[day, i].due |= 1 << (N_ROLES * layer + role)


@rule
def to_come(home: Any) -> int:
    """See `mobilization.Contingent.to_come`."""
    return min(home.offer, people.whole(home.pool)) - home.entered


@rule
def busy(home: Any, nation: Any, spots: Any, i: int, dwell: int) -> int:
    """See `mobilization.Contingent.busy`."""
    since = nation.day - 1 - dwell
    before = np.int64(spots[since, i].returned) if since >= 0 else np.int64(0)
    return home.serving + home.returned - before


@rule
def could_give(home: Any, p: Any, disaster: float) -> float:
    """See `states.StateAgent.could_give`."""
    return governors.most_offered(
        float(home.strength), p.offer_reserve, p.mobilized, disaster, float(home.serving + to_come(home))
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
    nation.has_news = 1


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


@rule
def weigh(home: Any, nation: Any, levers: Any, p: Any, disaster: float, shock: float, asks: int) -> float:
    """Support without a role."""
    if home.standing_of != nation.stage:
        home.standing = governors.added(standing(home, nation, levers, p))
        home.standing_of = nation.stage
    return home.standing + governors.added(moving(home, nation, levers, p, disaster, shock, asks))


@rule
def own_mind(home: Any, nation: Any) -> float:
    """What this governor adds, standard normal."""
    u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.GOVERNOR), home.fips, home.governor)
    return luck.normals(u[0], u[1])[0]


@rule
def answer_luck(home: Any, nation: Any) -> float:
    """Today's luck of answering; a block serves four days."""
    block = nation.day >> 2
    if home.answer_block != block:
        home.answer_block = block
        u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.ANSWER), home.fips, WORD(block))
        for k in range(4):
            home.answer_luck[k] = u[k]
    return home.answer_luck[nation.day & 3]


@rule
def withdraw_luck(home: Any, nation: Any) -> float:
    """Today's luck of withdrawing."""
    block = nation.day >> 2
    if home.withdraw_block != block:
        home.withdraw_block = block
        u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.WITHDRAW), home.fips, WORD(block))
        for k in range(4):
            home.withdraw_luck[k] = u[k]
    return home.withdraw_luck[nation.day & 3]


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
def reachable(home: Any, nation: Any, p: Any, disaster: float, spots: Any, i: int) -> float:
    """People at home whom a call or an order can reach today."""
    taken = busy(home, nation, spots, i, int(p.tour_dwell_days))
    return people.available(float(home.strength), p.mobilized, disaster, p.not_deployable, float(taken))


@rule
def call(
    home: Any,
    nation: Any,
    levers: Any,
    p: Any,
    disaster: float,
    spots: Any,
    active: Any,
    i: int,
    n: int,
    permitted: int,
    z: float,
    order_luck: float,
) -> None:
    """Call for n more volunteers."""
    open_desk(home, nation, active, i)
    home.permitted |= permitted
    home.offer = home.entered + to_come(home) + n
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
    willing = reachable(home, nation, p, disaster, spots, i) * share
    home.pool = home.come + max(home.pool - home.come, willing)
    home.calls += 1
    if home.call_day < 0:
        home.call_day = nation.day
        home.order_luck = order_luck


@rule
def order(
    home: Any,
    nation: Any,
    p: Any,
    disaster: float,
    spots: Any,
    active: Any,
    i: int,
    n: int,
    permitted: int,
) -> None:
    """Order n people."""
    open_desk(home, nation, active, i)
    nation.any_ordered = 1
    home.permitted = permitted
    home.ordered_by = nation.day + int(p.federalize_ramp_days) - 1
    home.offer = home.entered + n
    home.come = float(home.entered)
    home.pool = home.come + min(float(n), reachable(home, nation, p, disaster, spots, i))


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
    nation = work.nation[0]
    for o in range(2):
        for day in range(since, until + 1):
            work.calendar[AT_TRAINING + o, day, i, role] = 0
            work.calendar[AT_TRAVEL + o, day, i, role] = 0
            work.calendar[AT_IN_PLACE + o, day, i, role] = 0
        for day in range(nation.first_waiting, since + 1):
            work.days[day].waiting -= work.calendar[AT_WAITING + o, day, i, role]
            work.calendar[AT_WAITING + o, day, i, role] = 0
        if role == ENFORCEMENT:
            for day in range(nation.first_awaiting, since + 1):
                work.days[day].awaiting -= work.calendar[AT_AWAITING + o, day, i, ENFORCEMENT]
                nation.n_awaiting -= work.calendar[AT_AWAITING + o, day, i, ENFORCEMENT]
                work.calendar[AT_AWAITING + o, day, i, ENFORCEMENT] = 0
    for day in range(work.homes[i].next_screened, since + 1):
        work.calendar[AT_SCREENING, day, i, role] = 0


@rule
def close(home: Any) -> None:
    """Call nobody any more."""
    home.permitted = 0
    home.come = home.pool = float(home.entered)
    home.offer = home.entered
    home.has_recall_clause = 0
    home.call_day = home.ordered_by = -1


@rule
def send_home(work: Work, i: int, n_days: int) -> None:
    """Everybody of a state goes home, wherever they are."""
    home, nation = work.homes[i], work.nation[0]
    close(home)
    if not home.serving:
        return
    for role in range(N_ROLES):
        for stage in range(SCREENING, IN_PLACE + 1):
            n = home.counts[role, stage]
            if n:
                move(home, nation, role, stage, RETURNED, n)
        clear_calendar(work, i, role, nation.day, n_days)
        home.first_due[role] = n_days


@part
def take_from_place(work: Work, i: int, role: int, n: int, there: int) -> None:
    """Take people in place out of the mission, from the tours that end first, the called before the ordered."""
    home, nation = work.homes[i], work.nation[0]
    move(home, nation, role, IN_PLACE, there, n)
    day = home.first_due[role]
    while n > 0:
        for o in range(2):
            taken = min(n, np.int64(work.calendar[AT_IN_PLACE + o, day, i, role]))
            work.calendar[AT_IN_PLACE + o, day, i, role] -= taken
            n -= taken
        if n > 0:
            day += 1
    home.first_due[role] = day
