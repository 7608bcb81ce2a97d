"""`python -m benchmarks.children.read_grants SCALE`: rules by grants, from Graph to their pairs.

Reads what every package grants, keeps it, resolves a rule for each team whose sides are the groups
of its packages, and then does the same again from what was kept.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from uuid import UUID

from benchmarks.children.checkpoint import reach
from benchmarks.children.compile_rules import TODAY
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.core.clock import SystemClock
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.language import Mode, Rule, Severity, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import resolve
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.grants import TenantGrants
from entra_sod.services.rules.provider import read_tenant
from entra_sod.settings import read_settings
from entra_sod.stores.grants import GrantStore
from local.graph.scale import Scale, an_id, parse
from local.memory.storage import MemoryStorage


async def main(scale: Scale) -> None:
    store, graph = GrantStore(MemoryStorage()), GraphClient(read_settings(os.environ).graph)
    tenant = await read_tenant(graph)
    for name in ("read", "read-again"):
        reach(f"before-{name}")
        started = time.process_time()
        index = await TenantGrants(graph, SystemClock(), store).read(tenant.packages)
        rules = RuleSet(resolve(a_book(scale), tenant.with_grants(index), TODAY))
        seconds = time.process_time() - started
        facts = {"packages": len(index.granted), "pairs": len(rules.constraints)}
        reach(name, seconds=seconds, **facts)
        del index, rules
    await graph.close()


def a_book(scale: Scale) -> ParsedRules:
    rules = [_rule(scale, team) for team in range(scale.teams)]
    return ParsedRules(rules={rule.id: rule for rule in rules})


def _rule(scale: Scale, team: int) -> Rule:
    requester, approver = scale.first_of(team)
    return Rule(
        id=f"team-{team}",
        title="Requesters do not approve their own requests",
        severity=Severity.HIGH,
        owner="owner@example.com",
        mode=Mode.RECORD,
        between=[_side(requester, scale.requesters), _side(approver, scale.approvers)],
    )


def _side(first: int, packages: int) -> Side:
    groups = (an_id("group", number) for number in range(first, first + packages))
    return Side(grants=[GrantSelector(group=UUID(group)) for group in groups])


if __name__ == "__main__":
    asyncio.run(main(parse(sys.argv[1])))
