"""What is not known to be unasked for, because a package could not be read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from entra_sod.domain.enforcement.drift import Drift, DriftKind
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.ruleset import RuleSet


def may_be_asked_for(reference: Reference, unread: Collection[str]) -> bool:
    """Whether a package that was not read may ask for a reference, though no rule seems to.

    A package that the app may not read is on no list, so patterns pass it over: any rule may mean
    it. What it grants is not known either, so any group may be one of its own, on any package.

    Args:
        reference: that nothing seems to ask for.
        unread: packages that could not be read, and are not proven to be gone.
    """
    is_group = bool(unread) and reference.kind is ReferenceKind.GROUP
    return is_group or reference.on in unread or reference.target in unread


def half_seen(rules: RuleSet, unread: Collection[str]) -> set[str]:
    """Packages whose own wishes are not known, for the other of a pair was not read."""
    duties = rules.duties.in_order() if unread else ()
    pairs = (duty.pair for duty in duties)
    return {each for pair in pairs if pair.low in unread or pair.high in unread for each in pair}


def certain(
    drift: Iterable[Drift], half_seen: Collection[str], unread: Collection[str]
) -> Iterator[Drift]:
    """Leave out what is called unasked for, though what was not read may ask for it."""
    for each in drift:
        is_unasked = each.kind in (DriftKind.EXTRA, DriftKind.FOREIGN)
        reference = each.reference
        is_doubtful = reference.on in half_seen or not {reference.on, reference.target}.isdisjoint(
            unread
        )
        if not (is_unasked and is_doubtful):
            yield each
