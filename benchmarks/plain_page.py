"""What Explore is compared with: plain Streamlit with one slider, the same charts and the same map, on random data.

`benchmarks.browser` starts it, with the charts of Explore as a file named by PLAIN_FIGURES. The first stands beside the map,
the others in tabs; `?charts=1` shows the first alone.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from sim.pages import map54
from sim.world import load_world

DAYS = 181


def main() -> None:
    """Everything anew whenever the slider moves."""
    st.set_page_config(page_title="Plain", layout="wide")
    luck = np.random.default_rng(st.sidebar.slider("Seed", 0, 100, 50))
    st.title("Plain")
    first, *others = json.loads(Path(os.environ["PLAIN_FIGURES"]).read_text(encoding="utf-8"))
    others = others[: int(st.query_params.get("charts", 1 + len(others))) - 1]
    left, right = st.columns([1, 1], gap="medium")
    with left:
        chart("chart", first, luck)
    with right:
        letters = map54.DIGITS[luck.integers(0, 64, (len(load_world().codes), DAYS))]
        statuses = [f"1000{luck.integers(2, 5)}0{k % 10}0" for k in range(len(letters))]
        map54._map(key="map")
        data = {"share": ["".join(row) for row in letters], "statuses": statuses}
        map54._feed(key="feed", data={**data, "start": "2025-05-15", "run": 0, "selected": None})
    if others:
        names = [f"Chart {k}" for k in range(2, 2 + len(others))]
        for name, tab, figure in zip(names, st.tabs(names), others, strict=True):
            with tab:
                chart(name, figure, luck)


def chart(name: str, figure: dict[str, Any], luck: np.random.Generator) -> None:
    """One chart, drawn anew in its place."""
    st.plotly_chart(anew(figure, luck), key=name, config={"displaylogo": False})


def anew(figure: dict[str, Any], luck: np.random.Generator) -> go.Figure:
    """A chart with as many lines and points, none of them where it was."""
    for trace in figure["data"]:
        if "y" in trace:
            trace["y"] = np.round(np.sort(luck.uniform(0, 20_000, len(go.Figure({"data": [trace]}).data[0].y))))
    return go.Figure(figure)


if __name__ == "__main__":
    main()
