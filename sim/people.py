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


# Running totals this far above the last whole person are worth a closer look.
ALMOST_ONE = 0.999


# Added to running totals so that sums such as 0.1 + 0.2 count as they should.
HAIR = 1e-9


def whole(total: float) -> int:
    """Whole people in a running total."""
    return math.floor(total + HAIR)


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
    first = logistic(even)
    return first * next_call ** float(calls) if calls > 0 else first


def mean_pull(pulls: Sequence[float], sizes: Sequence[int], permitted: int) -> float:
    """The mean pull of the permitted roles (as bits), weighted by how many people each asks for; 0 where none asks."""
    total, weighted = 0, 0.0
    for role in range(len(sizes)):
        if permitted >> role & 1:
            total += sizes[role]
            weighted += pulls[role] * sizes[role]
    return weighted / total if total > 0 else 0.0


def staying_share(reup: float, ordered_factor: float, is_ordered: bool) -> float:
    """The share of those whose tour ends who stay for another."""
    return reup * (ordered_factor if is_ordered else 1.0)


def reach_today(mobilized: float, disaster_share: float, lapse: float, is_lapse: float) -> float:
    """What disaster duty and a funding lapse leave of the daily chance to come forward (1 on a quiet day).

    Shares are small, so the lapse's jump in log-odds acts as a factor.
    """
    home = 1.0 - mobilized
    left = max(0.0, home - disaster_share) / home if home > 0.0 else 0.0
    return left * math.exp(lapse) if is_lapse > 0.0 else left


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


def short_at_home(strength: float, mobilized: float, serving: float, needed: float) -> float:
    """People who are missing at home where so many are needed; 0 where enough are left."""
    return max(0.0, needed - (strength * (1.0 - mobilized) - serving))


def role_weights(missing: Sequence[int], sizes: Sequence[int], roles: int, weights: MutableSequence[int]) -> None:
    """What people are split by over some roles (as bits): those missing; the request's sizes; or evenly. Fills `weights`."""
    for choice in range(3):
        found = False
        for r in range(len(missing)):
            n = missing[r] if choice == 0 else sizes[r] if choice == 1 else 1
            weights[r] = n if roles >> r & 1 else 0
            found = found or weights[r] > 0
        if found:
            return


# With more people than this left over, remainders are ranked by halving and not one by one.
_FEW = 4


def split(n: int, weights: Sequence[int], parts: MutableSequence[int]) -> None:
    """Split n whole people over weights by largest remainder; ties go to the first. Fills `parts`.

    Where all weights are zero nobody is placed.
    """
    total = 0
    for k in range(len(weights)):
        total += weights[k]
        parts[k] = 0
    if total <= 0 or n <= 0:
        return
    left = n
    for k in range(len(weights)):
        part = n * weights[k] // total
        parts[k] = part
        left -= part
    # What is left of a weight, in units of 1/total, is below the total, and negative once its part has been rounded up.
    if left > _FEW:
        low, high = 0, total
        while high - low > 1:
            middle = (low + high) // 2
            above = 0
            for k in range(len(weights)):
                if n * weights[k] - parts[k] * total >= middle:
                    above += 1
            if above > left:
                low = middle
            else:
                high = middle
        for k in range(len(weights)):
            if n * weights[k] - parts[k] * total >= high:
                parts[k] += 1
                left -= 1
    while left > 0:
        best, most = 0, 0
        for k in range(len(weights)):
            rest = n * weights[k] - parts[k] * total
            if rest > most:
                best, most = k, rest
        parts[best] += 1
        left -= 1
