"""docs/reference/tables-and-blobs.md: what lies where in the app's storage."""

from __future__ import annotations

from entra_sod.domain.messages import POISON_SUFFIX, QUEUE_FUNCTIONS
from entra_sod.stores.places import PLACES
from local.reference.markdown import code, page, table

_TEXT = """
Everything is in the one storage account of the app. Tables have no soft delete. Blobs can be
brought back for `SOFT_DELETE_DAYS`. [Restore](../how-to/upgrade-and-restore.md#restore) has the
steps after a loss.
"""


def storage_page() -> str:
    heads = ("name", "content", "of people", "kept", "if it is lost")
    blocks = ["Tables", "Containers", "Queues"]
    made = [_TEXT]
    for title in blocks:
        kind = title.lower().removesuffix("s")
        rows = [
            (code(each.name), each.content, each.people, each.kept, each.if_lost)
            for each in PLACES
            if each.kind == kind
        ]
        made += [f"## {title}", table(heads, rows)]
    functions = [
        (code(queue), code(work), code(queue + POISON_SUFFIX), code(poison))
        for queue, (work, poison) in QUEUE_FUNCTIONS.items()
    ]
    titles = ("queue", "function", "queue of failed messages", "function that stores them")
    return page("Tables, containers and queues", *made, table(titles, functions))
