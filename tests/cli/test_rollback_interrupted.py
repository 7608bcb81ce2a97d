"""A rollback that stops halfway leaves evidence, and the same command goes on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.core.errors import Rejected, StorageUnavailable, Throttled, Unavailable
from entra_sod.domain.entra import Reference
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.write_controls import WriteControls
from tests.app import App
from tests.cli.mortal import Killed, Life
from tests.cli.rolling_back import (
    AB,
    AC,
    HELD,
    HOUR,
    PACKAGES,
    RULES,
    THEIRS,
    RollbackWorld,
    removed_by,
)

pytestmark = pytest.mark.slow

MAX_CALLS = 400
LAST = max(AB | AC)


@pytest.fixture
def world(make_app: type[App], tmp_path: Path) -> RollbackWorld:
    return RollbackWorld(make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply"), tmp_path)


class FailingRemovals:
    """Has the tenant answer some removals with an error."""

    def __init__(self, world: RollbackWorld, patch: pytest.MonkeyPatch) -> None:
        self.errors: dict[Reference, list[Exception]] = {}
        self._remove = world.app.graph.remove
        patch.setattr(world.app.graph, "remove", self._remove_or_fail)

    async def _remove_or_fail(self, reference: Reference) -> None:
        if errors := self.errors.get(reference):
            raise errors.pop(0)
        await self._remove(reference)


async def used(world: RollbackWorld) -> int:
    return (await WriteControls(world.app.storage, world.app.clock).budget(200)).used


async def test_throttling_is_waited_out(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as Graph says; nothing is removed twice, and all of it in one run."""
    run = await world.sweep()
    failing = FailingRemovals(world, monkeypatch)
    failing.errors[LAST] = [Throttled("slow down", retry_after=77.0)] * 3
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output
    assert world.app.clock.slept.count(77.0) == 3
    assert "waiting 77 s: Graph is busy; 5 of 6 removed" in done.output


async def test_an_error_that_stays_ends_it_with_evidence(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was removed is told and sealed, the rest is not begun, and the next run goes on."""
    run = await world.sweep()
    first, second, *_ = sorted(AB | AC)
    failing = FailingRemovals(world, monkeypatch)
    failing.errors[second] = [Unavailable("503", status=503)] * 99
    done = await world.rollback("--run", run, "--yes")
    assert done.exit_code == 1
    assert "1 removed, 1 failed, 4 not begun" in done.output
    assert "entra-sod: 503" in done.output
    assert "run the same command again to go on" in done.output
    [pack] = await world.packs()
    assert removed_by(pack) == {first}
    [doubtful] = [each for each in pack[1] if not each.written]
    assert (doubtful.target_id, doubtful.planned) == (second.target, "remove")
    assert "whether it was removed is not known" in str(doubtful.why)
    assert await used(world) == 6 + 2
    failing.errors.clear()
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output
    assert await world.noted() == set()


async def test_a_refusal_ends_nothing(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Graph refuses to remove is told with its reason, and the others go."""
    run = await world.sweep()
    failing = FailingRemovals(world, monkeypatch)
    failing.errors[LAST] = [Rejected("not now", status=409)]
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (1, {LAST, THEIRS}), done.output
    assert f"failed: {LAST.target} on {LAST.on}: not now" in done.output.replace("\n", "")
    assert await used(world) == 6 + 5


async def test_writing_that_is_frozen_in_the_middle_stops_it(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the next reference; what was removed has evidence."""
    run = await world.sweep()
    controls = WriteControls(world.app.storage, world.app.clock)
    remove = world.app.graph.remove

    async def remove_and_freeze(reference: Reference) -> None:
        await remove(reference)
        await controls.freeze("stop", "ops")

    monkeypatch.setattr(world.app.graph, "remove", remove_and_freeze)
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, len(world.app.graph.present)) == (1, 6)
    assert "1 removed, 0 failed, 5 not begun" in done.output
    assert "Say --while-frozen to go on" in " ".join(done.output.split())
    assert [len(removed_by(pack)) for pack in await world.packs()] == [1]


async def test_what_could_not_be_sealed_is_told(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was removed stays removed."""
    run = await world.sweep()

    async def refuse(*_: object) -> None:
        raise StorageUnavailable("403")

    monkeypatch.setattr(EvidenceChain, "seal", refuse)
    done = await world.rollback("--run", run, "--yes")
    assert world.app.graph.present == {THEIRS}
    assert "no evidence of this could be sealed: 403" in done.output


async def killed_after(world: RollbackWorld, calls: int, run: str) -> bool:
    """Run the command in a process that dies after so many calls; whether it died."""
    life, graph, storage = Life(calls), world.app.graph, world.app.storage
    world.app.graph, world.app.storage = life.lived(graph), life.lived(storage)
    with suppress(Killed, BaseExceptionGroup):  # several reads of a dead process fail at once
        await world.rollback("--run", run, "--yes")
    world.app.graph, world.app.storage = graph, storage
    world.app.clock.advance(HOUR)
    return life.calls < 0


@pytest.mark.parametrize("part", range(4))
async def test_a_rollback_that_is_killed_anywhere_goes_on(
    make_app: type[App], tmp_path: Path, part: int
) -> None:
    """The same command ends the same; each removal stands in evidence once, and in the budget."""
    for calls in range(part, MAX_CALLS, 4):
        world = RollbackWorld(make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply"), tmp_path)
        run = await world.sweep()
        was_killed = await killed_after(world, calls, run)
        done = await world.rollback("--run", run, "--yes")
        assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), (calls, done.output)
        assert await world.noted() == set(), calls
        packs = [removed_by(pack) for pack in await world.packs()]
        assert sorted(each for pack in packs for each in pack) == sorted(AB | AC), calls
        assert await used(world) >= 12, calls
        head = await EvidenceChain(world.app.storage).head()
        assert (await verify(BlobPacks(world.app.storage.blobs), head)).breaks == [], calls
        if not was_killed:
            return
    raise AssertionError("the rollback makes more calls than were tried")


async def test_what_was_written_again_after_a_kill_is_taken_back(world: RollbackWorld) -> None:
    """The evidence of the dead is sealed after that of the sweep, and is older all the same."""
    first = await world.sweep()
    assert await killed_after(world, 60, first)
    removed = (AB | AC) - world.app.graph.present
    second = await world.sweep()
    assert world.app.graph.present == AB | AC | {THEIRS}
    done = await world.rollback("--run", second, "--yes")
    assert (done.exit_code, (AB | AC) - world.app.graph.present) == (0, removed), done.output
    assert removed
    done = await world.rollback("--run", first, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


async def test_ctrl_c_leaves_evidence(
    world: RollbackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was removed by then is sealed, the rest is there, and others are let in."""
    run = await world.sweep()
    remove, count = world.app.graph.remove, 0

    async def remove_two_and_stop(reference: Reference) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise Killed  # as KeyboardInterrupt, it is no error
        await remove(reference)

    monkeypatch.setattr(world.app.graph, "remove", remove_two_and_stop)
    with suppress(Killed):
        await world.rollback("--run", run, "--yes")
    assert [len(removed_by(pack)) for pack in await world.packs()] == [2]
    monkeypatch.setattr(world.app.graph, "remove", remove)
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output
