import time

import httpx
import pytest

from local.graph import Simulator
from local.graph.demo import GROUP_EXTERNAL_AUDITORS, PAY_INVOICES
from local.graph.faults import Fault, FaultKind, Match
from tests.local.graph.caller import Caller, error_code

PACKAGE = f"accessPackages/{PAY_INVOICES}"
GROUPS = f"{PACKAGE}/incompatibleGroups"


def order(simulator: Simulator, *faults: Fault) -> None:
    simulator.faults.ordered += faults


async def statuses(graph: Caller, *paths: str) -> list[int]:
    return [(await graph.get(path)).status_code for path in paths]


async def test_a_fault_hits_as_often_as_ordered(graph: Caller) -> None:
    """A fault lets the ordered number of requests pass, then hits, then is used up."""
    order(graph.simulator, Fault(kind="status", status=502, skip=1, times=2))
    assert await statuses(graph, *[PACKAGE] * 5) == [200, 502, 502, 200, 200]


async def test_a_fault_hits_what_it_matches(graph: Caller) -> None:
    """Method and part of the path must both fit, and other requests do not use it up."""
    fault = Fault(kind="status", match=Match(method="GET", path_contains="incompatibleGroups"))
    order(graph.simulator, fault)
    assert (await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)).status_code == 204
    assert await statuses(graph, PACKAGE, GROUPS, GROUPS) == [200, 503, 200]


async def test_faults_are_used_in_their_order(graph: Caller) -> None:
    """Each request is hit by the first fault that is due."""
    order(graph.simulator, Fault(kind="status", status=500), Fault(kind="status", status=504))
    assert await statuses(graph, *[PACKAGE] * 3) == [500, 504, 200]


@pytest.mark.parametrize("retry_after", [7, "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
async def test_a_fault_says_when_to_come_back(graph: Caller, retry_after: str | int) -> None:
    """Retry-After is passed on as it was ordered."""
    order(graph.simulator, Fault(kind="status", status=429, retry_after=retry_after))
    answer = await graph.get(PACKAGE)
    assert answer.headers["retry-after"] == str(retry_after)
    assert error_code(answer) == "ServiceError"


@pytest.mark.parametrize("kind", ["apply-then-status", "status"])
async def test_a_write_may_be_applied_and_then_fail(graph: Caller, kind: FaultKind) -> None:
    """A 504 after a write hides whether it was carried out."""
    order(graph.simulator, Fault(kind=kind, status=504, match=Match(method="POST")))
    answer = await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    assert answer.status_code == 504
    assert len(await graph.ids(GROUPS)) == (1 if kind == "apply-then-status" else 0)


async def test_a_cut_body_is_no_json(graph: Caller) -> None:
    """A truncated answer has the status and type of a whole one, and does not parse."""
    order(graph.simulator, Fault(kind="truncate-json"))
    answer = await graph.get(PACKAGE)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        answer.json()


async def test_garbage_is_a_page_for_people(graph: Caller) -> None:
    """A gateway's HTML stands in for Graph's JSON, with any status."""
    order(graph.simulator, Fault(kind="garbage", status=200))
    answer = await graph.get(PACKAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    assert answer.text.startswith("<html>")


async def test_a_delay_only_costs_time(graph: Caller) -> None:
    """A delayed answer is whole."""
    order(graph.simulator, Fault(kind="delay", seconds=0.2))
    started = time.monotonic()
    assert (await graph.get(PACKAGE)).status_code == 200
    assert time.monotonic() - started >= 0.2


async def test_latency_applies_to_every_request(graph: Caller) -> None:
    """The latency of the behaviour delays each answer."""
    graph.behaviour.latency_ms = 100
    started = time.monotonic()
    await statuses(graph, PACKAGE, PACKAGE)
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("kind", ["drop-connection", "apply-then-drop"])
async def test_a_connection_may_be_dropped(graph: Caller, kind: FaultKind) -> None:
    """A dropped connection gives no answer, whether or not the write was carried out."""
    order(graph.simulator, Fault(kind=kind))
    with pytest.raises(ConnectionResetError):
        await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)
    assert graph.simulator.log.requests[-1].status == 0
    assert len(await graph.ids(GROUPS)) == (1 if kind == "apply-then-drop" else 0)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("drop-connection", "without sending a response"),
        ("cut-connection", "without sending complete message body"),
    ],
)
def test_connections_break_on_the_wire(served: dict[str, str], kind: str, message: str) -> None:
    """Over real HTTP the client sees the connection close, before or within the answer."""
    root = served["GRAPH_ROOT"]
    httpx.post(f"{root}/__simulator/faults", json={"kind": kind}).raise_for_status()
    with pytest.raises(httpx.RemoteProtocolError, match=message):
        httpx.get(f"{root}/v1.0/anything")
    assert httpx.get(f"{root}/v1.0/anything").status_code == 401


async def test_gets_may_be_redirected(graph: Caller) -> None:
    """A redirect leads to another host with the same path and query; writes are not redirected."""
    graph.behaviour.redirect_to = "elsewhere.example"
    answer = await graph.get(f"{PACKAGE}?$select=id")
    assert answer.status_code == 302
    location = httpx.URL(answer.headers["location"])
    assert (location.host, location.path) == ("elsewhere.example", answer.request.url.path)
    assert (await graph.add_group(PAY_INVOICES, GROUP_EXTERNAL_AUDITORS)).status_code == 204


async def test_redirects_are_limited_to_a_path(graph: Caller) -> None:
    """Only what lies below the prefix is redirected."""
    graph.behaviour.redirect_to = "elsewhere.example"
    graph.behaviour.redirect_path = "/v1.0/roleManagement/"
    assert (await graph.get(PACKAGE)).status_code == 200
