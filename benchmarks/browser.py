"""How soon Explore answers in a real browser, beside a plain page: `python -m benchmarks.browser`.

The plain page has as many charts as Explore: one and the map in sight, the others in tabs, which plain Streamlit draws with
every move; a barer one has only what is in sight. All stand in one Chromium and are moved in turn, so that whatever else the
machine does falls on all of them. A time runs
from the key's or the pointer's own time stamp until the second animation frame after the last change of the page, shadow trees
included, looked at once nothing has changed for half a second and no script runs (watch.js). Bytes are counted at the
page's websocket.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks.load import FINISHED, rerun
from benchmarks.served import QUIET, app_served, chromium
from sim.parameters import parameter

HERE = Path(__file__).resolve().parent
WATCH = (HERE / "watch.js").read_text(encoding="utf-8")
DESK: Any = {"width": 1280, "height": 900}
# Milliseconds without any change after which a page is taken to be done.
STILL = 500
MOVES = 18
LEVER = parameter("request.target").label


@dataclass
class Opened:
    """A page in the browser, and what moves it."""

    page: Page
    slider: Locator

    def after(self, act: Callable[[], Any], still: int = STILL) -> dict[str, float]:
        """What an act with key or pointer brings: milliseconds until painted, bytes received and sent."""
        act()
        seen = self.page.evaluate("still => watch.settled(still)", still)
        return {"ms": seen["painted"] - seen["begun"], "received": seen["received"], "sent": seen["sent"], **seen}

    def move(self) -> dict[str, float]:
        """One step of the slider, always on in the same direction, so that every place is new."""
        seen = self.after(lambda: self.slider.press("ArrowLeft"))
        if not (seen["heard"] > seen["begun"] and seen["plotted"] > seen["begun"]):
            raise RuntimeError("the slider moved and no chart was drawn anew")
        return seen


def figures(address: str) -> list[Any]:
    """The charts of a page as Plotly has them: what it shows when it is opened, then what each of its tabs adds."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    specs: list[str] = []
    tabs: dict[str, list[str]] = {}
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    with connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None) as line:

        def look(opened: dict[str, str]) -> None:
            line.send(rerun(opened))
            while True:
                message = ForwardMsg.FromString(bytes(line.recv(timeout=120)))  # type: ignore[arg-type]
                if message.WhichOneof("type") == "script_finished" and message.script_finished in FINISHED:
                    return
                block, element = message.delta.add_block, message.delta.new_element
                if block.WhichOneof("type") == "tab_container":
                    tabs[block.tab_container.id] = []
                elif block.WhichOneof("type") == "tab":
                    tabs[list(tabs)[-1]].append(block.tab.label)
                elif element.WhichOneof("type") == "plotly_chart" and element.plotly_chart.spec not in specs:
                    specs.append(element.plotly_chart.spec)

        look({})
        for name, labels in list(tabs.items()):
            for label in labels:
                look({name: label})
    return [json.loads(spec) for spec in specs]


def opened(browser: Browser, address: str, label: str) -> tuple[Opened, float]:
    """A page in a context of its own, as for a first visitor, and the milliseconds until it was whole."""
    page = browser.new_context(viewport=DESK).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(WATCH)
    page.goto(address)
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    seen = page.evaluate("still => watch.settled(still)", STILL)
    return Opened(page, page.get_by_role("slider", name=label)), seen["painted"]


def reopened(found: Opened) -> float:
    """Milliseconds until the page is whole for somebody who has been there before."""
    found.page.reload()
    found.page.locator(".js-plotly-plot .main-svg").first.wait_for()
    return float(found.page.evaluate("still => watch.settled(still)", STILL)["painted"])


@contextmanager
def both(browser: Browser) -> Iterator[tuple[str, str]]:
    """Addresses of the app and of the plain page with the charts of Explore."""
    with TemporaryDirectory() as folder, app_served() as (app, _):
        file = Path(folder) / "figures.json"
        file.write_text(json.dumps(figures(app)), encoding="utf-8")
        os.environ["PLAIN_FIGURES"] = str(file)
        try:
            with app_served(HERE / "plain_page.py") as (plain, _):
                yield app, plain
        finally:
            del os.environ["PLAIN_FIGURES"]


def measure(browser: Browser, moves: int = MOVES, visits: int = 3) -> dict[str, list[float]]:
    """Everything, in milliseconds and bytes."""
    found: dict[str, list[float]] = {}

    def keep(**numbers: float) -> None:
        for name, number in numbers.items():
            found.setdefault(name, []).append(number)

    with both(browser) as (app, plain):
        for k in range(visits):
            ours, first = opened(browser, app, LEVER)
            theirs, first_plain = opened(browser, plain, "Seed")
            bare, _ = opened(browser, f"{plain}/?charts=1", "Seed")
            keep(first=first, first_plain=first_plain, again=reopened(ours), again_plain=reopened(theirs))
            if k < visits - 1:
                ours.page.context.close()
                theirs.page.context.close()
                bare.page.context.close()
        for _ in range(moves):
            seen, beside, barer = ours.move(), theirs.move(), bare.move()
            keep(move=seen["ms"], move_plain=beside["ms"], move_bare=barer["ms"])
            keep(bytes=seen["received"], bytes_plain=beside["received"])
            keep(heard=seen["heard"] - seen["begun"], heard_plain=beside["heard"] - beside["begun"])
        day = ours.page.locator("[data-part=day]")
        day.focus()
        for _ in range(moves):
            seen = ours.after(lambda: day.press("ArrowLeft"), 200)
            keep(step=seen["ms"], step_bytes=seen["received"] + seen["sent"])
        shapes = ours.page.locator("g.state")
        for k in range(moves):
            shape = shapes.nth(3 * k % 54)
            name = (shape.get_attribute("aria-label") or "").split(":")[0].split(", ", 1)[1]
            seen = ours.after(lambda shape=shape: shape.click())
            if not ours.page.locator("strong", has_text=name).count():
                raise RuntimeError(f"a click on {name} brings nothing about it")
            keep(click=seen["ms"])
    return found


def lines(found: dict[str, list[float]]) -> list[tuple[str, str, str, bool]]:
    """What, measured, aimed at, and whether it is there."""
    middle = {name: statistics.median(numbers) for name, numbers in found.items()}
    late = {name: float(np.quantile(numbers, 0.9)) for name, numbers in found.items()}
    moved, first, again = (middle[name] / middle[f"{name}_plain"] for name in ("move", "first", "again"))
    return [
        ("slider released to everything painted, against the plain page", f"{moved:.2f} times", "1.5", moved <= 1.5),
        ("  against one with only what is in sight", f"{middle['move'] / middle['move_bare']:.2f} times", "", True),
        ("  median", f"{middle['move']:.0f} ms (plain {middle['move_plain']:.0f})", "400 ms", middle["move"] <= 400),
        ("  p90", f"{late['move']:.0f} ms (plain {late['move_plain']:.0f})", "600 ms", late["move"] <= 600),
        ("  of it until the last byte", f"{middle['heard']:.0f} ms (plain {middle['heard_plain']:.0f})", "", True),
        ("scrubber step, median", f"{middle['step']:.0f} ms", "50 ms", middle["step"] <= 50),
        ("scrubber step, bytes to or from the server", f"{max(found['step_bytes']):.0f}", "0", not any(found["step_bytes"])),
        ("click on a state to its details, median", f"{middle['click']:.0f} ms", "400 ms", middle["click"] <= 400),
        ("data per rerun", f"{middle['bytes'] / 1000:.1f} KB (plain {middle['bytes_plain'] / 1000:.1f})", "50 KB",
         middle["bytes"] <= 50_000),
        ("first page usable, against the plain page", f"{first:.2f} times", "1.5", first <= 1.5),
        ("  first visit", f"{middle['first']:,.0f} ms (plain {middle['first_plain']:,.0f})", "", True),
        ("  again", f"{middle['again']:,.0f} ms (plain {middle['again_plain']:,.0f}), {again:.2f} times", "", True),
    ]  # fmt: skip


def main() -> None:
    """Print each number with its aim beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=MOVES, help="moves of each kind")
    parser.add_argument("--json", action="store_true", help="print every single number")
    chosen = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET.split())
        found = measure(browser, chosen.moves)
        browser.close()
    if chosen.json:
        print(json.dumps(found))
        return
    print(f"{len(found['move'])} moves, {len(found['first'])} visits; load of the machine {os.getloadavg()[0]:.1f}")
    for what, number, aim, is_met in lines(found):
        print(
            f"{'      ' if not aim else 'met   ' if is_met else 'MISSED'} {what:62} {number:34} {aim and 'at most ' + aim}"
        )


if __name__ == "__main__":
    main()
