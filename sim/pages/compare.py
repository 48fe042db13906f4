"""Compare: pin a scenario as A, change it, and see B: run by run under the same luck."""

from dataclasses import replace
from typing import Any

import streamlit as st

from sim import closeups
from sim.comparison import daily_differences, paired
from sim.export import csv_of, daily_table
from sim.outcomes import OUTCOMES
from sim.pages import charts, compare_parting, controls, document, work
from sim.pages.files import download
from sim.pages.words import plain, signed
from sim.report import said
from sim.results import Ensemble
from sim.sharing import Shared
from sim.summary import Summary, dates

SERIES = {"in_place": ("Troops in place", "people"), "agreeing": ("Governors agreeing", "governors")}
HEADLINE = (("states_agreeing", "governors agreeing on the last day"), ("peak_in_place", "most troops in place"))
Row = dict[str, float | None]


def page() -> None:
    """Two scenarios side by side: what differs between them, what that changes, and where their histories part."""
    controls.sidebar()
    now, pinned = document.current(), document.desk().pinned
    st.title("Compare")
    st.markdown(
        "Pin a scenario as A, change a lever, and see what becomes of it as B: the same runs with the same luck, so that what "
        "differs between them comes from what was changed."
    )
    if pinned is None:
        _offer(now)
        return
    # The same luck for both: seed and number of runs are those of B.
    first = replace(now, scenario=pinned.scenario)
    _pair(pinned, now)
    if pinned.scenario.digest == now.scenario.digest:
        st.markdown(
            "A and B are the same now. Change a lever, or open another scenario in the sidebar, and B moves away from A."
        )
        return
    a, b = work.result(first), work.result(now)
    _differences(first, now)
    compare(a, b, work.ensemble(first), work.ensemble(now))
    compare_parting.show(a, b, first, now)


def passports(a: Summary, b: Summary) -> str | None:
    """The codes of both results, a line each; None while one has none."""
    return f"{a.passport}\n{b.passport}" if a.passport and b.passport else None


# --- Which two


def _offer(now: Shared) -> None:
    """Nothing is pinned: pin what is there, or take a pair to begin with."""
    found, _ = document.presets()
    others = {name: scenario for name, scenario in found.items() if name != document.BASELINE}
    st.markdown("Nothing is pinned yet. Pin what you have now and then change it:")
    st.button(
        f"Pin as A: {plain(now.scenario.title)}", key="pin", icon=":material/keep:", on_click=document.pin, args=(now,)
    )
    if others:
        st.markdown("Or begin with the baseline as A and one of the other scenarios as B:")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                "Scenario for B", list(others), format_func=lambda name: others[name].title, key="pair_b", width=420
            )
            st.button("Compare it with the baseline", key="pair", on_click=_take_pair)


def _take_pair() -> None:
    found, _ = document.presets()
    now = document.current()
    document.pin(replace(now, scenario=document.baseline()))
    document.open_scenario(found[st.session_state["pair_b"]])


def _pair(pinned: Shared, now: Shared) -> None:
    """A and B by their titles, and what can be done with them."""
    st.header("A and B")
    st.markdown(
        f"**A** (pinned): {plain(pinned.scenario.title)}  \n**B** (what you change): {plain(now.scenario.title)}"
    )
    with st.container(horizontal=True):
        st.button("Pin B as A", key="pin", icon=":material/keep:", on_click=document.pin, args=(now,))
        st.button("Swap A and B", key="swap", icon=":material/swap_horiz:", on_click=_swap)
        st.button("Unpin A", key="unpin", icon=":material/keep_off:", on_click=document.pin, args=(None,))
    if (pinned.seed, pinned.runs) != (now.seed, now.runs):
        st.markdown(
            f":small[A was pinned with seed {pinned.seed} and {pinned.runs:,} runs; here both run with seed {now.seed} and "
            f"{now.runs:,} runs, those of B, so that their luck is the same.]"
        )


def _swap() -> None:
    pinned, now = document.desk().pinned, document.current()
    if pinned is not None and document.change(pinned.scenario):
        document.pin(now)


def _differences(first: Shared, now: Shared) -> None:
    """What differs between the two scenarios."""
    rows = document.differences(first.scenario, now.scenario)
    st.header("What differs between them")
    st.table(
        {
            "what": [plain(row.label) for row in rows],
            "A": [plain(row.here) for row in rows],
            "B": [plain(row.there) for row in rows],
            "unit": [plain(row.entry.unit if row.entry else "") for row in rows],
            "source": ["" if row.entry is None else _source(row.entry.source) for row in rows],
        },
        hide_index=True,
        alt="What differs between A and B",
    )


def _source(source: str) -> str:
    return "assumption" if source == "assumption" else plain(source)


# --- What that changes


def compare(a: Summary, b: Summary, all_a: Ensemble, all_b: Ensemble) -> None:
    """Both on the same axes, the difference by day, and the paired difference of every outcome."""
    st.header("What that changes")
    for letter, of in (("A", a), ("B", b)):
        if of.failed:
            st.warning(f"{of.failed} runs of {letter} failed and are left out; the first said: {plain(of.first_error)}")
    rows = paired(all_a, all_b)
    n = int((all_a.done & all_b.done).sum())
    st.markdown(f"**{plain(_in_words(rows, n))}**")
    tabs = st.tabs([*(title for title, _ in SERIES.values()), "Every outcome"], key="compare_tabs", on_change="rerun")
    for tab, (name, (title, unit)) in zip(tabs, SERIES.items(), strict=False):
        if tab.open:
            with tab:
                _together(a, b, name, title, unit)
                _by_day(a, b, all_a, all_b, name, title, unit)
    if tabs[-1].open:
        with tabs[-1]:
            _outcomes(a, b, rows, n)


def _in_words(rows: dict[str, Row], n: int) -> str:
    """The headline differences in a sentence."""
    told = [f"{signed(rows[name]['mean'])} {words}{_interval(rows[name])}" for name, words in HEADLINE]
    return f"B less A, mean of {n:,} pairs of runs under the same luck: {'; '.join(told)}."


def _interval(row: Row) -> str:
    return "" if row["low"] is None else f" (95 % interval {signed(row['low'])} to {signed(row['high'])})"


def _together(a: Summary, b: Summary, name: str, title: str, unit: str) -> None:
    """A and B on the same axes."""
    last = min(a.n_days, b.n_days) - 1
    middle = {letter: daily_table(of, [name], [last])["median"][0] for letter, of in (("A", a), ("B", b))}
    columns = {letter: daily_table(of, [name], range(last + 1)) for letter, of in (("A", a), ("B", b))}
    numbers: dict[str, Any] = {"day": columns["A"]["day"], "date": columns["A"]["date"]}
    numbers |= {
        f"{letter}: {level}": columns[letter][level] for letter in columns for level in ("5 %", "median", "95 %")
    }
    charts.show(
        closeups.two(a, b, name, unit),
        f"compare/{name}",
        heading=f"{title}, A and B on the same axes",
        sentence=f"On day {last} the median is {said(middle['A'])} in A and {said(middle['B'])} in B.",
        numbers=numbers,
        passport=passports(a, b),
    )


def _by_day(a: Summary, b: Summary, all_a: Ensemble, all_b: Ensemble, name: str, title: str, unit: str) -> None:
    """B less A by day, run by run."""
    daily = daily_differences(all_a, all_b, name)
    shorter = a if a.n_days <= b.n_days else b
    at = int(abs(daily[0]).argmax())
    mean, low, high = daily[:3, at]
    words = ("mean of B - A", "95 % interval, low", "95 % interval, high", "5 % of pairs", "95 % of pairs")
    numbers = {word: [round(float(x), 2) for x in row] for word, row in zip(words, daily, strict=True)}
    charts.show(
        closeups.difference(shorter, daily, unit),
        f"compare/{name}/difference",
        heading=f"{title}: B less A, run by run under the same luck",
        sentence=(
            f"The means differ most on day {at}: {signed(float(mean))} {unit}, 95 % interval {signed(float(low))} to "
            f"{signed(float(high))}."
            if mean
            else "The means are the same on every day."
        ),
        numbers={"day": list(range(shorter.n_days)), "date": dates(shorter, range(shorter.n_days)), **numbers},
        passport=passports(a, b),
    )


def _outcomes(a: Summary, b: Summary, rows: dict[str, Row], n: int) -> None:
    """Paired differences of every outcome."""
    st.subheader("Paired differences of every outcome")
    st.markdown(
        plain(
            f"Run by run, {n:,} pairs under the same luck. The interval says how sure so many runs make the mean, not how sure "
            "the model is; 5 to 95 % is the range over pairs."
        )
    )
    table: dict[str, list[Any]] = {
        "outcome": [OUTCOMES[name].label for name in rows],
        "unit": [OUTCOMES[name].unit for name in rows],
        "A: median": [said(a.outcome(name).median) for name in rows],
        "B: median": [said(b.outcome(name).median) for name in rows],
        "mean of B - A (95 % interval)": [_told(row) for row in rows.values()],
        "5 to 95 % of B - A": [f"{signed(row['p05'])} to {signed(row['p95'])}" for row in rows.values()],
        "pairs in which it happens in both": [f"{100 * (row['both'] or 0.0):.0f} %" for row in rows.values()],
    }
    st.table(
        {name: [plain(cell) for cell in column] for name, column in table.items()},
        hide_index=True,
        alt="Paired differences of every outcome",
    )
    numbers: dict[str, list[Any]] = {"outcome": list(rows), "unit": table["unit"]}
    numbers |= {key: [row[key] for row in rows.values()] for key in ("mean", "low", "high", "p05", "p95", "both")}
    numbers |= {f"passport of {letter}": [of.passport or ""] * len(rows) for letter, of in (("A", a), ("B", b))}
    name = f"{a.scenario.name}-{b.scenario.name}-paired.csv"
    download("CSV", name, lambda: csv_of(numbers), key="paired_csv")


def _told(row: Row) -> str:
    ends = "" if row["low"] is None else f" ({signed(row['low'])} to {signed(row['high'])})"
    return f"{signed(row['mean'])}{ends}"
