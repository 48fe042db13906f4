"""Calibration: the few parameters that the record can carry, fitted with their uncertainty.

Four steps, each small enough to follow. Who agrees: a posterior on a grid over party, vote and how common each kind of mission
is. When: the pace of answers and how much it differs from request to request. Taking it back: bursts after incidents, and quiet
days. The ramp: of many draws those that come nearest to the counts. A fit becomes values and ranges, so that what is drawn
afterwards is the fit's uncertainty and nothing else. `seeds/calibration.toml` holds what is assumed before.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim import consent, ramps
from sim import likelihoods as on
from sim.cases import Case
from sim.consent import Consent, moments
from sim.likelihoods import Numbers
from sim.parameters import InputError, Value, near_miss, register
from sim.ramps import TRIANGLE, RampDraws
from sim.replays import Variant

URGENCIES = ("planned", "emergency")
HELD_OUT = ("one", "forward")


@dataclass(frozen=True)
class Fitted:
    """One parameter before and after a fit.

    prior_mean, prior_sd, mean, sd
        Of prior and posterior; of the logarithm where the register draws on the log scale.
    value, low, high
        As a triangle to be drawn from: the posterior's, or the prior's where the record says too little.
    cases
        Those whose record moved it.
    """

    name: str
    prior_mean: float
    prior_sd: float
    mean: float
    sd: float
    value: float
    low: float
    high: float
    cases: tuple[str, ...]

    @property
    def narrowed(self) -> float:
        """Posterior over prior sd: 1 where the record says nothing."""
        return self.sd / self.prior_sd

    @property
    def is_carried(self) -> bool:
        """Whether the record narrows it enough to replace an assumption."""
        return bool(self.cases) and self.narrowed <= on.assumed()["carried"]


@dataclass(frozen=True)
class Fit:
    """A fit to some cases.

    cases
        Names of the cases that it saw.
    parameters
        By name.
    weights, memberships
        See `consent.Consent`.
    correlations
        Of pairs of parameters fitted together.
    beside
        What the ramp might be mistaken for: posterior over prior sd, by name.
    kept_draws
        How many draws of the ramp were kept.
    pace_of_emergencies
        The pace where days counted; case files assume it, and the register does not hold it.
    """

    cases: tuple[str, ...]
    parameters: dict[str, Fitted]
    weights: tuple[float, ...]
    memberships: dict[str, tuple[float, ...]]
    correlations: dict[tuple[str, str], float]
    beside: dict[str, float]
    kept_draws: int
    pace_of_emergencies: Fitted

    def variants(self) -> list[Variant]:
        """The fit as shares of runs, one for each kind of mission, drawn like the register's numbers.

        Every fitted parameter is set, also where it stays at its prior: the register may hold a fit to more cases.
        """
        values: dict[str, Value] = {}
        ranges: dict[str, tuple[float, float]] = {}
        for name, found in self.parameters.items():
            values[name] = int(found.value) if register()[name].whole else found.value
            ranges[name] = (found.low, found.high)
        variants = []
        for part, weight in zip(on.regimes(), self.weights, strict=True):
            mean, reach = part["mean"], TRIANGLE * part["sd"]
            mission = {"support.mission": mean}, {"support.mission": (mean - reach, mean + reach)}
            variants.append(Variant(weight, values | mission[0], ranges | mission[1]))
        return variants


def usable(cases: Sequence[Case]) -> list[Case]:
    """Cases that a fit of consent and pace may see."""
    return [case for case in cases if case.about.use == "calibration"]


@dataclass
class Tables:
    """What every fit draws on, worked out once: draws of the ramp by case; who agreed, by case and share answering."""

    ramps: dict[str, RampDraws]
    _answers: dict[tuple[str, float], Numbers] = field(default_factory=dict)

    def answers(self, case: Case, pace: Fitted) -> Numbers:
        """The log-likelihood of a case's answers, at the pace of a fit."""
        # In steps of a twentieth, since it moves little and each step is a table of its own.
        share = round(20.0 * on.share_answering(case, pace.mean, pace.sd)) / 20.0
        # Without rows that rest on memory a case has other answers.
        key = (f"{case.name} {sorted(case.answers.items())}", share)
        if key not in self._answers:
            self._answers[key] = on.answers(case, share)
        return self._answers[key]


def fit(cases: Sequence[Case], tables: Tables) -> Fit:
    """Fit to some cases; without any of use `calibration`, the priors.

    Parameters
    ----------
    cases
        All that may be seen. Consent, pace and ramp look at those of use `calibration`, bursts at every incident.
    tables
        With the ramps of these cases at least.
    """
    seen = usable(cases)
    emergencies = [case for case in cases if case.about.urgency == "emergency"]
    paces = {
        "planned": _pace([case for case in seen if case.about.urgency == "planned"]),
        "emergency": _pace(emergencies),
    }
    answers = {
        case.name: tables.answers(case, paces[case.about.urgency])
        for case in cases
        if case.answers and (case in seen or case.incidents)
    }
    agreed = consent.posterior({case.name: answers[case.name] for case in seen if case.name in answers})
    names = [case.name for case in seen if case.name in answers]
    found = {
        name: _fitted(name, moments(grid, agreed.grid.sum(axis=axis)), names)
        for name, grid, axis in ((consent.PARTY, on.PARTY, 1), (consent.VOTE, on.VOTE, 0))
    }
    found["decide.pace"] = paces["planned"]
    found |= _withdrawals(cases, answers, agreed)
    kept = {case.name: tables.ramps[case.name] for case in ramps.cases_with_ramps(cases)}
    ramp, beside, together, n_kept = _ramp(kept)
    return Fit(
        cases=tuple(case.name for case in seen),
        parameters=found | ramp,
        weights=agreed.weights,
        memberships=agreed.memberships,
        correlations=agreed.correlations | together,
        beside=beside,
        kept_draws=n_kept,
        pace_of_emergencies=paces["emergency"],
    )


def _fitted(
    name: str,
    after: tuple[float, float],
    cases: Sequence[str],
    before: tuple[float, float] | None = None,
    ends: tuple[float, float, float] | None = None,
) -> Fitted:
    """A parameter as it would stand in the register: a triangle of the same mean and sd, cut at what the register allows.

    Parameters
    ----------
    after, before
        Mean and sd of posterior and prior; the prior of seeds/calibration.toml by default.
    ends
        The prior's own triangle, where it is none of a normal.
    """
    entry = register()[name]
    before = before or (on.assumed()[name]["mean"], on.assumed()[name]["sd"])
    found = Fitted(name, *before, *after, 0.0, 0.0, 0.0, tuple(cases))
    mean, sd = after if found.is_carried else before
    low, value, high = mean - TRIANGLE * sd, mean, mean + TRIANGLE * sd
    if entry.scale == "log":
        low, value, high = (float(np.exp(end)) for end in (low, value, high))
    if ends and not found.is_carried:
        low, value, high = ends
    elif ends:
        # Nobody comes forward at no pace, and nobody is trained without a seat.
        low = max(low, ends[0] / 10.0)
    least, most = entry.limits or (-np.inf, np.inf)
    # Two digits of its standard deviation are all that is known of it.
    decimals = 0 if entry.whole else max(0, 1 - math.floor(math.log10(sd)))
    ends_told = (min(max(end, least), most) for end in (low, value, high))
    low, value, high = (
        float(f"{end:.3g}") if entry.scale == "log" else round(end, decimals) + 0.0 for end in ends_told
    )
    return Fitted(name, *before, *after, value, low, high, tuple(cases))


def _pace(cases: Sequence[Case]) -> Fitted:
    """The pace of a request to come: the center's uncertainty, and how much requests differ."""
    grid = on.pace_of(list(cases))
    mean, own = moments(on.CENTER, grid.sum(axis=1))
    between = float((on.BETWEEN**2 * grid.sum(axis=0)).sum())
    assumed = on.assumed()["decide.pace"]
    # The half-normal that scatters requests has its scale as root mean square.
    before = float(np.hypot(assumed["sd"], assumed["between"]))
    used = [case.name for case in cases if on.days_of_yes(case).any()]
    return _fitted("decide.pace", (mean, float(np.sqrt(own**2 + between))), used, (assumed["mean"], before))


def _withdrawals(cases: Sequence[Case], answers: dict[str, Numbers], agreed: Consent) -> dict[str, Fitted]:
    """Bursts after incidents, and the chance of withdrawing on a quiet day."""
    party = moments(on.PARTY, agreed.grid.sum(axis=1))[0]
    told = {"withdraw.burst": np.log(on.prior("withdraw.burst", on.BURST))}
    told["withdraw.base"] = np.log(on.prior("withdraw.base", on.BASE))
    used: dict[str, list[str]] = {name: [] for name in told}
    for case in cases:
        if case.name not in answers:
            continue
        support = consent.supports(case, answers[case.name], agreed)
        for start in case.incidents:
            told["withdraw.burst"] = told["withdraw.burst"] + on.bursts(case, support, start)
            used["withdraw.burst"].append(case.name)
        if case.about.use == "calibration":
            events, exposure = on.quiet_days(case, support, party)
            told["withdraw.base"] = told["withdraw.base"] + events * on.BASE - exposure * np.exp(on.BASE)
            used["withdraw.base"].append(case.name)
    found = {}
    for name, grid in (("withdraw.burst", on.BURST), ("withdraw.base", on.BASE)):
        weight = np.exp(told[name] - told[name].max())
        found[name] = _fitted(name, moments(grid, weight / weight.sum()), used[name])
    return found


def _ramp(
    kept: dict[str, RampDraws],
) -> tuple[dict[str, Fitted], dict[str, float], dict[tuple[str, str], float], int]:
    """The ramp's parameters, what they might be mistaken for, correlations, and how many draws were kept."""
    ends = {name: tuple(on.assumed()["ramp"]["before"][name]) for name in ramps.FITTED}
    before = {name: _of_triangle(*ends[name]) for name in ramps.FITTED}
    if not kept:
        return {name: _fitted(name, before[name], (), before[name], ends[name]) for name in ramps.FITTED}, {}, {}, 0
    some = next(iter(kept.values()))
    is_near = ramps.nearest(list(kept.values()))
    near = some.values[is_near]
    found, beside = {}, {}
    for k, name in enumerate(some.names):
        after = float(near[:, k].mean()), float(near[:, k].std())
        if name in ramps.FITTED:
            found[name] = _fitted(name, after, list(kept), before[name], ends[name])
        beside[name] = after[1] / float(some.values[:, k].std())
    r = np.atleast_2d(np.corrcoef(near, rowvar=False))
    together = {(a, some.names[k]): float(r[j, k]) for k in range(len(r)) for j, a in enumerate(some.names[:k])}
    return found, beside, together, int(is_near.sum())


def _of_triangle(low: float, mode: float, high: float) -> tuple[float, float]:
    """Mean and standard deviation of a triangular distribution."""
    square = low**2 + mode**2 + high**2 - low * mode - low * high - mode * high
    return (low + mode + high) / 3.0, float(np.sqrt(square / 18.0))


def check_held_out(how: str) -> str:
    """The way of holding cases out, if it is one."""
    if how not in HELD_OUT:
        raise InputError(f"--held-out {how!r} is not one of {', '.join(map(repr, HELD_OUT))}{near_miss(how, HELD_OUT)}")
    return how


def held_out(cases: Sequence[Case], how: str, tables: Tables, names: Iterable[str] = ()) -> dict[str, Fit]:
    """By case (all, or those named), a fit that has not seen it.

    Parameters
    ----------
    how
        To all others (`one`), or to those that began before it (`forward`).
    """
    wanted = set(names) or {case.name for case in cases}
    check_held_out(how)
    return {case.name: fit(others_of(case, cases, how), tables) for case in cases if case.name in wanted}


def others_of(case: Case, cases: Sequence[Case], how: str) -> list[Case]:
    """The cases that may be seen when one is held out."""
    if how == "forward":
        return [other for other in cases if other.scenario.start < case.scenario.start]
    return [other for other in cases if other.name != case.name]


# --- What the record cannot tell apart


def inseparable(found: Fit, cases: Sequence[Case], at_least: float = 0.3) -> list[tuple[str, str, str]]:
    """Pairs that the record cannot tell apart, and why: by the cases at hand, or by how they move together in the fit."""
    pairs = []
    seen = [case for case in cases if case.name in found.cases]
    by_status: dict[str, list[str]] = {}
    for case in seen:
        by_status.setdefault(str(case.scenario.value("request.status")), []).append(case.name)
    for status, names in by_status.items():
        if len(names) == 1:
            pairs.append((f"support.status.{status}", "support.mission", f"only {names[0]} asks under this status"))
    sizes = {getattr(s, "size", None) for case in cases for s in case.scenario.shocks if s.kind == "incident"}
    if sizes == {None}:
        pairs.append(
            ("incident.size", "withdraw.burst", "every incident has the register's size, since none was measured")
        )
    for (a, b), r in sorted(found.correlations.items(), key=lambda pair: -abs(pair[1])):
        if abs(r) >= at_least:
            pairs.append((a, b, f"correlation {r:+.2f}"))
    for one in found.parameters.values():
        if not one.is_carried:
            pairs.append((one.name, "its prior", f"the posterior is {one.narrowed:.2f} times as wide"))
    return pairs


def as_told(found: Fit) -> dict[str, Any]:
    """A fit as plain words and numbers, for JSON."""
    return {
        "cases": found.cases,
        "parameters": {
            name: one.__dict__ | {"narrowed": one.narrowed, "is_carried": one.is_carried}
            for name, one in found.parameters.items()
        },
        "missions": {part["label"]: weight for part, weight in zip(on.regimes(), found.weights, strict=True)},
        "memberships": found.memberships,
        "correlations": [[a, b, r] for (a, b), r in found.correlations.items()],
        "beside": found.beside,
        "kept_draws": found.kept_draws,
        "pace_of_emergencies": found.pace_of_emergencies.__dict__,
    }
