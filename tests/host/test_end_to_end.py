"""The whole way, HTTP or timer → queue → worker → Graph → answer, on the local host.

Real worker code, real Azurite, real azure-identity and msgraph-sdk; Graph is the strict simulator.
"""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from local.graph.demo import (
    APPROVE_INVOICES,
    MAINTAIN_VENDORS,
    ORDER_GOODS,
    PAY_INVOICES,
    RECEIVE_GOODS,
    RELEASE_PAYMENTS,
)
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = pytest.mark.host

PAIR = (PAY_INVOICES, APPROVE_INVOICES)


def additions(world: Stage) -> Counter[tuple[str, str, str]]:
    """Every incompatible reference of the simulated tenant, and how often it was added."""
    kinds = {"group": "incompatibleGroups", "package": "incompatibleAccessPackages"}
    return Counter(
        {
            (package["id"], kind, each["id"]): each["additions"]
            for package in world.graph.tenant()["accessPackages"]
            for kind, name in kinds.items()
            for each in package.get(name, ())
        }
    )


def triples(views: list[dict[str, str]]) -> set[tuple[str, str, str]]:
    return {(view["accessPackageId"], view["kind"], view["targetId"]) for view in views}


def test_a_check_plans_and_writes_nothing_by_default(world: Stage) -> None:
    """Seven people both pay and approve; four references are planned, and Graph stays as it is."""
    answer = Caller(world.start_host().url).check(*PAIR, reference="CHG-1")
    assert (answer["outcome"], answer["holderCount"]) == ("conflict", 7)
    assert len(answer["references"]["planned"]) == 4
    assert additions(world).total() == 0


def test_apply_writes_each_reference_once_and_a_second_check_none(world: Stage) -> None:
    """Both directions and both kinds are in the tenant once; the next check finds them present."""
    caller = Caller(world.start_host(ENFORCEMENT="apply").url)
    first = caller.check(*PAIR)
    written = triples(first["references"]["written"])
    assert len(written) == 4
    assert additions(world) == dict.fromkeys(written, 1)
    second = caller.check(*reversed(PAIR))
    assert triples(second["references"]["present"]) == written
    assert additions(world) == dict.fromkeys(written, 1)


def test_the_tenant_then_refuses_what_the_rule_forbids(world: Stage) -> None:
    """The timer's sweep writes all enforced pairs and is honest about the one it may not read."""
    host = world.start_host(ENFORCEMENT="apply")
    answer = Caller(host.url).sweep(host)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"] == {"total": 6, "conflict": 4, "clear": 1, "unknown": 1}
    assert triples(answer["references"]["written"]) == set(additions(world))
    assert any(RELEASE_PAYMENTS in each["what"] for each in answer["coverage"]["skipped"])


def test_a_pair_that_may_not_be_read_is_unknown(world: Stage) -> None:
    """The app has no role on the other catalog: unknown, with the role to grant."""
    answer = Caller(world.start_host(ENFORCEMENT="apply").url).check(
        APPROVE_INVOICES, RELEASE_PAYMENTS
    )
    assert (answer["status"], answer["outcome"]) == ("completed", "unknown")
    assert "Access package manager" in answer["coverage"]["skipped"][0]["why"]
    assert additions(world).total() == 0


@pytest.mark.slow
@pytest.mark.parametrize("refusal", ["forbidden", "bad-request"])
def test_without_additional_access_the_two_lists_are_used(world: Stage, refusal: str) -> None:
    """Refused once, remembered, and the answer is the same by the other way."""
    world.graph.behave(additional_access=refusal)
    caller = Caller(world.start_host().url)
    answers = [caller.check(*PAIR), caller.check(MAINTAIN_VENDORS, PAY_INVOICES)]
    assert [each["holderCount"] for each in answers] == [7, 4]
    assert {each["coverage"]["checked"][0]["how"] for each in answers} == {"assignments"}
    asked = [each for each in world.graph.requests() if "additionalAccess" in each["target"]]
    assert len(asked) == 1


BEHAVIOURS: Mapping[str, dict[str, Any]] = {
    "empty pages": {"empty_pages": 3, "page_size": 2},
    "lag by 3 reads": {"lag_reads": 3},
    "400 for a duplicate": {"duplicate_reference": "bad-request", "lag_reads": 2},
    "409 for a duplicate": {"duplicate_reference": "conflict", "lag_reads": 2},
    "no states": {"missing_state": True},
    "pascal case": {"state_case": "pascal"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_an_undocumented_behaviour_changes_no_result(world: Stage, name: str) -> None:
    """However Graph behaves where it is not documented, holders and references are right."""
    world.graph.behave(**BEHAVIOURS[name])
    answer = Caller(world.start_host(ENFORCEMENT="apply").url).check(*PAIR)
    assert (answer["outcome"], answer["holderCount"]) == ("conflict", 7)
    assert additions(world) == dict.fromkeys(triples(answer["references"]["written"]), 1)
    assert additions(world).total() == 4


REF = {"method": "POST", "path_contains": "$ref"}
FAULTS: Mapping[str, dict[str, Any]] = {
    "504 after the write": {"kind": "apply-then-status", "status": 504, "match": REF},
    "503 before the write": {"kind": "status", "status": 503, "match": REF},
    "429 on a write": {"kind": "status", "status": 429, "retry_after": 1, "match": REF},
    "long 429 on a read": {"kind": "status", "status": 429, "retry_after": 11},
    "short 429 on a read": {"kind": "status", "status": 429, "retry_after": 1},
    "connection lost after the write": {"kind": "apply-then-drop", "match": REF},
    "connection lost": {"kind": "drop-connection"},
    "JSON cut short": {
        "kind": "truncate-json",
        "match": {"path_contains": "additionalAccess"},
    },
    "502 with garbage": {"kind": "garbage", "status": 502},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_delays_the_answer_and_changes_nothing_in_it(world: Stage, name: str) -> None:
    """After whatever fault the check completes, and each reference was added exactly once."""
    world.graph.behave(duplicate_reference="no-content")
    world.graph.add_faults({"times": 1, **FAULTS[name]})
    answer = Caller(world.start_host(ENFORCEMENT="apply").url).check(*PAIR)
    assert (answer["outcome"], answer["holderCount"]) == ("conflict", 7)
    assert additions(world) == dict.fromkeys(triples(answer["references"]["written"]), 1)
    assert additions(world).total() == 4


@pytest.mark.slow
def test_a_throttling_graph_is_waited_for(world: Stage) -> None:
    """Six requests in two seconds are all there are; five checks end right all the same."""
    world.graph.behave(throttle={"limit": 6, "window_seconds": 2.0, "retry_after": "seconds"})
    caller = Caller(world.start_host().url)
    locations = [caller.start(*PAIR) for _ in range(5)]
    assert [caller.wait(each)["holderCount"] for each in locations] == [7] * 5


def test_a_message_that_is_no_base64_is_kept_as_poison(world: Stage) -> None:
    """Rubbish on the queue is taken aside with a reason, and the next check is answered."""
    host = world.start_host()
    with QueueClient.from_connection_string(world.storage, "conflict-checks") as queue:
        queue.send_message("?? no base64 ??")
    assert Caller(host.url).check(ORDER_GOODS, RECEIVE_GOODS)["outcome"] == "clear"
    dead_letter = wait_for_letter(world, b"?? no base64 ??")
    assert "not base64 of a JSON object" in dead_letter["reason"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [("{", "not base64 of a JSON object"), ('{"version": 7, "id": "%s"}', "version 7")],
)
def test_a_message_that_cannot_be_read_tells_its_owner(
    world: Stage, body: str, reason: str
) -> None:
    """Not JSON, or of another version: kept with the reason, which the named check has, too."""
    check_id = "11111111-2222-4333-8444-" + f"{time.time_ns():012x}"[-12:]
    text = body.replace("%s", check_id)
    host = world.start_host()
    with QueueClient.from_connection_string(
        world.storage, "conflict-checks", message_encode_policy=TextBase64EncodePolicy()
    ) as queue:
        queue.send_message(text)
    assert reason in wait_for_letter(world, text.encode())["reason"]
    if check_id in text:
        answer = Caller(host.url).wait(f"{host.url}/api/checks/{check_id}")
        assert answer["status"] == "failed"
        assert reason in answer["coverage"]["skipped"][0]["why"]


def wait_for_letter(world: Stage, body: bytes) -> dict[str, str]:
    """Wait until a message with this body is among the poison."""
    from azure.storage.blob import ContainerClient

    deadline = time.monotonic() + 30
    with ContainerClient.from_connection_string(world.storage, "poison") as container:
        while time.monotonic() < deadline:
            names = list(container.list_blob_names()) if container.exists() else []
            for name in names:
                dead_letter: dict[str, str] = json.loads(container.download_blob(name).readall())
                if base64.b64decode(dead_letter["body"]) == body:
                    return dead_letter
            time.sleep(0.2)
    raise TimeoutError("no such letter")


def test_wrong_settings_are_named_where_the_caller_sees_them(world: Stage) -> None:
    """A wrong setting leaves the check with its name on the status, and ready says it, too."""
    host = world.start_host(ENFORCEMENT="always", MAX_REFERENCE_WRITES="many")
    location = Caller(host.url).start(*PAIR)
    note = wait_for_note(location)
    assert "ENFORCEMENT must be off, plan or apply." in note
    assert "MAX_REFERENCE_WRITES must be" in note
    ready = httpx.get(f"{host.url}/api/ready", timeout=30)
    assert ready.status_code == 503
    assert "ENFORCEMENT" in ready.json()["checks"]["graph"]


def wait_for_note(location: str) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if note := httpx.get(location, timeout=30).json().get("note"):
            return str(note)
        time.sleep(0.1)
    raise TimeoutError("no note")


def test_storage_that_is_not_configured_is_a_clear_503(world: Stage) -> None:
    """Without storage nothing can be accepted, and the problem says which setting is missing."""
    host = world.start_host(AzureWebJobsStorage__queueServiceUri="https://a.example")
    answer = httpx.post(f"{host.url}/api/checks", json={}, timeout=30)
    assert answer.status_code == 422
    body = {"accessPackageId": PAIR[0], "incompatibleAccessPackageId": PAIR[1]}
    answer = httpx.post(f"{host.url}/api/checks", json=body, timeout=30)
    assert answer.status_code == 503
    assert "contradict" in answer.json()["detail"]


def test_function_keys_are_asked_for_where_the_host_does(world: Stage) -> None:
    """With keys on, health is open and everything else wants one."""
    host = world.start_host(auth=True)
    assert httpx.get(f"{host.url}/api/health").status_code == 200
    assert httpx.get(f"{host.url}/api/ready").status_code == 401
    assert httpx.post(f"{host.url}/api/checks", json={}).status_code == 401
    key = {"x-functions-key": host.function_key}
    assert httpx.post(f"{host.url}/api/checks", json={}, headers=key).status_code == 422
    assert httpx.get(f"{host.url}/api/ready", headers=key, timeout=30).status_code == 200


def test_no_log_line_has_a_name_or_a_token(world: Stage) -> None:
    """Logs carry ids: no person's name, no bearer token, no identity header."""
    host = world.start_host(ENFORCEMENT="apply")
    answer = Caller(host.url).check(*PAIR)
    names = [holder["displayName"] for holder in answer["holders"]]
    output = host.output()
    assert len(names) == 7
    assert not [name for name in names if name in output]
    assert world.environment["IDENTITY_HEADER"] not in output
    assert "Bearer" not in output
