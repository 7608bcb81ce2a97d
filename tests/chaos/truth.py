"""What a sweep must find and write, by brute force from a tenant and rules. Pure.

On purpose it shares no line with the app: it reads the simulator's tenant and the rules file for
itself, as docs/rules.md tells them.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any, NamedTuple

import msgspec

from local.graph.authorization import CATALOG_SCOPE
from local.graph.tenant import AccessPackage, Tenant

HELD = frozenset({"delivering", "partiallydelivered", "delivered"})
MODES = ("record", "warn", "enforce")

type PairKey = tuple[str, str]


class Wanted(NamedTuple):
    """A reference: on which package, `group` or `package`, to which id."""

    on: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is so in the tenant.

    Attributes:
        conflicts: for each pair of the rules, in order of ids, the subjects that hold both.
        unreadable: the packages that the app may not read.
        desired: references that enforcing rules ask for between packages that can be read.
        asked_by: the pairs that ask for a reference; none for one of a side of groups only.
        present: references that were there before, desired or not.
        holders: subjects by package, for checks of any pair.
    """

    conflicts: Mapping[PairKey, frozenset[str]]
    unreadable: frozenset[str]
    desired: frozenset[Wanted]
    asked_by: Mapping[Wanted, frozenset[PairKey]]
    present: frozenset[Wanted]
    holders: Mapping[str, frozenset[str]]

    def is_readable(self, *packages: str) -> bool:
        return self.unreadable.isdisjoint(packages)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One rule about one ordered pair: `groups` are those that the other package's side names."""

    rule: Mapping[str, Any]
    on: str
    other: str
    groups: frozenset[str]


def find_truth(tenant_json: bytes, rules_json: bytes) -> Truth:
    """Work out the truth from the files that the simulator and the app were given."""
    tenant = msgspec.json.decode(tenant_json, type=Tenant)
    rules: list[dict[str, Any]] = msgspec.json.decode(rules_json)["rules"]
    packages = {package.id: package for package in tenant.access_packages}
    unreadable = _unreadable(tenant)
    holders = {package: _holders(tenant, package) for package in packages}
    meetings = [each for rule in rules for each in _meetings(rule, tenant)]
    asked_by = dict(_asked(meetings, packages, unreadable))
    guarded = {each for rule in rules for each in _guarded(rule, tenant, packages)}
    return Truth(
        conflicts={
            (each.on, each.other): holders[each.on] & holders[each.other]
            for each in meetings
            if each.on < each.other
        },
        unreadable=unreadable,
        desired=frozenset(asked_by) | {each for each in guarded if each.on not in unreadable},
        asked_by={each: asked_by[each] for each in asked_by.keys() - guarded},
        present=frozenset(references_of(tenant)),
        holders=holders,
    )


def references_of(tenant: Tenant) -> dict[Wanted, int]:
    """Every reference of a tenant, with how often it was added by Graph."""
    return {
        Wanted(package.id, kind, each.id): each.additions
        for package in tenant.access_packages
        for kind, references in (
            ("group", package.incompatible_groups),
            ("package", package.incompatible_access_packages),
        )
        for each in references
    }


def _unreadable(tenant: Tenant) -> frozenset[str]:
    readable = {role.app_scope_id.removeprefix(CATALOG_SCOPE) for role in tenant.role_assignments}
    return frozenset(
        package.id for package in tenant.access_packages if package.catalog_id not in readable
    )


def _holders(tenant: Tenant, package: str) -> frozenset[str]:
    return frozenset(
        each.target_id
        for each in tenant.assignments
        if each.access_package_id == package and each.state.lower() in HELD
    )


def _meetings(rule: Mapping[str, Any], tenant: Tenant) -> Iterator[Meeting]:
    """Both orders of every pair that the rule keeps apart."""
    if "atMost" in rule:
        for on, other in permutations(_selected(rule["atMost"]["of"], tenant), 2):
            yield Meeting(rule, on, other, frozenset())
        return
    for one, another in permutations(rule["between"], 2):
        for on, other in product(_packages(one, tenant), _packages(another, tenant)):
            if on != other:
                yield Meeting(rule, on, other, _groups(another))


def _packages(side: Mapping[str, Any], tenant: Tenant) -> set[str]:
    return _selected(side.get("packages", ()), tenant)


def _groups(side: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(group["id"] for group in side.get("groups", ()))


def _selected(selectors: list[dict[str, str]], tenant: Tenant) -> set[str]:
    """An id counts as it stands; a pattern is held against the packages that can be read."""
    unreadable = _unreadable(tenant)
    catalogs = {catalog.id: catalog.display_name for catalog in tenant.catalogs}
    return {each["id"] for each in selectors if "id" in each} | {
        package.id
        for each in selectors
        for package in tenant.access_packages
        if "id" not in each
        and package.id not in unreadable
        and _fits(package.display_name, each.get("name"))
        and _fits(catalogs[package.catalog_id], each.get("catalog"))
    }


def _fits(text: str, pattern: str | None) -> bool:
    return fnmatch.fnmatchcase(text.lower(), (pattern or "*").lower())


def _asked(
    meetings: list[Meeting], packages: Mapping[str, AccessPackage], unreadable: frozenset[str]
) -> Iterator[tuple[Wanted, frozenset[PairKey]]]:
    """Each reference that pairs ask for, with these pairs."""
    asked: dict[Wanted, set[PairKey]] = {}
    by_order: dict[PairKey, list[Meeting]] = {}
    for meeting in meetings:
        by_order.setdefault((meeting.on, meeting.other), []).append(meeting)
    for (on, other), met in by_order.items():
        if unreadable.isdisjoint((on, other)):
            for wanted in _references(packages[on], packages[other], met):
                asked.setdefault(wanted, set()).add((min(on, other), max(on, other)))
    return ((wanted, frozenset(pairs)) for wanted, pairs in asked.items())


def _references(on: AccessPackage, other: AccessPackage, met: list[Meeting]) -> Iterator[Wanted]:
    """What all rules about a pair together want written on one of its packages."""
    if max(MODES.index(each.rule["mode"]) for each in met) < MODES.index("enforce"):
        return
    kinds = {kind for each in met for kind in _kinds(each.rule)}
    if "packages" in kinds:
        yield Wanted(on.id, "package", other.id)
    if "groups" in kinds:
        groups = granted(other, "Member")
        if any(each.rule.get("eligible") for each in met):
            groups |= granted(other, "EligibleMember")
        for each in met:
            if each.rule["mode"] == "enforce" and "groups" in _kinds(each.rule):
                groups |= each.groups
        yield from (Wanted(on.id, "group", group) for group in groups - _granted_at_all(on))


def _kinds(rule: Mapping[str, Any]) -> set[str]:
    return {"groups", "packages"} if rule["references"] == "both" else {rule["references"]}


def granted(package: AccessPackage, kind: str) -> set[str]:
    """The groups that a package makes people members, or eligible members, of."""
    return {
        scope.role.origin_id.removeprefix(f"{kind}_")
        for scope in package.resource_role_scopes
        if scope.role.origin_id.startswith(f"{kind}_")
    }


def _granted_at_all(package: AccessPackage) -> set[str]:
    return granted(package, "Member") | granted(package, "EligibleMember")


def _guarded(
    rule: Mapping[str, Any], tenant: Tenant, packages: Mapping[str, AccessPackage]
) -> Iterator[Wanted]:
    """What a side of groups only asks for of the packages of the other sides."""
    if rule["mode"] != "enforce" or "groups" not in _kinds(rule):
        return
    for side, other in permutations(rule.get("between", ()), 2):
        if side.get("packages"):
            continue
        for on in _packages(other, tenant):
            for group in _groups(side) - _granted_at_all(packages[on]):
                yield Wanted(on, "group", group)
