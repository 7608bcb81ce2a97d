"""One contract for extensions and policies: in memory, and over HTTP to the simulator."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from entra_sod.cli.operations.extensions import wire
from entra_sod.cli.operations.extensions.apply import apply
from entra_sod.cli.operations.extensions.client import ExtensionsClient
from entra_sod.cli.operations.extensions.model import LogicApp, NewExtension, Policy
from entra_sod.cli.operations.extensions.plan import (
    attached,
    custom_extension,
    plan_install,
    plan_remove,
)
from entra_sod.cli.operations.extensions.port import Extensions
from entra_sod.cli.operations.extensions.read import find_catalog, read_catalog
from entra_sod.core.errors import Forbidden, NotFound, Rejected, Unavailable
from entra_sod.settings import read_settings
from local.processes import CHECKOUT
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.tenant import APPROVE, FINANCE, ORDER, PAY, TREASURY
from tests.builders import guid
from tests.cli.operations.extensions.hooked import (
    APPROVERS,
    EMPLOYEES,
    GUESTS,
    MAIL,
    POLICIES,
    RICH,
    SUBSCRIPTION,
    expected,
    hooked_tenant,
    memory_extensions,
    owner_role,
)

NAME = "entra-sod"
LOGIC_APP = LogicApp(subscription_id=SUBSCRIPTION, resource_group="sod", workflow="launch")
NEW = NewExtension(display_name=NAME, logic_app=LOGIC_APP, wait_hours=24)


class Answerer:
    """One of the two, and how to change who asks."""

    def __init__(self, graph: Extensions, simulator: Simulator | None) -> None:
        self.graph = graph
        self._simulator = simulator

    def own(self, *, owns: bool) -> None:
        """Make the identity an owner of the catalog, or no more than a manager of its packages."""
        if self._simulator is None:
            self.graph.may_own = owns  # type: ignore[attr-defined]
        else:
            role = msgspec.to_builtins(owner_role(guid("f1"), owns=owns))
            self._simulator.control.replace_roles(role)

    async def questions(self, policy_id: str) -> list[dict[str, Any]]:
        """What requestors are asked by a policy, as the tenant itself holds it."""
        if self._simulator is None:
            rest: bytes = self.graph.policies[policy_id].rest  # type: ignore[attr-defined]
            kept: dict[str, Any] = msgspec.json.decode(rest)
        else:
            packages = self._simulator.control.tenant()["accessPackages"]
            policies = [each for package in packages for each in package["assignmentPolicies"]]
            (kept,) = [each for each in policies if each["id"] == policy_id]
        questions: list[dict[str, Any]] = kept["questions"]
        return questions


@pytest.fixture(params=["memory", "simulator"])
async def answerer(
    request: pytest.FixtureRequest,
    simulator: Simulator,
    few_certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Answerer]:
    if request.param == "memory":
        yield Answerer(memory_extensions(), None)
        return
    monkeypatch.setenv("SSL_CERT_FILE", str(few_certificates))
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, simulator.settings[name])
    simulator.control.replace_tenant(msgspec.to_builtins(hooked_tenant()))
    client = ExtensionsClient(read_settings(simulator.settings).graph)
    found = Answerer(client, simulator)
    found.own(owns=True)
    yield found
    await client.close()


@pytest.fixture
def graph(answerer: Answerer) -> Extensions:
    return answerer.graph


async def test_catalogs_and_packages_are_those_that_may_be_read(graph: Extensions) -> None:
    """One catalog, its packages, and the ids of their policies."""
    assert [each.id for each in await graph.catalogs()] == [FINANCE]
    found = {each.id: each.policy_ids for each in await graph.packages(FINANCE)}
    assert found == {PAY: (EMPLOYEES, GUESTS), APPROVE: (APPROVERS,), ORDER: ()}
    assert await graph.packages(TREASURY) == []


@pytest.mark.parametrize("policy_id", POLICIES)
async def test_a_policy_is_read_with_all_that_it_says(graph: Extensions, policy_id: str) -> None:
    """Stage settings apart; the rest as it is, whatever it is."""
    package_id, said, _ = POLICIES[policy_id]
    found = await graph.policy(package_id, policy_id)
    assert found == expected(policy_id)
    assert msgspec.json.decode(found.rest) == said


async def test_an_extension_is_made_as_it_was_wanted(graph: Extensions) -> None:
    """It is listed with its name, its Logic App, and as one that a request waits for."""
    await graph.create(FINANCE, NEW)
    (made,) = [each for each in await graph.extensions(FINANCE) if each.id != MAIL]
    assert (made.display_name, made.logic_app, made.waits) == (NAME, LOGIC_APP, True)


@pytest.mark.parametrize("policy_id", POLICIES)
async def test_writing_a_policy_changes_its_stage_settings_alone(
    graph: Extensions, policy_id: str
) -> None:
    """What was attached before stays, and nothing else is lost by the replacement."""
    await graph.create(FINANCE, NEW)
    (made,) = [each for each in await graph.extensions(FINANCE) if each.id != MAIL]
    before = expected(policy_id)
    await graph.replace(attached(before, made.id))
    after = await graph.policy(before.package_id, policy_id)
    assert after.settings == (*before.settings, custom_extension(made.id))
    assert after.rest == before.rest


async def test_an_extension_in_use_is_not_deleted(graph: Extensions) -> None:
    """It has to be taken off every policy first; then it is gone."""
    with pytest.raises(Rejected):
        await graph.delete(FINANCE, MAIL)
    await graph.replace(replace(expected(EMPLOYEES), settings=()))
    await graph.delete(FINANCE, MAIL)
    assert await graph.extensions(FINANCE) == []
    with pytest.raises(NotFound):
        await graph.delete(FINANCE, MAIL)


async def test_a_setting_must_name_an_extension_of_the_catalog(graph: Extensions) -> None:
    """An unknown extension is refused, and the policy stays."""
    with pytest.raises(Rejected):
        await graph.replace(attached(expected(GUESTS), guid("ee")))
    assert await graph.policy(PAY, GUESTS) == expected(GUESTS)


async def test_a_manager_writes_policies_and_makes_no_extension(answerer: Answerer) -> None:
    """Extensions want an owner of the catalog."""
    answerer.own(owns=False)
    await answerer.graph.replace(expected(GUESTS))
    for refused in (
        answerer.graph.create(FINANCE, NEW),
        answerer.graph.delete(FINANCE, MAIL),
        answerer.graph.extensions(TREASURY),
        answerer.graph.policy(PAY, guid("99")),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_installed_and_removed_the_policies_are_the_very_same(graph: Extensions) -> None:
    """The whole way over the door; between the two, only named packages are hooked."""
    catalog = await find_catalog(graph, "finance")
    seen = await read_catalog(graph, catalog)
    plan = plan_install(seen, named={PAY}, name=NAME, logic_app=LOGIC_APP, wait_hours=24)
    assert (await apply(graph, plan)).failed == []
    hooked = await read_catalog(graph, catalog)
    assert {key for key in POLICIES if hooked.policies[key] != seen.policies[key]} == {
        EMPLOYEES,
        GUESTS,
    }
    assert plan_install(hooked, named={PAY}, name=NAME, logic_app=None, wait_hours=24).is_empty
    assert (await apply(graph, plan_remove(hooked, name=NAME))).failed == []
    assert await read_catalog(graph, catalog) == seen


async def test_questions_to_requestors_survive_install_and_remove(answerer: Answerer) -> None:
    """They are a relation that PUT replaces: both writes carry them."""
    graph = answerer.graph
    catalog = await find_catalog(graph, "finance")
    seen = await read_catalog(graph, catalog)
    plan = plan_install(seen, named={PAY}, name=NAME, logic_app=LOGIC_APP, wait_hours=24)
    assert {each.id for each in (await apply(graph, plan)).written} == {EMPLOYEES, GUESTS}
    assert await answerer.questions(EMPLOYEES) == RICH["questions"]
    removal = plan_remove(await read_catalog(graph, catalog), name=NAME)
    assert {each.id for each in (await apply(graph, removal)).written} == {EMPLOYEES, GUESTS}
    assert await answerer.questions(EMPLOYEES) == RICH["questions"]


@pytest.mark.parametrize("said", [{}, {"questions": None}, {"questions@odata.context": "…"}])
def test_a_policy_that_came_without_its_questions_says_so(said: dict[str, Any]) -> None:
    """An empty list says that there are none; nothing at all says nothing."""
    read = {"id": GUESTS, "customExtensionStageSettings": [], **said}
    assert not wire.policy(PAY, read).shows_questions
    assert wire.policy(PAY, {**read, "questions": []}).shows_questions


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"id": "x"},
        {"id": "x", "customExtensionStageSettings": None},
        {"id": 3, "customExtensionStageSettings": []},
        {"id": "x", "customExtensionStageSettings": [None]},
        {"id": "x", "customExtensionStageSettings": [{"customExtension": {"id": "y"}}]},
    ],
)
def test_a_policy_without_its_stage_settings_is_no_answer(found: dict[str, Any]) -> None:
    """Taken for a policy without any, it would lose them when it is written."""
    with pytest.raises(Unavailable):
        wire.policy(PAY, found)


def test_what_graph_sets_itself_is_not_written_back() -> None:
    """Times, annotations and relations stay away; an unknown property of tomorrow does not."""
    read = {
        "@odata.context": "…",
        "id": GUESTS,
        "createdDateTime": "2025-01-01T00:00:00Z",
        "modifiedDateTime": "2025-01-01T00:00:00Z",
        "questions@odata.context": "…",
        "customExtensionStageSettings@odata.context": "…",
        "displayName": "Guests",
        "ofTomorrow": {"a": [1, 2.5, None]},
        "customExtensionStageSettings": [
            {"id": "s", "stage": "x", "new": True, "customExtension": {"id": MAIL, "more": 1}}
        ],
    }
    body = msgspec.json.decode(wire.policy_body(wire.policy(PAY, read)))
    extension = {"@odata.type": hook_type(), "id": MAIL}
    assert body == {
        "id": GUESTS,
        "accessPackage": {"id": PAY},
        "displayName": "Guests",
        "ofTomorrow": {"a": [1, 2.5, None]},
        "customExtensionStageSettings": [{"stage": "x", "new": True, "customExtension": extension}],
    }


def hook_type() -> str:
    body: dict[str, Any] = msgspec.json.decode(custom_extension(MAIL).body)
    kind: str = body["customExtension"]["@odata.type"]
    return kind


def test_the_bodies_have_the_documented_names() -> None:
    """Every property and type that custom-extension.md names, and no other."""
    shared = Path(os.environ.get("ENTRA_SOD_SHARED", CHECKOUT.parent / "shared"))
    file = shared / "graph-contract" / "custom-extension.md"
    if not file.exists():
        pytest.skip("no graph-contract beside the checkout; ENTRA_SOD_SHARED names another place")
    lines = file.read_text(encoding="utf-8").splitlines()
    (create,) = [line for line in lines if line.strip().startswith('`{"@odata.type"')]
    documented = {*re.findall(r'"([^"]+)"', create)} - {"PT1H"}
    sent = wire.extension_body(NEW).decode()
    values = {NAME, SUBSCRIPTION, "sod", "launch", "PT24H"}
    description = "Asks entra-sod whether a request would bring duties together."
    assert {*re.findall(r'"([^"]+)"', sent)} - values - {description} == documented
    (attach,) = [line for line in lines if '[{"stage":"assignmentRequestCreated"' in line]
    shown = attach.partition("`[{")[2].partition("}]`")[0]
    ours = custom_extension(MAIL).body.decode()
    assert {*re.findall(r'"([^"]+)"', shown)} - {"…"} == {*re.findall(r'"([^"]+)"', ours)} - {MAIL}


def test_a_policy_round_trips_through_its_own_body() -> None:
    """What is written is what would be read again."""
    for policy_id in POLICIES:
        policy: Policy = expected(policy_id)
        body = msgspec.json.decode(wire.policy_body(policy))
        assert wire.policy(policy.package_id, body) == policy
