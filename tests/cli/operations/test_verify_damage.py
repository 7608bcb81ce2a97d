"""Whatever became of the head's row or of a pack, it is named, and nothing is raised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import HEAD, Break, Proof, read_head, verify
from entra_sod.domain.evidence.manifest import CONTAINER
from entra_sod.ports.storage import Row, Value
from entra_sod.stores.evidence_drafts import TABLE
from tests.app import App
from tests.services.findings.nights import live_through, make, story

NIGHTS = 4
DEEP = "[" * 12_000 + "]" * 12_000


@pytest.fixture
async def app(make_app: type[App]) -> App:
    app = make(make_app)
    await live_through(app, story(1)[:NIGHTS])
    return app


async def proof_of(app: App) -> Proof:
    return await verify(BlobPacks(app.storage.blobs), await read_head(app.records.chain))


async def head_row(app: App) -> Row:
    row = await app.storage.table(TABLE).get("chain", "head")
    assert row is not None
    return row


async def write_head(app: App, values: Mapping[str, Value]) -> None:
    assert await app.storage.table(TABLE).replace(replace(await head_row(app), values=values))


HEADS: dict[str, Mapping[str, Value]] = {
    "cut off": {"head": "{"},
    "a list": {"head": "[]"},
    "without its fields": {"head": "{}"},
    "nested": {"head": DEEP},
    "no text": {"head": 5},
    "bytes": {"head": b"\xff"},
    "without its column": {"header": "x"},
    "empty": {},
}
FIELDS: dict[str, object] = {"sequence": 9, "run": "another", "previous": None, "headless": True}


@pytest.mark.parametrize("what", HEADS)
async def test_e6_a_head_that_is_none_is_named(app: App, what: str) -> None:
    """The row is where the chain breaks, and the packs are proved all the same."""
    await write_head(app, HEADS[what])
    proof = await proof_of(app)
    assert [(each.where, proof.packs) for each in proof.breaks] == [(HEAD, NIGHTS)]


@pytest.mark.parametrize("field", FIELDS)
async def test_e6_a_head_that_says_something_else_is_named(app: App, field: str) -> None:
    """Number 9 in place of 4 is not whole, nor is any other word that the newest pack denies."""
    head = json.loads(str((await head_row(app)).values["head"]))
    await write_head(app, {"head": json.dumps({**head, field: FIELDS[field]})})
    [found] = (await proof_of(app)).breaks
    assert found.where == HEAD
    assert field != "sequence" or found.what == "says number 9, and the newest pack is number 4"


async def test_e6_a_head_of_another_type_is_named(app: App) -> None:
    """A number that is text is no head."""
    head = json.loads(str((await head_row(app)).values["head"]))
    await write_head(app, {"head": json.dumps({**head, "sequence": "4"})})
    assert isinstance(await read_head(app.records.chain), Break)


@pytest.mark.parametrize("what", HEADS)
async def test_e6_the_next_pack_is_sealed_after_a_broken_head(app: App, what: str) -> None:
    """It follows the newest pack that is there, and says that the head was lost."""
    await write_head(app, HEADS[what])
    assert (await app.check("a", "b"))["status"] == "completed"
    proof = await proof_of(app)
    assert proof.packs == NIGHTS + 1
    assert ["had lost its head" in each.what for each in proof.breaks] == [True]


def _changed(data: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(data), **fields}).encode()


MANIFESTS: dict[str, Any] = {
    "gone": lambda _: None,
    "cut off": lambda data: data[: len(data) // 2],
    "nested": lambda _: DEEP.encode(),
    "not UTF-8": lambda _: b'{"run":"\xff"}',
    "number 9": lambda data: _changed(data, sequence=9),
    "of blocks of nothing": lambda data: _changed(
        data, files=[{**each, "block": 0} for each in json.loads(data)["files"]]
    ),
    "of no files": lambda data: _changed(data, files=None),
    "with another kind": lambda data: _changed(data, kind=5),
}


@pytest.mark.parametrize("number", [0, NIGHTS - 1], ids=["first", "last"])
@pytest.mark.parametrize("what", MANIFESTS)
async def test_e6_a_pack_without_its_manifest_is_named(app: App, what: str, number: int) -> None:
    """Whatever became of it: the place is the manifest of its folder."""
    blobs = app.storage.blobs
    names = [name async for name in blobs.names(CONTAINER) if name.endswith("manifest.json")]
    data = MANIFESTS[what](await blobs.get(CONTAINER, names[number]))
    await blobs.delete(CONTAINER, names[number])
    if data is not None:
        await blobs.put(CONTAINER, names[number], data)
    assert names[number] in [each.where for each in (await proof_of(app)).breaks]
