"""Charts on a page: a figure with the sentence that says its result, its numbers as a table and as files, and its run."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from sim.export import csv_of, parquet_of, told_table
from sim.pages.files import download
from sim.pages.words import plain
from sim.report import said
from sim.summary import Summary

PICTURES = ("png", "svg")
MOST_ROWS = 13


def show(
    figure: Any,
    key: str,
    *,
    heading: str,
    sentence: str,
    numbers: Mapping[str, Sequence[Any]],
    of: Summary | None = None,
    passport: str | None = None,
) -> None:
    """A chart and everything that goes with it.

    Parameters
    ----------
    figure
        From `sim.plots`: heights and ranges are fixed there.
    key
        Unique on the page and the same on every run; names the files too.
    heading, sentence
        What the chart shows, and its result in words; together they are its text alternative. Plain text, escaped here.
    numbers
        The numbers of the chart as columns of one length; some rows are shown, all are in the files.
    of, passport
        The result, whose passport stands under the chart; or the passport itself; neither if the chart is of no run.
    """
    code = of.passport if of else passport
    st.header(plain(heading.rstrip(".")))
    st.markdown(plain(sentence))
    picture = st.session_state.get("picture", PICTURES[0])
    name = f"{of.scenario.name}-{key}" if of else key
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d"],
        "toImageButtonOptions": {"format": picture, "filename": name, "scale": 2},
    }
    st.plotly_chart(figure, key=f"chart/{key}", config=config, alt=f"{heading.rstrip('.')}. {sentence}")
    run = f"Run passport {code}" if code else f"digest {of.digest[:12]}" if of else ""
    with st.expander(
        f"Numbers, files and picture{' · ' + run if run else ''}", key=f"numbers/{key}", on_change="rerun"
    ) as below:
        if below.open:
            _numbers(name, key, heading, numbers, code)


def _numbers(name: str, key: str, heading: str, numbers: Mapping[str, Sequence[Any]], code: str | None) -> None:
    """What stands below a chart once it is asked for."""
    if code:
        st.markdown("With this code the app, or `python -m sim passport`, rebuilds, runs and checks these numbers:")
        st.code(code, language=None, wrap_lines=True)
    table(numbers, heading)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        told = {**numbers, "passport": [code or ""] * len(next(iter(numbers.values())))}
        files = (
            ("CSV", "csv", lambda: csv_of(told)),
            ("Parquet", "parquet", lambda: parquet_of(numbers, code)),
        )
        for words, ending, content in files:
            download(words, f"{name}.{ending}", content, key=f"{ending}/{key}")
        # The choice outlives the control: every chart's camera button takes it.
        chosen = st.session_state.get("picture", PICTURES[0])
        st.radio(
            "The camera above the chart saves",
            PICTURES,
            PICTURES.index(chosen),
            str.upper,
            key=f"picture/{key}",
            horizontal=True,
            on_change=_choose_picture,
            args=(f"picture/{key}",),
        )


def _choose_picture(key: str) -> None:
    st.session_state["picture"] = st.session_state[key]


def table(numbers: Mapping[str, Sequence[Any]], alt: str, most: int = MOST_ROWS) -> None:
    """Columns as a table that is read: at most so many rows, evenly apart, the first and the last among them."""
    n = len(next(iter(numbers.values()), ()))
    step = max(1, -(-(n - 1) // (most - 1)))
    rows = sorted({*range(0, n, step), n - 1}) if n else []
    told = {name: [_told(name, column[row]) for row in rows] for name, column in numbers.items()}
    # Of anything but Arrow, Streamlit would make a frame first.
    st.table(told_table(told), hide_index=True, alt=alt)


def _told(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return said(value)
    return f"{value:,}" if isinstance(value, int) and name != "day" else plain(str(value))
