"""What chaos does to storage, on storage."""

from __future__ import annotations

import time

import pytest
from azure.data.tables import EdmType, EntityProperty, TableServiceClient
from azure.storage.queue import QueueServiceClient

from tests.chaos.stored import Watcher, is_settled, jump_clock, rows, shift


@pytest.mark.parametrize(
    ("value", "later"),
    [
        ("2026-11-22T10:00:00+00:00", "2026-11-22T12:00:00+00:00"),
        (1_780_000_000, 1_780_007_200),
        (1_780_000_000_000, 1_780_007_200_000),
        (42, 42),
        (
            EntityProperty(1_780_000_000_000, EdmType.INT64),
            EntityProperty(1_780_007_200_000, EdmType.INT64),
        ),
        (True, True),
        ('{"until": [1780000000, 42]}', '{"until": [1780007200, 42]}'),
        ("THE HOLDER", "THE HOLDER"),
    ],
)
def test_a_clock_jump_moves_times_and_nothing_else(value: object, later: object) -> None:
    """Texts, seconds and milliseconds that tell a moment are moved; counts and names stay."""
    assert shift(value, 2) == later


def test_a_jump_moves_every_row_of_a_table(azurite: str) -> None:
    """The rows stay, with their times moved; a table that is not there has none to move."""
    with TableServiceClient.from_connection_string(azurite) as tables:
        table = tables.create_table("jumping")
        table.create_entity(
            {
                "PartitionKey": "p",
                "RowKey": "r",
                "at": "2026-11-22T10:00:00+00:00",
                "until": EntityProperty(1_780_000_000_000, EdmType.INT64),
                "tokens": 42,
            }
        )
    assert jump_clock(azurite, "jumping", -1) == 1
    (row,) = rows(azurite, "jumping")
    assert row["at"] == "2026-11-22T09:00:00+00:00"
    assert row["until"].value == 1_779_996_400_000
    assert row["tokens"] == 42
    assert jump_clock(azurite, "nowhere", -1) == 0


def test_a_watcher_sees_messages_and_delivers_them_again(azurite: str) -> None:
    """What lay on a queue can be sent once more after it is gone; what is hidden still counts."""
    with (
        QueueServiceClient.from_connection_string(azurite) as queues,
        Watcher(azurite) as watcher,
    ):
        queue = queues.create_queue("watched")
        queue.send_message("a message")
        wanted = ("watched", "a message")
        deadline = time.monotonic() + 30
        while wanted not in watcher.seen and time.monotonic() < deadline:
            time.sleep(0.05)
        assert wanted in watcher.seen
        queue.clear_messages()
        assert watcher.counts()["watched"] == 0
        assert watcher.send(wanted)
        (again,) = queue.receive_messages()
        assert again.content == "a message"
        assert watcher.counts()["watched"] == 1
        assert not is_settled(watcher, quiet_seconds=0.1)
        queues.delete_queue("watched")
