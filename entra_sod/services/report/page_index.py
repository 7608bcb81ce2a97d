"""Places of packages and sides in a report's lists. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.rules.language import Side
from entra_sod.domain.rules.resolve import ResolvedRule
from entra_sod.services.report.view import PackageView, SideView


class PageIndex:
    """Packages in order of catalog and name.

    Attributes:
        of: the place of each, by id.
    """

    def __init__(self, used: Iterable[str], names: Iterable[AccessPackage]) -> None:
        known = {each.id: each for each in names}
        views = [_package(each, known) for each in used]
        self.views = sorted(views, key=lambda each: (each.catalog, each.name, each.id))
        self.of: Mapping[str, int] = {each.id: place for place, each in enumerate(self.views)}


def _package(package_id: str, known: Mapping[str, AccessPackage]) -> PackageView:
    found = known.get(package_id, AccessPackage(id=package_id))
    return PackageView(id=package_id, name=found.display_name, catalog=found.catalog_name)


class SideIndex:
    """Sides of rules; those of the same packages are one, whichever rules name them."""

    def __init__(self, page_index: PageIndex) -> None:
        self._places = page_index
        self._found: dict[frozenset[str], int] = {}
        self.views: list[SideView] = []

    def of(self, resolved: ResolvedRule) -> list[int]:
        """The places of a rule's sides; of a set that is counted, one."""
        rule = resolved.rule
        if rule.at_most is not None:
            return [self._place(resolved.set_of, rule.at_most.as_side, f"{rule.id}: its set")]
        pairs = zip(resolved.all_sides, rule.sides, strict=True)
        return [
            self._place(found.packages, side, f"{rule.id}: side {number}")
            for number, (found, side) in enumerate(pairs, 1)
        ]

    def names(self, resolved: ResolvedRule) -> tuple[str, ...]:
        """The names of a rule's two sides; nothing where there are not two, or one has no name."""
        labels = tuple(self.views[place].label for place in self.of(resolved))
        is_named = not any(each.startswith(f"{resolved.id}: side ") for each in labels)
        return labels if is_named and len(labels) == len(("one", "other")) else ()

    def _place(self, packages: frozenset[str], side: Side, otherwise: str) -> int:
        if packages not in self._found:
            self._found[packages] = len(self.views)
            members = sorted(self._places.of[each] for each in packages)
            label = self._label(members, side) or otherwise
            self.views.append(SideView(label=label, packages=members))
        return self._found[packages]

    def _label(self, members: list[int], side: Side) -> str:
        """The name of its class, or of its only package."""
        if side.classes and not side.packages and not side.reads_grants:
            return ", ".join(side.classes)
        return self._places.views[members[0]].name if len(members) == 1 else ""
