"""The requester: rounds of asking, and the counterfactual command."""

from typing import Any

import numpy as np

from sim import governors, luck, people
from sim.kernel.compiling import inlined, part, rule
from sim.kernel.layout import Work
from sim.kernel.steps import (
    ask_luck,
    become,
    call,
    could_give,
    look_around,
    order,
    roles_asked,
    send_home,
    target,
    to_come,
    weigh,
)
from sim.packed import Plan
from sim.results import ACCEPTED, DECLINED, FEDERALIZED, LIMITED, NO_ANSWER, SENDING, UNDECIDED, WITHDRAWN


@rule
def ask(home: Any, nation: Any, levers: Any, p: Any, changes: Any, wake: Any, i: int, quota: int) -> None:
    """Receive an ask; the governor wakes up."""
    if home.status == FEDERALIZED:
        return
    if home.is_pending:
        home.quota = max(home.quota, quota)
        return
    home.asks += 1
    wake[i] = nation.day
    home.quota = quota
    home.asked_on = nation.day
    home.deadline = nation.day + int(p.request_deadline_days)
    home.asked_terms = levers.terms
    home.is_pending = 1
    if home.status not in (ACCEPTED, LIMITED, SENDING):
        become(home, nation, changes, i, UNDECIDED)


@rule
def send(plan: Plan, work: Work, p: Any, changes: Any, i: int) -> None:
    """The President commands here: send volunteers."""
    home, nation = work.homes[i], work.nation[0]
    levers = plan.levers[nation.stage]
    become(home, nation, changes, i, SENDING)
    home.is_pending = 0
    u = ask_luck(home, nation, luck.OFFER)
    z = luck.normals(u[0], u[1])[1]
    asked = levers.named_roles & levers.open_roles
    disaster = work.calendar[nation.day].disasters[i]
    call(work, levers, p, disaster, i, home.quota, asked, z, 1.0)


@rule
def in_force(work: Work) -> int:
    """People in the mission and people whom open calls may still bring."""
    nation, total = work.nation[0], np.int64(0)
    for i in range(len(work.homes)):
        total += nation.serving[i] + to_come(nation, i)
    return total


@inlined
def prospect(plan: Plan, work: Work, levers: Any, p: Any, i: int) -> int:
    """People whom asking this state again may bring."""
    home, nation, day = work.homes[i], work.nation[0], work.nation[0].day
    disaster = work.calendar[day].disasters[i]
    if home.status == SENDING:
        return int(could_give(work, p, i, disaster))
    if not home.has_governor or home.status == FEDERALIZED:
        return 0
    if home.status in (DECLINED, WITHDRAWN) and home.asked_terms == levers.terms:
        return 0
    role = governors.deciding_role(
        roles_asked(levers, np.int64(work.calendar[nation.forces_day].closed[i])), nation.costs, levers.is_bundled > 0
    )
    if role < 0:
        return 0
    asks = home.asks if home.is_pending else home.asks + 1
    look_around(plan, work, i)
    support = (
        weigh(home, nation, levers, p, disaster, work.calendar[nation.forces_day].shock[i], asks) - nation.costs[role]
    )
    return int(could_give(work, p, i, disaster) * governors.chance_of_permitting(p.precision, support))


@part
def request(plan: Plan, work: Work, records: Any, changes: Any, day: int) -> None:
    """The requester asks, and asks again."""
    nation = work.nation[0]
    if (
        nation.approval >= 0
        and day == nation.next_ask
        and nation.rounds < int(records[plan.levers_of[day]].rounds_most)
    ):
        levers, p = plan.levers[nation.stage], records[nation.stage]
        sought = int(target(p) * p.request_over_ask)
        if nation.rounds > 0:
            sought -= in_force(work)
        if sought > 0 or nation.rounds == 0:
            for i in range(len(work.homes)):
                nation.shares[i] = 0
                if plan.asked[nation.stage, i]:
                    nation.shares[i] = (
                        work.homes[i].strength if nation.rounds == 0 else prospect(plan, work, levers, p, i)
                    )
            people.split(sought, nation.shares, nation.quotas)
            for i in range(len(work.homes)):
                if nation.rounds == 0 and nation.shares[i]:
                    ask(work.homes[i], nation, levers, p, changes, nation.wake, i, nation.quotas[i])
                elif nation.rounds > 0 and nation.quotas[i]:
                    ask(work.homes[i], nation, levers, p, changes, nation.wake, i, nation.quotas[i])
                    if work.homes[i].status == SENDING:
                        send(plan, work, p, changes, i)
        nation.rounds += 1
        nation.next_ask = day + int(p.rounds_gap_days)


@part
def command(plan: Plan, work: Work, records: Any, changes: Any, day: int, n_days: int) -> None:
    """The counterfactual: consent is set aside in some states, unless a court holds it up."""
    nation = work.nation[0]
    since = records[0].federalize_day
    if since < 0.0 or day < int(since):
        return
    levers, p = plan.levers[nation.stage], records[nation.stage]
    if work.days[day].is_suspended:
        if nation.is_federalizing:
            for i in range(len(work.homes)):
                if nation.taken[i]:
                    home = work.homes[i]
                    status = home.status_before
                    if status == UNDECIDED:
                        status = NO_ANSWER
                    elif status in (ACCEPTED, LIMITED):
                        status = WITHDRAWN
                    become(home, nation, changes, i, status)
                    home.is_federal = 0
                    send_home(work, i, n_days)
        nation.is_federalizing = 0
        return
    if not nation.is_federalizing:
        if nation.n_taken == 0:
            for i in range(len(work.homes)):
                home = work.homes[i]
                if levers.takes_decliners:
                    nation.taken[i] = 1 if home.status in (DECLINED, WITHDRAWN) else 0
                else:
                    nation.taken[i] = 1 if plan.federal[nation.stage, i] and home.has_governor else 0
                nation.n_taken += nation.taken[i]
        shortfall = max(0, target(p) - in_force(work))
        for i in range(len(work.homes)):
            nation.shares[i] = work.homes[i].strength if nation.taken[i] else 0
        people.split(shortfall, nation.shares, nation.quotas)
        roles = levers.federal_roles & levers.named_roles
        for i in range(len(work.homes)):
            home = work.homes[i]
            if nation.taken[i] and home.status != FEDERALIZED:
                home.status_before = home.status
                become(home, nation, changes, i, FEDERALIZED)
                home.is_pending = 0
                home.is_federal = 1
                if roles:
                    disaster = work.calendar[day].disasters[i]
                    order(work, p, disaster, i, nation.quotas[i], roles)
    nation.is_federalizing = 1
