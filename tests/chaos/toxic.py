"""Which packages put their holders on too many sides of a rule by themselves, by brute force. Pure.

It shares no line with the app: docs/explanation/rule-language.md tells what counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A side of a rule: its packages, and the groups that it names."""

    packages: frozenset[str]
    groups: frozenset[str] = frozenset()


class Way(NamedTuple):
    """A way to be on a side, or on one of several; a whole way leaves no doubt which."""

    sides: frozenset[int]
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a package grants: all of it, and the groups that count for a rule."""

    roles: frozenset[str]
    groups: frozenset[str]


def is_toxic(
    package: str, duties: Sequence[Duty], granted: Mapping[str, Granted], *, allowed: int
) -> bool:
    """Whether a package alone puts its holders on more sides than a rule allows.

    Args:
        package: one that can be read.
        duties: the sides of the rule.
        granted: what each package grants that can be read. A side with another package may give
            any role.
        allowed: on how many sides one subject may be.
    """
    whole = {at for at, duty in enumerate(duties) if _is_on(package, duty, granted)}
    ways = {Way(frozenset([at]), is_whole=True) for at in whole}
    for role in granted[package].roles:
        sides = frozenset(
            at for at, each in enumerate(duties) if _gives(role, each, package, granted)
        )
        if sides:
            sides |= {at for at, each in enumerate(duties) if not each.packages <= granted.keys()}
        if not sides <= whole:
            ways.add(Way(sides, is_whole=False))
    return _has_apart(ways, allowed + 1)


def _is_on(package: str, duty: Duty, granted: Mapping[str, Granted]) -> bool:
    own = granted[package]
    covered = (
        granted[other].roles
        for other in duty.packages - {package}
        if other in granted and granted[other].roles
    )
    is_like = any(roles <= own.roles for roles in covered)
    return package in duty.packages or not duty.groups.isdisjoint(own.groups) or is_like


def _gives(role: str, duty: Duty, package: str, granted: Mapping[str, Granted]) -> bool:
    """Whether a side gives a role without the package; the only one that grants anything counts."""
    others = [granted[each].roles for each in duty.packages - {package} if each in granted]
    by_others = role in duty.groups or any(role in roles for roles in others)
    return by_others or (package in duty.packages and not any(others))


def _has_apart(ways: Collection[Way], needed: int) -> bool:
    """Whether so many ways are left when those go that are apart from too few others."""
    left = set(ways)
    while len(left) >= needed:
        kept = {each for each in left if sum(_are_apart(each, way) for way in left) >= needed - 1}
        if kept == left:
            return True
        left = kept
    return False


def _are_apart(one: Way, other: Way) -> bool:
    if one.is_whole and other.is_whole:
        return one.sides != other.sides
    return not (one.sides <= other.sides or other.sides <= one.sides)
