"""Idempotency keys: the same key and body is the same check, however often it is sent.

The key is kept as a digest: callers put ticket numbers, and sometimes worse, into it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.checks.store import KEPT_FOR
from functions.clock import Clock, timestamp
from functions.storage.ports import Row, Storage

TABLE, ROW_KEY = "idempotency", "check"
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose check a key stands for, and whether it was claimed for the same body."""

    check_id: str
    is_same_request: bool


class IdempotencyKeys:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._table, self._clock = storage.table(TABLE), clock

    async def claim(
        self, key: str, *, digest: str, check_id: str, kept_for: timedelta = KEPT_FOR
    ) -> Claim:
        """Claim a key for a check, or learn who has it.

        Args:
            key: as the caller sent it.
            digest: of the request.
            check_id: for the check that is made if the key is new.
            kept_for: how long the key stands for the check that has it; then it is new again.
        """
        partition = hashlib.sha256(key.encode()).hexdigest()
        values = {"digest": digest, "checkId": check_id, "at": timestamp(self._clock.now())}
        row = Row(partition=partition, key=ROW_KEY, values=values)
        if await self._table.insert(row):
            return Claim(check_id, is_same_request=True)
        present = await self._table.get(partition, ROW_KEY)
        if present is not None and not self._is_over(present, kept_for):
            is_same = present.values["digest"] == digest
            return Claim(str(present.values["checkId"]), is_same_request=is_same)
        if present is not None and await self._table.replace(replace(row, etag=present.etag)):
            return Claim(check_id, is_same_request=True)
        return await self.claim(key, digest=digest, check_id=check_id, kept_for=kept_for)

    def _is_over(self, row: Row, kept_for: timedelta) -> bool:
        return self._clock.now() - datetime.fromisoformat(str(row.values["at"])) > kept_for
