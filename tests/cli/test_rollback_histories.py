"""After any history of writes, forged rows and crashes, people's references stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import verify
from entra_sod.domain.entra import Reference
from entra_sod.stores.evidence_chain import EvidenceChain
from tests.app import App, install_parts
from tests.builders import rule, side
from tests.cli.rolling_back import HELD, HOUR, PACKAGES, RollbackWorld, to_group, to_package
from tests.cli.test_rollback_interrupted import killed_after

NAMES = "abcd"
EVERY = sorted(
    {
        *(to_package(on, other) for on in NAMES for other in NAMES if on != other),
        *(to_group(on, "1") for on in NAMES),
    }
)
RULES = [rule(on + other, side(on), side(other)) for on, other in ("ab", "ac", "bd", "cd")]

references = st.sampled_from(EVERY)
step = st.one_of(
    st.tuples(st.just("rules"), st.sets(st.sampled_from(range(len(RULES))))),
    st.tuples(st.just("sweep"), st.none()),
    st.tuples(st.just("check"), st.sampled_from([("a", "b"), ("c", "d")])),
    st.tuples(st.just("person adds"), references),
    st.tuples(st.just("person removes"), references),
    st.tuples(st.just("forge"), st.tuples(references, st.integers(0, 5))),
    st.tuples(st.just("rollback"), st.integers(0, 5)),
    st.tuples(st.just("killed rollback"), st.tuples(st.integers(0, 5), st.integers(0, 200))),
)


class History:
    """A tenant in which people, forgers and the app work side by side.

    Attributes:
        foreign: references that people made, and that stand.
        disowned: of the app, and a forged row says of them that another run wrote them.
        ambiguous: a person removed what the app had written: who makes it again is not known.
    """

    def __init__(self, world: RollbackWorld) -> None:
        self.world, self.runs = world, ["run-unknown"]
        self.foreign = set(world.app.graph.present)
        self.disowned, self.ambiguous = set[Reference](), set[Reference]()
        self.forged = set[Reference]()

    async def live(self, what: str, value: object) -> None:
        before = set(self.present)
        await getattr(self, what.replace(" ", "_"))(value)
        for each in self.present - before - self.foreign:
            self.forged.discard(each)
            self.disowned.discard(each)
        self.world.app.clock.advance(HOUR)

    @property
    def present(self) -> set[Reference]:
        return self.world.app.graph.present

    async def rules(self, numbers: set[int]) -> None:
        self.world.set_rules([RULES[each] for each in sorted(numbers)])

    async def sweep(self, _: None) -> None:
        self.runs.append(await self.world.sweep())

    async def check(self, pair: tuple[str, str]) -> None:
        self.runs.append(await self.world.check(*pair))

    async def person_adds(self, reference: Reference) -> None:
        noted = await self.world.noted() - self.forged
        if reference not in self.present | self.ambiguous | noted:
            self.present.add(reference)
            self.foreign.add(reference)

    async def person_removes(self, reference: Reference) -> None:
        if reference in self.present - self.foreign:
            self.ambiguous.add(reference)
        self.present.discard(reference)
        self.foreign.discard(reference)

    async def forge(self, value: tuple[Reference, int]) -> None:
        reference, number = value
        if reference in self.ambiguous:
            return
        if reference in self.present - self.foreign:
            self.disowned.add(reference)
        self.forged.add(reference)
        await self.world.forge(reference, self.run(number))

    async def rollback(self, number: int) -> None:
        await self.world.rollback("--run", self.run(number), "--yes", "--max", "99")

    async def killed_rollback(self, value: tuple[int, int]) -> None:
        number, calls = value
        await killed_after(self.world, calls, self.run(number))

    def run(self, number: int) -> str:
        return self.runs[number % len(self.runs)]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(references, max_size=3),
    st.lists(step, min_size=2, max_size=12),
    st.sampled_from(["true", "false"]),
)
async def test_a_rollback_of_everything_leaves_what_people_made(
    made: set[Reference], steps: Sequence[tuple[str, object]], prune: str
) -> None:
    """At each step and at the end; and of the app's own nothing stays that is proved."""
    app = App(PACKAGES, HELD, RULES, ENFORCEMENT="apply", PRUNE=prune)
    app.graph.present |= made
    try:
        with TemporaryDirectory() as folder:
            history = History(RollbackWorld(app, Path(folder), RULES))
            for what, value in steps:
                await history.live(what, value)
                assert history.foreign <= history.present, (what, value)
            done = await history.world.rollback("--since", "2000-01-01", "--yes", "--max", "99")
    finally:
        install_parts()
    left = history.present - history.foreign
    assert history.foreign <= history.present, done.output
    assert left <= history.disowned, done.output
    head = await EvidenceChain(app.storage).head()
    assert (await verify(BlobPacks(app.storage.blobs), head)).breaks == []
