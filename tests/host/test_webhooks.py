"""Webhooks through the real way in: the host asks for no key, and the app for a proof."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from tests.host.conftest import Stage
from tests.services.webhooks.sender import JIRA_SECRET, hub_signature

pytestmark = pytest.mark.host

PAY, APPROVE = "2506aef1-3929-4d24-a61e-7c8b83d95e6f", "d5d99728-8c0b-4ede-83d2-cf9b0e8dabfb"
SOURCES = {
    "jira": {
        "secrets": ["JIRA_SECRET"],
        "fields": {
            "accessPackageId": "/issue/fields/customfield_1",
            "incompatibleAccessPackageId": "/issue/fields/customfield_2",
        },
    },
    "cloudevents": {"secrets": ["JIRA_SECRET"]},
}


def test_a_signed_webhook_becomes_a_result(world: Stage) -> None:
    """401 without a proof; with one 202, and what is at its Location is for holders of a key."""
    host = world.start_host(auth=True, WEBHOOKS=json.dumps(SOURCES), JIRA_SECRET=JIRA_SECRET)
    fields = {"customfield_1": PAY, "customfield_2": APPROVE}
    body = json.dumps({"issue": {"key": "SOD-7", "fields": fields}}).encode()
    headers = {"Content-Type": "application/json", "X-Atlassian-Webhook-Identifier": "w-1"}
    url = f"{host.url}/api/webhooks/jira"
    with httpx.Client(timeout=30) as client:
        assert client.post(url, content=body, headers=headers).status_code == 401
        signed = {**headers, **hub_signature(body)}
        answers = [client.post(url, content=body, headers=signed) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {202}
        [location] = {answer.headers["Location"] for answer in answers}
        assert client.get(location).status_code == 401
        key = {"x-functions-key": host.function_key}
        while (answer := client.get(location, headers=key)).status_code == httpx.codes.ACCEPTED:
            time.sleep(0.1)
        assert answer.json()["reference"] == "SOD-7"
        origin = {"WebHook-Request-Origin": "mq.example.com"}
        handshake = client.options(f"{host.url}/api/webhooks/cloudevents", headers=origin)
        assert handshake.headers["WebHook-Allowed-Origin"] == "mq.example.com"
