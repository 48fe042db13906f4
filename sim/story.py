"""Stories: one run told as dated lines, and the reasons card of a state."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sim import governors
from sim.parameters import ROLES, model_version
from sim.reasons import YES, Flip, decisions_of, flips, threshold_of
from sim.report import NOT_A_FORECAST
from sim.results import ACCEPTED, LIMITED, Decision, Event, Run
from sim.setting import Setting

_QUIET = {"come forward", "takes seats", "in place", "goes home", "leaves", "moves to another role", "officers hired"}
_SENTENCES = {
    "approved": "The review ends: {people:,} people may be asked for.",
    "round": "The requester asks again: {people:,} people are missing.",
    "asked": "{state} is asked for {people:,}.",
    "asked again": "{state} is asked again, for {people:,}.",
    "accept": "{state} accepts: {people:,} people; roles: {cause}.",
    "accept with limits": "{state} accepts with limits: {people:,} people; roles: {cause}.",
    "accept more": "{state} adds {people:,} people; roles: {cause}.",
    "decline": "{state} declines.",
    "decline more": "{state} declines to add people and keeps what it gave.",
    "no answer": "{state} gives no answer: {cause}.",
    "withdraw": "{state} withdraws {cause}; {people:,} people go home.",
    "sends": "{state} sends its {people:,}: {cause}.",
    "federalized": "{state} is federalized: {people:,} people are ordered.",
    "returned to the governor": "{state} returns to its governor: {cause}.",
    "orders units": "{state}'s governor orders units: {people:,} people.",
    "recalled": "{state} recalls {people:,} people: {cause}.",
    "come forward": "{state}: {people:,} come forward ({cause}).",
    "takes seats": "{state}: {people:,} take seats in training (cohort {entity_id}).",
    "in place": "{state}: {people:,} are in place (cohort {entity_id}).",
    "goes home": "{state}: {people:,} go home: {cause}.",
    "leaves": "{state}: {people:,} leave before their tour ends.",
    "moves to another role": "{state}: {people:,} move to another role: {cause}.",
    "officers hired": "{people:,} hired officers are available.",
}


def sentence(event: Event) -> str:
    """An event as a sentence; shocks speak for themselves."""
    pattern = _SENTENCES.get(event.event)
    if pattern:
        return pattern.format(**event._asdict())
    where = f"{event.state}: " if event.state else f"{event.people} states: " if event.people else ""
    return f"{where}{event.cause}."


class Chapter(NamedTuple):
    """A day of a story: that evening's governors who agree and troops in place, and what happened as sentences."""

    day: int
    agreeing: int
    in_place: int
    lines: list[str]

    @property
    def evening(self) -> str:
        """What stood that evening, in words."""
        states = "1 state agrees" if self.agreeing == 1 else f"{self.agreeing} states agree"
        return f"that evening {states}, {self.in_place:,} troops in place"


def told_of(run: Run, states: Sequence[str], kinds: Sequence[str], has_cohorts: bool) -> list[Event]:
    """Events of some states and kinds, all where none are named; cohorts only where asked for or named."""
    return [
        event
        for event in run.events
        if (not states or event.state in states)
        and (event.event in kinds if kinds else has_cohorts or event.event not in _QUIET)
    ]


def chapters(run: Run, events: Iterable[Event]) -> Iterator[Chapter]:
    """Events of a run, day by day."""
    in_place = run.in_place
    for day, of_day in groupby(events, key=lambda event: event.time):
        lines: list[str] = []
        for kind, alike in groupby(of_day, key=lambda event: event.event):
            same = list(alike)
            if kind in ("asked", "asked again") and len(same) > 1:
                # Who is asked for how many is one act of the requester.
                n = sum(event.people for event in same)
                lines.append(f"{len(same)} states are {kind}, for {n:,} in all.")
            else:
                lines += [sentence(event) for event in same]
        agreeing = int(np.isin(run.status[day], (ACCEPTED, LIMITED)).sum())
        yield Chapter(day, agreeing, int(in_place[day]), lines)


def story(run: Run, setting: Setting, states: Sequence[str], kinds: Sequence[str], has_cohorts: bool) -> Iterable[Text]:
    """A run as dated lines: governors, requester and shocks; cohorts too where asked for."""
    start, in_place = setting.scenario.start, run.in_place
    for chapter in chapters(run, told_of(run, states, kinds, has_cohorts)):
        yield Text(
            f"\nDay {chapter.day}, {start + timedelta(days=chapter.day):%d %b %Y} ({chapter.evening})",
            style="bold",
        )
        yield from (Text(f"  {line}") for line in chapter.lines)
    peak = int(in_place.argmax())
    if not states and not kinds:
        yield Text(
            f"\nMost troops in place: {int(in_place[peak]):,} on day {peak}; {int(in_place[-1]):,} on the last day."
        )
    yield Text(NOT_A_FORECAST, style="italic")


# --- Why


def reasons(run: Run, setting: Setting, code: str) -> RenderableType:
    """The reasons card of one state in one run: each decision with its terms and what would have flipped it."""
    state = setting.world.states[setting.world.position(code)]
    head = Text(f"{state.name} ({code}), replication {run.replication}, draw {_draw(run)}", style="bold")
    decisions = decisions_of(run, code)
    if not state.has_governor:
        return Group(head, Text("The President commands here: there is no governor, so no answer to give."))
    if not decisions:
        asked = (
            "It was asked, but had not answered by the last day."
            if run.status[-1, run.codes.index(code)]
            else "It was not asked."
        )
        return Group(head, Text(f"No decision. {asked}"))
    return Group(
        head,
        *[_card(decision, setting, run.replication) for decision in decisions],
        Text(NOT_A_FORECAST, style="italic"),
    )


def _draw(run: Run) -> str:
    return "defaults" if run.draw is None else str(run.draw)


def _card(decision: Decision, setting: Setting, replication: int) -> Panel:
    """One decision: the terms as bars around zero, the support, the threshold, the smallest change."""
    table = Table(box=None, pad_edge=False)
    for heading, side in (("term", "left"), ("log-odds", "right"), ("against", "right"), ("for", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    widest = max(0.1, *(abs(value) for value in decision.terms))
    for (term, _), value in zip(governors.TERMS, decision.terms, strict=True):
        if value:
            blocks = "█" * max(1, round(12 * abs(value) / widest))
            table.add_row(term, f"{value:+.2f}", blocks if value < 0 else "", blocks if value > 0 else "")
    table.add_row("support", f"{decision.support:+.2f}", style="bold")
    date = setting.scenario.start + timedelta(days=decision.day)
    role = ROLES[decision.role] if decision.role >= 0 else "no open role"
    lines = [
        f"The answer turned on {role}; ask {decision.ask}, quota {decision.quota:,}, offered {decision.offered:,}."
    ]
    threshold = threshold_of(decision, setting, replication)
    if decision.is_forced:
        lines.append("The scenario gave this answer; support only shows what the governor would have weighed.")
    elif not math.isnan(threshold):
        lines.append(f"With this luck the answer tips at a support of {threshold:+.2f}.")
    found = flips(decision, setting, replication)
    lines.append(_flip_words(found, decision))
    title = f"day {decision.day}, {date:%d %b %Y}: {decision.answer}"
    return Panel(Group(table, Text("\n".join(lines))), title=escape(title), title_align="left")


def _flip_words(found: Sequence[Flip], decision: Decision) -> str:
    """The smallest single change in words."""
    if not found:
        return "No single number would have flipped it."
    flip = found[0]
    direction = "less" if decision.answer in YES else "more"
    within = "" if flip.is_plausible else " (outside its plausible range)"
    return (
        f"Smallest single change that would have flipped it: {flip.name} {flip.was} -> {flip.needed}{within}. "
        f"It takes {direction} support."
    )


def reasons_json(run: Run, setting: Setting, code: str) -> dict[str, Any]:
    """The reasons card as one object."""
    cards = []
    for decision in decisions_of(run, code):
        threshold = threshold_of(decision, setting, run.replication)
        cards.append(
            {
                "day": decision.day,
                "answer": decision.answer,
                "ask": decision.ask,
                "role": ROLES[decision.role] if decision.role >= 0 else None,
                "support": decision.support,
                "tips_at": None if math.isnan(threshold) else threshold,
                "terms": {term: value for (term, _), value in zip(governors.TERMS, decision.terms, strict=True)},
                "permitted": [role for k, role in enumerate(ROLES) if decision.permitted >> k & 1],
                "quota": decision.quota,
                "offered": decision.offered,
                "is_forced": decision.is_forced,
                "flips": [flip.__dict__ for flip in flips(decision, setting, run.replication)],
            }
        )
    return {
        "scenario": setting.scenario.name,
        "model_version": model_version(),
        "state": code,
        "seed": setting.seed,
        "draw": run.draw,
        "replication": run.replication,
        "decisions": cards,
    }
