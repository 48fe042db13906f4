"""Rules: how people come forward, are split, screened, trained and sent.

Pure and scalar, as in `sim.governors`. People are whole: a fractional flow becomes whole by differencing the floor of
its running total, and shares of whole numbers are settled by largest remainders in integer arithmetic.

References
----------
Model note, section 6 (docs/model.md).
"""

import math
from collections.abc import MutableSequence, Sequence


def logistic(x: float) -> float:
    """The logistic function, clipped where it could overflow."""
    return 1.0 / (1.0 + math.exp(-min(max(x, -700.0), 700.0)))


def logit(p: float) -> float:
    """The inverse of `logistic`, clipped at the ends."""
    if p <= 0.0:
        return -700.0
    if p >= 1.0:
        return 700.0
    return math.log(p / (1.0 - p))


def whole(total: float) -> int:
    """Whole people in a running total; a hair is added so that sums such as 0.1 + 0.2 count as they should."""
    return math.floor(total + 1e-9)


def whole_share(before: int, n: int, share: float) -> int:
    """Whole people out of n more, by the running total of a flow.

    Differencing the floor of the cumulative flow loses nobody: over any split of the same total the parts add up to
    the floor of the share of the total.

    Parameters
    ----------
    before
        People (or person-days) that this flow has seen so far.
    """
    return whole(share * (before + n)) - whole(share * before)


def volunteering_share(
    share: float,
    role: float,
    pay: float,
    is_paid_long: float,
    spread: float,
    z: float,
    calls: int,
    next_call: float,
) -> float:
    """The share of the people available who would volunteer for this call.

    Parameters
    ----------
    share
        In an even call, before everything else; 0 stays 0 and 1 stays 1.
    role
        Mean over the permitted roles, in log-odds.
    calls
        How many calls this state has had before; each reaches `next_call` of the share of the one before.
    """
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    even = logit(share) + role + pay * is_paid_long + spread * z
    return logistic(even) * next_call**calls


def reach_today(mobilized: float, disaster_share: float, lapse: float, is_lapse: float) -> float:
    """What disaster duty and a funding lapse leave of the daily chance to come forward (1 on a quiet day).

    Shares are small, so the lapse's jump in log-odds acts as a factor.
    """
    home = 1.0 - mobilized
    left = max(0.0, home - disaster_share) / home if home > 0.0 else 0.0
    return left * math.exp(lapse * is_lapse)


def available(strength: float, mobilized: float, disaster_share: float, not_deployable: float, busy: float) -> float:
    """People whom a call can reach: neither mobilized, nor on disaster duty, nor undeployable, nor already in the mission."""
    ready = strength * max(0.0, 1.0 - mobilized - disaster_share) * (1.0 - not_deployable)
    return max(0.0, ready - busy)


def come_forward(come: float, pool: float, offer: float, chance: float) -> float:
    """The running total of people who have come forward by tonight, cut at the offer.

    Repeated daily this is `pool * (1 - exp(-pace * t))` with `chance = 1 - exp(-pace)`.
    """
    if pool <= come:
        return come
    more = come + (pool - come) * chance
    if more > offer:
        more = offer
    return more if more > come else come


def screening_capacity(rate: float, reference: float, floor: float, strength: float) -> int:
    """People whom one state can screen in a day."""
    return int(max(floor, rate * strength / reference))


def split(n: int, weights: Sequence[int], parts: MutableSequence[int]) -> None:
    """Split n whole people over weights by largest remainder; ties go to the first. Fills `parts`.

    Where all weights are zero nobody is placed.
    """
    total = 0
    for weight in weights:
        total += weight
    left = n if total > 0 else 0
    if not left:
        for k in range(len(weights)):
            parts[k] = 0
        return
    for k, weight in enumerate(weights):
        part = n * weight // total
        parts[k] = part
        left -= part
    if not left:
        return
    # Remainders add up to `left` times the total and each is below it, so more of them are positive than people are left.
    remainders = [n * weight % total for weight in weights]
    while left > 0:
        best, most = 0, 0
        for k, remainder in enumerate(remainders):
            if remainder > most:
                best, most = k, remainder
        parts[best] += 1
        remainders[best] = 0
        left -= 1
