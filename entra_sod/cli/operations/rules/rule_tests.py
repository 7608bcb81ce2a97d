"""Rule tests: a small tenant and its people in, conflicts and decisions out. Pure.

docs/how-to/test-rules.md describes the language of the test files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from entra_sod.core.errors import RulesError
from entra_sod.core.validation import Mistake, Path, find_mistakes, nearest
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.grants import GrantKind, Grants
from entra_sod.domain.rules.document import Document, RulesProblem, SourceFile
from entra_sod.domain.rules.grant_language import GrantSelector, grant_mistakes
from entra_sod.domain.rules.grants import GrantIndex, grant_of
from entra_sod.domain.rules.language import Name, Text
from entra_sod.domain.rules.logic import met_by
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import ResolvedRule, Tenant, resolve
from entra_sod.domain.rules.toxic import (
    NO_TOXIC_PACKAGES,
    ToxicPackages,
    by_package,
    find_toxic,
)
from entra_sod.domain.rules.verdict import Decision, SubjectAccess, decide, find_violations
from entra_sod.domain.subjects.names import PrincipalName, person_key
from entra_sod.domain.text import fold


class RuleTestPackage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package of the small tenant; the id matters where rules select by it.

    Attributes:
        grants: what it grants, in the words of rules; a grant's kind is never `any`.
    """

    name: Text
    catalog: Text | None = None
    id: UUID | None = None
    grants: list[GrantSelector] = []


class ExpectedConflict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Packages, by name, that make a conflict of what a person holds.

    Of a rule that `requires`, those of its `when` that the person holds.
    """

    rule: Name
    packages: list[Text]


class ExpectedDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person is told who asks for a package; `rules` are compared where they are given."""

    asks: Text
    decision: Decision
    rules: list[Name] | None = None


class RuleTestPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who holds packages, by name, and what is expected of that.

    Attributes:
        id: the object id, which matters where an exception names it.
        upn: the user principal name, likewise.
        groups: memberships, by id; they count for decisions.
        conflicts: all there are: any other one fails the test.
    """

    name: Text
    id: UUID | None = None
    upn: PrincipalName | None = None
    holds: list[Text] = []
    groups: list[UUID] = []
    conflicts: list[ExpectedConflict] = []
    decisions: list[ExpectedDecision] = []


class RuleTestFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test file; `day` is the day on which it takes place."""

    version: Literal[1]
    packages: list[RuleTestPackage]
    people: list[RuleTestPerson]
    day: date | None = None


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """Packages that one person holds against a rule: two, or all that make the conflict."""

    rule: str
    packages: frozenset[str]


@dataclass(frozen=True, slots=True)
class ActualDecision:
    """A decision, and every rule that holding the package would violate."""

    decision: Decision
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonOutcome:
    """What became of the expectations of one person."""

    name: str
    expectations: int
    failures: Sequence[RulesProblem]


@dataclass(frozen=True, slots=True)
class RuleTestOutcome:
    """What became of a file's expectations, by person in the order of the file."""

    people: Sequence[PersonOutcome]

    @property
    def expectations(self) -> int:
        return sum(each.expectations for each in self.people)

    @property
    def failures(self) -> Sequence[RulesProblem]:
        """Those of all people, in the order of the file."""
        return sorted(problem for each in self.people for problem in each.failures)


def run_rule_tests(source: SourceFile, parsed: ParsedRules, today: date) -> RuleTestOutcome:
    """Hold the rules against one test file.

    Args:
        source: the test file.
        parsed: the rules, without mistakes.
        today: the day where the file names none.

    Raises:
        RulesError: with every mistake of the test file.
    """
    document = Document(source)
    test_file = _read(document, parsed)
    world = _TestTenant(test_file, parsed, test_file.day or today)
    people: list[PersonOutcome] = []
    for index, person in enumerate(test_file.people):
        unmet = _unmet(world, person, ("people", index))
        failures = sorted(_failure(document, each) for each in unmet)
        people.append(PersonOutcome(person.name, _expectations(person), failures))
    return RuleTestOutcome(people)


def find_conflicts(
    rules: Iterable[ResolvedRule],
    holds: Collection[str],
    toxic: ToxicPackages = NO_TOXIC_PACKAGES,
) -> Iterator[FoundConflict]:
    """Everything that must not be held together and is, and packages that meet a rule alone."""
    held = frozenset(holds)
    for package in sorted(held & toxic.keys()):
        for each in toxic[package]:
            yield FoundConflict(each.rule.id, frozenset([package]))
    for rule in rules:
        if rule.is_found_only:
            if met := met_by(rule, held):
                yield FoundConflict(rule.id, met)
            continue
        sides = [held & side.packages for side in rule.sides]
        pairs = {
            frozenset(pair)
            for one, other in combinations([side for side in sides if side], 2)
            for pair in product(one, other)
        }
        yield from (
            FoundConflict(rule.id, pair) for pair in sorted(pairs, key=sorted) if len(pair) > 1
        )


class _TestTenant:
    """The small tenant with the rules that are in force in it."""

    def __init__(self, test_file: RuleTestFile, parsed: ParsedRules, day: date) -> None:
        self._book, self._day = parsed, day
        self._ids = {fold(each.name): _package_id(each) for each in test_file.packages}
        self._names = {_package_id(each): each.name for each in test_file.packages}
        packages = {each.id: each for each in map(_package, test_file.packages)}
        granted = {_package_id(each): _grants(each) for each in test_file.packages}
        tenant = Tenant(packages.values(), grants=GrantIndex(granted))
        self._rules = resolve(parsed, tenant, day)
        self._toxic = by_package(find_toxic(self._rules, packages))

    def ids(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self._ids[fold(name)] for name in names)

    def conflicts(self, person: RuleTestPerson) -> set[FoundConflict]:
        return set(find_conflicts(self._rules, self.ids(person.holds), self._toxic))

    def decide(self, person: RuleTestPerson, asked: str) -> ActualDecision:
        subject = str(person.id or _made_id("person", person.name))
        who = SubjectAccess(self.ids(person.holds), frozenset(map(str, person.groups)))
        people = {person_key(subject), *([person_key(person.upn)] if person.upn else [])}
        own = [
            each for each in self._book.exceptions.values() if person_key(each.subject) in people
        ]
        asked_id = self._ids[fold(asked)]
        overrides = self._book.overrides.values()
        violations = list(
            find_violations(
                self._rules,
                who,
                asked_id,
                own,
                self._day,
                toxic=self._toxic,
                overrides=overrides,
            )
        )
        return ActualDecision(
            decide(violations), tuple(sorted(each.rule.id for each in violations))
        )

    def name_of(self, conflict: FoundConflict) -> str:
        names = sorted(self._names[package] for package in conflict.packages)
        return f"{conflict.rule} ({', '.join(names)})"


def _package(package: RuleTestPackage) -> AccessPackage:
    return AccessPackage(
        id=_package_id(package),
        display_name=package.name,
        catalog_name=package.catalog or "",
        other_roles=frozenset(each.role_key for each in _grants(package)),
    )


def _grants(package: RuleTestPackage) -> Grants:
    return tuple(grant_of(each) for each in package.grants)


def _package_id(package: RuleTestPackage) -> str:
    return str(package.id or _made_id("package", package.name))


def _made_id(kind: str, name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"entra-sod:{kind}:{fold(name)}")


def _read(document: Document, parsed: ParsedRules) -> RuleTestFile:
    problems = list(document.problems)
    if document.is_read:
        problems += map(document.place, find_mistakes(RuleTestFile, document.value))
    _require_none(problems)
    test_file = msgspec.convert(document.value, RuleTestFile)
    _require_none([document.place(mistake) for mistake in _mistakes(test_file, parsed)])
    return test_file


def _require_none(problems: Sequence[RulesProblem]) -> None:
    if problems:
        raise RulesError([str(problem) for problem in sorted(problems)])


def _mistakes(test_file: RuleTestFile, parsed: ParsedRules) -> Iterator[Mistake]:
    if not test_file.people:
        yield Mistake(
            ("people",),
            "is empty: the file has no expectation. Fix: add a person with what is expected",
        )
    yield from _repeated("packages", "name", [fold(each.name) for each in test_file.packages])
    yield from _repeated("packages", "id", [each.id for each in test_file.packages])
    yield from _repeated("people", "name", [fold(each.name) for each in test_file.people])
    for place, package in enumerate(test_file.packages):
        for number, grant in enumerate(package.grants):
            yield from _grant_mistakes(grant, ("packages", place, "grants", number))
    packages = {fold(each.name): each.name for each in test_file.packages}
    for index, person in enumerate(test_file.people):
        for path, name in _package_names(person):
            if fold(name) not in packages:
                detail = f"{name} is no package here{nearest(name, packages.values())}"
                yield Mistake(("people", index, *path), detail)
        for path, name in _rule_names(person):
            if name not in parsed.rules:
                detail = f"{name} is no rule{nearest(name, parsed.rules)}"
                yield Mistake(("people", index, *path), detail)
        yield from _too_few(person, parsed, ("people", index, "conflicts"))


def _grant_mistakes(grant: GrantSelector, path: Path) -> Iterator[Mistake]:
    yield from grant_mistakes(grant, path)
    if grant.kind is GrantKind.ANY:
        yield Mistake((*path, "kind"), "must say how the package grants it: any is for rules")


def _repeated(kind: str, key: str, values: Iterable[object]) -> Iterator[Mistake]:
    """What has to be told apart and cannot."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen and value is not None:
            yield Mistake((kind, index, key), "is given twice")
        seen.add(value)


def _too_few(person: RuleTestPerson, parsed: ParsedRules, path: Path) -> Iterator[Mistake]:
    """A conflict takes two packages, unless one meets the rule by itself.

    One may be enough, too, where what a subject holds is counted.
    """
    for index, each in enumerate(person.conflicts):
        rule = parsed.rules.get(each.rule)
        is_one = len(each.packages) == 1
        least = 1 if is_one or (rule and rule.is_found_only) else 2
        if len({fold(name) for name in each.packages}) < least:
            words = "one package or more" if least == 1 else "two packages or more"
            yield Mistake((*path, index, "packages"), f"must be {words}")


def _package_names(person: RuleTestPerson) -> Iterator[tuple[Path, str]]:
    yield from ((("holds", index), name) for index, name in enumerate(person.holds))
    for index, conflict in enumerate(person.conflicts):
        for place, name in enumerate(conflict.packages):
            yield ("conflicts", index, "packages", place), name
    for index, decision in enumerate(person.decisions):
        yield ("decisions", index, "asks"), decision.asks


def _rule_names(person: RuleTestPerson) -> Iterator[tuple[Path, str]]:
    for index, conflict in enumerate(person.conflicts):
        yield ("conflicts", index, "rule"), conflict.rule
    for index, decision in enumerate(person.decisions):
        for place, name in enumerate(decision.rules or ()):
            yield ("decisions", index, "rules", place), name


def _expectations(person: RuleTestPerson) -> int:
    """Each one that is written down, and that there is no other conflict."""
    return len(person.conflicts) + 1 + len(person.decisions)


def _unmet(world: _TestTenant, person: RuleTestPerson, path: Path) -> Iterator[Mistake]:
    found = world.conflicts(person)
    expected = [FoundConflict(each.rule, world.ids(each.packages)) for each in person.conflicts]
    others = sorted(map(world.name_of, found - set(expected)))
    for index, conflict in enumerate(expected):
        if conflict not in found:
            detail = f"expected conflict {world.name_of(conflict)} of {person.name}, found none"
            yield Mistake((*path, "conflicts", index), detail)
    if others:
        more = "other " if expected else ""
        detail = f"expected no {more}conflict of {person.name}, found {', '.join(others)}"
        yield Mistake((*path, "name"), detail)
    for index, decision in enumerate(person.decisions):
        yield from _unmet_decision(world, person, decision, (*path, "decisions", index))


def _unmet_decision(
    world: _TestTenant, person: RuleTestPerson, expected: ExpectedDecision, path: Path
) -> Iterator[Mistake]:
    found = world.decide(person, expected.asks)
    has_rules = expected.rules is None or sorted(expected.rules) == list(found.rules)
    if found.decision is expected.decision and has_rules:
        return
    wanted = _describe(expected.decision, expected.rules)
    detail = f"expected {wanted} for {person.name} asking for {expected.asks}, found "
    yield Mistake(path, detail + _describe(found.decision, found.rules))


def _describe(decision: Decision, rules: Collection[str] | None) -> str:
    return f"{decision} by {', '.join(sorted(rules))}" if rules else decision.value


def _failure(document: Document, mistake: Mistake) -> RulesProblem:
    """An expectation is a sentence of its own; where it stands needs no words."""
    return msgspec.structs.replace(document.place(mistake), message=mistake.detail)
