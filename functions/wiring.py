"""Puts the parts together: the only place that knows which adapter stands behind which port.

Made on first use, once per process and inside its running loop, so that importing the app reads no
setting and loads nothing heavy. Storage is made apart from the rest: with a wrong Graph setting, a
failure can still be written where its owner sees it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from functions.checks.idempotency import IdempotencyKeys
from functions.checks.run import CheckRunner
from functions.checks.start import CheckStarter
from functions.checks.store import CheckStore
from functions.clock import Clock, SystemClock
from functions.dead_letters import DeadLetters
from functions.detection.detect import Detector
from functions.enforcement.apply import Applier
from functions.enforcement.enforce import Enforcer
from functions.enforcement.ledger import Ledger
from functions.graph.client import GraphClient
from functions.graph.port import Graph
from functions.rules.source import RuleBook
from functions.settings import Settings, StorageSettings, read_settings, read_storage_settings
from functions.storage.ports import Storage
from functions.storage.rule_files import rule_source
from functions.sweeps.run import SweepRunner
from functions.sweeps.start import SweepStarter
from functions.sweeps.store import SweepStore

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

APP_FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What needs storage alone: accepting, telling, and noting failures."""

    storage: Storage
    clock: Clock
    checks: CheckStore
    sweeps: SweepStore
    dead_letters: DeadLetters
    check_starter: CheckStarter
    sweep_starter: SweepStarter


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What needs Graph and the rules as well: the work itself."""

    graph: Graph
    rules: RuleBook
    check_runner: CheckRunner
    sweep_runner: SweepRunner


def make_records(storage: Storage, clock: Clock) -> Records:
    checks, sweeps = CheckStore(storage, clock), SweepStore(storage, clock)
    return Records(
        storage=storage,
        clock=clock,
        checks=checks,
        sweeps=sweeps,
        dead_letters=DeadLetters(storage.blobs, clock),
        check_starter=CheckStarter(
            store=checks,
            keys=IdempotencyKeys(storage, clock),
            queues=storage.queues,
            clock=clock,
        ),
        sweep_starter=SweepStarter(store=sweeps, queues=storage.queues, clock=clock),
    )


def make_engine(records: Records, graph: Graph, rules: RuleBook, settings: Settings) -> Engine:
    clock = records.clock
    detector, ledger = Detector(graph, clock), Ledger(records.storage, clock)
    enforcer = Enforcer(
        graph=graph,
        applier=Applier(graph, ledger, clock),
        max_reference_writes=settings.max_reference_writes,
    )
    return Engine(
        graph=graph,
        rules=rules,
        check_runner=CheckRunner(
            graph=graph,
            detector=detector,
            enforcer=enforcer,
            store=records.checks,
            clock=clock,
            enforcement=settings.enforcement,
        ),
        sweep_runner=SweepRunner(
            graph=graph,
            detector=detector,
            enforcer=enforcer,
            ledger=ledger,
            store=records.sweeps,
            clock=clock,
            enforcement=settings.enforcement,
            prune=settings.prune,
        ),
    )


@dataclass(slots=True)
class _Installed:
    records: Records | None = None
    engine: Engine | None = None


_installed = _Installed()


def install(records: Records | None = None, engine: Engine | None = None) -> None:
    """Use these parts from now on; without them, make them anew from the environment.

    For programs that bring their own, such as tests with the in-memory adapters.
    """
    _installed.records, _installed.engine = records, engine


def records() -> Records:
    """The process's records.

    Raises:
        ConfigurationError: naming what is wrong with the storage settings.
    """
    if _installed.records is None:
        storage = _azure_storage(read_storage_settings(os.environ))
        _installed.records = make_records(storage, SystemClock())
    return _installed.records


def engine() -> Engine:
    """The process's engine.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    if _installed.engine is None:
        settings, kept = read_settings(os.environ), records()
        source = rule_source(settings.rules, app_folder=APP_FOLDER, blobs=kept.storage.blobs)
        book = RuleBook(source, kept.clock)
        _installed.engine = make_engine(kept, GraphClient(settings.graph), book, settings)
    return _installed.engine


def _azure_storage(settings: StorageSettings) -> Storage:
    from functions.storage.azure import AzureStorage

    def credential() -> AsyncTokenCredential:
        from functions.graph.credential import managed_identity

        return managed_identity(settings.client_id)

    return AzureStorage(settings, credential)
