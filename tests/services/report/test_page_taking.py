"""Taking a report along, in a browser: links, CSV, copying, paper; the matrix under a filter."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.results.coverage import Skipped
from entra_sod.services.report.view import ReportView
from tests.services.report.conftest import OpenReport
from tests.services.report.test_page import column, shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
replace = msgspec.structs.replace


def style(page: Page, selector: str) -> tuple[str, ...]:
    """What an eye tells a cell by: its border, its ground and its text."""
    found: list[str] = page.locator(selector).first.evaluate(
        "e => { const s = getComputedStyle(e); return [s.borderStyle, s.borderColor, "
        "s.backgroundColor, s.backgroundImage, e.firstChild?.data ?? e.textContent]; }"
    )
    return tuple(found)


class TestTheMatrixUnderAFilter:
    def test_h2_a_filtered_out_cell_is_no_cell_without_a_rule(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """Each has a style of its own, and the legend shows both as they are."""
        page = open_report(small_view)
        page.uncheck("#folds")
        page.fill("#text", small_view.findings[0].id)
        filtered, none = style(page, "#grid .cell.filtered"), style(page, "#grid .cell.none")
        assert filtered[:1] != none[:1]
        assert filtered[-1] != none[-1]
        assert style(page, ".legend .filtered") == filtered
        assert style(page, ".legend .none")[2:] == none[2:]
        expect(page.locator(".legend")).to_contain_text("findings that the filter hides")

    def test_the_legend_shows_every_kind_as_it_is(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """No kind of cell is in the matrix that the legend has not, in the same style."""
        page = open_report(small_view)
        kinds = page.locator("#grid .cell").evaluate_all(
            "all => [...new Set(all.map(e => e.className.split(' ')[1]))]"
        )
        for kind in set(kinds) - {"self", "none"}:
            assert style(page, f".legend .{kind}")[:4] == style(page, f"#grid .cell.{kind}")[:4]

    def test_h4_rows_and_columns_without_a_hit_fold_away(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """What is left is what the filter hits, and it says how much is folded."""
        page = open_report(small_view)
        rows = page.locator("#grid .row-head")
        everything = rows.count()
        one = small_view.findings[0]
        page.fill("#text", one.id)
        expect(rows).to_have_count(2)
        names = {each.name for each in small_view.packages if each.id in one.pair}
        assert set(rows.all_inner_texts()) == names
        expect(page.locator("#folded")).to_contain_text(f"2 of {everything} rows and columns")
        page.uncheck("#folds")
        expect(rows).to_have_count(everything)
        page.check("#folds")
        page.fill("#text", "no such name")
        expect(page.locator("#matrix-frame")).to_be_hidden()
        expect(page.locator("#folded")).to_have_text("No cell has a finding that fits the filter.")
        page.click("#reset")
        expect(rows).to_have_count(everything)

    def test_the_worst_come_first(self, open_report: OpenReport, small_view: ReportView) -> None:
        """The first row has a finding of the gravest severity that there is."""
        gravest = next(
            severity
            for severity in ("critical", "high", "medium", "low")
            if any(each.findings and each.severity == severity for each in small_view.cells)
        )
        page = open_report(small_view)
        assert page.locator(f'#grid .cell[data-row="0"][aria-label*="worst {gravest}"]').count() > 0


class TestLinks:
    def test_a_finding_opens(self, open_report: OpenReport, small_view: ReportView) -> None:
        """And its address goes again when the dialog is closed."""
        one = small_view.findings[3]
        page = open_report(small_view, fragment=f"#finding={one.id}")
        expect(page.locator("#dialog")).to_contain_text(one.id)
        page.keyboard.press("Escape")
        assert page.evaluate("location.hash") == ""
        page.locator("#lines button").first.click()
        assert page.evaluate("location.hash").startswith("#finding=")

    @pytest.mark.parametrize(
        ("fragment", "says"),
        [
            ("#finding=0000", "There is no finding 0000 in this report."),
            ("#rule=%3Cb%3Egone", "There is no rule <b>gone in this report."),
            ("#finding=%E0%A4%A", "There is no finding %E0%A4%A in this report."),
        ],
    )
    def test_what_is_not_there_is_said(
        self, open_report: OpenReport, small_view: ReportView, fragment: str, says: str
    ) -> None:
        """In a sentence, and not by an empty page."""
        page = open_report(small_view, fragment=fragment)
        expect(page.locator("#dialog h2")).to_have_text(says)

    def test_a_rule_opens_with_its_findings(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """The list behind the dialog has the findings of the rule alone."""
        rule = small_view.findings[0].rule
        page = open_report(small_view, fragment=f"#rule={rule}")
        expect(page.locator("#dialog h2")).to_contain_text(
            next(each.title for each in small_view.rules if each.id == rule)
        )
        page.get_by_role("button", name="Show its findings").click()
        assert shown(page) == sum(each.rule == rule for each in small_view.findings)

    def test_a_filter_is_a_link_there_and_back(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """All parts of it, with signs that addresses escape."""
        one = small_view.findings[0]
        page = open_report(small_view)
        page.select_option("#rule", one.rule)
        page.locator(f'input[name="state"][value="{one.state}"]').check()
        page.fill("#text", f"  {one.display_name} ")
        wanted = shown(page)
        assert 0 < wanted < len(small_view.findings)
        fragment = page.evaluate("document.querySelector('#filter-link').dataset.link")
        other = open_report(small_view, fragment=fragment)
        assert shown(other) == wanted
        expect(other.locator("#rule")).to_have_value(one.rule)
        expect(other.locator(f'input[name="state"][value="{one.state}"]')).to_be_checked()
        other.click("#reset")
        assert shown(other) == len(small_view.findings)


def saved(page: Page, folder: Path) -> list[list[str]]:
    with page.expect_download() as waiting:
        page.click("#csv")
    waiting.value.save_as(folder / "findings.csv")
    text = (folder / "findings.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


class TestCsv:
    def test_it_has_what_the_filter_shows(
        self, open_report: OpenReport, small_view: ReportView, tmp_path: Path
    ) -> None:
        """With names of people, packages and rules, in the order of the list."""
        rule = small_view.findings[0].rule
        page = open_report(small_view)
        page.select_option("#rule", rule)
        head, *rows = saved(page, tmp_path)
        lines = [dict(zip(head, row, strict=True)) for row in rows]
        mine = {each.id: each for each in small_view.findings if each.rule == rule}
        assert {each["finding"] for each in lines} == mine.keys()
        names = {each.id: each.name for each in small_view.packages}
        for line in lines:
            one = mine[line["finding"]]
            assert line["subject"] == one.display_name
            assert line["holds"].split("; ") == [names[each] for each in one.pair]
        seen = [text.split("\n")[0] for text in column(page, "person")]
        assert [each["subject"] for each in lines][: len(seen)] == seen

    @pytest.mark.parametrize(
        "name",
        ["=1+1", "x;=1+1", "\uff1dcmd", " @sum", '"quoted", and more', "two\r\nlines", "مرحبا"],
    )
    def test_no_cell_is_a_formula(
        self, open_report: OpenReport, small_view: ReportView, tmp_path: Path, name: str
    ) -> None:
        """It writes each cell as the app's own CSV does."""
        one = replace(small_view.findings[0], display_name=name)
        page = open_report(replace(small_view, findings=[one]))
        head, row = saved(page, tmp_path)
        own = csv.reader(io.StringIO(csv_table([], [[name]]).decode(), newline=""))
        assert row[head.index("subject")] == next(own)[0]

    def test_what_is_shown_can_be_copied(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """As lines with tabs, a line for each finding."""
        page = open_report(small_view)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.select_option("#rule", small_view.findings[0].rule)
        page.get_by_role("button", name="Copy as table").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        text = page.evaluate("navigator.clipboard.readText()")
        assert len(text.split("\n")) == shown(page) + 1


class TestPaper:
    def test_a_summary_comes_first(
        self, open_report: OpenReport, small_view: ReportView, tmp_path: Path
    ) -> None:
        """Then the findings by rule, as they are filtered; the matrix and all buttons stay away."""
        page = open_report(small_view)
        page.locator('input[name="severity"]').first.check()
        page.emulate_media(media="print")
        for hidden in ("#matrix", "#filter", "#list", "#contents", "#csv", "#meanings dl"):
            expect(page.locator(hidden)).to_be_hidden()
        order = page.locator("main > section").evaluate_all("all => all.map(e => e.id)")
        assert order[:3] == ["verdict", "rules", "steps"]
        breaks = page.locator("#findings").evaluate("e => getComputedStyle(e).breakBefore")
        assert breaks == "page"
        groups = page.locator(".printed-group")
        rows = page.locator(".printed-group tbody tr")
        severity = page.locator('input[name="severity"]').first.locator("..").inner_text()
        mine = [each for each in small_view.findings if each.severity == severity.strip()]
        expect(groups).to_have_count(len({each.rule for each in mine}))
        expect(rows).to_have_count(len(mine))
        page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
        assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")

    def test_each_page_names_the_tenant_and_its_number(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """By the margin boxes of the style sheet; the tenant is data, and cannot end its string."""
        page = open_report(replace(small_view, tenant='t"; } \\ x'))
        name = page.evaluate(
            "getComputedStyle(document.documentElement).getPropertyValue('--paper-name')"
        )
        sweep, rules_hash = "sweep 2026-11-22 02:09 UTC", small_view.rules_hash[7:19]
        assert name == f'"Tenant t; }}  x · {sweep} · rules {rules_hash}"'
        rules = page.evaluate(
            "[...document.styleSheets[0].cssRules].filter(r => r instanceof CSSPageRule)"
            ".map(r => r.cssText).join()"
        )
        assert "counter(page)" in rules
        assert "var(--paper-name" in rules

    def test_no_gap_is_folded_away(self, open_report: OpenReport, small_view: ReportView) -> None:
        """Paper cannot be clicked; on screen all is folded again afterwards."""
        gaps = [Skipped(what=f"place {number}", why="refused") for number in range(8)]
        page = open_report(replace(small_view, gaps=gaps))
        expect(page.get_by_text("place 7")).to_be_hidden()
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(page.get_by_text("place 7")).to_be_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        expect(page.get_by_text("place 7")).to_be_hidden()


class TestTheConsole:
    def test_a_finding_and_a_rule_open_in_the_console_of_the_app(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """By the address of the app that made the report."""
        view = replace(small_view, console="https://app.example/api/console")
        page, one = open_report(view), view.findings[0]
        page.evaluate("place => { location.hash = place; }", f"#finding={one.id}")
        link = page.get_by_role("dialog").get_by_role("link", name="Open in the console")
        expect(link).to_have_attribute(
            "href", f"https://app.example/api/console#/findings/{one.id}"
        )
        page.evaluate("place => { location.hash = place; }", f"#rule={one.rule}")
        expect(link).to_have_attribute("href", f"https://app.example/api/console#/rules/{one.rule}")

    @pytest.mark.parametrize("console", [None, "javascript:alert(1)"])
    def test_a_report_that_knows_no_app_has_no_such_link(
        self, open_report: OpenReport, small_view: ReportView, console: str | None
    ) -> None:
        """It may come from storage, or from a file that a person changed."""
        page = open_report(replace(small_view, console=console))
        page.evaluate(
            "place => { location.hash = place; }", f"#finding={small_view.findings[0].id}"
        )
        expect(page.get_by_role("dialog")).to_contain_text(small_view.findings[0].id)
        expect(page.get_by_role("link", name="Open in the console")).to_have_count(0)
