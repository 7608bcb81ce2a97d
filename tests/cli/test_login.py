"""Signing in on a machine of one's own, against a stand-in for Microsoft's sign-in."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import azure.identity
import msgspec
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AuthenticationRecord, AuthenticationRequiredError
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.sign_in import GRAPH_TOOLS, SignInFile, asks_as_person
from tests.adapters.graph.fixtures import Simulator

TENANT = "11111111-2222-3333-4444-555555555555"
READ = "EntitlementManagement.Read.All"
GRAPH = "https://graph.microsoft.com"


@dataclass
class Browser:
    """Stands in for InteractiveBrowserCredential; keeps how it was made."""

    options: dict[str, Any]
    error: ClassVar[Exception | None] = None
    token: ClassVar[str] = "token"
    made: ClassVar[list[Browser]] = []
    is_closed: bool = field(default=False)

    def authenticate(self, *, scopes: tuple[str, ...]) -> AuthenticationRecord:
        if self.error:
            raise self.error
        self.options["scopes"] = scopes
        return AuthenticationRecord(TENANT, GRAPH_TOOLS, "login", "home", "ada@contoso.test")

    def get_token(self, *_scopes: str) -> AccessToken:
        if self.error:
            raise self.error
        return AccessToken(self.token, int(time.time()) + 3600)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine without a sign-in, where nothing names an identity."""

    def make(**options: Any) -> Browser:
        Browser.made.append(Browser(options))
        return Browser.made[-1]

    monkeypatch.setattr(azure.identity, "InteractiveBrowserCredential", make)
    monkeypatch.setattr(azure.identity, "DeviceCodeCredential", make)
    for name in ("GRAPH_CREDENTIAL", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "sign-in.json"
    monkeypatch.setattr("typer.get_app_dir", lambda _name: str(tmp_path))
    yield path
    Browser.made.clear()
    Browser.error, Browser.token = None, "token"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments])
    return done.exit_code, done.output


def test_a_person_signs_in_and_stays_signed_in(machine: Path) -> None:
    """With the permission to read, and with Microsoft's public client for Graph."""
    code, output = run("login", "--tenant", "contoso.test")
    assert code == 0
    told = " ".join(output.split())
    assert told == f"signed in as ada@contoso.test in tenant {TENANT}, with {READ}"
    (made,) = Browser.made
    assert made.options["scopes"] == (f"{GRAPH}/{READ}",)
    assert made.options["client_id"] == GRAPH_TOOLS
    assert made.options["tenant_id"] == "contoso.test"
    assert made.is_closed
    kept = SignInFile(machine).read()
    assert kept is not None
    assert kept.username == "ada@contoso.test"


def test_the_file_is_the_persons_own_and_holds_no_token(machine: Path) -> None:
    """Tokens are in the system's store."""
    run("login")
    assert stat.S_IMODE(machine.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    assert "token" not in machine.read_text(encoding="utf-8")


def test_who_is_to_write_asks_for_that() -> None:
    """The permission to write is asked for by its option only."""
    assert run("login", "--read-write")[1].endswith("with EntitlementManagement.ReadWrite.All\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ClientAuthenticationError("AADSTS90002: Tenant 'x' not found."), "There is no tenant x"),
        (ClientAuthenticationError("AADSTS65001: not consented"), "Ask an administrator"),
        (ClientAuthenticationError("AADSTS700016: no application"), "has no public client"),
        (ClientAuthenticationError("AADSTS50020: User account"), "is not one of the tenant"),
        (ClientAuthenticationError("Failed to open a browser"), "Use --device-code"),
        (ValueError("Persistence encryption is not available"), "Use --plain-file"),
        (ClientAuthenticationError("Timed out after 300 seconds"), "Fix: entra-sod login"),
        (ClientAuthenticationError("something\nmore"), "Microsoft says: something"),
    ],
)
def test_a_failed_sign_in_says_what_to_do(machine: Path, error: Exception, told: str) -> None:
    """A failed sign-in stores nothing, so there is still no sign-in."""
    Browser.error = error
    code, output = run("login", "--tenant", "x")
    assert code == 1
    assert told in " ".join(output.split())
    assert not machine.exists()


def test_who_is_not_signed_in_learns_how(simulator: Simulator) -> None:
    """Of every command that reads a tenant, such as these."""
    environment = {"GRAPH_ROOT": simulator.settings["GRAPH_ROOT"]}
    for command in (["whoami"], ["validate", "rules"], ["plan"]):
        done = CliRunner().invoke(app, command, env=environment)
        assert done.exit_code != 0
        assert "Fix: entra-sod login" in " ".join(done.output.split())


def test_commands_ask_as_who_is_signed_in(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the tokens of the sign-in, and they say as whom."""
    monkeypatch.setenv("GRAPH_ROOT", simulator.settings["GRAPH_ROOT"])
    run("login")
    Browser.token = local_token(simulator)
    code, output = run("whoami")
    assert code == 0
    assert "entra-sod login" in output
    assert simulator.settings["GRAPH_ROOT"] in output
    assert Browser.made[-1].options["disable_automatic_authentication"] is True
    assert simulator.requests() == []


def test_a_sign_in_that_is_over_says_so() -> None:
    """No browser is opened by itself."""
    run("login")
    Browser.error = AuthenticationRequiredError([f"{GRAPH}/{READ}"])
    code, output = run("whoami")
    assert code == 1
    assert "your sign-in has expired. Fix: entra-sod login" in " ".join(output.split())


def test_a_sign_in_counts_in_its_own_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its token is not sent to another cloud."""
    run("login")
    monkeypatch.setenv("GRAPH_CLOUD", "usgov")
    code, output = run("whoami")
    assert code == 1
    assert "You are signed in at login.microsoftonline.com" in " ".join(output.split())
    assert len(Browser.made) == 1


def test_a_file_that_cannot_be_written_is_said(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in would be forgotten at once."""
    machine.touch()
    monkeypatch.setattr("typer.get_app_dir", lambda _name: str(machine))
    code, output = run("login")
    assert code == 1
    assert "cannot be written" in " ".join(output.split())


def test_a_person_signs_out(machine: Path) -> None:
    """Signing out removes the stored sign-in."""
    run("login")
    assert run("logout") == (0, "signed out ada@contoso.test\n")
    assert not machine.exists()
    assert run("logout") == (0, "you were not signed in\n")


@pytest.mark.parametrize("text", ["", "{", msgspec.json.encode({"username": "x"}).decode()])
def test_a_damaged_file_is_no_sign_in(machine: Path, text: str) -> None:
    """The person signs in again."""
    machine.write_text(text, encoding="utf-8")
    assert SignInFile(machine).read() is None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, True),
        ({"GRAPH_CREDENTIAL": "default"}, False),
        ({"GRAPH_CREDENTIAL": ""}, True),
        ({"IDENTITY_ENDPOINT": "http://127.0.0.1"}, False),
    ],
)
def test_an_app_asks_as_its_identity(environment: dict[str, str], *, expected: bool) -> None:
    """A sign-in of a person counts only where nothing names another identity."""
    assert asks_as_person(environment) is expected


def local_token(simulator: Simulator) -> str:
    """A token of the simulator's own identity endpoint."""
    import httpx

    settings = simulator.settings
    answer = httpx.get(
        settings["IDENTITY_ENDPOINT"],
        params={
            "api-version": "2019-08-01",
            "resource": "https://graph.microsoft.com",
            "client_id": settings["AZURE_CLIENT_ID"],
        },
        headers={"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]},
    )
    return str(answer.json()["access_token"])
