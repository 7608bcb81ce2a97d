"""May a subject get a package? What the rules say of it. Pure.

Decisions and rule tests give the same answers, because both ask here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from entra_sod.domain.rules.language import ExceptionEntry, Mode, Override, RuleForm
from entra_sod.domain.rules.logic import find_hit
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.toxic import NO_TOXIC_PACKAGES, ToxicPackage, ToxicPackages


class Decision(StrEnum):
    """Whether a person may get a package."""

    ALLOW = "allow"
    DENY = "deny"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class SubjectAccess:
    """A subject with the packages it holds and the groups it is a member of, as ids."""

    holds: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that holding the package would be against.

    Attributes:
        exception: the exception that permits it.
        toxic: the package, if it meets the rule by itself.
        override: that permits the package for some days, if nothing but it meets the rule.
        missing: packages that the rule requires and the person does not hold.
        is_certain: false where one of them may be held, because not everything could be read.
    """

    rule: ResolvedRule
    exception: ExceptionEntry | None = None
    toxic: ToxicPackage | None = None
    override: Override | None = None
    missing: frozenset[str] = frozenset()
    is_certain: bool = True

    @property
    def is_unexcepted(self) -> bool:
        """Whether it is a reason to deny: it does more than record, and nothing excuses it."""
        is_permitted = self.exception is not None or self.override is not None
        is_excused = is_permitted or not self.is_certain
        return self.rule.rule.mode is not Mode.RECORD and not is_excused


def is_violated(rule: ResolvedRule, person: SubjectAccess, asked: str) -> bool:
    """Whether a person would hold a package against a rule."""
    if rule.is_found_only:
        hit = find_hit(rule, person.holds | {asked})
        return hit is not None and asked in hit.packages
    others = person.holds - {asked}
    if rule.is_at_most_one:
        return asked in rule.set_of and not others.isdisjoint(rule.set_of)
    # Which sides have the package, and which the person is on already: never one alone.
    asking = {index for index, side in enumerate(rule.sides) if asked in side.packages}
    standing = {
        index
        for index, side in enumerate(rule.sides)
        if side.packages & others or side.groups & person.groups
    }
    return bool(asking and standing) and len(asking | standing) > 1


def find_violations(
    rules: Iterable[ResolvedRule],
    person: SubjectAccess,
    asked: str,
    exceptions: Collection[ExceptionEntry],
    day: date,
    *,
    toxic: ToxicPackages = NO_TOXIC_PACKAGES,
    overrides: Collection[Override] = (),
) -> Iterator[Violation]:
    """Every rule that a package would be held against.

    Args:
        rules: in force.
        person: who asks, with what is held already.
        asked: the package.
        exceptions: of this person, for whatever rules.
        day: on which the package would be got.
        toxic: packages that meet rules by themselves.
        overrides: that permit such packages.
    """
    alone = {each.rule.id: each for each in toxic.get(asked, ())}
    for rule in rules:
        is_met, found = is_violated(rule, person, asked), alone.get(rule.id)
        if is_met or found:
            applicable = (
                each for each in exceptions if each.rule == rule.id and each.holds_on(day)
            )
            permitting = (
                each
                for each in (() if is_met else overrides)
                if (each.rule, str(each.package)) == (rule.id, asked)
            )
            yield Violation(
                rule,
                next(applicable, None),
                toxic=found,
                override=next(permitting, None),
                missing=_missing(rule, person, asked),
            )


def _missing(rule: ResolvedRule, person: SubjectAccess, asked: str) -> frozenset[str]:
    if rule.form is not RuleForm.REQUIRES:
        return frozenset()
    hit = find_hit(rule, person.holds | {asked})
    return hit.missing if hit else frozenset()


def decide(violations: Collection[Violation]) -> Decision:
    """Deny where a violation stands; review where all are recorded or excused; else allow."""
    if any(each.is_unexcepted for each in violations):
        return Decision.DENY
    return Decision.REVIEW if violations else Decision.ALLOW
