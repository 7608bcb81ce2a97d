"""How many subjects a reference newly keeps from getting the package that it is on. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import msgspec

from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind

type Grantors = Mapping[str, AbstractSet[str]]
type Targets = Mapping[tuple[str, ReferenceKind], AbstractSet[str]]
_NONE = frozenset[str]()


class Impact(msgspec.Struct, frozen=True):
    """How many subjects a reference newly keeps away; where not all are known, the known ones."""

    subjects: int
    is_known: bool = True

    @property
    def counted(self) -> int:
        """What it counts towards a limit: a number that is not known is never 0."""
        return self.subjects if self.is_known else max(1, self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """What is known of how many subjects there are.

    Attributes:
        holders: how many subjects hold a package, as far as that was read.
        whole: the packages whose holders were all read.
        unread: the packages whose holders the run could not read; they are not asked for again.
        both: how many hold two packages; 0 also where that is not known.
        grantors: for each group the packages that make their holders its members.
        members: how many members a group has; it is missing where that is not known.
        uncounted: why members were not counted, where that is so.
    """

    holders: Mapping[str, int] = field(default_factory=dict)
    whole: Collection[str] = ()
    unread: Collection[str] = ()
    both: Callable[[str, str], int] = lambda _on, _target: 0
    grantors: Grantors = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)
    uncounted: str | None = None

    def newly(self, on: str, package: str) -> int:
        """How many hold a package and could still get the one that a reference is on."""
        return max(0, self.holders.get(package, 0) - self.both(on, package))


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedAdditions:
    """What the additions of a run come to; a guard that holds those that come to too much."""

    impacts: Mapping[Reference, Impact] = field(default_factory=dict)
    held: Mapping[Reference, str] = field(default_factory=dict)
    uncounted: str | None = None

    def why_held(self, addition: DesiredReference) -> str | None:
        return self.held.get(addition.reference)

    def why_kept(self, removal: Reference) -> None:  # noqa: ARG002 - it keeps no subject away
        return None


def grantors_of(packages: Iterable[AccessPackage]) -> Grantors:
    """For each group the packages that make their holders its members."""
    found: dict[str, set[str]] = {}
    for package in packages:
        for group in package.member_groups:
            found.setdefault(group, set()).add(package.id)
    return found


def weigh(
    additions: Sequence[Reference],
    present: Iterable[Reference],
    known: Population,
    *,
    limit: int,
    earlier: Sequence[Reference] = (),
) -> WeighedAdditions:
    """Let as many of the first additions through as are within a limit together.

    Args:
        additions: of one run, in order.
        present: references on the same packages.
        known: of the tenant.
        limit: MAX_SUBJECTS_AFFECTED.
        earlier: references that an earlier try of the run wrote; they count, too.
    """
    there = targets_of(set(present).difference(earlier))

    def impacts(first: int) -> Mapping[Reference, Impact]:
        return impacts_of((*earlier, *additions[:first]), there, known)

    def total(first: int) -> int:
        return sum(each.counted for each in impacts(first).values())

    every = len(additions)
    fitting = bisect_right(range(1, every + 1), limit, key=total)
    held = additions[fitting:]
    why = _why_held(total(every), limit) if held else ""
    return WeighedAdditions(
        # Who is not kept away by a package that waits is kept away by its group.
        impacts={**impacts(every), **impacts(fitting)},
        held=dict.fromkeys(held, why),
        uncounted=known.uncounted,
    )


def _why_held(total: int, limit: int) -> str:
    return (
        f"the references of this run newly keep {total} subjects away, as far as is known, and "
        f"MAX_SUBJECTS_AFFECTED is {limit}. To write it, review a plan and apply it "
        "(entra-sod plan, entra-sod apply), or raise the setting"
    )


def targets_of(references: Iterable[Reference]) -> Targets:
    found: dict[tuple[str, ReferenceKind], set[str]] = {}
    for each in references:
        found.setdefault((each.on, each.kind), set()).add(each.target)
    return found


def impacts_of(
    additions: Collection[Reference], there: Targets, known: Population
) -> Mapping[Reference, Impact]:
    """Work out what each addition adds to the others and to the references that are there."""
    planned = targets_of(additions)
    return {
        each: _impact_of_package(each, there, known)
        if each.kind is ReferenceKind.PACKAGE
        else _impact_of_group(each, there, planned, known)
        for each in additions
    }


def _impact_of_package(reference: Reference, there: Targets, known: Population) -> Impact:
    """Its holders, unless they are members of a group that is referenced already."""
    if reference.target in _granting(reference.on, there, known):
        return Impact(0)
    newly = known.newly(reference.on, reference.target)
    return Impact(newly, is_known=reference.target in known.whole)


def _granting(on: str, there: Targets, known: Population) -> AbstractSet[str]:
    """The packages that grant a group that a package refers to."""
    groups = there.get((on, ReferenceKind.GROUP), _NONE)
    return _NONE.union(*(known.grantors.get(each, _NONE) for each in groups))


def _impact_of_group(
    reference: Reference, there: Targets, planned: Targets, known: Population
) -> Impact:
    """Its members, but for those whom references to packages that grant the group keep away."""
    on, packages = reference.on, (reference.on, ReferenceKind.PACKAGE)
    granting = known.grantors.get(reference.target, _NONE)
    kept = granting & (there.get(packages, _NONE) | _granting(on, there, known))
    counted = granting & planned.get(packages, _NONE) - kept
    if (members := known.members.get(reference.target)) is None:
        others = (known.newly(on, each) for each in granting - kept - counted)
        return Impact(max(others, default=0), is_known=False)
    # Packages may have the same holders. So no more is taken off than is certain: of those who are
    # kept away already, and of those who have this package, what one package shows.
    certain = sum(known.newly(on, each) for each in counted)
    certain += max((known.newly(on, each) for each in kept), default=0)
    certain += max((known.both(on, each) for each in kept | counted), default=0)
    return Impact(max(0, members - certain))
