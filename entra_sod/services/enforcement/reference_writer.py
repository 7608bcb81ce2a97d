"""Applies a plan: record the intent, write once, read again, and confirm in the ledger.

After each write the lists are read again, and only they decide whether the reference exists:
Graph may answer nothing, an error, or a success that it does not list yet. So a plan may be
applied twice, or by two workers at once. The app owns a reference if Graph accepted its write, or
if the app sent a write so recently that Graph may list it only now. A reference that exists
although Graph refused the write was created by another writer.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from entra_sod.core.clock import Clock
from entra_sod.core.errors import (
    PERMANENT,
    Forbidden,
    GraphError,
    NotFound,
    NotYetConsistent,
    Rejected,
    StorageUnavailable,
    Unavailable,
)
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.domain.enforcement.plan import Plan
from entra_sod.domain.enforcement.result import FailedWrite
from entra_sod.domain.entra import Reference
from entra_sod.ports.graph import Graph
from entra_sod.stores.evidence_writes import EvidenceWrites
from entra_sod.stores.leases import NO_LEASE, Lease
from entra_sod.stores.ledger import (
    ADOPTED_WITHIN,
    LISTED_AFTER,
    DamagedEntry,
    Intent,
    Ledger,
    LedgerEntry,
    LedgerState,
    WriteOrigin,
)
from entra_sod.stores.write_controls import WriteControls

log = logging.getLogger("entra_sod")

# Graph documents no delay between a write and its being listed; these add up to six seconds.
READ_AGAIN_SECONDS: Sequence[float] = (0.2, 0.4, 0.8, 1.6, 3.0)

NOT_PROVEN = "no sealed evidence of the run that the ledger names says so: it is left alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingRun:
    """The run that writes.

    Attributes:
        id: of the check, the sweep, or the call of the command line; for the ledger.
        rules_hash: of the rules in force, for the ledger.
        lease: on the run, which is looked at before each write: a worker whose run another one has
            taken over writes no more, for who ends the run would not tell of it.
    """

    id: str
    rules_hash: str
    lease: Lease = NO_LEASE


@dataclass(slots=True)
class AppliedPlan:
    """The results of a plan's writes.

    Attributes:
        uncertain: how many failed writes may be in Graph, as the list could not be read again.
        frozen: the freeze that stopped it.
    """

    written: list[Reference] = field(default_factory=list)
    removed: list[Reference] = field(default_factory=list)
    found_present: list[Reference] = field(default_factory=list)
    failed: list[FailedWrite] = field(default_factory=list)
    uncertain: int = 0
    frozen: Freeze | None = None

    @property
    def writes(self) -> int:
        """How many count as written."""
        return len(self.written) + len(self.removed) + self.uncertain

    @property
    def tried(self) -> int:
        """How many writes of the plan were begun, or turned out not to be needed."""
        done = (self.written, self.removed, self.found_present, self.failed)
        return sum(len(each) for each in done)

    def add(self, other: AppliedPlan) -> None:
        """Merge the result of another part of the plan."""
        self.written += other.written
        self.removed += other.removed
        self.found_present += other.found_present
        self.failed += other.failed
        self.uncertain += other.uncertain
        self.frozen = other.frozen or self.frozen

    def fail(self, reference: Reference, error: GraphError) -> None:
        """Note a write that ended with an error. Graph may have carried it out all the same."""
        self.failed.append(FailedWrite(reference, str(error)))
        self.uncertain += 1


class ReferenceWriter:
    def __init__(
        self,
        graph: Graph,
        ledger: Ledger,
        controls: WriteControls,
        clock: Clock,
        evidence: EvidenceWrites,
    ) -> None:
        self._graph, self.ledger, self._clock = graph, ledger, clock
        self.controls, self._evidence = controls, evidence

    async def apply(self, plan: Plan, run: WritingRun) -> AppliedPlan:
        """Write a plan that is within its limits. A freeze stops it between two writes.

        Raises:
            Throttled, Unavailable, NotYetConsistent: try again later. What is done stays done, and
                the next run continues from the ledger.
        """
        applied = AppliedPlan()
        for addition in plan.additions:
            if await self._is_frozen(applied):
                return applied
            try:
                await self._add(addition, run, applied)
            except PERMANENT as error:
                # Not even looking is allowed: the intent stays, and what was written is still told.
                applied.fail(addition.reference, error)
        entries = await self.entries_of(plan.removals)
        proven = await self._evidence.proven(entries.values()) if entries else ()
        for reference in plan.removals:
            if await self._is_frozen(applied):
                return applied
            if reference in entries and reference not in proven:
                applied.failed.append(FailedWrite(reference, NOT_PROVEN))
                continue
            try:
                await self._remove(reference, run.lease, applied)
            except PERMANENT as error:
                applied.fail(reference, error)
        for _, same_list in groupby(plan.vanished, lambda each: (each.on, each.kind)):
            await self._purge(list(same_list))
        return applied

    async def _is_frozen(self, applied: AppliedPlan) -> bool:
        applied.frozen = await self.controls.frozen()
        return applied.frozen is not None

    async def entries_of(self, references: Iterable[Reference]) -> Mapping[Reference, LedgerEntry]:
        """What the ledger has of references. One whose row is damaged is not proved ours."""
        found = {reference: await self._entry_of(reference) for reference in references}
        return {reference: entry for reference, entry in found.items() if entry is not None}

    async def _entry_of(self, reference: Reference) -> LedgerEntry | None:
        try:
            return await self.ledger.get(reference)
        except DamagedEntry:
            return None

    async def entries_on(self, packages: Iterable[str]) -> Mapping[Reference, LedgerEntry]:
        """What the ledger has of references on packages."""
        return {
            entry.reference: entry
            for package in sorted(packages)
            async for entry in self.ledger.entries(package)
        }

    async def adopt(self, plan: Plan, entries: Mapping[Reference, LedgerEntry]) -> list[Reference]:
        """Tell which references of the plan are there and ours.

        Intents that turn out to be in Graph are confirmed: a run died between write and note. One
        that was abandoned long ago is forgotten: what is there is not its work.
        """
        found = [entries[each] for each in plan.unchanged if each in entries]
        return [each.reference for each in found if await self._is_ours(each)]

    async def _is_ours(self, entry: LedgerEntry) -> bool:
        if entry.state is LedgerState.WRITTEN:
            return True
        if entry.is_younger(ADOPTED_WITHIN, self._clock.now()):
            await self.ledger.adopt(entry)
            return True
        await self.ledger.delete(entry.reference, entry.version)
        return False

    async def _add(self, addition: DesiredReference, run: WritingRun, applied: AppliedPlan) -> None:
        reference = addition.reference
        origin = WriteOrigin(run_id=run.id, rule_ids=addition.rule_ids, rules_hash=run.rules_hash)
        intent = await self.ledger.intend(reference, origin)
        try:
            await self._require_held(run.lease, reference, intent)
            await self._write_once(reference, intent, origin, applied)
        except BaseException:  # also if cancelled: the next worker must not wait for this lease
            await self._release(reference, intent)
            raise

    async def _require_held(self, lease: Lease, reference: Reference, intent: Intent) -> None:
        """Look after the intent is noted: who takes the run over then sees what may be written."""
        try:
            await lease.require_held()
        except NotYetConsistent:
            if not intent.may_be_sent:
                await self.ledger.withdraw(reference, intent)
            raise

    async def _release(self, reference: Reference, intent: Intent) -> None:
        with suppress(StorageUnavailable):  # it runs out by itself
            await self.ledger.release(reference, intent)

    async def _write_once(
        self, reference: Reference, intent: Intent, origin: WriteOrigin, applied: AppliedPlan
    ) -> None:
        """Write, unless an earlier run turns out to have written; and take note."""
        write_error, is_listed = None, False
        if intent.may_be_sent:
            is_listed = await self._is_listed(reference, expected=True)
        was_sent = not is_listed
        if was_sent:
            write_error = await self._try_to_add(reference)
            is_listed = await self._is_listed(reference, expected=True)
        if not is_listed:
            await self._fail_or_raise(reference, write_error, intent, applied)
        elif await self._is_foreign(reference, intent, write_error, was_sent=was_sent):
            applied.found_present.append(reference)
        else:
            await self.ledger.confirm(reference, origin)
            applied.written.append(reference)
            _log_write("reference_written", reference)

    async def _is_foreign(
        self,
        reference: Reference,
        intent: Intent,
        write_error: GraphError | None,
        *,
        was_sent: bool,
    ) -> bool:
        """Whether another writer created a reference that Graph refused to this app."""
        if was_sent:
            is_theirs = isinstance(write_error, PERMANENT) and not intent.may_show_late
        else:
            is_theirs = intent.is_abandoned
        return is_theirs and await self.ledger.withdraw(reference, intent)

    async def _try_to_add(self, reference: Reference) -> GraphError | None:
        try:
            await self._graph.add(reference)
        except (Forbidden, NotFound, Rejected, Unavailable) as doubt:
            return doubt
        return None

    async def _fail_or_raise(
        self,
        reference: Reference,
        write_error: GraphError | None,
        intent: Intent,
        applied: AppliedPlan,
    ) -> None:
        if write_error is None:
            raise NotYetConsistent(
                f"Graph took {reference.kind} {reference.target} on {reference.on} but does not "
                "list it yet"
            )
        if isinstance(write_error, Unavailable):
            raise write_error
        if intent.may_show_late:
            raise NotYetConsistent(
                f"{reference.kind} {reference.target} on {reference.on} is refused, and may have "
                f"been written just before: {write_error}"
            )
        if not await self.ledger.withdraw(reference, intent):
            await self.ledger.release(reference, intent)
        applied.failed.append(FailedWrite(reference, str(write_error)))

    async def _remove(self, reference: Reference, lease: Lease, applied: AppliedPlan) -> None:
        held = await self.ledger.claim_removal(reference)
        if held is None:
            why = "the ledger does not say any more that this app wrote it: it is left alone"
            applied.failed.append(FailedWrite(reference, why))
            return
        try:
            await lease.require_held()
            if await self._delete(reference, applied):
                await self.ledger.delete(reference, held.version)
        finally:
            await self._release(reference, held)

    async def _delete(self, reference: Reference, applied: AppliedPlan) -> bool:
        """Remove a reference from Graph; return whether it was removed."""
        write_error: GraphError | None = None
        try:
            await self._graph.remove(reference)
        except (Forbidden, NotFound, Rejected, Unavailable) as error:
            write_error = error
        if await self._is_listed(reference, expected=False):
            if write_error is None or isinstance(write_error, Unavailable):
                raise write_error or NotYetConsistent(
                    f"Graph still lists {reference.target}, though removed"
                )
            applied.failed.append(FailedWrite(reference, str(write_error)))
            return False
        applied.removed.append(reference)
        _log_write("reference_removed", reference)
        return True

    async def _purge(self, vanished: Collection[Reference]) -> None:
        """Forget entries of one list that is read once more, for lists lag and others write."""
        entries, now = await self.entries_of(vanished), self._clock.now()
        old = [each for each in entries.values() if not each.is_younger(LISTED_AFTER, now)]
        if not old:
            return
        try:
            listed = await self._graph.references(old[0].reference.on, old[0].reference.kind)
        except NotFound:
            listed = frozenset[str]()
        except PERMANENT:
            return
        for entry in old:
            if entry.reference.target not in listed:
                await self.ledger.delete(entry.reference, entry.version)

    async def _is_listed(self, reference: Reference, *, expected: bool) -> bool:
        """Read a few times until Graph lists what is expected; return what it listed last."""
        for wait in (*READ_AGAIN_SECONDS, None):
            listed = reference.target in await self._graph.references(reference.on, reference.kind)
            if listed is expected or wait is None:
                return listed
            await self._clock.sleep(wait)
        raise AssertionError("unreachable")


def _log_write(action: str, reference: Reference) -> None:
    log.info(
        "%s %s %s on %s",
        action,
        reference.kind,
        reference.target,
        reference.on,
        extra={"action": action, "package_id": reference.on},
    )
