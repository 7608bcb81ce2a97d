"""`entra-sod adopt` and `unadopt`: references of people become the app's own, and theirs again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from entra_sod.cli import adopt as command
from entra_sod.cli import confirm as confirming
from entra_sod.cli.__main__ import app as entra_sod
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.cli.session import Session
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import CONTAINER, decode_manifest
from entra_sod.domain.evidence.rows import ReferenceLine
from entra_sod.domain.rules.language import Mode, PackageSelector, Protected, RulesFile
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.ledger import LedgerState, WriteOrigin
from tests.app import App, install_parts
from tests.builders import guid, rule, side
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
    to_group,
    to_package,
)

MAX_CALLS = 300
NAMES = "abcd"
EVERY = sorted(
    {
        *(to_package(on, other) for on in NAMES for other in NAMES if on != other),
        *(to_group(on, "1") for on in "bcd"),
    }
)


class Adopting(RollbackWorld):
    """Rules that keep "a" from "b" and "c", in a tenant where people have made references."""

    async def run(self, *arguments: str, answer: str | None = None) -> Result:
        """Run `adopt` or `unadopt` in a thread; on a terminal if there is an answer to type."""
        session = self.session()

        @asynccontextmanager
        async def open_session() -> AsyncIterator[Session]:
            yield session

        rules = ["--rules", str(self.folder)] if arguments[0] == "adopt" else []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(command, "open_session", open_session)
            patch.setattr(confirming, "is_terminal", lambda: answer is not None)
            patch.setenv("COLUMNS", "80")
            result = await asyncio.to_thread(
                CliRunner().invoke, entra_sod, [*arguments, *rules], input=answer
            )
        self.app.clock.advance(HOUR)
        return result

    @property
    def present(self) -> set[Reference]:
        return self.app.graph.present

    async def packs_of(self, kind: str) -> list[set[tuple[Reference, object]]]:
        """What the references of each pack of a kind say of whose they are."""
        found: list[set[tuple[Reference, object]]] = []
        blobs = self.app.storage.blobs
        async for name in blobs.names(CONTAINER):
            if name.endswith("manifest.json"):
                manifest = decode_manifest(await blobs.get(CONTAINER, name) or b"")
                if manifest.kind == kind:
                    data = await blobs.get(CONTAINER, f"{manifest.folder}/references.jsonl") or b""
                    lines = [msgspec.json.decode(x, type=ReferenceLine) for x in data.splitlines()]
                    found.append({(_reference(each), each.ownership) for each in lines})
        return found

    async def is_whole(self) -> bool:
        head = await EvidenceChain(self.app.storage).head()
        return (await verify(BlobPacks(self.app.storage.blobs), head)).breaks == []


def _reference(line: ReferenceLine) -> Reference:
    return Reference(line.access_package_id, ReferenceKind(line.kind), line.target_id)


@pytest.fixture
def world(make_app: type[App], tmp_path: Path) -> Adopting:
    made = Adopting(
        make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply", PRUNE="true"), tmp_path, RULES
    )
    made.present.update(AB)
    return made


async def test_what_rules_ask_for_is_taken_over(world: Adopting) -> None:
    """Into the ledger for these rules, with sealed evidence; nothing is written to Entra."""
    done = await world.run("adopt", "--yes")
    assert done.exit_code == 0, done.output
    assert await world.noted() == AB
    entries = [each async for each in world.ledger.entries()]
    assert {(each.rule_ids, each.state) for each in entries} == {(("ab",), LedgerState.WRITTEN)}
    assert all(each.is_adopted for each in entries)
    assert await world.packs_of("adopt") == [{(each, "adopted") for each in AB}]
    assert (world.app.graph.writes, world.present) == ([], AB | {THEIRS})
    assert await world.is_whole()


async def test_the_table_comes_before_the_question(world: Adopting) -> None:
    """Which, on what, for which rule; another answer than yes changes nothing."""
    done = await world.run("adopt", answer="no\n")
    a, b, one = (guid(each) for each in "ab1")
    assert done.stdout.splitlines()[:4] == [
        "on package\tkept away\tkind\trules\ton id\tkept away id",
        f"Package a\tPackage b\tpackage\tab\t{a}\t{b}",
        f"Package b\t{one}\tgroup\tab\t{b}\t{one}",
        f"Package b\tPackage a\tpackage\tab\t{b}\t{a}",
    ]
    assert "Take over 3 references on 2 access packages?" in done.output
    assert (done.exit_code, await world.noted()) == (1, set())
    done = await world.run("adopt")
    assert (done.exit_code, await world.noted()) == (1, set())
    assert "run the command again with --yes" in done.stderr
    done = await world.run("adopt", answer="yes\n")
    assert (done.exit_code, await world.noted()) == (0, AB), done.output


async def test_a_dry_run_changes_nothing(world: Adopting) -> None:
    """Exit code 2 says that something would be adopted, or given back."""
    done = await world.run("adopt", "--dry-run")
    assert (done.exit_code, await world.noted()) == (2, set())
    await world.run("adopt", "--yes")
    done = await world.run("unadopt", "--dry-run")
    assert (done.exit_code, await world.noted()) == (2, AB)
    assert await world.packs_of("unadopt") == []


async def test_a_second_adoption_does_nothing(world: Adopting) -> None:
    """What is the app's own is not adopted, however it came to be."""
    await world.run("adopt", "--yes")
    done = await world.run("adopt", "--yes")
    assert (done.exit_code, len(await world.packs_of("adopt"))) == (0, 1)
    assert "there is nothing to adopt" in done.stderr
    assert "3 are the app's own" in done.stderr


async def test_only_the_references_of_one_rule(world: Adopting) -> None:
    """An id that no rule has is refused, with the nearest."""
    world.present.update(AC)
    assert (await world.run("adopt", "--yes", "--rule", "ac")).exit_code == 0
    assert await world.noted() == AC
    done = await world.run("adopt", "--yes", "--rule", "abb")
    assert (done.exit_code, "Did you mean ab?" in done.stderr) == (1, True)
    done = await world.run("unadopt", "--yes", "--rule", "ab")
    assert (done.exit_code, await world.noted()) == (1, AC)
    assert "What was adopted has no rule ab. Its rules are: ac." in done.stderr
    assert (await world.run("unadopt", "--yes", "--rule", "ac")).exit_code == 0
    assert await world.noted() == set()


async def test_rules_that_do_not_enforce_ask_for_nothing(world: Adopting) -> None:
    """They are named with what they would ask for."""
    world.set_rules([rule("ab", side("a"), side("b"), mode=Mode.RECORD)])
    done = await world.run("adopt", "--yes")
    assert (done.exit_code, await world.noted()) == (0, set())
    assert "rules that do not enforce ask for nothing, though they name references: ab (3)" in (
        done.stderr
    )


async def test_what_is_protected_is_left_alone(world: Adopting) -> None:
    """The app never owns what it must not touch."""
    file = RulesFile(
        version=1,
        rules=list(RULES),
        protected=Protected(packages=[PackageSelector(id=UUID(guid("b")))]),
    )
    (world.folder / "rules.yaml").write_bytes(msgspec.json.encode(file))
    done = await world.run("adopt", "--yes")
    assert (done.exit_code, await world.noted()) == (0, set())
    assert "is protected by the rules files" in done.stderr


async def test_what_cannot_be_read_is_exit_code_3(world: Adopting) -> None:
    """The rest is adopted, and the gap is in the evidence."""
    world.present.update(AC)
    world.app.graph.unreadable.add(guid("c"))
    done = await world.run("adopt", "--yes")
    assert (done.exit_code, await world.noted()) == (3, AB)
    assert f"not known: access package {guid('c')}" in done.stderr


async def test_an_unconfirmed_write_is_left_alone(world: Adopting) -> None:
    """The sweep that may have written it settles whose it is."""
    origin = WriteOrigin(run_id="sweep-1", rule_ids=("ab",), rules_hash="hash")
    await world.ledger.intend(to_package("a", "b"), origin)
    done = await world.run("adopt", "--yes")
    assert done.exit_code == 0, done.output
    assert "its write was never confirmed" in done.stderr
    assert len(await world.packs_of("adopt")) == 1
    assert {each.reference async for each in world.ledger.entries() if each.is_adopted} == (
        AB - {to_package("a", "b")}
    )


async def test_pruning_removes_what_was_adopted_and_nothing_else(world: Adopting) -> None:
    """Once no rule asks for it; the sealed evidence of the adoption is the proof."""
    await world.run("adopt", "--yes")
    world.set_rules(RULES[1:])
    await world.sweep()
    assert world.present == AC | {THEIRS}


async def test_what_is_given_back_is_never_removed(world: Adopting) -> None:
    """The entries go, with evidence; what the app wrote stays its own."""
    await world.run("adopt", "--yes")
    await world.sweep()  # writes what rule ac asks for
    done = await world.run("unadopt", "--yes")
    assert done.exit_code == 0, done.output
    assert await world.packs_of("unadopt") == [{(each, "returned") for each in AB}]
    assert await world.noted() == AC
    world.set_rules([rule("bd", side("b"), side("d"))])
    await world.sweep()
    assert AB | {THEIRS} <= world.present
    assert AC.isdisjoint(world.present)
    assert await world.is_whole()


async def test_there_is_nothing_to_give_back(world: Adopting) -> None:
    """What the app wrote was not adopted."""
    await world.sweep()
    done = await world.run("unadopt", "--yes")
    assert done.exit_code == 0
    assert "no reference in the ledger was adopted" in done.stderr
    assert await world.packs_of("unadopt") == []


async def test_a_rollback_of_a_rule_takes_what_was_adopted_for_it(world: Adopting) -> None:
    """A rollback of a run or of a day does not: these references were not written."""
    await world.run("adopt", "--yes")
    [entry, *_] = [each async for each in world.ledger.entries()]
    done = await world.rollback("--since", "2d", "--yes")
    assert "it was adopted, not written" in " ".join(done.output.split())
    done = await world.rollback("--run", entry.run_id, "--yes")
    assert (done.exit_code, world.present) == (0, AB | {THEIRS}), done.output
    done = await world.rollback("--rule", "ab", "--yes", "--rules", str(world.folder))
    assert (done.exit_code, world.present) == (0, {THEIRS}), done.output


async def test_evidence_that_was_given_back_proves_nothing(world: Adopting) -> None:
    """A ledger row that is forged after that does not permit removing the reference."""
    await world.run("adopt", "--yes")
    [run, *_] = [each.run_id async for each in world.ledger.entries()]
    await world.run("unadopt", "--yes")
    await world.forge(to_package("a", "b"), run)
    await world.rollback("--rule", "ab", "--yes", "--rules", str(world.folder))
    assert world.present == AB | {THEIRS}


async def killed_after(world: Adopting, calls: int, *arguments: str) -> bool:
    """Run a command in a process that dies after so many calls; whether it died."""
    life, graph, storage = Life(calls), world.app.graph, world.app.storage
    world.app.graph, world.app.storage = life.lived(graph), life.lived(storage)
    with suppress(Killed, BaseExceptionGroup):
        await world.run(*arguments)
    world.app.graph, world.app.storage = graph, storage
    return life.calls < 0


@pytest.mark.parametrize("first", ["adopt", "unadopt"])
async def test_a_command_that_is_killed_anywhere_goes_on(
    first: str, make_app: type[App], tmp_path: Path
) -> None:
    """The same command again ends the same, and each reference of the ledger is proved."""
    for calls in range(0, MAX_CALLS, 3):
        app = make_app(PACKAGES, HELD, RULES, ENFORCEMENT="apply", PRUNE="true")
        world = Adopting(app, tmp_path, RULES)
        world.present.update(AB)
        if first == "unadopt":
            await world.run("adopt", "--yes")
        was_killed = await killed_after(world, calls, first, "--yes")
        done = await world.run(first, "--yes")
        assert done.exit_code == 0, (calls, done.output)
        assert await world.noted() == (AB if first == "adopt" else set()), calls
        assert await world.is_whole(), calls
        world.set_rules(RULES[1:])
        await world.sweep()
        left = set() if first == "adopt" else AB
        assert world.present == AC | {THEIRS} | left, calls
        world.set_rules(RULES)
        if not was_killed:
            return
    raise AssertionError("the command makes more calls than were tried")


@settings(max_examples=25, deadline=None)
@given(
    made=st.sets(st.sampled_from(EVERY), max_size=8),
    gives_back=st.booleans(),
    sweeps=st.integers(0, 1),
)
async def test_adoption_decides_what_pruning_may_remove(
    *, made: Collection[Reference], gives_back: bool, sweeps: int
) -> None:
    """Adopted and then asked for by no rule: removed, and nothing else; given back: nothing is."""
    app = App(PACKAGES, HELD, RULES, ENFORCEMENT="apply", PRUNE="true")
    try:
        with TemporaryDirectory() as folder:
            world = Adopting(app, Path(folder), RULES)
            world.present.update(made)
            theirs = set(world.present)
            await world.run("adopt", "--yes")
            assert await world.noted() == theirs & (AB | AC)
            for _ in range(sweeps):
                await world.sweep()
            if gives_back:
                await world.run("unadopt", "--yes")
            world.set_rules([])
            await world.sweep()
    finally:
        install_parts()
    assert world.present == (theirs if gives_back else theirs - AB - AC)
