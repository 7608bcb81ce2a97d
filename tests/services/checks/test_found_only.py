"""A check of a pair that is a part of rules that are found only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping

import pytest

from entra_sod.domain.rules.language import Rule
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.ports.graph import AssignmentPage
from tests.app import App
from tests.builders import all_of, at_most, guid, held, package, requires, side
from tests.services.sweeps.test_index_sweeps import found
from tests.services.sweeps.test_sweeps import MakeApp, sweep

NAMES = [f"{number:02x}" for number in range(0x10, 0x30)]
PACKAGES = [package(name) for name in ["a", "b", "c", "d", *NAMES]]
THREE = all_of("three", side("a"), side("b"), side("cd"))
NEEDS = requires("need", side("a"), side("b"))


def make(make_app: MakeApp, people: Mapping[str, str], *rules: Rule) -> App:
    return make_app(PACKAGES, {name: held(name, who) for name, who in people.items()}, list(rules))


async def test_a_rule_over_three_sides_is_evaluated(make_app: MakeApp) -> None:
    """Two hold the pair, and one of them is on every side; that one has a finding."""
    app = make(make_app, {"a": "xy", "b": "xy", "d": "x"}, THREE)
    answer = await app.check("a", "b")
    assert (answer["outcome"], answer["holderCount"], answer["rules"]) == ("conflict", 2, [])
    assert answer["sets"] == [
        {
            "rule": "three",
            "form": "allOf",
            "atMost": 2,
            "size": 4,
            "outcome": "conflict",
            "holderCount": 1,
        }
    ]
    [each] = await found(app)
    assert (each.subject_id, each.kind) == ("subject-x", ConflictKind.SET)
    assert each.packages == tuple(map(guid, "abd"))
    assert answer["coverage"]["skipped"] == []


async def test_a_requirement_is_evaluated(make_app: MakeApp) -> None:
    """Nobody holds the pair, and exactly that is the conflict."""
    app = make(make_app, {"a": "x"}, NEEDS)
    answer = await app.check("b", "a")
    assert (answer["outcome"], answer["sets"][0]["outcome"]) == ("clear", "conflict")
    [each] = await found(app)
    assert (each.rule, each.missing) == ("need", (guid("b"),))


async def test_a_check_is_a_look_at_the_findings_of_the_rule(make_app: MakeApp) -> None:
    """Of a sweep's finding as well, and of no other rule's."""
    app = make(make_app, {"a": "xy", "b": "y"}, NEEDS, at_most("other", 2, "abc"))
    await sweep(app)
    app.graph._assignments[guid("b")] = held("b", "xy")
    for state in ("resolving", "resolved"):
        app.clock.advance(60)
        await app.check("a", "b")
        assert [each.state for each in await found(app)] == [state]


@pytest.mark.parametrize("unread", ["a", "b", "d"])
async def test_what_was_not_read_is_never_clear(make_app: MakeApp, unread: str) -> None:
    """The rule is unknown, its finding stays, and the coverage names rule and package."""
    app = make(make_app, {"a": "x", "b": "x", "d": "x"}, THREE)
    await sweep(app)
    app.graph.unreadable.add(guid(unread))
    for _ in range(2):
        app.clock.advance(60)
        answer = await app.check("a", "b")
        assert answer["sets"][0]["outcome"] == "unknown"
        assert any("rule three" in each["what"] for each in answer["coverage"]["skipped"])
        assert [each.state for each in await found(app)] == ["open"]


async def test_a_rule_that_reads_too_much_is_left_to_sweeps(make_app: MakeApp) -> None:
    """A check is one `$batch`; the coverage says what evaluates the rule."""
    app = make(make_app, {}, at_most("many", 2, NAMES))
    answer = await app.check(*NAMES[:2])
    assert answer["sets"] == []
    [gap] = answer["coverage"]["skipped"]
    assert (gap["what"], gap["reason"]) == ("rule many", "out-of-scope")
    assert "sweeps and decisions evaluate it" in gap["why"]


async def test_a_rule_with_one_package_of_the_pair_is_not_read(make_app: MakeApp) -> None:
    """Only rules that the pair is a part of."""
    app = make(make_app, {}, THREE)
    assert (await app.check("a", NAMES[0]))["sets"] == []


async def test_a_package_that_does_not_exist_is_never_clear(make_app: MakeApp) -> None:
    """Graph lists no holders for it, without an error."""
    app = make(make_app, {"a": "x", "b": "x"}, all_of("gone", side("a"), side("b"), side("e")))

    async def without_gone(
        package_ids: Collection[str],
    ) -> AsyncIterator[tuple[str, AssignmentPage]]:
        for each in package_ids:
            yield each, [] if each == guid("e") else held("a", "x")

    app.graph.assignments_of = without_gone  # type: ignore[method-assign]
    answer = await app.check("a", "b")
    assert answer["sets"][0]["outcome"] == "unknown"
    assert f"access package {guid('e')}" in {each["what"] for each in answer["coverage"]["skipped"]}
