"""`python -m benchmarks.pictures`: the pictures of docs/images, of a tenant made by a seed.

Those of the console are of the demo's tenant on a local world.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from benchmarks import console_pictures
from benchmarks.browser import chromium
from benchmarks.report_tenant import ReportTenant, Size
from entra_sod.services.report.render import render
from local.processes import CHECKOUT

IMAGES = CHECKOUT / "docs/images"
# A company with most of its house in order: some rules are violated, one could not be checked.
_SIZE = Size(packages=60, findings=70, sweeps=14, gaps=0, rules=9, violated=5, unread_rule=True)

type Scheme = Literal["light", "dark"]


def _top(_: Page) -> None:
    """As it opens."""


def _matrix(page: Page) -> None:
    page.locator("#matrix").evaluate("each => each.scrollIntoView()")
    page.locator("#grid .cell[aria-label*='worst']").nth(4).hover()


def _findings(page: Page) -> None:
    page.locator('input[name="severity"]').first.check()
    page.locator("#findings").evaluate("each => each.scrollIntoView()")


def _finding(page: Page) -> None:
    page.locator("#lines button").first.click()


PICTURES: dict[str, tuple[Scheme, Callable[[Page], None]]] = {
    "report-top": ("light", _top),
    "report-top-dark": ("dark", _top),
    "report-matrix": ("light", _matrix),
    "report-matrix-dark": ("dark", _matrix),
    "report-finding": ("light", _finding),
    "report-findings-dark": ("dark", _findings),
}


def main() -> None:
    view = asyncio.run(ReportTenant(_SIZE).view())
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder, "report.html")
        path.write_bytes(render(view))
        for name, (scheme, prepare) in PICTURES.items():
            page = browser.new_page(
                viewport={"width": 1280, "height": 860},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached")
            prepare(page)
            page.wait_for_timeout(600)
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()
        console_pictures.take(browser, IMAGES)


if __name__ == "__main__":
    main()
