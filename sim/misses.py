"""Misses: where the model fails against the record and why we think so, as sentences with computed numbers."""

from collections.abc import Sequence

from sim.history import History, NumberLine
from sim.replays import BASELINES
from sim.scores import log_score

# Chances so far from what was said are told by name.
_FAR = 0.3


def where_it_fails(history: History) -> list[str]:
    """One sentence or two for each kind of failure, worst first within a kind; a kind without failures is not told."""
    lines = [
        *_baselines(history),
        *_sides(history),
        *_states(history),
        *_counts(history),
        *_numbers(history),
        *_days(history),
    ]
    return lines or ["Nothing that was observed lies outside what the model told."]


def _baselines(history: History) -> list[str]:
    lines = []
    for case in history.cases(has_refusals=True):
        better = history.beaten_by(case)
        if better:
            told = ", ".join(f"{name} {case.who(log_score, name):.3f}" for name in better)
            lines.append(
                f"{case.name}: who agrees is told worse than by {told} (model {case.who(log_score):.3f} nats a state). "
                "The model cannot know which kind of mission a request is, so it hedges between them."
            )
    unanimous = history.cases(has_refusals=False)
    if unanimous:
        mean = history.who(log_score, has_refusals=False).mean
        lines.append(
            f"Cases in which nobody is known to have refused ({', '.join(case.name for case in unanimous)}): the model loses "
            f"{mean:.2f} nats a state where 'always yes' loses {history.who(log_score, 'always yes', False).mean:.2f}, because it "
            "never takes a yes from everybody as certain; where only agreements were reported, the record is one-sided too."
        )
    return lines


def _sides(history: History) -> list[str]:
    """Mean chance against share of yes, by case and side, where they are far apart."""
    lines = []
    for case in history.cases(has_refusals=True):
        for side, name in ((1, "the requester's side"), (-1, "the other side")):
            states = [state for state in case.states if state.side == side]
            if len(states) < 5:
                continue
            chance = sum(s.chance for s in states) / len(states)
            share = sum(s.said for s in states) / len(states)
            if abs(chance - share) >= 0.2:
                lines.append(
                    f"{case.name}: of {len(states)} governors of {name}, {100 * share:.0f} % agreed; the model gave "
                    f"{100 * chance:.0f} % on average."
                )
    return lines


def _states(history: History) -> list[str]:
    """States that did what the model took for unlikely."""
    lines = []
    for case in history.cases(has_refusals=True):
        missed = [s for s in case.states if (s.chance if s.said else 1.0 - s.chance) < _FAR]
        if missed:
            told = ", ".join(
                f"{s.code} ({'yes' if s.said else 'no'}, given {100 * (s.chance if s.said else 1 - s.chance):.0f} %)"
                for s in sorted(missed, key=lambda s: s.chance if s.said else 1.0 - s.chance)
            )
            lines.append(
                f"{case.name}: {len(missed)} of {len(case.states)} states did what the model took for unlikely: {told}. Side and "
                "vote are all that it knows of a governor; a record of one's own is not in it."
            )
    return lines


def _counts(history: History) -> list[str]:
    lines = []
    for kind in ("presence", "orders", "upper bound"):
        for case in history.scores:
            for is_national in (True, False):
                of = [c for c in case.counts if c.kind == kind and (c.scope == "all") == is_national]
                outside = [c for c in of if not c.is_inside]
                if not outside:
                    continue
                more = [c for c in outside if c.count > c.high]
                fewer = len(outside) - len(more)
                told = "; ".join(
                    f"day {c.day}{'' if is_national else ' ' + c.scope}: {c.count:,} counted, {c.low:,.0f} to {c.high:,.0f} told"
                    for c in outside[:4]
                )
                rest = f"; and {len(outside) - 4} more" if len(outside) > 4 else ""
                lines.append(
                    f"{case.name}, {kind}{'' if is_national else ' of single states'}: {len(outside)} of {len(of)} counts lie "
                    f"outside the band ({len(more)} above, {fewer} below): {told}{rest}. "
                    f"{_why(is_national, bool(more), kind)}"
                )
    return lines


def _why(is_national: bool, is_above: bool, kind: str) -> str:
    if kind == "upper bound":
        return (
            "These cases only bound speed: people were on their way before they were asked for, and without the course and the "
            "screening that the model holds them up with; or they were called up step by step, which the model does at once."
        )
    if not is_national:
        return (
            "The model spreads a request by strength; in fact a few states, those at the border above all, gave far more than "
            "others."
        )
    if is_above:
        return "States near by sent people within days, before a call for volunteers could have been heard."
    return "The model lets people come whom nobody had asked for by then."


def _numbers(history: History) -> list[str]:
    outside: list[tuple[str, NumberLine]] = [
        (case.name, line) for case in history.scores for line in case.numbers if not line.low <= line.count <= line.high
    ]
    return [
        f"{name}: {line.count} governors {line.what} by day {line.day}; the model told {line.low:.0f} to {line.high:.0f}."
        for name, line in outside
    ]


def _days(history: History) -> list[str]:
    lines = []
    for case in history.scores:
        if case.when and case.when.n and case.when.crps > case.when.elsewhere:
            lines.append(
                f"{case.name}: days to a yes lie {case.when.crps:.1f} days (CRPS, {case.when.n} states) from what the model told, "
                f"and {case.when.elsewhere:.1f} from the days seen in other cases. Answers came in clusters, after an announcement "
                "or a meeting; the model lets each governor answer alone."
            )
    return lines


def verdict(history: History) -> Sequence[str]:
    """Whether the model beats every baseline where somebody refused, and whether bands are as wide as they say, in words."""
    n = len(history.cases(has_refusals=True))
    if not n:
        return ["No case with a refusal has known answers, so nothing can be said of who agrees."]
    mean = history.who(log_score).mean
    ahead = {name: history.margin(name) for name in BASELINES}
    best = min(BASELINES, key=lambda name: history.who(log_score, name).mean)
    beaten = all(margin.mean > 0.0 for margin in ahead.values())
    lines = [
        f"Who agrees, mean over {n} cases with a refusal: {mean:.2f} nats a state; the best baseline ({best}) "
        f"{history.who(log_score, best).mean:.2f}. The model {'beats' if beaten else 'does NOT beat'} every baseline on the "
        f"mean; its lead over the best is {ahead[best].mean:+.2f} (5 to 95 % over resampled cases: {ahead[best].low:+.2f} to "
        f"{ahead[best].high:+.2f})."
    ]
    for label, national in (("of the whole mission", True), ("of single states", False)):
        of = [c for _, c in history.counts("presence") if (c.scope == "all") == national]
        inside = sum(c.is_inside for c in of)
        if of:
            lines.append(
                f"Counts of presence {label} inside their 90 % band: {inside} of {len(of)} ({100 * inside / len(of):.0f} %)."
            )
    inside, of_all = history.coverage()
    if of_all:
        share = 100 * inside / of_all
        lines.append(
            f"All counts of presence together: {inside} of {of_all} ({share:.0f} %), "
            f"{'within' if 80 <= share <= 100 else 'OUTSIDE'} the 80 to 100 % that 90 % bands should have."
        )
    return lines
