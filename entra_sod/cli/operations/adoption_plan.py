"""Which references of people the app takes over, and which it gives back. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.cli.operations.inventory import as_enforced
from entra_sod.cli.operations.plan_document import compile_references
from entra_sod.cli.operations.rollback_plan import NOT_CONFIRMED, LeftAlone
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.guard import WriteGuard, protect
from entra_sod.domain.entra import Reference
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.stores.ledger import LedgerEntry, LedgerState


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionPlan:
    """What an adoption does.

    Attributes:
        adoptions: references that people made, with the rules that ask for them, in order.
        ours: how many references that rules ask for are the app's own already.
        left_alone: with the reason.
        not_enforced: rules that do not enforce, with the number of references that they name.
    """

    adoptions: tuple[DesiredReference, ...]
    ours: int
    left_alone: tuple[LeftAlone, ...]
    not_enforced: Mapping[str, int]


def plan_adoption(
    rules: RuleSet,
    state: TenantState,
    ledger: Mapping[Reference, LedgerEntry],
    rule: str = "",
) -> AdoptionPlan:
    """Decide on each reference that a rule in force asks for, and that the tenant has.

    Args:
        rules: in force.
        state: of the packages that the rules keep apart, and of what they protect.
        ledger: what the app has noted, by the reference.
        rule: the id of one rule; empty for all.
    """
    guards = tuple(protect(rules, state.granting))
    adoptions, left, ours = list[DesiredReference](), list[LeftAlone](), 0
    for each in _present(rules, state, rule):
        if is_ours(ledger.get(each.reference)):
            ours += 1
        elif why := _why_not(each.reference, ledger, guards):
            left.append(LeftAlone(each.reference, why))
        else:
            adoptions.append(each)
    return AdoptionPlan(
        adoptions=tuple(adoptions),
        ours=ours,
        left_alone=tuple(left),
        not_enforced=_not_enforced(rules, state, ledger, rule),
    )


def is_ours(entry: LedgerEntry | None) -> bool:
    return entry is not None and entry.state is LedgerState.WRITTEN


def _present(rules: RuleSet, state: TenantState, rule: str) -> Iterator[DesiredReference]:
    for each in compile_references(rules, state.packages):
        if each.reference in state.present and (not rule or rule in each.rule_ids):
            yield each


def _why_not(
    reference: Reference, ledger: Mapping[Reference, LedgerEntry], guards: Iterable[WriteGuard]
) -> str:
    protected = filter(None, (each.why_kept(reference) for each in guards))
    return next(protected, "") or (NOT_CONFIRMED if reference in ledger else "")


def _not_enforced(
    rules: RuleSet, state: TenantState, ledger: Mapping[Reference, LedgerEntry], rule: str
) -> Mapping[str, int]:
    """Count what rules would ask for if they enforced, and the app does not have."""
    lenient = {each.id for each in rules.rules if each.rule.mode is not Mode.ENFORCE}
    counts = Counter(
        rule_id
        for each in _present(as_enforced(rules), state, rule)
        if not is_ours(ledger.get(each.reference))
        for rule_id in each.rule_ids
        if rule_id in lenient and rule in ("", rule_id)
    )
    return dict(sorted(counts.items()))


def plan_return(entries: Iterable[LedgerEntry], rule: str = "") -> Sequence[LedgerEntry]:
    """Return the entries of references that were adopted, in order.

    Args:
        entries: of the ledger.
        rule: the id of a rule that they were adopted for; empty for all.
    """
    found = [each for each in entries if each.is_adopted and (not rule or rule in each.rule_ids)]
    return sorted(found, key=lambda each: each.reference)


def rules_adopted_for(entries: Collection[LedgerEntry]) -> Sequence[str]:
    """The ids of the rules that references were adopted for."""
    return sorted({rule for each in entries if each.is_adopted for rule in each.rule_ids})
