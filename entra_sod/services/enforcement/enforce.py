"""From desired references to written ones, as far as the settings and the caller allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from entra_sod.core.errors import LimitExceeded
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.drift import find_drift
from entra_sod.domain.enforcement.outcome import Enforced, Enforcement, Seen
from entra_sod.domain.enforcement.plan import Plan, make_plan
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.ports.graph import Graph
from entra_sod.services.enforcement.apply import Applied, Applier
from entra_sod.stores.ledger import Entry, EntryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcer:
    graph: Graph
    applier: Applier
    max_reference_writes: int

    async def enforce(
        self,
        desired: Collection[DesiredReference],
        reach: Enforcement,
        *,
        run_id: str,
        rules_hash: str,
    ) -> Enforced:
        """Plan the whole of it first; then write it, if that is allowed.

        Args:
            desired: what the rules in view ask for.
            reach: OFF does nothing, PLAN writes nothing.
            run_id: of the check or sweep, for the ledger.
            rules_hash: of the rules in force, for the ledger.

        Raises:
            GraphError, Unsettled: permanent ones before anything was written; others mean that the
                same run should come again, and will go on from the ledger.
        """
        if reach is Enforcement.OFF or not desired:
            return Enforced()
        seen = await self._look({(each.reference.on, each.reference.kind) for each in desired})
        plan = make_plan(desired, seen.present)
        entries = await self.applier.entries_of(plan.unchanged)
        return await self._carry_out(plan, reach, entries, run_id=run_id, rules_hash=rules_hash)

    async def enforce_all(
        self,
        desired: Collection[DesiredReference],
        reach: Enforcement,
        *,
        run_id: str,
        rules_hash: str,
        seen: Seen,
        entries: Mapping[Reference, Entry],
        may_prune: Callable[[Reference], bool],
    ) -> Enforced:
        """Compare the whole tenant with the rules, and write what they ask for.

        Args:
            desired: what all rules ask for.
            reach: OFF does nothing, PLAN writes nothing.
            run_id: of the sweep, for the ledger.
            rules_hash: of the rules in force, for the ledger.
            seen: every list of references, as it was read before. Lists that the plan would change
                are read once more before the first write, for this run may have been here already.
            entries: the whole ledger; drift from it is found.
            may_prune: whether a reference may go that is ours and not desired.

        Raises:
            GraphError, Unsettled: as `enforce`.
        """
        ours = [each for each, entry in entries.items() if entry.state is EntryState.WRITTEN]
        noted = seen.covered(entries)
        prunable = [each for each in seen.covered(ours) if may_prune(each)]
        plan = make_plan(desired, seen.present, prunable, noted)
        drift = find_drift(desired, seen.present, ours, in_view=seen.with_packages, gone=seen.gone)
        changed = {(each.on, each.kind) for each in plan.changes}
        if reach is Enforcement.APPLY and plan.writes <= self.max_reference_writes:
            now = await self._look(changed)
            present = {each for each in seen.present if (each.on, each.kind) not in changed}
            plan = make_plan(desired, present | now.present, prunable, noted)
            # Another try of this run may have been at it since the ledger was read.
            came = {each for each in plan.unchanged if each not in seen.present}
            entries = {**entries, **await self.applier.entries_of(came)}
        enforced = await self._carry_out(plan, reach, entries, run_id=run_id, rules_hash=rules_hash)
        return replace(enforced, drift=tuple(drift))

    async def _carry_out(
        self,
        plan: Plan,
        reach: Enforcement,
        entries: Mapping[Reference, Entry],
        *,
        run_id: str,
        rules_hash: str,
    ) -> Enforced:
        if reach is not Enforcement.APPLY:
            return _enforced(plan, (), Applied(), None)
        adopted = await self.applier.adopt(plan, entries)
        earlier = [each for each in adopted if entries[each].run_id == run_id]
        try:
            plan.require_within(self.max_reference_writes, done=len(earlier))
        except LimitExceeded as error:
            return _enforced(plan, earlier, Applied(), str(error))
        applied = await self.applier.apply(plan, run_id=run_id, rules_hash=rules_hash)
        return _enforced(plan, earlier, applied, None)

    async def _look(self, lists: Collection[tuple[str, ReferenceKind]]) -> Seen:
        seen = Seen()
        for on, kind in sorted(lists):
            targets = await self.graph.references(on, kind)
            seen.lists.add((on, kind))
            seen.present |= {Reference(on, kind, target) for target in targets}
        return seen


def _enforced(
    plan: Plan, earlier: Collection[Reference], applied: Applied, stopped: str | None
) -> Enforced:
    unchanged = (each for each in plan.unchanged if each not in earlier)
    return Enforced(
        present=(*unchanged, *applied.found_present),
        planned=(*earlier, *(each.reference for each in plan.additions)),
        written=(*earlier, *applied.written),
        removed=tuple(applied.removed),
        failed=tuple(applied.failed),
        stopped=stopped,
    )
