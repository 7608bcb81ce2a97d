"""From desired references to written ones, as far as the settings and the caller allow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from functions.enforcement.apply import Applied, Applier, FailedWrite
from functions.enforcement.desired import DesiredReference
from functions.enforcement.drift import Drift, find_drift
from functions.enforcement.plan import Plan, make_plan
from functions.entra import Reference, ReferenceKind
from functions.errors import Forbidden, LimitExceeded, NotFound
from functions.graph.port import Graph
from functions.settings import Enforcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """What one run found, planned and did.

    Attributes:
        planned: additions, those that an interrupted earlier try of this run wrote included.
        drift: where Graph differed from rules and ledger, before anything was written.
        stopped: why nothing was written though it was to be, where that is so.
    """

    present: tuple[Reference, ...] = ()
    planned: tuple[Reference, ...] = ()
    written: tuple[Reference, ...] = ()
    removed: tuple[Reference, ...] = ()
    failed: tuple[FailedWrite, ...] = ()
    stopped: str | None = None
    drift: tuple[Drift, ...] = ()


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
        ours: Collection[Reference] = (),
        may_prune: bool = False,
    ) -> Enforced:
        """Plan the whole of it first; then write it, if that is allowed.

        Args:
            desired: what the rules in view ask for.
            reach: OFF does nothing, PLAN writes nothing.
            run_id: of the check or sweep, for the ledger.
            rules_hash: of the rules in force, for the ledger.
            ours: what the ledger says we wrote, where drift from it is to be found.
            may_prune: whether what is ours and not desired may go.

        Raises:
            GraphError, Unsettled: permanent ones before anything was written; others mean that the
                same run should come again, and will go on from the ledger.
        """
        if reach is Enforcement.OFF or not (desired or ours):
            return Enforced()
        seen = await self._look(desired, ours)
        plan = make_plan(desired, seen.present, seen.readable(ours) if may_prune else ())
        earlier = await self.applier.already_written(plan, run_id)
        applied, stopped = Applied(), None
        if reach is Enforcement.APPLY:
            applied, stopped = await self._write(plan, run_id, rules_hash)
        drift = find_drift(desired, seen.present, ours, in_view=seen.with_packages, gone=seen.gone)
        return _enforced(plan, earlier, applied, stopped, drift if ours else [])

    async def _write(self, plan: Plan, run_id: str, rules_hash: str) -> tuple[Applied, str | None]:
        try:
            plan.require_within(self.max_reference_writes)
        except LimitExceeded as error:
            return Applied(), str(error)
        return await self.applier.apply(plan, run_id=run_id, rules_hash=rules_hash), None

    async def _look(
        self, desired: Collection[DesiredReference], ours: Collection[Reference]
    ) -> _Seen:
        """Read every list that is desired of or ours; of what is only ours, some may be gone."""
        needed = {(each.reference.on, each.reference.kind) for each in desired}
        seen = _Seen()
        for on, kind in sorted(needed | {(each.on, each.kind) for each in ours}):
            try:
                targets = await self.graph.references(on, kind)
            except (Forbidden, NotFound) as error:
                if (on, kind) in needed:
                    raise
                (seen.gone if isinstance(error, NotFound) else seen.unreadable).add(on)
                continue
            seen.lists.add((on, kind))
            seen.present |= {Reference(on, kind, target) for target in targets}
        return seen


@dataclass(slots=True)
class _Seen:
    """What the lists in view showed."""

    present: set[Reference] = field(default_factory=set)
    lists: set[tuple[str, ReferenceKind]] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)

    @property
    def with_packages(self) -> set[str]:
        return {on for on, kind in self.lists if kind is ReferenceKind.PACKAGE}

    def readable(self, references: Collection[Reference]) -> list[Reference]:
        return [each for each in references if each.on not in self.unreadable]


def _enforced(
    plan: Plan,
    earlier: Collection[Reference],
    applied: Applied,
    stopped: str | None,
    drift: Sequence[Drift],
) -> Enforced:
    unchanged = (each for each in plan.unchanged if each not in earlier)
    return Enforced(
        present=(*unchanged, *applied.found_present),
        planned=(*earlier, *(each.reference for each in plan.additions)),
        written=(*earlier, *applied.written),
        removed=tuple(applied.removed),
        failed=tuple(applied.failed),
        stopped=stopped,
        drift=tuple(drift),
    )
