from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import azure.functions as func
import pytest

from entra_sod.core.errors import Throttled
from tests.app import App, body_of, pair_body
from tests.builders import guid
from tests.services.webhooks.sender import (
    LOGIN,
    NOW,
    check_id,
    hub_signature,
    pointers,
    result,
    send,
    standard_signature,
)
from tests.services.webhooks.setup import ENVIRONMENT

PAIR = pair_body("a", "b")
pytestmark = pytest.mark.usefixtures("app")


async def generic(
    body: object = PAIR, message_id: str = "msg_1", headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    data = json.dumps(body).encode()
    signed = standard_signature(data, message_id=message_id, seconds=NOW)
    return await send("generic", data, {**signed, **(headers or {})})


async def test_the_signed_id_names_repetitions() -> None:
    """An unsigned Idempotency-Key does not make another check of a replay."""
    first = check_id(await generic())
    assert check_id(await generic(headers={"Idempotency-Key": "forged"})) == first
    assert check_id(await generic(message_id="msg_2")) != first


async def plain(key: str) -> func.HttpResponse:
    body = json.dumps(PAIR).encode()
    signed = {"X-Signature": hub_signature(body)["X-Hub-Signature"], "Idempotency-Key": key}
    return await send("plain", body, signed)


async def test_a_plain_signature_is_enough_where_it_is_chosen() -> None:
    """HMAC in a header of the customer's choice; a key names repetitions."""
    first = check_id(await plain("k-1"))
    assert check_id(await plain("k-1")) == first
    assert check_id(await plain("k-2")) != first


async def test_sources_do_not_share_names(app: App) -> None:
    """The same key from another source, or of POST /api/checks, is another check."""
    login = {"Authorization": LOGIN, "X-Idempotency-Key": "k"}
    fields = {"AccessPackageId": guid("a"), "IncompatibleAccessPackageId": guid("b")}
    desk = check_id(await send("desk", fields, login))
    asked = body_of(await app.post(PAIR, headers={"Idempotency-Key": "k"}))["id"]
    assert len({check_id(await plain("k")), desk, asked}) == 3


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key"])
async def test_no_key_of_a_caller_is_a_webhooks_name(app: App, header: str) -> None:
    """Not even one that is written as the name is: no caller can take a delivery's name."""
    guesses = [
        text
        for names in (("key", "k"), ("plain", "key", "k"), ("webhook", "plain ", '["key","k"]'))
        for text in (json.dumps(names, separators=(",", ":")), "webhook:" + json.dumps(names))
    ]
    taken = {body_of(await app.post(PAIR, headers={header: key}))["id"] for key in guesses}
    assert len(taken) == len(guesses)
    assert check_id(await plain("k")) not in taken
    turned = {header: '["key","k-2"]'}
    assert (await app.post(pair_body("b", "a"), headers=turned)).status_code == 202
    assert check_id(await plain("k-2"))


async def test_a_webhook_never_writes(app: App) -> None:
    """Even under ENFORCEMENT=apply and an enforcing rule its check only plans."""
    app.configure(**ENVIRONMENT, ENFORCEMENT="apply")
    answer = await result(app, await generic())
    assert (answer["outcome"], answer["enforcement"]) == ("conflict", "plan")
    assert answer["references"]["planned"] != []
    assert app.graph.writes == []


async def test_the_end_is_told_to_the_address_that_was_mapped(app: App) -> None:
    """A callback goes where the mapped field says, if its host is allowed."""
    url = "https://hooks.example.com/x"
    await generic({**PAIR, "answer": {"to": url}})
    await app.work_off()
    assert [post.address.host for post in app.sender.posts] == ["hooks.example.com"]
    refused = await generic({**PAIR, "answer": {"to": "https://evil.example/x"}}, "msg_2")
    assert pointers(refused) == ["/answer/to"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"subject": guid("d")}, ["/subject"]),
        ({"accessPackageId": "x"}, ["/accessPackageId"]),
        ({"accessPackageId": guid("a").replace("-", "")}, ["/accessPackageId"]),
        ({"incompatibleAccessPackageId": "", "subject": "d" * 32}, ["/subject"]),
        ({"accessPackageId": ["x"]}, ["/accessPackageId"]),
        ({"accessPackageId": True}, ["/accessPackageId"]),
        ({"incompatibleAccessPackageId": guid("a")}, ["/incompatibleAccessPackageId"]),
        ({"incompatibleAccessPackageId": None}, ["/incompatibleAccessPackageId"]),
        ({"reference": "r" * 201}, ["/reference"]),
        ({"reference": True}, ["/reference"]),
        (
            {
                "incompatibleAccessPackageId": "",
                "subject": guid("d"),
                "answer": {"to": "https://hooks.example.com/x"},
            },
            ["/answer/to"],
        ),
    ],
)
async def test_a_wrong_field_is_named_where_the_sender_put_it(
    app: App, change: Mapping[str, object], where: list[str]
) -> None:
    """Two questions at once, and what is none, are refused; nothing is guessed or queued."""
    assert pointers(await generic({**PAIR, **change})) == where
    assert app.storage.sent == []


@pytest.mark.parametrize("body", [[], "text", 7, None, [PAIR]])
async def test_a_body_that_is_no_object_has_no_fields(body: object) -> None:
    """It is said what is missing."""
    assert "/accessPackageId" in pointers(await generic(body))


async def test_unknown_fields_are_the_senders_own() -> None:
    """What is not mapped is not read."""
    check_id(await generic({**PAIR, "enforcement": "apply", "more": {"x": [1]}}))


async def test_while_graph_throttles_nothing_is_decided(app: App) -> None:
    """503 with the time to wait, so that the sender comes again."""

    async def fail(_subjects: object) -> Any:
        raise Throttled("slowly", retry_after=7)
        yield

    app.graph.assignments_of_subjects = fail  # type: ignore[method-assign,assignment]
    wish = {"subject": guid("d"), "accessPackageId": guid("a")}
    answer = await generic(wish)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert app.storage.sent == []
