"""References to add, each with the subjects that it would touch. Pure."""

from __future__ import annotations

import functools
from collections.abc import Collection

import msgspec

from entra_sod.cli.operations.plan_figures import Figure
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.impact import (
    Grantors,
    Impact,
    Population,
    grantors_of,
    impacts_of,
    targets_of,
)
from entra_sod.domain.entra import Reference, ReferenceKind

MAX_NAMED = 1000


class Addition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A reference to add, the rules that ask for it, and how many subjects it would touch.

    Attributes:
        kept_from_getting: subjects that it newly keeps from getting the package. No other
            reference, present or planned, counts them.
        kept_from_renewing: hold both: they keep both, and could not renew this package.
        in_conflict: subjects that hold both, by id, at most 1,000 of them.
        is_whole: false where there may be more: in a group, or by what could not be read.
    """

    reference: Reference
    rules: tuple[str, ...]
    kept_from_getting: Figure
    kept_from_renewing: Figure
    in_conflict: tuple[str, ...]
    is_whole: bool


def additions_of(desired: Collection[DesiredReference], state: TenantState) -> tuple[Addition, ...]:
    """Each reference to add, with those whom it would touch."""
    none = frozenset[str]()

    @functools.cache
    def hold_both(one: str, other: str) -> frozenset[str]:
        return state.holders.get(one, none) & state.holders.get(other, none)

    def both(one: str, other: str) -> frozenset[str]:
        return hold_both(*sorted((one, other)))

    known = Population(
        holders={key: len(each) for key, each in state.holders.items()},
        whole=state.holders.keys() - state.partly_held,
        both=lambda on, target: len(both(on, target)),
        grantors=grantors_of(state.packages.values()),
        members=state.members,
    )
    references = [each.reference for each in desired]
    impacts = impacts_of(references, targets_of(state.present), known)

    def in_conflict(reference: Reference) -> frozenset[str]:
        away = packages_kept_away(reference, known.grantors)
        return none.union(*(both(reference.on, key) for key in away))

    return tuple(
        _addition(each, impacts[each.reference], in_conflict(each.reference), state.partly_held)
        for each in desired
    )


def packages_kept_away(reference: Reference, grantors: Grantors) -> Collection[str]:
    """The packages whose holders a reference keeps away, as far as they are known."""
    if reference.kind is ReferenceKind.PACKAGE:
        return (reference.target,)
    return grantors.get(reference.target, ())


def _addition(
    desired: DesiredReference,
    impact: Impact,
    in_conflict: frozenset[str],
    partly_held: frozenset[str],
) -> Addition:
    return Addition(
        reference=desired.reference,
        rules=desired.rule_ids,
        kept_from_getting=impact.subjects,
        kept_from_renewing=len(in_conflict),
        in_conflict=tuple(sorted(in_conflict)[:MAX_NAMED]),
        is_whole=impact.is_known and partly_held.isdisjoint(desired.reference.packages),
    )
