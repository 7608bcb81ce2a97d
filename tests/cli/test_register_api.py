from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from entra_sod.cli.register_api import GRAPH, ROLES, RegistrationGraph, WantedRegistration, run

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

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url).startswith(GRAPH)
        path = request.url.path.removeprefix("/v1.0")
        if request.method == "GET":
            return self._read(path)
        if not self.may_write:
            return httpx.Response(403, json={"error": {"code": "Authorization_RequestDenied"}})
        self.writes.append(f"{request.method} {path}")
        return self._write(request.method, path, json.loads(request.content))

    def _read(self, path: str) -> httpx.Response:
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


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def graph(directory: Directory) -> Iterator[RegistrationGraph]:
    with httpx.Client(transport=httpx.MockTransport(directory.answer)) as client:
        yield RegistrationGraph(client)


def test_without_yes_nothing_is_written(
    directory: Directory, graph: RegistrationGraph, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each thing that it would do is said, and none is done."""
    assert run(WANTED, graph, does=False) == 0
    assert directory.writes == []
    said = capsys.readouterr().out
    assert said.count("would: ") == 4
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
    """Roles that somebody else made stay, and one of ours that is there keeps its id."""
    run(WANTED, graph, does=True)
    theirs = {"id": str(uuid4()), "value": "Other.Role"}
    kept = directory.application["appRoles"][:1]
    directory.application["appRoles"] = [theirs, *kept]
    directory.given = [{"appRoleId": "", "principalId": "somebody"}]
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
