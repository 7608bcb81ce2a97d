"""`entra-sod rollback` in processes of its own, on the simulated tenant and real storage."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.cli.operations.rollback_lease import LEASE
from entra_sod.core.clock import SystemClock
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import CONTAINER
from entra_sod.domain.evidence.rows import ReferenceLine
from entra_sod.settings import StorageSettings
from entra_sod.stores.ledger import Ledger, WriteOrigin
from local.graph.demo import GROUP_EXTERNAL_AUDITORS, PAY_INVOICES
from local.processes import CHECKOUT
from local.world import World
from tests.adapters.storage.test_storage_contract import no_identity
from tests.host.client import Caller
from tests.leftovers import clear_leftovers

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(600)]

WRITTEN = 12
UNDER_WAY = "is under way"


@pytest.fixture
def world(azurite: str) -> Iterator[World]:
    clear_leftovers(azurite)
    with World(storage=azurite) as world:
        by_hand(world)
        yield world


def by_hand(world: World) -> None:
    """A person keeps external auditors from paying invoices."""
    tenant = world.graph.tenant()
    [package] = [each for each in tenant["accessPackages"] if each["id"] == PAY_INVOICES]
    package["incompatibleGroups"].append({"id": GROUP_EXTERNAL_AUDITORS})
    world.graph.replace_tenant(tenant)


def references(world: World) -> Mapping[str, Any]:
    """The lists of references of every package."""
    return {
        package["id"]: [
            sorted(each["id"] for each in package[kind])
            for kind in ("incompatibleAccessPackages", "incompatibleGroups")
        ]
        for package in world.graph.tenant()["accessPackages"]
    }


def sweep(world: World) -> str:
    """Have a host sweep, and end it; return the sweep's id."""
    host = world.start_host(ENFORCEMENT="apply")
    try:
        swept = Caller(host.url).sweep(host)
    finally:
        host.kill()
    assert len(swept["references"]["written"]) == WRITTEN
    return str(swept["id"])


def start(world: World, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", "rollback", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **world.environment, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(world: World, *arguments: str) -> tuple[int, str]:
    process = start(world, *arguments)
    output, _ = process.communicate()
    return process.returncode, output


def run_after_the_lease(world: World, *arguments: str) -> tuple[int, str]:
    """Run the command again until the lease of one that was killed has ended."""
    until = time.monotonic() + 2 * LEASE.total_seconds()
    while True:
        code, output = run(world, *arguments)
        if UNDER_WAY not in output or time.monotonic() > until:
            return code, output
        time.sleep(1)


async def forge(connection: str, run_id: str) -> None:
    """A row of the ledger that says that a sweep wrote what a person has made."""
    storage = AzureStorage(StorageSettings(connection_string=connection), no_identity)
    try:
        ledger = Ledger(storage, SystemClock())
        reference = Reference(PAY_INVOICES, ReferenceKind.GROUP, GROUP_EXTERNAL_AUDITORS)
        origin = WriteOrigin(run_id=run_id, rule_ids=("r",), rules_hash="hash")
        await ledger.intend(reference, origin)
        await ledger.confirm(reference, origin)
    finally:
        await storage.close()


async def removed_in_evidence(connection: str) -> list[str]:
    """What the packs of rollbacks say was removed."""
    storage = AzureStorage(StorageSettings(connection_string=connection), no_identity)
    try:
        names = [each async for each in storage.blobs.names(CONTAINER)]
        wanted = [each for each in names if "/rollback-" in each and "/references" in each]
        data = [await storage.blobs.get(CONTAINER, name) or b"" for name in wanted]
    finally:
        await storage.close()
    lines = [
        msgspec.json.decode(line, type=ReferenceLine) for some in data for line in some.splitlines()
    ]
    return [f"{each.access_package_id} {each.target_id}" for each in lines if each.written]


def deletions(world: World) -> int:
    return sum(each["method"] == "DELETE" for each in world.graph.requests())


def test_a_rollback_leaves_exactly_what_was_there_before(world: World) -> None:
    """Also with a forged row; the reference that a person made is untouched, and the row told."""
    before = references(world)
    swept = sweep(world)
    assert references(world) != before
    asyncio.run(forge(world.storage, swept))
    code, output = run(world, "--run", swept, "--dry-run")
    assert code == 3, output
    code, output = run(world, "--run", swept, "--yes")
    assert f"{WRITTEN} removed, 0 failed" in output
    assert "left alone (1): no sealed evidence" in " ".join(output.split())
    assert code == 1, output
    assert references(world) == before


def test_a_rollback_that_is_killed_goes_on_and_ends_the_same(world: World) -> None:
    """The same command, after the lease of the dead one; each removal is in evidence once."""
    before, swept = references(world), sweep(world)
    sealed = asyncio.run(removed_in_evidence(world.storage))
    hangs = {"kind": "delay", "match": {"method": "DELETE"}, "seconds": 60.0, "skip": 3}
    world.graph.add_faults(hangs)
    world.graph.clear_requests()
    dying = start(world, "--run", swept, "--yes")
    try:
        while deletions(world) < 3:
            assert dying.poll() is None
            time.sleep(0.1)
        code, output = run(world, "--run", swept, "--yes")
        assert (code, UNDER_WAY in " ".join(output.split())) == (1, True), output
    finally:
        dying.kill()
        dying.communicate()
    assert references(world) != before
    code, output = run_after_the_lease(world, "--run", swept, "--yes")
    assert (code, references(world)) == (0, before), output
    removed = asyncio.run(removed_in_evidence(world.storage))[len(sealed) :]
    assert len(set(removed)) == len(removed) == WRITTEN
