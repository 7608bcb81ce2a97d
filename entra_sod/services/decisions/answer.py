"""From a ruling to the words and fields of an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from entra_sod.core.clock import timestamp
from entra_sod.domain.decisions.evaluate import AccessRequest, ConflictHit, Verdict, overlaps
from entra_sod.domain.results.check import rule_view
from entra_sod.domain.results.coverage import Coverage
from entra_sod.domain.results.decision import ConflictView, DecisionExceptionView, DecisionResult
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.logic import told_missing
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.verdict import Decision, Violation
from entra_sod.services.decisions.pending_decision import PendingDecision


def answer(
    pending: PendingDecision, verdict: Verdict, rules: RuleSet, *, as_of: datetime
) -> DecisionResult:
    wanted, coverage = pending.wanted, pending.notes
    gravest = [each.rule for each in verdict.rules]
    advice = [each.advice for each in gravest if each.advice]
    return DecisionResult(
        decision=verdict.decision,
        subject=wanted.subject,
        user_principal_name=pending.principal_name,
        access_package_ids=list(wanted.packages),
        subject_known=pending.subject_known,
        reference=pending.request.reference,
        reasons=[
            *_reasons(wanted, verdict, coverage),
            *_required(verdict, rules),
            *_alike(pending),
            *_unknown(pending),
        ],
        rules=[rule_view(each) for each in gravest],
        conflicts=[_conflict(each) for each in verdict.hits],
        exceptions=list(_exceptions([*verdict.violations, *verdict.other_times])),
        advice=advice[0] if advice else None,
        severity=gravest[0].severity if gravest else None,
        coverage=coverage,
        rules_hash=rules.hash,
        as_of=timestamp(as_of),
    )


def _conflict(met: ConflictHit) -> ConflictView:
    held = met.assignment
    return ConflictView(
        access_package_id=met.package,
        wanted_access_package_id=met.wanted,
        assignment_id=held.id if held else None,
        rule=met.rule.id,
        start=held.start if held else None,
        until=held.end if held else None,
    )


def _exceptions(violations: Sequence[Violation]) -> Iterator[DecisionExceptionView]:
    for each in violations:
        if each.exception:
            yield DecisionExceptionView(
                id=each.exception.id, rule=each.rule.id, until=each.exception.end
            )


def _reasons(wanted: AccessRequest, verdict: Verdict, coverage: Coverage) -> Iterator[str]:
    standing = [each for each in verdict.violations if each.is_unexcepted]
    others = [each for each in verdict.violations if not each.is_unexcepted]
    for each in standing:
        yield f"rule {each.rule.id}: {each.rule.rule.title}"
        yield from _by_itself(each)
    for each in others:
        yield _permitted(each)
        yield from _by_itself(each)
    for each in verdict.other_times:
        # Two wanted packages may meet one assignment.
        yield from dict.fromkeys(_other_time(each, wanted, verdict))
    if verdict.decision is not Decision.ALLOW and not standing:
        yield from (f"not known: {gap.what}: {gap.why}" for gap in coverage.skipped if gap.hides)


def _required(verdict: Verdict, rules: RuleSet) -> Iterator[str]:
    """Which packages the subject needs, by rules that require some."""
    for each in verdict.violations:
        if each.missing:
            yield f"rule {each.rule.id}: {told_missing(each.rule, each.missing, rules.named)}"


def _alike(pending: PendingDecision) -> Iterator[str]:
    """Which rules the wanted packages would pass by."""
    for each in pending.met_alike:
        yield f"access package {each.package.id}: {each.why}: {each.rule.rule.title}"


def _unknown(pending: PendingDecision) -> Iterator[str]:
    """The reason why the subject is not known."""
    if pending.identity and pending.subject_known is False:
        yield f"subject {pending.wanted.subject} is not known: {pending.identity.source}"


def _by_itself(violation: Violation) -> Iterator[str]:
    """Which duties the wanted package gives by itself."""
    if violation.toxic:
        yield f"{violation.toxic.what}: {violation.toxic.why}"


def _permitted(violation: Violation) -> str:
    rule = violation.rule.rule
    if not violation.is_certain:
        return f"rule {rule.id} may be met, because not all that is held could be read"
    if violation.exception:
        until = violation.exception.end.isoformat()
        return (
            f"rule {rule.id} is met, "
            f"and exception {violation.exception.id} permits it until {until}"
        )
    if violation.override:
        days = violation.override.max_days
        return (
            f"rule {rule.id} is met, and the package is an override of it for at most "
            f"{days} day{'' if days == 1 else 's'}: the access must end within that time"
        )
    return f"rule {rule.id} is met, and only {Mode.RECORD}s: {rule.title}"


def _other_time(violation: Violation, wanted: AccessRequest, verdict: Verdict) -> Iterator[str]:
    """Why a rule is not met as the wanted access begins."""
    rule = violation.rule.rule
    if rule.effective and rule.effective.start and not rule.holds_on(wanted.first_day):
        day = rule.effective.start.isoformat()
        yield f"rule {rule.id} takes effect on {day}, after the wanted access begins: {rule.title}"
    if violation.missing:
        what = "what it requires is not held all the time of the wanted access"
        yield f"rule {rule.id}: {what}: {rule.title}"
    for met in verdict.hits:
        held = met.assignment
        if met.rule is not violation.rule or held is None or overlaps(held, wanted):
            continue
        if held.end is not None and held.end <= wanted.start:
            when = f"ends on {timestamp(held.end)}, before the wanted access begins"
        else:
            when = "begins after the wanted access ends"
        yield f"rule {met.rule.id}: the access to {met.package} {when}"
