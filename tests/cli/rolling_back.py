"""The app in memory, and `entra-sod rollback` on the same tenant and storage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from typer.testing import CliRunner, Result

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli import confirm as confirming
from entra_sod.cli import rollback as command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.session import Session
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import CONTAINER, EvidenceManifest, decode_manifest
from entra_sod.domain.evidence.rows import ReferenceLine
from entra_sod.domain.rules.language import Rule, RulesFile
from entra_sod.settings import read_settings
from entra_sod.stores.ledger import Ledger, WriteOrigin
from tests.app import App
from tests.builders import guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import sweep

PACKAGES = [package("a", "1"), package("b"), package("c"), package("d")]
HELD = {"a": held("a", "x"), "b": held("b", "xyz"), "c": held("c", "z")}
RULES = [rule("ab", side("a"), side("b")), rule("ac", side("a"), side("c"))]
HOUR, DAY = 3600.0, 86_400.0


def to_package(on: str, target: str) -> Reference:
    return Reference(guid(on), ReferenceKind.PACKAGE, guid(target))


def to_group(on: str, target: str) -> Reference:
    return Reference(guid(on), ReferenceKind.GROUP, guid(target))


AB = {to_package("a", "b"), to_package("b", "a"), to_group("b", "1")}
AC = {to_package("a", "c"), to_package("c", "a"), to_group("c", "1")}
THEIRS = to_package("a", "d")  # a person made it


class Operator:
    """An operator of the command on an app's tenant and storage, with a folder of rules."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder

    def write_rules(self, file: RulesFile) -> None:
        (self.folder / "rules.yaml").write_bytes(msgspec.json.encode(file))

    def session(self, **settings: str) -> Session:
        named = {"GRAPH_ROOT": "http://localhost:1", "RULES": str(self.folder), **settings}
        return Session(
            settings=read_settings(named),
            graph=cast("GraphClient", self.app.graph),
            storage=self.app.storage,
            clock=self.app.clock,
        )

    @contextmanager
    def opened(self, **settings: str) -> Iterator[None]:
        """Have the command work on this tenant and storage."""
        session = self.session(**settings)

        @asynccontextmanager
        async def open_session() -> AsyncIterator[Session]:
            yield session

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(command, "open_session", open_session)
            patch.setenv("COLUMNS", "80")
            yield

    async def rollback(self, *arguments: str, answer: str | None = None, **settings: str) -> Result:
        """Run the command, in a thread with a loop of its own; on a terminal with an answer."""
        with self.opened(**settings), pytest.MonkeyPatch.context() as patch:
            patch.setattr(confirming, "is_terminal", lambda: answer is not None)
            return await asyncio.to_thread(
                CliRunner().invoke, entra_sod, ["rollback", *arguments], input=answer
            )


class RollbackWorld(Operator):
    """Rules that keep "a" from "b" and "c", and a reference that a person made."""

    def __init__(self, app: App, folder: Path, rules: Sequence[Rule] = RULES) -> None:
        super().__init__(app, folder)
        self.set_rules(rules)
        app.graph.present.add(THEIRS)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.app.storage, self.app.clock)

    def set_rules(self, rules: Sequence[Rule]) -> None:
        self.app.rules.write(rules)
        self.write_rules(RulesFile(version=1, rules=list(rules)))

    async def sweep(self) -> str:
        """Sweep, and let time pass; return the id."""
        answer = await sweep(self.app)
        self.app.clock.advance(HOUR)
        return str(answer["id"])

    async def check(self, first: str, second: str) -> str:
        answer = await self.app.check(first, second)
        self.app.clock.advance(HOUR)
        return str(answer["id"])

    async def forge(self, reference: Reference, run: str, rule_id: str = "ab") -> None:
        """A row of the ledger that says that the app wrote a reference."""
        origin = WriteOrigin(run_id=run, rule_ids=(rule_id,), rules_hash="hash")
        await self.ledger.intend(reference, origin)
        await self.ledger.confirm(reference, origin)
        self.app.clock.advance(HOUR)

    async def noted(self) -> set[Reference]:
        return {each.reference async for each in self.ledger.entries()}

    async def packs(self) -> list[tuple[EvidenceManifest, list[ReferenceLine]]]:
        """The manifests of all rollbacks and the lines of their references, in order."""
        found: list[tuple[EvidenceManifest, list[ReferenceLine]]] = []
        blobs = self.app.storage.blobs
        async for name in blobs.names(CONTAINER):
            if "/rollback-" in name and name.endswith("manifest.json"):
                manifest = decode_manifest(await blobs.get(CONTAINER, name) or b"")
                data = await blobs.get(CONTAINER, f"{manifest.folder}/references.jsonl") or b""
                lines = [
                    msgspec.json.decode(each, type=ReferenceLine) for each in data.splitlines()
                ]
                found.append((manifest, lines))
        return sorted(found, key=lambda pack: pack[0].sequence)


def removed_by(pack: tuple[Any, list[ReferenceLine]]) -> set[Reference]:
    """What a pack says was removed."""
    return {
        Reference(each.access_package_id, ReferenceKind(each.kind), each.target_id)
        for each in pack[1]
        if each.planned == "remove" and each.written
    }
