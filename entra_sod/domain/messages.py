"""What travels on the queues: base64 of JSON, one frozen type each, decoded once at the edge.

    {"version": 1, "kind": "check", "id": "…", "traceparent": "…", "enqueuedAt": "…", …}

A message carries its whole request, so that it can be worked on though its status row was lost.
Sending a message again resets the queue's dequeue count, so it counts its own tries.
"""

from __future__ import annotations

import base64
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec

from entra_sod.core.errors import InvalidMessage

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
    id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{1,64}$")]
    traceparent: str
    enqueued_at: str = msgspec.field(default_factory=str)
    attempt: int = 0
    throttled: int = 0
    interrupted: int = 0
    reason: str | None = None

    queue: ClassVar[str]


class CheckMessage(Envelope, frozen=True, kw_only=True, tag="check"):
    """One check of one ordered pair."""

    access_package_id: UUID
    incompatible_access_package_id: UUID
    enforcement: Literal["off", "plan", "apply"] | None = None
    reference: str | None = None

    queue: ClassVar[str] = CHECK_QUEUE


class SweepStartMessage(Envelope, frozen=True, kw_only=True, tag="sweep-start"):
    """A sweep that is to be planned and cut into parts, or whose parts are to be sent again.

    Attributes:
        supersedes: a sweep that was under way for too long, in whose place this one steps.
    """

    supersedes: str | None = None

    queue: ClassVar[str] = SWEEP_QUEUE


class SweepMessage(Envelope, frozen=True, kw_only=True, tag="sweep-pairs"):
    """One part of a sweep: what `entra_sod.domain.sweeps.parts.Part` says, up to 20 of each.

    Attributes:
        closes: the part is done, and all that is left is to close the sweep, if it was the last.
    """

    part: int
    pairs: list[tuple[UUID, UUID]] = []
    packages: list[UUID] = []
    enforced: list[UUID] = []
    unlisted: list[UUID] = []
    confirms: bool = False
    closes: bool = False

    queue: ClassVar[str] = SWEEP_QUEUE


class DeliveryMessage(Envelope, frozen=True, kw_only=True, tag="delivery"):
    """One receiver is to be told the end of a check or sweep, or what a run made of findings.

    Attributes:
        status: of a finding: opened or resolved; otherwise empty, for it is looked up.
        occasion: the run that changed a finding; the number of a sweep's digest.
        subscription: whose address it is; None for the check's own callback.
        tries: how often it was sent already.
        refusals: how many of the last tries, in a row, ended at a redirect or were not made.
    """

    subject: Literal["check", "sweep", "digest", "finding"]
    status: Literal["", "opened", "resolved"] = ""
    occasion: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{0,64}$")] = ""
    subscription: str | None = None
    tries: int = 0
    refusals: int = 0

    queue: ClassVar[str] = DELIVERY_QUEUE


type Message = CheckMessage | SweepStartMessage | SweepMessage | DeliveryMessage

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(
    CheckMessage | SweepStartMessage | SweepMessage | DeliveryMessage
)


class _MessageVersion(msgspec.Struct):
    version: int | None = None


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
    try:
        version = msgspec.json.decode(body, type=_MessageVersion).version
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidMessage(f"the message is {_NOT_JSON}: {error}") from error
    if version != VERSION:
        raise InvalidMessage(f"the message is of version {version}; this app reads {VERSION}")
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidMessage(f"the message is not what its kind asks for: {error}") from error


class _MessageId(msgspec.Struct):
    id: str | None = None


def id_of(body: bytes) -> str | None:
    """The id in a message that may be otherwise unreadable, so that its owner can be told."""
    try:
        return msgspec.json.decode(body, type=_MessageId).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


MAX_MESSAGE_BYTES = 48 * 1024
