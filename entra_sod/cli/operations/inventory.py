"""References of a tenant that no rule names, and who made each. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from entra_sod.cli.operations.plan_document import compile_references
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Reason, Skipped
from entra_sod.domain.rules.language import Mode, References
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.stores.ledger import LedgerEntry, LedgerState

type LedgerView = Mapping[Reference, LedgerEntry]


class ReferenceWays(StrEnum):
    """Whether the package that a reference is to refers back."""

    BOTH = "both ways"
    ONE = "one way"
    UNKNOWN = "not known"
    GROUP = "group"  # it refers to nothing


class ReferenceMaker(StrEnum):
    APP = "this app"
    ADOPTED = "people, adopted"
    OTHERS = "people"
    UNKNOWN = "not known"  # without the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class UnnamedReference:
    """A reference of the tenant that no rule names."""

    reference: Reference
    ways: ReferenceWays
    maker: ReferenceMaker


def named_by_rules(rules: RuleSet, packages: Mapping[str, AccessPackage]) -> frozenset[Reference]:
    """Return what the rules would ask for if all of them enforced, of both kinds.

    Args:
        rules: in force, in whatever mode.
        packages: that were read, with the groups that they grant.
    """
    return frozenset(each.reference for each in compile_references(as_enforced(rules), packages))


def as_enforced(rules: RuleSet) -> RuleSet:
    """Return the rules with the mode `enforce`, for references of both kinds."""
    return RuleSet([_enforced(each) for each in rules.rules], protected=rules.protected)


def _enforced(rule: ResolvedRule) -> ResolvedRule:
    written = msgspec.structs.replace(rule.rule, mode=Mode.ENFORCE, references=References.BOTH)
    return replace(rule, rule=written)


def unnamed_references(
    state: TenantState, named: Collection[Reference], ledger: LedgerView | None
) -> Sequence[UnnamedReference]:
    """Return the references of a tenant that are not named, in order.

    Args:
        state: of the tenant.
        named: by rules.
        ledger: of this app; None where there is none.
    """
    return [
        UnnamedReference(reference=each, ways=ways_of(each, state), maker=_maker(each, ledger))
        for each in sorted(state.present.difference(named))
    ]


def ways_of(reference: Reference, state: TenantState) -> ReferenceWays:
    if reference.kind is ReferenceKind.GROUP:
        return ReferenceWays.GROUP
    if reference.target not in state.packages:
        return ReferenceWays.UNKNOWN
    return ReferenceWays.ONE if state.is_one_way(reference) else ReferenceWays.BOTH


def _maker(reference: Reference, ledger: LedgerView | None) -> ReferenceMaker:
    if ledger is None:
        return ReferenceMaker.UNKNOWN
    entry = ledger.get(reference)
    if entry is None or entry.state is not LedgerState.WRITTEN:
        return ReferenceMaker.OTHERS
    return ReferenceMaker.ADOPTED if entry.is_adopted else ReferenceMaker.APP


def possibly_named(
    found: Collection[UnnamedReference], rules: RuleSet, unread: Collection[str]
) -> Iterator[Skipped]:
    """Name packages whose groups a rule may name: what the other side grants was not read."""
    on = {each.reference.on for each in found if each.reference.kind is ReferenceKind.GROUP}
    for each in sorted(on) if unread else ():
        if others := sorted(rules.constraints.facing(each).keys() & set(unread)):
            yield Skipped(
                what=f"whether a rule names the groups on {rules.named(each)}",
                why=f"what {rules.named(others[0])} grants could not be read",
                reason=Reason.NOT_LOOKED_AT,
            )
