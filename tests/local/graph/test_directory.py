"""People and service principals by their ids: directory permissions open them, roles do not."""

from urllib.parse import quote

import pytest
from starlette.applications import Starlette

from local.graph.demo import APP_CLIENT_ID, demo_tenant, object_id, subject_id
from local.graph.demo_people import make_id, robot
from local.graph.tenant import DirectoryObject
from tests.local.graph.caller import Caller, app_of, error_code, with_identity


@pytest.fixture
def app() -> Starlette:
    """A tenant with one newcomer, and a caller that may read people."""
    tenant = demo_tenant()
    tenant.newcomers = [
        DirectoryObject(
            id=make_id("new"),
            display_name="Nele Neu",
            user_principal_name="nele_fabrikam.com#EXT#@contoso.example",
        )
    ]
    with_identity(tenant, "people", permission="User.ReadBasic.All")
    return app_of(tenant)


@pytest.fixture
def reader(app: Starlette) -> Caller:
    return Caller(app, "people-client")


@pytest.mark.parametrize("known", [object_id(3), make_id("new")])
async def test_a_person_is_found_by_the_object_id(reader: Caller, known: str) -> None:
    """Whether entitlement management has met the person or not."""
    answer = await reader.send("GET", f"/v1.0/users/{known}?$select=id")
    assert (answer.status_code, answer.json()["id"]) == (200, known)


@pytest.mark.parametrize("unknown", [subject_id(3), robot().object_id])
async def test_nothing_else_is_a_person(reader: Caller, unknown: str) -> None:
    """Neither an id of entitlement management nor a service principal."""
    answer = await reader.send("GET", f"/v1.0/users/{unknown}")
    assert (answer.status_code, error_code(answer)) == (404, "Request_ResourceNotFound")


async def test_each_kind_has_its_permission(app: Starlette, reader: Caller) -> None:
    """Who may read people reads no service principal, and a role on a catalog opens neither."""
    robots = f"/v1.0/servicePrincipals/{robot().object_id}"
    for caller, path in (
        (reader, robots),
        (Caller(app, APP_CLIENT_ID), robots),
        (Caller(app, APP_CLIENT_ID), f"/v1.0/users/{object_id(3)}"),
    ):
        answer = await caller.send("GET", path)
        assert (answer.status_code, error_code(answer)) == (403, "Authorization_RequestDenied")


async def test_a_person_is_found_by_the_user_principal_name(app: Starlette, reader: Caller) -> None:
    """Case does not matter; the person must be in the directory, the caller have permission."""
    [known] = [each for each in demo_tenant().subjects if each.object_id == object_id(3)]
    name = str(known.principal_name)
    path = f"/v1.0/users/{quote(name.upper(), safe='')}?$select=id,userPrincipalName"
    answer = await reader.send("GET", path)
    assert (answer.status_code, answer.json()["id"]) == (200, object_id(3))
    assert answer.json()["userPrincipalName"] == name
    refused = await Caller(app, APP_CLIENT_ID).send("GET", path)
    assert (refused.status_code, error_code(refused)) == (403, "Authorization_RequestDenied")


async def test_the_name_of_a_guest_has_to_be_encoded(reader: Caller) -> None:
    """What stands behind a number sign is no part of an address."""
    name = "nele_fabrikam.com#EXT#@contoso.example"
    for path, status in ((quote(name, safe=""), 200), (name, 404)):
        answer = await reader.send("GET", f"/v1.0/users/{path}")
        assert answer.status_code == status
    assert (
        await reader.send("GET", f"/v1.0/users/{quote('no@contoso.example')}")
    ).status_code == 404
