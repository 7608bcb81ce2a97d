"""What a sweep leaves behind: findings brought up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from functions.clock import timestamp
from functions.entra import Pair
from functions.findings.keep import Keeper, Run
from functions.findings.life import Moment
from functions.findings.model import By, Finding
from functions.findings.observe import View
from functions.findings.spool import SortedFile, merged
from functions.rules.resolve import ResolvedRule
from functions.rules.ruleset import RuleSet
from functions.sweeps.conflicts import Conflicts
from functions.sweeps.judge import disagreeing
from functions.sweeps.store import SweepFiles, SweepRecord, SweepStore
from functions.sweeps.whole import Whole


@dataclass(frozen=True, slots=True)
class SweepCovered:
    """What a sweep has read well enough to say that something is not there.

    Attributes:
        asked: pairs that Graph answered for.
        indexed: packages whose assignments were read to their end.
        doubtful: pairs of which the two ways of reading say different things.
    """

    asked: Collection[Pair]
    indexed: Collection[str]
    doubtful: Collection[Pair]

    def pair(self, pair: Pair) -> bool:
        if pair in self.doubtful:
            return False
        return pair in self.asked or all(each in self.indexed for each in pair)

    def set_of(self, rule: ResolvedRule) -> bool:
        return all(each in self.indexed for each in rule.set_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecorder:
    store: SweepStore
    keeper: Keeper

    async def record(
        self, record: SweepRecord, whole: Whole, conflicts: Conflicts, rules: RuleSet
    ) -> None:
        """Bring all findings up to date; doing it twice does it once."""
        async for _ in self._findings(record, whole, conflicts, rules):
            pass

    def _findings(
        self, record: SweepRecord, whole: Whole, conflicts: Conflicts, rules: RuleSet
    ) -> AsyncIterator[Finding]:
        """Bring all findings up to date, and yield them as they then stand."""
        covered = SweepCovered(
            asked=whole.asked.keys(),
            indexed=whole.pages.keys(),
            doubtful={pair for pair, _, _ in disagreeing(whole, conflicts)},
        )
        moment = Moment(
            by=By.SWEEP,
            run=record.id,
            at=timestamp(record.started_at),
            rules_hash=rules.hash,
        )
        view = View(rules=rules, covered=covered, gone=whole.seen.gone)
        files: Sequence[SortedFile] = conflicts.seen
        sightings = merged(SweepFiles(self.store, record.id), files)
        return self.keeper.update(self.keeper.store.all(), sightings, Run(moment, view))
