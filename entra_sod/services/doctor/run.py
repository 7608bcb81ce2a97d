"""The doctor's probes: sends a harmless request to every service, and stores the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.core.clock import Clock
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.ports.roles import Roles
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.diagnosis import Diagnosis
from entra_sod.services.doctor.evaluate import evaluate_probes
from entra_sod.services.doctor.probe_graph import probe_graph
from entra_sod.services.doctor.probe_results import ProbeResults, SweptPackages
from entra_sod.services.doctor.probe_storage import (
    probe_ledger,
    probe_queues,
    probe_storage_rights,
)
from entra_sod.services.doctor.results import value_or_error
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.settings import Settings
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticContext:
    """What is looked at; None where wrong settings stand in the way.

    Attributes:
        problems: of the settings, a sentence each.
    """

    clock: Clock
    problems: Sequence[str] = ()
    settings: Settings | None = None
    storage: Storage | None = None
    graph: Graph | None = None
    roles: Roles | None = None
    rules: RulesProvider | None = None


async def run_diagnostics(context: DiagnosticContext) -> list[Diagnosis]:
    """Look at everything, and judge it; no error that has a name is raised."""
    return evaluate_probes(await _probe(context))


async def _probe(context: DiagnosticContext) -> ProbeResults:
    storage, graph, roles = context.storage, context.graph, context.roles
    rules = await value_or_error(context.rules.at_hand()) if context.rules else None
    named = rules.named_packages if isinstance(rules, RuleSet) else ()
    return ProbeResults(
        now=context.clock.now(),
        problems=context.problems,
        settings=context.settings,
        storage=await probe_storage_rights(storage) if storage else None,
        queues=await probe_queues(storage) if storage else (),
        ledger=await value_or_error(probe_ledger(storage)) if storage else None,
        sweep=await value_or_error(SweepStore(storage, context.clock).latest())
        if storage
        else None,
        packages=await value_or_error(_packages(SweepStore(storage, context.clock)))
        if storage
        else None,
        rules=rules,
        graph=await probe_graph(graph, roles, named) if graph and roles else None,
    )


async def _packages(store: SweepStore) -> SweptPackages | None:
    """Read what the newest closed sweep says of packages; None where there is none."""
    summary = await last_summary(store)
    record = await store.get(summary.sweep_id) if summary else None
    data = await store.result(record) if record else None
    return msgspec.json.decode(data, type=SweptPackages) if data else None
