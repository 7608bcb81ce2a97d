"""What joins a rule is found and not written; what leaves it is told and nothing goes for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.findings.model import FindingState
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Side
from entra_sod.services.rules.provider import LIST_LIFETIME, RulesProvider
from entra_sod.services.rules.reviews import approve as store_approved
from tests.app import App
from tests.builders import guid, held, package, rule, side
from tests.services.sweeps.test_sweeps import MakeApp, skipped, sweep

PACKAGES = [package("a", "1"), package("b", "2")]
HELD = {"a": held("a", "xyz"), "b": held("b", "x"), "c": held("c", "y")}
PATTERN = rule("r", side("a"), Side(packages=[PackageSelector(name="Package *b*")]))
PRUNING = {"ENFORCEMENT": "apply", "PRUNE": "true"}
CHANGES = {"ENFORCEMENT": "apply", "PRUNE": "true", "SELECTION_CHANGES": "write"}


def swept_app(make_app: MakeApp, *rules: Rule, **settings: str) -> App:
    return make_app(PACKAGES, HELD, rules or [PATTERN], **(settings or PRUNING))


async def next_sweep(app: App) -> dict[str, Any]:
    """Sweep on another day, when what was listed before is read again."""
    app.clock.advance(LIST_LIFETIME.total_seconds() + 86_400)
    return await sweep(app)


async def approve(app: App) -> None:
    app.clock.advance(LIST_LIFETIME.total_seconds())
    rules = (await app.engine.rules.current()).rules
    wanted = {each for rule in rules for side in rule.package_sides for each in side}
    read = await app.graph.packages_by_id(wanted)
    packages = {key: each for key, each in read.items() if not isinstance(each, Exception)}
    await store_approved(app.records.selections, rules, packages, by="ann")


async def states(app: App) -> list[FindingState]:
    return [each.finding.state async for each in app.records.findings.all()]


def held_of(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["accessPackageId"], each["targetId"]) for each in answer["references"]["held"]]


def group(on: str, group_name: str) -> Reference:
    return Reference(guid(on), ReferenceKind.GROUP, guid(group_name))


async def test_a7_a_renamed_package_stays_told_and_nothing_is_pruned(make_app: MakeApp) -> None:
    """Its findings stay open, its references stay, a check and the sweep name it and the rule."""
    app = swept_app(make_app)
    await sweep(app)
    before = set(app.graph.present)
    app.graph.put(replace(PACKAGES[1], display_name="Pakcage B"))
    answer = await next_sweep(app)
    assert (len(before), app.graph.present) == (4, before)
    assert answer["status"] == "completed-with-gaps"
    (gap,) = [each for each in skipped(answer) if each["reason"] == "left-the-rule"]
    assert guid("b") in gap["what"]
    assert "rule r does not fit it any more" in gap["why"]
    assert await states(app) == [FindingState.OPEN]
    assert answer["pairs"] == {"total": 1, "conflict": 1, "clear": 0, "unknown": 0}
    checked = await app.check("a", "b")
    assert (checked["outcome"], checked["holderCount"]) == ("conflict", 1)
    assert "left-the-rule" in [each["reason"] for each in checked["coverage"]["skipped"]]


async def test_a_package_that_left_stops_no_pruning_elsewhere(make_app: MakeApp) -> None:
    """All that its rule means is known, so what other rules ask for no more goes as ever."""
    app = swept_app(make_app, PATTERN, rule("s", side("a"), side("c")))
    app.graph.put(package("c", "3"))
    await sweep(app)
    app.graph.put(replace(PACKAGES[1], display_name="Other"))
    app.rules.write([PATTERN])
    assert len((await next_sweep(app))["references"]["removed"]) == 4


async def test_what_left_goes_once_it_is_approved(make_app: MakeApp) -> None:
    """The next sweep removes the references, and the finding is out of every rule's reach."""
    app = swept_app(make_app)
    app.graph.put(package("eb"))
    await sweep(app)
    app.graph.put(replace(PACKAGES[1], display_name="Other"))
    await next_sweep(app)
    app.clock.advance(LIST_LIFETIME.total_seconds())
    rules = (await RulesProvider(app.rules, app.graph, app.clock).current()).rules
    await store_approved(app.records.selections, rules, {}, by="ann")
    answer = await next_sweep(app)
    removed = {each["targetId"] for each in answer["references"]["removed"]}
    assert removed == {guid("a"), guid("1"), guid("b"), guid("2")}
    assert await states(app) == [FindingState.ON_HOLD]


@pytest.mark.parametrize("asks", ["sweep", "check"])
async def test_a_group_that_is_added_is_held_until_it_is_approved(
    make_app: MakeApp, asks: str
) -> None:
    """A manager of b cannot block requests for a: the reference waits for an approval."""
    app = swept_app(make_app)
    await sweep(app)
    app.graph.put(package("b", "2", "e"))
    app.clock.advance(LIST_LIFETIME.total_seconds() + 86_400)
    answer = await sweep(app) if asks == "sweep" else await app.check("a", "b")
    assert held_of(answer) == [(guid("a"), guid("e"))]
    (why,) = [each["why"] for each in answer["references"]["held"]]
    assert f"has come to grant group {guid('e')}" in why
    assert group("a", "e") not in app.graph.present
    assert answer["references"]["planned"] == []
    await approve(app)
    answer = await next_sweep(app)
    assert held_of(answer) == []
    assert group("a", "e") in app.graph.present


async def test_a_package_that_joins_is_found_in_conflict_and_its_references_wait(
    make_app: MakeApp,
) -> None:
    """In both directions, with its groups. Once approved, the next sweep writes them."""
    app = swept_app(make_app)
    await sweep(app)
    before = set(app.graph.present)
    app.graph.put(replace(package("c", "3"), display_name="Package 2b"))
    answer = await next_sweep(app)
    assert answer["pairs"] == {"total": 2, "conflict": 2, "clear": 0, "unknown": 0}
    assert await states(app) == [FindingState.OPEN, FindingState.OPEN]
    assert app.graph.present == before
    assert set(held_of(answer)) == {
        (guid("a"), guid("c")),
        (guid("a"), guid("3")),
        (guid("c"), guid("a")),
        (guid("c"), guid("1")),
    }
    assert answer["referenceCounts"]["held"] == 4
    checked = await app.check("a", "c")
    assert (checked["outcome"], len(checked["references"]["held"])) == ("conflict", 4)
    await approve(app)
    assert len((await next_sweep(app))["references"]["written"]) == 4


async def test_a_group_that_a_package_lost_stays_kept_away_until_it_is_approved(
    make_app: MakeApp,
) -> None:
    """Its reference is told as held, and is no gap: all was read."""
    app = swept_app(make_app)
    await sweep(app)
    before = set(app.graph.present)
    app.graph.put(package("b"))
    answer = await next_sweep(app)
    assert (app.graph.present, answer["status"]) == (before, "completed")
    assert held_of(answer) == [(guid("a"), guid("2"))]
    await approve(app)
    assert len((await next_sweep(app))["references"]["removed"]) == 1
    assert group("a", "2") not in app.graph.present


async def test_a_package_that_does_not_exist_leaves_by_itself(make_app: MakeApp) -> None:
    """No person has to approve that it was deleted; what was referred to it goes."""
    app = swept_app(make_app)
    app.graph.whole_tenant = True
    app.graph.put(replace(package("c", "3"), display_name="Package 2b"))
    await sweep(app)
    app.graph.drop(guid("c"))
    await next_sweep(app)
    answer = await next_sweep(app)
    assert [each for each in skipped(answer) if each["reason"] == "left-the-rule"] == []
    (stored,) = (
        await app.records.selections.read((await app.engine.rules.current()).rules)
    ).values()
    assert guid("c") not in stored.selection.packages


async def test_new_rules_approve_what_they_select(make_app: MakeApp) -> None:
    """A rule that says something else is met for the first time."""
    app = swept_app(make_app)
    await sweep(app)
    app.graph.put(package("b", "2", "e"))
    app.rules.write([msgspec.structs.replace(PATTERN, all_packages=True)])
    answer = await next_sweep(app)
    assert held_of(answer) == []
    assert group("a", "e") in app.graph.present


async def test_other_words_of_a_rule_and_other_rules_approve_nothing(make_app: MakeApp) -> None:
    """No reviewer has seen what the rule selects, so the reference stays held."""
    app = swept_app(make_app)
    await sweep(app)
    app.graph.put(package("b", "2", "e"))
    recording = rule("s", side("a"), side("b"), mode=Mode.RECORD)
    app.rules.write([msgspec.structs.replace(PATTERN, title="Another title"), recording])
    assert held_of(await next_sweep(app)) == [(guid("a"), guid("e"))]


async def test_what_was_met_under_plan_was_reviewed(make_app: MakeApp) -> None:
    """After a week of plans, an app that applies writes what the plans showed."""
    app = swept_app(make_app, ENFORCEMENT="plan")
    assert len((await sweep(app))["references"]["planned"]) == 4
    app.graph.put(package("b", "2", "e"))
    app.configure(**PRUNING)
    answer = await next_sweep(app)
    assert (len(answer["references"]["written"]), len(held_of(answer))) == (4, 1)


async def test_a_check_may_be_the_first_to_meet_a_rule(make_app: MakeApp) -> None:
    """It keeps all sides, and what its two packages grant; the sweep adds the others' groups."""
    app = swept_app(make_app, rule("r", side("a"), Side(packages=[PackageSelector(name="*")])))
    app.graph.put(package("c", "3"))
    await app.check("a", "b")
    rules = (await app.engine.rules.current()).rules
    (stored,) = (await app.records.selections.read(rules)).values()
    assert stored.selection.groups.keys() == {guid("a"), guid("b")}
    assert str(stored.row.values["reviewedBy"]).startswith("first seen by check ")
    assert len(stored.selection.sides[1]) == 3
    assert held_of(await sweep(app)) == []
    (stored,) = (await app.records.selections.read(rules)).values()
    assert stored.selection.groups.keys() == {guid("a"), guid("b"), guid("c")}


async def test_the_old_way_remembers_and_holds_nothing(make_app: MakeApp) -> None:
    """SELECTION_CHANGES=write writes what joins, and removes what is for a renamed package."""
    app = swept_app(make_app, **CHANGES)
    await sweep(app)
    app.graph.put(package("b", "2", "e"))
    answer = await next_sweep(app)
    assert (held_of(answer), len(answer["references"]["written"])) == ([], 1)
    app.graph.put(replace(package("b", "2", "e"), display_name="Other"))
    app.rules.write([PATTERN, rule("s", side("a"), side("c"))])
    app.graph.put(package("c", "3"))
    await next_sweep(app)
    assert await app.records.selections.read((await app.engine.rules.current()).rules) == {}


async def test_a_sweep_that_dies_after_it_has_met_a_rule_goes_by_what_it_met(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was added between two tries of one closing was not reviewed."""
    app = swept_app(make_app)
    enforcer, tries = app.engine.sweep_runner.finalizer.enforcing.enforcer, 0
    whole = type(enforcer).enforce_all

    async def die_once(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries == 1:
            app.graph.put(package("b", "2", "e"))
            raise OSError("the worker is killed")
        return await whole(self, *args, **options)

    monkeypatch.setattr(type(enforcer), "enforce_all", die_once)
    from tests.services.sweeps.test_sweeps import result, start

    sweep_id = await start(app)
    with pytest.raises(OSError, match="killed"):
        await app.work_off()
    await app.engine.sweep_runner.finalizer.close_if_done(
        await app.records.sweeps.get(sweep_id),  # type: ignore[arg-type]
        traceparent="00-0-0-01",
    )
    assert len((await result(app, sweep_id))["references"]["written"]) == 4
    assert held_of(await next_sweep(app)) == [(guid("a"), guid("e"))]
