"""What earlier tests left in a storage that they share."""

from __future__ import annotations

from contextlib import suppress

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueServiceClient

from entra_sod.stores import dead_letters, findings, ledger, selections, sweeps, write_controls


def clear_leftovers(connection_string: str) -> None:
    """Forget what was found, written, swept, queued and given up, for a tenant that was made anew.

    What the ledger has as written a moment ago, and the lists do not show, is waited for: they may
    lag. A sweep that another test's host was killed in would be joined by the next one. What was
    approved of a rule would be missed in the tenant that was made anew.
    """
    _forget_rows(connection_string, findings.TABLE)
    _forget_rows(connection_string, ledger.TABLE)
    _forget_rows(connection_string, selections.TABLE)
    _forget_rows(connection_string, sweeps.TABLE)
    _forget_rows(connection_string, write_controls.TABLE)
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in queues.list_queues():
            queues.get_queue_client(queue.name).clear_messages()
    with ContainerClient.from_connection_string(connection_string, dead_letters.CONTAINER) as kept:
        for name in _names(kept):
            kept.delete_blob(name)


def _forget_rows(connection_string: str, table: str) -> None:
    with (
        TableServiceClient.from_connection_string(connection_string) as tables,
        suppress(ResourceNotFoundError),
    ):
        client = tables.get_table_client(table)
        for entry in list(client.list_entities()):
            client.delete_entity(entry)


def _names(container: ContainerClient) -> list[str]:
    try:
        return list(container.list_blob_names())
    except ResourceNotFoundError:
        return []
