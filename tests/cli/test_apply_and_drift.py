"""Writing that stops halfway and a tenant that is half read, without a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import cast

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli import commands, show
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.cli.plan import apply, drift, make, save
from entra_sod.cli.session import Session
from entra_sod.cli.state import MAX_CONCURRENT_WRITES, read_state, until_error
from entra_sod.core.errors import (
    Forbidden,
    NotYetConsistent,
    SodError,
    StorageUnavailable,
    Throttled,
)
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.enforcement.drift import Drift, DriftKind
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import RulesFile
from entra_sod.settings import read_settings
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import Ledger, LedgerState, WriteOrigin
from entra_sod.stores.write_controls import WriteControls
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryStorage
from tests.builders import guid, held, package, rule, side

A_TO_B = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
B_TO_A = Reference(guid("b"), ReferenceKind.PACKAGE, guid("a"))
QUIET = Console(quiet=True)


class Tenant:
    """Packages "a" and "b", kept apart by a rule, and a ledger; PRUNE is on."""

    def __init__(self, folder: Path) -> None:
        file = RulesFile(version=1, rules=[rule("r", side("a"), side("b"))])
        (folder / "rules.yaml").write_bytes(msgspec.json.encode(file))
        self.folder, self.graph = folder, MemoryGraph([package("a"), package("b")], {})
        self.clock = ManualClock()
        self.storage = MemoryStorage()
        self.ledger = Ledger(self.storage, self.clock)
        settings = {"GRAPH_ROOT": "http://localhost:1", "ENFORCEMENT": "apply", "PRUNE": "true"}
        self.session = Session(
            settings=read_settings(settings),
            graph=cast("GraphClient", self.graph),
            storage=self.storage,
            clock=self.clock,
        )

    async def is_written(self, *references: Reference) -> None:
        origin = WriteOrigin(run_id="run", rule_ids=("r",), rules_hash="hash")
        for each in references:
            await self.ledger.intend(each, origin)
            await self.ledger.confirm(each, origin)
        self.graph.present.update(references)
        self.clock.advance(86_400)

    async def states(self) -> dict[Reference, LedgerState]:
        return {each.reference: each.state async for each in self.ledger.entries()}


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return Tenant(tmp_path)


@pytest.mark.parametrize("error", [NotYetConsistent("not yet"), StorageUnavailable("503")])
async def test_the_first_error_of_several_is_the_error(error: SodError) -> None:
    """Whatever went wrong has its own words, not those of a group of errors."""

    async def fail(_: int) -> None:
        raise error

    with pytest.raises(type(error)):
        await in_parallel(fail, [1, 2])
    assert await until_error(fail, [1, 2]) is error


async def test_what_was_begun_is_finished_and_nothing_else_is_begun() -> None:
    """The first write fails; the seven beside it end, the others wait for another run."""
    ended: list[int] = []

    async def write(number: int) -> None:
        await asyncio.sleep(0)  # until all that may begin have begun
        if number == 0:
            raise Throttled("slow down", retry_after=1.0)
        ended.append(number)

    assert isinstance(await until_error(write, range(100)), Throttled)
    assert ended == [*range(1, MAX_CONCURRENT_WRITES)]


async def test_an_error_halfway_hides_nothing_that_was_written(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tally is told, then the error in one line."""
    add = tenant.graph.add

    async def add_or_fail(reference: Reference) -> None:
        if reference == B_TO_A:
            raise Throttled("slow down", retry_after=1.0)
        await add(reference)

    @asynccontextmanager
    async def open_session() -> AsyncIterator[Session]:
        yield tenant.session

    monkeypatch.setattr(tenant.graph, "add", add_or_fail)
    monkeypatch.setattr(commands, "open_session", open_session)
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    save(plan, tenant.folder / "plan.json")
    arguments = ["apply", str(tenant.folder / "plan.json"), "--rules", str(tenant.folder)]
    done = await asyncio.to_thread(CliRunner().invoke, entra_sod, arguments)
    assert done.exit_code == 1, done.output
    assert "1 written" in done.output
    assert "entra-sod: slow down" in done.output
    assert tenant.graph.present == {A_TO_B}
    # Graph may have taken what it did not answer, so both count.
    assert (await WriteControls(tenant.storage, tenant.clock).budget(200)).used == 2


@pytest.mark.parametrize(("command", "code"), [("plan", 3), ("apply", 1)])
async def test_a_refusal_ends_a_look_as_unknown_and_a_write_as_an_error(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, command: str, code: int
) -> None:
    """`plan` could not look at everything; `apply` did not write, whatever the reason."""

    async def refused(*_: object, **__: object) -> None:
        raise Forbidden("no role on any catalog", status=403)

    @asynccontextmanager
    async def open_session() -> AsyncIterator[Session]:
        yield tenant.session

    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    save(plan, tenant.folder / "plan.json")
    monkeypatch.setattr(commands, "open_session", open_session)
    monkeypatch.setattr("entra_sod.cli.plan.make", refused)
    file = [str(tenant.folder / "plan.json")] if command == "apply" else []
    arguments = [command, *file, "--rules", str(tenant.folder)]
    done = await asyncio.to_thread(CliRunner().invoke, entra_sod, arguments)
    assert (done.exit_code, "no role on any catalog" in done.output) == (code, True)


async def test_a_plan_removes_nothing_that_an_unread_package_may_ask_for(tenant: Tenant) -> None:
    """With PRUNE=true, a package that answers 403 is a gap, and no reason to remove."""
    await tenant.is_written(A_TO_B, B_TO_A)
    tenant.graph.unreadable.add(guid("b"))
    plan, _ = await make(tenant.session, tenant.folder, QUIET)
    assert (plan.writes, plan.removals) == (0, ())
    assert any("removing" in each.what for each in plan.not_enforceable)


async def test_apply_forgets_what_somebody_removed_by_hand(tenant: Tenant) -> None:
    """So that it is not ours, should a person make it again; what rules ask for is written."""
    gone = Reference(guid("a"), ReferenceKind.GROUP, guid("9"))
    await tenant.is_written(A_TO_B, gone)
    tenant.graph.present.clear()
    plan, state = await make(tenant.session, tenant.folder, QUIET)
    carried = await apply(tenant.session, plan, state)
    assert (carried.error, sorted(carried.applied.written)) == (None, [A_TO_B, B_TO_A])
    assert await tenant.states() == dict.fromkeys([A_TO_B, B_TO_A], LedgerState.WRITTEN)


@pytest.mark.parametrize("is_ours", [True, False])
async def test_drift_calls_nothing_unasked_for_that_an_unread_package_may_ask_for(
    tenant: Tenant, *, is_ours: bool
) -> None:
    """Neither extra nor foreign, and the package is named."""
    if is_ours:
        await tenant.is_written(A_TO_B, B_TO_A)
    tenant.graph.present |= {A_TO_B, B_TO_A}
    tenant.graph.unreadable.add(guid("b"))
    compared = await drift(tenant.session, tenant.folder)
    assert list(compared.found) == []
    assert [each.what for each in compared.not_read] == [f"access package {guid('b')}"]


async def test_a_tenant_is_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty packages at a time."""
    names = [f"{number:02x}" for number in range(1, 46)]
    graph = MemoryGraph([package(each) for each in names], {guid(names[0]): held(names[0], "xy")})
    sizes: list[int] = []
    read = graph.references_of

    async def counted(package_ids: Sequence[str]) -> object:
        sizes.append(len(package_ids))
        return await read(package_ids)

    monkeypatch.setattr(graph, "references_of", counted)
    done: list[int] = []
    ids = [guid(each) for each in names]
    state = await read_state(graph, ids, with_holders=True, advance=done.append)
    assert sorted(sizes) == sorted(done) == [5, 20, 20]
    assert state.packages.keys() == state.holders.keys() == set(ids)
    assert state.holders[ids[0]] == {"subject-x", "subject-y"}


def test_a_terminal_gets_the_first_rows_and_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lists would take the terminal a minute; JSON and Markdown have all."""
    monkeypatch.setattr(show, "MAX_ROWS", 2)
    found = [Drift(DriftKind.FOREIGN, Reference(guid(each), A_TO_B.kind, "t")) for each in "abc"]
    console = Console(file=StringIO(), width=200)
    console.print(show.drift_table(found, {}))
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert [guid(each) in written for each in "abc"] == [True, True, False]
    assert "and 1 more" in written


async def test_what_apply_wrote_has_evidence_and_may_be_removed_by_it(tenant: Tenant) -> None:
    """The pack of a try says what it wrote; a row of the ledger alone removes nothing."""
    plan, state = await make(tenant.session, tenant.folder, QUIET)
    assert (await apply(tenant.session, plan, state)).unsealed is None
    tenant.clock.advance(86_400)
    entries = [each async for each in tenant.ledger.entries()]
    assert await EvidenceWrites(tenant.storage.blobs).proven(entries) == {A_TO_B, B_TO_A}
    forged = Reference(guid("a"), ReferenceKind.GROUP, guid("9"))
    await tenant.is_written(forged)
    file = RulesFile(version=1, rules=[])
    (tenant.folder / "rules.yaml").write_bytes(msgspec.json.encode(file))
    plan, state = await make(tenant.session, tenant.folder, QUIET)
    carried = await apply(tenant.session, plan, state)
    assert sorted(carried.applied.removed) == [A_TO_B, B_TO_A]
    assert [each.reference for each in carried.applied.failed] == [forged]
    assert tenant.graph.present == {forged}
    head = await EvidenceChain(tenant.storage).head()
    assert (await verify(BlobPacks(tenant.storage.blobs), head)).breaks == []


async def test_apply_without_the_right_to_seal_says_so(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written stays written, and that no evidence was left is told."""
    refused = StorageUnavailable("403")

    async def refuse(*_: object) -> None:
        raise refused

    monkeypatch.setattr(EvidenceChain, "seal", refuse)
    plan, state = await make(tenant.session, tenant.folder, QUIET)
    carried = await apply(tenant.session, plan, state)
    assert (carried.error, carried.unsealed) == (None, refused)
    assert tenant.graph.present == {A_TO_B, B_TO_A}
