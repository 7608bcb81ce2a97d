"""Microsoft's own client against the simulator: what it sends well, and what it gets wrong."""

from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from starlette.applications import Starlette

from local.graph import Simulator
from local.graph.demo import (
    APP_CLIENT_ID,
    APPROVE_INVOICES,
    GROUP_EXTERNAL_AUDITORS,
    PAY_INVOICES,
)
from tests.local.graph.caller import EM, ROOT, additional_access, token_for

# The SDK warns about classes of its own while it is imported.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:GetQueryParameters:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning"),
]


class FixedToken:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken(token_for(self._simulator, APP_CLIENT_ID), 2**31)


@pytest.fixture
def client(app: Starlette) -> Any:
    """msgraph-sdk's client, which sends to the simulator instead of the network."""
    provider = AzureIdentityAuthenticationProvider(
        FixedToken(app.state.simulator),
        scopes=["https://graph.microsoft.com/.default"],
        allowed_hosts=["graph.test"],
    )
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
    adapter = GraphRequestAdapter(provider, http)
    adapter.base_url = f"{ROOT}/v1.0/"
    return GraphServiceClient(request_adapter=adapter)


async def test_the_builder_of_the_function_is_caught(client: Any, simulator: Simulator) -> None:
    """The SDK's own builder drops the comma, and the simulator refuses that like Graph."""
    assignments = client.identity_governance.entitlement_management.assignments
    build = assignments.additional_access_with_access_package_id_with_incompatible_access_package_id
    with pytest.raises(ODataError) as refused:
        await build(PAY_INVOICES, APPROVE_INVOICES).get()
    assert refused.value.response_status_code == 400
    assert "'incompatible" in simulator.log.requests[-1].target


async def test_a_whole_url_through_the_adapter_works(client: Any, simulator: Simulator) -> None:
    """The same call with its own URL is answered, decoded by the SDK's models."""
    assignments = client.identity_governance.entitlement_management.assignments
    path = additional_access(PAY_INVOICES, APPROVE_INVOICES, "?$expand=target")
    page = await assignments.with_url(f"{ROOT}{EM}/{path}").get()
    assert len(page.value) == 7
    assert simulator.log.requests[-1].token == APP_CLIENT_ID


async def test_the_sdk_writes_references(client: Any, simulator: Simulator) -> None:
    """A reference that the SDK posts, over its path with two slashes, is taken."""
    package = client.identity_governance.entitlement_management.access_packages
    groups = package.by_access_package_id(PAY_INVOICES).incompatible_groups
    body = ReferenceCreate(odata_id=f"{ROOT}/v1.0/groups/{GROUP_EXTERNAL_AUDITORS}")
    await groups.ref.post(body)
    listed = await groups.get()
    assert [group.id for group in listed.value] == [GROUP_EXTERNAL_AUDITORS]
    assert simulator.log.requests[0].target.startswith("/v1.0//identityGovernance/")
