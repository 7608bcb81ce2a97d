"""Each right and each setting taken away in turn: the doctor names exactly that one.

Storage is Azurite, asked with signatures that lack one right; Graph is the simulator.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import azure.data.tables
import azure.storage.blob
import azure.storage.queue
import pytest
from azure.core.credentials import AzureNamedKeyCredential

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.roles import RolesClient
from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.bootstrap.make_doctor import read_diagnostic_context
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import ConfigurationError
from entra_sod.domain.rules.language import PackageSelector, Side
from entra_sod.ports.storage import Blobs, Queues, Storage, Table
from entra_sod.services.doctor.diagnosis import Diagnosis, DiagnosisResult
from entra_sod.services.doctor.run import DiagnosticContext, run_diagnostics
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import StorageSettings
from local.graph.authorization import ACCESS_PACKAGE_MANAGER, CATALOG_READER, CATALOG_SCOPE
from local.memory.storage import MemoryStorage
from tests.adapters.graph.fixtures import Simulator
from tests.adapters.graph.tenant import APPROVE, FINANCE, PAY, TREASURY
from tests.adapters.storage.test_storage_contract import no_identity
from tests.app import RulesInMemory
from tests.builders import guid, rule
from tests.services.doctor.contexts import of, wrong

SIDES = [Side(packages=[PackageSelector(id=UUID(package_id))]) for package_id in (PAY, APPROVE)]
RULES = [rule("r", *SIDES)]
EVERY_RIGHT = "rwdlacup"


@pytest.fixture
def environment(
    simulator: Simulator, few_certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The settings of an app that writes."""
    monkeypatch.setenv("SSL_CERT_FILE", str(few_certificates))
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, simulator.settings[name])
    return {**simulator.settings, "ENFORCEMENT": "apply"}


class Examine:
    """Looks at an app with these settings and this storage."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.storage: Storage = MemoryStorage()
        self._clients: list[GraphClient | RolesClient] = []

    async def __call__(self) -> Sequence[Diagnosis]:
        found = read_diagnostic_context(self.environment, lambda: self.storage)
        graph, roles = found.graph, found.roles
        assert isinstance(graph, GraphClient)
        assert isinstance(roles, RolesClient)
        self._clients += [graph, roles]
        return await run_diagnostics(
            DiagnosticContext(
                clock=SystemClock(),
                settings=found.settings,
                storage=self.storage,
                graph=graph,
                roles=roles,
                rules=RulesProvider(RulesInMemory(RULES), graph, SystemClock()),
            )
        )

    async def close(self) -> None:
        for each in self._clients:
            await each.close()


@pytest.fixture
async def look(environment: dict[str, str]) -> AsyncIterator[Examine]:
    made = Examine(environment)
    yield made
    await made.close()


def role(definition: str, catalog_id: str) -> dict[str, str]:
    scope = f"{CATALOG_SCOPE}{catalog_id}"
    return {"principalId": guid("f1"), "roleDefinitionId": definition, "appScopeId": scope}


def refuse(path: str) -> Callable[[Simulator], None]:
    """403 to every request whose address has this in it."""
    fault = {"kind": "status", "status": 403, "times": 100, "match": {"path_contains": path}}
    return lambda simulator: simulator.control.add_faults(fault)


# What is taken away of Graph, and what is wrong then, that alone.
GRAPH: dict[str, tuple[Callable[[Simulator], None], list[str]]] = {
    "nothing": (lambda _: None, []),
    "the licence": (
        lambda simulator: simulator.control.behave(licensed=False),
        ["Graph: licence"],
    ),
    "every role": (
        lambda simulator: simulator.control.replace_roles(),
        ["Graph: access packages"],
    ),
    "the role on the catalog of the rules": (
        lambda simulator: simulator.control.replace_roles(role(ACCESS_PACKAGE_MANAGER, TREASURY)),
        ["Graph: packages of the rules"],
    ),
    "the right to write": (
        lambda simulator: simulator.control.replace_roles(role(CATALOG_READER, FINANCE)),
        ["catalog Finance: write"],
    ),
    "the list of packages": (refuse("accessPackages?"), ["Graph: access packages"]),
    "what packages grant": (refuse("resourceRoleScopes"), ["catalog Finance: resources"]),
    "assignments": (refuse("/assignments?"), ["catalog Finance: assignments"]),
    "references": (refuse("incompatibleGroups"), ["catalog Finance: references"]),
    "additionalAccess": (
        lambda simulator: simulator.control.behave(additional_access="forbidden"),
        [],
    ),
    "reading roles": (refuse("roleAssignments"), []),
}


@pytest.mark.parametrize("taken", GRAPH)
async def test_of_graph(look: Examine, simulator: Simulator, taken: str) -> None:
    """One right less, one line wrong, with what to do about it."""
    take_away, expected = GRAPH[taken]
    take_away(simulator)
    diagnoses = await look()
    assert wrong(diagnoses) == expected
    assert all(each.advice for each in diagnoses if each.result is DiagnosisResult.WRONG)


async def test_nothing_is_written_to_graph(look: Examine, simulator: Simulator) -> None:
    """Every question is a GET, and the tenant is as it was."""
    before = simulator.control.tenant()
    await look()
    assert {each["method"] for each in simulator.requests()} == {"GET"}
    assert simulator.control.tenant() == before


async def test_additional_access_refused_is_a_note(look: Examine, simulator: Simulator) -> None:
    """There is another way, so nothing has to be done."""
    simulator.control.behave(additional_access="forbidden")
    assert "Graph: additionalAccess" in of(await look(), DiagnosisResult.NOTE)


async def test_roles_that_cannot_be_read_leave_the_right_to_write_open(
    look: Examine, simulator: Simulator
) -> None:
    """No write is tried to find out."""
    refuse("roleAssignments")(simulator)
    assert of(await look(), DiagnosisResult.UNKNOWN) == ["catalog Finance: write"]


async def test_a_reader_is_enough_to_plan(look: Examine, simulator: Simulator) -> None:
    """With ENFORCEMENT=plan the role of a reader lacks nothing."""
    look.environment["ENFORCEMENT"] = "plan"
    simulator.control.replace_roles(role(CATALOG_READER, FINANCE))
    assert wrong(await look()) == []


async def test_of_the_identity(look: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing identity is reported as that, and not as a missing right."""
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    assert wrong(await look()) == ["Graph: token"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENFORCEMENT", "always"),
        ("GRAPH_CLOUD", "mars"),
        ("GRAPH_ROOT", "http://graph.example.com"),
        ("GRAPH_CREDENTIAL", "password"),
        ("AZURE_CLIENT_ID", "entra-sod"),
        ("MAX_REFERENCE_WRITES", "-1"),
        ("GRAPH_REQUESTS_PER_10S", "0"),
        ("SWEEP_SCHEDULE", "daily"),
        ("PRUNE", "maybe"),
        ("WEBHOOK_SIGNING_KEYS", "secret"),
    ],
)
async def test_of_the_settings(name: str, value: str) -> None:
    """One setting wrong, one line wrong, with its name; storage is looked at nevertheless."""
    diagnoses = await run_diagnostics(read_diagnostic_context({name: value}, MemoryStorage))
    assert wrong(diagnoses) == ["settings"]
    (diagnosis,) = [each for each in diagnoses if each.result is DiagnosisResult.WRONG]
    assert name in diagnosis.detail
    assert "storage: blobs" in of(diagnoses, DiagnosisResult.OK)


async def test_of_the_storage_settings() -> None:
    """No way to storage is a wrong setting."""

    def nowhere() -> Storage:
        raise ConfigurationError(["AzureWebJobsStorage is not set"])

    context = replace(read_diagnostic_context({}, nowhere), graph=None, roles=None)
    diagnoses = await run_diagnostics(context)
    assert wrong(diagnoses) == ["settings"]
    assert not [each for each in diagnoses if each.what.startswith("storage")]


@dataclass
class Mixed:
    """Storage of which each service is asked in its own way."""

    blobs: Blobs
    queues: Queues
    tables: Callable[[str], Table]

    def table(self, name: str) -> Table:
        return self.tables(name)

    async def probe(self) -> Mapping[str, str]:
        return {}

    async def close(self) -> None:
        return


def without(connection: str, service: str, rights: str) -> str:
    """A connection string for one service, by a signature that lacks some rights."""
    parts = dict(part.split("=", 1) for part in connection.rstrip(";").split(";"))
    left = "".join(each for each in EVERY_RIGHT if each not in rights)
    rest: dict[str, Any] = {
        "resource_types": {
            "blobs": azure.storage.blob.ResourceTypes,
            "queues": azure.storage.queue.ResourceTypes,
            "tables": azure.data.tables.ResourceTypes,
        }[service](service=True, container=True, object=True)
        if service != "tables"
        else azure.data.tables.ResourceTypes(service=True, object=True),
        "expiry": datetime.now(UTC) + timedelta(hours=1),
    }
    name, key = parts["AccountName"], parts["AccountKey"]
    if service == "blobs":
        signature = azure.storage.blob.generate_account_sas(name, key, permission=left, **rest)
    elif service == "queues":
        signature = azure.storage.queue.generate_account_sas(name, key, permission=left, **rest)
    else:
        account = AzureNamedKeyCredential(name, key)
        permission = azure.data.tables.AccountSasPermissions.from_string(left)
        signature = azure.data.tables.generate_account_sas(account, permission=permission, **rest)
    endpoints = ";".join(f"{each}={parts[each]}" for each in parts if each.endswith("Endpoint"))
    return f"{endpoints};SharedAccessSignature={signature}"


# The letters of the right that is taken away, and the word for it.
STORAGE = [
    ("queues", "a", "send"),
    ("queues", "r", "read"),
    ("queues", "p", "take"),
    ("tables", "a", "insert"),
    ("tables", "r", "read"),
    ("tables", "u", "update"),
    ("tables", "d", "delete"),
    ("blobs", "wc", "write"),
    ("blobs", "r", "read"),
    ("blobs", "l", "list"),
    ("blobs", "d", "delete"),
]


@pytest.mark.filterwarnings("ignore:Testing an element:DeprecationWarning")  # of the SDK itself
@pytest.mark.parametrize(("service", "rights", "word"), STORAGE)
async def test_of_storage(
    look: Examine, azurite: str, service: str, rights: str, word: str
) -> None:
    """One right less on one service, one line wrong."""
    whole = AzureStorage(StorageSettings(connection_string=azurite), no_identity)
    less = AzureStorage(
        StorageSettings(connection_string=without(azurite, service, rights)), no_identity
    )
    # The canary's places exist, as after the first deployment.
    await whole.queues.send("doctor", b"{}")
    await whole.table("doctor").delete("p", "none")
    await whole.blobs.put("doctor", "doctor", b"canary")
    look.storage = Mixed(
        blobs=(less if service == "blobs" else whole).blobs,
        queues=(less if service == "queues" else whole).queues,
        tables=(less if service == "tables" else whole).table,
    )
    diagnoses = await look()
    for each in (whole, less):
        await each.close()
    assert wrong(diagnoses) == [f"storage: {service}: {word}"]


async def test_of_a_whole_service(look: Examine, azurite: str) -> None:
    """A service of which nothing works is one line, not one for each right."""
    whole = AzureStorage(StorageSettings(connection_string=azurite), no_identity)
    none = azurite.replace("AccountKey=", "AccountKey=AAAA")
    gone = AzureStorage(StorageSettings(connection_string=none), no_identity, retries=0)
    look.storage = Mixed(blobs=gone.blobs, queues=whole.queues, tables=whole.table)
    diagnoses = await look()
    for each in (whole, gone):
        await each.close()
    assert wrong(diagnoses) == ["storage: blobs"]


async def test_the_doctor_leaves_nothing_but_its_canary(look: Examine, azurite: str) -> None:
    """However often it looks, no message piles up, and no row and no blob is left."""
    whole = AzureStorage(StorageSettings(connection_string=azurite), no_identity)
    before = (await whole.queues.state("doctor")).length
    look.storage = whole
    for _ in range(2):
        assert wrong(await look()) == []
    assert (await whole.queues.state("doctor")).length == before
    assert [each async for each in whole.blobs.names("doctor")] == []
    assert [each async for each in whole.table("doctor").rows()] == []
    await whole.close()
    assert "AzureWebJobsStorage" not in os.environ
