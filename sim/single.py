"""Single: one run looked at closely, and whether the other engine says the same of it.

The event log is SimPy's; everything else of a run, both engines give.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from sim import compiled
from sim.ensemble import empty
from sim.parameters import InputError
from sim.results import STATUSES, Decision, Ensemble, Event, Run, series_of
from sim.setting import Setting
from sim.story import sentence

# Arrays of a run that both engines give, and what each holds.
ARRAYS = {
    "people": "people by day, state, role and stage",
    "status": "statuses by day and state",
    "permitted": "permitted roles by day and state",
    "officers": "hired and deputized officers by day",
    "below_reserve": "states below their reserve by day",
    "missing": "people missing for disasters by day",
}
# Sentences that a mark of the timeline tells.
MOST_SENTENCES = 4


def alone(run: Run, setting: Setting, states: Sequence[str] = ()) -> Ensemble:
    """One run as an ensemble of one, as plots and tables take it; of some states only, if any are named.

    Parameters
    ----------
    states
        Postal codes; officers and people missing are the nation's all the same.

    Raises
    ------
    InputError
        If a name is not a state of the run.
    """
    for code in states:
        if code not in run.codes:
            raise InputError(f"{code!r} is not a state of this run")
    kept = np.array([not states or code in states for code in run.codes])
    part = replace(run, people=run.people[:, kept], status=run.status[:, kept], permitted=run.permitted[:, kept])
    governed = np.array([state.has_governor for state in setting.world.states])[kept]
    found = empty(setting.scenario, setting.seed, ((run.draw, run.replication),))
    found.done[0] = True
    found.series[0] = series_of(part, governed)
    found.numbers[0] = tuple(run.p)
    found.approval[0] = -1 if run.approval_day is None else run.approval_day
    found.last_status[0] = run.status[-1]
    found.hashes[0] = run.hash
    for status in range(len(STATUSES)):
        found.status_counts[:, :, status] = run.status == status
    return found


def log_columns(events: Sequence[Event], number: int) -> dict[str, list[Any]]:
    """Events as columns of one length, named as vidigi wants them; run_number is the run's number in the ensemble."""
    rows = [event._replace(run_number=number) for event in events]
    return {name: [getattr(row, name) for row in rows] for name in Event._fields}


class Mark(NamedTuple):
    """A mark of the timeline: all events of a kind on a day, how many people they move, and the first of them in words."""

    day: int
    kind: str
    events: int
    people: int
    words: list[str]


def marks(events: Sequence[Event]) -> list[Mark]:
    """Events gathered by day and kind, in the order of days."""
    found = []
    for (day, kind), alike in groupby(sorted(events, key=_place), key=_place):
        same = list(alike)
        words = [sentence(event) for event in same[:MOST_SENTENCES]]
        if len(same) > MOST_SENTENCES:
            words.append(f"and {len(same) - MOST_SENTENCES} more")
        found.append(Mark(day, kind, len(same), sum(event.people for event in same), words))
    return found


def _place(event: Event) -> tuple[int, str]:
    return event.time, event.event


# --- The other engine


@dataclass(frozen=True)
class Check:
    """What came of comparing a run of SimPy's with compiled code's.

    counted
        Numbers compared, for each array by its words, and those of the decisions.
    differing
        What differs, in words: empty if every number is the same.
    hash, hash_there, hash_kept
        64 bits of SimPy's run, of compiled code's, and those that the ensemble has kept of it.
    """

    counted: dict[str, int]
    differing: tuple[str, ...]
    hash: int
    hash_there: int
    hash_kept: int

    @property
    def n_numbers(self) -> int:
        """Numbers compared."""
        return sum(self.counted.values())

    @property
    def is_same(self) -> bool:
        """Whether nothing differs, in both runs and in the ensemble."""
        return not self.differing and self.hash == self.hash_there == self.hash_kept


def check(run: Run, setting: Setting, kept: int) -> Check:
    """Run the same draw and luck in compiled code and compare it with SimPy's run, number by number.

    Parameters
    ----------
    run
        By SimPy.
    kept
        The hash of that run in the ensemble.

    Raises
    ------
    InputError
        Where there is no compiled code, so nothing to compare with.
    """
    if why_not := compiled.unavailable():
        raise InputError(f"there is nothing to compare with: {why_not}")
    return compared(run, compiled.run(setting, run.replication), kept)


def compared(run: Run, other: Run, kept: int) -> Check:
    """Two runs, number by number."""
    counted: dict[str, int] = {}
    differing = []
    for name, words in ARRAYS.items():
        here, there = getattr(run, name), getattr(other, name)
        counted[words] = here.size
        if here.shape != there.shape:
            differing.append(f"{words}: {here.shape} against {there.shape}")
        elif not np.array_equal(here, there):
            where = np.argwhere(here != there)
            differing.append(f"{words}: {len(where):,} of {here.size:,} differ, the first at {where[0].tolist()}")
    mine, theirs = _rows(run.decisions), _rows(other.decisions)
    counted["decisions with their reasons"] = sum(len(row) for row in mine)
    if mine != theirs:
        differing.append(f"decisions: {len(mine)} against {len(theirs)}, or other reasons")
    counted["the day of approval"] = 1
    if run.approval_day != other.approval_day:
        differing.append(f"the day of approval: {run.approval_day} against {other.approval_day}")
    return Check(counted, tuple(differing), run.hash, other.hash, kept)


def _rows(decisions: Sequence[Decision]) -> list[list[Any]]:
    """Decisions as plain values, in an order that does not depend on which state spoke first on a day; NaN equals NaN."""
    rows = []
    for decision in sorted(decisions, key=lambda each: (each.day, each.state)):
        flat = [x for value in decision for x in (value if isinstance(value, tuple) else (value,))]
        rows.append([None if isinstance(x, float) and math.isnan(x) else x for x in flat])
    return rows
