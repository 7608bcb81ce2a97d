"""One group by its id: a directory permission opens it, an entitlement-management role does not."""

import pytest
from starlette.applications import Starlette

from local.graph.demo import APP_CLIENT_ID, GROUP_EXTERNAL_AUDITORS, demo_tenant
from local.graph.demo_people import make_id
from local.graph.tenant import Group
from tests.local.graph.caller import Caller, app_of, error_code, with_identity

GROUP = f"/v1.0/groups/{GROUP_EXTERNAL_AUDITORS}"
UNKNOWN = "/v1.0/groups/00000000-0000-4000-8000-000000000000"


async def test_a_directory_permission_shows_a_group(app: Starlette) -> None:
    """Its id and whether it is security-enabled, as selected."""
    answer = await Caller(app, "directory-client").send(
        "GET", f"{GROUP}?$select=id,securityEnabled"
    )
    found = answer.json()
    assert answer.status_code == 200
    assert (found["id"], found["securityEnabled"]) == (GROUP_EXTERNAL_AUDITORS, True)
    assert "displayName" not in found


async def test_an_unknown_group_is_not_found(app: Starlette) -> None:
    """Who may read groups learns that one does not exist."""
    answer = await Caller(app, "directory-client").send("GET", UNKNOWN)
    assert (answer.status_code, error_code(answer)) == (404, "Request_ResourceNotFound")


async def test_entitlement_rights_show_no_group(app: Starlette) -> None:
    """Neither a role on a catalog nor a permission for entitlement management is enough."""
    for client_id in (APP_CLIENT_ID, "admin-client"):
        answer = await Caller(app, client_id).send("GET", GROUP)
        assert (answer.status_code, error_code(answer)) == (403, "Authorization_RequestDenied")


COUNT = "/v1.0/groups/{}/transitiveMembers/$count"
EVENTUAL = {"ConsistencyLevel": "eventual"}
OUTER, INNER = make_id("outer group"), make_id("inner group")


@pytest.fixture
def counter() -> Caller:
    """A caller that may count members, in a tenant with a group inside another."""
    tenant = demo_tenant()
    ann, bob, cas = (make_id(each) for each in ("ann", "bob", "cas"))
    tenant.groups += [
        Group(id=OUTER, display_name="outer", members=[ann, bob, INNER.upper()]),
        Group(id=INNER, display_name="inner", members=[bob, cas, OUTER]),
    ]
    with_identity(tenant, "counter", permission="GroupMember.ReadBasic.All")
    return Caller(app_of(tenant), "counter-client")


async def test_members_are_counted_with_those_of_nested_groups(counter: Caller) -> None:
    """Each member once, and the nested groups too, though they are inside each other; as text."""
    answer = await counter.send("GET", COUNT.format(OUTER), headers=EVENTUAL)
    assert (answer.status_code, answer.text) == (200, "5")
    assert answer.headers["Content-Type"] == "text/plain"


async def test_counting_needs_the_consistency_level(counter: Caller) -> None:
    """Without the header, and with options, the directory refuses to count."""
    for path, headers in ((COUNT, {}), (f"{COUNT}?$top=1", EVENTUAL)):
        answer = await counter.send("GET", path.format(OUTER), headers=headers)
        assert answer.status_code == 400


async def test_counting_needs_a_directory_permission(counter: Caller) -> None:
    """The least one counts and shows no group; the app's role counts nothing."""
    assert (await counter.send("GET", f"/v1.0/groups/{OUTER}")).status_code == 403
    counter.client_id = APP_CLIENT_ID
    answer = await counter.send("GET", COUNT.format(OUTER), headers=EVENTUAL)
    assert (answer.status_code, error_code(answer)) == (403, "Authorization_RequestDenied")


async def test_members_of_an_unknown_group_are_not_counted(counter: Caller) -> None:
    """There is no count of a group that does not exist."""
    answer = await counter.send("GET", COUNT.format(make_id("no group")), headers=EVENTUAL)
    assert (answer.status_code, error_code(answer)) == (404, "Request_ResourceNotFound")
