"""The first screen of a report, in a browser: verdict, rules, enforcement, changes, next steps."""

from __future__ import annotations

import re

import msgspec
import pytest
from playwright.sync_api import Page, expect

from entra_sod.domain.report.changes import ChangedEnforcement, ChangedFindings, ReportChanges
from entra_sod.domain.report.enforcement import EnforcementState, EnforcementView
from entra_sod.domain.report.steps import NextStep, StepKind
from entra_sod.domain.report.verdict import (
    ReportVerdict,
    RuleStatus,
    failed_verdict,
    reach_verdict,
)
from entra_sod.domain.results.coverage import Skipped
from entra_sod.services.report.view import ReportView
from tests.services.report.conftest import OpenReport
from tests.services.report.test_page import accessibility_issues, shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
replace = msgspec.structs.replace
NARROW = (390, 844)


def with_rule(view: ReportView, **changed: object) -> ReportView:
    """The same with its first rule changed; that one is the worst of all."""
    first = replace(view.rules[0], status=RuleStatus.VIOLATED, **changed)
    return replace(view, rules=[first, *view.rules[1:]])


def changes_of(view: ReportView) -> ReportChanges:
    def found(*ids: str) -> ChangedFindings:
        return ChangedFindings(total=len(ids), ids=list(ids))

    return ReportChanges(
        sweep="before",
        since="2026-11-21T02:09:00Z",
        new=found(*(each.id for each in view.findings[:3])),
        reopened=found(),
        resolved=found(view.findings[4].id),
        expired=found(),
        rules_changed=True,
        rules_added=[view.rules[0].id],
        rules_removed=["gone <b>rule</b>"],
        enforcement=[ChangedEnforcement(rule=view.rules[1].id, before="held", after="missing")],
    )


@pytest.mark.parametrize("size", [(1280, 800), NARROW])
def test_h3_the_verdict_is_seen_without_scrolling(
    open_report: OpenReport, small_view: ReportView, size: tuple[int, int]
) -> None:
    """With tenant, date and rules, before all gaps, on a desk and on a telephone."""
    page = open_report(small_view, size=size)
    assert small_view.verdict is not None
    headline = page.locator("main > section").first.locator("h2")
    expect(headline).to_contain_text(small_view.verdict.headline)
    for seen in (headline, page.locator(".statuses"), page.locator(".enforced")):
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1]
    for fact in (small_view.tenant, "2026-11-22 02:09 UTC", small_view.rules_hash[7:19]):
        expect(page.locator("#facts")).to_contain_text(fact)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_h3_gaps_are_one_line_that_opens(open_report: OpenReport, small_view: ReportView) -> None:
    """Graph's words stand inside only, with names beside ids."""
    gap = small_view.gaps[0]
    page = open_report(small_view)
    line = page.locator("#gaps > summary")
    expect(line).to_have_text(re.compile(r"^1 gap: what was not checked, or is not shown$"))
    expect(page.get_by_text(gap.why)).to_be_hidden()
    line.click()
    [unread] = [each for each in small_view.packages if each.id in gap.what]
    expect(page.locator("#gaps li")).to_contain_text(f"{unread.name} ({unread.id})")
    expect(page.get_by_text(gap.why)).to_be_visible()


@pytest.mark.parametrize(
    "verdict",
    [reach_verdict([], None), failed_verdict()],
    ids=["no sweep", "failed sweep"],
)
def test_a_report_of_no_sweep_says_so(
    open_report: OpenReport, small_view: ReportView, verdict: ReportVerdict
) -> None:
    """A sentence at the top, and no part of the page shows a number or an all-clear."""
    rules = [
        replace(each, findings=None, people=None, status=RuleStatus.NOT_CHECKED, trend=[])
        for each in small_view.rules
    ]
    view = replace(
        small_view,
        sweep=None,
        findings=[],
        rules=rules,
        drift=[],
        trend=[],
        changes=None,
        verdict=verdict,
    )
    page = open_report(view)
    expect(page.locator("#verdict h2")).to_contain_text(verdict.headline)
    expect(page.locator("#verdict.doubt")).to_have_count(1)
    expect(page.locator("#summary")).to_contain_text("No sweep has ended")
    expect(page.locator("#drift")).to_contain_text("No sweep has ended")
    expect(page.locator(".status-holds")).to_have_count(0)
    assert accessibility_issues(page) == []


def test_without_rules_every_part_says_so(open_report: OpenReport, small_view: ReportView) -> None:
    """An empty report is no blank page."""
    view = replace(
        small_view,
        rules=[],
        cells=[],
        findings=[],
        sides=[],
        steps=[],
        verdict=ReportVerdict(outcome=failed_verdict().outcome, headline="No rule.", more=[]),
    )
    page = open_report(view)
    for section in ("#rules", "#groups"):
        expect(page.locator(section)).to_contain_text("No rule is in force")
    expect(page.locator("#folded")).to_contain_text("the matrix is empty")
    expect(page.locator("#steps")).to_contain_text("Read the gaps above")
    assert accessibility_issues(page) == []


def test_a_view_of_an_older_version_is_never_an_all_clear(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """It has no verdict and no portal; the page says so, and opens."""
    page = open_report(replace(small_view, verdict=None, enforcement=None, portal=None, steps=[]))
    expect(page.locator("#verdict h2")).to_contain_text("it has no verdict")
    expect(page.locator("#verdict.doubt")).to_have_count(1)
    expect(page.locator(".enforced")).to_contain_text("is not known")
    page.locator("#lines button").first.click()
    expect(page.locator("#dialog")).to_be_visible()
    assert page.locator("#dialog a").count() == 0


def test_a11_a_rule_that_was_not_checked_has_no_number(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """Its row says of how many pairs, and its line says that nothing is known."""
    first = replace(
        small_view.rules[0],
        status=RuleStatus.NOT_CHECKED,
        people=None,
        findings=None,
        pairs=1,
        pairs_unknown=1,
        trend=[None],
    )
    partly = replace(small_view.rules[1], people=2, pairs=4, pairs_unknown=1)
    page = open_report(replace(small_view, rules=[first, partly]))
    row = page.locator("#rules tbody tr").filter(has_text=first.id)
    expect(row.locator("td").nth(2)).to_have_text("not checked (1 of 1 pair)")
    expect(row.locator("svg")).to_have_attribute("aria-label", "holders: not known")
    assert row.locator("circle").count() == 0
    row = page.locator("#rules tbody tr").filter(has_text=partly.id)
    expect(row.locator("td").nth(2)).to_have_text("2not checked (1 of 4 pairs)")


def test_h1_each_rule_says_what_entra_enforces(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """With the reason, and the sum at the top; drift alone never stands for it."""
    enforcement = EnforcementView(
        state=EnforcementState.PLAN_ONLY,
        text="plan only: 12 of 12 references missing",
        why="one <b>reason</b>",
    )
    page = open_report(with_rule(replace(small_view, drift=[]), enforcement=enforcement))
    row = page.locator("#rules tbody tr").filter(has_text=small_view.rules[0].id)
    expect(row).to_contain_text("plan only: 12 of 12 references missing")
    expect(row).to_contain_text("one <b>reason</b>")
    assert small_view.enforcement is not None
    expect(page.locator(".enforced")).to_contain_text(small_view.enforcement.text)
    expect(page.locator("#drift")).to_contain_text("are under Enforcement")


def test_what_changed_narrows_the_findings(open_report: OpenReport, small_view: ReportView) -> None:
    """Each number opens its findings; rules and enforcement are told."""
    view = replace(small_view, changes=changes_of(small_view))
    page = open_report(view)
    changes = page.locator("#changes")
    expect(changes).to_contain_text("Since 2026-11-21 02:09 UTC. 3 new, 1 resolved. The rules")
    changes.locator("summary").click()
    for text in (f"In force now: {view.rules[0].id}", "gone <b>rule</b>", "held before, missing"):
        expect(changes).to_contain_text(text)
    changes.get_by_role("button", name="3 new").click()
    assert shown(page) == 3
    expect(page.locator("#change")).to_have_value("new")


def test_next_steps_stand_under_their_owner(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """With advice, command and the packages to open; a rule opens all that is known of it."""
    package, rule = small_view.packages[0], small_view.rules[0]
    step = NextStep(
        owner="owner <i>one</i>",
        kind=StepKind.FINDINGS,
        rule=rule.id,
        text="7 people violate the rule.",
        advice="Keep </script> one",
        command="entra-sod plan",
        packages=[package.id],
    )
    page = open_report(replace(small_view, steps=[step]))
    block = page.locator("#steps .owner")
    for text in ("owner <i>one</i>", step.text, "Keep </script> one", "entra-sod plan"):
        expect(block).to_contain_text(text)
    link = block.get_by_role("link", name=package.name)
    assert small_view.portal is not None
    expect(link).to_have_attribute("href", small_view.portal.assignments_of(package.id))
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    block.get_by_role("button", name=rule.title).click()
    expect(page.locator("#dialog h2")).to_have_text(rule.title)
    for text in (rule.id, rule.owner, rule.enforcement.text):
        expect(page.locator("#dialog")).to_contain_text(text)


def test_a_portal_that_is_no_web_address_is_no_link(
    open_report: OpenReport, small_view: ReportView
) -> None:
    """A view may come from a file that another program wrote."""
    assert small_view.portal is not None
    portal = replace(
        small_view.portal,
        assignments="javascript:alert(1)//{id}",
        user="javascript:alert(1)//{id}",
    )
    page = open_report(replace(small_view, portal=portal))
    page.locator("#lines button").first.click()
    assert page.locator("a[href^='javascript']").count() == 0


def words(page: Page) -> list[tuple[str, str]]:
    """The words that have a meaning: on hover, and as a screen reader says it."""
    found: list[list[str]] = page.locator("[aria-describedby^='means-']").evaluate_all(
        "all => all.map(e => [e.title, "
        "document.getElementById(e.getAttribute('aria-describedby'))?.textContent])"
    )
    return [(title, said) for title, said in found]


def test_states_are_explained(open_report: OpenReport, small_view: ReportView) -> None:
    """Each by the same sentence on hover and for screen readers."""
    page = open_report(small_view)
    found = words(page)
    assert len(found) > len(small_view.rules)
    assert all(title and title == said for title, said in found)


NAMES = ("مدفوعات", "付款审批", "Оплата счетов", "\u202egnp.exe", "</script><b>x</b>", "e\u0301 ⚖️")


@pytest.mark.parametrize("name", NAMES)
def test_a_headline_takes_names_of_every_script(
    open_report: OpenReport, small_view: ReportView, name: str
) -> None:
    """As text of its own direction, never as markup."""
    headline = f"7 people hold both \u201c{name}\u201d and \u201c{name}\u201d."
    verdict = replace(small_view.verdict, headline=headline)  # type: ignore[type-var]
    page = open_report(replace(small_view, verdict=verdict))
    quoted = page.locator("#verdict h2 bdi")
    expect(quoted).to_have_count(2)
    assert quoted.first.text_content() == f"\u201c{name}\u201d"
    assert page.locator("#verdict b").count() == 0


def test_on_a_telephone_findings_are_cards(open_report: OpenReport, small_view: ReportView) -> None:
    """Nothing is wider than the screen, in light or dark; axe finds nothing."""
    page = open_report(small_view, size=NARROW, scheme="dark")
    card = page.locator("#lines .line").first
    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    assert box is not None
    assert box["width"] <= NARROW[0]
    expect(card.locator(".column-person button")).to_be_visible()
    expect(card.locator(".column-packages")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    assert accessibility_issues(page) == []
    card.locator("button").click()
    expect(page.locator("#dialog")).to_be_visible()


def test_many_gaps_stay_one_line(open_report: OpenReport, small_view: ReportView) -> None:
    """However many there are, the verdict stays on the first screen."""
    gaps = [Skipped(what=f"place {number}", why="refused") for number in range(800)]
    page = open_report(replace(small_view, gaps=gaps), size=(1280, 800))
    expect(page.locator("#gaps > summary")).to_contain_text("800 gaps")
    box = page.locator("#verdict").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800
