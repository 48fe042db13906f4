"""A setting: a scenario, the world and one draw of the uncertainties, made ready for an engine as plain numbers by day."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sim import governors
from sim.parameters import ROLES, Numbers, Value, numbers, register, resolve
from sim.scenario import ROLE_NAMES, Scenario
from sim.world import World, may_withdraw, open_roles, role_standing


@dataclass(frozen=True)
class Levers:
    """What decision-makers have set on a day.

    p
        All parameters as plain numbers.
    asked, federal_list
        For each state, whether the request (or federalization) names it; federal_list is None for those that declined.
    role_sizes
        People asked for by role, in the order of ROLES; they act as proportions.
    open_roles, federal_roles
        Roles open by law under the status asked for, and under federalization, as bits.
    may_withdraw
        Whether a governor may take consent back under the status asked for.
    status_cost
        What the status costs in support, log-odds.
    role_costs
        What each role costs in support, log-odds, in the order of ROLES.
    status
        The legal status asked for.
    is_away, travel_days
        For each state, whether its people travel to another state, and for how many days.
    tour_days
        Length of a tour that begins today.
    terms
        What a decliner is asked again for when it changes: roles, status, law.
    """

    p: Numbers
    asked: tuple[bool, ...]
    federal_list: tuple[bool, ...] | None
    role_sizes: tuple[int, ...]
    open_roles: int
    federal_roles: int
    may_withdraw: bool
    status: str
    status_cost: float
    is_bundled: bool
    in_strip: bool
    role_costs: tuple[float, ...]
    is_away: tuple[bool, ...]
    travel_days: tuple[int, ...]
    tour_days: int
    terms: tuple[Any, ...]

    def chance_of_withdrawing(self, support: float, is_burst: bool) -> float:
        """The chance that an accepting governor with this support withdraws today."""
        p = self.p
        return governors.chance_of_withdrawing(
            p.withdraw_base,
            p.withdraw_slope,
            p.withdraw_most,
            p.withdraw_burst,
            p.withdraw_burst_slope,
            p.withdraw_burst_days,
            support,
            1.0 if is_burst else 0.0,
        )

    @cached_property
    def named_roles(self) -> int:
        """Roles that the request names, open or not, as bits."""
        return sum(1 << k for k, size in enumerate(self.role_sizes) if size > 0)

    @cached_property
    def asked_roles(self) -> int:
        """Roles that the request names and the law leaves open, as bits."""
        return self.named_roles & self.open_roles

    @cached_property
    def deciding_roles(self) -> tuple[int, ...]:
        """For every set of roles, the one on which an answer turns: the easiest of a menu, the hardest of a bundle; -1 for none."""
        return tuple(
            governors.deciding_role(roles, self.role_costs, self.is_bundled) for roles in range(1 << len(ROLES))
        )


@dataclass(frozen=True)
class Setting:
    """Everything that one run needs but luck.

    levers
        One entry for every day, days + 1 of them; days without a change share one object.
    values
        Parameters of day 0 by name.
    """

    scenario: Scenario
    world: World
    seed: int
    draw: int | None
    values: dict[str, Value]
    levers: tuple[Levers, ...]

    @property
    def n_days(self) -> int:
        """Evenings recorded: day 0 to the last day."""
        return len(self.levers)


def setting_of(scenario: Scenario, seed: int, draw: int | None, world: World | None = None) -> Setting:
    """Resolve a scenario for one draw (None: defaults) of the uncertainties; `world` replaces the scenario's."""
    values = resolve(scenario.values, scenario.ranges, seed, draw)
    if world is None:
        world = scenario.world_of(str(values["request.party"]))
    by_day = []
    current, levers = dict(values), _levers(values, values, world)
    changes = list(scenario.changes)
    for day in range(scenario.days + 1):
        while changes and changes[0].day == day:
            current |= changes.pop(0).values
            levers = _levers(current, values, world)
        by_day.append(levers)
    return Setting(scenario, world, seed, draw, values, tuple(by_day))


def _levers(values: dict[str, Value], first: dict[str, Value], world: World) -> Levers:
    """The levers as they stand with these values."""
    p = numbers(values)
    status, reading = str(values["request.status"]), str(values["law.reading"])
    place, insurrection = str(values["mission.place"]), bool(values["law.insurrection_act"])
    gates: dict[str, Any] = {
        "place": place,
        "cross_state": bool(values["mission.cross_state"]),
        "insurrection_act": insurrection,
        "arrest_authority": bool(values["enforcement.arrest_authority"]),
    }
    voluntary = open_roles(role_standing(status, **gates), reading)
    federal = open_roles(role_standing("title_10_12406", **gates), reading)
    in_strip = place == "border_strip"
    sizes = tuple(int(values[name]) for name in ROLE_NAMES)  # type: ignore[arg-type]
    if values["review.removes_closed"]:
        sizes = tuple(size if voluntary >> k & 1 else 0 for k, size in enumerate(sizes))
    is_away = tuple(gates["cross_state"] or (in_strip and not home.in_strip) for home in world.states)
    return Levers(
        p=p,
        asked=_chosen(values["request.asked"], world),
        federal_list=None if values["federalize.states"] == "declined" else _chosen(values["federalize.states"], world),
        role_sizes=sizes,
        open_roles=voluntary,
        federal_roles=federal,
        may_withdraw=may_withdraw(status, reading),
        status=status,
        status_cost=float(values[f"support.status.{status}"]),  # type: ignore[arg-type]
        is_bundled=values["request.mode"] == "bundled",
        in_strip=in_strip,
        role_costs=by_role(p, "support_role"),
        is_away=is_away,
        travel_days=tuple(int(p.travel_away_days if away else p.travel_home_days) for away in is_away),
        tour_days=int(p.tour_days),
        terms=(sizes, status, place, voluntary, bool(values["mission.cross_state"])),
    )


def _chosen(choice: Value, world: World) -> tuple[bool, ...]:
    """The states that a lever names."""
    if isinstance(choice, list):
        return tuple(state.code in choice for state in world.states)
    rule = {"all": lambda s: True, "same_side": lambda s: s.side == 1, "border": lambda s: s.on_border}[str(choice)]
    return tuple(rule(state) for state in world.states)


def by_role(p: Numbers, group: str) -> tuple[float, ...]:
    """The numbers of a group that has one per role, such as `training_days`."""
    return tuple(getattr(p, f"{group}_{role}") for role in ROLES)


def uncertain_names() -> list[str]:
    """Parameters that a draw draws."""
    return [name for name, entry in register().items() if entry.kind == "uncertainty"]
