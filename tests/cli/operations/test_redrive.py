"""Messages that were given up, sent again: nothing is lost, and nothing is done that has ended."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.redrive import Filter, RedriveCase, Redriver, read
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.cli.redrive import redrive_with
from entra_sod.core.errors import Forbidden, StorageUnavailable
from entra_sod.domain.evidence.manifest import EvidenceManifest, decode_manifest
from entra_sod.domain.messages import CHECK_QUEUE, SWEEP_QUEUE, VERSION, SweepMessage, encode
from entra_sod.domain.results.status import SweepStatus
from entra_sod.stores.checks import RETENTION
from entra_sod.stores.dead_letters import DeadLetter
from entra_sod.stores.sweeps import SweepStore
from functions.queues.process import handle_poison_message
from tests.app import App, body_of, pair_body, wrapped
from tests.builders import held, package, rule, side

PACKAGES = [package("a"), package("b")]
RULES = [rule("r", side("a"), side("b"))]

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(PACKAGES, {"a": held("a", "x"), "b": held("b", "x")}, RULES)


async def failed_check(app: App, **fields: str) -> str:
    """A check that was given up because it came for the fifth time without a role."""
    check_id: str = body_of(await app.post(pair_body("a", "b", **fields)))["id"]
    message = app.storage.sent.pop(0)
    await app.records.checks.record_note(check_id, "may not read the rules")
    await handle_poison_message(message.queue, check_id, wrapped(message.body))
    return check_id


async def cases(app: App, **wanted: Any) -> list[RedriveCase]:
    redriver = Redriver(storage=app.storage, clock=app.clock)
    return [each async for each in redriver.cases(Filter(**wanted))]


async def run(app: App, *, yes: bool = False, discard: bool = False, **wanted: Any) -> ExitCode:
    redriver = Redriver(storage=app.storage, clock=app.clock)
    return await redrive_with(redriver, Filter(**wanted), discard=discard, is_meant=yes)


async def test_a_failed_check_is_worked_on_again_under_its_id(app: App) -> None:
    """The caller polls the same id and gets the true answer; the dead letter is deleted."""
    check_id = await failed_check(app)
    assert body_of(await app.get(check_id))["status"] == "failed"
    assert await run(app, yes=True) == ExitCode.NOTHING
    waiting = await app.get(check_id)
    assert (waiting.status_code, body_of(waiting)["status"]) == (202, "queued")
    await app.work_off()
    ended = body_of(await app.get(check_id))
    assert (ended["status"], ended["outcome"]) == ("completed", "conflict")
    assert await app.letters() == []


async def packs_of(app: App, check_id: str) -> dict[str, EvidenceManifest]:
    """The packs of a check by their run, with the chain proved."""
    proof = await verify(BlobPacks(app.storage.blobs), await app.records.chain.head())
    assert proof.breaks == []
    found = {}
    async for name in app.storage.blobs.names("evidence"):
        if check_id in name and name.endswith("/manifest.json"):
            manifest = decode_manifest(await app.storage.blobs.get("evidence", name) or b"")
            found[manifest.run] = manifest
    return found


async def test_each_round_of_a_check_seals_a_pack(app: App) -> None:
    """The failure, and what it found when it was sent again, once however often it is delivered."""
    app.configure(ENFORCEMENT="apply")
    check_id = await failed_check(app)
    await run(app, yes=True)
    message = app.storage.sent[0]
    await app.work_off()
    app.storage.sent.append(message)
    await app.work_off()
    packs = await packs_of(app, check_id)
    assert sorted(packs) == [check_id, f"{check_id}-2"]
    assert (packs[check_id].counts["findings"], packs[check_id].counts["gaps"]) == (0, 1)
    answer = packs[f"{check_id}-2"]
    assert (answer.counts["findings-open"], answer.counts["references-written"]) == (1, 2)


async def test_a_round_looks_at_findings_anew(app: App) -> None:
    """A round that died after it had noted its findings says nothing for the next one."""
    first = body_of(await app.post(pair_body("a", "b")))["id"]
    message = app.storage.sent[0]
    await app.work_off()
    row = await app.storage.table("checks").get(first, "check")
    assert row is not None
    failed = replace(row, values={**row.values, "status": "failed"})
    assert await app.storage.table("checks").replace(failed)
    assert await app.records.checks.reopen(first, "")
    app.graph._assignments = {}
    app.clock.advance(60)
    app.storage.sent.append(message)
    await app.work_off()
    assert (await packs_of(app, first))[f"{first}-2"].counts["findings-resolving"] == 1


async def test_without_yes_nothing_is_changed(app: App) -> None:
    """A dry run by default, with an exit code that says that there is something to do."""
    check_id = await failed_check(app)
    assert await run(app) == await run(app, discard=True) == ExitCode.CHANGES
    assert (len(await app.letters()), app.storage.sent) == (1, [])
    assert (await app.get(check_id)).status_code == 200


async def test_what_failed_again_is_kept_again(app: App) -> None:
    """A redriven check whose reason was not mended ends as failed once more, with a new letter."""
    check_id = await failed_check(app)
    await run(app, yes=True)
    app.rules.text = "rules: ["
    await app.work_off()
    again = body_of(await app.get(check_id))
    assert (again["status"], again["outcome"]) == ("failed", "unknown")
    assert len(await app.letters()) == 1


async def test_the_filter_takes_what_is_meant(app: App) -> None:
    """By queue, by the beginning of an id, by words of the reason, and by time."""
    check_id = await failed_check(app)
    app.clock.advance(3600)
    await failed_check(app, reference="CHG-2")
    now = app.clock.now()
    assert len(await cases(app)) == 2
    assert len(await cases(app, queue=CHECK_QUEUE)) == 2
    assert await cases(app, queue=SWEEP_QUEUE) == []
    assert [each.message.id for each in await cases(app, work_id=check_id) if each.message] == [
        check_id
    ]
    assert len(await cases(app, reason="MAY NOT read")) == 2
    assert await cases(app, reason="throttled") == []
    assert len(await cases(app, since=now - timedelta(minutes=1))) == 1


async def test_a_check_that_completed_meanwhile_stays_as_it_ended(app: App) -> None:
    """Nothing is sent, the letter is kept, and the exit code says that something is left."""
    check_id = await failed_check(app)
    await app.records.checks.reopen(check_id, "")
    await app.records.checks.end(check_id, "completed", b"{}", evidence=b"{}")  # type: ignore[arg-type]
    assert await run(app, yes=True) == ExitCode.ERROR
    assert (app.storage.sent, len(await app.letters())) == ([], 1)
    assert await run(app, yes=True, discard=True) == ExitCode.NOTHING
    assert await app.letters() == []


async def test_an_expired_check_is_not_asked_again(app: App) -> None:
    """The caller could not fetch the answer any more."""
    await failed_check(app)
    app.clock.advance(RETENTION.total_seconds() + 1)
    (case,) = await cases(app)
    assert "ask for a new one" in case.against


async def test_a_part_of_a_sweep_that_went_on_is_not_sent_again(app: App) -> None:
    """The sweep has counted it as a gap; only a part that is awaited still is sent."""
    store = SweepStore(app.storage, app.clock)
    await store.create("s")
    part = SweepMessage(version=VERSION, id="s", traceparent="", enqueued_at="", part=1)
    await app.records.dead_letters.store(
        queue=SWEEP_QUEUE, message_id="m", body=encode(part), reason="later version"
    )
    assert [each.against for each in await cases(app)] == [""]
    await store.end_part("s", 1, b"{}", {})
    assert "without this part" in (await cases(app))[0].against
    await store.end(await store.create("s"), SweepStatus.COMPLETED, b"{}")
    other = SweepMessage(version=VERSION, id="s", traceparent="", enqueued_at="", part=2)
    await app.records.dead_letters.store(
        queue=SWEEP_QUEUE, message_id="n", body=encode(other), reason="later version"
    )
    assert ["sweep again" in each.against for each in await cases(app)] == [True, True]


async def test_what_cannot_be_read_is_kept_and_named(app: App) -> None:
    """A message of no known version stays, unless it is discarded."""
    await app.records.dead_letters.store(
        queue=CHECK_QUEUE, message_id="m", body=b"\xff", reason="not JSON"
    )
    await app.storage.blobs.put("poison", "conflict-checks/note.txt", b"not a letter")
    (case,) = await cases(app)
    assert (case.message, "cannot be read" in case.against) == (None, True)
    assert await run(app, yes=True) == ExitCode.ERROR
    assert len([each async for each in app.storage.blobs.names("poison")]) == 2


async def test_a_message_that_could_not_be_sent_is_not_forgotten(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter goes last: dying in between loses nothing, and the same may be done again."""
    check_id = await failed_check(app)

    async def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(app.storage.queues, "send", away)
        with pytest.raises(StorageUnavailable):
            await run(app, yes=True)
    assert len(await app.letters()) == 1
    assert await run(app, yes=True) == ExitCode.NOTHING
    await app.work_off()
    assert body_of(await app.get(check_id))["status"] == "completed"


async def test_a_check_that_runs_meanwhile_is_not_reopened(app: App) -> None:
    """Only what failed is queued again."""
    app.graph.errors.append(Forbidden("x", status=403))
    check_id = body_of(await app.post(pair_body("a", "b")))["id"]
    assert not await app.records.checks.reopen(check_id, "")
    assert not await app.records.checks.reopen("none", "")


def test_what_was_counted_is_counted_anew() -> None:
    """Tries, interruptions and the old reason would end it at once."""
    body = (
        b'{"version":1,"kind":"delivery","id":"s","traceparent":"","enqueuedAt":"","attempt":9,'
        b'"throttled":99,"interrupted":3,"reason":"refused","subject":"sweep","tries":4,'
        b'"refusals":4}'
    )
    dead_letter = DeadLetter(
        queue="deliveries",
        message_id="m",
        reason="refused",
        body=base64.b64encode(body).decode(),
        at=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    )
    message, against = read(dead_letter)
    assert message is not None
    assert encode(message) == (
        b'{"kind":"delivery","version":1,"id":"s","traceparent":"","enqueuedAt":"",'
        b'"subject":"sweep"}'
    )
    assert against == ""
    assert read(DeadLetter(**{**_fields(dead_letter), "queue": SWEEP_QUEUE}))[0] is None


def _fields(dead_letter: DeadLetter) -> dict[str, str]:
    return {name: getattr(dead_letter, name) for name in dead_letter.__struct_fields__}
