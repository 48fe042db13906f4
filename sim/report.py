"""Reports: what ensembles, runs and decisions say, as text for a terminal and as one JSON object."""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sim import governors, outcomes
from sim.outcomes import OUTCOMES, PERCENTS, Band, band
from sim.parameters import NEVER, ROLES, model_version, parameter, register
from sim.reasons import YES, Flip, decisions_of, flips, threshold_of
from sim.results import Decision, Ensemble, Event, Run
from sim.scenario import ROLE_NAMES, Scenario
from sim.setting import Setting
from sim.world import legal_table, load_world, role_standing

NOT_A_FORECAST = (
    "Not a forecast: bands are the range over assumptions and luck, not the probability that something happens."
)


def whole(value: float | None) -> str:
    """A number for reading: thousands apart, no false decimals."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 20 or float(value).is_integer() else f"{value:.1f}"


def ranged(found: Band) -> str:
    """Median and 5-95 %; a quantile that falls on runs that never get there says so."""
    if found.n == 0:
        return "no run"
    if found.p05 is None:
        return "hardly ever" if found.never < 1.0 else "never"
    ends = " to ".join("never" if end is None else whole(end) for end in (found.p05, found.p95))
    return f"{'not in half of the runs' if found.median is None else whole(found.median)}  ({ends})"


def as_json(ensemble: Ensemble, plan: dict[str, Any]) -> dict[str, Any]:
    """The result as one object; keys are stable."""
    measured = outcomes.measure_all(ensemble)
    in_place = ensemble.daily("in_place")
    last = ensemble.n_days - 1
    troops = {"peak": band(measured["peak_in_place"]).as_dict()}
    for day in range(30, last + 1, 30):
        troops[str(day)] = band(in_place[:, day]).as_dict()
    troops["last"] = band(in_place[:, last]).as_dict()
    days = {str(percent): band(outcomes.days_to(ensemble, percent)) for percent in PERCENTS}
    approval = measured["approval_day"]
    return {
        "scenario": ensemble.scenario.name,
        "title": ensemble.scenario.title,
        "model_version": model_version(),
        "engine": ensemble.engine,
        "seed": ensemble.seed,
        "draws": plan["draws"],
        "replications": plan["replications"],
        "runs": len(ensemble.pairs),
        "failed": len(ensemble.errors),
        "errors": {str(k): text for k, text in sorted(ensemble.errors.items())},
        "complete": ensemble.is_complete,
        "seconds": round(ensemble.seconds, 3),
        "states_agreeing": band(measured["states_agreeing"]).as_dict(),
        "troops_in_place": troops,
        "days_to": {key: {**found.as_dict(), "never": found.never} for key, found in days.items()},
        "days_to_from_approval": {
            str(percent): band(outcomes.days_to(ensemble, percent) - approval).as_dict() for percent in PERCENTS
        },
        "outcomes": {
            name: {
                **(found := band(values)).as_dict(),
                "never": found.never,
                "error": found.error,
                "unit": OUTCOMES[name].unit,
            }
            for name, values in measured.items()
        },
        "luck_share": ensemble.luck_share,
        "side_alone": side_alone(ensemble.scenario),
        "digest": ensemble.digest,
        "note": NOT_A_FORECAST,
    }


def side_alone(scenario: Scenario) -> int:
    """How many governors would agree if the requester's side alone said yes, and only it."""
    world = load_world(str(scenario.value("request.party")))
    asked = scenario.value("request.asked")
    return sum(
        state.side == 1 and (state.code in asked if isinstance(asked, list) else asked != "border" or state.on_border)
        for state in world.states
    )


def summary(ensemble: Ensemble, plan: dict[str, Any], baseline: Scenario | None, is_verbose: bool) -> RenderableType:
    """What a person wants to know of an ensemble, the two answers first."""
    scenario = ensemble.scenario
    parts: list[RenderableType] = [
        Text(scenario.title, style="bold"),
        Text(scenario.question, style="italic"),
        Text(""),
        answers_table(ensemble),
        Text(_counts_line(ensemble, plan)),
        Text(""),
        _plot(ensemble),
        _who_commands(scenario),
        _apart(ensemble),
        _differences(scenario, baseline),
    ]
    if is_verbose:
        parts.append(outcomes_table(ensemble))
    for k, text in sorted(ensemble.errors.items())[:5]:
        parts.append(Text(f"run {k} {ensemble.pairs[k]} failed: {text}", style="bold"))
    parts.append(Text(NOT_A_FORECAST, style="italic"))
    return Group(*parts)


def answers_table(ensemble: Ensemble) -> Table:
    """The two answers: how many states agree, how quickly troops arrive."""
    world = load_world(str(ensemble.scenario.value("request.party")))
    n_governors = sum(state.has_governor for state in world.states)
    table = Table(box=None, pad_edge=False)
    for heading, side in (
        ("", "left"),
        ("median (5-95 %)", "left"),
        ("± of the median", "right"),
        ("from approval", "left"),
        ("never", "right"),
    ):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    measured = outcomes.measure_all(ensemble)
    agreeing, with_limits = band(measured["states_agreeing"]), band(measured["states_with_limits"])
    table.add_row(f"Governors who agree on the last day, of {n_governors}", ranged(agreeing), _error(agreeing))
    table.add_row("   of them with limits", ranged(with_limits), _error(with_limits))
    for name, label in (
        ("states_declined", "   declined"),
        ("states_no_answer", "   no answer"),
        ("states_withdrawn", "   withdrew"),
    ):
        table.add_row(label, ranged(band(measured[name])), _error(band(measured[name])))
    sending = ensemble.daily("dc_sending")[:, -1].mean() if ensemble.done.any() else 0.0
    table.add_row("   DC, apart (no governor there)", f"sends in {100 * sending:.0f} % of runs")
    peak = band(measured["peak_in_place"])
    table.add_row("Most troops in place", ranged(peak), _error(peak))
    target = int(ensemble.scenario.value("request.target"))  # type: ignore[arg-type]
    for percent in PERCENTS:
        days = outcomes.days_to(ensemble, percent)
        found, since = band(days), band(days - measured["approval_day"])
        label = f"Days to {percent} % of {target:,}"
        table.add_row(label, ranged(found), _error(found), ranged(since), f"{100 * found.never:.0f} %")
    return table


def _error(found: Band) -> str:
    return "-" if found.error is None else f"± {whole(found.error)}"


def _counts_line(ensemble: Ensemble, plan: dict[str, Any]) -> str:
    """How many runs, of what, and what side alone would give."""
    n = int(ensemble.done.sum())
    draws, replications = plan["draws"], plan["replications"]
    if draws == 0:
        how = f"{replications} lucks, all uncertainties at their defaults"
    elif draws == len(ensemble.pairs) and draws == replications:
        how = "each with its own draw of the uncertainties and its own luck"
    else:
        how = f"{draws} draws of the uncertainties x {replications} lucks"
    failed = f", {len(ensemble.errors)} failed" if ensemble.errors else ""
    alone = side_alone(ensemble.scenario)
    return (
        f"{n} runs ({how}){failed}; seed {ensemble.seed}; {ensemble.seconds:.1f} s.\n"
        f"Side alone would give {alone}: every governor of the requester's side who is asked, and nobody else."
    )


def _plot(ensemble: Ensemble, rows: int = 13) -> Table:
    """Troops in place over time: a bar from the 5 % to the 95 % quantile."""
    table = Table(box=None, pad_edge=False, title="Troops in place", title_justify="left")
    for heading, side in (("day", "right"), ("date", "left"), ("median", "right"), ("5 to 95 % of runs", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    daily = ensemble.daily("in_place")
    if not len(daily):
        return table
    low, middle, high = outcomes.daily_bands(daily, (0.05, 0.5, 0.95))
    top = max(1.0, float(high.max()))
    for day in np.unique(np.linspace(0, ensemble.n_days - 1, rows).round().astype(int)):
        date = ensemble.scenario.start + timedelta(days=int(day))
        bar = Bar(top, low[day], max(high[day], low[day] + top / 200.0), width=40)
        table.add_row(str(day), f"{date:%d %b %Y}", whole(middle[day]), bar)
    return table


def _who_commands(scenario: Scenario) -> Text:
    """Who commands, pays and may refuse, and which roles are open, from the legal table; what federalization would change."""
    law = legal_table()
    lines = ["", _status_line(scenario, str(scenario.value("request.status")))]
    if (day := scenario.value("federalize.day")) != NEVER:
        ground = str(scenario.value("federalize.predicate")).replace("_", " ")
        lines.append(f"From day {day} on, in states that are federalized (ground claimed: {ground}):")
        lines.append(_status_line(scenario, "title_10_12406"))
    lines.append(
        f"(Law as of {law['dated']}; not legal advice. Contested roles: the {scenario.value('law.reading')} reading.)"
    )
    return Text("\n".join(lines))


def _status_line(scenario: Scenario, status: str) -> str:
    """One legal status in a sentence: command, pay, refusal, and the standing of the roles asked for."""
    act = bool(scenario.value("law.insurrection_act"))
    row = legal_table()["statuses"]["insurrection_act" if act and status == "title_10_12406" else status]
    standing = role_standing(
        status,
        place=str(scenario.value("mission.place")),
        cross_state=bool(scenario.value("mission.cross_state")),
        insurrection_act=act,
        arrest_authority=bool(scenario.value("enforcement.arrest_authority")),
    )
    asked = [role for role, name in zip(ROLES, ROLE_NAMES, strict=True) if scenario.value(name)]
    by_word = {word: [role for role in asked if standing[role] == word] for word in ("open", "contested", "closed")}
    roles = "; ".join(f"{word}: {', '.join(named)}" for word, named in by_word.items() if named)
    return (
        f"{row['title']}: commanded by the {row['commands']}, paid by the {row['pays']}; the governor may refuse: "
        f"{row['governor_may_refuse']}, may withdraw: {row['governor_may_withdraw']}. "
        f"Posse Comitatus Act: {row['posse_comitatus']}. Roles asked for, {roles}."
    )


def _apart(ensemble: Ensemble) -> Text:
    """Luck and assumptions apart."""
    parts = []
    for name, label in (("states_agreeing", "states agreeing"), ("peak_in_place", "most troops in place")):
        share = ensemble.luck_share.get(name)
        if share is not None:
            parts.append(f"{100 * share:.0f} % of the variance of {label}")
    if not parts:
        return Text("Luck and assumptions cannot be told apart with so few draws.")
    return Text(f"Luck alone makes {' and '.join(parts)}; the rest is what is assumed.")


def _differences(scenario: Scenario, baseline: Scenario | None) -> Text:
    """What differs from the baseline."""
    if baseline is None or not (rows := scenario.differences(baseline)):
        return Text("Nothing differs from the baseline." if baseline else "")
    lines = [f"  {what}: {here} (baseline: {there})" for what, here, there in rows]
    return Text("Differs from the baseline:\n" + "\n".join(lines))


def outcomes_table(ensemble: Ensemble) -> Table:
    """Every outcome with its unit, band and the part that luck makes."""
    table = Table(title="All outcomes", title_justify="left", box=None, pad_edge=False)
    for heading in ("outcome", "unit", "median (5-95 %)", "±", "never", "luck"):
        table.add_column(heading)
    for name, values in outcomes.measure_all(ensemble).items():
        found, share = band(values), ensemble.luck_share.get(name)
        luck = "-" if share is None else f"{100 * share:.0f} %"
        table.add_row(name, OUTCOMES[name].unit, ranged(found), _error(found), f"{100 * found.never:.0f} %", luck)
    return table


# --- One run as a story

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


def story(run: Run, setting: Setting, states: Sequence[str], kinds: Sequence[str], has_cohorts: bool) -> Iterable[Text]:
    """A run as dated lines: governors, requester and shocks; cohorts too where asked for."""
    start = setting.scenario.start
    in_place = run.in_place
    last_told = -1
    for event in run.events:
        if states and event.state not in states:
            continue
        if (kinds and event.event not in kinds) or (not kinds and event.event in _QUIET and not has_cohorts):
            continue
        if event.time != last_told:
            date = start + timedelta(days=event.time)
            agreeing = int(np.isin(run.status[event.time], (2, 3)).sum())
            yield Text(
                f"\nDay {event.time}, {date:%d %b %Y} (that evening {agreeing} states agree, "
                f"{int(in_place[event.time]):,} troops in place)",
                style="bold",
            )
            last_told = event.time
        yield Text("  " + sentence(event))
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


# --- Two ensembles under the same luck


def paired(a: Ensemble, b: Ensemble) -> dict[str, dict[str, float | None]]:
    """Differences b - a of every outcome, run by run under the same luck.

    Returns
    -------
    By outcome: mean difference, the ends of its 95 % interval, 5-95 % of the differences, and the share of pairs in
    which the outcome happened in both.
    """
    both = a.done & b.done
    at_a, at_b = (np.cumsum(e.done) - 1 for e in (a, b))
    found = {}
    measured_a, measured_b = outcomes.measure_all(a), outcomes.measure_all(b)
    for name in OUTCOMES:
        differences = measured_b[name][at_b[both]] - measured_a[name][at_a[both]]
        known = differences[np.isfinite(differences)]
        mean = half = low = high = None
        if len(known):
            mean = float(known.mean())
            low, high = (float(q) for q in np.quantile(known, (0.05, 0.95)))
        if len(known) > 1:
            half = float(1.96 * known.std(ddof=1) / math.sqrt(len(known)))
        found[name] = {
            "mean": mean,
            "low": None if mean is None or half is None else mean - half,
            "high": None if mean is None or half is None else mean + half,
            "p05": low,
            "p95": high,
            "both": float(len(known) / both.sum()) if both.any() else 0.0,
        }
    return found


def parting_days(a: Ensemble, b: Ensemble) -> np.ndarray:
    """For each run finished in both, the first day on which any national count differs; NaN where none does."""
    n_days = min(a.n_days, b.n_days)
    both = a.done & b.done
    differs = (a.series[both][:, :, :n_days] != b.series[both][:, :, :n_days]).any(axis=1)
    return np.where(differs.any(axis=1), differs.argmax(axis=1), np.nan)


def first_difference(a: Run, b: Run) -> tuple[Event | None, Event | None] | None:
    """The first events at which two histories part, one of each (None where one has no further event)."""
    for mine, other in zip(a.events, b.events, strict=False):
        if mine != other:
            return mine, other
    if len(a.events) != len(b.events):
        n = min(len(a.events), len(b.events))
        return (a.events[n] if len(a.events) > n else None, b.events[n] if len(b.events) > n else None)
    return None


def comparison(a: Ensemble, b: Ensemble, parted: tuple[Event | None, Event | None] | None) -> RenderableType:
    """Two scenarios under the same luck."""
    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "unit", "A: median", "B: median", "mean of B - A (95 % interval)", "5-95 % of B - A"):
        table.add_column(heading)
    measured_a, measured_b = outcomes.measure_all(a), outcomes.measure_all(b)
    for name, row in paired(a, b).items():
        if row["mean"] is None:
            interval = spread = "-"
        else:
            ends = "" if row["low"] is None else f"  ({_signed(row['low'])} to {_signed(row['high'])})"
            interval = f"{_signed(row['mean'])}{ends}"
            spread = f"{_signed(row['p05'])} to {_signed(row['p95'])}"
            if row["both"] is not None and row["both"] < 1.0:
                spread += f"  (happened in both in {100 * row['both']:.0f} %)"
        medians = (band(measured[name]).median for measured in (measured_a, measured_b))
        table.add_row(
            name, OUTCOMES[name].unit, *(whole(m) if m is not None else "never" for m in medians), interval, spread
        )
    days = parting_days(a, b)
    parted_runs = days[np.isfinite(days)]
    if len(parted_runs):
        words = (
            f"The histories part in {len(parted_runs)} of {len(days)} runs, first on day {int(parted_runs.min())}, "
            f"in half of them by day {whole(float(np.median(parted_runs)))}."
        )
    else:
        words = f"The histories are the same in all {len(days)} runs."
    if parted:
        for label, event in zip("AB", parted, strict=True):
            words += f"\n  In the first pair of runs, {label}: " + (
                "nothing more happens" if event is None else f"day {event.time}: {sentence(event)}"
            )
    head = Text(f"A: {a.scenario.title}\nB: {b.scenario.title}", style="bold")
    differences = [f"  {what}: {here} -> {there}" for what, here, there in a.scenario.differences(b.scenario)]
    told = Text("What differs (A -> B):\n" + ("\n".join(differences) or "  nothing"))
    return Group(head, told, table, Text(words), Text(NOT_A_FORECAST, style="italic"))


def _signed(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+,.0f}" if abs(value) >= 20 else f"{value:+.2f}"


def comparison_json(a: Ensemble, b: Ensemble, parted: tuple[Event | None, Event | None] | None) -> dict[str, Any]:
    """Two scenarios under the same luck as one object."""
    days = parting_days(a, b)
    known = days[np.isfinite(days)]
    return {
        "a": a.scenario.name,
        "b": b.scenario.name,
        "model_version": model_version(),
        "seed": a.seed,
        "runs": len(a.pairs),
        "differences": [{"what": w, "a": x, "b": y} for w, x, y in a.scenario.differences(b.scenario)],
        "paired": paired(a, b),
        "runs_that_part": len(known),
        "first_parting_day": int(known.min()) if len(known) else None,
        "median_parting_day": float(np.median(known)) if len(known) else None,
        "first_different_events": None if parted is None else [e and e._asdict() for e in parted],
        "digests": [a.digest, b.digest],
        "note": NOT_A_FORECAST,
    }


# --- The register and the scenarios


def parameters_table(words: str) -> Table:
    """The register as a table; `words` filters by name, label or source."""
    table = Table(title=f"The register, model {model_version()}", title_justify="left")
    for heading in ("name", "default", "range", "unit", "kind", "known", "source"):
        table.add_column(heading, overflow="fold")
    for name, entry in register().items():
        if words.lower() not in f"{name} {entry.label} {entry.source} {entry.kind}".lower():
            continue
        span = "" if entry.range is None else f"{entry.range[0]:g} to {entry.range[1]:g}"
        span = span or ", ".join(entry.choices)
        default = str(entry.value).lower() if isinstance(entry.value, bool) else str(entry.value)
        table.add_row(name, default, span, entry.unit, entry.kind, entry.known, escape(entry.source))
    return table


def parameter_card(name: str) -> RenderableType:
    """Everything that the register says of one parameter."""
    entry = parameter(name)
    rows = {
        "label": entry.label,
        "help": entry.help,
        "default": entry.value,
        "allowed": entry.allowed,
        "plausible": "" if entry.range is None else f"{entry.range[0]:g} to {entry.range[1]:g} {entry.unit}",
        "kind": entry.kind,
        "source": f"{entry.source} {entry.url}".strip(),
        "note": entry.note,
        "known": entry.known,
    }
    lines = [Text(f"{key:>10}  {value}") for key, value in rows.items() if value not in ("", None)]
    return Group(Text(name, style="bold"), *lines)


def print_all(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print parts as they come."""
    for part in parts:
        console.print(part)


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


def parameters_json(words: str) -> list[dict[str, Any]]:
    """The register as a list of objects."""
    return [
        {key: value for key, value in entry.__dict__.items() if key != "mixture" and value not in ("", None, ())}
        for name, entry in register().items()
        if words.lower() in f"{name} {entry.label} {entry.source} {entry.kind}".lower()
    ]
