"""The doctor's eyes: asks every service harmlessly, and keeps what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.clock import Clock
from functions.doctor.ask import or_error
from functions.doctor.diagnosis import Diagnosis
from functions.doctor.judge import judge
from functions.doctor.look_at_graph import look_at_graph
from functions.doctor.look_at_storage import look_at_queues, look_at_rights
from functions.doctor.seen import RulesSeen, Seen, SweepSeen
from functions.errors import SodError
from functions.graph.port import Graph
from functions.roles.port import Roles
from functions.rules.source import RuleBook
from functions.settings import Settings
from functions.storage.ports import Storage
from functions.sweeps.store import SweepStore


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
    rules = await _rules(patient.rules) if patient.rules else None
    named = rules.packages if rules else ()
    return Seen(
        now=patient.clock.now(),
        problems=patient.problems,
        settings=patient.settings,
        storage=await look_at_rights(storage) if storage else None,
        queues=await look_at_queues(storage) if storage else (),
        sweep=await _sweep(SweepStore(storage, patient.clock)) if storage else None,
        rules=rules,
        graph=await look_at_graph(graph, roles, named) if graph and roles else None,
    )


async def _sweep(store: SweepStore) -> SweepSeen:
    found = await or_error(store.latest())
    if isinstance(found, SodError):
        return SweepSeen(error=found)
    if found is None:
        return SweepSeen()
    return SweepSeen(status=str(found.status), id=found.id, started_at=found.started_at)


async def _rules(book: RuleBook) -> RulesSeen:
    found = await or_error(book.current())
    if isinstance(found, SodError):
        return RulesSeen(error=found)
    return RulesSeen(
        summary=f"{len(found.rules)} rules, {len(found.duties)} pairs, {found.hash}",
        older=book.problem or "",
        packages=found.named_packages,
    )
