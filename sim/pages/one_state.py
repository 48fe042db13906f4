"""One state: its facts, its chance of agreeing by day, why it answered as it did in any run, and what hangs on it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from sim import closeups
from sim.facts import Fact, facts, law
from sim.pages import charts, controls, document, one_state_declines, one_state_run, work
from sim.pages.words import date, plain
from sim.results import ACCEPTED, DECLINED, LIMITED, NO_ANSWER, SENDING, WITHDRAWN
from sim.sharing import Shared
from sim.summary import Summary, dates
from sim.world import State

OFFERED = 3
LINES = {
    "agrees": (ACCEPTED, LIMITED),
    "has declined": (DECLINED,),
    "has not answered in time": (NO_ANSWER,),
    "has withdrawn": (WITHDRAWN,),
}


def page() -> None:
    """One of the 54: what is known of it, how often it agrees, and why."""
    controls.sidebar()
    now, world = document.current(), document.world()
    st.title("One state")
    st.markdown(
        "Choose one of the 54 to see what is known of it, how often it agrees by day, and why it answers as it does."
    )
    _choose(world.states)
    code = document.state()
    if code not in world.codes:
        _offer(world.states)
        return
    k = world.codes.index(code)
    state = world.states[k]
    result = work.result(now)
    st.header(f"{plain(state.name)} ({code})")
    chance(result, k, state)
    tabs: dict[str, Callable[[Summary, Shared, int], None]] = {"Facts and their sources": known}
    if state.has_governor:
        tabs |= {
            "Why, in one run": one_state_run.why,
            "Who moved it, and whom it moved": one_state_run.moved,
            "If it declines": one_state_declines.show,
        }
    for tab, draw in zip(st.tabs(list(tabs), key="state_tabs", on_change="rerun"), tabs.values(), strict=True):
        if tab.open:
            with tab:
                draw(result, now, k)


def _choose(states: tuple[State, ...]) -> None:
    """The 54 by name; what is chosen here is chosen on all pages."""
    names = {state.code: f"{state.name} ({state.code})" for state in states}
    if st.session_state.get("one_state") != document.state() or "one_state" not in st.session_state:
        st.session_state["one_state"] = document.state()
    st.selectbox(
        "State",
        sorted(names, key=names.__getitem__),
        format_func=names.__getitem__,
        key="one_state",
        placeholder="Type or choose a name",
        on_change=lambda: document.select(st.session_state["one_state"]),
    )


def _offer(states: tuple[State, ...]) -> None:
    """No state is chosen: some to begin with."""
    largest = sorted(states, key=lambda state: -state.strength)[:OFFERED]
    st.markdown("No state is chosen yet. Choose above or on the map of Explore, or begin with one of the largest:")
    with st.container(horizontal=True):
        for state in largest:
            st.button(
                f"{state.name}, {state.strength:,}",
                key=f"offer/{state.code}",
                on_click=document.select,
                args=(state.code,),
            )


# --- How often


def chance(result: Summary, k: int, state: State) -> None:
    """The share of runs in which it agrees by day, and in which it has said something else."""
    if state.has_governor:
        lines = {words: result.share(codes)[:, k] for words, codes in LINES.items()}
        lines = {words: share for words, share in lines.items() if words == "agrees" or share.any()}
    else:
        lines = {"is sent": result.share((SENDING,))[:, k]}
    shown = {f"{words}, % of runs": [round(100 * float(part), 1) for part in share] for words, share in lines.items()}
    numbers: dict[str, list[Any]] = {
        "day": list(range(result.n_days)),
        "date": dates(result, range(result.n_days)),
        **shown,
        "runs": [result.runs] * result.n_days,
    }
    charts.show(
        closeups.shares(result, list(lines.items())),
        f"state_by_day/{state.code}",
        heading=f"{state.name}: {'its answer' if state.has_governor else 'sent or not'} by day, of {result.runs:,} runs",
        sentence=said_of(result, k, state),
        numbers=numbers,
        of=result,
    )
    st.markdown(
        f":small[{result.runs:,} runs stand behind each line. A share is how often it happens over the assumptions and the "
        "luck of these runs, not a probability that it happens.]"
    )


def said_of(result: Summary, k: int, state: State) -> str:
    """What a state does in these runs, in words."""
    last = result.n_days - 1
    if not state.has_governor:
        share = result.share((SENDING,))[last, k]
        return (
            f"{state.name} has no governor to ask: the President commands its Guard, and sends it in "
            f"{100 * share:.0f} % of the runs by day {last}."
        )
    agrees = result.share((ACCEPTED, LIMITED))[:, k]
    best = int(agrees.argmax())
    most = "" if best == last else f", at most in {100 * agrees[best]:.0f} % (day {best}, {date(result, best)})"
    declined = result.share((DECLINED,))[last, k]
    return (
        f"On day {last}, {date(result, last)}, {state.name} agrees in {100 * agrees[last]:.0f} % of the {result.runs:,} "
        f"runs{most}; it has declined in {100 * declined:.0f} %."
    )


# --- What is known


def known(result: Summary, now: Shared, k: int) -> None:
    """Facts, each with the number of its source, and the sources."""
    scenario, code = now.scenario, result.codes[k]
    found: list[Fact] = facts(code, str(scenario.value("request.party")))
    if document.world().states[k].has_governor:
        found += law(str(scenario.value("request.status")))
    sources = list(dict.fromkeys(fact.source for fact in found))
    st.subheader("Facts and their sources")
    st.table(
        {
            "fact": [plain(fact.label) for fact in found],
            "value": [plain(fact.value) for fact in found],
            "source": [f"[{sources.index(fact.source) + 1}]" for fact in found],
        },
        hide_index=True,
        alt=f"Facts of {code} and where each comes from",
    )
    st.markdown(
        "\n".join(f"{n}. {source}" for n, source in enumerate(sources, 1))
        + "\n\n:small[Facts as of May 2025 unless a date is given; not legal advice. Weaknesses of each column are named in "
        "seeds/README.md. How strongly a fact moves an answer is an assumption: see the page Assumptions.]"
    )
