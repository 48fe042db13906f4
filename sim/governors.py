"""Rules: how a governor weighs a request.

Every function is pure and scalar: numbers in, numbers out, no objects, no random numbers. They are written once and
called by the SimPy model as plain Python; compiled code can call the same functions. Terms are signed so that their sum is the
support, in log-odds: 0 means even chances.

References
----------
Model note, section 5 (docs/model.md).
"""

import math
from collections.abc import Sequence

from sim.people import logistic

# The terms of support, in the order of `standing_terms` followed by `moving_terms`, with the parameter that scales each.
TERMS = (
    ("mission", "support.mission"),
    ("party", "support.party"),
    ("vote", "support.vote"),
    ("prior position", "support.pledge"),
    ("status", "support.status"),
    ("place", "support.place"),
    ("national mood", "spread.national"),
    ("mood of the side", "spread.partisan"),
    ("regional mood", "spread.regional"),
    ("this governor", "spread.own"),
    ("asked again", "support.fatigue"),
    ("host does not consent", "support.host"),
    ("disaster at home", "support.disaster"),
    ("already mobilized", "support.load"),
    ("neighbors", "support.neighbors"),
    ("same side", "support.network"),
    ("shocks", "incident.size"),
    ("federalization elsewhere", "federalize.echo"),
    ("role", "support.role"),
)


def standing_terms(
    mission: float,
    party: float,
    side: float,
    vote: float,
    margin: float,
    election: float,
    on_ballot: float,
    pledge: float,
    prior_position: float,
    status: float,
    place: float,
    in_strip: float,
    national: float,
    partisan: float,
    regional: float,
    own: float,
) -> tuple[float, ...]:
    """The ten terms of support that do not move from day to day.

    Parameters
    ----------
    margin
        Units of 10 points toward the requester's party.
    status
        The cost of the legal status asked for.
    in_strip
        1 when the mission is on the border strip.
    national, partisan, regional, own
        What this replication's luck adds, already in log-odds.
    """
    return (
        mission,
        party * side,
        vote * margin * (1.0 + election * on_ballot),
        pledge * prior_position,
        -status,
        place * in_strip,
        national,
        side * partisan,
        regional,
        own,
    )


def moving_terms(
    fatigue: float,
    asks: float,
    host: float,
    host_refusal: float,
    disaster: float,
    disaster_share: float,
    load: float,
    mobilized_share: float,
    neighbors: float,
    neighbor_balance: float,
    network: float,
    side_balance: float,
    shocks: float,
    echo: float,
    is_federalizing: float,
) -> tuple[float, ...]:
    """The eight terms of support that the day brings.

    Parameters
    ----------
    asks
        How often this state has been asked, 1 for the first time.
    host_refusal
        Share (0-1) of the strength of possible host states that has declined.
    disaster_share, mobilized_share
        Shares of the state's strength; the coefficients are per 10 %.
    neighbor_balance, side_balance
        (accepted - declined) / asked, from -1 to 1.
    shocks
        Sum of the jumps in force, faded.
    """
    return (
        -fatigue * (asks - 1.0),
        -host * host_refusal,
        -disaster * disaster_share * 10.0,
        -load * mobilized_share * 10.0,
        neighbors * neighbor_balance,
        network * side_balance,
        shocks,
        echo * is_federalizing,
    )


def added(terms: Sequence[float]) -> float:
    """The sum of terms from the first to the last: Python's own `sum` may round otherwise than compiled code."""
    total = 0.0
    for term in terms:
        total += term
    return total


def balance(leaning: int, asked: int) -> float:
    """The lean of the peers who were asked, accepted less declined: -1 (all declined) to 1 (all accepted); 0 where none was."""
    return leaning / asked if asked > 0 else 0.0


def chance_of_permitting(precision: float, support: float) -> float:
    """The chance that a governor permits a role with this support (quantal response)."""
    return logistic(precision * support)


def rate_of_answering(
    pace: float, conviction: float, support: float, clarity: float, ambiguity: float, deadline: float, is_last: float
) -> float:
    """The rate a day at which an undecided governor answers: never below the chance to answer within the day.

    Strong support or strong opposition hastens the answer, an ambiguous request delays it, and a deadline close by
    presses for it.

    Parameters
    ----------
    pace
        Answers a day at even support and full clarity.
    clarity
        How much ambiguity delays; ambiguity is the request's, 0-1.
    is_last
        1 on the last days before the deadline.
    """
    exponent = conviction * abs(support) - clarity * ambiguity + deadline * is_last
    return pace * math.exp(min(max(exponent, -50.0), 50.0))


def chance_of_answering(
    pace: float, conviction: float, support: float, clarity: float, ambiguity: float, deadline: float, is_last: float
) -> float:
    """The chance that an undecided governor answers today: see `rate_of_answering`."""
    return -math.expm1(-rate_of_answering(pace, conviction, support, clarity, ambiguity, deadline, is_last))


def rate_of_withdrawing(base: float, slope: float, ceiling: float, support: float) -> float:
    """The slow rate a day at which an accepting governor withdraws: it falls with support, never above the ceiling."""
    return min(math.exp(min(max(base - slope * support, -50.0), 50.0)), ceiling)


def chance_of_withdrawing(
    base: float,
    slope: float,
    ceiling: float,
    burst: float,
    burst_slope: float,
    burst_days: float,
    support: float,
    is_burst: float,
) -> float:
    """The chance that an accepting governor withdraws today.

    A slow rate (`rate_of_withdrawing`); within some days of a negative incident or a court order a burst, spread evenly
    over those days, comes on top.
    """
    stays = math.exp(-rate_of_withdrawing(base, slope, ceiling, support))
    if is_burst > 0.0:
        leaves = logistic(burst - burst_slope * support)
        stays *= (1.0 - leaves) ** (1.0 / burst_days)
    return 1.0 - stays


def host_refusal(
    in_strip: bool, is_permissive: bool, is_across: bool, refused: float, refused_in_strip: float
) -> float:
    """Share of possible hosts that refuse: other states when serving across lines, the strip's where that is contested."""
    if in_strip:
        # The permissive reading holds that federal land needs no host's consent.
        return 0.0 if is_permissive else refused_in_strip
    return refused if is_across else 0.0


def deciding_role(roles: int, costs: Sequence[float], is_bundled: bool) -> int:
    """The role on which an answer turns: the easiest of a menu, the hardest of a bundle; -1 where none is asked and open."""
    deciding = -1
    for r in range(len(costs)):
        if not roles >> r & 1:
            continue
        if deciding < 0 or (costs[r] > costs[deciding] if is_bundled else costs[r] < costs[deciding]):
            deciding = r
    return deciding


def most_offered(strength: float, reserve: float, mobilized: float, disaster_share: float, committed: float) -> float:
    """The most people that a governor can still offer: what lies above the reserve and is not busy elsewhere."""
    return max(0.0, (1.0 - reserve) * strength - mobilized * strength - disaster_share * strength - committed)


def offered(
    base: float, slope: float, spread: float, z: float, support: float, most: float, quota: float, cap: float
) -> int:
    """How many people a governor who says yes offers.

    A logit-normal share of at most `most` times the quota, but somebody, cut at what the state can give.

    Parameters
    ----------
    z
        Standard normal luck of this state and ask.
    quota
        People asked of this state.
    cap
        From `most_offered`.
    """
    share = logistic(base + slope * support + spread * z)
    return int(math.floor(min(max(share * most * quota, 1.0), cap)))


def chance_of_ordering(support: float, threshold: float) -> float:
    """The chance that a willing governor orders units once calling for volunteers has had its time."""
    return logistic(support - threshold)


def tipping_support(precision: float, u: float) -> float:
    """The support at which a governor with this luck would have answered the other way; NaN without precision.

    There `chance_of_permitting` is `u`.
    """
    if precision <= 0.0:
        return math.nan
    return math.log(u / (1.0 - u)) / precision


def is_permitted(support: float, threshold: float, u: float) -> bool:
    """Whether a role with this support is permitted: `u < chance_of_permitting(precision, support)`.

    Parameters
    ----------
    threshold
        `tipping_support(precision, u)`, one for all roles; where nothing tips the answer, luck alone decides.
    """
    return u < 0.5 if math.isnan(threshold) else support > threshold
