"""Rules that are found only, in sweeps: the life of their findings, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from entra_sod.domain.rules.language import PackageSelector, Rule, Side
from entra_sod.domain.rules.logic import ConflictKind
from tests.app import App
from tests.builders import all_of, guid, held, package, requires, rule, side
from tests.services.sweeps.test_index_sweeps import found
from tests.services.sweeps.test_sweeps import MakeApp, skipped, sweep

PACKAGES = [package(name) for name in "abcdef"]
NEEDS = requires("need", side("a"), side("bc"))
THREE = all_of("three", side("a"), side("b"), side("cd"))


def make(make_app: MakeApp, people: Mapping[str, str], *rules: Rule) -> App:
    return make_app(PACKAGES, {name: held(name, who) for name, who in people.items()}, list(rules))


async def state_of(app: App, rule_id: str) -> list[tuple[str, str]]:
    return [
        (each.subject_id.removeprefix("subject-"), each.state.value)
        for each in await found(app)
        if each.rule == rule_id
    ]


async def night(app: App) -> dict[str, Any]:
    app.clock.advance(86_400)
    return await sweep(app)


def outcome_of(answer: dict[str, Any], rule_id: str) -> str:
    [summary] = [each for each in answer["sets"] if each["rule"] == rule_id]
    return str(summary["outcome"])


async def test_a_requirement_names_what_is_held_and_what_is_missing(make_app: MakeApp) -> None:
    """One package is enough for such a conflict, and nothing is taken for a pair."""
    app = make(make_app, {"a": "xy", "b": "y"}, NEEDS)
    answer = await sweep(app)
    [each] = await found(app)
    assert (each.subject_id, each.kind, each.pair) == ("subject-x", ConflictKind.REQUIREMENT, None)
    assert (each.packages, each.missing) == ((guid("a"),), (guid("b"), guid("c")))
    assert answer["sets"] == [
        {
            "rule": "need",
            "form": "requires",
            "atMost": 1,
            "size": 3,
            "outcome": "conflict",
            "holderCount": 1,
        }
    ]


async def test_it_clears_when_the_needed_side_is_held(make_app: MakeApp) -> None:
    """Two looks must agree, as for every finding."""
    app = make(make_app, {"a": "x"}, NEEDS)
    await sweep(app)
    app.graph._assignments[guid("c")] = held("c", "x")
    await night(app)
    assert await state_of(app, "need") == [("x", "resolving")]
    await night(app)
    assert await state_of(app, "need") == [("x", "resolved")]
    app.graph._assignments[guid("c")] = []
    await night(app)
    assert await state_of(app, "need") == [("x", "open")]


async def test_a_finding_of_all_sides_follows_what_is_held(make_app: MakeApp) -> None:
    """It is of the rule and the subject, whichever package of a side is held."""
    app = make(make_app, {"a": "x", "b": "x", "c": "x"}, THREE)
    await sweep(app)
    [before] = await found(app)
    app.graph._assignments[guid("c")], app.graph._assignments[guid("d")] = [], held("d", "x")
    await night(app)
    [after] = await found(app)
    assert (before.id, before.kind) == (after.id, ConflictKind.SET)
    assert before.packages == tuple(map(guid, "abc"))
    assert after.packages == tuple(map(guid, "abd"))


@pytest.mark.parametrize("unread", ["b", "c"])
async def test_a_needed_package_that_was_not_read_makes_no_finding(
    make_app: MakeApp, unread: str
) -> None:
    """The subject may hold it: the rule is unknown, and the coverage names it."""
    app = make(make_app, {"a": "x"}, NEEDS)
    app.graph.unreadable.add(guid(unread))
    answer = await sweep(app)
    assert await found(app) == []
    assert (answer["status"], outcome_of(answer, "need")) == ("completed-with-gaps", "unknown")
    [gap] = [each for each in skipped(answer) if "rule need" in each["what"]]
    assert guid(unread) in gap["why"]


async def test_a_needed_package_that_was_not_read_may_not_matter(make_app: MakeApp) -> None:
    """With every package needed, one that is certainly missing is enough."""
    every = requires("need", side("a"), side("bc", every=True))
    app = make(make_app, {"a": "x"}, every)
    app.graph.unreadable.add(guid("c"))
    answer = await sweep(app)
    assert [each.subject_id for each in await found(app)] == ["subject-x"]
    assert outcome_of(answer, "need") == "conflict"


@pytest.mark.parametrize(("rules", "unread"), [([NEEDS], "a"), ([THREE], "b"), ([THREE], "d")])
async def test_an_error_never_clears_a_finding(
    make_app: MakeApp, rules: list[Rule], unread: str
) -> None:
    """While a package of the rule cannot be read, findings stay as they are."""
    app = make(make_app, {"a": "x", "b": "x" if rules == [THREE] else "", "c": ""}, *rules)
    app.graph._assignments[guid("d")] = held("d", "x")
    await sweep(app)
    before = [each.state for each in await found(app)]
    app.graph.unreadable.add(guid(unread))
    for _ in range(3):
        answer = await night(app)
        assert [each.state for each in await found(app)] == before == ["open"]
        assert answer["sets"][0]["outcome"] == "unknown"


async def test_a_side_with_every_and_no_package_is_a_gap(make_app: MakeApp) -> None:
    """It is never held, and the rule does not mean what it says."""
    nothing = Side(packages=[PackageSelector(name="Nothing *")], every=True)
    app = make(make_app, {"a": "x"}, rule("none", nothing, side("a")))
    answer = await sweep(app)
    assert answer["status"] == "completed-with-gaps"
    assert {"side 1 of rule none"} <= {each["what"] for each in skipped(answer)}


async def test_a_rule_that_comes_to_keep_pairs_apart_ends_its_findings(make_app: MakeApp) -> None:
    """The finding of what was held goes on hold; those of pairs begin."""
    app = make(make_app, {"a": "x", "b": "x", "c": "x"}, THREE)
    await sweep(app)
    app.rules.write([rule("three", side("a"), side("b"))])
    app.clock.advance(61)
    await night(app)
    states = {(each.kind, each.state.value) for each in await found(app)}
    assert states == {(ConflictKind.SET, "on-hold"), (ConflictKind.PAIR, "open")}
