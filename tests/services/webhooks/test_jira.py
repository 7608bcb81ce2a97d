from __future__ import annotations

from collections.abc import Awaitable, Callable

import azure.functions as func
import pytest

from tests.app import App, body_of
from tests.builders import guid, rule, side
from tests.services.webhooks.jira import issue, jira
from tests.services.webhooks.sender import SETTINGS, check_id, pointers, result, send

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


async def automation() -> func.HttpResponse:
    """Send what has no name at all; Automation does not sign, and shows a secret instead."""
    headers = {"X-Webhook-Secret": SETTINGS["JIRA_SECRET"]}
    return await send("automation", {"wanted": guid("a"), "held": guid("b")}, headers)


async def test_a_question_that_was_answered_is_asked_anew(app: App) -> None:
    """Without any name, a finished check answers for five minutes, and then no more."""
    first = check_id(await automation())
    await app.work_off()
    app.clock.advance(300)
    assert check_id(await automation()) == first
    app.clock.advance(1)
    second = check_id(await automation())
    assert second != first
    assert check_id(await automation()) == second


async def test_a_question_is_answered_by_the_rules_in_force(app: App) -> None:
    """What a check said is not said again to an equal question after the rules have changed."""
    app.rules.write([])
    before = await result(app, await automation())
    app.rules.write([rule("r", side("a"), side("b"))])
    app.clock.advance(301)
    after = await result(app, await automation())
    assert (before["rules"], [each["id"] for each in after["rules"]]) == ([], ["r"])


async def test_a_question_under_way_is_joined(app: App) -> None:
    """However long it waits or runs, an equal question is the same check."""
    first = check_id(await automation())
    app.clock.advance(3 * 3600)
    assert check_id(await automation()) == first
    await app.records.checks.begin(first)
    app.clock.advance(3 * 3600)
    app.storage.sent.clear()
    assert check_id(await automation()) == first
    assert app.storage.sent == []


@pytest.mark.parametrize("sender", [automation, jira])
async def test_a_check_that_failed_is_asked_anew(
    app: App, sender: Callable[[], Awaitable[func.HttpResponse]]
) -> None:
    """The same webhook, named or not, gets a check that can still be answered."""
    first = check_id(await sender())
    await app.fail_all()
    assert body_of(await app.get(first))["status"] == "failed"
    second = await result(app, await sender())
    assert (second["status"], second["outcome"]) == ("completed", "conflict")
    assert second["id"] != first


async def test_an_empty_field_is_no_field() -> None:
    """Jira sends null and blank text for empty fields; the missing ones are named."""
    fields = {"customfield_10201": None, "customfield_10202": None, "customfield_10203": " "}
    answer = await jira(issue(**fields))
    assert pointers(answer) == [
        "/issue/fields/customfield_10201",
        "/issue/fields/customfield_10202/value",
    ]
