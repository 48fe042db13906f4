"""The app: one scenario, its main levers, and what many runs say. Start it with `streamlit run app.py`.

No number of the model stands here: labels, ranges, units, help and sources come from the register. Worker processes
import this file too, so nothing happens at import.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from sim import outcomes, plots
from sim.ensemble import run_ensemble
from sim.outcomes import Band, band
from sim.parallel import workers
from sim.parameters import NEVER, SEEDS, InputError, Parameter, Value, model_version, parameter, register
from sim.report import NOT_A_FORECAST, as_json, side_alone, whole
from sim.results import Ensemble
from sim.scenario import Scenario
from sim.scenario_files import listed, load, parse
from sim.world import legal_table, load_world

HERE = Path(__file__).resolve().parent
QUESTION = (
    "Asked for National Guard volunteers who stay under their governors: how many states agree, "
    "and how quickly do troops arrive?"
)
CONTROLS = {
    "The request": "request.target request.asked request.mode request.status request.deadline_days rounds.most",
    "People": "volunteers.share support.mission training.seats tour.days",
}
# Claims by their number in seeds/claims.toml.
SAYS, LEAVES_OPEN = ("T1", "T2"), ("T20", "T21")
RUNS = (20, 50, 100)
JOBS, MOST_KEPT = 2, 32
MOST_SEED = 2**31 - 1
GRIDS = [mantissa * 10.0**exponent for exponent in range(6, -7, -1) for mantissa in (5, 2, 1)]


def main() -> None:
    """The page from top to bottom."""
    st.set_page_config(page_title="Guard request simulator", layout="wide")
    st.title("Guard request simulator")
    st.write(QUESTION)
    tell_text()
    scenarios = read_scenarios()
    if not scenarios:
        st.error("There is no scenario that can be read, so there is nothing to run.")
        return
    name = st.selectbox("Scenario", list(scenarios), format_func=lambda name: scenarios[name].title, key="scenario")
    chosen = scenarios[name]
    st.write(plain(chosen.question))
    try:
        scenario, seed, runs = controls(chosen)
        result = run(scenario, seed, runs)
    except InputError as error:
        st.error(plain(str(error)))
        return
    if result.done.any():
        show(result, scenarios.get("baseline"))
    else:
        st.error(f"All {runs} runs failed; the first said: {plain(next(iter(result.errors.values())))}")


def plain(text: str) -> str:
    """Text as it is: nothing in it is Markdown, a link or a picture."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])", r"\\\1", text)


def tell_text() -> None:
    """What the text behind the simulator says and what it leaves open."""
    file = tomllib.loads((SEEDS / "claims.toml").read_text(encoding="utf-8"))
    claims = {row["id"]: plain(row["claim"]) for row in file["claims"]}
    says, leaves_open = (" ".join(claims[number] for number in numbers) for numbers in (SAYS, LEAVES_OPEN))
    st.markdown(f"**What the text says:** {says}  \n**What it does not say:** {leaves_open}")
    with st.expander("The text, claim by claim"):
        st.markdown(plain(file["source"]["note"]))
        st.markdown("\n".join(f"- {number}: {claim}" for number, claim in claims.items()))


def read_scenarios() -> dict[str, Scenario]:
    """Every scenario of the folder that can be read; the others are told."""
    found = {}
    for path in listed(HERE / "scenarios"):
        try:
            found[path.stem] = load(path)
        except InputError as error:
            st.warning(plain(f"Left out: {str(error).replace(f'{HERE}/', '')}"))
    return found


# --- Controls


def controls(chosen: Scenario) -> tuple[Scenario, int, int]:
    """The sidebar: the scenario as moved, the seed and the number of runs."""
    moved: dict[str, Value] = {}
    with st.sidebar:
        for heading, names in CONTROLS.items():
            st.header(heading)
            for name in names.split():
                value = control(parameter(name), chosen)
                if not same(value, chosen.value(name)):
                    moved[name] = value
        st.header("Runs")
        runs = st.radio("Number of runs", RUNS, horizontal=True, key="runs", help="More runs make smoother bands.")
        seed = st.number_input("Seed", 0, MOST_SEED, 1, key="seed", help="The same seed gives the same result.")
    if moved:
        words = f"{chosen.title[:180]} (changed)"
        chosen = replace(chosen.with_values(moved), name=f"{chosen.name}-changed", title=words)
    return chosen, int(seed), int(runs)


def control(entry: Parameter, scenario: Scenario) -> Value:
    """The control of one parameter, at the scenario's value; it moves back when another scenario is chosen."""
    at, key, help_text = scenario.value(entry.name), f"{scenario.name}/{entry.name}", told(entry, scenario)
    unit = "" if entry.unit in entry.label.lower() else f", {entry.unit}"
    label = f"{entry.label}{unit}{' (assumption)' if entry.source == 'assumption' else ''}"
    if isinstance(at, int | float) and entry.range:
        # A scenario may set a value beyond the plausible range: the slider then reaches as far as it.
        low, high = min(entry.range[0], at), max(entry.range[1], at)
        if entry.whole:
            return st.slider(label, int(low), int(high), int(at), int(grid(entry, low, at, high)), "%d", key, help_text)
        step = grid(entry, low, at, high)
        form = f"%.{max(0, -math.floor(math.log10(step)))}f"
        return round(st.slider(label, float(low), float(high), float(at), step, form, key, help_text), 9)
    options: list[Any] = list(entry.choices) if at in entry.choices else [*entry.choices, at]
    return st.selectbox(label, options, options.index(at), word, key, help_text)


def grid(entry: Parameter, low: float, at: float, high: float) -> float:
    """The step of a slider: round, on both ends and on the value, and in about a hundred places at most."""
    fits = [step for step in GRIDS if all(same((end - low) / step, round((end - low) / step)) for end in (at, high))]
    fine = [step for step in fits if step <= (high - low) / 50 and (not entry.whole or step >= 1)]
    return fine[0] if fine else 1 if entry.whole else GRIDS[-1]


def told(entry: Parameter, scenario: Scenario) -> str:
    """What a control means, where its number comes from, and what moving it does."""
    is_held = entry.name in scenario.values and entry.name not in scenario.ranges
    drawn = "At the scenario's value it stays uncertain and each run draws its own; moved, it is the same in every run."
    how = "" if entry.kind != "uncertainty" else "The scenario holds it at one value." if is_held else drawn
    address = f" {entry.url}" if entry.url else ""
    return plain(f"{entry.help} {how} Source: {entry.source}.{address}")


def word(value: Any) -> str:
    """A choice in words."""
    title = legal_table()["statuses"].get(value, {}).get("title") if isinstance(value, str) else None
    return title or (", ".join(value) if isinstance(value, list) else str(value).replace("_", " "))


def same(a: Value, b: Value) -> bool:
    """Whether two values are one, for numbers as far as a slider can tell."""
    both = isinstance(a, int | float) and isinstance(b, int | float)
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) if both else a == b  # type: ignore[arg-type]


# --- Runs


@st.cache_resource(show_spinner=False)
def pool() -> tuple[Any, Any]:
    """Worker processes that all visitors share; the context is kept, for they end with it."""
    context = workers(JOBS)
    return context, context.__enter__()


def ensemble(toml: str, name: str, seed: int, runs: int, _tell: Callable[[str, int, int], None]) -> Ensemble:
    """The runs of a scenario."""
    scenario = parse(toml, name)
    try:
        return run_ensemble(scenario, seed, None, runs, executor=pool()[1], with_twins=False, progress=_tell)
    except RuntimeError:  # a worker process was ended from outside; this run goes on alone, the next gets new workers
        pool.clear()
        return run_ensemble(scenario, seed, None, runs, with_twins=False, progress=_tell)


def run(scenario: Scenario, seed: int, runs: int) -> Ensemble:
    """Run with a bar that moves; what stood below stays until the new result is there."""
    place = st.empty()
    # Outside the context of the cached function, or the bar would be kept and played again with the result.
    page = copy_context()

    def tell(stage: str, n: int, total: int) -> None:
        page.run(place.progress, n / total, f"{scenario.title}: {n} of {total} {stage}")

    # Cached here and not at import, where worker processes would have to; one question is computed once for everybody.
    result = st.cache_data(ensemble, max_entries=MOST_KEPT, show_spinner=False)(
        scenario.toml(), scenario.name, seed, runs, tell
    )
    place.empty()
    return result


# --- The result


def show(result: Ensemble, baseline: Scenario | None) -> None:
    """The result: in a sentence, in numbers, in charts, and what stands behind it."""
    scenario = result.scenario
    governors = sum(state.has_governor for state in load_world().states)
    target, active = (int(scenario.value(name)) for name in ("request.target", "context.active_duty_border"))
    agreeing, peak = (band(outcomes.OUTCOMES[name].measure(result)) for name in ("states_agreeing", "peak_in_place"))
    half = band(outcomes.days_to(result, 50))
    st.header(plain(scenario.title))
    if result.errors:
        first = plain(next(iter(result.errors.values())))
        st.warning(f"{len(result.errors)} of {len(result.pairs)} runs failed and are left out; the first said: {first}")
    st.markdown(f"**{in_words(result, governors, target, agreeing, peak, half)}**")
    days = "not in half of the runs" if half.median is None else said(half.median)
    numbers = (
        (f"Governors agreeing on day {scenario.days}", f"{said(agreeing.median)} of {governors}", agreeing),
        ("Most troops in place", said(peak.median), peak),
        ("Days to 50 % of those asked for", days, half),
    )
    for column, (label, value, found) in zip(st.columns(len(numbers)), numbers, strict=True):
        column.metric(label, value, f"5 to 95 % of runs: {ends(found)}", delta_color="off", delta_arrow="off")
    st.info(NOT_A_FORECAST)

    words = f"Median on the last day {said(agreeing.median)} of {governors}, 5 to 95 % of runs {ends(agreeing)}."
    chart(result, plots.states_agreeing, "agreeing", (governors, side_alone(scenario)), words)
    words = f"Most on any day: median {said(peak.median)}, 5 to 95 % of runs {ends(peak)}; {target:,} are asked for."
    chart(result, plots.troops_in_place, "in_place", (target, active), words)
    st.header("Who commands, who pays, who may refuse")
    st.markdown("  \n".join(legal_lines(scenario)))
    st.header("What differs from the baseline")
    st.markdown("\n".join(differences(scenario, baseline)))
    downloads(result)
    st.write(
        f"Model {model_version()}, seed {result.seed}, {int(result.done.sum())} runs, each with its own draw of the "
        f"assumptions and its own luck; digest {result.digest[:12]}; {result.seconds:.1f} seconds."
    )


def said(value: float | None) -> str:
    """A number in words; a quantile that falls on runs which never get there says so."""
    return "never" if value is None else whole(value).removesuffix(".0")


def ends(found: Band) -> str:
    """The 5 % and the 95 % quantile."""
    return f"{said(found.p05)} to {said(found.p95)}"


def in_words(result: Ensemble, governors: int, target: int, agreeing: Band, peak: Band, half: Band) -> str:
    """The result in one sentence."""
    last = result.n_days - 1
    missed = f"{100 * half.never:.0f} % of the runs do not get there by day {last}"
    if half.never == 1.0:
        arrival = f"no run has half of the {target:,} in place by day {last}"
    elif half.median is None:
        arrival = f"in half of the runs or more, half of the {target:,} is not in place by then: {missed}"
    else:
        date = result.scenario.start + timedelta(days=round(half.median))
        arrival = f"half of the {target:,} is in place on day {said(half.median)} ({date:%d %b %Y})"
        arrival += f", but {missed}" if half.never else ", and every run gets there"
    return (
        f"In the median of {half.n} runs, {said(agreeing.median)} of {governors} governors agree on day {last}, "
        f"and at most {said(peak.median)} troops are in place on any one day; {arrival}."
    )


def chart(result: Ensemble, plot: Callable[..., Any], series: str, levels: tuple[int, ...], words: str) -> None:
    """A plot under its caption, and the same numbers as a table."""
    caption = plots.caption(plot, result)
    st.subheader(plain(caption.rstrip(".")))
    st.plotly_chart(plot(result, *levels), key=series, config={"displaylogo": False}, alt=f"{caption} {words}")
    days = plots.marked_days(result.n_days, 14)
    table = {"day": [str(day) for day in days]}
    table["date"] = [f"{result.scenario.start + timedelta(days=day):%d %b %Y}" for day in days]
    for level, row in zip(plots.LEVELS, outcomes.daily_bands(result.daily(series), plots.LEVELS), strict=True):
        table["median" if level == 0.5 else f"{100 * level:.0f} %"] = [said(row[day]) for day in days]
    with st.expander("The numbers of this chart"):
        st.table(table, hide_index=True, alt=caption)


def legal_lines(scenario: Scenario) -> list[str]:
    """Who commands, pays and may refuse, by the legal table."""
    law, day = legal_table(), scenario.value("federalize.day")
    rows = {"": str(scenario.value("request.status"))}
    if day != NEVER:
        called = "insurrection_act" if scenario.value("law.insurrection_act") else "title_10_12406"
        rows[f"From day {day}, where federalized: "] = called
    lines = []
    for when, status in rows.items():
        row = {key: plain(str(text)) for key, text in law["statuses"][status].items()}
        lines.append(
            f"{when}**{row['title']}.** Commanded by the {row['commands']}, paid by the {row['pays']}. The governor "
            f"may refuse: {row['governor_may_refuse']}; may withdraw: {row['governor_may_withdraw']}. "
            f"Posse Comitatus Act: {row['posse_comitatus']}."
        )
    return [*lines, f"The law as of {plain(law['dated'])}; not legal advice."]


def differences(scenario: Scenario, baseline: Scenario | None) -> list[str]:
    """What differs from the baseline, one line each."""
    if baseline is None:
        return ["There is no baseline to compare with."]
    lines = []
    for what, here, there in scenario.differences(baseline):
        entry = register().get(what)
        is_held = entry is not None and entry.kind == "uncertainty" and what not in scenario.ranges
        held = " in every run" if is_held else ""
        lines.append(f"- {plain(f'{entry.label if entry else what}: {here}{held} (baseline: {there})')}")
    return lines or ["Nothing."]


def downloads(result: Ensemble) -> None:
    """The summary and the scenario as files."""
    plan = {"draws": len(result.pairs), "replications": len(result.pairs)}
    files = {
        "summary (JSON)": ("json", "application/json", lambda: json.dumps(as_json(result, plan), indent=1)),
        "scenario (TOML)": ("toml", "text/plain", result.scenario.toml),
    }
    for column, (what, (ending, mime, content)) in zip(st.columns(len(files)), files.items(), strict=True):
        name = f"{result.scenario.name}.{ending}"
        column.download_button(f"Download the {what}", content, name, mime, on_click="ignore")


if __name__ == "__main__":
    main()
