"""A seeded tenant and rules for it, as the files that a simulator and an app read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import batched
from random import Random

import msgspec

from local.graph.authorization import ACCESS_PACKAGE_MANAGER, CATALOG_SCOPE
from local.graph.demo import APP_CLIENT_ID, APP_PRINCIPAL_ID
from local.graph.demo_people import make_id
from local.graph.tenant import (
    AccessPackage,
    Assignment,
    Catalog,
    Group,
    Identity,
    Reference,
    ResourceRoleScope,
    Role,
    RoleAssignment,
    Scope,
    Subject,
    Tenant,
)
from tests.chaos.traits import Trait

type Json = dict[str, object]
type Ids = Sequence[str]

PEOPLE = 80
GROUPS = 16
# Fewer people than places, so that many hold two packages, and not all of them.
HOLDERS = range(4, 13)
STATES = ("delivered",) * 7 + ("delivering", "partiallyDelivered", "expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """A tenant and its rules, both as the JSON that is written into files (JSON is YAML)."""

    tenant: bytes
    rules: bytes


def make_books(chance: Random, traits: Collection[Trait] = ()) -> Books:
    """30 to 60 packages in 2 or 3 catalogs; sometimes one more catalog that may not be read."""
    readable = [f"Catalog {number}" for number in range(chance.randint(2, 3))]
    hidden = ["Hidden catalog"] if chance.random() < 1 / 3 else []
    packages = [_package(chance, n, readable) for n in range(chance.randint(30, 60))]
    out_of_sight = [_package(chance, 100 + n, hidden) for n in range(2 * len(hidden))]
    rules = _rules(chance, packages, out_of_sight, traits)
    everything = packages + out_of_sight
    _refer(chance, everything)
    tenant = Tenant(
        catalogs=[Catalog(id=make_id(name), display_name=name) for name in readable + hidden],
        access_packages=everything,
        groups=[Group(id=_group(n), display_name=f"Group {n}") for n in range(GROUPS)],
        subjects=[_subject(number) for number in range(PEOPLE)],
        assignments=[each for package in everything for each in _assignments(chance, package)],
        identities=[
            Identity(
                client_id=APP_CLIENT_ID, principal_id=APP_PRINCIPAL_ID, display_name="entra-sod"
            )
        ],
        role_assignments=[_role(name) for name in readable],
    )
    return Books(
        tenant=msgspec.json.encode(tenant),
        rules=msgspec.json.encode({"version": 1, "rules": rules}),
    )


def _group(number: int) -> str:
    return make_id(f"chaos group {number}")


def _subject(number: int) -> Subject:
    person = make_id(f"chaos person {number}")
    return Subject(
        id=make_id(f"chaos subject {number}"),
        object_id=person,
        display_name=f"Person {number}",
        subject_type="user",
    )


def _role(catalog: str) -> RoleAssignment:
    return RoleAssignment(
        id=make_id(f"role in {catalog}"),
        principal_id=APP_PRINCIPAL_ID,
        role_definition_id=ACCESS_PACKAGE_MANAGER,
        app_scope_id=f"{CATALOG_SCOPE}{make_id(catalog)}",
    )


def _package(chance: Random, number: int, catalogs: list[str]) -> AccessPackage:
    granted = chance.sample(range(GROUPS), chance.choice([0, 1, 1, 2]))
    kinds = chance.choices(["Member", "EligibleMember", "Owner"], weights=[8, 2, 1], k=len(granted))
    return AccessPackage(
        id=make_id(f"chaos package {number}"),
        catalog_id=make_id(chance.choice(catalogs)),
        display_name=f"Duty {number:02}",
        resource_role_scopes=[
            _grant(kind, _group(group)) for kind, group in zip(kinds, granted, strict=True)
        ],
    )


def _grant(kind: str, group: str) -> ResourceRoleScope:
    role = Role(
        id=make_id(f"{kind} of {group}"),
        display_name=kind,
        origin_system="AadGroup",
        origin_id=f"{kind}_{group}",
    )
    scope = Scope(
        id=make_id(f"scope {group}"),
        display_name="Root",
        origin_id=group,
        origin_system="AadGroup",
    )
    return ResourceRoleScope(id=f"{role.id}_{scope.id}", role=role, scope=scope)


def _assignments(chance: Random, package: AccessPackage) -> list[Assignment]:
    holders = chance.sample(range(PEOPLE), chance.choice(HOLDERS))
    return [
        Assignment(
            id=make_id(f"assignment of {package.id} to {holder}"),
            access_package_id=package.id,
            target_id=make_id(f"chaos subject {holder}"),
            state=chance.choice(STATES),
        )
        for holder in holders
    ]


def _refer(chance: Random, packages: list[AccessPackage]) -> None:
    """References that people have made before: some that the rules want, most that none wants."""
    for package in chance.sample(packages, 6):
        other = chance.choice([each for each in packages if each is not package])
        package.incompatible_access_packages = [Reference(id=other.id)]
        package.incompatible_groups = [Reference(id=_group(chance.randrange(GROUPS)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Duties:
    """Which packages the rules are about, by their ids.

    Attributes:
        low, high: patterns of names.
        counted: of which one may hold two.
    """

    pays: Ids
    approves: Ids
    orders: Ids
    receives: Ids
    few: Ids
    many: Ids
    low: str
    high: str
    counted: Ids


def _many_pairs(chance: Random, ids: Ids, hidden: Ids) -> _Duties:
    """Several pairs for each package, so that an index of assignments is the cheaper way."""
    pays, approves, orders, receives = batched(chance.sample(ids, 12), 3, strict=True)
    return _Duties(
        pays=pays,
        approves=(*approves, *hidden),
        orders=orders,
        receives=receives,
        few=chance.sample(ids, 4),
        many=[*chance.sample(ids, 9), *hidden[:1]],
        low="Duty 0*",
        high="duty 1?",
        counted=[*chance.sample(ids, 6), *hidden[:1]],
    )


def _few_pairs(chance: Random, ids: Ids, hidden: Ids) -> _Duties:
    """No more pairs than packages, so that asking for each pair is the cheaper way.

    The pairs of those that order and receive are answered by the counted set, and not asked for.
    """
    # The patterns take the first ten: a package that two rules share would make them dearer.
    some = iter(chance.sample(ids[10:], 15))
    pays, approves, orders, receives, few, many, new = (
        [next(some) for _ in range(size)] for size in (1, 3, 2, 2, 2, 2, 2)
    )
    return _Duties(
        pays=pays,
        approves=[*approves, *hidden],
        orders=orders,
        receives=receives,
        few=few,
        many=[*many, *hidden[:1]],
        low="Duty 00",
        high="duty 0?",
        counted=[*orders, *receives, *new, *hidden[:1]],
    )


def _rules(
    chance: Random,
    packages: list[AccessPackage],
    out_of_sight: list[AccessPackage],
    traits: Collection[Trait],
) -> list[Json]:
    """Each kind of rule once; sides overlap by chance, and one pair has two rules."""
    ids, hidden = ([each.id for each in some] for some in (packages, out_of_sight))
    choose = _few_pairs if Trait.PAIRS in traits else _many_pairs
    of = choose(chance, ids, hidden)
    counted = [_at_most("two-of-some", "warn", "both", of.counted, count=2)]
    return [
        _between("pay-approve", "enforce", "both", _side(of.pays, 0), _side(of.approves)),
        _between("order-receive", "enforce", "groups", _side(of.orders), _side(of.receives, 1))
        | {"eligible": chance.random() < 1 / 2},
        # The stricter mode and the wider references win where this meets the first rule.
        _between("also-approve", "warn", "packages", _side(of.pays[:1]), _side(of.approves[:2])),
        _at_most("one-of-few", "enforce", "packages", of.few),
        _at_most("one-of-many", "record", "both", of.many),
        _between("patterns", "warn", "both", _pattern(of.low), _pattern(of.high)),
        _between(
            "not-the-team", "enforce", "groups", _side((), 2, 3), _side(chance.sample(ids, 5))
        ),
        *(counted if Trait.COUNTS in traits else ()),
    ]


def _between(name: str, mode: str, references: str, *sides: Json) -> Json:
    return _rule(name, mode, references) | {"between": sides}


def _at_most(name: str, mode: str, references: str, of: Ids, *, count: int = 1) -> Json:
    return _rule(name, mode, references) | {"atMost": {"count": count, "of": _selectors(of)}}


def _rule(name: str, mode: str, references: str) -> Json:
    return {
        "id": name,
        "title": f"Rule {name}",
        "severity": "high",
        "owner": "owner@example.com",
        "mode": mode,
        "references": references,
    }


def _side(packages: Ids, *groups: int) -> Json:
    side: Json = {"packages": _selectors(packages)} if packages else {}
    return side | ({"groups": [{"id": _group(number)} for number in groups]} if groups else {})


def _pattern(name: str) -> Json:
    return {"packages": [{"catalog": "Catalog ?", "name": name}]}


def _selectors(ids: Ids) -> list[Json]:
    return [{"id": each} for each in ids]
