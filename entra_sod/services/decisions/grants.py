"""What packages grant, as far as rules name groups: a package may make people members of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta

from entra_sod.core.clock import Clock
from entra_sod.core.errors import Rejected
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.resolve import ResolvedRule, ResolvedSide
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.alike import PackageGrants, granting, read_grants
from entra_sod.services.rules.provider import CachedValue

GRANTS_LIFETIME = timedelta(minutes=10)
# Of one call: 50 s at the usual rate.
MAX_GRANTS_READ = 500


class GrantReader:
    """Reads what packages grant, and keeps it for ten minutes."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph, self._clock = graph, clock
        self._kept: dict[str, CachedValue[AccessPackage]] = {}

    async def read(self, packages: Collection[str]) -> PackageGrants:
        """Read packages with the groups that they grant; what is not read, by its error.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        now = self._clock.now()
        self._kept = {
            key: each for key, each in self._kept.items() if each.is_fresh(now, GRANTS_LIFETIME)
        }
        missing = sorted(set(packages) - self._kept.keys())
        wanted, too_many = missing[:MAX_GRANTS_READ], missing[MAX_GRANTS_READ:]
        found = await read_grants(self._graph, wanted)
        self._kept |= {each.id: CachedValue(each, now) for each in granting(found)}
        why = Rejected(f"the groups of {MAX_GRANTS_READ} packages are read in one call")
        known = {key: self._kept[key].value for key in packages if key in self._kept}
        return {**known, **found, **dict.fromkeys(too_many, why)}


def with_grants(
    rules: Iterable[ResolvedRule], packages: Collection[AccessPackage]
) -> list[ResolvedRule]:
    """Put each package onto the sides that name a group which it makes people members of. Pure."""
    return [_with_grants(rule, packages) for rule in rules]


def _with_grants(rule: ResolvedRule, packages: Collection[AccessPackage]) -> ResolvedRule:
    if not any(side.groups for side in rule.sides):
        return rule
    return replace(rule, sides=tuple(_joined(rule, side, packages) for side in rule.sides))


def _joined(
    rule: ResolvedRule, side: ResolvedSide, packages: Collection[AccessPackage]
) -> ResolvedSide:
    joining = [each.id for each in packages if side.groups & rule.groups_of(each)]
    return replace(side, packages=side.packages.union(joining))
