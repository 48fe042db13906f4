"""The page in a real Chromium: what a visitor sees and moves, on a desk and on a phone, and that nothing leaves the machine."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(os.environ.get("SIM_NO_BROWSER") == "1", reason="SIM_NO_BROWSER=1")

# Keep Chromium from looking up hosts of its own while we list what the page asks for.
QUIET = "--disable-gpu --disable-background-networking --disable-component-update --disable-sync --disable-quic --no-first-run"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def chromium() -> str:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    assert found, "the browser tests need Chromium; set CHROMIUM to its path, or SIM_NO_BROWSER=1 to leave them out"
    return found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"]
    server = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=20)


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()[0].decode()
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)  # a poll of the health page, which nothing else announces
    raise AssertionError("the app did not start")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=QUIET.split())
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[object]:
    """Open the page in a way of one's own; afterwards nothing may have failed or left the machine."""
    pages: list[Page] = []
    strangers: list[str] = []
    failures: list[str] = []

    def open_page(size: ViewportSize = DESK, scheme: str = "light") -> Page:  # type: ignore[assignment]
        context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda request: strangers.append(request.url) if is_strange(request.url, address) else None)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(address)
        settle(page)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.locator("[data-testid=stException]").count() == 0
        page.context.close()
    assert strangers == []
    assert failures == []


def is_strange(url: str, address: str) -> bool:
    return not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def settle(page: Page) -> None:
    """Wait until both charts are drawn and the page has stopped running."""
    expect(page.locator(".js-plotly-plot .main-svg").nth(3)).to_be_attached(timeout=60_000)
    expect(page.get_by_text(re.compile("digest"))).to_be_visible(timeout=60_000)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )


def digest(page: Page) -> str:
    return re.search(r"digest (\w+)", page.get_by_text(re.compile("digest")).inner_text()).group(1)  # type: ignore[union-attr]


def lines_of(page: Page) -> str:
    """The drawn paths of the second chart."""
    return str(
        page.locator(".js-plotly-plot")
        .nth(1)
        .evaluate("e => [...e.querySelectorAll('path')].map(p => p.getAttribute('d')).join()")
    )


def test_the_first_view_answers_the_question(visit) -> None:  # type: ignore[no-untyped-def]
    page = visit()
    expect(page.get_by_role("heading", name="Guard request simulator")).to_be_visible()
    expect(page.get_by_text(re.compile(r"In the median of 20 runs, .* of 53 governors agree"))).to_be_visible()
    assert page.locator("[data-testid=stMetric]").count() == 3
    assert page.locator(".js-plotly-plot").count() == 2
    expect(page.get_by_text(re.compile("Not a forecast"))).to_be_visible()


def test_a_slider_moved_by_keyboard_changes_the_result_and_the_chart(visit) -> None:  # type: ignore[no-untyped-def]
    page = visit()
    before, drawn = digest(page), lines_of(page)
    page.get_by_role("slider", name=re.compile("Share that volunteers")).focus()
    page.keyboard.press("End")
    expect(page.get_by_text(re.compile(rf"digest (?!{before})"))).to_be_visible(timeout=60_000)
    settle(page)
    assert lines_of(page) != drawn
    expect(page.get_by_text(re.compile("Share that volunteers: 0.15 in every run"))).to_be_visible()


def test_another_scenario_is_another_question_and_result(visit) -> None:  # type: ignore[no-untyped-def]
    page = visit()
    before = digest(page)
    page.get_by_role("combobox", name=re.compile("^Scenario|.*Scenario$")).click()
    page.get_by_role("option", name="All roles or none").click()
    expect(
        page.get_by_text(re.compile("What changes when a governor can only take the roles as a bundle"))
    ).to_be_visible()
    expect(page.get_by_text(re.compile(rf"digest (?!{before})"))).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(visit, scheme: str) -> None:  # type: ignore[no-untyped-def]
    page = visit(PHONE, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    for chart in range(2):
        box = page.locator(".js-plotly-plot").nth(chart).bounding_box()
        assert box is not None
        assert 250 < box["width"] <= PHONE["width"]


def test_dark_is_dark_and_light_is_light(visit) -> None:  # type: ignore[no-untyped-def]
    shades = {}
    for scheme in ("light", "dark"):
        page = visit(DESK, scheme)
        color = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
        shades[scheme] = sum(int(part) for part in re.findall(r"\d+", color)[:3])
    assert shades["light"] > 700
    assert shades["dark"] < 150
