"""The pictures of the console, of the demo's tenant on a local world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium
from benchmarks.console_world import ConsoleWorld, console_world

WIDE, NARROW = (1280, 800), (390, 844)
_SETTLED = (
    "() => document.querySelector('main h2') && !document.body.innerText.includes('Loading…')"
)
_SUBJECT = "Ada Abara"


def _overview(_: Page) -> None:
    """As it opens."""


def _subject(page: Page) -> None:
    _go(page, "subjects?search=a")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    _settle(page)


def _decision(page: Page) -> None:
    _go(page, "decide")
    for group, text in (("Subject", _SUBJECT), ("Access packages", "Approve inv")):
        picker = page.get_by_role("group", name=group)
        picker.get_by_role("searchbox").fill(text)
        picker.get_by_role("list").get_by_role("button").first.click()
    page.get_by_role("button", name="Decide").click()
    page.wait_for_selector(".decision")


def _held(page: Page) -> None:
    _go(page, "selections")
    page.wait_for_selector("article")


def _go(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = `#/${place}`; }", place)
    _settle(page)


def _settle(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function(_SETTLED)


@dataclass(frozen=True)
class _Picture:
    """One picture: which scheme and size, and what is done before it is taken."""

    scheme: Literal["light", "dark"]
    size: tuple[int, int]
    prepare: Callable[[Page], None]


PICTURES = {
    "console-overview": _Picture("light", WIDE, _overview),
    "console-overview-dark": _Picture("dark", WIDE, _overview),
    "console-narrow": _Picture("light", NARROW, _overview),
    "console-subject": _Picture("light", WIDE, _subject),
    "console-decision": _Picture("light", WIDE, _decision),
    "console-decision-dark": _Picture("dark", WIDE, _decision),
    "console-held": _Picture("light", WIDE, _held),
}


def take(browser: Browser, folder: Path) -> None:
    """Take all of them."""
    with console_world() as world:
        for name, picture in PICTURES.items():
            page = _open(browser, world, picture)
            picture.prepare(page)
            page.screenshot(path=folder / f"{name}.png")
            page.close()


def _open(browser: Browser, world: ConsoleWorld, picture: _Picture) -> Page:
    width, height = picture.size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=picture.scheme,
        reduced_motion="reduce",
        extra_http_headers=world.headers,
    )
    page.goto(f"{world.host.url}/api/console")
    _settle(page)
    return page


if __name__ == "__main__":
    from benchmarks.pictures import IMAGES

    with chromium() as opened:
        take(opened, IMAGES)
