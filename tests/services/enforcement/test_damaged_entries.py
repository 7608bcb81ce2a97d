"""One damaged row of the ledger stops nothing: it costs its reference, and it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.results.coverage import Coverage
from entra_sod.ports.storage import Row, Storage
from entra_sod.services.enforcement.damaged_entries import MAX_NAMED, note_damaged
from entra_sod.services.rules.provider import LIST_LIFETIME
from entra_sod.stores.ledger import TABLE, DamagedEntry
from tests.app import App
from tests.builders import guid, package, rule, side
from tests.cli.tenant import A_TO_B, B_TO_A, Tenant
from tests.services.sweeps.test_sweeps import MakeApp, skipped, sweep

PACKAGES = [package("a"), package("b"), package("c"), package("d")]
RULES = [rule("ab", side("a"), side("b")), rule("cd", side("c"), side("d"))]
PRUNING = {"ENFORCEMENT": "apply", "PRUNE": "true"}
C_TO_D = Reference(guid("c"), ReferenceKind.PACKAGE, guid("d"))
D_TO_C = Reference(guid("d"), ReferenceKind.PACKAGE, guid("c"))
DAMAGED_ROW = f"row {guid('a')} package:{guid('b')} of the ledger"


async def damage(storage: Storage, reference: Reference = A_TO_B) -> None:
    table = storage.table(TABLE)
    row = await table.get(reference.on, f"{reference.kind}:{reference.target}")
    assert row is not None
    assert await table.replace(row.changed(ruleIds="[", state="?"))


async def swept_app(make_app: MakeApp) -> App:
    """An app that has written the references of two rules; then one row is damaged."""
    app = make_app(PACKAGES, {}, RULES, **PRUNING)
    await sweep(app)
    await damage(app.storage)
    app.clock.advance(3600 + LIST_LIFETIME.total_seconds())
    return app


def named(answer: dict[str, Any]) -> list[str]:
    return [each["what"] for each in skipped(answer) if "damaged" in each["why"]]


async def test_a_sweep_goes_on_and_names_the_row(make_app: MakeApp) -> None:
    """It writes what is missing of other rules, and ends with a gap."""
    app = await swept_app(make_app)
    app.graph.present.discard(C_TO_D)
    answer = await sweep(app)
    assert (answer["status"], named(answer)) == ("completed-with-gaps", [DAMAGED_ROW])
    assert len(answer["references"]["written"]) == 1
    assert app.graph.present == {A_TO_B, B_TO_A, C_TO_D, D_TO_C}


async def test_its_reference_is_not_removed_and_all_others_are(make_app: MakeApp) -> None:
    """No rule asks for any, and only what is proved ours goes."""
    app = await swept_app(make_app)
    app.rules.write([])
    answer = await sweep(app)
    assert app.graph.present == {A_TO_B}
    assert (len(answer["references"]["removed"]), named(answer)) == (3, [DAMAGED_ROW])


@pytest.mark.parametrize("asks", ["sweep", "check"])
async def test_a_reference_that_is_missing_is_written_and_its_row_mended(
    make_app: MakeApp, asks: str
) -> None:
    """From then on it is ours again, and no sweep names the row."""
    app = await swept_app(make_app)
    app.graph.present.discard(A_TO_B)
    answer = await sweep(app) if asks == "sweep" else await app.check("a", "b")
    assert [each["targetId"] for each in answer["references"]["written"]] == [guid("b")]
    app.clock.advance(3600)
    assert named(await sweep(app)) == []
    app.rules.write([])
    app.clock.advance(3600)
    await sweep(app)
    assert app.graph.present == set()


async def test_a_check_goes_on(make_app: MakeApp) -> None:
    """It removes nothing, so that it needs no row of what is there."""
    app = await swept_app(make_app)
    answer = await app.check("a", "b")
    assert (answer["status"], answer["references"]["written"]) == ("completed", [])


@pytest.fixture
async def tenant(tmp_path: Path) -> Tenant:
    """Two references of ours, of which the ledger's row of one is damaged."""
    tenant = Tenant(tmp_path, "abc")
    await tenant.is_written(A_TO_B, B_TO_A)
    await damage(tenant.storage)
    return tenant


@pytest.mark.parametrize("command", ["plan", "drift"])
async def test_plan_and_drift_name_the_row(tenant: Tenant, command: str) -> None:
    """Not everything could be read, and the exit code says so."""
    done = await tenant.command(command, "--rules", str(tenant.folder))
    assert done.exit_code == 3, done.output
    assert DAMAGED_ROW in " ".join(done.output.split())


async def test_apply_writes_what_a_plan_adds_and_leaves_the_reference(tenant: Tenant) -> None:
    """The plan has only what can be proved."""
    tenant.write_rules(rule("s", side("a"), side("c")))
    plan, _ = await tenant.made()
    assert list(plan.removals) == [B_TO_A]
    done = await tenant.written()
    assert done.error is None
    assert {each.target for each in done.applied.written} == {guid("a"), guid("c")}
    assert A_TO_B in tenant.graph.present


async def test_a_reviewed_plan_is_applied_and_the_command_says_what_was_not_read(
    tenant: Tenant,
) -> None:
    """Its exit code is that of a plan for which not everything could be read."""
    await tenant.reviewed()
    done = await tenant.apply("--yes")
    assert done.exit_code == 3, done.output
    assert "2 written" in done.output


def test_a_ledger_that_is_damaged_throughout_is_counted() -> None:
    """The first rows are named, and of the others it is said how many there are."""
    damaged = [DamagedEntry(Row(partition="p", key=str(n)), "x") for n in range(MAX_NAMED + 7)]
    notes = Coverage()
    note_damaged(damaged, notes)
    assert len(notes.skipped) == MAX_NAMED + 1
    assert notes.skipped[-1].what == "7 more rows of the ledger"
