"""What needs Graph and the rules as well; loaded by the worker, not by the HTTP functions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.http.sender import HttpSender
from entra_sod.adapters.rate_limit.limiters import SharedRateLimiter
from entra_sod.bootstrap import APP_FOLDER
from entra_sod.bootstrap.make_records import Records
from entra_sod.core.clock import Clock
from entra_sod.ports.graph import Graph
from entra_sod.ports.sender import Sender
from entra_sod.ports.subjects import DirectoryUsers
from entra_sod.services.checks.record import CheckRecorder
from entra_sod.services.checks.run import CheckRunner
from entra_sod.services.decisions.from_graph import GraphReader
from entra_sod.services.decisions.from_index import IndexReader
from entra_sod.services.decisions.grants import GrantReader
from entra_sod.services.decisions.identify import SubjectReader
from entra_sod.services.decisions.maker import DecisionMaker
from entra_sod.services.detection.detect import Detector
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.enforcement.reference_writer import ReferenceWriter
from entra_sod.services.findings.update import FindingsUpdater
from entra_sod.services.notifications.deliver import Deliverer
from entra_sod.services.report.make import ReportMaker
from entra_sod.services.rules.approvals import SelectionReviewer
from entra_sod.services.rules.exception_subjects import ExceptionSubjects
from entra_sod.services.rules.exceptions import ExceptionLister
from entra_sod.services.rules.overview import RulesOverview
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.subjects.detail import SubjectLookup
from entra_sod.services.subjects.from_index import HoldersIndex
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.services.subjects.search import SubjectSearch
from entra_sod.services.sweeps.enforce import SweepEnforcer
from entra_sod.services.sweeps.finalize import SweepFinalizer
from entra_sod.services.sweeps.planner import SweepPlanner
from entra_sod.services.sweeps.record import SweepRecorder
from entra_sod.services.sweeps.run import SweepRunner
from entra_sod.settings import DecisionSettings, NotificationSettings, Settings, read_settings
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.exception_subjects import ExceptionSubjectStore
from entra_sod.stores.grants import GrantStore
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.rule_files import rule_source
from entra_sod.stores.selections import SelectionStore
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What needs Graph and the rules as well: the work itself."""

    graph: Graph
    rules: RulesProvider
    decisions: DecisionMaker
    enforcer: Enforcer
    check_runner: CheckRunner
    sweep_runner: SweepRunner
    deliverer: Deliverer
    reports: ReportMaker
    subject_search: SubjectSearch
    subjects: SubjectLookup
    rules_overview: RulesOverview
    exceptions: ExceptionLister
    selections: SelectionReviewer


def make_engine(
    records: Records,
    graph: Graph,
    rules: RulesProvider,
    settings: Settings,
    sender: Sender,
) -> Engine:
    clock, sweeps, findings = records.clock, records.sweeps, records.findings
    enforcer = _enforcer(records, graph, settings)
    return Engine(
        graph=graph,
        rules=rules,
        decisions=make_decision_maker(sweeps, clock, graph, rules, settings.decisions),
        enforcer=enforcer,
        check_runner=_check_runner(records, graph, settings, enforcer),
        sweep_runner=_sweep_runner(records, graph, rules, settings, enforcer),
        deliverer=_deliverer(records, settings.notifications, sender),
        reports=_reports(records, graph, settings),
        subject_search=SubjectSearch(sweeps=sweeps, findings=findings, rules=rules),
        subjects=SubjectLookup(sweeps=sweeps, findings=findings, rules=rules),
        rules_overview=RulesOverview(
            provider=rules,
            sweeps=sweeps,
            findings=findings,
            controls=records.controls,
            clock=clock,
        ),
        exceptions=ExceptionLister(provider=rules, sweeps=sweeps, clock=clock),
        selections=_selection_reviewer(records, graph, rules, settings),
    )


def make_decision_maker(
    sweeps: SweepStore,
    clock: Clock,
    graph: Graph,
    rules: RulesProvider,
    settings: DecisionSettings,
) -> DecisionMaker:
    """Make what decides; the command line decides by the same."""
    subjects = SubjectReader(graph, sweeps)
    return DecisionMaker(
        graph=GraphReader(graph, subjects, clock),
        subjects=subjects,
        names=SubjectResolver(users=graph, index=HoldersIndex(sweeps, clock)),
        index=IndexReader(store=sweeps, clock=clock, oldest=settings.oldest_index),
        grants=GrantReader(graph, clock),
        rules=rules,
        clock=clock,
        denies_gaps=settings.denies_gaps,
        allows_unknown=settings.allows_unknown,
    )


def exception_subjects(records: Records, graph: DirectoryUsers) -> ExceptionSubjects:
    """Make what finds out whom exceptions are for, and remembers it."""
    store = ExceptionSubjectStore(records.storage, records.clock)
    index = HoldersIndex(records.sweeps, records.clock)
    return ExceptionSubjects(SubjectResolver(users=graph, index=index), store)


def _enforcer(records: Records, graph: Graph, settings: Settings) -> Enforcer:
    storage, clock = records.storage, records.clock
    return Enforcer(
        graph=graph,
        writer=ReferenceWriter(
            graph,
            Ledger(storage, clock),
            records.controls,
            clock,
            EvidenceWrites(storage.blobs),
        ),
        max_reference_writes=settings.max_reference_writes,
        max_writes_per_day=settings.max_writes_per_day,
        max_subjects=settings.max_subjects,
    )


def _check_runner(
    records: Records, graph: Graph, settings: Settings, enforcer: Enforcer
) -> CheckRunner:
    return CheckRunner(
        graph=graph,
        detector=Detector(graph, records.clock),
        enforcer=enforcer,
        store=records.checks,
        sweeps=records.sweeps,
        recorder=CheckRecorder(updater=_updater(records, settings), chain=records.chain),
        announcer=records.announcer,
        selections=_selections(records, settings),
        clock=records.clock,
        enforcement=settings.enforcement,
    )


def _reports(records: Records, graph: Graph, settings: Settings) -> ReportMaker:
    return ReportMaker(
        graph=graph,
        sweeps=records.sweeps,
        findings=records.findings,
        controls=records.controls,
        max_writes_per_day=settings.max_writes_per_day,
        clock=records.clock,
        graph_root=settings.graph.root,
    )


def _selection_reviewer(
    records: Records, graph: Graph, rules: RulesProvider, settings: Settings
) -> SelectionReviewer:
    return SelectionReviewer(
        graph=graph,
        provider=rules,
        store=_selections(records, settings),
        ledger=Ledger(records.storage, records.clock),
        sweeps=records.sweeps,
        clock=records.clock,
        prune=settings.prune,
    )


def _deliverer(records: Records, settings: NotificationSettings, sender: Sender) -> Deliverer:
    return Deliverer(
        subscriptions=records.subscriptions,
        checks=records.checks,
        sweeps=records.sweeps,
        findings=records.findings,
        sender=sender,
        outbox=records.outbox,
        announcer=records.announcer,
        clock=records.clock,
        hosts=settings.hosts,
        keys=settings.keys,
        chance=random.random,
    )


def _sweep_runner(
    records: Records,
    graph: Graph,
    rules: RulesProvider,
    settings: Settings,
    enforcer: Enforcer,
) -> SweepRunner:
    ledger = Ledger(records.storage, records.clock)
    planner = SweepPlanner(
        graph=graph,
        store=records.sweeps,
        outbox=records.outbox,
        ledger=ledger,
        enforcement=settings.enforcement,
    )
    finalizer = SweepFinalizer(
        rules=rules,
        enforcing=SweepEnforcer(
            graph=graph,
            enforcer=enforcer,
            ledger=ledger,
            selections=_selections(records, settings),
            enforcement=settings.enforcement,
            prune=settings.prune,
        ),
        store=records.sweeps,
        planner=planner,
        recorder=SweepRecorder(
            store=records.sweeps,
            updater=_updater(records, settings),
            chain=records.chain,
            announcer=records.announcer,
        ),
        announcer=records.announcer,
        clock=records.clock,
        confirm=settings.confirm_conflicts,
    )
    return SweepRunner(
        graph=graph,
        rules=rules,
        store=records.sweeps,
        planner=planner,
        finalizer=finalizer,
    )


def _selections(records: Records, settings: Settings) -> SelectionStore | None:
    return records.selections if settings.holds_selection_changes else None


def _updater(records: Records, settings: Settings) -> FindingsUpdater:
    return FindingsUpdater(store=records.findings, retention=settings.findings_retention)


def read_engine(environment: Mapping[str, str], records: Records) -> Engine:
    """Make the engine that the environment asks for.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    settings = read_settings(environment)
    source = rule_source(settings.rules, app_folder=APP_FOLDER, blobs=records.storage.blobs)
    rate = records.storage.table("throttle")
    limiter = SharedRateLimiter(rate, records.clock, settings.requests_per_10s)
    graph = GraphClient(settings.graph, limiter, records.clock)
    grants = GrantStore(records.storage)
    rules = RulesProvider(
        source,
        graph,
        records.clock,
        _selections(records, settings),
        grants,
        subjects=exception_subjects(records, graph),
    )
    return make_engine(records, graph, rules, settings, HttpSender(records.clock))
