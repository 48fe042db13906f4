"""The frame around every page: which pages there are, what is said at the head, and the footer."""

import gc
from collections.abc import Callable
from importlib import import_module

import streamlit as st

from sim.pages import document
from sim.pages.words import plain
from sim.parameters import InputError, model_version
from sim.report import NOT_A_FORECAST

# One line a page: its module in `sim.pages` (and its address), its title, and the section of the menu that it stands in.
# A module has one function `page()` that draws it.
PAGES = (
    ("explore", "Explore", ""),
    ("one_state", "One state", "Look closer"),
    ("compare", "Compare", "Look closer"),
    ("one_run", "One run", "Look closer"),
    ("channels", "Three channels", "Look closer"),
    ("exercises", "Exercises", "In class"),
    ("studies", "Sensitivity and discovery", "In class"),
    ("assumptions", "Assumptions", "Behind it"),
    ("history", "History", "Behind it"),
    ("about", "About", "Behind it"),
)

# Streamlit leaves a hand's breadth free above a page; the first view needs it.
CLOSER = "<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>"


def run() -> None:
    """The page that the address names, in its frame; app.py calls nothing else."""
    st.set_page_config(page_title="Guard request simulator", layout="wide")
    document.desk()
    sections: dict[str, list[st.Page]] = {}
    for name, title, section in PAGES:
        is_first = name == PAGES[0][0]
        page = st.Page(_drawn(name), title=title, url_path="" if is_first else name, default=is_first)
        sections.setdefault(section, []).append(page)
    chosen = st.navigation(sections, position="top")
    st.html(CLOSER)
    say_what_is_told()
    try:
        chosen.run()
    except InputError as error:
        document.tell("error", str(error))
    # What came up while the page was drawn stands where it ended.
    say_what_is_told()
    document.in_address()
    footer()
    _set_aside(chosen.title)


def say_what_is_told() -> None:
    """What callbacks, links and pages want said, once; its place stays, or what stands below would be drawn anew."""
    place = st.container()
    for kind, text in document.told():
        getattr(place, kind)(plain(text))


def _drawn(name: str) -> Callable[[], None]:
    """A page by its name; its module is imported when it is first looked at."""

    def page() -> None:
        import_module(f"sim.pages.{name}").page()

    page.__name__ = name
    return page


@st.cache_resource(show_spinner=False)
def _set_aside(title: str) -> None:
    """Take what a page has loaded out of garbage collection, once a page and server.

    A full collection holds the interpreter's lock, and with the libraries that are loaded here it takes a tenth of a
    second, for which every visitor would wait.
    """
    gc.collect()
    gc.freeze()


def footer() -> None:
    """What stands at the foot of every page."""
    now = document.current()
    st.markdown(f"---\n:small[Model {model_version()}, seed {now.seed}, {now.runs:,} runs. {plain(NOT_A_FORECAST)}]")
