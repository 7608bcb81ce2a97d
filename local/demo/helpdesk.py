"""The help desk of the demo tenant: it gives people access, with an identity of its own."""

import httpx

from local.demo.facts import Asked
from local.demo.names import Snapshot
from local.graph.demo import HELPDESK_CLIENT_ID
from local.world import World

RESOURCE = "https://graph.microsoft.com"
REQUESTS = "/v1.0/identityGovernance/entitlementManagement/assignmentRequests"
_SECONDS = 30


class HelpDesk:
    def __init__(self, world: World) -> None:
        self._world = world

    def ask(self, wanted: str, *, held: str | None) -> Asked:
        """Asks Graph for a package, for the first person who has `held` and nothing else."""
        tenant = Snapshot(self._world.graph.tenant())
        person = tenant.first_with({held} if held else set())
        assignment = {
            "targetId": person.object_id,
            "assignmentPolicyId": tenant.policy_of(wanted),
            "accessPackageId": wanted,
        }
        answer = httpx.post(
            f"{self._world.graph.root}{REQUESTS}",
            json={"requestType": "adminAdd", "assignment": assignment},
            headers={"Authorization": f"Bearer {token(self._world)}"},
            timeout=_SECONDS,
        )
        error = answer.json().get("error", {})
        after = Snapshot(self._world.graph.tenant())
        return Asked(
            person=tenant.name(person.id),
            holds=tenant.name(held) if held else None,
            wants=tenant.name(wanted),
            status=answer.status_code,
            has_it=person.id in after.holders(wanted),
            code=error.get("code", ""),
            reason=tenant.in_words(error.get("message", "")),
        )


def token(world: World) -> str:
    """The help desk's, from the identity endpoint, as any app in Azure gets its own."""
    answer = httpx.get(
        world.environment["IDENTITY_ENDPOINT"],
        params={
            "api-version": "2019-08-01",
            "resource": RESOURCE,
            "client_id": HELPDESK_CLIENT_ID,
        },
        headers={"X-IDENTITY-HEADER": world.environment["IDENTITY_HEADER"]},
        timeout=_SECONDS,
    )
    return str(answer.raise_for_status().json()["access_token"])
