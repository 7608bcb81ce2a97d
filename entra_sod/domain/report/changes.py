"""What changed since the sweep before: findings, rules, and what Entra enforces. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from entra_sod.domain.findings.model import Change, Finding, FindingState
from entra_sod.domain.report.enforcement import sweep_views
from entra_sod.domain.results.rule_references import MAX_RULES_KEPT
from entra_sod.domain.results.sweep import SweepEnforcement, SweepResult

MAX_CHANGED_FINDINGS = 1_000  # of each kind, by id; all are counted
_KINDS = ("new", "reopened", "resolved", "expired")


class ChangedFindings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Findings that a sweep changed in one way: all counted, and the first 1,000 by id."""

    total: int
    ids: list[str]


class ChangedEnforcement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule of which Entra enforces more, or less, than before; both in words."""

    rule: str
    before: str
    after: str


class ReportChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What changed between two sweeps.

    Attributes:
        sweep: id of the sweep before.
        since: when that one ended.
        new: found for the first time.
        reopened: found again after they had been resolved or on hold.
        resolved: not found any more.
        expired: permitted by an exception that has ended.
        rules_changed: whether the files of the rules are others.
        rules_added: ids of rules that came into force; null where that is not known.
        rules_removed: ids of rules that are no longer in force; null likewise.
        enforcement: null where one of the two sweeps did not keep it.
    """

    sweep: str
    since: str
    new: ChangedFindings
    reopened: ChangedFindings
    resolved: ChangedFindings
    expired: ChangedFindings
    rules_changed: bool
    rules_added: list[str] | None
    rules_removed: list[str] | None
    enforcement: list[ChangedEnforcement] | None


@dataclass(slots=True)
class ChangeTotals:
    """Findings that one sweep changed, counted one by one.

    Attributes:
        run: id of the sweep.
    """

    run: str = ""
    _found: dict[str, list[str]] = field(default_factory=lambda: {each: [] for each in _KINDS})
    _totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))

    def add(self, finding: Finding) -> None:
        """Count a finding under the last change that the sweep made of it."""
        changes = finding.changes_of(self.run) if self.run else ()
        kinds = [kind for each in changes if (kind := kind_of(each))]
        if not kinds:
            return
        self._totals[kinds[-1]] += 1
        if len(self._found[kinds[-1]]) < MAX_CHANGED_FINDINGS:
            self._found[kinds[-1]].append(finding.id)

    def of(self, kind: str) -> ChangedFindings:
        return ChangedFindings(total=self._totals[kind], ids=self._found[kind])


def kind_of(change: Change) -> str | None:
    """Return which change of a report a finding's change is; None where it is none."""
    if change.was is None:
        return "new"
    if change.now is FindingState.RESOLVED:
        return "resolved"
    if not change.was.is_held and change.now.is_held:
        return "reopened"
    is_expiry = change.now is FindingState.EXCEPTION_EXPIRED
    return "expired" if is_expiry and change.was is not change.now else None


def compare_sweeps(
    before: SweepResult | None, now: SweepResult, totals: ChangeTotals
) -> ReportChanges | None:
    """Compare a sweep with the one before it; None where there is none.

    Args:
        before: the newest sweep before it that did not fail.
        now: the sweep of the report.
        totals: of all findings.
    """
    if before is None:
        return None
    was, new = _rules_of(before.rule_enforcement), _rules_of(now.rule_enforcement)
    return ReportChanges(
        sweep=before.id,
        since=before.ended_at,
        new=totals.of("new"),
        reopened=totals.of("reopened"),
        resolved=totals.of("resolved"),
        expired=totals.of("expired"),
        rules_changed=before.rules_hash != now.rules_hash,
        rules_added=sorted(new - was) if was is not None and new is not None else None,
        rules_removed=sorted(was - new) if was is not None and new is not None else None,
        enforcement=_enforcement(before.rule_enforcement, now.rule_enforcement),
    )


def _rules_of(kept: SweepEnforcement | None) -> set[str] | None:
    """The rules that were in force; None where not all of them were kept."""
    if kept is None or len(kept.rules) >= MAX_RULES_KEPT:
        return None
    return {each.rule for each in kept.rules}


def _enforcement(
    before: SweepEnforcement | None, now: SweepEnforcement | None
) -> list[ChangedEnforcement] | None:
    if before is None or now is None:
        return None
    rules = [each.rule for each in now.rules]
    was, new = (_told(each, rules) for each in (before, now))
    return list(_differences(was, new))


def _told(kept: SweepEnforcement, rules: list[str]) -> Mapping[str, str]:
    views = sweep_views(kept, rules, is_frozen=False)
    return {rule: each.text for rule, each in views.items()}


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[ChangedEnforcement]:
    for rule, after in now.items():
        if was[rule] != after:
            yield ChangedEnforcement(rule=rule, before=was[rule], after=after)
