"""What a sweep must find and write, by brute force from a tenant and rules. Pure.

On purpose it shares no line with the app: it reads the simulator's tenant and the rules file for
itself, as docs/explanation/rule-language.md tells them.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import combinations, permutations, product
from typing import Any, NamedTuple

import msgspec

from local.graph.authorization import CATALOG_SCOPE
from local.graph.tenant import AccessPackage, Tenant
from tests.chaos.toxic import Duty, Granted, is_toxic

HELD = frozenset({"delivering", "partiallydelivered", "delivered"})
MODES = ("record", "warn", "enforce")

type PairKey = tuple[str, str]


class Wanted(NamedTuple):
    """A reference: on which package, `group` or `package`, to which id."""

    on: str
    kind: str
    target: str


class Breach(NamedTuple):
    """A finding: against which rule, which packages in order of their ids, and who holds them."""

    rule: str
    packages: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A set of which one subject may hold more than one, but not more than so many."""

    at_most: int
    of: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is so in the tenant.

    Attributes:
        conflicts: for each pair of the rules, in order of ids, the subjects that hold both.
        rules_of: the rules that keep a pair apart.
        counted: by the rules that count them.
        unreadable: the packages that the app may not read.
        desired: references that enforcing rules ask for between packages that can be read.
        asked_by: the pairs that ask for a reference; none for one of a side of groups only.
        present: references that were there before, desired or not.
        holders: subjects by package, for checks of any pair.
        toxic: by each rule, the packages that meet it by themselves.
        named_twice: packages that two sides of one rule select.
    """

    conflicts: Mapping[PairKey, frozenset[str]]
    rules_of: Mapping[PairKey, frozenset[str]]
    counted: Mapping[str, Counted]
    unreadable: frozenset[str]
    desired: frozenset[Wanted]
    asked_by: Mapping[Wanted, frozenset[PairKey]]
    present: frozenset[Wanted]
    holders: Mapping[str, frozenset[str]]
    toxic: Mapping[str, frozenset[str]] = field(default_factory=dict)
    named_twice: frozenset[str] = frozenset()

    def is_readable(self, *packages: str) -> bool:
        return self.unreadable.isdisjoint(packages)

    @property
    def unnamed(self) -> frozenset[str]:
        """The packages that no pair and no counted set has."""
        pairs = (each for pair in self.rules_of for each in pair)
        return frozenset(self.holders) - self.needed - frozenset(pairs)

    @property
    def needed(self) -> frozenset[str]:
        """The packages whose assignments are read in any case.

        These are the packages of sets that are counted, and those that meet a rule by their name.
        """
        return self.named_twice.union(*(counted.of for counted in self.counted.values()))

    def is_asked(self, pair: PairKey) -> bool:
        """Whether a sweep that asks pair by pair has to ask for this one."""
        return not self.needed.issuperset(pair)

    @property
    def strategy(self) -> str:
        """The way that takes fewer requests, when each package's assignments take one page."""
        asked = sum(self.is_asked(pair) for pair in self.conflicts)
        packages = self.needed.union(*self.conflicts)
        return "pairs" if asked + len(self.needed) <= len(packages) else "index"

    def breaches(self, unknown: Callable[[PairKey], bool], unread: AbstractSet[str]) -> set[Breach]:
        """The findings of pairs that are known, and of sets as far as they were read."""
        return {
            Breach(rule, pair, subject)
            for pair, subjects in self.conflicts.items()
            if not unknown(pair)
            for rule in self.rules_of[pair]
            for subject in subjects
        } | {
            Breach(rule, held, subject)
            for rule in self.counted
            for subject, held in self.too_many(rule, unread).items()
        }

    def alone(self, unread: AbstractSet[str]) -> set[Breach]:
        """The findings of packages that meet a rule by themselves, as far as they were read."""
        return {
            Breach(rule, (package,), subject)
            for rule, packages in self.toxic.items()
            for package in packages - unread
            for subject in self.holders[package]
        }

    def too_many(self, rule: str, unread: AbstractSet[str]) -> Mapping[str, tuple[str, ...]]:
        """Who holds more of a set than a rule allows, and what, as far as it was read."""
        counted = self.counted[rule]
        packages = sorted(counted.of - unread)
        subjects = {subject for each in packages for subject in self.holders[each]}
        held = {
            subject: tuple(each for each in packages if subject in self.holders[each])
            for subject in subjects
        }
        return {subject: some for subject, some in held.items() if len(some) > counted.at_most}


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
    in_order = [each for each in meetings if each.on < each.other]
    return Truth(
        conflicts={
            (each.on, each.other): holders[each.on] & holders[each.other] for each in in_order
        },
        rules_of=_rules_of(in_order),
        counted={
            rule["id"]: Counted(rule["atMost"]["count"], frozenset(_set_of(rule, tenant)))
            for rule in rules
            if _allows_some(rule)
        },
        unreadable=unreadable,
        desired=frozenset(asked_by) | {each for each in guarded if each.on not in unreadable},
        asked_by={each: asked_by[each] for each in asked_by.keys() - guarded},
        present=frozenset(references_of(tenant)),
        holders=holders,
        toxic={rule["id"]: _toxic(rule, tenant, packages, unreadable) for rule in rules},
        named_twice=frozenset(each for rule in rules for each in _named_twice(rule, tenant)),
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
        str(each.target_id)
        for each in tenant.assignments
        if each.access_package_id == package and each.state.lower() in HELD
    )


def _meetings(rule: Mapping[str, Any], tenant: Tenant) -> Iterator[Meeting]:
    """Both orders of every pair that the rule keeps apart."""
    if _allows_some(rule):
        return
    if "atMost" in rule:
        for on, other in permutations(_set_of(rule, tenant), 2):
            yield Meeting(rule, on, other, frozenset())
        return
    for one, another in permutations(rule["between"], 2):
        for on, other in product(_packages(one, tenant), _packages(another, tenant)):
            if on != other:
                yield Meeting(rule, on, other, _groups(another))


def _allows_some(rule: Mapping[str, Any]) -> bool:
    return "atMost" in rule and rule["atMost"]["count"] > 1


def _set_of(rule: Mapping[str, Any], tenant: Tenant) -> set[str]:
    return _selected(rule["atMost"]["of"], tenant)


def _rules_of(meetings: list[Meeting]) -> Mapping[PairKey, frozenset[str]]:
    found: dict[PairKey, set[str]] = {}
    for each in meetings:
        found.setdefault((each.on, each.other), set()).add(each.rule["id"])
    return {pair: frozenset(rules) for pair, rules in found.items()}


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


def _named_twice(rule: Mapping[str, Any], tenant: Tenant) -> Iterator[str]:
    for one, other in combinations(rule.get("between", ()), 2):
        yield from _packages(one, tenant) & _packages(other, tenant)


def _toxic(
    rule: Mapping[str, Any],
    tenant: Tenant,
    packages: Mapping[str, AccessPackage],
    unreadable: frozenset[str],
) -> frozenset[str]:
    granted = {
        key: _granted(each, counts_eligible=bool(rule.get("eligible")))
        for key, each in packages.items()
        if key not in unreadable
    }
    if "atMost" in rule:
        allowed = rule["atMost"]["count"]
        duties = [Duty(packages=frozenset([each])) for each in sorted(_set_of(rule, tenant))]
    else:
        allowed = 1
        duties = [
            Duty(packages=frozenset(_packages(side, tenant)), groups=_groups(side))
            for side in rule["between"]
        ]
    return frozenset(each for each in granted if is_toxic(each, duties, granted, allowed=allowed))


def _granted(package: AccessPackage, *, counts_eligible: bool) -> Granted:
    """Membership is the group's own id, whether it is active or eligible."""
    eligible = granted(package, "EligibleMember")
    members = granted(package, "Member") | (eligible if counts_eligible else set())
    owned = {f"owner of {each}" for each in granted(package, "Owner")}
    return Granted(roles=frozenset(_granted_at_all(package) | owned), groups=frozenset(members))
