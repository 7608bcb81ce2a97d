"""From the rules and from what a run could read to a look at each finding. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from entra_sod.domain.detection.join import DetectedConflict
from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.lifecycle import Absent, Observation, OutOfScope, Present, Unknown
from entra_sod.domain.findings.model import (
    ActiveException,
    Finding,
    FindingNames,
    ObservedConflict,
)
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import ToxicPackages


def _knows_nothing(_rule: ResolvedRule, _package: str) -> bool:
    return False


@dataclass(frozen=True)
class FindingObserver:
    """What a run can say of findings: what it looked at well, and did not see, is not there.

    Attributes:
        asked: pairs that Graph answered for.
        indexed: packages whose assignments were read to their end.
        doubtful: pairs of which two ways of reading say different things.
        gone: packages that Graph says do not exist.
        toxic: packages that meet rules by themselves.
        knows_grants: whether it is known that a package does not meet a rule by itself, if it is
            not among them.
    """

    rules: RuleSet
    asked: Collection[Pair] = ()
    indexed: Collection[str] = ()
    doubtful: Collection[Pair] = ()
    gone: Collection[str] = ()
    toxic: ToxicPackages = field(default_factory=dict)
    knows_grants: Callable[[ResolvedRule, str], bool] = _knows_nothing

    def observe(self, finding: Finding | None, conflict: ObservedConflict | None) -> Observation:
        """What is to be made of a finding, an observed conflict, or both."""
        if conflict is not None:
            ids = (conflict.subject_id, conflict.object_id)
            exceptions = [self._active_exception(conflict.rule, ids), _permit(conflict)]
            return Present(conflict, _lasting_longest(exceptions))
        if finding is None:
            raise ValueError("there is nothing to look at")
        if off := self._out_of_scope_reason(finding):
            return OutOfScope(off)
        if self._is_covered(finding):
            return Absent()
        exception = self._active_exception(finding.rule, finding.subject_ids)
        return Unknown(_lasting_longest([exception, self._active_override(finding)]))

    def _active_exception(
        self, rule: str, subject_ids: Iterable[str | None]
    ) -> ActiveException | None:
        """The exception that lasts longest."""
        found = self.rules.exceptions_for([rule], subject_ids)
        return _lasting_longest(ActiveException(id=each.id, until=each.end) for each in found)

    def _active_override(self, finding: Finding) -> ActiveException | None:
        """The override that permitted the assignment when it was last seen, if it still may."""
        permit, day = _permit(finding), self.rules.day
        is_over = permit is not None and day is not None and permit.until < day
        is_there = self.rules.override_of(finding.rule, finding.package) is not None
        return permit if is_there and not is_over else None

    def _out_of_scope_reason(self, finding: Finding) -> str:
        rule, pair = self._rules.get(finding.rule), finding.pair
        if rule is None:
            return f"the rule {finding.rule} is not in force"
        if finding.package:
            return self._why_not_toxic(rule, finding.package)
        if pair is None:
            return "" if rule.is_found_only else f"the rule {rule.id} keeps pairs apart now"
        if gone := sorted(each for each in pair if each in self.gone):
            return f"access package {gone[0]} is gone"
        constraint = self.rules.constraints.get(pair)
        if constraint is None or rule.id not in constraint.rule_ids:
            return f"the rule {rule.id} does not keep these packages apart any more"
        return ""

    def _why_not_toxic(self, rule: ResolvedRule, package: str) -> str:
        """Why no subject can be in conflict by holding the package; empty if not known."""
        if package in self.gone:
            return f"access package {package} is gone"
        if self._is_toxic(rule.id, package) or not self.knows_grants(rule, package):
            return ""
        return f"the access package does not meet the rule {rule.id} by itself any more"

    def _is_toxic(self, rule: str, package: str) -> bool:
        return any(each.rule.id == rule for each in self.toxic.get(package, ()))

    def _is_covered(self, finding: Finding) -> bool:
        if finding.package:
            is_indexed = finding.package in self.indexed
            return is_indexed and self._is_toxic(finding.rule, finding.package)
        if finding.pair is None:
            return all(each in self.indexed for each in self._rules[finding.rule].packages)
        if finding.pair in self.doubtful:
            return False
        return finding.pair in self.asked or all(each in self.indexed for each in finding.pair)

    @cached_property
    def _rules(self) -> Mapping[str, ResolvedRule]:
        return {rule.id: rule for rule in self.rules.rules}


def _lasting_longest(exceptions: Iterable[ActiveException | None]) -> ActiveException | None:
    found = (each for each in exceptions if each)
    return max(found, key=lambda each: (each.until, each.id), default=None)


def _permit(conflict: ObservedConflict) -> ActiveException | None:
    """What an override permits, as an exception."""
    until = conflict.override_until
    return ActiveException(id=conflict.override, until=until) if until else None


def observed_conflicts(
    conflict: DetectedConflict, known: FindingNames
) -> Iterator[ObservedConflict]:
    """One finding for each rule that a conflict is against.

    Args:
        conflict: that was found.
        known: what the findings that there are and their subjects are called.
    """
    held, subject = tuple(sorted(conflict.packages)), known.complete(conflict.subject)
    package, use = held[0] if conflict.kind is ConflictKind.PACKAGE else "", conflict.use
    for rule in conflict.rules:
        yield ObservedConflict(
            id=known.id_of(rule.id, conflict.pair, subject, package=package),
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
            why=f"{conflict.why}; {use.why}" if use else conflict.why,
            override=use.override if use else "",
            override_until=use.until if use else None,
        )
