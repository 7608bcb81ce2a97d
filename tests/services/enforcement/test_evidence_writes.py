"""References go that sealed evidence calls ours; the ledger alone proves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.evidence.manifest import CONTAINER
from entra_sod.domain.rules.language import Rule
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.ledger import Ledger, WriteOrigin
from tests.app import App
from tests.builders import guid, package, rule, side
from tests.services.sweeps.test_sweeps import sweep

PRUNING = {"ENFORCEMENT": "apply", "PRUNE": "true"}
PACKAGES = [package("a"), package("b"), package("c")]
RULES = [rule("r", side("a"), side("b"))]
THEIRS = Reference(guid("a"), ReferenceKind.PACKAGE, guid("c"))


async def forge(app: App, reference: Reference, run_id: str) -> None:
    """A row that says `written`, and the reference that a person made."""
    ledger = Ledger(app.storage, app.clock)
    origin = WriteOrigin(run_id=run_id, rule_ids=("r",), rules_hash="hash")
    await ledger.intend(reference, origin)
    await ledger.confirm(reference, origin)
    app.graph.present.add(reference)
    app.clock.advance(3600)


async def swept_without_rules(app: App, rules: Sequence[Rule] = ()) -> dict[str, Any]:
    app.rules.write(rules)
    app.clock.advance(3600)
    references: dict[str, Any] = (await sweep(app))["references"]
    return references


@pytest.mark.parametrize("run", ["of no run", "of a sweep", "of a check"])
async def test_e5_a_forged_row_removes_no_reference(make_app: type[App], run: str) -> None:
    """Whatever run it names: that run's evidence does not say so, and the answer does."""
    app = make_app(PACKAGES, {}, RULES, **PRUNING)
    runs = {"of no run": "x", "of a sweep": (await sweep(app))["id"]}
    runs["of a check"] = (await app.check("a", "b"))["id"]
    await forge(app, THEIRS, runs[run])
    references = await swept_without_rules(app)
    assert app.graph.present == {THEIRS}
    assert len(references["removed"]) == 2
    [left] = references["failed"]
    assert (left["targetId"], "no sealed evidence" in left["why"]) == (guid("c"), True)


async def test_what_a_check_wrote_is_removed(make_app: type[App]) -> None:
    """Its evidence says so as that of a sweep does."""
    app = make_app(PACKAGES, {}, RULES, **PRUNING)
    await app.check("a", "b")
    assert len((await swept_without_rules(app))["removed"]) == 2
    assert app.graph.present == set()


async def test_what_a_check_wrote_in_its_second_round_is_removed(make_app: type[App]) -> None:
    """A round that an operator asked for has a pack of its own, which counts for the check."""
    app = make_app(PACKAGES, {}, RULES, **PRUNING)
    answer = await app.check("a", "b")
    blobs = app.storage.blobs
    for name in [each async for each in blobs.names(CONTAINER)]:
        data = await blobs.get(CONTAINER, name) or b""
        await blobs.delete(CONTAINER, name)
        again = data.replace(answer["id"].encode(), f"{answer['id']}-2".encode())
        await blobs.put(CONTAINER, name.replace(answer["id"], f"{answer['id']}-2"), again)
    assert len((await swept_without_rules(app))["removed"]) == 2


DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "cut off": lambda data: data[:-5],
    "changed": lambda data: data.replace(guid("b").encode(), guid("c").encode()),
    "hostile": lambda _: b"[" * 20_000,
    "not UTF-8": lambda _: b"\xff",
}


@pytest.mark.parametrize("file", ["manifest.json", "references.jsonl"])
@pytest.mark.parametrize("what", DAMAGE)
async def test_e5_evidence_that_does_not_hold_proves_nothing(
    make_app: type[App], what: str, file: str
) -> None:
    """Nothing is removed by a pack whose files are not those that its manifest names."""
    app = make_app(PACKAGES, {}, RULES, **PRUNING)
    await sweep(app)
    before = set(app.graph.present)
    blobs = app.storage.blobs
    [name] = [each async for each in blobs.names(CONTAINER) if each.endswith(file)]
    data = await blobs.get(CONTAINER, name) or b""
    if file == "manifest.json" and what == "changed":
        data = json.dumps({**json.loads(data), "folder": "2026/01/01/another"}).encode()
    damaged = DAMAGE[what](data)
    await blobs.delete(CONTAINER, name)
    if damaged is not None:
        await blobs.put(CONTAINER, name, damaged)
    entries = [each async for each in Ledger(app.storage, app.clock).entries()]
    assert await EvidenceWrites(blobs).proven(entries) == set()
    assert app.graph.present == before
