"""Explore in a real Chromium: what a visitor sees and moves, by mouse and by keys, on a desk and on a phone, with nothing from outside."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sim.pages import document
from sim.pages.map54 import LOOKS
from sim.plots import ANSWERS
from sim.results import STATUSES
from sim.scenario_files import load, parse
from sim.sharing import Shared, read_link
from sim.world import load_world
from tests.conftest import DESK, FEW, needs_chromium, press, rest

pytestmark = needs_chromium
WALL, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
CODES = set(load_world().codes)
# Statuses whose colours alone would not do; agreement is plain.
HATCHED = {words for words, (series, _) in zip(STATUSES, LOOKS, strict=True) if ANSWERS[series][1]}
Visit = Callable[..., Page]


@pytest.fixture
def visit(visited: Visit) -> Visit:
    """Open Explore in a way of one's own, once all of it is there."""

    def open_page(size: dict[str, int] = DESK, scheme: str = "light", **options: Any) -> Page:
        page = visited(size=size, scheme=scheme, **options)
        settle(page)
        return page

    return open_page


def settle(page: Page) -> None:
    """Wait until charts and map are drawn and the page has stopped running."""
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_attached(timeout=120_000)
    expect(page.locator("g.state")).to_have_count(54, timeout=60_000)
    rest(page)


def told(page: Page) -> Locator:
    return page.get_by_text(re.compile(r"In the median of [\d,]+ runs"))


def digest(page: Page) -> str:
    return str(re.search(r"digest (\w+)", page.get_by_text(re.compile("digest")).inner_text()).group(1))  # type: ignore[union-attr]


def lines_of(page: Page) -> str:
    """The drawn paths of the first chart."""
    draw = "e => [...e.querySelectorAll('path')].map(p => p.getAttribute('d')).join()"
    return str(page.locator(".js-plotly-plot").first.evaluate(draw))


def shape(page: Page, code: str) -> Locator:
    """What is seen of a state: its square or box, or else its outline."""
    square = page.locator(f"g.state[data-code={code}] .square")
    return square if square.is_visible() else page.locator(f"g.state[data-code={code}] .outline")


def words_of(page: Page, code: str) -> str:
    return str(page.locator(f"g.state[data-code={code}]").get_attribute("aria-label"))


def target(page: Page) -> Locator:
    return page.get_by_role("slider", name=re.compile("Guard members asked for"))


def test_the_first_view_answers_the_question(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_role("heading", level=1)).to_have_text(document.baseline().title)
    expect(told(page)).to_contain_text("of 53 governors agree")
    expect(page.locator("[data-testid=stMetric]")).to_have_count(3)
    expect(page.get_by_text(re.compile("Not a forecast"))).to_have_count(1)
    # The chart and the map begin on the first screen.
    for part in (page.locator(".js-plotly-plot").first, page.locator("svg.states")):
        assert part.bounding_box()["y"] < DESK["height"]  # type: ignore[index]


def test_nothing_is_drawn_anew_when_the_first_screen_is_put_away(visit: Visit) -> None:
    page = visit(shared="")
    drawn = [page.locator(part).first.element_handle() for part in ("g.state", ".js-plotly-plot")]
    first = page.get_by_role("button", name="I have read this")
    press(first)
    first.wait_for(state="detached")
    rest(page)
    assert all(part.evaluate("e => e.isConnected") for part in drawn)


def test_a_slider_moved_by_keys_changes_sentence_chart_map_and_address_and_undo_takes_it_back(visit: Visit) -> None:
    page = visit()
    before, drawn, sentence = digest(page), lines_of(page), told(page).inner_text()
    target(page).focus()
    page.keyboard.press("Home")
    expect(page.get_by_text(re.compile(rf"digest (?!{before})"))).to_be_visible(timeout=120_000)
    rest(page)
    assert lines_of(page) != drawn
    assert told(page).inner_text() != sentence
    expect(page.get_by_role("button", name="Guard members asked for: 1,000")).to_be_visible()
    link = re.search(r"s=([^&]+)", page.url).group(1)  # type: ignore[union-attr]
    assert read_link(link).scenario.value("request.target") == 1000
    page.reload()
    settle(page)
    expect(target(page)).to_have_value("1000")
    target(page).focus()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="Guard members asked for: 40,000")).to_be_visible(timeout=120_000)
    press(page.get_by_role("button", name="Undo"))
    expect(target(page)).to_have_value("1000")
    press(page.get_by_role("button", name="Redo"))
    expect(target(page)).to_have_value("40000")


def test_another_scenario_is_another_question_and_result(visit: Visit) -> None:
    page = visit()
    before = digest(page)
    press(page.get_by_role("combobox", name=re.compile("Scenario")))
    press(page.get_by_role("option", name="All roles or none"))
    expect(page.get_by_text("What changes when a governor can only take the roles as a bundle")).to_be_visible()
    expect(page.get_by_text(re.compile(rf"digest (?!{before})"))).to_be_visible(timeout=120_000)


def test_a_chip_opens_its_control_and_the_way_back(visit: Visit) -> None:
    page = visit(PHONE, shared=Shared(load(document.FOLDER / "bundled_request.toml"), 1, FEW))
    press(page.get_by_role("button", name="Form of the ask: bundled"))
    press(page.get_by_role("button", name="Back to the baseline's"))
    expect(page.get_by_text("nothing differs")).to_be_visible(timeout=120_000)


# --- The map


@pytest.mark.parametrize(("size", "least"), [(DESK, 24.0), (WALL, 20.0), (PHONE, 24.0)], ids=["desk", "wall", "phone"])
def test_all_54_are_seen_and_large_enough_to_be_hit(visit: Visit, size: dict[str, int], least: float) -> None:
    page = visit(size)
    boxes = {code: shape(page, code).bounding_box() for code in CODES}
    assert all(box and min(box["width"], box["height"]) >= least for box in boxes.values()), boxes
    is_squares = page.locator("svg.squares").count() == 1
    assert is_squares == (size is not WALL)
    if is_squares:
        widths = [round(box["width"]) for box in boxes.values() if box]
        assert max(widths) - min(widths) <= 1


@pytest.mark.parametrize("size", [DESK, WALL], ids=["squares", "geographic"])
def test_a_click_on_a_state_tells_its_story(visit: Visit, size: dict[str, int]) -> None:
    page = visit(size)
    for code in ("TX", "DC", "RI", "GU", "PR", "VI"):
        press(shape(page, code))
        name = next(state.name for state in load_world().states if state.code == code)
        expect(page.get_by_text(re.compile(rf"^{name}.*(agrees in|has no governor)"))).to_be_visible(timeout=60_000)
        expect(page.locator(f"g.state[data-code={code}]")).to_have_attribute("aria-selected", "true")
        expect(page.locator("g.state[aria-selected=true]")).to_have_count(1)


def test_the_map_is_one_stop_of_the_tab_key_and_arrows_reach_all_54(visit: Visit) -> None:
    page = visit()
    assert page.locator("g.state[tabindex='0']").count() == 1
    page.locator("g.state[tabindex='0']").focus()
    here = "document.activeElement.shadowRoot?.activeElement?.dataset.code ?? walk(document.activeElement)"
    focused = (
        f"() => {{ const walk = e => e.shadowRoot ? walk(e.shadowRoot.activeElement) : e.dataset.code; return {here} }}"
    )
    page.keyboard.press("Home")
    seen = [page.evaluate(focused)]
    for _ in range(53):
        page.keyboard.press("ArrowRight")
        seen.append(page.evaluate(focused))
    assert set(seen) == CODES
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == seen[-1]
    page.keyboard.press("ArrowUp")
    above = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert above not in (seen[-1], page.evaluate(focused))
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("^Alaska.*agrees in"))).to_be_visible(timeout=60_000)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_text(re.compile("^Maine.*agrees in"))).to_be_visible(timeout=60_000)
    # From the map the next stop is the play button.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.dataset.part") == "play"


def test_days_move_in_the_browser_and_nothing_is_asked_of_the_server(visit: Visit) -> None:
    page = visit()
    page.evaluate(
        "() => { window.sent = 0; const was = WebSocket.prototype.send;"
        " WebSocket.prototype.send = function (d) { window.sent += 1; return was.call(this, d); } }"
    )
    before = words_of(page, "TX")
    day = page.get_by_role("slider", name="Day of the map")
    expect(day).to_have_value("180")
    day.focus()
    page.keyboard.press("Home")
    expect(page.locator(".when")).to_have_text("Day 0, 15 May 2025")
    assert words_of(page, "TX") == "TX, Texas: agrees in about 0 % of runs on day 0"
    press(page.get_by_text("Status in run 0"))
    assert words_of(page, "TX") == "TX, Texas: not asked on day 0 of run 0"
    expect(page.locator("g.state[data-code=TX] .number")).to_have_text("·")
    press(page.get_by_role("button", name="Play"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".when")).to_have_text("Day 180, 11 Nov 2025", timeout=60_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    press(page.get_by_text("Share of runs agreeing"))
    assert words_of(page, "TX") == before
    assert page.evaluate("window.sent") == 0


def test_a_status_is_told_by_letter_and_pattern_too(visit: Visit) -> None:
    page = visit()
    press(page.get_by_text("Status in run 0"))
    # The colour and the hatching of what a shape is filled with.
    fill = """e => {
        const pattern = e.getRootNode().getElementById(e.style.fill.match(/#([^")]+)/)[1])
        return [pattern.querySelector("rect").getAttribute("fill"), pattern.querySelector("path")?.getAttribute("d") ?? ""]
    }"""
    looks: dict[str, set[tuple[str, ...]]] = {}
    for code in CODES:
        status = re.search(r": (.+) on day", words_of(page, code)).group(1)  # type: ignore[union-attr]
        letter = str(page.locator(f"g.state[data-code={code}] .number").text_content())
        looks.setdefault(status, set()).add((letter, *shape(page, code).evaluate(fill)))
    assert all(len(found) == 1 for found in looks.values())
    seen = {status: next(iter(found)) for status, found in looks.items()}
    assert len({letter for letter, _, _ in seen.values()}) == len(seen) >= 2
    assert all(bool(hatching) == (status in HATCHED) for status, (_, _, hatching) in seen.items())
    assert set(seen) & HATCHED


def test_little_motion_is_a_picture_a_second(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    page.get_by_role("slider", name="Day of the map").focus()
    page.keyboard.press("Home")
    press(page.get_by_role("button", name="Play"))
    expect(page.locator(".when")).to_have_text("Day 15, 30 May 2025")


# --- Links and files


def test_a_hostile_link_is_text_on_the_page_and_a_broken_one_is_told(visit: Visit) -> None:
    hostile = "<script>window.hit=1</script><img src=x onerror='window.hit=1'>![x](http://example.org/x.png)"
    scenario = replace(document.baseline(), title=hostile, question=hostile, name="<b>")
    page = visit(shared=Shared(scenario, 1, FEW))
    expect(page.get_by_role("heading", level=1)).to_have_text(hostile)
    assert page.evaluate("window.hit") is None
    page = visit(shared="1.AAAA")
    expect(page.get_by_text("Nothing was loaded: the link is damaged or cut off")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(document.baseline().title)


def test_a_file_is_opened_and_saved_and_the_numbers_of_a_chart_are_those_on_screen(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit()
    text = load(document.FOLDER / "bundled_request.toml").toml().replace("All roles or none", "=Mine, <i>mine</i>")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    press(page.get_by_role("button", name="Open and share"))
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.toml")
    expect(page.get_by_role("heading", level=1)).to_have_text("=Mine, <i>mine</i>", timeout=120_000)
    with page.expect_download() as save:
        press(page.get_by_role("button", name="Scenario (TOML)").last)
    assert parse(save.value.path().read_text(encoding="utf-8"), "mine") == parse(text, "mine")
    press(page.get_by_text(re.compile("Numbers, files and picture")).first)
    with page.expect_download() as numbers:
        press(page.get_by_role("button", name="CSV", exact=True))
    rows = list(csv.DictReader(io.StringIO(numbers.value.path().read_text(encoding="utf-8"))))
    assert [row["day"] for row in rows] == [str(day) for day in range(181)]
    shown = page.get_by_role("table").first.get_by_role("row").nth(-1).get_by_role("cell").nth(4).inner_text()
    assert round(float(rows[180]["median"])) == round(float(shown.replace(",", "")))
    assert rows[0]["passport"] in page.get_by_text(re.compile("Run passport")).first.inner_text()


def test_a_file_that_was_made_stays_while_others_move_and_goes_with_the_page_it_is_from(visit: Visit) -> None:
    page, other = visit(), visit()

    def move(whose: Page, key: str) -> None:
        before = digest(whose)
        target(whose).press(key)
        expect(whose.get_by_text(re.compile(rf"digest (?!{before})"))).to_be_visible(timeout=120_000)
        rest(whose)

    with page.expect_download() as summary:
        press(page.get_by_role("button", name="Summary (JSON)"))
    for key in ("Home", "End", "Home"):
        move(other, key)
    kept = page.request.get(summary.value.url)
    assert kept.status == 200
    assert kept.body() == summary.value.path().read_bytes()
    for whose, key in ((page, "Home"), (page, "End"), (other, "End")):
        move(whose, key)
    assert page.request.get(summary.value.url).status == 404


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_the_picture_of_a_chart_is_made_in_the_browser(visit: Visit, kind: str) -> None:
    page = visit()
    press(page.get_by_text(re.compile("Numbers, files and picture")).first)
    press(page.get_by_role("radiogroup").get_by_text(kind, exact=True))
    # The chart is drawn anew with the camera that was asked for; what is pressed before belongs to the old one.
    camera = "kind => document.querySelector('.js-plotly-plot')._context.toImageButtonOptions.format === kind"
    page.wait_for_function(camera, arg=kind.lower())
    page.locator(".js-plotly-plot").first.hover()
    with page.expect_download() as found:
        press(page.locator(".modebar-btn[data-title^='Download plot']").first)
    assert found.value.suggested_filename == f"baseline-in_place.{kind.lower()}"
    begin = found.value.path().read_bytes()[:5]
    assert begin == (b"\x89PNG\r" if kind == "PNG" else b"<svg ")


# --- Everywhere


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit, scheme: str) -> None:
    page = visit(PHONE, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth")
    for part in (page.locator(".js-plotly-plot").first, page.locator("svg.states")):
        box = part.bounding_box()
        assert box is not None
        assert 250 < box["width"] <= PHONE["width"]


def test_dark_is_dark_and_light_is_light(visit: Visit) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        page = visit(DESK, scheme)
        color = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
        shades[scheme] = sum(int(part) for part in re.findall(r"\d+", color)[:3])
    assert shades["light"] > 700
    assert shades["dark"] < 150
