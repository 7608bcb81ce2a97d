"""Who a finding is about: changed ids, and subjects that are no persons."""

from __future__ import annotations

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.model import Finding, FindingState, finding_id
from local.graph import odd_packages as packages
from local.graph.demo_people import make_id
from local.graph.odd import object_id, subject_id
from local.graph.odd_packages import COUNTERPART
from tests.adapters.graph.fixtures import Simulator
from tests.odd.setup import OddApp, between

pytestmark = pytest.mark.slow
PAIR = (packages.WITH_SUBJECT_KINDS, COUNTERPART)


@pytest.fixture(autouse=True)
def _app_is_put_back(make_app: object) -> None:
    """What a test installs is taken out again."""


def change_subject(simulator: Simulator, name: str, **changes: str) -> None:
    """Give a subject other properties, under whatever id it has from now on."""
    tenant = simulator.control.tenant()
    for subject in tenant["subjects"]:
        if subject["id"] == subject_id(name):
            subject.update(changes)
    for each in tenant["assignments"]:
        if each["targetId"] == subject_id(name):
            each["targetId"] = changes.get("id", each["targetId"])
    simulator.control.replace_tenant(tenant)


async def findings(app: OddApp) -> dict[str, Finding]:
    return {kept.finding.subject_key: kept.finding async for kept in app.records.findings.all()}


async def look(app: OddApp, way: str) -> None:
    app.clock.advance(60)
    await (app.swept() if way == "sweep" else app.check_ids(*PAIR))


@pytest.mark.parametrize("way", ["sweep", "check"])
async def test_a_finding_is_of_an_object_id(
    client: GraphClient, simulator: Simulator, way: str
) -> None:
    """It is named by the other id, which may change: the finding is the same, and stays open."""
    app = OddApp(client, between(*PAIR))
    await look(app, way)
    key = object_id("service principal")
    before = (await findings(app))[key]
    assert before.id == finding_id("r", Pair.of(*PAIR), subject_id("service principal"))
    change_subject(simulator, "service principal", id=make_id("another id"))
    await look(app, way)
    after = await findings(app)
    assert (len(after), after[key].id, after[key].subject_id) == (
        4,
        before.id,
        make_id("another id"),
    )
    assert after[key].state is FindingState.OPEN
    assert after[key].history == before.history


@pytest.mark.parametrize("way", ["sweep", "check"])
async def test_a_finding_is_carried_over_when_a_guest_gets_an_object_id(
    client: GraphClient, simulator: Simulator, way: str
) -> None:
    """It keeps its id, which tickets have, and its history; whatever changes after that."""
    app = OddApp(client, between(*PAIR))
    await look(app, way)
    before = (await findings(app))[subject_id("guest")]
    assert before.id == finding_id("r", Pair.of(*PAIR), subject_id("guest"))
    change_subject(simulator, "guest", objectId=object_id("guest"))
    for number in range(3):
        await look(app, way)
        after = await findings(app)
        carried = after[object_id("guest")]
        assert (len(after), carried.id, carried.history) == (4, before.id, before.history)
        if number == 1:
            change_subject(simulator, "guest", id=make_id("guest again"))


@pytest.mark.parametrize("way", ["sweep", "check"])
async def test_a_finding_says_what_its_subject_is(client: GraphClient, way: str) -> None:
    """As Graph writes it, in lists as well."""
    app = OddApp(client, between(*PAIR))
    await look(app, way)
    assert {key: each.subject_type for key, each in (await findings(app)).items()} == {
        subject_id("guest"): "user",
        object_id("service principal"): "servicePrincipal",
        subject_id("agent"): "servicePrincipal",
        object_id("future agent"): "unknownFutureValue",
    }
