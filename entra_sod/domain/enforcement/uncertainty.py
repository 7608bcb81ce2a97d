"""What is not known to be unasked for, because a package could not be read. Pure."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from entra_sod.domain.enforcement.drift import Drift, DriftKind
from entra_sod.domain.entra import Reference, ReferenceKind


def may_be_required(reference: Reference, unread: Collection[str]) -> bool:
    """Whether a package that was not read may ask for a reference, though no rule seems to.

    A package that the app may not read is on no list, so patterns pass it over: any rule may mean
    it. What it grants is not known either, so any group may be one of its own, on any package.

    Args:
        reference: that nothing seems to ask for.
        unread: packages that could not be read, and are not proven to be gone.
    """
    is_group = bool(unread) and reference.kind is ReferenceKind.GROUP
    return is_group or reference.on in unread or reference.target in unread


def is_certain(each: Drift, half_seen: Collection[str], unread: AbstractSet[str]) -> bool:
    """Whether drift may be told: a package that was not read may ask for what no rule asks for."""
    reference = each.reference
    is_unasked = each.kind in (DriftKind.EXTRA, DriftKind.FOREIGN)
    is_doubtful = reference.on in half_seen or not unread.isdisjoint(
        (reference.on, reference.target)
    )
    return not (is_unasked and is_doubtful)
