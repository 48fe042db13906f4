"""Capacity: which of three channels is first to a number of people, at what cost, and what would have to be true for each.

The Guard, deputizing and hiring know nothing of each other here. A channel is first in a run if it alone has as many people
as `capacity.target` on the earliest day on which any has; within the days of the run, or not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sim import compiled
from sim.breakeven import Breakeven, breakeven, typed
from sim.ensemble import pairs_of, run_ensemble
from sim.outcomes import OUTCOMES, PAID, first_day, number
from sim.parameters import InputError, Value, parameter
from sim.results import Ensemble
from sim.scenario import MOST_DAYS, Scenario
from sim.studies import Numbers, Truths

# Runs behind a share, in compiled code and without it.
RUNS, FEW_RUNS = 200, 24
# Values tried of each line before halving: both ends, and even steps between.
FIRST_VALUES = 5
# Values that a line tries, for the bar: the first ones, and as many halvings as its fineness takes.
USUAL_TRIES = 11
MOST_WHOLE = 250
Progress = Callable[[str, int, int], Any]


@dataclass(frozen=True)
class Channel:
    """One way to more people.

    title
        As it stands in a sentence.
    days
        The outcome that says when it has enough.
    series, paid
        Who is available, and who is paid for, by their names in `results.SERIES`.
    cost
        The parameter of a paid day.
    own
        What moves it most, and 1 where a higher value brings its people sooner, -1 where a lower one does.
    """

    title: str
    days: str
    series: str
    paid: tuple[str, ...]
    cost: str
    own: Mapping[str, int]


CHANNELS = {
    "guard": Channel(
        "the Guard",
        "days_to_capacity_by_guard",
        "in_place",
        PAID,
        "cost.guard",
        {"request.target": 1, "volunteers.share": 1, "support.mission": 1, "training.seats": 1},
    ),
    "deputizing": Channel(
        "deputizing",
        "days_to_capacity_by_deputizing",
        "deputized",
        ("deputized",),
        "cost.deputized",
        {"deputize.agencies": 1, "deputize.officers": 1, "deputize.training_days": -1},
    ),
    "hiring": Channel(
        "hiring",
        "days_to_capacity_by_hiring",
        "hired",
        ("hired",),
        "cost.hired",
        {
            "hiring.applicants": 1,
            "hiring.pass": 1,
            "hiring.seats": 1,
            "hiring.vetting_days": -1,
            "hiring.weeks": -1,
        },
    ),
}


# --- Of runs that have been made


def days_to(e: Ensemble) -> Numbers:
    """Day on which each channel has enough, NaN where it never has; shape (n_channels, n_finished)."""
    return np.array([OUTCOMES[channel.days].measure(e) for channel in CHANNELS.values()])


def first_of(days: Numbers) -> Truths:
    """In which runs each channel alone is first, from `days_to`; shape (n_channels, n_runs)."""
    known = np.where(np.isnan(days), np.inf, days)
    earliest = known.min(axis=0)
    at_once = known == earliest
    return np.asarray(at_once & np.isfinite(earliest) & (at_once.sum(axis=0) == 1), np.bool_)


def together(days: Numbers) -> Truths:
    """In which runs several channels have enough on the same earliest day; shape (n_runs,)."""
    return np.asarray(~np.isnan(days).all(axis=0) & ~first_of(days).any(axis=0), np.bool_)


def cost_until(e: Ensemble, channel: Channel) -> Numbers:
    """What a channel has cost when it has enough people, in USD; NaN where it never has. Shape (n_finished,)."""
    spent = (
        np.cumsum(sum(e.daily(stage).astype(np.int64) for stage in channel.paid), axis=1)
        * number(e, channel.cost)[:, np.newaxis]
    )
    days = OUTCOMES[channel.days].measure(e)
    has = ~np.isnan(days)
    cost = np.full(len(days), np.nan)
    cost[has] = spent[has, days[has].astype(int)]
    return cost


# --- What would have to be true


@dataclass(frozen=True)
class Line:
    """One thing that moves, and where the channel comes to be first in half of the runs.

    names
        What moves: one parameter over its range in the register, or several at once, each over its own.
    kind
        "one": a parameter alone. "own": all of the channel's own together, from their latest ends, which bring its people last,
        to their soonest, as a part between 0 and 1. "others": its own stand at their soonest ends, and those of the other
        channels go from their soonest to their latest.
    """

    channel: str
    kind: str
    names: tuple[str, ...]
    found: Breakeven

    @property
    def is_first_at(self) -> tuple[float, float]:
        """Shares of runs in which the channel is first, at the low and at the high end."""
        return self.found.shares[0], self.found.shares[-1]

    @property
    def at(self) -> float | None:
        """The value tried nearest to where the share comes to half, on the side where the channel is first in half of the runs."""
        if not self.found.brackets:
            return None
        a, b = self.found.brackets[0]
        return b if self.rises else a

    @property
    def rises(self) -> bool:
        """Whether the channel is first in half of the runs above the crossing rather than below."""
        share = dict(zip(self.found.values, self.found.shares, strict=True))
        return share[self.found.brackets[0][1]] >= 0.5


@dataclass(frozen=True)
class Needs:
    """What would have to be true for each channel to be first.

    shares
        Of the runs as the scenario has them, in which each channel is first.
    soonest
        For the channels of officers, the day on which they have enough with their own values at the soonest ends, however
        long that takes; None for never. Empty without compiled code.
    """

    scenario: Scenario
    seed: int
    runs: int
    shares: dict[str, float]
    soonest: dict[str, float | None]
    lines: tuple[Line, ...]

    def of(self, channel: str) -> list[Line]:
        """The lines of one channel."""
        return [line for line in self.lines if line.channel == channel]


def needs(scenario: Scenario, seed: int, runs: int | None = None, progress: Progress | None = None) -> Needs:
    """For each channel, where each of its own values and all of them together make it first in half of the runs.

    All values meet the same draws and luck. A parameter that moves is the same in every run; everything else stays as the
    scenario has it.

    Raises
    ------
    InputError
        If a run fails, or the scenario is given a value that it cannot take.
    """
    races = _Races(scenario, seed, runs or (RUNS if compiled.unavailable() is None else FEW_RUNS))
    names = [(channel, name) for channel, of in CHANNELS.items() for name in of.own]
    steps = _Steps(progress, len(names) + 2 * len(CHANNELS))
    shares = dict(zip(CHANNELS, map(float, races.first({}).mean(axis=1)), strict=True))
    lines: list[Line] = []
    for channel, of in CHANNELS.items():
        for name in of.own:
            lines.append(_alone(races, channel, name, seed, steps))
        own = Line(channel, "own", tuple(of.own), _path(races, channel, "own", seed, steps))
        lines.append(own)
        if own.found.brackets or own.is_first_at[1] >= 0.5:
            steps.skip()
        else:
            others = tuple(name for other, each in CHANNELS.items() if other != channel for name in each.own)
            lines.append(Line(channel, "others", others, _path(races, channel, "others", seed, steps)))
    return Needs(scenario, seed, races.runs, shares, races.soonest(), tuple(lines))


def _alone(races: "_Races", channel: str, name: str, seed: int, steps: "_Steps") -> Line:
    """One parameter over its range."""
    entry, place = parameter(name), list(CHANNELS).index(channel)
    low, high = _range(name)
    with_steps = steps.line(f"{CHANNELS[channel].title}: {entry.label}")

    def reached(value: float) -> Truths:
        with_steps()
        moved = typed(entry, round(value) if entry.whole else value)
        return np.asarray(races.first({name: moved})[place], np.bool_)

    found = breakeven(
        reached,
        low,
        high,
        # Whole numbers are tried one by one only where they are few.
        is_whole=entry.whole and high - low < MOST_WHOLE,
        on_log_scale=entry.scale == "log" and low > 0.0,
        seed=seed,
        first=FIRST_VALUES,
    )
    return Line(channel, "one", (name,), found)


def _path(races: "_Races", channel: str, kind: str, seed: int, steps: "_Steps") -> Breakeven:
    """Several parameters at once, as a part of their way."""
    place = list(CHANNELS).index(channel)
    with_steps = steps.line(f"{CHANNELS[channel].title}: {'all together' if kind == 'own' else 'against the others'}")

    def reached(part: float) -> Truths:
        with_steps()
        return np.asarray(races.first(on_the_way(channel, kind, part))[place], np.bool_)

    return breakeven(reached, 0.0, 1.0, seed=seed, first=FIRST_VALUES)


def on_the_way(channel: str, kind: str, part: float) -> dict[str, Value]:
    """The values of a line of several parameters at a part of the way, see `Line`."""
    own = {name: _between(name, part if kind == "own" else 1.0, sign) for name, sign in CHANNELS[channel].own.items()}
    if kind == "own":
        return own
    others = {
        name: _between(name, 1.0 - part, sign)
        for other, of in CHANNELS.items()
        if other != channel
        for name, sign in of.own.items()
    }
    return {**own, **others}


def _range(name: str) -> tuple[float, float]:
    ends = parameter(name).range
    if ends is None:
        raise InputError(f"{name} has no range in the register")
    return float(ends[0]), float(ends[1])


def _between(name: str, part: float, sign: int) -> Value:
    """A value of a parameter, at a part of the way from the end that brings people last to the one that brings them first."""
    entry = parameter(name)
    low, high = _range(name) if sign > 0 else _range(name)[::-1]
    value = low * (high / low) ** part if entry.scale == "log" and min(low, high) > 0.0 else low + (high - low) * part
    return round(value) if entry.whole else min(max(value, min(low, high)), max(low, high))


class _Races:
    """Days to enough people under the same draws and luck, whatever values are moved; each computed once.

    What moves only officers needs no run of the Guard: the channels know nothing of each other.
    """

    def __init__(self, scenario: Scenario, seed: int, runs: int) -> None:
        self.scenario, self.seed, self.runs = scenario, seed, runs
        self._known: dict[tuple[str, str], Numbers] = {}

    def first(self, values: Mapping[str, Value]) -> Truths:
        """Which channel is first in which run; shape (n_channels, n_runs)."""
        if compiled.unavailable() is not None:
            return first_of(self._kept("all", values, self._by_runs))
        of_guard = {name: value for name, value in values.items() if name in CHANNELS["guard"].own}
        others = {name: value for name, value in values.items() if name not in of_guard}
        guard = self._kept("guard", of_guard, self._by_runs)[:1]
        return first_of(np.concatenate([guard, self._kept("officers", others, self._of_officers)]))

    def _kept(self, what: str, values: Mapping[str, Value], make: Callable[[Scenario], Numbers]) -> Numbers:
        key = (what, repr(sorted(values.items())))
        if key not in self._known:
            self._known[key] = make(self.scenario.with_values(values))
        return self._known[key]

    def _by_runs(self, scenario: Scenario) -> Numbers:
        made = run_ensemble(scenario, self.seed, None, self.runs, with_twins=False)
        for k, text in made.errors.items():
            raise InputError(f"{scenario.name}: run {made.pairs[k]} failed, so runs cannot be compared: {text}")
        return days_to(made)

    def soonest(self) -> dict[str, float | None]:
        """See `Needs`."""
        if compiled.unavailable() is not None:
            return {}
        # The deputizing and the hiring of a run know no luck, so one run tells it.
        values = {**on_the_way("deputizing", "own", 1.0), **on_the_way("hiring", "own", 1.0)}
        days = self._of_officers(replace(self.scenario.with_values(values), days=MOST_DAYS))[:, 0]
        return {
            name: None if np.isnan(day) else float(day)
            for name, day in zip(("deputizing", "hiring"), days, strict=True)
        }

    def _of_officers(self, scenario: Scenario) -> Numbers:
        """Days of deputizing and of hiring, shape (2, n_runs)."""
        hired, deputized = compiled.officers(
            scenario, self.seed, [draw for draw, _ in pairs_of(None, self.runs)]
        ).swapaxes(0, 1)
        enough = np.full(self.runs, float(scenario.value("capacity.target")))  # type: ignore[arg-type]
        return np.array([first_day(deputized, enough), first_day(hired, enough)])


class _Steps:
    """What is told while lines are looked at: each line is as many steps as it usually tries values."""

    def __init__(self, progress: Progress | None, lines: int) -> None:
        self._tell = progress or (lambda stage, n, total: None)
        self._total, self._line = lines * USUAL_TRIES, -1

    def line(self, stage: str) -> Callable[[], None]:
        """Begin a line; the function that comes back is called for each value tried."""
        self._line += 1
        tried = iter(range(self._total))
        return partial(self._say, stage, self._line, tried)

    def _say(self, stage: str, line: int, tried: Any) -> None:
        self._tell(stage, line * USUAL_TRIES + min(next(tried), USUAL_TRIES - 1), self._total)

    def skip(self) -> None:
        """Pass over a line that need not be looked at."""
        self._line += 1


# --- In words


def in_words(line: Line) -> str:
    """A line as a sentence."""
    who = CHANNELS[line.channel].title
    who = who[0].upper() + who[1:]
    low, high = (f"{100 * share:.0f} %" for share in line.is_first_at)
    if line.kind == "one":
        return _one_in_words(line, who, low, high)
    if line.kind == "own":
        begin = f"{who} is first in half of the runs"
        what, toward = "all of its own values together", "soonest ends"
    else:
        begin = f"{who}, with its own values at their soonest ends, is first in half of the runs"
        what, toward = "the others' values together", "latest ends"
    if line.at is not None:
        values = on_the_way(line.channel, line.kind, line.at)
        told = "; ".join(f"{parameter(name).label} {_number(values[name])}" for name in line.names)
        return f"{begin} once {what} have gone {100 * line.at:.0f} % of the way to their {toward}: {told}."
    if min(line.found.shares) >= 0.5:
        return f"{begin} wherever {what} stand within their ranges."
    return f"{begin} at no point of the way of {what} to their {toward}: in {low} where it begins, in {high} where it ends."


def _one_in_words(line: Line, who: str, low: str, high: str) -> str:
    entry = parameter(line.names[0])
    ends = " to ".join(map(_number, _range(entry.name)))
    unit = f" {entry.unit}" if entry.unit else ""
    if line.at is not None:
        side = "at least" if line.rises else "at most"
        more = " It crosses half more than once; this is the first." if len(line.found.brackets) > 1 else ""
        return (
            f"{who} is first in half of the runs if {entry.label} ({entry.name}) is {side} {_number(line.at)}{unit} "
            f"(register: {ends}).{more}"
        )
    where = "everywhere" if min(line.found.shares) >= 0.5 else "nowhere"
    return (
        f"{who} is first in half of the runs {where} in the range of {entry.label} ({entry.name}, {ends}{unit}): in {low} "
        f"of the runs at its low end, in {high} at its high end."
    )


def soonest_in_words(found: Needs, channel: str) -> str:
    """On which day a channel of officers has enough at its soonest, or nothing where that is not known."""
    if channel not in found.soonest:
        return ""
    who, wanted = CHANNELS[channel].title, found.scenario.value("capacity.target")
    day = found.soonest[channel]
    when = "at no time that the model can look ahead" if day is None else f"on day {day:,.0f}"
    return (
        f"With its own values at their soonest ends {who} has {wanted:,} people {when}; "
        f"the runs end on day {found.scenario.days:,}."
    )


def _number(value: Value) -> str:
    """A number as it is read: small ones with the digits that count."""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
