"""Waiting: long work in the background as a page shows it, with its stage, how far it is, the time left, and a way out."""

from typing import Any
from uuid import uuid4

import streamlit as st

from sim.jobs import Job, Jobs, Work
from sim.pages import document
from sim.pages.words import plain
from sim.parameters import InputError

EVERY = 1.0


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The jobs of this server, for all visitors."""
    return Jobs()


def visitor() -> str:
    """A name for this session, so that nobody takes away what others wait for."""
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = uuid4().hex
    found: str = st.session_state["visitor"]
    return found


def start(key: str, title: str, subject: str, work: Work) -> None:
    """Ask for some work, in a callback; told on the page if it cannot be taken in."""
    try:
        jobs().start(key, title, subject, work, visitor())
    except InputError as error:
        document.tell("warning", str(error))


def result(job: Job) -> Any | None:
    """What a job has found, or None; until then how far it is stands on the page, and an error if it failed."""
    if not job.is_done:
        st.fragment(_bar, run_every=EVERY)(job)
        return None
    if job.error is not None:
        st.error(plain(f"{job.title}: {job.error}"))
    elif job.is_cancelled:
        st.info(plain(f"{job.title}: cancelled."))
    return job.result


def _bar(job: Job) -> None:
    """How far a job is; the whole page is drawn again when it has ended."""
    if job.is_done or st.session_state.pop("taken_back", False):
        st.rerun()
    jobs().look(job, visitor())
    with st.container(border=True, key=f"job/{job.key[:40]}"):
        st.progress(job.part, text=plain(f"{job.title}. {in_words(job)}"))
        st.button("Cancel", key=f"cancel/{job.key[:40]}", on_click=_cancel, args=(job,), icon=":material/close:")


def in_words(job: Job) -> str:
    """The stage, how far it is, and the time left."""
    before = jobs().before(job)
    if job.begun is None:
        return "It begins now." if before == 0 else f"It waits for {before} other{'s' if before > 1 else ''}."
    left = jobs().seconds_left(job)
    far = f", {job.n:,} of {job.total:,}" if job.total else ""
    if left is None:
        return f"{job.stage}{far}."
    return f"{job.stage}{far}, about {f'{left:.0f} s' if left < 90 else f'{left / 60:.0f} minutes'} left."


def _cancel(job: Job) -> None:
    st.session_state["taken_back"] = True
    if not jobs().cancel(job, visitor()):
        document.tell("info", "Others wait for the same study, so it goes on for them.")
