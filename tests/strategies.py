"""Random valid scenarios for Hypothesis: any values of the register, levers moved, shocks, and seats taken."""

from typing import Any

from hypothesis import strategies as st

from sim.parameters import NEVER, ROLES, Parameter, Value, register
from sim.scenario import ANSWERS, FIXED_LEVERS, ROLE_NAMES, Answer, Change, Scenario
from sim.shocks import Appeal, Clarification, CourtOrder, Disaster, FundingLapse, Incident, Turnover
from tests.plays import scenario_of

# States that differ in side, size, border, consent and neighbours; every world holds some of them.
CODES = ("AZ", "CA", "CO", "DC", "MD", "NM", "OK", "PR", "TX", "VA", "VT", "WY")


def worlds() -> st.SearchStrategy[list[str]]:
    """Postal codes of a small world, five to ten of them."""
    return st.lists(st.sampled_from(CODES), min_size=5, max_size=10, unique=True).map(sorted)


def values_of(entry: Parameter, codes: list[str], days: int) -> st.SearchStrategy[Value]:
    """Anything that a parameter may be set to: mostly in its plausible range, sometimes anywhere within the limits."""
    if isinstance(entry.value, bool):
        return st.booleans()
    parts: list[st.SearchStrategy[Any]] = []
    if entry.choices:
        parts.append(st.sampled_from(entry.choices))
    if entry.or_states:
        parts.append(st.lists(st.sampled_from(codes), min_size=1, unique=True))
    if entry.name == "federalize.day":
        return st.just(NEVER) | st.integers(0, days)
    if entry.limits:
        for low, high in (entry.range or entry.limits, entry.limits):
            parts.append(st.integers(int(low), int(high)) if entry.whole else st.floats(low, high))
    return st.one_of(parts)


@st.composite
def scenarios(draw: st.DrawFn, codes: list[str]) -> Scenario:
    """A valid scenario over 30 to 90 days, whose rows name states of a small world only."""
    days = draw(st.integers(30, 90))
    names = draw(st.lists(st.sampled_from(sorted(register())), max_size=12, unique=True))
    values = {name: draw(values_of(register()[name], codes, days)) for name in names}
    # Most runs should see a request that is approved early, or little happens within so few days.
    values.setdefault("review.days", draw(st.floats(0.0, 10.0)))
    values.setdefault("volunteers.share", draw(st.floats(0.0, 1.0)))
    if not any(values.get(name, register()[name].value) for name in ROLE_NAMES):
        values["request.roles.transport"] = 100
    return scenario_of(
        values,
        days,
        changes=draw(changes(codes, days)),
        shocks=draw(st.lists(shocks(codes, days), max_size=4)),
        answers=draw(answers(codes, days)),
    )


@st.composite
def changes(draw: st.DrawFn, codes: list[str], days: int) -> list[Change]:
    """Levers moved on later days; at least one role keeps asking for people."""
    levers = [name for name, entry in register().items() if entry.kind == "lever" and name not in FIXED_LEVERS]
    rows = []
    for day in sorted(draw(st.lists(st.integers(1, days), max_size=2, unique=True))):
        moved = draw(st.lists(st.sampled_from(levers), min_size=1, max_size=3, unique=True))
        row = {name: draw(values_of(register()[name], codes, days)) for name in moved}
        if any(name in row for name in ROLE_NAMES):
            row["request.roles.support"] = draw(st.integers(1, 5000))
        rows.append(Change(day, row))
    return rows


def shocks(codes: list[str], days: int) -> st.SearchStrategy[Any]:
    """One shock of any kind."""
    day, size = st.integers(0, days), st.floats(-10.0, 10.0)
    reach = st.sampled_from(["all", "same_side", "other_side"]) | st.lists(
        st.sampled_from(codes), min_size=1, unique=True
    )
    roles = st.just("all") | st.lists(st.sampled_from(ROLES), min_size=1, max_size=5)
    stay = st.sampled_from(["chance", "never"]) | st.integers(0, 40)
    state = st.sampled_from(codes)
    side = st.sampled_from([None, "same_side", "other_side", "neither"])
    return st.one_of(
        st.builds(Incident, kind=st.just("incident"), day=day, size=st.none() | size, states=reach),
        st.builds(Clarification, kind=st.just("clarification"), day=day, ambiguity=st.floats(0.0, 1.0)),
        st.builds(CourtOrder, kind=st.just("court_order"), day=day, roles=roles, states=reach, stay=stay),
        st.builds(Disaster, kind=st.just("disaster"), day=day, state=state, size=st.none() | st.floats(0.01, 1.0)),
        st.builds(FundingLapse, kind=st.just("funding_lapse"), day=day, days=st.integers(1, 40)),
        st.builds(Turnover, kind=st.just("turnover"), day=day, state=state, side=side),
        st.builds(Appeal, kind=st.just("appeal"), day=day, same_side=size, other_side=size),
    )


@st.composite
def answers(draw: st.DrawFn, codes: list[str], days: int) -> list[Answer]:
    """Seats taken: what some governors say on some days."""
    governed = [code for code in codes if code != "DC"]
    rows = []
    for code, day in draw(
        st.lists(st.tuples(st.sampled_from(governed), st.integers(0, days)), max_size=4, unique=True)
    ):
        answer = draw(st.sampled_from(ANSWERS))
        is_yes = answer == "accept"
        roles = draw(st.none() | st.lists(st.sampled_from(ROLES), min_size=1, unique=True)) if is_yes else None
        troops = draw(st.none() | st.integers(0, 5_000)) if is_yes else None
        rows.append(Answer(state=code, day=day, answer=answer, roles=roles, troops=troops))
    return rows
