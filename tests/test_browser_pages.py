"""The pages beside Explore in a real Chromium: what each promises, done as a visitor would, with nothing from outside."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from sim.pages import document
from sim.parameters import parameter
from sim.scenario_files import load
from sim.sharing import Shared
from tests.conftest import FEW, needs_chromium, press, rest

pytestmark = needs_chromium
Visit = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
LONG = 120_000


def said(page: Page, words: str) -> Locator:
    return page.get_by_text(re.compile(words)).first


def choose(page: Page, box: str, option: str) -> None:
    """Take an option of a box, both named by how they begin; letters narrow a long list down."""
    found = page.get_by_role("combobox", name=re.compile(f"^{box}\\b(?!s)"))
    press(found.first)
    found.first.fill(option)
    press(page.get_by_role("option", name=re.compile(re.escape(option))).first)


def test_a_state_is_chosen_on_the_map_and_declines_in_two_ways(visited: Visit) -> None:
    page = visited()
    press(page.locator("g.state[data-code=NC] .square"))
    expect(said(page, "North Carolina")).to_be_visible(timeout=LONG)
    press(page.get_by_text("Look closer", exact=True))
    press(page.get_by_role("menuitem", name="One state"))
    expect(page.get_by_role("heading", name="North Carolina (NC)")).to_be_visible(timeout=LONG)
    press(page.get_by_role("tab", name="If it declines"))
    press(page.get_by_role("button", name="Given that it declines"))
    expect(said(page, rf"North Carolina declines by itself in [1-9]\d* of {FEW} runs")).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name="Make it decline"))
    expect(said(page, "Made to decline in every run, under the same luck")).to_be_visible(timeout=LONG)
    expect(said(page, "The two differ because the first selects and the second intervenes")).to_be_visible()


def test_the_reasons_of_any_run_are_told(visited: Visit) -> None:
    page = visited("one_state")
    choose(page, "State", "Ohio")
    expect(page.get_by_role("heading", name="Ohio (OH)")).to_be_visible(timeout=LONG)
    press(page.get_by_role("tab", name="Why, in one run"))
    expect(said(page, r"add up to a support of [+-]\d")).to_be_visible(timeout=LONG)


def test_a_is_pinned_a_lever_moved_and_b_compared_under_the_same_luck(visited: Visit) -> None:
    page = visited("compare")
    press(page.get_by_role("button", name=re.compile("Pin as A")))
    rest(page)
    choose(page, "Form of the ask", "bundled")
    expect(page.get_by_role("heading", name="Where the histories part")).to_be_visible(timeout=LONG)
    expect(said(page, rf"part in \d+ of {FEW} pairs of runs, first on day \d+")).to_be_visible(timeout=LONG)
    table = page.get_by_role("table", name="What differs between A and B")
    expect(table.get_by_role("cell", name="bundled")).to_be_visible()
    press(page.get_by_role("button", name="Swap A and B"))
    rest(page)
    expect(page.get_by_role("combobox", name=re.compile("Form of the ask"))).to_have_value("menu", timeout=LONG)


def test_a_run_is_told_as_a_story_and_found_equal_in_both_engines(visited: Visit) -> None:
    page = visited("one_run")
    expect(said(page, r"Day \d+, .*that evening \d+ states? agrees?, ")).to_be_visible(timeout=LONG)
    press(page.get_by_role("button", name="Check this run"))
    expect(said(page, r"The same: all [\d,]+ numbers of run 0 are equal")).to_be_visible(timeout=LONG)


def test_another_number_of_people_is_another_race_of_channels(visited: Visit) -> None:
    page = visited("channels")
    expect(said(page, r"First to 20,000 people within 180 days")).to_be_visible(timeout=LONG)
    page.get_by_role("slider", name=re.compile("People wanted by all channels")).press("ArrowLeft")
    expect(said(page, r"First to (?!20,000)[\d,]+ people within 180 days")).to_be_visible(timeout=LONG)


def test_an_exercise_tells_nothing_before_an_answer_and_scores_it_then(visited: Visit) -> None:
    page = visited("exercises")
    commit = page.get_by_role("button", name="Commit to these answers").first
    expect(commit).to_be_enabled(timeout=LONG)
    assert page.get_by_text(re.compile("^You said")).count() == 0
    press(commit)
    expect(said(page, "^You said")).to_be_visible(timeout=LONG)
    with page.expect_download() as sheet:
        press(page.get_by_role("button", name="Worksheet to print"))
    assert "Agreement is not arrival" in sheet.value.path().read_text(encoding="utf-8")


def test_a_study_runs_beside_the_page_and_ends_in_a_tornado(visited: Visit) -> None:
    page = visited("studies", shared=Shared(load(document.FOLDER / "baseline.toml").with_values({}, 20), 1, FEW))
    press(page.get_by_role("radio", name="2", exact=True))
    press(page.get_by_role("button", name="Start the study"))
    expect(page.locator(".js-plotly-plot .barlayer .point").first).to_be_attached(timeout=LONG)
    expect(page.get_by_role("combobox", name=re.compile("Outcome"))).to_be_visible()


def test_a_contested_value_becomes_the_scenario_and_its_file(visited: Visit, tmp_path: Path) -> None:
    page = visited("assumptions")
    press(page.get_by_role("tab", name="Contest a value"))
    label = parameter("tour.days").label
    choose(page, "The value", "tour.days")
    page.get_by_role("textbox", name="What it should be").fill("60")
    page.get_by_role("textbox", name="Where that stands").fill("A report, 2024")
    page.get_by_role("textbox", name="Where that stands").press("Tab")
    rest(page)
    press(page.get_by_role("button", name="Make it a scenario"))
    with page.expect_download() as saved:
        press(page.get_by_role("button", name="Download the scenario file"))
    saved.value.save_as(tmp_path / "contested.toml")
    shutil.copy(document.FOLDER / "baseline.toml", tmp_path)
    made = load(tmp_path / "contested.toml")
    assert made.value("tour.days") == 60
    assert "A report, 2024" in made.sources["tour.days"]
    press(page.get_by_role("tab", name="Changed here"))
    expect(page.get_by_role("button", name=f"Back to the baseline: {label}")).to_be_visible(timeout=LONG)


def test_history_tells_good_and_bad_and_draws_a_case(visited: Visit) -> None:
    page = visited("history")
    expect(said(page, r"Who agrees, mean over 3 cases with a refusal")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("heading", name="Where it fails, and why we think so")).to_be_visible()
    assert page.get_by_role("heading", name="Answers, right and wrong").count() == 0
    choose(page, "Case", "Operation Guardian Support")
    expect(page.get_by_role("heading", name="Answers, right and wrong")).to_be_visible(timeout=LONG)


def test_about_says_what_it_is_not_first_and_both_sides(visited: Visit) -> None:
    page = visited("about", PHONE, "dark")
    expect(page.get_by_role("heading", name=re.compile("What it is not"))).to_be_visible(timeout=LONG)
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings.index("What it is not: limits first") < headings.index("Versions, and how to cite")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "place", ["one_state", "compare", "one_run", "channels", "exercises", "studies", "assumptions"]
)
def test_no_page_scrolls_sideways_on_a_phone(visited: Visit, place: str, scheme: str) -> None:
    page = visited(place, PHONE, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
