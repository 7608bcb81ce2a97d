from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from entra_sod.domain.results.coverage import Outcome, Skipped
from entra_sod.domain.rules.language import RuleForm
from entra_sod.domain.rules.logic import ConflictKind
from entra_sod.services.report.view import ReportView
from local.processes import CHECKOUT
from tests.services.report.conftest import OpenReport

AXE = CHECKOUT / "node_modules/axe-core/axe.min.js"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def shown(page: Page) -> int:
    """How many findings the list says that it shows."""
    text = page.locator("#shown").inner_text()
    return int(text.split()[0].replace(",", ""))


def column(page: Page, name: str) -> list[str]:
    return page.locator(f"#lines .column-{name}").all_inner_texts()


def accessibility_issues(page: Page) -> list[str]:
    """Everything that axe finds by any of its rules, with the elements concerned.

    Evaluated by the debugger, past the page's own policy, which lets no second script in.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{each['id']} ({each['impact']}): {each['nodes'][0]['html'][:200]}" for each in found]


def test_what_is_over_is_no_headline(open_report: OpenReport, small_view: ReportView) -> None:
    """The tile counts what stands, in all severities; the list has the rest at its end."""
    over = [
        msgspec.structs.replace(each, state=state)
        for each, state in zip(small_view.findings, ("resolved", "on-hold"), strict=False)
    ]
    assert len({each.severity for each in (*over, *small_view.findings)}) > 1
    standing = small_view.findings_standing - len(over)
    view = msgspec.structs.replace(
        small_view, findings=[*over, *small_view.findings[2:]], findings_standing=standing
    )
    page = open_report(view)
    tile = page.locator("#summary .tile").filter(has_text="under every rule")
    expect(tile.locator(".tile-value")).to_have_text(str(standing))
    bars = tile.locator(".bar-words li").all_inner_texts()
    assert sum(int(text.split()[0]) for text in bars) == standing
    page.locator("#list").evaluate("list => { list.scrollTop = 1e9; }")
    expect(page.locator(f'#lines [aria-rowindex="{len(view.findings) + 1}"]')).to_be_visible()
    assert column(page, "state")[-2:] == ["resolved", "on-hold"]


def test_a_strip_has_the_rules_that_are_found_only(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """What makes a conflict, who is in conflict, and what is lacking; a click narrows the list."""
    first, *others = small_view.findings
    lacking = next(each for each in small_view.packages if each.id not in first.pair)
    changed = msgspec.structs.replace(
        first, kind=ConflictKind.REQUIREMENT, pair=first.pair[:1], missing=[lacking.id]
    )
    rules = [
        msgspec.structs.replace(
            each,
            form=RuleForm.REQUIRES,
            found_only=True,
            outcome=Outcome.CONFLICT,
            at_most=None,
            sides=[0, 1],
            process="Procure to pay",
        )
        if each.id == first.rule
        else each
        for each in small_view.rules
    ]
    findings = [changed, *(each for each in others if each.rule != first.rule)]
    page = open_report(msgspec.structs.replace(small_view, findings=findings, rules=rules))
    strip = page.locator("#found-only")
    expect(strip).to_contain_text("a subject is on")
    expect(strip.locator("#found-only-subjects tbody tr")).to_have_count(1)
    expect(strip.locator("#found-only-subjects")).to_contain_text(lacking.name)
    page.locator("#groups").get_by_role("button", name="Procure to pay").click()
    assert shown(page) == 1
    assert accessibility_issues(page) == []


class TestTheList:
    def test_it_is_sorted_by_any_column(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """Once upwards, again downwards, and the column says so to a screen reader."""
        page = open_report(small_view)
        head = page.locator('[data-sort="person"]')
        head.get_by_role("button").click()
        names = [text.split("\n")[0] for text in column(page, "person")]
        assert names == sorted(names, key=str.lower)
        assert head.get_attribute("aria-sort") == "ascending"
        head.get_by_role("button").click()
        names = [text.split("\n")[0] for text in column(page, "person")]
        assert names == sorted(names, key=str.lower, reverse=True)
        assert head.get_attribute("aria-sort") == "descending"

    def test_it_is_filtered_by_everything(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """By text, rule, package, severity and state, each against the view's own findings."""
        page, found = open_report(small_view), small_view.findings
        one = found[0]
        page.fill("#text", (one.display_name or "").upper())
        assert shown(page) == sum(each.display_name == one.display_name for each in found)
        page.click("#reset")
        page.select_option("#rule", one.rule)
        assert shown(page) == sum(each.rule == one.rule for each in found)
        page.click("#reset")
        place = [each.id for each in small_view.packages].index(one.pair[0])
        page.select_option("#package", str(place))
        assert shown(page) == sum(one.pair[0] in each.pair for each in found)
        page.click("#reset")
        page.check('input[name="severity"][value="0"]')
        assert shown(page) == sum(each.severity == "critical" for each in found)
        page.click("#reset")
        page.check('input[name="state"][value="excepted"]')
        assert shown(page) == sum(each.state == "excepted" for each in found)
        page.click("#reset")
        assert shown(page) == len(found)

    def test_a_filter_that_fits_nothing_says_so(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """An empty list is told apart from a clean tenant."""
        page = open_report(small_view)
        page.fill("#text", "no such name")
        expect(page.locator("#nothing")).to_have_text("No finding fits the filter.")

    def test_only_what_is_in_view_is_in_the_page(
        self, open_report: OpenReport, large_view: ReportView
    ) -> None:
        """Of 20,000 rows some dozens are elements, at the top and at the end."""
        page = open_report(large_view)
        assert page.locator("#lines .line").count() < 100
        page.evaluate("document.querySelector('#list').scrollTop = 1e9")
        expect(page.locator('#lines [aria-rowindex="20001"]')).to_be_visible()
        assert page.locator("#lines .line").count() < 100
        assert page.locator("#list").get_attribute("aria-rowcount") == "20001"

    def test_a_person_opens_all_that_is_known(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """Ids, packages, rule, owner and dates; Escape closes, and the focus is back."""
        page, one = open_report(small_view), small_view.findings[0]
        button = page.locator("#lines button").first
        button.click()
        for text in (one.id, one.subject_id, one.object_id or "", one.rule):
            expect(page.locator("#dialog")).to_contain_text(text)
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        expect(button).to_be_focused()


class TestTheMatrix:
    def test_a_cell_counts_and_opens_its_people(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """The number is the view's; a click lists as many people, who can be kept as a filter."""
        page = open_report(small_view)
        cell = max(small_view.cells, key=lambda each: each.findings)
        one, other = (small_view.packages[place].name for place in cell.packages)
        said = page.locator(f'.cell[aria-label*="{one}"][aria-label*="{other}"]').first
        assert f"{cell.findings} findings, worst {cell.severity}" in (
            said.get_attribute("aria-label") or ""
        )
        said.click()
        expect(page.locator("#dialog tbody tr")).to_have_count(cell.findings)
        page.get_by_role("button", name="Show them in the list").click()
        assert shown(page) == cell.findings

    def test_it_is_walked_by_keyboard(
        self, open_report: OpenReport, large_view: ReportView
    ) -> None:
        """One tab stop; arrows, End and Ctrl+End move it, also to cells that were not drawn."""
        page = open_report(large_view)
        assert page.locator('.cell[tabindex="0"]').count() == 1
        page.locator('.cell[tabindex="0"]').focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.column") == "1"
        page.keyboard.press("Control+End")
        assert page.evaluate(
            "[document.activeElement.dataset.row, document.activeElement.dataset.column]"
        ) == ["299", "299"]
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        expect(page.locator("#dialog")).to_be_visible()
        assert page.locator("#grid .cell").count() < 2000

    def test_between_classes_it_counts_by_rule(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """All findings of pairs are in it, each under the two sides of its rule."""
        page = open_report(small_view)
        page.select_option("#axis", "sides")
        said = page.locator("#grid .cell[aria-label*='finding']")
        labels = [text or "" for text in said.evaluate_all("all => all.map(e => e.ariaLabel)")]
        counted = sum(int(re.findall(r"(\d+) findings?,", text)[0]) for text in labels)
        assert counted == 2 * sum(len(each.pair) == 2 for each in small_view.findings)

    def test_the_filter_holds_for_it_as_well(
        self, open_report: OpenReport, small_view: ReportView
    ) -> None:
        """A cell whose findings are filtered out is never shown as clear."""
        page = open_report(small_view)
        page.uncheck("#folds")
        page.fill("#text", "no such name")
        assert page.locator("#grid .cell[aria-label*='worst']").count() == 0
        cells = [each for each in small_view.cells if each.findings]
        assert page.locator("#grid .cell.filtered").count() == 2 * len(cells)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_report: OpenReport, small_view: ReportView, scheme: str) -> None:
    """The page, and each kind of dialog over it, in both colour schemes."""
    page = open_report(small_view, scheme=scheme)
    assert accessibility_issues(page) == []
    page.locator("#lines button").first.click()
    assert accessibility_issues(page) == []
    page.keyboard.press("Escape")
    page.locator("#grid .cell[aria-label*='worst']").first.click()
    assert accessibility_issues(page) == []


def test_axe_finds_nothing_in_a_large_one(open_report: OpenReport, large_view: ReportView) -> None:
    """Nor where most of the matrix and of the list is not in the page."""
    assert accessibility_issues(open_report(large_view)) == []


def test_severities_differ_without_colour(open_report: OpenReport, small_view: ReportView) -> None:
    """A badge has a word and as many bars as the severity has steps."""
    page = open_report(small_view)
    for severity, bars in {"critical": 4, "high": 3, "medium": 2, "low": 1}.items():
        badge = page.locator(f"#rules .badge.severity-{severity}").first
        expect(badge).to_have_text(severity)
        expect(badge.locator(f".mark-{bars}")).to_have_count(1)


def test_dark_is_dark(open_report: OpenReport, small_view: ReportView) -> None:
    """The ground follows what the reader's system asks for."""
    ground = "getComputedStyle(document.body).backgroundColor"
    light = open_report(small_view).evaluate(ground)
    assert light != open_report(small_view, scheme="dark").evaluate(ground)


def test_without_scripts_it_does_not_look_clean(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """A reader whose browser runs no scripts is told that not all is shown."""
    page = open_report(small_view, scripts=False)
    expect(page.locator("main")).to_contain_text("findings and gaps may be missing")


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u2028\u2029*/alert(1)//",
    "</title></style><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{data}}{{script}}",
    "\u202egnp.exe",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_never_markup(open_report: OpenReport, small_view: ReportView, name: str) -> None:
    """Whatever a tenant calls people, packages and gaps is shown as written, and nothing runs."""
    replace = msgspec.structs.replace
    view = replace(
        small_view,
        findings=[replace(small_view.findings[0], display_name=name, exception=name)],
        packages=[replace(each, name=name, catalog=name) for each in small_view.packages],
        rules=[replace(each, title=name, owner=name) for each in small_view.rules],
        gaps=[Skipped(what=name, why=name)],
    )
    page = open_report(view)
    page.locator("#lines button").first.click()
    assert page.locator("#dialog-title bdi").text_content() == name
    page.keyboard.press("Escape")
    page.locator("#gaps > summary").click()
    assert page.locator("#gaps strong bdi").first.text_content() == name
    assert page.locator("script").count() == 2
    assert page.locator("img, object, iframe, link").count() == 0
