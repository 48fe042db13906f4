"""Influence: what moved a governor, whom it moved, and what tells a state that declines from one made to decline.

All of it reads finished runs; what has to be run again is handed out as a scenario, under the same luck.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from sim import governors as rules
from sim.outcomes import band
from sim.parameters import NEVER, register
from sim.reasons import YES, decisions_of
from sim.results import ACCEPTED, DECLINED, FEDERALIZED, LIMITED, NOT_ASKED, STATUSES, WITHDRAWN, Decision, Run
from sim.scenario import Answer, Scenario
from sim.setting import Setting
from sim.summary import Summary

# The terms of support that peers move, by the words of `governors.TERMS`.
NEIGHBORS, SIDE, HOST = "neighbors", "same side", "host does not consent"
LEANING = {ACCEPTED: 1, LIMITED: 1, DECLINED: -1, WITHDRAWN: -1}


# --- Who moved it


@dataclass(frozen=True)
class Peer:
    """One state whose answer stood in another's support.

    state
        Its position.
    term
        The term it entered, one of those of `governors.TERMS` that peers move.
    status
        Its status on the evening that the governor saw, a code of STATUSES.
    effect
        What it added to support, log-odds; the effects of a term add up to that term.
    """

    state: int
    term: str
    status: int
    effect: float


def moved_by(decision: Decision, setting: Setting, run: Run) -> list[Peer]:
    """The peers whose answers entered a decision, the largest effect first; all that count were seen the evening before."""
    # Before the first evening nobody had been asked; only laws that bar outsiders can weigh.
    status = run.status[decision.day - 1] if decision.day else np.zeros(len(run.codes), np.int8)
    found = [*_peers(decision, setting, status), *_hosts(decision, setting, status)]
    return sorted((peer for peer in found if peer.effect), key=lambda peer: -abs(peer.effect))


def sides(setting: Setting, evening: int) -> list[int]:
    """The side of each governor on an evening, after the turnovers so far; -1 is the evening before day 0."""
    found = [state.side for state in setting.world.states]
    for shock in sorted(setting.scenario.shocks, key=lambda shock: shock.day):
        if shock.kind == "turnover" and shock.day <= evening:
            found[setting.world.position(shock.state)] = shock.new_side(setting.world)
    return found


def _peers(decision: Decision, setting: Setting, status: NDArray[np.int8]) -> Iterator[Peer]:
    """What neighbors and governors of the same side added: each a share of the balance among those asked."""
    p, k, states = setting.levers[decision.day].p, decision.state, setting.world.states
    side = sides(setting, decision.day - 1)
    same = [j for j in range(len(states)) if j != k and side[j] == side[k]]
    for term, scale, group in (
        (NEIGHBORS, p.support_neighbors, setting.world.neighbors[k]),
        (SIDE, p.support_network, same),
    ):
        asked = [j for j in group if states[j].has_governor and status[j] not in (NOT_ASKED, FEDERALIZED)]
        for j in asked:
            yield Peer(j, term, int(status[j]), scale * LEANING.get(int(status[j]), 0) / len(asked))


def _hosts(decision: Decision, setting: Setting, status: NDArray[np.int8]) -> Iterator[Peer]:
    """What possible hosts that refuse took away: each its share of the strength of all that could be hosts."""
    levers, states = setting.levers[decision.day], setting.world.states
    p = levers.p
    hosts = [j for j, state in enumerate(states) if state.in_strip or not levers.in_strip]
    strength = sum(states[j].strength for j in hosts)
    for j in hosts:
        lean = LEANING.get(int(status[j]), 0) if states[j].has_governor else 0
        if lean < 0 or (states[j].bars_outsiders and lean == 0):
            share = states[j].strength / strength
            refusal = rules.host_refusal(
                levers.in_strip, p.law_reading > 0.0, p.mission_cross_state > 0.0, share, share
            )
            yield Peer(j, HOST, int(status[j]), -p.support_host * refusal)


# --- Whom it moved


def first_answer(run: Run, code: str) -> Decision | None:
    """The first yes or no of a state, or else the first deadline that it let pass; None if it had nothing to decide."""
    decisions = decisions_of(run, code)
    said = [decision for decision in decisions if decision.answer != "no answer"]
    return next(iter(said or decisions), None)


def otherwise(scenario: Scenario, decision: Decision, code: str) -> Scenario:
    """The scenario in which a state answers the other way: no for a yes, yes for a no or for silence.

    It says so on the day of the decision, and decides nothing else by itself: asked again, it declines again, or
    lets the deadline pass after a yes.
    """
    if decision.answer in YES:
        return declining(scenario, code, decision.day)
    return _given(scenario, code, [Answer(state=code, day=decision.day, answer="accept", roles=None, troops=None)])


def declining(scenario: Scenario, code: str, since: int = 0) -> Scenario:
    """The scenario in which a state declines whenever it is asked from a day on, and decides nothing by itself."""
    rounds = int(scenario.value("rounds.most"))  # type: ignore[arg-type]
    # One given answer is used up by one ask, and a state is given one answer a day.
    days = range(since, min(since + rounds, scenario.days + 1))
    return _given(
        scenario, code, [Answer(state=code, day=day, answer="decline", roles=None, troops=None) for day in days]
    )


def _given(scenario: Scenario, code: str, answers: Sequence[Answer]) -> Scenario:
    others = (answer for answer in scenario.answers if answer.state != code)
    return replace(scenario, answers=(*others, *answers))


@dataclass(frozen=True)
class Moved:
    """One state that did something else in a second run of the same luck.

    kind
        "answer", "day", or "people": the first of these in which the two differ.
    before, after
        What it did in each run, as (day, answer, people offered).
    """

    state: int
    kind: str
    before: tuple[tuple[int, str, int], ...]
    after: tuple[tuple[int, str, int], ...]


def moved(a: Run, b: Run) -> list[Moved]:
    """The states whose decisions differ between two runs, those with other answers first."""
    kinds = ("answer", "day", "people")
    found = []
    for k in range(len(a.codes)):
        before, after = (tuple((d.day, d.answer, d.offered) for d in run.decisions if d.state == k) for run in (a, b))
        if before != after:
            parts = ((1,), (0, 1), (0, 1, 2))
            kind = next(
                kind
                for kind, keep in zip(kinds, parts, strict=True)
                if [[row[n] for n in keep] for row in before] != [[row[n] for n in keep] for row in after]
            )
            found.append(Moved(k, kind, before, after))
    return sorted(found, key=lambda row: (kinds.index(row.kind), row.state))


# --- Given that it declines, and made to decline


def until(scenario: Scenario, day: int) -> Scenario:
    """The first days of a scenario: the same in every run up to that day, and nothing of what comes later.

    Federalization is taken out, so the day must lie before it.
    """
    values = {name: value for name, value in scenario.values.items() if name != "federalize.day"}
    rows = {
        key: tuple(row for row in getattr(scenario, key) if row.day <= day) for key in ("changes", "shocks", "answers")
    }
    return replace(scenario, days=day, values=values | {"federalize.day": NEVER}, **rows)  # type: ignore[arg-type]


def last_own_day(scenario: Scenario) -> int:
    """The last day on whose evening every governor's own answer stands: the last of all, or the one before federalization."""
    day = scenario.value("federalize.day")
    return scenario.days if day == NEVER else int(day) - 1  # type: ignore[arg-type]


@dataclass(frozen=True)
class Contrast:
    """One outcome in all runs, in those in which a state declines, and in all runs with it made to decline.

    everywhere, given, made
        Means over the runs in which the outcome happened; None where it happened in none.
    medians
        Of the three, None where half of the runs or more do not get there.
    selection
        given - everywhere.
    effect, low, high
        Mean of made - everywhere, run by run under the same luck, and the ends of its 95 % interval.
    """

    name: str
    everywhere: float | None
    given: float | None
    made: float | None
    medians: tuple[float | None, float | None, float | None]
    selection: float | None
    effect: float | None
    low: float | None
    high: float | None


def in_all(*summaries: Summary) -> list[list[int]]:
    """Where the runs that finished in each of some results of one plan stand, in each of them."""
    common = set(summaries[0].pairs).intersection(*(of.pairs for of in summaries))
    return [[n for n, pair in enumerate(of.pairs) if pair in common] for of in summaries]


def others_agreeing(of: Summary, k: int, governed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Governors other than that of state k who agree on the last day, one number for each finished run."""
    others = governed.copy()
    others[k] = False
    return np.isin(of.last_status[:, others], (ACCEPTED, LIMITED)).sum(axis=1).astype(float)


def contrast(
    name: str, everywhere: NDArray[np.float64], made: NDArray[np.float64], given: NDArray[np.bool_]
) -> Contrast:
    """One outcome of the same runs three times over.

    Parameters
    ----------
    everywhere, made
        The outcome in each run as it is, and with the state made to decline; NaN where it never happened.
    given
        The runs in which the state declines by itself.
    """
    change = (made - everywhere)[np.isfinite(made - everywhere)]
    effect = float(change.mean()) if len(change) else None
    half = 1.96 * float(change.std(ddof=1)) / math.sqrt(len(change)) if len(change) > 1 else None
    of = (everywhere, everywhere[given], made)
    means = [_mean(values) for values in of]
    return Contrast(
        name,
        means[0],
        means[1],
        means[2],
        tuple(band(values).median for values in of),  # type: ignore[arg-type]
        None if means[0] is None or means[1] is None else means[1] - means[0],
        effect,
        None if effect is None or half is None else effect - half,
        None if effect is None or half is None else effect + half,
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def tilt(
    numbers: NDArray[np.float64], given: NDArray[np.bool_], names: Sequence[str]
) -> list[tuple[str, float, float]]:
    """How the drawn values of some runs differ from those of all: (name, mean of all, mean of these), the largest first.

    Parameters
    ----------
    numbers
        Parameters as plain numbers, shape (n_runs, n_parameters).
    names
        What each column is called; only uncertainties of the register are compared, in units of their spread.
    """
    spread = numbers.std(axis=0)
    rows = [
        (abs(numbers[given, n].mean() - numbers[:, n].mean()) / spread[n], name, n)
        for n, name in enumerate(names)
        if spread[n] > 0 and name in register() and register()[name].kind == "uncertainty"
    ]
    return [(name, float(numbers[:, n].mean()), float(numbers[given, n].mean())) for _, name, n in sorted(rows)[::-1]]


def first_difference(row: Moved) -> tuple[str, str]:
    """The first decision in which a state's two histories differ, as it is read in each."""
    n = next(n for n, (x, y) in enumerate(zip_longest(row.before, row.after)) if x != y)
    before, after = (_words(rows[n]) if n < len(rows) else "nothing more" for rows in (row.before, row.after))
    return before, after


def _words(decision: tuple[int, str, int]) -> str:
    day, answer, people = decision
    return f"day {day}: {answer}{f', {people:,} people' if people else ''}"


def status_words(peer: Peer, setting: Setting) -> str:
    """What a peer had said by then."""
    if peer.term == HOST and LEANING.get(peer.status, 0) == 0:
        return f"{STATUSES[peer.status]}; its law bars outside forces"
    return STATUSES[peer.status]
