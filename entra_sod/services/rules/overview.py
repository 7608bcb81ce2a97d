"""The rules in force as people see them: what they select, find and enforce."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.report.enforcement import EnforcementView, enforcement_views
from entra_sod.domain.results.coverage import Outcome, Skipped, rule_gaps
from entra_sod.domain.results.named import named_packages
from entra_sod.domain.results.sweep import SweepEnforcement, SweepResult
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.ruleset import PairConstraints, RuleSet
from entra_sod.ports.storage import Condition
from entra_sod.services.rules.names import read_names
from entra_sod.services.rules.provider import RulesProvider
from entra_sod.services.rules.view import (
    ResolvedSideView,
    RuleOverview,
    RulePage,
)
from entra_sod.services.sweeps.summary import SweepSummary, last_summary
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.sweeps import SweepStore
from entra_sod.stores.write_controls import WriteControls

MAX_PACKAGES_OF_SIDE = 200
# A query of a table takes 15 comparisons: four states, and these rules.
MAX_RULES_IN_QUERY = 11
_results = msgspec.json.Decoder(SweepResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptRules:
    """What the newest sweep that looked says of rules.

    Attributes:
        summary: what it has left for the next one.
        result: its answer; None where it is not kept, or no sweep has looked.
    """

    summary: SweepSummary | None = None
    result: SweepResult | None = None

    def unknown_pairs(self, rule: ResolvedRule, pairs: int) -> int:
        """How many pairs of a rule it did not read; all of them if that is not known."""
        if self.result is None:
            return pairs
        unknown = [each for each in self.result.results if each.outcome == Outcome.UNKNOWN]
        if len(unknown) < self.result.pairs.unknown:
            return pairs
        return sum(rule.id in each.rules for each in unknown)

    def outcome(self, rule: ResolvedRule) -> Outcome:
        """What it says of a rule that is found only."""
        found = self.result.sets if self.result else ()
        return next((each.outcome for each in found if each.rule == rule.id), Outcome.UNKNOWN)

    def is_of(self, rules: RuleSet) -> bool:
        return self.result is not None and self.result.rules_hash == rules.hash

    def enforcement_of(self, rules: RuleSet) -> SweepEnforcement | None:
        """What it kept of enforcement; nothing of it holds once the rules have changed."""
        return self.result.rule_enforcement if self.result and self.is_of(rules) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesOverview:
    """Answers `GET /rules`."""

    provider: RulesProvider
    sweeps: SweepStore
    findings: FindingStore
    controls: WriteControls
    clock: Clock

    async def page(self, limit: int, after: str) -> RulePage:
        """Describe the rules behind an id, by their ids.

        Raises:
            GraphError: the tenant's list of packages is needed, and cannot be read.
        """
        rules = await self.provider.at_hand()
        behind = [each for each in rules.rules if each.id > after]
        wanted = behind[:limit]
        swept, names = await self._swept(), await read_names(self.provider)
        views = _RuleViews(
            rules=rules,
            swept=swept,
            names=names,
            standing=await self._standing(wanted),
            enforcement=enforcement_views(
                swept.enforcement_of(rules),
                wanted,
                is_frozen=await self.controls.frozen() is not None,
            ),
        )
        return RulePage(
            as_of=timestamp(self.clock.now()),
            rules_hash=rules.hash,
            problem=self.provider.problem,
            sweep=swept.result.id if swept.result else None,
            gaps=list(rule_gaps(rules)),
            # In a thread: pairs are counted, of which there may be many.
            rules=await asyncio.to_thread(views.of, wanted),
            total=len(rules.rules),
            more=len(behind) > len(wanted),
        )

    async def _swept(self) -> SweptRules:
        summary = await last_summary(self.sweeps)
        record = await self.sweeps.get(summary.sweep_id) if summary else None
        data = await self.sweeps.result(record) if record else None
        return SweptRules(summary=summary, result=_results.decode(data) if data else None)

    async def _standing(self, wanted: Sequence[ResolvedRule]) -> Mapping[str, int]:
        """How many findings stand, by rule."""
        where = [[Condition("state", "eq", str(each)) for each in FindingState if each.is_held]]
        if 0 < len(wanted) <= MAX_RULES_IN_QUERY:
            where.append([Condition("rule", "eq", each.id) for each in wanted])
        found = self.findings.all(where=where)
        return Counter([each.finding.rule async for each in found])


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleViews:
    """Makes the views of rules."""

    rules: RuleSet
    swept: SweptRules
    names: Mapping[str, AccessPackage]
    standing: Mapping[str, int]
    enforcement: Mapping[str, EnforcementView]

    def of(self, wanted: Sequence[ResolvedRule]) -> list[RuleOverview]:
        return [self._view(each) for each in wanted]

    def _view(self, resolved: ResolvedRule) -> RuleOverview:
        rule, pairs = resolved.rule, len(PairConstraints([resolved]))
        gaps = [*rule_gaps(_alone(self.rules), [resolved]), *self._unchecked(resolved, pairs)]
        exceptions = sum(each.rule == rule.id for each in self.rules.exceptions)
        return RuleOverview(
            id=rule.id,
            title=rule.title,
            severity=rule.severity,
            mode=rule.mode,
            owner=rule.owner,
            owners=rule.owners,
            process=rule.process,
            tags=rule.tags,
            frameworks=[str(each) for each in rule.frameworks],
            control=rule.control,
            advice=rule.advice,
            form=rule.form,
            allowed=resolved.count,
            found_only=resolved.is_found_only,
            version=version_of(resolved),
            sides=self._sides(resolved),
            pairs=pairs,
            enforcement=self.enforcement[rule.id],
            gaps=gaps,
            findings=self._findings(resolved, pairs),
            exceptions=exceptions,
        )

    def _sides(self, resolved: ResolvedRule) -> list[ResolvedSideView]:
        if resolved.rule.at_most is not None:
            return [self._side(ResolvedSide(resolved.set_of, frozenset()))]
        return [self._side(each) for each in resolved.all_sides]

    def _side(self, side: ResolvedSide) -> ResolvedSideView:
        return ResolvedSideView(
            packages=named_packages(side.packages, self.names)[:MAX_PACKAGES_OF_SIDE],
            package_count=len(side.packages),
            groups=sorted(side.groups),
            every=side.every,
        )

    def _findings(self, rule: ResolvedRule, pairs: int) -> int | None:
        """None if nothing was read: a rule without a finding is not clear for that."""
        standing = self.standing.get(rule.id, 0)
        if standing or self._was_checked(rule, pairs):
            return standing
        return None

    def _was_checked(self, rule: ResolvedRule, pairs: int) -> bool:
        if not self.swept.is_of(self.rules):
            return False
        if rule.is_found_only:
            return self.swept.outcome(rule) != Outcome.UNKNOWN
        return pairs > self.swept.unknown_pairs(rule, pairs)

    def _unchecked(self, rule: ResolvedRule, pairs: int) -> Iterator[Skipped]:
        if not self.swept.is_of(self.rules):
            why = "no sweep with these rules has ended whose result is kept"
            yield Skipped(what=f"conflicts with rule {rule.id}", why=why)
        elif rule.is_found_only:
            if self.swept.outcome(rule) == Outcome.UNKNOWN:
                why = "the newest sweep could not read all of its packages"
                yield Skipped(what=f"conflicts with rule {rule.id}", why=why)
        elif unknown := self.swept.unknown_pairs(rule, pairs):
            what = f"{unknown:,} of {pairs:,} pairs of rule {rule.id}"
            yield Skipped(what=what, why="the newest sweep could not look at them")


def _alone(rules: RuleSet) -> RuleSet:
    """A rule set without the gaps of all rules, which the page shows once."""
    return RuleSet((), listed=rules.listed)


def version_of(rule: ResolvedRule) -> str:
    """Name what is written of a rule, the classes that it leads to among it."""
    data = msgspec.json.encode([rule.rule, sorted(rule.classes.items())])
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
