"""One run: any run of the ensemble as a story, filtered, and checked against the other engine."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from sim import compiled, single
from sim.export import csv_of, parquet_of
from sim.pages import one_run, work
from sim.results import Event
from sim.setting import setting_of
from tests.pages import few_runs, now, opened, shown, texts


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> object:
    with few_runs(monkeypatch) as found:
        yield found


def with_three_runs() -> AppTest:
    return opened("one_run", **{"run/number": 2})


def test_it_tells_the_run_that_was_asked_for() -> None:
    app = with_three_runs()
    told = texts(app)
    run = work.one_run(now(app), 2, with_events=True)
    assert f"the most troops in place are {run.in_place.max():,}, on day {run.in_place.argmax()}" in told
    assert f"All {len(run.events):,} events of the run" in told
    app.number_input(key="run/number").set_value(1).run()
    assert "In run 1 the request" in texts(shown(app))


def test_the_runs_at_the_ends_and_in_the_middle_are_found() -> None:
    app = opened("one_run")
    peaks = work.result(now(app)).values["peak_in_place"]
    for part, expected in ((0.0, int(np.argmin(peaks))), (1.0, int(np.argmax(peaks)))):
        app.button(key=f"run/{part}").click().run()
        assert shown(app).number_input(key="run/number").value == expected


def test_filters_leave_what_was_asked_for_and_say_when_nothing_is_left() -> None:
    app = with_three_runs()
    run = work.one_run(now(app), 2, with_events=True)
    code = next(event.state for event in run.events if event.event == "accept")
    app.multiselect(key="run/states").set_value([code]).run()
    app.multiselect(key="run/kinds").set_value(["accept"]).run()
    mine = [event for event in run.events if (event.state, event.event) == (code, "accept")]
    told = texts(shown(app))
    assert f"{len(mine)} events on" in told
    assert f"{code} accepts: {mine[0].people:,} people" in told
    assert "declines." not in told
    other = next(
        each for each in run.codes if not any(event.state == each and event.event == "accept" for event in run.events)
    )
    app.multiselect(key="run/states").set_value([other]).run()
    assert "Nothing of this kind happened" in texts(shown(app))


def test_the_check_says_how_many_numbers_are_the_same() -> None:
    pytest.importorskip("numba")
    app = with_three_runs()
    assert "The same: all" not in texts(app)
    app.button(key="run/check").click().run()
    run, setting = work.one_run(now(app), 2, with_events=True), setting_of(now(app).scenario, 1, 2)
    n = single.check(run, setting, run.hash).n_numbers
    assert f"The same: all {n:,} numbers of run 2 are equal" in shown(app).success[0].value.replace("\\", "")
    app.number_input(key="run/number").set_value(1).run()
    assert not shown(app).success


def test_a_difference_is_said_and_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    app = with_three_runs()
    right = compiled.run

    def one_off(setting: object, replication: int) -> object:
        run = right(setting, replication)  # type: ignore[arg-type]
        run.people[5, 0, 0, 0] += 1
        return run

    monkeypatch.setattr(compiled, "run", one_off)
    app.button(key="run/check").click().run()
    told = shown(app).error[0].value.replace("\\", "")
    assert "Not the same: people by day, state, role and stage: 1 of" in told
    assert not app.success


def test_without_compiled_code_it_says_that_there_is_nothing_to_compare_with(monkeypatch: pytest.MonkeyPatch) -> None:
    app = with_three_runs()
    monkeypatch.setattr(one_run.compiled, "unavailable", lambda: "Numba is not installed")
    app.run()
    assert "nothing to compare with here: Numba is not installed" in shown(app).info[0].value.replace("\\", "")
    assert not [button for button in app.button if button.key == "run/check"]


def test_the_log_is_a_table_as_vidigi_takes_it() -> None:
    app = with_three_runs()
    run = work.one_run(now(app), 2, with_events=True)
    columns = single.log_columns(run.events, 2)
    lines = csv_of(columns).splitlines()
    assert lines[0] == ",".join(Event._fields) and len(lines) == len(run.events) + 1
    table = pq.read_table(io.BytesIO(parquet_of(columns, "x")))
    assert table.num_rows == len(run.events) and set(table["run_number"].to_pylist()) == {2}
