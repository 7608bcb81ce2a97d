"""Accepting a check: a row, a message, an id, and perhaps a short wait. Graph is not touched."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from entra_sod.core.clock import Clock
from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.domain.messages import CheckMessage
from entra_sod.domain.results.status import CheckStatus
from entra_sod.services.checks.request import CheckRequest
from entra_sod.stores.checks import CheckRecord, CheckStore
from entra_sod.stores.idempotency import IdempotencyKey, IdempotencyKeys, KeyClaim
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.subscriptions import Subscriptions

MAX_WAIT_SECONDS = 20
_LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStarter:
    store: CheckStore
    keys: IdempotencyKeys
    subscriptions: Subscriptions
    outbox: Outbox

    async def start(
        self,
        request: CheckRequest,
        *,
        idempotency_key: IdempotencyKey | None,
        traceparent: str,
        app: str,
    ) -> str:
        """Queue a check and return its id; for a key that was seen, the id it stands for.

        A check that failed gives its key up: who asks again may get an answer this time.

        The rows come first, the message second: a crash in between leaves rows whose sender had
        no answer and sends again. The message carries all that the work needs; the address that is
        to be told of its end may hold a secret, and stays in its row.

        Args:
            request: whose callback address was checked.
            idempotency_key: that the caller sent.
            traceparent: of the caller.
            app: the address of this app as the caller knows it, up to `/api`.

        Raises:
            InvalidRequest: the key was used for another request.
        """
        check_id = str(uuid4())
        if idempotency_key is not None:
            check_id = await self._claimed(idempotency_key, request, check_id)
        if not _is_under_way(await self.store.get(check_id)):
            if request.callback_url is not None:
                url = request.callback_url
                await self.subscriptions.store_callback(check_id, url=url, app=app)
            await self._enqueue(check_id, request, traceparent)
        return check_id

    async def _claimed(self, key: IdempotencyKey, request: CheckRequest, check_id: str) -> str:
        """The check that a key stands for now: a new one by this id, or the one that has it."""
        claim = await self._claim(key, request, check_id)
        if claim.check_id == check_id:
            return check_id
        record = await self.store.get(claim.check_id)
        if record is not None and _is_outdated(record, claim, key):
            claim = await self._claim(key, request, check_id, instead_of=claim.check_id)
        return claim.check_id

    async def _claim(
        self,
        key: IdempotencyKey,
        request: CheckRequest,
        check_id: str,
        instead_of: str | None = None,
    ) -> KeyClaim:
        claim = await self.keys.claim(
            key, digest=request.digest, check_id=check_id, instead_of=instead_of
        )
        if not claim.is_same_request:
            detail = "the Idempotency-Key was used for another request; choose a new key"
            raise InvalidRequest([FieldError(pointer="", detail=detail)])
        return claim

    async def _enqueue(self, check_id: str, request: CheckRequest, traceparent: str) -> None:
        message = CheckMessage(
            id=check_id,
            traceparent=traceparent,
            access_package_id=request.access_package_id,
            incompatible_access_package_id=request.incompatible_access_package_id,
            reference=request.reference,
        )
        reach = request.enforcement or "apply"  # as far as the app's own setting goes
        await self.store.create(check_id, asked=message.asked, reach=reach)
        await self.outbox.send(message)


def _is_outdated(record: CheckRecord, claim: KeyClaim, key: IdempotencyKey) -> bool:
    """Whether a check is not what its key asks for any more."""
    if record.status is CheckStatus.FAILED:
        return True
    return record.status.has_ended and claim.age > key.answers_for


def _is_under_way(record: CheckRecord | None) -> bool:
    """A row that is still `queued` may have lost its message to a crash: send it once more."""
    return record is not None and record.status is not CheckStatus.QUEUED


async def wait_for_end(
    store: CheckStore, clock: Clock, check_id: str, seconds: float
) -> CheckRecord | None:
    """Return a check once it has ended; None where it has not within so many seconds.

    With 0 seconds nothing is looked at.
    """
    start = clock.now()
    while (clock.now() - start).total_seconds() < seconds:
        record = await store.get(check_id)
        if record is not None and record.status.has_ended:
            return record
        await clock.sleep(_LOOK_EVERY_SECONDS)
    return None
