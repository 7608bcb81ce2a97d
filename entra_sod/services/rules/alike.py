"""Reads which packages that no rule names give what the packages of rules give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from entra_sod.core.errors import PERMANENT, GraphError
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import Skipped
from entra_sod.domain.rules.alike import AlikePackage, find_alike
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph

# Beside those of the rules: what they grant takes a request each.
MAX_UNNAMED_READ = 500


@dataclass(frozen=True, slots=True)
class AlikeReading:
    """What was found, and what could not be compared.

    Attributes:
        names: of the packages that no rule names, by their ids.
    """

    found: Sequence[AlikePackage] = ()
    unread: Sequence[Skipped] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> list[Skipped]:
        """Both, as coverage says them."""
        lines = [Skipped(what=self.label(each), why=each.why) for each in self.found]
        return [*lines, *self.unread]

    def label(self, alike: AlikePackage) -> str:
        return f"access package {alike.package} ({self.names[alike.package]})"


async def read_alike(graph: Graph, rules: RuleSet) -> AlikeReading:
    """Compare every package of the tenant's list that no rule names, where the rules' grant any.

    Raises:
        Throttled, Unavailable: come again later.
    """
    named, unread = await _read(graph, rules.named_packages)
    if not any(each.grants for each in named.values()):
        return AlikeReading(unread=unread)
    try:
        listed = {each.id: each.display_name for each in await graph.packages()}
    except PERMANENT as error:
        refused = Skipped(what="packages that no rule names", why=str(error))
        return AlikeReading(unread=[*unread, refused])
    wanted = sorted(listed.keys() - rules.named_packages)
    unnamed, more = await _read(graph, wanted[:MAX_UNNAMED_READ])
    if too_many := len(wanted[MAX_UNNAMED_READ:]):
        what = f"what {too_many} packages more grant that no rule names"
        more.append(Skipped(what=what, why=f"{MAX_UNNAMED_READ} are read"))
    found = find_alike(rules.rules, [*unnamed.values()], named)
    return AlikeReading([*found], [*unread, *more], listed)


async def _read(
    graph: Graph, packages: Collection[str]
) -> tuple[Mapping[str, AccessPackage], list[Skipped]]:
    """Packages with their grants, and why others could not be read."""
    found: Mapping[str, AccessPackage | GraphError]
    try:
        found = await graph.packages_by_id(packages) if packages else {}
    except PERMANENT as error:
        found = dict.fromkeys(packages, error)
    unread = [
        Skipped(what=f"what access package {key} grants", why=str(each))
        for key, each in sorted(found.items())
        if isinstance(each, GraphError)
    ]
    return {key: each for key, each in found.items() if isinstance(each, AccessPackage)}, unread
