"""What tests of several modules have in common: how long Hypothesis looks, what the rules read of the register, and Chromium.

When a test that uses the fixture `browser` fails, a picture of every open page is kept in test-artifacts/.
"""

import ast
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from benchmarks.served import QUIET, app_served, chromium
from sim.parameters import ROLES, register
from sim.scenario import ROLE_NAMES

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=int(os.environ.get("SIM_EXAMPLES", "30")))
settings.load_profile("ci")

# A runner in the background ignores Ctrl-C, and so would all that it starts: tests of interruptions need it.
signal.signal(signal.SIGINT, signal.default_int_handler)

SIM = Path(__file__).resolve().parents[1] / "sim"
ARTIFACTS = Path(__file__).resolve().parents[1] / "test-artifacts"
needs_chromium = pytest.mark.skipif(os.environ.get("SIM_NO_BROWSER") == "1", reason="SIM_NO_BROWSER=1")
# Where a number of the register can move a result: the rules, the engine, and what is measured.
READERS = "governors people shocks setting shared cohorts mobilization states requester channels model outcomes".split()


@pytest.fixture(scope="session")
def parameters_read() -> frozenset[str]:
    """Names of the register that the rules, the engine or the outcomes read, by their syntax trees."""
    patterns = [
        re.compile(pattern) for reader in READERS for pattern in _read_by(ast.parse((SIM / f"{reader}.py").read_text()))
    ]
    return frozenset(
        name
        for name, entry in register().items()
        if any(pattern.fullmatch(name) or pattern.fullmatch(entry.field) for pattern in patterns)
    )


def _read_by(tree: ast.Module) -> Iterator[str]:
    """Patterns of the fields and dotted names that a module reads: p.field, values["name"], and groups with one per role."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="p") | ast.Attribute(attr="p"), attr=attr, ctx=ast.Load()):
                yield attr
            case ast.Subscript(value=ast.Name(id="values"), slice=key, ctx=ast.Load()):
                yield _pattern(key)
            case ast.Call(func=ast.Name(id="by_role"), args=[_, ast.Constant(value=str(group))]):
                yield f"{group}_(?:{'|'.join(ROLES)})"
            case ast.Call(func=ast.Name(id="getattr"), args=[ast.Name(id="p") | ast.Attribute(attr="p"), key, *_]):
                yield _pattern(key)
            case ast.Call(func=ast.Name(id="number"), args=[_, key]):
                yield _pattern(key)
            case ast.comprehension(iter=ast.Name(id="ROLE_NAMES")):
                yield "|".join(map(re.escape, ROLE_NAMES))


def _pattern(key: ast.expr) -> str:
    """A constant key as it is, an f-string that begins with words as a pattern; nothing for any other."""
    match key:
        case ast.Constant(value=str(word)):
            return re.escape(word)
        case ast.JoinedStr(values=[ast.Constant(), *_] as parts):
            return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in parts)
    return "(?!)"


# --- Chromium

DESK = {"width": 1280, "height": 900}
# Runs behind a page, so that it is soon there on a machine that does other things too.
FEW = 60


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file; each takes a context of its own."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=QUIET.split())
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The app on a server of its own."""
    with app_served() as (found, _):
        yield found


@pytest.fixture
def visited(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open a page in a way of one's own; afterwards nothing may have failed or left the machine."""
    from sim.pages import document
    from sim.sharing import Shared, link_of

    pages: list[Page] = []
    strangers: list[str] = []
    failures: list[str] = []

    def is_strange(url: str) -> bool:
        return not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))

    def open_page(place: str = "", size: Any = DESK, scheme: Any = "light", shared: Any = None, **options: Any) -> Page:
        page = browser.new_context(viewport=size, color_scheme=scheme, **options).new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: strangers.append(request.url) if is_strange(request.url) else None)
        page.on("pageerror", lambda error: failures.append(str(error)))
        link = shared if isinstance(shared, str) else link_of(shared or Shared(document.baseline(), 1, FEW))
        page.goto(f"{address}/{place}?s={link}")
        rest(page)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.locator("[data-testid=stException]").count() == 0
        page.context.close()
    assert strangers == []
    assert failures == []


def rest(page: Page) -> None:
    """Wait until no script runs, nothing is still to come and nothing moves."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=120_000
    )
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=60_000)
    page.wait_for_function("document.getAnimations().length === 0", timeout=60_000)


def press(part: Locator) -> None:
    """Click on a part that stands still.

    An expander or a tab that opens moves what is in it: a button pressed on the way has gone when it is let go.
    """
    expect(part).to_be_visible(timeout=120_000)
    rest(part.page)
    part.click()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep what a failed test saw while its pages are still open."""
    report = yield
    opened = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and isinstance(opened, Browser):
        for path in keep_pictures(opened, item.nodeid):
            report.sections.append(("picture", str(path)))
    return report


def keep_pictures(opened: Browser, test: str) -> list[Path]:
    """A picture of every open page under the test's name, old ones of that test replaced."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", test.removeprefix("tests/"))[:120].strip("-")
    ARTIFACTS.mkdir(exist_ok=True)
    for old in ARTIFACTS.glob(f"{name}-[0-9]*.png"):
        old.unlink()
    kept = []
    for k, page in enumerate(page for context in opened.contexts for page in context.pages):
        path = ARTIFACTS / f"{name}-{k}.png"
        try:
            page.screenshot(path=path, timeout=10_000)
        except BrowserError as error:  # a page that crashed has no picture; the failure itself is what counts
            path = path.with_suffix(".txt")
            path.write_text(str(error), encoding="utf-8")
        kept.append(path)
    return kept
