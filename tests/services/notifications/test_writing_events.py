"""Who is told what of references: written, held, stopped by a limit or by a freeze."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from entra_sod.core.errors import Unavailable
from entra_sod.domain.messages import DELIVERY_QUEUE, DeliveryMessage, encode
from entra_sod.domain.notifications.kept_event import selection_event
from entra_sod.domain.rules.language import PackageSelector, Protected, Rule
from entra_sod.services.rules.provider import LIST_LIFETIME
from functions.queues.process import process_message
from tests.app import App, wrapped
from tests.builders import guid, package, rule, side
from tests.domain.notifications.corpus import CORPUS
from tests.services.enforcement.test_controls import freeze, unfreeze
from tests.services.notifications.test_subscriptions import FIRST, SECOND, subscribe
from tests.services.sweeps.test_sweeps import sweep

type MakeApp = type[App]

PACKAGES = [package("a", "1"), package("b", "2"), package("c")]
RULES = [rule("ab", side("a"), side("b")), rule("bc", side("b"), side("c"))]
EVENTS = (
    "references.written",
    "references.held",
    "selection.changed",
    "budget.exhausted",
    "frozen",
    "unfrozen",
)


async def make(make_app: MakeApp, **settings: str) -> App:
    """An app that writes, and a subscriber to its events."""
    app = make_app(
        PACKAGES, {}, RULES, ENFORCEMENT="apply", CALLBACK_HOSTS=CORPUS.allowed, **settings
    )
    await subscribe(app, FIRST, *EVENTS)
    return app


def rewrite(app: App, rules: list[Rule], *protected: str) -> None:
    """Put rules in force, with protected packages."""
    selectors = [PackageSelector(id=UUID(guid(each))) for each in protected]
    app.rules.write(rules, protected=Protected(packages=selectors))
    app.clock.advance(LIST_LIFETIME.total_seconds() + 1)


def protect(app: App, *names: str) -> None:
    rewrite(app, RULES, *names)


def told(app: App) -> list[tuple[str, dict[str, Any]]]:
    """Each event, by its type and its body; and forget them."""
    posts = [
        (each.headers["ce-type"].removeprefix("com.entra-sod."), json.loads(each.body))
        for each in app.sender.posts
    ]
    app.sender.posts.clear()
    return posts


async def test_a_check_and_a_sweep_tell_what_they_wrote(make_app: MakeApp) -> None:
    """Once each, with the run's id; a run that writes nothing tells nothing."""
    app = await make(make_app)
    answer = await app.check("a", "b")
    [(name, body)] = told(app)
    assert (name, body["run"], body["written"]) == ("references.written", answer["id"], 4)
    assert body["references"] == answer["references"]["written"]
    result = await sweep(app)
    [(name, body)] = told(app)
    assert (name, body["run"], body["written"]) == ("references.written", result["id"], 3)
    await sweep(app)
    await app.check("a", "b")
    assert told(app) == []


async def test_a_check_that_fails_tells_what_it_wrote(make_app: MakeApp) -> None:
    """Graph takes one write and stays away, until the check is given up."""
    app = await make(make_app)
    app.graph.takes_one_write = True
    answer = await app.check("a", "b")
    [(name, body)] = told(app)
    assert (name, body["run"], body["written"]) == ("references.written", answer["id"], 1)
    assert (answer["status"], body["references"]) == ("failed", answer["references"]["written"])


async def test_a_sweep_that_fails_tells_what_it_wrote(make_app: MakeApp) -> None:
    """Graph takes one write and stays away, until the closing is given up."""
    app = await make(make_app)
    app.graph.takes_one_write = True
    result = await sweep(app)
    [(name, body)] = told(app)
    assert (name, body["run"], body["written"]) == ("references.written", result["id"], 1)
    assert (result["status"], body["references"]) == ("failed", result["references"]["written"])


async def test_a_check_that_fails_without_a_write_tells_of_none(make_app: MakeApp) -> None:
    """Graph never answers it."""
    app = await make(make_app)
    app.graph.errors += [Unavailable("503", status=503)] * 1000
    assert (await app.check("a", "b"))["status"] == "failed"
    assert told(app) == []


async def test_what_a_sweep_removes_is_told(make_app: MakeApp) -> None:
    """Marked as removed."""
    app = await make(make_app, PRUNE="true")
    await sweep(app)
    told(app)
    rewrite(app, RULES[1:])
    await sweep(app)
    [(_, body)] = told(app)
    assert (body["written"], body["removed"]) == (0, 4)
    assert all(each["isRemoval"] for each in body["references"])


async def test_an_event_has_the_same_id_at_each_try(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closing that comes again tells the same of what its first try wrote."""
    app = await make(make_app)
    store, failing = app.records.sweeps, [Unavailable("503")]
    keep_summary = store.store_summary

    async def fail_once(sweep_id: str, data: bytes) -> None:
        if failing:
            raise failing.pop()
        await keep_summary(sweep_id, data)

    monkeypatch.setattr(store, "store_summary", fail_once)
    result = await sweep(app)
    first, again = app.sender.posts
    assert first.headers["webhook-id"] == f"references-{result['id']}-written"
    assert (again.headers["webhook-id"], again.body) == (first.headers["webhook-id"], first.body)
    assert first.headers["ce-subject"] == f"references/{result['id']}"


async def test_held_references_are_told_once_and_again_when_they_return(make_app: MakeApp) -> None:
    """Not by each night or check: only the first run that sees them sends the event."""
    app = await make(make_app)
    protect(app, "a")
    await app.check("a", "b")
    [(name, body)] = told(app)
    assert (name, body["held"]) == ("references.held", 4)
    assert all("is protected" in each["why"] for each in body["references"])
    await app.check("a", "b")
    await sweep(app)
    await sweep(app)
    assert [name for name, _ in told(app)] == ["references.written"]
    protect(app, "a", "c")
    await sweep(app)
    assert told(app) == []  # what was written between b and c stays; nothing more is wanted
    rewrite(app, RULES)
    app.configure(ENFORCEMENT="plan", CALLBACK_HOSTS=CORPUS.allowed)
    await sweep(app)
    protect(app, "a")
    await sweep(app)
    assert [(name, body["held"]) for name, body in told(app)] == [("references.held", 4)]


async def test_what_joins_those_that_are_held_is_told_alone(make_app: MakeApp) -> None:
    """The event names what is new."""
    app = await make(make_app)
    app.configure(ENFORCEMENT="plan", CALLBACK_HOSTS=CORPUS.allowed)
    protect(app, "a")
    await sweep(app)
    told(app)
    protect(app, "a", "c")
    await sweep(app)
    [(_, body)] = told(app)
    assert body["held"] == 3
    assert {guid("c")} == {
        guid("c") for each in body["references"] if guid("c") in json.dumps(each)
    }


async def test_what_was_told_may_be_damaged(make_app: MakeApp) -> None:
    """Then all of it is told once more, and the sweep ends."""
    app = await make(make_app)
    protect(app, "a")
    await sweep(app)
    told(app)
    await app.storage.blobs.put("events", "held.json", b"[")
    assert (await sweep(app))["status"] == "completed"
    assert [name for name, _ in told(app)] == ["references.held"]
    await sweep(app)
    assert told(app) == []


async def test_a_budget_that_is_used_up_is_told_once_by_each_run(make_app: MakeApp) -> None:
    """With both numbers, what is left, and when there is room."""
    app = await make(make_app, MAX_REFERENCE_WRITES_PER_DAY="3")
    answer = await app.check("a", "b")
    assert [name for name, _ in told(app)] == ["references.written", "budget.exhausted"]
    result = await sweep(app)
    [(name, body)] = told(app)
    assert (name, body["run"]) == ("budget.exhausted", result["id"])
    assert body["stopped"] == result["stopped"]
    assert (answer["stopped"]["left"], body["stopped"]["left"]) == (1, 4)


async def test_a_freeze_and_its_end_are_told_and_each_run_that_meets_it(
    make_app: MakeApp,
) -> None:
    """A second freeze is the same event, and a second end is none."""
    app = await make(make_app)
    stands = await freeze("an audit")
    await freeze("another reason")
    await app.work_off()
    ids = {each.headers["webhook-id"] for each in app.sender.posts}
    assert len(ids) == 1
    assert {json.dumps(body) for _, body in told(app)} == {json.dumps({"frozen": stands})}
    answer = await app.check("a", "b")
    [(name, body)] = told(app)
    assert (name, body) == ("frozen", {"run": answer["id"], "left": 4, "frozen": stands})
    await unfreeze()
    await unfreeze()
    await app.work_off()
    assert told(app) == [("unfrozen", {"frozen": stands, "endedBy": "anyone:local"})]


async def test_a_subscriber_that_did_not_ask_is_not_told(make_app: MakeApp) -> None:
    """Events of writing come to those who name them, not to every subscriber."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", CALLBACK_HOSTS=CORPUS.allowed)
    await subscribe(app, SECOND)
    await app.check("a", "b")
    assert [name for name, _ in told(app)] == ["check.completed"]


async def test_a_selection_that_changed_is_told(make_app: MakeApp) -> None:
    """As the others: stored, queued once, and sent to each subscriber that names it."""
    app = await make(make_app)
    event = selection_event("sweep-1", {"ab": ([guid("c")], [])})
    await app.records.announcer.announce_kept(event, traceparent="")
    await app.work_off()
    [(name, body)] = told(app)
    assert name == "selection.changed"
    assert body["rules"] == [{"rule": "ab", "joined": [guid("c")], "left": []}]


@pytest.mark.parametrize(
    "forged",
    [
        {"subject": "references", "status": ""},
        {"subject": "references", "status": "opened"},
        {"subject": "frozen", "status": "written"},
        {"subject": "check", "status": "written"},
    ],
    ids=str,
)
async def test_an_event_that_there_is_not_is_kept_as_poison(
    make_app: MakeApp, forged: dict[str, Any]
) -> None:
    """No subscriber is told of it."""
    app = await make(make_app)
    message = DeliveryMessage(id="run", traceparent="", subject="references", status="written")
    body = json.dumps({**json.loads(encode(message)), **forged}).encode()
    await process_message(DELIVERY_QUEUE, wrapped(body))
    await app.work_off()
    [letter] = await app.letters()
    assert "not what its kind asks for" in letter["reason"]
    assert told(app) == []


async def test_an_event_that_was_not_announced_is_kept_as_poison(make_app: MakeApp) -> None:
    """Its body is looked up, and there is none."""
    app = await make(make_app)
    message = DeliveryMessage(id="run", traceparent="", subject="references", status="written")
    await process_message(DELIVERY_QUEUE, wrapped(encode(message)))
    await app.work_off()
    [letter] = await app.letters()
    assert "there is no event references-run-written" in letter["reason"]
    assert told(app) == []
