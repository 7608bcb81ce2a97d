from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from uuid import uuid4

import msgspec
import pytest

from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.cli.push import encode_manifest, make_manifest, push_version
from entra_sod.core.errors import ConfigurationError, RulesError
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.version import (
    CURRENT,
    RulesManifest,
    blob_name,
    decode_manifest,
    is_rules_file,
)
from entra_sod.ports.storage import Blobs
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.settings import StorageSettings
from entra_sod.stores.rule_files import BlobRules, FolderRules, RuleVersions
from local.memory.clock import ManualClock
from local.memory.graph import MemoryGraph
from local.memory.storage import MemoryBlobs, MemoryStorage
from tests.adapters.storage.test_storage_contract import no_identity
from tests.builders import guid

AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 6, 2, 2, 0, tzinfo=UTC)


def rules_file(rule_id: str, name: str = "finance.yaml") -> SourceFile:
    text = f"""\
version: 1
rules:
  - id: {rule_id}
    title: One
    severity: high
    owner: o@example.com
    mode: enforce
    between: [{{packages: [{{id: {guid("a")}}}]}}, {{packages: [{{id: {guid("b")}}}]}}]
"""
    return SourceFile(name, text)


def broken(manifest: RulesManifest, **fields: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(manifest), **fields})


@pytest.fixture(params=["memory", "azurite"])
async def blobs(request: pytest.FixtureRequest) -> AsyncIterator[Blobs]:
    if request.param == "memory":
        yield MemoryStorage().blobs
        return
    connection = request.getfixturevalue("azurite")
    azure = AzureStorage(StorageSettings(connection_string=connection), no_identity)
    yield azure.blobs
    await azure.close()


@pytest.fixture
def container() -> str:
    """A container that no other test uses."""
    return f"rules{uuid4().hex}"


def test_a_version_is_named_by_moment_and_content() -> None:
    """Equal files have equal hashes in any order; the id adds when they were pushed."""
    files = [rules_file("r"), rules_file("q", "more/q.yaml")]
    first, second = make_manifest(files, AT), make_manifest(files[::-1], LATER)
    assert first.hash == second.hash
    assert first.id == f"20260601T020000Z-{first.hash[7:19]}"
    assert decode_manifest(encode_manifest(first)) == first


def test_a_file_by_another_name_is_another_version() -> None:
    """Names count: messages and ledgers speak of them."""
    one, other = rules_file("r", "a.yaml"), rules_file("r", "b.yaml")
    assert make_manifest([one], AT).hash != make_manifest([other], AT).hash


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "current:1:1: not JSON"),
        (b"\xff", "current:1:1: not JSON"),
        (b"[]", "current:1:1: it must be an object"),
        (b"{}", "current:1:1: id is missing"),
        (broken(make_manifest([rules_file("r")], AT), id="../x"), "current:1:1: id must be"),
        (broken(make_manifest([rules_file("r")], AT), version=2), "current:1:1: version must be 1"),
        (broken(make_manifest([rules_file("r")], AT), files={}), "current:1:1: hash is not that"),
    ],
)
def test_a_broken_manifest_is_named(data: bytes, expected: str) -> None:
    """Whatever is wrong with the blob `current` is said of it by name."""
    with pytest.raises(RulesError) as caught:
        decode_manifest(data)
    assert any(problem.startswith(expected) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.yaml", True),
        ("b/c.yml", True),
        ("tests.yaml", True),
        ("tests/a.yaml", False),
        ("b/tests/c/a.yaml", False),
        ("schema.json", False),
    ],
)
def test_what_is_a_rules_file(path: str, expected: bool) -> None:  # noqa: FBT001 - the answer
    """YAML files are, save those below a folder `tests`."""
    assert is_rules_file(PurePosixPath(path)) is expected


async def test_a_folder_of_tests_is_left_out(tmp_path: Path) -> None:
    """Tests of the rules lie beside them and are no rules."""
    for name in ("a.yaml", "tests/a.yaml", "more/b.yml", "more/tests/b.yml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version: 1\n")
    found = await FolderRules(tmp_path).files()
    assert [each.name for each in found] == ["a.yaml", "more/b.yml"]


async def test_a_container_without_versions_is_read_as_it_lies(
    blobs: Blobs, container: str
) -> None:
    """Plain YAML files are the rules; tests and unfinished versions are not."""
    await blobs.put(container, "a.yaml", b"version: 1")
    await blobs.put(container, "tests/a.yaml", b"version: 7")
    await blobs.put(container, blob_name("20260601T020000Z-0123456789ab", "a.yaml"), b"version: 7")
    assert await BlobRules(container, blobs).files() == [SourceFile("a.yaml", "version: 1")]


async def test_a_first_push_that_was_cut_short_is_no_rules(blobs: Blobs, container: str) -> None:
    """Before `current` is written there is no version, and the container has no rules."""
    manifest = make_manifest([rules_file("r")], AT)
    await blobs.put(container, blob_name(manifest.id, "finance.yaml"), b"version: 1")
    with pytest.raises(ConfigurationError, match="without a YAML file"):
        await BlobRules(container, blobs).files()


async def test_a_pushed_version_is_read_back(blobs: Blobs, container: str) -> None:
    """The files of the version in force are the rules, under the names they had in the folder."""
    files = [rules_file("r"), rules_file("q", "more/q.yaml")]
    await blobs.put(container, "old.yaml", b"version: 1")
    pushed = await push_version(container, blobs, files, AT)
    assert pushed is not None
    assert await BlobRules(container, blobs).files() == files


async def test_every_version_is_kept(blobs: Blobs, container: str) -> None:
    """A new version replaces what is in force, and the old one can still be read."""
    versions = RuleVersions(container, blobs)
    old, new = [rules_file("old")], [rules_file("new")]
    first = await push_version(container, blobs, old, AT)
    second = await push_version(container, blobs, new, LATER)
    assert first is not None
    assert await versions.current() == second
    assert await versions.files(first) == old
    assert await BlobRules(container, blobs).files() == new


async def test_what_is_in_force_is_not_pushed_again(blobs: Blobs, container: str) -> None:
    """The same files a day later write nothing."""
    versions = RuleVersions(container, blobs)
    first = await push_version(container, blobs, [rules_file("r")], AT)
    assert await push_version(container, blobs, [rules_file("r")], LATER) is None
    assert await versions.current() == first


async def test_a_missing_or_changed_file_is_named(blobs: Blobs, container: str) -> None:
    """A version is read whole or not at all; a push of the same files repairs it."""
    files = [rules_file("q", "a.yaml"), rules_file("r", "b.yaml")]
    manifest = make_manifest(files, AT)
    await blobs.put(container, CURRENT, encode_manifest(manifest))
    await blobs.put(container, blob_name(manifest.id, "b.yaml"), b"version: 1")
    with pytest.raises(RulesError) as caught:
        await BlobRules(container, blobs).files()
    assert caught.value.problems == (
        f"versions/{manifest.id}/a.yaml:1:1: is missing, though current names it",
        f"versions/{manifest.id}/b.yaml:1:1: was changed after it was pushed: push it anew",
    )
    assert await push_version(container, blobs, files, LATER) is not None
    assert await BlobRules(container, blobs).files() == files


class CutShort(MemoryBlobs):
    """Fails after so many writes, as a push that is killed."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.writes = writes

    async def put(self, container: str, name: str, data: bytes) -> None:
        if self.writes == 0:
            raise ConnectionError
        self.writes -= 1
        await super().put(container, name, data)


@pytest.mark.parametrize("cut", range(4))
async def test_a_push_cut_anywhere_leaves_a_whole_version(cut: int) -> None:
    """The old version stays in force until the new one's last write, and no mixture ever is."""
    old, new = ([rules_file(f"{each}{n}", f"{n}.yaml") for n in "12"] for each in ("old", "new"))
    blobs = CutShort(writes=3 + cut)
    await push_version("c", blobs, old, AT)
    if cut < 3:
        with pytest.raises(ConnectionError):
            await push_version("c", blobs, new, LATER)
    else:
        await push_version("c", blobs, new, LATER)
    assert await BlobRules("c", blobs).files() == (old if cut < 3 else new)


async def test_a_broken_manifest_is_pushed_over(blobs: Blobs, container: str) -> None:
    """A good push repairs a manifest that a person broke by hand."""
    await blobs.put(container, CURRENT, b"{")
    with pytest.raises(RulesError, match="current:1:1"):
        await BlobRules(container, blobs).files()
    await push_version(container, blobs, [rules_file("r")], AT)
    assert await BlobRules(container, blobs).files() == [rules_file("r")]


async def rule_ids(book: RulesProvider) -> list[str]:
    return [rule.id for rule in (await book.current()).rules]


def cut_off(manifest: RulesManifest) -> bytes:
    return encode_manifest(manifest)[:-20]


async def test_a_running_book_takes_a_new_version_up_after_its_minute() -> None:
    """Within the minute the old rules hold, after it the new ones."""
    blobs, clock = MemoryStorage().blobs, ManualClock()
    book = RulesProvider(BlobRules("c", blobs), MemoryGraph([], {}), clock)
    await push_version("c", blobs, [rules_file("old")], AT)
    assert await rule_ids(book) == ["old"]
    await push_version("c", blobs, [rules_file("new")], LATER)
    clock.advance(60)
    assert await rule_ids(book) == ["old"]
    clock.advance(1)
    assert await rule_ids(book) == ["new"]


@pytest.mark.parametrize(
    ("make_current", "file", "expected"),
    [
        (encode_manifest, rules_file("new ").text.replace("high", "hig"), "rules.0.severity must"),
        (encode_manifest, None, "finance.yaml:1:1: is missing"),
        (cut_off, None, "current:1:1: not JSON"),
    ],
)
async def test_a_broken_version_never_replaces_a_good_one(
    make_current: Callable[[RulesManifest], bytes], file: str | None, expected: str
) -> None:
    """Pushed by hand, past every check: the good rules stay, and `problem` says why."""
    blobs, clock = MemoryStorage().blobs, ManualClock()
    book = RulesProvider(BlobRules("c", blobs), MemoryGraph([], {}), clock)
    await push_version("c", blobs, [rules_file("old")], AT)
    assert await rule_ids(book) == ["old"]
    manifest = make_manifest([SourceFile("finance.yaml", file or "")], LATER)
    if file is not None:
        await blobs.put("c", blob_name(manifest.id, "finance.yaml"), file.encode())
    await blobs.put("c", CURRENT, make_current(manifest))
    clock.advance(61)
    assert await rule_ids(book) == ["old"]
    assert expected in (book.problem or "")
    await push_version("c", blobs, [rules_file("new")], LATER)
    clock.advance(61)
    assert await rule_ids(book) == ["new"]
    assert book.problem is None
