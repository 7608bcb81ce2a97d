"""Reads what packages grant: which give what those of rules give, and which meet a rule alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from entra_sod.core.errors import PERMANENT, GraphError, NotFound, Unreadable
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.grants import as_package
from entra_sod.domain.results.coverage import Coverage, Skipped
from entra_sod.domain.rules.alike import AlikePackage, find_alike
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.rules.toxic import ToxicPackage, find_toxic
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.grants import TenantGrants

# Beside those of the rules: what they grant takes a request each.
MAX_UNNAMED_READ = 500
NOT_COMPARED = "packages that give what packages of rules give"


type PackageGrants = Mapping[str, AccessPackage | GraphError]


async def read_grants(graph: Graph, packages: Collection[str]) -> PackageGrants:
    """Read packages with what they grant; what is not read, by its error.

    Raises:
        Throttled, Unavailable: try again later.
    """
    try:
        return await graph.packages_by_id(packages) if packages else {}
    except PERMANENT as error:
        return dict.fromkeys(packages, error)


class GrantSource(Protocol):
    """Where it is read what packages grant."""

    async def listed(self) -> Mapping[str, AccessPackage]:
        """Read the tenant's list of packages, by id.

        Raises:
            GraphError: the list could not be read.
        """
        ...

    async def read(self, packages: Collection[str]) -> PackageGrants:
        """Read packages with what they grant; what is not read, by its error.

        Raises:
            Throttled, Unavailable: try again later.
        """
        ...


@dataclass(frozen=True, slots=True)
class GrantsOfGraph:
    """Reads each package anew."""

    graph: Graph

    async def listed(self) -> Mapping[str, AccessPackage]:
        return {each.id: each for each in await self.graph.packages()}

    async def read(self, packages: Collection[str]) -> PackageGrants:
        return await read_grants(self.graph, packages)


@dataclass(slots=True)
class CachedGrants:
    """Reads the packages alone that are new or have changed since anything read them.

    The list is read once. A package that is not on it is read by itself, as is one whose grants
    cannot all be understood: what is understood of them is compared all the same.
    """

    graph: Graph
    grants: TenantGrants
    _list: Mapping[str, AccessPackage] | None = None

    async def listed(self) -> Mapping[str, AccessPackage]:
        if self._list is None:
            self._list = await GrantsOfGraph(self.graph).listed()
        return self._list

    async def read(self, packages: Collection[str]) -> PackageGrants:
        if not packages:
            return {}
        try:
            listed = await self.listed()
        except PERMANENT:
            return await read_grants(self.graph, packages)
        found = await self.grants.read_some(listed, listed.keys() & set(packages))
        known: dict[str, AccessPackage | GraphError] = {
            key: each if isinstance(each, GraphError) else as_package(listed[key], each)
            for key, each in found.items()
            if not isinstance(each, Unreadable)
        }
        return {**known, **await read_grants(self.graph, set(packages) - known.keys())}


def granting(grants: PackageGrants) -> list[AccessPackage]:
    """The packages that could be read."""
    return [each for each in grants.values() if isinstance(each, AccessPackage)]


async def with_protected(
    graph: Graph, rules: RuleSet, packages: Mapping[str, AccessPackage], notes: Coverage
) -> Mapping[str, AccessPackage]:
    """Return packages that were read, and those that the rules protect, whose groups are, too.

    Args:
        graph: to ask.
        rules: in force.
        packages: that were read with what they grant.
        notes: where a protected package is named that cannot be read; one that does not exist
            grants nothing.

    Raises:
        Throttled, Unavailable: try again later.
    """
    found = await read_grants(graph, rules.protected.packages - packages.keys())
    if not found:  # nearly always: there may be twenty thousand packages to copy
        return packages
    for key, each in sorted(found.items()):
        if isinstance(each, GraphError) and not isinstance(each, NotFound):
            notes.skip(f"what protected access package {key} grants", each)
    return {**packages, **{each.id: each for each in granting(found)}}


@dataclass(frozen=True, slots=True)
class AlikeReading:
    """What was found, and what could not be compared.

    Attributes:
        found: overlaps: packages that no rule names, and that meet none by themselves.
        toxic: packages that meet a rule by themselves, named by rules or not.
        unread_of_rules: packages that rules name; the reader of the rules' packages reports them.
        compared: packages whose grants were read.
        is_needless: whether the packages of the rules grant nothing, so that no other was read.
    """

    found: Sequence[AlikePackage] = ()
    toxic: Sequence[ToxicPackage] = ()
    unread: Sequence[Skipped] = ()
    unread_of_rules: Sequence[Skipped] = ()
    compared: Collection[str] = ()
    is_needless: bool = False

    def knows(self, rule: ResolvedRule, package: str) -> bool:
        """Whether a package does not meet a rule by itself, if it is not among those that do."""
        is_compared = self.is_needless or package in self.compared
        return is_compared and all(each in self.compared for each in rule.packages)

    @property
    def notes(self) -> list[Skipped]:
        """As coverage says them, but those of rules."""
        lines = [Skipped(what=each.what, why=each.why) for each in self.found]
        return [*lines, *self.unread]

    @property
    def is_in_doubt(self) -> bool:
        """Whether what is not in it may still be so, as something could not be compared."""
        return bool(self.unread or self.unread_of_rules)

    @property
    def toxic_notes(self) -> list[Skipped]:
        """The packages that meet a rule by themselves, a line for each rule."""
        return [Skipped(what=each.what, why=each.why) for each in self.toxic]


async def read_alike(
    source: GrantSource,
    rules: RuleSet,
    known: Mapping[str, AccessPackage] | None = None,
    *,
    unread: Collection[str] = (),
    max_reads: int | None = None,
) -> AlikeReading:
    """Compare every package of the tenant's list that no rule names, where the rules' grant any.

    Args:
        source: to ask.
        rules: in force.
        known: packages that were read with what they grant.
        unread: packages that could not be read, as their reader tells.
        max_reads: of more packages of rules none is read, and nothing is compared.

    Raises:
        Throttled, Unavailable: try again later.
    """
    known = known or {}
    unknown = rules.named_packages - known.keys() - set(unread)
    if max_reads is not None and len(unknown) > max_reads:
        why = f"it would read what {len(unknown)} packages of rules grant, over {max_reads}: "
        gap = Skipped(what=NOT_COMPARED, why=f"{why}entra-sod plan does")
        return AlikeReading(toxic=_toxic(rules, known), unread=[gap])
    named = {**known, **await source.read(unknown)}
    of_rules = {each.id: each for each in granting(named)}
    if not any(each.grants for each in of_rules.values()):
        return AlikeReading(
            toxic=_toxic(rules, of_rules),
            unread_of_rules=_unread(named),
            compared=of_rules.keys(),
            is_needless=True,
        )
    try:
        listed = await source.listed()
    except PERMANENT as error:
        refused = Skipped.of("packages that no rule names", error)
        found = _toxic(rules, of_rules)
        return AlikeReading(toxic=found, unread=[refused], unread_of_rules=_unread(named))
    unnamed, gaps = await _read_unnamed(source, listed.keys() - rules.named_packages)
    others = granting(unnamed)
    both = {**of_rules, **{each.id: each for each in others}}
    gone = {key: AccessPackage(id=key) for key, each in named.items() if isinstance(each, NotFound)}
    toxic = _toxic(rules, {**both, **gone}, listed)
    return AlikeReading(
        found=without_toxic(find_alike(rules.rules, others, of_rules), toxic),
        toxic=toxic,
        unread=gaps,
        unread_of_rules=_unread(named),
        compared=both.keys(),
    )


async def _read_unnamed(
    source: GrantSource, packages: Collection[str]
) -> tuple[PackageGrants, list[Skipped]]:
    """Read what the first packages grant, and say what could not be read, and what was left."""
    wanted = sorted(packages)
    grants = await source.read(wanted[:MAX_UNNAMED_READ])
    gaps = _unread(grants)
    if left := len(wanted[MAX_UNNAMED_READ:]):
        what = f"what {left} packages more grant that no rule names"
        gaps.append(Skipped(what=what, why=f"{MAX_UNNAMED_READ} are read"))
    return grants, gaps


def _toxic(
    rules: RuleSet,
    known: Mapping[str, AccessPackage],
    listed: Mapping[str, AccessPackage] | None = None,
) -> list[ToxicPackage]:
    """Find packages that meet rules whatever the packages grant that were not read.

    One that could not be read is told by its reader. Until it is read, the others stay as they are.
    """
    return list(find_toxic(rules.rules, known, listed or rules.listed, is_certain=True))


def without_toxic(
    alike: Iterable[AlikePackage], toxic: Collection[ToxicPackage]
) -> list[AlikePackage]:
    """Leave out what meets the same rule by itself, which is more than to overlap with a side."""
    told = {(each.package, each.rule.id) for each in toxic}
    return [each for each in alike if (each.package.id, each.rule.id) not in told]


def _unread(grants: PackageGrants) -> list[Skipped]:
    return [
        Skipped.of(f"what access package {key} grants", each)
        for key, each in sorted(grants.items())
        if isinstance(each, GraphError)
    ]
