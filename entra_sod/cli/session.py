"""What the commands need of the world outside: settings, Graph, rules, ledger."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.sign_in import LOGIN, PersonCredential, SignInFile, asks_as_person, person
from entra_sod.cli.storage import open_storage
from entra_sod.cli.terminal import err, shown
from entra_sod.core.clock import Clock, SystemClock
from entra_sod.core.errors import ConfigurationError, SodError
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.results.coverage import Coverage, Skipped
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.storage import Storage
from entra_sod.services.enforcement.damaged_entries import note_damaged
from entra_sod.services.rules.exception_subjects import ExceptionSubjects
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.rules.reviews import approve
from entra_sod.services.subjects.from_index import HoldersIndex
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.settings import GraphSettings, Settings, read_settings
from entra_sod.stores.exception_subjects import ExceptionSubjectStore
from entra_sod.stores.ledger import Ledger, LedgerState
from entra_sod.stores.rule_files import FolderRules
from entra_sod.stores.selections import SelectionStore
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True)
class OwnReferences:
    """What the ledger says that this app wrote.

    Attributes:
        written: the rules that each reference was written for.
        gaps: rows of the ledger that cannot be read.
    """

    written: Mapping[Reference, Sequence[str]] = field(default_factory=dict)
    gaps: Sequence[Skipped] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything a command works with.

    Attributes:
        storage: None where the environment names none: then nothing is known to be ours.
    """

    settings: Settings
    graph: GraphClient
    storage: Storage | None
    clock: Clock

    @property
    def ledger(self) -> Ledger | None:
        return Ledger(self.storage, self.clock) if self.storage else None

    @property
    def selections(self) -> SelectionStore | None:
        """What was reviewed of rules; None where nothing is remembered."""
        if self.storage is None or not self.settings.holds_selection_changes:
            return None
        return SelectionStore(self.storage, self.clock)

    @property
    def subjects(self) -> SubjectResolver:
        """What knows subjects by their names."""
        sweeps = SweepStore(self.storage, self.clock) if self.storage else None
        index = HoldersIndex(sweeps, self.clock) if sweeps else None
        return SubjectResolver(users=self.graph, index=index)

    @property
    def exception_subjects(self) -> ExceptionSubjects:
        """What knows whom exceptions are for; only the app remembers it."""
        store = ExceptionSubjectStore(self.storage, self.clock) if self.storage else None
        return ExceptionSubjects(self.subjects, store, remembers=False)

    async def rules(self, folder: Path) -> RuleSet:
        """Read and resolve the rules of a folder, with the packages that left them meanwhile."""
        return await self.provider(folder).current()

    async def rules_as_written(self, folder: Path) -> RuleSet:
        """Read and resolve the rules of a folder, whatever was reviewed of them."""
        return await self._provider(folder, None).current()

    async def approve_selections(
        self, rules: RuleSet, packages: Mapping[str, AccessPackage], *, by: str
    ) -> None:
        """Take what rules select for reviewed, as the plan made of them shows it.

        Args:
            rules: that the plan was made of.
            packages: that were read for the plan, with all groups that they grant.
            by: who approves.
        """
        if self.selections is not None:
            await approve(self.selections, rules.rules, packages, by=by)

    def provider(self, folder: Path) -> RulesProvider:
        """Make what reads and resolves the rules of a folder, as the app does."""
        return self._provider(folder, self.selections)

    def _provider(self, folder: Path, selections: SelectionStore | None) -> RulesProvider:
        source = FolderRules(folder, tell=err.print)
        subjects = self.exception_subjects
        return RulesProvider(source, self.graph, self.clock, selections, subjects=subjects)

    async def ours(self) -> OwnReferences:
        """Read the references that the ledger says this app wrote, and for which rules."""
        if self.ledger is None:
            return OwnReferences()
        ledger, notes = await self.ledger.read(), Coverage()
        note_damaged(ledger.damaged, notes)
        written = {
            reference: entry.rule_ids
            for reference, entry in ledger.entries.items()
            if entry.state is LedgerState.WRITTEN
        }
        return OwnReferences(written, notes.skipped)


@asynccontextmanager
async def open_session() -> AsyncIterator[Session]:
    """Make a session from the environment, and close its connections.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    settings, clock = read_settings(os.environ), SystemClock()
    graph = open_graph(os.environ, settings.graph)
    async with AsyncExitStack() as ending:
        ending.push_async_callback(graph.close)
        await say_who_asks(graph)
        storage = None
        if _names_storage():
            storage = await ending.enter_async_context(open_storage(os.environ))
        yield Session(settings=settings, graph=graph, storage=storage, clock=clock)


def open_graph(environment: Mapping[str, str], settings: GraphSettings) -> GraphClient:
    """Make a client that asks as the settings say; where they say nothing, as who is signed in.

    Raises:
        ConfigurationError: there is no sign-in.
    """
    return GraphClient(settings, credential=person_asking(environment, settings))


def person_asking(
    environment: Mapping[str, str], settings: GraphSettings
) -> PersonCredential | None:
    """Return who is signed in, if nothing names another identity.

    Raises:
        ConfigurationError: there is no sign-in.
    """
    return person(settings) if asks_as_person(environment) else None


def credential_source(environment: Mapping[str, str], settings: GraphSettings) -> str:
    """Say whose sign-in is used."""
    if asks_as_person(environment):
        return f"{LOGIN} ({SignInFile().path})"
    if environment.get("GRAPH_CREDENTIAL"):
        return f"GRAPH_CREDENTIAL={settings.credential}"
    return "the managed identity of this machine"


async def say_who_asks(graph: GraphClient) -> None:
    """Say as whom a tenant is read, and which tenant; what is read next says what is wrong."""
    try:
        principal = await graph.caller()
    except SodError:
        return
    who = principal.name or principal.principal_id
    if who:
        where = f" in tenant {principal.tenant_id}" if principal.tenant_id else ""
        err.print(f"as {shown(who)}{where}", style="dim")


def _names_storage() -> bool:
    return any(name.startswith("AzureWebJobsStorage") and os.environ[name] for name in os.environ)


def require_storage(session: Session) -> Storage:
    """Return the storage that writing needs, for the ledger and the evidence are there.

    Raises:
        ConfigurationError: the environment names no storage.
    """
    if session.storage is None:
        raise ConfigurationError(
            ["AzureWebJobsStorage is not set: writing needs the ledger that the app uses."]
        )
    return session.storage
