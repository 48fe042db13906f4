"""Work: results for pages. Each question is computed once however many visitors ask, on two threads that all share.

A result is a `Summary`. What needs every run by day asks for the `Ensemble`, of which few are kept; it comes out
the same when it is computed again.
"""

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import streamlit as st

from sim import compiled, model
from sim.ensemble import FEW_RUNS, engine_of, run_ensemble
from sim.parallel import workers
from sim.parameters import InputError
from sim.passport import passport_of
from sim.report import in_words
from sim.results import Ensemble, Run
from sim.scenario import Scenario
from sim.setting import setting_of
from sim.sharing import Shared
from sim.summary import Summary, summarize

Tell = Callable[[str, int, int], None]
JOBS = 2
# A summary of 180 days fills less than one MB, an ensemble of 1,000 runs some 22 MB, one run in full some 2.5 MB.
MOST_SUMMARIES, MOST_ENSEMBLES, MOST_RUNS = 64, 4, 32
# So many runs in compiled code are done before a bar would be read.
SOON = 2000


class AllFailedError(InputError):
    """No run finished; the message is what the first one said."""


def result(shared: Shared) -> Summary:
    """What the runs of a document say, from whoever asked first, or computed now.

    Raises
    ------
    AllFailedError
        If every run failed.
    InputError
        If the scenario cannot be run.
    """
    found = _summary(shared.scenario.digest, shared.seed, shared.runs, shared.scenario, bar(shared.runs))
    # The same question may have been asked under another title.
    return replace(found, scenario=shared.scenario)


def ensemble(shared: Shared) -> Ensemble:
    """All runs of a document, day by day; read it and do not change it.

    The runs of a condition are `replace(e, done=e.done & mask)`: series, outcomes and plots then count those alone
    (`status_counts` still counts all). Which state said what in the end: `e.last_status[:, e.codes.index("TX")]`.
    """
    found = _ensemble(shared.scenario.digest, shared.seed, shared.runs, shared.scenario, bar(shared.runs))
    return replace(found, scenario=shared.scenario)


def one_run(shared: Shared, number: int, with_events: bool = False) -> Run:
    """One run of a document in full: statuses and people of every state and day, decisions, and the event log if asked for.

    With the event log it is SimPy that runs, which gives the same numbers and takes about a tenth of a second.
    """
    return _run(shared.scenario.digest, shared.seed, number, with_events, shared.scenario)


# Leading underscores keep arguments out of Streamlit's keys: the digest stands for the scenario.
@st.cache_resource(max_entries=MOST_SUMMARIES, show_spinner=False)
def _summary(digest: str, seed: int, runs: int, _scenario: Scenario, _tell: Tell | None) -> Summary:
    found = _ensemble(digest, seed, runs, _scenario, _tell)
    if not found.done.any():
        raise AllFailedError(f"All {runs:,} runs failed; the first said: {found.errors[min(found.errors)]}")
    # On threads of its own: on the shared ones it would stand behind the runs of everybody who came in the meantime.
    return replace(summarize(found, JOBS), words=in_words(found), passport=passport_of(found))


@st.cache_resource(max_entries=MOST_ENSEMBLES, show_spinner=False)
def _ensemble(digest: str, seed: int, runs: int, _scenario: Scenario, _tell: Tell | None) -> Ensemble:
    options: dict[str, Any] = {"with_twins": False, "progress": _tell}
    try:
        return run_ensemble(_scenario, seed, None, runs, executor=_pool()[1], **options)
    except RuntimeError:  # a worker process was ended from outside; this goes on alone, the next gets new workers
        _pool.clear()
        return run_ensemble(_scenario, seed, None, runs, **options)


@st.cache_resource(max_entries=MOST_RUNS, show_spinner=False)
def _run(digest: str, seed: int, number: int, with_events: bool, _scenario: Scenario) -> Run:
    setting = setting_of(_scenario, seed, number)
    if with_events or engine_of("auto", FEW_RUNS + 1) == "simpy":
        return model.run(setting, number, with_events)
    return compiled.run(setting, number)


@st.cache_resource(show_spinner=False)
def _pool() -> tuple[Any, Any]:
    """The workers of this server: threads for compiled code, else processes; the context is kept, for they end with it.

    Threads give way, because drawing a page takes less time than the runs behind another one: so fewer visitors wait.
    """
    context = workers(JOBS, in_threads=compiled.unavailable() is None, in_background=True)
    return context, context.__enter__()


def bar(runs: int) -> Tell | None:
    """A bar for what takes long; what stood on the page stays until the new result is there."""
    if compiled.unavailable() is None and compiled.is_ready() and runs <= SOON:
        return None
    place = st.empty()
    # Outside the context of the cached function, or the bar would be kept and played again with the result.
    page = copy_context()

    def tell(stage: str, n: int, total: int) -> None:
        text = f"{n:,} of {total:,} {stage}"
        page.run(place.empty) if n == total else page.run(place.progress, n / total, text)

    return tell
