"""The resume calls of the workflow, taken or refused by the strict simulator of Graph."""

from __future__ import annotations

from typing import Any

import pytest

from local.graph.demo import (
    HELPDESK_CLIENT_ID,
    PAY_INVOICES,
    WAITING_REQUEST,
    WAITING_STAGE_INSTANCE,
    demo_tenant,
)
from local.logic_apps.walk import Reply
from tests.infra.logic_apps.test_launch_and_wait import CALLOUT, decided, resumed, run
from tests.local.graph.caller import EM, Caller, app_of

WAITING: dict[str, Any] = {
    **CALLOUT,
    "AccessPackageAssignmentRequestId": WAITING_REQUEST,
    "CustomExtensionStageInstanceId": WAITING_STAGE_INSTANCE,
    "AccessPackage": {"Id": PAY_INVOICES},
}


@pytest.mark.parametrize(("decision", "state"), [("allow", "delivered"), ("deny", "denied")])
async def test_a_waiting_request_is_resumed(decision: str, state: str) -> None:
    """An assignment manager's call as the workflow makes it continues or denies the request."""
    sent = resumed(run(Reply(body=decided(decision)), callout=WAITING))
    graph = Caller(app_of(demo_tenant()), HELPDESK_CLIENT_ID)
    path = sent.uri.removeprefix("https://graph.microsoft.com")
    answer = await graph.send(sent.method, path, body=sent.body)
    assert answer.status_code == 204, answer.text
    request = (await graph.send("GET", f"{EM}/assignmentRequests/{WAITING_REQUEST}")).json()
    assert request["state"] == state
