"""Pages without a browser, for tests: a page of the app by its name, on few runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sim import ensemble
from sim.pages import document, work
from sim.results import Ensemble

APP = Path(__file__).resolve().parents[1] / "app.py"
FEW = 3  # the third draw brings enough people for seats to matter
_run_ensemble = ensemble.run_ensemble


def opened(page: str = "explore", link: str = "", **kept: Any) -> AppTest:
    """A page of the app as a visitor finds it; `kept` goes into the session first. No exception may have come up."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    if link:
        app.query_params["s"] = link
    for key, value in kept.items():
        app.session_state[key] = value
    if page == "explore":
        return shown(app.run())
    # Pages are functions, which AppTest cannot name by a file: it finds them once the first page has registered them.
    app.run()
    app._page_hash = next(number for number, info in app._registered_pages.items() if info.get("url_pathname") == page)
    return shown(app.run())


def shown(app: AppTest) -> AppTest:
    """The page itself; fails if it shows an exception."""
    assert not app.exception, [element.value for element in app.exception]
    return app


def texts(app: AppTest) -> str:
    """Everything that is written on a page, without the marks that escape Markdown."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.error, app.warning, app.info, app.success)
    return "\n".join(str(element.value).replace("\\", "") for kind in kinds for element in kind)


@contextmanager
def few_runs(monkeypatch: pytest.MonkeyPatch, runs: int = FEW) -> Iterator[list[Ensemble]]:
    """Few runs instead of many, in this process; gives what has been run so far."""
    found: list[Ensemble] = []

    def run_few(scenario: Any, seed: int, draws: int | None, replications: int, **options: Any) -> Ensemble:
        found.append(_run_ensemble(scenario, seed, draws, min(runs, replications), with_twins=False))
        return found[-1]

    monkeypatch.setattr(work, "run_ensemble", run_few)
    st.cache_resource.clear()
    yield found
    st.cache_resource.clear()


def now(app: AppTest) -> Any:
    """The document of a page: `.scenario`, `.seed`, `.runs`."""
    desk: document.Desk = app.session_state["desk"]
    return desk.sheet.now
