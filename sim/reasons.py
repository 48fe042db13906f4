"""Reasons: why a governor answered as they did, and the smallest single change that would have flipped it.

The day, the luck and what others had done by then are held fixed; one number is moved.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sim import governors as rules
from sim.parameters import ROLES, register
from sim.results import Decision, Run
from sim.setting import Levers, Setting
from sim.shared import Luck

YES = ("accept", "accept with limits", "accept more")


@dataclass(frozen=True)
class Flip:
    """One change that would have flipped a decision.

    name
        The parameter or lever.
    was, needed
        Its value, and the value beyond which the answer flips.
    size
        The change as a share of the plausible range (of the limits where there is no range); choices count as one range.
    is_plausible
        Whether the value needed lies inside the plausible range.
    """

    name: str
    was: str
    needed: str
    size: float
    is_plausible: bool


def threshold_of(decision: Decision, setting: Setting, replication: int) -> float:
    """The support at which this decision tips, NaN where no support would tip it (a forced answer, a passed deadline)."""
    if decision.answer != "withdraw" or decision.is_forced:
        return decision.threshold
    u = Luck(setting, replication).withdraw[decision.state][decision.day]
    chance = setting.levers[decision.day].chance_of_withdrawing
    is_burst = chance(decision.support, False) < decision.chance
    # The chance falls with support, so halving finds where it crosses this day's luck.
    low, high = decision.support, decision.support + 100.0
    if chance(high, is_burst) > u:
        return math.nan
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if chance(middle, is_burst) > u else (low, middle)
    return high


def flips(decision: Decision, setting: Setting, replication: int) -> list[Flip]:
    """Changes that would have flipped a decision, the smallest first."""
    threshold = threshold_of(decision, setting, replication)
    if math.isnan(threshold) or decision.role < 0:
        return []
    needed = threshold - decision.support
    found = [*_coefficients(decision, setting, needed), *_choices(decision, setting.levers[decision.day], needed)]
    return sorted(found, key=lambda flip: (not flip.is_plausible, flip.size))


def _coefficients(decision: Decision, setting: Setting, needed: float) -> Iterator[Flip]:
    """Numbers that scale a term: how far each would have to move alone."""
    levers = setting.levers[decision.day]
    for (term, name), value in zip(rules.TERMS, decision.terms, strict=True):
        name = _full_name(name, decision, setting)
        if term in LUCK_TERMS or name == "incident.size":
            continue
        entry, was = register()[name], getattr(levers.p, name.replace(".", "_"))
        factor = _factor(term, value, was)
        if not factor or entry.limits is None:
            continue
        to = was + needed / factor
        if entry.limits[0] <= to <= entry.limits[1]:
            low, high = entry.range or entry.limits
            size = abs(to - was) / ((high - low) or 1.0)
            yield Flip(name, f"{was:.3g}", f"{to:.3g}", size, low <= to <= high)


LUCK_TERMS = ("national mood", "mood of the side", "regional mood", "this governor")


def _full_name(name: str, decision: Decision, setting: Setting) -> str:
    if name == "support.status":
        choices = register()["request.status"].choices
        return f"{name}.{choices[int(setting.levers[decision.day].p.request_status)]}"
    return f"{name}.{ROLES[decision.role]}" if name == "support.role" else name


def _factor(term: str, value: float, was: float) -> float:
    """What one unit more of a coefficient adds to support."""
    if term == "mission":
        return 1.0
    if term in ("status", "role"):
        return -1.0
    return value / was if was else 0.0


def _choices(decision: Decision, levers: Levers, needed: float) -> Iterator[Flip]:
    """Other legal statuses, and a menu instead of a bundle (or the other way round)."""
    p, is_up = levers.p, needed > 0.0
    names = register()["request.status"].choices
    now = names[int(p.request_status)]
    for other in names:
        change = levers.status_cost - getattr(p, f"support_status_{other}")
        if other != now and _tips(change, needed, is_up):
            yield Flip("request.status", now, other, 1.0, True)
    asked = [r for r in range(len(ROLES)) if levers.asked_roles >> r & 1]
    if len(asked) > 1:
        pick = min if levers.is_bundled else max
        change = levers.role_costs[decision.role] - pick(levers.role_costs[r] for r in asked)
        if _tips(change, needed, is_up):
            now, other = ("bundled", "menu") if levers.is_bundled else ("menu", "bundled")
            yield Flip("request.mode", now, other, 1.0, True)


def _tips(change: float, needed: float, is_up: bool) -> bool:
    return change > needed if is_up else change < needed


def decisions_of(run: Run, code: str) -> list[Decision]:
    """What one state decided, in order."""
    state = run.codes.index(code)
    return [decision for decision in run.decisions if decision.state == state]
