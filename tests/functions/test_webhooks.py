from __future__ import annotations

import json
import os

import azure.functions as func
import pytest

from entra_sod import bootstrap
from functions.http.health import ready
from functions.http.webhooks import MAX_WEBHOOK_BYTES
from tests.app import App, body_of, call, install_parts
from tests.builders import guid
from tests.services.webhooks.jira import issue, jira
from tests.services.webhooks.sender import check_id, hub_signature, send
from tests.services.webhooks.setup import PACKAGES, RULES, make

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def app(make_app: type[App]) -> App:
    return make(make_app)


async def test_the_signature_is_looked_at_before_the_body_is_read() -> None:
    """What is no JSON is 401 from a stranger, and 400 from the source itself."""
    broken = b"{" * 1000
    assert (await send("jira", broken)).status_code == 401
    assert (await send("jira", broken, hub_signature(broken))).status_code == 400


async def test_a_large_issue_fits() -> None:
    """Up to a mebibyte; past it, 413 for everyone, before anything is computed."""
    start = issue(
        customfield_10201=guid("a"), customfield_10202={"value": guid("b")}, description=""
    )
    room = MAX_WEBHOOK_BYTES - len(start)
    fits = start.replace(b'"description": ""', b'"description": "' + b"x" * room + b'"')
    assert len(fits) == MAX_WEBHOOK_BYTES
    check_id(await jira(fits))
    assert (await jira(fits + b" ")).status_code == 413
    assert (await send("jira", fits + b" ")).status_code == 413


async def test_a_deep_body_is_no_error_of_ours() -> None:
    """Nesting past what is read is 400."""
    deep = b"[" * 100_000
    assert (await jira(deep)).status_code == 400


async def test_without_the_setting_everything_is_refused(make_app: type[App]) -> None:
    """No source is set up, so none is open."""
    make_app(PACKAGES, {}, RULES)
    assert (await jira()).status_code == 401


async def test_a_stranger_is_not_told_what_is_wrong_with_the_settings(
    monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    """503, so that the sender comes again; the place of the mistake is for /api/ready."""
    monkeypatch.setenv("WEBHOOKS", "jira: {secrets: [GONE], fields: {accessPackageId: /a}}")
    install_parts(app.records, app.engine, bootstrap.app.delivery, admission=app.admission)
    answer = await jira()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "GONE" not in answer.get_body().decode()
    assert "WEBHOOKS" not in answer.get_body().decode()
    told = await call(ready, func.HttpRequest("GET", "https://app/api/ready", body=b""))
    assert told.status_code == 503
    assert "WEBHOOKS:1:18: jira.secrets.0" in body_of(told)["checks"]["webhooks"]


async def test_ready_names_the_sources() -> None:
    """Sorted, and no secret among them."""
    told = await call(ready, func.HttpRequest("GET", "https://app/api/ready", body=b""))
    names = "automation, broker, cloudevents, desk, generic, jira, plain, servicenow"
    assert body_of(told)["checks"]["webhooks"] == f"ok: {names}"


async def test_ready_takes_no_other_depth() -> None:
    """Deep is 1 or 0, and nothing that could be meant as either."""
    for text in ("2", "yes", "", "01"):
        request = func.HttpRequest("GET", "https://app/api/ready", params={"deep": text}, body=b"")
        assert (await call(ready, request)).status_code == 422


async def test_a_stranger_is_refused_without_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is touched, nor told, before a proof; the source is told to come again."""
    for name in [name for name in os.environ if name.startswith("AzureWebJobsStorage")]:
        monkeypatch.delenv(name)
    parts = bootstrap.app
    install_parts(admission=parts.admission, sources=parts.sources, clock=parts.clock)
    body = issue(customfield_10201=guid("a"), customfield_10202={"value": guid("b")})
    assert (await send("jira", body)).status_code == 401
    assert (await jira(body)).status_code == 503


@pytest.mark.parametrize(
    "stamp",
    [10**400, -(10**400), 10**18, -1, 0, 1.5e300, "9" * 400, "NaN", "1e400", "", True, [], {}],
)
async def test_f1_a_signed_webhook_of_no_time_is_refused(app: App, stamp: object) -> None:
    """401 as for one that is too old, however the number is written; nothing is queued."""
    body = issue(customfield_10201=guid("a"), customfield_10202={"value": guid("b")})
    signed = json.dumps({**json.loads(body), "timestamp": stamp}).encode()
    assert (await send("jira", signed, hub_signature(signed))).status_code == 401
    assert app.storage.sent == []


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_f1_no_header_is_an_error_of_ours(name: str) -> None:
    """Half a character, a huge number, another alphabet: the webhook is not verified."""
    for text in ("\ud800", "v1,\ud800", "9" * 5_000, "١٢", "\0", "NaN"):
        headers = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
        assert (await send("generic", b"{}", headers | {name: text})).status_code == 401
