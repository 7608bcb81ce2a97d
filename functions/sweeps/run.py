"""The work behind one part of a sweep, and the closing of the sweep by whoever comes last.

Parts only look. The one that finds all parts done plans the references of the whole run, holds the
plan against the limit, and writes. Two may find that at once: the plan is the same, a write that is
there is not repeated, and the sweep's row takes one result.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from functions.checks.examine import (
    PERMANENT,
    CoverageNotes,
    Packages,
    examine,
    note_groups,
    note_refused,
    read_packages,
)
from functions.checks.result import (
    Coverage,
    Outcome,
    Skipped,
    holders_of,
    references_view,
    rule_views,
)
from functions.clock import Clock, timestamp
from functions.detection.detect import Detector
from functions.enforcement.desired import DesiredReference, desired_by_guard
from functions.enforcement.drift import Drift, DriftKind
from functions.enforcement.enforce import Enforced, Enforcer
from functions.enforcement.ledger import EntryState, Ledger
from functions.entra import AccessPackage, Pair, Reference
from functions.graph.meter import metered
from functions.graph.port import Graph
from functions.messages import SweepMessage
from functions.rules.ruleset import RuleSet
from functions.settings import Enforcement
from functions.sweeps.result import (
    DriftView,
    PairCounts,
    PairFinding,
    PairSummary,
    PartFindings,
    SweepResult,
)
from functions.sweeps.store import SweepRecord, SweepStatus, SweepStore

log = logging.getLogger("entra_sod")

MOST_PAIRS_IN_ANSWER = 1000
MOST_DRIFT_IN_ANSWER = 1000
_part_decoder = msgspec.json.Decoder(PartFindings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRunner:
    graph: Graph
    detector: Detector
    enforcer: Enforcer
    ledger: Ledger
    store: SweepStore
    clock: Clock
    enforcement: Enforcement
    prune: bool

    async def run(self, message: SweepMessage, rules: RuleSet) -> None:
        """Work one part, then close the sweep if it was the last.

        Raises:
            Throttled, Unavailable, Unsettled: the same message should come again later.
        """
        await self.store.mark_running(message.id)
        if not await self.store.part_is_done(message.id, message.part):
            findings = await self._look(message, rules)
            await self.store.end_part(message.id, message.part, msgspec.json.encode(findings))
        await self.close_if_done(message.id, rules)

    async def fail_part(self, message: SweepMessage, reason: str) -> None:
        """End a part that could not be worked on: its pairs are unknown."""
        pairs = [
            PairFinding(
                access_package_id=str(first),
                incompatible_access_package_id=str(second),
                outcome=Outcome.UNKNOWN,
                holders=[],
                rules=[],
            )
            for first, second in message.pairs
        ]
        skipped = [Skipped(what=f"part {message.part} of the sweep", why=reason)]
        findings = PartFindings(pairs=pairs, coverage=Coverage(skipped=skipped), has_gaps=True)
        await self.store.end_part(message.id, message.part, msgspec.json.encode(findings))

    async def _look(self, message: SweepMessage, rules: RuleSet) -> PartFindings:
        notes, ways = CoverageNotes(), Counter[str]()
        pairs = [(str(first), str(second)) for first, second in message.pairs]
        guarded = [str(package) for package in message.packages]
        with metered() as meter:
            wanted = {*(each for pair in pairs for each in pair), *guarded}
            packages = await read_packages(self.graph, wanted)
            found, desired = await self._look_at_pairs(pairs, packages, rules, notes, ways)
        desired += _guarding(guarded, packages, rules, notes)
        return PartFindings(
            pairs=found,
            desired=desired,
            coverage=notes.as_coverage(),
            ways=dict(ways),
            requests=meter.requests,
            rules_hash=rules.hash,
            has_gaps=_has_gaps(packages, found),
        )

    async def _look_at_pairs(
        self,
        pairs: Sequence[tuple[str, str]],
        packages: Packages,
        rules: RuleSet,
        notes: CoverageNotes,
        ways: Counter[str],
    ) -> tuple[list[PairFinding], list[DesiredReference]]:
        found: list[PairFinding] = []
        desired: list[DesiredReference] = []
        for first, second in pairs:
            duty = rules.duties.get(Pair.of(first, second))
            seen = await examine(
                self.detector, first=first, second=second, packages=packages, duty=duty, notes=notes
            )
            desired += seen.desired
            ways.update([seen.detection.way] if seen.detection else [])
            found.append(
                PairFinding(
                    access_package_id=first,
                    incompatible_access_package_id=second,
                    outcome=seen.outcome,
                    holders=holders_of(seen.detection),
                    rules=rule_views(duty),
                )
            )
        return found, desired

    async def close_if_done(self, sweep_id: str, rules: RuleSet) -> None:
        """Plan, write and close, where all parts are done and nobody has closed yet."""
        record = await self.store.get(sweep_id)
        if record is None or record.status.has_ended:
            return
        if len(await self.store.parts_done(sweep_id)) < record.parts:
            return
        whole = await _joined(self.store.findings(sweep_id))
        with metered() as meter:
            enforced = await self._enforce(record, whole, rules)
        whole.requests += meter.requests
        note_groups(rules.named_groups, whole.notes)
        _note_inexpressible(rules, whole.notes)
        note_refused(rules, whole.notes)
        result = self._result(record, whole, enforced)
        await self.store.end(sweep_id, SweepStatus(result.status), msgspec.json.encode(result))
        log.info(
            "sweep %s ended: %s",
            sweep_id,
            result.status,
            extra={"action": "sweep_ended", "sweep_id": sweep_id, "status": result.status},
        )

    async def _enforce(self, record: SweepRecord, whole: _Whole, rules: RuleSet) -> Enforced:
        try:
            enforced = await self.enforcer.enforce(
                whole.desired,
                self.enforcement,
                run_id=record.id,
                rules_hash=record.rules_hash,
                ours=await self._ours(),
                may_prune=self._may_prune(whole, rules),
            )
        except PERMANENT as error:
            whole.notes.skip("the incompatible references of the sweep's packages", error)
            whole.has_gaps = True
            return Enforced()
        if enforced.stopped:
            whole.notes.skip("writing the planned references", enforced.stopped)
        return enforced

    async def _ours(self) -> Collection[Reference]:
        return [
            entry.reference
            async for entry in self.ledger.entries()
            if entry.state is EntryState.WRITTEN
        ]

    def _may_prune(self, whole: _Whole, rules: RuleSet) -> bool:
        """Not where a gap hides what the rules may still ask for."""
        if not self.prune:
            return False
        if whole.has_gaps or whole.rules_hashes != {rules.hash}:
            why = "a part of the sweep has gaps or saw other rules: what is stale is not known"
            whole.notes.skip("removing references that no rule asks for", why)
            return False
        return True

    def _result(self, record: SweepRecord, whole: _Whole, enforced: Enforced) -> SweepResult:
        counts = Counter(finding.outcome for finding in whole.pairs)
        has_gaps = whole.has_gaps or bool(enforced.failed)
        status = SweepStatus.COMPLETED_WITH_GAPS if has_gaps else SweepStatus.COMPLETED
        return SweepResult(
            id=record.id,
            status=status,
            pairs=PairCounts(
                total=len(whole.pairs),
                conflict=counts[Outcome.CONFLICT],
                clear=counts[Outcome.CLEAR],
                unknown=counts[Outcome.UNKNOWN],
            ),
            findings=sum(len(finding.holders) for finding in whole.pairs),
            results=_summaries(whole.pairs)[:MOST_PAIRS_IN_ANSWER],
            references=references_view(enforced),
            drift=_drift_views(enforced.drift, whole),
            coverage=whole.notes.as_coverage(),
            strategy=dict(whole.ways),
            requests=whole.requests,
            started_at=timestamp(record.started_at),
            ended_at=timestamp(self.clock.now()),
            rules_hash=record.rules_hash,
        )


@dataclass(slots=True)
class _Whole:
    """All parts together, while the sweep is being closed."""

    pairs: list[PairFinding] = field(default_factory=list)
    desired: list[DesiredReference] = field(default_factory=list)
    notes: CoverageNotes = field(default_factory=CoverageNotes)
    ways: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    rules_hashes: set[str] = field(default_factory=set)
    has_gaps: bool = False


async def _joined(parts: AsyncIterator[bytes]) -> _Whole:
    whole = _Whole()
    async for data in parts:
        part = _part_decoder.decode(data)
        whole.pairs += part.pairs
        whole.desired += part.desired
        whole.notes.checked += part.coverage.checked
        whole.notes.skipped += part.coverage.skipped
        whole.ways.update(part.ways)
        whole.requests += part.requests
        whole.rules_hashes.add(part.rules_hash)
        whole.has_gaps |= part.has_gaps
    return whole


def _drift_views(drift: Sequence[Drift], whole: _Whole) -> list[DriftView]:
    """Drift for the result; what a pair that was not seen may ask for is not called unasked for."""
    unseen = {
        package
        for pair in whole.pairs
        if pair.outcome is Outcome.UNKNOWN
        for package in (pair.access_package_id, pair.incompatible_access_package_id)
    }
    unasked = (DriftKind.EXTRA, DriftKind.FOREIGN)
    certain = [
        each for each in drift if each.kind not in unasked or each.reference.on not in unseen
    ]
    return [
        DriftView(
            kind=each.kind,
            access_package_id=each.reference.on,
            reference_kind=each.reference.kind,
            target_id=each.reference.target,
        )
        for each in certain[:MOST_DRIFT_IN_ANSWER]
    ]


def _note_inexpressible(rules: RuleSet, notes: CoverageNotes) -> None:
    for each in rules.inexpressible:
        notes.skip(
            f"rule {each.id}: who holds more than {each.count} of {len(each.set_of)} packages",
            "this version counts pairs only, and Entra cannot express it as references",
        )


def _has_gaps(packages: Packages, found: Sequence[PairFinding]) -> bool:
    unreadable = any(not isinstance(each, AccessPackage) for each in packages.values())
    return unreadable or any(pair.outcome is Outcome.UNKNOWN for pair in found)


def _guarding(
    guarded: Sequence[str], packages: Packages, rules: RuleSet, notes: CoverageNotes
) -> list[DesiredReference]:
    desired: list[DesiredReference] = []
    for package_id in guarded:
        package, guard = packages[package_id], rules.guards.get(package_id)
        if not isinstance(package, AccessPackage):
            notes.skip(f"access package {package_id}", package)
        elif guard is not None:
            desired += desired_by_guard(guard, package)
    return desired


def _summaries(pairs: Sequence[PairFinding]) -> list[PairSummary]:
    order = [Outcome.CONFLICT, Outcome.UNKNOWN, Outcome.CLEAR]
    return [
        PairSummary(
            access_package_id=pair.access_package_id,
            incompatible_access_package_id=pair.incompatible_access_package_id,
            outcome=pair.outcome,
            holder_count=len(pair.holders),
            rules=[rule.id for rule in pair.rules],
        )
        for pair in sorted(pairs, key=lambda pair: order.index(pair.outcome))
    ]
