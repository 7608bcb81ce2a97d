"""Carries a plan out: note the intent, write once, look, and confirm in the ledger.

Whatever Graph answers to a write (nothing, an error, a success it does not show yet), the lists
are read again and they decide. So a plan may be applied twice, or by two workers at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from functions.clock import Clock
from functions.enforcement.desired import DesiredReference
from functions.enforcement.ledger import Entry, EntryState, Intent, Ledger, Origin
from functions.enforcement.plan import Plan
from functions.entra import Reference
from functions.errors import (
    PERMANENT,
    Forbidden,
    GraphError,
    NotFound,
    Rejected,
    SodError,
    Unavailable,
    Unsettled,
)
from functions.graph.port import Graph

log = logging.getLogger("entra_sod")

# Graph documents no delay between a write and its being listed; these add up to six seconds.
LOOK_AGAIN_SECONDS: Sequence[float] = (0.2, 0.4, 0.8, 1.6, 3.0)


@dataclass(frozen=True, slots=True)
class FailedWrite:
    reference: Reference
    why: str


@dataclass(slots=True)
class Applied:
    """What became of a plan's writes."""

    written: list[Reference] = field(default_factory=list)
    removed: list[Reference] = field(default_factory=list)
    found_present: list[Reference] = field(default_factory=list)
    failed: list[FailedWrite] = field(default_factory=list)

    def add(self, other: Applied) -> None:
        self.written += other.written
        self.removed += other.removed
        self.found_present += other.found_present
        self.failed += other.failed


class Applier:
    def __init__(self, graph: Graph, ledger: Ledger, clock: Clock) -> None:
        self._graph, self._ledger, self._clock = graph, ledger, clock

    async def apply(self, plan: Plan, *, run_id: str, rules_hash: str) -> Applied:
        """Write a plan that was found to be within its limit.

        Raises:
            Throttled, Unavailable, Unsettled: come again later; what is done stays done, and the
                next run goes on from the ledger.
        """
        applied = Applied()
        for addition in plan.additions:
            origin = Origin(run_id=run_id, rule_ids=addition.rule_ids, rules_hash=rules_hash)
            try:
                await self._add(addition, origin, applied)
            except PERMANENT as error:
                # Not even looking is allowed: the intent stays, and what was written is still told.
                applied.failed.append(FailedWrite(addition.reference, str(error)))
        for reference in plan.removals:
            try:
                await self._remove(reference, applied)
            except PERMANENT as error:
                applied.failed.append(FailedWrite(reference, str(error)))
        for reference in plan.vanished:
            await self._ledger.forget(reference)
        return applied

    async def entries_of(self, references: Iterable[Reference]) -> Mapping[Reference, Entry]:
        """What the ledger has of references."""
        found = {reference: await self._ledger.get(reference) for reference in references}
        return {reference: entry for reference, entry in found.items() if entry is not None}

    async def already_written(
        self, plan: Plan, entries: Mapping[Reference, Entry], run_id: str
    ) -> list[Reference]:
        """References of the plan that this run wrote before it was interrupted.

        An intent that turns out to be in Graph is confirmed: the run died between write and note.
        """
        ours = []
        for reference in plan.unchanged:
            entry = entries.get(reference)
            if entry is None:
                continue
            if entry.state is EntryState.INTENDED:
                await self._ledger.confirm(reference)
            if entry.run_id == run_id:
                ours.append(reference)
        return ours

    async def _add(self, addition: DesiredReference, origin: Origin, applied: Applied) -> None:
        reference = addition.reference
        intent = await self._ledger.intend(reference, origin)
        try:
            await self._settle(reference, intent, applied)
        except SodError:
            await self._ledger.let_go(reference, intent)
            raise

    async def _settle(self, reference: Reference, intent: Intent, applied: Applied) -> None:
        """Write, unless an earlier run turns out to have written; and take note."""
        doubt, is_listed = None, False
        if intent.may_be_sent:
            is_listed = await self._is_listed(reference, expected=True)
        if not is_listed:
            doubt = await self._try_to_add(reference)
            is_listed = await self._is_listed(reference, expected=True)
        if not is_listed:
            await self._give_up_or_raise(reference, doubt, intent, applied)
        elif isinstance(doubt, Rejected) and await self._is_somebody_elses(reference, intent):
            applied.found_present.append(reference)
        else:
            await self._ledger.confirm(reference)
            applied.written.append(reference)
            _say("reference_written", reference)

    async def _is_somebody_elses(self, reference: Reference, intent: Intent) -> bool:
        """Refused, and yet there: made between our look and our write, unless by a run of ours."""
        return intent.is_first and await self._ledger.withdraw(reference, intent)

    async def _try_to_add(self, reference: Reference) -> GraphError | None:
        try:
            await self._graph.add(reference)
        except (Forbidden, NotFound, Rejected, Unavailable) as doubt:
            return doubt
        return None

    async def _give_up_or_raise(
        self, reference: Reference, doubt: GraphError | None, intent: Intent, applied: Applied
    ) -> None:
        if doubt is None:
            raise Unsettled(
                f"Graph took {reference.kind} {reference.target} on {reference.on} but does not "
                "list it yet"
            )
        if isinstance(doubt, Unavailable):
            raise doubt
        if not (intent.is_first and await self._ledger.withdraw(reference, intent)):
            await self._ledger.let_go(reference, intent)
        applied.failed.append(FailedWrite(reference, str(doubt)))

    async def _remove(self, reference: Reference, applied: Applied) -> None:
        doubt: GraphError | None = None
        try:
            await self._graph.remove(reference)
        except (Forbidden, NotFound, Rejected, Unavailable) as error:
            doubt = error
        if await self._is_listed(reference, expected=False):
            if doubt is None or isinstance(doubt, Unavailable):
                raise doubt or Unsettled(f"Graph still lists {reference.target}, though removed")
            applied.failed.append(FailedWrite(reference, str(doubt)))
            return
        await self._ledger.forget(reference)
        applied.removed.append(reference)
        _say("reference_removed", reference)

    async def _is_listed(self, reference: Reference, *, expected: bool) -> bool:
        """Read until Graph shows what is expected, a few times, and say what it shows last."""
        for wait in (*LOOK_AGAIN_SECONDS, None):
            listed = reference.target in await self._graph.references(reference.on, reference.kind)
            if listed is expected or wait is None:
                return listed
            await self._clock.sleep(wait)
        raise AssertionError("unreachable")


def _say(action: str, reference: Reference) -> None:
    log.info(
        "%s %s %s on %s",
        action,
        reference.kind,
        reference.target,
        reference.on,
        extra={"action": action, "package_id": reference.on},
    )
