from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import azure.functions as func
import httpx
import msgspec
import pytest
from typer.testing import CliRunner, Result

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli import report as command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.running_app import ReportLine, RunningApp, checked_address
from entra_sod.cli.session import Session
from entra_sod.services.report.view import ReportView
from entra_sod.settings import read_settings
from functions.http.report import get_report
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.app import App, call
from tests.builders import held, package, rule, side
from tests.cli.remote import ADDRESS

PACKAGES = [package("a"), package("b")]
BOTH = {"a": held("a", "x"), "b": held("b", "x")}
RULES = [rule("r", side("a"), side("b"))]

type MakeApp = type[App]


async def view_of(app: App) -> ReportView:
    await app.records.sweep_starter.start(traceparent="00-0-0-01")
    await app.work_off()
    return await app.engine.reports.make(await app.engine.rules.current())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(entra_sod, ["report", *arguments])


@pytest.fixture
def view(make_app: MakeApp) -> ReportView:
    return asyncio.run(view_of(make_app(PACKAGES, BOTH, RULES)))


def test_a_kept_view_becomes_a_page(view: ReportView, tmp_path: Path) -> None:
    """From JSON to one file, with a line that sums it up."""
    kept, page = tmp_path / "view.json", tmp_path / "report.html"
    kept.write_bytes(msgspec.json.encode(view))
    result = run("--from", str(kept), "--out", str(page))
    assert result.exit_code == 0, result.output
    assert "1 findings, " in result.stdout
    assert page.read_bytes().startswith(b"<!doctype html>")


def test_what_is_no_view_is_refused(tmp_path: Path) -> None:
    """One line on stderr, exit code 1, and nothing is written."""
    kept, page = tmp_path / "view.json", tmp_path / "report.html"
    kept.write_text('{"findings": []}')
    result = run("--from", str(kept), "--out", str(page))
    assert (result.exit_code, page.exists()) == (1, False)
    assert "is not a report's JSON" in result.stderr


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """Told without a traceback."""
    result = run("--from", str(tmp_path / "none.json"), "--out", str(tmp_path / "r.html"))
    assert (result.exit_code, "No such file" in result.stderr) == (1, True)


def test_a_running_app_is_asked_for_json(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is made here, from the app's own view."""
    app = make_app(PACKAGES, BOTH, RULES)
    expected = asyncio.run(view_of(app))

    async def answer(asked: httpx.Request) -> httpx.Response:
        request = func.HttpRequest("GET", str(asked.url), headers=dict(asked.headers), body=b"")
        given = await call(get_report, request)
        return httpx.Response(
            given.status_code, headers=dict(given.headers), content=given.get_body()
        )

    @asynccontextmanager
    async def in_memory(url: str, tell: ReportLine) -> AsyncIterator[RunningApp]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        yield RunningApp(checked_address(url), http, ManualClock(), tell)

    monkeypatch.setattr(command, "open_app", in_memory)
    kept = tmp_path / "view.json"
    result = run("--from", ADDRESS, "--format", "json", "--out", str(kept))
    assert result.exit_code == 0, result.output
    view = msgspec.json.decode(kept.read_bytes(), type=ReportView)
    # A page that a running app was asked for leads back to it.
    assert view == msgspec.structs.replace(expected, console=view.console)
    assert (view.console or "").endswith("/api/console")


def test_without_a_source_the_apps_storage_is_read(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sweeps from storage, rules from the folder, names from Graph."""
    app = make_app(PACKAGES, BOTH, RULES)
    expected = asyncio.run(view_of(app))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/r.yaml").write_text(app.rules.text)

    @asynccontextmanager
    async def session() -> AsyncIterator[Session]:
        settings = read_settings({})
        # A tenant in memory stands in for the client of a real one.
        graph = cast("GraphClient", app.graph)
        yield Session(settings=settings, graph=graph, storage=None, clock=app.clock)

    @asynccontextmanager
    async def storage(_: object) -> AsyncIterator[MemoryStorage]:
        yield app.storage

    monkeypatch.setattr(command, "open_session", session)
    monkeypatch.setattr(command, "open_storage", storage)
    kept = tmp_path / "view.json"
    rules = str(tmp_path / "rules")
    result = run("--rules", rules, "--format", "json", "--out", str(kept))
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(kept.read_bytes(), type=ReportView) == expected
