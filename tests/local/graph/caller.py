"""A caller of the simulated Graph, in-process and with the token of one identity."""

import json
from typing import Any
from urllib.parse import quote

import httpx
from starlette.applications import Starlette

from local.graph import Behaviour, Simulator, Tenant, create_app
from local.graph.authorization import CATALOG_SCOPE
from local.graph.tenant import Identity, RoleAssignment
from local.graph.tokens import Claims, issue

ROOT = "https://graph.test"
EM = "/v1.0/identityGovernance/entitlementManagement"
AUDIENCE = "https://graph.microsoft.com"


def token_for(simulator: Simulator, client_id: str, *, audience: str = AUDIENCE) -> str:
    identity = simulator.index.identities.get(client_id)
    now = int(simulator.clock())
    claims = Claims(
        aud=audience,
        appid=client_id,
        oid=identity.principal_id if identity else "unknown",
        nbf=now,
        exp=now + 3600,
    )
    return issue(claims, simulator.key)


class Caller:
    def __init__(self, app: Starlette, client_id: str) -> None:
        self.simulator: Simulator = app.state.simulator
        self.client_id = client_id
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ROOT)

    @property
    def behaviour(self) -> Behaviour:
        return self.simulator.behaviour

    async def send(
        self, method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        own = {"Authorization": f"Bearer {token_for(self.simulator, self.client_id)}"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            own["Content-Type"] = "application/json"
        return await self.http.request(
            method, path, content=content, headers={**own, **(headers or {})}
        )

    async def get(self, path: str) -> httpx.Response:
        return await self.send("GET", f"{EM}/{path}")

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.send("POST", f"{EM}/{path}", body=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.send("DELETE", f"{EM}/{path}")

    async def value(self, path: str) -> list[Any]:
        """Everything in a collection, over all its pages."""
        answer = await self.get(path)
        items: list[Any] = []
        while True:
            assert answer.status_code == 200, answer.text
            items += answer.json()["value"]
            if "@odata.nextLink" not in answer.json():
                return items
            answer = await self.send("GET", answer.json()["@odata.nextLink"])

    async def ids(self, path: str) -> list[str]:
        return [item["id"] for item in await self.value(path)]

    async def add_group(self, package_id: str, group_id: str) -> httpx.Response:
        body = {"@odata.id": f"{ROOT}/v1.0/groups/{group_id}"}
        return await self.post(f"accessPackages/{package_id}/incompatibleGroups/$ref", body)

    async def add_package(self, package_id: str, other_id: str) -> httpx.Response:
        body = {"@odata.id": f"{ROOT}{EM}/accessPackages/{other_id}"}
        path = f"accessPackages/{package_id}/incompatibleAccessPackages/$ref"
        return await self.post(path, body)


def additional_access(first: str, second: str, options: str = "") -> str:
    arguments = f"accessPackageId='{first}',incompatibleAccessPackageId='{second}'"
    return f"assignments/additionalAccess({arguments}){options}"


def assignments_of(package_id: str, *clauses: str, options: str = "") -> str:
    text = " and ".join([f"accessPackage/id eq '{package_id}'", *clauses])
    return f"assignments?$filter={quote(text)}{options}"


def error_code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def error_message(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


def app_of(tenant: Tenant) -> Starlette:
    return create_app(tenant, root=ROOT)


def with_identity(
    tenant: Tenant, name: str, *, permission: str = "", role: str = "", catalog_id: str = ""
) -> str:
    """Adds an identity with a permission, or a role on a catalog, and gives its client id."""
    identity = Identity(
        client_id=f"{name}-client",
        principal_id=f"{name}-principal",
        display_name=name,
        permissions=[permission] if permission else [],
    )
    tenant.identities.append(identity)
    if role:
        scope = f"{CATALOG_SCOPE}{catalog_id}" if catalog_id else "/"
        tenant.role_assignments.append(
            RoleAssignment(
                id=f"{name}-role",
                principal_id=identity.principal_id,
                role_definition_id=role,
                app_scope_id=scope,
            )
        )
    return identity.client_id
