"""Small plays for the tests: a few states, quiet luck, and what must hold of any run whatever happens in it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sim import model
from sim.governors import TERMS
from sim.parameters import ROLES, Value
from sim.results import (
    AWAITING,
    ENTERED,
    FEDERALIZED,
    IN_PLACE,
    LEFT,
    NOT_ASKED,
    RETURNED,
    SCREENED_OUT,
    SCREENING,
    SENDING,
    TRAINING,
    TRAVEL,
    UNDECIDED,
    Decision,
    Event,
    Run,
)
from sim.scenario import ROLE_NAMES, Answer, Change, Scenario
from sim.setting import Setting, setting_of
from sim.world import World, load_world

ADMINISTRATION, SUPPORT, TRANSPORT, DETENTION, ENFORCEMENT = range(5)

# Approved on day 0, no luck in anybody's mind, nobody busy or unfit, nothing happens that is not asked for.
QUIET: dict[str, Value] = {
    "review.days": 0.0,
    "spread.national": 0.0,
    "spread.partisan": 0.0,
    "spread.regional": 0.0,
    "spread.own": 0.0,
    "offer.spread": 0.0,
    "offer.recall_chance": 0.0,
    "volunteers.spread": 0.0,
    "volunteers.pay": 0.0,
    "not_deployable": 0.0,
    "mobilized": 0.0,
    "screening.pass": 1.0,
    "screening.rate": 10_000.0,
    "training.seats": 200_000,
    "attrition": 0.0,
    "withdraw.base": -50.0,
    "disaster.rate": 0.0,
    "rounds.most": 1,
}

# Every governor says yes on the day of the ask and offers all that is wanted; everybody able volunteers at once.
WILLING: dict[str, Value] = QUIET | {
    "support.mission": 10.0,
    "decide.pace": 5.0,
    "request.ambiguity": 0.0,
    "offer.base": 5.0,
    "offer.slope": 5.0,
    "volunteers.share": 1.0,
    "volunteers.pace": 5.0,
}


def sizes(**roles: int) -> dict[str, Value]:
    """The request's role sizes: those named, and 0 for all others."""
    return {name: roles.get(role, 0) for role, name in zip(ROLES, ROLE_NAMES, strict=True)}


def scenario_of(
    values: Mapping[str, Value] = {},
    days: int = 60,
    *,
    changes: Sequence[Change] = (),
    shocks: Sequence[Any] = (),
    answers: Sequence[Answer] = (),
) -> Scenario:
    """A scenario from its parts, checked like a file."""
    blank = Scenario(
        "play", "A play", "What happens?", changes=tuple(changes), shocks=tuple(shocks), answers=tuple(answers)
    )
    return blank.with_values(values, days)


def world_of(codes: str) -> World:
    """The states named, as seen from the default requester."""
    return load_world().subset(codes.split())


def setting(
    values: Mapping[str, Value] = {},
    states: str | World = "TX NM",
    days: int = 60,
    *,
    seed: int = 1,
    draw: int | None = None,
    **rows: Any,
) -> Setting:
    """A setting in a small world."""
    world = world_of(states) if isinstance(states, str) else states
    return setting_of(scenario_of(values, days, **rows), seed, draw, world)


def play(
    values: Mapping[str, Value] = {},
    states: str | World = "TX NM",
    days: int = 60,
    *,
    replication: int = 0,
    with_events: bool = False,
    **rest: Any,
) -> Run:
    """One run in a small world."""
    return model.run(setting(values, states, days, **rest), replication, with_events)


def accept(state: str, day: int = 0, troops: int | None = None, *roles: str) -> Answer:
    """A seat taken that says yes."""
    return Answer(state=state, day=day, answer="accept", roles=list(roles) or None, troops=troops)


def say(state: str, day: int, answer: str) -> Answer:
    """A seat taken that says something else."""
    return Answer(state=state, day=day, answer=answer)


def reordered(world: World, order: Sequence[int]) -> World:
    """The same world with its states in another order: position k holds what stood at order[k]."""
    new = {old: k for k, old in enumerate(order)}
    return World(
        tuple(world.states[k] for k in order),
        tuple(tuple(sorted(new[j] for j in world.neighbors[k])) for k in order),
        tuple(world.disasters_per_day[k] for k in order),
    )


def with_each(world: World, changes: Sequence[dict[str, Any]]) -> World:
    """The same world with fields of each state replaced."""
    states = tuple(replace(state, **change) for state, change in zip(world.states, changes, strict=True))
    return replace(world, states=states)


def evenings(run: Run, stage: int, state: int = 0) -> list[int]:
    """People of one state in a stage, evening by evening."""
    return run.people[:, state, :, stage].sum(axis=1).tolist()


def serving(run: Run) -> np.ndarray:
    """People in the mission by evening, state and role."""
    return run.people[..., SCREENING : IN_PLACE + 1].sum(axis=-1)


def told(run: Run, *names: str) -> list[Event]:
    """Events of some names, in order."""
    return [event for event in run.events if event.event in names]


def said(run: Run, *answers: str) -> list[Decision]:
    """Decisions with some answers, in order."""
    return [decision for decision in run.decisions if decision.answer in answers]


def assert_sound(run: Run, of: Setting) -> None:
    """What holds of every run at every evening, for every state and every role."""
    assert_nobody_is_lost(run)
    assert_within_capacity(run, of)
    assert_within_law(run, of)
    assert_reasons_add_up(run)


def assert_nobody_is_lost(run: Run) -> None:
    """Nobody is lost, made up or counted below zero, and whoever has gone does not come back uncounted."""
    people = run.people.astype(np.int64)
    assert (people >= 0).all()
    assert (people[..., ENTERED] == people[..., SCREENING:].sum(axis=-1)).all()
    for stage in (SCREENED_OUT, RETURNED, LEFT):
        assert (np.diff(people[..., stage], axis=0) >= 0).all()
    assert (np.diff(people[..., ENTERED].sum(axis=2), axis=0) >= 0).all()
    if run.events:
        assert sum(event.people for event in told(run, "come forward")) == people[-1, ..., ENTERED].sum()


def assert_within_capacity(run: Run, of: Setting) -> None:
    """Seats, supervisors and the states themselves set limits that nothing exceeds."""
    people, p = run.people.astype(np.int64), of.levers[0].p
    assert people[..., TRAINING].sum(axis=(1, 2)).max() <= p.training_seats
    supervised = people[:, :, ENFORCEMENT, TRAVEL] + people[:, :, ENFORCEMENT, IN_PLACE]
    assert supervised.sum(axis=1).max() <= p.enforcement_per_supervisor * p.enforcement_supervisors
    assert not people[:, :, :ENFORCEMENT, AWAITING].any()
    assert (serving(run).sum(axis=2) <= np.array([state.strength for state in of.world.states])).all()


def assert_within_law(run: Run, of: Setting) -> None:
    """Nobody serves in a role that the law closes, a federalized state decides nothing, and DC gives no answer."""
    was_federal = np.logical_or.accumulate(run.status == FEDERALIZED, axis=0)
    for role in range(len(ROLES)):
        is_closed = np.array([not levers.open_roles >> role & 1 for levers in of.levers])
        assert not (serving(run)[:, :, role] * ~was_federal)[is_closed].any()
    for decision in run.decisions:
        assert of.world.states[decision.state].has_governor
        if not of.levers[0].p.court_federal_clock:
            assert not was_federal[decision.day, decision.state]
    commanded = [k for k, state in enumerate(of.world.states) if not state.has_governor]
    assert np.isin(run.status[:, commanded], (NOT_ASKED, UNDECIDED, SENDING)).all()
    # Asked, then sending: never back, in however many rounds.
    assert (run.status[:, commanded] == UNDECIDED).sum(axis=0).max(initial=0) <= 1


def assert_reasons_add_up(run: Run) -> None:
    """The terms of every decision add up to its support."""
    for decision in run.decisions:
        assert len(decision.terms) == len(TERMS)
        assert abs(math.fsum(decision.terms) - decision.support) < 1e-9
