"""What the worker holds that only accepts checks and tells how they stand."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from benchmarks.processes import Checkpoint, measure
from benchmarks.report import Report, Row, mebibytes
from local.processes import Process, free_ports
from local.storage import connection_string

FULL, QUICK = 200, 2
# In the order in which the app meets them; the last with a managed identity only.
PACKAGES = (
    "asyncio",
    "azure.functions",
    "azure_functions_runtime",
    "function_app",
    "aiohttp",
    "azure.data.tables.aio",
    "azure.storage.queue.aio",
    "azure.identity.aio",
)
_WORDS = {
    "start": "an interpreter that has started",
    "indexed": "the app indexed by Microsoft's worker code",
    "first": "after the first POST and GET of a check",
}
_STORAGE_PORTS = 3


def run(*, quick: bool = False) -> Report:
    rounds = QUICK if quick else FULL
    with storage() as connection:
        settings = {
            "AzureWebJobsStorage": connection,
            "CALLER_KEYS": "anyone",
            "CALLER_REQUESTS_PER_MINUTE": "100000",
            "GRAPH_ROOT": "http://127.0.0.1:1",
        }
        served = measure("serve_http", rounds, environment=settings)
    imported = measure("import_modules", *PACKAGES)
    return Report(
        title="Resident memory of the HTTP path",
        rows=[*_served(served, rounds), *_imported(imported)],
    )


@contextmanager
def storage() -> Iterator[str]:
    """An Azurite of its own; yields its connection string."""
    port = free_ports(_STORAGE_PORTS)
    with Process([sys.executable, "-m", "local.storage", "--port", str(port)]) as azurite:
        azurite.wait_ready(lambda: "AzureWebJobsStorage=" in azurite.output(), 60)
        yield connection_string(port)


def _served(points: Sequence[Checkpoint], rounds: int) -> Iterator[Row]:
    first, *_, last = points
    yield Row(
        what=f"after {rounds} times POST /api/checks and GET /api/checks/{{id}}",
        measured=mebibytes(last.resident),
        beside=f"peak {mebibytes(last.peak)}",
    )
    yield Row(
        what="of msgraph, azure.identity, azure.storage.blob, loaded by then",
        measured=", ".join(last.facts["loaded"]) or "none",
        budget="none",
        is_met=not last.facts["loaded"],
    )
    yield Row(
        what=_WORDS["start"], measured=mebibytes(first.resident), beside="the floor of any worker"
    )
    for before, after in pairwise(points[:-1]):
        yield _growth(_WORDS[after.name], before, after)


def _imported(points: Sequence[Checkpoint]) -> Iterator[Row]:
    for before, after in pairwise(points):
        yield _growth(f"import of `{after.name}`, after those above", before, after)


def _growth(what: str, before: Checkpoint, after: Checkpoint) -> Row:
    grown = after.resident - before.resident
    return Row(what=what, measured=mebibytes(after.resident), beside=f"+ {mebibytes(grown)}")
