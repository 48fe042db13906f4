"""Consent: what the answers of some cases say of party, vote and how common each kind of mission is, on a grid.

The grid is small enough to add up, so there is no sampler to tune: the same cases always give the same posterior.
"""

from dataclasses import dataclass

import numpy as np

from sim import likelihoods as on
from sim.cases import Case
from sim.likelihoods import Numbers

PARTY, VOTE = "support.party", "support.vote"


@dataclass(frozen=True)
class Consent:
    """A posterior.

    grid
        Over (likelihoods.PARTY, likelihoods.VOTE), adding up to 1.
    weights
        Expected share of each kind of mission, in the order of `likelihoods.regimes`.
    memberships
        By case, the chance that its mission was of each kind.
    correlations
        Between party, vote and the shares of missions, by their names.
    """

    grid: Numbers
    weights: tuple[float, ...]
    memberships: dict[str, tuple[float, ...]]
    correlations: dict[tuple[str, str], float]


def moments(grid: Numbers, weight: Numbers) -> tuple[float, float]:
    """Mean and standard deviation of weights on a grid that add up to 1."""
    mean = float((grid * weight).sum())
    return mean, float(np.sqrt((((grid - mean) ** 2) * weight).sum()))


def _shares_of_missions(step: int = 20) -> tuple[Numbers, Numbers]:
    """Shares of three kinds of mission on a grid, and their prior by the counts assumed (Dirichlet)."""
    cells = [(i, j, step - i - j) for i in range(step + 1) for j in range(step + 1 - i)]
    shares = (np.array(cells, float) + 1.0 / 3.0) / (step + 1.0)
    counts = np.array([part["count"] for part in on.regimes()])
    density = np.exp(((counts - 1.0) * np.log(shares)).sum(axis=1))
    return shares, density / density.sum()


def posterior(tables: dict[str, Numbers]) -> Consent:
    """The posterior from the tables of `likelihoods.answers`, by case; without any, the prior."""
    shares, density = _shares_of_missions()
    told = np.log(on.prior("support.party", on.PARTY))[:, np.newaxis] + np.log(on.prior("support.vote", on.VOTE))
    joint = told[..., np.newaxis] + np.log(density)
    kinds = {name: on.by_regime(table) for name, table in tables.items()}
    for kind in kinds.values():
        most = kind.max()
        joint = joint + most + np.log(np.exp(kind - most) @ shares.T + 1e-300)
    weight = np.exp(joint - joint.max())
    weight /= weight.sum()
    memberships = {}
    for name, kind in kinds.items():
        each = np.exp(kind - kind.max(axis=2, keepdims=True))[:, :, np.newaxis, :] * shares
        each /= each.sum(axis=3, keepdims=True)
        memberships[name] = tuple(float(share) for share in np.einsum("pvs,pvsk->k", weight, each))
    means = np.einsum("pvs,sk->k", weight, shares)
    return Consent(weight.sum(axis=2), tuple(float(mean) for mean in means), memberships, _correlations(weight, shares))


def _correlations(weight: Numbers, shares: Numbers) -> dict[tuple[str, str], float]:
    """How party, vote and the shares of missions move together in the posterior, shape (PARTY, VOTE, shares)."""
    at = {
        PARTY: np.broadcast_to(on.PARTY[:, np.newaxis, np.newaxis], weight.shape),
        VOTE: np.broadcast_to(on.VOTE[:, np.newaxis], weight.shape),
    }
    at |= {
        f"share of {part['label']}": np.broadcast_to(s, weight.shape)
        for part, s in zip(on.regimes(), shares.T, strict=True)
    }
    names = list(at)
    centered = {name: (values - (values * weight).sum()) for name, values in at.items()}
    sds = {name: np.sqrt((values**2 * weight).sum()) for name, values in centered.items()}
    return {
        (a, b): float((centered[a] * centered[b] * weight).sum() / (sds[a] * sds[b]))
        for k, b in enumerate(names)
        for a in names[:k]
        # Shares add up to 1, so among themselves they must move against each other.
        if a in (PARTY, VOTE)
    }


def missions(with_nation: bool = True) -> Numbers:
    """The density of each kind of mission on likelihoods.MISSION, with the mood of the nation or without; shape (kinds, n)."""
    nation = on.mean_of("spread.national") if with_nation else 0.0
    return np.array([on.normal(on.MISSION, part["mean"], float(np.hypot(part["sd"], nation))) for part in on.regimes()])


def mission_of(table: Numbers, consent: Consent, with_nation: bool = True) -> tuple[float, float]:
    """Mean and standard deviation of one case's own mission under a posterior."""
    near = np.einsum("pv,pvm->m", consent.grid, np.exp(table - table.max()))
    weight = near * (np.array(consent.weights) @ missions(with_nation))
    return moments(on.MISSION, weight / weight.sum())


def supports(case: Case, table: Numbers, consent: Consent) -> dict[str, float]:
    """By postal code, the support that the posterior gives a state, with the case's own mission."""
    party = moments(on.PARTY, consent.grid.sum(axis=1))[0]
    vote = moments(on.VOTE, consent.grid.sum(axis=0))[0]
    of = on.Standing(case)
    support = of.fixed + mission_of(table, consent)[0] + party * of.side + vote * of.margin
    return dict(zip(of.codes, support.tolist(), strict=True))
