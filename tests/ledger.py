"""The ledger of a storage that tests share."""

from __future__ import annotations

from contextlib import suppress

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient

from functions.enforcement.ledger import TABLE


def forget_writes(connection_string: str) -> None:
    """Empty it, for a tenant that was made anew.

    What the ledger has as written a moment ago, and the lists do not show, is waited for: they may
    lag. Entries of an earlier test would make every write wait.
    """
    with (
        TableServiceClient.from_connection_string(connection_string) as tables,
        suppress(ResourceNotFoundError),
    ):
        table = tables.get_table_client(TABLE)
        for entry in list(table.list_entities()):
            table.delete_entity(entry)
