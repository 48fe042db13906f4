"""Explore: move a lever, see a thousand futures."""

import streamlit as st

from sim import plots
from sim.export import daily_table
from sim.pages import charts, controls, document, work
from sim.pages.words import ends, plain
from sim.report import said


def page() -> None:
    """The scenario, what differs, the result in a sentence, three numbers, and the charts."""
    controls.sidebar()
    now = document.current()
    st.title(plain(now.scenario.title))
    result = work.result(now)
    st.markdown(f"**{plain(result.words)}**")
    peak = result.outcome("peak_in_place")
    charts.show(
        plots.troops_in_place(result, document.number("request.target")),
        "in_place",
        heading="Guard members in place",
        sentence=f"Most on any day: median {said(peak.median)}, 5 to 95 % of runs {ends(peak)}.",
        numbers=daily_table(result, ["in_place"]),
        of=result,
    )
