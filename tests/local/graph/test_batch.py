from typing import Any

import pytest

from local.graph import Throttle
from local.graph.demo import (
    APPROVE_INVOICES,
    GROUP_EXTERNAL_AUDITORS,
    PAY_INVOICES,
    RELEASE_PAYMENTS,
)
from local.graph.faults import Fault, Match
from tests.local.graph.caller import ROOT, Caller, additional_access

BASE = "/identityGovernance/entitlementManagement"
PACKAGE = f"{BASE}/accessPackages/{PAY_INVOICES}"
JSON = {"Content-Type": "application/json"}


def get(name: str, url: str = PACKAGE, **more: object) -> dict[str, object]:
    return {"id": name, "method": "GET", "url": url, **more}


def add_group(name: str) -> dict[str, object]:
    return {
        "id": name,
        "method": "POST",
        "url": f"{PACKAGE}/incompatibleGroups/$ref",
        "headers": JSON,
        "body": {"@odata.id": f"{ROOT}/v1.0/groups/{GROUP_EXTERNAL_AUDITORS}"},
    }


async def batch(graph: Caller, *requests: object) -> dict[str, Any]:
    answer = await graph.send("POST", "/v1.0/$batch", body={"requests": requests})
    assert answer.status_code == 200, answer.text
    return {response["id"]: response for response in answer.json()["responses"]}


async def test_every_request_has_its_own_answer(graph: Caller) -> None:
    """Reads, writes and refusals of one batch each have their status, and the outer one is 200."""
    function = f"{BASE}/{additional_access(PAY_INVOICES, APPROVE_INVOICES)}"
    responses = await batch(
        graph,
        get("package"),
        get("both", function),
        add_group("add"),
        get("hidden", f"{BASE}/accessPackages/{RELEASE_PAYMENTS}"),
        get("unknown", "/nothing"),
    )
    statuses = {name: response["status"] for name, response in responses.items()}
    assert statuses == {"package": 200, "both": 200, "add": 204, "hidden": 403, "unknown": 404}
    assert len(responses["both"]["body"]["value"]) == 7
    assert "body" not in responses["add"]
    assert responses["hidden"]["body"]["error"]["code"] == "UnAuthorized"
    assert responses["package"]["headers"]["Content-Type"].startswith("application/json")


async def test_the_order_of_answers_is_no_promise(graph: Caller) -> None:
    """Answers come in another order than the requests, so that ids must be used."""
    answer = await graph.send("POST", "/v1.0/$batch", body={"requests": [get("1"), get("2")]})
    assert [response["id"] for response in answer.json()["responses"]] == ["2", "1"]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [get(str(number)) for number in range(21)],
        [get("same"), get("same")],
        [get("1", ROOT + PACKAGE)],
        [get("1", PACKAGE.removeprefix("/"))],
        [get("1", f"/v1.0{PACKAGE}")],
        [{**add_group("1"), "headers": {}}],
        [get("1", dependsOn=["2"]), get("2")],
        [{"id": "1", "method": "GET"}],
        [{**get("1"), "id": 1}],
    ],
)
async def test_a_malformed_batch_is_refused_as_a_whole(
    graph: Caller, requests: list[object]
) -> None:
    """Too many requests, repeated ids, and urls that are not root-relative are bad requests."""
    answer = await graph.send("POST", "/v1.0/$batch", body={"requests": requests})
    assert answer.status_code == 400
    assert len(graph.simulator.log.requests) == 1


async def test_twenty_requests_are_fine(graph: Caller) -> None:
    """The limit itself is allowed."""
    responses = await batch(graph, *(get(str(number)) for number in range(20)))
    assert {response["status"] for response in responses.values()} == {200}


async def test_inner_requests_are_throttled(graph: Caller) -> None:
    """The throttle counts inner requests, and refuses them one by one with Retry-After inside."""
    graph.behaviour.throttle = Throttle(limit=2, window_seconds=10)
    responses = await batch(graph, get("1"), get("2"), get("3"))
    assert [responses[name]["status"] for name in "123"] == [200, 200, 429]
    assert responses["3"]["headers"]["Retry-After"] == "10"


async def test_faults_hit_inner_requests(graph: Caller) -> None:
    """A fault is ordered for inner requests like for any; a broken connection is a 504 there."""
    graph.simulator.faults.ordered += [
        Fault(kind="status", match=Match(path_contains="incompatibleGroups")),
        Fault(kind="drop-connection", match=Match(path_contains="accessPackages/")),
    ]
    responses = await batch(graph, get("dropped"), add_group("refused"), get("fine"))
    assert [responses[name]["status"] for name in ("dropped", "refused", "fine")] == [504, 503, 200]


async def test_what_depends_on_a_failure_is_not_done(graph: Caller) -> None:
    """A request that depends on a failed one is answered 424 and not sent."""
    failing = get("first", f"{BASE}/accessPackages/{RELEASE_PAYMENTS}")
    responses = await batch(graph, failing, {**add_group("then"), "dependsOn": ["first"]})
    assert responses["then"]["status"] == 424
    assert graph.simulator.index.packages[PAY_INVOICES].incompatible_groups == []


async def test_the_log_names_the_batch_of_an_inner_request(graph: Caller) -> None:
    """Inner requests are logged with the number of the batch that carried them."""
    await batch(graph, get("1"))
    outer, inner = graph.simulator.log.requests
    assert (outer.batch, inner.batch) == (None, outer.number)
    assert inner.target == f"/v1.0{PACKAGE}"


async def test_a_batch_needs_a_token(graph: Caller) -> None:
    """Without a token the batch is refused as a whole, and so is any method but POST."""
    answer = await graph.http.post("/v1.0/$batch", json={"requests": [get("1")]})
    assert answer.status_code == 401
    assert (await graph.send("GET", "/v1.0/$batch")).status_code == 405
