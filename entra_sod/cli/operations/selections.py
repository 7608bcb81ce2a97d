"""What rules select now, beside what was reviewed of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from entra_sod.cli.operations.plan_document import make_document
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.core.errors import StorageUnavailable
from entra_sod.core.parallel import in_parallel
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.enforcement.selection_guard import APPROVE
from entra_sod.domain.entra import AccessPackage, Reference
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.selection import (
    RuleSelection,
    SelectionChange,
    next_selection,
    selection_change,
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
    """

    rule: ResolvedRule
    stored: StoredSelection | None = None
    damage: str | None = None
    change: SelectionChange | None = None
    held: Sequence[HeldReference] = ()

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


def review_states(
    rules: RuleSet,
    stored: Mapping[str, StoredSelection],
    damages: Mapping[str, str],
    state: TenantState,
    ours: Collection[Reference],
) -> list[ReviewState]:
    """Compare what each rule selects now with what was reviewed.

    Args:
        rules: as they are written.
        stored: what was reviewed, by the rule.
        damages: why what was reviewed cannot be used, by the rule.
        state: of the tenant.
        ours: references that may be removed.
    """
    reviewed = {
        rule.id: next_selection(stored[rule.id].selection, rule, state.granting, is_sweep=False)
        for rule in rules.rules
        if rule.id in stored
    }
    plan = make_document(
        with_reviewed(rules, stored), state, prunable=ours, made_at="", selections=reviewed
    )
    return [
        ReviewState(
            rule=rule,
            stored=stored.get(rule.id),
            damage=damages.get(rule.id),
            change=selection_change(reviewed[rule.id], rule, state.granting)
            if rule.id in reviewed
            else None,
            held=[each for each in plan.held if each.why.endswith(f"{APPROVE} {rule.id}")],
        )
        for rule in rules.rules
    ]


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
        StorageUnavailable: it cannot be stored; come again.
    """

    async def keep(rule: ResolvedRule) -> None:
        for _ in range(MAX_ATTEMPTS):
            row = (await store.rows([rule])).get(rule.id)
            selection = selection_of(rule, packages)
            with suppress(DamagedSelection):
                known = await store.stored(rule, row) if row else None
                selection = selection.with_read(known.selection.groups) if known else selection
            if await store.keep(rule, selection, row, by):
                return
        raise StorageUnavailable("other runs change what is remembered of rules without a pause")

    await in_parallel(keep, rules)
