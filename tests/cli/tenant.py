"""A tenant in memory with packages that a rule keeps apart, and the command line on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli import apply as apply_command
from entra_sod.cli import commands
from entra_sod.cli import confirm as confirming
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_file import save_plan
from entra_sod.cli.operations.plan_review import PlanSource
from entra_sod.cli.patience import Patience
from entra_sod.cli.plan import make
from entra_sod.cli.session import Session
from entra_sod.cli.write_plan import ApplyResult, write_plan
from entra_sod.domain.entra import Assignment, Reference, ReferenceKind
from entra_sod.domain.roles.model import TokenPrincipal
from entra_sod.domain.rules.language import PackageSelector, Rule, RulesFile, Side
from entra_sod.settings import read_settings
from entra_sod.stores.ledger import Ledger, LedgerState, WriteOrigin
from entra_sod.stores.write_controls import WriteControls
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.builders import guid, package, rule

A_TO_B = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
B_TO_A = Reference(guid("b"), ReferenceKind.PACKAGE, guid("a"))
QUIET = Console(quiet=True)


def star(first: str, others: Sequence[str]) -> Rule:
    """One package against each of the others."""
    sides = [
        Side(packages=[PackageSelector(id=UUID(guid(each))) for each in names])
        for names in ([first], others)
    ]
    return rule("r", *sides)


class SignedIn(MemoryGraph):
    """A tenant that Ada asks."""

    async def caller(self) -> TokenPrincipal:
        return TokenPrincipal(name="ada@example.com", is_person=True)


class Tenant:
    """The first package is kept apart from each of the others; PRUNE is on."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str] = "ab",
        assignments: dict[str, list[Assignment]] | None = None,
        **settings: str,
    ) -> None:
        self.folder, self.file = folder, folder / "plan.json"
        self.write_rules(star(names[0], names[1:]))
        held = {guid(key): each for key, each in (assignments or {}).items()}
        self.graph = SignedIn([package(each) for each in names], held)
        self.clock, self.storage = ManualClock(), MemoryStorage()
        self.ledger = Ledger(self.storage, self.clock)
        defaults = {"GRAPH_ROOT": "http://localhost:1", "ENFORCEMENT": "apply", "PRUNE": "true"}
        self.session = Session(
            settings=read_settings({**defaults, **settings}),
            graph=cast("GraphClient", self.graph),
            storage=self.storage,
            clock=self.clock,
        )

    def write_rules(self, *rules: Rule) -> None:
        content = msgspec.json.encode(RulesFile(version=1, rules=list(rules)))
        (self.folder / "rules.yaml").write_bytes(content)

    def hold(self, name: str, assignments: Sequence[Assignment]) -> None:
        """Let these people hold a package, and no others."""
        self.graph._assignments[guid(name)] = list(assignments)

    async def is_written(self, *references: Reference) -> None:
        origin = WriteOrigin(run_id="run", rule_ids=("r",), rules_hash="hash")
        for each in references:
            await self.ledger.intend(each, origin)
            await self.ledger.confirm(each, origin)
        self.graph.present.update(references)
        self.clock.advance(86_400)

    async def states(self) -> dict[Reference, LedgerState]:
        return {each.reference: each.state async for each in self.ledger.entries()}

    async def used(self) -> int:
        """How many writes count in the budget."""
        return (await WriteControls(self.storage, self.clock).budget(200)).used

    async def made(self) -> tuple[PlanDocument, PlanSource]:
        return await make(self.session, self.folder, QUIET)

    async def written(self) -> ApplyResult:
        """Plan, and write it without any review."""
        plan, source = await self.made()
        patience = Patience(self.clock, 0, lambda _: None)
        return await write_plan(self.session, plan, source.state, patience)

    async def reviewed(self) -> PlanDocument:
        """Plan, and keep the plan in the file."""
        plan, source = await self.made()
        holders_hash = source.state.holders_hash
        plan = msgspec.structs.replace(plan, holders_hash=holders_hash, made_by="ada@example.com")
        save_plan(plan, self.file)
        return plan

    async def apply(self, *options: str, answer: str | None = None) -> Result:
        """Run the command: on a terminal if there is an answer to type."""
        arguments = ["apply", str(self.file), "--rules", str(self.folder), *options]
        return await self.command(*arguments, answer=answer)

    async def command(self, *arguments: str, answer: str | None = None) -> Result:
        @asynccontextmanager
        async def open_session() -> AsyncIterator[Session]:
            yield self.session

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(commands, "open_session", open_session)
            patch.setattr(apply_command, "open_session", open_session)
            patch.setattr(confirming, "is_terminal", lambda: answer is not None)
            patch.setenv("COLUMNS", "200")
            return await asyncio.to_thread(
                CliRunner().invoke, entra_sod, list(arguments), input=answer
            )
