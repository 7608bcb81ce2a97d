from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from entra_sod.cli import sweep as command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.running_app import ReportLine, RunningApp, checked_address
from entra_sod.cli.sweep import follow, verdict
from entra_sod.services.sweeps.progress import SweepProgress
from local.memory.clock import ManualClock
from local.processes import free_port
from tests.app import App
from tests.builders import guid, package, rule, side
from tests.cli.remote import (
    ADDRESS,
    BOTH,
    FAILED,
    PACKAGES,
    RULES,
    Asked,
    InMemory,
    swept,
)

type MakeApp = type[App]


async def test_a_sweep_is_started_and_followed_to_its_end(make_app: MakeApp) -> None:
    """Against the app itself: progress is shown while it runs, and the result is the app's own."""
    transport = InMemory(make_app(PACKAGES, BOTH, RULES))
    asked, shown = Asked(transport), list[SweepProgress]()
    started = await asked.app.start_sweep()
    ended = await follow(asked.app, started.id, asked.clock, shown.append)
    assert [each.parts.total for each in shown] == [1]
    assert (ended.result.id, ended.result.status) == (started.id, "completed")
    assert (ended.result.findings, json.loads(ended.data)["findings"]) == (2, 2)
    assert {str(each.url) for each in transport.seen} == {
        f"{ADDRESS}/sweeps",
        f"{ADDRESS}/sweeps/{started.id}",
    }


class TestTheVerdict:
    async def test_no_conflicts_is_0_and_conflicts_are_2(self, make_app: MakeApp) -> None:
        """A sweep without gaps says whether a subject is in conflict."""
        assert verdict(await swept(make_app(PACKAGES, {}, RULES))) is ExitCode.NOTHING
        assert verdict(await swept(make_app(PACKAGES, BOTH, RULES))) is ExitCode.CHANGES

    async def test_gaps_win_over_conflicts(self, make_app: MakeApp) -> None:
        """3 where anything needed was not read, also beside conflicts."""
        rules = [*RULES, rule("s", side("b"), side("c"))]
        app = make_app([*PACKAGES, package("c")], BOTH, rules)
        app.graph.unreadable.add(guid("c"))
        result = await swept(app)
        assert (result.pairs.conflict, verdict(result)) == (1, ExitCode.UNKNOWN)

    def test_a_sweep_that_failed_is_an_error(self) -> None:
        """1, as everything else that keeps an answer from being one."""
        assert verdict(FAILED) is ExitCode.ERROR


class TestTheCommand:
    @pytest.fixture
    def run(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
        """The command against an app in memory."""

        def run(app: App, *arguments: str) -> tuple[int, str, str]:
            @asynccontextmanager
            async def in_memory(url: str, tell: ReportLine) -> AsyncIterator[RunningApp]:
                http = httpx.AsyncClient(transport=InMemory(app))
                yield RunningApp(checked_address(url), http, ManualClock(), tell)

            monkeypatch.setattr(command, "open_app", in_memory)
            monkeypatch.setattr(command, "POLL_SECONDS", 0)
            result = CliRunner().invoke(entra_sod, ["sweep", "--url", ADDRESS, *arguments])
            return result.exit_code, result.stdout, result.stderr

        return run

    def test_it_follows_to_the_end(self, make_app: MakeApp, run: Any) -> None:
        """Progress goes to stderr, the summary to stdout, and conflicts are exit code 2."""
        code, out, err = run(make_app(PACKAGES, BOTH, RULES))
        assert (code, "1 in conflict" in out, "0 of 1 parts" in err) == (2, True, True)

    def test_json_is_the_apps_own_answer(self, make_app: MakeApp, run: Any) -> None:
        """Stdout has the result and nothing else."""
        code, out, _ = run(make_app(PACKAGES, {}, RULES), "--format", "json")
        assert (code, json.loads(out)["pairs"]["clear"]) == (0, 1)

    def test_no_wait_starts_and_leaves(self, make_app: MakeApp, run: Any) -> None:
        """The id is told and no message is worked on; a second call joins it."""
        app = make_app(PACKAGES, BOTH, RULES)
        code, out, _ = run(app, "--no-wait")
        assert (code, out.split()[1], len(app.storage.sent)) == (0, "started", 1)
        again = json.loads(run(app, "--no-wait", "--format", "json")[1])
        assert (again["id"], again["joined"]) == (out.split()[0], True)
        assert again["self"] == f"{ADDRESS}/sweeps/{again['id']}"

    def test_an_address_without_a_server_is_exit_code_1(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A refused connection is one line on stderr, and no traceback."""
        monkeypatch.setenv("ENTRA_SOD_URL", f"http://127.0.0.1:{free_port()}/api")
        result = CliRunner().invoke(entra_sod, ["sweep"])
        assert (result.exit_code, result.stdout) == (1, "")
        assert "does not answer" in result.stderr

    def test_no_address_is_exit_code_1(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not 2, which says that conflicts were found."""
        monkeypatch.delenv("ENTRA_SOD_URL", raising=False)
        result = CliRunner().invoke(entra_sod, ["sweep"])
        assert (result.exit_code, "--url" in result.stderr) == (1, True)

    def test_a_key_that_is_none_is_not_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A line break in the variable is told without the key."""
        monkeypatch.setenv("ENTRA_SOD_KEY", "one\ntwo")
        result = CliRunner().invoke(entra_sod, ["sweep", "--url", ADDRESS])
        assert result.exit_code == 1
        assert "ENTRA_SOD_KEY" in result.stderr
        assert "two" not in result.stderr
