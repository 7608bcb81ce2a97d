"""Findings as sweeps and checks leave them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from entra_sod.core.clock import timestamp
from entra_sod.core.errors import Unavailable
from entra_sod.domain.entra import ReferenceKind
from entra_sod.domain.findings.model import Finding, FindingState
from entra_sod.domain.rules.language import Mode, Rule
from entra_sod.services.findings.query import parse_query, read_page
from entra_sod.services.sweeps import merge_index
from tests.app import App
from tests.builders import at_most, exception, guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import result, start, sweep

PACKAGES = [package(name) for name in "abcd"]
RULES = [rule("pay", side("a"), side("b")), rule("buy", side("a"), side("c"), mode=Mode.RECORD)]
HELD = {"a": held("a", "xyz"), "b": held("b", "xy"), "c": held("c", "z")}

type MakeApp = type[App]


async def findings(app: App) -> dict[tuple[str, str], Finding]:
    """By rule and person."""
    stored = [kept.finding async for kept in app.records.findings.all()]
    return {(each.rule, each.subject_id.removeprefix("subject-")): each for each in stored}


async def states(app: App) -> dict[str, str]:
    return {f"{key[0]} {key[1]}": each.state for key, each in (await findings(app)).items()}


def hold(app: App, **people: str) -> None:
    """What the packages' holders are from now on."""
    for name, who in people.items():
        app.graph._assignments[guid(name)] = held(name, who)


async def night(app: App) -> dict[str, Any]:
    app.clock.advance(24 * 3600)
    return await sweep(app)


async def test_a_sweep_leaves_its_findings(make_app: MakeApp) -> None:
    """One for each rule, pair and person; two nights of absence end one."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    assert await states(app) == {"pay x": "open", "pay y": "open", "buy z": "open"}
    hold(app, b="y")
    await night(app)
    assert (await states(app))["pay x"] == "resolving"
    await night(app)
    assert (await states(app))["pay x"] == "resolved"
    hold(app, b="xy")
    await night(app)
    life = [change.now for change in (await findings(app))["pay", "x"].history]
    assert life == [
        FindingState.OPEN,
        FindingState.RESOLVING,
        FindingState.RESOLVED,
        FindingState.OPEN,
    ]


async def test_an_index_leaves_the_same_findings(make_app: MakeApp) -> None:
    """However a sweep reads, a finding is the same, and a count of one is as good as two sides."""
    app = make_app(PACKAGES, HELD, [at_most("pay", 1, "abcd")])
    answer = await night(app)
    assert answer["strategy"]["chosen"] == "index"
    by_index = (await findings(app))["pay", "x"]
    app.rules.write([rule("pay", side("a"), side("b"))])
    answer = await night(app)
    assert answer["strategy"]["chosen"] == "pairs"
    by_pairs = (await findings(app))["pay", "x"]
    assert (by_pairs.id, by_pairs.first_seen) == (by_index.id, by_index.first_seen)
    assert by_pairs.state is FindingState.OPEN


async def test_a_check_is_as_old_as_its_first_reading(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that began after a check had looked, and before it had written, knows better."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    hold(app, b="y")
    references, to_come = app.graph.references, ["the sweep"]

    async def slowly(package_id: str, kind: ReferenceKind) -> frozenset[str]:
        if to_come:
            to_come.clear()
            app.clock.advance(60)
            hold(app, b="xy")
            await app.records.sweeps.create(await start(app))
            app.clock.advance(60)
        return await references(package_id, kind)

    monkeypatch.setattr(app.graph, "references", slowly)
    began = timestamp(app.clock.now())
    answer = await app.check("a", "b")
    found = (await findings(app))["pay", "x"]
    assert [each.now for each in found.history] == [
        FindingState.OPEN,
        FindingState.RESOLVING,
        FindingState.OPEN,
    ]
    assert answer["asOf"] == began


async def test_a_gap_resolves_nothing(make_app: MakeApp) -> None:
    """A package that may not be read leaves its findings as they are, for any number of nights."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    before = (await findings(app))["pay", "x"]
    app.graph.unreadable.add(guid("b"))
    hold(app, b="")
    for _ in range(3):
        await night(app)
    assert (await findings(app))["pay", "x"] == before


async def test_a_gap_in_a_set_resolves_nothing(make_app: MakeApp) -> None:
    """Every package of a set must be read before a finding says that its subject holds less."""
    rules = [at_most("many", 2, "abcd")]
    app = make_app(PACKAGES, {name: held(name, "x") for name in "abc"}, rules)
    await night(app)
    app.graph.unreadable.add(guid("d"))
    hold(app, c="")
    await night(app)
    assert await states(app) == {"many x": "open"}
    app.graph.unreadable.clear()
    await night(app)
    assert await states(app) == {"many x": "resolving"}


async def test_another_package_of_a_set_is_the_same_finding(make_app: MakeApp) -> None:
    """Who swaps one package of too many for another still holds too many."""
    people = {name: held(name, "x") for name in "abc"}
    app = make_app(PACKAGES, people, [at_most("many", 2, "abcd")])
    await night(app)
    before = (await findings(app))["many", "x"]
    hold(app, c="", d="x")
    await night(app)
    after = (await findings(app))["many", "x"]
    assert (after.id, after.state, len(after.history)) == (before.id, FindingState.OPEN, 1)
    assert after.packages == tuple(guid(name) for name in "abd")


async def test_an_edited_rule_keeps_its_findings(make_app: MakeApp) -> None:
    """Sides and mode may change; a rule that is gone puts them on hold, until it is back."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    before = (await findings(app))["pay", "x"]
    app.rules.write([rule("pay", side("a"), side("bd"), mode=Mode.WARN), RULES[1]])
    await night(app)
    assert (await findings(app))["pay", "x"].id == before.id
    app.rules.write(RULES[1:])
    await night(app)
    on_hold = (await findings(app))["pay", "x"]
    assert (on_hold.state, on_hold.history[-1].why) == (
        FindingState.ON_HOLD,
        "the rule pay is not in force",
    )
    app.rules.write(RULES)
    await night(app)
    back = (await findings(app))["pay", "x"]
    assert (back.state, back.first_seen) == (FindingState.OPEN, before.first_seen)


async def test_a_package_that_is_gone_puts_findings_on_hold(make_app: MakeApp) -> None:
    """Graph says that there is no such package: nothing to hold, and nothing is resolved."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    app.graph.whole_tenant = True
    del app.graph._packages[guid("b")]
    await night(app)
    found = await findings(app)
    assert found["pay", "x"].state is FindingState.ON_HOLD
    assert "is gone" in found["pay", "x"].history[-1].why
    assert found["buy", "z"].state is FindingState.OPEN


def permit(app: App, rules: Sequence[Rule]) -> None:
    """One subject holds both packages that `pay` keeps apart, and may until the third."""
    person = [each for name in "ab" for each in held(name, "e")]
    for each in person:
        who = type(each.subject)(id=guid("e5"), object_id=guid("e"), display_name="E")
        moved = type(each)(id=each.id, subject=who, state=each.state)
        app.graph._assignments[guid(each.id[0])] = [moved]
    entry = exception("pay", "e", start=date(2026, 1, 1), end=date(2026, 1, 3))
    app.rules.write(rules, [entry])


async def test_an_exception_that_ends_during_a_sweep_was_not_taken_back(make_app: MakeApp) -> None:
    """A sweep that began on its last day ends by the rules of the next, and says what happened."""
    app = make_app(PACKAGES, {}, RULES)
    permit(app, RULES[:1])
    await night(app)
    last_evening = datetime(2026, 1, 3, 23, 50, tzinfo=UTC)
    app.clock.advance((last_evening - app.clock.now()).total_seconds())
    await app.records.sweeps.create(await start(app))
    app.clock.advance(3600)
    await app.work_off()
    ended = (await findings(app))["pay", guid("e5")].history[-1]
    assert (ended.now, ended.why) == (
        FindingState.EXCEPTION_EXPIRED,
        "its exception ended on 2026-01-03",
    )


async def test_an_exception_is_applied_by_rule(make_app: MakeApp) -> None:
    """It permits its rule's finding, and not the other's of the same pair."""
    app = make_app(PACKAGES, {}, RULES)
    permit(app, [RULES[0], rule("two", side("a"), side("b"))])
    await night(app)
    assert set((await states(app)).values()) == {"excepted", "open"}
    for _ in range(3):
        await night(app)
    assert set((await states(app)).values()) == {"exception-expired", "open"}


async def test_a_closing_that_dies_and_comes_again_decides_once(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Findings that were written before the crash do not take a second step."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    hold(app, b="", c="")
    store, failing = app.records.sweeps, [Unavailable("503")]
    keep_summary = store.store_summary

    async def fail_once(sweep_id: str, data: bytes) -> None:
        if failing:
            raise failing.pop()
        await keep_summary(sweep_id, data)

    monkeypatch.setattr(store, "store_summary", fail_once)
    app.clock.advance(24 * 3600)
    sweep_id = await start(app)
    await app.work_off()
    assert (await result(app, sweep_id))["status"] == "completed"
    assert set((await states(app)).values()) == {"resolving"}
    assert failing == []


async def test_a_check_changes_its_own_pairs_findings(make_app: MakeApp) -> None:
    """What it does not see any more is resolved by the next look; other pairs are left alone."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    hold(app, b="x", c="")
    app.clock.advance(60)
    check = await app.check("a", "b")
    assert await states(app) == {"pay x": "open", "pay y": "resolving", "buy z": "open"}
    change = (await findings(app))["pay", "y"].history[-1]
    assert (change.by, change.cause) == ("check", check["id"])
    app.clock.advance(60)
    await app.check("b", "a")
    assert (await states(app))["pay y"] == "resolved"


async def test_a_check_that_could_not_look_resolves_nothing(make_app: MakeApp) -> None:
    """Unknown is no all-clear."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    app.graph.unreadable.add(guid("b"))
    app.clock.advance(60)
    await app.check("a", "b")
    assert (await states(app))["pay x"] == "open"


async def test_a_pair_without_a_rule_leaves_no_finding(make_app: MakeApp) -> None:
    """A check may ask about any pair; a finding is against a rule."""
    app = make_app(PACKAGES, {"c": held("c", "x"), "d": held("d", "x")}, RULES)
    assert (await app.check("c", "d"))["outcome"] == "conflict"
    assert await states(app) == {}


async def test_ways_of_reading_that_differ_resolve_nothing(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the index shows fewer holders than Graph's list, the absent one may be there."""
    monkeypatch.setattr(merge_index, "MAX_ASSIGNMENTS_AT_ONCE", 1)
    app = make_app(PACKAGES, HELD, [at_most("pay", 1, "abcd", mode=Mode.ENFORCE)])
    await night(app)
    before = await states(app)
    read = app.graph.assignments_of

    async def without_y(package_ids: Any) -> Any:
        async for key, page in read(package_ids):
            kept = [each for each in page if each.id != "b-y"]  # type: ignore[union-attr]
            yield key, kept

    monkeypatch.setattr(app.graph, "assignments_of", without_y)
    answer = await night(app)
    assert any(
        "Graph's list of the holders" in each["what"] for each in answer["coverage"]["skipped"]
    )
    assert await states(app) == before


async def test_findings_are_asked_for_by_either_id_in_any_letters(make_app: MakeApp) -> None:
    """What is stored has no capitals; a caller may write them."""
    app = make_app(PACKAGES, HELD, RULES)
    await night(app)
    for subject in ("subject-x", "SUBJECT-X", " Object-X "):
        page = await read_page(app.records.findings, parse_query({"subject": subject}))
        assert [each.subject_id for each in page.findings] == ["subject-x"]
