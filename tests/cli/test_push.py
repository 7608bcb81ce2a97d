from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError
from typer.testing import CliRunner

from entra_sod.adapters.graph.credential import LocalCredential
from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.cli.push import push, push_folder, summary
from entra_sod.cli.storage import open_storage
from entra_sod.core.errors import RulesError, StorageUnavailable
from entra_sod.domain.rules.document import SourceFile
from entra_sod.settings import GraphSettings, StorageSettings
from entra_sod.stores.rule_files import BlobRules, FolderRules
from local.memory.clock import ManualClock
from local.memory.storage import MemoryStorage
from tests.adapters.storage.test_storage_contract import no_identity

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


URIS = {
    f"AzureWebJobsStorage__{service}ServiceUri": f"https://x.{service}.example"
    for service in ("queue", "blob", "table")
}


class NobodySignedIn(LocalCredential):
    """As DefaultAzureCredential is where no way to sign in works; counts how often it is closed."""

    asked = closed = 0

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.asked += 1
        raise ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token")

    async def get_token_info(self, *_scopes: str, **_options: object) -> AccessTokenInfo:
        raise ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token")

    async def close(self) -> None:
        self.closed += 1


async def test_a_laptop_reaches_storage_with_its_own_sign_in() -> None:
    """GRAPH_CREDENTIAL=default applies to storage, too. Without a sign-in, it fails at once."""
    asked: list[str] = []
    absent = NobodySignedIn()

    def sign_in(settings: GraphSettings) -> NobodySignedIn:
        asked.append(settings.credential)
        return absent

    environment = {**URIS, "GRAPH_CREDENTIAL": "default"}
    async with open_storage(environment, sign_in) as storage:
        with pytest.raises(StorageUnavailable, match="no sign-in was found"):
            await push_folder(RULES, "rules", blobs=storage.blobs, clock=ManualClock())
    assert (asked, absent.asked, absent.closed) == (["default"], 1, 1)


async def test_the_own_sign_in_is_taken_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside a managed identity storage is reached as that, like the app does it."""
    absent, asked = NobodySignedIn(), list[str | None]()

    def managed(client_id: str | None) -> NobodySignedIn:
        asked.append(client_id)
        return absent

    def sign_in(_settings: GraphSettings) -> NobodySignedIn:
        raise AssertionError("this sign-in must not be used")

    monkeypatch.setattr("entra_sod.cli.storage.managed_identity", managed)
    environment = {
        **URIS,
        "AzureWebJobsStorage__clientId": "me",
        "GRAPH_CREDENTIAL": "managed-identity",
    }
    async with open_storage(environment, sign_in) as storage:
        with pytest.raises(StorageUnavailable, match="no sign-in was found"):
            await push_folder(RULES, "rules", blobs=storage.blobs, clock=ManualClock())
    assert asked == ["me"]


def test_without_storage_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a storage setting, the error names the setting to add."""
    monkeypatch.setenv("AzureWebJobsStorage", "")
    code, _, err = run("rules", "--rules", RULES)
    assert (code, "AzureWebJobsStorage is not set" in err) == (1, True)
