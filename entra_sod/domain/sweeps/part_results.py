"""What a part of a sweep found, kept by each for the one that closes the sweep."""

from __future__ import annotations

import msgspec

from entra_sod.domain.results.check import Holder
from entra_sod.domain.results.coverage import Outcome, Reason, Skipped


class PairFinding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What Graph said of one pair; holders are those of the first package.

    Attributes:
        outcome: unknown also where some holders are known, and others could not be read.
        way: how it was found out, empty where it was not.
    """

    access_package_id: str
    incompatible_access_package_id: str
    outcome: Outcome
    holders: list[Holder] = []
    way: str = ""

    @classmethod
    def unknown(cls, pair: tuple[str, str]) -> PairFinding:
        """Nothing is known of the pair."""
        return cls(
            access_package_id=pair[0],
            incompatible_access_package_id=pair[1],
            outcome=Outcome.UNKNOWN,
        )


class IndexedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package whose assignments were read to their end: how many are held, in how many pages."""

    id: str
    assignments: int
    pages: int


class EnforcedPackage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a package grants, and the references on it as they were then."""

    id: str
    member_groups: list[str]
    eligible_groups: list[str]
    other_roles: list[str] = []
    incompatible_groups: list[str]
    incompatible_packages: list[str]


class Unread(Skipped, frozen=True, kw_only=True, rename="camel"):
    """A package of which something could not be read, as coverage says it."""

    package: str

    @property
    def is_gone(self) -> bool:
        """Whether Graph says that there is no such package."""
        return self.reason is Reason.NO_SUCH_THING


class PartFindings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that a part has to say.

    Attributes:
        index: the blob that has the assignments of `indexed`, in the order of `places`.
        places: the packages of the index file.
        names_start: where the holders by name begin in it.
        unconfirmed: pairs in conflict that Graph was not to be asked about, and why.
        failed: why nothing could be done for this part, where that is so.
    """

    pairs: list[PairFinding] = []
    index: str = ""
    names_start: int | None = None
    places: list[str] = []
    indexed: list[IndexedPackage] = []
    enforced: list[EnforcedPackage] = []
    unread: list[Unread] = []
    unconfirmed: str = ""
    failed: str = ""
