"""Sides by what packages grant: which packages an entry selects, and what is not known of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.errors import Forbidden
from entra_sod.domain.grants import Grant, GrantKind, Grants
from entra_sod.domain.results.coverage import Reason, rule_gaps, selection_gaps
from entra_sod.domain.rules import grants as module
from entra_sod.domain.rules.grant_language import GrantSelector
from entra_sod.domain.rules.grants import GrantIndex, grant_of
from entra_sod.domain.rules.language import AtMost, PackageSelector, Rule, Side
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import ResolvedRule, Tenant, needs_grants, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from tests.builders import TODAY, guid, package, rule, side

APP, ROLE = guid("aaa"), guid("bbb")
SITE = "https://contoso.sharepoint.com/sites/AP"
SCOPE = "/subscriptions/cafe/resourceGroups/Pay"


def group_grant(name: str, kind: GrantKind = GrantKind.MEMBER) -> Grant:
    role = {"member": "member", "owner": "owner", "eligible": "eligiblemember"}[kind]
    return Grant("AadGroup", guid(name), "A group", f"{role}_{guid(name)}", "Shown", kind)


MEMBER, OWNER = group_grant("9"), group_grant("9", GrantKind.OWNER)
ELIGIBLE = group_grant("9", GrantKind.ELIGIBLE)
POST = Grant("AadApplication", APP, "Payments", ROLE, "Post payments", GrantKind.ACTIVE)
OWNERS = Grant("SharePointOnline", SITE.lower(), "Payables", "3", "Owners", GrantKind.ACTIVE)
BILLING = Grant(
    "DirectoryRole", guid("ccc"), "Billing Administrator", "active", "Member", GrantKind.ACTIVE
)
MAY_BILL = msgspec.structs.replace(BILLING, role="eligible", kind=GrantKind.ELIGIBLE)
AZURE = Grant("AzureResources", SCOPE.lower(), "Pay", guid("ddd"), "Contributor", GrantKind.ACTIVE)
MAY_AZURE = msgspec.structs.replace(AZURE, kind=GrantKind.ELIGIBLE)
ALL = {
    "0": MEMBER,
    "1": OWNER,
    "2": ELIGIBLE,
    "3": POST,
    "4": OWNERS,
    "5": BILLING,
    "6": MAY_BILL,
    "7": AZURE,
    "8": MAY_AZURE,
}


def index_of(grants: Mapping[str, Grant]) -> GrantIndex:
    return GrantIndex({guid(name): (grant,) for name, grant in grants.items()})


def group(name: str, kind: GrantKind | None = None) -> GrantSelector:
    return GrantSelector(group=UUID(guid(name)), kind=kind)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        (group("9"), "0"),
        (group("9", GrantKind.OWNER), "1"),
        (group("9", GrantKind.ELIGIBLE), "2"),
        (group("9", GrantKind.ANY), "012"),
        (group("8", GrantKind.ANY), ""),
        (GrantSelector(app="payments", role="post  PAYMENTS"), "3"),
        (GrantSelector(app=APP.upper(), role=ROLE), "3"),
        (GrantSelector(app="Payments"), "3"),
        (GrantSelector(app="Pay*", role="Post payments"), ""),
        (GrantSelector(app="Payments", role="Post"), ""),
        (GrantSelector(site=f"{SITE}/", role="owners"), "4"),
        (GrantSelector(site=SITE, role="3"), "4"),
        (GrantSelector(site=SITE, role="Members"), ""),
        (GrantSelector(directory_role="billing administrator"), "5"),
        (GrantSelector(directory_role=guid("ccc"), kind=GrantKind.ELIGIBLE), "6"),
        (GrantSelector(directory_role="Billing Administrator", kind=GrantKind.ANY), "56"),
        (GrantSelector(azure_role="contributor", scope=f"{SCOPE}/"), "7"),
        (GrantSelector(azure_role=guid("ddd"), kind=GrantKind.ELIGIBLE), "8"),
        (GrantSelector(azure_role="Contributor", kind=GrantKind.ANY), "78"),
        (GrantSelector(azure_role="Contributor", scope="/subscriptions/cafe"), ""),
    ],
)
def test_an_entry_selects_the_packages_that_grant_it(selector: GrantSelector, names: str) -> None:
    """By id or name, without regard to case, without wildcards, and of the kind that it says."""
    assert index_of(ALL).givers(selector) == {guid(name) for name in names}


def test_an_azure_role_may_be_given_by_the_last_part_of_its_id() -> None:
    """Azure writes some ids of roles as whole addresses."""
    address = f"/providers/microsoft.authorization/roledefinitions/{guid('ddd')}"
    index = index_of({"a": msgspec.structs.replace(AZURE, role=address)})
    assert index.givers(GrantSelector(azure_role=guid("ddd"))) == {guid("a")}


def parsed(*rules: Rule, **classes: Side) -> ParsedRules:
    return ParsedRules(rules={each.id: each for each in rules}, classes=classes)


def resolved(
    book: ParsedRules, granted: Mapping[str, Grants], **unread: Forbidden
) -> list[ResolvedRule]:
    """Resolve in a tenant of the packages that grant something."""
    index = GrantIndex(
        {guid(name): grants for name, grants in granted.items()},
        {guid(name): error for name, error in unread.items()},
    )
    return resolve(book, Tenant(map(package, granted), grants=index), TODAY)


def by_grants(*entries: GrantSelector, alike: bool = False) -> Side:
    return Side(grants=list(entries), alike=alike)


def names_of(side_of_rule: frozenset[str]) -> str:
    return "".join(sorted({each[0] for each in side_of_rule}))


def sides_of(rule_of: ResolvedRule) -> list[str]:
    return [names_of(each) for each in rule_of.package_sides]


grants = st.sampled_from(list(ALL.values()))
tenants = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(grants, max_size=4, unique=True).map(tuple), min_size=1
)
SELECTORS = [
    group("9", GrantKind.ANY),
    group("9"),
    GrantSelector(app="Payments", role="Post payments"),
    GrantSelector(site=SITE),
    GrantSelector(directory_role="Billing Administrator", kind=GrantKind.ANY),
    GrantSelector(azure_role="Contributor", scope=SCOPE),
]
# Written apart from the product: which of the grants above each entry means.
MEANT = [{MEMBER, OWNER, ELIGIBLE}, {MEMBER}, {POST}, {OWNERS}, {BILLING, MAY_BILL}, {AZURE}]
entries = st.lists(st.integers(0, len(SELECTORS) - 1), min_size=1, max_size=3, unique=True)


@given(tenants, entries, entries)
def test_a_side_by_grants_is_the_list_of_the_packages_that_give_them(
    granted: Mapping[str, Grants], one: list[int], other: list[int]
) -> None:
    """The pairs that are kept apart are those of the same rule with the packages written out."""

    def explicit(numbers: list[int]) -> str:
        meant = set().union(*(MEANT[number] for number in numbers))
        return "".join(name for name, given in granted.items() if meant.intersection(given))

    wanted = rule("r", *(by_grants(*(SELECTORS[n] for n in each)) for each in (one, other)))
    written = rule("r", side(explicit(one)), side(explicit(other)))
    found, expected = (
        RuleSet(resolved(parsed(each), granted)).constraints for each in (wanted, written)
    )
    assert list(found) == list(expected)


@given(tenants, entries, entries, st.sampled_from("abcdef"), grants)
def test_a_package_that_grants_more_stays_on_its_sides(
    granted: Mapping[str, Grants], one: list[int], other: list[int], name: str, more: Grant
) -> None:
    """Whatever a package comes to grant, each side keeps what it had."""
    book = parsed(rule("r", *(by_grants(*(SELECTORS[n] for n in each)) for each in (one, other))))
    before = resolved(book, granted)[0]
    after = resolved(book, {**granted, name: (*granted.get(name, ()), more)})[0]
    pairs = zip(before.package_sides, after.package_sides, strict=True)
    assert all(old <= new for old, new in pairs)


def test_classes_and_sets_select_by_grants() -> None:
    """A class in a side, and `atMost` by itself and by a class."""
    cls = by_grants(GrantSelector(app="Payments"))
    of_classes = rule("a", Side(classes=["pay"]), side("f"))
    set_of = AtMost(count=1, grants=[group("9")], classes=["pay"])
    counted = msgspec.structs.replace(rule("b"), between=None, at_most=set_of)
    found = resolved(parsed(of_classes, counted, pay=cls), {"a": (POST,), "b": (MEMBER,)})
    assert [sides_of(each) for each in found] == [["a", "f"], ["ab"]]
    assert needs_grants(parsed(of_classes, pay=cls))


SHARED = group_grant("5")


def test_alike_adds_the_legacy_package() -> None:
    """L grants what D grants, and no rule names L: with alike it is on D's side."""
    granted = {"a": (POST,), "d": (MEMBER,), "c": (ELIGIBLE, BILLING)}
    alike = msgspec.structs.replace(side("d"), alike=True)
    (found,) = resolved(parsed(rule("r", side("a"), alike)), granted)
    assert sides_of(found) == ["a", "cd"]


def test_what_all_sides_grant_makes_no_package_alike() -> None:
    """Both sides grant a group of readers, which tells neither from the other."""
    granted = {"a": (POST, SHARED), "d": (MEMBER, SHARED), "c": (SHARED,)}
    alike = msgspec.structs.replace(side("d"), alike=True)
    (found,) = resolved(parsed(rule("r", side("a"), alike)), granted)
    assert sides_of(found) == ["a", "d"]


def test_alike_of_a_class_compares_the_packages_of_the_class() -> None:
    """Packages that the side itself names, beside the class, are not compared."""
    granted = {"a": (POST,), "b": (OWNERS,), "c": (MEMBER,), "d": (MEMBER,), "e": (OWNERS,)}
    cls = msgspec.structs.replace(side("d"), alike=True)
    by_class = msgspec.structs.replace(side("b"), classes=["pay"])
    (found,) = resolved(parsed(rule("r", side("a"), by_class), pay=cls), granted)
    assert sides_of(found) == ["a", "bcd"]


def test_a_package_whose_grants_are_not_known_is_a_gap_of_each_rule_by_grants() -> None:
    """It is named once, with the rules; rules that name packages have no gap."""
    book = parsed(
        rule("r", by_grants(group("9")), side("f")),
        rule("s", by_grants(GrantSelector(app="Payments")), side("f")),
        rule("t", side("a"), side("f")),
    )
    granted = {"a": (POST, MEMBER), "f": (OWNERS,)}
    rules = RuleSet(resolved(book, granted, b=Forbidden("403 it is", status=403)))
    (gap,) = rule_gaps(rules)
    assert guid("b") in gap.what
    assert gap.why == "rules r, s select packages by what they grant: 403 it is"
    assert gap.reason is Reason.MISSING_ROLE
    assert selection_gaps(rules) == [gap]
    assert [bool(each.grant_gaps) for each in rules.rules] == [True, True, False]


def test_many_gaps_are_counted() -> None:
    """Five packages are named, and how many more there are."""
    book = parsed(rule("r", by_grants(group("9")), side("f")))
    unread = {name: Forbidden("no", status=403) for name in ("1", "2", "3", "4", "5", "6", "7")}
    gaps = list(rule_gaps(RuleSet(resolved(book, {"a": (MEMBER,), "f": ()}, **unread))))
    assert (len(gaps), gaps[-1].what) == (6, "what 2 access packages more grant")


def test_rules_by_grants_have_a_gap_where_grants_were_not_read() -> None:
    """A caller that does not read the grants gets no all-clear."""
    book = parsed(rule("r", by_grants(group("9")), side("f")))
    (found,) = resolve(book, Tenant([package("f")]), TODAY)
    (gap,) = [each for each in rule_gaps(RuleSet([found])) if each.reason is Reason.NOT_LOOKED_AT]
    assert gap.what == "what access packages grant"


def test_alike_needs_to_know_what_its_own_packages_grant() -> None:
    """A package that the tenant's list does not show has nothing to compare with."""
    alike = msgspec.structs.replace(side("d"), alike=True)
    (found,) = resolved(parsed(rule("r", side("a"), alike)), {"a": (POST,)})
    assert found.grant_gaps.keys() == {guid("d")}


def test_a_name_that_graph_does_not_show_is_a_gap_of_entries_by_name() -> None:
    """An entry by id needs no name, and an entry of another kind is not concerned."""
    nameless = msgspec.structs.replace(POST, resource_name="")
    granted = {"a": (nameless,), "f": (OWNERS,)}
    book = parsed(
        rule("name", by_grants(GrantSelector(app="Payments")), side("f")),
        rule("id", by_grants(GrantSelector(app=APP)), side("f")),
        rule("group", by_grants(group("9")), side("f")),
    )
    gaps = {each.id: set(each.grant_gaps) for each in resolved(book, granted)}
    assert gaps == {"name": {guid("a")}, "id": set(), "group": set()}


@given(st.sampled_from(SELECTORS), tenants)
def test_the_order_of_packages_and_grants_does_not_matter(
    selector: GrantSelector, granted: Mapping[str, Grants]
) -> None:
    """Two ways to list the same tenant select the same."""
    found = {
        frozenset(GrantIndex({name: granted[name] for name in order}).givers(selector))
        for order in list(permutations(granted))[:6]
    }
    assert len(found) == 1


def test_resolving_looks_at_each_grant_once_and_at_no_other_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With n packages and n entries the comparisons are about n, and not n times n."""
    compared = 0
    fits = module.fits

    def counting(selector: GrantSelector, grant: Grant) -> bool:
        nonlocal compared
        compared += 1
        return fits(selector, grant)

    monkeypatch.setattr(module, "fits", counting)
    for size in (50, 200):
        compared = 0
        ids = [str(UUID(int=number)) for number in range(size)]
        index = GrantIndex(
            {
                each: (Grant("AadGroup", each, "", f"member_{each}", "", GrantKind.MEMBER),)
                for each in ids
            }
        )
        rules = {
            each: rule(each, by_grants(GrantSelector(group=UUID(each))), side("f")) for each in ids
        }
        resolve(ParsedRules(rules=rules), Tenant((), grants=index), TODAY)
        assert compared == size


@pytest.mark.parametrize("selector", [*SELECTORS[1:4], *SELECTORS[5:]])
def test_the_grant_that_a_test_of_rules_states_is_one_that_its_entry_selects(
    selector: GrantSelector,
) -> None:
    """So a test says what a package grants in the words in which a rule asks for it."""
    index = GrantIndex({guid("a"): (grant_of(selector),)})
    assert index.givers(selector) == {guid("a")}


def test_systems_are_those_of_graph() -> None:
    """A grant of a system that rules do not know is kept, and no entry selects it."""
    other = Grant("CustomDataProvidedResource", "x", "X", "y", "Y", GrantKind.ACTIVE)
    index = index_of({"a": other})
    assert not any(map(index.givers, SELECTORS))
    assert index.granted[guid("a")] == (other,)


def test_a_pattern_and_a_grant_go_together() -> None:
    """A side takes what any of its entries selects."""
    both = Side(packages=[PackageSelector(name="Package b")], grants=[group("9")])
    (found,) = resolved(parsed(rule("r", both, side("f"))), {"a": (MEMBER,), "b": ()})
    assert sides_of(found) == ["ab", "f"]


def test_rules_whose_packages_are_not_all_known_are_not_settled() -> None:
    """With the package and the reason, so that nothing is pruned or approved by them."""
    book = parsed(rule("r", by_grants(group("9")), side("f")))
    granted = {"a": (MEMBER,), "f": (OWNERS,)}
    assert RuleSet(resolved(book, granted)).unsettled is None
    unsettled = RuleSet(resolved(book, granted, b=Forbidden("no", status=403))).unsettled
    assert unsettled == f"what access package {guid('b')} grants is not known (no)"


def test_a_side_stays_whole_when_more_packages_grant_what_it_grants() -> None:
    """`every` counts those, too."""
    every = msgspec.structs.replace(side("0"), alike=True, every=True)
    index = index_of({"0": MEMBER, "1": MEMBER, "5": BILLING})
    tenant = Tenant([package(each) for each in "015"], grants=index)
    parsed = ParsedRules(rules={"r": rule("r", every, side("5"))})
    [found] = resolve(parsed, tenant, TODAY)
    one, other = found.duties
    assert one.packages == {guid("0"), guid("1")}
    assert one.every
    assert not other.every
