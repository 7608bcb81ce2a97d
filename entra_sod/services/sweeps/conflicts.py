"""The conflicts of a whole sweep: counted, and spooled as what was seen of each finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.model import FindingNames
from entra_sod.domain.findings.observe import observed_conflicts
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.sweeps.part_results import PairFinding
from entra_sod.services.findings.external_sort import ExternalSorter, SortedFile


@dataclass(slots=True)
class SweepConflicts:
    """What a sweep counted.

    Attributes:
        holders: of each pair in conflict by the index, or that was read in part, how many subjects
            hold both.
        also_indexed: the same by the index, of pairs that Graph answered for before.
        held: of each package of the index, how many subjects hold it.
        over: of each rule that is found only, how many subjects are in conflict with it.
        alone: of each package that meets a rule by itself, with that rule, how many hold it.
        findings: a subject and a pair, or a subject and a rule that is found only, is one.
        excepted: how many of them an exception permits for now.
        seen: files of what was seen of each finding.
    """

    holders: Counter[Pair] = field(default_factory=Counter)
    also_indexed: Counter[Pair] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)
    alone: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: int = 0
    excepted: int = 0
    seen: Sequence[SortedFile] = ()


@dataclass(frozen=True, slots=True)
class ConflictCollector:
    """Takes every conflict once: counts it, and spools what was seen of its findings.

    Attributes:
        known: what the findings that there are and their subjects are called.
        taken: pairs whose holders Graph answered for; the index may have both packages, too.
    """

    rules: RuleSet
    known: FindingNames
    spool: ExternalSorter
    conflicts: SweepConflicts = field(default_factory=SweepConflicts)
    taken: set[Pair] = field(default_factory=set)

    async def add_asked(self, found: PairFinding) -> None:
        """Take the conflicts of a pair that Graph answered for, or in part."""
        pair = Pair.of(found.access_package_id, found.incompatible_access_package_id)
        constraint = self.rules.constraints.get(pair)
        if constraint is None:
            return
        if found.holders and found.outcome is Outcome.UNKNOWN:
            self.conflicts.holders[pair] += len(found.holders)
        if found.holders or found.outcome is not Outcome.UNKNOWN:
            self.taken.add(pair)
        for each in found.holders:
            await self._add(
                DetectedConflict(rules=constraint.rules, packages=(*pair,), subject=each.subject)
            )

    async def add_indexed(self, conflict: DetectedConflict) -> None:
        rule = conflict.rules[0].id
        if conflict.kind is ConflictKind.PACKAGE:
            self.conflicts.alone[conflict.packages[0], rule] += 1
        elif conflict.pair is None:
            self.conflicts.over[rule] += 1
        elif conflict.pair in self.taken:
            self.conflicts.also_indexed[conflict.pair] += 1
            return
        else:
            self.conflicts.holders[conflict.pair] += 1
        await self._add(conflict)

    async def finish(self) -> SweepConflicts:
        self.conflicts.seen = await self.spool.finish()
        return self.conflicts

    async def _add(self, conflict: DetectedConflict) -> None:
        rule_ids = [each.id for each in conflict.rules]
        observed = [*observed_conflicts(conflict, self.known)]
        ids = (observed[0].subject_id, observed[0].object_id)
        self.conflicts.findings += 1
        is_overridden = conflict.use is not None and conflict.use.until is not None
        is_excepted = is_overridden or self.rules.exceptions_for(rule_ids, ids)
        self.conflicts.excepted += bool(is_excepted)
        for sighting in observed:
            await self.spool.add(sighting)
