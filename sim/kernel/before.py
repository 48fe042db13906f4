"""What is settled before the first day: drawn numbers, shocks, officers of other channels, everybody unasked."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import governors, luck, packed, parameters, people, shocks
from sim.kernel.compiling import entry, inlined, rule
from sim.kernel.layout import ABOVE, LOOK, WORD, Work
from sim.kernel.rows import look_ahead, lowest, uniforms, without_lowest
from sim.kernel.steps import own_mind
from sim.packed import N_ROLES, Draws, Plan
from sim.results import NOT_ASKED


@entry
def draw_numbers(draws: Draws, k0: Any, k1: Any, of: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Fill in what each draw draws; `values` holds defaults, shape (n, n_levers, n_parameters); draw -1 keeps them."""
    for n in range(len(of)):
        if of[n] < 0:
            continue
        for j in range(len(draws.key)):
            u = luck.block(k0, k1, WORD(of[n]), WORD(luck.PARAMETER), WORD(0), draws.key[j])
            if draws.weights[j, 0] > 0.0:
                parts = 0
                while parts < draws.weights.shape[1] and draws.weights[j, parts] > 0.0:
                    parts += 1
                part = parameters.component(u[0], draws.weights[j, :parts])
                drawn = draws.means[j, part] + draws.sds[j, part] * luck.normals(u[1], u[2])[0]
            else:
                if draws.is_log[j]:
                    drawn = parameters.triangular_on_log_scale(u[0], draws.low[j], draws.mode[j], draws.high[j])
                else:
                    drawn = parameters.triangular(u[0], draws.low[j], draws.mode[j], draws.high[j])
                if draws.is_whole[j]:
                    drawn = float(round(drawn))
            for stage in range(values.shape[1]):
                if not draws.is_fixed[stage, j]:
                    values[n, stage, draws.column[j]] = drawn


@rule
def officers(days: Any, p: Any) -> None:
    """The two other channels: nothing else moves them."""
    n_days = len(days)
    vetting, course, learning = int(p.hiring_vetting_days), int(p.hiring_weeks) * 7, int(p.deputize_training_days)
    free, queue, n_hired, n_deputized = int(p.hiring_seats), 0, 0, 0
    applicants, agents = p.hiring_applicants * p.hiring_pass, p.deputize_agencies * p.deputize_officers
    # Those seated on a day stand in `hired` until the days are added up below.
    for day in range(n_days):
        if day >= vetting:
            queue += people.whole_share(day - vetting, 1, applicants)
        if day >= course:
            free += days[day - course].hired
        seated = min(free, queue)
        free -= seated
        queue -= seated
        days[day].hired = seated
        if day >= learning:
            n_deputized += people.whole_share(day - learning, 1, agents)
        days[day].deputized = n_deputized
    for day in range(n_days - 1, -1, -1):
        days[day].hired = days[day - course].hired if day >= course else 0
    for day in range(n_days):
        n_hired += days[day].hired
        days[day].hired = n_hired


@rule
def strike_all(plan: Plan, work: Work, records: Any, n_days: int) -> None:
    """All shocks of the run, dated and by luck: see `shocks.forces_of`."""
    nation, p = work.nation[0], records[0]
    n_states = len(work.homes)
    if nation.is_dirty:
        for day in range(n_days):
            today = work.calendar[day]
            for i in range(n_states):
                today.shock[i] = 0.0
                today.closed[i] = today.is_burst[i] = 0
                today.new_governors[i] = 0
    nation.any_shock = nation.may_close = nation.is_calm = 0
    for day in range(n_days):
        today = work.days[day]
        today.ambiguity = records[plan.levers_of[day]].request_ambiguity
        today.is_lapse = today.is_suspended = 0
        if today.has_disaster:
            today.has_disaster = 0
            work.calendar[day].disasters[:] = 0.0
    strike_as_dated(plan, work, p, n_days)
    draw_disasters(plan, work, p, n_days)
    draw_incidents(work, p, n_days)
    draw_court_orders(work, p, n_days)
    if nation.any_shock:
        keep = math.exp(-1.0 / p.support_fade)
        for day in range(1, n_days):
            for i in range(n_states):
                work.calendar[day].shock[i] = work.calendar[day - 1].shock[i] * keep + work.calendar[day].shock[i]


@rule
def strike_as_dated(plan: Plan, work: Work, p: Any, n_days: int) -> None:
    """Shocks that the scenario dates."""
    nation, n_states = work.nation[0], len(work.homes)
    burst_days = int(p.withdraw_burst_days)
    for j in range(len(plan.shocks)):
        row = plan.shocks[j]
        day = row.day
        if row.kind == packed.INCIDENT:
            size = p.incident_size if math.isnan(row.amount) else row.amount
            nation.any_shock = 1
            for i in range(n_states):
                if plan.reach[j, i]:
                    work.calendar[day].shock[i] += size
                    if size < 0.0:
                        start_burst(work.calendar, day, burst_days, i)
        elif row.kind == packed.CLARIFICATION:
            for later in range(day, n_days):
                work.days[later].ambiguity = min(work.days[later].ambiguity, row.amount)
        elif row.kind == packed.COURT_ORDER:
            if row.days == packed.BY_CHANCE:
                after = stay_of(nation, p, row.order)
            elif row.days == packed.NEVER_STAYED:
                after = math.inf
            else:
                after = float(row.days)
            end = shocks.day_of_stay(day, after, n_days)
            nation.may_close = 1
            for i in range(n_states):
                if plan.reach[j, i]:
                    for later in range(day, end):
                        work.calendar[later].closed[i] |= np.uint8(row.roles)
                    start_burst(work.calendar, day, burst_days, i)
        elif row.kind == packed.DISASTER:
            size = p.disaster_size if math.isnan(row.amount) else row.amount
            days = int(p.disaster_days) if row.days == packed.BY_CHANCE else row.days
            for later in range(day, min(day + days, n_days)):
                add_disaster(work, later, row.state, size, p.disaster_most)
        elif row.kind == packed.FUNDING_LAPSE:
            for later in range(day, min(day + row.days, n_days)):
                work.days[later].is_lapse = 1
        elif row.kind == packed.TURNOVER:
            before = work.calendar[day].new_governors[row.state] >> 2
            work.calendar[day].new_governors[row.state] = (before + 1) << 2 | (row.side + 1)
        elif row.kind == packed.APPEAL:
            nation.any_shock = 1
            for i in range(n_states):
                if plan.reach[j, i]:
                    work.calendar[day].shock[i] += row.amount if plan.reach[j, i] == 1 else row.other


@rule
def draw_disasters(plan: Plan, work: Work, p: Any, n_days: int) -> None:
    """Disasters by luck, state by state."""
    nation, n_states = work.nation[0], len(work.homes)
    if p.disaster_rate > 0.0:
        for i in range(n_states):
            fips = work.homes[i].fips
            # A day's chance is below its rate, so a look at four days at once is nearly always enough.
            top = luck.reach(ABOVE * p.disaster_rate * work.homes[i].most_disasters)
            for first in range(0, (n_days + 3) >> 2, LOOK):
                low = look_ahead(nation, WORD(luck.DISASTER), fips, first, top, top, 0)
                while low:
                    b = lowest(low)
                    low = without_lowest(low)
                    four, u = first + b, uniforms(nation, b)
                    for day in range(4 * four, min(4 * four + 4, n_days)):
                        rate = p.disaster_rate * plan.disasters_per_day[i, plan.month[day]]
                        if u[day & 3] < ABOVE * rate and u[day & 3] < shocks.chance_within_a_day(rate):
                            draw_disaster(work, p, i, day, n_days)


@rule
def draw_disaster(work: Work, p: Any, i: int, day: int, n_days: int) -> None:
    """A disaster that begins on a day: its size is luck."""
    home, nation = work.homes[i], work.nation[0]
    u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.DISASTER_SIZE), home.fips, WORD(day))
    size = min(shocks.lognormal(p.disaster_size, p.disaster_spread, luck.normals(u[0], u[1])[0]), p.disaster_most)
    for later in range(day, min(day + int(p.disaster_days), n_days)):
        add_disaster(work, later, i, size, p.disaster_most)
        home.worst = max(home.worst, work.calendar[later].disasters[i])


@rule
def draw_incidents(work: Work, p: Any, n_days: int) -> None:
    """Incidents by luck, which all states see."""
    nation, n_states = work.nation[0], len(work.homes)
    k0, k1, replication = nation.k0, nation.k1, nation.replication
    burst_days = int(p.withdraw_burst_days)
    if p.incident_random > 0.0:
        chance = shocks.chance_within_a_day(p.incident_rate)
        u = (0.0, 0.0, 0.0, 0.0)
        for day in range(n_days):
            if day & 3 == 0:
                u = luck.block(k0, k1, replication, WORD(luck.INCIDENT), WORD(0), WORD(day >> 2))
            if u[day & 3] < chance:
                nation.any_shock = 1
                for i in range(n_states):
                    work.calendar[day].shock[i] += p.incident_size
                if p.incident_size < 0.0:
                    for i in range(n_states):
                        start_burst(work.calendar, day, burst_days, i)


@rule
def draw_court_orders(work: Work, p: Any, n_days: int) -> None:
    """Court orders by luck: on a state law, and on federalization."""
    nation, n_states = work.nation[0], len(work.homes)
    k0, k1, replication = nation.k0, nation.k1, nation.replication
    burst_days = int(p.withdraw_burst_days)
    if p.court_clock > 0.0 and nation.approval >= 0:
        u = luck.block(k0, k1, replication, WORD(luck.COURT), WORD(shocks.STATE_LAW), WORD(0))
        day = nation.approval + shocks.days_to_order(u[0], p.court_state_law_days)
        if day < n_days:
            end = shocks.day_of_stay(day, stay_of(nation, p, WORD(shocks.STATE_LAW)), n_days)
            nation.may_close = 1
            for i in range(n_states):
                v = luck.block(k0, k1, replication, WORD(luck.COURT_REACH), work.homes[i].fips, WORD(0))
                if work.homes[i].has_governor and v[0] < p.court_reach:
                    for later in range(day, end):
                        work.calendar[later].closed[i] |= np.uint8(shocks.STATE_LAW_ROLES)
                    start_burst(work.calendar, day, burst_days, i)
    if p.court_federal_clock > 0.0 and p.federalize_day >= 0.0:
        u = luck.block(k0, k1, replication, WORD(luck.COURT), WORD(shocks.FEDERAL), WORD(0))
        day = int(p.federalize_day) + shocks.days_to_order(u[0], p.court_federal_days)
        if day < n_days:
            for later in range(day, shocks.day_of_stay(day, stay_of(nation, p, WORD(shocks.FEDERAL)), n_days)):
                work.days[later].is_suspended = 1


@inlined
def add_disaster(work: Work, day: int, i: int, size: float, most: float) -> None:
    """A share of strength on duty; what comes together never exceeds the most."""
    work.calendar[day].disasters[i] = min(work.calendar[day].disasters[i] + size, most)
    work.days[day].has_disaster = 1


@rule
def start_burst(calendar: Any, day: int, days: int, i: int) -> None:
    """Let a governor withdraw more readily for some days."""
    for later in range(day, min(day + days, len(calendar) - 1)):
        calendar[later].is_burst[i] = 1


@rule
def stay_of(nation: Any, p: Any, index: Any) -> float:
    """Days after which a court order is stayed, or infinity."""
    u = luck.block(nation.k0, nation.k1, nation.replication, WORD(luck.COURT), WORD(0), index)
    return shocks.days_to_stay(
        u[0], u[1], p.court_stay_chance, p.court_stay_least_days, p.court_stay_usual_days, p.court_stay_most_days
    )


@rule
def begin(plan: Plan, work: Work, records: Any, k0: Any, k1: Any, replication: Any, n_days: int) -> None:
    """Everybody as they are before the first day, with the luck that is drawn once."""
    nation, p = work.nation[0], records[0]
    nation.k0, nation.k1, nation.replication = k0, k1, replication
    if nation.any_ordered:
        for day in range(n_days):
            for i in range(len(work.homes)):
                work.calendar[day].was_ordered[i] = 0
    nation.rounds = nation.is_federalizing = nation.n_taken = nation.any_ordered = 0
    nation.n_active = nation.missing = nation.n_sending = 0
    nation.first_waiting = nation.first_awaiting = nation.n_decisions = nation.day = 0
    nation.has_news = nation.has_said = 1
    nation.any_moved = nation.n_behind = 0
    nation.screening_days = int(p.screening_days)
    nation.come[:] = 0.0
    nation.pool[:] = 0.0
    nation.open_chance[:] = 0.0
    nation.offer[:] = 0
    nation.entered[:] = 0
    nation.serving[:] = 0
    nation.back[:] = 0
    nation.seen[:] = 0
    nation.hash[:] = WORD(0)
    nation.said[:] = WORD(0)
    nation.keeps_up[:] = -1
    for role in range(N_ROLES):
        of = work.roles[role]
        of.counts[:] = of.ended[:] = 0
        of.leaving[:] = 0.0
        of.owed[:] = of.screened[:] = 0
        of.linear[:] = 0
        of.people[:] = 0
    nation.weighed_on[:] = -1
    nation.must_settle = 0
    for stage in range(1, len(records)):
        if records[stage].tour_days < records[stage - 1].tour_days:
            nation.must_settle = 1
    nation.picture = nation.n_refusing = nation.n_refusing_in_strip = 0
    nation.leaning[:] = 0
    nation.n_asked[:] = 0
    nation.lean[:] = 0
    nation.asked[:] = 0
    nation.refusing[:] = 0
    nation.seen_side[:] = 0
    nation.has_moved[:] = 1
    nation.wake[:] = 0
    for i in range(len(work.homes), len(nation.wake)):
        nation.wake[i] = n_days
    nation.n_training = nation.n_awaiting = 0
    nation.n_status[:] = 0
    u = luck.block(k0, k1, replication, WORD(luck.NATION), WORD(0), WORD(0))
    nation.national, nation.partisan = luck.normals(u[0], u[1])
    for region in range(5):
        u = luck.block(k0, k1, replication, WORD(luck.REGION), WORD(region), WORD(0))
        nation.regional[region] = luck.normals(u[0], u[1])[0]
    u = luck.block(k0, k1, replication, WORD(luck.REVIEW), WORD(0), WORD(0))
    nation.approval = -1
    if u[2] < p.review_approval_chance:
        nation.approval = int(round(shocks.lognormal(p.review_days, p.review_spread, luck.normals(u[0], u[1])[0])))
    nation.next_ask = nation.approval
    nation.ceiling = governors.chance_of_withdrawing(50.0, 0.0, p.withdraw_most, 0.0, 0.0, 1.0, 0.0, 0.0)
    nation.chance = -math.expm1(-p.volunteers_pace)
    nation.fail_share = 1.0 - p.screening_pass
    nation.course_days[0], nation.course_days[1] = int(p.training_days_administration), int(p.training_days_support)
    nation.course_days[2], nation.course_days[3] = int(p.training_days_transport), int(p.training_days_detention)
    nation.course_days[4] = int(p.training_days_enforcement)
    nation.strength = nation.strength_of_strip = 0
    for i in range(len(work.homes)):
        work.homes[i] = plan.homes[i]
        home = work.homes[i]
        home.own = own_mind(home, nation)
        nation.capacity[i] = people.screening_capacity(
            p.screening_rate, p.screening_reference_strength, p.screening_floor, float(home.strength)
        )
        nation.strengths[i] = home.strength
        nation.strength += home.strength
        if home.in_strip:
            nation.strength_of_strip += home.strength
        if home.has_governor:
            nation.n_status[NOT_ASKED] += 1
