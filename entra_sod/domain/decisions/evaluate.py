"""May a subject get packages, as far as is known? Pure.

Deny where a rule stands against it; review where a rule only records, is excepted, takes effect
after the wanted access begins, or meets the access at another time, where an override permits the
package for some days, and where something needed is not known; else allow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from entra_sod.domain.entra import Assignment
from entra_sod.domain.rules.language import ExceptionEntry, Override, RuleForm, Severity
from entra_sod.domain.rules.logic import met_by
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.domain.rules.toxic import NO_TOXIC_PACKAGES, ToxicPackages
from entra_sod.domain.rules.verdict import Decision, SubjectAccess, Violation, find_violations
from entra_sod.domain.rules.verdict import decide as decide_on


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """Packages that a subject is to get together, from a moment until another, or for ever.

    Both moments are in UTC, as the days of rules and exceptions are.
    """

    subject: str
    packages: Sequence[str]
    start: datetime
    until: datetime | None = None

    @property
    def first_day(self) -> date:
        return self.start.date()

    @property
    def last_day(self) -> date | None:
        """The last day of which it takes any time."""
        return (self.until - timedelta(microseconds=1)).date() if self.until else None


@dataclass(frozen=True, slots=True)
class ConflictHit:
    """A package that a wanted one would meet against a rule.

    Attributes:
        assignment: of the subject; None for a package that is wanted as well.
    """

    wanted: str
    package: str
    rule: ResolvedRule
    assignment: Assignment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision, and what it rests on.

    Attributes:
        violations: of rules as the wanted access begins, each rule once.
        other_times: of rules that meet the access, or take effect, at another time.
        hits: what stands against it, at any time.
    """

    decision: Decision
    violations: tuple[Violation, ...] = ()
    other_times: tuple[Violation, ...] = ()
    hits: tuple[ConflictHit, ...] = ()

    @property
    def rules(self) -> tuple[ResolvedRule, ...]:
        """Every rule that is met, the gravest first."""
        found = [each.rule for each in (*self.violations, *self.other_times)]
        return tuple(sorted(found, key=lambda rule: (-_severity_rank(rule), rule.id)))


def rules_in_force_during(
    rules: Iterable[ResolvedRule], request: AccessRequest
) -> list[ResolvedRule]:
    """The rules that are in force at some time of the wanted access."""
    return [each for each in rules if each.rule.holds_within(request.first_day, request.last_day)]


def packages_against(rules: Iterable[ResolvedRule], wanted: Collection[str]) -> frozenset[str]:
    """Every package that some rule holds against a wanted one."""
    return frozenset[str]().union(
        *(side.packages for rule in rules for side in _sides_against(rule, wanted))
    )


def groups_against(rules: Iterable[ResolvedRule], wanted: Collection[str]) -> frozenset[str]:
    """Every group whose members some rule keeps from a wanted package."""
    return frozenset[str]().union(
        *(side.groups for rule in rules for side in _sides_against(rule, wanted))
    )


def _sides_against(rule: ResolvedRule, wanted: Collection[str]) -> Iterator[ResolvedSide]:
    """The sides that another side with a wanted package stands against; a set is one of them.

    Of a rule that is found only all packages matter, as soon as a wanted one may meet it.
    """
    if rule.set_of or rule.is_found_only:
        meeting = rule.duties[0].packages if rule.form is RuleForm.REQUIRES else rule.packages
        if not meeting.isdisjoint(wanted):
            yield ResolvedSide(rule.packages, frozenset())
        return
    own = {at for at, side in enumerate(rule.sides) if not side.packages.isdisjoint(wanted)}
    yield from (side for at, side in enumerate(rule.sides) if own - {at})


def evaluate(
    rules: Sequence[ResolvedRule],
    exceptions: Iterable[ExceptionEntry],
    request: AccessRequest,
    held: Sequence[Assignment],
    *,
    has_gaps: bool,
    has_unread: bool = False,
    denies_gaps: bool = False,
    needs_review: bool = False,
    toxic: ToxicPackages = NO_TOXIC_PACKAGES,
    overrides: Collection[Override] = (),
) -> Verdict:
    """Decide on a request.

    Args:
        rules: in force at some time of the wanted access.
        exceptions: in force then or not, of any subject.
        request: what is wanted, by whom, and when.
        held: assignments of the subject, with their packages; expired ones count for nothing.
        has_gaps: whether something that was needed is not known.
        has_unread: whether the subject may hold more than is known. Then what a rule requires may
            be held.
        denies_gaps: whether that is a reason to deny, instead of one to review.
        needs_review: whether it is not to be allowed for another reason.
        toxic: wanted packages that meet rules by themselves.
        overrides: that permit such packages; not if the wanted access lasts longer.
    """
    holding = [each for each in held if each.is_held and each.package_id]
    subject_exceptions = _exceptions_of_subject(exceptions, request, holding)
    at_first = [each for each in rules if each.rule.holds_on(request.first_day)]
    at_once = [each for each in holding if overlaps(each, request)]
    permits = _Permits(
        subject_exceptions, toxic, [each for each in overrides if is_short_enough(request, each)]
    )
    then = [
        replace(each, is_certain=not (has_unread and each.missing))
        for each in _violations(at_first, request, at_once, permits)
    ]
    ever = list(_violations(rules, request, holding, permits, lasting=True))
    now_ids = {each.rule.id for each in then}
    later = [each for each in ever if each.rule.id not in now_ids]
    decision = decide_on(then)
    if decision is Decision.ALLOW and (later or has_gaps or needs_review):
        decision = Decision.REVIEW
    if has_gaps and denies_gaps:
        decision = Decision.DENY
    return Verdict(
        decision=decision,
        violations=tuple(then),
        other_times=tuple(later),
        hits=tuple(_conflict_hits([*then, *later], request, holding)),
    )


@dataclass(frozen=True, slots=True)
class _Permits:
    """What rules are told of a subject and of packages, beside what is held."""

    exceptions: Collection[ExceptionEntry]
    toxic: ToxicPackages
    overrides: Collection[Override]


def is_short_enough(request: AccessRequest, override: Override) -> bool:
    """Whether an override permits the wanted access as long as it lasts, if it says how long."""
    days = timedelta(days=override.max_days)
    return request.until is None or request.until - request.start <= days


def _exceptions_of_subject(
    exceptions: Iterable[ExceptionEntry], request: AccessRequest, holding: Sequence[Assignment]
) -> list[ExceptionEntry]:
    ids = (each for held in holding for each in (held.subject.id, held.subject.object_id))
    known = {request.subject, *ids}
    return [each for each in exceptions if each.subject in known]


def overlaps(assignment: Assignment, request: AccessRequest) -> bool:
    """Whether it is held at any time of the wanted access; without dates it is."""
    is_over = assignment.end is not None and assignment.end <= request.start
    is_later = (
        assignment.start is not None
        and request.until is not None
        and assignment.start >= request.until
    )
    return not is_over and not is_later


def _violations(
    rules: Sequence[ResolvedRule],
    request: AccessRequest,
    holding: Sequence[Assignment],
    permits: _Permits,
    *,
    lasting: bool = False,
) -> Iterator[Violation]:
    """Each rule once that any of the wanted packages would be held against.

    An override permits one package only, so a rule that another one meets stands all the same.

    Args:
        rules: to look at.
        request: what is wanted.
        holding: what counts as held.
        permits: what permits the subject, or a package.
        lasting: whether what a rule requires counts only if it is held as long as what is wanted.
    """
    usual = _with_wanted(request, holding)
    for rule in rules:
        is_lasting = lasting and rule.form is RuleForm.REQUIRES
        person = _with_wanted(request, _lasting(rule, holding, request)) if is_lasting else usual
        found = [
            each
            for wanted in request.packages
            for each in find_violations(
                [rule],
                person,
                wanted,
                permits.exceptions,
                request.first_day,
                toxic=permits.toxic,
                overrides=permits.overrides,
            )
        ]
        yield from sorted(found, key=lambda each: not each.is_unexcepted)[:1]


def _with_wanted(request: AccessRequest, holding: Sequence[Assignment]) -> SubjectAccess:
    return SubjectAccess(
        frozenset([*request.packages, *(each.package_id or "" for each in holding)])
    )


def _lasting(
    rule: ResolvedRule, holding: Sequence[Assignment], request: AccessRequest
) -> Sequence[Assignment]:
    """What is held, without packages that a rule requires and that are not held all the time."""
    needed = rule.duties[1].packages
    return [
        each
        for each in holding
        if (covers(each, request) if each.package_id in needed else overlaps(each, request))
    ]


def covers(assignment: Assignment, request: AccessRequest) -> bool:
    """Whether it is held all the time of the wanted access; without dates it is."""
    is_late = assignment.start is not None and assignment.start > request.start
    ends_before = assignment.end is not None and (
        request.until is None or assignment.end < request.until
    )
    return not is_late and not ends_before


def _conflict_hits(
    violations: Sequence[Violation], request: AccessRequest, holding: Sequence[Assignment]
) -> Iterator[ConflictHit]:
    for each in violations:
        for wanted in request.packages:
            against = _met_with(each.rule, wanted, request, holding)
            for assignment in holding:
                package = assignment.package_id or ""
                if package in against and package != wanted:
                    yield ConflictHit(wanted, package, each.rule, assignment)
            for other in request.packages:
                if other in against and other > wanted:
                    yield ConflictHit(wanted, other, each.rule, None)


def _met_with(
    rule: ResolvedRule, wanted: str, request: AccessRequest, holding: Sequence[Assignment]
) -> frozenset[str]:
    """Packages that a wanted one meets against a rule; what a rule requires is against nothing."""
    if not rule.is_found_only:
        return packages_against([rule], [wanted])
    if rule.form is RuleForm.REQUIRES:
        return frozenset()
    met = met_by(rule, {*request.packages, *(each.package_id or "" for each in holding)})
    return met if wanted in met else frozenset()


def _severity_rank(rule: ResolvedRule) -> int:
    return list(Severity).index(rule.rule.severity)
