"""Which way of looking asks less of Graph. Pure.

Pair by pair, `additionalAccess` is asked once for each pair; by an index, the assignments of each
package are read once, and all pairs are joined here. What either reads beyond its first pages is
known only from the last sweep.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

PAGES_OF_UNCOUNTED = 1


class Strategy(StrEnum):
    PAIRS = "pairs"
    INDEX = "index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A strategy, and a sentence that says why."""

    strategy: Strategy
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a sweep has to find out.

    Attributes:
        pairs: how many there are to ask for, those apart whose packages are all `needed`.
        packages: of all pairs and sets.
        needed: packages whose assignments must be read in any case, for rules that count.
        pages: of assignments, that the last sweep read of each package.
        may_ask: whether the app may use `additionalAccess`.
    """

    pairs: int
    packages: Collection[str]
    needed: Collection[str]
    pages: Mapping[str, int]
    may_ask: bool

    def pages_of(self, packages: Collection[str]) -> int:
        return sum(self.pages.get(package, PAGES_OF_UNCOUNTED) for package in packages)


def choose(question: Question) -> Choice:
    """Choose the way with fewer requests; pair by pair, where they are equal."""
    by_index = question.pages_of(question.packages)
    by_pairs = question.pages_of(question.needed) + question.pairs
    uncounted = len(set(question.packages) - question.pages.keys())
    costs = f"{by_pairs} requests pair by pair, {by_index} by an index of assignments"
    if uncounted:
        costs += f", taking one page for each of {uncounted} packages not counted before"
    if not question.may_ask:
        why = f"additionalAccess was refused to the app; {by_index} requests by an index"
        return Choice(strategy=Strategy.INDEX, why=why)
    strategy = Strategy.PAIRS if by_pairs <= by_index else Strategy.INDEX
    return Choice(strategy=strategy, why=costs)
