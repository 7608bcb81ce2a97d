"""How a sweep is cut into parts, each worked on by one queue message. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched, zip_longest

import msgspec

from entra_sod.domain.detection.cost import DEFAULT_PAGES, Strategy, choose_strategy
from entra_sod.domain.entra import Pair
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import selected_enough

PART_SIZE = 20
# So that a part is done in minutes at the default rate, though its packages are large.
MAX_PAGES_IN_PART = 200


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is read in one go; at most 20 of each.

    Attributes:
        pairs: to ask Graph who holds both of.
        packages: whose assignments are to be read into the index.
        enforced: packages whose groups and references are to be read.
        unlisted: those of the others that the tenant's list does not show, so that reading them
            comes first: a filter on a package that is not there finds nothing, without an error.
        confirms: the pairs are known to be in conflict, and Graph is asked for its word.
        reads_holders: the packages meet a rule by themselves, as was found while closing.
    """

    pairs: list[tuple[str, str]] = []
    packages: list[str] = []
    enforced: list[str] = []
    unlisted: list[str] = []
    confirms: bool = False
    reads_holders: bool = False


class SweepPlan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All parts of a sweep, and by which rules and strategy it was cut."""

    strategy: Strategy
    why: str
    rules_hash: str
    parts: list[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningInput:
    """What is known before a sweep.

    Attributes:
        listed: packages that the tenant's list shows.
        pages: of assignments, that the last sweep read of each package.
        may_ask: whether the app may use `additionalAccess`.
        own_references: packages that the ledger has references on or to.
        reads_references: whether the app is to compare references at all.
        toxic: packages that met a rule by themselves when the last sweep looked.
    """

    listed: Collection[str]
    pages: Mapping[str, int] = field(default_factory=dict)
    may_ask: bool = True
    own_references: Collection[str] = ()
    reads_references: bool = True
    toxic: Collection[str] = ()


def plan_sweep(rules: RuleSet, planning_input: PlanningInput) -> SweepPlan:
    """Choose the strategy and cut the work; a sweep of nothing has one part."""
    alone = frozenset[str]().union(*map(selected_enough, rules.rules), planning_input.toxic)
    needed = rules.found_only_packages | alone
    packages = rules.packages | alone
    pairs = sum(1 for _ in _apart(rules, needed)) if needed else len(rules.constraints)
    strategy, why = choose_strategy(
        pairs, packages, needed, planning_input.pages, may_ask=planning_input.may_ask
    )
    if strategy is Strategy.INDEX:
        asked, indexed = [], sorted(packages)
    else:
        asked, indexed = list(_apart(rules, needed)), sorted(needed)
    enforced = (
        {*rules.enforced_packages, *planning_input.own_references}
        if planning_input.reads_references
        else set()
    )
    parts = [
        *_index_parts(indexed, enforced, planning_input.pages),
        *_other_parts(asked, sorted(enforced - set(indexed))),
    ]
    listed = frozenset(planning_input.listed)
    return SweepPlan(
        strategy=strategy,
        why=why,
        rules_hash=rules.hash,
        parts=[_with_unlisted(part, listed) for part in parts] or [Part()],
    )


def holder_parts(packages: Iterable[str], pages: Mapping[str, int]) -> list[Part]:
    """Cut packages that met a rule by themselves, once that was known, to read who holds them."""
    parts = _index_parts(packages, set(), pages)
    return [msgspec.structs.replace(each, reads_holders=True) for each in parts]


def indexed_packages(plan: SweepPlan) -> frozenset[str]:
    """The packages whose assignments a plan reads into the index."""
    return frozenset(package for part in plan.parts for package in part.packages)


def first_listed(plan: SweepPlan, listed: Collection[str]) -> tuple[str, str] | None:
    """The first pair that a plan asks for whose packages the tenant's list shows."""
    asked, shown = (pair for part in plan.parts for pair in part.pairs), frozenset(listed)
    return next((pair for pair in asked if shown.issuperset(pair)), None)


def confirming_parts(pairs: Iterable[Pair]) -> list[Part]:
    """Cut pairs that the index found in conflict, to ask Graph for its word."""
    asked = [(pair.low, pair.high) for pair in pairs]
    return [
        Part(pairs=list(some), confirms=True) for some in batched(asked, PART_SIZE, strict=False)
    ]


def _apart(rules: RuleSet, needed: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The pairs that the index of the packages needed in any case does not answer."""
    for constraint in rules.constraints.in_order():
        if not needed.issuperset(constraint.pair):
            yield constraint.pair.low, constraint.pair.high


def _index_parts(
    packages: Iterable[str], enforced: set[str], pages: Mapping[str, int]
) -> Iterator[Part]:
    for some in _within(_largest_first(packages, pages), pages):
        yield Part(packages=some, enforced=[each for each in some if each in enforced])


def _largest_first(packages: Iterable[str], pages: Mapping[str, int]) -> list[str]:
    """Packages of like size share a part, so that its batches stay full to the last pages."""
    return sorted(packages, key=lambda each: (-pages.get(each, DEFAULT_PAGES), each))


def _within(packages: Iterable[str], pages: Mapping[str, int]) -> Iterator[list[str]]:
    """Groups of at most 20, of few enough pages; one package may be too large by itself."""
    group: list[str] = []
    size = 0
    for package in packages:
        more = pages.get(package, DEFAULT_PAGES)
        if group and (len(group) == PART_SIZE or size + more > MAX_PAGES_IN_PART):
            yield group
            group, size = [], 0
        group.append(package)
        size += more
    if group:
        yield group


def _other_parts(pairs: Iterable[tuple[str, str]], enforced: Iterable[str]) -> Iterator[Part]:
    """Pairs to ask for and packages to read, side by side: they are cut into the fewest parts."""
    some_of_both = zip_longest(
        batched(pairs, PART_SIZE, strict=False),
        batched(enforced, PART_SIZE, strict=False),
        fillvalue=(),
    )
    for some_pairs, some_packages in some_of_both:
        yield Part(pairs=list(some_pairs), enforced=list(some_packages))


def _with_unlisted(part: Part, listed: frozenset[str]) -> Part:
    named = {*part.packages, *part.enforced, *(each for pair in part.pairs for each in pair)}
    return msgspec.structs.replace(part, unlisted=sorted(named - listed))
