"""How long a report of a large tenant takes to open and to filter, in Debian's Chromium."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil
from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium
from benchmarks.report import Report, Row, mebibytes, milliseconds
from benchmarks.report_tenant import ReportTenant, Size
from entra_sod.services.report.render import render
from entra_sod.services.report.view import ReportView

FULL, QUICK = Size(dense=True, sweeps=3), Size(packages=20, findings=100, sweeps=2)
ROUNDS, QUICK_ROUNDS = 9, 1
MAX_OPEN, MAX_FILTER = 2.0, 0.1

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
        opened, worked = zip(*(_opened(browser, path) for _ in range(rounds)), strict=True)
        page = _page(browser, path)
        before = _processor_time()
        typed = [page.evaluate(_TYPE, word) for _ in range(rounds) for word in _WORDS]
        each = (_processor_time() - before) / len(typed)
        ticked = [page.evaluate(_CLICK, _SEVERITY) for _ in range(2 * rounds)]
        sorted_ = [page.evaluate(_CLICK, _SORT) for _ in range(rounds)]
    return Report(
        title=f"A report of {_words(view)}",
        rows=[
            _row("opened, until it is drawn and answers", opened, MAX_OPEN, "≤ 2 s"),
            _worked("the same, processor time of all the browser's processes", median(worked)),
            _row("filtered by text, until the new frame", typed, MAX_FILTER, "≤ 100 ms"),
            _worked("the same, processor time of all the browser's processes", each),
            _row("filtered by severity, likewise", ticked, MAX_FILTER, "≤ 100 ms"),
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


def _opened(browser: Browser, path: Path) -> tuple[float, float]:
    """Seconds by the clock, and of processor time."""
    started, before = perf_counter(), _processor_time()
    page = _page(browser, path)
    page.evaluate(_PAINTED)
    took, worked = perf_counter() - started, _processor_time() - before
    page.close()
    return took, worked


def _processor_time() -> float:
    """Of all processes of the browser that run now, in seconds."""
    times = [each.cpu_times() for each in _processes()]
    return sum(each.user + each.system for each in times)


def _processes() -> list[psutil.Process]:
    ours = psutil.Process().children(recursive=True)
    return [each for each in ours if each.name().startswith("chrom")]


def _worked(what: str, seconds: float) -> Row:
    load, _, _ = os.getloadavg()
    beside = f"the machine's load in the last minute: {load:.1f}"
    return Row(what=what, measured=milliseconds(seconds), beside=beside)


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
