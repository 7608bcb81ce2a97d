"""All findings, counted one by one; those that stand and the gravest of them kept. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, product

import msgspec

from entra_sod.domain.entra import Pair
from entra_sod.domain.findings.model import Finding, FindingState
from entra_sod.domain.report.changes import ChangeTotals
from entra_sod.domain.rules.language import Severity
from entra_sod.services.report.people import PeopleTotals

GRAVEST_FIRST: tuple[Severity | None, ...] = (*reversed(Severity), None)
MAX_FINDINGS = 20_000

type _SeverityKey = tuple[bool, Severity]


def rank(severity: Severity | None) -> int:
    """0 for the gravest; of what no rule in force rates, the last."""
    return GRAVEST_FIRST.index(severity)


@dataclass(slots=True)
class PairTotals:
    """The findings of one pair: how many, how many of them excepted, and under which rules."""

    findings: int = 0
    excepted: int = 0
    rules: set[str] = field(default_factory=set)


@dataclass(slots=True)
class FindingTotals:
    """What was counted; those that do not stand are listed, and in no count but `total`.

    What a report does not take is not held either: the gravest push the others out.

    Attributes:
        severities: of the rules in force, by id.
        standing: how many stand, excepted or not.
        is_whole: whether every finding was seen.
        people: who is in conflict, by rule.
        changes: what the sweep of the report changed.
    """

    severities: Mapping[str, Severity]
    total: int = 0
    standing: int = 0
    is_whole: bool = True
    pairs: dict[Pair, PairTotals] = field(default_factory=dict)
    by_rule: Counter[str] = field(default_factory=Counter)
    people: PeopleTotals = field(default_factory=PeopleTotals)
    changes: ChangeTotals = field(default_factory=ChangeTotals)
    _kept: dict[_SeverityKey, list[Finding]] = field(
        default_factory=lambda: {each: [] for each in product((True, False), reversed(Severity))}
    )

    def add(self, found: Finding) -> None:
        self.total += 1
        self.changes.add(found)
        self._keep(found)
        if not found.state.is_held:
            return
        self.standing += 1
        self.by_rule[found.rule] += 1
        self.people.add(found)
        if found.pair is not None:
            of_pair = self.pairs.setdefault(found.pair, PairTotals())
            of_pair.findings += 1
            of_pair.excepted += found.state is FindingState.EXCEPTED
            of_pair.rules.add(found.rule)

    def gravest(self) -> list[Finding]:
        """As many findings as a report takes: those that stand first, and the gravest of each."""
        return list(chain.from_iterable(self._kept.values()))

    def _keep(self, found: Finding) -> None:
        without_history = msgspec.structs.replace(found, history=())
        self._kept[found.state.is_held, Severity(found.severity)].append(without_history)
        if self.total > MAX_FINDINGS:
            next(each for each in reversed(self._kept.values()) if each).pop()
