"""States: the life of a jurisdiction's decision, one SimPy process each.

A governor is asked, weighs the request on last evening's observation, answers in their own time or lets the deadline
pass, and may take consent back. Where the President commands there is nobody to ask.
"""

from collections.abc import Generator
from typing import Any

import simpy

from sim import governors as rules
from sim.mobilization import Contingent
from sim.parameters import ROLES
from sim.results import (
    ACCEPTED,
    DECLINED,
    FEDERALIZED,
    LIMITED,
    NO_ANSWER,
    NOT_ASKED,
    SENDING,
    UNDECIDED,
    WITHDRAWN,
    Decision,
)
from sim.scenario import Answer
from sim.setting import Levers
from sim.shared import Shared

_ROLES = range(len(ROLES))
AGREED = (ACCEPTED, LIMITED)
# The support at which luck tips is infinite where no luck was asked.
NO_THRESHOLD = float("nan")


class StateAgent:
    """One jurisdiction: its status, what it was asked, and its people.

    asks
        How often it has been asked; luck of an answer is keyed by it.
    is_pending
        Whether an ask waits for an answer (also of a state that accepted earlier and is asked for more).
    asked_terms
        Roles, status and law as they stood at the last ask.
    """

    def __init__(self, shared: Shared, contingent: Contingent, index: int, forced: list[Answer]) -> None:
        """Nobody has asked yet."""
        self.shared, self.people, self.index = shared, contingent, index
        self.home = shared.world.states[index]
        self.side = self.home.side
        self.governor = 0
        self.status = NOT_ASKED
        self.asks = 0
        self.quota = 0
        self.is_pending = False
        self.asked_on = self.deadline = -1
        self.asked_terms: tuple[Any, ...] = ()
        self.is_seat_taken = bool(forced)
        self.forced = sorted(forced, key=lambda answer: answer.day)
        self.status_before = NOT_ASKED
        self.has_weighed_orders = False
        self.prior_position = self.home.prior_position
        self.ask_came = shared.env.event()
        self._standing: tuple[float, ...] = ()
        self._standing_sum = 0.0
        self._weighed: Levers | None = None
        p = shared.setting.levers[0].p
        self.withdrawal_ceiling = rules.chance_of_withdrawing(50.0, 0.0, p.withdraw_most, 0.0, 0.0, 1.0, 0.0, 0.0)

    # --- The life

    def life(self) -> Generator[simpy.Event, Any, None]:
        """Wait to be asked, then every day answer, let a deadline pass, or reconsider."""
        clock = self.shared.clock
        yield self.ask_came
        if not self.home.has_governor:
            yield clock.on(clock.answering, self.asked_on + 1)
            self.send()
            return
        day = self.shared.day
        while True:
            yield clock.on(clock.answering, day)
            if self.is_seat_taken:
                self.say_what_is_given()
            else:
                if self.status in AGREED:
                    self.reconsider()
                if self.is_pending:
                    self.consider()
            day += 1
            if not self.is_pending and self.status not in AGREED:
                # Nothing to decide until somebody asks again.
                self.ask_came = self.shared.env.event()
                yield self.ask_came
                day = self.shared.day

    def ask(self, quota: int, day: int) -> None:
        """Receive an ask; a state that is still deciding keeps its deadline and gets the larger quota."""
        if self.status == FEDERALIZED:
            return
        levers = self.shared.levers
        if self.is_pending:
            self.quota = max(self.quota, quota)
            return
        self.asks += 1
        self.quota = quota
        self.asked_on, self.deadline = day, day + int(levers.p.request_deadline_days)
        self.asked_terms = levers.terms
        self.is_pending = True
        if self.status not in (*AGREED, SENDING):
            self.become(UNDECIDED)
        self.shared.log("asked" if self.asks == 1 else "asked again", self.index, f"ask {self.asks}", quota)
        if not self.ask_came.triggered:
            self.ask_came.succeed()

    def send(self) -> None:
        """The President commands here: send volunteers, with no answer to give."""
        if self.status == FEDERALIZED:
            return
        self.become(SENDING)
        self.is_pending = False
        z = self.shared.luck.offer(self.index, self.asks)
        self.people.call(self.quota, self.shared.levers.asked_roles, z[1], 1.0)
        self.shared.log("sends", self.index, "the President commands", self.quota)

    def become(self, status: int) -> None:
        """Take another status, which all others see from this evening on."""
        if status != self.status:
            self.status = self.shared.statuses[self.index] = status
            self.shared.has_news = True

    # --- Weighing

    def standing(self, levers: Levers) -> tuple[float, ...]:
        """The terms of support that hold while neither levers nor governor change."""
        if self._weighed is not levers:
            p, fate = levers.p, self.shared.luck
            self._standing = rules.standing_terms(
                p.support_mission,
                p.support_party,
                self.side,
                p.support_vote,
                self.home.margin,
                p.support_election,
                self.home.on_ballot,
                p.support_pledge,
                self.prior_position,
                levers.status_cost,
                p.support_place,
                1.0 if levers.in_strip else 0.0,
                p.spread_national * fate.national,
                p.spread_partisan * fate.partisan,
                p.spread_regional * fate.regional[self.home.region],
                p.spread_own * fate.own(self.index, self.governor),
            )
            self._standing_sum = rules.added(self._standing)
            self._weighed = levers
        return self._standing

    def moving(self, levers: Levers, asks: int) -> tuple[float, ...]:
        """The terms of support that last evening's observation brings."""
        p, seen, day, i = levers.p, self.shared.observation, self.shared.day, self.index
        return rules.moving_terms(
            p.support_fatigue,
            asks,
            p.support_host,
            rules.host_refusal(
                levers.in_strip,
                p.law_reading > 0.0,
                p.mission_cross_state > 0.0,
                seen.refused,
                seen.refused_in_strip,
            ),
            p.support_disaster,
            self.shared.disaster[day][i],
            p.support_load,
            p.mobilized + seen.serving[i] / self.home.strength,
            p.support_neighbors,
            seen.neighbor_balance[i],
            p.support_network,
            seen.side_balance[i],
            self.shared.shock[day][i],
            p.federalize_echo,
            1.0 if self.shared.is_federalizing else 0.0,
        )

    def weigh(self, asks: int) -> float:
        """Support without a role, in log-odds."""
        levers = self.shared.levers
        self.standing(levers)
        return self._standing_sum + rules.added(self.moving(levers, asks))

    def roles_asked(self) -> int:
        """Roles that are asked and open here today, as bits."""
        return self.shared.levers.asked_roles & ~self.shared.closed[self.shared.day][self.index]

    # --- Answering

    def consider(self) -> None:
        """Answer today, or not yet; at the deadline an ask lapses."""
        day, levers = self.shared.day, self.shared.levers
        p = levers.p
        roles, costs = self.roles_asked(), levers.role_costs
        role = levers.deciding_roles[roles]
        if day >= self.deadline:
            self.lapse(role, costs)
            return
        if role < 0:
            return
        general = self.weigh(self.asks)
        chance = rules.chance_of_answering(
            p.decide_pace,
            p.decide_conviction,
            general - costs[role],
            p.decide_ambiguity,
            self.shared.ambiguity[day],
            p.decide_deadline,
            1.0 if day >= self.deadline - p.decide_last_days else 0.0,
        )
        if self.shared.luck.answer[self.index][day] < chance:
            self.answer(general, roles, role, costs)

    def lapse(self, role: int, costs: tuple[float, ...]) -> None:
        """The deadline passes without an answer, which is neither yes nor no."""
        self.is_pending = False
        if self.status == UNDECIDED:
            self.become(NO_ANSWER)
            general = self.weigh(self.asks)
            cost = costs[role] if role >= 0 else 0.0
            self.record("no answer", role, general, cost, NO_THRESHOLD, 0)
        self.shared.log("no answer", self.index, f"the deadline of ask {self.asks} passes")

    def answer(self, general: float, roles: int, role: int, costs: tuple[float, ...]) -> None:
        """Say yes to what this ask's luck permits, or no."""
        p = self.shared.levers.p
        u = self.shared.luck.permit[self.index][self.asks]
        threshold = rules.tipping_support(p.precision, u)
        permitted = 0
        for r in _ROLES:
            if roles >> r & 1 and rules.is_permitted(general - costs[r], threshold, u):
                permitted |= 1 << r
        if self.shared.levers.is_bundled and permitted != roles:
            permitted = 0
        if permitted:
            self.accept(permitted, roles, role, general, costs[role], threshold)
        else:
            self.decline(role, general, costs[role], threshold)

    def accept(
        self,
        permitted: int,
        roles: int,
        role: int,
        general: float,
        cost: float,
        threshold: float,
        troops: int | None = None,
    ) -> None:
        """Permit roles, offer people, and call for volunteers."""
        p, first = self.shared.levers.p, self.status not in AGREED
        z_offer, z_call, u_recall, u_order = self.shared.luck.offer(self.index, self.asks)
        if troops is None:
            troops = rules.offered(
                p.offer_base,
                p.offer_slope,
                p.offer_spread,
                z_offer,
                general - cost,
                p.offer_most,
                self.quota,
                self.could_give(),
            )
        if first and u_recall < p.offer_recall_chance:
            self.people.has_recall_clause = True
        self.is_pending = False
        permitted |= self.people.permitted
        self.become(ACCEPTED if permitted & roles == roles else LIMITED)
        answer = ("accept" if self.status == ACCEPTED else "accept with limits") if first else "accept more"
        self.people.call(troops, permitted, z_call, u_order)
        self.record(answer, role, general, cost, threshold, troops)
        self.shared.log(answer, self.index, self.words_for_roles(permitted), troops)

    def decline(self, role: int, general: float, cost: float, threshold: float) -> None:
        """Say no; a state that accepted earlier keeps what it gave."""
        self.is_pending = False
        if self.status in AGREED:
            self.record("decline more", role, general, cost, threshold, 0)
            self.shared.log("decline more", self.index, f"ask {self.asks}")
            return
        self.become(DECLINED)
        self.record("decline", role, general, cost, threshold, 0)
        self.shared.log("decline", self.index, f"ask {self.asks}")

    def could_give(self) -> float:
        """The most that this governor could offer on top of what is promised or serving."""
        p = self.shared.levers.p
        committed = self.shared.serving(self.index) + self.people.to_come
        on_disaster = self.shared.disaster[self.shared.day][self.index]
        return rules.most_offered(self.home.strength, p.offer_reserve, p.mobilized, on_disaster, committed)

    # --- Reconsidering

    def reconsider(self) -> None:
        """Withdraw today, or go on; after a while a governor may order units where the request allows it."""
        levers, day, i = self.shared.levers, self.shared.day, self.index
        p = levers.p
        if levers.may_withdraw:
            u, is_burst = self.shared.luck.withdraw[i][day], self.shared.burst[day][i]
            # Luck above the ceiling cannot tip a quiet day, so most days need no weighing.
            if is_burst or u < self.withdrawal_ceiling:
                self.perhaps_withdraw(u, is_burst)
                if self.status == WITHDRAWN:
                    return
        if (
            p.volunteers_basis
            and not self.has_weighed_orders
            and day >= self.people.call_day + int(p.directed_patience)
        ):
            self.has_weighed_orders = True
            support = self.weigh(self.asks)
            if self.people.order_luck < rules.chance_of_ordering(support, p.directed_threshold):
                self.people.order_the_rest()
                self.shared.log("orders units", i, "the call has had its time", self.people.to_come)

    def perhaps_withdraw(self, u: float, is_burst: bool) -> None:
        """Weigh today's chance of withdrawing against today's luck."""
        levers = self.shared.levers
        roles, costs = self.roles_asked(), levers.role_costs
        role = levers.deciding_roles[roles]
        cost = costs[role] if role >= 0 else 0.0
        general = self.weigh(self.asks)
        chance = levers.chance_of_withdrawing(general - cost, is_burst)
        if u < chance:
            cause = "after an incident or a court order" if is_burst else "in its own time"
            self.withdraw(role, general, cost, cause, chance)

    def withdraw(self, role: int, general: float, cost: float, cause: str, chance: float) -> None:
        """Take consent back: everybody from here goes home."""
        self.become(WITHDRAWN)
        self.is_pending = self.has_weighed_orders = False
        self.record("withdraw", role, general, cost, NO_THRESHOLD, 0, chance)
        self.shared.log("withdraw", self.index, cause, self.shared.serving(self.index))
        self.people.send_home("the governor withdraws")

    # --- What others do to a state

    def say_what_is_given(self) -> None:
        """A taken seat: give the next answer of the scenario once its day has come and it can be given."""
        day, levers = self.shared.day, self.shared.levers
        if self.is_pending and day >= self.deadline and not (self.forced and self.forced[0].day <= day):
            self.lapse(levers.deciding_roles[self.roles_asked()], levers.role_costs)
        if not self.forced or self.forced[0].day > day:
            return
        given = self.forced[0]
        ready = self.status in AGREED if given.answer == "withdraw" else self.is_pending
        if not ready:
            return
        roles, costs = self.roles_asked(), levers.role_costs
        permitted = roles if given.roles is None else roles & sum(1 << ROLES.index(r) for r in set(given.roles))
        if given.answer == "accept" and not permitted:
            # Nothing that could be accepted is asked and open today; the deadline decides if that stays so.
            if day >= self.deadline:
                self.lapse(levers.deciding_roles[roles], costs)
            return
        self.forced.pop(0)
        role = levers.deciding_roles[roles]
        general, cost = self.weigh(self.asks), costs[role] if role >= 0 else 0.0
        if given.answer == "accept":
            self.accept(permitted, roles, role, general, cost, NO_THRESHOLD, given.troops)
        elif given.answer == "decline":
            self.decline(role, general, cost, NO_THRESHOLD)
        elif given.answer == "withdraw":
            self.withdraw(role, general, cost, "as the scenario says", 1.0)
        else:
            self.lapse(role, costs)

    def change_governor(self, side: int) -> None:
        """A new governor, with their own mind, perhaps another side, and no earlier position."""
        self.governor += 1
        self.side, self.prior_position = side, 0
        self.shared.has_news = True
        self._weighed = None

    def federalize(self, quota: int) -> None:
        """Consent is set aside: units are ordered under the President."""
        if self.status != FEDERALIZED:
            self.status_before = self.status
        self.become(FEDERALIZED)
        self.is_pending = False
        roles = self.shared.levers.federal_roles & self.shared.levers.named_roles
        self.people.is_federal = True
        if roles:
            self.people.order(quota, roles)
        self.shared.log("federalized", self.index, "consent is set aside", quota if roles else 0)

    def return_to_governor(self) -> None:
        """A court holds federalization up: people go home and the state is what it was before."""
        # An answer that was open, or given, does not outlast the interruption.
        afterwards = {UNDECIDED: NO_ANSWER, ACCEPTED: WITHDRAWN, LIMITED: WITHDRAWN}
        self.become(afterwards.get(self.status_before, self.status_before))
        self.people.is_federal = False
        self.people.send_home("a court holds federalization up")
        self.shared.log("returned to the governor", self.index, "court order")

    # --- Reasons

    def record(
        self, answer: str, role: int, general: float, cost: float, threshold: float, offered: int, chance: float = 0.0
    ) -> None:
        """Keep the reasons of a decision."""
        levers = self.shared.levers
        terms = (*self.standing(levers), *self.moving(levers, self.asks), -cost)
        self.shared.decisions.append(
            Decision(
                day=self.shared.day,
                state=self.index,
                answer=answer,
                ask=self.asks,
                role=role,
                support=general - cost,
                threshold=threshold,
                terms=terms,
                permitted=self.people.permitted,
                offered=offered,
                quota=self.quota,
                chance=chance,
                is_forced=self.is_seat_taken,
            )
        )

    def words_for_roles(self, roles: int) -> str:
        """Roles as words."""
        return ", ".join(role for r, role in enumerate(ROLES) if roles >> r & 1)
