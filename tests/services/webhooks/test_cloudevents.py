from __future__ import annotations

from collections.abc import Mapping

import azure.functions as func
import pytest

from tests.app import body_of, pair_body
from tests.services.webhooks.sender import SETTINGS, check_id, pointers, send, shake

PAIR = pair_body("a", "b")
TOKEN = {"Authorization": f"Bearer {SETTINGS['LOGIN']}"}
pytestmark = pytest.mark.usefixtures("app")


EVENT: Mapping[str, object] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/desk/ä",
    "type": "com.contoso.access.asked",
    "data": PAIR,
}
ATTRIBUTES: Mapping[str, str] = {
    "ce-specversion": "1.0",
    "ce-id": "e-1",
    "ce-source": "/desk/%C3%A4",
    "ce-type": "com.contoso.access.asked",
}


async def structured(**change: object) -> func.HttpResponse:
    headers = {**TOKEN, "Content-Type": "application/cloudevents+json; charset=utf-8"}
    return await send("cloudevents", {**EVENT, **change}, headers)


async def binary(body: object = PAIR, **change: str) -> func.HttpResponse:
    attributes = {**ATTRIBUTES, **change}
    return await send("cloudevents", body, {**TOKEN, **attributes})


async def test_an_event_is_the_same_in_both_modes() -> None:
    """Source and id name it, in the body or in headers, whatever else differs."""
    first = check_id(await structured())
    assert check_id(await binary()) == first
    assert check_id(await structured(id="e-2")) != first
    assert check_id(await structured(source="/other")) != first


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"specversion": "0.3"}, ["/specversion"]),
        ({"id": ""}, ["/id"]),
        ({"source": 7, "type": None}, ["/source", "/type"]),
        ({"data_base64": "e30="}, ["/data_base64"]),
        ({"data": None}, ["/data/accessPackageId", "/data/incompatibleAccessPackageId"]),
        ({"data": {**PAIR, "accessPackageId": "x"}}, ["/data/accessPackageId"]),
    ],
)
async def test_a_wrong_event_is_refused_where_it_is_wrong(
    change: Mapping[str, object], where: list[str]
) -> None:
    """Attributes and data are named by their places in the body."""
    assert pointers(await structured(**change)) == where


async def test_a_wrong_header_is_named_in_words() -> None:
    """In binary mode attributes have no place in the body."""
    answer = await binary(**{"ce-id": ""})
    assert pointers(answer) == [""]
    assert "ce-id" in body_of(answer)["errors"][0]["detail"]


@pytest.mark.parametrize(
    "media_type", ["application/cloudevents-batch+json", "application/xml", ""]
)
async def test_another_format_is_415(media_type: str) -> None:
    """Batches, too: one event, one answer."""
    answer = await send("cloudevents", {}, {**TOKEN, "Content-Type": media_type})
    assert answer.status_code == 415


@pytest.mark.parametrize(("asked", "allowed"), [(None, "600"), ("60", "60"), ("9999", "600")])
async def test_the_handshake_consents(asked: str | None, allowed: str) -> None:
    """The origin comes back, and the rate that was asked for, up to ten a second."""
    rate = {"WebHook-Request-Rate": asked} if asked else {}
    answer = await shake("cloudevents", {"WebHook-Request-Origin": "mq.example.com", **rate})
    assert (answer.status_code, answer.headers["Allow"]) == (200, "POST")
    assert answer.headers["WebHook-Allowed-Origin"] == "mq.example.com"
    assert answer.headers["WebHook-Allowed-Rate"] == allowed


@pytest.mark.parametrize(
    ("source", "headers"),
    [
        ("cloudevents", {}),
        ("cloudevents", {"WebHook-Request-Origin": ""}),
        ("cloudevents", {"WebHook-Request-Origin": "a\r\nSet-Cookie: b"}),
        ("cloudevents", {"Origin": "https://browser.example.com"}),
        ("broker", {"WebHook-Request-Origin": "mq.example.com"}),
        ("broker", {"WebHook-Request-Origin": "eventgrid.azure.net.evil.example"}),
        ("jira", {"WebHook-Request-Origin": "mq.example.com"}),
        ("nosuch", {"WebHook-Request-Origin": "mq.example.com"}),
    ],
)
async def test_there_is_no_consent_for_others(source: str, headers: Mapping[str, str]) -> None:
    """No origin, one that is not listed, or a source without events: not supported."""
    answer = await shake(source, headers)
    assert answer.status_code == 405
    assert not [name for name, _ in answer.headers.items() if name.lower().startswith("webhook-")]


async def test_a_listed_origin_is_allowed() -> None:
    """Names compare without regard to case."""
    answer = await shake("broker", {"WebHook-Request-Origin": "EventGrid.azure.net"})
    assert answer.headers["WebHook-Allowed-Origin"] == "EventGrid.azure.net"
