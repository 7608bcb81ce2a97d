"""One subject by its id in entitlement management, for callers that may read any catalog."""

import pytest
from starlette.applications import Starlette

from local.graph.demo import APP_CLIENT_ID, object_id, subject_id
from tests.local.graph.caller import EM, Caller, error_code


async def test_a_subject_is_found_by_its_own_id(app: Starlette) -> None:
    """With its object id, as selected; a role on one catalog is enough."""
    answer = await Caller(app, APP_CLIENT_ID).send(
        "GET", f"{EM}/subjects/{subject_id(3)}?$select=id,objectId"
    )
    assert answer.status_code == 200
    found = answer.json()
    assert (found["id"], found["objectId"]) == (subject_id(3), object_id(3))
    assert "displayName" not in found


@pytest.mark.parametrize("asked", [object_id(3), "00000000-0000-4000-8000-000000000000"])
async def test_no_other_id_finds_one(app: Starlette, asked: str) -> None:
    """An object id is not the key of a subject, nor is an unknown id."""
    answer = await Caller(app, APP_CLIENT_ID).send("GET", f"{EM}/subjects/{asked}")
    assert (answer.status_code, error_code(answer)) == (404, "ResourceNotFound")


async def test_who_may_read_nothing_learns_nothing(app: Starlette) -> None:
    """Without any right in entitlement management the answer is 403."""
    answer = await Caller(app, "directory-client").send("GET", f"{EM}/subjects/{subject_id(3)}")
    assert answer.status_code == 403


async def test_only_documented_options_are_taken(app: Starlette) -> None:
    """A filter or an expansion is refused."""
    answer = await Caller(app, APP_CLIENT_ID).send(
        "GET", f"{EM}/subjects/{subject_id(3)}?$expand=connectedOrganization"
    )
    assert answer.status_code == 400
