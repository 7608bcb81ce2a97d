"""Writing, forgetting and drift in a tenant that is half read, without a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from rich.console import Console

from entra_sod.cli import lists, show
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.cli.plan import drift
from entra_sod.cli.state import read_state
from entra_sod.core.errors import (
    Forbidden,
    StorageUnavailable,
)
from entra_sod.domain.enforcement.drift import Drift, DriftKind
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.messages import DeliveryMessage, decode
from entra_sod.domain.rules.language import PackageSelector, Protected, RulesFile
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.kept_events import KeptEvents
from entra_sod.stores.ledger import LedgerState
from local.memory.graph import MemoryGraph
from tests.builders import guid, held, package
from tests.cli.tenant import A_TO_B, B_TO_A, Tenant, star


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return Tenant(tmp_path)


@pytest.mark.parametrize(("command", "code"), [("plan", 3), ("apply", 1)])
async def test_a_refusal_ends_a_look_as_unknown_and_a_write_as_an_error(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, command: str, code: int
) -> None:
    """`plan` could not look at everything; `apply` did not write, whatever the reason."""

    async def refused(*_: object, **__: object) -> None:
        raise Forbidden("no role on any catalog", status=403)

    await tenant.reviewed()
    monkeypatch.setattr("entra_sod.cli.plan.make", refused)
    if command == "apply":
        done = await tenant.apply("--yes")
    else:
        done = await tenant.command(command, "--rules", str(tenant.folder))
    assert (done.exit_code, "no role on any catalog" in done.output) == (code, True)


async def test_a_plan_removes_nothing_that_an_unread_package_may_ask_for(tenant: Tenant) -> None:
    """With PRUNE=true, a package that answers 403 is a gap, and no reason to remove."""
    await tenant.is_written(A_TO_B, B_TO_A)
    tenant.graph.unreadable.add(guid("b"))
    plan, _ = await tenant.made()
    assert (plan.writes, plan.removals) == (0, ())
    assert any("removing" in each.what for each in plan.not_enforceable)


async def test_apply_forgets_what_a_person_removed_by_hand(tenant: Tenant) -> None:
    """So that it is not ours, should a person make it again; what rules ask for is written."""
    gone = Reference(guid("a"), ReferenceKind.GROUP, guid("9"))
    await tenant.is_written(A_TO_B, gone)
    tenant.graph.present.clear()
    carried = await tenant.written()
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
    monkeypatch.setattr(lists, "MAX_ROWS", 2)
    found = [Drift(DriftKind.FOREIGN, Reference(guid(each), A_TO_B.kind, "t")) for each in "abc"]
    written = StringIO()
    terminal = Console(file=written, width=200, force_terminal=True)
    terminal.print(lists.AsList(show.drift_list(found, {})))
    shown = [guid(each)[:8] in written.getvalue() for each in "abc"]
    assert (shown, "and 1 more" in written.getvalue()) == ([True, True, False], True)


async def test_what_apply_wrote_has_evidence_and_may_be_removed_by_it(tenant: Tenant) -> None:
    """The pack of a try says what it wrote; a row of the ledger alone removes nothing."""
    assert (await tenant.written()).unsealed is None
    tenant.clock.advance(86_400)
    entries = [each async for each in tenant.ledger.entries()]
    assert await EvidenceWrites(tenant.storage.blobs).proven(entries) == {A_TO_B, B_TO_A}
    forged = Reference(guid("a"), ReferenceKind.GROUP, guid("9"))
    await tenant.is_written(forged)
    tenant.write_rules()
    carried = await tenant.written()
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
    carried = await tenant.written()
    assert (carried.error, carried.unsealed) == (None, refused)
    assert tenant.graph.present == {A_TO_B, B_TO_A}


async def test_apply_has_the_app_tell_what_it_wrote(tenant: Tenant) -> None:
    """One message under the name of its run; a plan without writes tells nothing."""
    assert (await tenant.written()).untold is None
    [sent] = tenant.storage.sent
    message = decode(sent.body)
    assert isinstance(message, DeliveryMessage)
    assert (message.subject, message.status, message.id[:6]) == ("references", "written", "apply-")
    await tenant.written()
    assert tenant.storage.sent == [sent]


async def test_apply_that_may_not_announce_says_so(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written stays written."""
    refused = StorageUnavailable("403")

    async def refuse(*_: object) -> None:
        raise refused

    monkeypatch.setattr(KeptEvents, "store", refuse)
    carried = await tenant.written()
    assert (carried.error, carried.untold) == (None, refused)
    assert tenant.graph.present == {A_TO_B, B_TO_A}


async def test_a_plan_keeps_off_groups_that_a_protected_package_grants(tmp_path: Path) -> None:
    """No rule names that package; its group is granted by a package of a rule as well."""
    tenant = Tenant(tmp_path)
    tenant.graph.put(package("a", "1"))
    tenant.graph.put(package("d", "1"))
    file = RulesFile(
        version=1,
        rules=[star("a", "b")],
        protected=Protected(packages=[PackageSelector(id=UUID(guid("d")))]),
    )
    (tmp_path / "rules.yaml").write_bytes(msgspec.json.encode(file))
    plan, _ = await tenant.made()
    assert [each.reference.target for each in plan.held] == [guid("1")]
    assert {each.reference for each in plan.additions} == {A_TO_B, B_TO_A}
    assert guid("d") not in plan.packages
