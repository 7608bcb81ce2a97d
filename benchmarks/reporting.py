"""How long a report of a large tenant takes to open and to filter, in Debian's Chromium."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium
from benchmarks.report import Report, Row, mebibytes, milliseconds
from benchmarks.report_tenant import ReportTenant, Size
from functions.report.render import render
from functions.report.view import ReportView

FULL, QUICK = Size(dense=True, sweeps=3), Size(packages=20, findings=100, sweeps=2)
ROUNDS, QUICK_ROUNDS = 9, 1
MOST_OPEN, MOST_FILTER = 2.0, 0.1

_PAINTED = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
# From the event to the first frame that shows what it changed.
_TYPE = f"""async text => {{
  const field = document.querySelector('#text');
  field.value = text;
  const start = performance.now();
  field.dispatchEvent(new Event('input'));
  await {_PAINTED};
  return (performance.now() - start) / 1000;
}}"""
_CLICK = f"""async selector => {{
  const start = performance.now();
  document.querySelector(selector).click();
  await {_PAINTED};
  return (performance.now() - start) / 1000;
}}"""
_WORDS = ("a", "ad", "ada", "ada fischer", "ada fischer approve", "one-each", "no such word", "")
_SEVERITY, _SORT = 'input[name="severity"]', '[data-sort="person"] button'


def run(*, quick: bool = False) -> Report:
    size, rounds = (QUICK, QUICK_ROUNDS) if quick else (FULL, ROUNDS)
    view = asyncio.run(ReportTenant(size).view())
    started = perf_counter()
    data = render(view)
    rendered = perf_counter() - started
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder, "report.html")
        path.write_bytes(data)
        opened = [_opened(browser, path) for _ in range(rounds)]
        page = _page(browser, path)
        typed = [page.evaluate(_TYPE, word) for _ in range(rounds) for word in _WORDS]
        ticked = [page.evaluate(_CLICK, _SEVERITY) for _ in range(2 * rounds)]
        sorted_ = [page.evaluate(_CLICK, _SORT) for _ in range(rounds)]
    return Report(
        title=f"A report of {_words(view)}",
        rows=[
            _row("opened, until it is drawn and answers", opened, MOST_OPEN, "≤ 2 s"),
            _row("filtered by text, until the new frame", typed, MOST_FILTER, "≤ 100 ms"),
            _row("filtered by severity, likewise", ticked, MOST_FILTER, "≤ 100 ms"),
            _row("sorted by person, likewise", sorted_),
            Row(
                what="size of the file",
                measured=mebibytes(len(data)),
                beside=f"rendered in {milliseconds(rendered)}",
            ),
        ],
    )


def _words(view: ReportView) -> str:
    return (
        f"{len(view.packages):,} packages, {len(view.cells):,} pairs that rules keep apart, "
        f"{len(view.findings):,} findings"
    )


def _page(browser: Browser, path: Path) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def _opened(browser: Browser, path: Path) -> float:
    started = perf_counter()
    page = _page(browser, path)
    page.evaluate(_PAINTED)
    took = perf_counter() - started
    page.close()
    return took


def _row(what: str, seconds: Sequence[float], most: float | None = None, budget: str = "") -> Row:
    middle = median(seconds)
    return Row(
        what=what,
        measured=milliseconds(middle),
        beside=f"median of {len(seconds)}; the least {milliseconds(min(seconds))}, "
        f"the most {milliseconds(max(seconds))}",
        budget=budget,
        is_met=None if most is None else middle <= most,
    )
