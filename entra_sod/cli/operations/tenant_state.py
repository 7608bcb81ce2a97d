"""What was read of a tenant for a set of rules, as a value. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from entra_sod.core.errors import GraphError
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Skipped


class TenantState(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of the tenant for a set of rules.

    Attributes:
        packages: in view and readable, with the groups that they grant, by id.
        present: references on the packages in view.
        holders: subjects of each package in view; empty where they were not asked for.
        gone: packages in view that Graph says do not exist.
        errors: why the other packages in view could not be read, by id.
        gaps: items of lists that were not understood, though the rest of their package was read.
        partly_held: packages of which there may be more holders.
        members: how many a group has, where that was asked for and answered.
        unfit_groups: that packages grant and that cannot be held against others; taken out of them.
        as_read: the packages with these groups, where any were taken out.
        protected: packages that the rules protect and that are in no view, with their groups.
    """

    packages: dict[str, AccessPackage]
    present: frozenset[Reference]
    holders: dict[str, frozenset[str]] = {}
    gone: frozenset[str] = frozenset()
    errors: dict[str, GraphError] = {}
    gaps: tuple[Skipped, ...] = ()
    partly_held: frozenset[str] = frozenset()
    members: dict[str, int] = {}
    unfit_groups: frozenset[str] = frozenset()
    as_read: dict[str, AccessPackage] | None = None
    protected: dict[str, AccessPackage] = {}

    @property
    def granting(self) -> Mapping[str, AccessPackage]:
        """The packages with all groups that they grant, the protected ones among them."""
        packages = self.packages if self.as_read is None else self.as_read
        return {**self.protected, **packages} if self.protected else packages

    def with_gaps(self, gaps: Iterable[Skipped]) -> TenantState:
        """The same with more that could not be read."""
        return msgspec.structs.replace(self, gaps=(*self.gaps, *gaps))

    def without(self, groups: frozenset[str]) -> TenantState:
        """The same without groups that cannot be held against a package."""
        fit = {
            key: replace(
                each,
                member_groups=each.member_groups - groups,
                eligible_groups=each.eligible_groups - groups,
            )
            for key, each in self.packages.items()
        }
        return msgspec.structs.replace(
            self, packages=fit, unfit_groups=groups, as_read=self.packages
        )

    def unread_of(self, package_ids: Iterable[str]) -> frozenset[str]:
        """Those of the packages that could not be read, and are not proven to be gone."""
        return frozenset(package_ids) - self.packages.keys() - self.gone

    def is_one_way(self, reference: Reference) -> bool:
        """Whether the package that a reference is to was read, and refers not back."""
        package = ReferenceKind.PACKAGE
        back = Reference(reference.target, package, reference.on)
        was_read = reference.target in self.packages
        return reference.kind is package and was_read and back not in self.present

    @property
    def hash(self) -> str:
        """Names what a plan depends on: references, and the groups that packages grant."""
        grants = [
            (each.id, sorted(each.member_groups), sorted(each.eligible_groups))
            for _, each in sorted(self.packages.items())
        ]
        return content_hash([grants, sorted(self.present)])

    @property
    def holders_hash(self) -> str:
        """Names who holds the packages, and how many are in groups, as far as that is known."""
        held = [(key, sorted(each)) for key, each in sorted(self.holders.items())]
        return content_hash([held, sorted(self.partly_held), sorted(self.members.items())])


def content_hash(content: object) -> str:
    return "sha256:" + hashlib.sha256(msgspec.json.encode(content)).hexdigest()
