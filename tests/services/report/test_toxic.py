"""The report shows toxic packages, their holders, and overlaps."""

from __future__ import annotations

from entra_sod.services.report.render import render
from tests.app import App
from tests.builders import guid, held, package, rule, side
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
