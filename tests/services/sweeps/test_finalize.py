"""A sweep is closed exactly once, whichever worker comes last and whatever dies on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from entra_sod.core.errors import NotYetConsistent, Throttled, Unavailable
from entra_sod.domain.messages import SweepMessage, decode
from entra_sod.domain.sweeps.parts import PART_SIZE
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.sweeps import CLOSING_LEASE, TABLE
from tests.app import App
from tests.builders import guid, package
from tests.services.enforcement.test_controls import freeze, unfreeze
from tests.services.sweeps.test_sweeps import (
    HELD,
    PACKAGES,
    RULES,
    MakeApp,
    result,
    skipped,
    star,
    start,
)
from tests.slow_worker import SlowWorker


def two_parts(make_app: MakeApp, **settings: str) -> App:
    names, rules = star(PART_SIZE + 1)
    return make_app([package("a"), *(package(name) for name in names)], {}, rules, **settings)


async def messages(app: App) -> list[SweepMessage]:
    """Plan the sweep and take the messages of its parts off the queue."""
    await app.work_one()
    found = [decode(each.body) for each in app.storage.sent]
    app.storage.sent.clear()
    return [each for each in found if isinstance(each, SweepMessage)]


async def test_two_parts_that_end_together_close_once(make_app: MakeApp) -> None:
    """One closes; the other comes again later, and finds the sweep ended."""
    app = two_parts(make_app, ENFORCEMENT="apply")
    sweep_id = await start(app)
    parts = await messages(app)
    runner = app.engine.sweep_runner
    ends = await asyncio.gather(*(runner.run(each) for each in parts), return_exceptions=True)
    assert {type(each) for each in ends} <= {type(None), NotYetConsistent}
    for each in parts:
        await runner.run(each)
    assert (await result(app, sweep_id))["status"] == "completed"
    assert len(app.graph.writes) == len(set(app.graph.writes)) == 2 * (PART_SIZE + 1)


async def test_only_one_of_two_that_are_ready_at_once_closes(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of storage lets the other one go first, and still one lease is given."""
    app = two_parts(make_app, ENFORCEMENT="apply")
    sweep_id = await start(app)
    parts = await messages(app)
    store, runner, table = app.records.sweeps, app.engine.sweep_runner, app.storage.table(TABLE)
    for part in parts:
        await store.end_part(sweep_id, part.part, b"{}", {})
    for name in ("get", "insert", "replace", "delete"):
        monkeypatch.setattr(table, name, yielding(getattr(table, name)))
    ends = await asyncio.gather(*(runner.run(each) for each in parts), return_exceptions=True)
    assert sorted(type(each).__name__ for each in ends) == ["NoneType", "NotYetConsistent"]


def yielding(call: Any) -> Any:
    """A call that lets others go first."""

    async def called(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        return await call(*args, **options)

    return called


async def test_the_sweep_of_a_worker_that_dies_while_closing_is_closed(make_app: MakeApp) -> None:
    """A lease that is not renewed runs out, and the next delivery closes the sweep."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, last = await messages(app)
    runner, store = app.engine.sweep_runner, app.records.sweeps
    await runner.run(first)
    assert await store.closing.claim(sweep_id, "a worker that was killed")
    with pytest.raises(NotYetConsistent, match="another worker is closing sweep"):
        await runner.run(last)
    app.clock.advance(CLOSING_LEASE.total_seconds())
    await runner.run(last)
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_a_worker_that_lost_its_lease_while_closing_writes_nothing(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one has closed the sweep while writing was frozen, so it tells of no writes."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    sweep_id = await start(app)
    [part] = await messages(app)
    slow = SlowWorker(monkeypatch, Ledger, "read", app.engine.sweep_runner.run(part))
    await slow.begin()
    app.clock.advance(CLOSING_LEASE.total_seconds())
    await freeze("an audit is on")
    await app.engine.sweep_runner.run(part)
    await unfreeze()
    with pytest.raises(NotYetConsistent, match="another worker is closing sweep"):
        await slow.go_on()
    answer = await result(app, sweep_id)
    assert (app.graph.writes, answer["references"]["written"]) == ([], [])
    assert answer["stopped"]["by"] == "freeze"


async def test_a_closing_lease_from_a_wrong_clock_binds_no_worker(make_app: MakeApp) -> None:
    """Held for days, by the clock of a worker that died: the next delivery closes all the same."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, last = await messages(app)
    runner = app.engine.sweep_runner
    await runner.run(first)
    app.clock.advance(86_400)
    assert await app.records.sweeps.closing.claim(sweep_id, "a worker that was killed")
    app.clock.advance(-86_400)
    await runner.run(last)
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_a_clock_that_is_a_little_ahead_still_holds_its_lease(make_app: MakeApp) -> None:
    """Clocks differ by seconds; no worker closes a sweep that another one is closing."""
    app = two_parts(make_app)
    store = app.records.sweeps
    app.clock.advance(5)
    assert await store.closing.claim("s", "ahead")
    app.clock.advance(-5)
    assert not await store.closing.claim("s", "behind")


async def test_a_lease_is_its_owners_alone(make_app: MakeApp) -> None:
    """Its owner may renew it and let it go; another worker may do neither."""
    store = two_parts(make_app).records.sweeps
    assert await store.closing.claim("s", "mine")
    assert await store.closing.claim("s", "mine")
    await store.closing.release("s", "theirs")
    assert not await store.closing.claim("s", "theirs")
    await store.closing.release("s", "mine")
    assert await store.closing.claim("s", "theirs")


@pytest.mark.parametrize("error", [Throttled("wait", retry_after=30.0), Unavailable("503")])
async def test_a_closing_that_fails_halfway_is_closed_by_the_next_try(
    make_app: MakeApp, error: Exception
) -> None:
    """The lease is let go with the error, and what was written before is not written again."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    add, failing = app.graph.add, [error]

    async def add_or_fail(reference: Any) -> None:
        if app.graph.writes and failing:
            raise failing.pop()
        await add(reference)

    app.graph.add = add_or_fail  # type: ignore[method-assign]
    sweep_id = await start(app)
    await app.work_off()
    answer = await result(app, sweep_id)
    assert (answer["status"], failing) == ("completed", [])
    assert len(answer["references"]["planned"]) == len(answer["references"]["written"]) == 4
    assert len(app.graph.writes) == len(set(app.graph.writes)) == 4


async def test_a_sweep_that_cannot_be_closed_fails_with_the_reason(make_app: MakeApp) -> None:
    """When every try at closing fails, the sweep ends as failed; it does not run for ever."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")

    async def refuse(_reference: Any) -> None:
        raise Unavailable("Graph answers 503", status=503)

    app.graph.add = refuse  # type: ignore[assignment,method-assign]
    sweep_id = await start(app)
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "failed"
    why = skipped(answer)[0]["why"]
    assert why.startswith("it could not be closed: given up after 13 attempts")
    assert "Graph answers 503" in why


async def test_a_sweep_that_cannot_be_planned_fails_with_the_reason(make_app: MakeApp) -> None:
    """Rules with a mistake end the sweep at once, saying where the mistake is."""
    app = make_app(PACKAGES, HELD, RULES)
    app.rules.text = "version: 1\nrules: [{id: r}]\n"
    sweep_id = await start(app)
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "failed"
    assert "rules.yaml:2" in skipped(answer)[0]["why"]


async def test_planning_waits_for_graph(make_app: MakeApp) -> None:
    """A tenant that cannot be listed just now is listed later; the sweep is not lost."""
    app = make_app(PACKAGES, HELD, RULES)
    listing, failing = app.graph.packages, [Unavailable("503"), Throttled("wait", retry_after=9.0)]

    async def packages() -> Any:
        if failing:
            raise failing.pop()
        return await listing()

    app.graph.packages = packages  # type: ignore[method-assign]
    sweep_id = await start(app)
    await app.work_off()
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_a_plan_that_is_made_twice_is_one_plan(make_app: MakeApp) -> None:
    """A message that asks for the plan twice leads to the same parts, each worked once."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    app.storage.sent.extend(app.storage.sent[:])
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["pairs"]["total"] == PART_SIZE + 1
    assert len(await app.records.sweeps.parts_done(sweep_id)) == 2


async def test_starting_again_sends_only_what_is_not_done(make_app: MakeApp) -> None:
    """Lost messages are sent once more, for parts that are not done, and read no part twice."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, _lost = await messages(app)
    await app.engine.sweep_runner.run(first)
    assert await start(app) == sweep_id
    sent = await messages(app)
    assert [each.part for each in sent] == [1]
    await app.engine.sweep_runner.run(sent[0])
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_a_sweep_whose_closing_was_lost_is_closed_by_starting_again(
    make_app: MakeApp,
) -> None:
    """All parts are done and no worker is left to close: the next start closes it."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    parts = await messages(app)
    store, runner = app.records.sweeps, app.engine.sweep_runner
    await runner.run(parts[0])
    assert await store.closing.claim(sweep_id, "a worker that was killed")
    with pytest.raises(NotYetConsistent):
        await runner.run(parts[1])
    app.clock.advance(CLOSING_LEASE.total_seconds())
    assert await start(app) == sweep_id
    await app.work_off()
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_a_part_of_a_sweep_that_has_ended_is_left_alone(make_app: MakeApp) -> None:
    """A late delivery reads nothing and changes nothing."""
    app = make_app(PACKAGES, HELD, RULES)
    sweep_id = await start(app)
    [part] = await messages(app)
    await app.engine.sweep_runner.run(part)
    before = await result(app, sweep_id)
    app.graph.unreadable.add(guid("a"))
    await app.engine.sweep_runner.run(part)
    assert await result(app, sweep_id) == before
