"""Explore: move a lever, see a thousand futures: how many states agree, how quickly do troops arrive."""

import json

import streamlit as st

from sim import plots
from sim.export import daily_table, html_report
from sim.outcomes import OUTCOMES
from sim.pages import about, bar, charts, controls, document, explore_tabs, legal, map54, work
from sim.pages.files import download
from sim.pages.words import date, ends, plain
from sim.report import as_json, said
from sim.results import DECLINED
from sim.sharing import Shared
from sim.summary import Summary
from sim.world import load_world


def page() -> None:
    """The scenario and what differs, the result in a sentence and three numbers, mobilization and the map, and the rest in tabs."""
    controls.sidebar()
    now = document.current()
    st.title(plain(now.scenario.title))
    st.markdown(plain(now.scenario.question))
    about.first_screen()
    bar.show()
    label = st.empty()
    label.markdown(f":small[Working out {now.runs:,} runs. Until they are done the last result stands below.]")
    result = work.result(now)
    label.markdown(
        f":small[{result.runs:,} runs, each with its own draw of the assumptions and its own luck; {result.seconds:.1f} s.]"
    )
    baseline = document.baseline()
    there = result if now.scenario.digest == baseline.digest else work.result(Shared(baseline, now.seed, now.runs))
    say(result, there)
    first_view(result)
    explore_tabs.show(result, there)
    legal.card(now.scenario)
    take_away(result, now)


# --- The result


def say(result: Summary, there: Summary) -> None:
    """The result in one sentence and three numbers, with the change against `there`, the baseline under the same luck."""
    if result.failed:
        st.warning(
            f"{result.failed} of {result.runs + result.failed} runs failed and are left out; "
            f"the first said: {plain(result.first_error)}"
        )
    st.markdown(f"**{plain(result.words)}**")
    governors = sum(state.has_governor for state in load_world().states)
    last = result.n_days - 1
    shown = (
        (f"Governors agreeing on day {last}", "states_agreeing", f" of {governors}"),
        ("Most troops in place", "peak_in_place", ""),
        ("Days to 50 % of those asked for", "days_to_50", ""),
    )
    for column, (label, name, unit) in zip(st.columns(3), shown, strict=True):
        found = result.outcome(name)
        value = f"not by day {last}" if found.median is None else f"{said(found.median)}{unit}"
        told = "this is the baseline" if there is result else against(found.median, there.outcome(name).median)
        help_text = plain(f"{OUTCOMES[name].label}: median of the runs.")
        column.metric(label, value, told, delta_color="off", delta_arrow="off", help=help_text)
        column.markdown(f":small[5 to 95 % of runs: {ends(found)}]")


def against(here: float | None, there: float | None) -> str:
    """A change against the baseline in words."""
    if here is None or there is None:
        return (
            "as in the baseline"
            if here == there
            else f"baseline: {said(there) if there is not None else 'not reached'}"
        )
    change = here - there
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{said(abs(change))} against the baseline"


def first_view(result: Summary) -> None:
    """Mobilization, and the map."""
    left, right = st.columns([1, 1], gap="medium")
    with left:
        mobilization(result)
    with right:
        where(result)


def mobilization(result: Summary) -> None:
    """Troops in place, with the numbers to compare with."""
    target = int(result.scenario.value("request.target"))
    names = ("context.active_duty_border", "capacity.target")
    active, officers = (int(result.scenario.value(name)) for name in names)
    peak = result.outcome("peak_in_place")
    charts.show(
        plots.troops_in_place(result, target, active, officers),
        "in_place",
        heading=plots.caption(plots.troops_in_place, result),
        sentence=f"Most on any day: median {said(peak.median)}, 5 to 95 % of runs {ends(peak)}; {target:,} are asked for.",
        numbers=daily_table(result, ["in_place"]),
        of=result,
    )


# A state or a run chosen here draws this part again and leaves the charts alone.
@st.fragment
def where(result: Summary) -> None:
    """The map, one run of it, and the selected state."""
    last = result.n_days - 1
    agreeing = result.outcome("states_agreeing")
    st.header("The 54, day by day")
    st.markdown(
        plain(
            f"On day {last}, {said(agreeing.median)} governors agree in the median; 5 to 95 % of runs {ends(agreeing)}."
        )
    )
    now = Shared(result.scenario, result.seed, result.runs + result.failed)
    numbers = [replication for _, replication in result.pairs]
    run = st.session_state.get("run")
    run = run if run in numbers else numbers[0]
    map54.show(result, work.one_run(now, run).status, run)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _state_list()
        st.session_state["run_chosen"] = run
        st.number_input(
            "Run on the map",
            0,
            max(numbers),
            key="run_chosen",
            help="Which of the runs the map shows when it shows one run; the first is run 0.",
            on_change=_run_chosen,
            width=140,
        )
    _selected(result)


def _state_list() -> None:
    """The states as a list, for whoever does not use the map."""
    names = {state.code: f"{state.name} ({state.code})" for state in load_world().states}
    if st.session_state.get("state_chosen") != document.state() or "state_chosen" not in st.session_state:
        st.session_state["state_chosen"] = document.state()
    st.selectbox(
        "State",
        sorted(names, key=names.__getitem__),
        format_func=names.__getitem__,
        key="state_chosen",
        placeholder="Choose on the map or here",
        on_change=lambda: document.select(st.session_state["state_chosen"]),
        width=240,
    )


def _run_chosen() -> None:
    st.session_state["run"] = st.session_state["run_chosen"]


def _selected(result: Summary) -> None:
    """What the selected state does, in a sentence; nothing jumps when none is selected."""
    code = document.state()
    if code is None:
        st.markdown("Select a state to read what it does in these runs.")
        return
    world = document.world()
    k = world.codes.index(code)
    state, last = world.states[k], result.n_days - 1
    share = map54.shares(result)[:, k]
    half = next((day for day, part in enumerate(share) if part >= 0.5), None)
    if not state.has_governor:
        text = f"has no governor to ask: the President commands its Guard, and sends it in {100 * share[-1]:.0f} % of runs."
    else:
        reached = (
            "never in half of the runs"
            if half is None
            else f"in half of the runs from day {half} on ({date(result, half)})"
        )
        declined = 100 * float(result.share((DECLINED,))[last, k])
        text = (
            f"agrees in {100 * share[-1]:.0f} % of runs on day {last}, {reached}; it has declined in {declined:.0f} %."
        )
    st.markdown(f"**{plain(state.name)}** {plain(text)} Strength {plain(f'{state.strength:,}')}.")


def take_away(result: Summary, now: Shared) -> None:
    """The result as files."""
    st.header("Take it away")
    with st.container(horizontal=True):
        files = (
            ("Report (HTML)", "html", lambda: html_report(work.ensemble(now), document.baseline())),
            ("Summary (JSON)", "json", lambda: _json(now)),
            ("Scenario (TOML)", "toml", now.scenario.toml),
        )
        for words, ending, content in files:
            download(words, f"{now.scenario.name}.{ending}", content, key=f"take/{ending}")
    st.markdown(
        f"Model and numbers of this result: digest `{result.digest[:12]}`, {result.runs:,} runs, seed {result.seed}, "
        f"engine {result.engine}."
    )


def _json(now: Shared) -> str:
    return json.dumps(as_json(work.ensemble(now), {"draws": now.runs, "replications": now.runs}), indent=1)
