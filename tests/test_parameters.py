"""The register: every entry is whole, checked, drawn within its range by its own luck, and read by some rule."""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import luck
from sim.parameters import (
    ROLES,
    Component,
    InputError,
    Numbers,
    Parameter,
    model_version,
    near_miss,
    numbers,
    parameter,
    register,
    resolve,
    shorten,
    triangular,
    triangular_on_log_scale,
)

REGISTER = register()
UNCERTAIN = [name for name, entry in REGISTER.items() if entry.kind == "uncertainty"]
DRAWS = st.integers(0, 2**31)

# Parameters that move no result, each with the reason why it is in the register all the same.
SHOWN_ONLY = {
    "context.active_duty_border": "a reference line in plots, as claim T14 states it",
    "federalize.predicate": "the ground that a scenario names; no rule depends on which one is claimed",
}

every_entry = pytest.mark.parametrize("entry", REGISTER.values(), ids=REGISTER)


def entry_of(**fields: object) -> Parameter:
    """An entry made up for a test."""
    plain = {
        "name": "made.up",
        "value": 1.0,
        "unit": "days",
        "label": "",
        "help": "",
        "kind": "uncertainty",
        "source": "",
        "known": "E",
    }
    return Parameter(**{**plain, **fields})  # type: ignore[arg-type]


# --- Entries


@every_entry
def test_an_entry_says_what_it_is(entry: Parameter) -> None:
    assert entry.label.strip() and not entry.label.endswith(".")
    assert entry.help.strip().endswith(".")
    assert entry.kind in ("lever", "uncertainty", "constant")
    assert entry.known in ("E", "H")
    is_bare = bool(entry.choices) or isinstance(entry.value, bool) or entry.name == "precision"
    assert bool(entry.unit) != is_bare
    assert entry.scale in ("linear", "log")


@every_entry
def test_a_source_is_an_assumption_a_claim_or_a_title_with_an_address(entry: Parameter) -> None:
    is_plain = (
        entry.source == "assumption"
        or entry.source.startswith(("source text, claim T", "fit to "))
        or "marked H" in entry.source
    )
    assert entry.source.strip()
    assert entry.url.startswith("http") != is_plain


@every_entry
def test_a_default_lies_in_its_range_and_its_range_within_the_limits(entry: Parameter) -> None:
    assert entry.check(entry.value) == entry.value
    if isinstance(entry.value, bool):
        assert entry.range is entry.limits is None
    elif isinstance(entry.value, str):
        assert entry.value in entry.choices or (entry.or_never and entry.value == "never")
    else:
        assert entry.limits and entry.range
        assert entry.limits[0] <= entry.range[0] <= entry.value <= entry.range[1] <= entry.limits[1]
        assert not entry.whole or all(isinstance(x, int) for x in (entry.value, *entry.range, *entry.limits))


def test_only_what_was_known_later_has_a_value_for_a_run_with_known_e() -> None:
    late = {name for name, entry in REGISTER.items() if entry.known == "H"}
    assert late >= {f"request.roles.{role}" for role in ROLES[:4]} | {"court.state_law_days", "court.federal_days"}
    assert late <= {name for name in REGISTER if name.startswith(("request.roles.", "court."))}
    assert {name for name, entry in REGISTER.items() if entry.early is not None} <= late
    for entry in REGISTER.values():
        for other in (entry.early, entry.later):
            assert other is None or (entry.check(other) == other and other != entry.value)
        # A value known later is told in an entry whose default was known early.
        assert entry.later is None or entry.known == "E"


def test_a_number_known_later_without_an_early_one_matters_only_once_a_court_has_spoken() -> None:
    for name, entry in REGISTER.items():
        if entry.known == "H" and entry.early is None:
            assert entry.kind == "constant" and name.startswith(
                ("court.state_law", "court.federal_days", "court.stay_")
            )


def test_the_early_role_sizes_are_equal_shares() -> None:
    assert len({REGISTER[f"request.roles.{role}"].early for role in ROLES[:4]}) == 1


def test_mixtures_are_shares_of_one() -> None:
    mixed = [entry for entry in REGISTER.values() if entry.mixture]
    assert [entry.name for entry in mixed] == ["support.mission"]
    assert sum(part.weight for part in mixed[0].mixture) == pytest.approx(1.0)
    assert all(part.weight > 0 and part.sd > 0 and part.label for part in mixed[0].mixture)


def test_what_is_drawn_is_a_number_with_a_range() -> None:
    assert len(UNCERTAIN) > 50
    for name in UNCERTAIN:
        low, high = REGISTER[name].range or (0, 0)
        assert low < high, name
        assert REGISTER[name].scale == "linear" or low > 0


def test_names_make_distinct_fields() -> None:
    fields = [entry.field for entry in REGISTER.values()]
    assert tuple(fields) == Numbers._fields
    assert all(field.isidentifier() for field in fields)
    assert len(set(fields)) == len(fields)


def test_the_version_has_three_parts() -> None:
    assert [part.isdigit() for part in model_version().split(".")] == [True] * 3


@every_entry
def test_every_parameter_is_read(entry: Parameter, parameters_read: frozenset[str]) -> None:
    assert (entry.name in parameters_read) != (entry.name in SHOWN_ONLY)


# --- Checks


@pytest.mark.parametrize("entry", [e for e in REGISTER.values() if e.limits], ids=lambda entry: entry.name)
def test_limits_are_allowed_and_what_lies_beyond_is_not(entry: Parameter) -> None:
    low, high = entry.limits or (0, 0)
    step = 1 if entry.whole else 1e-6
    assert entry.check(low) == low and entry.check(high) == high
    for value in (low - step, high + step, math.nan, math.inf, -math.inf, None, (1,), {}, str(low)):
        with pytest.raises(InputError, match=entry.name.replace(".", r"\.")):
            entry.check(value)


@every_entry
def test_a_switch_takes_no_number_and_a_number_no_switch(entry: Parameter) -> None:
    for value in (True, False):
        if isinstance(entry.value, bool):
            assert entry.check(value) is value
        else:
            with pytest.raises(InputError):
                entry.check(value)
    if isinstance(entry.value, bool):
        for wrong in (0, 1, 1.0, "true", [True]):
            with pytest.raises(InputError, match="true or false"):
                entry.check(wrong)


@every_entry
def test_only_lists_of_codes_are_lists(entry: Parameter) -> None:
    for value, is_right in ((["TX", "NM"], entry.or_states), ([], False), ([1], False), (["TX", True], False)):
        if is_right:
            assert entry.check(value) == value
        else:
            with pytest.raises(InputError):
                entry.check(value)


@pytest.mark.parametrize("value", [0.5, 30.0])
def test_a_whole_number_is_not_written_with_a_point(value: float) -> None:
    with pytest.raises(InputError, match="a whole number in 1..730"):
        parameter("tour.days").check(value)


@pytest.mark.parametrize("digits", [300, 400, 5000])
@pytest.mark.parametrize("name", ["tour.days", "support.party", "request.mode", "mission.cross_state"])
def test_a_number_of_any_length_is_refused_in_a_line(name: str, digits: int) -> None:
    with pytest.raises(InputError) as told:
        parameter(name).check(1 << 4 * digits)
    assert len(str(told.value)) < 200


def test_a_refusal_names_the_value_and_what_is_allowed() -> None:
    for name, value, told in (
        ("tour.days", 900, "tour.days = 900 is not allowed: it takes a whole number in 1..730 (days)"),
        (
            "request.mode",
            "bundle",
            "request.mode = 'bundle' is not allowed: it takes 'menu' or 'bundled'; did you mean 'bundled'?",
        ),
        (
            "federalize.day",
            "nevr",
            "federalize.day = 'nevr' is not allowed: it takes a whole number in 0..1825 (days) or 'never'",
        ),
        (
            "request.asked",
            3,
            "request.asked = 3 is not allowed: it takes 'all' or 'same_side' or 'border' or a list of postal codes",
        ),
        ("precision", -1, "precision = -1 is not allowed: it takes a number in 0..10"),
    ):
        with pytest.raises(InputError) as error:
            parameter(name).check(value)
        assert str(error.value) == told


def test_an_unknown_parameter_is_told_with_the_near_miss() -> None:
    with pytest.raises(InputError, match=r"'tour\.dayz' is not a parameter; did you mean 'tour\.days'\?"):
        parameter("tour.dayz")
    with pytest.raises(InputError, match=r"^'zzzzzz' is not a parameter \("):
        parameter("zzzzzz")


def test_a_near_miss_is_near() -> None:
    assert near_miss("accpet", ["accept", "decline"]) == "; did you mean 'accept'?"
    assert near_miss("banana", ["accept", "decline"]) == ""


@given(
    st.recursive(
        st.text() | st.integers() | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_shortened_value_is_one_short_line(value: object) -> None:
    assert len(shorten(value)) <= 60
    assert "\n" not in shorten(value)


@every_entry
@given(
    value=st.one_of(
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.lists(st.sampled_from(["TX", "NM"])),
        st.none(),
    )
)
def test_the_schema_allows_what_check_allows(entry: Parameter, value: object) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator(entry.json_schema())
    try:
        is_allowed = entry.check(value) is not None
    except InputError:
        is_allowed = False
    # JSON knows no whole floats, NaN or infinity.
    if not isinstance(value, float):
        assert validator.is_valid(value) == is_allowed


def test_a_plain_number_is_the_position_of_a_choice_a_switch_or_minus_one() -> None:
    plain = numbers({name: entry.value for name, entry in REGISTER.items()})
    assert (plain.request_mode, plain.mission_cross_state, plain.court_federal_clock, plain.federalize_day) == (
        0,
        0,
        1,
        -1,
    )
    assert plain.tour_days == 90.0
    status = parameter("request.status")
    assert [status.number(choice) for choice in status.choices] == [0.0, 1.0, 2.0]
    assert parameter("request.asked").number(["TX"]) == -1.0
    assert parameter("federalize.day").number(60) == 60.0


# --- Draws


@pytest.mark.parametrize(("u", "x"), [(0.0, 0.0), (1 / 16, 0.5), (0.25, 1.0), (13 / 16, 2.5), (1.0, 4.0)])
def test_a_triangle_by_hand(u: float, x: float) -> None:
    # Low 0, mode 1, high 4. The area left of x is x*x/4 up to the mode and 1 - (4-x)(4-x)/12 beyond.
    assert triangular(u, 0.0, 1.0, 4.0) == pytest.approx(x)


@pytest.mark.parametrize(
    ("u", "x"), [(0.0, 1.0), (0.125, math.sqrt(10.0)), (0.5, 10.0), (0.875, 10 * math.sqrt(10.0)), (1.0, 100.0)]
)
def test_a_triangle_on_the_log_scale_by_hand(u: float, x: float) -> None:
    # In powers of ten: low 0, mode 1, high 2, so half the mode's power has an eighth of the area to its left.
    assert triangular_on_log_scale(u, 1.0, 10.0, 100.0) == pytest.approx(x)


@given(st.floats(0, 1), st.floats(-50, 50), st.floats(0, 50), st.floats(0, 50))
def test_a_triangle_stays_within_its_ends_and_the_share_below_is_u(
    u: float, low: float, up: float, further: float
) -> None:
    mode, high = low + up, low + up + further
    x = triangular(u, low, mode, high)
    assert low - 1e-9 <= x <= high + 1e-9
    if up > 0.1 and further > 0.1:
        below = (x - low) ** 2 / ((high - low) * up) if x <= mode else 1 - (high - x) ** 2 / ((high - low) * further)
        assert below == pytest.approx(u, abs=1e-6)


def test_an_empty_triangle_is_its_mode() -> None:
    assert triangular(0.3, 7.0, 7.0, 7.0) == 7.0


@pytest.mark.parametrize("u", [2.0**-33, 0.5, 1 - 2.0**-33])
@pytest.mark.parametrize("name", [name for name in UNCERTAIN if not REGISTER[name].mixture])
def test_a_draw_lies_in_the_range(name: str, u: float) -> None:
    entry = REGISTER[name]
    low, high = entry.range or (0, 0)
    drawn = entry.draw([u] * 4, entry.value)
    assert low <= drawn <= high
    assert not entry.whole or float(drawn).is_integer()
    # Both ends are within reach.
    assert u == 0.5 or drawn == pytest.approx(low if u < 0.5 else high, abs=(high - low) / 1000)


def test_a_mixture_picks_by_weight_and_then_a_normal_of_that_part() -> None:
    entry = entry_of(mixture=(Component(0.8, 0.0, 0.5, "even"), Component(0.2, -3.5, 1.0, "costly")))
    # exp(-1/2) and 0 make a point of radius 1 in the direction of the first axis: one standard deviation up.
    one_up = [math.exp(-0.5), 0.0, 0.0]
    assert entry.draw([0.0, *one_up], 0.0) == entry.draw([0.799, *one_up], 0.0) == pytest.approx(0.0 + 0.5)
    assert entry.draw([0.801, *one_up], 0.0) == entry.draw([0.9999, *one_up], 0.0) == pytest.approx(-3.5 + 1.0)


def test_mixture_weights_show_in_many_draws() -> None:
    # Of 4,000 draws, the part of each normal below -2 by its weight; tolerance 4 standard errors of a share.
    drawn = [resolve({}, {}, 11, draw)["support.mission"] for draw in range(4000)]
    parts = REGISTER["support.mission"].mixture
    expected = sum(part.weight * NormalDist(part.mean, part.sd).cdf(-2.0) for part in parts)
    share = float(np.mean(np.array(drawn) < -2.0))
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / 4000)


def test_other_ends_replace_the_mixture_and_the_range() -> None:
    drawn = [
        resolve({"support.mission": -3.0}, {"support.mission": (-3.5, -2.0)}, 1, draw)["support.mission"]
        for draw in range(300)
    ]
    assert all(-3.5 <= x <= -2.0 for x in drawn)  # type: ignore[operator]
    # A triangle's mean is that of its corners; 4 standard errors, its variance being 0.0972.
    assert np.mean(np.array(drawn)) == pytest.approx((-3.5 - 3.0 - 2.0) / 3, abs=4 * math.sqrt(0.0972 / 300))


def test_draws_have_the_mean_of_their_triangles() -> None:
    drawn = [resolve({}, {}, 2, draw) for draw in range(400)]
    for name in ("support.party", "hiring.applicants", "volunteers.share", "tour.reup"):
        low, mode, high = *REGISTER[name].range, REGISTER[name].value  # type: ignore[misc]
        low, mode, high = sorted((low, mode, high))
        variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18
        mean = np.mean([float(values[name]) for values in drawn])  # type: ignore[arg-type]
        assert mean == pytest.approx((low + mode + high) / 3, abs=4 * math.sqrt(variance / 400)), name


@given(DRAWS, DRAWS, st.sampled_from(UNCERTAIN))
def test_fixing_one_parameter_changes_no_other_draw(seed: int, draw: int, name: str) -> None:
    free = resolve({}, {}, seed, draw)
    fixed = resolve({name: REGISTER[name].value}, {}, seed, draw)
    assert {key: value for key, value in fixed.items() if key != name} == {
        key: value for key, value in free.items() if key != name
    }
    assert fixed[name] == REGISTER[name].value != free[name] or REGISTER[name].whole


def test_taking_a_parameter_out_of_the_register_changes_no_other_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resolve({}, {}, 4, 9)
    smaller = {name: entry for name, entry in reversed(REGISTER.items()) if name not in ("support.party", "tour.days")}
    monkeypatch.setattr("sim.parameters.register", lambda: smaller)
    assert resolve({}, {}, 4, 9) == {name: whole[name] for name in smaller}


@given(DRAWS, DRAWS)
def test_only_uncertainties_are_drawn(seed: int, draw: int) -> None:
    drawn = resolve({}, {}, seed, draw)
    assert all(drawn[name] == entry.value for name, entry in REGISTER.items() if entry.kind != "uncertainty")
    moved = [name for name in UNCERTAIN if not REGISTER[name].whole]
    assert sum(drawn[name] == REGISTER[name].value for name in moved) == 0


@given(DRAWS, DRAWS)
def test_what_a_scenario_sets_is_never_drawn(seed: int, draw: int) -> None:
    given_values = {name: REGISTER[name].range[0] for name in UNCERTAIN}  # type: ignore[index]
    resolved = resolve(given_values, {}, seed, draw)
    assert {name: resolved[name] for name in UNCERTAIN} == given_values


def test_without_a_draw_all_is_at_its_default() -> None:
    assert resolve({}, {}, 1, None) == {name: entry.value for name, entry in REGISTER.items()}
    spread = resolve({"support.party": 3.0}, {"support.party": (2.5, 3.4)}, 1, None)
    assert spread["support.party"] == 3.0


def test_draws_differ_and_a_draw_can_be_repeated() -> None:
    drawn = [resolve({}, {}, 1, draw) for draw in range(5)]
    assert drawn == [resolve({}, {}, 1, draw) for draw in range(5)]
    assert all(first["support.party"] != second["support.party"] for first, second in pairwise(drawn))
    assert resolve({}, {}, 2, 0) != drawn[0]
    four = luck.of_parameters(1, 0, ["support.party"])[0]
    assert drawn[0]["support.party"] == REGISTER["support.party"].draw(four, REGISTER["support.party"].value)
