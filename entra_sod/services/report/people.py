"""Who is in conflict with which rule, counted finding by finding. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from entra_sod.domain.findings.model import Finding, FindingState


@dataclass(slots=True)
class RulePeople:
    """Who is in conflict with one rule.

    Attributes:
        violating: keys of subjects that no exception permits.
        excepted: keys of subjects that an exception permits.
        oldest: when the oldest finding that no exception permits was seen first.
        packages: how many findings each package is part of.
    """

    violating: set[str] = field(default_factory=set)
    excepted: set[str] = field(default_factory=set)
    oldest: str | None = None
    packages: Counter[str] = field(default_factory=Counter)

    def add(self, found: Finding) -> None:
        if found.state is FindingState.EXCEPTED:
            self.excepted.add(found.subject_key)
            return
        self.violating.add(found.subject_key)
        self.packages.update(found.packages)
        self.oldest = min(self.oldest or found.first_seen, found.first_seen)


@dataclass(slots=True)
class PeopleTotals:
    """Who is in conflict, by rule.

    Attributes:
        are_people: whether every subject is a user, as far as Graph says.
    """

    are_people: bool = True
    _rules: dict[str, RulePeople] = field(default_factory=dict)

    def add(self, found: Finding) -> None:
        """Count a finding that stands."""
        self._rules.setdefault(found.rule, RulePeople()).add(found)
        self.are_people &= (found.subject_type or "user").lower() == "user"

    def of(self, rule: str) -> RulePeople:
        return self._rules.get(rule, RulePeople())

    def violating(self) -> int:
        """How many are in a conflict that no exception permits, each once."""
        return len(self._all_violating())

    def only_excepted(self) -> int:
        """How many are in conflicts that exceptions permit, and in no other."""
        excepted = set[str]().union(*(each.excepted for each in self._rules.values()))
        return len(excepted - self._all_violating())

    def _all_violating(self) -> set[str]:
        return set[str]().union(*(each.violating for each in self._rules.values()))
