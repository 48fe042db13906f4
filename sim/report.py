"""Reports: what ensembles, runs and decisions say, as text for a terminal and as one JSON object."""

import math
from datetime import timedelta
from typing import Any

import numpy as np
from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sim import outcomes
from sim.bands import EXACT, Bands
from sim.outcomes import OUTCOMES, PERCENTS, Band, band
from sim.parameters import NEVER, ROLES, model_version, parameter, register
from sim.passport import passport_of
from sim.results import Ensemble
from sim.scenario import ROLE_NAMES, Scenario
from sim.world import legal_table, role_standing

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


def said(value: float | None) -> str:
    """A number in words; a quantile that falls on runs which never get there says so."""
    return "never" if value is None else whole(value).removesuffix(".0")


def in_words(ensemble: Ensemble) -> str:
    """The result in one sentence; at least one run has finished."""
    scenario, last = ensemble.scenario, ensemble.n_days - 1
    governors = sum(state.has_governor for state in scenario.world.states)
    target = int(scenario.value("request.target"))  # type: ignore[arg-type]
    agreeing, peak = (band(OUTCOMES[name].measure(ensemble)) for name in ("states_agreeing", "peak_in_place"))
    half = band(outcomes.days_to(ensemble, 50))
    missed = f"{100 * half.never:.0f} % of the runs do not get there by day {last}"
    if half.never == 1.0:
        arrival = f"no run has half of the {target:,} in place by day {last}"
    elif half.median is None:
        arrival = f"in half of the runs or more, half of the {target:,} is not in place by then: {missed}"
    else:
        date = scenario.start + timedelta(days=round(half.median))
        arrival = f"half of the {target:,} is in place on day {said(half.median)} ({date:%d %b %Y})"
        arrival += f", but {missed}" if half.never else ", and every run gets there"
    return (
        f"In the median of {half.n:,} runs, {said(agreeing.median)} of {governors} governors agree on day {last}, "
        f"and at most {said(peak.median)} troops are in place on any one day; {arrival}."
    )


def as_json(ensemble: Ensemble | Bands, plan: dict[str, Any]) -> dict[str, Any]:
    """The result as one object; keys are stable."""
    measured = outcomes.values_of(ensemble)
    last = ensemble.n_days - 1
    troops = {"peak": band(measured["peak_in_place"]).as_dict()}
    for name, day in (*((str(day), day) for day in range(30, last + 1, 30)), ("last", last)):
        troops[name] = band(outcomes.values_on(ensemble, "in_place", day)).as_dict()
    days = {str(percent): band(measured[f"days_to_{percent}"]) for percent in PERCENTS}
    return {
        "scenario": ensemble.scenario.name,
        "title": ensemble.scenario.title,
        "model_version": model_version(),
        "engine": ensemble.engine,
        "seed": ensemble.seed,
        "draws": plan["draws"],
        "replications": plan["replications"],
        "runs": len(ensemble.pairs),
        "failed": ensemble.n_failed,
        "errors": {str(k): text for k, text in sorted(ensemble.errors.items())},
        "complete": ensemble.is_complete,
        "seconds": round(ensemble.seconds, 3),
        "states_agreeing": band(measured["states_agreeing"]).as_dict(),
        "troops_in_place": troops,
        "days_to": {key: {**found.as_dict(), "never": found.never} for key, found in days.items()},
        "days_to_from_approval": {
            str(percent): band(measured[outcomes.since_approval(percent)]).as_dict() for percent in PERCENTS
        },
        "outcomes": {
            name: {
                **(found := band(measured[name])).as_dict(),
                "never": found.never,
                "error": found.error,
                "unit": each.unit,
            }
            for name, each in OUTCOMES.items()
        },
        "luck_share": ensemble.luck_share,
        "side_alone": side_alone(ensemble.scenario),
        "digest": ensemble.digest,
        "passport": passport_of(ensemble),
        "note": NOT_A_FORECAST,
    }


def side_alone(scenario: Scenario) -> int:
    """How many governors would agree if the requester's side alone said yes, and only it."""
    world = scenario.world
    asked = scenario.value("request.asked")
    return sum(
        state.side == 1 and (state.code in asked if isinstance(asked, list) else asked != "border" or state.on_border)
        for state in world.states
    )


def summary(
    ensemble: Ensemble | Bands, plan: dict[str, Any], baseline: Scenario | None, is_verbose: bool
) -> RenderableType:
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
        Text("\n".join(["", *who_commands(scenario)])),
        _apart(ensemble),
        _differences(scenario, baseline),
    ]
    if is_verbose:
        parts.append(outcomes_table(ensemble))
    for k, text in sorted(ensemble.errors.items())[:5]:
        parts.append(Text(f"run {k} {ensemble.pairs[k]} failed: {text}", style="bold"))
    parts.append(Text(NOT_A_FORECAST, style="italic"))
    return Group(*parts)


def answers_table(ensemble: Ensemble | Bands) -> Table:
    """The two answers: how many states agree, how quickly troops arrive."""
    world = ensemble.scenario.world
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
    measured = outcomes.values_of(ensemble)
    agreeing, with_limits = band(measured["states_agreeing"]), band(measured["states_with_limits"])
    table.add_row(f"Governors who agree on the last day, of {n_governors}", ranged(agreeing), _error(agreeing))
    table.add_row("   of them with limits", ranged(with_limits), _error(with_limits))
    for name, label in (
        ("states_declined", "   declined"),
        ("states_no_answer", "   no answer"),
        ("states_withdrawn", "   withdrew"),
    ):
        table.add_row(label, ranged(band(measured[name])), _error(band(measured[name])))
    sending = outcomes.values_on(ensemble, "dc_sending", -1).mean() if ensemble.n_finished else 0.0
    table.add_row("   DC, apart (no governor there)", f"sends in {100 * sending:.0f} % of runs")
    peak = band(measured["peak_in_place"])
    table.add_row("Most troops in place", ranged(peak), _error(peak))
    target = int(ensemble.scenario.value("request.target"))  # type: ignore[arg-type]
    for percent in PERCENTS:
        found, since = (band(measured[name]) for name in (f"days_to_{percent}", outcomes.since_approval(percent)))
        label = f"Days to {percent} % of {target:,}"
        table.add_row(label, ranged(found), _error(found), ranged(since), f"{100 * found.never:.0f} %")
    return table


def _error(found: Band) -> str:
    return "-" if found.error is None else f"± {whole(found.error)}"


def _counts_line(ensemble: Ensemble | Bands, plan: dict[str, Any]) -> str:
    """How many runs, of what, and what side alone would give."""
    n = ensemble.n_finished
    draws, replications = plan["draws"], plan["replications"]
    if draws == 0:
        how = f"{replications} lucks, all uncertainties at their defaults"
    elif draws == len(ensemble.pairs) and draws == replications:
        how = "each with its own draw of the uncertainties and its own luck"
    else:
        how = f"{draws} draws of the uncertainties x {replications} lucks"
    failed = f", {ensemble.n_failed} failed" if ensemble.n_failed else ""
    alone = side_alone(ensemble.scenario)
    rounded = (
        f" Bands alone were kept: exact below {EXACT:,}, within 0.05 % above." if isinstance(ensemble, Bands) else ""
    )
    return (
        f"{n} runs ({how}){failed}; seed {ensemble.seed}; {ensemble.seconds:.1f} s.{rounded}\n"
        f"Side alone would give {alone}: every governor of the requester's side who is asked, and nobody else."
    )


def _plot(ensemble: Ensemble | Bands, rows: int = 13) -> Table:
    """Troops in place over time: a bar from the 5 % to the 95 % quantile."""
    table = Table(box=None, pad_edge=False, title="Troops in place", title_justify="left")
    for heading, side in (("day", "right"), ("date", "left"), ("median", "right"), ("5 to 95 % of runs", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    if not ensemble.n_finished:
        return table
    low, middle, high = outcomes.quantiles_by_day(ensemble, "in_place", (0.05, 0.5, 0.95))
    top = max(1.0, float(high.max()))
    for day in np.unique(np.linspace(0, ensemble.n_days - 1, rows).round().astype(int)):
        date = ensemble.scenario.start + timedelta(days=int(day))
        bar = Bar(top, low[day], max(high[day], low[day] + top / 200.0), width=40)
        table.add_row(str(day), f"{date:%d %b %Y}", whole(middle[day]), bar)
    return table


def who_commands(scenario: Scenario) -> list[str]:
    """Who commands, pays and may refuse, and which roles are open, from the legal table; what federalization would change."""
    law = legal_table()
    lines = [_status_line(scenario, str(scenario.value("request.status")))]
    if (day := scenario.value("federalize.day")) != NEVER:
        ground = str(scenario.value("federalize.predicate")).replace("_", " ")
        lines.append(f"From day {day} on, in states that are federalized (ground claimed: {ground}):")
        lines.append(_status_line(scenario, "title_10_12406"))
    lines.append(
        f"(Law as of {law['dated']}; not legal advice. Contested roles: the {scenario.value('law.reading')} reading.)"
    )
    return lines


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


def _apart(ensemble: Ensemble | Bands) -> Text:
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
    lines = [f"  {what}: {here} (baseline: {there}){_cited(scenario, what)}" for what, here, there in rows]
    return Text("Differs from the baseline:\n" + "\n".join(lines))


def _cited(scenario: Scenario, name: str) -> str:
    return f"; source: {scenario.sources[name]}" if name in scenario.sources else ""


def outcomes_table(ensemble: Ensemble | Bands) -> Table:
    """Every outcome with its unit, band and the part that luck makes."""
    table = Table(title="All outcomes", title_justify="left", box=None, pad_edge=False)
    for heading in ("outcome", "unit", "median (5-95 %)", "±", "never", "luck"):
        table.add_column(heading, overflow="fold")
    measured = outcomes.values_of(ensemble)
    for name in OUTCOMES:
        found, share = band(measured[name]), ensemble.luck_share.get(name)
        luck = "-" if share is None else f"{100 * share:.0f} %"
        table.add_row(name, OUTCOMES[name].unit, ranged(found), _error(found), f"{100 * found.never:.0f} %", luck)
    return table


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


def parameters_json(words: str) -> list[dict[str, Any]]:
    """The register as a list of objects."""
    return [
        {key: value for key, value in entry.__dict__.items() if key != "mixture" and value not in ("", None, ())}
        for name, entry in register().items()
        if words.lower() in f"{name} {entry.label} {entry.source} {entry.kind}".lower()
    ]
