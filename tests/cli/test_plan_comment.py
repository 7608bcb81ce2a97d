"""A plan as a comment on a pull request: it fits at any size, and leaves nothing out in silence."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.plan_document import PlanDocument
from entra_sod.cli.operations.plan_file import load_plan, save_plan
from entra_sod.cli.operations.plan_review import PlanSource
from entra_sod.cli.operations.tenant_state import TenantState
from entra_sod.cli.plan_comment import MAX_COMMENT, plan_markdown
from entra_sod.domain.enforcement.guard import HeldReference
from entra_sod.domain.entra import AccessPackage, Reference, ReferenceKind
from entra_sod.domain.results.coverage import Reason, Skipped
from entra_sod.domain.rules.language import AtMost, Mode, PackageSelector
from tests.builders import at_most, guid, package, rule, rule_set, side

HOSTILE = {
    "plain": "Package",
    "markdown": "| a | **b** `c` [d](e) <img src=x> @team #1 ~~~ \\",
    "mentions": "@" * 500,
    "four bytes": "🏦" * 500,
    "right to left": "\u202e" * 500,
    "combining": "e\u0301" * 500,
    "lines": "\n\n# head\r\n" * 50,
    "tags": "<" * 500,
}
EXCLUSIVE = 120


def an_id(number: int) -> str:
    return str(UUID(int=number + 1))


def exclusive_plan(name: str, packages: int = EXCLUSIVE) -> PlanDocument:
    """A plan of a rule by which each package excludes each other one, both ways."""
    known = {
        an_id(number): AccessPackage(id=an_id(number), display_name=f"{name} {number}")
        for number in range(packages)
    }
    set_of = [PackageSelector(id=UUID(each)) for each in known]
    one = msgspec.structs.replace(
        at_most("exclusive", 1, "ab", mode=Mode.ENFORCE), at_most=AtMost(count=1, of=set_of)
    )
    holders = {each: frozenset({f"person {number % 7}"}) for number, each in enumerate(known)}
    state = TenantState(packages=known, present=frozenset(), holders=holders)
    return PlanSource(rules=rule_set(one), state=state).plan("2026-01-01T00:00:00Z")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_plan_of_7_000_pairs_fits_a_comment(name: str) -> None:
    """Whatever the packages are called; each row is one line, and what has no room is counted."""
    plan = exclusive_plan(HOSTILE[name])
    pairs = len(list(combinations(range(EXCLUSIVE), 2)))
    assert plan.figures.additions == 2 * pairs == 14_280
    text = plan_markdown(plan)
    assert units(text) < MAX_COMMENT
    assert text.startswith("### entra-sod plan\n\nReferences: 14280 to add, 0 to remove,")
    shown = len(re.findall(r"^\| .*holders of ", text, re.MULTILINE))
    assert shown > 5
    assert f"and {14_280 - shown:,} more to add" in text
    assert "The whole plan is what `plan --out FILE` writes" in text
    assert "@team" not in text
    assert "\u202e" not in text
    assert "<img" not in text
    cells = [len(re.findall(r"(?<!\\)\|", each)) for each in text.splitlines() if each[:1] == "|"]
    assert set(cells) == {6, 8}  # the two tables have five and seven columns


def test_a_large_plan_uses_the_room() -> None:
    """A comment is cut because it has to be, not by habit."""
    assert units(plan_markdown(exclusive_plan("Package"))) > MAX_COMMENT // 4


def test_a_plan_that_fits_is_whole(tmp_path: Path) -> None:
    """It has every reference, and does not speak of more."""
    plan = exclusive_plan("Package", packages=6)
    text = plan_markdown(plan, saved_to=tmp_path / "plan.json")
    assert text.count("holders of ") == plan.figures.additions == 30
    assert "more to add" not in text
    assert "not all" not in text


def test_the_file_has_the_whole(tmp_path: Path) -> None:
    """The comment names it; each reference is in it."""
    plan, file = exclusive_plan("Package"), tmp_path / "plan.json"
    save_plan(plan, file)
    assert "The whole plan is in plan.json." in plan_markdown(plan, saved_to=file)
    assert len(load_plan(file).added) == plan.figures.additions


def test_the_worst_comes_first() -> None:
    """Rules and references by whom they keep from renewing, then by whom they keep away."""
    packages = {guid(name): package(name) for name in "abcd"}
    holders = {guid("a"): frozenset("x"), guid("b"): frozenset("y"), guid("c"): frozenset("pqr")}
    state = TenantState(
        packages=packages,
        present=frozenset(),
        holders=holders | {guid("d"): frozenset("pqr")},
    )
    rules = rule_set(rule("mild", side("a"), side("b")), rule("worst", side("c"), side("d")))
    text = plan_markdown(PlanSource(rules=rules, state=state).plan("2026-01-01T00:00:00Z"))
    assert text.index("| worst |") < text.index("| mild |")
    rows = [each for each in text.splitlines() if "holders of" in each]
    assert ["worst" in each for each in rows] == [True, True, False, False]


def test_many_rules_are_summed() -> None:
    """The totals of the rules that have no room stand in one line."""
    packages = {guid(name): package(name) for name in "ab"}
    state = TenantState(packages=packages, present=frozenset())
    rules = rule_set(*(rule(f"{'r' * 90}{at:04}", side("a"), side("b")) for at in range(900)))
    plan = PlanSource(rules=rules, state=state).plan("2026-01-01T00:00:00Z")
    text = plan_markdown(plan)
    assert units(text) < MAX_COMMENT
    found = re.search(
        r"^and ([\d,]+) rules more: ([\d,]+) to add, 0 to remove$", text, re.MULTILINE
    )
    assert found
    left, added = (int(each.replace(",", "")) for each in found.groups())
    assert left + len(re.findall(r"^\| r{90}", text, re.MULTILINE)) == 900
    assert added == 2 * left


def test_what_is_not_known_is_never_crowded_out() -> None:
    """Gaps stand before everything else, and those without room are counted."""
    plan = exclusive_plan("🏦" * 120)
    gaps = [
        Skipped(what=f"package {number}", why="@" * 400, reason=Reason.MISSING_ROLE)
        for number in range(5_000)
    ]
    text = plan_markdown(msgspec.structs.replace(plan, not_read=tuple(gaps)))
    assert units(text) < MAX_COMMENT
    shown = text.count("- **not known**: package ")
    assert shown >= 1
    assert f"- **not known**: {5_000 - shown:,} more" in text
    assert text.index("**not known**") < text.index("| rule |")


NOTES = st.lists(
    st.builds(
        Skipped,
        what=st.text(max_size=300),
        why=st.text(max_size=300),
        reason=st.just(Reason.MISSING_ROLE),
    ),
    max_size=400,
)


@settings(max_examples=40, deadline=None)
@given(NOTES, NOTES, NOTES, st.integers(0, 3000), st.text(max_size=200))
def test_any_plan_fits(
    unread: list[Skipped], toxic: list[Skipped], alike: list[Skipped], many: int, name: str
) -> None:
    """Whichever of its parts is large."""
    reference = Reference(an_id(0), ReferenceKind.PACKAGE, an_id(1))
    plan = msgspec.structs.replace(
        exclusive_plan(name, packages=3),
        not_read=tuple(unread),
        toxic=tuple(toxic),
        alike=tuple(alike),
        removals=(reference,) * many,
        held=(HeldReference(reference=reference, why=name, is_removal=False),) * many,
    )
    assert units(plan_markdown(plan)) < MAX_COMMENT
