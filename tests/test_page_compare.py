"""Compare: A stays, B moves, both under the same luck, and the page says what the pairs of runs say."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sim import model
from sim.comparison import downstream, paired, parting_days
from sim.pages import document
from sim.pages.compare_parting import marks
from sim.pages.words import signed
from sim.results import Ensemble, Event
from sim.setting import setting_of
from sim.sharing import Shared
from sim.story import sentence
from tests.pages import few_runs, now, opened, shown, texts

RUNS = 6
BUNDLED = "bundled_request"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ensemble]]:
    with few_runs(monkeypatch, RUNS) as found:
        yield found


def pressed(app: AppTest, key: str) -> AppTest:
    """The page after a button is pressed."""
    return shown(app.button(key=key).click().run())


def pair_of(app: AppTest) -> AppTest:
    """The baseline as A, all roles or none as B."""
    shown(app.selectbox(key="pair_b").select(BUNDLED).run())
    return pressed(app, "pair")


def test_with_nothing_pinned_a_pair_is_offered(ran: list[Ensemble]) -> None:
    app = opened("compare")
    assert "Nothing is pinned yet" in texts(app)
    app = pair_of(app)
    desk = app.session_state["desk"]
    assert (desk.pinned.scenario.name, now(app).scenario.name) == ("baseline", BUNDLED)
    assert [ensemble.scenario.name for ensemble in ran] == ["baseline", BUNDLED]


def test_pin_change_and_see(ran: list[Ensemble]) -> None:
    app = pressed(opened("compare"), "pin")
    assert "A and B are the same now" in texts(app)
    app = shown(app.selectbox(key="control/request.mode").select("bundled").run())
    a, b = ran
    assert (a.scenario.value("request.mode"), b.scenario.value("request.mode")) == ("menu", "bundled")
    row = paired(a, b)["states_agreeing"]
    assert f"{signed(row['mean'])} governors agreeing on the last day (95 % interval {signed(row['low'])} to" in texts(
        app
    )
    differences = app.table[0].value
    assert differences["A"].tolist() == ["menu"]
    assert differences["B"].tolist() == ["bundled"]
    # Undone, B is A again, and A is still pinned.
    app.session_state["desk"] = app.session_state["desk"].undone()
    assert "A and B are the same now" in texts(shown(app.run()))


def test_swap_and_unpin(ran: list[Ensemble]) -> None:
    app = pressed(pair_of(opened("compare")), "swap")
    assert (app.session_state["desk"].pinned.scenario.name, now(app).scenario.name) == (BUNDLED, "baseline")
    app = pressed(app, "unpin")
    assert app.session_state["desk"].pinned is None
    assert "Nothing is pinned yet" in texts(app)


def test_another_seed_of_a_gives_way_to_that_of_b(ran: list[Ensemble]) -> None:
    mine = document.presets()[0][BUNDLED]
    usual = Shared(document.baseline(), 1, 1000)
    desk = document.Desk(document.Sheet(usual, usual.scenario), usual, pinned=Shared(mine, 7, 300))
    app = opened("compare", desk=desk)
    assert "A was pinned with seed 7 and 300 runs; here both run with seed 1 and 1,000 runs" in texts(app)
    assert {ensemble.seed for ensemble in ran} == {1}


def test_where_the_histories_part(ran: list[Ensemble]) -> None:
    app = pair_of(opened("compare", run=2))
    days = parting_days(*ran)
    known = days[np.isfinite(days)]
    assert f"part in {len(known)} of {RUNS} pairs of runs, first on day {int(known.min())}," in texts(app)
    runs = [model.run(setting_of(of.scenario, 1, 2), 2, True) for of in ran]
    happened = downstream(*runs)
    day = happened[0][1].time
    assert f"The histories part on day {day}," in texts(app)
    for letter in "AB":
        first = next((event for of, event in happened if of == letter and event.time == day), None)
        words = f"in {letter} alone: {sentence(first).rstrip('.')}" if first else f"nothing in {letter} alone"
        assert words in texts(app)
    counts = [sum(of == letter for of, _ in happened) for letter in "AB"]
    assert f"{counts[0]:,} events happen in A alone and {counts[1]:,} in B alone" in texts(app)
    lines = app.dataframe[-1].value
    assert lines["what happens"].iloc[0] == sentence(happened[0][1])
    assert not lines["what happens"].str.contains("come forward").any()


def test_people_are_told_when_they_are_asked_for(ran: list[Ensemble]) -> None:
    app = pair_of(opened("compare", run=2, compare_lanes=["people"]))
    assert app.dataframe[-1].value["what happens"].str.contains("come forward").any()


def test_every_outcome_has_its_paired_difference(ran: list[Ensemble]) -> None:
    app = pair_of(opened("compare", compare_tabs="Every outcome"))
    rows = paired(*ran)
    table = app.table[1].value
    assert len(table) == len(rows)
    told = [cell.replace("\\", "") for cell in table["mean of B - A (95 % interval)"]]
    assert told[0].startswith(signed(rows["states_agreeing"]["mean"]))


def test_a_hostile_title_is_text(ran: list[Ensemble]) -> None:
    title = "<script>alert(1)</script> [x](javascript:alert(1)) **b**"
    hostile = replace(document.presets()[0][BUNDLED], title=title)
    usual = Shared(document.baseline(), 1, 1000)
    app = opened("compare", desk=document.Desk(document.Sheet(usual, usual.scenario), usual, pinned=Shared(hostile)))
    (line,) = [element.value for element in app.markdown if "(pinned)" in element.value]
    assert "\\<script\\>" in line
    assert "\\[x\\]\\(" in line


def test_scenarios_of_different_lengths_are_compared_over_the_days_that_both_have(ran: list[Ensemble]) -> None:
    short = document.baseline().with_values({"request.mode": "bundled"}, days=60)
    usual = Shared(document.baseline(), 1, 1000)
    app = opened("compare", desk=document.Desk(document.Sheet(usual, usual.scenario), usual, pinned=Shared(short)))
    assert "On day 60 the median is" in texts(app)


def test_marks_of_a_day_are_one_mark() -> None:
    def event(day: int, name: str, state: str) -> Event:
        return Event(state, "guard", "event", name, day, 0, "", state, "ask 1", 3)

    happened = [("A", event(3, "decline", "TX")), ("A", event(3, "decline", "NM")), ("B", event(4, "in place", "OK"))]
    assert marks(happened, "A") == [(3, "governors", "TX declines (and 1 more)")]
    assert marks(happened, "B") == [(4, "people", "1 movement")]


def test_differences_are_read_with_their_sign() -> None:
    assert [signed(value) for value in (None, 0.0, 0.25, -3.0, 25.6)] == ["never", "0", "+0.25", "-3", "+26"]
