"""Registers the app's API in Entra, with its app roles, and gives these roles to its callers.

    scripts/register_api.py [--name NAME] [--app URL] [--give ROLE=PRINCIPAL…] [--yes]

NAME is the azd environment's (AZURE_ENV_NAME by itself): a tenant may have several. ROLE=PRINCIPAL
gives an app role to the object id of a service principal; azd's SOD_APP_ROLES has those of the
workflows. URL is the deployed app's (AZURE_FUNCTION_APP_URL by itself): people can then sign in to
its console. Without `--yes` it says what it would do. What is there is left alone: run it at will.

It signs in as you do with `az login`, and needs the right to register applications and to give app
roles, as a Cloud Application Administrator has.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import httpx

type Json = dict[str, Any]

GRAPH = "https://graph.microsoft.com/v1.0"
ROLES = {
    "SoD.Check": "Ask for a check that writes nothing",
    "SoD.Decide": "Ask for a decision",
    "SoD.Enforce": "Ask for work that may write references",
    "SoD.Read": "Read what was found",
    "SoD.Admin": "All of it",
}
# What people sign in with at a terminal, by the ids that Microsoft documents for all tenants.
TERMINALS = {
    "Azure CLI": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "Azure PowerShell": "1950a258-227b-4e31-a9cf-717495945fc2",
}
SCOPE = "user_impersonation"
# A new application is not there everywhere at once: what needs it is refused for up to minutes.
_NO_APPLICATION_YET = "NoBackingApplicationObject"
_WAIT_SECONDS = 5.0
_MAX_ATTEMPTS = 24
_SPACE = UUID("5d3c4a94-6a0f-4f0b-9d5a-0f5b8b9c7e11")


class RegistrationRefused(Exception):
    """Graph said no: with the status, and what it was asked for. Never with the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRegistration:
    """What is to be there: an application of this unique name, and who has which role.

    Attributes:
        app_url: of the deployed app, whose console people sign in to; empty before a deployment.
    """

    name: str
    app_url: str = ""
    grants: Sequence[tuple[str, str]] = ()

    @property
    def unique_name(self) -> str:
        return f"entra-sod-{self.name}"

    @property
    def callback(self) -> str:
        """Where Entra sends people back to: the platform's own address, which makes the session."""
        return f"{self.app_url.rstrip('/')}/.auth/login/aad/callback" if self.app_url else ""


@dataclass(slots=True, kw_only=True)
class FoundRegistration:
    """What is there: the application, its service principal, and (role id, principal) pairs."""

    application: Json = field(default_factory=dict)
    principal: Json = field(default_factory=dict)
    given: set[tuple[str, str]] = field(default_factory=set)


def role_id(role: str) -> str:
    """The same in every tenant, so that two runs never make a role twice."""
    return str(uuid5(_SPACE, role))


def application_of(wanted: WantedRegistration) -> Json:
    """The application as Graph takes it, but for the address that needs its id."""
    return {
        "uniqueName": wanted.unique_name,
        "displayName": f"entra-sod ({wanted.name})",
        "signInAudience": "AzureADMyOrg",
        "api": {"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [_scope()]},
        "appRoles": [
            {
                "id": role_id(role),
                "value": role,
                "displayName": role,
                "description": description,
                "allowedMemberTypes": ["Application", "User"],
                "isEnabled": True,
            }
            for role, description in ROLES.items()
        ],
    }


def _scope() -> Json:
    """What a person's terminal asks for; what the person may do is the app role's to say."""
    words = "Call entra-sod as the person who is signed in, within that person's app roles"
    return {
        "id": role_id(SCOPE),
        "value": SCOPE,
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": "Call entra-sod",
        "adminConsentDescription": words,
        "userConsentDisplayName": "Call entra-sod",
        "userConsentDescription": words,
    }


def plan(wanted: WantedRegistration, found: FoundRegistration) -> list[str]:
    """What is missing, a sentence each; nothing where all is as wanted."""
    lines: list[str] = []
    if not found.application:
        lines.append(f"register the application {wanted.unique_name} with its app roles")
    elif missing_roles(found.application):
        lines.append("add app roles: " + ", ".join(missing_roles(found.application)))
    if not found.application.get("identifierUris"):
        lines.append("give it the address api://CLIENT_ID")
    if missing := missing_terminals(found.application):
        lines.append(f"let people get tokens by {' and '.join(missing)} (scope {SCOPE})")
    if web_of(found.application, wanted.callback) is not None:
        lines.append(f"let people sign in to the console of {wanted.app_url}")
    if not found.principal:
        lines.append("make its service principal, which admits only callers with a role")
    lines += [f"give {role} to {principal}" for role, principal in missing_grants(wanted, found)]
    return lines


def missing_roles(application: Json) -> list[str]:
    there = {each["value"] for each in application.get("appRoles", [])}
    return [role for role in ROLES if role not in there]


def missing_terminals(application: Json) -> list[str]:
    """The terminals that may not ask for the scope without a consent, or all where it lacks."""
    api = application.get("api") or {}
    scope = scope_id_in(application)
    there = {
        each["appId"]
        for each in api.get("preAuthorizedApplications", [])
        if scope in each["delegatedPermissionIds"]
    }
    return [name for name, app_id in TERMINALS.items() if app_id not in there]


def web_of(application: Json, callback: str) -> Json | None:
    """What signs people in, beside what is there; None where nothing is missing. Pure.

    The platform has no secret of the application, so Entra gives it the ID token at once.
    """
    web = application.get("web") or {}
    uris, grants = web.get("redirectUris", []), web.get("implicitGrantSettings") or {}
    if not callback or (callback in uris and grants.get("enableIdTokenIssuance")):
        return None
    uris = uris if callback in uris else [*uris, callback]
    return {
        **web,
        "redirectUris": uris,
        "implicitGrantSettings": {**grants, "enableIdTokenIssuance": True},
    }


def scope_id_in(application: Json) -> str | None:
    """The scope's id in the application, which may have been made by hand with another."""
    scopes = (application.get("api") or {}).get("oauth2PermissionScopes", [])
    return next((str(each["id"]) for each in scopes if each["value"] == SCOPE), None)


def with_terminals(application: Json) -> Json:
    """The application's `api` with every terminal let in, beside whatever else is there. Pure."""
    api = application.get("api") or {}
    scope = scope_id_in(application)
    others = [
        each
        for each in api.get("preAuthorizedApplications", [])
        if each["appId"] not in TERMINALS.values()
    ]
    ours = [{"appId": each, "delegatedPermissionIds": [scope]} for each in TERMINALS.values()]
    return {**api, "preAuthorizedApplications": [*others, *ours]}


def missing_grants(wanted: WantedRegistration, found: FoundRegistration) -> list[tuple[str, str]]:
    return [
        (role, principal)
        for role, principal in wanted.grants
        if (role_id_in(found.application, role), principal) not in found.given
    ]


def role_id_in(application: Json, role: str) -> str:
    """A role's id in the application, which may have been made by hand with another."""
    ids = {each["value"]: each["id"] for each in application.get("appRoles", [])}
    return str(ids.get(role, role_id(role)))


class RegistrationGraph:
    """The calls that this takes, and no others."""

    def __init__(self, client: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._sleep = client, sleep

    def read(self, wanted: WantedRegistration) -> FoundRegistration:
        found = FoundRegistration()
        found.application = self._read(f"/applications(uniqueName='{wanted.unique_name}')")
        if found.application:
            path = f"/servicePrincipals(appId='{found.application['appId']}')"
            found.principal = self._read(path)
        if found.principal:
            found.given = self._given(found.principal["id"])
        return found

    def apply(self, wanted: WantedRegistration, found: FoundRegistration) -> FoundRegistration:
        """Make what is missing, and look again."""
        if not found.application:
            found.application = self._call("POST", "/applications", application_of(wanted))
        path = f"/applications/{found.application['id']}"
        if missing := missing_roles(found.application):
            ours = {each["value"]: each for each in application_of(wanted)["appRoles"]}
            there = found.application["appRoles"]
            self._call("PATCH", path, {"appRoles": [*there, *(ours[role] for role in missing)]})
        self._open_to_terminals(path, found)
        if web := web_of(found.application, wanted.callback):
            self._call("PATCH", path, {"web": web})
        app_id = found.application["appId"]
        if not found.application.get("identifierUris"):
            self._call("PATCH", path, {"identifierUris": [f"api://{app_id}"]})
        if not found.principal:
            body = {"appId": app_id, "appRoleAssignmentRequired": True}
            found.principal = self._call("POST", "/servicePrincipals", body)
        resource = found.principal["id"]
        for role, principal in missing_grants(wanted, found):
            body = {
                "principalId": principal,
                "resourceId": resource,
                "appRoleId": role_id_in(found.application, role),
            }
            self._call("POST", f"/servicePrincipals/{resource}/appRoleAssignedTo", body)
        return self._read_what_was_made(wanted)

    def _read_what_was_made(self, wanted: WantedRegistration) -> FoundRegistration:
        """Look again until it is seen: a directory that answers may not know of it yet."""
        found = self.read(wanted)
        for _ in range(_MAX_ATTEMPTS - 1):
            if not plan(wanted, found):
                break
            self._sleep(_WAIT_SECONDS)
            found = self.read(wanted)
        return found

    def _open_to_terminals(self, path: str, found: FoundRegistration) -> None:
        """Expose the scope, and then name who may ask for it: Entra takes them in this order."""
        if not missing_terminals(found.application):
            return
        if scope_id_in(found.application) is None:
            api = found.application.get("api") or {}
            scopes = [*api.get("oauth2PermissionScopes", []), _scope()]
            found.application["api"] = {**api, "oauth2PermissionScopes": scopes}
            self._call("PATCH", path, {"api": found.application["api"]})
        self._call("PATCH", path, {"api": with_terminals(found.application)})

    def _given(self, principal_id: str) -> set[tuple[str, str]]:
        given: set[tuple[str, str]] = set()
        path = f"/servicePrincipals/{principal_id}/appRoleAssignedTo"
        while path:
            page = self._call("GET", path)
            given |= {(each["appRoleId"], each["principalId"]) for each in page["value"]}
            path = page.get("@odata.nextLink", "")
            if path and not path.startswith(GRAPH):
                raise RegistrationRefused("Graph answered with an address that is not its own")
        return given

    def _read(self, path: str) -> Json:
        """What is at a path, or nothing."""
        answer = self._client.get(GRAPH + path)
        return {} if answer.status_code == httpx.codes.NOT_FOUND else _body(answer)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        url = path if path.startswith(GRAPH) else GRAPH + path
        answer = self._client.request(method, url, json=body)
        for _ in range(_MAX_ATTEMPTS - 1):
            if not _is_too_early(answer):
                break
            self._sleep(_WAIT_SECONDS)
            answer = self._client.request(method, url, json=body)
        return _body(answer)


def _is_too_early(answer: httpx.Response) -> bool:
    """Whether the directory that answered does not know yet what was just made."""
    bad = answer.status_code == httpx.codes.BAD_REQUEST and _NO_APPLICATION_YET in answer.text
    return bad or answer.status_code == httpx.codes.NOT_FOUND


def _body(answer: httpx.Response) -> Json:
    if answer.is_error:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise RegistrationRefused(f"Graph answered {answer.status_code} to {asked}")
    body: Json = answer.json() if answer.content else {}
    return body


def run(wanted: WantedRegistration, graph: RegistrationGraph, *, does: bool) -> int:
    """Say what is missing, do it where that is wanted, and say how to go on."""
    try:
        found = graph.read(wanted)
        for line in plan(wanted, found):
            print(("doing: " if does else "would: ") + line)
        if does:
            found = graph.apply(wanted, found)
    except RegistrationRefused as error:
        print(f"{error}. Ask a Cloud Application Administrator to run this command.")
        return 1
    left = plan(wanted, found)
    if found.application:
        print(f"azd env set API_CLIENT_ID {found.application['appId']}")
    print("\n".join(left) if does and left else _rest(left))
    return 1 if does and left else 0


def _rest(left: list[str]) -> str:
    return "Run it again with --yes." if left else "Nothing is missing."


def _grant(text: str) -> tuple[str, str]:
    role, _, principal = text.partition("=")
    if role not in ROLES:
        raise argparse.ArgumentTypeError(f"{role} is none of {', '.join(ROLES)}")
    try:
        return role, str(UUID(principal))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{principal!r} is no object id") from None


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Registers the app's API in Entra.")
    parser.add_argument("--name", default=os.environ.get("AZURE_ENV_NAME"))
    parser.add_argument(
        "--app", default=os.environ.get("AZURE_FUNCTION_APP_URL", ""), metavar="URL"
    )
    parser.add_argument("--give", action="append", default=[], type=_grant, metavar="ROLE=ID")
    parser.add_argument("--yes", action="store_true", help="do it, and not only say what")
    options = parser.parse_args(arguments)
    if not options.name:
        parser.error("--name is missing, and there is no AZURE_ENV_NAME")
    options.give += [_grant(each) for each in os.environ.get("SOD_APP_ROLES", "").split()]
    return options


def main(arguments: Sequence[str]) -> int:
    from azure.identity import AzureCliCredential

    options = _options(arguments)
    token = AzureCliCredential().get_token("https://graph.microsoft.com/.default").token
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        wanted = WantedRegistration(name=options.name, app_url=options.app, grants=options.give)
        return run(wanted, RegistrationGraph(client), does=options.yes)
