"""Packages that by themselves put their holders on more sides of a rule than it allows. Pure.

A package is on a side of a rule if one of these holds:

1. The side selects the package, or names a group that the package grants.
2. The package grants all that another package of the side grants.
3. The package grants a role that another package of the side grants, too. This counts only against
   sides that do not give the role: what both of two sides give tells neither from the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice

from entra_sod.core.names import cut
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.alike import package_sides
from entra_sod.domain.rules.language import RuleForm
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide

MAX_NAME_LENGTH = 100  # characters of a name within a sentence
MAX_NAMED_DUTIES = 5
_NO_ROLES = frozenset[str]()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDuty:
    """A side that a package is on.

    Attributes:
        side: the place of the side.
        like: another package of the side, of which the package grants all or a part; None if the
            side itself selects the package.
        like_name: how that package is called; empty if that is not known.
        group: the group that the side names, if the package is on it for that group.
    """

    side: int
    like: str | None = None
    like_name: str = ""
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicPackage:
    """A package that meets a rule by itself.

    Attributes:
        package: its id.
        name: empty if that is not known.
        duties: the sides that it is on, more than the rule allows.
    """

    package: str
    name: str
    rule: ResolvedRule
    duties: tuple[PackageDuty, ...]

    @property
    def what(self) -> str:
        return named_package(self.package, self.name)

    @property
    def why(self) -> str:
        """What the package is on, in words: a sentence without its subject."""
        first = [_duty(self.rule, each) for each in self.duties[:MAX_NAMED_DUTIES]]
        if more := len(self.duties) - len(first):
            first.append(f"{more} more")
        return f"it meets rule {self.rule.id} by itself: {'; '.join(first)}"


type ToxicPackages = Mapping[str, Sequence[ToxicPackage]]
NO_TOXIC_PACKAGES: ToxicPackages = {}


def by_package(found: Iterable[ToxicPackage]) -> ToxicPackages:
    """The same by the id of the package, in the order of rules."""
    grouped: dict[str, list[ToxicPackage]] = {}
    for each in found:
        grouped.setdefault(each.package, []).append(each)
    return grouped


def named_package(package: str, name: str) -> str:
    """A package in a sentence: its id, and its name if that is known."""
    return f"access package {package}" + (f" ({cut(name, MAX_NAME_LENGTH)})" if name else "")


def find_toxic(
    rules: Iterable[ResolvedRule],
    known: Mapping[str, AccessPackage],
    names: Mapping[str, AccessPackage] | None = None,
    *,
    only: Collection[str] | None = None,
    is_certain: bool = False,
) -> Iterator[ToxicPackage]:
    """Find the packages that meet a rule by themselves, rule by rule and in the order of their ids.

    Args:
        rules: to be looked at.
        known: packages with what they grant, of rules or not, as far as they could be read.
        names: packages with their names, where those that are known have none.
        only: the packages to look at; all, without it.
        is_certain: whether to find only packages that meet a rule whatever the packages of the
            rule grant that are not known. Else these count as if they granted nothing.
    """
    granted = {key: each.grants for key, each in known.items()}
    granting: dict[str, list[str]] = {}
    for key, roles in granted.items():
        for role in roles:
            granting.setdefault(role, []).append(key)
    for rule in rules:
        if rule.form is RuleForm.REQUIRES:  # what it requires is told by holders of one package
            continue
        sides = _RuleSides(rule, known, names or {}, granted, is_certain)
        for package in sorted(sides.candidates(granting)):
            if only is not None and package not in only:
                continue
            if duties := sides.duties_of(package):
                name = sides.name_of(package)
                yield ToxicPackage(package=package, name=name, rule=rule, duties=duties)


def _duty(rule: ResolvedRule, duty: PackageDuty) -> str:
    side = _side_name(rule, duty.side)
    if duty.group:
        return f"it grants group {duty.group} of {side}"
    if duty.like is None:
        return f"it is on {side}"
    return f"it grants what {named_package(duty.like, duty.like_name)} of {side} grants"


def _side_name(rule: ResolvedRule, place: int) -> str:
    if rule.set_of:
        return "the set"
    classes = rule.rule.sides[place].classes
    called = f" ({cut(classes[0], MAX_NAME_LENGTH)})" if len(classes) == 1 else ""
    return f"side {place + 1}{called}"


def sides_needed(rule: ResolvedRule) -> int:
    """On how many sides a subject must be to meet a rule."""
    return rule.count + 1


def _counts_by_one(side: ResolvedSide) -> bool:
    """Whether one package of a side is enough to be on it."""
    return not side.every or len(side.packages) == 1


def selected_enough(rule: ResolvedRule) -> frozenset[str]:
    """The packages that the sides of a rule select often enough, whatever they grant."""
    if rule.set_of or rule.form is RuleForm.REQUIRES:
        return frozenset()
    counting = (side.packages for side in rule.all_sides if _counts_by_one(side))
    times, needed = Counter(package for side in counting for package in side), sides_needed(rule)
    return frozenset(package for package, count in times.items() if count >= needed)


@dataclass(frozen=True, slots=True)
class _DutyPart:
    """A way in which a package is on a side, or on one of several.

    Attributes:
        sides: that give the role, or the one side that the package is fully on.
        is_full: whether it is on that side, whichever the others are.
    """

    sides: frozenset[int]
    is_full: bool

    def is_apart_from(self, other: _DutyPart) -> bool:
        """Whether both count: neither is told by the other."""
        if self.is_full and other.is_full:
            return self.sides != other.sides
        return not (self.sides <= other.sides or other.sides <= self.sides)


@dataclass(slots=True)
class _RuleSides:
    """The sides of one rule, and what they give."""

    rule: ResolvedRule
    known: Mapping[str, AccessPackage]
    names: Mapping[str, AccessPackage]
    granted: Mapping[str, frozenset[str]]
    is_certain: bool
    packages: Sequence[frozenset[str]] = field(init=False)
    _needed: int = field(init=False)
    _own: dict[str, list[int]] = field(init=False, default_factory=dict)
    # For each role, how many packages of each side give it.
    _givers: dict[str, Counter[int]] = field(init=False, default_factory=dict)
    _places: dict[str, frozenset[int]] = field(init=False, default_factory=dict)
    # All that some package of a side grants, by the rarest role of it; with those packages.
    _whole: dict[str, dict[frozenset[str], list[str]]] = field(init=False, default_factory=dict)

    # Sides with a package whose grants are not known: they may give any role.
    _open: frozenset[int] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self.packages, self._needed = package_sides(self.rule), sides_needed(self.rule)
        if self.is_certain:
            self._open = frozenset(
                place for place, side in enumerate(self.packages) if not self.granted.keys() >= side
            )
        for place, side in self._counting():
            for package in side:
                self._own.setdefault(package, []).append(place)
                for role in self.granted.get(package, _NO_ROLES):
                    self._givers.setdefault(role, Counter())[place] += 1
        for place, groups in self._named_groups():
            for group in groups:
                self._givers.setdefault(group, Counter())[place] += 1
        times = {role: givers.total() for role, givers in self._givers.items()}
        for package in sorted(self._own):
            if roles := self.granted.get(package):
                rarest = min(roles, key=lambda role: (times[role], role))
                alike = self._whole.setdefault(rarest, {}).setdefault(roles, [])
                if self._adds_to(alike, package):
                    alike.append(package)

    def _adds_to(self, alike: Sequence[str], package: str) -> bool:
        """Whether a package is kept beside those that grant the same.

        Two of each side are enough, as a package is not compared with itself; and of a set one more
        than are needed.
        """
        if self.rule.set_of:
            return len(alike) <= self._needed
        kept = Counter(place for each in alike for place in self._own[each])
        return any(kept[place] < 2 for place in self._own[package])  # noqa: PLR2004 - see above

    def _counting(self) -> Iterator[tuple[int, frozenset[str]]]:
        """The sides of which one package is enough, by their places."""
        for place, side in enumerate(self.packages):
            if self.rule.set_of or _counts_by_one(self.rule.all_sides[place]):
                yield place, side

    def _whole_sides(self) -> Iterator[tuple[int, frozenset[str]]]:
        """The sides of which all packages must be held, by their places."""
        for place, side in enumerate(() if self.rule.set_of else self.rule.all_sides):
            if side.packages and not _counts_by_one(side):
                yield place, side.packages

    def _named_groups(self) -> Iterator[tuple[int, frozenset[str]]]:
        if not self.rule.set_of:
            yield from ((place, side.groups) for place, side in enumerate(self.rule.all_sides))

    def candidates(self, granting: Mapping[str, Sequence[str]]) -> set[str]:
        """The packages that may be toxic; no other one is."""
        if len(self.packages) < self._needed:
            return set()
        found = set(self._own)
        for role, givers in self._givers.items():
            if role in self._whole or len(givers) < len(self.packages):
                found.update(granting.get(role, ()))
        for _, side in self._whole_sides():
            found.update(side)
            for role in self.granted.get(min(side), _NO_ROLES):
                found.update(granting.get(role, ()))
        return found

    def duties_of(self, package: str) -> tuple[PackageDuty, ...]:
        """The sides that a package is on; none if they are not more than the rule allows."""
        own, full = self._own.get(package, []), self._full(package)
        parts = [_DutyPart(frozenset([place]), is_full=True) for place in sorted(full)]
        shared = self.granted.get(package, _NO_ROLES) & self._givers.keys()
        roles = {self._givers_without(package, role, own): role for role in sorted(shared)}
        roles.pop(frozenset(), None)
        more = (sides for sides in roles if not sides <= full.keys())
        parts += [_DutyPart(sides, is_full=False) for sides in more]
        counted = _counted(parts, self._needed)
        return tuple(
            full[min(each.sides)] if each.is_full else self._like(package, each, counted, roles)
            for each in counted
        )

    def _full(self, package: str) -> dict[int, PackageDuty]:
        """The sides that a package is fully on, as many as are needed, and why."""
        found = {place: PackageDuty(side=place) for place in self._own.get(package, ())}
        for place, group in self._granted_groups(package):
            found.setdefault(place, PackageDuty(side=place, group=group))
        for place, side in self._whole_sides():
            others = sorted(side - {package})
            if all(self._covers(package, each) for each in others):
                found[place] = self._duty(place, others[0])
        for like in self._covered(package):
            for place in self._own[like] if like != package else ():
                found.setdefault(place, self._duty(place, like))
            if len(found) >= self._needed:
                break
        return found

    def _covers(self, package: str, other: str) -> bool:
        roles = self.granted.get(other, _NO_ROLES)
        return bool(roles) and roles <= self.granted.get(package, _NO_ROLES)

    def _granted_groups(self, package: str) -> Iterator[tuple[int, str]]:
        read = self.known.get(package)
        for place, groups in self._named_groups() if read else ():
            if read and (shared := groups & self.rule.groups_of(read)):
                yield place, min(shared)

    def _covered(self, package: str) -> Iterator[str]:
        """Packages of the rule that grant nothing but what a package grants."""
        roles = self.granted.get(package, _NO_ROLES)
        for role in sorted(roles & self._whole.keys()):
            for whole, packages in self._whole[role].items():
                if whole <= roles:
                    yield from packages

    def _givers_without(self, package: str, role: str, own: Sequence[int]) -> frozenset[int]:
        """The sides that give a role without this package, but the only one of its side counts."""
        givers = self._givers[role]
        if role not in self._places:
            self._places[role] = frozenset(givers)
        alone = [each for each in own if givers[each] == 1 and self._has_others(package, each)]
        places = self._places[role].difference(alone) if alone else self._places[role]
        return places | self._open if places else places

    def _has_others(self, package: str, place: int) -> bool:
        others = (each for each in self.packages[place] if each != package)
        return any(self.granted.get(each) for each in others)

    def _like(
        self,
        package: str,
        part: _DutyPart,
        counted: Sequence[_DutyPart],
        roles: Mapping[frozenset[int], str],
    ) -> PackageDuty:
        """The side that a role puts a package on, and a package of it that grants the role."""
        others = frozenset[int]().union(*(each.sides for each in counted if each is not part))
        place, role = min(part.sides - others or part.sides), roles[part.sides]
        givers = (
            each
            for each in sorted(self.packages[place])
            if each != package and role in self.granted.get(each, _NO_ROLES)
        )
        like = next(givers, None)
        return self._duty(place, like) if like else PackageDuty(side=place, group=role)

    def _duty(self, place: int, like: str) -> PackageDuty:
        return PackageDuty(side=place, like=like, like_name=self.name_of(like))

    def name_of(self, package: str) -> str:
        """The name of a package; empty if it is not known."""
        shown = (self.known.get(package), self.names.get(package))
        return next((each.display_name for each in shown if each and each.display_name), "")


def _counted(parts: Sequence[_DutyPart], needed: int) -> Sequence[_DutyPart]:
    """The parts that count together, or none if they are not as many as are needed.

    Of more than two sides, each part is apart from so many others, and perhaps not all of them from
    each other: rather one package too many is looked at than one too few.
    """
    if needed == 2:  # noqa: PLR2004 - by far the most rules, and decided exactly
        pairs = (pair for pair in combinations(parts, 2) if pair[0].is_apart_from(pair[1]))
        return next(pairs, ())
    left = [*parts]
    while len(left) >= needed:
        kept = [each for each in left if _apart_from(each, left, needed - 1)]
        if len(kept) == len(left):
            return left
        left = kept
    return ()


def _apart_from(part: _DutyPart, parts: Sequence[_DutyPart], many: int) -> bool:
    found = (each for each in parts if each is not part and part.is_apart_from(each))
    return len(list(islice(found, many))) == many
