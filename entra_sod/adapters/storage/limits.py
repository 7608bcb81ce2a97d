"""What Azure Storage takes at once; checked before it is asked, and by its stand-in as well."""

from __future__ import annotations

from collections.abc import Sequence

from entra_sod.domain.messages import MAX_MESSAGE_BYTES
from entra_sod.ports.storage import MAX_BATCH_ROWS, MAX_BINARY_BYTES, Row


def check_batch(puts: Sequence[Row], removals: Sequence[Row]) -> None:
    """Refuse what cannot be written at once, before the service does."""
    rows = [*puts, *removals]
    if len(rows) > MAX_BATCH_ROWS or len({row.partition for row in rows}) > 1:
        raise ValueError(f"a batch has at most {MAX_BATCH_ROWS} rows, of one partition")


def check_size(name: str, value: object) -> None:
    """Refuse what a table property cannot hold, before the service does."""
    data = value.encode("utf-16-le", "surrogatepass") if isinstance(value, str) else value
    if isinstance(data, bytes) and len(data) > MAX_BINARY_BYTES:
        raise ValueError(f"the property {name} is larger than a table property may be")


def check_message(queue: str, body: bytes) -> None:
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message for {queue} has {len(body)} bytes, over {MAX_MESSAGE_BYTES}")
