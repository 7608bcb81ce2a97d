"""What earlier sweeps found, rule by rule. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.results.status import SweepStatus
from entra_sod.domain.results.sweep import SweepResult
from entra_sod.services.report.view import TrendPoint


def trend_points(results: Iterable[SweepResult]) -> list[TrendPoint]:
    return [
        TrendPoint(
            id=each.id,
            ended_at=each.ended_at,
            status=each.status,
            conflicts=each.findings,
            unknown=each.pairs.unknown,
        )
        for each in results
    ]


class RuleTrends:
    """Holders in conflict under each rule, sweep by sweep, as far as their results tell."""

    def __init__(self, results: Sequence[SweepResult], rules_hash: str) -> None:
        self._holders = [_holders(each) for each in results]
        self._is_current = [each.rules_hash == rules_hash for each in results]

    def of(self, rule: str) -> list[int | None]:
        """One number for each sweep; None where it failed, was too large, or checked no pair."""
        return [
            None if found is None else found.get(rule, 0 if is_current else None)
            for found, is_current in zip(self._holders, self._is_current, strict=True)
        ]


def _holders(result: SweepResult) -> dict[str, int | None] | None:
    listed = Counter(each.outcome for each in result.results)
    is_cut = listed[Outcome.CONFLICT] < result.pairs.conflict
    is_cut |= listed[Outcome.UNKNOWN] < result.pairs.unknown
    if result.status == SweepStatus.FAILED or is_cut:
        return None
    found, checked = Counter[str](), set[str]()
    summaries = [(each.rules, each.outcome, each.holder_count) for each in result.results]
    summaries += [([each.rule], each.outcome, each.holder_count) for each in result.sets]
    summaries += [([each.rule], each.outcome, each.holder_count) for each in result.toxic_packages]
    for rules, outcome, holders in summaries:
        found.update(dict.fromkeys(rules, holders))
        if outcome is not Outcome.UNKNOWN:
            checked.update(rules)
    return {rule: count if rule in checked else None for rule, count in found.items()}
