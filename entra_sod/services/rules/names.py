"""Names of access packages, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping

from entra_sod.core.errors import GraphError
from entra_sod.domain.entra import AccessPackage
from entra_sod.services.rules.provider import RulesProvider


async def read_names(provider: RulesProvider) -> Mapping[str, AccessPackage]:
    """The tenant's list of packages; none where it cannot be read: a name is not worth a failure.

    Ids are shown where names are missing, so nothing is hidden.
    """
    try:
        return await provider.listed()
    except GraphError:
        return {}
