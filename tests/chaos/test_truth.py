"""The truth, in tenants small enough to see it."""

from __future__ import annotations

from typing import Any

import msgspec

from local.graph.demo import APP_CLIENT_ID, APP_PRINCIPAL_ID
from tests.chaos.truth import Breach, Truth, Wanted, find_truth

type Json = dict[str, Any]


def package(name: str, *grants: str, catalog: str = "open") -> Json:
    return {
        "id": name,
        "catalogId": catalog,
        "displayName": f"Package {name}",
        "resourceRoleScopes": [grant(each) for each in grants],
    }


def grant(origin: str) -> Json:
    resource = {"id": origin, "displayName": origin, "originSystem": "AadGroup", "originId": origin}
    return {"id": origin, "role": resource, "scope": resource}


def rule(mode: str, references: str, **content: object) -> Json:
    return {"id": f"{mode} {references}", "mode": mode, "references": references, **content}


def side(packages: str = "", groups: str = "") -> Json:
    return {
        "packages": [{"id": each} for each in packages],
        "groups": [{"id": each} for each in groups],
    }


def truth_of(packages: list[Json], rules: list[Json], **held: str) -> Truth:
    """The truth where `held` names, for each package, a subject by each letter."""
    tenant = {
        "catalogs": [{"id": name, "displayName": name} for name in ("open", "hidden")],
        "accessPackages": packages,
        "assignments": [
            {"id": f"{name}{who}", "accessPackageId": name, "targetId": who.lower()}
            | {"state": "expired" if who.isupper() else "delivered"}
            for name, subjects in held.items()
            for who in subjects
        ],
        "identities": [
            {"clientId": APP_CLIENT_ID, "principalId": APP_PRINCIPAL_ID, "displayName": "app"}
        ],
        "roleAssignments": [
            {
                "principalId": APP_PRINCIPAL_ID,
                "roleDefinitionId": "manager",
                "appScopeId": "/AccessPackageCatalog/open",
            }
        ],
    }
    return find_truth(msgspec.json.encode(tenant), msgspec.json.encode({"rules": rules}))


def test_those_who_hold_both_are_in_conflict() -> None:
    """Expired assignments count for nothing, and pairs within a side are none."""
    rules = [rule("record", "both", between=[side("ab"), side("c")])]
    truth = truth_of([package(each) for each in "abc"], rules, a="xyz", b="w", c="xYz")
    assert truth.conflicts == {("a", "c"): {"x", "z"}, ("b", "c"): frozenset()}
    assert truth.desired == frozenset()


def test_both_directions_and_both_kinds_are_wanted() -> None:
    """Of groups, those that are granted or named, less those that the package itself grants."""
    packages = [package("a", "Member_g", "Member_h"), package("b", "Member_g", "Owner_o")]
    rules = [rule("enforce", "both", between=[side("a", "n"), side("b", "m")])]
    assert truth_of(packages, rules).desired == {
        Wanted("a", "package", "b"),
        Wanted("a", "group", "m"),
        Wanted("b", "package", "a"),
        Wanted("b", "group", "h"),
        Wanted("b", "group", "n"),
    }


def test_eligible_members_count_where_a_rule_says_so() -> None:
    """Without it they are no reference."""
    packages = [package("a"), package("b", "EligibleMember_e")]
    sides = [side("a"), side("b")]
    assert truth_of(packages, [rule("enforce", "groups", between=sides)]).desired == frozenset()
    eligible = [rule("enforce", "groups", between=sides, eligible=True)]
    assert truth_of(packages, eligible).desired == {Wanted("a", "group", "e")}


def test_the_stricter_mode_and_the_wider_references_win() -> None:
    """A rule that enforces packages and one that warns of groups ask for both, together."""
    packages = [package("a"), package("b", "Member_g")]
    sides = [side("a"), side("b", "n")]
    truth = truth_of(
        packages,
        [rule("enforce", "packages", between=sides), rule("warn", "groups", between=sides)],
    )
    assert truth.desired == {
        Wanted("a", "package", "b"),
        Wanted("b", "package", "a"),
        Wanted("a", "group", "g"),
    }


def test_a_side_of_groups_only_is_kept_from_the_packages_of_the_others() -> None:
    """It gives no pair; a package that grants the group itself is left out."""
    packages = [package("a"), package("b", "Member_g")]
    truth = truth_of(packages, [rule("enforce", "groups", between=[side("", "g"), side("ab")])])
    assert truth.conflicts == {}
    assert truth.desired == {Wanted("a", "group", "g")}


def test_what_may_not_be_read_asks_for_nothing() -> None:
    """A pair with an unreadable package is a pair; a pattern does not reach the package."""
    packages = [package("a"), package("b"), package("z", catalog="hidden")]
    by_id = rule("enforce", "packages", between=[side("a"), side("bz")])
    by_name = rule("record", "both", atMost={"count": 1, "of": [{"name": "package ?"}]})
    truth = truth_of(packages, [by_id, by_name])
    assert truth.unreadable == {"z"}
    assert truth.conflicts.keys() == {("a", "b"), ("a", "z")}
    assert truth.desired == {Wanted("a", "package", "b"), Wanted("b", "package", "a")}


def test_each_rule_of_a_pair_has_a_finding_for_each_who_holds_both() -> None:
    """Of pairs that are known."""
    sides = [side("a"), side("b")]
    rules = [rule("warn", "groups", between=sides), rule("record", "both", between=sides)]
    truth = truth_of([package(each) for each in "ab"], rules, a="xyz", b="xy")
    assert truth.breaches(lambda _: False, frozenset()) == {
        Breach(name, ("a", "b"), who) for name in ("warn groups", "record both") for who in "xy"
    }
    assert truth.breaches(lambda pair: pair == ("a", "b"), frozenset()) == set()


def test_who_holds_more_of_a_set_than_is_allowed_is_counted() -> None:
    """By all that is held of what could be read; the set makes no pairs."""
    rules = [rule("warn", "both", atMost={"count": 2, "of": side("abcd")["packages"]})]
    packages = [package(each) for each in "abcd"]
    truth = truth_of(packages, rules, a="xy", b="xy", c="xY", d="x")
    assert truth.conflicts == {}
    assert truth.too_many("warn both", frozenset()) == {"x": ("a", "b", "c", "d")}
    assert truth.too_many("warn both", frozenset("d")) == {"x": ("a", "b", "c")}
    assert truth.too_many("warn both", frozenset("cd")) == {}
    found = {Breach("warn both", ("a", "b", "c", "d"), "x")}
    assert truth.breaches(lambda _: True, frozenset()) == found


def test_the_way_with_fewer_requests_is_the_cheaper_one() -> None:
    """A request for each pair, or one for each package; a set's packages are read in any case."""
    packages = [package(each) for each in "abcdef"]
    few = rule("record", "both", between=[side("ab"), side("cd")])
    more = rule("record", "both", between=[side("ab"), side("cde")])
    counted = rule("warn", "both", atMost={"count": 2, "of": side("abf")["packages"]})
    within = rule("record", "both", between=[side("a"), side("bf")])
    assert truth_of(packages, [few]).strategy == "pairs"
    assert truth_of(packages, [more]).strategy == "index"
    assert truth_of(packages, [few, counted]).strategy == "index"
    assert truth_of(packages, [within, counted]).strategy == "pairs"
    assert not truth_of(packages, [within, counted]).is_asked(("a", "b"))


def test_packages_on_two_sides_of_a_rule_are_read_in_any_case() -> None:
    """Holding one is a conflict by itself, which no question about a pair answers."""
    packages = [package(each) for each in "abcd"]
    once = rule("record", "both", between=[side("ab"), side("cd")])
    twice = rule("record", "both", between=[side("a"), side("ab")])
    assert truth_of(packages, [once]).needed == frozenset()
    assert truth_of(packages, [twice]).needed == {"a"}
    assert truth_of(packages, [twice]).strategy == "pairs"
