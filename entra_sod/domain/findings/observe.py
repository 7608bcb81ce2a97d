"""From the rules and from what a run could read to a look at each finding. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.lifecycle import Absent, Observation, OutOfScope, Present, Unknown
from entra_sod.domain.findings.model import ActiveException, Finding, ObservedConflict, finding_id
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet


@dataclass(frozen=True)
class FindingObserver:
    """What a run can say of findings: what it looked at well, and did not see, is not there.

    Attributes:
        asked: pairs that Graph answered for.
        indexed: packages whose assignments were read to their end.
        doubtful: pairs of which two ways of reading say different things.
        gone: packages that Graph says do not exist.
    """

    rules: RuleSet
    asked: Collection[Pair] = ()
    indexed: Collection[str] = ()
    doubtful: Collection[Pair] = ()
    gone: Collection[str] = ()

    def observe(self, finding: Finding | None, conflict: ObservedConflict | None) -> Observation:
        """What is to be made of a finding, an observed conflict, or both."""
        if conflict is not None:
            ids = (conflict.subject_id, conflict.object_id)
            return Present(conflict, self._active_exception(conflict.rule, ids))
        if finding is None:
            raise ValueError("there is nothing to look at")
        if off := self._out_of_scope_reason(finding):
            return OutOfScope(off)
        if self._is_covered(finding):
            return Absent()
        return Unknown(self._active_exception(finding.rule, finding.subject_ids))

    def _active_exception(
        self, rule: str, subject_ids: Iterable[str | None]
    ) -> ActiveException | None:
        """The exception that lasts longest."""
        found = self.rules.exceptions_for([rule], subject_ids)
        longest = max(found, key=lambda each: (each.end, each.id), default=None)
        return ActiveException(id=longest.id, until=longest.end) if longest else None

    def _out_of_scope_reason(self, finding: Finding) -> str:
        rule, pair = self._rules.get(finding.rule), finding.pair
        if rule is None:
            return f"the rule {finding.rule} is not in force"
        if pair is None:
            return "" if rule.is_found_only else f"the rule {rule.id} keeps pairs apart now"
        if gone := sorted(each for each in pair if each in self.gone):
            return f"access package {gone[0]} is gone"
        constraint = self.rules.constraints.get(pair)
        if constraint is None or rule.id not in constraint.rule_ids:
            return f"the rule {rule.id} does not keep these packages apart any more"
        return ""

    def _is_covered(self, finding: Finding) -> bool:
        if finding.pair is None:
            return all(each in self.indexed for each in self._rules[finding.rule].packages)
        if finding.pair in self.doubtful:
            return False
        return finding.pair in self.asked or all(each in self.indexed for each in finding.pair)

    @cached_property
    def _rules(self) -> Mapping[str, ResolvedRule]:
        return {rule.id: rule for rule in self.rules.rules}


def observed_conflicts(
    conflict: DetectedConflict, known: Mapping[str, str]
) -> Iterator[ObservedConflict]:
    """One finding for each rule that a conflict is against.

    Args:
        conflict: that was found.
        known: what `ids_as_found` says of the findings that there are.
    """
    held, subject = tuple(sorted(conflict.packages)), conflict.subject
    for rule in conflict.rules:
        names = [finding_id(rule.id, conflict.pair, key) for key in (subject.key, subject.id)]
        yield ObservedConflict(
            id=next((known[name] for name in names if name in known), names[0]),
            rule=rule.id,
            severity=rule.severity,
            owner=rule.owner,
            packages=held,
            subject_id=subject.id,
            object_id=subject.object_id,
            display_name=subject.display_name,
            subject_type=subject.subject_type,
            kind=conflict.kind,
            missing=tuple(conflict.missing),
            process=rule.process or "",
            tags=tuple(rule.tags),
            frameworks=tuple(str(each) for each in rule.frameworks),
            owners=tuple(rule.owners),
        )
