"""How often Graph is asked what packages grant, seen from Graph's own log."""

from __future__ import annotations

from uuid import UUID

from entra_sod.bootstrap.make_engine import make_engine
from entra_sod.bootstrap.make_records import Records, make_records
from entra_sod.core.clock import SystemClock
from entra_sod.domain.callers.identify import CallerSettings
from entra_sod.domain.rules.language import Mode, PackageSelector, Side
from entra_sod.ports.graph import Graph
from entra_sod.services.callers.admission import Admission
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import read_settings
from entra_sod.stores.grants import GrantStore
from functions.queues.process import process_message
from local.memory.sender import MemorySender
from local.memory.storage import MemoryStorage
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.tenant import ADMIN_CLIENT, APPROVE, CATALOG_OF, PAY
from tests.app import RulesInMemory, install_parts, wrapped
from tests.builders import rule


async def sweep(records: Records, graph: Graph) -> None:
    """Run one sweep in a process of its own: only storage knows what was read before."""
    sides = [Side(packages=[PackageSelector(id=UUID(each))]) for each in (PAY, APPROVE)]
    rules = RulesInMemory([rule("pay", *sides, mode=Mode.WARN)])
    book = RulesProvider(rules, graph, records.clock, None, GrantStore(records.storage))
    engine = make_engine(records, graph, book, read_settings({}), MemorySender())
    install_parts(records, engine, admission=Admission(CallerSettings(is_open=True), records.clock))
    await records.sweep_starter.start(traceparent="00-0-0-01")
    storage = records.storage
    assert isinstance(storage, MemoryStorage)
    while storage.sent:
        message = storage.sent.pop(0)
        await process_message(message.queue, wrapped(message.body))


def asked(simulator: Simulator) -> list[str]:
    """The packages of which Graph was asked what they grant."""
    targets = [each["target"] for each in simulator.control.requests()]
    return sorted(
        key for key in CATALOG_OF for each in targets if key in each and "RoleScopes" in each
    )


async def test_a_second_sweep_asks_for_no_grants_that_are_known(
    simulator: Simulator, connect: Connect
) -> None:
    """The first one asks once for each package of the tenant; it used to be so each night.

    Only a package of which not every grant can be understood is asked for again.
    """
    records, graph = (
        make_records(MemoryStorage(), SystemClock()),
        connect(AZURE_CLIENT_ID=ADMIN_CLIENT),
    )
    await sweep(records, graph)
    others = sorted(CATALOG_OF.keys() - {PAY})
    assert [each for each in asked(simulator) if each != PAY] == others
    known = asked(simulator).count(PAY)
    await sweep(records, graph)
    install_parts()
    assert [each for each in asked(simulator) if each != PAY] == others
    assert asked(simulator).count(PAY) == 2 * known
