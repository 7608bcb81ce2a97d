from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from entra_sod.core.errors import Forbidden
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.messages import SweepStartMessage, decode
from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.rules.language import Severity
from entra_sod.services.report import build, totals
from entra_sod.services.report.page_data import embedded
from entra_sod.services.report.view import CellView, ReportView
from entra_sod.stores.findings import TABLE
from tests.app import App
from tests.builders import at_most, exception, guid, held, package, requires, rule, side

PACKAGES = [package("a"), package("b"), package("c")]
HELD = {"a": held("a", "vwxy"), "b": held("b", "xyz"), "c": held("c", "z")}
RULES = [
    rule("r1", side("a"), side("b"), severity=Severity.CRITICAL),
    rule("r2", side("b"), side("c"), severity=Severity.LOW),
]

type MakeApp = type[App]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(PACKAGES, HELD, RULES)


async def sweep(app: App) -> str:
    started = await app.records.sweep_starter.start(traceparent="00-0-0-01")
    await app.work_off()
    app.clock.advance(24 * 3600)
    return started.id


async def report(app: App) -> ReportView:
    return await app.engine.reports.make(await app.engine.rules.current())


def cell(view: ReportView, one: str, other: str) -> CellView:
    wanted = {guid(one), guid(other)}
    [found] = [
        each
        for each in view.cells
        if {view.packages[place].id for place in each.packages} == wanted
    ]
    return found


def gaps(view: ReportView) -> str:
    return "\n".join(f"{each.what}: {each.why}" for each in view.gaps)


class TestWithoutASweep:
    async def test_nothing_is_clear(self, app: App) -> None:
        """Every pair is unknown, and the first gap says that no sweep has ended."""
        view = await report(app)
        assert view.sweep is None
        assert {each.outcome for each in view.cells} == {Outcome.UNKNOWN}
        assert "every pair: no sweep has ended" in gaps(view)

    async def test_the_rules_are_shown_all_the_same(self, app: App) -> None:
        """With their terms, and no trend."""
        view = await report(app)
        assert [(each.id, each.trend) for each in view.rules] == [("r1", []), ("r2", [])]


class TestAfterASweep:
    async def test_every_person_and_rule_is_a_finding(self, app: App) -> None:
        """With names, severity and the sweep's time; the gravest first."""
        sweep_id = await sweep(app)
        view = await report(app)
        assert view.sweep is not None
        assert (view.sweep.id, view.sweep.is_current) == (sweep_id, True)
        found = [
            (each.rule, each.display_name, each.severity, each.state) for each in view.findings
        ]
        assert sorted(found) == [
            ("r1", "x", "critical", "open"),
            ("r1", "y", "critical", "open"),
            ("r2", "z", "low", "open"),
        ]
        assert {each.first_seen for each in view.findings} == {view.sweep.ended_at}
        assert len({each.id for each in view.findings}) == 3

    async def test_an_id_is_the_same_after_the_next_sweep(self, app: App) -> None:
        """It comes from rule, pair and subject alone."""
        await sweep(app)
        before = {each.id for each in (await report(app)).findings}
        await sweep(app)
        assert {each.id for each in (await report(app)).findings} == before

    async def test_cells_count_findings_and_know_what_is_clear(self, make_app: MakeApp) -> None:
        """The worst severity colours a cell; a pair without a holder was checked."""
        app = make_app(PACKAGES, {"a": held("a", "xy"), "b": held("b", "xy")}, RULES)
        await sweep(app)
        view = await report(app)
        full, empty = cell(view, "a", "b"), cell(view, "b", "c")
        assert (full.outcome, full.findings, full.severity) == ("conflict", 2, "critical")
        assert (empty.outcome, empty.findings) == ("clear", 0)

    async def test_a_pair_that_was_not_read_is_not_clear(self, app: App) -> None:
        """An unreadable package leaves its pairs unknown, and the gap stands up front."""
        app.graph.unreadable.add(guid("c"))
        await sweep(app)
        view = await report(app)
        assert cell(view, "b", "c").outcome == "unknown"
        assert guid("c") in gaps(view)

    async def test_a11_a_rule_that_was_not_checked_has_no_number(self, make_app: MakeApp) -> None:
        """Neither findings nor a point of the trend; of a rule that was checked in part, both."""
        one, both = rule("one", side("a"), side("c")), rule("both", side("b"), side("ac"))
        app = make_app(PACKAGES, {"a": held("a", "xy"), "b": held("b", "xy")}, [one, both])
        app.graph.unreadable.add(guid("c"))
        await sweep(app)
        rules = {each.id: each for each in (await report(app)).rules}
        facts = {key: (each.pairs, each.pairs_unknown) for key, each in rules.items()}
        assert facts == {"one": (1, 1), "both": (2, 1)}
        assert (rules["one"].findings, rules["one"].trend) == (None, [None])
        assert (rules["both"].findings, rules["both"].trend) == (2, [2])

    async def test_rules_that_changed_since_are_not_clear(self, app: App) -> None:
        """What only the new rules keep apart was never looked at."""
        app.graph._assignments.clear()
        await sweep(app)
        app.rules.write([*RULES, rule("r3", side("a"), side("c"))])
        view = await report(app)
        assert cell(view, "a", "c").outcome == "unknown"
        assert "the rules have changed since the sweep" in gaps(view)

    async def test_exceptions_have_days_left(self, app: App) -> None:
        """The finding names its exception; 0 is the last day."""
        day = app.clock.now().date()
        entry = exception("r1", "ab", start=day, end=day + timedelta(days=1))
        app.rules.write(RULES, [entry])
        subject = Subject(id="subject-x", object_id=guid("ab"))
        for each in "ab":
            held_by_it = Assignment(id=each, state="delivered", subject=subject)
            app.graph._assignments[guid(each)] = [held_by_it]
        await sweep(app)
        view = await report(app)
        [finding] = [each for each in view.findings if each.rule == "r1"]
        assert (finding.state, finding.exception) == ("excepted", entry.id)
        shown = msgspec.json.decode(embedded(view))["findings"]
        [row] = [each for each in shown if each[0] == finding.id]
        assert (finding.exception_until, row[9]) == (entry.end, 0)
        assert [(each.id, each.days_left) for each in view.exceptions] == [(entry.id, 0)]
        assert cell(view, "a", "b").excepted == 1

    async def test_a_set_is_listed_with_all_that_is_held(self, make_app: MakeApp) -> None:
        """A finding of `atMost` names every package, is in no cell, and the rule has an outcome."""
        everything = {each: held(each, "x") for each in "abc"}
        app = make_app(PACKAGES, everything, [at_most("two", 2, "abc")])
        await sweep(app)
        view = await report(app)
        [finding] = view.findings
        assert (len(finding.pair), view.cells) == (3, [])
        assert (view.rules[0].at_most, view.rules[0].outcome) == (2, "conflict")

    async def test_a_requirement_names_what_is_missing(self, make_app: MakeApp) -> None:
        """Its rule is outside of the matrix, and the page knows what would end the conflict."""
        one = requires("need", side("a"), side("bc"))
        app = make_app(PACKAGES, {"a": held("a", "x")}, [one])
        await sweep(app)
        view = await report(app)
        [shown] = view.rules
        assert (shown.form, shown.found_only, shown.needs_all) == ("requires", True, False)
        assert (shown.at_most, shown.outcome, view.cells) == (None, "conflict", [])
        [row] = msgspec.json.decode(embedded(view))["findings"]
        assert [view.packages[each].id for each in row[11]] == [guid("b"), guid("c")]
        assert view.findings[0].kind == "requirement"

    async def test_rules_have_their_groups(self, make_app: MakeApp) -> None:
        """Process, tags, frameworks and owners of each rule, to filter and group by."""
        one = msgspec.structs.replace(
            rule("r", side("a"), side("b")), process="P2P", tags=["t"], owners=["o2@example.com"]
        )
        app = make_app(PACKAGES, {}, [one])
        [shown] = (await report(app)).rules
        assert (shown.process, shown.tags, shown.owners) == ("P2P", ["t"], ["o2@example.com"])


class TestTheTrend:
    async def test_it_follows_each_rule_over_the_sweeps(self, app: App) -> None:
        """Oldest first."""
        await sweep(app)
        app.graph._assignments[guid("a")] = held("a", "x")
        await sweep(app)
        view = await report(app)
        assert [each.conflicts for each in view.trend] == [3, 2]
        assert {each.id: each.trend for each in view.rules} == {"r1": [2, 1], "r2": [1, 1]}

    async def test_a_rule_that_was_not_there_is_not_known(self, app: App) -> None:
        """A hole in the line, and no zero."""
        app.rules.write(RULES[:1])
        await sweep(app)
        app.rules.write(RULES)
        await sweep(app)
        trends = {each.id: each.trend for each in (await report(app)).rules}
        assert trends == {"r1": [2, 2], "r2": [None, 1]}

    async def test_a_sweep_that_failed_is_not_known(self, app: App) -> None:
        """It is a point without a number, and a gap if it is the newest."""
        await sweep(app)
        started = await app.records.sweep_starter.start(traceparent="00-0-0-01")
        message = decode(app.storage.sent.pop().body)
        assert isinstance(message, SweepStartMessage)
        assert message.id == started.id
        await app.engine.sweep_runner.end_poisoned(message, "no rules")
        view = await report(app)
        assert [each.status for each in view.trend] == ["completed", "failed"]
        assert {each.id: each.trend for each in view.rules} == {"r1": [2, None], "r2": [1, None]}
        assert "it failed; no rules" in gaps(view)


class TestWhatCannotBeRead:
    async def test_lost_findings_are_a_gap(self, app: App) -> None:
        """Without their rows, what the sweep lists stays in conflict, and a gap says so."""
        await sweep(app)
        table = app.storage.table(TABLE)
        for row in [row async for row in table.rows()]:
            await table.delete(row.partition, row.key)
        view = await report(app)
        assert (view.findings, cell(view, "a", "b").outcome) == ([], "conflict")
        assert "a part of the sweep's findings" in gaps(view)

    async def test_a_lost_result_is_a_gap(self, app: App) -> None:
        """Nothing is told of a sweep whose result is gone."""
        await sweep(app)
        names = [name async for name in app.storage.blobs.names("sweeps") if "/result-" in name]
        for name in names:
            del app.storage._blobs._blobs["sweeps", name]
        view = await report(app)
        assert view.sweep is None
        assert {each.outcome for each in view.cells} == {Outcome.UNKNOWN}

    async def test_without_names_there_are_ids(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A refused list of packages is a gap, not an error."""

        async def refuse() -> None:
            raise Forbidden("no role", status=403)

        await sweep(app)
        monkeypatch.setattr(app.graph, "packages", refuse)
        view = await report(app)
        assert {each.name for each in view.packages} == {""}
        assert "names and catalogs of access packages: no role" in gaps(view)

    async def test_a_newer_sweep_under_way_is_a_gap(self, app: App) -> None:
        """The report tells of the last that ended, and that another one runs."""
        await sweep(app)
        started = await app.records.sweep_starter.start(traceparent="00-0-0-01")
        view = await report(app)
        assert view.sweep is not None
        assert f"{started.id}, would show: it is queued" in gaps(view)


class TestBounds:
    async def test_the_gravest_findings_stay(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The others are left out by number, and every count has them."""
        monkeypatch.setattr(totals, "MAX_FINDINGS", 2)
        monkeypatch.setattr(build, "MAX_FINDINGS", 2)
        await sweep(app)
        view = await report(app)
        assert [each.severity for each in view.findings] == ["critical", "critical"]
        assert (view.findings_total, cell(view, "b", "c").findings) == (3, 1)
        assert [each.what for each in view.left_out] == ["1 findings"]

    async def test_what_is_over_gives_way_to_what_stands(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A resolved finding is left out before a lesser one that is open, and counts for none."""
        monkeypatch.setattr(totals, "MAX_FINDINGS", 2)
        monkeypatch.setattr(build, "MAX_FINDINGS", 2)
        await sweep(app)
        app.graph._assignments[guid("a")] = held("a", "x")
        for _ in range(2):
            await sweep(app)
        view = await report(app)
        assert [(each.severity, each.state) for each in view.findings] == [
            ("critical", "open"),
            ("low", "open"),
        ]
        assert (view.findings_standing, view.findings_total) == (2, 3)

    async def test_pairs_with_findings_stay(
        self, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of too many pairs those without findings are left out, and the report says so."""
        monkeypatch.setattr(build, "MAX_PAIRS", 1)
        app = make_app(PACKAGES, {"b": held("b", "z"), "c": held("c", "z")}, RULES)
        await sweep(app)
        view = await report(app)
        assert [each.findings for each in view.cells] == [1]
        assert [each.what for each in view.left_out] == ["further pairs of the rules"]


class TestSides:
    async def test_equal_sides_of_rules_are_one(self, make_app: MakeApp) -> None:
        """A side that two rules share is one row; a single package gives it its name."""
        app = make_app(PACKAGES, {}, RULES)
        view = await report(app)
        assert [each.label for each in view.sides] == ["Package a", "Package b", "Package c"]
        assert [each.sides for each in view.rules] == [[0, 1], [1, 2]]


async def test_newest_ended_sweeps_come_first(app: App) -> None:
    """Neither parts nor pointers are sweeps, and one under way has not ended."""
    ids = [await sweep(app) for _ in range(3)]
    await app.records.sweep_starter.start(traceparent="00-0-0-01")
    found = await app.records.sweeps.newest_ended(2)
    assert [each.id for each in found] == [ids[2], ids[1]]


async def test_a_report_says_what_holds_writing_back(make_app: MakeApp) -> None:
    """The freeze, the budget, and what the sweep did about references."""
    app = make_app(PACKAGES, {}, RULES, ENFORCEMENT="apply", MAX_REFERENCE_WRITES_PER_DAY="7")
    await sweep(app)
    app.clock.advance(-3600)  # the sweep's writes are less than a day old
    stands = await app.records.controls.freeze("an audit", "ann")
    view = await report(app)
    assert (view.writing.used, view.writing.limit, view.writing.frozen) == (4, 7, stands)
    assert view.sweep is not None
    assert (view.sweep.references.written, view.sweep.references.held) == (4, 0)
