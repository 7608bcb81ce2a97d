"""Whom a reference would touch: the blast radius of an addition. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind

type Holders = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """Subjects that a reference on a package would stop.

    Attributes:
        kept_from_getting: hold the other side only: they can no longer get this package.
        kept_from_renewing: hold both already: they keep both, and cannot renew this package.
        is_whole: whether all whom the reference touches are known; members that a group has by
            other ways than the packages in view are not.
    """

    kept_from_getting: frozenset[str]
    kept_from_renewing: frozenset[str]
    is_whole: bool


def blast_radius(
    reference: Reference, holders: Holders, packages: Mapping[str, AccessPackage]
) -> BlastRadius:
    """Work out whom a reference touches.

    Args:
        reference: to be added.
        holders: for each package in view, the ids of the subjects that hold it.
        packages: in view, with the groups that they grant.
    """
    touched = _touched(reference, holders, packages)
    present = holders.get(reference.on, frozenset())
    return BlastRadius(
        kept_from_getting=touched - present,
        kept_from_renewing=touched & present,
        is_whole=reference.kind is ReferenceKind.PACKAGE and reference.target in holders,
    )


def _touched(
    reference: Reference, holders: Holders, packages: Mapping[str, AccessPackage]
) -> frozenset[str]:
    if reference.kind is ReferenceKind.PACKAGE:
        return holders.get(reference.target, frozenset())
    granting = [each.id for each in packages.values() if reference.target in each.member_groups]
    return frozenset(subject for each in granting for subject in holders.get(each, frozenset()))
