"""Rollbacks that are refused: each says what failed and what to do, and removes nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.rollback_lease import LEASE, RollbackLease, RollbackRun
from entra_sod.cli.operations.rollback_plan import RollbackRefused, parse_since
from entra_sod.cli.rollback import RollbackOptions
from entra_sod.cli.rollback import _rollback as run_rollback
from entra_sod.domain.entra import Reference
from entra_sod.domain.evidence.manifest import (
    CONTAINER,
    MANIFEST,
    decode_manifest,
    encode_manifest,
    entry_of,
)
from entra_sod.domain.evidence.rows import ReferenceLine, json_line
from entra_sod.ports.storage import Row
from entra_sod.stores.evidence_drafts import TABLE as EVIDENCE
from entra_sod.stores.ledger import TABLE as LEDGER
from entra_sod.stores.write_controls import PARTITION, WriteControls
from entra_sod.stores.write_controls import TABLE as CONTROLS
from tests.app import App
from tests.cli.rolling_back import (
    AB,
    AC,
    HELD,
    PACKAGES,
    RULES,
    THEIRS,
    RollbackWorld,
    removed_by,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ALL = AB | AC | {THEIRS}


@pytest.fixture
def world(make_app: type[App], tmp_path: Path) -> RollbackWorld:
    return RollbackWorld(make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply"), tmp_path)


async def is_refused(world: RollbackWorld, *arguments: str, says: str) -> None:
    done = await world.rollback(*arguments, "--yes")
    assert (done.exit_code, says in " ".join(done.output.split())) == (1, True), done.output
    assert "Traceback" not in done.output
    assert world.app.graph.present == ALL


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-11-28", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-11-28T02:00:00Z", datetime(2026, 11, 28, 2, tzinfo=UTC)),
        ("2026-11-28T02:00:00+02:00", datetime(2026, 11, 28, 0, tzinfo=UTC)),
    ],
)
def test_since_takes_ages_dates_and_moments(text: str, moment: datetime) -> None:
    """What has no zone is UTC."""
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "0h", "2", "-1d", "2m", "yesterday", "2026-13-01", "99999999d"]
)
def test_since_refuses_what_is_no_time(text: str) -> None:
    """With examples of what is one."""
    with pytest.raises(RollbackRefused, match="--since 2h"):
        parse_since(text, NOW)


def test_since_refuses_the_future() -> None:
    """A wrong year would take back nothing, and look like success."""
    with pytest.raises(RollbackRefused, match="in the future"):
        parse_since("2027-01-01", NOW)


@pytest.mark.parametrize(
    "arguments", [[], ["--run", "x", "--rule", "y"], ["--run", ""], ["--run", "x", "--since", "1d"]]
)
async def test_exactly_one_selector_is_needed(world: RollbackWorld, arguments: list[str]) -> None:
    """None, two and an empty one are refused with examples."""
    await world.sweep()
    await is_refused(world, *arguments, says="exactly one of --run, --rule and --since. Examples")


@pytest.mark.parametrize("number", ["0", "-3"])
async def test_a_limit_that_allows_nothing_is_refused(world: RollbackWorld, number: str) -> None:
    """To remove nothing, the operator uses --dry-run."""
    run = await world.sweep()
    await is_refused(world, "--run", run, "--max", number, says="--dry-run to remove nothing")


@pytest.mark.parametrize(
    ("arguments", "settings"), [(["--max", "5"], {}), ([], {"MAX_REFERENCE_WRITES": "5"})]
)
async def test_more_than_the_limit_is_refused_whole(
    world: RollbackWorld, arguments: list[str], settings: dict[str, str]
) -> None:
    """Before anything is removed, with both numbers; a larger --max goes on."""
    run = await world.sweep()
    done = await world.rollback("--run", run, "--yes", *arguments, **settings)
    said = " ".join(done.output.split())
    assert (done.exit_code, "6 references are to be removed, and the limit is 5" in said) == (
        1,
        True,
    )
    assert world.app.graph.present == ALL
    done = await world.rollback("--run", run, "--yes", "--max", "6", **settings)
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS})


async def test_an_unknown_run_is_refused(world: RollbackWorld) -> None:
    """Neither ledger nor evidence names it."""
    await world.sweep()
    await is_refused(world, "--run", "sweep-x", says="Run sweep-x is unknown")


async def test_an_unknown_rule_is_refused(world: RollbackWorld) -> None:
    """The rules that the ledger names are told."""
    await world.sweep()
    await is_refused(world, "--rule", "x", says="Rules that it names: ab, ac")


async def test_a_run_of_another_deployment_is_refused(world: RollbackWorld) -> None:
    """The ledger was copied, and the evidence is in another storage."""
    run = await world.sweep()
    blobs = world.app.storage.blobs
    for name in [each async for each in blobs.names(CONTAINER) if run in each]:
        await blobs.delete(CONTAINER, name)
    await is_refused(world, "--run", run, says="this storage has no sealed evidence of it")
    await is_refused(world, "--run", run, says="set AzureWebJobsStorage to the storage of that one")


async def test_a_pack_that_the_chain_does_not_have_proves_nothing(world: RollbackWorld) -> None:
    """An attacker added a row and a pack: each is whole, and no link leads to them."""
    run = await world.sweep()
    blobs = world.app.storage.blobs
    [folder] = [
        each.removesuffix(f"/{MANIFEST}")
        async for each in blobs.names(CONTAINER)
        if each.endswith(f"{run}/{MANIFEST}")
    ]
    for name in [each async for each in blobs.names(CONTAINER, folder)]:
        data = await blobs.get(CONTAINER, name) or b""
        forged = data.replace(run.encode(), b"sweep-forged")
        await blobs.put(CONTAINER, name.replace(run, "sweep-forged"), forged)
    await world.forge(next(iter(AB)), "sweep-forged")
    await is_refused(world, "--run", "sweep-forged", says="it does not have every pack")


@pytest.mark.parametrize("head", ["gone", "{", '{"run": 5}'])
async def test_a_chain_without_its_head_proves_nothing(world: RollbackWorld, head: str) -> None:
    """An operator who deleted the row cannot have a reference removed."""
    run = await world.sweep()
    table = world.app.storage.table(EVIDENCE)
    if head == "gone":
        await table.delete("chain", "head")
    else:
        row = await table.get("chain", "head")
        assert row is not None
        assert await table.replace(row.changed(head=head))
    await is_refused(world, "--run", run, says="entra-sod evidence verify")


async def test_a_row_of_the_ledger_that_cannot_be_read_is_named(world: RollbackWorld) -> None:
    """It stops nothing else, and the exit code says that it was left alone."""
    run = await world.sweep()
    table = world.app.storage.table(LEDGER)
    await table.insert(Row(partition="p", key="no kind", values={"state": "written"}))
    row = next(iter([each async for each in table.rows(THEIRS.on)]))
    await table.insert(
        Row(partition=THEIRS.on, key=f"package:{THEIRS.target}", values={**row.values, "at": "now"})
    )
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (1, {THEIRS}), done.output
    said = " ".join(done.output.split())
    assert "the ledger's row p no kind cannot be read: delete it" in said
    assert f"row {THEIRS.on} package:{THEIRS.target} cannot be read" in said


async def test_a_second_rollback_at_once_is_refused(world: RollbackWorld) -> None:
    """As long as the first renews its lease; the command says since when, and what to do."""
    run = await world.sweep()
    lease = RollbackLease(world.app.storage, world.app.clock)
    other = RollbackRun(id="rollback-x", scope="--since 1d", started_at=world.app.clock.now())
    await lease.take(other, ())
    await is_refused(world, "--run", run, says="Another rollback (--since 1d) is under way since")
    await lease.end()
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


async def test_an_unreadable_lease_is_refused(world: RollbackWorld) -> None:
    """A forged or damaged row: the command names it, and says to delete it."""
    run = await world.sweep()
    table = world.app.storage.table(CONTROLS)
    await table.insert(Row(partition=PARTITION, key="rollback", values={"until": "x"}))
    await is_refused(world, "--run", run, says="delete the row if none is")


async def test_a_lease_from_the_future_stops_no_run_for_ever(world: RollbackWorld) -> None:
    """It was written by a wrong clock, or forged."""
    run = await world.sweep()
    lease = RollbackLease(world.app.storage, world.app.clock)
    await lease.take(RollbackRun(id="r", scope="", started_at=world.app.clock.now()), ())
    table = world.app.storage.table(CONTROLS)
    row = await table.get(PARTITION, "rollback")
    assert row is not None
    await table.replace(row.changed(until=(world.app.clock.now() + 100 * LEASE).isoformat()))
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


def test_without_storage_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command names the setting."""
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    monkeypatch.setenv("GRAPH_ROOT", "http://localhost:1")
    monkeypatch.setenv("GRAPH_CREDENTIAL", "local")
    done = CliRunner().invoke(entra_sod, ["rollback", "--since", "1d", "--yes"])
    assert (done.exit_code, "AzureWebJobsStorage is not set" in done.output) == (1, True)


async def test_a_pack_that_was_written_over_proves_nothing(world: RollbackWorld) -> None:
    """It is whole in itself, and not what the chain has linked."""
    run = await world.sweep()
    blobs = world.app.storage.blobs
    [name] = [each async for each in blobs.names(CONTAINER) if each.endswith(f"{run}/{MANIFEST}")]
    manifest = decode_manifest(await blobs.get(CONTAINER, name) or b"")
    path = f"{manifest.folder}/references.jsonl"
    line = ReferenceLine(THEIRS.on, THEIRS.kind, THEIRS.target, planned="add", written=True)
    data = (await blobs.get(CONTAINER, path) or b"") + json_line(line)
    files = [
        entry_of(each.name, data) if each.name == "references.jsonl" else each
        for each in manifest.files
    ]
    await blobs.put(CONTAINER, path, data)
    await blobs.put(CONTAINER, name, encode_manifest(replace(manifest, files=files)))
    await world.forge(THEIRS, run)
    await is_refused(world, "--run", run, says="is not what was linked")


async def test_two_rollbacks_at_once_remove_each_reference_once(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One does it, and the other is refused; evidence and budget have each removal once."""
    run = await world.sweep()
    remove = world.app.graph.remove

    async def remove_slowly(reference: Reference) -> None:
        for _ in range(1000):
            await asyncio.sleep(0)  # the other one goes on meanwhile
        await remove(reference)

    monkeypatch.setattr(world.app.graph, "remove", remove_slowly)
    options = RollbackOptions(
        rules=None, max_removals=None, dry_run=False, yes=True, while_frozen=False
    )
    with world.opened():
        both = [run_rollback(run, None, None, options) for _ in range(2)]
        done = await asyncio.gather(*both, return_exceptions=True)
    ends = {each if isinstance(each, ExitCode) else type(each) for each in done}
    assert ends == {ExitCode.NOTHING, RollbackRefused}
    assert world.app.graph.present == {THEIRS}
    assert [removed_by(pack) for pack in await world.packs()] == [AB | AC]
    assert (await WriteControls(world.app.storage, world.app.clock).budget(200)).used == 12
