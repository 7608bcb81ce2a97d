"""Accepting a check: a row, a message, an id. Nothing of Graph is touched on this way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from functions.checks.idempotency import IdempotencyKeys
from functions.checks.request import CheckRequest
from functions.checks.store import KEPT_FOR, CheckRecord, CheckStatus, CheckStore
from functions.clock import Clock, timestamp
from functions.delivery.receivers import Receivers
from functions.errors import FieldError, InvalidRequest
from functions.messages import VERSION, CheckMessage, encode
from functions.storage.ports import Queues


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStarter:
    store: CheckStore
    keys: IdempotencyKeys
    receivers: Receivers
    queues: Queues
    clock: Clock

    async def start(
        self,
        request: CheckRequest,
        *,
        idempotency_key: str | None,
        traceparent: str,
        app: str,
        key_kept_for: timedelta = KEPT_FOR,
    ) -> str:
        """Queue a check and return its id; for a key that was seen, the id it stands for.

        The rows come first, the message second: a crash in between leaves rows whose sender had
        no answer and sends again. The message carries all that the work needs; the address that is
        to be told of its end may hold a secret, and stays in its row.

        Args:
            request: whose callback address was checked.
            idempotency_key: as the caller sent it.
            traceparent: of the caller.
            app: the address of this app as the caller knows it, up to `/api`.
            key_kept_for: how long the key stands for its check.

        Raises:
            InvalidRequest: the key was used for another request.
        """
        check_id = str(uuid4())
        if idempotency_key is not None:
            claim = await self.keys.claim(
                idempotency_key, digest=request.digest, check_id=check_id, kept_for=key_kept_for
            )
            if not claim.is_same_request:
                raise InvalidRequest([_reused()])
            check_id = claim.check_id
        if not _is_under_way(await self.store.get(check_id)):
            if request.callback_url is not None:
                url = request.callback_url
                await self.receivers.keep_callback(check_id, url=url, app=app)
            await self._enqueue(check_id, request, traceparent)
        return check_id

    async def _enqueue(self, check_id: str, request: CheckRequest, traceparent: str) -> None:
        message = CheckMessage(
            version=VERSION,
            id=check_id,
            traceparent=traceparent,
            enqueued_at=timestamp(self.clock.now()),
            access_package_id=request.access_package_id,
            incompatible_access_package_id=request.incompatible_access_package_id,
            enforcement=request.enforcement,
            reference=request.reference,
        )
        await self.store.create(check_id)
        await self.queues.send(CheckMessage.queue, encode(message))


def _is_under_way(record: CheckRecord | None) -> bool:
    """A row that is still `queued` may have lost its message to a crash: send it once more."""
    return record is not None and record.status is not CheckStatus.QUEUED


def _reused() -> FieldError:
    return FieldError(
        pointer="", detail="the Idempotency-Key was used for another request; choose a new key"
    )
