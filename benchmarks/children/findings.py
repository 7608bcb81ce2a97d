"""`python -m benchmarks.children.findings counted|Azurite SIZE`: store findings, list them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.children.checkpoint import reach
from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Pair, Subject
from entra_sod.domain.findings.lifecycle import RunContext
from entra_sod.domain.findings.model import ChangeSource, FindingNames, ObservedConflict
from entra_sod.domain.findings.observe import FindingObserver, observed_conflicts
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.storage import Row, Storage, Table
from entra_sod.services.findings.query import MAX_PAGE_SIZE, FindingsQuery, read_page
from entra_sod.services.findings.update import FindingsRun, FindingsUpdater, in_batches
from entra_sod.settings import StorageSettings
from entra_sod.stores.findings import FindingStore
from local.memory.storage import MemoryStorage
from local.processes import Process, free_ports
from local.storage import connection_string
from tests.builders import guid, rule, side

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

PEOPLE_OF_A_PAIR = 10


class Counting:
    """A storage whose tables count what Azure bills: batches, and answers of queries."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self.transactions = storage, 0

    def table(self, name: str) -> CountingTable:
        return CountingTable(self._storage.table(name), self)


class CountingTable:
    def __init__(self, table: Table, counts: Counting) -> None:
        self._table, self._counts = table, counts

    async def write(self, puts: Sequence[Row], removals: Sequence[Row] = ()) -> bool:
        self._counts.transactions += 1
        return await self._table.write(puts, removals)

    async def get(self, partition: str, key: str) -> Row | None:
        self._counts.transactions += 1
        return await self._table.get(partition, key)

    async def rows(
        self,
        partition: str | None = None,
        **given: Any,  # noqa: ANN401 - as the port has it
    ) -> AsyncIterator[Row]:
        number = 0
        async for row in self._table.rows(partition, **given):
            if number % given.get("at_once", 1000) == 0:
                self._counts.transactions += 1
            number += 1
            yield row
        if not number:
            self._counts.transactions += 1


def pair(number: int) -> Pair:
    return Pair.of(str(UUID(int=2 * number + 1)), str(UUID(int=2 * number + 2)))


def rules(pairs: int) -> RuleSet:
    sides = [
        ResolvedSide(frozenset(each), frozenset())
        for each in zip(*(list(pair(number)) for number in range(pairs)), strict=True)
    ]
    made = rule("r", side("a"), side("b"))
    return RuleSet([ResolvedRule(rule=made, sides=tuple(sides))])


def sightings(size: int, made: RuleSet) -> list[ObservedConflict]:
    [resolved] = made.rules
    found = [
        conflict
        for number in range(size)
        for conflict in observed_conflicts(
            DetectedConflict(
                rules=[resolved.rule],
                packages=[*pair(number // PEOPLE_OF_A_PAIR)],
                subject=Subject(
                    id=guid(f"{number:08x}"),
                    object_id=guid(f"{number:08x}"),
                    display_name=f"Person {number}",
                ),
            ),
            FindingNames(),
        )
    ]
    return sorted(found, key=lambda each: each.id)


@asynccontextmanager
async def storage_of(where: str) -> AsyncIterator[Storage]:
    if where == "counted":
        yield MemoryStorage()
        return
    port = free_ports(3)
    with Process([sys.executable, "-m", "local.storage", "--port", str(port)]) as process:
        process.wait_ready(lambda: "AzureWebJobsStorage=" in process.output(), 60)
        settings = StorageSettings(connection_string=connection_string(port))
        azure = AzureStorage(settings, no_credential)
        yield azure
        await azure.close()


def no_credential() -> AsyncTokenCredential:
    raise AssertionError("a connection string needs no identity")


async def each[T](values: Sequence[T]) -> AsyncIterator[T]:
    for value in values:
        yield value


async def main(where: str, size: int) -> None:
    made = rules(-(-size // PEOPLE_OF_A_PAIR))
    seen = sightings(size, made)
    async with storage_of(where) as storage:
        reach("ready")
        reach("stored", **await measured(Counting(storage), made, seen, where))


async def measured(
    counting: Counting, made: RuleSet, seen: Sequence[ObservedConflict], where: str
) -> dict[str, float]:
    store = FindingStore(counting)  # type: ignore[arg-type]
    updater = FindingsUpdater(store=store, retention=timedelta(days=30))
    clock = time.process_time if where == "counted" else time.perf_counter
    facts: dict[str, float] = {}

    async def night(number: int) -> None:
        at = f"2026-01-{number:02}T02:00:00Z"
        moment = RunContext(
            by=ChangeSource.SWEEP, run=f"night-{number}", at=at, rules_hash="sha256:0"
        )
        run = FindingsRun(moment, FindingObserver(rules=made, indexed=made.packages))
        passed = 0
        async for batch in in_batches(store.all(), each(seen)):
            passed += len(await updater.update(batch, run))
        assert passed == len(seen)

    async def pages(query: FindingsQuery) -> None:
        page = await read_page(store, query)
        found = len(page.findings)
        while page.next is not None:
            page = await read_page(store, page.next)
            found += len(page.findings)
        assert found == len(seen)

    steps: dict[str, Callable[[], Awaitable[None]]] = {
        "first night": lambda: night(1),
        "second night": lambda: night(2),
        "list": lambda: pages(FindingsQuery(page_size=MAX_PAGE_SIZE)),
        "list by rule": lambda: pages(FindingsQuery(rule="r", page_size=MAX_PAGE_SIZE)),
    }
    for name, step in steps.items():
        before, started = counting.transactions, clock()
        await step()
        facts[f"{name} transactions"] = counting.transactions - before
        facts[f"{name} seconds"] = clock() - started
    return facts


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
