"""The whole model as one loop over days, in the form that Numba compiles.

Every rule is the function that the SimPy model calls; only what happens when is written a second time, with the seven
moments of `shared.MOMENTS`. People of a state, a role and a due day are one number here, where SimPy has parties and
cohorts. `tests/test_engines.py` holds both to equality, run by run and count by count. `sim.compiled` runs it.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import config, njit
from numba.core.caching import UserProvidedCacheLocator
from numba.extending import register_jitable
from numpy.typing import NDArray

from sim import governors, luck, packed, parameters, people, shocks
from sim.packed import N_ROLES, N_STAGES, Draws, Plan
from sim.parameters import ROLES
from sim.results import (
    ACCEPTED,
    AWAITING,
    COUNT_WEIGHTS,
    DAY_WEIGHT,
    DECLINED,
    ENTERED,
    FEDERALIZED,
    IN_PLACE,
    LEFT,
    LIMITED,
    NO_ANSWER,
    NOT_ASKED,
    RETURNED,
    SCREENED_OUT,
    SCREENING,
    SENDING,
    SERIES,
    STATUS_WEIGHT,
    STATUSES,
    TRAINING,
    TRAVEL,
    UNDECIDED,
    WAITING,
    WITHDRAWN,
)


class Locator(UserProvidedCacheLocator):
    """Machine code lies in the folder that `compiled.folder` names, wherever the sources lie."""

    def get_cache_path(self) -> str:
        """The folder."""
        return str(config.CACHE_DIR)


# The rules as compiled code sees them: the very functions that SimPy calls.
for _rule in (
    people.logistic,
    people.logit,
    people.whole,
    people.whole_share,
    people.volunteering_share,
    people.mean_pull,
    people.staying_share,
    people.reach_today,
    people.available,
    people.come_forward,
    people.screening_capacity,
    people.short_at_home,
    people.role_weights,
    people.split,
    governors.standing_terms,
    governors.moving_terms,
    governors.added,
    governors.balance,
    governors.chance_of_permitting,
    governors.chance_of_answering,
    governors.chance_of_withdrawing,
    governors.host_refusal,
    governors.deciding_role,
    governors.most_offered,
    governors.offered,
    governors.chance_of_ordering,
    governors.tipping_support,
    shocks.chance_within_a_day,
    shocks.days_to_order,
    shocks.days_to_stay,
    shocks.day_of_stay,
    shocks.lognormal,
    parameters.component,
    parameters.triangular,
    parameters.triangular_on_log_scale,
    luck.block,
    luck.normals,
):
    register_jitable(_rule)

# Nothing is allocated inside: without reference counting, arrays travel as plain pointers (20 times faster here).
rule = njit(nogil=True, cache=True, error_model="numpy", _nrt=False)
# Called for every state on every day: put in place by Numba, because handing over a workspace costs more than the work.
part = njit(inline="always", nogil=True, error_model="numpy", _nrt=False)

ENFORCEMENT = ROLES.index("enforcement")
N_SERIES, N_STATUSES = len(SERIES), len(STATUSES)
N_TERMS = len(governors.TERMS)
WORD = np.uint64
_DAY, _SAID, _GOLDEN = np.uint64(DAY_WEIGHT), np.uint64(STATUS_WEIGHT), np.uint64(0x9E3779B97F4A7C15)
_W = COUNT_WEIGHTS.reshape(N_ROLES, N_STAGES)
_MIX = tuple(np.uint64(x) for x in (30, 0xBF58476D1CE4E5B9, 27, 0x94D049BB133111EB, 31))

# The answers of a decision, by code.
DECISIONS = ("accept", "accept with limits", "accept more", "decline", "decline more", "no answer", "withdraw")
_ACCEPT, _WITH_LIMITS, _MORE, _DECLINE, _NO_MORE, _SILENT, _WITHDRAW = range(7)
NAN = float("nan")

# What there is once in a run.
NATION = np.dtype(
    [
        ("day", np.int64),
        ("stage", np.int64),
        ("approval", np.int64),
        ("rounds", np.int64),
        ("next_ask", np.int64),
        ("is_federalizing", np.int64),
        ("n_taken", np.int64),
        ("has_news", np.int64),
        ("any_shock", np.int64),
        ("may_close", np.int64),
        ("any_ordered", np.int64),
        ("n_active", np.int64),
        ("missing", np.int64),
        ("n_sending", np.int64),
        ("n_training", np.int64),
        ("n_awaiting", np.int64),
        ("first_waiting", np.int64),
        ("first_awaiting", np.int64),
        ("n_decisions", np.int64),
        ("strength", np.int64),
        ("strength_of_strip", np.int64),
        ("national", np.float64),
        ("partisan", np.float64),
        ("ceiling", np.float64),
        ("chance", np.float64),
        ("fail_share", np.float64),
        ("refused", np.float64),
        ("refused_in_strip", np.float64),
        ("status_cost", np.float64),
        ("k0", np.uint64),
        ("k1", np.uint64),
        ("replication", np.uint64),
        ("regional", np.float64, (8,)),
        ("costs", np.float64, (N_ROLES,)),
        ("pulls", np.float64, (N_ROLES,)),
        ("course_days", np.int64, (N_ROLES,)),
        ("wanted_missing", np.int64, (N_ROLES,)),
        ("wanted_sizes", np.int64, (N_ROLES,)),
        ("weights", np.int64, (N_ROLES,)),
        ("parts", np.int64, (N_ROLES,)),
        ("some", np.int64, (N_ROLES,)),
        ("people", np.int32, (N_ROLES, N_STAGES)),
        ("n_status", np.int64, (N_STATUSES,)),
        ("leaning", np.int64, (3,)),
        ("n_asked", np.int64, (3,)),
    ]
)


# What a day is, and what a day is in one state.
DAY = np.dtype(
    [
        ("ambiguity", np.float64),
        ("is_lapse", np.int64),
        ("is_suspended", np.int64),
        ("hired", np.int64),
        ("deputized", np.int64),
        ("waiting", np.int64),
        ("awaiting", np.int64),
    ]
)
SPOT = np.dtype(
    [
        ("shock", np.float64),
        ("disaster", np.float64),
        ("returned", np.int32),
        ("due", np.int32),
        ("closed", np.uint8),
        ("is_burst", np.uint8),
        ("was_ordered", np.uint8),
        ("new_governors", np.int32),
    ],
    align=True,
)
DECISION = np.dtype(
    [
        ("day", np.int64),
        ("state", np.int64),
        ("answer", np.int64),
        ("ask", np.int64),
        ("role", np.int64),
        ("permitted", np.int64),
        ("offered", np.int64),
        ("quota", np.int64),
        ("is_forced", np.int64),
        ("support", np.float64),
        ("threshold", np.float64),
        ("chance", np.float64),
        ("terms", np.float64, (N_TERMS,)),
    ]
)

# Layers of the calendar. Where two stand for one stage, the first holds those who were called, the second those ordered;
# of those who wait for a seat the first holds people moved out of a role, the second those who came forward.
_TRAINING, _TRAVEL, _IN_PLACE, _AWAITING, _WAITING, _SCREENING, _LAYERS = 0, 2, 4, 6, 8, 10, 11
_ALL = shocks.ALL_ROLES


class Work(NamedTuple):
    """A workspace for one run at a time, its calendar empty before and after each run.

    nation, homes, days, spots
        Records: one; one for each state; for each day; for each day and state (shape (n_days, n_states)). Of a day:
        ambiguity, lapse and suspension as in `shocks.Forces`; officers; all people waiting for a seat who came forward
        on it, or for a supervisor since it. Of a spot: jumps in force, share on disaster duty, people come home by that
        evening, roles closed by courts, whether a burst is on, how many governors take office (times 4,
        plus 1 and the side of the last),
        and whether those who came forward were ordered.
    calendar
        People by layer, day, state and role, shape (_LAYERS, n_days + 1, n_states, n_roles): those in training, in travel
        and in place by the morning on which that ends (the last row stands for all days after the run), those awaiting a
        supervisor by the day on which their course ended, those waiting or screening by the day on which they came.
    lists
        Rows of numbers by state: positions of states whose desk has opened, whether a state is federalized, scratch.
    """

    nation: NDArray[Any]
    homes: NDArray[Any]
    days: NDArray[Any]
    spots: NDArray[Any]
    calendar: NDArray[np.int32]
    lists: NDArray[np.int64]


_ACTIVE, _TAKEN, _SHARES, _QUOTAS, _LISTS = range(5)


class Full(NamedTuple):
    """Everything of one run, for those who want to see it; arrays of length 0 where nobody does.

    people, status, permitted
        As in `results.Run`.
    decisions
        A record for each decision, in order; room for more than can come.
    """

    people: NDArray[np.int32]
    status: NDArray[np.int8]
    permitted: NDArray[np.int8]
    decisions: NDArray[Any]


def workspace(n_days: int, n_states: int) -> Work:
    """A clean workspace."""
    return Work(
        nation=np.zeros(1, NATION).view(np.recarray),
        homes=np.zeros(n_states, packed.HOME).view(np.recarray),
        days=np.zeros(n_days, DAY).view(np.recarray),
        spots=np.zeros((n_days, n_states), SPOT).view(np.recarray),
        calendar=np.zeros((_LAYERS, n_days + 1, n_states, N_ROLES), np.int32),
        lists=np.zeros((_LISTS, n_states), np.int64),
    )


def nothing() -> Full:
    """Room for nothing: totals alone are wanted."""
    return everything(0, 0, 0)


def everything(n_days: int, n_states: int, n_decisions: int) -> Full:
    """Room for one run in full."""
    decisions = np.zeros(n_decisions, DECISION).view(np.recarray)
    decisions.answer = -1
    return Full(
        np.zeros((n_days, n_states, N_ROLES, N_STAGES), np.int32),
        np.zeros((n_days, n_states), np.int8),
        np.zeros((n_days, n_states), np.int8),
        decisions,
    )


# --- Draws


@rule
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


# --- Small parts


@rule
def move(home: Any, nation: Any, role: int, here: int, there: int, n: int) -> None:
    """So many of a state's role go from one stage to another; `here` is ENTERED for those who come forward."""
    home.counts[role, there] += n
    if here == ENTERED:
        home.counts[role, ENTERED] += n
        home.linear += WORD(n) * (_W[role, ENTERED] + _W[role, there])
        home.serving += n
    else:
        home.counts[role, here] -= n
        home.linear += WORD(n) * (_W[role, there] - _W[role, here])
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
        home.linear += WORD(n) * (_W[role, ENTERED] + _W[role, WAITING])
    else:
        home.linear -= WORD(-n) * (_W[role, ENTERED] + _W[role, WAITING])


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
            work.calendar[_TRAINING + o, day, i, role] = 0
            work.calendar[_TRAVEL + o, day, i, role] = 0
            work.calendar[_IN_PLACE + o, day, i, role] = 0
        for day in range(nation.first_waiting, since + 1):
            work.days[day].waiting -= work.calendar[_WAITING + o, day, i, role]
            work.calendar[_WAITING + o, day, i, role] = 0
        if role == ENFORCEMENT:
            for day in range(nation.first_awaiting, since + 1):
                work.days[day].awaiting -= work.calendar[_AWAITING + o, day, i, ENFORCEMENT]
                nation.n_awaiting -= work.calendar[_AWAITING + o, day, i, ENFORCEMENT]
                work.calendar[_AWAITING + o, day, i, ENFORCEMENT] = 0
    for day in range(work.homes[i].next_screened, since + 1):
        work.calendar[_SCREENING, day, i, role] = 0


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
            taken = min(n, np.int64(work.calendar[_IN_PLACE + o, day, i, role]))
            work.calendar[_IN_PLACE + o, day, i, role] -= taken
            n -= taken
        if n > 0:
            day += 1
    home.first_due[role] = day


# --- Before the first day


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
    n_states, k0, k1, replication = len(work.homes), nation.k0, nation.k1, nation.replication
    for day in range(n_days):
        for i in range(n_states):
            spot = work.spots[day, i]
            spot.shock = spot.disaster = 0.0
            spot.closed = spot.is_burst = 0
            spot.due = 0
            spot.new_governors = 0
    nation.any_shock = nation.may_close = 0
    for day in range(n_days):
        today = work.days[day]
        today.ambiguity = records[plan.levers_of[day]].request_ambiguity
        today.is_lapse = today.is_suspended = 0
    burst_days = int(p.withdraw_burst_days)
    for j in range(len(plan.shocks)):
        row = plan.shocks[j]
        day = row.day
        if row.kind == packed.INCIDENT:
            size = p.incident_size if math.isnan(row.amount) else row.amount
            nation.any_shock = 1
            for i in range(n_states):
                if plan.reach[j, i]:
                    work.spots[day, i].shock += size
                    if size < 0.0:
                        start_burst(work.spots, day, burst_days, i)
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
                        work.spots[later, i].closed |= np.uint8(row.roles)
                    start_burst(work.spots, day, burst_days, i)
        elif row.kind == packed.DISASTER:
            size = p.disaster_size if math.isnan(row.amount) else row.amount
            days = int(p.disaster_days) if row.days == packed.BY_CHANCE else row.days
            for later in range(day, min(day + days, n_days)):
                add_disaster(work.spots[later, row.state], size, p.disaster_most)
        elif row.kind == packed.FUNDING_LAPSE:
            for later in range(day, min(day + row.days, n_days)):
                work.days[later].is_lapse = 1
        elif row.kind == packed.TURNOVER:
            spot = work.spots[day, row.state]
            spot.new_governors = ((spot.new_governors >> 2) + 1) << 2 | (row.side + 1)
        elif row.kind == packed.APPEAL:
            nation.any_shock = 1
            for i in range(n_states):
                if plan.reach[j, i]:
                    work.spots[day, i].shock += row.amount if plan.reach[j, i] == 1 else row.other
    if p.disaster_rate > 0.0:
        length = int(p.disaster_days)
        for i in range(n_states):
            month, chance, fips = -1, 0.0, work.homes[i].fips
            u = (0.0, 0.0, 0.0, 0.0)
            for day in range(n_days):
                if plan.month[day] != month:
                    month = plan.month[day]
                    chance = shocks.chance_within_a_day(p.disaster_rate * plan.disasters_per_day[i, month])
                if day & 3 == 0:
                    u = luck.block(k0, k1, replication, WORD(luck.DISASTER), fips, WORD(day >> 2))
                if u[day & 3] < chance:
                    v = luck.block(k0, k1, replication, WORD(luck.DISASTER_SIZE), fips, WORD(day))
                    size = shocks.lognormal(p.disaster_size, p.disaster_spread, luck.normals(v[0], v[1])[0])
                    for later in range(day, min(day + length, n_days)):
                        add_disaster(work.spots[later, i], min(size, p.disaster_most), p.disaster_most)
    if p.incident_random > 0.0:
        chance = shocks.chance_within_a_day(p.incident_rate)
        u = (0.0, 0.0, 0.0, 0.0)
        for day in range(n_days):
            if day & 3 == 0:
                u = luck.block(k0, k1, replication, WORD(luck.INCIDENT), WORD(0), WORD(day >> 2))
            if u[day & 3] < chance:
                nation.any_shock = 1
                for i in range(n_states):
                    work.spots[day, i].shock += p.incident_size
                if p.incident_size < 0.0:
                    for i in range(n_states):
                        start_burst(work.spots, day, burst_days, i)
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
                        work.spots[later, i].closed |= np.uint8(shocks.STATE_LAW_ROLES)
                    start_burst(work.spots, day, burst_days, i)
    if p.court_federal_clock > 0.0 and p.federalize_day >= 0.0:
        u = luck.block(k0, k1, replication, WORD(luck.COURT), WORD(shocks.FEDERAL), WORD(0))
        day = int(p.federalize_day) + shocks.days_to_order(u[0], p.court_federal_days)
        if day < n_days:
            for later in range(day, shocks.day_of_stay(day, stay_of(nation, p, WORD(shocks.FEDERAL)), n_days)):
                work.days[later].is_suspended = 1
    if nation.any_shock:
        keep = math.exp(-1.0 / p.support_fade)
        for day in range(1, n_days):
            for i in range(n_states):
                work.spots[day, i].shock = work.spots[day - 1, i].shock * keep + work.spots[day, i].shock


@rule
def add_disaster(spot: Any, size: float, most: float) -> None:
    """A share of strength on duty; what comes together never exceeds the most."""
    spot.disaster = min(spot.disaster + size, most)


@rule
def start_burst(spots: Any, day: int, days: int, i: int) -> None:
    """Let a governor withdraw more readily for some days."""
    for later in range(day, min(day + days, len(spots))):
        spots[later, i].is_burst = 1


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
    nation.rounds = nation.is_federalizing = nation.n_taken = nation.any_ordered = 0
    nation.n_active = nation.missing = nation.n_sending = 0
    nation.first_waiting = nation.first_awaiting = nation.n_decisions = nation.day = 0
    nation.has_news = 1
    nation.people[:] = 0
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
        home.capacity = people.screening_capacity(
            p.screening_rate, p.screening_reference_strength, p.screening_floor, float(home.strength)
        )
        nation.strength += home.strength
        if home.in_strip:
            nation.strength_of_strip += home.strength
        if home.has_governor:
            nation.n_status[NOT_ASKED] += 1


@rule
def turn_day(plan: Plan, work: Work, records: Any, values: Any, day: int) -> None:
    """Today is another day, with the levers of that day."""
    nation, stage = work.nation[0], plan.levers_of[day]
    nation.day = day
    if day == 0 or stage != nation.stage:
        nation.stage = stage
        p = records[stage]
        nation.status_cost = values[stage, plan.levers[stage].status_cost_at]
        nation.costs[0], nation.costs[1] = p.support_role_administration, p.support_role_support
        nation.costs[2], nation.costs[3] = p.support_role_transport, p.support_role_detention
        nation.costs[4] = p.support_role_enforcement
        nation.pulls[0], nation.pulls[1] = p.volunteers_role_administration, p.volunteers_role_support
        nation.pulls[2], nation.pulls[3] = p.volunteers_role_transport, p.volunteers_role_detention
        nation.pulls[4] = p.volunteers_role_enforcement


# --- The moments of a day


@rule
def strike(plan: Plan, work: Work, day: int, n_days: int) -> None:
    """Governors change; roles close and open again."""
    nation, levers = work.nation[0], plan.levers[plan.levers_of[day]]
    if len(plan.shocks):
        for i in range(len(work.homes)):
            new = np.int64(work.spots[day, i].new_governors)
            if new:
                home = work.homes[i]
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
        moved = 0
        for stage in range(SCREENING, IN_PLACE + 1):
            moved += home.counts[role, stage]
        for stage in range(SCREENING, IN_PLACE + 1):
            n = home.counts[role, stage]
            if n and not still_open:
                move(home, nation, role, stage, RETURNED, n)
            elif n and stage != WAITING:
                move(home, nation, role, stage, WAITING, n)
        if not moved:
            continue
        clear_calendar(work, i, role, nation.day, n_days)
        home.first_due[role] = n_days
        if still_open:
            people.role_weights(nation.wanted_missing, nation.wanted_sizes, still_open, nation.weights)
            people.split(moved, nation.weights, nation.parts)
            enter(home, nation, role, -moved)
            for other in range(N_ROLES):
                n = nation.parts[other]
                enter(home, nation, other, n)
                work.calendar[_WAITING, nation.day, i, other] += n
                work.days[nation.day].waiting += n
            nation.first_waiting = min(nation.first_waiting, nation.day)


@part
def end_things(plan: Plan, work: Work, p: Any, day: int, n_days: int) -> None:
    """Courses, journeys and tours end."""
    nation, stage = work.nation[0], plan.levers_of[day]
    home_days, away_days, tour_days = int(p.travel_home_days), int(p.travel_away_days), int(p.tour_days)
    until = min(day + tour_days, n_days)
    for o in range(1 + nation.any_ordered):
        reup = people.staying_share(p.tour_reup, p.directed_reup_factor, o == 1)
        for a in range(nation.n_active):
            i = work.lists[_ACTIVE, a]
            due = np.int64(work.spots[day, i].due)
            if not due:
                continue
            home = work.homes[i]
            arrival = min(day + (away_days if plan.is_away[stage, i] else home_days), n_days)
            ending, arriving = due >> N_ROLES * (_IN_PLACE + o) & _ALL, due >> N_ROLES * (_TRAVEL + o) & _ALL
            learned = due >> N_ROLES * (_TRAINING + o) & _ALL
            for role in range(N_ROLES):
                if learned >> role & 1:
                    n = np.int64(work.calendar[_TRAINING + o, day, i, role])
                    work.calendar[_TRAINING + o, day, i, role] = 0
                    if role == ENFORCEMENT:
                        move(home, nation, role, TRAINING, AWAITING, n)
                        work.calendar[_AWAITING + o, day, i, role] += n
                        work.days[day].awaiting += n
                        nation.n_awaiting += n
                    else:
                        move(home, nation, role, TRAINING, TRAVEL, n)
                        put(work.calendar, work.spots, _TRAVEL + o, arrival, i, role, n)
                if ending >> role & 1:
                    n = np.int64(work.calendar[_IN_PLACE + o, day, i, role])
                    work.calendar[_IN_PLACE + o, day, i, role] = 0
                    stay = people.whole_share(home.ended[o, role], n, reup)
                    home.ended[o, role] += n
                    if n > stay:
                        move(home, nation, role, IN_PLACE, RETURNED, n - stay)
                    if stay:
                        put(work.calendar, work.spots, _IN_PLACE + o, until, i, role, stay)
                        home.first_due[role] = min(home.first_due[role], until)
                if arriving >> role & 1:
                    n = np.int64(work.calendar[_TRAVEL + o, day, i, role])
                    work.calendar[_TRAVEL + o, day, i, role] = 0
                    move(home, nation, role, TRAVEL, IN_PLACE, n)
                    put(work.calendar, work.spots, _IN_PLACE + o, until, i, role, n)
                    home.first_due[role] = min(home.first_due[role], until)


@rule
def ask(home: Any, nation: Any, levers: Any, p: Any, changes: Any, i: int, quota: int) -> None:
    """Receive an ask."""
    if home.status == FEDERALIZED:
        return
    if home.is_pending:
        home.quota = max(home.quota, quota)
        return
    home.asks += 1
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
    disaster = work.spots[nation.day, i].disaster
    call(home, nation, levers, p, disaster, work.spots, work.lists[_ACTIVE], i, home.quota, asked, z, 1.0)


@rule
def in_force(work: Work) -> int:
    """People in the mission and people whom open calls may still bring."""
    total = 0
    for i in range(len(work.homes)):
        total += work.homes[i].serving + to_come(work.homes[i])
    return total


@rule
def prospect(work: Work, levers: Any, p: Any, i: int) -> int:
    """People whom asking this state again may bring."""
    home, nation, day = work.homes[i], work.nation[0], work.nation[0].day
    disaster = work.spots[day, i].disaster
    if home.status == SENDING:
        return int(could_give(home, p, disaster))
    if not home.has_governor or home.status == FEDERALIZED:
        return 0
    if home.status in (DECLINED, WITHDRAWN) and home.asked_terms == levers.terms:
        return 0
    role = governors.deciding_role(
        roles_asked(levers, np.int64(work.spots[day, i].closed)), nation.costs, levers.is_bundled > 0
    )
    if role < 0:
        return 0
    asks = home.asks if home.is_pending else home.asks + 1
    support = weigh(home, nation, levers, p, disaster, work.spots[day, i].shock, asks) - nation.costs[role]
    return int(could_give(home, p, disaster) * governors.chance_of_permitting(p.precision, support))


@rule
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
                work.lists[_SHARES, i] = 0
                if plan.asked[nation.stage, i]:
                    work.lists[_SHARES, i] = (
                        work.homes[i].strength if nation.rounds == 0 else prospect(work, levers, p, i)
                    )
            people.split(sought, work.lists[_SHARES], work.lists[_QUOTAS])
            for i in range(len(work.homes)):
                if nation.rounds == 0 and work.lists[_SHARES, i]:
                    ask(work.homes[i], nation, levers, p, changes, i, work.lists[_QUOTAS, i])
                elif nation.rounds > 0 and work.lists[_QUOTAS, i]:
                    ask(work.homes[i], nation, levers, p, changes, i, work.lists[_QUOTAS, i])
                    if work.homes[i].status == SENDING:
                        send(plan, work, p, changes, i)
        nation.rounds += 1
        nation.next_ask = day + int(p.rounds_gap_days)


@rule
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
                if work.lists[_TAKEN, i]:
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
                    work.lists[_TAKEN, i] = 1 if home.status in (DECLINED, WITHDRAWN) else 0
                else:
                    work.lists[_TAKEN, i] = 1 if plan.federal[nation.stage, i] and home.has_governor else 0
                nation.n_taken += work.lists[_TAKEN, i]
        shortfall = max(0, target(p) - in_force(work))
        for i in range(len(work.homes)):
            work.lists[_SHARES, i] = work.homes[i].strength if work.lists[_TAKEN, i] else 0
        people.split(shortfall, work.lists[_SHARES], work.lists[_QUOTAS])
        roles = levers.federal_roles & levers.named_roles
        for i in range(len(work.homes)):
            home = work.homes[i]
            if work.lists[_TAKEN, i] and home.status != FEDERALIZED:
                home.status_before = home.status
                become(home, nation, changes, i, FEDERALIZED)
                home.is_pending = 0
                home.is_federal = 1
                if roles:
                    disaster = work.spots[day, i].disaster
                    order(home, nation, p, disaster, work.spots, work.lists[_ACTIVE], i, work.lists[_QUOTAS, i], roles)
    nation.is_federalizing = 1


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
        decide(decisions, home, nation, levers, p, disaster, shock, i, _SILENT, role, general, cost, NAN, 0, 0.0)


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
    answer = _MORE
    if first:
        answer = _ACCEPT if status == ACCEPTED else _WITH_LIMITS
    call(home, nation, levers, p, disaster, work.spots, work.lists[_ACTIVE], i, troops, permitted, z_call, u[3])
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
    answer = _NO_MORE
    if home.status not in (ACCEPTED, LIMITED):
        answer = _DECLINE
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
    decide(decisions, home, nation, levers, p, disaster, shock, i, _WITHDRAW, role, general, cost, NAN, 0, chance)
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
            order(home, nation, p, disaster, work.spots, work.lists[_ACTIVE], i, n, home.permitted)


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


@part
def leave(work: Work, p: Any, day: int) -> None:
    """Attrition of those in place."""
    nation = work.nation[0]
    rate = min(1.0, p.attrition * (p.funding_attrition if work.days[day].is_lapse else 1.0))
    for a in range(nation.n_active):
        i = work.lists[_ACTIVE, a]
        home = work.homes[i]
        for role in range(N_ROLES):
            here = home.counts[role, IN_PLACE]
            if not here:
                continue
            home.leaving[role] += rate * here
            if home.leaving[role] > home.left[role] + people.ALMOST_ONE:
                n = min(np.int64(here), people.whole(home.leaving[role]) - home.left[role])
                if n:
                    home.left[role] += n
                    take_from_place(work, i, role, n, LEFT)


@part
def screen(work: Work, i: int, day: int, screening_days: int) -> None:
    """See the oldest cohorts first, as many people as the desk can in a day."""
    home, nation = work.homes[i], work.nation[0]
    left = home.capacity
    while home.next_screened <= day - screening_days and left > 0:
        came = home.next_screened
        queue = work.calendar[_SCREENING, came, i]
        n = 0
        for role in range(N_ROLES):
            nation.some[role] = queue[role]
            n += queue[role]
        if n > left:
            n = left
            people.split(left, queue, nation.some)
        else:
            home.next_screened += 1
        if not n:
            continue
        left -= n
        nation.first_waiting = min(nation.first_waiting, came)
        for role in range(N_ROLES):
            seen = nation.some[role]
            if seen:
                home.screened[role] += seen
                failed = people.whole(nation.fail_share * home.screened[role]) - home.failed[role]
                queue[role] -= seen
                if failed:
                    home.failed[role] += failed
                    move(home, nation, role, SCREENING, SCREENED_OUT, failed)
                move(home, nation, role, SCREENING, WAITING, seen - failed)
                work.calendar[_WAITING + 1, came, i, role] += seen - failed
                work.days[came].waiting += seen - failed


@rule
def meet_disaster(work: Work, p: Any, i: int, disaster: float) -> None:
    """A recall clause brings troops back; count who is missing."""
    home, nation = work.homes[i], work.nation[0]
    on_duty, serving = disaster * home.strength, home.serving
    needed = p.offer_reserve * home.strength + on_duty
    short = people.whole(people.short_at_home(float(home.strength), p.mobilized, float(serving), needed))
    if short and home.has_recall_clause:
        in_place = 0
        for role in range(N_ROLES):
            nation.some[role] = home.counts[role, IN_PLACE]
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
        part = nation.parts[role]
        if part:
            move(home, nation, role, ENTERED, SCREENING, part)
            work.calendar[_SCREENING, day, i, role] = part
    work.spots[day, i].was_ordered = is_ordered


@part
def mobilize(work: Work, levers: Any, p: Any, day: int, screening_days: int) -> None:
    """The desks' day: screen, meet a disaster, take in who comes forward."""
    nation = work.nation[0]
    for a in range(nation.n_active):
        i = work.lists[_ACTIVE, a]
        home = work.homes[i]
        if home.next_screened <= day - screening_days:
            screen(work, i, day, screening_days)
        disaster = work.spots[day, i].disaster
        if disaster > 0.0:
            meet_disaster(work, p, i, disaster)
        if home.pool > home.come and home.entered < home.offer:
            take_in(work, levers, p, i, day, disaster)


@part
def take_seats(work: Work, slot: int, came: int, i: int, role: int, n: int, n_days: int) -> None:
    """So many who wait start their course."""
    home, nation = work.homes[i], work.nation[0]
    move(home, nation, role, WAITING, TRAINING, n)
    nation.n_training += n
    work.calendar[_WAITING + slot, came, i, role] -= n
    until = min(nation.day + nation.course_days[role], n_days)
    o = np.int64(work.spots[came, i].was_ordered) if slot == 1 else 0
    put(work.calendar, work.spots, _TRAINING + o, until, i, role, n)


@rule
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
            for a in range(nation.n_active):
                i = work.lists[_ACTIVE, a]
                for slot in range(2):
                    for role in range(N_ROLES):
                        n = np.int64(work.calendar[_WAITING + slot, came, i, role])
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
                n += work.calendar[_WAITING + slot, came, i, role]
        work.lists[_SHARES, i] = n
    people.split(free, work.lists[_SHARES], work.lists[_QUOTAS])
    work.days[came].waiting -= free
    for a in range(nation.n_active):
        i = work.lists[_ACTIVE, a]
        for slot in range(2):
            n = np.int64(0)
            for role in range(N_ROLES):
                n += work.calendar[_WAITING + slot, came, i, role]
            n = min(work.lists[_QUOTAS, i], n)
            if n:
                work.lists[_QUOTAS, i] -= n
                people.split(n, work.calendar[_WAITING + slot, came, i], nation.parts)
                for role in range(N_ROLES):
                    if nation.parts[role]:
                        take_seats(work, slot, came, i, role, nation.parts[role], n_days)


@rule
def supervise(plan: Plan, work: Work, p: Any, most: int, day: int, n_days: int) -> None:
    """Trained enforcement people travel as supervisors are free: oldest first, then by largest remainder over states."""
    nation, stage = work.nation[0], plan.levers_of[day]
    if not nation.n_awaiting:
        return
    free = most
    for a in range(nation.n_active):
        counts = work.homes[work.lists[_ACTIVE, a]].counts
        free -= counts[ENFORCEMENT, TRAVEL] + counts[ENFORCEMENT, IN_PLACE]
    trained = nation.first_awaiting
    while trained <= day and free > 0:
        wanted = work.days[trained].awaiting
        if wanted:
            for i in range(len(work.homes)):
                work.lists[_SHARES, i] = np.int64(work.calendar[_AWAITING + 0, trained, i, ENFORCEMENT]) + np.int64(
                    work.calendar[_AWAITING + 1, trained, i, ENFORCEMENT]
                )
                work.lists[_QUOTAS, i] = work.lists[_SHARES, i]
            if wanted > free:
                people.split(free, work.lists[_SHARES], work.lists[_QUOTAS])
            for i in range(len(work.homes)):
                arrival = int(p.travel_away_days) if plan.is_away[stage, i] else int(p.travel_home_days)
                for o in range(2):
                    n = min(work.lists[_QUOTAS, i], np.int64(work.calendar[_AWAITING + o, trained, i, ENFORCEMENT]))
                    if n:
                        work.lists[_QUOTAS, i] -= n
                        free -= n
                        work.calendar[_AWAITING + o, trained, i, ENFORCEMENT] -= n
                        work.days[trained].awaiting -= n
                        nation.n_awaiting -= n
                        move(work.homes[i], nation, ENFORCEMENT, AWAITING, TRAVEL, n)
                        put(work.calendar, work.spots, _TRAVEL + o, min(day + arrival, n_days), i, ENFORCEMENT, n)
        elif trained == nation.first_awaiting:
            nation.first_awaiting += 1
        trained += 1


@rule
def keep_books(full: Full, work: Work, p: Any, series: Any, day: int) -> None:
    """Record the evening."""
    nation, below = work.nation[0], 0
    for i in range(len(work.homes)):
        home = work.homes[i]
        said = WORD(home.status * 64 + home.permitted)
        home.hash = home.hash * _DAY + (home.linear + said * _SAID)
        home.seen_serving = home.serving
        work.spots[day, i].returned = home.returned
        at_home = home.strength * (1.0 - p.mobilized - work.spots[day, i].disaster) - home.serving
        if at_home < p.offer_reserve * home.strength:
            below += 1
        if len(full.people):
            for role in range(N_ROLES):
                for stage in range(N_STAGES):
                    full.people[day, i, role, stage] = home.counts[role, stage]
            full.status[day, i] = home.status
            full.permitted[day, i] = home.permitted
    nation.people[:] = 0
    for a in range(nation.n_active):
        counts = work.homes[work.lists[_ACTIVE, a]].counts
        for role in range(N_ROLES):
            for stage in range(N_STAGES):
                nation.people[role, stage] += counts[role, stage]
    status = nation.n_status
    series[0, day], series[1, day] = status[NOT_ASKED], status[UNDECIDED]
    series[2, day], series[3, day] = status[ACCEPTED] + status[LIMITED], status[LIMITED]
    series[4, day], series[5, day] = status[DECLINED], status[NO_ANSWER]
    series[6, day], series[7, day] = status[WITHDRAWN], status[FEDERALIZED]
    for stage in range(N_STAGES):
        n = 0
        for role in range(N_ROLES):
            n += nation.people[role, stage]
        series[8 + stage, day] = n
    at = 8 + N_STAGES
    for role in range(N_ROLES):
        series[at + role, day] = nation.people[role, IN_PLACE]
    at += N_ROLES
    series[at, day] = 1 if nation.n_sending else 0
    series[at + 1, day], series[at + 2, day] = work.days[day].hired, work.days[day].deputized
    series[at + 3, day], series[at + 4, day] = below, nation.missing
    nation.missing = 0


@rule
def observe(plan: Plan, work: Work, p: Any, levers: Any) -> None:
    """Take the picture that all see tomorrow; peers are worked out anew only when somebody has moved."""
    nation = work.nation[0]
    wanted, total = target(p), np.int64(0)
    for role in range(N_ROLES):
        total += levers.sizes[role]
    for role in range(N_ROLES):
        size, serving = levers.sizes[role], 0
        for stage in range(SCREENING, IN_PLACE + 1):
            serving += nation.people[role, stage]
        nation.wanted_sizes[role] = size
        nation.wanted_missing[role] = max(0, (wanted * size // total if total else 0) - serving)
    if nation.has_news:
        nation.has_news = 0
        weigh_peers(plan, work)


@rule
def weigh_peers(plan: Plan, work: Work) -> None:
    """Leans of all states, and what each sees of its neighbors and of the others of its side."""
    nation, homes = work.nation[0], work.homes
    lean, asked = work.lists[_SHARES], work.lists[_QUOTAS]
    refused = refused_in_strip = 0
    leaning, n_asked = nation.leaning, nation.n_asked
    leaning[:] = 0
    n_asked[:] = 0
    for i in range(len(homes)):
        home = homes[i]
        lean[i] = asked[i] = 0
        if home.has_governor:
            if home.status in (ACCEPTED, LIMITED):
                lean[i] = 1
            elif home.status in (DECLINED, WITHDRAWN):
                lean[i] = -1
            if home.status not in (NOT_ASKED, FEDERALIZED):
                asked[i] = 1
        leaning[home.side + 1] += lean[i]
        n_asked[home.side + 1] += asked[i]
        if lean[i] < 0 or (home.bars_outsiders and lean[i] == 0):
            refused += home.strength
            if home.in_strip:
                refused_in_strip += home.strength
    for i in range(len(homes)):
        home = homes[i]
        near = near_asked = 0
        for k in range(plan.first_neighbor[i], plan.first_neighbor[i + 1]):
            near += lean[plan.neighbors[k]]
            near_asked += asked[plan.neighbors[k]]
        home.neighbor_balance = governors.balance(near, near_asked)
        home.side_balance = governors.balance(leaning[home.side + 1] - lean[i], n_asked[home.side + 1] - asked[i])
    nation.refused = refused / nation.strength
    nation.refused_in_strip = refused_in_strip / max(nation.strength_of_strip, 1)


@rule
def run_hash(work: Work) -> Any:
    """See `results.run_hash`."""
    total, n_states = WORD(0), len(work.homes)
    for i in range(n_states):
        total += mixed(work.homes[i].hash ^ (WORD(i + 1) * _GOLDEN))
    officers_hash = WORD(0)
    for day in range(len(work.days)):
        today = work.days[day]
        officers_hash = officers_hash * _DAY + (WORD(today.hired) * _W[0, 0] + WORD(today.deputized) * _W[0, 1])
    return total + mixed(officers_hash ^ (WORD(n_states + 1) * _GOLDEN))


@rule
def mixed(x: Any) -> Any:
    """The finalizer of splitmix64."""
    x = (x ^ (x >> _MIX[0])) * _MIX[1]
    x = (x ^ (x >> _MIX[2])) * _MIX[3]
    return x ^ (x >> _MIX[4])


@rule
def clean(work: Work, n_days: int) -> None:
    """Leave the workspace as it was found: every calendar empty."""
    nation = work.nation[0]
    work.calendar[:_AWAITING, n_days] = 0
    first = n_days
    for a in range(nation.n_active):
        first = min(first, work.homes[work.lists[_ACTIVE, a]].next_screened)
    work.calendar[_SCREENING, first:] = 0
    work.calendar[_WAITING:_SCREENING, nation.first_waiting :] = 0
    work.calendar[_AWAITING:_WAITING, nation.first_awaiting :] = 0
    for day in range(n_days):
        work.days[day].waiting = work.days[day].awaiting = 0


# --- Runs


@rule
def play(
    plan: Plan,
    records: Any,
    values: Any,
    k0: Any,
    k1: Any,
    replication: Any,
    work: Work,
    changes: Any,
    series: Any,
    full: Full,
) -> Any:
    """One run: `records` and `values` are the same numbers by set of levers; returns its hash."""
    n_days, first = len(plan.levers_of), records[0]
    n_seats, screening_days = int(first.training_seats), int(first.screening_days)
    most = int(first.enforcement_per_supervisor) * int(first.enforcement_supervisors)
    nation = work.nation[0]
    work.lists[_TAKEN] = 0
    begin(plan, work, records, k0, k1, replication, n_days)
    officers(work.days, first)
    strike_all(plan, work, records, n_days)
    if first.federalize_day >= 0.0 or len(plan.levers) > 1:
        nation.may_close = 1
    observe(plan, work, first, plan.levers[0])
    for day in range(n_days):
        turn_day(plan, work, records, values, day)
        p, levers = records[nation.stage], plan.levers[nation.stage]
        strike(plan, work, day, n_days)
        end_things(plan, work, p, day, n_days)
        request(plan, work, records, changes, day)
        command(plan, work, records, changes, day, n_days)
        answer(full.decisions, plan, work, p, changes, day, n_days)
        leave(work, p, day)
        mobilize(work, levers, p, day, screening_days)
        allot(work, n_seats, day, n_days)
        supervise(plan, work, p, most, day, n_days)
        keep_books(full, work, first, series, day)
        observe(plan, work, p, levers)
    clean(work, n_days)
    return run_hash(work)


@rule
def play_many(
    plan: Plan,
    records: Any,
    values: Any,
    row: NDArray[np.int64],
    k0: Any,
    k1: Any,
    replications: NDArray[np.uint64],
    work: Work,
    changes: Any,
    series: Any,
    last_status: Any,
    approval: Any,
    hashes: Any,
    full: Full,
) -> None:
    """Many runs, one after the other; run n takes the numbers of row[n]."""
    for n in range(len(row)):
        k = row[n]
        hashes[n] = play(plan, records[k], values[k], k0, k1, replications[n], work, changes, series[n], full)
        approval[n] = work.nation[0].approval
        for i in range(len(work.homes)):
            last_status[n, i] = work.homes[i].status
