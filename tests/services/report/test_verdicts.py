"""The verdict of a report, from real sweeps."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from entra_sod.core.errors import Unavailable
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.messages import SweepStartMessage, decode
from entra_sod.domain.rules.language import Mode, PackageSelector, Rule, Side
from entra_sod.services.report import build
from entra_sod.services.report.view import ReportView
from tests.app import App
from tests.builders import at_most, exception, guid, held, package, rule, side
from tests.services.report.test_make import MakeApp, report, sweep

PACKAGES = [package("a"), package("b"), package("c")]
HELD = {"a": held("a", "vxy"), "b": held("b", "xyz"), "c": held("c", "z")}
NOTHING = Side(packages=[PackageSelector(name="Misspelt*")])
R1 = rule("r1", side("a"), side("b"))
R2 = rule("r2", side("b"), side("c"))


def app_of(make_app: MakeApp, *rules: Rule, **settings: str) -> App:
    return make_app(PACKAGES, HELD, list(rules), **settings)


def headline(view: ReportView) -> str:
    assert view.verdict is not None
    return view.verdict.headline


async def fail_a_sweep(app: App) -> None:
    await app.records.sweep_starter.start(traceparent="00-0-0-01")
    message = decode(app.storage.sent.pop().body)
    assert isinstance(message, SweepStartMessage)
    await app.engine.sweep_runner.end_poisoned(message, "no rules")


class TestTheVerdict:
    async def test_it_names_both_sides_of_the_one_rule(self, make_app: MakeApp) -> None:
        """Each person is counted once, whatever they hold."""
        app = app_of(make_app, R1)
        await sweep(app)
        view = await report(app)
        assert (
            headline(view) == "2 people hold both \u201cPackage a\u201d and \u201cPackage b\u201d."
        )
        assert [(each.status, each.people) for each in view.rules] == [("violated", 2)]

    async def test_it_counts_people_over_rules(self, make_app: MakeApp) -> None:
        """X and y are in conflict with one rule, z with the other."""
        app = app_of(make_app, R1, R2, rule("r3", side("a"), side("c")))
        await sweep(app)
        assert headline(await report(app)) == "3 people violate 2 of 3 rules."

    async def test_a_rule_that_was_not_checked_is_said(self, make_app: MakeApp) -> None:
        """Beside those that are violated, and with the word that it was not checked."""
        app = app_of(make_app, R1, R2)
        app.graph.unreadable.add(guid("c"))
        await sweep(app)
        view = await report(app)
        assert headline(view).startswith("2 people hold both")
        assert view.verdict is not None
        assert view.verdict.more == ["1 of 2 rules could not be checked."]
        assert {each.id: each.status for each in view.rules} == {
            "r1": "violated",
            "r2": "not-checked",
        }

    async def test_without_conflicts_and_gaps_it_is_clear(self, make_app: MakeApp) -> None:
        """And only then."""
        app = make_app(PACKAGES, {}, [R1, R2])
        await sweep(app)
        view = await report(app)
        assert view.verdict is not None
        assert (view.verdict.outcome, view.verdict.headline) == (
            "clear",
            "No conflict was found: all 2 rules hold.",
        )

    async def test_rules_that_changed_since_are_no_all_clear(self, make_app: MakeApp) -> None:
        """The sweep never looked for what the new rule forbids."""
        app = make_app(PACKAGES, {}, [R1])
        await sweep(app)
        app.rules.write([R1, R2])
        view = await report(app)
        assert view.verdict is not None
        assert view.verdict.outcome == "unknown"
        assert {each.enforcement.state for each in view.rules} == {"not-known"}

    async def test_a_rule_that_selects_nothing_is_not_checked(self, make_app: MakeApp) -> None:
        """It never holds."""
        app = make_app(PACKAGES, {}, [rule("r", side("a"), NOTHING)])
        await sweep(app)
        view = await report(app)
        assert headline(view) == "The only rule could not be checked."

    async def test_no_sweep(self, make_app: MakeApp) -> None:
        """Nothing is known, and no number is said."""
        view = await report(app_of(make_app, R1))
        assert headline(view) == "No sweep has ended yet, so nothing is known."
        assert [each.people for each in view.rules] == [None]

    async def test_a_failed_sweep(self, make_app: MakeApp) -> None:
        """Alone it leaves nothing known; after another, that one is told of."""
        app = app_of(make_app, R1)
        await fail_a_sweep(app)
        assert headline(await report(app)) == "The sweep failed, so nothing is known."
        app.clock.advance(86_400)
        await sweep(app)
        await fail_a_sweep(app)
        view = await report(app)
        assert headline(view).startswith("2 people")
        assert view.verdict is not None
        assert "The newest sweep failed. This report tells of the one before." in view.verdict.more

    async def test_no_rules(self, make_app: MakeApp) -> None:
        """Nothing was checked, and the sentence says why."""
        app = make_app(PACKAGES, HELD, [])
        await sweep(app)
        assert headline(await report(app)) == "No rule is in force, so nothing was checked."

    async def test_a_rule_that_is_found_only_says_so(self, make_app: MakeApp) -> None:
        """It holds, and Entra cannot enforce it."""
        app = make_app(PACKAGES, {}, [at_most("two", 2, "abc")])
        await sweep(app)
        view = await report(app)
        assert view.verdict is not None
        assert view.verdict.more == ["1 of 1 rule is found only: Entra cannot enforce it."]
        assert [(each.status, each.enforcement.state) for each in view.rules] == [
            ("holds", "cannot")
        ]

    async def test_who_has_an_exception_violates_nothing(self, make_app: MakeApp) -> None:
        """The rule holds, and the sentence beside it tells of the exception."""
        day = make_app(PACKAGES, {}, [R1]).clock.now().date()
        subject = Subject(id="subject-x", object_id=guid("ab"))
        entry = exception("r1", "ab", start=day, end=day + timedelta(days=30))
        people = {each: [Assignment(id=each, state="delivered", subject=subject)] for each in "ab"}
        app = make_app(PACKAGES, people, [R1])
        app.rules.write([R1], [entry])
        await sweep(app)
        view = await report(app)
        assert view.verdict is not None
        assert view.verdict.outcome == "clear"
        assert view.verdict.more == ["An exception permits what 1 person holds."]
        assert [(each.status, each.excepted) for each in view.rules] == [("holds", 1)]

    async def test_lost_findings_are_at_least(self, make_app: MakeApp) -> None:
        """The sweep counted more than is kept."""
        app = app_of(make_app, R1)
        await sweep(app)
        table = app.storage.table("findings")
        rows = [row async for row in table.rows()]
        await table.delete(rows[0].partition, rows[0].key)
        assert headline(await report(app)).startswith("At least 1 person")


class TestPairsWithoutRoom:
    @pytest.fixture(autouse=True)
    def room_for_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A matrix of one pair."""
        monkeypatch.setattr(build, "MAX_PAIRS", 1)

    async def test_what_was_read_holds_all_the_same(self, make_app: MakeApp) -> None:
        """The sweep names every pair that is unknown, and these are not among them."""
        app = make_app(PACKAGES, {}, [R1, R2])
        await sweep(app)
        view = await report(app)
        assert len(view.cells) == 1
        assert [each.status for each in view.rules] == ["holds", "holds"]

    async def test_what_was_not_read_never_holds(self, make_app: MakeApp) -> None:
        """Though the pair of the rule that has a cell is clear."""
        app = make_app(PACKAGES, {}, [rule("r", side("a"), side("bc"))])
        app.graph.unreadable.add(guid("c"))
        await sweep(app)
        view = await report(app)
        assert [each.outcome for each in view.cells] == ["clear"]
        assert [each.status for each in view.rules] == ["partly-checked"]


class TestEnforcement:
    async def test_h1_the_report_says_what_plan_leaves_open(self, make_app: MakeApp) -> None:
        """For the rule and in sum, with the step that changes it."""
        app = app_of(make_app, R1, ENFORCEMENT="plan")
        await sweep(app)
        view = await report(app)
        assert view.enforcement is not None
        assert view.enforcement.text == "Of 1 rule: 1 planned only."
        assert view.rules[0].enforcement.text == "plan only: 2 of 2 references missing"
        assert "entra-sod plan" in [each.command for each in view.steps]

    async def test_a_freeze_after_the_sweep_is_said(self, make_app: MakeApp) -> None:
        """What is missing waits for its end."""
        app = app_of(make_app, R1, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="1")
        await sweep(app)
        assert (await report(app)).rules[0].enforcement.state == "missing"
        await app.records.controls.freeze("an audit", "ann")
        assert (await report(app)).rules[0].enforcement.state == "frozen"


class TestChanges:
    async def test_the_first_sweep_has_none(self, make_app: MakeApp) -> None:
        """There is nothing to compare with."""
        app = app_of(make_app, R1)
        await sweep(app)
        assert (await report(app)).changes is None

    async def test_findings_come_and_go(self, make_app: MakeApp) -> None:
        """New ones, those that are gone, and those that are back; each by its id."""
        app = app_of(make_app, R1)
        await sweep(app)
        app.graph._assignments[guid("a")] = held("a", "xz")
        await sweep(app)
        changes = (await report(app)).changes
        assert changes is not None
        assert (changes.new.total, changes.resolved.total, changes.reopened.total) == (1, 0, 0)
        await sweep(app)  # a second look agrees that y holds one of them only
        changes = (await report(app)).changes
        assert changes is not None
        assert (changes.new.total, changes.resolved.total) == (0, 1)
        app.graph._assignments[guid("a")] = held("a", "xyz")
        await sweep(app)
        changes = (await report(app)).changes
        assert changes is not None
        assert (changes.reopened.total, len(changes.reopened.ids)) == (1, 1)

    async def test_rules_and_enforcement_change(self, make_app: MakeApp) -> None:
        """What came, what went, and what Entra enforces now."""
        app = app_of(make_app, R1, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="1")
        await sweep(app)
        app.rules.write([R1, R2])
        await sweep(app)
        changes = (await report(app)).changes
        assert changes is not None
        assert changes.rules_changed
        assert (changes.rules_added, changes.rules_removed) == (["r2"], [])
        assert changes.enforcement is not None
        told = {each.rule: (each.before, each.after) for each in changes.enforcement}
        assert told["r1"] == ("missing 1 of 2 references", "refused by Entra both ways")
        assert told["r2"][0] == "not known"


class TestSteps:
    async def test_the_owner_of_a_violated_rule_is_asked(self, make_app: MakeApp) -> None:
        """With the packages to open."""
        app = app_of(make_app, msgspec.structs.replace(R1, advice="Keep one", mode=Mode.WARN))
        await sweep(app)
        [step] = (await report(app)).steps
        assert (step.owner, step.rule, step.advice) == ("owner@example.com", "r1", "Keep one")
        assert set(step.packages) == {guid("a"), guid("b")}

    async def test_a_gap_is_the_operators_work(self, make_app: MakeApp) -> None:
        """Told by what closes it."""
        app = app_of(make_app, R1)
        app.graph.unreadable.add(guid("a"))
        await sweep(app)
        commands = [each.command for each in (await report(app)).steps]
        assert "entra-sod grant --catalogs NAME" in commands


class TestTheTenant:
    async def test_its_id_stands_in_the_report_and_in_its_links(self, make_app: MakeApp) -> None:
        """By the token with which the app reads."""
        app = app_of(make_app, R1)
        app.graph.tenant = guid("f")
        view = await report(app)
        assert view.tenant == guid("f")
        assert view.portal is not None
        assert guid("f") in view.portal.package

    async def test_without_a_token_it_is_empty(
        self, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which is no error of the report."""
        app = app_of(make_app, R1)

        async def refuse() -> str:
            raise Unavailable("no token")

        monkeypatch.setattr(app.graph, "tenant_id", refuse)
        assert (await report(app)).tenant == ""


async def test_a_view_of_an_older_version_is_read(make_app: MakeApp) -> None:
    """It has no verdict, and no rule of it is called enforced."""
    app = app_of(make_app, R1)
    await sweep(app)
    view = msgspec.to_builtins(await report(app))
    for name in ("tenant", "verdict", "enforcement", "changes", "steps", "portal"):
        del view[name]
    for name in ("status", "people", "excepted", "oldest", "enforcement"):
        del view["rules"][0][name]
    old = msgspec.convert(view, ReportView)
    assert old.verdict is None
    assert old.rules[0].enforcement.state == "not-known"
