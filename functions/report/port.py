"""What a report needs of the world: findings, one by one, and names of packages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from functions.entra import AccessPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """A finding as it is kept.

    Attributes:
        packages: ids of the pair, or of all that the subject holds of a set.
        state: `open`, `excepted` and what else the life of a finding knows.
        first_seen: RFC 3339, like `last_seen`.
        exception: the id of the exception that permits it.
    """

    id: str
    rule: str
    packages: Sequence[str]
    subject_id: str
    object_id: str | None
    display_name: str | None
    state: str
    first_seen: str
    last_seen: str
    exception: str | None


class Findings(Protocol):
    def all(self) -> AsyncIterator[FindingRecord]:
        """Yield every finding, in any order, without holding them all.

        Raises:
            LookupError: some of them are no longer in storage.
        """
        ...


class PackageNames(Protocol):
    async def packages(self) -> Sequence[AccessPackage]:
        """Every package that may be read, with its name and catalog.

        Raises:
            GraphError: the list could not be read.
        """
        ...
