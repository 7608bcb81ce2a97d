"""The report shows toxic packages, their holders, and overlaps."""

from __future__ import annotations

import msgspec
from playwright.sync_api import expect

from entra_sod.domain.results.coverage import Outcome
from entra_sod.domain.results.sweep import OverlapSummary, ToxicSummary
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.services.report.render import render
from entra_sod.services.report.view import ReportView
from tests.app import App
from tests.builders import guid, held, package, rule, side
from tests.services.report.conftest import OpenReport
from tests.services.report.test_make import MakeApp, report, sweep
from tests.services.report.test_render import data_of

RULES = [rule("r", side("a"), side("b"))]
PACKAGES = [package("a", "1"), package("b", "2"), package("c", "1", "2"), package("d", "2")]


def app_with_toxic(make_app: MakeApp) -> App:
    return make_app(PACKAGES, {"c": held("c", "z"), "a": held("a", "x")}, RULES)


async def test_the_data_of_the_page_has_both(make_app: MakeApp) -> None:
    """The toxic package with its holders and its finding, and the overlap, with their reasons."""
    app = app_with_toxic(make_app)
    await sweep(app)
    data = data_of(render(await report(app)).decode())
    [toxic], [overlap] = data["toxicPackages"], data["overlaps"]
    assert (toxic["accessPackageId"], toxic["rule"], toxic["holderCount"]) == (guid("c"), "r", 1)
    assert (overlap["accessPackageId"], overlap["rule"]) == (guid("d"), "r")
    [row] = data["findings"]
    assert data["words"][row[10]] == "package"
    assert data["words"][row[12]] == f"access package {guid('c')} (Package c): {toxic['why']}"
    assert [data["packages"][place][0] for place in row[2]] == [guid("c")]


async def test_without_a_sweep_there_is_none(make_app: MakeApp) -> None:
    """What no sweep has looked at is not said."""
    view = await report(app_with_toxic(make_app))
    assert (view.toxic_packages, view.overlaps) == ([], [])


async def test_the_trend_of_a_rule_counts_holders_of_toxic_packages(make_app: MakeApp) -> None:
    """They are in conflict with the rule as holders of pairs are."""
    app = app_with_toxic(make_app)
    await sweep(app)
    [shown] = (await report(app)).rules
    assert (shown.findings, shown.trend) == (1, [1])


def test_the_page_shows_both(open_report: OpenReport, small_view: ReportView) -> None:
    """A strip of its own: the packages, who holds one, and why; a name is never markup."""
    first, shown = small_view.packages[0], small_view.findings[0]
    found = msgspec.structs.replace(
        shown, kind=ConflictKind.PACKAGE, pair=[first.id], why="it meets rule R1 <b>by itself</b>"
    )
    toxic = ToxicSummary(
        access_package_id=first.id,
        display_name="Legacy <img src=x>",
        rule=shown.rule,
        why="it gives both duties",
        outcome=Outcome.CONFLICT,
        holder_count=7,
        override_days=14,
    )
    overlap = OverlapSummary(
        access_package_id=first.id, display_name="Other", rule=shown.rule, why="it gives one duty"
    )
    view = msgspec.structs.replace(
        small_view,
        findings=[found, *small_view.findings[1:]],
        toxic_packages=[toxic],
        overlaps=[overlap],
    )
    section = open_report(view).locator("#toxic")
    for text in ("Legacy <img src=x>", "it gives both duties", "at most 14 days", "Other"):
        expect(section).to_contain_text(text)
    holders = section.locator("#toxic-holders tbody tr")
    expect(holders).to_have_count(1)
    expect(holders).to_contain_text("it meets rule R1 <b>by itself</b>")


def test_a_page_without_any_says_so(open_report: OpenReport, small_view: ReportView) -> None:
    """The strip is never empty."""
    expect(open_report(small_view).locator("#toxic")).to_contain_text("found no package that meets")
