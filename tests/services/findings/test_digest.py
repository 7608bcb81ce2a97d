"""Who is told what after a run."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from entra_sod.core.errors import Unavailable
from entra_sod.domain.findings import digest
from entra_sod.domain.rules.language import Mode, PackageSelector, Protected
from tests.app import App
from tests.builders import exception, guid, held, package, rule, side
from tests.domain.notifications.corpus import CORPUS
from tests.services.findings.test_in_runs import hold, night
from tests.services.notifications.test_subscriptions import FIRST, SECOND, subscribe
from tests.services.sweeps.test_sweeps import start

PACKAGES = [package(name) for name in "abcd"]
PAY = rule("pay", side("a"), side("b"), mode=Mode.WARN)
BUY = msgspec.structs.replace(rule("buy", side("a"), side("c")), owner="other@example.com")
QUIET = rule("quiet", side("a"), side("d"), mode=Mode.RECORD)
HELD = {"a": held("a", "xyz"), "b": held("b", "xy"), "c": held("c", "z"), "d": held("d", "x")}

type MakeApp = type[App]


@pytest.fixture
async def app(make_app: MakeApp) -> App:
    app = make_app(PACKAGES, HELD, [PAY, BUY, QUIET], CALLBACK_HOSTS=CORPUS.allowed)
    await subscribe(app, FIRST, "digest.ready")
    await subscribe(app, SECOND, "finding.opened", "finding.resolved")
    return app


def told(app: App, kind: str) -> list[dict[str, Any]]:
    """The bodies of the events of a kind, and forget them."""
    posts = [each for each in app.sender.posts if each.headers["ce-type"].endswith(kind)]
    app.sender.posts[:] = [each for each in app.sender.posts if each not in posts]
    return [json.loads(each.body) for each in posts]


async def test_each_owner_is_told_of_her_own(app: App) -> None:
    """What is new, by owner; nothing of rules that only record."""
    await night(app)
    found = {each["owner"]: each for each in told(app, "digest.ready")}
    assert found.keys() == {"owner@example.com", "other@example.com"}
    mine = found["owner@example.com"]
    assert mine["counts"] == {"new": 2, "reopened": 0, "expiring": 0}
    assert {each["rule"] for each in mine["new"]} == {"pay"}
    assert (mine["reopened"], mine["expiring"]) == ([], [])
    assert mine["link"] == (
        "https://app.example.com/api/console#/findings?owner=owner%40example.com"
    )


async def test_each_of_several_owners_is_told(app: App) -> None:
    """Who answers for the rule beside its owner has a digest of the same findings."""
    app.rules.write([msgspec.structs.replace(PAY, owners=["deputy@example.com"])])
    app.clock.advance(61)
    await night(app)
    found = {each["owner"]: each["counts"]["new"] for each in told(app, "digest.ready")}
    assert found == {"owner@example.com": 2, "deputy@example.com": 2}


async def test_no_news_is_no_digest(app: App) -> None:
    """A night like the last sends no digest."""
    await night(app)
    told(app, "digest.ready")
    await night(app)
    assert told(app, "digest.ready") == []


async def test_what_returns_and_what_ends_is_told(app: App) -> None:
    """A finding that is back is reopened; an exception is told of on its last thirty days."""
    await night(app)
    hold(app, c="")
    for _ in range(2):
        await night(app)
    told(app, "digest.ready")
    hold(app, c="z")
    await night(app)
    [back] = told(app, "digest.ready")
    assert (back["owner"], back["counts"]["reopened"]) == ("other@example.com", 1)


async def test_a_ticket_is_opened_once_and_closed(app: App) -> None:
    """With one key for the finding's whole life; a doubt opens and closes nothing."""
    await night(app)
    opened = told(app, "finding.opened")
    assert sorted(each["finding"]["rule"] for each in opened) == ["buy", "pay", "pay"]
    for each in opened:
        place = f"console#/findings/{each['finding']['id']}"
        assert each["link"] == f"https://app.example.com/api/{place}"
    await night(app)
    hold(app, c="")
    await night(app)
    assert told(app, "finding.opened") == told(app, "finding.resolved") == []
    await night(app)
    [closed] = told(app, "finding.resolved")
    assert (closed["action"], closed["finding"]["state"]) == ("close", "resolved")
    assert closed["dedupeKey"] in {each["dedupeKey"] for each in opened}


async def test_a_check_opens_tickets_too(app: App) -> None:
    """What a check finds first, the sweep after it does not open again."""
    await app.check("a", "b")
    assert len(told(app, "finding.opened")) == 2
    await night(app)
    assert [each["finding"]["rule"] for each in told(app, "finding.opened")] == ["buy"]


async def test_a_closing_that_comes_again_tells_the_same(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every event has the same id as at the first try, so that receivers know it."""
    store, failing = app.records.sweeps, [Unavailable("503")]
    keep_summary = store.store_summary

    async def fail_once(sweep_id: str, data: bytes) -> None:
        if failing:
            raise failing.pop()
        await keep_summary(sweep_id, data)

    monkeypatch.setattr(store, "store_summary", fail_once)
    await start(app)
    await app.work_off()
    ids = [each.headers["ce-id"] for each in app.sender.posts]
    assert len(ids) == 2 * len(set(ids)) == 10


async def test_an_event_of_a_finding_that_is_gone_is_void(app: App) -> None:
    """It is dropped, and is no poison."""
    await start(app)
    while not any(b'"finding"' in each.body for each in app.storage.sent):
        await app.work_one()
    for kept in [kept async for kept in app.records.findings.all()]:
        await app.records.findings.write([], [kept])
    await app.work_off()
    assert told(app, "finding.opened") == []
    assert await app.letters() == []


async def test_tickets_have_a_limit(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first night sends a limited number of tickets; the digest counts all findings."""
    monkeypatch.setattr(digest, "MAX_TICKETS", 1)
    monkeypatch.setattr(digest, "MAX_DIGEST_FINDINGS", 1)
    await night(app)
    assert len(told(app, "finding.opened")) == 1
    found = {each["owner"]: each for each in told(app, "digest.ready")}
    mine = found["owner@example.com"]
    assert (mine["counts"]["new"], len(mine["new"])) == (2, 1)


def permit(app: App, last: date) -> None:
    """One subject holds both packages that PAY keeps apart, and may until that day."""
    for name in "ab":
        [made] = held(name, "e")
        who = type(made.subject)(id=guid("e"))
        app.graph._assignments[guid(name)] = [type(made)(id=made.id, subject=who)]
    app.rules.write([PAY], [exception("pay", "e", start=date(2026, 1, 1), end=last)])


async def test_an_exception_that_ends_during_a_doubt_is_told(make_app: MakeApp) -> None:
    """One sweep missed the excepted conflict. Seen again after its end, it must be told.

    Once: another look that does not see it is a doubt of what was told.
    """
    app = make_app(PACKAGES, {}, [PAY], CALLBACK_HOSTS=CORPUS.allowed)
    await subscribe(app, FIRST, "digest.ready", "finding.opened", "finding.resolved")
    permit(app, last=date(2026, 1, 3))
    assignments, tellings = dict(app.graph._assignments), []
    for is_seen in (True, False, True, False, True):
        app.graph._assignments.update(assignments if is_seen else {guid("b"): []})
        await night(app)
        digests = [each["counts"]["reopened"] for each in told(app, "digest.ready")]
        states = [each["finding"]["state"] for each in told(app, "finding.opened")]
        tellings.append((digests, states))
    assert tellings == [([], [])] * 2 + [([1], ["exception-expired"])] + [([], [])] * 2
    assert told(app, "finding.resolved") == []


async def test_an_exception_that_ends_soon_is_told(make_app: MakeApp) -> None:
    """At thirty days, and then not again before seven."""
    app = make_app(PACKAGES, {}, [PAY], CALLBACK_HOSTS=CORPUS.allowed)
    await subscribe(app, FIRST, "digest.ready")
    last = date(2026, 1, 1) + timedelta(days=32)
    permit(app, last)
    counts = []
    for _ in range(4):
        await night(app)
        counts.append([each["counts"] for each in told(app, "digest.ready")])
    assert counts == [[], [{"new": 0, "reopened": 0, "expiring": 1}], [], []]


class TestReferences:
    """What owners are told of references on packages of their enforced rules."""

    @pytest.fixture
    async def app(self, make_app: MakeApp) -> App:
        """Two owners, a rule each under enforce, and no subject in conflict."""
        mine = rule("mine", side("a"), side("b"))
        other = rule("other", side("c"), side("d"))
        rules = [mine, msgspec.structs.replace(other, owner="other@example.com")]
        app = make_app(PACKAGES, {}, rules, **self.settings())
        await subscribe(app, FIRST, "digest.ready")
        return app

    @staticmethod
    def settings(**more: str) -> dict[str, str]:
        return {"ENFORCEMENT": "apply", "CALLBACK_HOSTS": CORPUS.allowed, **more}

    async def test_each_owner_is_told_what_was_written_for_her(self, app: App) -> None:
        """Also where no finding changed; a night that writes nothing tells nothing."""
        await night(app)
        found = {each["owner"]: each for each in told(app, "digest.ready")}
        assert found.keys() == {"owner@example.com", "other@example.com"}
        for each in found.values():
            assert each["references"] == {"written": 2, "removed": 0, "held": 0, "left": 0}
            assert each["stopped"] is None
            assert each["counts"] == {"new": 0, "reopened": 0, "expiring": 0}
        await night(app)
        assert told(app, "digest.ready") == []

    async def test_what_was_removed_is_told_as_well(self, app: App) -> None:
        """To the owners of rules that still name the package."""
        app.configure(**self.settings(PRUNE="true"))
        app.rules.write([rule("mine", side("a"), side("b")), rule("more", side("a"), side("c"))])
        await night(app)
        told(app, "digest.ready")
        app.rules.write([rule("mine", side("a"), side("b"))])
        await night(app)
        [digest] = told(app, "digest.ready")
        assert digest["references"]["removed"] == 1

    async def test_what_a_freeze_left_is_told_with_the_freeze(self, app: App) -> None:
        """So that an owner knows why her rule is not enforced."""
        await app.records.controls.freeze("an audit", "ann")
        await night(app)
        for each in told(app, "digest.ready"):
            assert each["references"]["left"] == 2
            assert each["stopped"]["frozen"]["reason"] == "an audit"

    async def test_what_the_budget_left_is_told_with_both_numbers(self, app: App) -> None:
        """To the owner whose references are left, and to no other owner."""
        app.configure(**self.settings(MAX_REFERENCE_WRITES_PER_DAY="2"))
        await night(app)
        found = {each["owner"]: each for each in told(app, "digest.ready")}
        lefts = {owner: each["references"]["left"] for owner, each in found.items()}
        assert sorted(lefts.values()) == [0, 2]
        for owner, each in found.items():
            stopped = each["stopped"]
            assert (stopped is not None) == (lefts[owner] > 0)
            if stopped:
                assert (stopped["used"], stopped["limit"]) == (2, 2)

    async def test_what_is_newly_held_is_told_once(self, app: App) -> None:
        """The next night holds it, too, and sends no digest."""
        app.rules.write(
            [rule("mine", side("a"), side("b"))],
            protected=Protected(packages=[PackageSelector(id=UUID(guid("a")))]),
        )
        await night(app)
        [digest] = told(app, "digest.ready")
        assert digest["references"]["held"] == 2
        await night(app)
        assert told(app, "digest.ready") == []
