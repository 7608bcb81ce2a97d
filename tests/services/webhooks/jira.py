"""Jira, as far as it matters here."""

from __future__ import annotations

import json

import azure.functions as func

from tests.builders import guid
from tests.services.webhooks.sender import NOW, hub_signature, send


def issue(**fields: object) -> bytes:
    """A Jira webhook's body, as far as it matters here."""
    body = {
        "timestamp": NOW * 1000,
        "webhookEvent": "jira:issue_updated",
        "issue": {"id": "10002", "key": "SOD-7", "fields": {"summary": "Pay", **fields}},
    }
    return json.dumps(body).encode()


ISSUE = issue(customfield_10201=guid("a"), customfield_10202={"value": guid("b")})


async def jira(body: bytes = ISSUE, identifier: str = "w-1") -> func.HttpResponse:
    headers = {**hub_signature(body), "X-Atlassian-Webhook-Identifier": identifier}
    return await send("jira", body, headers)
