"""The governors: answering, reconsidering, letting an ask lapse."""

from typing import Any

import numpy as np

from sim import governors, luck, packed
from sim.kernel.asking import send
from sim.kernel.compiling import part, rule
from sim.kernel.layout import (
    ACTIVE,
    NAN,
    SAID_LIMITED,
    SAID_MORE,
    SAID_NO,
    SAID_NO_MORE,
    SAID_NOTHING,
    SAID_WITHDRAW,
    SAID_YES,
    Work,
)
from sim.kernel.steps import (
    answer_luck,
    ask_luck,
    become,
    call,
    could_give,
    decide,
    order,
    roles_asked,
    send_home,
    weigh,
    withdraw_luck,
)
from sim.packed import N_ROLES, Plan
from sim.results import ACCEPTED, DECLINED, LIMITED, NO_ANSWER, UNDECIDED, WITHDRAWN


@rule
def lapse(
    decisions: Any,
    home: Any,
    nation: Any,
    levers: Any,
    p: Any,
    changes: Any,
    disaster: float,
    shock: float,
    i: int,
    role: int,
) -> None:
    """The deadline passes without an answer."""
    home.is_pending = 0
    if home.status == UNDECIDED:
        become(home, nation, changes, i, NO_ANSWER)
        general = weigh(home, nation, levers, p, disaster, shock, home.asks)
        cost = nation.costs[role] if role >= 0 else 0.0
        decide(decisions, home, nation, levers, p, disaster, shock, i, SAID_NOTHING, role, general, cost, NAN, 0, 0.0)


@rule
def accept(
    decisions: Any,
    work: Work,
    levers: Any,
    p: Any,
    changes: Any,
    i: int,
    permitted: int,
    roles: int,
    role: int,
    general: float,
    cost: float,
    threshold: float,
    given: int,
) -> None:
    """Permit roles, offer people (`given`, or by the rule where that is -1), and call for volunteers."""
    home, nation = work.homes[i], work.nation[0]
    disaster, shock = work.spots[nation.day, i].disaster, work.spots[nation.day, i].shock
    first = home.status not in (ACCEPTED, LIMITED)
    u = ask_luck(home, nation, luck.OFFER)
    z_offer, z_call = luck.normals(u[0], u[1])
    troops = given
    if given < 0:
        troops = governors.offered(
            p.offer_base,
            p.offer_slope,
            p.offer_spread,
            z_offer,
            general - cost,
            p.offer_most,
            float(home.quota),
            could_give(home, p, disaster),
        )
    if first and u[2] < p.offer_recall_chance:
        home.has_recall_clause = 1
    home.is_pending = 0
    permitted |= home.permitted
    status = ACCEPTED if permitted & roles == roles else LIMITED
    become(home, nation, changes, i, status)
    answer = SAID_MORE
    if first:
        answer = SAID_YES if status == ACCEPTED else SAID_LIMITED
    call(home, nation, levers, p, disaster, work.spots, work.lists[ACTIVE], i, troops, permitted, z_call, u[3])
    decide(decisions, home, nation, levers, p, disaster, shock, i, answer, role, general, cost, threshold, troops, 0.0)


@rule
def decline(
    decisions: Any,
    work: Work,
    levers: Any,
    p: Any,
    changes: Any,
    i: int,
    role: int,
    general: float,
    cost: float,
    threshold: float,
) -> None:
    """Say no; a state that accepted earlier keeps what it gave."""
    home, nation = work.homes[i], work.nation[0]
    disaster, shock = work.spots[nation.day, i].disaster, work.spots[nation.day, i].shock
    home.is_pending = 0
    answer = SAID_NO_MORE
    if home.status not in (ACCEPTED, LIMITED):
        answer = SAID_NO
        become(home, nation, changes, i, DECLINED)
    decide(decisions, home, nation, levers, p, disaster, shock, i, answer, role, general, cost, threshold, 0, 0.0)


@rule
def withdraw(
    decisions: Any,
    work: Work,
    levers: Any,
    p: Any,
    changes: Any,
    i: int,
    role: int,
    general: float,
    cost: float,
    chance: float,
    n_days: int,
) -> None:
    """Take consent back: everybody from here goes home."""
    home, nation = work.homes[i], work.nation[0]
    disaster, shock = work.spots[nation.day, i].disaster, work.spots[nation.day, i].shock
    become(home, nation, changes, i, WITHDRAWN)
    home.is_pending = home.has_weighed_orders = 0
    decide(decisions, home, nation, levers, p, disaster, shock, i, SAID_WITHDRAW, role, general, cost, NAN, 0, chance)
    send_home(work, i, n_days)


@rule
def say_what_is_given(
    decisions: Any, plan: Plan, work: Work, levers: Any, p: Any, changes: Any, i: int, n_days: int
) -> None:
    """A taken seat: give the next answer of the scenario once its day has come and it can be given."""
    home, nation = work.homes[i], work.nation[0]
    day, disaster, shock = nation.day, work.spots[nation.day, i].disaster, work.spots[nation.day, i].shock
    has_next = home.first_answer < home.end_of_answers and plan.answers[home.first_answer].day <= day
    roles = roles_asked(levers, np.int64(work.spots[day, i].closed))
    role = governors.deciding_role(roles, nation.costs, levers.is_bundled > 0)
    cost = nation.costs[role] if role >= 0 else 0.0
    if home.is_pending and day >= home.deadline and not has_next:
        lapse(decisions, home, nation, levers, p, changes, disaster, shock, i, role)
    if not has_next:
        return
    given = plan.answers[home.first_answer]
    if given.kind == packed.WITHDRAW:
        if home.status not in (ACCEPTED, LIMITED):
            return
    elif not home.is_pending:
        return
    permitted = roles if given.roles < 0 else roles & given.roles
    if given.kind == packed.ACCEPT and not permitted:
        if day >= home.deadline:
            lapse(decisions, home, nation, levers, p, changes, disaster, shock, i, role)
        return
    home.first_answer += 1
    general = weigh(home, nation, levers, p, disaster, shock, home.asks)
    if given.kind == packed.ACCEPT:
        accept(decisions, work, levers, p, changes, i, permitted, roles, role, general, cost, NAN, given.troops)
    elif given.kind == packed.DECLINE:
        decline(decisions, work, levers, p, changes, i, role, general, cost, NAN)
    elif given.kind == packed.WITHDRAW:
        withdraw(decisions, work, levers, p, changes, i, role, general, cost, 1.0, n_days)
    else:
        lapse(decisions, home, nation, levers, p, changes, disaster, shock, i, role)


@part
def reconsider(decisions: Any, work: Work, levers: Any, p: Any, changes: Any, i: int, n_days: int) -> None:
    """Withdraw today, or go on; after a while a governor may order units where the request allows it."""
    home, nation = work.homes[i], work.nation[0]
    day, disaster, shock = nation.day, work.spots[nation.day, i].disaster, work.spots[nation.day, i].shock
    if levers.may_withdraw:
        u, is_burst = withdraw_luck(home, nation), work.spots[day, i].is_burst > 0
        if is_burst or u < nation.ceiling:
            roles = roles_asked(levers, np.int64(work.spots[day, i].closed))
            role = governors.deciding_role(roles, nation.costs, levers.is_bundled > 0)
            cost = nation.costs[role] if role >= 0 else 0.0
            general = weigh(home, nation, levers, p, disaster, shock, home.asks)
            chance = governors.chance_of_withdrawing(
                p.withdraw_base,
                p.withdraw_slope,
                p.withdraw_most,
                p.withdraw_burst,
                p.withdraw_burst_slope,
                p.withdraw_burst_days,
                general - cost,
                1.0 if is_burst else 0.0,
            )
            if u < chance:
                withdraw(decisions, work, levers, p, changes, i, role, general, cost, chance, n_days)
                return
    if p.volunteers_basis > 0.0 and not home.has_weighed_orders and day >= home.call_day + int(p.directed_patience):
        home.has_weighed_orders = 1
        support = weigh(home, nation, levers, p, disaster, shock, home.asks)
        chance = governors.chance_of_ordering(support, p.directed_threshold)
        if home.order_luck < chance and home.offer > home.entered:
            n = home.offer - home.entered
            order(home, nation, p, disaster, work.spots, work.lists[ACTIVE], i, n, home.permitted)


@rule
def consider(decisions: Any, work: Work, levers: Any, p: Any, changes: Any, i: int) -> None:
    """Answer today, or not yet; at the deadline an ask lapses."""
    home, nation = work.homes[i], work.nation[0]
    day, disaster, shock = nation.day, work.spots[nation.day, i].disaster, work.spots[nation.day, i].shock
    roles = roles_asked(levers, np.int64(work.spots[day, i].closed))
    role = governors.deciding_role(roles, nation.costs, levers.is_bundled > 0)
    if day >= home.deadline:
        lapse(decisions, home, nation, levers, p, changes, disaster, shock, i, role)
        return
    if role < 0:
        return
    general = weigh(home, nation, levers, p, disaster, shock, home.asks)
    cost = nation.costs[role]
    chance = governors.chance_of_answering(
        p.decide_pace,
        p.decide_conviction,
        general - cost,
        p.decide_ambiguity,
        work.days[day].ambiguity,
        p.decide_deadline,
        1.0 if day >= home.deadline - p.decide_last_days else 0.0,
    )
    if answer_luck(home, nation) >= chance:
        return
    u, permitted = ask_luck(home, nation, luck.PERMIT)[0], 0
    for r in range(N_ROLES):
        if roles >> r & 1 and u < governors.chance_of_permitting(p.precision, general - nation.costs[r]):
            permitted |= 1 << r
    if levers.is_bundled and permitted != roles:
        permitted = 0
    threshold = governors.tipping_support(p.precision, u)
    if permitted:
        accept(decisions, work, levers, p, changes, i, permitted, roles, role, general, cost, threshold, -1)
    else:
        decline(decisions, work, levers, p, changes, i, role, general, cost, threshold)


@part
def answer(decisions: Any, plan: Plan, work: Work, p: Any, changes: Any, day: int, n_days: int) -> None:
    """Every state that was asked answers, waits, or reconsiders."""
    nation = work.nation[0]
    levers = plan.levers[nation.stage]
    for i in range(len(work.homes)):
        home = work.homes[i]
        if not home.has_governor:
            if home.status == UNDECIDED and day == home.asked_on + 1:
                send(plan, work, p, changes, i)
            continue
        agrees = home.status in (ACCEPTED, LIMITED)
        if not (agrees or home.is_pending):
            continue
        if home.is_taken:
            say_what_is_given(decisions, plan, work, levers, p, changes, i, n_days)
            continue
        if agrees:
            reconsider(decisions, work, levers, p, changes, i, n_days)
        if home.is_pending:
            consider(decisions, work, levers, p, changes, i)
