"""A queue message as the worker expects it: trigger data, and metadata for func.QueueMessage."""

import json
import uuid
from datetime import UTC, datetime, timedelta

from azure.storage.queue import QueueMessage

from local.host.bindings import QueueTrigger
from local.host.invocations import Invocation
from local.host.protos import TypedData

_LIFETIME = timedelta(days=7)


def trigger_data(trigger: QueueTrigger, body: bytes) -> TypedData:
    """The body as text, unless the binding asks for bytes; raises UnicodeDecodeError."""
    if trigger.data_type.upper() == "BINARY":
        return TypedData(bytes=body)
    return TypedData(string=body.decode())


def trigger_metadata(message: QueueMessage) -> dict[str, TypedData]:
    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }


def by_hand(trigger: QueueTrigger, text: str) -> Invocation:
    """A run that no message of a queue caused."""
    now = datetime.now(UTC)
    message = QueueMessage(content=text, id=str(uuid.uuid4()), pop_receipt="", dequeue_count=1)
    message.inserted_on = message.next_visible_on = now
    message.expires_on = now + _LIFETIME
    return Invocation(
        reason="by hand",
        data=trigger_data(trigger, text.encode()),
        metadata=trigger_metadata(message),
    )


def _time(moment: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(moment.astimezone(UTC).isoformat() if moment else None))
