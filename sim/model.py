"""The model: one run of a setting under one luck, from the day the request becomes known to the last evening.

The processes live in `states`, `mobilization`, `requester` and `channels`; this module sets them going and keeps the
books. A day is: endings, asking, answering, moving, seating, evening (see `shared.MOMENTS`).
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from sim import governors as rules
from sim.channels import deputize, hire
from sim.mobilization import Contingent, School
from sim.requester import Requester
from sim.results import ACCEPTED, DECLINED, LIMITED, NOT_ASKED, RETURNED, SERVING, WITHDRAWN, Run
from sim.setting import Setting
from sim.shared import N_ROLES, N_STAGES, Luck, Observation, Shared
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
        self.people = np.zeros((*shape, N_ROLES, N_STAGES), np.int32)
        self.status, self.permitted = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        self.officers = np.zeros((shape[0], 2), np.int64)
        self.below_reserve, self.missing = np.zeros(shape[0], np.int32), np.zeros(shape[0], np.int64)
        self._statuses: list[int] = []
        self._strengths = np.array([home.strength for home in shared.world.states])
        self._strip = [k for k, home in enumerate(shared.world.states) if home.in_strip]
        shared.observation = self.observe()
        # Endings first: a process that waits on the evening must wait before the clock starts.
        lives = [self.requester.life(), self.requester.command(), hire(shared), deputize(shared)]
        lives += [state.life() for state in self.states]
        lives += [contingent.mobilize() for contingent in self.contingents]
        lives += [self.school.run(), self.strike(), self.keep_books(), shared.clock.run()]
        for life in lives:
            env.process(life)

    def run(self) -> Run:
        """Let the days pass."""
        self.shared.env.run()
        return Run(
            draw=self.setting.draw,
            replication=self.shared.replication,
            codes=self.shared.world.codes,
            p=self.setting.levers[0].p,
            approval_day=self.approval_day,
            people=self.people,
            status=self.status,
            permitted=self.permitted,
            officers=self.officers,
            below_reserve=self.below_reserve,
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
            yield shared.clock.at("evening", day)
            self.people[day] = shared.view
            self.status[day] = [state.status for state in self.states]
            self.permitted[day] = [contingent.permitted for contingent in self.contingents]
            self.officers[day] = shared.officers
            self.missing[day] = shared.missing_today
            shared.missing_today = 0
            returned = shared.view[:, :, RETURNED].sum(axis=1).tolist()
            for contingent, n in zip(self.contingents, returned, strict=True):
                contingent.returned.append(n)
            shared.observation = self.observe()
            p = shared.levers.p
            on_disaster = shared.forces.disaster[day] * self._strengths
            at_home = self._strengths * (1.0 - p.mobilized) - np.array(shared.observation.serving) - on_disaster
            self.below_reserve[day] = int((at_home < p.offer_reserve * self._strengths).sum())

    def observe(self) -> Observation:
        """Last evening's picture; peers are worked out anew only when somebody has moved."""
        shared = self.shared
        serving = shared.view[:, :, SERVING].sum(axis=2)
        by_role = serving.sum(axis=0).tolist()
        sizes = shared.levers.role_sizes
        total, target = sum(sizes), self.requester.target
        unfilled = tuple(
            max(0, target * sizes[r] // total - by_role[r]) if total else 0 for r in range(N_ROLES)
        )
        statuses = [state.status for state in self.states]
        sides = [state.side for state in self.states]
        if statuses + sides != self._statuses:
            self._statuses = statuses + sides
            self._peers = self._weigh_peers(statuses, sides)
        return Observation(*self._peers, tuple(serving.sum(axis=1).tolist()), unfilled)

    def _weigh_peers(self, statuses: list[int], sides: list[int]) -> tuple[Any, ...]:
        """Leans of all states and what each sees of its neighbours and its side."""
        states, strengths = self.shared.world.states, self._strengths
        has_say = [home.has_governor for home in states]
        lean = tuple(_LEAN.get(status, 0) if say else 0 for status, say in zip(statuses, has_say, strict=True))
        asked = [status != NOT_ASKED and say for status, say in zip(statuses, has_say, strict=True)]
        near, same = [], []
        by_side = {side: [k for k, s in enumerate(sides) if s == side and asked[k]] for side in (-1, 0, 1)}
        for k in range(len(states)):
            near.append(_balance([j for j in self.shared.world.neighbors[k] if asked[j]], lean))
            same.append(_balance([j for j in by_side[sides[k]] if j != k], lean))
        refused = sum(int(strengths[k]) for k, x in enumerate(lean) if x < 0) / int(strengths.sum())
        strip = sum(int(strengths[k]) for k in self._strip)
        in_strip = sum(int(strengths[k]) for k in self._strip if lean[k] < 0) / strip if strip else 0.0
        return lean, tuple(near), tuple(same), refused, in_strip


def _balance(peers: list[int], lean: tuple[int, ...]) -> float:
    """The lean of some peers, all of whom were asked."""
    accepted = sum(1 for j in peers if lean[j] > 0)
    declined = sum(1 for j in peers if lean[j] < 0)
    return rules.balance(accepted, declined, len(peers))
