"""What a sweep does about references: one plan for the whole tenant, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from entra_sod.core.errors import PERMANENT
from entra_sod.domain.enforcement.desired import packages_in_view, references_on
from entra_sod.domain.enforcement.guard import WriteGuard, protect
from entra_sod.domain.enforcement.impact import Population, grantors_of
from entra_sod.domain.enforcement.result import Enforcement, EnforcementResult
from entra_sod.domain.enforcement.selection_guard import (
    HeldChange,
    guard_changes,
    held_changes,
    reviewed_rules,
)
from entra_sod.domain.enforcement.tenant_plan import TenantPlan
from entra_sod.domain.enforcement.uncertainty import is_certain, may_be_required
from entra_sod.domain.enforcement.without_effect import ENFORCES_NOTHING, find_without_effect
from entra_sod.domain.entra import AccessPackage, Pair, Reference
from entra_sod.domain.results.coverage import Coverage, Reason, Skipped, note_uncounted
from entra_sod.domain.rules.selection import RuleSelection
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.count_subjects import count_members
from entra_sod.services.enforcement.damaged_entries import note_damaged
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.enforcement.reference_writer import WritingRun
from entra_sod.services.rules.alike import with_protected
from entra_sod.services.rules.selections import review_selections
from entra_sod.services.sweeps.evaluate import ClosingSweep, SweepVerdict
from entra_sod.stores.leases import Lease
from entra_sod.stores.ledger import Ledger, LedgerEntry, LedgerState
from entra_sod.stores.selections import SelectionStore


@dataclass(frozen=True, slots=True)
class ReferenceWrites:
    """What came of enforcing, and what did not.

    Attributes:
        setting: ENFORCEMENT.
        is_whole: whether all was done that was to be done, but for what a limit stopped.
        has_damage: whether a row of the ledger could not be read.
        changes: of what rules select, that wait for approval; None where that is not known.
    """

    enforced: EnforcementResult
    setting: Enforcement
    gaps: Sequence[Skipped] = ()
    is_whole: bool = True
    has_damage: bool = False
    changes: Sequence[HeldChange] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepEnforcer:
    graph: Graph
    enforcer: Enforcer
    ledger: Ledger
    selections: SelectionStore | None
    enforcement: Enforcement
    prune: bool

    async def enforce(
        self, closing: ClosingSweep, verdict: SweepVerdict, lease: Lease
    ) -> ReferenceWrites:
        """Compare references with the rules and the ledger, and write what is missing.

        Raises:
            GraphError, NotYetConsistent: the sweep should be closed again later.
        """
        if self.enforcement is Enforcement.OFF:
            await self._review(closing)
            return ReferenceWrites(EnforcementResult(), self.enforcement)
        ledger, notes = await self.ledger.read(), Coverage()
        note_damaged(ledger.damaged, notes)
        for rule in find_without_effect(closing.rules.rules, closing.whole.packages):
            notes.skip(f"enforcing rule {rule.id}", ENFORCES_NOTHING)
        try:
            enforced, changes = await self._enforce(closing, verdict, lease, ledger.entries, notes)
        except PERMANENT as error:
            notes.skip("the incompatible references of the sweep's packages", error)
            return ReferenceWrites(
                EnforcementResult(), self.enforcement, notes.skipped, is_whole=False
            )
        if enforced.stopped:
            notes.skip("writing the planned references", enforced.stopped.why)
        note_uncounted(enforced.weighed.uncounted, notes)
        return ReferenceWrites(
            enforced,
            self.enforcement,
            notes.skipped,
            is_whole=not enforced.failed,
            has_damage=bool(ledger.damaged),
            changes=changes,
        )

    async def _enforce(
        self,
        closing: ClosingSweep,
        verdict: SweepVerdict,
        lease: Lease,
        entries: Mapping[Reference, LedgerEntry],
        notes: Coverage,
    ) -> tuple[EnforcementResult, Sequence[HeldChange]]:
        reviewed = await self._review(closing)
        gone = await self._gone(closing, entries, notes)
        known = await with_protected(self.graph, closing.rules, closing.whole.packages, notes)
        # In a thread: it compares what thousands of packages grant.
        guards, changes = await asyncio.to_thread(_guards, closing, reviewed, gone, known)
        del reviewed  # of the largest tenants megabytes, and the guards have what they need
        tenant = self._tenant(closing, verdict, entries, gone, notes)
        enforced = await self.enforcer.enforce_all(
            replace(tenant, guards=guards),
            self.enforcement,
            WritingRun(id=closing.record.id, rules_hash=closing.rules.hash, lease=lease),
            entries=entries,
            known=_population_of(closing),
        )
        return enforced, changes

    async def _review(self, closing: ClosingSweep) -> Mapping[str, RuleSelection]:
        return await review_selections(
            self.selections,
            closing.rules.rules,
            closing.whole.packages,
            by=f"first seen by sweep {closing.record.id}",
            gone=closing.whole.references.gone,
            is_sweep=True,
        )

    async def _gone(
        self, closing: ClosingSweep, entries: Mapping[Reference, LedgerEntry], notes: Coverage
    ) -> AbstractSet[str]:
        """Packages and groups that exist no longer."""
        groups = await count_members(self.graph, entries)
        if groups.unread:
            what = "whether groups that we refer to still exist"
            notes.skip(what, groups.unread, Reason.OUT_OF_SCOPE)
        return closing.whole.references.gone | groups.gone

    def _tenant(
        self,
        closing: ClosingSweep,
        verdict: SweepVerdict,
        entries: Mapping[Reference, LedgerEntry],
        gone: AbstractSet[str],
        notes: Coverage,
    ) -> TenantPlan:
        merged, half_seen = closing.whole, verdict.outcomes.partially_read
        noted: dict[str, set[Reference]] = {}
        for each in entries:
            noted.setdefault(each.on, set()).add(each)
        unread = merged.uncertain_packages
        return TenantPlan(
            desired=lambda on: references_on(on, closing.rules, merged.packages),
            packages=packages_in_view(closing.rules) & merged.packages.keys(),
            seen=replace(merged.references, gone=set(gone)),
            noted=noted,
            written={key for key, each in entries.items() if each.state is LedgerState.WRITTEN},
            may_prune=self._may_prune(closing, verdict, unread, notes),
            is_certain=lambda each: is_certain(each, half_seen, unread),
        )

    def _may_prune(
        self,
        closing: ClosingSweep,
        verdict: SweepVerdict,
        unread: AbstractSet[str],
        notes: Coverage,
    ) -> Callable[[Reference], bool]:
        """Not where a gap hides what the rules may still ask for."""
        what = "removing references that no rule asks for"
        if not self.prune:
            return _prune_nothing
        if verdict.has_gaps or closing.plan.rules_hash != closing.rules.hash:
            why = "a part of the sweep has gaps or saw other rules: what is stale is not known"
            notes.skip(what, why)
            return _prune_nothing
        if unread:
            notes.skip(f"{what}, to groups or by packages that were not read", _why(unread))
        return lambda each: not may_be_required(each, unread)


def _population_of(closing: ClosingSweep) -> Population:
    """How many subjects there are, by the index of the sweep and by what Graph answered."""
    merged, conflicts = closing.whole, closing.conflicts

    def both(one: str, other: str) -> int:
        pair = Pair(*sorted((one, other)))
        return merged.asked.get(pair, conflicts.holders[pair])

    return Population(
        holders=conflicts.held,
        whole=merged.pages.keys(),
        unread=_unread_holders(closing),
        both=both,
        grantors=grantors_of(merged.packages.values()),
    )


def _unread_holders(closing: ClosingSweep) -> frozenset[str]:
    """The packages that parts asked for in vain: asking again could keep the sweep from its end."""
    merged = closing.whole
    pairs = (pair for part in closing.plan.parts for pair in part.pairs)
    in_vain = (each for pair in pairs if Pair.of(*pair) not in merged.asked for each in pair)
    return frozenset(merged.uncertain_packages).union(in_vain).difference(merged.pages)


def _guards(
    closing: ClosingSweep,
    reviewed: Mapping[str, RuleSelection],
    gone: AbstractSet[str],
    known: Mapping[str, AccessPackage],
) -> tuple[tuple[WriteGuard, ...], Sequence[HeldChange]]:
    """Return what keeps references from being written, and the changes that some of it is for."""
    rules, packages = closing.rules, closing.whole.packages
    compared = reviewed_rules(rules, reviewed, packages)
    guards = (*protect(rules, known), *guard_changes(rules, compared, packages, gone))
    return guards, held_changes(compared, packages.keys(), gone)


def _prune_nothing(_: Reference) -> bool:
    return False


def _why(unread: Collection[str]) -> str:
    return f"patterns may mean what was not read, and what it grants is not known: {sorted(unread)}"
