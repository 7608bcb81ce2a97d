"""A small tenant that never changes, an app that has swept it, and commands on both.

Its packages, people, rules and times are fixed, so what a command prints is always the same.
"""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import cast

import msgspec
import pytest
from rich.progress import Progress
from typer.testing import CliRunner

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli import progress
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.findings_source import StoredFindings
from entra_sod.cli.session import Session
from entra_sod.cli.terminal import err, out
from entra_sod.domain.entra import AccessPackage, Assignment, Reference, ReferenceKind, Subject
from entra_sod.domain.roles.model import TokenPrincipal
from entra_sod.domain.rules.language import (
    AtMost,
    Mode,
    PackageSelector,
    Rule,
    RulesFile,
    Severity,
    Side,
)
from entra_sod.settings import read_settings
from local.memory.graph import MemoryGraph
from tests.app import App
from tests.builders import exception, guid, rule, side
from tests.services.sweeps.test_sweeps import sweep

NAMES = {
    "a": ("Approve invoices", "Finance"),
    "b": ("Pay invoices", "Finance"),
    "c": ("Maintain vendors", "Procurement"),
    "d": ("Order goods", "Procurement"),
    "e": ("Receive goods, with a name that is too long for one line", "Procurement"),
}
PEOPLE = {
    "0a": "Ada Lovelace",
    "0b": "Grace Brewster Murray Hopper",
    "0c": "\u0410\u043d\u043d\u0430 \u0418\u0432\u0430\u043d\u043e\u0432\u0430",
    "0d": "x\u202e[red]\x1b[31m",  # a name may be anything
}
HELD = {"a": ["0a", "0b", "0c"], "b": ["0a", "0b", "0d"], "c": ["0b", "0d"], "d": ["0d"]}
MISSING = guid("99")
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_SESSIONS = (
    "adopt",
    "apply",
    "commands",
    "decide",
    "import_references",
    "inventory",
    "packages",
    "report",
    "rollback",
    "rules",
    "selection",
)
_STORAGES = ("erase", "evidence", "freeze", "redrive", "report")


def packages() -> list[AccessPackage]:
    """The packages; one of them makes people members of a group."""
    groups = {"a": frozenset({guid("1")})}
    return [
        AccessPackage(
            id=guid(key),
            display_name=name,
            catalog_name=catalog,
            catalog_id=guid("f0"),
            member_groups=groups.get(key, frozenset()),
        )
        for key, (name, catalog) in NAMES.items()
    ]


def assignments() -> Mapping[str, list[Assignment]]:
    return {key: [_assignment(key, each) for each in people] for key, people in HELD.items()}


def _assignment(package: str, person: str) -> Assignment:
    subject = Subject(
        id=guid(f"{person}5"[:3] * 3), object_id=guid(person), display_name=PEOPLE[person]
    )
    return Assignment(id=f"{package}-{person}", state="delivered", subject=subject)


def rules() -> list[Rule]:
    """One of each kind: enforced, watched by a pattern, found only, and one that nothing fits."""
    receive = Side(packages=[PackageSelector(catalog="Procurement", name="Receive *")])
    nothing = Side(packages=[PackageSelector(name="Release *")])
    found_only = rule("two-of-three", mode=Mode.WARN, severity=Severity.MEDIUM)
    of = [PackageSelector(catalog="Procurement")]
    return [
        replace_rule(rule("pay-and-approve", side("a"), side("b"), severity=Severity.CRITICAL)),
        rule("order-and-receive", side("d"), receive, mode=Mode.RECORD),
        msgspec.structs.replace(found_only, between=None, at_most=AtMost(count=2, of=of)),
        rule("vendor-and-release", side("c"), nothing, mode=Mode.WARN, severity=Severity.LOW),
        rule("vendor-and-pay", side("b"), side("c")),
    ]


def replace_rule(given: Rule) -> Rule:
    return msgspec.structs.replace(
        given,
        title="Nobody both pays and approves invoices",
        advice="Keep one of both duties; ask the team lead to take over the other one.",
    )


class NamedFindings(StoredFindings):
    """The findings of the app, with the names of the tenant."""

    async def packages(self) -> Mapping[str, AccessPackage]:
        return {each.id: each for each in packages()}


class PrintedGraph(MemoryGraph):
    """The tenant for the command line: Ada asks."""

    async def caller(self) -> TokenPrincipal:
        return TokenPrincipal(name="ada@example.com", is_person=True)

    async def close(self) -> None:
        """Nothing is open."""


class PrintedWorld:
    """The tenant, its app after a sweep, and the command line on both."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder
        graph = PrintedGraph(packages(), {guid(key): each for key, each in assignments().items()})
        graph.present = {
            Reference(guid("a"), ReferenceKind.PACKAGE, guid("b")),
            Reference(guid("d"), ReferenceKind.PACKAGE, guid("c")),
        }
        self.graph = graph
        self.session = Session(
            settings=read_settings({"GRAPH_ROOT": "http://localhost:1"}),
            graph=cast("GraphClient", graph),
            storage=app.storage,
            clock=app.clock,
        )

    @classmethod
    async def swept(cls, folder: Path) -> PrintedWorld:
        """Write the rules, and let the app sweep."""
        permitted = exception(
            "pay-and-approve", "0a", start=date(2026, 1, 1), end=date(2026, 1, 20)
        )
        app = App(packages(), assignments(), rules())
        app.rules.write(rules(), [permitted])
        file = RulesFile(version=1, rules=rules(), exceptions=[permitted])
        (folder / "rules").mkdir()
        (folder / "rules/rules.yaml").write_bytes(msgspec.json.encode(file))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("entra_sod.services.sweeps.start.secrets.token_hex", lambda _: "1f2e3d4c")
            await sweep(app)
        return cls(app, folder)

    async def run(self, *arguments: str, terminal: bool) -> str:
        """Run a command where 80 columns are, or in a pipe, and return all that it prints."""

        @asynccontextmanager
        async def open_session() -> AsyncIterator[Session]:
            yield self.session

        @asynccontextmanager
        async def open_findings(_url: str) -> AsyncIterator[StoredFindings]:
            yield NamedFindings(self.app.storage)

        @asynccontextmanager
        async def open_storage(_environment: object) -> AsyncIterator[object]:
            yield self.app.storage

        with pytest.MonkeyPatch.context() as patch:
            for name in _SESSIONS:
                module = importlib.import_module(f"entra_sod.cli.{name}")
                patch.setattr(module, "open_session", open_session)
            for name in ("findings", "explain"):
                module = importlib.import_module(f"entra_sod.cli.{name}")
                patch.setattr(module, "open_findings", open_findings)
            for name in _STORAGES:
                module = importlib.import_module(f"entra_sod.cli.{name}")
                patch.setattr(module, "open_storage", open_storage)
            grants = importlib.import_module("entra_sod.cli.grants")
            patch.setattr(grants, "open_graph", lambda *_: self.graph)
            exceptions = importlib.import_module("entra_sod.cli.exceptions")
            patch.setattr(exceptions, "SystemClock", lambda: self.app.clock)
            patch.setattr(progress, "_progress", lambda _: Progress(disable=True))
            for console in (out, err):
                patch.setattr(console, "_force_terminal", terminal)
            patch.setenv("COLUMNS", "80")
            patch.setenv("TERM", "xterm")
            patch.setenv("GRAPH_ROOT", "http://localhost:1")
            patch.delenv("NO_COLOR", raising=False)
            patch.setenv("RULES", "rules")
            patch.chdir(self.folder)
            done = await asyncio.to_thread(
                CliRunner().invoke, entra_sod, list(arguments), terminal_width=80
            )
        printed = as_snapshot(arguments, done.exit_code, done.stdout, done.stderr)
        return printed.replace(str(self.folder), "FOLDER")


def as_snapshot(arguments: tuple[str, ...], code: int, stdout: str, stderr: str) -> str:
    """One text of all that was printed, without colours and blanks at the ends of lines."""
    command = " ".join(f'"{each}"' if " " in each else each for each in arguments)
    parts = [f"$ entra-sod {command}", *_lines(stdout)]
    if stderr:
        parts += ["--- standard error", *_lines(stderr)]
    return "\n".join([*parts, f"--- exit code {code}", ""])


def _lines(text: str) -> list[str]:
    return [each.rstrip() for each in _CODES.sub("", text).splitlines()]
