from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from cli.push import push, push_folder, summary
from functions.clock import ManualClock
from functions.errors import RulesError
from functions.rules.document import SourceFile
from functions.settings import StorageSettings
from functions.storage.azure import AzureStorage
from functions.storage.memory import MemoryStorage
from functions.storage.rule_files import BlobRules, FolderRules
from tests.storage.test_storage_contract import no_identity

RULES = Path(__file__).parent.parent.parent / "rules"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(push)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder of rules with two mistakes."""
    (tmp_path / "a.yaml").write_text("version: 2\n")
    (tmp_path / "b.yaml").write_text("version: 1\nrule: []\n")
    return tmp_path


async def test_a_pushed_folder_is_in_force() -> None:
    """What a folder holds is what an app reads of the container; its tests stay where they are."""
    blobs, clock = MemoryStorage().blobs, ManualClock()
    pushed = await push_folder(RULES, "c", blobs=blobs, clock=clock)
    assert pushed is not None
    assert pushed.id.startswith("20260101T000000Z-")
    assert await BlobRules("c", blobs).files() == await FolderRules(RULES).files()
    assert [name async for name in blobs.names("c")] == [
        "current",
        f"versions/{pushed.id}/finance.yaml",
    ]


async def test_broken_rules_are_not_uploaded(broken: Path) -> None:
    """A mistake keeps all files out of the container."""
    blobs = MemoryStorage().blobs
    with pytest.raises(RulesError) as caught:
        await push_folder(broken, "c", blobs=blobs, clock=ManualClock())
    assert len(caught.value.problems) == 2
    assert [name async for name in blobs.names("c")] == []


def files_in(connection: str, container: str) -> list[SourceFile]:
    async def read() -> list[SourceFile]:
        azure = AzureStorage(StorageSettings(connection_string=connection), no_identity)
        try:
            return list(await BlobRules(container, azure.blobs).files())
        finally:
            await azure.close()

    return asyncio.run(read())


def test_the_command_pushes_once(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against Azurite: the first push says what is in force, the second that nothing is to do."""
    monkeypatch.setenv("AzureWebJobsStorage", azurite)
    container = f"rules{uuid4().hex}"
    code, out, err = run(f"blob:{container}", "--rules", RULES)
    assert (code, err) == (0, "")
    assert out.startswith(f"blob:{container} has version 2")
    assert "in force: 1 file, sha256:" in out
    assert run(container, "--rules", RULES)[:2] == (0, f"{summary(container, None)}\n")
    assert [each.name for each in files_in(azurite, container)] == ["finance.yaml"]


def test_the_command_names_every_mistake(
    broken: Path, azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mistakes are printed with their places, and the exit code is 1."""
    monkeypatch.setenv("AzureWebJobsStorage", azurite)
    code, out, err = run("rules", "--rules", broken)
    assert (code, out) == (1, "")
    assert [line.split(" ")[0] for line in err.splitlines()] == ["a.yaml:1:10:", "b.yaml:2:1:"]


def test_without_storage_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has set no storage is told which setting to give."""
    monkeypatch.setenv("AzureWebJobsStorage", "")
    code, _, err = run("rules", "--rules", RULES)
    assert (code, "AzureWebJobsStorage is not set" in err) == (1, True)
