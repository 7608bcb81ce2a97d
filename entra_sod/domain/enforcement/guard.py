"""Changes that are wanted and must wait: each guard gives its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.rules.ruleset import RuleSet


class HeldReference(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """A change that is wanted and not made.

    Attributes:
        why: the reason, as a sentence without its full stop.
        is_removal: whether the reference is there, and was to be removed.
    """

    reference: Reference
    why: str
    is_removal: bool = False


class WriteGuard(Protocol):
    """Looks at each change of a plan by itself."""

    def why_held(self, addition: DesiredReference) -> str | None:
        """Return why a reference must not be written now; None where it may."""
        ...

    def why_kept(self, removal: Reference) -> str | None:
        """Return why a reference must not be removed now; None where it may."""
        ...


@dataclass(frozen=True, slots=True)
class ProtectedAccess:
    """Packages and groups that rules files protect: nothing is written on them, or to them.

    Attributes:
        ids: of the packages, of the groups, and of the groups that the packages grant.
    """

    ids: frozenset[str]

    def why_held(self, addition: DesiredReference) -> str | None:
        return self.why_kept(addition.reference)

    def why_kept(self, removal: Reference) -> str | None:
        if removal.on in self.ids:
            return f"access package {removal.on} is protected by the rules files"
        if removal.target in self.ids:
            return f"{removal.kind} {removal.target} is protected by the rules files"
        return None


def protect(rules: RuleSet, packages: Mapping[str, AccessPackage]) -> Iterable[WriteGuard]:
    """Return the guard of what the rules protect, where they protect anything.

    Args:
        rules: in force.
        packages: the protected ones, with the groups that they grant, and any others.
    """
    protected = rules.protected
    if not protected.ids:
        return ()
    granted = (packages[each].groups for each in protected.packages if each in packages)
    return (ProtectedAccess(protected.ids.union(*granted)),)
