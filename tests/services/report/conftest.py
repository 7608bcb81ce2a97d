"""A browser for all tests of the page, and the page with a report in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.report_tenant import ReportTenant, Size
from entra_sod.services.report.render import render
from entra_sod.services.report.view import ReportView

type OpenReport = Callable[..., Page]

SMALL = Size(packages=18, findings=200, sweeps=6, gaps=1)
LARGE = Size(dense=True, sweeps=2)


def _made(size: Size) -> ReportView:
    """In a thread, for the browser's loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(ReportTenant(size).view())).result()


@pytest.fixture(scope="session")
def small_view() -> ReportView:
    """Some packages, some findings, a package that could not be read."""
    return _made(SMALL)


@pytest.fixture(scope="session")
def large_view() -> ReportView:
    """300 packages, each pair of which a rule keeps apart, and 20,000 findings."""
    return _made(LARGE)


def _is_own(address: str, path: Path) -> bool:
    """Whether it is the report itself, or what the page made, which leaves no machine."""
    return address.split("#", maxsplit=1)[0] == path.as_uri() or address.startswith("blob:")


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[OpenReport]:
    """Open a report in a page of its own; an error of its script, or a request, fails the test."""
    contexts, wrong = [], list[str]()

    def open_it(
        view: ReportView,
        *,
        scheme: str = "light",
        scripts: bool = True,
        size: tuple[int, int] = (1440, 900),
        fragment: str = "",
    ) -> Page:
        path = tmp_path / "report.html"
        path.write_bytes(render(view))
        context = browser.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on(
            "request",
            lambda asked: None if _is_own(asked.url, path) else wrong.append(asked.url),
        )
        page.goto(path.as_uri() + fragment)
        if scripts:
            page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert wrong == []
