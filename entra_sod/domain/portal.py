"""Addresses of the Microsoft Entra admin center: an access package, its assignments, a user. Pure.

Microsoft documents none of these addresses. They are those that the admin center itself shows, and
that Maester and CIPP use. If a part of one changes, the admin center opens its home page.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

PLACE = "{id}"
GLOBAL_PORTAL = "https://entra.microsoft.com"
# By the host of Microsoft Graph, because that is the setting that names the cloud.
_PORTALS: Mapping[str, str] = {
    "https://graph.microsoft.us": "https://entra.microsoft.us",
    "https://dod-graph.microsoft.us": "https://entra.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn": "https://entra.microsoftonline.cn",
}
_PACKAGE = "Microsoft_Azure_ELMAdmin/EntitlementMenuBlade/~"
_USER = "Microsoft_AAD_UsersAndTenants/UserProfileMenuBlade/~"


class PortalLinks(msgspec.Struct, frozen=True):
    """Addresses with `{id}` in the place of an id.

    Attributes:
        package: of an access package; the id is the package's.
        assignments: of the list of its assignments; the id is the package's.
        user: of a person; the id is the object id.
    """

    package: str
    assignments: str
    user: str

    def of_package(self, package_id: str) -> str:
        return _filled(self.package, package_id)

    def assignments_of(self, package_id: str) -> str:
        return _filled(self.assignments, package_id)

    def of_user(self, object_id: str) -> str:
        return _filled(self.user, object_id)


def portal_links(graph_root: str = "", tenant_id: str = "") -> PortalLinks:
    """Return the addresses of the cloud that a root of Microsoft Graph belongs to.

    Args:
        graph_root: such as `https://graph.microsoft.us`; any other is the global cloud.
        tenant_id: the admin center opens in this tenant; without it, in the reader's own.
    """
    tenant = f"/{quote(tenant_id, safe='')}" if tenant_id else ""
    view = f"{_PORTALS.get(graph_root, GLOBAL_PORTAL)}{tenant}/#view"
    return PortalLinks(
        package=f"{view}/{_PACKAGE}/overview/entitlementId/{PLACE}",
        assignments=f"{view}/{_PACKAGE}/assignments/entitlementId/{PLACE}",
        user=f"{view}/{_USER}/overview/userId/{PLACE}",
    )


def _filled(address: str, own_id: str) -> str:
    """An address with an id in it; whatever the id is, it stays one part of the address."""
    return address.replace(PLACE, quote(own_id, safe=""))
