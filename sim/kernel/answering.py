"""The governors: answering, reconsidering, letting an ask lapse."""

import math
from typing import Any

import numpy as np

from sim import governors, luck, packed
from sim.kernel.asking import send
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import (
    ABOVE,
    HAIR,
    LOOK,
    NAN,
    SAID_LIMITED,
    SAID_MORE,
    SAID_NO,
    SAID_NO_MORE,
    SAID_NOTHING,
    SAID_WITHDRAW,
    SAID_YES,
    STEP,
    WORD,
    Work,
)
from sim.kernel.rows import look_ahead, lowest, uniforms, up_to, without_lowest
from sim.kernel.steps import (
    ask_luck,
    become,
    call,
    could_give,
    decide,
    keep_luck,
    kind_of,
    look_around,
    luck_of,
    order,
    roles_asked,
    send_home,
    stand,
    weigh,
)
from sim.packed import N_ROLES, Plan
from sim.results import ACCEPTED, DECLINED, LIMITED, NO_ANSWER, UNDECIDED, WITHDRAWN

# Support may fall by so much more before a governor's next doubt is looked for again.
MARGIN = 0.5


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
    disaster, shock = work.calendar[nation.day].disasters[i], work.calendar[nation.forces_day].shock[i]
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
            could_give(work, p, i, disaster),
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
    call(work, levers, p, disaster, i, troops, permitted, z_call, u[3])
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
    disaster, shock = work.calendar[nation.day].disasters[i], work.calendar[nation.forces_day].shock[i]
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
    disaster, shock = work.calendar[nation.day].disasters[i], work.calendar[nation.forces_day].shock[i]
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
    day, disaster, shock = nation.day, work.calendar[nation.day].disasters[i], work.calendar[nation.forces_day].shock[i]
    look_around(plan, work, i)
    has_next = home.first_answer < home.end_of_answers and plan.answers[home.first_answer].day <= day
    roles = roles_asked(levers, np.int64(work.calendar[nation.forces_day].closed[i]))
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
def reconsider(decisions: Any, plan: Plan, work: Work, levers: Any, p: Any, changes: Any, i: int, n_days: int) -> None:
    """Withdraw today, or go on; after a while a governor may order units where the request allows it."""
    home, nation = work.homes[i], work.nation[0]
    day, disaster, shock = nation.day, work.calendar[nation.day].disasters[i], work.calendar[nation.forces_day].shock[i]
    if levers.may_withdraw:
        u, is_burst = luck_of(home, nation, luck.WITHDRAW, day), work.calendar[nation.forces_day].is_burst[i] > 0
        if is_burst or u < nation.ceiling:
            roles = roles_asked(levers, np.int64(work.calendar[nation.forces_day].closed[i]))
            role = governors.deciding_role(roles, nation.costs, levers.is_bundled > 0)
            cost = nation.costs[role] if role >= 0 else 0.0
            look_around(plan, work, i)
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
        look_around(plan, work, i)
        support = weigh(home, nation, levers, p, disaster, shock, home.asks)
        chance = governors.chance_of_ordering(support, p.directed_threshold)
        if home.order_luck < chance and nation.offer[i] > nation.entered[i]:
            n = np.int64(nation.offer[i] - nation.entered[i])
            order(work, p, disaster, i, n, home.permitted)


@inlined
def consider(decisions: Any, plan: Plan, work: Work, levers: Any, p: Any, changes: Any, i: int) -> None:
    """Answer today, or not yet; at the deadline an ask lapses."""
    home, nation = work.homes[i], work.nation[0]
    day, disaster, shock = nation.day, work.calendar[nation.day].disasters[i], work.calendar[nation.forces_day].shock[i]
    roles = roles_asked(levers, np.int64(work.calendar[nation.forces_day].closed[i]))
    role = governors.deciding_role(roles, nation.costs, levers.is_bundled > 0)
    look_around(plan, work, i)
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
    if luck_of(home, nation, luck.ANSWER, day) >= chance:
        return
    u, permitted = ask_luck(home, nation, luck.PERMIT)[0], 0
    threshold = governors.tipping_support(p.precision, u)
    for r in range(N_ROLES):
        if roles >> r & 1 and governors.is_permitted(general - nation.costs[r], threshold, u):
            permitted |= 1 << r
    if levers.is_bundled and permitted != roles:
        permitted = 0
    if permitted:
        accept(decisions, work, levers, p, changes, i, permitted, roles, role, general, cost, threshold, -1)
    else:
        decline(decisions, work, levers, p, changes, i, role, general, cost, threshold)


@rule
def span(home: Any, nation: Any, levers: Any, p: Any, i: int) -> Any:
    """The least and the most that support without a role can be, whatever comes, until this governor is asked or says something.

    Each moving term grows or falls with one number alone, so the two ends of all numbers bound it.
    """
    serving = max(np.int64(nation.offer[i]), home.seen_serving) / home.strength
    refusal = governors.host_refusal(levers.in_strip > 0, p.law_reading > 0.0, p.mission_cross_state > 0.0, 1.0, 1.0)
    one = moving_at(home, p, 0.0, 0.0, p.mobilized, -1.0, -1.0)
    other = moving_at(home, p, refusal, home.worst, p.mobilized + serving, 1.0, 1.0)
    low = high = home.standing
    for k in range(len(one)):
        low += min(one[k], other[k])
        high += max(one[k], other[k])
    return low, high


@rule
def moving_at(
    home: Any, p: Any, refusal: float, disaster: float, mobilized: float, neighbors: float, side: float
) -> Any:
    """The moving terms of support as they may become in a calm run."""
    return governors.moving_terms(
        p.support_fatigue,
        float(home.asks),
        p.support_host,
        refusal,
        p.support_disaster,
        disaster,
        p.support_load,
        mobilized,
        p.support_neighbors,
        neighbors,
        p.support_network,
        side,
        0.0,
        p.federalize_echo,
        0.0,
    )


@rule
def bound(home: Any, nation: Any, levers: Any, p: Any, i: int, ambiguity: float) -> None:
    """Bound the chances of a governor's day in a calm run, until the governor is asked or says something."""
    home.is_bounded = 1
    role = governors.deciding_role(roles_asked(levers, 0), nation.costs, levers.is_bundled > 0)
    cost = nation.costs[role] if role >= 0 else 0.0
    stand(home, nation, levers, p)
    low, high = span(home, nation, levers, p, i)
    if home.is_pending:
        home.calm_bound = home.last_bound = 0.0
        if role >= 0:
            furthest = max(abs(low - cost), abs(high - cost))
            rate = governors.rate_of_answering(
                p.decide_pace, p.decide_conviction, furthest, p.decide_ambiguity, ambiguity, p.decide_deadline, 0.0
            )
            home.calm_bound, home.last_bound = HAIR + ABOVE * rate, HAIR + ABOVE * rate * nation.haste
    agrees = home.status in (ACCEPTED, LIMITED)
    if levers.may_withdraw and agrees and doubt(p, low - cost) > home.withdraw_bound:
        # With a margin, so that the next doubt need seldom be looked for again.
        home.withdraw_bound = HAIR + ABOVE * doubt(p, low - cost - MARGIN)
        home.withdraw_wake = -1


@rule
def next_look(home: Any, nation: Any, levers: Any, p: Any, since: int, n_days: int) -> int:
    """The first day, from one on, on which a bounded governor may act: on no day before can luck be below the chance."""
    until = n_days
    if home.is_pending:
        last_days = int(math.ceil(home.deadline - p.decide_last_days))
        until = min(until, home.deadline)
        until = first_below(home, nation, luck.ANSWER, home.calm_bound, home.last_bound, last_days, since, until)
    if home.status in (ACCEPTED, LIMITED):
        if p.volunteers_basis > 0.0 and not home.has_weighed_orders:
            until = min(until, max(since, home.call_day + int(p.directed_patience)))
        if levers.may_withdraw:
            if home.withdraw_wake < since:
                bound = home.withdraw_bound
                home.withdraw_wake = first_below(home, nation, luck.WITHDRAW, bound, bound, n_days, since, n_days)
            until = min(until, home.withdraw_wake)
    return until


@rule
def first_below(
    home: Any, nation: Any, purpose: Any, bound: float, last_bound: float, last_days: int, since: int, until: int
) -> int:
    """The first day, from one on and before another, on which a state's luck is below a bound, or another in the last days."""
    # A block serves four days, of which some may be last ones.
    top, last_top, which = luck.reach(bound), luck.reach(max(bound, last_bound)), kind_of(purpose)
    for first in range(since >> 2, (until + 3) >> 2, LOOK):
        low = look_ahead(nation, WORD(purpose), home.fips, first, top, last_top, last_days >> 2)
        while low:
            b = lowest(low)
            low = without_lowest(low)
            four = first + b
            if 4 * four >= until:
                break
            keep_luck(home, which, four, uniforms(nation, b))
            for day in range(max(since, 4 * four), min(4 * four + 4, until)):
                if home.daily_luck[which, day & 3] < (last_bound if day >= last_days else bound):
                    return day
    return max(since, until)


@rule
def doubt(p: Any, support: float) -> float:
    """What the chance to withdraw on a day without a burst does not exceed."""
    return governors.rate_of_withdrawing(p.withdraw_base, p.withdraw_slope, p.withdraw_most, support)


@part
def answer(decisions: Any, plan: Plan, work: Work, p: Any, changes: Any, day: int, n_days: int) -> None:
    """Every state that was asked answers, waits, or reconsiders."""
    nation = work.nation[0]
    levers = plan.levers[nation.stage]
    wake = nation.wake
    for first in range(0, len(wake), STEP):
        awake = up_to(wake, day, first)
        while awake:
            i = first + lowest(awake)
            awake = without_lowest(awake)
            answer_one(decisions, plan, work, levers, p, changes, i, n_days)


@inlined
def answer_one(decisions: Any, plan: Plan, work: Work, levers: Any, p: Any, changes: Any, i: int, n_days: int) -> None:
    """One state that was asked answers, waits, or reconsiders."""
    nation = work.nation[0]
    day, wake, home = nation.day, nation.wake, work.homes[i]
    if not home.has_governor:
        if home.status != UNDECIDED:
            wake[i] = n_days
        elif day == home.asked_on + 1:
            send(plan, work, p, changes, i)
        return
    agrees = home.status in (ACCEPTED, LIMITED)
    if not (agrees or home.is_pending):
        if nation.is_calm:
            wake[i] = n_days
        return
    if home.is_taken:
        say_what_is_given(decisions, plan, work, levers, p, changes, i, n_days)
        return
    if nation.is_calm and home.asked_on == day:
        bound(home, nation, levers, p, i, work.days[day].ambiguity)
        wake[i] = next_look(home, nation, levers, p, day, n_days)
        if day < wake[i]:
            return
    if agrees:
        reconsider(decisions, plan, work, levers, p, changes, i, n_days)
    if home.is_pending:
        consider(decisions, plan, work, levers, p, changes, i)
    if nation.is_calm:
        if not home.is_bounded:
            bound(home, nation, levers, p, i, work.days[day].ambiguity)
        wake[i] = next_look(home, nation, levers, p, day + 1, n_days)
