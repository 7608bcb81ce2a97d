"""Idempotency keys: the same key and body is the same check, however often it is sent.

A key belongs to the caller that sent it: two callers may choose the same one and never
meet. It is kept as a digest: callers put ticket numbers, and sometimes worse, into it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.ports.storage import Row, Storage
from entra_sod.stores.checks import RETENTION

TABLE, ROW_KEY = "idempotency", "check"
MAX_KEY_LENGTH = 255
MAX_PURGED = 10_000


class RequestSource(StrEnum):
    """By which way a key comes in."""

    CALLER = "caller"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A key among those of its holder.

    Attributes:
        holder: who sent it, by the name that the app knows them by on this way in.
        text: as it was sent.
        answers_for: how long, from its first use, it gives out a check that has completed; one
            that is under way has its key in any case.
    """

    entry: RequestSource
    holder: str
    text: str
    answers_for: timedelta = RETENTION

    @property
    def digest(self) -> str:
        """What it is kept by. The parts are told apart, whatever is written in them."""
        return hashlib.sha256(msgspec.json.encode((self.entry, self.holder, self.text))).hexdigest()


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """Whose check a key stands for.

    Attributes:
        is_same_request: whether it was claimed for the same body.
        age: since it was claimed.
    """

    check_id: str
    is_same_request: bool = True
    age: timedelta = timedelta()


class IdempotencyKeys:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def claim(
        self, key: IdempotencyKey, *, digest: str, check_id: str, instead_of: str | None = None
    ) -> KeyClaim:
        """Claim a key for a check, or learn who has it.

        Args:
            key: that was sent.
            digest: of the request.
            check_id: for the check that is made if the key is new, or over.
            instead_of: a check that has to give the key up, should it be the one that has it.
        """
        values = {"digest": digest, "checkId": check_id, "at": timestamp(self._clock.now())}
        row = Row(partition=key.digest, key=ROW_KEY, values=values)
        if await self._table.insert(row):
            return KeyClaim(check_id)
        present = await self._table.get(row.partition, ROW_KEY)
        if present is not None:
            if self._age(present) <= RETENTION and present.values["checkId"] != instead_of:
                return self._claim(present, digest)
            if await self._table.replace(replace(row, etag=present.etag)):
                return KeyClaim(check_id)
        return await self.claim(key, digest=digest, check_id=check_id, instead_of=instead_of)

    async def purge_expired(self, maximum: int = MAX_PURGED) -> None:
        """Remove keys that stand for nothing any more; over `most` they are left to another night.

        One that is claimed anew in between is another version of its row, and stays.
        """
        removed = 0
        async for row in self._table.rows():
            if self._age(row) > RETENTION:
                await self._table.delete(row.partition, row.key, etag=row.etag)
                removed += 1
            if removed == maximum:
                return

    def _claim(self, row: Row, digest: str) -> KeyClaim:
        is_same = row.values["digest"] == digest
        return KeyClaim(str(row.values["checkId"]), is_same, self._age(row))

    def _age(self, row: Row) -> timedelta:
        return self._clock.now() - datetime.fromisoformat(str(row.values["at"]))
