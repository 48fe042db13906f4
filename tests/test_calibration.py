"""Calibration: likelihoods against direct sums, recovery of what was put in, no leak from what is held out, a careful register."""

import json
import math
import shutil
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import sim.__main__  # noqa: F401 - adds the commands
from sim import calibration, consent, ramps, rewrite
from sim import likelihoods as on
from sim.calibration import Fit, Tables, fit, held_out, inseparable, others_of
from sim.cases import Case, load_case, load_cases
from sim.commands.common import app
from sim.parameters import InputError, register
from sim.ramps import RampDraws
from sim.replays import Variant, replay
from tests.test_cases import made_up, row

CASES = load_cases()
BY_NAME = {case.name: case for case in CASES}
TODAY = date(2030, 1, 2)


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Tables with made-up draws of the ramp, so that nothing has to be simulated: low seats come near, high ones do not."""
    made = {}
    for k, case in enumerate(ramps.cases_with_ramps(CASES)):
        rng = np.random.default_rng(9)
        names = (*ramps.FITTED, *ramps.BESIDE)
        values = rng.uniform(0.0, 1.0, (400, len(names)))
        values[:, 1] = np.round(500 + 3500 * values[:, 1])
        made[case.name] = RampDraws(names, values, (values[:, 1] - 1000.0 - 100 * k) ** 2)
    return Tables(made)


@pytest.fixture(scope="module")
def full(tables: Tables) -> Fit:
    return fit(CASES, tables)


# --- who agrees


def direct(case: Case, party: float, vote: float, mission: float) -> float:
    """The likelihood of a case's answers summed over the scatter of sides by a fine grid, in logarithms."""
    of = on.Standing(case)
    z = np.linspace(-6, 6, 2001)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    scatter = math.hypot(on.mean_of("spread.own"), on.mean_of("spread.regional"))
    total = 0.0
    for moved, share in zip(on.mean_of("spread.partisan") * z[::20], weight[::20] / weight[::20].sum(), strict=True):
        product = share
        for fixed, side, margin, said in zip(of.fixed, of.side, of.margin, of.said, strict=True):
            eta = fixed + mission + (party + moved) * side + vote * margin
            chance = float((1 / (1 + np.exp(-(eta + scatter * z)))) @ weight)
            product *= chance if said else 1 - chance
        total += product
    return math.log(total)


def test_the_likelihood_is_that_of_a_direct_sum(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path))
    table = on.answers(case)
    for p, v, m in ((0, 0, 30), (17, 6, 28), (33, 15, 48)):
        assert table[p, v, m] == pytest.approx(direct(case, on.PARTY[p], on.VOTE[v], on.MISSION[m]), abs=0.01)


def test_what_no_fit_moves_is_the_status_the_role_the_load_and_the_peers(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path, ("ambiguity = 0.0", 'ambiguity = 0.0\nstatus = "state_active_duty"')))
    of = on.Standing(case)
    assert of.codes == ["NM", "TX"]
    load = 10 * on.mean_of("support.load") * on.mean_of("mobilized")
    alone = -on.mean_of("support.status.state_active_duty") - on.mean_of("support.role.support") - load
    # NM and TX are neighbors on different sides: each has seen half of the other's answer.
    seen = 0.5 * on.mean_of("support.neighbors")
    assert of.fixed.tolist() == pytest.approx([alone - seen, alone + seen])
    assert of.side.tolist() == [1, -1]
    assert of.margin.tolist() == [1.0, -2.0]


def test_a_governor_who_may_not_answer_counts_less_for_no(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path))
    table = [on.answers(case, share) for share in (1.0, 0.5)]
    of = on.Standing(case)
    assert of.said.tolist() == [True, False]
    # Where a yes is all but certain, a no is unlikely, unless half of the governors never answer.
    assert table[1][15, 5, -1] > table[0][15, 5, -1]


def synthetic(party: float, vote: float, mission: float, seed: int) -> Case:
    """A real request whose answers were drawn from the likelihood itself, without peers."""
    case = BY_NAME["ols_emac_2023"]
    rng = np.random.default_rng(seed)
    homes = {state.code: state for state in case.scenario.world.states}
    fixed = -on.mean_of("support.status.state_active_duty") - on.mean_of("support.role.support")
    fixed -= 10 * on.mean_of("support.load") * on.mean_of("mobilized")
    rows = []
    for one in case.observed:
        if one.state in homes and one.state not in {r.state for r in rows}:
            home = homes[one.state]
            said = rng.random() < on.chance_of_yes(np.array(fixed + mission + party * home.side + vote * home.margin))
            rows.append(
                one.model_copy(update={"answer": "accept" if said else "decline", "day": None, "precision": "month"})
            )
    return replace(case, observed=tuple(rows), scenario=replace(case.scenario, name=f"made_up_{seed}"))


def test_what_was_put_in_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on, "SEEN", 0.0)
    made = [synthetic(3.0, 0.1, mission, seed) for seed, mission in enumerate((0.0, 0.3, -0.3, -0.5))]
    found = consent.posterior({case.name: on.answers(case) for case in made})
    party, sd = consent.moments(on.PARTY, found.grid.sum(axis=1))
    assert sd < 0.6
    assert abs(party - 3.0) < 2.5 * sd
    vote, sd = consent.moments(on.VOTE, found.grid.sum(axis=0))
    assert abs(vote - 0.1) < 2.5 * sd
    labels = [part["label"] for part in on.regimes()]
    assert max(zip(found.weights, labels, strict=True))[1] == "polarised"


def test_without_cases_a_fit_is_its_priors(tables: Tables) -> None:
    found = fit([], tables)
    assert found.cases == ()
    assert found.weights == pytest.approx([1 / 3] * 3, abs=1e-6)
    for name in ("support.party", "support.vote", "withdraw.burst", "withdraw.base"):
        one = found.parameters[name]
        # The grid ends somewhere, so the last tenths of a prior's tails are missing.
        assert one.mean == pytest.approx(one.prior_mean, abs=0.02)
        assert one.sd == pytest.approx(one.prior_sd, rel=0.05)
        assert not one.is_carried
    low, mode, high = on.assumed()["ramp"]["before"]["training.seats"]
    seats = found.parameters["training.seats"]
    assert (seats.low, seats.value, seats.high) == (low, mode, high)
    assert rewrite.changes_of(found, TODAY) == {}


def test_requests_that_nobody_refused_are_of_common_ground(full: Fit) -> None:
    labels = [part["label"] for part in on.regimes()]
    for name in ("ojs_2006", "phalanx_2010"):
        assert full.memberships[name][labels.index("common ground")] > 0.9
    assert full.memberships["ols_emac_2023"][labels.index("common ground")] < 0.5
    assert sum(full.weights) == pytest.approx(1.0)


def test_the_likelihood_tells_what_the_model_simulates() -> None:
    """At values held fixed the chance of a yes of the likelihood lies near that of many runs, on the mean and state by state."""
    case = BY_NAME["ols_emac_2023"]
    party, vote, mission = 1.8, 0.4, 0.0
    run = replay(
        case,
        600,
        1,
        variants=[
            Variant(1.0, {"support.party": party, "support.vote": vote, "support.mission": mission, "decide.pace": 0.4})
        ],
    )
    of = on.Standing(case)
    # What is left out on purpose in the formula, the moods of nation and sides, is averaged as the other scatter is.
    z, w = np.polynomial.hermite_e.hermegauss(9)
    mood = math.hypot(on.mean_of("spread.national"), on.mean_of("spread.partisan"))
    told = sum(
        share * on.chance_of_yes(of.fixed + mission + party * of.side + vote * of.margin + mood * at)
        for at, share in zip(z, w / w.sum(), strict=True)
    )
    simulated = np.array([run.chance(code) for code in of.codes])
    assert float(np.abs(told - simulated).max()) < 0.2
    for side in (1, -1):
        assert told[of.side == side].mean() == pytest.approx(simulated[of.side == side].mean(), abs=0.08)


# --- when, and taking it back


def test_the_pace_is_found_again_from_windows(tmp_path: Path) -> None:
    case = load_case(made_up(tmp_path, ('use = "qualitative"', 'use = "calibration"'), ("days = 30", "days = 400")))
    codes = ["AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA"]
    # Agreements whose days are the deciles of an exponential with a rate of 0.05 a day.
    days = [round(-math.log(1 - (k + 0.5) / 10) / 0.05) for k in range(10)]
    text = "".join(row(code, "accept", day) for code, day in zip(codes, days, strict=True))
    case = load_case(
        made_up(
            tmp_path,
            ("days = 30", "days = 400"),
            ('state = "NM"\nanswer = "accept"\nday = 3', 'state = "NM"\nanswer = "offer"\nday = 3'),
            ("[case]", '[assumptions]\n"review.days" = 0.0\n[case]'),
            more=text,
        )
    )
    told = on.days_of_yes(case)
    hurry = math.exp(on.mean_of("decide.conviction") * 1.5)
    assert on.PACE[told.argmax()] * hurry == pytest.approx(0.05, rel=0.2)
    posterior = on.pace_of([case])
    assert posterior.sum() == pytest.approx(1.0)


def test_how_many_had_agreed_counts_for_all_governors(tmp_path: Path) -> None:
    few, many = (
        load_case(
            made_up(
                tmp_path,
                ("[case]", '[assumptions]\n"review.days" = 0.0\n[case]'),
                more=row("ALL", "accept", 10, states=n),
            )
        )
        for n in (5, 40)
    )
    paces = [
        on.PACE[on.days_of_yes(case).argmax()] * math.exp(on.mean_of("decide.conviction") * 1.5) for case in (few, many)
    ]
    # 5 and 40 of 53 within eleven evenings of exponential waiting.
    assert paces == pytest.approx([-math.log(1 - 5 / 53) / 11, -math.log(1 - 40 / 53) / 11], rel=0.1)


def test_one_announcement_of_many_states_is_one_observation(tmp_path: Path) -> None:
    one = load_case(made_up(tmp_path, more=row("VT", "accept", 9)))
    two = load_case(made_up(tmp_path, more=row("VT", "accept", 9) + row("CA", "accept", 9)))
    assert np.array_equal(on.days_of_yes(one), on.days_of_yes(two))


def test_more_withdrawals_after_an_incident_raise_the_burst(tmp_path: Path) -> None:
    shock = '[[shocks]]\nkind = "incident"\nday = 10\n'
    yes = row("VT", "accept", 4)
    some, none = (load_case(made_up(tmp_path, more=shock + yes + more)) for more in (row("VT", "withdraw", 12), ""))
    support = {"NM": 1.0, "VT": 0.0}
    left, stayed = on.bursts(some, support, 10), on.bursts(none, support, 10)
    assert (np.diff(left - stayed) > 0).all()
    assert on.quiet_days(none, {"NM": 0.0}, 2.0) == (0, pytest.approx(27.0))
    # A withdrawal long after the incident is one of a quiet day.
    late = load_case(made_up(tmp_path, more=shock + yes + row("VT", "withdraw", 25)))
    assert on.quiet_days(late, {"VT": 0.0}, 2.0) == (1, pytest.approx(21.0))
    assert on.quiet_days(some, {"VT": 0.0}, 2.0)[0] == 0


def test_a_change_of_side_moves_the_days_at_risk(tmp_path: Path) -> None:
    shock = '[[shocks]]\nkind = "turnover"\nday = 13\nstate = "NM"\nside = "other_side"\n'
    case = load_case(made_up(tmp_path, more=shock))
    slope = on.mean_of("withdraw.slope")
    assert on.quiet_days(case, {"NM": 1.0}, 2.0)[1] == pytest.approx(
        10 * math.exp(-slope) + 17 * math.exp(-slope * (1.0 - 4.0))
    )


# --- the ramp


def test_the_nearest_draws_are_kept_and_every_case_counts_the_same() -> None:
    values = np.zeros((100, 1))
    near = RampDraws(("a",), values, np.arange(100.0))
    far = RampDraws(("a",), values, np.where(np.arange(100) == 0, 1e6, 0.0))
    kept = ramps.nearest([near])
    assert np.flatnonzero(kept).tolist() == [0, 1, 2, 3, 4]
    assert not ramps.nearest([near, far])[0]


def test_a_ramp_uses_one_measure_of_presence_at_a_time() -> None:
    measure, counts = ramps.counts_of(BY_NAME["ojs_2006"])
    assert measure == "in_border_states"
    assert (46, 2547) in counts
    assert (46, 483) not in counts
    assert {case.name for case in ramps.cases_with_ramps(CASES)} == {"ojs_2006", "guardian_2018"}


def test_a_draw_is_the_same_in_every_case_and_draws_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = [
        replace(case, scenario=replace(case.scenario, days=40, changes=(), shocks=()))
        for case in ramps.cases_with_ramps(CASES)
    ]
    monkeypatch.setattr(ramps, "FEWEST_COUNTS", 1)
    made = [ramps.kept_or_made(case, tmp_path, 12, 4) for case in small]
    assert np.array_equal(made[0].values, made[1].values)
    assert not np.array_equal(made[0].distance, made[1].distance)
    low, _, high = on.assumed()["ramp"]["before"]["volunteers.pace"]
    assert ((made[0].values[:, 0] >= low) & (made[0].values[:, 0] <= high)).all()
    assert len(list(tmp_path.glob("*.npz"))) == 2
    monkeypatch.setattr(ramps, "draws_of", None)
    again = ramps.kept_or_made(small[0], tmp_path, 12, 4)
    assert np.array_equal(again.distance, made[0].distance)
    with pytest.raises(TypeError):
        ramps.kept_or_made(small[0], tmp_path, 12, 5)


def test_seats_follow_the_draws_that_came_near(full: Fit, tables: Tables) -> None:
    seats = full.parameters["training.seats"]
    assert seats.is_carried
    assert seats.mean == pytest.approx(1050, abs=60)
    assert seats.cases == ("ojs_2006", "guardian_2018")
    assert full.kept_draws == 20
    assert full.beside["training.seats"] < 0.1
    assert not full.parameters["volunteers.pace"].cases == ()


# --- holding out


def test_a_case_held_out_leaves_no_trace_in_its_fit(tables: Tables) -> None:
    name = "guardian_2018"
    turned = replace(
        BY_NAME[name],
        observed=tuple(
            r.model_copy(update={"answer": "decline", "day": None, "precision": "month"})
            for r in BY_NAME[name].observed
        ),
        troops=(),
    )
    other = [turned if case.name == name else case for case in CASES]
    for how in ("one", "forward"):
        before, after = (held_out(cases, how, tables, [name])[name] for cases in (CASES, other))
        assert name not in before.cases
        assert before == after
    # The whole fit does see it.
    assert fit(CASES, tables).weights != fit(other, tables).weights


def test_forward_fits_see_only_what_came_before() -> None:
    seen = [case.name for case in others_of(BY_NAME["guardian_2018"], CASES, "forward")]
    assert seen == ["katrina_2005", "ojs_2006", "phalanx_2010"]
    assert len(others_of(BY_NAME["guardian_2018"], CASES, "one")) == len(CASES) - 1
    with pytest.raises(InputError, match="did you mean 'forward'"):
        held_out(CASES, "forwards", Tables({}))


def test_facts_from_memory_can_be_left_out_of_a_fit(tables: Tables) -> None:
    without = [case.without_memory() for case in CASES]
    case = next(case for case in without if case.name == "ols_emac_2023")
    assert len(case.answers) < len(BY_NAME["ols_emac_2023"].answers)
    assert not any(row.from_memory for one in without for row in one.observed)
    assert fit(without, tables).parameters["support.party"] != fit(CASES, tables).parameters["support.party"]


def test_a_fit_is_drawn_as_it_is_written_and_sets_all_that_it_fits(full: Fit, tables: Tables) -> None:
    (left, *_rest) = fit([BY_NAME["phalanx_2010"]], tables).variants()
    assert {*full.parameters, "support.mission"} == set(left.values) == set(left.ranges)
    variants = full.variants()
    assert [variant.weight for variant in variants] == list(full.weights)
    party = full.parameters["support.party"]
    assert variants[0].ranges["support.party"] == (party.low, party.high)
    low, mode, high = party.low, party.value, party.high
    mean, sd = calibration._of_triangle(low, mode, high)
    assert (mean, sd) == (pytest.approx(party.mean, abs=0.01), pytest.approx(party.sd, abs=0.01))
    assert all(low <= variants[0].values[name] <= high for name, (low, high) in variants[0].ranges.items())  # type: ignore[operator]


def test_what_cannot_be_told_apart_is_named(full: Fit) -> None:
    pairs = {(a, b): why for a, b, why in inseparable(full, CASES, at_least=0.0)}
    assert pairs["support.status.state_active_duty", "support.mission"] == "only ols_emac_2023 asks under this status"
    assert ("incident.size", "withdraw.burst") in pairs
    assert ("support.party", "support.vote") in pairs
    strong = inseparable(full, CASES, at_least=0.99)
    assert not any("correlation" in why for _, _, why in strong)


# --- the register


def test_the_register_holds_what_the_record_says_of_who_and_when(full: Fit) -> None:
    found = {name: fitted for name, fitted in full.parameters.items() if fitted.is_carried and name not in ramps.FITTED}
    assert {"support.party", "support.vote", "decide.pace", "withdraw.base", "withdraw.burst"} <= set(found)
    for name, fitted in found.items():
        assert (register()[name].value, register()[name].range) == (fitted.value, (fitted.low, fitted.high)), name
    assert np.allclose(full.weights, [part.weight for part in register()["support.mission"].mixture], atol=0.005)


def test_no_draw_of_the_ramp_comes_from_what_a_fit_may_write(full: Fit) -> None:
    """Or a second fit would begin from the first, and say something else."""
    case = ramps.cases_with_ramps(CASES)[0]
    held = set(on.assumed()["ramp"]["before"]) | {consent.PARTY, consent.VOTE}
    assert set(full.parameters) == held
    assert not held & set(case.scenario.values)


def test_a_fit_changes_the_register_where_it_should_and_nowhere_else(full: Fit, tmp_path: Path) -> None:
    path = tmp_path / "parameters.toml"
    shutil.copy(rewrite.REGISTER, path)
    old = path.read_text(encoding="utf-8")
    changes = rewrite.write(full, "99.0.0", TODAY, path)
    new = path.read_text(encoding="utf-8")
    assert {"support.party", "support.mission", "withdraw.burst"} <= set(changes)
    told = tomllib.loads(new)
    assert told["model_version"] == "99.0.0"
    party = full.parameters["support.party"]
    assert told["support.party"]["value"] == party.value
    assert told["support.party"]["range"] == [party.low, party.high]
    cases = "ojs_2006, phalanx_2010, guardian_2018, ols_emac_2023"
    assert told["support.party"]["source"] == f"fit to {cases}; python -m sim calibrate; 2030-01-02"
    assert [part["label"] for part in told["support.mission"]["mixture"]] == [p["label"] for p in on.regimes()]
    assert isinstance(told["training.seats"]["value"], int)
    # Everything else stands as it did: comments, order, notes.
    kept = [line for line in old.splitlines() if line.startswith(("#", "[", "note", "label"))]
    assert [line for line in new.splitlines() if line.startswith(("#", "[", "note", "label"))] == kept
    assert len(old.splitlines()) == len(new.splitlines())
    moved = {name for name, entry in tomllib.loads(old).items() if told[name] != entry}
    assert moved == {*changes, "model_version"}
    for name, keys in changes.items():
        low, high = register()[name].limits or (-math.inf, math.inf)
        if "range" in keys:
            value = keys.get("value", register()[name].value)
            assert low <= keys["range"][0] <= value <= keys["range"][1] <= high


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.0.0", "must be higher than the register's"),
        ("two", "is not three numbers with dots"),
        ("1.2", "three numbers"),
    ],
)
def test_a_version_must_be_a_new_one(version: str, told: str, full: Fit, tmp_path: Path) -> None:
    path = tmp_path / "parameters.toml"
    shutil.copy(rewrite.REGISTER, path)
    with pytest.raises(InputError, match=told):
        rewrite.write(full, version, TODAY, path)
    assert path.read_text(encoding="utf-8") == rewrite.REGISTER.read_text(encoding="utf-8")


def test_an_entry_or_a_line_that_is_not_there_is_told() -> None:
    text = 'model_version = "1.0.0"\n["a.b"]\nvalue = 1\n["c"]\nrange = [0, 1]\n'
    assert rewrite.rewritten(text, {"a.b": {"value": 2.5}}, "1.1.0").splitlines()[2] == "value = 2.5"
    with pytest.raises(InputError, match="d is not an entry"):
        rewrite.rewritten(text, {"d": {"value": 2}}, "1.1.0")
    with pytest.raises(InputError, match="a.b has no line range ="):
        rewrite.rewritten(text, {"a.b": {"range": [0, 2]}}, "1.1.0")


def test_calibrate_tells_and_writes_nothing_unless_asked(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ramps, "kept_or_made", lambda case, *rest: tables.ramps[case.name])
    before = rewrite.REGISTER.read_bytes()
    done = CliRunner().invoke(app, ["calibrate", "--json", "--out", str(tmp_path / "fit.json")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["written"] is False
    assert set(told["left_out"]) == set(told["cases"]) == {"ojs_2006", "phalanx_2010", "guardian_2018", "ols_emac_2023"}
    assert told["changes"]["support.party"]["value"] == told["parameters"]["support.party"]["value"]
    assert json.loads((tmp_path / "fit.json").read_text(encoding="utf-8"))["cases"] == told["cases"]
    done = CliRunner().invoke(app, ["calibrate", "--write"])
    assert done.exit_code == 2
    assert "--write needs --version" in done.stderr
    done = CliRunner().invoke(app, ["calibrate", "--write", "--version", "0.9.0"])
    assert done.exit_code == 2
    assert "must be higher" in done.stderr
    assert rewrite.REGISTER.read_bytes() == before
