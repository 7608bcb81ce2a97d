"""Rules that ask for exactly the references that a tenant has. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import msgspec

from entra_sod.cli.operations.references.cover import Sides, cover_edges
from entra_sod.domain.entra import Reference, ReferenceKind

_MIN_EXCLUSIVE = 3  # packages of a rule with atMost; two are a pair
_HASH = 10  # characters


@dataclass(frozen=True)
class ReferenceRule:
    """A rule made of references.

    Attributes:
        kind: of its references.
        sides: ids of packages; of references to groups the second side has ids of groups.
        present: those of its references that the tenant has.
        unread: packages that could not be read, so that it is unknown whether they refer back.
    """

    kind: ReferenceKind
    sides: Sides
    present: frozenset[Reference]
    unread: frozenset[str] = frozenset()

    @property
    def is_exclusive(self) -> bool:
        """Whether it is a set of packages of which one may be held."""
        return len(self.sides) >= _MIN_EXCLUSIVE and all(len(each) == 1 for each in self.sides)

    @cached_property
    def id(self) -> str:
        """The same for the same contents, whatever the names are."""
        digest = hashlib.sha256(msgspec.json.encode([self.kind, self.sides])).hexdigest()[:_HASH]
        form = "at-most-one" if self.is_exclusive else "between"
        return f"{'groups' if self.kind is ReferenceKind.GROUP else form}-{digest}"

    @cached_property
    def missing(self) -> Sequence[Reference]:
        """References back that the tenant does not have: what `enforce` would write."""
        return [each for each in self._absent if each.on not in self.unread]

    @cached_property
    def unknown(self) -> Sequence[Reference]:
        """References back of which it is unknown whether the tenant has them."""
        return [each for each in self._absent if each.on in self.unread]

    @cached_property
    def _absent(self) -> Sequence[Reference]:
        return sorted(asked_for(self.kind, self.sides) - self.present)


def asked_for(kind: ReferenceKind, sides: Sides) -> frozenset[Reference]:
    """Return all references that a rule asks for under `enforce`."""
    if kind is ReferenceKind.GROUP:
        packages, groups = sides
        return frozenset(Reference(on, kind, group) for on, group in product(packages, groups))
    return frozenset(
        Reference(on, kind, target)
        for one, other in permutations(sides, 2)
        for on, target in product(one, other)
    )


def make_rules(
    references: Collection[Reference], unread: Collection[str] = ()
) -> Sequence[ReferenceRule]:
    """Make rules that ask for all of these references, and else for references back alone.

    Args:
        references: of a tenant, without those to a group that their own package grants.
        unread: packages that references are to and that could not be read.

    Returns:
        Rules of packages first, in the order of what is in them.
    """
    every, not_read = frozenset(references), frozenset(unread)
    return [
        ReferenceRule(kind, part, every & asked_for(kind, part), not_read)
        for kind in (ReferenceKind.PACKAGE, ReferenceKind.GROUP)
        for part in _parts(kind, every)
    ]


def _parts(kind: ReferenceKind, references: Iterable[Reference]) -> Iterator[Sides]:
    of_kind = [each for each in references if each.kind is kind]
    if kind is ReferenceKind.PACKAGE:
        yield from cover_edges((each.on, each.target) for each in of_kind)
        return
    # A package and a group are told apart, should their ids be equal.
    edges = ((f"p{each.on}", f"g{each.target}") for each in of_kind)
    for groups, packages in cover_edges(edges):
        yield _without_mark(packages), _without_mark(groups)


def _without_mark(side: Iterable[str]) -> tuple[str, ...]:
    return tuple(each[1:] for each in side)
