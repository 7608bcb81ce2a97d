"""Tries each permission on each service of storage with a canary that no other code reads.

Each permission is tried by itself, so that a missing one does not hide the result of the others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import replace

from entra_sod.core.errors import SodError
from entra_sod.domain.messages import CHECK_QUEUE, DELIVERY_QUEUE, POISON_SUFFIX, SWEEP_QUEUE
from entra_sod.ports.storage import Row, Storage
from entra_sod.services.doctor.probe_results import LedgerProbe, ProbedRight, QueueProbe
from entra_sod.services.doctor.results import error_of, error_of_first, value_or_error
from entra_sod.stores.dead_letters import CONTAINER as LETTERS
from entra_sod.stores.ledger import TABLE, DamagedEntry, entry_or_damage

CANARY = "doctor"  # the queue, the table, the container, and the name of the row and the blob
QUEUES = (CHECK_QUEUE, SWEEP_QUEUE, DELIVERY_QUEUE)
MAX_COUNTED = 1000
# Ten pages: the largest tenant has hundreds of thousands, and a caller waits for the answer.
MAX_LEDGER_ROWS = 10_000
# Of no version that any row has: changing it is allowed or refused, and never done.
_NO_ETAG = "W/\"datetime'2000-01-01T00%3A00%3A00.0000000Z'\""


async def probe_storage_rights(storage: Storage) -> list[ProbedRight]:
    """Try every right; what is left of it is one row and one blob at most, and no message.

    Where taking a message off is refused, the canaries stay on their queue.
    """
    queues, table, blobs = storage.queues, storage.table(CANARY), storage.blobs
    row = Row(partition=CANARY, key=CANARY)
    rights: Sequence[tuple[str, str, Awaitable[SodError | None]]] = [
        ("queues", "send", error_of(queues.send(CANARY, b"{}"))),
        ("queues", "read", error_of(queues.state(CANARY))),
        ("queues", "take", error_of(queues.take(CANARY))),
        ("tables", "insert", error_of(table.insert(row))),
        ("tables", "read", error_of(table.get(CANARY, CANARY))),
        ("tables", "update", error_of(table.replace(replace(row, etag=_NO_ETAG)))),
        ("tables", "delete", error_of(table.delete(CANARY, CANARY))),
        ("blobs", "write", error_of(blobs.put(CANARY, CANARY, b"canary"))),
        ("blobs", "read", error_of(blobs.get(CANARY, CANARY))),
        ("blobs", "list", error_of_first(blobs.names(CANARY))),
        ("blobs", "delete", error_of(blobs.delete(CANARY, CANARY))),
    ]
    return [
        ProbedRight(service=service, right=right, error=await answer)
        for service, right, answer in rights
    ]


async def probe_queues(storage: Storage) -> list[QueueProbe]:
    """Count the messages of each queue and of its poison queue, and the dead letters."""
    return [
        QueueProbe(
            queue=queue,
            work=await value_or_error(storage.queues.state(queue)),
            poison=await value_or_error(storage.queues.state(queue + POISON_SUFFIX)),
            dead_letters=await value_or_error(_count(storage.blobs.names(LETTERS, f"{queue}/"))),
        )
        for queue in QUEUES
    ]


async def probe_ledger(storage: Storage) -> LedgerProbe:
    """Read the first rows of the ledger, and collect those that cannot be decoded."""
    rows, damaged = 0, list[DamagedEntry]()
    async for row in storage.table(TABLE).rows():
        if rows == MAX_LEDGER_ROWS:
            return LedgerProbe(rows=rows, damaged=damaged, is_whole=False)
        rows += 1
        if isinstance(found := entry_or_damage(row), DamagedEntry):
            damaged.append(found)
    return LedgerProbe(rows=rows, damaged=damaged)


async def _count(items: AsyncIterator[object]) -> int:
    number = 0
    async for _ in items:
        number += 1
        if number == MAX_COUNTED:
            break
    return number
