"""The bar above a result: what differs from the baseline, undo and redo, and where a scenario comes from and goes to."""

import streamlit as st

from sim.pages import controls, document
from sim.pages.document import Difference
from sim.pages.files import download
from sim.pages.words import plain
from sim.scenario import Scenario
from sim.sharing import MOST_SEED

RUNS = (100, 1_000, 5_000)
MOST_CHIPS = 12


def show() -> None:
    """Chips for what differs, each with its control a click away, and the buttons."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="bar"):
        buttons()
        chips(document.current().scenario)


def chips(scenario: Scenario) -> None:
    """What differs from the baseline, each with its control a click away."""
    rows = document.differences(scenario, document.baseline())
    if not rows:
        st.markdown(":small[This is the baseline: nothing differs.]", width="content")
    for row in rows[:MOST_CHIPS]:
        _chip(row)
    if len(rows) > MOST_CHIPS:
        st.markdown(f":small[and {len(rows) - MOST_CHIPS} more]", width="content")


def _chip(row: Difference) -> None:
    """One difference: its control, and the way back to the baseline."""
    label = f"{row.label}: {shortened(row.here)}"
    with st.popover(plain(label), key=f"chip/{row.what}", on_change="rerun") as chip:
        if chip.open:
            if row.entry:
                controls.control(row.what, place="-chip")
            else:
                st.text(row.here)
            st.markdown(f"The baseline has: {plain(row.there)}")
            st.button(
                "Back to the baseline's",
                key=f"back/{row.what}",
                on_click=document.take,
                args=(row.what, document.baseline()),
            )


def shortened(text: str, most: int = 48) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def buttons() -> None:
    """Undo, redo, the two resets, and where the scenario comes from and goes to."""
    desk = document.desk()
    st.button("Undo", key="undo", icon=":material/undo:", on_click=document.undo, disabled=not desk.past)
    st.button("Redo", key="redo", icon=":material/redo:", on_click=document.redo, disabled=not desk.future)
    st.button(
        "Baseline",
        key="reset_baseline",
        icon=":material/restart_alt:",
        help="Reset to the baseline.",
        on_click=document.reset_to_baseline,
        disabled=desk.sheet.now.scenario == document.baseline(),
    )
    st.button(
        "My scenario",
        key="reset_mine",
        icon=":material/restart_alt:",
        help="Reset to the scenario last chosen, opened from a link or uploaded.",
        on_click=document.reset_to_mine,
        disabled=desk.sheet.now == desk.mine,
    )
    with st.popover("Open and share", key="files", on_change="rerun") as files:
        if files.open:
            _files()
    with st.popover("Runs and seed", key="plan", on_change="rerun") as plan:
        if plan.open:
            _plan()


def _files() -> None:
    """A scenario from a file, the scenario as a file, and the link."""
    now = document.current()
    st.file_uploader(
        "Open a scenario file (TOML)",
        type=["toml"],
        max_upload_size=1,
        key="upload",
        on_change=_uploaded,
    )
    download("Save this scenario (TOML)", f"{now.scenario.name}.toml", now.scenario.toml, key="save")
    link = document.link()
    if link is None:
        st.markdown("This scenario is too long for a link; save it as a file.")
    else:
        st.markdown("A link that holds the whole scenario, its seed and its number of runs:")
        st.code(f"{(st.context.url or '').split('?')[0]}?s={link}", language=None, wrap_lines=True)


def _uploaded() -> None:
    file = st.session_state["upload"]
    if file is not None:
        document.open_file(file.name, file.getvalue())


def _plan() -> None:
    """How many runs, and the seed."""
    now = document.current()
    plans: list[int] = sorted({*RUNS, document.usual_runs(), now.runs})
    st.session_state["runs"] = now.runs
    st.radio(
        "Number of runs",
        plans,
        format_func=lambda runs: f"{runs:,}",
        key="runs",
        horizontal=True,
        help="More runs make smoother bands, not truer assumptions.",
        on_change=_planned,
    )
    st.session_state["seed"] = str(now.seed)
    st.text_input("Seed", key="seed", max_chars=20, help="The same seed gives the same result.", on_change=_seeded)


def _planned() -> None:
    document.change(runs=st.session_state["runs"])


def _seeded() -> None:
    text = st.session_state["seed"].strip()
    if text.isascii() and text.isdigit() and int(text) <= MOST_SEED:
        document.change(seed=int(text))
    else:
        document.tell("error", f"The seed {text[:20]!r} must be a whole number in 0..{MOST_SEED}; it stays as it was.")
