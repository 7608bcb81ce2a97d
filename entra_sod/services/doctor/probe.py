"""The doctor's eyes: asks every service harmlessly, and keeps what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from entra_sod.core.clock import Clock
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.ports.roles import Roles
from entra_sod.ports.storage import Storage
from entra_sod.services.doctor.ask import or_error
from entra_sod.services.doctor.diagnosis import Diagnosis
from entra_sod.services.doctor.judge import judge
from entra_sod.services.doctor.look_at_graph import look_at_graph
from entra_sod.services.doctor.look_at_storage import look_at_queues, look_at_rights
from entra_sod.services.doctor.seen import Seen
from entra_sod.services.rules.book import RuleBook
from entra_sod.settings import Settings
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
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
    rules: RuleBook | None = None


async def examine(patient: Patient) -> list[Diagnosis]:
    """Look at everything, and judge it; no error that has a name is raised."""
    return judge(await _look(patient))


async def _look(patient: Patient) -> Seen:
    storage, graph, roles = patient.storage, patient.graph, patient.roles
    rules = await or_error(patient.rules.current()) if patient.rules else None
    named = rules.named_packages if isinstance(rules, RuleSet) else ()
    return Seen(
        now=patient.clock.now(),
        problems=patient.problems,
        settings=patient.settings,
        storage=await look_at_rights(storage) if storage else None,
        queues=await look_at_queues(storage) if storage else (),
        sweep=await or_error(SweepStore(storage, patient.clock).latest()) if storage else None,
        rules=rules,
        graph=await look_at_graph(graph, roles, named) if graph and roles else None,
    )
