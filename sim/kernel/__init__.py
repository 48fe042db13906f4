"""The whole model as one loop over days, in the form that Numba compiles.

Every rule is the function that the SimPy model calls; only what happens when is written a second time, with the seven
moments of `shared.MOMENTS`. People of a state, a role and a due day are one number here, where SimPy has parties and
cohorts. `tests/test_engines.py` holds both to equality, run by run and count by count. `sim.compiled` runs it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.answering import answer
from sim.kernel.asking import command, request
from sim.kernel.before import begin, draw_numbers, officers, strike_all
from sim.kernel.compiling import entry, rule
from sim.kernel.desks import mobilize
from sim.kernel.evening import clean, keep_books, observe, run_hash
from sim.kernel.layout import DECISIONS, Full, Work, everything, nothing, workspace
from sim.kernel.moving import end_things, leave, strike, turn_day
from sim.kernel.seats import allot, supervise
from sim.kernel.steps import seek
from sim.packed import Plan

__all__ = ["DECISIONS", "draw_numbers", "everything", "nothing", "play_many", "workspace"]


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
    nation.taken[:] = 0
    begin(plan, work, records, k0, k1, replication, n_days)
    officers(work.days, first)
    strike_all(plan, work, records, n_days)
    if first.federalize_day >= 0.0 or len(plan.levers) > 1:
        nation.may_close = 1
    if not (len(plan.shocks) or nation.any_shock or nation.may_close):
        nation.is_calm = 1
    nation.is_dirty = 1 - nation.is_calm
    seek(nation, plan.levers[0], first)
    observe(work)
    for day in range(n_days):
        turn_day(plan, work, records, values, day)
        p, levers = records[nation.stage], plan.levers[nation.stage]
        strike(plan, work, day, n_days)
        end_things(plan, work, p, day, n_days)
        request(plan, work, records, changes, day)
        command(plan, work, records, changes, day, n_days)
        answer(full.decisions, plan, work, p, changes, day, n_days)
        leave(work, p, day)
        mobilize(work, levers, p, n_seats, day, screening_days, n_days)
        allot(work, n_seats, day, n_days)
        supervise(plan, work, p, most, day, n_days)
        keep_books(full, work, first, series, day)
        observe(work)
    clean(work, n_days)
    return run_hash(work)


@entry
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
