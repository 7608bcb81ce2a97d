"""One group by its id: a directory permission opens it, an entitlement-management role does not."""

from starlette.applications import Starlette

from local.graph.demo import APP_CLIENT_ID, GROUP_EXTERNAL_AUDITORS
from tests.local.graph.caller import Caller, error_code

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
