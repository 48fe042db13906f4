"""One state: the page says what the runs say, and forces what it says it forces."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sim import influence, model
from sim.facts import facts
from sim.pages import document
from sim.reasons import decisions_of
from sim.results import ACCEPTED, DECLINED, LIMITED, Ensemble
from sim.scenario_files import load
from sim.setting import setting_of
from sim.sharing import Shared, link_of
from tests.pages import few_runs, now, opened, shown, texts

RUNS = 6
WHY, MOVED, DECLINES = "Why, in one run", "Who moved it, and whom it moved", "If it declines"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Ensemble]]:
    with few_runs(monkeypatch, RUNS) as found:
        yield found


def pressed(app: AppTest, words: str) -> AppTest:
    """The page after a button is pressed."""
    (button,) = [button for button in app.button if button.label == words]
    return shown(button.click().run())


def test_without_a_state_some_are_offered_and_a_click_chooses(ran: list[Ensemble]) -> None:
    app = opened("one_state")
    assert "No state is chosen yet" in texts(app)
    app = pressed(app, "Texas, 22,502")
    assert app.session_state["selected"] == "TX"
    assert "Texas (TX)" in [element.value for element in app.header]
    assert app.selectbox(key="one_state").value == "TX"


def test_a_state_that_is_none_is_not_looked_for(ran: list[Ensemble]) -> None:
    assert "No state is chosen yet" in texts(opened("one_state", selected="<script>"))


def test_the_sentence_counts_the_runs(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="OH")
    (ensemble,) = ran
    last = ensemble.last_status[:, ensemble.codes.index("OH")]
    agrees, declined = (100 * np.isin(last, codes).mean() for codes in ((ACCEPTED, LIMITED), (DECLINED,)))
    assert f"Ohio agrees in {agrees:.0f} % of the {RUNS} runs" in texts(app)
    assert f"it has declined in {declined:.0f} %" in texts(app)


def test_choosing_in_the_list_chooses_for_all_pages(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="OH")
    shown(app.selectbox(key="one_state").select("VT").run())
    assert app.session_state["selected"] == "VT"
    assert "Vermont (VT)" in [element.value for element in app.header]


def test_every_fact_stands_with_its_source(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="GU")
    table = app.table[0].value
    for fact in facts("GU", "republican"):
        assert fact.source in texts(app)
        assert fact.label in [cell.replace("\\", "") for cell in table["fact"]]
    assert "Title 32" in "".join(table["fact"])


def test_nobody_in_dc_has_a_reason_to_give(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="DC")
    assert [tab.label for tab in app.tabs] == ["Facts and their sources"]
    assert "the President commands its Guard" in texts(app)


def test_the_card_is_that_of_the_run(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="OH", state_tabs=WHY, run=2)
    setting = setting_of(now(app).scenario, 1, 2)
    decisions = decisions_of(model.run(setting, 2), "OH")
    assert "Why Ohio" in texts(app)
    assert f"on day {decisions[0].day}, run 2" in texts(app)
    assert f"add up to a support of {decisions[0].support:+.2f} log-odds" in texts(app)


def test_another_run_is_chosen_for_all_pages(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="OH", state_tabs=WHY)
    shown(app.number_input(key="state_run/why").set_value(4).run())
    assert app.session_state["run"] == 4
    assert ", run 4" in texts(app)


def test_whom_it_moved_is_found_by_running_again_under_the_same_luck(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="TX", state_tabs=MOVED, run=2)
    scenario = now(app).scenario
    run = model.run(setting_of(scenario, 1, 2), 2)
    first = influence.first_answer(run, "TX")
    assert first is not None
    again = model.run(setting_of(influence.otherwise(scenario, first, "TX"), 1, 2), 2)
    peaks = [int(each.in_place.max()) for each in (run, again)]
    assert peaks[0] != peaks[1]
    assert f"Most troops in place: {peaks[1]:,} instead of {peaks[0]:,}." in texts(app)
    table = app.dataframe[-1].value
    others = {row.state for row in influence.moved(run, again)} - {first.state}
    assert others
    assert set(table["state"]) == {setting_of(scenario, 1, 1).world.states[k].name for k in others}
    effects = sum(peer.effect for peer in influence.moved_by(first, setting_of(scenario, 1, 2), run))
    assert f"added {effects:+.2f} to a support" in texts(app)


def test_given_and_made_stand_side_by_side(ran: list[Ensemble]) -> None:
    app = opened("one_state", selected="NC", state_tabs=DECLINES)
    assert "Press one of the two" in texts(app)
    app = pressed(app, "Given that it declines")
    (ensemble,) = ran
    k = ensemble.codes.index("NC")
    declines = ensemble.last_status[:, k] == DECLINED
    assert 0 < declines.sum() < RUNS
    assert f"North Carolina declines by itself in {declines.sum()} of {RUNS} runs" in texts(app)
    app = pressed(app, "Make it decline")
    made = ran[-1]
    assert len(ran) == 2
    assert (made.last_status[:, k] == DECLINED).all()
    others = np.delete(np.arange(54), k)
    counts = [np.isin(of.last_status[:, others], (ACCEPTED, LIMITED)).sum(axis=1) for of in (ensemble, made)]
    effect = (counts[1] - counts[0]).mean()
    assert effect != 0
    assert f"it changes the number of the others by {effect:+.2f} in the mean" in texts(app)
    assert "the first selects and the second intervenes" in texts(app)
    given = counts[0][declines].mean()
    assert f"in those {given:.1f} other governors agree in the mean, in all runs {counts[0].mean():.1f}" in texts(app)


def test_under_federalization_the_evening_before_is_looked_at(ran: list[Ensemble]) -> None:
    scenario = load(document.FOLDER / "federalized_counterfactual.toml")
    link = link_of(Shared(scenario, 1, 100))
    app = opened("one_state", link=link, selected="VT", state_tabs=DECLINES, declines=frozenset({"given"}))
    day = influence.last_own_day(scenario)
    k = document.load_world().codes.index("VT")
    statuses = [model.run(setting_of(scenario, 1, n), n).status[day, k] for n in range(RUNS)]
    n = statuses.count(DECLINED)
    assert n > 0
    assert f"Vermont declines by itself in {n} of {RUNS} runs" in texts(app)


def test_where_federalization_begins_at_once_nothing_can_be_told_apart(ran: list[Ensemble]) -> None:
    scenario = load(document.FOLDER / "federalized_counterfactual.toml").with_values({"federalize.day": 0})
    link = link_of(Shared(replace(scenario, name="at_once"), 1, 100))
    app = opened("one_state", link=link, selected="VT", state_tabs=DECLINES, declines=frozenset({"given"}))
    assert "no governor's own answer can be told apart" in texts(app)


def test_a_state_that_never_declines_has_nothing_given(ran: list[Ensemble]) -> None:
    willing = document.baseline().with_values({"support.mission": 10.0, "spread.own": 0.0})
    link = link_of(Shared(willing, 1, 100))
    app = opened("one_state", link=link, selected="TX", state_tabs=DECLINES, declines=frozenset({"given"}))
    assert f"Texas declines by itself in none of the {RUNS} runs" in texts(app)
