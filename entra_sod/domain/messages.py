"""What travels on the queues: base64 of JSON, one frozen type each, decoded once at the edge.

    {"version": 1, "kind": "check", "id": "…", "traceparent": "…", "enqueuedAt": "…", …}

A check's message carries what to look at, so that it can be worked on though its row was lost.
Sending a message again resets the queue's dequeue count, so it counts its own tries.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec

from entra_sod.core.errors import InvalidMessage
from entra_sod.domain.notifications.event import KEPT_SUBJECTS, EventStatus, EventSubject, name_of

CHECK_QUEUE = "conflict-checks"
SWEEP_QUEUE = "sweep-pairs"
DELIVERY_QUEUE = "deliveries"
# The function that processes the messages of a queue, and the one that stores its poison messages.
QUEUE_FUNCTIONS = {
    CHECK_QUEUE: ("run_check", "poisoned_check"),
    SWEEP_QUEUE: ("run_sweep_pairs", "poisoned_sweep_pairs"),
    DELIVERY_QUEUE: ("deliver", "poisoned_delivery"),
}
POISON_SUFFIX = "-poison"

VERSION: Literal[1] = 1
_NOT_JSON = "not base64 of a JSON object"

# What a row or a blob may be called by; `$` would let a line break through.
type _RowName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9-]{1,64}\Z")]
type _CheckId = Annotated[
    str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
]
type _Tally = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


def _version() -> Literal[1]:
    return VERSION


class Envelope(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    tag_field="kind",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """What every message has.

    Attributes:
        version: made by a function, as `enqueued_at` is, so that it is always on the wire.
        id: of the check or sweep that the message works for.
        enqueued_at: when it was first sent, RFC 3339; empty until then.
        attempt: how often we sent it again because its work failed.
        throttled: how often because Graph throttled it.
        interrupted: how often the queue gave it up though no error was ever seen.
        reason: why the message was put on a poison queue, where the worker itself put it there.
    """

    version: Literal[1] = msgspec.field(default_factory=_version)
    id: _RowName
    traceparent: Annotated[str, msgspec.Meta(max_length=200)]
    enqueued_at: str = msgspec.field(default_factory=str)
    attempt: _Tally = 0
    throttled: _Tally = 0
    interrupted: _Tally = 0
    reason: str | None = None

    queue: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse a moment from which no age can be taken."""
        if self.enqueued_at and datetime.fromisoformat(self.enqueued_at).tzinfo is None:
            raise ValueError("enqueuedAt needs an offset from UTC")


class CheckMessage(Envelope, frozen=True, kw_only=True, tag="check"):
    """One check of one ordered pair. How far it goes is not here, but in its row."""

    id: _CheckId
    access_package_id: UUID
    incompatible_access_package_id: UUID
    reference: Annotated[str, msgspec.Meta(max_length=200)] | None = None

    queue: ClassVar[str] = CHECK_QUEUE

    def __post_init__(self) -> None:
        """Refuse a pair of one package, which never conflicts with itself."""
        Envelope.__post_init__(self)
        if self.access_package_id == self.incompatible_access_package_id:
            raise ValueError("a package never conflicts with itself")

    @property
    def asked(self) -> str:
        """What a caller asked for, as the check's row says it."""
        pair = f"{self.access_package_id} {self.incompatible_access_package_id}"
        return f"{pair} {self.reference or ''}"


class SweepStartMessage(Envelope, frozen=True, kw_only=True, tag="sweep-start"):
    """A sweep that is to be planned and cut into parts, or whose parts are to be sent again.

    Attributes:
        supersedes: a sweep that was under way for too long, in whose place this one steps.
    """

    supersedes: _RowName | None = None

    queue: ClassVar[str] = SWEEP_QUEUE


class SweepMessage(Envelope, frozen=True, kw_only=True, tag="sweep-pairs"):
    """One part of a sweep, by its number in the sweep's plan, which says what it asks for.

    Attributes:
        closes: the part is done, and all that is left is to close the sweep, if it was the last.
    """

    part: _Tally
    closes: bool = False

    queue: ClassVar[str] = SWEEP_QUEUE


class DeliveryMessage(Envelope, frozen=True, kw_only=True, tag="delivery"):
    """One receiver is to be told an event.

    Attributes:
        id: of the check, sweep or finding that it is about; of an event with a body of its own, the
            run, or the freeze.
        status: what happened; empty for a check, a sweep and a digest, for it is looked up.
        occasion: the run that changed a finding; the number of a sweep's digest.
        subscription: whose address it is; None for the check's own callback, and for an event with
            a body of its own that is still to be queued for each subscriber.
        tries: how often it was sent already.
        refusals: how many of the last tries, in a row, ended at a redirect or were not made.
    """

    subject: EventSubject
    status: EventStatus = ""
    occasion: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9-]{0,64}\Z")] = ""
    subscription: _RowName | None = None
    tries: _Tally = 0
    refusals: _Tally = 0

    def __post_init__(self) -> None:
        """Refuse a status that its subject does not have."""
        Envelope.__post_init__(self)
        if self.status or self.subject in KEPT_SUBJECTS:
            name_of(self.subject, self.status)

    queue: ClassVar[str] = DELIVERY_QUEUE


type Message = CheckMessage | SweepStartMessage | SweepMessage | DeliveryMessage

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(
    CheckMessage | SweepStartMessage | SweepMessage | DeliveryMessage
)


class _MessageVersion(msgspec.Struct):
    version: int | None = None


class _MessageOfCheck(msgspec.Struct):
    id: _CheckId | None = None


def encode(message: Message) -> bytes:
    return msgspec.json.encode(message)


def decode_base64(text: bytes) -> bytes:
    """Take the base64 off a message as it lies on the queue.

    host.json says `messageEncoding: none` and we do it here: what the host cannot decode it would
    put on the poison queue in a form that no poison function ever sees.

    Raises:
        InvalidMessage: it is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidMessage(f"the message is {_NOT_JSON}: {error}") from error


def decode(body: bytes) -> Message:
    """Read a message that was unwrapped.

    Raises:
        InvalidMessage: saying why nothing can be made of it.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise InvalidMessage(f"the message has {len(body)} bytes, over {MAX_MESSAGE_BYTES}")
    version = _read(msgspec.json.Decoder(_MessageVersion), body, f"is {_NOT_JSON}").version
    if version != VERSION:
        raise InvalidMessage(f"the message is of version {version}; this app reads {VERSION}")
    return _read(_decoder, body, "is not what its kind asks for")


def check_id_of(body: bytes) -> str | None:
    """The check that a message names which may be otherwise unreadable, so that it can be ended."""
    try:
        return _read(msgspec.json.Decoder(_MessageOfCheck), body, "names no check").id
    except InvalidMessage:
        return None


def _read[T](decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    try:
        return decoder.decode(body)
    # Whatever a parser says of hostile bytes (too deep, no text, no number), they are to be kept.
    except Exception as error:
        raise InvalidMessage(f"the message {what}: {str(error)[:MAX_ERROR_LENGTH]}") from error


MAX_MESSAGE_BYTES = 48 * 1024
MAX_ERROR_LENGTH = 1_000
