"""Sweeps by an index of assignments: joined, counted, confirmed, and honest about gaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entra_sod.core.errors import Forbidden, StorageUnavailable
from entra_sod.domain.findings.model import Finding
from entra_sod.domain.rules.language import Mode
from entra_sod.ports.graph import AssignmentPage
from entra_sod.services.sweeps import merge_index
from tests.app import App, install_parts
from tests.builders import at_most, guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp, result, skipped, start, sweep

NAMES = "abcdef"
PACKAGES = [package(name) for name in NAMES]
DENSE = [at_most("one", 1, NAMES)]


def make(make_app: MakeApp, people: Mapping[str, str], *rules: object, **settings: str) -> App:
    assignments = {name: held(name, each) for name, each in people.items()}
    return make_app(PACKAGES, assignments, list(rules) or DENSE, **settings)  # type: ignore[arg-type]


async def found(app: App) -> list[Finding]:
    """The findings that are kept."""
    return [each.finding async for each in app.records.findings.all()]


async def test_many_pairs_are_joined_from_an_index(make_app: MakeApp) -> None:
    """Fifteen pairs of six packages: six are read, one pair conflicts, the sweep says why so."""
    app = make(make_app, {"a": "xy", "b": "y", "c": "z"})
    answer = await sweep(app)
    assert answer["status"] == "completed"
    assert answer["pairs"] == {"total": 15, "conflict": 1, "clear": 14, "unknown": 0}
    assert answer["strategy"]["chosen"] == "index"
    assert "15 requests pair by pair, 6 by an index" in answer["strategy"]["why"]
    assert (answer["findings"], answer["assignments"]) == (1, 4)
    first = answer["results"][0]
    assert (first["outcome"], first["holderCount"], first["rules"]) == ("conflict", 1, ["one"])
    assert {"what": "assignments of 6 packages", "how": "assignments"} in (
        answer["coverage"]["checked"]
    )


async def test_a_conflict_becomes_a_finding(make_app: MakeApp) -> None:
    """A finding names the subject, the rule and both packages."""
    app = make(make_app, {"a": "xy", "b": "y"})
    await sweep(app)
    [each] = await found(app)
    assert (each.subject_id, each.rule) == ("subject-y", "one")
    assert list(each.packages) == [guid("a"), guid("b")]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    people=st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from("uvwxyz"))),
    unreadable=st.sets(st.sampled_from(NAMES), max_size=2),
    most_at_once=st.integers(1, 40),
)
async def test_a_sweep_agrees_with_the_tenant(
    monkeypatch: pytest.MonkeyPatch,
    people: dict[str, set[str]],
    unreadable: set[str],
    most_at_once: int,
) -> None:
    """In any tenant each pair is reported as it is, or unknown if a package is unreadable."""
    monkeypatch.setattr(merge_index, "MAX_ASSIGNMENTS_AT_ONCE", most_at_once)
    app = make(App, {name: "".join(sorted(each)) for name, each in people.items()})
    app.graph.unreadable |= {guid(name) for name in unreadable}
    answer = await sweep(app)
    install_parts()
    told = {
        (each["accessPackageId"], each["incompatibleAccessPackageId"]): each
        for each in answer["results"]
    }
    for one, other in combinations(NAMES, 2):
        both = people.get(one, set()) & people.get(other, set())
        expected = "unknown" if {one, other} & unreadable else "conflict" if both else "clear"
        found = told[guid(one), guid(other)]
        assert (found["outcome"], found["holderCount"]) == (
            expected,
            len(both) if expected == "conflict" else 0,
        )
    gaps = {each["what"] for each in skipped(answer)}
    assert gaps == {f"access package {guid(name)}" for name in unreadable}


async def test_assignments_that_may_not_be_read_are_a_gap(make_app: MakeApp) -> None:
    """A package that is listed, but whose assignments are refused, leaves its pairs unknown."""
    app = make(make_app, {"a": "x", "b": "x"})

    class Refusing(type(app.graph)):  # type: ignore[misc]
        async def assignments(self, package_id: str) -> AsyncIterator[AssignmentPage]:
            if package_id == guid("b"):
                raise Forbidden("not these assignments", status=403)
            async for page in super().assignments(package_id):
                yield page

    app.graph.__class__ = Refusing
    answer = await sweep(app)
    assert (answer["status"], answer["pairs"]["unknown"]) == ("completed-with-gaps", 5)
    assert [each["what"] for each in skipped(answer)] == [f"the assignments of {guid('b')}"]


async def test_more_than_allowed_of_a_set_is_found(make_app: MakeApp) -> None:
    """Who holds three where two are allowed is a finding of the rule; who holds two is none."""
    app = make(
        make_app, {"a": "xy", "b": "xy", "c": "x"}, at_most("two", 2, "abc"), ENFORCEMENT="apply"
    )
    answer = await sweep(app)
    assert answer["sets"] == [
        {
            "rule": "two",
            "form": "atMost",
            "atMost": 2,
            "size": 3,
            "outcome": "conflict",
            "holderCount": 1,
        }
    ]
    assert (answer["status"], answer["findings"], answer["pairs"]["total"]) == ("completed", 1, 0)
    [each] = await found(app)
    assert (each.subject_id, each.rule) == ("subject-x", "two")
    assert list(each.packages) == [guid("a"), guid("b"), guid("c")]
    assert app.graph.writes == []


async def test_a_set_that_was_not_read_whole_is_never_clear(make_app: MakeApp) -> None:
    """One package that may not be read leaves a counting rule unknown, and the sweep with a gap."""
    app = make(make_app, {"a": "x", "b": "x", "c": "x"}, at_most("two", 2, "abc"))
    app.graph.unreadable.add(guid("c"))
    answer = await sweep(app)
    assert answer["sets"][0]["outcome"] == "unknown"
    assert answer["status"] == "completed-with-gaps"


ENFORCED = [at_most("one", 1, NAMES, mode=Mode.ENFORCE)]


async def test_conflicts_of_enforced_pairs_are_confirmed_by_graph(make_app: MakeApp) -> None:
    """The pair in conflict is asked for once more, by additionalAccess, and nothing else is."""
    app = make(make_app, {"a": "xy", "b": "y"}, *ENFORCED)
    answer = await sweep(app)
    assert answer["strategy"]["ways"] == {"additionalAccess": 1}
    assert (answer["status"], answer["pairs"]["conflict"], answer["findings"]) == (
        "completed",
        1,
        1,
    )


async def test_enforced_pairs_inside_a_counted_set_are_confirmed_as_well(
    make_app: MakeApp,
) -> None:
    """Beside a rule that counts, other pairs are asked for one by one; these are not."""
    counted, enforced = at_most("two", 2, "abc"), rule("r", side("a"), side("b"))
    rules = [counted, enforced, rule("other", side("e"), side("f"), mode=Mode.RECORD)]
    app = make(make_app, {"a": "y", "b": "y", "c": "x"}, *rules)
    answer = await sweep(app)
    assert answer["strategy"]["chosen"] == "pairs"
    assert answer["strategy"]["ways"] == {"additionalAccess": 2}


async def test_parts_that_confirm_are_not_lost_with_their_sender(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the worker dies while sending them, the next delivery sends them all."""
    app = make(make_app, {"a": "y", "b": "y"}, *ENFORCED)
    send, failing = app.storage.queues.send, [StorageUnavailable("away")]

    async def send_or_fail(queue: str, body: bytes, *, delay_seconds: float = 0) -> None:
        if b'"part":1' in body and failing:
            raise failing.pop()
        await send(queue, body, delay_seconds=delay_seconds)

    monkeypatch.setattr(app.storage.queues, "send", send_or_fail)
    sweep_id = await start(app)
    await app.work_one()
    [part] = app.storage.sent
    with pytest.raises(StorageUnavailable):
        await app.work_one()
    app.storage.sent.append(part)
    await app.work_off()
    answer = await result(app, sweep_id)
    assert (answer["status"], answer["strategy"]["ways"]) == ("completed", {"additionalAccess": 1})


@pytest.mark.parametrize("confirm", ["true", "false"])
async def test_without_graphs_word_the_conflict_stands(make_app: MakeApp, confirm: str) -> None:
    """If Graph refuses additionalAccess, a gap says so; with the setting off it is not called."""
    app = make(make_app, {"a": "y", "b": "y"}, *ENFORCED, CONFIRM_CONFLICTS=confirm)
    app.graph.refuses_additional_access = True
    answer = await sweep(app)
    assert (answer["pairs"]["conflict"], answer["strategy"]["ways"]) == (1, {})
    said = [each for each in skipped(answer) if "Graph's list of conflicts" in each["what"]]
    assert len(said) == (1 if confirm == "true" else 0)


async def test_a_conflict_that_graph_does_not_show_stays_and_is_said(make_app: MakeApp) -> None:
    """Graph's word may be newer or narrower than the lists: the pair is not called clear."""
    app = make(make_app, {"a": "xy", "b": "xy"}, *ENFORCED)

    class Forgetful(type(app.graph)):  # type: ignore[misc]
        async def additional_access(
            self, package_id: str, incompatible_package_id: str
        ) -> AsyncIterator[AssignmentPage]:
            async for page in super().additional_access(package_id, incompatible_package_id):
                yield page[:1]

    app.graph.__class__ = Forgetful
    answer = await sweep(app)
    assert (answer["pairs"]["conflict"], answer["results"][0]["holderCount"]) == (1, 2)
    assert any("additionalAccess shows 1" in each["why"] for each in skipped(answer))


async def test_a_refusal_is_met_before_the_sweep_is_cut_into_parts(make_app: MakeApp) -> None:
    """One pair is tried; packages are indexed then, the reason is given, and a role is noticed."""
    app = make(make_app, {"a": "y", "b": "y"}, rule("r", side("a"), side("b"), mode=Mode.RECORD))
    app.graph.refuses_additional_access = True
    nights = [await night(app) for _ in range(2)]
    assert [each["strategy"]["chosen"] for each in nights] == ["index", "index"]
    assert "additionalAccess was refused" in nights[0]["strategy"]["why"]
    app.graph.refuses_additional_access = False
    nights.append(await night(app))
    assert nights[2]["strategy"]["chosen"] == "pairs"
    assert [each["pairs"]["conflict"] for each in nights] == [1, 1, 1]


async def test_pairs_that_alone_are_refused_are_answered_by_their_lists(make_app: MakeApp) -> None:
    """What the first pair may does not bind the others; the second is read and intersected."""
    rules = [rule(name, side("a"), side(name), mode=Mode.RECORD) for name in "bc"]
    app = make(make_app, {"a": "y", "b": "y", "c": "y"}, *rules)
    ask = app.graph.additional_access

    async def some(package_id: str, incompatible_package_id: str) -> AsyncIterator[AssignmentPage]:
        if guid("c") in (package_id, incompatible_package_id):
            raise Forbidden("not these two", status=403)
        async for page in ask(package_id, incompatible_package_id):
            yield page

    app.graph.additional_access = some  # type: ignore[method-assign]
    answer = await sweep(app)
    assert answer["strategy"]["ways"] == {"additionalAccess": 1, "assignments": 1}
    assert answer["pairs"]["conflict"] == 2


async def test_a_night_that_counts_nothing_forgets_nothing(make_app: MakeApp) -> None:
    """What an earlier sweep counted decides, until the package is counted again."""
    rules = [rule("r", side("a"), side("bcd"), mode=Mode.RECORD)]
    app = make(make_app, {}, *rules)
    app.graph._page_size = 1
    app.graph.refuses_additional_access = True
    for name in "abcd":
        app.graph._assignments[guid(name)] = held(name, "uvwxyz"[: "abcd".index(name) + 3])
    assert (await night(app))["strategy"]["chosen"] == "index"
    app.graph.refuses_additional_access = False
    nights = [await night(app) for _ in range(4)]
    assert [each["strategy"]["chosen"] for each in nights] == ["pairs"] * 4
    assert all(
        "3 requests pair by pair, 18 by an index" in each["strategy"]["why"] for each in nights
    )


async def night(app: App) -> dict[str, Any]:
    app.clock.advance(86_400)
    return await sweep(app)


async def test_what_was_counted_decides_the_next_time(make_app: MakeApp) -> None:
    """Packages of many pages are asked for pair by pair, once a sweep has counted their pages."""
    rules = [rule("r", side("a"), side("bcd"), mode=Mode.RECORD), at_most("two", 2, "ef")]
    app = make(make_app, {"a": "x"}, *rules)
    app.graph._page_size = 1
    people = "".join(chr(ord("A") + number) for number in range(20))
    for name in "bcdef":
        app.graph._assignments[guid(name)] = held(name, people)
    first = await sweep(app)
    second = await sweep(app)
    assert first["strategy"]["chosen"] == "pairs"
    assert "40 requests" not in first["strategy"]["why"]
    assert "43 requests pair by pair" in second["strategy"]["why"]
