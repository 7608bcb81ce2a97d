"""Two workers on one check: one of them works, and its answer tells all that was written."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from entra_sod.core.errors import NotYetConsistent
from entra_sod.domain.entra import Reference
from entra_sod.domain.messages import POISON_SUFFIX, decode, encode
from entra_sod.stores.checks import WORKING_LEASE
from tests.app import App, body_of, pair_body
from tests.builders import held, package, rule, side
from tests.services.enforcement.test_controls import freeze, unfreeze
from tests.slow_worker import SlowWorker

PACKAGES = [package("a", "1"), package("b", "2")]
HELD = {"a": held("a", "vwxy"), "b": held("b", "xyz")}
RULES = [rule("r", side("a"), side("b"))]

type MakeApp = type[App]


async def asked_twice(app: App) -> str:
    """Ask for a check, and lay its message on the queue once more."""
    answer = await app.post(pair_body("a", "b"))
    app.storage.sent.append(app.storage.sent[0])
    check_id: str = body_of(answer)["id"]
    return check_id


async def told(app: App, check_id: str, *, status: str = "completed") -> set[Reference]:
    """What the answer tells as written."""
    await app.work_off()
    answer = body_of(await app.get(check_id))
    assert answer["status"] == status
    return {
        Reference(each["accessPackageId"], each["kind"], each["targetId"])
        for each in answer["references"]["written"]
    }


async def second_worker_comes_in_a_freeze(app: App, slow: SlowWorker, *, after: float = 0) -> None:
    """It comes some seconds after the first one has stopped, which goes on after the freeze."""
    await slow.begin()
    app.clock.advance(after)
    await freeze("an audit is on")
    await app.work_one()
    await unfreeze()
    await slow.go_on()


@pytest.mark.parametrize("call", ["package", "references"])
async def test_what_a_slow_worker_writes_is_told(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The other one waits, though writing is frozen when it comes and it would write nothing."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    check_id = await asked_twice(app)
    slow = SlowWorker(monkeypatch, app.graph, call, app.work_one())
    await second_worker_comes_in_a_freeze(app, slow)
    assert await told(app, check_id) == set(app.graph.writes)
    assert len(app.graph.writes) == 4


async def test_a_worker_that_was_silent_for_too_long_writes_nothing(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has ended the check meanwhile, and could not write."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    check_id = await asked_twice(app)
    slow = SlowWorker(monkeypatch, app.graph, "references", app.work_one())
    await second_worker_comes_in_a_freeze(app, slow, after=WORKING_LEASE.total_seconds())
    assert await told(app, check_id) == set(app.graph.writes) == set()
    assert [row async for row in app.storage.table("ledger").rows()] == []


async def test_what_is_being_sent_while_another_takes_over_is_told(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one does not end the check before it is clear what becomes of it."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    check_id = await asked_twice(app)
    slow = SlowWorker(monkeypatch, app.graph, "add", app.work_one())
    await second_worker_comes_in_a_freeze(app, slow, after=WORKING_LEASE.total_seconds())
    assert await told(app, check_id) == set(app.graph.writes)
    assert len(app.graph.writes) == len(set(app.graph.writes)) == 4


async def cannot_be_given_up(app: App, *, why: str) -> None:
    """The second message lies with those that are given up; its worker lets it come again."""
    [second] = app.storage.sent
    message = msgspec.structs.replace(decode(second.body), reason="too many tries")
    given_up = replace(second, queue=second.queue + POISON_SUFFIX, body=encode(message))
    app.storage.sent[:] = [given_up]
    with pytest.raises(NotYetConsistent, match=why):
        await app.work_one()
    app.storage.sent.append(given_up)


async def test_a_check_is_not_failed_while_a_worker_works_on_it(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second message is given up; the queue brings it again until the worker has ended."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    check_id = await asked_twice(app)
    slow = SlowWorker(monkeypatch, app.graph, "package", app.work_one())
    await slow.begin()
    await cannot_be_given_up(app, why="another worker is working on check")
    await slow.go_on()
    assert await told(app, check_id) == set(app.graph.writes)
    assert len(app.graph.writes) == 4


async def test_a_check_is_not_failed_while_its_write_is_being_sent(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker was silent for too long and may write no more, but this one is on its way."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    check_id = await asked_twice(app)
    slow = SlowWorker(monkeypatch, app.graph, "add", app.work_one())
    await slow.begin()
    app.clock.advance(WORKING_LEASE.total_seconds())
    await cannot_be_given_up(app, why="is being written by another worker")
    await slow.go_on()
    assert await told(app, check_id, status="failed") == set(app.graph.writes)
    assert len(app.graph.writes) == 1


async def test_a_check_that_has_ended_is_announced_again_without_waiting(
    make_app: MakeApp,
) -> None:
    """Though a worker that died after it had ended the check has left its lease behind."""
    app = make_app(PACKAGES, HELD, RULES)
    check_id = await asked_twice(app)
    await app.work_one()
    assert await app.records.checks.working.claim(check_id, "a worker that was killed")
    await app.work_one()
    assert app.storage.sent == []
