"""Likelihoods: how well values of a few parameters explain what governors said and did in one case.

Who agrees is a logistic likelihood in the model's own terms of support, on a grid of party, vote and mission, so that nothing
has to converge. What a fit does not learn (role, status, load, scatter) stands at the mean of the register's range; the pull of
peers stands at what a governor has seen on average when it answers, half of the answers of its side that are known.
"""

import tomllib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.cases import Case
from sim.parameters import SEEDS, register
from sim.record import ANSWERS

Numbers = NDArray[np.float64]

FILE = SEEDS / "calibration.toml"
PARTY = np.linspace(-1.5, 5.1, 34)
VOTE = np.linspace(-0.3, 1.2, 16)
MISSION = np.linspace(-7.5, 8.5, 65)
# Quadrature points for the scatter of states, and of sides.
_OWN, _SIDES = 15, 3
_SUPPORT = np.linspace(-25.0, 25.0, 2001)
# What a governor has seen, on average, of its peers' answers when it gives its own.
SEEN = 0.5


@cache
def assumed() -> dict[str, Any]:
    """The priors of seeds/calibration.toml."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def mean_of(name: str) -> float:
    """The mean of what a draw draws for a parameter of the register that is not fitted."""
    entry = register()[name]
    if entry.kind != "uncertainty" or entry.range is None:
        return float(entry.value)  # type: ignore[arg-type]
    return (entry.range[0] + float(entry.value) + entry.range[1]) / 3.0  # type: ignore[arg-type]


def normal(x: Numbers, mean: float, sd: float) -> Numbers:
    """A normal density on a grid, adding up to 1."""
    density = np.exp(-0.5 * ((x - mean) / sd) ** 2)
    return density / density.sum()  # type: ignore[no-any-return]


def prior(name: str, grid: Numbers) -> Numbers:
    """The normal prior of a parameter on its grid."""
    return normal(grid, assumed()[name]["mean"], assumed()[name]["sd"])


def _quadrature(points: int) -> tuple[Numbers, Numbers]:
    at, weight = np.polynomial.hermite_e.hermegauss(points)
    return at, weight / weight.sum()


class Standing:
    """The states of a case whose answers are known: side, margin, what they said, and the support that no fit moves."""

    def __init__(self, case: Case) -> None:
        """Lay out a case."""
        homes = {state.code: state for state in case.scenario.world.states}
        self.codes = list(case.answers)
        self.said = np.array([case.answers[code] for code in self.codes], bool)
        self.side = np.array([homes[code].side for code in self.codes], float)
        self.margin = np.array([homes[code].margin for code in self.codes], float)
        status = str(case.scenario.value("request.status"))
        load = mean_of("support.load") * 10.0 * mean_of("mobilized")
        fixed = -mean_of(f"support.status.{status}") - mean_of("support.role.support") - load
        self.fixed = np.full(len(self.codes), fixed) + SEEN * self._peers(case)

    def _peers(self, case: Case) -> Numbers:
        """The pull of one's side and of one's neighbors, had all that is known been seen."""
        world = case.scenario.world
        place = {code: k for k, code in enumerate(self.codes)}
        lean = np.where(self.said, 1.0, -1.0)
        pull = np.zeros(len(self.codes))
        for k, code in enumerate(self.codes):
            peers = self.side == self.side[k]
            peers[k] = False
            if peers.any():
                pull[k] += mean_of("support.network") * lean[peers].mean()
            near = [place[world.codes[j]] for j in world.neighbors[world.position(code)] if world.codes[j] in place]
            if near:
                pull[k] += mean_of("support.neighbors") * lean[near].mean()
        return pull


def chance_of_yes(support: Numbers) -> Numbers:
    """The chance of a yes at a support, over the scatter of single states and of regions."""
    return np.interp(support, _SUPPORT, _chances())


@cache
def _chances() -> Numbers:
    scatter = np.hypot(mean_of("spread.own"), mean_of("spread.regional"))
    at, weight = _quadrature(_OWN)
    return (1.0 / (1.0 + np.exp(-(_SUPPORT[:, np.newaxis] + scatter * at)))) @ weight  # type: ignore[no-any-return]


def answers(case: Case, answered: float = 1.0) -> Numbers:
    """Log-likelihood of all known answers of a case, shape (PARTY, VOTE, MISSION), over the scatter between the sides.

    Parameters
    ----------
    answered
        Chance that a governor answers at all within the days simulated.
    """
    of = Standing(case)
    if not of.codes:
        return np.zeros((len(PARTY), len(VOTE), len(MISSION)))
    at, weight = _quadrature(_SIDES)
    yes, no = np.log(answered * _chances()), np.log1p(-answered * _chances())
    table = np.empty((len(PARTY), len(VOTE), len(MISSION)))
    moved = mean_of("spread.partisan") * at[:, np.newaxis] * of.side
    for k, party in enumerate(PARTY):
        known = of.fixed + party * of.side + VOTE[:, np.newaxis] * of.margin
        support = (known[:, np.newaxis, np.newaxis] + moved[:, np.newaxis]) + MISSION[:, np.newaxis]
        told = np.interp(support[..., of.said], _SUPPORT, yes).sum(axis=-1)
        told += np.interp(support[..., ~of.said], _SUPPORT, no).sum(axis=-1)
        most = told.max(axis=1, keepdims=True)
        table[k] = most[:, 0] + np.log(np.einsum("vsm,s->vm", np.exp(told - most), weight))
    return table


def regimes() -> list[dict[str, Any]]:
    """The kinds of mission, as assumed."""
    return list(assumed()["regimes"])


def by_regime(table: Numbers) -> Numbers:
    """Log-likelihood of a case under each kind of mission, shape (PARTY, VOTE, regimes), the mood of the nation included."""
    most = table.max(axis=2, keepdims=True)
    moods = [
        normal(MISSION, part["mean"], float(np.hypot(part["sd"], mean_of("spread.national")))) for part in regimes()
    ]
    return most + np.log(np.exp(table - most) @ np.array(moods).T + 1e-300)  # type: ignore[no-any-return]


# --- When

PACE = np.exp(np.linspace(np.log(0.002), np.log(4.0), 90))
CENTER = np.linspace(-5.5, 0.5, 61)
BETWEEN = np.linspace(0.05, 2.5, 50)


def days_of_yes(case: Case) -> Numbers:
    """Log-likelihood of the days of agreement in a case, over PACE.

    A statement of how many had agreed by which day counts for all; otherwise each announcement counts once, given that it came
    within the days simulated, because only agreements have days.
    """
    # A clear case brings answers sooner; the mean over a support of one and a half.
    rate = PACE * np.exp(mean_of("decide.conviction") * 1.5)
    wait = float(case.scenario.value("review.days"))  # type: ignore[arg-type]
    governors = sum(state.has_governor for state in case.scenario.world.states)

    def by(day: float) -> Numbers:
        return -np.expm1(-rate * max(day - wait + 1.0, 0.0))

    told = np.zeros(len(PACE))
    if case.signed:
        before, so_far = np.zeros(len(PACE)), 0
        for day, n in case.signed:
            told += (n - so_far) * np.log(by(day) - before + 1e-300)
            before, so_far = by(day), n
        return told + (governors - so_far) * np.log(1.0 - before + 1e-300)
    windows = {window for window in case.yes_days.values() if window.by is not None}
    for after, last in windows:
        inside = by(last) - (by(after) if after >= 0 else 0.0)  # type: ignore[arg-type]
        told += np.log(inside + 1e-300) - np.log(by(case.scenario.days) + 1e-300)
    return told


def share_answering(case: Case, mean: float, sd: float) -> float:
    """The share of governors who answer within the days simulated, where the logarithm of the pace is normal."""
    rate = PACE * np.exp(mean_of("decide.conviction") * 1.5)
    weight = normal(np.log(PACE), mean, sd)
    return float(weight @ -np.expm1(-rate * (case.scenario.days + 1.0)))


def pace_of(cases: list[Case]) -> Numbers:
    """Posterior over (CENTER, BETWEEN): where the logarithm of the pace lies, and how much it differs between requests."""
    center = prior("decide.pace", CENTER)[:, np.newaxis]
    scale = assumed()["decide.pace"]["between"]
    told = np.log(center) - 0.5 * (BETWEEN / scale) ** 2
    for case in cases:
        likelihood = days_of_yes(case)
        if not likelihood.any():
            continue
        spread = (np.log(PACE) - CENTER[:, np.newaxis, np.newaxis]) / BETWEEN[:, np.newaxis]
        shares = np.exp(-0.5 * spread**2)
        shares /= shares.sum(axis=2, keepdims=True)
        most = likelihood.max()
        told = told + most + np.log(shares @ np.exp(likelihood - most) + 1e-300)
    weight = np.exp(told - told.max())
    return weight / weight.sum()  # type: ignore[no-any-return]


# --- Taking it back

BURST = np.linspace(-5.0, 4.0, 91)
BASE = np.linspace(-11.0, -3.0, 81)


def bursts(case: Case, support: dict[str, float], start: int) -> Numbers:
    """Log-likelihood over BURST of who withdrew after an incident and who, having agreed, did not.

    Parameters
    ----------
    support
        By postal code, the support that a fit gives a state before the incident.
    start
        Day of the incident; withdrawals within `burst_days` and as many days again count, since an announcement may lag.
    """
    size = next(s.size for s in case.scenario.shocks if s.kind == "incident" and s.day == start)
    jump = mean_of("incident.size") if size is None else float(size)
    length = int(mean_of("withdraw.burst_days"))
    at, weight = _quadrature(_OWN)
    scatter = np.hypot(mean_of("spread.own"), mean_of("spread.regional")) * at
    told = np.zeros(len(BURST))
    for code, known in support.items():
        agreed = _agreed_on(case, code)
        day = case.withdrawals.get(code)
        if agreed is None or agreed > start or (day is not None and day < start):
            continue
        odds = BURST[:, np.newaxis] - mean_of("withdraw.burst_slope") * (known + jump + scatter)
        # Whoever has agreed has, as likely as not, more support than others of the same side.
        among = weight / (1.0 + np.exp(-(known + scatter)))
        leaves = (1.0 / (1.0 + np.exp(-odds))) @ (among / among.sum())
        has_left = day is not None and day <= start + 2 * length
        told += np.log(leaves if has_left else 1.0 - leaves)
    return told


def quiet_days(case: Case, support: dict[str, float], party: float) -> tuple[int, float]:
    """Withdrawals outside bursts, and the days at risk of them, each weighted by how readily that state withdraws.

    `support` as for `bursts`; `party` is what a change of side moves, once on each side.
    """
    events, exposure = 0, 0.0
    slope, last = mean_of("withdraw.slope"), case.scenario.days
    turned = {s.state: (s.day, s.new_side(case.scenario.world)) for s in case.scenario.shocks if s.kind == "turnover"}
    sides = {state.code: state.side for state in case.scenario.world.states}
    length = int(mean_of("withdraw.burst_days"))
    for code, known in support.items():
        agreed, day = _agreed_on(case, code), case.withdrawals.get(code)
        if agreed is None or agreed >= last:
            continue
        is_burst = day is not None and any(start <= day <= start + 2 * length for start in case.incidents)
        end = last if day is None else day
        events += day is not None and not is_burst
        change, side = turned.get(code, (last + 1, 0))
        exposure += max(min(end, change) - agreed, 0) * np.exp(-slope * known)
        if end > change:
            exposure += (end - change) * np.exp(-slope * (known + party * (side - sides[code])))
    return events, float(exposure)


def _agreed_on(case: Case, code: str) -> int | None:
    """The day of a state's first row that is a yes; a withdrawal alone tells that it had agreed before."""
    for row in case.within:
        if row.state == code and ANSWERS[row.answer] and row.day is not None:
            return row.day - 1 if row.answer == "withdraw" else row.day
    return None
