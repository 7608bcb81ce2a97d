"""How many subjects the references of a check or sweep newly keep away, and how many they may."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import GroupSelector, Protected, References
from tests.app import App
from tests.builders import guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import skipped, sweep

type MakeApp = type[App]

PACKAGES = [package("a", "1"), package("b", "2"), package("c"), package("d")]
HELD = {"a": held("a", "uvwx"), "b": held("b", "xyz"), "c": held("c", "z")}
PAIR = [rule("r", side("a"), side("b"))]
BY_INDEX = [
    *PAIR,
    *(
        rule(f"{one}{other}", side(one), side(other))
        for one, other in ("ac", "ad", "bc", "bd", "cd")
    ),
]
TO_PACKAGES = [rule("r", side("a"), side("b"), references=References.PACKAGES)]
UNCOUNTED = "how many members groups of planned references have"


def numbers(views: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    """By package and target: how many subjects, or how many at least."""
    return {
        (each["accessPackageId"][0], each["targetId"][0]): (
            each.get("subjects"),
            each.get("subjectsAtLeast"),
        )
        for each in views
    }


async def test_a_sweep_tells_how_many_each_reference_newly_keeps_away(make_app: MakeApp) -> None:
    """Holders but those of both; members but those counted as holders; each number once."""
    app = make_app(PACKAGES, HELD, PAIR, ENFORCEMENT="apply")
    app.graph.members = {guid("1"): 10, guid("2"): 3}
    answer = await sweep(app)
    assert numbers(answer["references"]["written"]) == {
        ("a", "b"): (2, None),
        ("b", "a"): (3, None),
        ("a", "2"): (0, None),
        ("b", "1"): (6, None),
    }
    assert UNCOUNTED not in {each["what"] for each in skipped(answer)}


@pytest.mark.parametrize("rules", [PAIR, BY_INDEX])
async def test_a_plan_has_the_numbers_too(make_app: MakeApp, rules: list[Any]) -> None:
    """However the sweep read the tenant: pair by pair, or by an index of assignments."""
    app = make_app(PACKAGES, HELD, rules)
    planned = numbers((await sweep(app))["references"]["planned"])
    assert (planned["a", "b"], planned["b", "a"]) == ((2, None), (3, None))


async def test_members_that_may_not_be_counted_are_not_known(make_app: MakeApp) -> None:
    """The number is told as unknown, and the permission that would tell it; both are written."""
    app = make_app(PACKAGES, HELD, PAIR, ENFORCEMENT="apply")
    for answer in (await app.check("a", "b"), await sweep(app)):
        references = answer["references"]
        if references["written"]:
            assert numbers(references["written"])["b", "1"] == (None, 0)
            (gap,) = [each for each in answer["coverage"]["skipped"] if each["what"] == UNCOUNTED]
            assert "GroupMember.ReadBasic.All" in gap["why"]
    assert len(app.graph.writes) == 4


async def test_a_sweep_holds_what_keeps_too_many_away(make_app: MakeApp) -> None:
    """What is within the limit is written, in order; the rest waits, with both numbers."""
    app = make_app(PACKAGES, HELD, TO_PACKAGES, ENFORCEMENT="apply", MAX_SUBJECTS_AFFECTED="4")
    answer = await sweep(app)
    assert app.graph.writes == [Reference(guid("a"), ReferenceKind.PACKAGE, guid("b"))]
    (waits,) = answer["references"]["held"]
    assert (waits["accessPackageId"], waits["subjects"]) == (guid("b"), 3)
    assert "newly keep 5 subjects away" in waits["why"]
    assert "MAX_SUBJECTS_AFFECTED is 4" in waits["why"]
    assert answer["referenceCounts"]["held"] == 1
    assert answer["referenceCounts"]["planned"] == 1
    again = await sweep(app)
    assert [each["accessPackageId"] for each in again["references"]["written"]] == [guid("b")]


async def test_a_check_holds_what_keeps_too_many_away(make_app: MakeApp) -> None:
    """By what it reads itself, where there was no sweep."""
    app = make_app(PACKAGES, HELD, TO_PACKAGES, ENFORCEMENT="apply", MAX_SUBJECTS_AFFECTED="1")
    answer = await app.check("a", "b")
    assert app.graph.writes == []
    assert numbers(answer["references"]["held"]) == {("a", "b"): (2, None), ("b", "a"): (3, None)}
    assert answer["references"]["planned"] == []


async def test_a_check_that_plans_knows_what_the_last_sweep_saw(make_app: MakeApp) -> None:
    """It asks for nothing more: without a sweep the number is not known, and never 0."""
    app = make_app(PACKAGES, HELD, BY_INDEX)
    before = await app.check("a", "b")
    assert numbers(before["references"]["planned"])["a", "b"] == (None, 0)
    await sweep(app)
    after = await app.check("a", "b")
    assert numbers(after["references"]["planned"])["a", "b"] == (2, None)


async def test_a_check_tells_what_is_protected_beside_what_is_over_the_limit(
    make_app: MakeApp,
) -> None:
    """One group is protected, and the rest keeps too many away: all four are held."""
    app = make_app(PACKAGES, HELD, PAIR, ENFORCEMENT="apply", MAX_SUBJECTS_AFFECTED="0")
    app.rules.write(PAIR, protected=Protected(groups=[GroupSelector(id=UUID(guid("2")))]))
    held_views = (await app.check("a", "b"))["references"]["held"]
    assert [each["targetId"] for each in held_views if "protected" in each["why"]] == [guid("2")]
    assert sum("MAX_SUBJECTS_AFFECTED" in each["why"] for each in held_views) == 3


async def test_who_holds_a_package_by_two_policies_is_counted_once(make_app: MakeApp) -> None:
    """By the index of a sweep, and where Graph is asked."""
    twice = replace(HELD["b"][-1], id="b-z-2")
    for rules in (PAIR, BY_INDEX):
        app = make_app(PACKAGES, {**HELD, "b": [*HELD["b"], twice]}, rules)
        planned = (await sweep(app))["references"]["planned"]
        assert numbers(planned)["a", "b"] == (2, None)


async def test_removals_keep_no_subject_away(make_app: MakeApp) -> None:
    """A limit of 0 lets every removal through."""
    app = make_app(PACKAGES, HELD, TO_PACKAGES, ENFORCEMENT="apply")
    await sweep(app)
    app.rules.write([])
    app.configure(ENFORCEMENT="apply", PRUNE="true", MAX_SUBJECTS_AFFECTED="0")
    assert len((await sweep(app))["references"]["removed"]) == 2


async def test_evidence_has_the_numbers(make_app: MakeApp) -> None:
    """Of what was planned, written or held; other lines have none."""
    app = make_app(PACKAGES, HELD, TO_PACKAGES, ENFORCEMENT="apply", MAX_SUBJECTS_AFFECTED="4")
    await sweep(app)
    lines = []
    async for name in app.storage.blobs.names("evidence"):
        if "references" in name:
            data = await app.storage.blobs.get("evidence", name)
            lines += [json.loads(line) for line in (data or b"").splitlines()]
    assert [(each["subjects"], each["held"]) for each in lines] == [(2, False), (3, True)]
