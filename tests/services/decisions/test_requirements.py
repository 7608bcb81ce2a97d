"""Decisions by rules that require: what would be held after the request counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import all_of, at_most_sides, guid, requires, side
from tests.services.decisions.test_decisions import ANN, MakeApp, ask, holds, make

NEEDS = requires("need", side("a"), side("bc"))
EVERY = requires("need", side("a"), side("bc", every=True))


async def test_a_package_that_needs_another_one_is_denied_without_it(make_app: MakeApp) -> None:
    """The reason names what is needed; nothing stands against the package."""
    make(make_app, {}, [NEEDS])
    answer = await ask("a")
    assert (answer["decision"], answer["conflicts"]) == ("deny", [])
    assert answer["reasons"] == [
        "rule need: Rule need",
        (
            f"rule need: the subject needs one of access package {guid('b')}, "
            f"access package {guid('c')}"
        ),
    ]


@pytest.mark.parametrize("held", ["b", "c"])
async def test_with_what_is_needed_it_is_allowed(make_app: MakeApp, held: str) -> None:
    """Any package of the needed side will do."""
    make(make_app, {held: [holds(held, ANN)]}, [NEEDS])
    assert (await ask("a"))["decision"] == "allow"


async def test_both_may_be_asked_for_at_once(make_app: MakeApp) -> None:
    """What would be held after the request counts."""
    make(make_app, {}, [NEEDS])
    assert (await ask("ab"))["decision"] == "allow"
    assert (await ask("b"))["decision"] == "allow"


async def test_all_packages_may_be_needed(make_app: MakeApp) -> None:
    """With `every` the reason names those that are missing."""
    make(make_app, {"b": [holds("b", ANN)]}, [EVERY])
    answer = await ask("a")
    assert answer["decision"] == "deny"
    assert f"the subject needs access package {guid('c')}" in answer["reasons"][1]
    assert (await ask("ac"))["decision"] == "allow"


@pytest.mark.parametrize(("gaps", "decision"), [("review", "review"), ("deny", "deny")])
async def test_what_is_needed_may_be_held_where_it_cannot_be_read(
    make_app: MakeApp, gaps: str, decision: str
) -> None:
    """Neither denied for it nor allowed: what is not known is left to a person."""
    app = make(make_app, {"b": [holds("b", ANN)]}, [NEEDS], whole_tenant=False)
    app.configure(DECISION_ON_GAPS=gaps)
    app.graph.unreadable.add(guid("b"))
    answer = await ask("a")
    assert answer["decision"] == decision
    assert "may be met, because not all that is held could be read" in answer["reasons"][0]


async def test_what_is_needed_must_last_as_long(make_app: MakeApp) -> None:
    """Access that ends before the wanted access is a reason to look."""
    soon = datetime.now(UTC) + timedelta(days=10)
    make(make_app, {"b": [holds("b", ANN, end=soon)]}, [NEEDS])
    answer = await ask("a")
    assert answer["decision"] == "review"
    assert "what it requires is not held all the time" in answer["reasons"][0]


async def test_a_third_side_is_denied_with_all_that_stands_against_it(make_app: MakeApp) -> None:
    """Every package of the other sides is named, and nothing else that is held."""
    held = {name: [holds(name, ANN)] for name in "bcf"}
    make(make_app, held, [all_of("three", side("a"), side("b"), side("cd"))])
    answer = await ask("a")
    assert answer["decision"] == "deny"
    assert [each["accessPackageId"] for each in answer["conflicts"]] == [guid("b"), guid("c")]


async def test_on_as_many_sides_as_allowed_is_allowed(make_app: MakeApp) -> None:
    """The next side is one too many."""
    rules = [at_most_sides("two", 2, side("a"), side("b"), side("c"))]
    make(make_app, {"b": [holds("b", ANN)]}, rules)
    assert (await ask("a"))["decision"] == "allow"
    assert (await ask("ac"))["decision"] == "deny"
