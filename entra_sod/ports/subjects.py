"""Who has a user principal name: what the app asks of Microsoft Graph, or of a stand-in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from entra_sod.core.errors import GraphError
from entra_sod.domain.entra import Subject


class DirectoryUsers(Protocol):
    async def users_by_name(self, names: Collection[str]) -> Mapping[str, Subject | GraphError]:
        """Read the users of the directory that have these user principal names.

        `id` and `object_id` of each are its object id. NotFound if no user has the name; Forbidden
        without a directory permission, which the app's role is not.

        Raises:
            Throttled, Unavailable: come again later.
        """
        ...
