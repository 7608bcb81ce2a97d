"""Sends webhooks to the app in memory, and signs them as their senders do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import azure.functions as func

from functions.http.webhooks import agree_to_webhooks, receive_webhook
from tests.app import App, body_of, call

JIRA_SECRET = "a-secret-for-jira-0001"
KEY = b"a key of thirty-two bytes, or so"
STANDARD_SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1767225600
SETTINGS = {"JIRA_SECRET": JIRA_SECRET, "KEY": STANDARD_SECRET, "LOGIN": "desk:a-long-password"}
LOGIN = "Basic " + base64.b64encode(SETTINGS["LOGIN"].encode()).decode()


async def send(
    source: str, body: object, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Post a webhook; a body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    return await call(receive_webhook, _request("POST", source, all_headers, data))


async def shake(source: str, headers: Mapping[str, str]) -> func.HttpResponse:
    """Ask for consent, as a broker does before its first event."""
    return await call(agree_to_webhooks, _request("OPTIONS", source, headers, b""))


def _request(method: str, source: str, headers: Mapping[str, str], body: bytes) -> func.HttpRequest:
    return func.HttpRequest(
        method,
        f"https://app/api/webhooks/{source}",
        headers=dict(headers),
        route_params={"source": source},
        body=body,
    )


def hub_signature(body: bytes, secret: str = JIRA_SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature": f"sha256={digest}"}


def standard_signature(
    body: bytes, *, message_id: str, seconds: int, key: bytes = KEY
) -> dict[str, str]:
    content = f"{message_id}.{seconds}.".encode() + body
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{digest}",
    }


def check_id(answer: func.HttpResponse) -> str:
    """The id of an accepted check, whose answer has all that a poller needs."""
    body = body_of(answer)
    assert answer.status_code == 202, body
    assert answer.headers["Location"] == body["self"] == f"https://app/api/checks/{body['id']}"
    assert int(answer.headers["Retry-After"]) > 0
    found: str = body["id"]
    return found


def pointers(answer: func.HttpResponse) -> list[str]:
    assert answer.status_code == 422
    return [each["pointer"] for each in body_of(answer)["errors"]]


async def result(app: App, answer: func.HttpResponse) -> dict[str, Any]:
    """Work everything off and fetch the result of an accepted check."""
    await app.work_off()
    return body_of(await app.get(check_id(answer)))
