"""kill -9 in the middle of the work: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from entra_sod.stores.ledger import LedgerState
from local.graph.demo import demo_tenant
from local.graph.tenant import Tenant
from local.world import HostProcess, World
from tests.builders import guid
from tests.chaos.stored import ledger_of
from tests.chaos.truth import Wanted, references_of
from tests.host.client import Caller

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.chaos, pytest.mark.timeout(300)]

ROUNDS = 10
# Names the seed of a run that failed; without it each run has another.
REPLAYED = "KILL_SEED"
# A run of a check takes about a second at this latency, so that a kill within it hits any line.
LATENCY_MS = 25.0
SETTINGS = {"ENFORCEMENT": "apply", "LOCAL_HOST_INVISIBILITY_SECONDS": "2"}


def pairs() -> Sequence[tuple[str, str]]:
    return [(guid(f"{number:07x}a"), guid(f"{number:07x}b")) for number in range(ROUNDS)]


def write_tenant(path: Path) -> None:
    """A tenant with a pair of packages for each round, each granting a group of its own."""
    tenant = msgspec.to_builtins(demo_tenant())
    catalog = tenant["accessPackages"][0]["catalogId"]
    for number, pair in enumerate(pairs()):
        for name, package_id in zip("ab", pair, strict=True):
            group = guid(f"{number:07x}{'c' if name == 'a' else 'd'}")
            tenant["groups"].append({"id": group, "displayName": f"Group {number}{name}"})
            tenant["accessPackages"].append(
                {
                    "id": package_id,
                    "catalogId": catalog,
                    "displayName": f"Package {number}{name}",
                    "resourceRoleScopes": [member_of(group)],
                }
            )
    path.write_text(json.dumps(tenant))


def member_of(group: str) -> dict[str, object]:
    template = next(
        scope
        for package in msgspec.to_builtins(demo_tenant())["accessPackages"]
        for scope in package["resourceRoleScopes"]
        if scope["role"]["originId"].startswith("Member_")
    )
    old = template["role"]["originId"].removeprefix("Member_")
    scope: dict[str, object] = json.loads(json.dumps(template).replace(old, group))
    return scope


def write_rules(folder: Path) -> None:
    rules = [
        {
            "id": f"r{number}",
            "title": f"Rule {number}",
            "severity": "high",
            "owner": "owner@example.com",
            "mode": "enforce",
            "between": [{"packages": [{"id": one}]}, {"packages": [{"id": other}]}],
        }
        for number, (one, other) in enumerate(pairs())
    ]
    # JSON is YAML.
    (folder / "rules.yaml").write_text(json.dumps({"version": 1, "rules": rules}))


def kill_while_it_works(host: HostProcess, chance: random.Random) -> None:
    time.sleep(chance.uniform(0.0, 1.2))
    host.kill()


async def test_a_host_that_is_killed_ten_times_completes_every_check(tmp_path: Path) -> None:
    """Each check completes, each reference is added exactly once, and the ledger agrees."""
    write_tenant(tmp_path / "tenant.json")
    write_rules(tmp_path)
    seed = int(os.environ.get(REPLAYED, random.SystemRandom().randrange(10**6)))
    print(f"replay with {REPLAYED}={seed} in the environment")  # noqa: T201 - shown when it fails
    chance = random.Random(seed)  # noqa: S311 - chaos, not secrets
    with World(tenant=tmp_path / "tenant.json", RULES=str(tmp_path)) as world:
        world.graph.behave(latency_ms=LATENCY_MS, duplicate_reference="no-content")
        locations = []
        for pair in pairs():
            host = world.start_host(settings=SETTINGS)
            locations.append(Caller(host.url).start(*pair).removeprefix(host.url))
            kill_while_it_works(host, chance)
        caller = Caller(world.start_host(settings=SETTINGS).url)
        answers = [caller.wait(caller.url + location) for location in locations]
        tenant, entries = world.graph.tenant(), await ledger_of(world.storage)
    assert [answer["status"] for answer in answers] == ["completed"] * ROUNDS
    assert [len(answer["references"]["written"]) for answer in answers] == [4] * ROUNDS
    added = references_of(msgspec.convert(tenant, Tenant))
    assert len(added) == 4 * ROUNDS
    assert set(added.values()) == {1}
    in_ledger = {
        Wanted(entry.reference.on, str(entry.reference.kind), entry.reference.target)
        for entry in entries
    }
    assert in_ledger == added.keys()
    assert {entry.state for entry in entries} == {LedgerState.WRITTEN}
