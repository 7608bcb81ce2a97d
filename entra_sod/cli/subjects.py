"""Which subjects are meant by ids and names on the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from entra_sod.cli.choices import NoSuchChoice
from entra_sod.core.clock import SystemClock
from entra_sod.ports.storage import Storage
from entra_sod.services.subjects.from_index import HoldersIndex
from entra_sod.services.subjects.resolve import SubjectNotResolved, SubjectResolver
from entra_sod.settings import read_settings
from entra_sod.stores.sweeps import SweepStore


@asynccontextmanager
async def open_subjects(
    environment: Mapping[str, str], storage: Storage | None
) -> AsyncIterator[SubjectResolver]:
    """Open what knows subjects by name: the directory, and the last sweep's index.

    Args:
        environment: that names the tenant.
        storage: of the app; without it only the directory is asked.

    Raises:
        ConfigurationError: there is no sign-in, or a setting is wrong.
    """
    from entra_sod.cli.session import open_graph, say_who_asks  # slow, and most calls name ids

    graph, clock = open_graph(environment, read_settings(environment).graph), SystemClock()
    try:
        await say_who_asks(graph)
        index = HoldersIndex(SweepStore(storage, clock), clock) if storage else None
        yield SubjectResolver(users=graph, index=index)
    finally:
        await graph.close()


async def resolve_subject(resolver: SubjectResolver, wanted: str) -> str:
    """Return the id of the subject that a person means by an id or a user principal name.

    Raises:
        NoSuchChoice: saying why it is not known, and what to do.
    """
    try:
        return (await resolver.resolve_one(wanted)).id
    except SubjectNotResolved as error:
        raise NoSuchChoice(str(error)) from error
