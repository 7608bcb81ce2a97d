"""What is given up costs what it stood for and no more, and every sweep ends."""

from __future__ import annotations

from typing import Any

import pytest

from entra_sod.core.errors import NotYetConsistent, StorageUnavailable, Throttled, Unavailable
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.messages import SweepMessage, SweepStartMessage, encode
from entra_sod.domain.results.status import SweepStatus
from entra_sod.services.sweeps.start import GIVE_UP_AFTER
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import Ledger, WriteOrigin
from entra_sod.stores.sweeps import CONTAINER
from functions.queues.process import handle_poison_message, process_message
from tests.app import App, wrapped
from tests.builders import guid
from tests.services.sweeps.test_finalize import messages, two_parts
from tests.services.sweeps.test_index_sweeps import ENFORCED, make
from tests.services.sweeps.test_sweeps import (
    HELD,
    PACKAGES,
    RULES,
    MakeApp,
    result,
    skipped,
    start,
    sweep,
)

BROKEN = "version: 1\nrules: [{id: r}]\n"


async def give_up(app: App, message: SweepMessage | SweepStartMessage, reason: str) -> None:
    """As the poison function does."""
    await app.engine.sweep_runner.end_poisoned(message, reason)


async def status(app: App, sweep_id: str) -> SweepStatus:
    record = await app.records.sweeps.get(sweep_id)
    assert record is not None
    return record.status


async def test_a_part_given_up_while_another_worker_closes_is_a_gap(make_app: MakeApp) -> None:
    """The lease of the closing worker is no reason to fail a sweep."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, last = await messages(app)
    await app.engine.sweep_runner.run(first)
    assert await app.records.sweeps.closing.claim(sweep_id, "another worker")
    await give_up(app, last, "too many tries")
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "completed-with-gaps"
    named = {each["what"]: each["why"] for each in skipped(answer)}
    assert named["part 1 of the sweep"] == "too many tries"


async def test_a_part_that_is_given_up_twice_is_one_gap(make_app: MakeApp) -> None:
    """A poison message may come twice, the second time just before the sweep is closed."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, last = await messages(app)
    await app.engine.sweep_runner.run(first)
    await give_up(app, last, "too many tries")
    await give_up(app, last, "too many tries")
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"]["unknown"] == 1


async def test_a_sweep_that_cannot_be_closed_tells_what_it_has_written(make_app: MakeApp) -> None:
    """Graph takes one write and stays away, until the message that closes the sweep is given up."""
    app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply")
    app.graph.takes_one_write = True
    sweep_id = await start(app)
    await app.work_off()
    answer = await result(app, sweep_id)
    [written] = app.graph.writes
    [told] = answer["references"]["written"]
    assert (answer["status"], told["targetId"]) == ("failed", written.target)
    assert answer["referenceCounts"]["written"] == 1
    ledger = Ledger(app.storage, app.clock)
    entries = [each async for each in ledger.entries() if each.reference == written]
    assert await EvidenceWrites(app.storage.blobs).proven(entries) == {written}


async def test_a_sweep_is_not_failed_while_its_write_is_being_sent(make_app: MakeApp) -> None:
    """The failed result would not tell of it; the queue brings the message again."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    [first, *_] = await messages(app)
    being_sent = Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))
    origin = WriteOrigin(run_id=sweep_id, rule_ids=("r",), rules_hash="")
    ledger = Ledger(app.storage, app.clock)
    await ledger.intend(being_sent, origin)
    ending = app.engine.sweep_runner.finalizer
    with pytest.raises(NotYetConsistent, match="is being written by another worker"):
        await ending.fail(sweep_id, "too many tries", traceparent=first.traceparent)
    assert await status(app, sweep_id) is SweepStatus.QUEUED
    await ledger.confirm(being_sent, origin)
    await ending.fail(sweep_id, "too many tries", traceparent=first.traceparent)
    answer = await result(app, sweep_id)
    [told] = answer["references"]["written"]
    assert (answer["status"], told["targetId"]) == ("failed", guid("b"))


async def test_a_part_given_up_while_graph_is_away_leaves_the_others_be(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has just started does not need the tenant's list to note a gap."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, last = await messages(app)
    app.configure()

    async def unavailable() -> Any:
        raise Unavailable("Graph answers 503")

    with monkeypatch.context() as patch:
        patch.setattr(app.graph, "packages", unavailable)
        await give_up(app, first, "too many tries")
        await app.work_one()
    assert await status(app, sweep_id) is SweepStatus.RUNNING
    await app.engine.sweep_runner.run(last)
    answer = await result(app, sweep_id)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"]["unknown"] == 20


async def test_rules_that_are_broken_when_a_sweep_closes_can_be_mended(make_app: MakeApp) -> None:
    """The night's reading is kept: the sweep closes by the rules as they are read again."""
    app = make_app(PACKAGES, HELD, RULES)
    sweep_id = await start(app)
    [part] = await messages(app)
    good, app.rules.text = app.rules.text, BROKEN
    app.configure()
    await process_message("sweep-pairs", wrapped(encode(part)))
    assert await status(app, sweep_id) is SweepStatus.RUNNING
    app.rules.text = good
    await app.work_off()
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_rules_that_stay_broken_fail_the_sweep_with_the_reason(make_app: MakeApp) -> None:
    """It does not wait for ever."""
    app = make_app(PACKAGES, HELD, RULES)
    sweep_id = await start(app)
    [part] = await messages(app)
    app.rules.text = BROKEN
    app.configure()
    await process_message("sweep-pairs", wrapped(encode(part)))
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "failed"
    assert "rules.yaml:2" in skipped(answer)[0]["why"]


async def test_findings_that_were_lost_fail_the_sweep_with_the_reason(make_app: MakeApp) -> None:
    """An unexpected error ends a sweep as well, after the queue's own deliveries."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    first, last = await messages(app)
    await app.engine.sweep_runner.run(first)
    for name in [each async for each in app.storage.blobs.names(CONTAINER, f"{sweep_id}/part-")]:
        await app.storage.blobs.delete(CONTAINER, name)
    text = wrapped(encode(last))
    for _ in range(5):
        with pytest.raises(LookupError):
            await process_message("sweep-pairs", text)
    await handle_poison_message("sweep-pairs", "m1", text)
    [closing] = app.storage.sent
    app.storage.sent.clear()
    for _ in range(5):
        with pytest.raises(LookupError):
            await process_message("sweep-pairs", wrapped(closing.body))
    await handle_poison_message("sweep-pairs", "m2", wrapped(closing.body))
    answer = await result(app, sweep_id)
    assert answer["status"] == "failed"
    assert "could not be closed: LookupError" in skipped(answer)[0]["why"]


async def test_a_start_given_up_after_its_parts_were_sent_leaves_them_be(
    make_app: MakeApp,
) -> None:
    """A message that only joined is not the sweep's last word."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    parts = await messages(app)
    joined = SweepStartMessage(version=1, id=sweep_id, traceparent="", enqueued_at="")
    await give_up(app, joined, "too many tries")
    assert await status(app, sweep_id) is SweepStatus.QUEUED
    for each in parts:
        await app.engine.sweep_runner.run(each)
    assert (await result(app, sweep_id))["status"] == "completed"


async def test_joining_needs_neither_rules_nor_graph(make_app: MakeApp) -> None:
    """A planned sweep has its parts sent again, whatever became of the rules meanwhile."""
    app = two_parts(make_app)
    sweep_id = await start(app)
    await messages(app)
    app.rules.text = BROKEN
    app.configure()
    assert await start(app) == sweep_id
    assert [each.part for each in await messages(app)] == [0, 1]


async def test_confirming_that_is_given_up_is_a_gap_and_the_conflict_stays(
    make_app: MakeApp,
) -> None:
    """What the index knows is said, and that Graph's own word is missing."""
    app = make(make_app, {"a": "xy", "b": "y"}, *ENFORCED)
    sweep_id = await start(app)
    for part in await messages(app):
        await app.engine.sweep_runner.run(part)
    app.graph.errors = [Unavailable("Graph answers 503")] * 13
    await app.work_off()
    answer = await result(app, sweep_id)
    assert answer["status"] == "completed-with-gaps"
    assert answer["pairs"]["conflict"] == 1
    assert "Graph's list of conflicts of enforced pairs" in [
        each["what"] for each in skipped(answer)
    ]


async def test_a_sweep_that_takes_too_long_is_ended_by_the_next(make_app: MakeApp) -> None:
    """It ends as failed, naming its successor; its parts that come later change nothing."""
    app = two_parts(make_app)
    old = await start(app)
    parts = await messages(app)
    app.clock.advance(GIVE_UP_AFTER.total_seconds())
    new = await start(app)
    assert new != old
    await app.work_off()
    for each in parts:
        await app.engine.sweep_runner.run(each)
    answer = await result(app, old)
    assert answer["status"] == "failed"
    assert new in skipped(answer)[0]["why"]
    assert (await result(app, new))["status"] == "completed"


async def test_an_older_sweep_that_closes_later_is_not_learned_from(make_app: MakeApp) -> None:
    """Decisions and the next sweep go by the newest reading."""
    app = two_parts(make_app)
    await start(app)
    older = await messages(app)
    app.clock.advance(60)
    later = SweepStartMessage(version=1, id="sweep-later", traceparent="", enqueued_at="")
    app.storage.sent.clear()
    await app.engine.sweep_runner.start(later)
    await app.work_off()
    for each in older:
        await app.engine.sweep_runner.run(each)
    last = await last_summary(app.records.sweeps)
    assert last is not None
    assert last.sweep_id == "sweep-later"


async def test_a_start_that_dies_before_the_row_is_made_has_started_a_sweep(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is there first, and its worker makes the row."""
    app = make_app(PACKAGES, HELD, RULES)

    async def dies(_sweep_id: str) -> Any:
        raise StorageUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(app.records.sweeps, "create", dies)
        with pytest.raises(StorageUnavailable):
            await start(app)
    await app.work_off()
    latest = await app.records.sweeps.latest()
    assert latest is not None
    assert latest.status is SweepStatus.COMPLETED


@pytest.mark.parametrize("dies_at", ["announce", "send", "create"])
async def test_a_start_that_is_cut_off_is_gone_on_with_by_the_next(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    """Wherever it died, there is one sweep in the end, and never two at once."""
    app = make_app(PACKAGES, HELD, RULES)
    of = app.storage.queues if dies_at == "send" else app.records.sweeps
    call = getattr(of, dies_at)

    async def done_and_dead(*args: Any, **options: Any) -> Any:
        await call(*args, **options)
        raise StorageUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(of, dies_at, done_and_dead)
        with pytest.raises(StorageUnavailable):
            await start(app)
    sweep_id = await start(app)
    await app.work_off()
    assert (await result(app, sweep_id))["status"] == "completed"
    assert [each.id for each in await app.records.sweeps.newest_ended(9)] == [sweep_id]


async def test_a_throttled_closing_after_a_gap_comes_again(make_app: MakeApp) -> None:
    """Graph's silence delays the end; it does not decide it."""
    app = two_parts(make_app, ENFORCEMENT="apply")
    sweep_id = await start(app)
    first, last = await messages(app)
    await app.engine.sweep_runner.run(last)
    add, failing = app.graph.add, [Throttled("wait", retry_after=30.0)]

    async def add_or_fail(reference: Any) -> None:
        if failing:
            raise failing.pop()
        await add(reference)

    app.graph.add = add_or_fail  # type: ignore[method-assign]
    await give_up(app, first, "too many tries")
    await app.work_off()
    answer = await result(app, sweep_id)
    assert (answer["status"], failing) == ("completed-with-gaps", [])
    assert len(app.graph.writes) == len(set(app.graph.writes)) > 0


async def test_a_sweep_after_one_that_failed_is_whole(make_app: MakeApp) -> None:
    """A failure leaves nothing behind that hinders the next sweep."""
    app = make_app(PACKAGES, HELD, RULES)
    good, app.rules.text = app.rules.text, BROKEN
    app.configure()
    assert (await sweep(app))["status"] == "failed"
    app.rules.text = good
    assert (await sweep(app))["status"] == "completed"
