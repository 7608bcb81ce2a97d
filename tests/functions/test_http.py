from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import azure.functions as func
import pytest

from entra_sod.ports.storage import Row
from entra_sod.stores.checks import RETENTION
from functions.http.responses import MAX_BODY_BYTES, own_url, traceparent
from functions.http.sweeps import get_sweep
from tests.app import App, body_of, call, pair_body
from tests.builders import guid, held, package, rule, side

PACKAGES = [package("a"), package("b")]
RULES = [rule("r", side("a"), side("b"))]
URL = "https://app.example.com/api/checks"
AZURE = "https://sod.azurewebsites.net/api/x"

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(PACKAGES, {"a": held("a", "x"), "b": held("b", "x")}, RULES)


async def test_a_check_is_accepted_with_all_that_a_poller_needs(app: App) -> None:
    """202, an absolute Location, Retry-After, and a body with id, status and self."""
    answer = await app.post(pair_body("a", "b"), url=URL)
    body = body_of(answer)
    assert answer.status_code == 202
    assert body["status"] == "queued"
    assert body["self"] == answer.headers["Location"] == f"{URL}/{body['id']}"
    assert int(answer.headers["Retry-After"]) > 0
    assert len(app.storage.sent) == 1


async def test_the_answer_can_be_fetched_again_and_again(app: App) -> None:
    """202 with the same headers until it has ended, then 200 with the same body each time."""
    started = await app.post(pair_body("a", "b"))
    waiting = await app.get(body_of(started)["id"])
    assert waiting.status_code == 202
    assert waiting.headers["Location"] == started.headers["Location"]
    assert waiting.headers["Retry-After"] == started.headers["Retry-After"]
    await app.work_off()
    first, second = [await app.get(body_of(started)["id"]) for _ in range(2)]
    assert (first.status_code, first.get_body()) == (200, second.get_body())


@pytest.mark.parametrize("unknown", [guid("d"), "no-guid", "../ledger", "a'b"])
async def test_an_unknown_check_is_404(app: App, unknown: str) -> None:
    """What is no check, and what cannot be one, is a problem that says what to do."""
    answer = await app.get(unknown)
    assert (answer.status_code, body_of(answer)["status"]) == (404, 404)
    assert answer.mimetype == "application/problem+json"


async def test_an_expired_check_is_410(app: App) -> None:
    """After thirty days a result is gone, and the problem says so."""
    check_id = body_of(await app.post(pair_body("a", "b")))["id"]
    await app.work_off()
    app.clock.advance(RETENTION.total_seconds())
    assert (await app.get(check_id)).status_code == 200
    app.clock.advance(1)
    assert (await app.get(check_id)).status_code == 410


@pytest.mark.parametrize(
    ("body", "headers", "status", "pointers"),
    [
        (b"{", {}, 400, []),
        (b"", {}, 400, []),
        (b"\xff\xfe", {}, 400, []),
        (b"[" * 60_000, {}, 400, []),
        (b"{}", {"Content-Type": "text/plain"}, 415, []),
        (b"{}", {"Content-Type": ""}, 415, []),
        (b'"' + b"x" * MAX_BODY_BYTES + b'"', {}, 413, []),
        ([], {}, 422, [""]),
        ({}, {}, 422, ["/accessPackageId", "/incompatibleAccessPackageId"]),
        (pair_body("a", "a"), {}, 422, ["/incompatibleAccessPackageId"]),
        ({**pair_body("a", "b"), "accessPackageId": "x"}, {}, 422, ["/accessPackageId"]),
        ({**pair_body("a", "b"), "accessPackageId": 7}, {}, 422, ["/accessPackageId"]),
        ({**pair_body("a", "b"), "accessPackageId": "c" * 32}, {}, 422, ["/accessPackageId"]),
        ({**pair_body("a", "b"), "acessPackage": "x"}, {}, 422, ["/acessPackage"]),
        ({**pair_body("a", "b"), "a/b~c": "x"}, {}, 422, ["/a~1b~0c"]),
        ({**pair_body("a", "b"), "enforcement": "all"}, {}, 422, ["/enforcement"]),
        ({**pair_body("a", "b"), "reference": ""}, {}, 422, ["/reference"]),
        ({**pair_body("a", "b"), "reference": "x" * 201}, {}, 422, ["/reference"]),
        ({**pair_body("a", "b"), "callbackUrl": "https://x/"}, {}, 422, ["/callbackUrl"]),
        (pair_body("a", "b"), {"Idempotency-Key": "k" * 256}, 422, [""]),
        (
            pair_body("a", "b"),
            {"Idempotency-Key": "k", "X-Idempotency-Key": "k" * 256},
            422,
            [""],
        ),
    ],
)
async def test_bad_input_says_what_was_wrong_and_where(
    app: App, body: object, headers: Mapping[str, str], status: int, pointers: list[str]
) -> None:
    """Each kind of bad request has its status and names every wrong field; nothing is queued."""
    answer = await app.post(body, headers=headers)
    problem = body_of(answer)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert problem["type"].startswith("urn:entra-sod:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert [each["pointer"] for each in problem.get("errors", [])] == pointers
    assert app.storage.sent == []


@pytest.mark.parametrize(
    "body",
    [
        '{"reference": "Prüfung"}'.encode("latin-1"),
        "{}".encode("utf-16"),
        "{}".encode("utf-16-be"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32"),
        "{}".encode("utf-32-be"),
        b"\xef\xbb\xbf{\xfc",
    ],
)
async def test_f4_another_encoding_is_named(app: App, body: bytes) -> None:
    """As Windows PowerShell sends it: the answer says what to send, and how PowerShell does."""
    answer = await app.post(body)
    assert answer.status_code == 400
    assert "not UTF-8. Send UTF-8: in PowerShell, -Body" in body_of(answer)["detail"]
    assert app.storage.sent == []


async def test_f4_a_byte_order_mark_is_read(app: App) -> None:
    """Of UTF-8, which some editors write."""
    body = b"\xef\xbb\xbf" + json.dumps(pair_body("a", "b")).encode()
    assert (await app.post(body)).status_code == 202


@pytest.mark.parametrize("number", ["9" * 400, "9" * 10_000, "-1" + "0" * 9_000, "1e999999", "NaN"])
async def test_f1_a_huge_number_in_a_body_is_refused(app: App, number: str) -> None:
    """400 where it is no JSON that can be read, 422 where it is."""
    answer = await app.post(f'{{"reference": {number}}}'.encode())
    assert answer.status_code in (400, 422)


async def test_f5_no_answer_is_taken_for_another_type(app: App) -> None:
    """Good ones and problems alike."""
    answers = [await app.post({}), await app.post(pair_body("a", "b")), await app.get("x")]
    assert {each.headers["X-Content-Type-Options"] for each in answers} == {"nosniff"}


async def test_a_misspelt_field_is_answered_with_the_nearest(app: App) -> None:
    """The detail suggests the field that was probably meant."""
    answer = await app.post({**pair_body("a", "b"), "enforcment": "plan"})
    assert "did you mean enforcement?" in body_of(answer)["errors"][0]["detail"]


async def test_ids_are_taken_in_any_case(app: App) -> None:
    """A GUID in capitals is the same package."""
    body = {key: value.upper() for key, value in pair_body("a", "b").items()}
    check_id = body_of(await app.post(body))["id"]
    await app.work_off()
    assert body_of(await app.get(check_id))["rules"][0]["id"] == "r"


def read_slowly(app: App, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let another request run between a reading and what is made of it."""
    table = app.storage.table(name)
    read = table.get

    async def slow(partition: str, key: str) -> Row | None:
        found = await read(partition, key)
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(table, "get", slow)


class TestIdempotency:
    @pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key"])
    async def test_the_same_key_and_body_is_the_same_check(self, app: App, header: str) -> None:
        """A repeated request gets the id of the first, also after the work is done."""
        headers = {header: "CHG-1"}
        first = body_of(await app.post(pair_body("a", "b"), headers=headers))
        await app.work_off()
        second = body_of(await app.post(pair_body("a", "b"), headers=headers))
        assert first["id"] == second["id"]
        assert app.storage.sent == []

    async def test_the_order_of_fields_makes_no_other_request(self, app: App) -> None:
        """The same JSON written differently is the same request."""
        headers = {"Idempotency-Key": "k"}
        body = pair_body("a", "b", reference="1")
        first = body_of(await app.post(body, headers=headers))
        turned = json.dumps(dict(reversed(body.items())), indent=2).encode()
        assert body_of(await app.post(turned, headers=headers))["id"] == first["id"]

    async def test_the_same_key_with_another_body_is_refused(self, app: App) -> None:
        """422, and nothing new is queued."""
        headers = {"Idempotency-Key": "k"}
        await app.post(pair_body("a", "b"), headers=headers)
        answer = await app.post(pair_body("b", "a"), headers=headers)
        assert answer.status_code == 422
        assert len(app.storage.sent) == 1

    async def test_a_message_that_was_lost_is_sent_again(self, app: App) -> None:
        """A crash between row and message is mended by the caller's retry, with the same id."""
        headers = {"Idempotency-Key": "k"}
        first = body_of(await app.post(pair_body("a", "b"), headers=headers))
        app.storage.sent.clear()
        second = body_of(await app.post(pair_body("a", "b"), headers=headers))
        assert (second["id"], len(app.storage.sent)) == (first["id"], 1)

    async def test_a_key_is_kept_as_long_as_its_result(self, app: App) -> None:
        """After thirty days the same key asks anew, whatever it asks, and stands for that."""
        headers = {"Idempotency-Key": "k"}
        first = body_of(await app.post(pair_body("a", "b"), headers=headers))
        app.clock.advance(RETENTION.total_seconds())
        assert body_of(await app.post(pair_body("a", "b"), headers=headers))["id"] == first["id"]
        app.clock.advance(1)
        second = body_of(await app.post(pair_body("b", "a"), headers=headers))
        assert second["id"] != first["id"]
        assert body_of(await app.post(pair_body("b", "a"), headers=headers))["id"] == second["id"]

    async def test_an_old_key_is_taken_over_by_one_caller_only(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two who find it old in the same instant get one check."""
        headers = {"Idempotency-Key": "k"}
        await app.post(pair_body("a", "b"), headers=headers)
        app.clock.advance(RETENTION.total_seconds() + 1)
        read_slowly(app, monkeypatch, "idempotency")
        answers = await asyncio.gather(
            *[app.post(pair_body("a", "b"), headers=headers) for _ in range(2)]
        )
        assert len({body_of(answer)["id"] for answer in answers}) == 1

    async def test_a_check_that_failed_gives_its_key_up(self, app: App) -> None:
        """The same key and body asks anew after a failure; the failed check stays as it ended."""
        headers = {"Idempotency-Key": "k"}
        first = body_of(await app.post(pair_body("a", "b"), headers=headers))["id"]
        await app.fail_all()
        failed = await app.get(first)
        assert body_of(failed)["status"] == "failed"
        second = body_of(await app.post(pair_body("a", "b"), headers=headers))["id"]
        await app.work_off()
        assert body_of(await app.get(second))["outcome"] == "conflict"
        assert (await app.get(first)).get_body() == failed.get_body()
        assert body_of(await app.post(pair_body("a", "b"), headers=headers))["id"] == second
        assert app.storage.sent == []

    async def test_a_key_of_a_failed_check_takes_no_other_body(self, app: App) -> None:
        """422, as while the check was under way."""
        headers = {"Idempotency-Key": "k"}
        await app.post(pair_body("a", "b"), headers=headers)
        await app.fail_all()
        assert (await app.post(pair_body("b", "a"), headers=headers)).status_code == 422
        assert app.storage.sent == []

    async def test_a_failed_check_is_asked_anew_once(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two who find in the same instant that it failed get one check."""
        headers = {"Idempotency-Key": "k"}
        await app.post(pair_body("a", "b"), headers=headers)
        await app.fail_all()
        read_slowly(app, monkeypatch, "checks")
        read_slowly(app, monkeypatch, "idempotency")
        answers = await asyncio.gather(
            *[app.post(pair_body("a", "b"), headers=headers) for _ in range(2)]
        )
        assert len({body_of(answer)["id"] for answer in answers}) == 1

    async def test_without_a_key_each_request_is_a_check_of_its_own(self, app: App) -> None:
        """Two equal requests without a key are two checks."""
        first, second = [body_of(await app.post(pair_body("a", "b"))) for _ in range(2)]
        assert first["id"] != second["id"]


def request(url: str, **headers: str) -> func.HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest("GET", url, headers=named, body=b"")


@pytest.mark.parametrize(
    ("url", "settings", "expected"),
    [
        ("https://app.example.com/api/checks", {}, "https://app.example.com/api/x"),
        ("http://localhost:7071/api/checks", {}, "http://localhost:7071/api/x"),
        ("http://127.0.0.1:7071/api/checks", {}, "http://127.0.0.1:7071/api/x"),
        ("http://[::1]:7071/api/checks", {}, "http://[::1]:7071/api/x"),
        ("http://app.example.com/api", {}, "https://app.example.com/api/x"),
        ("http://10.0.0.4/api", {"WEBSITE_HOSTNAME": "sod.azurewebsites.net"}, AZURE),
        (
            "http://10.0.0.4/api",
            {"WEBSITE_HOSTNAME": "localhost:7071"},
            "http://localhost:7071/api/x",
        ),
        ("http://i/api", {"WEBSITE_HOSTNAME": "a.b:8443"}, "https://a.b:8443/api/x"),
    ],
)
def test_f3_own_addresses_are_those_of_the_settings(
    make_app: MakeApp, url: str, settings: dict[str, str], expected: str
) -> None:
    """The platform's name of the app; without one, in a local world, what was asked."""
    make_app(PACKAGES, {}, RULES, **settings)
    forged = {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "javascript"}
    assert own_url(request(url), "x") == expected
    assert own_url(request(url, **forged), "x") == expected


def test_the_callers_trace_goes_on() -> None:
    """A well-formed traceparent is kept; anything else is replaced by a new one."""
    given_one = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    assert traceparent(request("https://i/", traceparent=given_one)) == given_one
    made = traceparent(request("https://i/", traceparent="x" * 5000))
    assert len(made) == len(given_one)


async def test_the_latest_sweep_can_be_followed(app: App) -> None:
    """202 with progress while it runs, 200 with the result, 404 before there was any."""

    async def get(name: str) -> func.HttpResponse:
        url = f"https://i/api/sweeps/{name}"
        return await call(
            get_sweep, func.HttpRequest("GET", url, route_params={"id": name}, body=b"")
        )

    assert (await get("latest")).status_code == 404
    sweep_id = (await app.records.sweep_starter.start(traceparent="")).id
    assert (await get("latest")).status_code == 202
    await app.work_one()
    running = await get("latest")
    assert (running.status_code, body_of(running)["parts"]) == (202, {"done": 0, "total": 1})
    await app.work_off()
    ended = await get(sweep_id)
    assert (ended.status_code, body_of(ended)["status"]) == (200, "completed")
