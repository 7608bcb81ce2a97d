from __future__ import annotations

import pytest

from tests.app import App, body_of
from tests.builders import guid
from tests.webhooks.jira import issue, jira
from tests.webhooks.sender import SETTINGS, check_id, pointers, result, send

pytestmark = pytest.mark.usefixtures("app")


async def test_custom_fields_become_a_check(app: App) -> None:
    """Both packages are found where the setting says, one inside a choice; the key as well."""
    answer = await result(app, await jira())
    assert (answer["outcome"], answer["reference"]) == ("conflict", "SOD-7")
    assert answer["rules"][0]["id"] == "r"


async def test_the_same_identifier_is_the_same_check(app: App) -> None:
    """While it waits, while it runs and when it has ended, Jira's retry gets a 202."""
    first = check_id(await jira())
    assert check_id(await jira()) == first
    await app.records.checks.begin(first)
    app.storage.sent.clear()
    assert check_id(await jira()) == first
    await app.work_off()
    assert check_id(await jira()) == first
    assert app.storage.sent == []


async def test_another_identifier_is_another_check() -> None:
    """The next event of the same issue is looked at anew."""
    assert check_id(await jira()) != check_id(await jira(identifier="w-2"))


async def test_an_identifier_of_another_request_is_no_409(app: App) -> None:
    """Jira would send a 409 again; 422 it drops."""
    await jira()
    other = issue(customfield_10201=guid("b"), customfield_10202={"value": guid("c")})
    assert (await jira(other)).status_code == 422
    assert len(app.storage.sent) == 1


async def test_a_person_and_a_package_are_decided_at_once(app: App) -> None:
    """200 with the decision; nothing is queued, and Graph is only read."""
    body = issue(customfield_10201=guid("a"), customfield_10203=guid("d"))
    answer = await jira(body)
    assert answer.status_code == 200
    decision = body_of(answer)
    assert (decision["decision"], decision["reference"]) == ("allow", "SOD-7")
    assert decision["subject"] == guid("d")
    assert app.storage.sent == []


async def test_automation_shows_a_secret_instead(app: App) -> None:
    """Automation does not sign; equal questions within an hour are one check."""
    headers = {"X-Webhook-Secret": SETTINGS["JIRA_SECRET"]}
    body = {"wanted": guid("a"), "held": guid("b")}
    first = check_id(await send("automation", body, headers))
    app.clock.advance(3600)
    assert check_id(await send("automation", body, headers)) == first
    app.clock.advance(1)
    assert check_id(await send("automation", body, headers)) != first


async def test_an_empty_field_is_no_field() -> None:
    """Jira sends null and blank text for fields that nobody filled in; what lacks is named."""
    fields = {"customfield_10201": None, "customfield_10202": None, "customfield_10203": " "}
    answer = await jira(issue(**fields))
    assert pointers(answer) == [
        "/issue/fields/customfield_10201",
        "/issue/fields/customfield_10202/value",
    ]
