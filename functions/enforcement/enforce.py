"""From desired references to written ones, as far as the settings and the caller allow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from functions.enforcement.apply import Applied, Applier, FailedWrite
from functions.enforcement.desired import DesiredReference
from functions.enforcement.plan import Plan, make_plan
from functions.entra import Reference, ReferenceKind
from functions.errors import LimitExceeded
from functions.graph.port import Graph
from functions.settings import Enforcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """What one run found, planned and did.

    Attributes:
        planned: additions, those that an interrupted earlier try of this run wrote included.
        stopped: why nothing was written though it was to be, where that is so.
    """

    present: tuple[Reference, ...] = ()
    planned: tuple[Reference, ...] = ()
    written: tuple[Reference, ...] = ()
    removed: tuple[Reference, ...] = ()
    failed: tuple[FailedWrite, ...] = ()
    stopped: str | None = None


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
        prunable: Collection[Reference] = (),
    ) -> Enforced:
        """Plan the whole of it first; then write it, if that is allowed.

        Args:
            desired: what the rules in view ask for.
            reach: OFF does nothing, PLAN writes nothing.
            run_id: of the check or sweep, for the ledger.
            rules_hash: of the rules in force, for the ledger.
            prunable: references of ours that may go where nothing desires them.

        Raises:
            GraphError, Unsettled: permanent ones before anything was written; others mean that the
                same run should come again, and will go on from the ledger.
        """
        if reach is Enforcement.OFF or not (desired or prunable):
            return Enforced()
        present = await self._present(desired, prunable)
        plan = make_plan(desired, present, prunable)
        earlier = await self.applier.already_written(plan, run_id)
        applied, stopped = Applied(), None
        if reach is Enforcement.APPLY:
            applied, stopped = await self._write(plan, run_id, rules_hash)
        return _enforced(plan, earlier, applied, stopped)

    async def _write(self, plan: Plan, run_id: str, rules_hash: str) -> tuple[Applied, str | None]:
        try:
            plan.require_within(self.max_reference_writes)
        except LimitExceeded as error:
            return Applied(), str(error)
        return await self.applier.apply(plan, run_id=run_id, rules_hash=rules_hash), None

    async def _present(
        self, desired: Collection[DesiredReference], prunable: Collection[Reference]
    ) -> set[Reference]:
        in_view = [*(each.reference for each in desired), *prunable]
        lists: set[tuple[str, ReferenceKind]] = {(each.on, each.kind) for each in in_view}
        return {
            Reference(on, kind, target)
            for on, kind in sorted(lists)
            for target in await self.graph.references(on, kind)
        }


def _enforced(
    plan: Plan, earlier: Collection[Reference], applied: Applied, stopped: str | None
) -> Enforced:
    return Enforced(
        present=tuple(each for each in plan.unchanged if each not in earlier),
        planned=(*earlier, *(each.reference for each in plan.additions)),
        written=(*earlier, *applied.written),
        removed=tuple(applied.removed),
        failed=tuple(applied.failed),
        stopped=stopped,
    )
