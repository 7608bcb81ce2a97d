"""A person is forgotten, and the evidence is still proved."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from functools import partial

import pytest
from typer.testing import CliRunner

from entra_sod.cli import erase as command
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.operations.erase import Eraser
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import Proof, verify
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.evidence.manifest import CONTAINER
from entra_sod.stores.exception_subjects import ExceptionSubjectStore
from local.memory.storage import MemoryBlobs
from tests.app import App, body_of, pair_body
from tests.builders import exception, guid, package, rule, side
from tests.services.findings.nights import PEOPLE, live_through, make, story

NIGHTS = story(1)[:4]


@pytest.fixture
async def app(make_app: type[App]) -> App:
    app = make(make_app)
    await live_through(app, NIGHTS)
    await app.check("a", "b")
    return app


def person() -> str:
    """A person with an exception and with findings."""
    excepted = {who for night in NIGHTS for _, who in night.excepted}
    return next(who for who in PEOPLE if who in excepted and len(NIGHTS[0].holds[who]) > 2)


async def proof(app: App) -> Proof:
    return await verify(BlobPacks(app.storage.blobs), await app.records.chain.head())


async def naming(app: App, *ids: str) -> list[str]:
    """Everything in storage that has one of the ids in it."""
    pattern = re.compile("|".join(ids).encode())
    blobs = app.storage._blobs
    assert isinstance(blobs, MemoryBlobs)
    found = ["/".join(name) for name, data in blobs._blobs.items() if pattern.search(data)]
    for table, rows in app.storage._tables.items():
        found += [
            f"{table}/{row.key}"
            async for row in rows.rows()
            if pattern.search(repr(dict(row.values)).encode())
        ]
    return found


async def test_nothing_is_left_of_a_person(app: App) -> None:
    """No row and no file has either id; the chain holds, and says what was erased."""
    who = person()
    ids = guid(who), guid(f"{who}b")
    assert len(await naming(app, *ids)) > 10
    eraser = Eraser(app.storage, app.clock)
    traces = await eraser.find(ids[0])
    assert traces.findings
    assert traces.rules
    await eraser.erase(traces)
    assert await naming(app, *ids) == []
    held = await proof(app)
    assert (held.breaks, traces.kept) == ([], [])
    assert len(held.erased) == len(traces.rules)
    assert "was erased on 2026-03-04" in held.erased[0]


@pytest.fixture
async def two(make_app: type[App]) -> App:
    """Two people who hold both, with exceptions in one file, that one check has seen."""
    holders = [
        Assignment(
            id=who, state="delivered", subject=Subject(id=guid(who), object_id=guid(f"{who}5"))
        )
        for who in "ef"
    ]
    app = make_app([package("a"), package("b")], {"a": holders, "b": holders}, [])
    day = app.clock.now().date()
    permitted = [exception("r", who, start=day, end=day) for who in "ef"]
    app.rules.write([rule("r", side("a"), side("b"))], permitted)
    app.rules.text = app.rules.text.replace(guid("f"), guid("f").upper())
    await app.check("a", "b")
    return app


@pytest.mark.parametrize("who", ["e", "f"])
async def test_an_id_is_the_same_in_capitals(two: App, who: str) -> None:
    """Capitals do not matter, neither in the request nor in the rules: all of it is erased."""
    ids = guid(who), guid(f"{who}5")
    eraser = Eraser(two.storage, two.clock)
    known = await eraser.find(ids[0])
    assert (len(known.findings), len(known.checks), len(known.rules)) == (1, 1, 1)
    for each in ids:
        assert await eraser.find(each.upper()) == known
    await eraser.erase(known)
    assert await naming(two, *ids, ids[0].upper()) == []


async def test_a_second_person_of_the_same_file_is_forgotten_with_it(two: App) -> None:
    """What stands for a file with two exceptions when one person is erased names neither."""
    eraser = Eraser(two.storage, two.clock)
    await eraser.erase(await eraser.find(guid("e")))
    other = await eraser.find(guid("f"))
    assert (len(other.findings), other.rules, other.kept) == (1, [], [])
    await eraser.erase(other)
    assert await naming(two, guid("f"), guid("f").upper()) == []
    assert (await proof(two)).breaks == []


async def test_a_tombstone_that_names_a_person_is_told_of(app: App) -> None:
    """Nothing in evidence is written over, so nothing can be done but to say so."""
    who = guid(person())
    name = "2026/03/01/sweep-x/rules/rules.yaml.erased"
    await app.storage.blobs.create(CONTAINER, name, f'{{"text":"{who.upper()}"}}'.encode())
    traces = await Eraser(app.storage, app.clock).find(who)
    assert name not in traces.rules
    assert traces.kept == [f"evidence/{name} names the person, and is not written over"]


async def test_drafts_that_were_left_behind_are_erased(app: App) -> None:
    """Those of a pack that is sealed; another run may still need its own, and is named."""
    who = guid(person())
    sealed = next(name for name in (await Eraser(app.storage, app.clock).find(who)).rules)
    run = sealed.split("/")[3]
    for each in (run, "sweep-under-way"):
        await app.storage.blobs.put("evidence-drafts", f"{each}/1", who.encode())
    traces = await Eraser(app.storage, app.clock).find(who)
    assert traces.drafts == [run]
    assert traces.kept == [
        "evidence-drafts/sweep-under-way: its pack is not sealed yet: run this again"
    ]
    await Eraser(app.storage, app.clock).erase(traces)
    left = [name async for name in app.storage.blobs.names("evidence-drafts")]
    assert left == ["sweep-under-way/1"]


async def test_others_are_left_alone(app: App) -> None:
    """Their findings and their evidence stay; the next night goes on."""
    who = person()
    others = [
        kept.finding.id
        async for kept in app.records.findings.all()
        if kept.finding.subject_id != guid(who)
    ]
    eraser = Eraser(app.storage, app.clock)
    await eraser.erase(await eraser.find(guid(who)))
    left = [kept.finding.id async for kept in app.records.findings.all()]
    assert left == others
    await live_through(app, story(1)[4:5])
    assert (await proof(app)).breaks == []


async def test_a_tombstone_hides_no_other_change(app: App) -> None:
    """A tombstone beside a file that it does not belong to is detected."""
    names = [name async for name in app.storage.blobs.names(CONTAINER)]
    name = next(each for each in names if each.endswith("coverage.json"))
    await app.storage.blobs.put(CONTAINER, f"{name}.erased", b"{}")
    await app.storage.blobs.delete(CONTAINER, name)
    wrong = {each.where for each in (await proof(app)).breaks}
    assert wrong == {name, f"{name}.erased"}
    rules = next(each for each in names if "/rules/" in each)
    stone = b'{"at":"2026-03-04T00:00:00Z","sha256":"0","text":""}'
    await app.storage.blobs.put(CONTAINER, f"{rules}.erased", stone)
    await app.storage.blobs.delete(CONTAINER, rules)
    assert rules in {each.where for each in (await proof(app)).breaks}


async def test_what_storage_keeps_is_said(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked policy lets no file go: it stays, with the tombstone beside it."""
    delete = MemoryBlobs.delete

    async def refuse(self: MemoryBlobs, container: str, name: str) -> None:
        if container == CONTAINER:
            raise StorageUnavailable("BlobImmutableDueToPolicy")
        await delete(self, container, name)

    eraser = Eraser(app.storage, app.clock)
    traces = await eraser.find(guid(person()))
    monkeypatch.setattr(MemoryBlobs, "delete", refuse)
    await eraser.erase(traces)
    assert len(traces.kept) == len(traces.rules) > 0
    assert (await proof(app)).breaks == []


def test_nothing_is_erased_unless_told(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --erase it only says what there is."""

    @asynccontextmanager
    async def opened(_environment: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield app.storage

    monkeypatch.setattr(command, "open_storage", opened)
    monkeypatch.setattr(command, "SystemClock", lambda: app.clock)
    subject = guid(person())

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(entra_sod, ["erase", "--subject", subject, *arguments])
        return done.exit_code, done.stdout

    code, said = run()
    assert (code, said.startswith("to erase: ")) == (0, True)
    code, again = run("--erase")
    assert (code, again) == (0, said.replace("to erase", "erased"))
    assert run()[1].startswith("to erase: 0 findings, 0 checks, 0 files")
    subject = "short"
    assert run()[0] == 1


async def test_e7_a_sweep_that_has_not_kept_the_person_yet_is_named(app: App) -> None:
    """It may have read the person, so the command asks the operator to run it again later."""
    sweep_id = (await app.records.sweep_starter.start(traceparent="")).id
    traces = await Eraser(app.storage, app.clock).find(guid(person()))
    assert traces.kept == [f"sweep {sweep_id} is under way: run this again after it"]


async def test_e7_a_sweep_that_is_only_announced_is_named(app: App) -> None:
    """Its message may be on the queue before its row is there."""
    await app.records.sweeps.announce("sweep-next")
    traces = await Eraser(app.storage, app.clock).find("subject-unknown")
    assert traces.kept == ["sweep sweep-next is under way: run this again after it"]


async def test_e7_a_check_that_has_not_ended_is_named(app: App) -> None:
    """It may name the person, too; the lease of who works on it names no person."""
    check_id = body_of(await app.post(pair_body("a", "b")))["id"]
    assert await app.records.checks.working.claim(check_id, "a worker")
    traces = await Eraser(app.storage, app.clock).find(guid(person()))
    assert traces.kept == [f"check {check_id} is under way: run this again after it"]


async def test_e7_work_under_way_ends_the_command_with_2(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code says that this is to be run again."""

    @asynccontextmanager
    async def opened(_environment: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield app.storage

    monkeypatch.setattr(command, "open_storage", opened)
    sweep_id = (await app.records.sweep_starter.start(traceparent="")).id
    run = partial(CliRunner().invoke, entra_sod, ["erase", "--subject", guid(person()), "--erase"])
    done = await asyncio.to_thread(run)
    assert (done.exit_code, f"kept: sweep {sweep_id} is under way" in done.stdout) == (2, True)


async def test_the_name_of_an_exception_goes_with_the_person(app: App) -> None:
    """What was remembered of it by the id, and rules in evidence that have only the name."""
    who, name = person(), "eve@contoso.example"
    remembered = ExceptionSubjectStore(app.storage, app.clock)
    await remembered.keep("EX-9", name, guid(who))
    await app.storage.blobs.put(CONTAINER, "000001/s/rules/more.yaml", f"subject: {name}".encode())
    eraser = Eraser(app.storage, app.clock)
    traces = await eraser.find(guid(who))
    assert len(traces.exceptions) == 1
    assert f"{CONTAINER}/000001/s/rules/more.yaml".removeprefix(f"{CONTAINER}/") in traces.rules
    await eraser.erase(traces)
    assert await naming(app, name, guid(who)) == []
