"""Three channels: who is first to how many, and the break-even values made in the background."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from sim import capacity
from sim.pages import channels, waiting, work
from tests.pages import few_runs, now, opened, shown, texts


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(capacity, "RUNS", 6)
    monkeypatch.setattr(capacity, "FEW_RUNS", 2)
    monkeypatch.setattr(capacity, "FIRST_VALUES", 2)
    # One value of its own for each channel is enough here.
    few = {name: replace(of, own=dict(list(of.own.items())[:1])) for name, of in capacity.CHANNELS.items()}
    monkeypatch.setattr(capacity, "CHANNELS", few)
    monkeypatch.setattr(channels, "CHANNELS", few)
    with few_runs(monkeypatch):
        yield


def begun(app: AppTest) -> waiting.Job:
    app.button(key="needs/start").click().run()
    (job,) = waiting.jobs().about(f"needs/{now(app).scenario.digest}")
    return job


def test_it_says_who_is_first_to_the_number_that_the_document_wants() -> None:
    app = opened("channels")
    assert "First to 20,000 people within 180 days" in texts(app)
    app.slider(key="control-channels/capacity.target").set_value(1000).run()
    assert "First to 1,000 people within 180 days" in texts(shown(app))
    days = capacity.days_to(work.ensemble(now(app)))
    table = app.table[0].value.to_dict("list")
    for (name, of), share in zip(capacity.CHANNELS.items(), capacity.first_of(days).mean(axis=1), strict=True):
        assert table[channels._name(name)][0].replace("\\", "") == f"{100 * share:.0f} % of runs"
        assert f"{of.title} in {100 * share:.0f} %" in texts(app)


def test_how_far_to_look_is_part_of_the_document() -> None:
    app = opened("channels")
    app.selectbox(key="channels/days").set_value(365).run()
    assert now(shown(app)).scenario.days == 365
    assert "within 365 days" in texts(app)


def test_break_even_values_come_from_the_background_and_are_found_again() -> None:
    app = opened("channels")
    job = begun(app)
    assert job.done.wait(120) and job.error is None
    app.run()
    told = texts(shown(app))
    for line in job.result.lines:
        assert capacity.in_words(line) in told
    assert app.selectbox(key="needs/line")
    # A second visitor, or the same one after a reload.
    again = opened("channels")
    assert capacity.in_words(job.result.lines[0]) in texts(again)
    assert not [button for button in again.button if button.key == "needs/start"]


def test_what_goes_wrong_in_the_background_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("<b>no</b>")

    monkeypatch.setattr(capacity, "needs", broken)
    app = opened("channels")
    job = begun(app)
    assert job.done.wait(60)
    app.run()
    assert "ValueError" in shown(app).error[0].value
    assert "<b>" not in app.error[0].value
    assert app.button(key="needs/start")
