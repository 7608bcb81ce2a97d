"""A browser with the console in it, whose app answers what a test says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from entra_sod.api.console.render import policy, render
from tests.api.console import answers

APP, LOCAL = answers.APP, "http://127.0.0.1:7071"
PROBLEM = "application/problem+json"
# The fake app takes its time, as one across a network does. A test that looks, or changes the
# answers, before the page has its own fails by itself, not only on a loaded machine.
LATE = """(() => {
    const real = window.fetch, pause = () => new Promise(done => setTimeout(done, 50));
    window.fetch = async (...asked) => {
        await pause();
        const answer = await real(...asked);
        await pause();
        return answer;
    };
})()"""


@dataclass(frozen=True)
class Problem:
    """An answer that refuses."""

    status: int
    detail: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request of the page, as the app gets it."""

    route: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class FakeApp:
    """Answers by `METHOD path`: a value, a problem, or a function of what is asked."""

    answers: dict[str, Any] = field(default_factory=answers.everything)
    asked: list[Asked] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def routes(self) -> list[str]:
        return [each.route for each in self.asked]

    def writes(self) -> list[Asked]:
        return [each for each in self.asked if not each.route.startswith("GET ")]

    def handle(self, route: Route, request: Request) -> None:
        path = urlsplit(request.url).path
        if path == "/api/console":
            headers = {"Content-Security-Policy": f"{policy()}; frame-ancestors 'none'"}
            route.fulfill(body=render(), content_type="text/html; charset=utf-8", headers=headers)
            return
        asked = self._asked(request)
        if asked is None:
            # The browser asks for an icon by itself; any other request is not the app's own.
            if path != "/favicon.ico":
                self.wrong.append(f"asked for {request.method} {request.url}")
            route.fulfill(status=404)
            return
        self.asked.append(asked)
        given = self.answers[asked.route]
        answer = given(asked) if callable(given) else given
        if isinstance(answer, Problem):
            said = {"type": "urn:entra-sod:problem:x", "title": "x", "status": answer.status}
            route.fulfill(
                status=answer.status,
                body=json.dumps({**said, "detail": answer.detail}),
                content_type=PROBLEM,
                headers=answer.headers,
            )
        elif answer is None:
            route.fulfill(status=204)
        else:
            route.fulfill(body=json.dumps(answer), content_type="application/json")

    def _asked(self, request: Request) -> Asked | None:
        parts = urlsplit(request.url)
        path, text = parts.path.removeprefix("/api/"), request.post_data
        for name in self.answers:
            method, _, pattern = name.partition(" ")
            whole = re.sub(r"\{\w+\}", "[^/]+", pattern)
            if method == request.method and re.fullmatch(whole, path):
                body = json.loads(text) if text else None
                return Asked(name, dict(parse_qsl(parts.query)), request.headers, body)
        return None


# The page follows its address in a task of its own, which is over when two frames are drawn.
DRAWN = """() => new Promise(done => setTimeout(
    () => requestAnimationFrame(() => requestAnimationFrame(done))))"""


def settle(page: Page) -> None:
    """Wait until the page has followed its address and shows what it asked for there."""
    page.evaluate(DRAWN)
    expect(page.get_by_text("Loading…")).to_have_count(0)


type OpenConsole = Callable[..., Page]


@pytest.fixture
def app() -> FakeApp:
    return FakeApp()


@pytest.fixture
def open_console(browser: Browser, app: FakeApp) -> Iterator[OpenConsole]:
    """Open the console; an error of its script, or a request elsewhere, fails the test."""
    contexts: list[BrowserContext] = []

    def open_it(
        place: str = "#/",
        *,
        at: str = APP,
        scheme: Literal["light", "dark"] = "light",
        width: int = 1280,
        height: int = 800,
        wait: bool = True,
    ) -> Page:
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.route("**/*", app.handle)
        context.add_init_script(LATE)
        page = context.new_page()
        page.on("pageerror", lambda error: app.wrong.append(str(error)))
        page.on("console", lambda message: note(message.text))
        page.on("dialog", lambda dialog: app.wrong.append(dialog.message))
        page.goto(f"{at}/api/console{place}")
        if wait:
            page.wait_for_selector("main h2")
        return page

    def note(text: str) -> None:
        # The browser itself writes each refused request to its console.
        if not text.startswith("Failed to load resource"):
            app.wrong.append(text)

    yield open_it
    for context in contexts:
        context.close()
    assert app.wrong == []
