from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from local.graph import Behaviour, Tenant
from local.graph.__main__ import main
from local.graph.demo import (
    APP_CLIENT_ID,
    APP_PRINCIPAL_ID,
    GROUP_EXTERNAL_AUDITORS,
    PAY_INVOICES,
)
from local.graph.tenant import load
from tests.local.graph.caller import EM, ROOT, Caller

PACKAGE = f"accessPackages/{PAY_INVOICES}"


async def control(graph: Caller, method: str, name: str, body: object = None) -> httpx.Response:
    """A call to the control plane, which takes no token."""
    content = None if body is None else msgspec.json.encode(body)
    return await graph.http.request(method, f"/__simulator/{name}", content=content)


async def test_the_behaviour_is_changed_in_part(graph: Caller) -> None:
    """Named fields change and the others stay, nested ones included."""
    await control(graph, "PUT", "behaviour", {"page_size": 7})
    changed = await control(graph, "PUT", "behaviour", {"throttle": {"limit": 3}})
    assert changed.json()["page_size"] == 7
    assert changed.json()["throttle"]["window_seconds"] == 10.0
    assert graph.behaviour.throttle is not None
    cleared = await control(graph, "PUT", "behaviour", {"throttle": None})
    assert cleared.json() == msgspec.to_builtins(Behaviour(page_size=7))


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("PUT", "behaviour", {"pageSize": 7}, 400),
        ("PUT", "behaviour", {"equal_ids": "maybe"}, 400),
        ("POST", "faults", {"kind": "explode"}, 400),
        ("POST", "faults", {"kind": "status", "path": "/"}, 400),
        ("PUT", "tenant", {"packages": []}, 400),
        ("PUT", "roles", {}, 400),
        ("PATCH", "behaviour", {}, 405),
        ("GET", "nothing", None, 404),
    ],
)
async def test_mistakes_are_told(
    graph: Caller, method: str, name: str, body: object, status: int
) -> None:
    """The control plane refuses what it does not know, and says what was wrong."""
    answer = await control(graph, method, name, body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_requests_are_logged_as_received(graph: Caller) -> None:
    """The log has the raw target, the body, whose token it was, and never the token itself."""
    target = f"{EM}/{PACKAGE}?%24expand=catalog&$select=id"
    await graph.send("GET", target, headers={"X-Ticket": "CHG1"})
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    await graph.http.get(f"{EM}/{PACKAGE}")
    await graph.http.get(f"{EM}/{PACKAGE}", headers={"Authorization": "Bearer garbage"})
    logged: list[Any] = (await control(graph, "GET", "requests")).json()["requests"]
    assert [one["token"] for one in logged] == [APP_CLIENT_ID, APP_CLIENT_ID, "none", "invalid"]
    assert [one["status"] for one in logged] == [200, 204, 401, 401]
    assert logged[0]["target"] == target
    assert logged[0]["headers"]["x-ticket"] == "CHG1"
    assert GROUP_EXTERNAL_AUDITORS in logged[1]["body"]
    assert all("authorization" not in one["headers"] for one in logged)


async def test_the_log_can_be_emptied(graph: Caller) -> None:
    """A cleared log starts anew, and control calls are never in it."""
    await graph.get(PACKAGE)
    await control(graph, "DELETE", "requests")
    await control(graph, "GET", "health")
    assert (await control(graph, "GET", "requests")).json() == {"requests": []}


async def test_the_timeline_tells_what_throttling_counts(graph: Caller) -> None:
    """Of each request its time, status and kind: a batch is a round trip, those in it count."""
    await graph.get(PACKAGE)
    inner = {"id": "1", "method": "GET", "url": "/identityGovernance/unknown"}
    await graph.send("POST", "/v1.0/$batch", body={"requests": [inner]})
    logged: list[Any] = (await control(graph, "GET", "requests")).json()["requests"]
    timeline = (await control(graph, "GET", "timeline")).json()["timeline"]
    assert [each[0] for each in timeline] == [one["time"] for one in logged]
    assert [each[1:] for each in timeline] == [[200, "alone"], [200, "batch"], [404, "inside"]]


async def test_faults_are_ordered_singly_or_in_a_list(graph: Caller) -> None:
    """Faults queue up in their order, show what is left of them, and can be forgotten."""
    await control(graph, "POST", "faults", {"kind": "status", "status": 500})
    await control(graph, "POST", "faults", [{"kind": "garbage"}, {"kind": "delay"}])
    await graph.get(PACKAGE)
    listed = (await control(graph, "GET", "faults")).json()["faults"]
    assert [(one["kind"], one["times"]) for one in listed] == [
        ("status", 0),
        ("garbage", 1),
        ("delay", 1),
    ]
    assert (await control(graph, "DELETE", "faults")).json() == {"faults": []}


async def test_the_tenant_shows_references_and_their_additions(graph: Caller) -> None:
    """The whole state can be read, with the number of adds of each reference."""
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    tenant = (await control(graph, "GET", "tenant")).json()
    [package] = [one for one in tenant["accessPackages"] if one["id"] == PAY_INVOICES]
    assert package["incompatibleGroups"] == [{"id": GROUP_EXTERNAL_AUDITORS, "additions": 1}]


async def test_a_tenant_survives_the_round_trip(graph: Caller, tmp_path: Path) -> None:
    """What the control plane shows can be put back, or be saved and loaded from a file."""
    before = await control(graph, "GET", "tenant")
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    restored = await control(graph, "PUT", "tenant", before.json())
    assert restored.status_code == 200
    assert await graph.ids(f"{PACKAGE}/incompatibleGroups") == []
    file = tmp_path / "tenant.json"
    file.write_bytes(before.content)
    assert load(file) == graph.simulator.tenant


async def test_roles_are_replaced(graph: Caller) -> None:
    """An app whose roles were taken may read nothing any more."""
    assert (await control(graph, "PUT", "roles", [])).json() == []
    assert (await graph.get(PACKAGE)).status_code == 403
    everywhere = {
        "principalId": APP_PRINCIPAL_ID,
        "roleDefinitionId": "44272f93-9762-48e8-af59-1b5351b1d6b3",
        "appScopeId": "/AccessPackageCatalog/" + graph.simulator.tenant.catalogs[0].id,
    }
    await control(graph, "PUT", "roles", [everywhere])
    assert (await graph.get(PACKAGE)).status_code == 200


async def test_reset_brings_back_the_start(graph: Caller) -> None:
    """Tenant, behaviour, faults and log are as they were at the start."""
    before = (await control(graph, "GET", "tenant")).json()
    await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    await control(graph, "PUT", "behaviour", {"page_size": 1})
    await control(graph, "POST", "faults", {"kind": "status"})
    await control(graph, "POST", "reset")
    assert (await control(graph, "GET", "tenant")).json() == before
    assert graph.behaviour == Behaviour()
    assert graph.simulator.log.requests == []
    assert (await graph.get(PACKAGE)).status_code == 200


def test_a_snapshot_is_untouched_by_later_writes() -> None:
    """A snapshot of a tenant is a copy all the way down."""
    tenant = msgspec.json.decode(b'{"groups":[{"id":"g","displayName":"G"}]}', type=Tenant)
    snapshot = tenant.snapshot()
    tenant.groups[0].members.append("another")
    assert snapshot.groups[0].members == []


async def test_the_control_plane_is_no_part_of_graph(graph: Caller) -> None:
    """Below the version there is no control plane."""
    answer = await graph.send("GET", "/v1.0/__simulator/health")
    assert answer.status_code == 404
    assert (await graph.http.get(f"{ROOT}/__simulator/health")).json() == {"status": "ok"}


def test_the_command_prints_its_settings(served: dict[str, str]) -> None:
    """The four settings that point an app at the simulator are printed before it serves."""
    assert list(served) == ["GRAPH_ROOT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID"]
    assert served["IDENTITY_ENDPOINT"] == f"{served['GRAPH_ROOT']}/msi/token"
    assert httpx.get(f"{served['GRAPH_ROOT']}/__simulator/health").status_code == 200


def test_the_command_refuses_a_wrong_behaviour(tmp_path: Path) -> None:
    """A behaviour file with an unknown field stops the command before it serves."""
    file = tmp_path / "behaviour.json"
    file.write_text('{"pages": 3}')
    with pytest.raises(msgspec.ValidationError, match="pages"):
        main(["--port", "0", "--behaviour", str(file)])
