"""Results: what one run leaves behind, as plain arrays, and the hash that two runs share when they are the same."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from sim.parameters import ROLES

# Statuses of a state, by code. `sending` is the Guard that the President commands: nobody there has an answer to give.
STATUSES = (
    "not asked",
    "undecided",
    "accepted",
    "accepted with limits",
    "declined",
    "no answer",
    "withdrawn",
    "federalized",
    "sending",
)
NOT_ASKED, UNDECIDED, ACCEPTED, LIMITED, DECLINED, NO_ANSWER, WITHDRAWN, FEDERALIZED, SENDING = range(9)

# Where people are, by code; the last three and the first are running totals.
STAGES = (
    "entered",
    "screening",
    "waiting for a seat",
    "training",
    "awaiting a supervisor",
    "travel",
    "in place",
    "screened out",
    "returned",
    "left",
)
ENTERED, SCREENING, WAITING, TRAINING, AWAITING, TRAVEL, IN_PLACE, SCREENED_OUT, RETURNED, LEFT = range(10)
SERVING = slice(SCREENING, IN_PLACE + 1)


class Event(NamedTuple):
    """One line of the event log; the first seven fields are those that vidigi animates."""

    entity_id: str
    pathway: str
    event_type: str
    event: str
    time: int
    run_number: int
    resource_id: str
    state: str
    cause: str
    people: int


class Decision(NamedTuple):
    """What a governor said and why.

    terms
        The terms of support in the order of `governors.TERMS`, the role's last; their sum is the support.
    threshold
        Support at which this day's luck would have tipped the answer the other way.
    role
        The role on which the answer turned, or -1 where no asked role was open.
    permitted
        Roles permitted from now on, as bits.
    """

    day: int
    state: int
    answer: str
    ask: int
    role: int
    support: float
    threshold: float
    terms: tuple[float, ...]
    permitted: int
    offered: int
    quota: int
    chance: float
    is_forced: bool = False


@dataclass
class Run:
    """One run in full.

    people
        Shape (n_days, n_states, n_roles, n_stages), whole people at each evening.
    status, permitted
        Shape (n_days, n_states): codes of STATUSES, and roles permitted as bits.
    officers
        Shape (n_days, 2): hired and deputized officers available.
    below_reserve, missing
        Shape (n_days,): states with fewer people at home than their reserve; people missing for a disaster.
    approval_day
        Day of approval, or None.
    decisions, events
        In the order in which they happened; events only when asked for.
    """

    draw: int | None
    replication: int
    codes: tuple[str, ...]
    p: Any
    approval_day: int | None
    people: NDArray[np.int32]
    status: NDArray[np.int8]
    permitted: NDArray[np.int8]
    officers: NDArray[np.int64]
    below_reserve: NDArray[np.int64]
    missing: NDArray[np.int64]
    decisions: Sequence[Decision] = ()
    events: list[Event] = field(default_factory=list)

    @property
    def in_place(self) -> NDArray[np.int64]:
        """Troops in place by evening, shape (n_days,)."""
        return self.people[..., IN_PLACE].sum(axis=(1, 2), dtype=np.int64)

    @property
    def hash(self) -> int:
        """64 bits over the daily counts, statuses and roles."""
        return run_hash(self.people, self.status, self.permitted, self.officers)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64, elementwise (Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# One odd weight per role and stage, and one each for what a state has said and for the step to the next day: a hash that
# is linear inside a day costs compiled code next to nothing, and 32 bits inside a day half as much as 64.
COUNT_WEIGHTS = (_mixed(np.arange(1, len(ROLES) * len(STAGES) + 1, dtype=np.uint64) * _GOLDEN) | np.uint64(1)).astype(
    np.uint32
)
STATUS_WEIGHT, DAY_WEIGHT = (_mixed(np.array([101, 102], np.uint64) * _GOLDEN) | np.uint64(1)).tolist()


def run_hash(
    people: NDArray[np.int32], status: NDArray[np.int8], permitted: NDArray[np.int8], officers: NDArray[np.int64]
) -> int:
    """One run as 64 bits: a weighted sum over each state's day, a polynomial over its days, mixed with its place, summed.

    The officers of the other channels follow as if they were one more state. Sums inside a day wrap at 2**32, all others
    at 2**64; weights are odd, so one wrong count is always seen.
    """
    n_days, n_states = status.shape
    counts = people.reshape(n_days * n_states, -1).astype(np.uint32) @ COUNT_WEIGHTS
    said = status.astype(np.uint64) * np.uint64(64) + permitted.astype(np.uint64)
    days = counts.astype(np.uint64).reshape(n_days, n_states) + said * np.uint64(STATUS_WEIGHT)
    days = np.column_stack([days, officers.astype(np.uint32) @ COUNT_WEIGHTS[:2]])
    powers = np.ones(n_days, np.uint64)
    powers[1:] = np.multiply.accumulate(np.full(n_days - 1, DAY_WEIGHT, np.uint64))
    places = np.arange(1, n_states + 2, dtype=np.uint64) * _GOLDEN
    return int(_mixed((powers[::-1] @ days) ^ places).sum(dtype=np.uint64))


# What is kept of every run by day, in this order: statuses of governors, people by stage, in place by role, the rest.
STATUS_SERIES = {
    "not_asked": (NOT_ASKED,),
    "undecided": (UNDECIDED,),
    "agreeing": (ACCEPTED, LIMITED),
    "with_limits": (LIMITED,),
    "declined": (DECLINED,),
    "no_answer": (NO_ANSWER,),
    "withdrawn": (WITHDRAWN,),
    "federalized": (FEDERALIZED,),
}
STAGE_SERIES = {stage.replace(" ", "_"): k for k, stage in enumerate(STAGES)}
ROLE_SERIES = {f"in_place_{role}": k for k, role in enumerate(ROLES)}
OTHER_SERIES = ("dc_sending", "hired", "deputized", "below_reserve", "missing")
SERIES = (*STATUS_SERIES, *STAGE_SERIES, *ROLE_SERIES, *OTHER_SERIES)


def series_of(run: Run, has_governor: NDArray[np.bool_]) -> NDArray[np.int32]:
    """National totals of a run by day, shape (n_series, n_days); statuses count governors alone."""
    status = run.status[:, has_governor]
    rows = [np.isin(status, codes).sum(axis=1) for codes in STATUS_SERIES.values()]
    totals = run.people.sum(axis=1, dtype=np.int64)
    rows += [totals[:, :, stage].sum(axis=1) for stage in STAGE_SERIES.values()]
    rows += [totals[:, role, IN_PLACE] for role in ROLE_SERIES.values()]
    rows.append((run.status[:, ~has_governor] == SENDING).any(axis=1))
    rows += [run.officers[:, 0], run.officers[:, 1], run.below_reserve, run.missing]
    return np.array(rows, np.int32)


# The draw of the uncertainties (None: their defaults) and the replication, which is the luck.
Pair = tuple[int | None, int]


@dataclass(frozen=True, eq=False)
class Pairs(Sequence[Pair]):
    """The runs of a plan, worked out when they are asked for: draw r with luck r, every draw with every luck, or luck alone.

    draws
        None for draw r with luck r, 0 for luck alone.
    """

    draws: int | None
    replications: int

    def __len__(self) -> int:
        return max(self.draws or 1, 1) * self.replications

    @overload
    def __getitem__(self, k: int) -> Pair: ...
    @overload
    def __getitem__(self, k: slice) -> tuple[Pair, ...]: ...
    def __getitem__(self, k: int | slice) -> Pair | tuple[Pair, ...]:
        if isinstance(k, slice):
            return tuple(self._pair(each) for each in range(len(self))[k])
        return self._pair(range(len(self))[k])

    def __iter__(self) -> Iterator[Pair]:
        return map(self._pair, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Pairs) and (self.draws, self.replications) == (other.draws, other.replications):
            return True
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def _pair(self, k: int) -> Pair:
        if self.draws is None:
            return k, k
        draw, replication = divmod(k, self.replications)
        return (draw if self.draws else None), replication


@dataclass
class Ensemble:
    """All runs of one plan, reduced to what bands need; axes are in the order of the plan.

    pairs
        (draw, replication) of each run; draw None means the defaults.
    done
        Which runs have finished, shape (n_runs,).
    series
        Shape (n_runs, n_series, n_days), in the order of SERIES.
    status_counts
        Runs in which a state had a status, shape (n_days, n_states, n_statuses); of length 0 in `ensemble.run_pairs`.
    last_status
        Shape (n_runs, n_states).
    numbers
        Parameters of day 0 as plain numbers, shape (n_runs, n_parameters), in the order of the register.
    approval
        Day of approval, -1 where never, shape (n_runs,).
    hashes
        64 bits a run, 0 where none finished.
    errors
        What went wrong, by number of the run.
    luck_share
        By outcome, the part of the variance that is luck alone (None where it could not be told).
    """

    scenario: Any
    seed: int
    pairs: Sequence[Pair]
    codes: tuple[str, ...]
    done: NDArray[np.bool_]
    series: NDArray[np.int32]
    status_counts: NDArray[np.int32]
    last_status: NDArray[np.int8]
    numbers: NDArray[np.float64]
    approval: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    errors: dict[int, str] = field(default_factory=dict)
    events: dict[int, list[Event]] = field(default_factory=dict)
    luck_share: dict[str, float | None] = field(default_factory=dict)
    seconds: float = 0.0
    engine: str = "simpy"

    @property
    def n_days(self) -> int:
        """Evenings recorded."""
        return self.series.shape[2]

    @property
    def n_finished(self) -> int:
        """Runs that finished."""
        return int(self.done.sum())

    @property
    def n_failed(self) -> int:
        """Runs that failed."""
        return len(self.errors)

    @property
    def is_complete(self) -> bool:
        """Whether every run has finished or failed."""
        return self.n_finished + self.n_failed == len(self.pairs)

    def daily(self, name: str) -> NDArray[np.int32]:
        """One series of the runs that finished, shape (n_finished, n_days); read it and do not change it."""
        series = self.series[:, SERIES.index(name)]
        if not self.done.all():
            return series[self.done]
        # A thousand runs are 0.7 MB of each series: what all of them are read from need not be copied first.
        series.flags.writeable = False
        return series

    @property
    def digest(self) -> str:
        """SHA-256 over the hashes of all runs in the order of the plan; a run that failed counts as 0."""
        return hashlib.sha256(self.hashes.astype("<u8").tobytes()).hexdigest()
