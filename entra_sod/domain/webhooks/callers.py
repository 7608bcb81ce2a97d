"""Who a caller is, where the platform has signed it in: a port."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

# App roles, by the values that the app registration gives them.
CHECK, DECIDE = "SoD.Check", "SoD.Decide"


class Callers(Protocol):
    """Knows the callers that the platform has authenticated."""

    def may(self, headers: Mapping[str, str], roles: Collection[str]) -> bool:
        """Whether a request comes from an authenticated caller with one of the roles.

        Args:
            headers: of the request, names in lower case. They are a stranger's words unless the
                platform is known to set them.
            roles: `CHECK`, `DECIDE` or both.
        """
        ...

    def name(self, headers: Mapping[str, str]) -> str:
        """Who has sent a request, told apart from everybody else; empty for nobody known."""
        ...
