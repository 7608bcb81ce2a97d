"""Which packages grant what rules name: an index over all that packages grant. Pure.

What packages grant is looked through once, whatever rules ask. Each entry of a rule looks up its
resource, and goes through the roles of that resource alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from uuid import UUID

from entra_sod.core.errors import GraphError, Rejected, Unreadable
from entra_sod.domain.grants import Grant, GrantKind, OriginSystem
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.text import fold

_FIELDS: Mapping[str, str] = {
    OriginSystem.GROUP: "group",
    OriginSystem.APP: "app",
    OriginSystem.SITE: "site",
    OriginSystem.DIRECTORY_ROLE: "directoryRole",
    OriginSystem.AZURE: "azureRole",
}
# Of these, rules may give the resource's name, which Graph may leave out.
_NAMED = (OriginSystem.APP, OriginSystem.DIRECTORY_ROLE)

type _ResourceKey = tuple[str, str]


class GrantIndex:
    """Who grants what.

    Attributes:
        granted: what each package grants, of those that were read.
        unread: why the grants of the other packages are not known. What such a package granted when
            it was read last may be in `granted` all the same.
        is_limited: whether packages are unread only because a caller waits.
    """

    def __init__(
        self,
        granted: Mapping[str, Sequence[Grant]],
        unread: Mapping[str, GraphError] | None = None,
        *,
        is_limited: bool = False,
    ) -> None:
        self.granted, self.is_limited = granted, is_limited
        self.unread: Mapping[str, GraphError] = unread or {}

    def givers(self, selector: GrantSelector) -> frozenset[str]:
        """Select the packages that grant what an entry without mistakes names."""
        return frozenset(
            package
            for grant in self.of_resource(selector)
            if fits(selector, grant)
            for package in self._givers[grant]
        )

    def of_resource(self, selector: GrantSelector) -> Sequence[Grant]:
        """Every grant on the resource that an entry names, whatever its role and kind."""
        field, value = selector.resource
        return self._by_resource.get((field, _folded(field, value)), ())

    def nameless(self, field: str) -> frozenset[str]:
        """Packages that may grant what an entry names, because Graph does not show a name."""
        return self._nameless.get(field, frozenset())

    def resources(self, field: str) -> Iterator[Grant]:
        """Yield every grant whose resource a field can name, such as `app`."""
        return (grant for grant in self._givers if _FIELDS.get(grant.system) == field)

    def role_keys(self, packages: Iterable[str]) -> frozenset[str]:
        """All that packages grant, as it compares with what others grant."""
        return frozenset(
            grant.role_key for package in packages for grant in self.granted.get(package, ())
        )

    def granting_any(self, role_keys: Iterable[str]) -> frozenset[str]:
        """Select the packages that grant any of these."""
        return frozenset(package for key in role_keys for package in self._by_role.get(key, ()))

    @cached_property
    def _givers(self) -> Mapping[Grant, Sequence[str]]:
        found: dict[Grant, list[str]] = {}
        for package, grants in self.granted.items():
            for grant in grants:
                found.setdefault(grant, []).append(package)
        return found

    @cached_property
    def _by_resource(self) -> Mapping[_ResourceKey, Sequence[Grant]]:
        found: dict[_ResourceKey, list[Grant]] = {}
        for grant in self._givers:
            for key in _resource_keys(grant):
                found.setdefault(key, []).append(grant)
        return found

    @cached_property
    def _by_role(self) -> Mapping[str, Collection[str]]:
        found: dict[str, set[str]] = {}
        for grant, packages in self._givers.items():
            found.setdefault(grant.role_key, set()).update(packages)
        return found

    @cached_property
    def _nameless(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for grant, packages in self._givers.items():
            if grant.system in _NAMED and not grant.resource_name:
                found.setdefault(_FIELDS[grant.system], set()).update(packages)
        return {field: frozenset(packages) for field, packages in found.items()}


def fits(selector: GrantSelector, grant: Grant) -> bool:
    """Whether a grant on the resource of an entry has the role, scope and kind that it names."""
    is_of_kind = selector.wanted_kind in (GrantKind.ANY, grant.kind)
    has_role = selector.role is None or fold(selector.role) in role_names(grant)
    is_there = selector.scope is None or _address(selector.scope) == _address(grant.resource)
    return is_of_kind and has_role and is_there


def grant_of(selector: GrantSelector) -> Grant:
    """Make a grant that an entry without mistakes selects, as a test of rules states one."""
    field, value = selector.resource
    system = next(system for system, name in _FIELDS.items() if name == field)
    kind = GrantKind.ACTIVE if field in ("app", "site") else selector.wanted_kind
    match field:
        case "group":
            return Grant(system, value, "", f"{_ROLES[kind]}_{value}", kind, kind)
        case "azureRole":
            return Grant(system, selector.scope or "/", "", value, value, kind)
        case "directoryRole":
            return Grant(system, value, value, kind, kind, kind)
        case _:
            role = selector.role or ""
            return Grant(system, value, value, role, role, kind)


_ROLES = {
    GrantKind.MEMBER: "member",
    GrantKind.OWNER: "owner",
    GrantKind.ELIGIBLE: "eligiblemember",
}


def role_names(grant: Grant) -> Collection[str]:
    """The names by which rules may give a role, folded: its own, and its id."""
    return {_FOLD(grant.role), _FOLD(grant.role_name)}


def _resource_keys(grant: Grant) -> set[_ResourceKey]:
    field = _FIELDS.get(grant.system)
    if field is None:
        return set()
    return {(field, _folded(field, name)) for name in _names(field, grant) if name}


def _names(field: str, grant: Grant) -> Sequence[str]:
    """What rules may call the resource of a grant; of Azure it is the role that they name."""
    match field:
        case "azureRole":
            # Some Azure role ids are whole addresses that end in the id.
            return (grant.role, grant.role.rpartition("/")[2], grant.role_name)
        case "app" | "directoryRole":
            return (grant.resource, grant.resource_name)
        case _:
            return (grant.resource,)


def _folded(field: str, name: str) -> str:
    return _address(name) if field == "site" else _FOLD(name)


def _address(text: str) -> str:
    return _FOLD(text).rstrip("/")


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text.strip()))
    except ValueError:
        return False


# The same names come again and again; a large tenant has some ten thousand.
_FOLD = lru_cache(maxsize=2**15)(fold)


# By package, why it is not known what it grants; an empty id stands for every package.
type GrantGaps = Mapping[str, GraphError]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeSelection:
    """What `alike` adds to the sides of a rule.

    Attributes:
        packages: of each side.
        unlisted: packages that others are compared with, and that nothing is known of.
    """

    packages: Sequence[frozenset[str]]
    unlisted: frozenset[str] = frozenset()


class SelectedByGrants:
    """What the entries of rules select in one tenant; each entry once.

    Args:
        index: of the tenant; without it nothing is selected, and each rule has a gap.
    """

    def __init__(self, index: GrantIndex | None) -> None:
        self._index, self._is_read = index or GrantIndex({}), index is not None
        self._selected: dict[GrantSelector, frozenset[str]] = {}
        self._gaps: dict[tuple[frozenset[str], frozenset[str]], GrantGaps] = {}

    def givers(self, selector: GrantSelector) -> frozenset[str]:
        if selector not in self._selected:
            self._selected[selector] = self._index.givers(selector)
        return self._selected[selector]

    def alike(
        self, sides: Sequence[frozenset[str]], compared: Sequence[frozenset[str]]
    ) -> AlikeSelection:
        """Select for each side the packages that grant what those grant that are compared with.

        What all sides grant tells none of them from the others, and does not count.

        Args:
            sides: the packages of each side.
            compared: those of each side that others are compared with.
        """
        if not any(compared):
            return AlikeSelection(packages=[frozenset()] * len(sides))
        index = self._index
        granted = list(map(index.role_keys, sides))
        shared = frozenset.intersection(*granted) if len(granted) > 1 else frozenset()
        return AlikeSelection(
            packages=[index.granting_any(index.role_keys(each) - shared) for each in compared],
            unlisted=frozenset().union(*compared).difference(index.granted, index.unread),
        )

    def gaps(
        self, selectors: Iterable[GrantSelector], unlisted: frozenset[str] = frozenset()
    ) -> GrantGaps:
        """Name the packages that may be selected, too, because what they grant is not known.

        Rules that have the same gaps get the same mapping. A resource that an entry gives by its id
        needs no name.
        """
        resources = (each.resource for each in selectors)
        by_name = {field for field, value in resources if not _is_id(value)}
        key = frozenset(filter(self._index.nameless, by_name)), unlisted
        if key not in self._gaps:
            self._gaps[key] = self._make_gaps(*key)
        return self._gaps[key]

    def _make_gaps(self, fields: Iterable[str], unlisted: Iterable[str]) -> GrantGaps:
        if not self._is_read:
            return {"": GraphError("it was not read")}
        unclear = frozenset().union(*map(self._index.nameless, fields))
        nameless = Unreadable("Graph does not show the name of a resource that it grants")
        left_out = Rejected("the tenant's list of packages does not show it")
        gaps = dict.fromkeys(sorted(unclear), nameless) | dict.fromkeys(sorted(unlisted), left_out)
        return {**gaps, **self._index.unread}
