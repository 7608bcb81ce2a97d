"""The work behind one check: read, detect, plan, apply, and keep the answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.core.errors import PERMANENT, NotFound
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.guard import WriteGuard, protect
from entra_sod.domain.enforcement.impact import Population, grantors_of
from entra_sod.domain.enforcement.result import Enforcement, EnforcementResult
from entra_sod.domain.enforcement.selection_guard import hold_changes
from entra_sod.domain.entra import AccessPackage, Pair
from entra_sod.domain.findings.digest import RunNotifications
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.messages import CheckMessage
from entra_sod.domain.notifications.kept_event import RunReferences
from entra_sod.domain.results.check import (
    MAX_HOLDERS_IN_RESPONSE,
    CheckResult,
    PairView,
    ReferencesView,
    exception_views,
    holders_view,
    references_view,
    rule_view,
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
from entra_sod.domain.results.sweep import ReferenceCounts
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import PairConstraint, RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.checks.found_only import read_found_only
from entra_sod.services.checks.read_check import CheckReading, read_check, read_package
from entra_sod.services.checks.record import CheckLook, CheckRecorder, record_failure
from entra_sod.services.checks.toxic import note_toxic
from entra_sod.services.detection.detect import Detector
from entra_sod.services.enforcement.enforce import Enforcer
from entra_sod.services.notifications.announce import Announcer
from entra_sod.services.rules.alike import with_protected
from entra_sod.services.rules.selections import review_selections
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.checks import CheckStore
from entra_sod.stores.evidence_chain import EvidenceChain
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
        record = await self.store.begin(message.id)
        if not record.status.has_ended:
            result, look = await self._result(message, rules, record.reach)
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
        await self.announcer.announce_check(message.id, traceparent=message.traceparent)

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
        references, counts = result.references, ReferenceCounts.of(result.references)
        writes = RunReferences(
            run=run, references=references, counts=counts, stopped=result.stopped
        )
        newly_held = await self.announcer.kept.newly_held(references.held)
        await self.announcer.announce_writes(writes, newly_held, traceparent=message.traceparent)

    async def _result(
        self, message: CheckMessage, rules: RuleSet, reach_of_row: str
    ) -> tuple[CheckResult, CheckLook]:
        """The answer, and what the check can say of findings."""
        as_of = timestamp(self.clock.now())  # before anything is read: see Moment.at
        first, second = str(message.access_package_id), str(message.incompatible_access_package_id)
        constraint, notes = rules.constraints.get(_pair_of(message)), Coverage()
        packages = {each: await read_package(self.graph, each) for each in (first, second)}
        found = await read_check(
            self.detector,
            first=first,
            second=second,
            packages=packages,
            constraint=constraint,
            notes=notes,
        )
        note_groups(constraint.named_groups if constraint else (), notes)
        notes.skipped.extend(rule_gaps(rules))
        found_only = await read_found_only(self.graph, rules, {first, second}, notes)
        readable = {key: each for key, each in packages.items() if isinstance(each, AccessPackage)}
        note_toxic(_asking(rules, constraint), readable, notes)
        guards = await self._guards(rules, constraint, readable, message.id, notes)
        reach = enforcement_of(reach_of_row, self.enforcement)
        if self.enforcement is Enforcement.APPLY and not reach_of_row:
            notes.skip("writing references", "no row says that a caller asked for this check")
        enforced = await self._enforce(
            found.desired,
            reach,
            notes,
            run_id=message.id,
            rules_hash=rules.hash,
            known=await self._population(found, readable),
            guards=guards,
        )
        holders = holders_view(found.detection.holders if found.detection else ())
        gone = [key for key, each in packages.items() if isinstance(each, NotFound)]
        result = CheckResult(
            id=message.id,
            status=CheckStatus.COMPLETED,
            outcome=_outcome(found, rules, (first, second)),
            pair=_pair(message),
            reference=message.reference,
            enforcement=reach.word,
            holders=holders,
            holder_count=len(holders),
            rules=[rule_view(each) for each in (constraint.rules if constraint else ())],
            references=references_view(enforced),
            stopped=enforced.stopped,
            coverage=notes,
            rules_hash=rules.hash,
            as_of=as_of,
            exceptions=exception_views(holders, constraint, rules),
            sets=found_only.summaries,
        )
        looked = CheckLook(is_whole=found.is_whole, gone=gone, found_only=found_only)
        return result, looked

    async def _guards(
        self,
        rules: RuleSet,
        constraint: PairConstraint | None,
        packages: Mapping[str, AccessPackage],
        check_id: str,
        notes: Coverage,
    ) -> tuple[WriteGuard, ...]:
        asking = _asking(rules, constraint)
        by = f"first seen by check {check_id}"
        reviewed = await review_selections(self.selections, asking, packages, by=by)
        known = await with_protected(self.graph, rules, packages, notes)
        return (*protect(rules, known), *hold_changes(rules, reviewed, packages))

    async def _enforce(
        self,
        desired: tuple[DesiredReference, ...],
        reach: Enforcement,
        notes: Coverage,
        *,
        run_id: str,
        rules_hash: str,
        known: Population,
        guards: Collection[WriteGuard],
    ) -> EnforcementResult:
        try:
            enforced = await self.enforcer.enforce(
                desired, reach, run_id=run_id, rules_hash=rules_hash, known=known, guards=guards
            )
        except PERMANENT as error:
            notes.skip("the pair's incompatible references", error)
            return EnforcementResult()
        if enforced.stopped:
            notes.skip("writing the planned references", enforced.stopped.why)
        note_uncounted(enforced.weighed.uncounted, notes)
        return enforced

    async def _population(
        self, found: CheckReading, packages: Mapping[str, AccessPackage]
    ) -> Population:
        """How many hold the pair's packages by the last sweep, and both of them by this check."""
        last = await last_summary(self.sweeps) if found.desired else None
        holders = last.holders if last else {}
        both = len(found.detection.holders) if found.detection else 0
        return Population(
            holders=holders,
            whole=holders.keys(),
            both=lambda _one, _other: both,
            grantors=grantors_of(packages.values()),
        )


def _asking(rules: RuleSet, constraint: PairConstraint | None) -> list[ResolvedRule]:
    return [each for each in rules.rules if constraint and each.id in constraint.rule_ids]


def _outcome(found: CheckReading, rules: RuleSet, pair: Collection[str]) -> Outcome:
    """The status of a pair. It is not `clear` while an unread rule may name one of its packages."""
    is_open = any(not rule.grant_gaps.keys().isdisjoint(pair) for rule in rules.rules)
    return Outcome.UNKNOWN if is_open and found.outcome is Outcome.CLEAR else found.outcome


def enforcement_of(reach_of_row: str, setting: Enforcement) -> Enforcement:
    """How far to go: as far as the check's row allows, never further than the app's setting.

    HTTP writes the row after it has looked at the caller's roles. Without a row a check plans.
    """
    return min(setting, Enforcement[(reach_of_row or "plan").upper()])


async def record_check_failure(
    store: CheckStore,
    chain: EvidenceChain,
    check_id: str,
    reason: str,
    *,
    at: datetime,
    message: CheckMessage | None,
) -> None:
    """End a check that could not be worked on, saying why; never with an all-clear.

    Args:
        store: of checks.
        chain: of evidence: a check that failed leaves some, too.
        check_id: of the check.
        reason: what was wrong and what to do.
        at: the moment.
        message: what asked for it, None where that could not be read.
    """
    result = CheckResult(
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
        references=ReferencesView(),
        coverage=Coverage(skipped=[Skipped(what="the whole check", why=reason)]),
        rules_hash="",
        as_of=timestamp(at),
    )
    record = await store.begin(check_id)
    if not record.status.has_ended:
        await record_failure(chain, result, run=record.run, started_at=record.created_at)
        await store_result(store, result, CheckStatus.FAILED)


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
