"""Graphs as few complete multipartite parts: exact, the same each time, and fast enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.operations.references.cover import (
    MAX_MEMBERS,
    MAX_SIDES,
    Sides,
    cover_edges,
)

type Edge = tuple[str, str]

edges = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("abcdefghij")).filter(
        lambda edge: edge[0] != edge[1]
    ),
    max_size=45,
)


def joined(parts: Iterable[Sides]) -> set[frozenset[str]]:
    return {
        frozenset(edge)
        for part in parts
        for one, other in combinations(part, 2)
        for edge in product(one, other)
    }


def multipartite(*sizes: int, first: int = 0) -> list[Edge]:
    names = iter(range(first, first + sum(sizes)))
    sides = [[f"{next(names):05}" for _ in range(size)] for size in sizes]
    return [edge for one, other in combinations(sides, 2) for edge in product(one, other)]


def shape(parts: Sequence[Sides]) -> list[list[int]]:
    return sorted(sorted(map(len, part)) for part in parts)


@given(edges)
def test_parts_join_exactly_what_the_edges_join(given_edges: list[Edge]) -> None:
    """No pair more and none less, and no part has a member on two sides."""
    parts = cover_edges(given_edges)
    assert joined(parts) == {frozenset(edge) for edge in given_edges}
    for part in parts:
        members = [each for side in part for each in side]
        assert len(members) == len(set(members))


@given(edges)
def test_the_order_of_edges_does_not_matter(given_edges: list[Edge]) -> None:
    """The same graph gives the same parts, so that ids of rules are stable."""
    turned = [(other, one) for one, other in reversed(given_edges)]
    assert cover_edges(turned) == cover_edges(given_edges)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 4), (2, 3), (1, 1, 1, 1), (2, 2, 2), (1, 2, 3)])
def test_what_one_rule_would_make_is_one_part(sizes: tuple[int, ...]) -> None:
    """Pairs, stars, complete bipartite graphs, cliques, and more than two sides."""
    assert shape(cover_edges(multipartite(*sizes))) == [sorted(sizes)]


def test_rules_that_share_nothing_are_told_apart() -> None:
    """A clique of five beside two sides of three, and a pair."""
    graph = [
        *multipartite(1, 1, 1, 1, 1),
        *multipartite(3, 3, first=10),
        *multipartite(1, 1, first=20),
    ]
    assert shape(cover_edges(graph)) == [[1, 1], [1, 1, 1, 1, 1], [3, 3]]


def test_cliques_that_share_a_pair_are_two_parts() -> None:
    """An edge may be in both, as two rules may ask for it."""
    both = [*combinations("abcd", 2), *combinations("cdef", 2)]
    assert cover_edges(both) == [
        (("a",), ("b",), ("c",), ("d",)),
        (("c",), ("d",), ("e",), ("f",)),
    ]


def test_a_part_joins_nothing_again_without_need() -> None:
    """What a clique covers already is not in the pair beside it."""
    assert cover_edges([("a", "b"), *combinations("bcd", 2)]) == [
        (("a",), ("b",)),
        (("b",), ("c",), ("d",)),
    ]


def test_a_part_is_no_larger_than_a_rule_may_be() -> None:
    """Sides of a rule are bounded, unless it is a set; so is what a file can hold."""
    many = cover_edges(multipartite(*[2] * (MAX_SIDES + 20)))
    assert max(map(len, many)) <= MAX_SIDES
    assert len(cover_edges(multipartite(*[1] * (MAX_SIDES + 20)))) == 1
    star = cover_edges(multipartite(1, MAX_MEMBERS * 2))
    assert all(sum(map(len, part)) <= MAX_MEMBERS for part in star)
    assert len(joined(star)) == MAX_MEMBERS * 2
