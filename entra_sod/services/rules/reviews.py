"""What rules select now, beside what was reviewed of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from entra_sod.core.errors import StorageUnavailable
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.enforcement.desired import (
    DesiredReference,
    packages_in_view,
    references_on,
)
from entra_sod.domain.enforcement.guard import HeldReference, protect
from entra_sod.domain.enforcement.plan import make_plan
from entra_sod.domain.enforcement.selection_guard import APPROVE, hold_changes
from entra_sod.domain.enforcement.uncertainty import may_be_required
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.results.coverage import rule_gaps
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import (
    RuleSelection,
    SelectionChange,
    next_selection,
    selection_change,
    selection_key,
    selection_of,
    with_left,
)
from entra_sod.services.rules.selections import MAX_ATTEMPTS
from entra_sod.stores.selections import DamagedSelection, SelectionStore, StoredSelection


async def read_reviewed(
    store: SelectionStore | None,
    rules: Collection[ResolvedRule],
    packages: Mapping[str, AccessPackage],
) -> Mapping[str, RuleSelection]:
    """Read what was reviewed of rules, as a run would see it; keeps nothing.

    Args:
        store: of selections; without one nothing is remembered.
        rules: in force.
        packages: that were read, with the groups that they grant.
    """
    known = await store.read(rules) if store else {}
    return {
        rule.id: next_selection(known[rule.id].selection, rule, packages, is_sweep=False)
        for rule in rules
        if rule.id in known
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewState:
    """One rule: what was reviewed, and what has changed since.

    Attributes:
        rule: as its patterns and ids select now.
        stored: what was reviewed; None where no run has met the rule, or it is damaged.
        damage: why what was reviewed cannot be used.
        change: None where nothing was reviewed.
        held: references that wait because of the change.
        removals: references of the app that only packages which left the rule need.
    """

    rule: ResolvedRule
    stored: StoredSelection | None = None
    damage: str | None = None
    change: SelectionChange | None = None
    held: Sequence[HeldReference] = ()
    removals: Sequence[Reference] = ()

    @property
    def stored_at(self) -> str:
        return str(self.stored.row.values.get("reviewedAt", "")) if self.stored else ""

    @property
    def stored_by(self) -> str:
        return str(self.stored.row.values.get("reviewedBy", "")) if self.stored else ""

    @property
    def changes(self) -> bool:
        """Whether anything has joined or left since it was reviewed."""
        return self.change is not None and bool(self.change.ids)

    @property
    def is_to_approve(self) -> bool:
        """Whether approving changes anything."""
        return self.change is None or self.changes


async def read_stored(
    store: SelectionStore, rules: Collection[ResolvedRule]
) -> tuple[Mapping[str, StoredSelection], Mapping[str, str]]:
    """Read what was reviewed of each rule, and why that of others cannot be used."""
    rows, stored, damages = await store.rows(rules), dict[str, StoredSelection](), dict[str, str]()
    for rule in rules:
        if rule.id in rows:
            try:
                stored[rule.id] = await store.stored(rule, rows[rule.id])
            except DamagedSelection as error:
                damages[rule.id] = str(error)
    return stored, damages


def with_reviewed(rules: RuleSet, stored: Mapping[str, StoredSelection]) -> RuleSet:
    """Return rules with the packages that left them since they were reviewed."""
    return RuleSet(
        [
            with_left(rule, stored[rule.id].selection) if rule.id in stored else rule
            for rule in rules.rules
        ],
        rules.exceptions,
        rules.refused,
        rules.files,
        unlisted=rules.unlisted,
        day=rules.day,
        protected=rules.protected,
        listed=rules.listed,
        overrides=rules.overrides,
        exception_problems=rules.exception_problems,
        written_exceptions=rules.written_exceptions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTenant:
    """What was read of a tenant for the rules.

    Attributes:
        packages: with the groups that can be held against others, by id.
        granting: the packages with all groups that they grant, protected ones among them.
        present: references on the packages.
        unread: packages of the rules that could not be read, and may exist.
        gone: packages that Graph says do not exist.
    """

    packages: Mapping[str, AccessPackage]
    granting: Mapping[str, AccessPackage]
    present: AbstractSet[Reference]
    unread: AbstractSet[str] = frozenset()
    gone: AbstractSet[str] = frozenset()


def reviewed_now(
    rules: Collection[ResolvedRule],
    stored: Mapping[str, StoredSelection],
    packages: Mapping[str, AccessPackage],
) -> Mapping[str, RuleSelection]:
    """What was reviewed of each rule that a run has met, as a run would see it."""
    return {
        rule.id: next_selection(stored[rule.id].selection, rule, packages, is_sweep=False)
        for rule in rules
        if rule.id in stored
    }


def review_states(
    rules: RuleSet,
    stored: Mapping[str, StoredSelection],
    damages: Mapping[str, str],
    seen: SeenTenant,
    ours: Collection[Reference],
) -> list[ReviewState]:
    """Compare what each rule selects now with what was reviewed.

    Args:
        rules: as they are written.
        stored: what was reviewed, by the rule.
        damages: why what was reviewed cannot be used, by the rule.
        seen: of the tenant.
        ours: references that may be removed.
    """
    reviewed = reviewed_now(rules.rules, stored, seen.granting)
    whole = with_reviewed(rules, stored)
    held = find_held(whole, seen, reviewed, ours)
    removals = find_removals(rules, whole, seen, ours)
    return [
        ReviewState(
            rule=rule,
            stored=stored.get(rule.id),
            damage=damages.get(rule.id),
            change=selection_change(reviewed[rule.id], rule, seen.granting)
            if rule.id in reviewed
            else None,
            held=[each for each in held if each.why.endswith(f"{APPROVE} {rule.id}")],
            removals=removals.get(rule.id, ()),
        )
        for rule in rules.rules
    ]


def find_held(
    rules: RuleSet,
    seen: SeenTenant,
    reviewed: Mapping[str, RuleSelection],
    ours: Collection[Reference],
) -> Sequence[HeldReference]:
    """Return every change that waits, for an approval or for another reason.

    Args:
        rules: in force, with packages that left them.
        seen: of the tenant.
        reviewed: what was reviewed of rules, by their ids.
        ours: references that may be removed.
    """
    is_known = rules.unsettled is None
    removable = [each for each in ours if is_known and not may_be_required(each, seen.unread)]
    changed = hold_changes(rules, reviewed, seen.granting, seen.gone)
    plan = make_plan(_desired(rules, seen.packages), seen.present, removable)
    return plan.guarded((*protect(rules, seen.granting), *changed)).held


def find_removals(
    rules: RuleSet, whole: RuleSet, seen: SeenTenant, ours: Collection[Reference]
) -> Mapping[str, Sequence[Reference]]:
    """Return, by rule, the references of the app that an approval of that rule lets a sweep remove.

    A reference of several rules stays until each is approved. A sweep with a gap removes none.

    Args:
        rules: as they are written.
        whole: the same, with packages that left them.
        seen: of the tenant.
        ours: references that may be removed.
    """
    removable = {
        each for each in ours if each in seen.present and not may_be_required(each, seen.unread)
    }
    is_certain = not any(each.hides for each in rule_gaps(rules))
    if not removable or not is_certain or not any(each.kept for each in whole.rules):
        return {}
    removable.difference_update(each.reference for each in _desired(rules, seen.packages))
    found: dict[str, list[Reference]] = {}
    for each in _desired(whole, seen.packages):
        if each.reference in removable and len(each.rule_ids) == 1:
            found.setdefault(each.rule_ids[0], []).append(each.reference)
    return found


def _desired(rules: RuleSet, packages: Mapping[str, AccessPackage]) -> Iterator[DesiredReference]:
    for on in sorted(packages_in_view(rules) & packages.keys()):
        yield from references_on(on, rules, packages)


def selection_to_approve(
    rule: ResolvedRule,
    packages: Mapping[str, AccessPackage],
    known: StoredSelection | None,
) -> RuleSelection:
    """What an approval of a rule stores.

    Args:
        rule: as it is written.
        packages: that were read, with the groups that they grant; of others nothing changes.
        known: what was reviewed before, if that can be used.
    """
    selection = selection_of(rule, packages)
    return selection.with_read(known.selection.groups) if known else selection


def selection_name(rule: ResolvedRule, selection: RuleSelection) -> str:
    """Name what a rule selects; a change of it, or of what the rule asks for, has another name."""
    data = msgspec.json.encode([selection_key(rule), selection], order="deterministic")
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


async def approve(
    store: SelectionStore,
    rules: Collection[ResolvedRule],
    packages: Mapping[str, AccessPackage],
    *,
    by: str,
) -> None:
    """Store what rules select now as reviewed.

    Args:
        store: of selections.
        rules: to be approved, with the packages that they keep.
        packages: that were read, with the groups that they grant; of others nothing changes.
        by: who approves.

    Raises:
        StorageUnavailable: it cannot be stored; try again.
    """

    async def keep(rule: ResolvedRule) -> None:
        for _ in range(MAX_ATTEMPTS):
            row = (await store.rows([rule])).get(rule.id)
            known: StoredSelection | None = None
            with suppress(DamagedSelection):
                known = await store.stored(rule, row) if row else None
            selection = selection_to_approve(rule, packages, known)
            if await store.keep(rule, selection, row, by):
                return
        raise StorageUnavailable("other runs change what is remembered of rules without a pause")

    await in_parallel(keep, rules)
