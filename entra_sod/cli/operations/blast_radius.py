"""Whom a reference would touch: the blast radius of an addition. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind

type Holders = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """Subjects that a reference on a package would stop.

    Attributes:
        kept_from_getting: how many hold the other side only: they can no longer get this package.
        kept_from_renewing: hold both already: they keep both, and cannot renew this package.
        is_whole: whether all whom the reference touches are known; members that a group has by
            other ways than the packages in view are not.
    """

    kept_from_getting: int
    kept_from_renewing: frozenset[str]
    is_whole: bool


type GroupPackages = Mapping[str, Sequence[str]]


def grantors_of(packages: Iterable[AccessPackage]) -> GroupPackages:
    """For each group the packages that make people its members."""
    found: dict[str, list[str]] = {}
    for package in packages:
        for group in package.member_groups:
            found.setdefault(group, []).append(package.id)
    return found


def blast_radius(reference: Reference, holders: Holders, grantors: GroupPackages) -> BlastRadius:
    """Work out whom a reference touches.

    Args:
        reference: to be added.
        holders: for each package in view, the ids of the subjects that hold it.
        grantors: for each group the packages in view that grant it.
    """
    touched = _touched(reference, holders, grantors)
    both = touched & holders.get(reference.on, frozenset())
    return BlastRadius(
        kept_from_getting=len(touched) - len(both),
        kept_from_renewing=both,
        is_whole=reference.kind is ReferenceKind.PACKAGE and reference.target in holders,
    )


def _touched(reference: Reference, holders: Holders, grantors: GroupPackages) -> frozenset[str]:
    if reference.kind is ReferenceKind.PACKAGE:
        return holders.get(reference.target, frozenset())
    of_each = [holders.get(each, frozenset()) for each in grantors.get(reference.target, ())]
    # Most groups are granted by one package, whose holders need no copy.
    return of_each[0] if len(of_each) == 1 else frozenset[str]().union(*of_each)
