"""`entra-sod decide` and `rules show`: what people type, what is decided, what rules mean."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.cli.choices import AmbiguousChoice, NoSuchChoice, choose_package, choose_rule
from entra_sod.cli.operations.rules.selected import SelectedItem, selected_items
from entra_sod.cli.show_rules import UNKNOWN, Holders
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.near_names import did_you_mean
from entra_sod.domain.rules.language import (
    GroupSelector,
    Mode,
    PackageSelector,
    RulesFile,
    Side,
)
from entra_sod.domain.rules.parse import ParsedRules
from entra_sod.domain.rules.resolve import Tenant, resolve
from tests.app import install_parts
from tests.builders import guid, requires, rule, side
from tests.cli.printed import PrintedWorld, packages

LISTED = {each.id: each for each in packages()}
NAMES = st.text(min_size=1, max_size=20)


def named(name: str, *keys: str) -> dict[str, AccessPackage]:
    return {
        guid(key): AccessPackage(id=guid(key), display_name=name, catalog_name=f"Catalog {key}")
        for key in keys
    }


@pytest.mark.parametrize(
    "wanted", ["Pay invoices", "  pay INVOICES ", guid("b"), guid("b").upper(), guid("b")[:8]]
)
def test_a_package_is_chosen_by_name_id_or_short_id(wanted: str) -> None:
    """Names compare as in rules."""
    assert choose_package(wanted, LISTED) == guid("b")


def test_a_whole_id_is_taken_though_no_list_shows_it() -> None:
    """The decision says then that the package could not be read."""
    assert choose_package(guid("9"), LISTED) == guid("9")


def test_a_name_of_several_packages_is_listed_with_ids_and_catalogs() -> None:
    """None of them is guessed."""
    twins = named("Pay", "ab", "ac")
    with pytest.raises(AmbiguousChoice) as caught:
        choose_package("pay", twins)
    assert str(caught.value).splitlines() == [
        "2 access packages are pay. Say which one by its id:",
        "  abababab  Pay, in Catalog ab",
        "  acacacac  Pay, in Catalog ac",
    ]


@given(st.lists(NAMES, max_size=8), NAMES)
def test_what_is_chosen_has_the_name_and_is_the_only_one(names: list[str], wanted: str) -> None:
    """Whatever packages there are; otherwise nothing is chosen."""
    known = {
        str(UUID(int=place)): AccessPackage(id=str(UUID(int=place)), display_name=name)
        for place, name in enumerate(names, 1)
    }
    try:
        chosen = choose_package(wanted, known)
    except (NoSuchChoice, AmbiguousChoice):
        return
    same = [key for key, each in known.items() if each.display_name == known[chosen].display_name]
    assert same == [chosen]


def test_a_rule_that_is_nearly_named_is_suggested_and_others_are_listed() -> None:
    """Up to ten of them."""
    assert choose_rule("a", ["a", "b"], "rules") == "a"
    with pytest.raises(NoSuchChoice, match=r"no rule pay-approve\. Did you mean pay-and-approve\?"):
        choose_rule("pay-approve", ["pay-and-approve", "x"], "rules")
    with pytest.raises(NoSuchChoice, match=r"Its rules are: r00, .* and 2 more\."):
        choose_rule("zzz", [f"r{number:02}" for number in range(12)], "rules")
    with pytest.raises(NoSuchChoice, match=r"rules has no rule x\. It has no rule\."):
        choose_rule("x", [], "rules")


def test_a_suggestion_is_one_short_line() -> None:
    """Whatever a name has in it."""
    near = did_you_mean("Pay invoice", ["Pay\ninvoices\x1b[31m" + "x" * 200])
    assert near == "" or ("\n" not in near and "\x1b" not in near and len(near) < 150)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PrintedWorld]:
    made = await PrintedWorld.swept(tmp_path)
    # Without the rule that selects nothing, which makes each decision a review.
    rules = [rule("pay-and-approve", side("a"), side("b")), rule("other", side("c"), side("d"))]
    content = msgspec.json.encode(RulesFile(version=1, rules=rules))
    (tmp_path / "rules/rules.yaml").write_bytes(content)
    yield made
    install_parts()


@pytest.mark.parametrize(
    ("person", "wanted", "decision", "code"),
    [
        ("0a", ["Order goods"], "allow", 0),
        ("0c", ["Pay invoices"], "deny", 2),
        ("0a", ["Maintain vendors", "Order goods"], "deny", 2),
        ("77", ["Order goods"], "review", 3),
    ],
)
async def test_a_decision_is_the_apps_own(
    person: str, wanted: list[str], decision: str, code: int, world: PrintedWorld
) -> None:
    """Several packages are decided together, and a subject whom Entra does not know is a review."""
    said = await world.run("decide", guid(person), *wanted, "--format", "json", terminal=False)
    body = said.partition("\n")[2].partition("--- ")[0]
    assert json.loads(body)["decision"] == decision
    assert said.endswith(f"--- exit code {code}\n")


async def test_more_packages_than_the_app_decides_at_once_are_refused(world: PrintedWorld) -> None:
    """With the limit; nothing is decided of a part of them."""
    many = [guid(f"{number:02x}") for number in range(0x10, 0x26)]
    said = await world.run("decide", guid("0a"), *many, terminal=False)
    assert "--- exit code 1" in said
    assert "20" in said


def items(parsed: ParsedRules) -> list[tuple[str, str, str]]:
    [resolved] = resolve(parsed, Tenant(LISTED.values()), date(2026, 6, 1))
    found: list[SelectedItem] = [*selected_items(resolved, LISTED)]
    return [(each.side, each.id[:1], each.by) for each in found]


def test_each_side_says_what_selects_its_packages() -> None:
    """An id, a pattern, a class of classes, a group; a pattern that fits nothing is named."""
    classes = {
        "pay": Side(classes=["vendors"]),
        "vendors": Side(packages=[PackageSelector(name="Maintain *")]),
    }
    first = Side(packages=[PackageSelector(id=UUID(guid("a")))], classes=["pay"])
    second = Side(
        packages=[PackageSelector(catalog="Finance", name="Pay*"), PackageSelector(name="Nothing")],
        groups=[GroupSelector(id=UUID(guid("1")))],
    )
    made = rule("r", first, second, mode=Mode.WARN)
    assert sorted(items(ParsedRules(rules={"r": made}, classes=classes))) == [
        ("1", "a", "id"),
        ("1", "c", "class vendors, name Maintain *"),
        ("2", "", "name Nothing"),
        ("2", "1", "group"),
        ("2", "b", "catalog Finance, name Pay*"),
    ]


def test_the_sides_of_a_requirement_have_names() -> None:
    """Which one needs the other one."""
    made = requires("r", side("a"), side("b"))
    assert items(ParsedRules(rules={"r": made})) == [("when", "a", "id"), ("needs", "b", "id")]


def test_people_are_counted_once_or_said_to_be_unknown() -> None:
    """A sum of holders counts a person twice, so it is at most that many."""
    a, b = guid("a"), guid("b")
    both = frozenset({a, b})
    assert Holders().of_packages(both) == UNKNOWN
    assert Holders(counts={a: 1}).of_packages(both) == UNKNOWN
    assert Holders(counts={a: 1, b: 2}).of_packages(both) == "at most 3"
    assert Holders(counts={a: 1}).of_packages(frozenset({a})) == "1"
    live = {a: frozenset("x"), b: frozenset("xy")}
    counts = {key: len(each) for key, each in live.items()}
    assert Holders(counts=counts, subjects=live).of_packages(both) == "2"
    part = Holders(counts=counts, subjects=live, at_least=frozenset({b}))
    assert (part.of_packages(both), part.of_package(b)) == ("at least 2", "at least 2")
    assert part.of_packages(frozenset()) == UNKNOWN
