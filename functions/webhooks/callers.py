"""Who a caller is, where the platform has signed it in: a port, and nobody behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Callers(Protocol):
    """Knows the callers that the platform has authenticated."""

    def may_check(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from an authenticated caller with the role SoD.Check.

        Args:
            headers: of the request, names in lower case. They are a stranger's words unless the
                platform is known to set them.
        """
        ...


class Nobody:
    """No caller is known, so none may do anything."""

    def may_check(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - a port
        return False
