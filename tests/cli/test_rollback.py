"""`entra-sod rollback` takes back what is proved ours, and nothing else."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.domain.entra import Reference
from entra_sod.domain.rules.language import Mode, PackageSelector, Protected, RulesFile
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.write_controls import WriteControls
from tests.app import App
from tests.builders import package, rule, side
from tests.cli.rolling_back import (
    AB,
    AC,
    DAY,
    HELD,
    PACKAGES,
    RULES,
    THEIRS,
    RollbackWorld,
    removed_by,
    to_package,
)

WARN = [rule("ab", side("a"), side("b"), mode=Mode.WARN)]


@pytest.fixture
def world(make_app: type[App], tmp_path: Path) -> RollbackWorld:
    return RollbackWorld(make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply"), tmp_path)


async def test_what_a_sweep_wrote_is_taken_back(world: RollbackWorld) -> None:
    """Entra is as it was before, the ledger is empty, and evidence of it is sealed."""
    run = await world.sweep()
    assert world.app.graph.present == AB | AC | {THEIRS}
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, "6 removed, 0 failed" in done.output) == (0, True), done.output
    assert world.app.graph.present == {THEIRS}
    assert await world.noted() == set()
    [pack] = await world.packs()
    assert (pack[0].kind, removed_by(pack)) == ("rollback", AB | AC)
    head = await EvidenceChain(world.app.storage).head()
    assert (await verify(BlobPacks(world.app.storage.blobs), head)).breaks == []


async def test_only_the_run_that_is_named_is_taken_back(world: RollbackWorld) -> None:
    """What another check wrote stays."""
    first = await world.check("a", "b")
    await world.check("a", "c")
    done = await world.rollback("--run", first, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, AC | {THEIRS}), done.output


async def test_what_was_written_lately_is_taken_back(world: RollbackWorld) -> None:
    """By age, and by moment; what is older stays."""
    await world.check("a", "b")
    world.app.clock.advance(DAY)
    await world.check("a", "c")
    done = await world.rollback("--since", "2h", "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, AB | {THEIRS}), done.output
    done = await world.rollback("--since", "2025-12-31", "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


async def test_what_another_rule_asks_for_is_kept(world: RollbackWorld) -> None:
    """Also where only the rules in force say so, and not the ledger; and that is told."""
    await world.sweep()
    world.set_rules([*RULES, rule("also", side("a"), side("b"))])
    done = await world.rollback("--rule", "ab", "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, AB | AC | {THEIRS})
    assert "left alone (3): rule also asks for it, too" in done.output
    done = await world.rollback("--rule", "ac", "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, AB | {THEIRS}), done.output


async def test_a_rule_is_not_taken_back_where_others_are_not_known(world: RollbackWorld) -> None:
    """An unread package may ask for it, and rules that are broken may, too."""
    await world.sweep()
    world.app.graph.unreadable.add(PACKAGES[2].id)
    done = await world.rollback("--rule", "ab", "--yes")
    assert "another rule may ask for it" in done.output
    world.app.graph.unreadable.clear()
    assert world.app.graph.present >= AC | {THEIRS}
    (world.folder / "rules.yaml").write_text("rules: 5")
    done = await world.rollback("--rule", "ac", "--yes")
    assert (
        done.exit_code,
        "name the rules in force by --rules" in " ".join(done.output.split()),
    ) == (1, True)
    assert world.app.graph.present >= AC | {THEIRS}


async def test_a_dry_run_shows_all_and_changes_nothing(world: RollbackWorld) -> None:
    """What, since when, by whom, who gets in again: a line for each reference."""
    run = await world.sweep()
    done = await world.rollback("--run", run, "--dry-run")
    assert done.exit_code == 2
    assert world.app.graph.present == AB | AC | {THEIRS}
    assert await world.packs() == []
    for said in (
        "Package a",
        to_package("a", "b").target,
        "holders of Package b",
        "2026-01-01 00:00:00 UTC",
        run,
        "\tab\t",
        "lets in again: 2",  # "x" holds both "a" and "b"
        "lets in again: unknown",
    ):
        assert said in done.stdout, said
    assert "│" not in done.stdout
    text = " ".join(done.stdout.split())
    assert "References: 6, on packages: 3, written by runs: 1." in text
    assert "At least 5 times a subject can get a package again." in text
    assert "writes 6 of 6 again, because rules ask for them: ab (3), ac (3)" in text
    world.app.graph.present -= AB | AC
    assert (await world.rollback("--run", run, "--dry-run")).exit_code == 0


async def test_without_a_terminal_yes_has_to_be_said(world: RollbackWorld) -> None:
    """Nothing is removed, and the command says how to."""
    run = await world.sweep()
    done = await world.rollback("--run", run)
    assert (done.exit_code, "--yes" in done.output) == (1, True)
    assert world.app.graph.present == AB | AC | {THEIRS}


@pytest.mark.parametrize("answer", ["no", "y", ""])
async def test_another_word_than_yes_removes_nothing(world: RollbackWorld, answer: str) -> None:
    """The question has the figures; nothing is removed, and no lease is left behind."""
    run = await world.sweep()
    done = await world.rollback("--run", run, answer=f"{answer}\n")
    assert (done.exit_code, world.app.graph.present) == (1, AB | AC | {THEIRS})
    said = " ".join(done.output.split())
    assert "Remove 6 references? At least 5 times a subject can get a package again." in said
    done = await world.rollback("--run", run, answer="yes\n")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


async def test_a_run_is_taken_back_whatever_the_rules_are(world: RollbackWorld) -> None:
    """Rules that cannot be read stop no rollback of a run: what they ask for is not known."""
    run = await world.sweep()
    done = await world.rollback("--run", run, "--yes", RULES="blob:nothing-here")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output
    assert "Whether the rules ask for them again is not known" in " ".join(done.output.split())


@pytest.mark.parametrize("known", [True, False])
async def test_a_forged_row_takes_nothing_of_a_person_back(
    world: RollbackWorld, *, known: bool
) -> None:
    """Whatever run it names; what is proved goes, and the other is told."""
    run = await world.sweep()
    await world.forge(THEIRS, run if known else "sweep-unknown")
    done = await world.rollback("--since", "1d", "--yes")
    assert done.exit_code == 1
    assert "left alone (1): no sealed evidence" in " ".join(done.output.split())
    assert world.app.graph.present == {THEIRS}
    assert await world.noted() == {THEIRS}


async def test_a_row_that_names_another_run_than_the_one_that_wrote_is_left_alone(
    world: RollbackWorld,
) -> None:
    """By either run: neither the ledger nor the evidence alone is believed."""
    first, second = await world.check("a", "b"), await world.check("a", "c")
    [moved, *_] = sorted(AB)
    await world.forge(moved, second)
    done = await world.rollback("--run", first, "--yes")
    assert (done.exit_code, f"run {second} wrote it since" in " ".join(done.output.split())) == (
        0,
        True,
    )
    done = await world.rollback("--run", second, "--yes")
    assert (done.exit_code, world.app.graph.present) == (1, {moved, THEIRS}), done.output


async def test_what_a_person_made_again_stays(world: RollbackWorld) -> None:
    """The evidence of the sweep says written, that of a rollback says removed since."""
    run = await world.sweep()
    await world.rollback("--run", run, "--yes")
    again = to_package("a", "b")
    world.app.graph.present.add(again)
    world.app.clock.advance(DAY)
    await world.forge(again, run)
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (1, {again, THEIRS}), done.output
    assert "newer evidence says that it was removed" in " ".join(done.output.split())


async def test_what_a_sweep_wrote_again_after_a_rollback_is_taken_back(
    world: RollbackWorld,
) -> None:
    """That it was removed once does not make it another owner's."""
    await world.rollback("--run", await world.sweep(), "--yes")
    second = await world.sweep()
    assert world.app.graph.present == AB | AC | {THEIRS}
    done = await world.rollback("--run", second, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


async def test_a_rollback_takes_nothing_of_the_budget_away_and_counts(world: RollbackWorld) -> None:
    """It is not stopped by a budget that is used up, and what it removed is in the figures."""
    run = await world.sweep()
    done = await world.rollback("--run", run, "--yes", MAX_REFERENCE_WRITES_PER_DAY="6")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output
    assert (await WriteControls(world.app.storage, world.app.clock).budget(6)).used == 12


async def test_a_freeze_stops_a_rollback_unless_it_is_meant(world: RollbackWorld) -> None:
    """The command says by whom writing is frozen, and which option goes on."""
    run = await world.sweep()
    await WriteControls(world.app.storage, world.app.clock).freeze("a wrong rule", "ops")
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (1, AB | AC | {THEIRS})
    said = " ".join(done.output.split())
    assert all(each in said for each in ("a wrong rule", "--while-frozen", "Nothing was removed"))
    done = await world.rollback("--run", run, "--yes", "--while-frozen")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output


async def test_what_rules_protect_stays(make_app: type[App], tmp_path: Path) -> None:
    """Nothing is written on a protected package, not even a removal; and that is told."""
    world = RollbackWorld(make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply"), tmp_path)
    run = await world.sweep()
    kept = Protected(packages=[PackageSelector(id=UUID(PACKAGES[2].id))])
    file = RulesFile(version=1, rules=RULES, protected=kept)
    (tmp_path / "rules.yaml").write_bytes(msgspec.json.encode(file))
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, AC | {THEIRS}), done.output
    assert "is protected by the rules files" in " ".join(done.output.split())


async def test_what_a_person_removed_is_told_and_forgotten(world: RollbackWorld) -> None:
    """The rest goes; what is not in Entra any more is in no count, and leaves the ledger."""
    run = await world.sweep()
    gone = to_package("a", "b")
    world.app.graph.present.remove(gone)
    done = await world.rollback("--run", run, "--yes")
    assert (done.exit_code, world.app.graph.present) == (0, {THEIRS}), done.output
    assert "it is not in Entra any more" in done.output
    assert "5 removed" in done.output
    assert await world.noted() == set()


async def test_a_package_that_cannot_be_read_keeps_its_references(world: RollbackWorld) -> None:
    """The others go, the reason is told, and the exit code says that not all is done."""
    run = await world.sweep()
    world.app.graph.unreadable.add(package("c").id)
    done = await world.rollback("--run", run, "--yes")
    on_c: set[Reference] = {each for each in AC if each.on == package("c").id}
    assert (done.exit_code, world.app.graph.present) == (1, on_c | {THEIRS}), done.output
    assert "cannot be read" in " ".join(done.output.split())
    assert (await world.rollback("--run", run, "--dry-run")).exit_code == 3
