from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from entra_sod.cli.register_api import (
    GRAPH,
    ROLES,
    TERMINALS,
    RegistrationGraph,
    WantedRegistration,
    run,
    scope_id_in,
    web_of,
)

LOGIC_APP = str(uuid4())
WANTED = WantedRegistration(name="production", grants=[("SoD.Decide", LOGIC_APP)])


class Directory:
    """As much of Entra's directory as the script needs; strict about what it does not know."""

    def __init__(self, *, may_write: bool = True) -> None:
        self.may_write = may_write
        self.application: dict[str, Any] = {}
        self.principal: dict[str, Any] = {}
        self.given: list[dict[str, str]] = []
        self.writes: list[str] = []
        self.too_early: list[httpx.Response] = []
        self.unseen: dict[str, int] = {}  # how often a path answers 404 once it was written
        self.slept: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url).startswith(GRAPH)
        path = request.url.path.removeprefix("/v1.0")
        if request.method == "GET":
            return self._read(path)
        if not self.may_write:
            return httpx.Response(403, json={"error": {"code": "Authorization_RequestDenied"}})
        if self.too_early and path != "/applications":
            return self.too_early.pop()
        self.writes.append(f"{request.method} {path}")
        return self._write(request.method, path, json.loads(request.content))

    def _read(self, path: str) -> httpx.Response:
        kind = path.rpartition("/")[2].partition("(")[0]
        if self.principal and self.unseen.get(kind, 0) > 0:
            self.unseen[kind] -= 1
            return httpx.Response(404, json={})
        if path.endswith("/appRoleAssignedTo"):
            return httpx.Response(200, json={"value": self.given})
        found = self.application if path.startswith("/applications(") else self.principal
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={})

    def _write(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        match method, path.split("/")[1:]:
            case "POST", ["applications"]:
                assert not self.application
                made = {"id": str(uuid4()), "appId": str(uuid4()), "identifierUris": []}
                self.application = {**body, **made}
                return httpx.Response(201, json=self.application)
            case "PATCH", ["applications", identifier]:
                assert identifier == self.application["id"]
                self._hold_scopes(body.get("api", {}))
                self.application |= body
                return httpx.Response(204)
            case "POST", ["servicePrincipals"]:
                assert body["appId"] == self.application["appId"]
                self.principal = {**body, "id": str(uuid4())}
                return httpx.Response(201, json=self.principal)
            case "POST", ["servicePrincipals", identifier, "appRoleAssignedTo"]:
                assert identifier == body["resourceId"] == self.principal["id"]
                assert body["appRoleId"] in {each["id"] for each in self.application["appRoles"]}
                self.given.append(body)
                return httpx.Response(201, json=body)
        raise AssertionError(f"{method} {path}")

    def _hold_scopes(self, api: dict[str, Any]) -> None:
        """Entra takes a client for a scope only after the scope itself."""
        known = {each["id"] for each in self.application["api"].get("oauth2PermissionScopes", [])}
        for each in api.get("preAuthorizedApplications", []):
            assert set(each["delegatedPermissionIds"]) <= known


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def graph(directory: Directory) -> Iterator[RegistrationGraph]:
    with httpx.Client(transport=httpx.MockTransport(directory.answer)) as client:
        yield RegistrationGraph(client, directory.slept.append)


def test_without_yes_nothing_is_written(
    directory: Directory, graph: RegistrationGraph, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each thing that it would do is said, and none is done."""
    assert run(WANTED, graph, does=False) == 0
    assert directory.writes == []
    said = capsys.readouterr().out
    assert said.count("would: ") == 5
    assert f"give SoD.Decide to {LOGIC_APP}" in said


def test_the_first_run_registers_and_the_second_changes_nothing(
    directory: Directory, graph: RegistrationGraph, capsys: pytest.CaptureFixture[str]
) -> None:
    """The application has every role, its address and a principal; the client id is said."""
    assert run(WANTED, graph, does=True) == 0
    assert {each["value"] for each in directory.application["appRoles"]} == ROLES.keys()
    client_id = directory.application["appId"]
    assert directory.application["identifierUris"] == [f"api://{client_id}"]
    assert directory.principal["appRoleAssignmentRequired"] is True
    assert [each["principalId"] for each in directory.given] == [LOGIC_APP]
    assert f"azd env set API_CLIENT_ID {client_id}" in capsys.readouterr().out

    directory.writes.clear()
    assert run(WANTED, graph, does=True) == 0
    assert directory.writes == []
    assert "Nothing is missing." in capsys.readouterr().out


def test_a_role_that_is_missing_is_added_beside_the_others(
    directory: Directory, graph: RegistrationGraph
) -> None:
    """Roles of other owners stay, and one of ours that is there keeps its id."""
    run(WANTED, graph, does=True)
    theirs = {"id": str(uuid4()), "value": "Other.Role"}
    kept = directory.application["appRoles"][:1]
    directory.application["appRoles"] = [theirs, *kept]
    directory.given = [{"appRoleId": "", "principalId": "another"}]
    assert run(WANTED, graph, does=True) == 0
    roles = directory.application["appRoles"]
    assert roles[:2] == [theirs, *kept]
    assert {each["value"] for each in roles} == {"Other.Role", *ROLES}
    assert directory.given[-1]["principalId"] == LOGIC_APP


def test_without_the_right_it_says_who_can(
    directory: Directory, graph: RegistrationGraph, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal is named by its call, and the exit code is 1."""
    directory.may_write = False
    assert run(WANTED, graph, does=True) == 1
    said = capsys.readouterr().out
    assert "403 to POST /v1.0/applications" in said
    assert "Cloud Application Administrator" in said


def test_people_get_tokens_by_azure_cli_and_powershell(
    directory: Directory, graph: RegistrationGraph
) -> None:
    """The API exposes a scope, and both terminals may ask for it without a consent."""
    run(WANTED, graph, does=True)
    api = directory.application["api"]
    scope = scope_id_in(directory.application)
    assert [each["type"] for each in api["oauth2PermissionScopes"]] == ["User"]
    assert {
        each["appId"]: each["delegatedPermissionIds"] for each in api["preAuthorizedApplications"]
    } == {app_id: [scope] for app_id in TERMINALS.values()}
    assert api["requestedAccessTokenVersion"] == 2


def test_an_application_of_before_gets_the_scope_beside_what_it_has(
    directory: Directory, graph: RegistrationGraph
) -> None:
    """Scopes and clients of other owners stay; a second run changes nothing."""
    run(WANTED, graph, does=True)
    theirs = {"id": str(uuid4()), "value": "Other.Scope"}
    client = {"appId": str(uuid4()), "delegatedPermissionIds": [theirs["id"]]}
    directory.application["api"] = {
        "requestedAccessTokenVersion": 2,
        "oauth2PermissionScopes": [theirs],
        "preAuthorizedApplications": [client],
    }
    assert run(WANTED, graph, does=True) == 0
    api = directory.application["api"]
    assert theirs in api["oauth2PermissionScopes"]
    assert client in api["preAuthorizedApplications"]
    assert len(api["preAuthorizedApplications"]) == 1 + len(TERMINALS)
    directory.writes.clear()
    assert run(WANTED, graph, does=True) == 0
    assert directory.writes == []


def test_a_directory_that_does_not_know_the_application_yet_is_asked_again(
    directory: Directory, graph: RegistrationGraph
) -> None:
    """404, and 400 with the code for it, pass within moments; another 400 is said at once."""
    no_application = {"error": {"code": "NoBackingApplicationObject"}}
    directory.too_early = [httpx.Response(404, json={}), httpx.Response(400, json=no_application)]
    assert run(WANTED, graph, does=True) == 0
    assert len(directory.slept) == 2
    directory.application["identifierUris"] = []
    directory.too_early = [httpx.Response(400, json={"error": {"code": "Request_BadRequest"}})]
    assert run(WANTED, graph, does=True) == 1
    assert len(directory.slept) == 2


@pytest.mark.parametrize("kind", ["applications", "servicePrincipals", "appRoleAssignedTo"])
def test_what_was_just_made_is_looked_for_until_it_is_seen(
    directory: Directory, graph: RegistrationGraph, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """A directory that does not show it yet is asked again, and nothing is made twice."""
    directory.unseen = {kind: 3}
    assert run(WANTED, graph, does=True) == 0
    assert len(directory.slept) == 3
    assert len(directory.writes) == len(set(directory.writes)) + 1  # two PATCH of one application
    assert "Nothing is missing." in capsys.readouterr().out


class TestConsole:
    WANTED = WantedRegistration(name="production", app_url="https://app.example/")
    CALLBACK = "https://app.example/.auth/login/aad/callback"

    def test_people_can_sign_in_to_it(
        self,
        directory: Directory,
        graph: RegistrationGraph,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The platform's address is one of those that Entra sends people back to."""
        assert run(self.WANTED, graph, does=True) == 0
        assert directory.application["web"] == {
            "redirectUris": [self.CALLBACK],
            "implicitGrantSettings": {"enableIdTokenIssuance": True},
        }
        assert (
            "let people sign in to the console of https://app.example/" in capsys.readouterr().out
        )
        directory.writes.clear()
        assert run(self.WANTED, graph, does=True) == 0
        assert directory.writes == []

    def test_other_addresses_and_settings_stay(self) -> None:
        """An application that signs people in elsewhere goes on doing so."""
        web = {
            "homePageUrl": "https://home.example",
            "redirectUris": ["https://other.example/back"],
            "implicitGrantSettings": {"enableAccessTokenIssuance": True},
        }
        assert web_of({"web": web}, self.CALLBACK) == {
            "homePageUrl": "https://home.example",
            "redirectUris": ["https://other.example/back", self.CALLBACK],
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": True,
                "enableIdTokenIssuance": True,
            },
        }

    def test_before_a_deployment_nothing_is_asked_for(self, graph: RegistrationGraph) -> None:
        """Without the app's address there is no way back."""
        assert run(WANTED, graph, does=True) == 0
        assert web_of({}, "") is None
