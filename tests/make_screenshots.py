"""Pictures of every page at a desk and on a phone, light and dark, in docs/screenshots/: `python -m tests.make_screenshots`.

Those that README.md shows are committed (.gitignore names them), the others are for looking.
"""

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.served import QUIET, ROOT, app_served, chromium
from sim.pages import frame

FOLDER = ROOT / "docs" / "screenshots"
SIZES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 1000}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}
SCHEMES = ("light", "dark")
LARGEST = 200_000


def main() -> None:
    """One picture for each page, size and scheme."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with app_served() as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET.split())
        for k, (name, *_) in enumerate(frame.PAGES):
            for size in SIZES:
                for scheme in SCHEMES:
                    path = FOLDER / f"{name}-{size}-{scheme}.png"
                    path.write_bytes(picture(browser, f"{address}/{name if k else ''}", size, scheme))
                    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} KB")
        browser.close()


def picture(browser: Browser, address: str, size: str, scheme: Any) -> bytes:
    """One page as it is seen once the first screen has been put away, as a PNG."""
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", **SIZES[size])
    page = context.new_page()
    page.goto(address)
    settle(page)
    if page.locator("[data-testid=stException]").count():
        raise SystemExit(f"{address} shows an error: {page.locator('[data-testid=stException]').first.inner_text()}")
    first = page.get_by_role("button", name="I have read this")
    if first.count():
        first.click()
        first.wait_for(state="detached")
        settle(page)
    made = small(page.screenshot())
    context.close()
    return made


def settle(page: Page) -> None:
    """Wait until the script has run, charts are drawn and letters are there."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=120_000)
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(chart => chart.querySelector('.main-svg'))"
        " && !document.querySelector('[data-testid=stSkeleton]')"
    )
    page.evaluate(
        "document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))"
    )


def small(png: bytes) -> bytes:
    """A PNG of 256 colours, or of fewer where that is still more than a README should carry."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 64, 16):
        file = io.BytesIO()
        image.quantize(colours).save(file, "PNG", optimize=True)
        if file.tell() <= LARGEST:
            return file.getvalue()
    raise SystemExit(f"a picture of {file.tell():,} bytes is more than {LARGEST:,}")


if __name__ == "__main__":
    main()
