"""One state in one run: the reasons of each of its decisions, who moved it, and whom it moved."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from sim import closeups, influence
from sim.governors import TERMS
from sim.pages import charts, document, work
from sim.pages.words import date, plain
from sim.parameters import ROLES, register
from sim.reasons import Flip, decisions_of, flips, threshold_of
from sim.results import Decision, Run
from sim.setting import Setting, setting_of
from sim.sharing import Shared
from sim.summary import Summary

MOST_FLIPS = 5
# A decision as it is told: what the governor does.
DOES = {
    "accept": "agrees",
    "accept with limits": "agrees with limits",
    "accept more": "adds people",
    "decline": "declines",
    "decline more": "declines to add people",
    "no answer": "lets the deadline pass",
    "withdraw": "withdraws",
}
KINDS = {"answer": "another answer", "day": "another day", "people": "another number of people"}


def why(result: Summary, now: Shared, k: int) -> None:
    """The reasons card of each decision in any run."""
    number = _run_number(result, "why")
    run, setting = work.one_run(now, number), setting_of(now.scenario, now.seed, number)
    decision = _decision(run, result.codes[k], "why")
    if decision is not None:
        card(decision, setting, run, result)


def _run_number(result: Summary, place: str) -> int:
    """Which run is looked at; Explore's map shows the same one."""
    numbers = [replication for _, replication in result.pairs]
    run = st.session_state.get("run")
    run = run if run in numbers else numbers[0]
    key = f"state_run/{place}"
    st.session_state[key] = run

    def chosen() -> None:
        st.session_state["run"] = st.session_state[key]

    st.number_input(
        "Run", 0, max(numbers), key=key, on_change=chosen, width=160, help="Any of the runs behind the lines above."
    )
    return int(run)


def _decision(run: Run, code: str, place: str) -> Decision | None:
    """One of the state's decisions in this run, or in words why there is none."""
    decisions = decisions_of(run, code)
    if not decisions:
        was_asked = bool(run.status[:, run.codes.index(code)].any())
        st.markdown(
            "In this run it was asked and had not answered by the last day; choose another run."
            if was_asked
            else "In this run it was not asked; choose another run."
        )
        return None
    at = 0
    if len(decisions) > 1:
        at = st.selectbox(
            "Decision",
            range(len(decisions)),
            format_func=lambda n: f"day {decisions[n].day}: {DOES[decisions[n].answer]}",
            key=f"decision/{place}/{code}/{run.replication}",
        )
    return decisions[at]


# --- Why


def card(decision: Decision, setting: Setting, run: Run, result: Summary) -> None:
    """Terms as bars, the support and where it tips, and the smallest change that would have flipped the answer."""
    name = setting.world.states[decision.state].name
    rows = [(term, value) for (term, _), value in zip(TERMS, decision.terms, strict=True) if value]
    names, sizes = [term for term, _ in rows] or ["nothing"], np.array([value for _, value in rows] or [0.0])
    found = flips(decision, setting, run.replication)
    charts.show(
        closeups.terms(names, sizes),
        "reasons",
        heading=f"Why {name} {DOES[decision.answer]} on day {decision.day}, run {run.replication}",
        sentence=f"{_support(decision, setting, run, result)} {_smallest(found, decision)}",
        numbers={
            "term": [*names, "support"],
            "log-odds": [*(round(float(x), 4) for x in sizes), round(decision.support, 4)],
        },
        of=result,
    )
    if found:
        st.subheader("What else would have flipped it, alone")
        st.markdown(
            "One value is moved, while the day, the luck and what others had done by then stay. The smallest comes first, "
            "measured by its plausible range."
        )
        charts.table(_flips_table(found[:MOST_FLIPS]), "Single changes that would have flipped the decision")


def _support(decision: Decision, setting: Setting, run: Run, result: Summary) -> str:
    """The support of a decision, and where this luck tips it."""
    role = ROLES[decision.role] if decision.role >= 0 else None
    turned = f"it turned on the role of {role}" if role else "no role that was asked for was open"
    told = (
        f"On day {decision.day} ({date(result, decision.day)}) the terms add up to a support of {decision.support:+.2f} "
        f"log-odds; {turned}; ask {decision.ask} for {decision.quota:,} people"
    )
    told += f", {decision.offered:,} offered." if decision.offered else "."
    threshold = threshold_of(decision, setting, run.replication)
    if decision.is_forced:
        return f"{told} The scenario gave this answer; support only shows what the governor would have weighed."
    return told if math.isnan(threshold) else f"{told} With this luck the answer tips at {threshold:+.2f}."


def _smallest(found: Sequence[Flip], decision: Decision) -> str:
    """The smallest single change in words."""
    if not found:
        return "No single value would have flipped it."
    flip = found[0]
    within = "" if flip.is_plausible else ", outside its plausible range"
    return f"The smallest single change that would have flipped it: {_label(flip)} at {flip.needed} instead of {flip.was}{within}."


def _label(flip: Flip) -> str:
    return register()[flip.name].label if flip.name in register() else flip.name


def _flips_table(found: Sequence[Flip]) -> dict[str, list[Any]]:
    return {
        "value": [_label(flip) for flip in found],
        "was": [flip.was for flip in found],
        "flips beyond": [flip.needed for flip in found],
        "share of its range": [f"{100 * flip.size:.0f} %" for flip in found],
        "plausible": [flip.is_plausible for flip in found],
        "source": [
            "assumption" if register()[flip.name].source == "assumption" else "see Assumptions" for flip in found
        ],
    }


# --- Who moved it, and whom it moved


def moved(result: Summary, now: Shared, k: int) -> None:
    """The peers in its balance before it decided, and what follows from its first answer."""
    number, code = _run_number(result, "moved"), result.codes[k]
    run, setting = work.one_run(now, number), setting_of(now.scenario, now.seed, number)
    st.subheader("Who moved it")
    decision = _decision(run, code, "moved")
    if decision is not None:
        _who(influence.moved_by(decision, setting, run), decision, setting)
    first = influence.first_answer(run, code)
    if first is not None:
        _whom(result, now, number, run, first)


def _who(peers: Sequence[influence.Peer], decision: Decision, setting: Setting) -> None:
    """Peers whose answers it had seen the evening before, with what each added."""
    states, name = setting.world.states, setting.world.states[decision.state].name
    if not peers:
        st.markdown(plain(f"When {name} decided on day {decision.day}, no peer's answer weighed with it."))
        return
    total = sum(peer.effect for peer in peers)
    first = peers[0]
    st.markdown(
        plain(
            f"When {name} decided on day {decision.day}, what {len({peer.state for peer in peers})} other states had said by "
            f"the evening before added {total:+.2f} to a support of {decision.support:+.2f}; "
            f"most of one: {states[first.state].name}, {first.effect:+.2f} ({first.term})."
        )
    )
    st.dataframe(
        {
            "state": [states[peer.state].name for peer in peers],
            "had said": [influence.status_words(peer, setting) for peer in peers],
            "counts as": [peer.term for peer in peers],
            "effect, log-odds": [round(peer.effect, 3) for peer in peers],
        },
        hide_index=True,
        height=_height(len(peers)),
        key="who_moved",
    )
    st.markdown(":small[How much peers weigh is an assumption: see the group Governors in the sidebar.]")


def _whom(result: Summary, now: Shared, number: int, run: Run, first: Decision) -> None:
    """The same luck with this one answer turned, and whatever others then do differently."""
    states, code = document.world().states, result.codes[first.state]
    name = states[first.state].name
    other = influence.otherwise(now.scenario, first, code)
    again = work.one_run(replace(now, scenario=other), number)
    rows = [row for row in influence.moved(run, again) if row.state != first.state]
    turned = other.answers[-1].answer
    st.subheader("Whom it moved")
    counts = {kind: sum(row.kind == kind for row in rows) for kind in KINDS}
    told = ", ".join(f"{n} {'gives' if n == 1 else 'give'} {KINDS[kind]}" for kind, n in counts.items() if n)
    peaks = [int(each.in_place.max()) for each in (run, again)]
    st.markdown(
        plain(
            f"In run {number}, {name} {DOES[first.answer]} on day {first.day}. Run again with the same luck and its answer turned "
            f"({turned} on that day): of the other states {told or 'none does anything else'}. "
            f"Most troops in place: {peaks[1]:,} instead of {peaks[0]:,}."
        )
    )
    if rows:
        differ = [influence.first_difference(row) for row in rows]
        st.markdown("Where each of them first does something else:")
        st.dataframe(
            {
                "state": [states[row.state].name for row in rows],
                "gives": [KINDS[row.kind] for row in rows],
                "as it was": [before for before, _ in differ],
                "with the answer turned": [after for _, after in differ],
            },
            hide_index=True,
            height=_height(len(rows)),
            key="whom_moved",
        )
    st.markdown(
        f":small[One run, one luck. With its answer turned, {plain(name)} decides nothing else by itself: asked again, it "
        + ("declines again.]" if turned == "decline" else "lets the deadline pass.]")
    )


def _height(rows: int) -> int:
    """Room for so many rows, and at most ten at once."""
    return 37 + 35 * min(rows, 10) + 2
