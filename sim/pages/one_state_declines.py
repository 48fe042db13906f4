"""One state that declines: the runs in which it does, and all runs with it made to, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from sim import closeups, influence
from sim.outcomes import OUTCOMES, band
from sim.pages import charts, document, work
from sim.pages.words import ends, plain, signed
from sim.parameters import register
from sim.report import said
from sim.results import DECLINED, NOT_ASKED
from sim.sharing import Shared
from sim.summary import Summary

OTHERS = "other governors agreeing"
SHOWN = ("volunteers", "peak_in_place", "in_place_last", "days_to_25", "days_to_50")
# Fewer runs than these tell little.
FEW = 30
Numbers = NDArray[np.float64]
Measure = Callable[[Summary], Numbers]


def show(result: Summary, now: Shared, k: int) -> None:
    """Two ways to ask what happens if it declines, and why they differ."""
    name, chosen = document.world().states[k].name, st.session_state.setdefault("declines", frozenset())
    st.subheader(f"If {plain(name)} declines: two questions")
    st.markdown(
        plain(
            f"Given that it declines: look only at the runs in which {name} declines by itself. "
            f"Make it decline: run all of them again, with the same luck, and {name} declining whenever it is asked."
        )
    )
    with st.container(horizontal=True):
        for key, words in (("given", "Given that it declines"), ("made", "Make it decline")):
            st.button(
                words,
                key=f"declines/{key}",
                icon=":material/check_box:" if key in chosen else ":material/check_box_outline_blank:",
                on_click=_turn,
                args=(key,),
            )
    if not chosen:
        st.markdown("Press one of the two, or both to see them side by side.")
        return
    given = _given(result, now, k) if "given" in chosen else None
    made = None
    if "made" in chosen:
        with st.spinner(f"{now.runs:,} runs with {name} made to decline"):
            made = work.result(replace(now, scenario=influence.declining(now.scenario, result.codes[k])))
    if given is not None and not given.any():
        st.markdown(
            plain(f"{name} declines by itself in none of the {result.runs:,} runs: there is nothing to look at.")
        )
        given = None
    if given is not None or made is not None:
        _side_by_side(result, now, k, given, made)


def _turn(key: str) -> None:
    st.session_state["declines"] = st.session_state["declines"] ^ {key}


def _given(result: Summary, now: Shared, k: int) -> NDArray[np.bool_] | None:
    """The runs in which it declines by itself; None where federalization leaves no evening to tell."""
    day = influence.last_own_day(now.scenario)
    if day < 0:
        st.markdown("Federalization begins on day 0 here: no governor's own answer can be told apart.")
        return None
    if day == now.scenario.days:
        return np.asarray(result.last_status[:, k] == DECLINED)
    # Federalization covers what governors said, so the evening before it is looked at.
    early = work.result(replace(now, scenario=influence.until(now.scenario, day)))
    answers = dict(zip(early.pairs, early.last_status[:, k].tolist(), strict=True))
    return np.array([answers.get(pair) == DECLINED for pair in result.pairs])


def _side_by_side(result: Summary, now: Shared, k: int, given: NDArray[np.bool_] | None, made: Summary | None) -> None:
    """All runs, those given and those made, in a sentence, a chart and a table."""
    world = document.world()
    governed = np.array([state.has_governor for state in world.states])
    measures: dict[str, Measure] = {OTHERS: lambda of: influence.others_agreeing(of, k, governed)}
    measures |= {name: partial(_outcome, name=name) for name in SHOWN}
    at, at_made = influence.in_all(result, made or result)
    mask = np.zeros(len(at), np.bool_) if given is None else given[at]
    values = {name: (measure(result)[at], measure(made or result)[at_made]) for name, measure in measures.items()}
    rows = [influence.contrast(name, *pair, mask) for name, pair in values.items()]
    columns: list[tuple[str, dict[str, Numbers]]] = [("all runs", {name: pair[0] for name, pair in values.items()})]
    if given is not None:
        columns.append((f"given ({int(mask.sum()):,} runs)", {n: pair[0][mask] for n, pair in values.items()}))
    if made is not None:
        columns.append(("made", {name: pair[1] for name, pair in values.items()}))
    name = world.states[k].name
    charts.show(
        closeups.intervals([(words, of[OTHERS]) for words, of in columns], "governors", float(governed.sum()) - 1.0),
        f"declines/{result.codes[k]}",
        heading=f"Other governors who agree on the last day, if {name} declines",
        sentence=_why(result, now, k, given, mask, made, rows[0]),
        numbers=_table(columns, rows, has_given=given is not None, has_made=made is not None),
        of=result,
    )
    st.subheader("Main outcomes side by side")
    charts.table(
        _table(columns, rows, has_given=given is not None, has_made=made is not None), "Main outcomes side by side"
    )
    st.markdown(
        ":small[Means of days count the runs that get there; a median that is never says that half of them do not.]"
    )
    if made is not None and made.passport:
        st.markdown(f":small[The runs with {plain(name)} made to decline have the passport {made.passport}.]")


def _outcome(of: Summary, name: str) -> Numbers:
    return of.values[name]


def _table(
    columns: Sequence[tuple[str, dict[str, Numbers]]],
    rows: Sequence[influence.Contrast],
    *,
    has_given: bool,
    has_made: bool,
) -> dict[str, list[Any]]:
    """Medians with 5 to 95 % of runs, and the two differences in means."""
    table: dict[str, list[Any]] = {"outcome": [_label(row.name) for row in rows]}
    for words, of in columns:
        bands = [band(of[row.name]) for row in rows]
        table[f"{words}: median (5 to 95 %)"] = [f"{said(found.median)} ({ends(found)})" for found in bands]
    if has_given:
        table["given less all, means"] = [signed(row.selection) for row in rows]
    if has_made:
        table["made less all, same luck (95 % interval)"] = [
            signed(row.effect) + ("" if row.low is None else f" ({signed(row.low)} to {signed(row.high)})")
            for row in rows
        ]
    return table


def _label(name: str) -> str:
    return OUTCOMES[name].label if name in OUTCOMES else name.capitalize()


def _why(
    result: Summary,
    now: Shared,
    k: int,
    given: NDArray[np.bool_] | None,
    mask: NDArray[np.bool_],
    made: Summary | None,
    row: influence.Contrast,
) -> str:
    """What both say of the other governors, and why the two differ."""
    name = document.world().states[k].name
    told = []
    if given is not None:
        n = int(mask.sum())
        few = "; so few runs tell little" if n < FEW else ""
        told.append(
            f"{name} declines by itself in {n:,} of {len(mask):,} runs; in those {row.given:.1f} other governors agree in the "
            f"mean, in all runs {row.everywhere:.1f} ({signed(row.selection)}){few}."
        )
    if made is not None:
        sure = "" if row.low is None else f", 95 % interval {signed(row.low)} to {signed(row.high)}"
        told.append(
            f"Made to decline in every run, under the same luck, it changes the number of the others by "
            f"{signed(row.effect)} in the mean{sure}."
        )
        if not (made.last_status[:, k] != NOT_ASKED).any():
            told.append("It is never asked here, so there is nothing to decline.")
    if given is not None and made is not None and row.selection is not None:
        told.append(_selection(name, row.selection, _tilted(now, given)))
    return " ".join(told)


def _selection(name: str, selection: float, tilted: str) -> str:
    """Selection against intervention, in words."""
    others = "reluctant" if selection < 0 else "willing"
    return (
        f"The two differ because the first selects and the second intervenes: the runs in which {name} declines are also runs in "
        f"which others are {others} for reasons that they share{tilted}, while making it decline changes its answer alone."
    )


def _tilted(now: Shared, given: NDArray[np.bool_]) -> str:
    """The drawn value in which those runs differ most."""
    ensemble = work.ensemble(now)
    numbers = ensemble.numbers[ensemble.done]
    if len(numbers) != len(given):
        return ""
    found = influence.tilt(numbers, given, list(register()))
    if not found:
        return ""
    name, everywhere, here = found[0]
    return f" (most of all {register()[name].label.lower()}: {here:.2f} in the mean of those runs, {everywhere:.2f} in all)"
