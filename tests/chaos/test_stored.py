"""What chaos does to storage, on storage."""

from __future__ import annotations

import time

import pytest
from azure.data.tables import EdmType, EntityProperty, TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from tests.chaos.stored import (
    Planned,
    Watcher,
    is_settled,
    jump_clock,
    newest_planned,
    rows,
    shift,
)

HOUR = 3600


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
    assert shift(value, 2 * HOUR) == later


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
    assert jump_clock(azurite, "jumping", -HOUR) == 1
    (row,) = rows(azurite, "jumping")
    assert row["at"] == "2026-11-22T09:00:00+00:00"
    assert row["until"].value == 1_779_996_400_000
    assert row["tokens"] == 42
    assert jump_clock(azurite, "nowhere", -HOUR) == 0


def test_a_jump_undoes_nothing_that_was_written_meanwhile(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that has changed since it was read is left as it is, and counts as not moved."""
    row = {"PartitionKey": "p", "RowKey": "r", "until": "2026-11-22T10:00:00+00:00"}
    with TableServiceClient.from_connection_string(azurite) as tables:
        table = tables.create_table("racing")
        table.create_entity(row)
        read = list(table.list_entities())
        table.update_entity({**row, "until": ""})
    monkeypatch.setattr(TableClient, "list_entities", lambda _: read)
    assert jump_clock(azurite, "racing", HOUR) == 0
    monkeypatch.undo()
    assert [each["until"] for each in rows(azurite, "racing")] == [""]


def test_the_newest_sweep_is_known_once_it_is_planned(new_azurite: str) -> None:
    """With its plan, and the parts of it that are done."""
    with (
        TableServiceClient.from_connection_string(new_azurite) as tables,
        BlobServiceClient.from_connection_string(new_azurite) as blobs,
    ):
        table = tables.create_table("sweeps")
        assert newest_planned(new_azurite) is None
        table.create_entity({"PartitionKey": "latest", "RowKey": "sweep", "sweepId": "s"})
        table.create_entity({"PartitionKey": "s", "RowKey": "sweep"})
        assert newest_planned(new_azurite) is None
        blobs.create_container("sweeps").upload_blob("s/plan", b"the plan")
        table.update_entity({"PartitionKey": "s", "RowKey": "sweep", "planBlob": "s/plan"})
        table.create_entity({"PartitionKey": "s", "RowKey": "part-000002", "blob": "b"})
        assert newest_planned(new_azurite) == Planned("s", b"the plan", frozenset({2}))


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
