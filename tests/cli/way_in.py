"""A tenant with names and hand-made references, and the commands of the way in on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from entra_sod.cli import confirm as confirming
from entra_sod.cli import import_references as import_command
from entra_sod.cli import inventory as inventory_command
from entra_sod.cli import packages as packages_command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.lists import PrintedList, list_table
from entra_sod.cli.session import Session
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Rule
from tests.builders import guid
from tests.cli.tenant import Tenant

COMMANDS = (import_command, inventory_command, packages_command)
NAMES = {
    "a": ("Approve invoices", "Finance"),
    "b": ("Pay invoices", "Finance"),
    "c": ("Zahlung pru\u0308fen", "Finanzen"),  # decomposed, as some portals store it
    "d": ("Approve orders", "Procurement"),
}


def named(name: str, *groups: str) -> AccessPackage:
    display_name, catalog = NAMES.get(name, (f"Package {name}", "Other"))
    return AccessPackage(
        id=guid(name),
        display_name=display_name,
        catalog_id=guid("c1"),
        catalog_name=catalog,
        member_groups=frozenset(map(guid, groups)),
    )


class WayIn(Tenant):
    """Packages with names; the folder has the rules that are given, or none."""

    def __init__(
        self, folder: Path, packages: Sequence[AccessPackage], *rules: Rule, **settings: str
    ) -> None:
        self.rules_setting = ""
        super().__init__(folder, "ab", None, **settings)
        (self.folder / "rules.yaml").unlink()
        if rules:
            self.write_rules(*rules)
        for each in list(self.graph._packages):
            self.graph.drop(each)
        for package in packages:
            self.graph.put(package)

    async def run(self, *arguments: str, answer: str | None = None) -> Result:
        """Run a command in the folder's parent, on a terminal if there is an answer to type."""

        @asynccontextmanager
        async def open_session() -> AsyncIterator[Session]:
            yield self.session

        with pytest.MonkeyPatch.context() as patch:
            for command in COMMANDS:
                patch.setattr(command, "open_session", open_session)
            patch.setattr(confirming, "is_terminal", lambda: answer is not None)
            patch.setenv("COLUMNS", "80")
            patch.chdir(self.folder.parent)
            patch.setenv("RULES", self.rules_setting)
            return await asyncio.to_thread(
                CliRunner().invoke, entra_sod, list(arguments), input=answer
            )


def on_terminal(listing: PrintedList, width: int = 80) -> str:
    """Return what a terminal of that width shows."""
    written = StringIO()
    Console(file=written, width=width).print(list_table(listing))
    return "\n".join(each.rstrip() for each in written.getvalue().splitlines())
