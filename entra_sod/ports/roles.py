"""What reading roles asks of Microsoft Graph, or of a stand-in.

Every method raises the `GraphError`s of `entra_sod.core.errors` and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import RoleAssignment, TokenPrincipal


class Roles(Protocol):
    async def caller(self) -> TokenPrincipal:
        """Say who asks.

        Raises:
            Unavailable: no token was given.
        """
        ...

    async def catalogs(self) -> Sequence[Catalog]:
        """Every catalog that the caller may read."""
        ...

    async def of_principal(self, principal_id: str) -> Sequence[RoleAssignment]:
        """The roles of one principal, on the catalogs that the caller may read."""
        ...

    def clock_skew(self) -> timedelta | None:
        """How far Graph's clock is ahead of ours, by its last answer; None before the first."""
        ...
