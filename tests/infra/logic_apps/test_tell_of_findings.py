"""`tell-of-findings`, run with the bodies that the app itself sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.logic_apps.definitions import definition
from local.logic_apps.walk import Reply, Run, Sent
from local.memory.clock import ManualClock
from tests.app import App
from tests.builders import rule, side
from tests.domain.notifications.corpus import CORPUS
from tests.services.findings.test_in_runs import HELD, PACKAGES, RULES, hold, night
from tests.services.notifications.test_subscriptions import FIRST, subscribe

TICKETS, TEAMS = "https://tickets.example.com/in?key=s", "https://teams.example.com/hook?sig=s"


async def bodies(app: App, *events: str) -> list[dict[str, Any]]:
    """What the app sends on a night that finds, and on two after the conflict is gone."""
    await subscribe(app, FIRST, *events)
    await night(app)
    hold(app, b="")
    for _ in range(2):
        await night(app)
    assert isinstance(app.clock, ManualClock)
    return [json.loads(each.body) for each in app.sender.posts]


def run(body: dict[str, Any], status: int = 200) -> Run:
    def outside(_sent: Sent) -> Reply:
        return Reply(status=status)

    parameters = {"ticketsUrl": TICKETS, "teamsUrl": TEAMS}
    return Run(definition("tell-of-findings"), outside, parameters=parameters, trigger_body=body)


@pytest.fixture
def app(make_app: type[App]) -> App:
    return make_app(PACKAGES, HELD, RULES, CALLBACK_HOSTS=CORPUS.allowed)


async def test_a_ticket_is_opened_and_closed_by_its_key(app: App) -> None:
    """The same correlation id both times, so that the system finds the ticket again."""
    found = await bodies(app, "finding.opened", "finding.resolved")
    runs = [run(body) for body in found]
    sent = [each for one in runs for each in one.sent_to(TICKETS)]
    assert len(sent) == len(found) == 4
    by_action = {
        action: {each.body["correlation_id"] for each in sent if each.body["action"] == action}
        for action in ("open", "close")
    }
    assert by_action["open"] == by_action["close"]
    assert len(by_action["open"]) == 2
    assert {each.body["short_description"] for each in sent} == {"Separation of duties: pay"}
    assert [one.responses for one in runs] == [[{"statusCode": 200}]] * 4


async def test_a_digest_goes_to_the_channel(app: App) -> None:
    """With its counts, and to no other address."""
    [body] = await bodies(app, "digest.ready")
    one = run(body)
    [sent] = one.sent
    assert sent.uri == TEAMS
    card = sent.body["attachments"][0]["content"]["body"]
    assert card[0]["inlines"][0]["text"].endswith("owner@example.com")
    facts = {each["title"]: each["value"] for each in card[1]["facts"]}
    assert (facts["New"], facts["References written, removed"]) == ("2", "0, 0")
    assert (facts["References newly held, left"], facts["Writing was stopped"]) == ("0, 0", "no")


async def test_a_digest_says_what_stopped_writing(make_app: type[App]) -> None:
    """An owner reads in the channel why her rule is not enforced."""
    rules = [rule("r", side("a"), side("b"))]
    app = make_app(PACKAGES, {}, rules, CALLBACK_HOSTS=CORPUS.allowed, ENFORCEMENT="apply")
    await app.records.controls.freeze("an audit", "ann")
    body, *_ = await bodies(app, "digest.ready")
    [sent] = run(body).sent
    facts = {
        each["title"]: each["value"]
        for each in sent.body["attachments"][0]["content"]["body"][1]["facts"]
    }
    assert facts["References newly held, left"] == "0, 2"
    assert "an audit" in facts["Writing was stopped"]


async def test_what_could_not_be_handed_on_is_told_again(app: App) -> None:
    """502: the app tries again, so nothing is lost while the receiver is away."""
    [body] = await bodies(app, "digest.ready")
    assert run(body, status=503).responses == [{"statusCode": 502}]
