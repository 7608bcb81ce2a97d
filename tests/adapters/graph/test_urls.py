"""What stands in the request line: Graph is particular, and the SDK's own builder is not."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.settings import read_settings
from tests.adapters.graph.fixtures import Connect, Simulator
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import APPROVE, AUDITORS, PAY

ENTITLEMENT = "/v1.0/identityGovernance/entitlementManagement"

# Root and authority of each cloud, as Microsoft documents them for national clouds.
CLOUDS = {
    "global": ("https://graph.microsoft.com", "login.microsoftonline.com"),
    "usgov": ("https://graph.microsoft.us", "login.microsoftonline.us"),
    "usgov-dod": ("https://dod-graph.microsoft.us", "login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
}


async def test_additional_access_keeps_its_comma_on_the_wire(
    client: GraphClient, simulator: Simulator
) -> None:
    """The function call arrives exactly as it is documented, the comma between its ids included."""
    assert [page async for page in client.additional_access(PAY, APPROVE)]
    (target,) = simulator.targets()
    assert target == (
        f"{ENTITLEMENT}/assignments/additionalAccess(accessPackageId='{PAY}',"
        f"incompatibleAccessPackageId='{APPROVE}')?$expand=target"
    )


async def test_assignments_are_always_filtered_by_their_package(
    client: GraphClient, simulator: Simulator
) -> None:
    """An app with catalog roles only may not list assignments without naming the package."""
    assert [page async for page in client.assignments(PAY)]
    assert simulator.targets() == [
        f"{ENTITLEMENT}/assignments?$filter=accessPackage/id%20eq%20'{PAY}'&$expand=target"
    ]


async def test_every_page_of_assignments_is_filtered_by_its_package(
    client: GraphClient, simulator: Simulator
) -> None:
    """The filter is still there on the pages that a nextLink leads to."""
    simulator.control.behave(page_size=2)
    assert [page async for page in client.assignments(PAY)]
    assert len(simulator.targets()) == 3
    assert all(f"accessPackage/id%20eq%20'{PAY}'" in target for target in simulator.targets())


async def test_a_next_link_goes_back_as_it_came(
    served: GraphClient, server: RecordingServer
) -> None:
    """Nothing of a nextLink is decoded, encoded or left out on its way back to Graph."""
    link = "/v1.0/next?$skiptoken=a%2Fb%3D%2Dc%2526,%27x%27+y&$filter=x%20eq%20'1'&%24top=5&z"
    server.will_answer({"value": [], "@odata.nextLink": server.root + link})
    server.will_answer({"value": []})
    assert await served.packages() == []
    assert server.targets()[1] in (link, link.replace("%24top", "$top"))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_root_scope_and_authority_belong_to_one_cloud(cloud: str) -> None:
    """A cloud's name gives that cloud's own Graph, its token scope and its sign-in authority."""
    settings = read_settings({"GRAPH_CLOUD": cloud}).graph
    root, authority = CLOUDS[cloud]
    assert (settings.root, settings.authority) == (root, authority)
    assert settings.scope == f"{root}/.default"


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_the_token_is_asked_for_the_configured_cloud(
    cloud: str, connect: Connect, identity: RecordingServer, server: RecordingServer
) -> None:
    """The identity endpoint is asked for a token of the cloud that the settings name."""
    server.will_answer({"value": []})
    await connect(GRAPH_ROOT=server.root, GRAPH_CLOUD=cloud).probe()
    (asked,) = identity.targets()
    assert parse_qs(urlsplit(asked).query)["resource"] == [CLOUDS[cloud][0]]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_references_point_into_the_configured_cloud(cloud: str) -> None:
    """The `@odata.id` of a new reference lies under the configured root."""
    urls = GraphUrls(read_settings({"GRAPH_CLOUD": cloud}).graph.root)
    group = urls.target(Reference(PAY, ReferenceKind.GROUP, AUDITORS))
    package = urls.target(Reference(PAY, ReferenceKind.PACKAGE, APPROVE))
    assert group == f"{CLOUDS[cloud][0]}/v1.0/groups/{AUDITORS}"
    assert package == f"{CLOUDS[cloud][0]}{ENTITLEMENT}/accessPackages/{APPROVE}"
