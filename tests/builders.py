"""Small tenants and rules for tests, by short names: package "a" has an id made of a's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from entra_sod.domain.entra import AccessPackage, Assignment, Subject
from entra_sod.domain.rules.language import (
    AtMost,
    AtMostSides,
    ExceptionEntry,
    GroupSelector,
    Mode,
    PackageSelector,
    References,
    Requirement,
    Rule,
    Severity,
    Side,
)
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import resolve
from entra_sod.domain.rules.ruleset import RuleSet


def guid(name: str) -> str:
    """Make a GUID that shows its name, of hex digits: "a" gives aaaaaaaa-0000-…."""
    return str(UUID(hex=(name * 8)[:8] + "0" * 24))


def package(name: str, *groups: str) -> AccessPackage:
    return AccessPackage(
        id=guid(name),
        display_name=f"Package {name}",
        member_groups=frozenset(guid(group) for group in groups),
    )


def assignment(package_name: str, person: str, state: str | None = "delivered") -> Assignment:
    return Assignment(
        id=f"{package_name}-{person}",
        state=state,
        subject=Subject(id=f"subject-{person}", object_id=f"object-{person}", display_name=person),
    )


def held(package_name: str, people: str, state: str | None = "delivered") -> list[Assignment]:
    """One assignment for each letter of `people`."""
    return [assignment(package_name, person, state) for person in people]


def side(packages: str = "", groups: Sequence[str] = (), *, every: bool = False) -> Side:
    """One side: a package for each letter, and groups by name."""
    return Side(
        packages=[PackageSelector(id=UUID(guid(name))) for name in packages],
        groups=[GroupSelector(id=UUID(guid(name))) for name in groups],
        every=every,
    )


def rule(
    rule_id: str,
    *sides: Side,
    mode: Mode = Mode.ENFORCE,
    references: References = References.BOTH,
    severity: Severity = Severity.HIGH,
) -> Rule:
    return Rule(
        id=rule_id,
        title=f"Rule {rule_id}",
        severity=severity,
        owner="owner@example.com",
        mode=mode,
        between=list(sides),
        references=references,
    )


def at_most(rule_id: str, count: int, names: Sequence[str], *, mode: Mode = Mode.RECORD) -> Rule:
    """A rule that allows so many of a set of packages."""
    of = [PackageSelector(id=UUID(guid(name))) for name in names]
    made = rule(rule_id, mode=mode)
    return msgspec.structs.replace(made, between=None, at_most=AtMost(count=count, of=of))


def all_of(rule_id: str, *sides: Side, mode: Mode = Mode.ENFORCE) -> Rule:
    """A rule that a subject is against that is on every side."""
    made = rule(rule_id, mode=mode)
    return msgspec.structs.replace(made, between=None, all_of=list(sides))


def at_most_sides(rule_id: str, count: int, *sides: Side, mode: Mode = Mode.ENFORCE) -> Rule:
    """A rule that allows a subject to be on so many of the sides."""
    made, of = rule(rule_id, mode=mode), AtMostSides(count=count, of=list(sides))
    return msgspec.structs.replace(made, between=None, at_most_sides=of)


def requires(rule_id: str, when: Side, needs: Side, *, mode: Mode = Mode.ENFORCE) -> Rule:
    """A rule that a subject is against that is on one side and not on the other."""
    made, requirement = rule(rule_id, mode=mode), Requirement(when=when, needs=needs)
    return msgspec.structs.replace(made, between=None, requires=requirement)


def exception(rule_id: str, subject: str, *, start: date, end: date) -> ExceptionEntry:
    """A permission for one subject, by name, under one rule."""
    return ExceptionEntry(
        id=f"EX-{rule_id}-{subject}",
        rule=rule_id,
        subject=guid(subject),
        start=start,
        until=end,
        reason="Year-end closing",
        requested_by="team@example.com",
        approved_by="control@example.com",
    )


TODAY = date(2026, 6, 1)


def rule_set(*rules: Rule, day: date = TODAY) -> RuleSet:
    """The rules as they are in force, where they name ids only."""
    return RuleSet(resolve(ParsedRules(rules={rule.id: rule for rule in rules}), None, day))
