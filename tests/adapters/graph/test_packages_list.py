"""A package of the tenant's list that cannot be understood: patterns may mean it."""

from __future__ import annotations

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.services.rules.provider import read_tenant
from tests.adapters.graph.server import RecordingServer


async def test_one_package_that_is_not_understood_costs_itself(
    served: GraphClient, server: RecordingServer
) -> None:
    """The others are on the list, and it says that there may be more."""
    server.answers_only({"value": [{"id": "A"}, None, {"id": "B"}]})
    tenant = await read_tenant(served)
    assert {*tenant.packages} == {"a", "b"}
    assert "the list of packages, number 2 of a page" in str(tenant.unlisted)
