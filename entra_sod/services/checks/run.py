"""The work behind one check: read, detect, plan, apply, and keep the answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import PERMANENT, NotFound
from entra_sod.domain.enforcement.guard import WriteGuard, protect
from entra_sod.domain.enforcement.impact import Population, grantors_of
from entra_sod.domain.enforcement.result import Enforcement, EnforcementResult
from entra_sod.domain.enforcement.selection_guard import hold_changes
from entra_sod.domain.entra import AccessPackage, Pair, Reference
from entra_sod.domain.findings.digest import RunNotifications
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.messages import CheckMessage
from entra_sod.domain.notifications.kept_event import RunReferences
from entra_sod.domain.results.check import (
    MAX_HOLDERS_IN_RESPONSE,
    CheckResult,
    PairView,
    exception_views,
    holders_view,
    references_view,
    rule_view,
    written_view,
)
from entra_sod.domain.results.coverage import (
    Coverage,
    Outcome,
    Skipped,
    note_groups,
    note_uncounted,
    rule_gaps,
)
from entra_sod.domain.results.status import CheckStatus
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import PairConstraint, RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.checks.found_only import FoundOnlyReading, read_found_only
from entra_sod.services.checks.read_check import (
    CheckReading,
    ReadPackages,
    read_check,
    read_package,
)
from entra_sod.services.checks.record import CheckLook, CheckRecorder, record_failure
from entra_sod.services.checks.toxic import note_toxic
from entra_sod.services.detection.detect import Detector
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.enforcement.reference_writer import WritingRun
from entra_sod.services.notifications.announce import Announcer
from entra_sod.services.rules.alike import with_protected
from entra_sod.services.rules.selections import review_selections
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.checks import CheckRecord, CheckStore
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.leases import Lease
from entra_sod.stores.ledger import Ledger
from entra_sod.stores.selections import SelectionStore
from entra_sod.stores.sweeps import SweepStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRunner:
    """Everything one check needs."""

    graph: Graph
    detector: Detector
    enforcer: Enforcer
    store: CheckStore
    sweeps: SweepStore
    recorder: CheckRecorder
    announcer: Announcer
    selections: SelectionStore | None
    clock: Clock
    enforcement: Enforcement

    async def run(self, message: CheckMessage, rules: RuleSet) -> None:
        """Work a check to its end and announce it. The result of an ended check is not changed.

        An ended check is announced again, because the worker that ended it may have crashed
        before its announcement.

        Raises:
            Throttled, Unavailable, NotYetConsistent: deliver the same message again later.
        """
        if not await self.store.has_ended(message.id):
            async with self.store.working.hold(message.id) as lease:
                record = await self.store.begin(message.id)
                if not record.status.has_ended:
                    await self._work(message, rules, record, lease)
        await self.announcer.announce_check(message.id, traceparent=message.traceparent)

    async def _work(
        self, message: CheckMessage, rules: RuleSet, record: CheckRecord, lease: Lease
    ) -> None:
        result, look = await self._result(message, rules, record.reach, lease)
        findings = await self.recorder.record(
            result,
            _pair_of(message),
            rules,
            look,
            run=record.run,
            started_at=record.created_at,
        )
        await self._announce(record.run, message, rules, findings, result)
        await store_result(self.store, result, CheckStatus.COMPLETED)

    async def _announce(
        self,
        run: str,
        message: CheckMessage,
        rules: RuleSet,
        findings: Sequence[Finding],
        result: CheckResult,
    ) -> None:
        """Announce what changed before the check ends, so that a crash repeats the announcement."""
        notifications = RunNotifications(run, rules)
        for finding in findings:
            notifications.add(finding)
        await self.announcer.announce_findings(
            run, notifications.tickets, traceparent=message.traceparent
        )
        writes = RunReferences.of(run, result.references, result.stopped)
        newly_held = await self.announcer.kept.newly_held(result.references.held)
        await self.announcer.announce_writes(writes, newly_held, traceparent=message.traceparent)

    async def _result(
        self, message: CheckMessage, rules: RuleSet, reach_of_row: str, lease: Lease
    ) -> tuple[CheckResult, CheckLook]:
        """The answer, and what the check can say of findings."""
        as_of = timestamp(self.clock.now())  # before anything is read: see Moment.at
        notes = Coverage()
        seen = await self._read(_pair(message), rules, notes)
        reach = _reach(reach_of_row, self.enforcement)
        if self.enforcement is Enforcement.APPLY and not reach_of_row:
            notes.skip("writing references", "no row says that a caller asked for this check")
        run = WritingRun(id=message.id, rules_hash=rules.hash, lease=lease)
        enforced = await self._enforce(seen, rules, reach, notes, run)
        holders = holders_view(seen.pair.holders)
        result = CheckResult(
            id=message.id,
            status=CheckStatus.COMPLETED,
            outcome=_outcome(seen.pair, rules, seen.packages),
            pair=_pair(message),
            reference=message.reference,
            enforcement=reach.word,
            holders=holders,
            holder_count=len(holders),
            rules=[rule_view(each) for each in (seen.constraint.rules if seen.constraint else ())],
            references=references_view(enforced),
            stopped=enforced.stopped,
            coverage=notes,
            rules_hash=rules.hash,
            as_of=as_of,
            exceptions=exception_views(holders, seen.constraint, rules),
            sets=seen.found_only.summaries,
        )
        return result, seen.look

    async def _read(self, pair: PairView, rules: RuleSet, notes: Coverage) -> _Seen:
        """Read all that the check is about; what could not be read is noted."""
        first, second = pair.access_package_id, pair.incompatible_access_package_id
        constraint = rules.constraints.get(Pair.of(first, second))
        packages = {each: await read_package(self.graph, each) for each in (first, second)}
        reading = await read_check(
            self.detector,
            first=first,
            second=second,
            packages=packages,
            constraint=constraint,
            notes=notes,
        )
        note_groups(constraint.named_groups if constraint else (), notes)
        notes.skipped.extend(rule_gaps(rules))
        found_only = await read_found_only(self.graph, rules, packages.keys(), notes)
        seen = _Seen(constraint=constraint, packages=packages, pair=reading, found_only=found_only)
        note_toxic(seen.asking(rules), seen.readable, notes)
        return seen

    async def _enforce(
        self, seen: _Seen, rules: RuleSet, reach: Enforcement, notes: Coverage, run: WritingRun
    ) -> EnforcementResult:
        """Plan, and as far as `reach` allows write, what the rules ask of the pair."""
        guards = await self._guards(seen, rules, run.id, notes)
        known = await self._population(seen)
        try:
            enforced = await self.enforcer.enforce(
                seen.pair.desired,
                reach,
                run,
                known=known,
                guards=guards,
            )
        except PERMANENT as error:
            notes.skip("the pair's incompatible references", error)
            return EnforcementResult()
        if enforced.stopped:
            notes.skip("writing the planned references", enforced.stopped.why)
        note_uncounted(enforced.weighed.uncounted, notes)
        return enforced

    async def _guards(
        self, seen: _Seen, rules: RuleSet, check_id: str, notes: Coverage
    ) -> tuple[WriteGuard, ...]:
        packages, by = seen.readable, f"first seen by check {check_id}"
        reviewed = await review_selections(self.selections, seen.asking(rules), packages, by=by)
        known = await with_protected(self.graph, rules, packages, notes)
        return (*protect(rules, known), *hold_changes(rules, reviewed, packages))

    async def _population(self, seen: _Seen) -> Population:
        """How many hold the pair's packages by the last sweep, and both of them by this check."""
        last = await last_summary(self.sweeps) if seen.pair.desired else None
        holders, both = last.holders if last else {}, len(seen.pair.holders)
        return Population(
            holders=holders,
            whole=holders.keys(),
            both=lambda _one, _other: both,
            grantors=grantors_of(seen.readable.values()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What one check has read.

    Attributes:
        constraint: what the rules ask of the pair; None where no rule names it.
        packages: the pair's, or why they may not be read.
        pair: who holds both.
        found_only: what was read for the rules that the app detects but cannot enforce.
    """

    constraint: PairConstraint | None
    packages: ReadPackages
    pair: CheckReading
    found_only: FoundOnlyReading

    @property
    def readable(self) -> Mapping[str, AccessPackage]:
        return {key: each for key, each in self.packages.items() if isinstance(each, AccessPackage)}

    @property
    def look(self) -> CheckLook:
        gone = [key for key, each in self.packages.items() if isinstance(each, NotFound)]
        return CheckLook(is_whole=self.pair.is_whole, gone=gone, found_only=self.found_only)

    def asking(self, rules: RuleSet) -> list[ResolvedRule]:
        """The rules that name the pair."""
        named = self.constraint.rule_ids if self.constraint else ()
        return [each for each in rules.rules if each.id in named]


def _outcome(found: CheckReading, rules: RuleSet, pair: Collection[str]) -> Outcome:
    """The status of a pair. It is not `clear` while an unread rule may name one of its packages."""
    is_open = any(not rule.grant_gaps.keys().isdisjoint(pair) for rule in rules.rules)
    return Outcome.UNKNOWN if is_open and found.outcome is Outcome.CLEAR else found.outcome


def _reach(reach_of_row: str, setting: Enforcement) -> Enforcement:
    """How far to go: as far as the check's row allows, never further than the app's setting.

    HTTP writes the row after it has looked at the caller's roles. Without a row a check plans.
    """
    return min(setting, Enforcement[(reach_of_row or "plan").upper()])


async def record_check_failure(
    store: CheckStore,
    chain: EvidenceChain,
    ledger: Ledger,
    announcer: Announcer,
    check_id: str,
    *,
    reason: str,
    at: datetime,
    message: CheckMessage | None,
) -> None:
    """End a check that could not be worked on, saying why; never with an all-clear.

    What an earlier try of it has written is told all the same.

    Args:
        store: of checks.
        chain: of evidence: a check that failed leaves some, too.
        ledger: that says what it has written.
        announcer: of what it has written; the end itself is the caller's to announce.
        check_id: of the check.
        reason: what was wrong and what to do.
        at: the moment.
        message: what asked for it, None where that could not be read.

    Raises:
        NotYetConsistent: a worker is working on it, and may still end it.
    """
    if await store.has_ended(check_id):
        return
    async with store.working.hold(check_id):
        record = await store.begin(check_id)
        if not record.status.has_ended:
            pair = _pair_of(message) if message else ()
            written = [each for on in pair for each in await ledger.written_by(check_id, on)]
            result = _failed_result(check_id, message, reason, at, written)
            await record_failure(chain, result, run=record.run, started_at=record.created_at)
            writes = RunReferences.of(record.run, result.references)
            traceparent = message.traceparent if message else ""
            await announcer.announce_writes(writes, (), traceparent=traceparent)
            await store_result(store, result, CheckStatus.FAILED)


def _failed_result(
    check_id: str,
    message: CheckMessage | None,
    reason: str,
    at: datetime,
    written: Sequence[Reference],
) -> CheckResult:
    return CheckResult(
        id=check_id,
        status=CheckStatus.FAILED,
        outcome=Outcome.UNKNOWN,
        pair=_pair(message) if message else None,
        reference=message.reference if message else None,
        enforcement=Enforcement.OFF.word,
        holders=[],
        holder_count=0,
        rules=[],
        sets=[],
        references=written_view(written),
        coverage=Coverage(skipped=[Skipped(what="the whole check", why=reason)]),
        rules_hash="",
        as_of=timestamp(at),
    )


async def store_result(store: CheckStore, result: CheckResult, status: CheckStatus) -> None:
    answer = msgspec.structs.replace(result, holders=result.holders[:MAX_HOLDERS_IN_RESPONSE])
    await store.end(
        result.id, status, msgspec.json.encode(answer), evidence=msgspec.json.encode(result)
    )


def _pair_of(message: CheckMessage) -> Pair:
    return Pair.of(str(message.access_package_id), str(message.incompatible_access_package_id))


def _pair(message: CheckMessage) -> PairView:
    return PairView(
        access_package_id=str(message.access_package_id),
        incompatible_access_package_id=str(message.incompatible_access_package_id),
    )
