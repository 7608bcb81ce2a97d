"""What needs Graph and the rules as well; loaded by the worker, not by the HTTP functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.checks.run import CheckRunner
from functions.detection.detect import Detector
from functions.enforcement.apply import Applier
from functions.enforcement.enforce import Enforcer
from functions.enforcement.ledger import Ledger
from functions.graph.client import GraphClient
from functions.graph.port import Graph
from functions.rules.source import RuleBook
from functions.settings import Settings, read_settings
from functions.storage.rule_files import rule_source
from functions.sweeps.run import SweepRunner
from functions.wiring.make_records import Records

APP_FOLDER = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What needs Graph and the rules as well: the work itself."""

    graph: Graph
    rules: RuleBook
    check_runner: CheckRunner
    sweep_runner: SweepRunner


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


def read_engine(environment: Mapping[str, str], records: Records) -> Engine:
    """Make the engine that the environment asks for.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    settings = read_settings(environment)
    source = rule_source(settings.rules, app_folder=APP_FOLDER, blobs=records.storage.blobs)
    graph = GraphClient(settings.graph)
    return make_engine(records, graph, RuleBook(source, graph, records.clock), settings)
