"""All findings, counted one by one; the gravest of them kept. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.entra import Pair
from functions.findings.model import State
from functions.report.bounds import MOST_FINDINGS
from functions.report.port import FindingRecord
from functions.rules.language import Severity

GRAVEST_FIRST: tuple[Severity | None, ...] = (*reversed(Severity), None)
_PAIR = 2


def rank(severity: Severity | None) -> int:
    """0 for the gravest; of what no rule in force rates, the last."""
    return GRAVEST_FIRST.index(severity)


@dataclass(slots=True)
class PairTally:
    """The findings of one pair: how many, how many of them excepted, and under which rules."""

    findings: int = 0
    excepted: int = 0
    rules: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Tally:
    """What was counted; those that do not stand are listed, and in no count but `total`.

    Attributes:
        severities: of the rules in force, by id.
        is_whole: whether every finding was seen.
    """

    severities: Mapping[str, Severity]
    total: int = 0
    is_whole: bool = True
    pairs: dict[Pair, PairTally] = field(default_factory=dict)
    by_rule: Counter[str] = field(default_factory=Counter)
    _kept: dict[Severity | None, list[FindingRecord]] = field(
        default_factory=lambda: {each: [] for each in GRAVEST_FIRST}
    )

    def add(self, found: FindingRecord) -> None:
        self.total += 1
        kept = self._kept[self.severities.get(found.rule)]
        if len(kept) < MOST_FINDINGS:
            kept.append(found)
        if not found.state.stands:
            return
        self.by_rule[found.rule] += 1
        if len(found.packages) == _PAIR:
            of_pair = self.pairs.setdefault(Pair.of(*found.packages), PairTally())
            of_pair.findings += 1
            of_pair.excepted += found.state is State.EXCEPTED
            of_pair.rules.add(found.rule)

    def gravest(self) -> list[FindingRecord]:
        """The gravest findings, as many as a report takes."""
        return [each for severity in GRAVEST_FIRST for each in self._kept[severity]][:MOST_FINDINGS]
