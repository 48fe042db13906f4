"""axe-core on every page of the app: it finds nothing that plain Streamlit itself does not have.

A finding is a rule of axe-core and the kind of Streamlit element in which it is broken. What the same kinds of element
break on a page with nothing of ours, in the same colours and at the same width, is Streamlit's; anything more is ours.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.served import app_served
from sim.pages import frame
from tests.conftest import needs_chromium, rest

pytestmark = needs_chromium
PLAIN = Path(__file__).with_name("plain_page.py")
WIDTHS: dict[str, ViewportSize] = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
MAIN = "[data-testid=stMain]"
MOST_EXPANDERS = 40
ADDRESSES = ["" if k == 0 else name for k, (name, *_) in enumerate(frame.PAGES)]

# The kind of Streamlit element around a node: what its container holds, or the nearest part of the frame that has a name.
KIND = """selector => {
    const node = document.querySelector(selector)
    const container = node?.closest('[data-testid=stElementContainer]')
    const named = container?.querySelector('[data-testid]') ?? node?.closest('[data-testid]')
    return named ? named.dataset.testid : (node?.localName ?? 'nowhere')
}"""

Findings = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with app_served() as (found, _):
        yield found


@pytest.fixture(autouse=True)
def _close(browser: Browser) -> Iterator[None]:
    """Close what a test has opened, after its picture is taken."""
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="module")
def plain(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Findings]:
    """What axe-core finds on the pages of plain Streamlit, by width and scheme, in Streamlit's own colours."""
    found = {(width, scheme): Findings() for width in WIDTHS for scheme in SCHEMES}
    with app_served(PLAIN, tmp_path_factory.mktemp("plain")) as (address, _):
        for width in WIDTHS:
            for place in ("", "second", "third"):
                for scheme, findings in looked_at(browser, f"{address}/{place}", width).items():
                    found[width, scheme] |= findings
    return found


def looked_at(browser: Browser, address: str, width: str, with_sidebar: bool = True) -> dict[str, Findings]:
    """Findings of one page in both schemes, every tab opened in turn and in it every expander."""
    context = browser.new_context(viewport=WIDTHS[width], color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    rest(page)
    found = {scheme: Findings() for scheme in SCHEMES}
    # A page that has been reduced to an error has little to find.
    assert page.locator("[data-testid=stException]").count() == 0
    tabs = page.locator("[role=tab]").count()
    for k in range(max(1, tabs)):
        if tabs:
            page.locator("[role=tab]").nth(k).click()
            rest(page)
        # The sidebar is the same on every page, and on a phone it lies outside of what is seen.
        open_all(page, "body" if k == 0 and with_sidebar and width == "desk" else MAIN)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_function(IS_IN_COLOURS, arg=scheme)
            found[scheme] |= findings(page, MAIN if k else None)
    return found


def open_all(page: Page, part: str) -> None:
    """Open every expander that can be seen in a part of the page, and those inside of them."""
    closed = page.locator(f"{part} [data-testid=stExpander] details:not([open]) > summary:visible")
    for _ in range(MOST_EXPANDERS):
        if not closed.count():
            return
        closed.first.click()
        rest(page)
    raise AssertionError(f"{closed.count()} expanders stay closed")


IS_IN_COLOURS = """scheme => {
    const parts = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor.match(/[0-9.]+/g).map(Number)
    const isDrawn = document.getAnimations().every(animation => animation.playState !== 'running')
    return isDrawn && (parts[0] + parts[1] + parts[2] > 382) === (scheme === 'light')
}"""


def findings(page: Page, part: str | None = None) -> Findings:
    """Rule and kind of element, with a node for whoever mends it."""
    found = Findings()
    violations: list[dict[str, Any]] = Axe().run(page, part).response["violations"]
    for violation in violations:
        for node in violation["nodes"]:
            target = node["target"][0]
            # A list leads into a component's own tree: that is always ours.
            kind = (
                page.evaluate(KIND, target) if isinstance(target, str) else f"inside {page.evaluate(KIND, target[0])}"
            )
            found.setdefault((violation["id"], kind), f"{violation['help']}: {node['html'][:200]}")
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("place", ADDRESSES)
def test_axe_finds_nothing_that_plain_streamlit_does_not_have(
    browser: Browser, address: str, plain: dict[tuple[str, str], Findings], place: str, width: str
) -> None:
    for scheme, found in looked_at(browser, f"{address}/{place}", width, with_sidebar=not place).items():
        ours = [
            f"{rule} in {kind}: {told}"
            for (rule, kind), told in found.items()
            if (rule, kind) not in plain[width, scheme]
        ]
        assert not ours, "\n".join([f"{place or 'the first page'}, {width}, {scheme}:", *ours])


def test_axe_looks_and_the_comparison_sees_what_is_ours(
    browser: Browser, plain: dict[tuple[str, str], Findings]
) -> None:
    page = browser.new_context().new_page()
    page.set_content(
        "<html lang=en><title>t</title><main><h1>t</h1><div data-testid=stElementContainer><div data-testid=stOurs>"
        "<img src=x><p style='color:#ddd;background:#fff'>pale</p></div></div></main></html>"
    )
    found = findings(page)
    assert {("image-alt", "stOurs"), ("color-contrast", "stOurs")} <= set(found)
    page.evaluate("document.querySelector('p').attachShadow({mode: 'open'}).innerHTML = '<button></button>'")
    assert ("button-name", "inside stOurs") in findings(page)
    for width in WIDTHS:
        for scheme in SCHEMES:
            assert not set(found) & set(plain[width, scheme])
