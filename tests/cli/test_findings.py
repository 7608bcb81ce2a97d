"""`entra-sod findings`: the same from storage and from a running app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from entra_sod.cli import findings as command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.findings import _Served, _Stored
from entra_sod.services.findings.query import FindingsQuery
from tests.app import App
from tests.cli.remote import ADDRESS, BOTH, PACKAGES, RULES, Asked, InMemory
from tests.services.sweeps.test_sweeps import sweep

type MakeApp = type[App]


async def test_a_running_app_tells_the_same_as_its_storage(make_app: MakeApp) -> None:
    """Page after page, with the same filters; one of them with its history."""
    app = make_app(PACKAGES, BOTH, RULES)
    await sweep(app)
    asked = Asked(InMemory(app))
    stored, served = _Stored(app.records.findings), _Served(asked.app)
    query = FindingsQuery(page_size=1)
    found = [each async for each in served.findings(query)]
    assert found == [each async for each in stored.findings(query)]
    assert len(found) == 2
    one = await served.finding(found[0].id)
    assert one == await stored.finding(found[0].id)
    assert one is not None
    assert await served.finding("0" * 32) is None


@pytest.fixture
async def stored(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> App:
    app = make_app(PACKAGES, BOTH, RULES)
    await sweep(app)

    @asynccontextmanager
    async def open_it(_url: str) -> AsyncIterator[_Stored]:
        yield _Stored(app.records.findings)

    monkeypatch.setattr(command, "_open", open_it)
    return app


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(entra_sod, ["findings", *arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("stored")
def test_findings_are_printed_for_people_and_programs() -> None:
    """A table, JSON, CSV; one with its history; an unknown one is an error."""
    code, said, _ = run("--format", "json")
    found = json.loads(said)
    assert (code, len(found)) == (0, 2)
    assert run("--format", "csv")[1].startswith('"id","rule","severity","state",')
    assert "2 findings" in run("--state", "open")[1]
    assert "0 findings" in run("--state", "resolved")[1]
    code, said, _ = run(found[0]["id"])
    assert (code, json.loads(said)["history"][0]["to"]) == (0, "open")
    assert run("0" * 32)[0] == 1


@pytest.mark.usefixtures("stored")
def test_a_filter_that_cannot_be_is_an_error() -> None:
    """It is named, and nothing is listed."""
    code, said, wrong = run("--state", "gone")
    assert (code, said) == (1, "")
    assert "state knows no 'gone'" in wrong
    assert ADDRESS not in wrong
