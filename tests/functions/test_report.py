from __future__ import annotations

import azure.functions as func
import msgspec
import pytest

from entra_sod.core.errors import Unavailable
from entra_sod.services.report.view import ReportView
from functions.http.report import get_report
from tests.app import App, body_of, call
from tests.builders import held, package, rule, side

PACKAGES = [package("a"), package("b")]
RULES = [rule("r", side("a"), side("b"))]

type MakeApp = type[App]


@pytest.fixture
async def app(make_app: MakeApp) -> App:
    app = make_app(PACKAGES, {"a": held("a", "x"), "b": held("b", "x")}, RULES)
    await app.records.sweep_starter.start(traceparent="00-0-0-01")
    await app.work_off()
    return app


async def get(accept: str) -> func.HttpResponse:
    headers = {"Accept": accept} if accept else {}
    url = "https://app.example.com/api/report"
    return await call(get_report, func.HttpRequest("GET", url, headers=headers, body=b""))


@pytest.mark.usefixtures("app")
async def test_people_get_a_page() -> None:
    """HTML that may not be framed, kept or sniffed, with the policy as a header as well."""
    answer = await get("text/html,application/xhtml+xml,*/*;q=0.8")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.get_body().startswith(b"<!doctype html>")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("app")
async def test_the_view_names_the_console() -> None:
    """So that a page that was sent leads back to the app."""
    view = msgspec.json.decode((await get("application/json")).get_body(), type=ReportView)
    assert view.console == "https://app.example.com/api/console"


@pytest.mark.usefixtures("app")
async def test_programs_get_the_view() -> None:
    """JSON, which decodes as the view itself."""
    answer = await get("application/json")
    view = msgspec.json.decode(answer.get_body(), type=ReportView)
    assert (answer.mimetype, [each.display_name for each in view.findings]) == (
        "application/json",
        ["x"],
    )


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html, application/json", "text/html"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/html;q=0.2", "text/html"),
        ("text/csv", "application/problem+json"),
    ],
)
async def test_what_is_accepted_decides(accept: str, media: str) -> None:
    """A browser, or a caller that does not say, gets the page; what there is not is refused."""
    assert (await get(accept)).mimetype == media


async def test_without_rules_there_is_no_report(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force is not known: 503 and when to ask again, and no page that looks clean."""

    async def refuse() -> None:
        raise Unavailable("503 from Graph", status=503)

    monkeypatch.setattr(app.engine.rules, "at_hand", refuse)
    answer = await get("text/html")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert body_of(answer)["type"] == "urn:entra-sod:problem:graph"
    assert int(answer.headers["Retry-After"]) > 0
