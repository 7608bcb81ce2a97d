"""What the commands need of the world outside: settings, Graph, rules, ledger."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import ConfigurationError
from entra_sod.domain.entra import Reference
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import Settings, read_settings
from entra_sod.stores.ledger import Ledger, LedgerState
from entra_sod.stores.rule_files import FolderRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything a command works with.

    Attributes:
        ledger: None where the environment names no storage: then nothing is known to be ours.
    """

    settings: Settings
    graph: GraphClient
    ledger: Ledger | None
    clock: Clock

    async def rules(self, folder: Path) -> RuleSet:
        """Read and resolve the rules of a folder."""
        source = FolderRules(folder, tell=err.print)
        return await RulesProvider(source, self.graph, self.clock).current()

    async def ours(self) -> Sequence[Reference]:
        """The references that the ledger says this app wrote."""
        if self.ledger is None:
            return []
        return [
            entry.reference
            async for entry in self.ledger.entries()
            if entry.state is LedgerState.WRITTEN
        ]


@asynccontextmanager
async def open_session() -> AsyncIterator[Session]:
    """Make a session from the environment, and close its connections.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    settings, clock = read_settings(os.environ), SystemClock()
    graph = GraphClient(settings.graph)
    async with AsyncExitStack() as ending:
        ending.push_async_callback(graph.close)
        ledger = None
        if _names_storage():
            storage = await ending.enter_async_context(open_storage(os.environ))
            ledger = Ledger(storage, clock)
        yield Session(settings=settings, graph=graph, ledger=ledger, clock=clock)


def _names_storage() -> bool:
    return any(name.startswith("AzureWebJobsStorage") and os.environ[name] for name in os.environ)


def require_ledger(session: Session) -> Ledger:
    """Return the ledger that writing needs.

    Raises:
        ConfigurationError: the environment names no storage.
    """
    if session.ledger is None:
        raise ConfigurationError(
            ["AzureWebJobsStorage is not set: writing needs the ledger that the app uses."]
        )
    return session.ledger
