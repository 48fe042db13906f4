"""The pages to read and to teach with: About, Assumptions, Exercises."""

import pytest

from sim import exercises, texts
from sim.parameters import register
from tests.pages import now, opened
from tests.pages import texts as texts_of


def plainly(text: str) -> str:
    return text.replace("\\", "")


def test_about_tells_the_limits_before_anything_else_and_every_claim() -> None:
    at = opened("about")
    headers = [header.value for header in at.header]
    assert headers[0].startswith("What it is not") and headers.index("What it is") == 1
    told = texts_of(at)
    for row in [*texts.claims().values()]:
        assert row["claim"] in told
    for side in texts.about()["arguments"]:
        for point in side["points"]:
            assert point in told


def test_the_register_is_searched_by_words_and_by_where_a_value_comes_from() -> None:
    at = opened("assumptions")
    assert f"{len(register())} of {len(register())} entries" in texts_of(at)
    at.text_input(key="register/words").set_value("court state").run()
    found = [name for name in register() if name in plainly(at.table[0].value.to_string())]
    assert "court.state_law_days" in found and "tour.days" not in found
    at.text_input(key="register/words").set_value("no such word").run()
    assert "No entry" in at.info[0].value
    at.text_input(key="register/words").set_value("request.target").run()
    at.button_group(key="register/kinds").set_value(["assumption"]).run()
    assert any("No entry" in info.value for info in at.info)
    at.text_input(key="register/words").set_value("support.party").run()
    assert any("No entry" in info.value for info in at.info)
    at.button_group(key="register/kinds").set_value(["a fit to past requests"]).run()
    assert "support.party" in plainly(at.table[0].value.to_string())


def test_a_value_changed_here_stands_among_what_differs_and_goes_back() -> None:
    at = opened("assumptions")
    at.text_input(key="register/words").set_value("tour.days").run()
    at.selectbox(key="register/one").set_value("tour.days").run()
    at.slider(key="control/assumptions/tour.days").set_value(60).run()
    assert at.button(key="changed/tour.days")
    at.button(key="changed/tour.days").click().run()
    assert not [button for button in at.button if button.key == "changed/tour.days"]
    assert any("Nothing differs" in info.value for info in at.info)


@pytest.mark.parametrize("name", exercises.names())
def test_nothing_is_told_before_an_answer_is_committed_and_then_it_is_scored(name: str) -> None:
    at = opened("exercises", exercise=name)
    before = [question for question in exercises.load(name).questions.values() if question.before]
    forecasts = [question for question in before if question.kind in ("interval", "chance")]
    told = {question.id: exercises.load_key(name).answer(question.id).told for question in before}
    assert not any(text in texts_of(at) for text in told.values())
    for radio in at.radio:
        radio.set_value(radio.options[0])
    at.run()
    for button in [button for button in at.button if button.key.startswith("commit/")]:
        at = at.button(key=button.key).click().run()
    assert not at.exception
    assert texts_of(at).count("(lower is better;") == len(forecasts)
    assert all(told[question.id] in texts_of(at) for question in forecasts)


def test_the_key_computes_its_numbers_again() -> None:
    at = opened("exercises", exercise="forecast_the_count")
    assert not at.status
    at.expander(key="key/forecast_the_count").proto.expanded = True
    at.session_state["key/forecast_the_count"] = True
    at.run()
    assert not at.exception
    assert "as it is kept" in at.status[0].label


def test_an_exercise_opens_its_scenario_for_all_pages() -> None:
    at = opened("exercises", exercise="menu_or_bundle")
    for button in [button for button in at.button if button.key.startswith("commit/menu_or_bundle/1")]:
        at.button(key=button.key).click().run()
    opening = [button for button in at.button if button.key == "open/menu_or_bundle/1/Open this scenario"]
    at.button(key=opening[0].key).click().run()
    assert now(at).scenario.value("request.mode") == "bundled"


def test_a_contested_value_becomes_a_scenario_with_its_source() -> None:
    at = opened("assumptions")
    at.selectbox(key="contest/name").set_value("tour.days").run()
    at.text_input(key="contest/value").set_value("60").run()
    at.button(key="contest/go").click().run()
    assert "source" in at.error[0].value and "contest/made" not in [button.key for button in at.button]
    at.text_input(key="contest/source").set_value("Somebody (2020), Tours, https://example.org").run()
    at.button(key="contest/go").click().run()
    assert not at.exception and not at.error
    assert now(at).scenario.value("tour.days") == 60
    assert any("Somebody (2020)" in code.value for code in at.code)
    at.text_input(key="contest/value").set_value("long").run()
    at.button(key="contest/go").click().run()
    assert "whole number" in at.error[0].value


def test_the_first_screen_is_put_away_with_one_click_and_stays_away() -> None:
    at = opened("explore")
    assert any(text.value == "Before you start" for text in at.header)
    at.button(key="has_read_now").click().run()
    assert not any(text.value == "Before you start" for text in at.header)
    assert not at.exception
