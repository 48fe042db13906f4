"""A scenario as flat arrays: what compiled code can read. Nothing here needs a compiler.

`pack` lays out what all runs of a scenario share; numbers that a draw may change stand in a table of their own.
"""

import zlib
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.parameters import ROLES, Numbers, free_parameters, register
from sim.results import STAGES
from sim.scenario import ANSWERS, Scenario
from sim.setting import Levers, Setting, setting_of
from sim.shocks import (
    ALL_ROLES,
    Appeal,
    Clarification,
    CourtOrder,
    Disaster,
    FundingLapse,
    Incident,
    Shock,
    Turnover,
    luck_index,
)
from sim.world import World

N_ROLES, N_STAGES = len(ROLES), len(STAGES)

# The register as a record: `p.tour_days` in a rule is a number at a fixed place.
NUMBERS = np.dtype((np.record, [(name, np.float64) for name in Numbers._fields]))

# What a set of levers fixes for all draws, besides its numbers.
LEVERS = np.dtype(
    [
        ("open_roles", np.int64),
        ("federal_roles", np.int64),
        ("named_roles", np.int64),
        ("may_withdraw", np.int64),
        ("is_bundled", np.int64),
        ("in_strip", np.int64),
        ("terms", np.int64),
        ("takes_decliners", np.int64),
        ("status_cost_at", np.int64),
        ("sizes", np.int64, (N_ROLES,)),
    ]
)

# One state: what it is, and what it becomes in a run.
HOME = np.dtype(
    [
        # What the state is
        ("fips", np.uint64),
        ("strength", np.int64),
        ("has_governor", np.int64),
        ("side", np.int64),
        ("margin", np.float64),
        ("region", np.int64),
        ("on_ballot", np.float64),
        ("prior_position", np.float64),
        ("bars_outsiders", np.int64),
        ("in_strip", np.int64),
        ("most_disasters", np.float64),
        ("first_answer", np.int64),
        ("end_of_answers", np.int64),
        # The governor
        ("governor", np.uint64),
        ("own", np.float64),
        ("is_taken", np.int64),
        ("status", np.int64),
        ("status_before", np.int64),
        ("asks", np.int64),
        ("quota", np.int64),
        ("is_pending", np.int64),
        ("asked_on", np.int64),
        ("deadline", np.int64),
        ("asked_terms", np.int64),
        ("has_weighed_orders", np.int64),
        ("standing", np.float64),
        ("standing_of", np.int64),
        # Of answering and of withdrawing: the last block of four days that was drawn, and its luck
        ("luck_block", np.int64, (2,)),
        ("daily_luck", np.float64, (2, 4)),
        # While a governor sleeps: the worst disaster of the run, bounds of the daily chances to answer (the last days apart)
        # and to withdraw, whether they hold, and the next day on which the luck of withdrawing falls below its bound
        ("worst", np.float64),
        ("is_bounded", np.int64),
        ("calm_bound", np.float64),
        ("last_bound", np.float64),
        ("withdraw_bound", np.float64),
        ("withdraw_wake", np.int64),
        # What it sees: last evening's picture
        ("seen_serving", np.int64),
        ("picture", np.int64),
        ("neighbor_balance", np.float64),
        ("side_balance", np.float64),
        # The people
        ("is_open", np.int64),
        ("permitted", np.int64),
        ("is_federal", np.int64),
        ("ordered_by", np.int64),
        ("is_behind", np.int64),
        ("calls", np.int64),
        ("closed_before", np.int64),
        ("has_recall_clause", np.int64),
        ("call_day", np.int64),
        ("order_luck", np.float64),
        ("next_screened", np.int64),
    ]
)

SHOCK = np.dtype(
    [
        ("kind", np.int64),
        ("day", np.int64),
        ("amount", np.float64),
        ("other", np.float64),
        ("days", np.int64),
        ("roles", np.int64),
        ("state", np.int64),
        ("side", np.int64),
        ("order", np.uint64),
    ]
)
INCIDENT, CLARIFICATION, COURT_ORDER, DISASTER, FUNDING_LAPSE, TURNOVER, APPEAL = range(7)
# Stands for "as the register says" (a size or a length), "by chance" and "never" (a stay).
BY_CHANCE, NEVER_STAYED = -1, -2

ANSWER = np.dtype([("day", np.int64), ("kind", np.int64), ("roles", np.int64), ("troops", np.int64)])
ACCEPT, DECLINE, NO_ANSWER, WITHDRAW = range(len(ANSWERS))


class Plan(NamedTuple):
    """What all runs of a scenario share.

    homes
        One record per state, in the condition in which a run begins.
    first_neighbor, neighbors
        The neighbors of state k stand at first_neighbor[k] to first_neighbor[k + 1].
    disasters_per_day
        Shape (n_states, 12).
    month, levers_of
        By day: the month from 0 to 11, and which row of `levers` holds.
    levers, asked, federal, is_away
        By set of levers, the last three also by state.
    shocks, reach
        Dated shocks in order, and the states that each reaches, shape (n_shocks, n_states).
    answers
        Given answers, state by state, by day.
    """

    homes: NDArray[Any]
    first_neighbor: NDArray[np.int64]
    neighbors: NDArray[np.int64]
    disasters_per_day: NDArray[np.float64]
    month: NDArray[np.int64]
    levers_of: NDArray[np.int64]
    levers: NDArray[Any]
    asked: NDArray[np.uint8]
    federal: NDArray[np.uint8]
    is_away: NDArray[np.uint8]
    shocks: NDArray[Any]
    reach: NDArray[np.uint8]
    answers: NDArray[Any]


class Draws(NamedTuple):
    """How the uncertain numbers of a scenario are drawn, one row for each that is free.

    key, column
        The luck's key of the name, and its place among the numbers.
    low, mode, high, is_log, is_whole
        The triangle.
    weights, means, sds
        The mixture, shape (n_free, most components); no weight where there is none.
    is_fixed
        By set of levers: whether a change has fixed the number, shape (n_levers, n_free).
    """

    key: NDArray[np.uint64]
    column: NDArray[np.int64]
    low: NDArray[np.float64]
    mode: NDArray[np.float64]
    high: NDArray[np.float64]
    is_log: NDArray[np.uint8]
    is_whole: NDArray[np.uint8]
    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    sds: NDArray[np.float64]
    is_fixed: NDArray[np.uint8]


class Packed(NamedTuple):
    """A scenario, packed.

    numbers
        Defaults by set of levers, shape (n_levers, n_parameters).
    most_decisions
        No run can bring more: each ask ends in one, and each agreement in at most one withdrawal.
    """

    plan: Plan
    draws: Draws
    numbers: NDArray[np.float64]
    most_decisions: int


class Land(NamedTuple):
    """What a world is, whatever is asked of it; the fields are those of `Plan`, and nobody changes them."""

    homes: NDArray[Any]
    first_neighbor: NDArray[np.int64]
    neighbors: NDArray[np.int64]
    disasters_per_day: NDArray[np.float64]


def pack(scenario: Scenario, world: World | None = None) -> Packed:
    """Lay a scenario out; `world` replaces the 54 jurisdictions."""
    setting = setting_of(scenario, 0, None, world)
    stages: list[Levers] = []
    levers_of = np.zeros(setting.n_days, np.int64)
    for day, levers in enumerate(setting.levers):
        if not stages or levers is not stages[-1]:
            stages.append(levers)
        levers_of[day] = len(stages) - 1
    plan = _plan(setting, stages, levers_of)
    numbers = np.array([levers.p for levers in stages], np.float64)
    # Levers alone bound the asks, and no draw moves them.
    rounds = max(int(levers.p.rounds_most) for levers in stages)
    gap = min(int(levers.p.rounds_gap_days) for levers in stages)
    asks = min(rounds, setting.n_days // gap + 1)
    return Packed(plan, _draws(scenario, numbers), numbers, 2 * len(plan.homes) * (asks + 1))


def _plan(setting: Setting, stages: list[Levers], levers_of: NDArray[np.int64]) -> Plan:
    land, columns = _land(setting.world), _columns()
    terms = [levers.terms for levers in stages]
    levers = np.recarray(len(stages), LEVERS)
    for k, stage in enumerate(stages):
        levers[k] = (
            stage.open_roles,
            stage.federal_roles,
            stage.named_roles,
            stage.may_withdraw,
            stage.is_bundled,
            stage.in_strip,
            terms.index(stage.terms),
            stage.federal_list is None,
            columns[f"support.status.{stage.status}"],
            stage.role_sizes,
        )
    days = np.datetime64(setting.scenario.start, "D") + np.arange(setting.n_days)
    month = days.astype("M8[M]").astype(np.int64) % 12
    homes, answers = _homes(setting, land)
    homes["most_disasters"] = land.disasters_per_day[:, np.unique(month)].max(axis=1)
    none = (False,) * len(homes)
    return Plan(
        homes=homes,
        first_neighbor=land.first_neighbor,
        neighbors=land.neighbors,
        disasters_per_day=land.disasters_per_day,
        month=month,
        levers_of=levers_of,
        levers=levers,
        asked=np.array([stage.asked for stage in stages], np.uint8),
        federal=np.array([stage.federal_list or none for stage in stages], np.uint8),
        is_away=np.array([stage.is_away for stage in stages], np.uint8),
        shocks=_shocks(setting),
        reach=_reach(setting),
        answers=answers,
    )


@lru_cache(maxsize=8)
def _land(world: World) -> Land:
    """A world; kept, because a study packs thousands of scenarios of one."""
    states = world.states
    homes = np.recarray(len(states), HOME)
    homes.view(np.uint8)[:] = 0
    names = "fips strength has_governor side margin region on_ballot prior_position bars_outsiders in_strip"
    for name in names.split():
        homes[name] = [getattr(state, name) for state in states]
    for name in ("asked_on", "deadline", "asked_terms", "standing_of", "luck_block", "picture"):
        homes[name] = -1
    for name in ("withdraw_wake", "withdraw_bound", "call_day", "ordered_by"):
        homes[name] = -1
    homes["order_luck"] = 1.0
    return Land(
        homes=homes,
        first_neighbor=np.cumsum([0, *(len(near) for near in world.neighbors)], dtype=np.int64),
        neighbors=np.array([j for near in world.neighbors for j in near], np.int64),
        disasters_per_day=np.array(world.disasters_per_day, np.float64).reshape(len(states), 12),
    )


def _homes(setting: Setting, land: Land) -> tuple[NDArray[Any], NDArray[Any]]:
    """The states as a run finds them, and the answers given for them."""
    homes = land.homes.copy()
    place, rows = {code: k for k, code in enumerate(setting.world.codes)}, []
    given = [answer for answer in setting.scenario.answers if answer.state in place]
    given.sort(key=lambda answer: (place[answer.state], answer.day))
    for answer in given:
        roles = -1 if answer.roles is None else sum(1 << ROLES.index(role) for role in set(answer.roles))
        troops = -1 if answer.troops is None else answer.troops
        rows.append((answer.day, ANSWERS.index(answer.answer), roles, troops))
    numbers = [place[answer.state] for answer in given]
    homes["first_answer"] = np.searchsorted(numbers, np.arange(len(homes)))
    homes["end_of_answers"] = np.searchsorted(numbers, np.arange(len(homes)), side="right")
    homes["is_taken"] = homes["end_of_answers"] > homes["first_answer"]
    return homes, np.array(rows, ANSWER).view(np.recarray)


def _shocks(setting: Setting) -> NDArray[Any]:
    """Dated shocks as records."""
    rows = np.recarray(len(setting.scenario.shocks), SHOCK)
    rows.view(np.uint8)[:] = 0
    nan = float("nan")
    for row, (shock, order) in zip(rows, luck_index(setting.scenario.shocks), strict=True):
        row.day, row.order, row.state = shock.day, order, -1
        match shock:
            case Incident():
                row.kind, row.amount = INCIDENT, nan if shock.size is None else shock.size
            case Clarification():
                row.kind, row.amount = CLARIFICATION, shock.ambiguity
            case CourtOrder():
                row.kind = COURT_ORDER
                row.roles = ALL_ROLES if shock.roles == "all" else sum(1 << ROLES.index(r) for r in set(shock.roles))
                row.days = {"chance": BY_CHANCE, "never": NEVER_STAYED}.get(shock.stay, shock.stay)  # type: ignore[arg-type]
            case Disaster():
                row.kind, row.amount = DISASTER, nan if shock.size is None else shock.size
                row.days = BY_CHANCE if shock.days is None else shock.days
                row.state = setting.world.position(shock.state)
            case FundingLapse():
                row.kind, row.days = FUNDING_LAPSE, shock.days
            case Turnover():
                row.kind, row.state = TURNOVER, setting.world.position(shock.state)
                row.side = shock.new_side(setting.world)
            case Appeal():
                row.kind, row.amount, row.other = APPEAL, shock.same_side, shock.other_side
    return rows


def _reach(setting: Setting) -> NDArray[np.uint8]:
    """Which states each dated shock reaches; an appeal's two sides are 1 and 2."""
    shocks: tuple[Shock, ...] = setting.scenario.shocks
    reach = np.zeros((len(shocks), len(setting.world.states)), np.uint8)
    for row, shock in zip(reach, shocks, strict=True):
        if isinstance(shock, Appeal):
            row[list(setting.world.reached("same_side"))] = 1
            row[list(setting.world.reached("other_side"))] = 2
        elif isinstance(shock, Incident | CourtOrder):
            row[list(setting.world.reached(shock.states))] = 1
    return reach


def _draws(scenario: Scenario, numbers: NDArray[np.float64]) -> Draws:
    """The free numbers of a scenario; `numbers` as in `Packed`."""
    free = [entry.name for entry in free_parameters(scenario.values, scenario.ranges)]
    at = np.array([_columns()[name] for name in free], np.int64)
    draws = Draws(
        **{field: values[at] for field, values in _register_draws().items()},
        # Where a change of day 0 sets one it is fixed, so this is the scenario's mode wherever it is looked at.
        mode=numbers[0, at],
        is_fixed=np.zeros((len(numbers), len(free)), np.uint8),
    )
    for name, (low, high) in scenario.ranges.items():
        if name in free:
            k = free.index(name)
            draws.low[k], draws.high[k], draws.weights[k] = low, high, 0.0
    days = sorted({0, *(change.day for change in scenario.changes)})
    for change in scenario.changes:
        for k, name in enumerate(free):
            if name in change.values:
                draws.is_fixed[days.index(change.day) :, k] = 1
    return draws


@cache
def _columns() -> dict[str, int]:
    """The place of every parameter among the numbers."""
    return {name: k for k, name in enumerate(register())}


@cache
def _register_draws() -> dict[str, NDArray[Any]]:
    """How every parameter would be drawn over the register's range: what does not depend on the scenario, as in `Draws`."""
    entries = list(register().values())
    mixtures = np.zeros((3, len(entries), max([1, *(len(entry.mixture) for entry in entries)])))
    for k, entry in enumerate(entries):
        for j, part in enumerate(entry.mixture):
            mixtures[:, k, j] = part.weight, part.mean, part.sd
    ends = np.array([entry.range or (0.0, 0.0) for entry in entries], np.float64)
    return {
        "key": np.array([zlib.crc32(entry.name.encode()) for entry in entries], np.uint64),
        "column": np.arange(len(entries)),
        "low": ends[:, 0],
        "high": ends[:, 1],
        "is_log": np.array([entry.scale == "log" for entry in entries], np.uint8),
        "is_whole": np.array([entry.whole for entry in entries], np.uint8),
        "weights": mixtures[0],
        "means": mixtures[1],
        "sds": mixtures[2],
    }
