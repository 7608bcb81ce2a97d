"""What a report needs of the world: findings, one by one, and names of packages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.model import State


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """A finding as it is kept.

    Attributes:
        packages: ids of the pair, or of all that the subject holds of a set.
        first_seen: RFC 3339, like `last_seen`.
        exception: the id of the exception that permits it now.
    """

    id: str
    rule: str
    packages: Sequence[str]
    subject_id: str
    object_id: str | None
    display_name: str | None
    state: State
    first_seen: str
    last_seen: str
    exception: str | None


class Findings(Protocol):
    def all(self) -> AsyncIterator[FindingRecord]:
        """Yield every finding, in any order, without holding them all."""
        ...


class PackageNames(Protocol):
    async def packages(self) -> Sequence[AccessPackage]:
        """Every package that may be read, with its name and catalog.

        Raises:
            GraphError: the list could not be read.
        """
        ...
