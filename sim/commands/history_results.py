"""Tables and JSON of what was held against the past."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.commands.common import console
from sim.commands.study_results import plain, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sim.calibration import Fit
    from sim.history import History


def give(told: dict[str, Any], parts: "Sequence[RenderableType]", out: Path | None, in_json: bool) -> None:
    """Print tables or JSON, and write the JSON where wanted."""
    from sim.parameters import model_version
    from sim.report import NOT_A_FORECAST
    from sim.store import command_line

    about = {"model_version": model_version(), "command": command_line(), "note": NOT_A_FORECAST}
    text = json.dumps(plain(about | told), allow_nan=False, default=str)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    if in_json:
        print(text)
        return
    for part in parts:
        console().print(part)
    console().print(NOT_A_FORECAST, style="italic")


def as_json(history: "History") -> dict[str, Any]:
    """All scores as plain words and numbers."""
    from sim.history import MODEL
    from sim.replays import BASELINES
    from sim.scores import brier, log_score

    who = {
        name: {
            "log_score": history.who(log_score, name),
            "brier": history.who(brier, name),
            "log_score_without_refusals": history.who(log_score, name, False),
            "brier_without_refusals": history.who(brier, name, False),
        }
        for name in (MODEL, *BASELINES)
    }
    return {
        "how": history.how,
        "runs": history.runs,
        "seed": history.seed,
        "who_agrees": who,
        "lead_over": {name: history.margin(name) for name in BASELINES},
        "coverage": {kind: history.coverage(kind) for kind in ("presence", "orders", "upper bound")},
        "pit": {kind: history.pit(kind) for kind in ("presence", "orders", "upper bound")},
        "reliability": history.reliability(),
        "cases": [plain(score) for score in history.scores],
    }


def tables_of(history: "History") -> "list[RenderableType]":
    """What a person wants to see of scores, bad ones as large as good ones."""
    from sim.history import MODEL
    from sim.misses import verdict, where_it_fails
    from sim.replays import BASELINES
    from sim.scores import brier, log_score

    forecasters = (MODEL, *BASELINES)
    parts: list[RenderableType] = [
        f"Model {history.version}, {history.runs:,} runs a case, seed {history.seed}. Scored is {history.how}.",
        "",
    ]
    for has_refusals, what in ((True, "somebody refused"), (False, "nobody is known to have refused (apart)")):
        found = history.cases(has_refusals)
        if not found:
            continue
        shown = table(
            f"Who agrees where {what}: log score in nats a state, Brier score below it (lower is better)",
            "case",
            "states",
            *forecasters,
        )
        for case in found:
            shown.add_row(
                case.name, str(len(case.states)), *(f"{case.who(log_score, name):.2f}" for name in forecasters)
            )
            shown.add_row("", "", *(f"{case.who(brier, name):.2f}" for name in forecasters))
        means = [history.who(log_score, name, has_refusals) for name in forecasters]
        shown.add_row("mean of cases", "", *(f"{mean.mean:.2f}" for mean in means))
        shown.add_row("5 to 95 %", "", *(f"{mean.low:.2f} to {mean.high:.2f}" for mean in means))
        parts += [shown, ""]
    days = table(
        "When: days to a yes (CRPS in days; survival with censoring in nats)",
        "case",
        "states",
        "model",
        "days elsewhere",
        "with censoring",
        "model",
        "days elsewhere",
    )
    for score in history.scores:
        if (when := score.when) is not None:
            days.add_row(
                score.name,
                str(when.n),
                f"{when.crps:.1f}",
                f"{when.elsewhere:.1f}",
                str(when.n_survival),
                f"{when.log_score:.2f}",
                f"{when.log_score_elsewhere:.2f}",
            )
    parts += [days, ""]
    counts = table(
        "How many: counted people against 5 to 95 % of runs",
        "case",
        "kind",
        "measure",
        "whose",
        "day",
        "counted",
        "model",
        "",
        "CRPS",
        "as asked",
    )
    numbers = table("Reversals and agreements, in states", "case", "governors who", "day", "observed", "model", "")
    for score in history.scores:
        for line in score.counts:
            counts.add_row(
                score.name,
                line.kind,
                line.measure,
                line.scope,
                str(line.day),
                f"{line.count:,}",
                f"{line.median:,.0f} ({line.low:,.0f} to {line.high:,.0f})",
                "" if line.is_inside else "OUTSIDE",
                f"{line.crps:,.0f}",
                "-" if line.straight_line != line.straight_line else f"{line.straight_line:,.0f}",
            )
        for row in score.numbers:
            is_inside = row.low <= row.count <= row.high
            told = f"{row.median:.0f} ({row.low:.0f} to {row.high:.0f})"
            numbers.add_row(score.name, row.what, str(row.day), str(row.count), told, "" if is_inside else "OUTSIDE")
    reliable = table(
        "Reliability of chances of a yes, where somebody refused",
        "chance from",
        "to",
        "states",
        "mean chance",
        "said yes",
    )
    for one in history.reliability():
        reliable.add_row(f"{one.low:.1f}", f"{one.high:.1f}", str(one.n), f"{one.chance:.2f}", f"{one.share:.2f}")
    parts += [counts, "", numbers, "", reliable, "", f"PIT of counts of presence, ten bins: {history.pit()}", ""]
    parts += ["Verdict", *(f"- {line}" for line in verdict(history)), ""]
    parts += ["Where it fails, and why we think so", *(f"- {line}" for line in where_it_fails(history)), ""]
    return parts


def parts_of_fit(
    found: "Fit", left_out: "dict[str, Fit]", pairs: "Sequence[tuple[str, str, str]]", is_written: bool
) -> "list[RenderableType]":
    """A fit, how it hangs on single cases, and what the record cannot tell apart."""
    from sim.likelihoods import regimes

    shown = table(
        f"Fit to {', '.join(found.cases) or 'nothing: the priors'}",
        "parameter",
        "prior",
        "posterior",
        "width",
        "value",
        "range",
        "of the register?",
    )
    for one in found.parameters.values():
        shown.add_row(
            one.name,
            f"{one.prior_mean:.3g} ± {one.prior_sd:.2g}",
            f"{one.mean:.3g} ± {one.sd:.2g}",
            f"{one.narrowed:.2f}",
            f"{one.value:g}",
            f"{one.low:g} to {one.high:g}",
            "yes" if one.is_carried else "no, an assumption still",
        )
    labels = [part["label"] for part in regimes()]
    missions = table("Kinds of mission: expected shares, and which kind each case was", "", *labels)
    missions.add_row("share", *(f"{weight:.2f}" for weight in found.weights))
    for name, shares in found.memberships.items():
        missions.add_row(name, *(f"{share:.2f}" for share in shares))
    hang = table("The same fit without one case", "without", *found.parameters, *labels)
    for name, fitted in left_out.items():
        values = [f"{fitted.parameters[key].value:g}" for key in found.parameters]
        hang.add_row(name, *values, *(f"{weight:.2f}" for weight in fitted.weights))
    apart = table("What the record cannot tell apart", "", "from", "because")
    for row in pairs:
        apart.add_row(*row)
    beside = table(
        f"Ramp: posterior over prior width of {found.kept_draws} draws kept (1: the record says nothing)",
        "parameter",
        "width",
    )
    for name, width in found.beside.items():
        beside.add_row(name, f"{width:.2f}")
    pace = found.pace_of_emergencies
    end = (
        "Written to the register."
        if is_written
        else "Nothing was written; --write --version NUMBER changes the register."
    )
    return [
        shown,
        "Pace: mean and sd are of its logarithm; the range says how much requests differ, too.",
        f"Pace of emergencies, for case files only: {pace.value:g} a day ({pace.low:g} to {pace.high:g}), from "
        f"{', '.join(pace.cases)}.",
        "",
        missions,
        "",
        hang,
        "",
        beside,
        "",
        apart,
        "",
        end,
    ]
