"""`python -m benchmarks.children.loop_sdk WAY FIRST,SECOND…`: pairs of packages, as users loop.

With msgraph-sdk's typed builders and models, one request after another. WAY `additionalAccess`
repairs the builder's address, whose comma it drops; `intersection` reads both lists and compares
the targets, as Microsoft documents it. Settings come from the environment, as for the app.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.generated.identity_governance.entitlement_management.assignments.assignments_request_builder import (  # noqa: E501
    AssignmentsRequestBuilder,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from benchmarks.children.looped import Looped
from entra_sod.adapters.graph.credential import credential
from entra_sod.settings import read_settings

type Pair = tuple[str, str]


async def main(way: str, pairs: Sequence[Pair]) -> Looped:
    settings = read_settings(os.environ).graph
    signing_in = credential(settings)
    provider = AzureIdentityAuthenticationProvider(
        signing_in, scopes=[settings.scope], allowed_hosts=["127.0.0.1"]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{settings.root}/v1.0"
    assignments = GraphServiceClient(
        request_adapter=adapter
    ).identity_governance.entitlement_management.assignments
    look = _additional_access if way == "additionalAccess" else _intersection
    # The first imports the models of all properties, which is not counted.
    found = [await look(assignments, adapter.base_url, pairs[0])]
    started = time.process_time()
    found += [await look(assignments, adapter.base_url, pair) for pair in pairs[1:]]
    seconds = time.process_time() - started
    await signing_in.close()
    return Looped(conflicts=sum(found), cpu_seconds=seconds)


async def _additional_access(assignments: AssignmentsRequestBuilder, base: str, pair: Pair) -> int:
    first, second = pair
    address = (
        f"{base}/identityGovernance/entitlementManagement/assignments/additionalAccess"
        f"(accessPackageId='{first}',incompatibleAccessPackageId='{second}')?$expand=target"
    )
    builder = (
        assignments.additional_access_with_access_package_id_with_incompatible_access_package_id(
            first, second
        ).with_url(address)
    )
    return len(await _all(builder, None))


async def _intersection(assignments: AssignmentsRequestBuilder, _base: str, pair: Pair) -> int:
    first, second = [await _holders(assignments, package) for package in pair]
    return len(first & second)


async def _holders(assignments: AssignmentsRequestBuilder, package: str) -> set[str]:
    asked = AssignmentsRequestBuilder.AssignmentsRequestBuilderGetQueryParameters(
        filter=f"accessPackage/id eq '{package}' and state eq 'Delivered'", expand=["target"]
    )
    found = await _all(assignments, RequestConfiguration(query_parameters=asked))
    return {each.target.id for each in found}


async def _all(builder: Any, configuration: Any) -> list[Any]:  # noqa: ANN401 - generated code
    """Every page of a list, by the links that lead from one to the next."""
    page = await builder.get(configuration)
    found = list(page.value or [])
    while page.odata_next_link:
        page = await builder.with_url(page.odata_next_link).get()
        found += page.value or []
    return found


if __name__ == "__main__":
    given = [(one, other) for one, other in (each.split(",") for each in sys.argv[2:])]
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(main(sys.argv[1], given))))
