"""From what is stored to what a report says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from entra_sod.core.clock import timestamp
from entra_sod.core.version import VERSION
from entra_sod.domain.enforcement.budget import WritingState
from entra_sod.domain.entra import AccessPackage, Pair
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.findings.views import view as finding_view
from entra_sod.domain.portal import portal_links
from entra_sod.domain.report.changes import compare_sweeps
from entra_sod.domain.report.enforcement import enforcement_views, sum_up
from entra_sod.domain.results.coverage import Outcome, Skipped
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepEnforcement, SweepResult
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.services.report.page_index import PageIndex, SideIndex
from entra_sod.services.report.rule_views import RuleViewer
from entra_sod.services.report.totals import MAX_FINDINGS, FindingTotals, PairTotals, rank
from entra_sod.services.report.trend import RuleTrends, trend_points
from entra_sod.services.report.verdicts import PairsChecked, VerdictInput
from entra_sod.services.report.view import (
    CellView,
    ExceptionInForce,
    ReportView,
    SweepView,
)

# How much a report takes, so that it opens anywhere. What is over is counted, and said.
MAX_PAIRS = 100_000
MAX_RULES = 2_000
MAX_EXCEPTIONS = 5_000
MAX_DRIFT_LINES = 1_000


@dataclass(slots=True, kw_only=True)
class ReportInput:
    """What was read; makes the view of it, once.

    Attributes:
        result: of the sweep that the report is about; None if there is none.
        earlier: results of ended sweeps, this one among them, oldest first.
        totals: of all findings.
        names: packages that may be read.
        gaps: what could not be read for the report.
        left_out: what the view has no room for.
        newest_failed: whether the newest sweep failed.
        tenant: its id; empty where it is not known.
        graph_root: of Microsoft Graph, which names the cloud.
    """

    now: datetime
    rules: RuleSet
    result: SweepResult | None
    earlier: Sequence[SweepResult]
    totals: FindingTotals
    names: Iterable[AccessPackage]
    gaps: Sequence[Skipped]
    writing: WritingState
    left_out: list[Skipped] = field(default_factory=list)
    newest_failed: bool = False
    tenant: str = ""
    graph_root: str = ""

    def view(self) -> ReportView:
        result, tally, day = self.result, self.totals, self.now.date()
        in_force = self._cut(list(self.rules.rules), MAX_RULES, "rules")
        pairs, kept = self._pairs(), tally.gravest()
        self._say_findings(tally.total)
        page_index = PageIndex(_used(pairs, kept, in_force), self.names)
        sides = SideIndex(page_index)
        cells = self._cells(pairs, page_index, in_force)
        gaps, verdicts, enforced = self._gaps(), self._verdicts, self._enforcement_kept()
        viewer = RuleViewer(
            verdicts=verdicts,
            sides=sides,
            trends=RuleTrends(self.earlier, self.rules.hash),
            checked=PairsChecked.by_rule(cells, in_force),
            enforcement=enforcement_views(enforced, in_force, is_frozen=bool(self.writing.frozen)),
        )
        facts = [viewer.facts(each) for each in in_force]
        rules = [viewer.view(*each) for each in zip(in_force, facts, strict=True)]
        return ReportView(
            generated_at=timestamp(self.now),
            tool_version=VERSION,
            rules_hash=self.rules.hash,
            sweep=self._sweep(result) if result else None,
            gaps=gaps,
            packages=page_index.views,
            rules=rules,
            sides=sides.views,
            cells=cells,
            findings=[finding_view(each) for each in kept],
            findings_total=tally.total,
            findings_standing=tally.standing,
            exceptions=self._exceptions(day),
            drift=result.drift if result else [],
            trend=trend_points(self.earlier),
            writing=self.writing,
            toxic_packages=result.toxic_packages if result else [],
            overlaps=result.overlaps if result else [],
            left_out=self.left_out,
            tenant=self.tenant,
            verdict=verdicts.verdict(facts),
            enforcement=sum_up(
                [each.enforcement for each in rules], enforced.setting if enforced else None
            ),
            changes=compare_sweeps(self._before(), result, tally.changes) if result else None,
            steps=verdicts.steps(rules, gaps, day),
            portal=portal_links(self.graph_root, self.tenant),
        )

    @property
    def _verdicts(self) -> VerdictInput:
        return VerdictInput(
            rules=self.rules,
            result=self.result,
            totals=self.totals,
            newest_failed=self.newest_failed,
            left_out=self._left_out_outcome(),
        )

    def _left_out_outcome(self) -> Outcome | None:
        """The outcome of pairs without a cell that nothing names; None where every pair has one."""
        if len(self.rules.constraints) <= MAX_PAIRS:
            return None
        return PairOutcomeLookup(self.result, self.totals, self.rules.hash).rest

    def _enforcement_kept(self) -> SweepEnforcement | None:
        """What the sweep kept; nothing of it holds once the rules have changed."""
        result = self.result
        is_current = result is not None and result.rules_hash == self.rules.hash
        return result.rule_enforcement if result is not None and is_current else None

    def _before(self) -> SweepResult | None:
        """The newest sweep before the report's that did not fail."""
        if self.result is None:
            return None
        earlier = [
            each
            for each in self.earlier
            if each.started_at < self.result.started_at and each.status != SweepStatus.FAILED
        ]
        return earlier[-1] if earlier else None

    def _cut[T](self, items: list[T], most: int, what: str) -> list[T]:
        """The first so many of a list; where it has more, `left_out` says how many."""
        if len(items) > most:
            why = f"a report takes {most:,} of them at most, and there are {len(items):,}"
            self.left_out.append(Skipped(what=f"{len(items) - most:,} {what}", why=why))
        return items[:most]

    def _say_findings(self, total: int) -> None:
        if total > MAX_FINDINGS:
            why = (
                f"a report takes {MAX_FINDINGS:,}: those that stand before those that are over, "
                "the gravest first; all that stand are in the counts"
            )
            self.left_out.append(Skipped(what=f"{total - MAX_FINDINGS:,} findings", why=why))

    def _pairs(self) -> list[Pair]:
        """Pairs with findings first, then those that are kept apart, as many as a report takes."""
        found = self.totals.pairs
        others = (pair for pair in self.rules.constraints if pair not in found)
        pairs = [*islice((*sorted(found),), MAX_PAIRS)]
        pairs += islice(others, MAX_PAIRS - len(pairs))
        if len(found) > MAX_PAIRS or next(others, None) is not None:
            why = f"a report's matrix takes {MAX_PAIRS:,} pairs, those with findings first"
            self.left_out.append(Skipped(what="further pairs of the rules", why=why))
        return pairs

    def _sweep(self, result: SweepResult) -> SweepView:
        checked = result.coverage.checked
        return SweepView(
            id=result.id,
            status=result.status,
            started_at=result.started_at,
            ended_at=result.ended_at,
            rules_hash=result.rules_hash,
            is_current=result.rules_hash == self.rules.hash,
            pairs=result.pairs,
            conflicts=result.findings,
            excepted=result.excepted,
            references=result.reference_counts,
            assignments=result.assignments,
            strategy=result.strategy.chosen,
            why=result.strategy.why,
            checked=self._cut(checked, MAX_DRIFT_LINES, "lines of what was checked"),
        )

    def _gaps(self) -> list[Skipped]:
        result = self.result
        gaps = [*self.gaps, *(result.coverage.skipped if result else ())]
        return self._cut(gaps, MAX_DRIFT_LINES, "lines of what was not checked")

    def _cells(
        self, pairs: Sequence[Pair], page_index: PageIndex, in_force: Sequence[ResolvedRule]
    ) -> list[CellView]:
        known = PairOutcomeLookup(self.result, self.totals, self.rules.hash)
        rule_places = {each.id: place for place, each in enumerate(in_force)}
        return [self._cell(pair, known, page_index, rule_places) for pair in pairs]

    def _cell(
        self,
        pair: Pair,
        known: PairOutcomeLookup,
        page_index: PageIndex,
        rule_places: dict[str, int],
    ) -> CellView:
        tally, constraint = self.totals, self.rules.constraints.get(pair)
        found = tally.pairs.get(pair, PairTotals())
        asked = constraint.rule_ids if constraint else ()
        severities = [tally.severities.get(each) for each in (found.rules or asked)]
        return CellView(
            packages=(page_index.of[pair.low], page_index.of[pair.high]),
            rules=[rule_places[each] for each in asked if each in rule_places],
            outcome=known.outcome(pair),
            severity=min(severities, key=rank, default=None),
            findings=found.findings,
            excepted=found.excepted,
        )

    def _exceptions(self, day: date) -> list[ExceptionInForce]:
        soonest = sorted(self.rules.exceptions, key=lambda each: (each.end, each.id))
        kept = self._cut(soonest, MAX_EXCEPTIONS, "exceptions")
        return [_exception(each, day) for each in kept]


def _used(
    pairs: Sequence[Pair], kept: Sequence[Finding], in_force: Sequence[ResolvedRule]
) -> set[str]:
    """Every package that the report names."""
    used = {each for pair in pairs for each in pair}
    used.update(each for found in kept for each in (*found.packages, *found.missing))
    used.update(package for rule in in_force for package in rule.packages)
    return used


class PairOutcomeLookup:
    """What a sweep says of each pair, though its result lists a thousand at most."""

    def __init__(self, result: SweepResult | None, tally: FindingTotals, rules_hash: str) -> None:
        self._tally = tally
        listed = result.results if result else []
        self._listed = {
            Pair.of(each.access_package_id, each.incompatible_access_package_id): each.outcome
            for each in listed
        }
        self.rest = Outcome.UNKNOWN
        if result is not None and result.rules_hash == rules_hash and self._is_whole(result):
            self.rest = Outcome.CLEAR

    def _is_whole(self, result: SweepResult) -> bool:
        """Whether every pair that is not clear is listed, or has findings."""
        outcomes = list(self._listed.values())
        if outcomes.count(Outcome.UNKNOWN) < result.pairs.unknown:
            return False
        return self._tally.is_whole or outcomes.count(Outcome.CONFLICT) >= result.pairs.conflict

    def outcome(self, pair: Pair) -> Outcome:
        """Never clear unless the sweep says so, by name or by listing all that is not."""
        if pair in self._tally.pairs:
            return Outcome.CONFLICT
        return self._listed.get(pair, self.rest)


def _exception(entry: ExceptionEntry, day: date) -> ExceptionInForce:
    return ExceptionInForce(
        id=entry.id,
        rule=entry.rule,
        subject=entry.subject,
        user_principal_name=entry.upn,
        until=entry.end.isoformat(),
        days_left=(entry.end - day).days,
        reason=entry.reason,
        approved_by=entry.approved_by,
    )
