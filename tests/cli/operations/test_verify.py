"""The chain of ten nights is proved, and every damage has its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app as cli
from entra_sod.cli.operations.evidence_files import BlobPacks
from entra_sod.cli.operations.verify_evidence import Proof, verify
from entra_sod.domain.evidence.manifest import CONTAINER, decode_manifest, encode_manifest, entry_of
from entra_sod.ports.storage import Blobs
from entra_sod.stores.evidence_chain import ChainHead
from tests.app import App
from tests.services.findings.nights import NIGHTS, live_through, make, replay, story


class Damaged:
    """Packs that a test may damage: files by name."""

    def __init__(self, files: dict[str, bytes], head: ChainHead | None) -> None:
        self.files, self.head = files, head
        folders = sorted(
            {name.rpartition("/sweep-")[0] + "/" + name.split("/")[3] for name in files}
        )
        self.folders = folders

    async def proof(self, *, first: int = 1) -> Proof:
        return await verify(self, self.head, first=first)

    async def names(self) -> AsyncIterator[str]:
        for name in sorted(self.files):
            yield name

    async def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def name(self, night: int, file: str) -> str:
        return f"{self.folders[night]}/{file}"


@pytest.fixture
async def nights(make_app: type[App]) -> Damaged:
    """Evidence of ten nights, on some of which the worker died."""
    app = make(make_app)
    await live_through(app, story(1))
    blobs = app.storage.blobs
    files = {name: await _read(blobs, name) async for name in blobs.names(CONTAINER)}
    return Damaged(files, await app.records.chain.head())


async def _read(blobs: Blobs, name: str) -> bytes:
    data = await blobs.get(CONTAINER, name)
    assert data is not None
    return data


async def test_ten_nights_hold(nights: Damaged) -> None:
    """Ten packs in a row, one for each night, with all their files."""
    proof = await nights.proof()
    assert (proof.breaks, proof.unsealed) == ([], [])
    assert (proof.packs, proof.files) == (NIGHTS, NIGHTS * 5)


async def test_a_pack_says_what_was_found(nights: Damaged) -> None:
    """The counts of each night are those of the independent replay."""
    told = story(1)
    for number in range(NIGHTS):
        manifest = decode_manifest(nights.files[nights.name(number, "manifest.json")])
        lives = replay(told[: number + 1]).values()
        for state in ("open", "excepted", "exception-expired", "resolving", "on-hold"):
            expected = sum(life.state == state for life in lives)
            assert manifest.counts.get(f"findings-{state}", 0) == expected
        assert manifest.sequence == number + 1


async def test_no_person_is_named(nights: Damaged) -> None:
    """Findings in evidence carry neither ids nor names of people."""
    for name, data in nights.files.items():
        if "findings" in name:
            assert b"=011" not in data
            assert b"011011" not in data


async def first_break(nights: Damaged) -> str:
    return str((await nights.proof()).breaks[0])


async def test_a_changed_byte_is_found(nights: Damaged) -> None:
    """The file and the lines around it are named, and nothing else is."""
    name = nights.name(3, "findings.jsonl")
    data = bytearray(nights.files[name])
    offset = len(data) * 2 // 3
    data[offset] ^= 1
    nights.files[name] = bytes(data)
    line = bytes(data[:offset]).count(b"\n") + 1
    [found] = (await nights.proof()).breaks
    assert found.where == name
    start, _, end = found.what.removeprefix("bytes ").partition(" (")[0].partition(" to ")
    assert int(start) <= offset <= int(end)
    first, _, last = found.what.partition("lines ")[2].partition(")")[0].partition(" to ")
    assert int(first) <= line <= int(last)


async def test_a_changed_manifest_is_found(nights: Damaged) -> None:
    """Though its own files are named by it: the pack behind it knows its hash."""
    name = nights.name(4, "manifest.json")
    nights.files[name] = nights.files[name].replace(b'"gaps": ', b'"gaps": 1')
    assert await first_break(nights) == f"{name}: was changed: the chain has another hash for it"
    nights.files[name] = nights.files[name][:-20]
    assert (await first_break(nights)).startswith(f"{name}: was changed: it is no manifest")


async def test_the_last_manifest_is_held_by_the_head(nights: Damaged) -> None:
    """Nothing is linked to it yet, but the chain's head knows it."""
    name = nights.name(NIGHTS - 1, "manifest.json")
    nights.files[name] += b" "
    assert await first_break(nights) == f"{name}: was changed: the chain has another hash for it"


@pytest.mark.parametrize("night", [0, 5, NIGHTS - 1])
async def test_a_missing_file_is_found(nights: Damaged, night: int) -> None:
    """A file, a manifest, or the whole pack."""
    name = nights.name(night, "coverage.json")
    del nights.files[name]
    assert await first_break(nights) == f"{name}: is missing"
    name = nights.name(night, "manifest.json")
    del nights.files[name]
    assert (await first_break(nights)).startswith(f"{name}: is missing (")
    for each in [each for each in nights.files if each.startswith(nights.folders[night])]:
        del nights.files[each]
    assert (await first_break(nights)).startswith(f"{name}: is missing (")


async def test_a_reordered_run_is_found(nights: Damaged) -> None:
    """Two nights whose packs change places say so themselves."""
    one, other = nights.folders[2], nights.folders[6]
    swapped = {}
    places = {one: other, other: one}
    for name, data in nights.files.items():
        folder = name[: len(one)]
        swapped[places.get(folder, folder) + name[len(one) :]] = data
    nights.files = swapped
    assert await first_break(nights) == (
        f"{other}/manifest.json: is that of {one}: runs were put in another order"
    )


async def test_a_truncated_line_is_found(nights: Damaged) -> None:
    """The byte at which the file ends, and the line that is cut."""
    name = nights.name(7, "findings.jsonl")
    data = nights.files[name]
    cut = data[: len(data) - 30]
    nights.files[name] = cut
    lines = data.count(b"\n")
    expected = f"ends after byte {len(cut)} of {len(data)}, in line {lines}"
    assert await first_break(nights) == f"{name}: {expected}"


async def test_an_added_file_or_line_is_found(nights: Damaged) -> None:
    """What the manifest does not name does not belong there."""
    name = nights.name(5, "findings.jsonl")
    nights.files[name] += b"{}\n"
    assert (await first_break(nights)).startswith(f"{name}: has 3 bytes more")
    added = nights.name(1, "extra.txt")
    nights.files[added] = b""
    assert (await first_break(nights)).startswith(f"{added}: is not named")


async def test_a_chain_may_begin_later(nights: Damaged) -> None:
    """Where a retention policy has removed the oldest packs, one says with which it begins."""
    for each in [each for each in nights.files if each.startswith(tuple(nights.folders[:3]))]:
        del nights.files[each]
    assert "number 1 to 3" in await first_break(nights)
    assert (await nights.proof(first=4)).breaks == []


async def test_earlier_packs_may_be_passed_over(nights: Damaged) -> None:
    """A check that begins later proves nothing of the packs before, and all of those behind."""
    del nights.files[nights.name(1, "coverage.json")]
    assert len((await nights.proof()).breaks) == 1
    proof = await nights.proof(first=4)
    assert (proof.packs, proof.breaks) == (NIGHTS - 3, [])
    del nights.files[nights.name(5, "coverage.json")]
    assert len((await nights.proof(first=4)).breaks) == 1


async def test_a_forged_last_pack_is_found(nights: Damaged) -> None:
    """Its number and its link are right, but the head names another folder."""
    folder = nights.folders[-1]
    forged = f"{folder}x"
    manifest = decode_manifest(nights.files[f"{folder}/manifest.json"])
    data = b"nothing was found\n"
    new = msgspec.structs.replace(manifest, folder=forged, files=[entry_of("findings.jsonl", data)])
    for each in [each for each in nights.files if each.startswith(folder)]:
        del nights.files[each]
    nights.files[f"{forged}/findings.jsonl"] = data
    nights.files[f"{forged}/manifest.json"] = encode_manifest(new)
    assert [str(each) for each in (await nights.proof()).breaks] == [
        f"{folder}/manifest.json: is missing (the chain ends with {NIGHTS})",
        f"{forged}/manifest.json: is number {NIGHTS} of the chain, in the place of another",
    ]


async def test_packs_without_a_head_are_not_whole(nights: Damaged) -> None:
    """The end of the chain is unknown. For copies the result says so, and reports no break."""
    for each in [each for each in nights.files if each.startswith(tuple(nights.folders[7:]))]:
        del nights.files[each]
    nights.head = None
    [found] = (await nights.proof()).breaks
    assert found.where == nights.name(6, "manifest.json")
    assert (await verify(nights, None, is_copy=True)).breaks == []
    assert (await verify(Damaged({}, None), None)).breaks == []


async def test_a_run_that_is_under_way_is_no_break(nights: Damaged) -> None:
    """Files without a manifest, behind the end of the chain, are told apart."""
    nights.files["2026/03/20/sweep-x/findings.jsonl"] = b""
    proof = await nights.proof()
    assert (proof.breaks, proof.unsealed) == ([], ["2026/03/20/sweep-x"])


def test_copies_are_verified_by_the_command_line(nights: Damaged, tmp_path: Path) -> None:
    """0 where the chain holds, 2 with the place where it does not."""
    for name, data in nights.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    code, said = _run(tmp_path)
    assert (code, "10 packs, 50 files: the chain is whole" in said) == (0, True)
    (tmp_path / nights.name(2, "coverage.json")).unlink()
    code, said = _run(tmp_path)
    assert (code, nights.name(2, "coverage.json") + ": is missing" in said) == (2, True)


def _run(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["evidence", "verify", "--folder", str(folder)])
    return done.exit_code, done.stdout


async def test_packs_are_read_from_storage(make_app: type[App]) -> None:
    """A sweep and a check of one app are one chain."""
    app = make(make_app)
    await live_through(app, story(2)[:1])
    await app.check("a", "b")
    proof = await verify(BlobPacks(app.storage.blobs), await app.records.chain.head())
    assert (proof.packs, proof.breaks) == (2, [])
