"""Which way of looking asks less of Graph. Pure.

Pair by pair, `additionalAccess` is asked once for each pair; by an index, the assignments of each
package are read once, and all pairs are joined here. What either reads beyond its first pages is
known only from the last sweep.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

DEFAULT_PAGES = 1


class Strategy(StrEnum):
    PAIRS = "pairs"
    INDEX = "index"


def choose_strategy(
    pairs: int,
    packages: Collection[str],
    needed: Collection[str],
    pages: Mapping[str, int],
    *,
    may_ask: bool,
) -> tuple[Strategy, str]:
    """Choose the way with fewer requests, and say why; pair by pair, where they are equal.

    Args:
        pairs: how many there are to ask for, those apart whose packages are all `needed`.
        packages: of all pairs and sets.
        needed: packages whose assignments must be read in any case, for rules that count.
        pages: of assignments, that the last sweep read of each package.
        may_ask: whether the app may use `additionalAccess`.
    """
    by_index = sum(pages.get(each, DEFAULT_PAGES) for each in packages)
    by_pairs = sum(pages.get(each, DEFAULT_PAGES) for each in needed) + pairs
    if not may_ask:
        why = f"additionalAccess was refused to the app; {by_index} requests by an index"
        return Strategy.INDEX, why
    costs = f"{by_pairs} requests pair by pair, {by_index} by an index of assignments"
    if uncounted := len(set(packages) - pages.keys()):
        costs += f", taking one page for each of {uncounted} packages not counted before"
    return Strategy.PAIRS if by_pairs <= by_index else Strategy.INDEX, costs
