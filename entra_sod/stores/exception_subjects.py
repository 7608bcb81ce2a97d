"""The ids that user principal names of exceptions had when the app met these exceptions first.

They are rows beside what was reviewed of rules. A row is never changed: whom an exception is for
changes only if the exception gets another id or names its subject otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field

from entra_sod.core.clock import Clock, timestamp
from entra_sod.domain.subjects.names import comparable_name
from entra_sod.ports.storage import Row, Storage
from entra_sod.stores.selections import TABLE

PARTITION = "exceptions"


@dataclass(frozen=True, slots=True)
class RememberedSubjects:
    """The id of each exception's name."""

    _ids: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, exception: str, name: str) -> str | None:
        """The id that the name had, in whatever spelling."""
        return self._ids.get(_key(exception, name))


class ExceptionSubjectStore:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def read(self) -> RememberedSubjects:
        """Read all that is remembered."""
        return RememberedSubjects(
            {row.key: str(row.values["subject"]) async for row in self._table.rows(PARTITION)}
        )

    async def keep(self, exception: str, name: str, subject: str) -> None:
        """Remember whom a name is for; what is remembered already stays."""
        at = timestamp(self._clock.now())
        values = {"exception": exception, "subject": subject, "name": name, "at": at}
        await self._table.insert(Row(partition=PARTITION, key=_key(exception, name), values=values))

    async def of(self, subjects: Collection[str]) -> AsyncIterator[Row]:
        """The rows that have one of these ids."""
        async for row in self._table.rows(PARTITION):
            if row.values["subject"] in subjects:
                yield row

    async def forget(self, row: Row) -> None:
        await self._table.delete(row.partition, row.key)


def _key(exception: str, name: str) -> str:
    return hashlib.sha256(f"{exception}\0{comparable_name(name)}".encode()).hexdigest()
