"""Who grants what, a row for each grant of a package, with the rules that select by it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from entra_sod.cli.choices import NoSuchChoice, choose_package
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.grants import Grant, OriginSystem
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.grants import GrantIndex, fits
from entra_sod.domain.rules.language import Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import Resolver, written_sides
from entra_sod.domain.text import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """One grant of one package.

    Attributes:
        rules: ids of the rules that select packages by it, sorted.
    """

    package: AccessPackage
    grant: Grant
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFilter:
    """Which grants are wanted; without any field, all.

    Attributes:
        package: id or name of the package.
        group: id of the group.
        app: id or name of the application.
    """

    package: str | None = None
    group: str | None = None
    app: str | None = None

    def packages(self, listed: Mapping[str, AccessPackage]) -> Mapping[str, AccessPackage]:
        """Choose the packages whose grants are needed.

        Raises:
            NoSuchChoice: there is no such package.
            AmbiguousChoice: several ids begin so.
        """
        if self.package is None:
            return listed
        wanted = fold(self.package)
        named = [key for key, each in listed.items() if wanted == fold(each.display_name)]
        # All that have the name: their grants can be told apart by their ids.
        chosen = named or [choose_package(self.package, listed)]
        if unlisted := [key for key in chosen if key not in listed]:
            raise NoSuchChoice(f"{unlisted[0]} is no access package that you may read.")
        return {key: listed[key] for key in chosen}

    def fits(self, grant: Grant) -> bool:
        is_group = self.group is None or _is(grant, OriginSystem.GROUP, self.group)
        return is_group and (self.app is None or _is(grant, OriginSystem.APP, self.app))


def _is(grant: Grant, system: OriginSystem, wanted: str) -> bool:
    names = {fold(grant.resource), fold(grant.resource_name)}
    return grant.system == system and fold(wanted) in names


def grant_rows(
    packages: Mapping[str, AccessPackage],
    index: GrantIndex,
    wanted: GrantFilter,
    parsed: ParsedRules | None,
) -> list[GrantRow]:
    """Make a row for each wanted grant, in the order of the packages' names.

    Args:
        packages: by id, with their names.
        index: what they grant.
        wanted: which grants.
        parsed: rules without mistakes, if there are any.
    """
    rules = _selecting_rules(parsed, index) if parsed else {}
    named = sorted(packages.items(), key=lambda item: (fold(item[1].display_name), item[0]))
    return [
        GrantRow(package=each, grant=grant, rules=tuple(sorted(rules.get(grant, ()))))
        for key, each in named
        for grant in index.granted.get(key, ())
        if wanted.fits(grant)
    ]


def _selecting_rules(parsed: ParsedRules, index: GrantIndex) -> Mapping[Grant, set[str]]:
    found: dict[Grant, set[str]] = {}
    resolver = Resolver(parsed, None)
    for rule in parsed.rules.values():
        for side in written_sides(rule):
            for selector in _entries(parsed, resolver, side):
                for grant in index.of_resource(selector):
                    if fits(selector, grant):
                        found.setdefault(grant, set()).add(rule.id)
    return found


def _entries(parsed: ParsedRules, resolver: Resolver, side: Side) -> Iterator[GrantSelector]:
    yield from side.grants
    for name in resolver.reached(side.classes):
        yield from parsed.classes[name].grants


def as_builtins(rows: Iterable[GrantRow]) -> list[dict[str, object]]:
    """Make values for programs."""
    return [
        {
            "accessPackageId": row.package.id,
            "accessPackage": row.package.display_name,
            "originSystem": row.grant.system,
            "resourceId": row.grant.resource,
            "resource": row.grant.resource_name or None,
            "roleId": row.grant.role,
            "role": row.grant.role_name,
            "kind": row.grant.kind,
            "rules": list(row.rules),
        }
        for row in rows
    ]
