"""The model: one run of a setting under one luck, from the day the request becomes known to the last evening.

The processes live in `states`, `mobilization`, `requester` and `channels`; this module sets them going and keeps the
books. A day is: endings, asking, answering, moving, seating, evening (see `shared.MOMENTS`).
"""

import gc
from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from sim import governors as rules
from sim.channels import deputize, hire
from sim.mobilization import Attrition, Contingent, School
from sim.requester import Requester
from sim.results import ACCEPTED, DECLINED, LIMITED, NOT_ASKED, SERVING, WITHDRAWN, Run
from sim.setting import Setting
from sim.shared import N_ROLES, Luck, Observation, Shared, Weights
from sim.shocks import forces_of, lognormal
from sim.states import StateAgent

_LEAN = {ACCEPTED: 1, LIMITED: 1, DECLINED: -1, WITHDRAWN: -1}


def run(setting: Setting, replication: int, with_events: bool = False) -> Run:
    """Simulate one replication of a setting.

    Parameters
    ----------
    replication
        Names the luck: the same number under another scenario is the same luck until a lever moves.
    with_events
        Keep the event log, which costs time.
    """
    fate = Luck(setting, replication)
    p = setting.levers[0].p
    approval_day = approval(setting, fate)
    federal_day = int(p.federalize_day) if p.federalize_day >= 0 else None
    forces = forces_of(
        setting.world,
        p,
        setting.scenario.shocks,
        [levers.p.request_ambiguity for levers in setting.levers],
        setting.scenario.start,
        setting.seed,
        replication,
        approval_day,
        federal_day,
    )
    shared = Shared(setting, replication, forces, fate, with_events)
    return _Play(shared, approval_day).run()


def approval(setting: Setting, fate: Luck) -> int | None:
    """The day on which the review approves the request, or None."""
    p = setting.levers[0].p
    if fate.approval >= p.review_approval_chance:
        return None
    return int(round(lognormal(p.review_days, p.review_spread, fate.review)))


class _Play:
    """All processes of one run, and the evening's bookkeeping."""

    def __init__(self, shared: Shared, approval_day: int | None) -> None:
        """Create every agent; the order in which this happens decides nothing."""
        self.shared = shared
        self.setting, env = shared.setting, shared.env
        self.school = School(shared)
        self.contingents = [Contingent(shared, self.school, k) for k in range(shared.n_states)]
        answers = self.setting.scenario.answers
        self.states = [
            StateAgent(shared, self.contingents[k], k, [row for row in answers if row.state == home.code])
            for k, home in enumerate(shared.world.states)
        ]
        self.requester = Requester(shared, self.states, approval_day)
        self.approval_day = approval_day
        shape = (self.setting.n_days, shared.n_states)
        self.serving = np.zeros(shape, np.int32)
        self.status, self.permitted = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        self.officers, self.missing = np.zeros((shape[0], 2), np.int64), np.zeros(shape[0], np.int64)
        self._standing: list[tuple[int, int]] = []
        shared.observation = self.observe()
        # Endings first: a process that waits on the evening must wait before the clock starts.
        lives = [self.requester.life(), self.requester.command(), hire(shared), deputize(shared)]
        lives += [state.life() for state in self.states]
        lives += [contingent.mobilize() for contingent in self.contingents]
        lives += [self.school.run(), Attrition(shared, self.contingents).run(), self.strike(), self.keep_books()]
        for life in lives:
            env.process(life)

    def run(self) -> Run:
        """Let the days pass."""
        # A run makes many small cycles that all live to its end: collecting in between finds nothing and costs a third.
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            self.shared.env.run()
        finally:
            if was_collecting:
                gc.enable()
        return Run(
            draw=self.setting.draw,
            replication=self.shared.replication,
            codes=self.shared.world.codes,
            p=self.setting.levers[0].p,
            approval_day=self.approval_day,
            people=self.shared.people,
            status=self.status,
            permitted=self.permitted,
            officers=self.officers,
            below_reserve=self.below_reserve(),
            missing=self.missing,
            decisions=self.shared.decisions,
            events=self.shared.events or [],
        )

    def strike(self) -> Generator[simpy.Event, Any, None]:
        """Each morning: shocks are told, governors change, roles close and open again."""
        shared, forces = self.shared, self.shared.forces
        told = list(forces.log)
        closed_before = [0] * shared.n_states
        any_closed = bool(forces.closed.any()) or any(
            levers.open_roles != self.setting.levers[0].open_roles for levers in self.setting.levers
        )
        for day, moment in enumerate(shared.clock.endings):
            yield moment
            while told and told[0][0] == day:
                _, kind, states, words = told.pop(0)
                shared.log(kind, states[0] if len(states) == 1 else None, words, len(states))
            for k, side in forces.turnovers.get(day, ()):
                self.states[k].change_governor(side)
            if any_closed:
                self.close_roles(day, closed_before)

    def close_roles(self, day: int, before: list[int]) -> None:
        """Move people out of roles that the law or a court has closed since yesterday."""
        by_law = ~self.shared.levers.open_roles
        for k, contingent in enumerate(self.contingents):
            closed = (by_law | self.shared.closed[day][k]) & 31
            if closed & ~before[k] and contingent.entered and not contingent.is_federal:
                contingent.reassign(closed & ~before[k])
            before[k] = closed

    def keep_books(self) -> Generator[simpy.Event, Any, None]:
        """Each evening: record the counts, and take the observation of tomorrow."""
        shared = self.shared
        for day in range(self.setting.n_days):
            yield shared.clock.evening[day]
            shared.people[day] = shared.view
            self.status[day] = [state.status for state in self.states]
            self.permitted[day] = [contingent.permitted for contingent in self.contingents]
            self.officers[day] = shared.officers
            self.missing[day] = shared.missing_today
            shared.missing_today = 0
            shared.observation = self.observe()
            self.serving[day] = shared.observation.serving

    def below_reserve(self) -> NDArray[np.int64]:
        """States by evening with fewer people at home than their governor's reserve."""
        strengths = np.array([home.strength for home in self.shared.world.states])
        p = self.setting.levers[0].p
        at_home = strengths * (1.0 - p.mobilized - self.shared.forces.disaster) - self.serving
        return (at_home < p.offer_reserve * strengths).sum(axis=1)

    def observe(self) -> Observation:
        """Last evening's picture; peers are worked out anew only when somebody has moved."""
        shared = self.shared
        sizes = shared.levers.role_sizes
        total, target = sum(sizes), self.requester.target
        serving = shared.view[:, :, SERVING].sum(axis=2)
        by_role = serving.sum(axis=0).tolist()
        missing = [max(0, target * sizes[r] // total - by_role[r]) if total else 0 for r in range(N_ROLES)]
        standing = [(state.status, state.side) for state in self.states]
        if standing != self._standing:
            self._standing = standing
            self._peers = self._weigh_peers([status for status, _ in standing], [side for _, side in standing])
        return Observation(*self._peers, tuple(serving.sum(axis=1).tolist()), Weights(missing, sizes))

    def _weigh_peers(self, statuses: list[int], sides: list[int]) -> tuple[Any, ...]:
        """Leans of all states, and what each sees of its neighbours and of the others of its side."""
        states = self.shared.world.states
        lean = [_LEAN.get(status, 0) if home.has_governor else 0 for status, home in zip(statuses, states, strict=True)]
        asked = [
            1 if status != NOT_ASKED and home.has_governor else 0 for status, home in zip(statuses, states, strict=True)
        ]
        # By side: how many lean each way, and how many were asked.
        sums = {side: [0, 0] for side in (-1, 0, 1)}
        for k, side in enumerate(sides):
            sums[side][0] += lean[k]
            sums[side][1] += asked[k]
        near, same = [], []
        for k, neighbors in enumerate(self.shared.world.neighbors):
            leaning = n_asked = 0
            for j in neighbors:
                leaning += lean[j]
                n_asked += asked[j]
            near.append(rules.balance(leaning, n_asked))
            same.append(rules.balance(sums[sides[k]][0] - lean[k], sums[sides[k]][1] - asked[k]))
        refused = sum(home.strength for home, x in zip(states, lean, strict=True) if x < 0)
        strip = [k for k, home in enumerate(states) if home.in_strip]
        refused_in_strip = sum(states[k].strength for k in strip if lean[k] < 0)
        total, total_in_strip = sum(home.strength for home in states), sum(states[k].strength for k in strip)
        shares = (refused / total, refused_in_strip / total_in_strip if total_in_strip else 0.0)
        return (tuple(lean), tuple(near), tuple(same), *shares)
