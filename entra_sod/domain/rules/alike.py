"""Packages that no rule names, and that give what a side of a rule gives. Pure.

A rule names packages; who gets the same roles from another package passes it by. What all sides of
a rule give tells none of them from the others, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import RuleForm
from entra_sod.domain.rules.resolve import ResolvedRule

_NEEDED = 1  # the place of the side that `requires` needs


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikePackage:
    """A package that no rule names, and that is as good as one side of a rule.

    Attributes:
        side: the place of the side.
        like: a package of that side that gives the same.
    """

    package: AccessPackage
    rule: ResolvedRule
    side: int
    like: str

    @property
    def what(self) -> str:
        return f"access package {self.package.id} ({self.package.display_name})"

    @property
    def why(self) -> str:
        named = f"access package {self.like} of rule {self.rule.id}"
        return f"it gives what {named} gives, and no rule names it"


def package_sides(rule: ResolvedRule) -> Sequence[frozenset[str]]:
    """The packages of each side; of a set that is counted, each package by itself."""
    if rule.set_of:
        return [frozenset([each]) for each in sorted(rule.set_of)]
    return [side.packages for side in rule.all_sides]


def find_alike(
    rules: Iterable[ResolvedRule],
    unnamed: Collection[AccessPackage],
    named: Mapping[str, AccessPackage],
) -> Iterator[AlikePackage]:
    """Compare what packages grant with what the sides of each rule grant.

    Args:
        rules: that may be passed by.
        unnamed: packages that no rule names, with their grants.
        named: packages of the rules, with their grants, as far as they could be read.
    """
    for rule in rules:
        givers = _givers(rule, named)
        for package in unnamed:
            places: dict[int, str] = {}
            for role in sorted(package.grants & givers.keys()):
                places = {**givers[role], **places}
            if rule.form is RuleForm.REQUIRES:
                places.pop(_NEEDED, None)  # a subject with the needed access evades nothing
            for side, like in sorted(places.items()):
                yield AlikePackage(package=package, rule=rule, side=side, like=like)


def _givers(
    rule: ResolvedRule, named: Mapping[str, AccessPackage]
) -> Mapping[str, Mapping[int, str]]:
    """For each role the sides that give it, each with a package that does."""
    sides, givers = package_sides(rule), dict[str, dict[int, str]]()
    for place, side in enumerate(sides):
        for package in sorted(side & named.keys()):
            for role in named[package].grants:
                givers.setdefault(role, {}).setdefault(place, package)
    return {role: places for role, places in givers.items() if len(places) < len(sides)}


def packages_against_alike(alike: Iterable[AlikePackage]) -> frozenset[str]:
    """Packages of the other sides, which are to be kept from holders of such a package."""
    return frozenset(
        package
        for each in alike
        for place, side in enumerate(package_sides(each.rule))
        if place != each.side
        for package in side
    )


def met_alike(alike: Sequence[AlikePackage], held: Collection[str]) -> Iterator[AlikePackage]:
    """Of packages that are wanted, those that pass a rule by, with all that would be held."""
    for each in alike:
        sides = package_sides(each.rule)
        met = {place for place, side in enumerate(sides) if not side.isdisjoint(held)}
        met |= {other.side for other in alike if other.rule is each.rule}
        if each.rule.form is RuleForm.REQUIRES:
            if _NEEDED not in met:
                yield each
        elif len(met) > each.rule.count:
            yield each
