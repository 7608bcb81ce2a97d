"""How long the console takes to show its first page, against a local world."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium
from benchmarks.console_world import ConsoleWorld, console_world
from benchmarks.report import Report, Row, milliseconds
from entra_sod.api.console.render import render

FULL, QUICK = 9, 1
MAX_OPEN = 1.0
_BUDGET = "≤ 1 s"
_SHOWN = "() => document.querySelector('main h2') && !document.body.innerText.includes('Loading…')"


def run(*, quick: bool = False) -> Report:
    rounds = QUICK if quick else FULL
    with console_world() as world, chromium() as browser:
        first = [_first_page(browser, world) for _ in range(rounds)]
        views = {name: [_view(browser, world, name) for _ in range(rounds)] for name in _VIEWS}
    return Report(
        title="The console of the demo's tenant on a local world",
        rows=[
            _row("the overview, from asking for the page until all of it is shown", first),
            *(_row(f"then {text}", views[name]) for name, text in _VIEWS.items()),
            Row(
                what="size of the page",
                measured=f"{len(render()) / 1024:.0f} KiB",
                beside="the same for every caller, without data",
            ),
        ],
    )


_VIEWS = {"findings": "the findings", "subjects?search=a": "a search of subjects"}


def _tab(browser: Browser, world: ConsoleWorld) -> Page:
    """An empty page with a key, as a caller of the platform has a session."""
    return browser.new_page(
        viewport={"width": 1280, "height": 800}, extra_http_headers=world.headers
    )


def _open(page: Page, world: ConsoleWorld) -> float:
    started = perf_counter()
    page.goto(f"{world.host.url}/api/console")
    page.wait_for_function(_SHOWN)
    return perf_counter() - started


def _first_page(browser: Browser, world: ConsoleWorld) -> float:
    page = _tab(browser, world)
    took = _open(page, world)
    page.close()
    return took


def _view(browser: Browser, world: ConsoleWorld, name: str) -> float:
    page = _tab(browser, world)
    _open(page, world)
    started = perf_counter()
    page.evaluate("name => { location.hash = `#/${name}`; }", name)
    page.wait_for_selector("main tbody tr")
    page.wait_for_function(_SHOWN)
    took = perf_counter() - started
    page.close()
    return took


def _row(what: str, seconds: Sequence[float]) -> Row:
    middle = median(seconds)
    return Row(
        what=what,
        measured=milliseconds(middle),
        beside=f"median of {len(seconds)}; the least {milliseconds(min(seconds))}, "
        f"the most {milliseconds(max(seconds))}",
        budget=_BUDGET,
        is_met=middle <= MAX_OPEN,
    )
