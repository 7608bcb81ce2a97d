"""Selectors against a tenant: which packages a rule means today. Pure.

Each selector is resolved once per run, however many rules share it through classes.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property
from itertools import permutations

from entra_sod.core.validation import Path
from entra_sod.domain.entra import AccessPackage, Group
from entra_sod.domain.rules.grants import GrantGaps, GrantIndex, SelectedByGrants
from entra_sod.domain.rules.language import PackageSelector, Rule, RuleForm, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.text import TextPattern, fold_for_patterns


@dataclass(frozen=True, slots=True)
class ResolvedSide:
    """A duty as ids; `every` as of `Side`."""

    packages: frozenset[str]
    groups: frozenset[str]
    every: bool = False

    @property
    def ids(self) -> frozenset[str]:
        return self.packages | self.groups

    def with_packages(self, more: frozenset[str]) -> ResolvedSide:
        return replace(self, packages=self.packages | more) if more else self


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRule:
    """A rule in force, its sides as ids.

    Attributes:
        sides: that are kept apart in pairs; `atMost` with a count of 1 has one for each package.
            A rule that is found only has none, so that nothing is ever written for it.
        classes: all that the rule leads to, as they are written.
        set_of: the set of `atMost`.
        duties: the sides of a rule that is found only; of `requires`, `when` and `needs`.
        count: how many of the set, or on how many of the sides, one subject may be.
        kept: packages of each side, or of the set, that patterns fit no more, and that stay until
            the selection is approved.
        grant_gaps: packages that may belong to it, with the reason why what they grant is not
            known.
    """

    rule: Rule
    sides: tuple[ResolvedSide, ...]
    classes: Mapping[str, Side] = field(default_factory=dict)
    set_of: frozenset[str] = frozenset()
    duties: tuple[ResolvedSide, ...] = ()
    count: int = 1
    kept: tuple[frozenset[str], ...] = ()
    grant_gaps: GrantGaps = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.rule.id

    @property
    def form(self) -> RuleForm:
        return self.rule.form

    @property
    def is_found_only(self) -> bool:
        """Whether conflicts show only in all that a subject holds: Entra cannot enforce it."""
        return self.rule.is_found_only

    @property
    def all_sides(self) -> tuple[ResolvedSide, ...]:
        """The sides, whether they are kept apart in pairs or not."""
        return self.duties or self.sides

    @property
    def packages(self) -> frozenset[str]:
        return self.set_of.union(*(side.packages for side in self.all_sides))

    def groups_of(self, package: AccessPackage) -> frozenset[str]:
        """The groups of a package that count for the rule."""
        return package.groups if self.rule.eligible else package.member_groups

    @property
    def package_sides(self) -> tuple[frozenset[str], ...]:
        """The packages of each side; a set is one side."""
        if self.rule.at_most:
            return (self.set_of,)
        return tuple(each.packages for each in self.all_sides)

    @property
    def selected_sides(self) -> tuple[frozenset[str], ...]:
        """The same without packages that are only kept."""
        kept = self.kept or (frozenset(),) * len(self.package_sides)
        return tuple(map(operator.sub, self.package_sides, kept))

    @property
    def has_patterns(self) -> bool:
        """Whether it selects any package by its name or catalog, or by what it grants."""
        sides = self._written_sides
        selectors = (each for side in sides for each in side.packages)
        return self.reads_grants or any(each.id is None for each in selectors)

    @property
    def reads_grants(self) -> bool:
        """Whether what it selects depends on what packages grant."""
        return any(side.reads_grants for side in self._written_sides)

    @property
    def _written_sides(self) -> Sequence[Side]:
        return [*self.classes.values(), *written_sides(self.rule)]

    @property
    def keeps_apart(self) -> bool:
        """Whether any package faces another one, or a side of groups alone."""
        return any(
            len(one.packages | other.packages) > 1 if one.packages else one.groups
            for one, other in permutations(self.sides, 2)
            if other.packages
        )

    def keeping(self, kept: tuple[frozenset[str], ...]) -> ResolvedRule:
        """The same with packages that patterns fit no more on each of its sides, or in its set."""
        if self.rule.at_most is None:
            sides = zip(self.all_sides, kept, strict=True)
            more = tuple(replace(side, packages=side.packages | old) for side, old in sides)
            return replace(_with_sides(self, more), kept=kept)
        set_of = self.set_of.union(*kept)
        return replace(self, sides=_one_each(set_of, self.count), set_of=set_of, kept=kept)

    @property
    def is_at_most_one(self) -> bool:
        """Whether every two of a set are kept apart."""
        return self.count == 1 and bool(self.set_of)


def _with_sides(rule: ResolvedRule, sides: tuple[ResolvedSide, ...]) -> ResolvedRule:
    return replace(rule, duties=sides) if rule.is_found_only else replace(rule, sides=sides)


def written_sides(rule: Rule) -> Sequence[Side]:
    """The sides of a rule as they are written; a set is one side."""
    return [side for _, side in placed_sides(rule)]


def placed_sides(rule: Rule) -> Sequence[tuple[Path, Side]]:
    """Each side of a rule with its place in the rule; a set is one side."""
    return [(("atMost",), rule.at_most.as_side)] if rule.at_most else rule.placed_sides


def _one_each(set_of: Iterable[str], count: int) -> tuple[ResolvedSide, ...]:
    """A side for each package of a set of which one is allowed; of others there is none."""
    alone = (ResolvedSide(frozenset([package]), frozenset()) for package in sorted(set_of))
    return tuple(alone) if count == 1 else ()


class Tenant:
    """The packages that the app may read, for patterns to be held against.

    Attributes:
        groups: those that were looked up, by id; None for one that does not exist.
        granting: packages that were read with the groups that they grant, by id.
        unlisted: why there may be more packages, where the list has an item that is not understood.
        grants: who grants what; None where that was not read.
    """

    def __init__(
        self,
        packages: Iterable[AccessPackage],
        groups: Mapping[str, Group | None] | None = None,
        granting: Mapping[str, AccessPackage] | None = None,
        *,
        unlisted: str | None = None,
        grants: GrantIndex | None = None,
    ) -> None:
        self.packages = {package.id: package for package in packages}
        self.unlisted = unlisted
        self.groups = groups or {}
        self.granting = granting or {}
        self.grants = grants

    def with_grants(self, grants: GrantIndex) -> Tenant:
        """The same tenant, of which it is known who grants what."""
        return Tenant(
            self.packages.values(),
            self.groups,
            self.granting,
            unlisted=self.unlisted,
            grants=grants,
        )

    def with_granting(self, granting: Mapping[str, AccessPackage]) -> Tenant:
        """The same tenant, with packages that were read with the groups that they grant."""
        packages = self.packages.values()
        return Tenant(packages, self.groups, granting, unlisted=self.unlisted, grants=self.grants)

    @cached_property
    def _catalogs(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """The name and id of each package, by the name of its catalog; names are folded."""
        found: dict[str, list[tuple[str, str]]] = {}
        folded = cache(fold_for_patterns)
        for package in self.packages.values():
            named = folded(package.display_name), package.id
            found.setdefault(folded(package.catalog_name), []).append(named)
        return found

    def select(self, selector: PackageSelector) -> frozenset[str]:
        """The ids of the packages that a pattern fits."""
        name, catalog = TextPattern(selector.name or "*"), TextPattern(selector.catalog or "*")
        return frozenset(
            package_id
            for catalog_name, packages in self._catalogs.items()
            if catalog.fits(catalog_name)
            for package_name, package_id in packages
            if name.fits(package_name)
        )


def resolve(
    parsed: ParsedRules, tenant: Tenant | None, day: date, *, and_later: bool = False
) -> list[ResolvedRule]:
    """Resolve a book without mistakes.

    Args:
        parsed: of all files.
        tenant: what patterns are held against; None is for books that name ids only.
        day: rules that are not effective on it are left out.
        and_later: those that take effect after it are not.

    Returns:
        The rules in order of their ids. Ids are taken as they stand, whether the tenant shows them
        or not: a package that may not be read is a gap, and no reason to forget the rule.
    """
    resolver, last = Resolver(parsed, tenant), None if and_later else day
    rules = (rule for _, rule in sorted(parsed.rules.items()))
    return [resolver.rule(rule) for rule in rules if rule.holds_within(day, last)]


def needs_tenant(parsed: ParsedRules) -> bool:
    """Whether any selector is a pattern, or asks what packages grant."""
    return needs_grants(parsed) or any(selector.id is None for selector in _selectors(parsed))


def needs_grants(parsed: ParsedRules) -> bool:
    """Whether what any rule or class selects depends on what packages grant."""
    sides = (side for rule in parsed.rules.values() for side in written_sides(rule))
    return any(side.reads_grants for side in (*parsed.classes.values(), *sides))


def _selectors(parsed: ParsedRules) -> Iterator[PackageSelector]:
    for _, protected in parsed.protected:
        yield from protected.packages
    for side in parsed.classes.values():
        yield from side.packages
    for rule in parsed.rules.values():
        for side in rule.sides:
            yield from side.packages
        if rule.at_most:
            yield from rule.at_most.of


class Resolver:
    """Resolves the parts of one book against one tenant; each selector once.

    Args:
        parsed: that names the classes.
        tenant: what patterns are held against.
    """

    def __init__(self, parsed: ParsedRules, tenant: Tenant | None) -> None:
        self._book, self._tenant = parsed, tenant
        self._selected: dict[PackageSelector, frozenset[str]] = {}
        self._classes: dict[str, ResolvedSide] = {}
        self._reads_grants = needs_grants(parsed)
        self._by_grants = SelectedByGrants(tenant.grants if tenant else None)

    def rule(self, rule: Rule) -> ResolvedRule:
        written = written_sides(rule)
        sides, gaps = self._with_alike(written, [self.side(side) for side in written])
        empty = ResolvedRule(
            rule=rule,
            sides=(),
            classes=self._classes_of(rule),
            count=rule.allowed,
            grant_gaps=gaps,
        )
        if rule.at_most is None:
            return _with_sides(empty, sides)
        set_of = sides[0].packages
        return replace(empty, sides=_one_each(set_of, rule.allowed), set_of=set_of)

    def _with_alike(
        self, written: Sequence[Side], sides: Sequence[ResolvedSide]
    ) -> tuple[tuple[ResolvedSide, ...], GrantGaps]:
        """Add packages that grant what those of a side grant, where the side asks for it."""
        if not self._reads_grants:
            return tuple(sides), {}
        reached = [[each, *self._reached_sides(each)] for each in written]
        packages = [each.packages for each in sides]
        alike = self._by_grants.alike(packages, list(map(self._compared, reached, sides)))
        entries = {entry for some in reached for side in some for entry in side.grants}
        is_asked = any(side.reads_grants for some in reached for side in some)
        gaps = self._by_grants.gaps(entries, alike.unlisted) if is_asked else {}
        pairs = zip(sides, alike.packages, strict=True)
        return tuple(side.with_packages(more) for side, more in pairs), gaps

    def _compared(self, reached: Sequence[Side], resolved: ResolvedSide) -> frozenset[str]:
        """The packages of a side that others are compared with."""
        own, *classes = reached
        if own.alike:
            return resolved.packages
        return frozenset().union(*(self.side(each).packages for each in classes if each.alike))

    def _reached_sides(self, side: Side) -> Iterator[Side]:
        return (self._book.classes[name] for name in self.reached(side.classes))

    def _classes_of(self, rule: Rule) -> Mapping[str, Side]:
        named = [name for side in rule.sides for name in side.classes]
        if rule.at_most is not None:
            named += rule.at_most.classes
        return {name: self._book.classes[name] for name in self.reached(named)}

    def side(self, side: Side) -> ResolvedSide:
        members = self.members(side)
        return ResolvedSide(
            frozenset().union(*(member.packages for member in members)),
            frozenset().union(*(member.groups for member in members)),
            side.every,
        )

    def members(self, side: Side) -> Sequence[ResolvedSide]:
        """What a side itself selects, and what each class that it leads to does."""
        return [self._own(side), *(self._class(name) for name in self.reached(side.classes))]

    def protected(self) -> ResolvedSide:
        """The packages and groups that the files protect."""
        every = [each for _, each in self._book.protected]
        packages = [selector for each in every for selector in each.packages]
        groups = [selector for each in every for selector in each.groups]
        return self._own(Side(packages=packages, groups=groups))

    def reached(self, classes: Iterable[str]) -> Collection[str]:
        """Every class that classes lead to, however deep, and they themselves, each once."""
        reached: set[str] = set()
        waiting = list(classes)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += self._book.classes[name].classes
        return reached

    def _class(self, name: str) -> ResolvedSide:
        """What a class itself selects, without the classes that it names."""
        if name not in self._classes:
            self._classes[name] = self._own(self._book.classes[name])
        return self._classes[name]

    def _own(self, side: Side) -> ResolvedSide:
        packages = {package for selector in side.packages for package in self.select(selector)}
        packages.update(*map(self._by_grants.givers, side.grants))
        return ResolvedSide(frozenset(packages), frozenset(str(group.id) for group in side.groups))

    def select(self, selector: PackageSelector) -> frozenset[str]:
        if selector.id is not None:
            return frozenset([str(selector.id)])
        if self._tenant is None:
            raise ValueError("a pattern needs a tenant to be held against")
        if selector not in self._selected:
            self._selected[selector] = self._tenant.select(selector)
        return self._selected[selector]
