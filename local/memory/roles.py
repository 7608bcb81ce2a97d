"""Roles in memory, as strict as Graph: for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from entra_sod.core.errors import Forbidden, Rejected, Unavailable
from entra_sod.domain.entra import Catalog
from entra_sod.domain.roles.model import RoleAssignment, TokenPrincipal


class MemoryRoles:
    """Catalogs, who is known, and who has which role.

    Attributes:
        asking: who the caller is; None where no token is given.
        known: the principals that Entra knows.
        owned: catalogs on which the caller may give roles.
        may_list: whether the caller may read catalogs and roles.
        skew: what `clock_skew` says.
    """

    def __init__(
        self,
        catalogs: Sequence[Catalog],
        held: Iterable[RoleAssignment] = (),
        asking: TokenPrincipal | None = None,
    ) -> None:
        self._catalogs = catalogs
        self.held = list(held)
        self.asking: TokenPrincipal | None = asking or TokenPrincipal()
        self.known = {each.principal_id for each in self.held}
        self.owned = {each.id for each in catalogs}
        self.may_list = True
        self.skew: timedelta | None = timedelta()

    async def caller(self) -> TokenPrincipal:
        if self.asking is None:
            raise Unavailable("No token for Graph: no managed identity")
        return self.asking

    async def catalogs(self) -> Sequence[Catalog]:
        self._require(may=self.may_list)
        return self._catalogs

    async def of_principal(self, principal_id: str) -> Sequence[RoleAssignment]:
        self._require(may=self.may_list)
        return [each for each in self.held if each.principal_id == principal_id]

    async def assign(self, wanted: RoleAssignment) -> None:
        self._require(may=wanted.catalog_id in self.owned)
        if wanted.principal_id not in self.known:
            raise Rejected("the principal is not known", status=400)
        if wanted in self.held:
            raise Rejected("the role is given", status=400)
        self.held.append(wanted)

    def clock_skew(self) -> timedelta | None:
        return self.skew

    @staticmethod
    def _require(*, may: bool) -> None:
        if not may:
            raise Forbidden("may not do this", status=403)
