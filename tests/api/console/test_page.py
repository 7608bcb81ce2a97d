"""The console in a real browser, before an app whose answers a test chooses."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from local.processes import CHECKOUT
from tests.api.console import answers
from tests.api.console.answers import ADA, APPROVE, GAP, GRACE, PAY, VENDORS, guid
from tests.api.console.conftest import LOCAL, Asked, FakeApp, OpenConsole, Problem, settle

AXE = CHECKOUT / "node_modules/axe-core/axe.min.js"
FINDING = answers.finding()["id"]
PLACES = (
    "#/",
    "#/subjects",
    "#/subjects?search=a",
    f"#/subjects/{guid(ADA)}",
    "#/decide",
    "#/findings",
    f"#/findings/{FINDING}",
    "#/rules",
    "#/rules/pay-and-approve",
    "#/exceptions",
    "#/selections",
    "#/writing",
    "#/sweeps",
    "#/doctor",
    "#/nowhere",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def violations(page: Page) -> list[str]:
    """What axe finds by all of its rules, evaluated past the page's own policy."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(found => found.violations)")
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(
    open_console: OpenConsole, scheme: Literal["light", "dark"], width: int
) -> None:
    """No rule of axe, best practices included, is broken in any view, on either screen."""
    page = open_console(scheme=scheme, width=width, height=844)
    found = dict[str, list[str]]()
    for place in PLACES:
        page.evaluate("place => { location.hash = place; }", place)
        settle(page)
        found[place] = violations(page)
    assert {place: each for place, each in found.items() if each} == {}


def test_axe_finds_nothing_in_what_opens(app: FakeApp, open_console: OpenConsole) -> None:
    """Dialogs, a decision, refusals, the sign-in and a page for a caller without roles."""
    page = open_console("#/exceptions")
    page.get_by_role("button", name="Change EX-7").click()
    assert violations(page) == []
    page = open_console("#/selections")
    page.get_by_role("button", name="Approve pay-and-approve").click()
    assert violations(page) == []
    app.answers["GET findings"] = Problem(503, "Storage is unavailable.")
    page = open_console("#/findings")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    app.answers["GET me"] = answers.me(roles=())
    assert violations(open_console()) == []
    app.answers["GET me"] = Problem(401)
    assert violations(open_console(at=LOCAL)) == []


def test_nothing_is_wider_than_a_narrow_screen(open_console: OpenConsole) -> None:
    """At 390 pixels no view scrolls sideways."""
    page = open_console(width=390, height=844)
    for place in PLACES:
        page.evaluate("place => { location.hash = place; }", place)
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place


class TestSubjects:
    def test_one_is_found_without_a_finding(self, app: FakeApp, open_console: OpenConsole) -> None:
        """A search names all that fit, also those who are in no conflict."""
        page = open_console()
        page.get_by_label("Name, user principal name or object id").fill("hopper")
        page.keyboard.press("Enter")
        row = page.get_by_role("row").filter(has_text=GRACE)
        expect(row).to_contain_text("none")
        assert [each.query for each in app.asked if each.route == "GET subjects"] == [
            {"search": "hopper", "limit": "50"}
        ]
        row.get_by_role("link").click()
        expect(page.locator("main")).to_contain_text("Side 1: Pay invoices")
        expect(page.get_by_role("table", name="Findings of the subject")).to_be_visible()

    def test_an_index_that_was_not_read_whole_says_so(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """An empty list never stands alone where subjects may be missing."""
        app.answers["GET subjects"] = answers.subjects(whole=False)
        page = open_console("#/subjects?search=unknown")
        expect(page.locator("main")).to_contain_text("subjects may be missing")
        expect(page.locator("main")).to_contain_text(GAP["what"])
        expect(page.locator("main")).to_contain_text("may be among what was not read")
        expect(page.locator("main")).not_to_contain_text("0 subjects fit")

    def test_one_that_is_not_known_says_so(self, app: FakeApp, open_console: OpenConsole) -> None:
        """A sentence, with the app's own words."""
        app.answers["GET subjects/{id}"] = Problem(404, "No subject has this id.")
        page = open_console(f"#/subjects/{guid('x')}")
        expect(page.get_by_role("alert")).to_contain_text(
            "It is not there any more. No subject has this id."
        )

    def test_more_are_read_by_the_next_link(self, app: FakeApp, open_console: OpenConsole) -> None:
        """The next page is asked of this app, whatever host the link names."""

        def paged(asked: Asked) -> object:
            if "cursor" in asked.query:
                return answers.subjects(answers.subject_line(GRACE))
            link = "https://elsewhere.example/api/subjects?search=a&limit=50&cursor=abc"
            first = answers.subjects(answers.subject_line(ADA))
            return {**first, "more": True, "nextLink": link, "total": 2}

        app.answers["GET subjects"] = paged
        page = open_console("#/subjects?search=a")
        page.get_by_role("button", name="Show more").click()
        expect(page.get_by_role("row")).to_have_count(3)
        assert app.asked[-1].query == {"search": "a", "limit": "50", "cursor": "abc"}


class TestDecisions:
    def choose(self, page: Page, group: str, text: str, name: str) -> None:
        picker = page.get_by_role("group", name=group)
        picker.get_by_role("searchbox").fill(text)
        picker.get_by_role("button", name=name).click()

    def test_a_denial_says_why(self, app: FakeApp, open_console: OpenConsole) -> None:
        """Subject and package are chosen by name; the reasons are sentences."""
        page = open_console("#/decide")
        self.choose(page, "Subject", "ada", ADA)
        self.choose(page, "Access packages", "appr", f"{APPROVE} (Finance)")
        page.get_by_role("button", name="Decide").click()
        said = page.locator(".decision")
        expect(said).to_contain_text("Denied")
        expect(said).to_contain_text("which rule pay-and-approve keeps apart from it")
        expect(said).to_contain_text("Ask the manager")
        expect(said.get_by_role("heading")).to_be_focused()
        [asked] = app.writes()
        assert asked.body == {"subject": guid(ADA), "accessPackageIds": [guid(APPROVE)]}
        assert asked.headers["x-requested-with"] == "entra-sod"

    def test_it_begins_from_a_subject(self, app: FakeApp, open_console: OpenConsole) -> None:
        """The link of a subject brings the subject along, under the name."""
        app.answers["POST decisions"] = answers.decision("allow")
        page = open_console(f"#/subjects/{guid(ADA)}")
        page.get_by_role("link", name="May they get a package?").click()
        expect(page.get_by_role("button", name=f"Remove {ADA}")).to_be_visible()
        self.choose(page, "Access packages", "read", "Read reports (Finance)")
        page.get_by_role("button", name="Decide").click()
        expect(page.locator(".decision")).to_contain_text("Allowed")

    def test_without_a_choice_nothing_is_asked(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """The page says what is missing."""
        page = open_console("#/decide")
        page.get_by_role("button", name="Decide").click()
        expect(page.get_by_role("alert")).to_contain_text("Choose a subject and at least one")
        assert app.writes() == []

    def test_a_caller_who_may_not_search_types_ids(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """With SoD.Decide alone, subjects are chosen by their object id."""
        app.answers["GET me"] = answers.me("POST decisions", "GET packages", roles=("SoD.Decide",))
        page = open_console("#/decide")
        picker = page.get_by_role("group", name="Subject")
        picker.get_by_label("Object id").fill(guid(ADA))
        page.keyboard.press("Enter")
        self.choose(page, "Access packages", "appr", f"{APPROVE} (Finance)")
        page.get_by_role("button", name="Decide").click()
        expect(page.locator(".decision")).to_be_visible()
        assert "GET subjects" not in app.routes()


class TestFindings:
    def test_the_filter_is_in_the_address(self, app: FakeApp, open_console: OpenConsole) -> None:
        """What is chosen can be linked, and the app is asked for exactly that."""
        page = open_console("#/findings")
        page.get_by_label("State").select_option("resolved")
        settle(page)
        page.get_by_label("Rule id").fill("pay-and-approve")
        page.keyboard.press("Enter")
        settle(page)
        assert page.url.endswith("#/findings?state=resolved&rule=pay-and-approve")
        asked = [each.query for each in app.asked if each.route == "GET findings"]
        assert asked[0]["state"] == "open,exception-expired,resolving"
        assert asked[-1] == {"state": "resolved", "rule": "pay-and-approve", "pageSize": "100"}

    def test_two_filters_set_at_once_are_both_kept(self, open_console: OpenConsole) -> None:
        """The second comes before the page has drawn the first, as when a browser fills a form."""
        page = open_console("#/findings")
        page.evaluate(
            """() => {
                const [state] = document.querySelectorAll('search select');
                const [rule] = document.querySelectorAll('search input');
                for (const [field, value] of [[state, 'resolved'], [rule, 'pay-and-approve']]) {
                    field.value = value;
                    field.dispatchEvent(new Event('change', { bubbles: true }));
                }
            }"""
        )
        assert page.url.endswith("#/findings?state=resolved&rule=pay-and-approve")

    def test_one_is_claimed(self, app: FakeApp, open_console: OpenConsole) -> None:
        """The words go to the app, and the page says what was done, with the focus on it."""
        page = open_console(f"#/findings/{FINDING}")
        page.get_by_label("By").fill("CHG-7")
        page.get_by_label("Why").fill("is taken from her")
        app.answers["GET findings/{id}"] = answers.finding_detail(state="resolving")
        page.get_by_role("button", name="Claim").click()
        expect(page.locator(".done")).to_have_text("You claimed the finding.")
        expect(page.locator(".done")).to_be_focused()
        expect(page.locator("main .tag").first).to_have_text("resolving")
        [asked] = app.writes()
        assert asked.body == {"by": "CHG-7", "why": "is taken from her"}
        assert asked.headers["x-requested-with"] == "entra-sod"

    @pytest.mark.parametrize("state", ["excepted", "resolved", "on-hold"])
    def test_one_that_cannot_be_claimed_offers_no_claim(
        self, app: FakeApp, open_console: OpenConsole, state: str
    ) -> None:
        """The app would refuse it."""
        app.answers["GET findings/{id}"] = answers.finding_detail(state=state)
        page = open_console(f"#/findings/{FINDING}")
        expect(page.get_by_role("table", name="History of the finding")).to_be_visible()
        expect(page.get_by_role("button", name="Claim")).to_have_count(0)

    def test_a_claim_that_came_too_late_says_so(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """It was resolved between the page and the click; what was typed stays."""
        app.answers["POST findings/{id}/claims"] = Problem(409, "It is resolved.")
        page = open_console(f"#/findings/{FINDING}")
        page.get_by_label("Why").fill("is taken away")
        page.get_by_role("button", name="Claim").click()
        expect(page.get_by_role("alert")).to_contain_text("It is resolved. Read the page again")
        expect(page.get_by_label("Why")).to_have_value("is taken away")


class TestRulesAndExceptions:
    def test_a_rule_that_was_not_checked_is_never_zero(self, open_console: OpenConsole) -> None:
        """`findings: null` is *not checked*."""
        page = open_console("#/rules")
        rows = page.get_by_role("row")
        expect(rows.nth(1)).to_contain_text("2")
        expect(rows.nth(2)).to_contain_text("not checked")

    def test_a_rule_is_linked(self, open_console: OpenConsole) -> None:
        """Its own place has its sides, and links to its findings."""
        page = open_console("#/rules/pay-and-approve")
        expect(page.get_by_role("heading", name="Side 2: 1 package")).to_be_visible()
        page.get_by_role("link", name="Findings of this rule").click()
        expect(page.get_by_role("searchbox", name="Rule id")).to_have_value("pay-and-approve")

    def test_a_rule_that_was_renamed_says_so(self, open_console: OpenConsole) -> None:
        """A link of yesterday names a rule that is not in force."""
        page = open_console("#/rules/gone")
        expect(page.locator("main")).to_contain_text("No rule with the id gone is in force.")

    def test_a_change_is_text_to_copy(self, open_console: OpenConsole) -> None:
        """What to put into a pull request, for a renewal and for a removal."""
        page = open_console("#/exceptions")
        page.get_by_role("button", name="Change EX-7").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("rules/pay.yaml")
        expect(dialog.get_by_role("region", name="the renewal")).to_contain_text(
            "until: 2027-03-06"
        )
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        dialog.get_by_role("button", name="Copy the renewal").click()
        expect(dialog).to_contain_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == answers.exceptions()["exceptions"][0]["change"]["renew"]


class TestWrites:
    def test_a_held_selection_is_approved_as_it_was_shown(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """The effect is told, an unknown number is *unknown*, and the shown hash is sent."""
        page = open_console("#/selections")
        expect(page.locator("article")).to_contain_text(f"Joined{VENDORS}")
        expect(page.locator("article")).to_contain_text("newly refused a package: unknown")
        page.get_by_role("button", name="Approve pay-and-approve").click()
        expect(page.get_by_role("dialog")).to_contain_text("writes 1 reference")
        assert app.writes() == []
        app.answers["GET selections"] = answers.selections(waits=False)
        page.get_by_role("dialog").get_by_role("button", name="Approve").click()
        expect(page.locator(".done")).to_contain_text("The next sweep writes what was held.")
        expect(page.locator("main")).to_contain_text("Nothing waits for approval.")
        [asked] = app.writes()
        assert asked.body == {"rules": [{"id": "pay-and-approve", "selection": "sha256:1"}]}

    def test_a_selection_that_changed_since_is_not_approved(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """The refusal stands in the dialog, with what to do."""
        app.answers["POST selections/approve"] = Problem(409, "It selects something else now.")
        page = open_console("#/selections")
        page.get_by_role("button", name="Approve pay-and-approve").click()
        page.get_by_role("dialog").get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text("It selects something else now.")
        expect(page.locator(".done")).to_have_count(0)

    def test_writing_is_frozen_and_freed(self, app: FakeApp, open_console: OpenConsole) -> None:
        """A freeze takes a reason; its end asks once more."""
        page = open_console("#/writing")
        page.get_by_label("Reason").fill("an audit")
        app.answers["GET freeze"] = answers.freeze(frozen=True)
        page.get_by_role("button", name="Freeze writing").click()
        expect(page.locator(".done")).to_have_text("Writing is frozen.")
        page.get_by_role("button", name="End the freeze").click()
        app.answers["GET freeze"] = answers.freeze()
        page.get_by_role("dialog").get_by_role("button", name="End the freeze").click()
        expect(page.locator(".done")).to_have_text("The freeze has ended.")
        assert [(each.route, each.body) for each in app.writes()] == [
            ("PUT freeze", {"reason": "an audit"}),
            ("DELETE freeze", None),
        ]
        assert {each.headers["x-requested-with"] for each in app.writes()} == {"entra-sod"}

    def test_a_sweep_is_started_and_followed(self, app: FakeApp, open_console: OpenConsole) -> None:
        """After the button the progress is shown, and no second one is offered."""
        page = open_console("#/sweeps")
        expect(page.locator("main")).to_contain_text("37 clear, 1 not checked")
        page.get_by_role("button", name="Start a sweep").click()
        app.answers["GET sweeps/{id}"] = answers.progress()
        page.get_by_role("dialog").get_by_role("button", name="Start a sweep").click()
        expect(page.locator("main")).to_contain_text("3 of 8 parts are done.")
        expect(page.get_by_role("button", name="Start a sweep")).to_have_count(0)
        app.answers["GET sweeps/{id}"] = answers.sweep(status="completed")
        expect(page.locator("main")).to_contain_text("37 clear", timeout=15_000)

    def test_a_write_is_not_sent_twice(self, app: FakeApp, open_console: OpenConsole) -> None:
        """A second Enter before the answer does nothing."""
        page = open_console("#/writing")
        page.get_by_label("Reason").fill("an audit")
        page.evaluate(
            "() => { const form = document.querySelector('main form');"
            "for (let i = 0; i < 3; i += 1) form.requestSubmit(); }"
        )
        expect(page.locator(".done")).to_be_visible()
        assert [each.route for each in app.writes()] == ["PUT freeze"]


class TestNoFalseClear:
    """Zeros of what was not checked are never shown as a result."""

    @pytest.mark.parametrize("place", ["#/", "#/sweeps"])
    def test_a_sweep_that_failed_has_no_counts(
        self, app: FakeApp, open_console: OpenConsole, place: str
    ) -> None:
        """Its answer counts no conflicts, because it looked at nothing."""
        nothing = {"total": 0, "conflict": 0, "clear": 0, "unknown": 0}
        skipped = {"what": "the whole sweep", "why": "Graph was away", "reason": "not-looked-at"}
        app.answers["GET sweeps/{id}"] = answers.sweep(
            status="failed",
            findings=0,
            pairs=nothing,
            coverage={"checked": [], "skipped": [skipped]},
        )
        page = open_console(place)
        expect(page.locator("main")).to_contain_text("checked nothing")
        expect(page.locator("main")).not_to_contain_text("0 conflicts")
        page.evaluate("location.hash = '#/sweeps'")
        expect(page.locator("main")).to_contain_text("Graph was away")

    def test_no_sweep_is_no_result(self, app: FakeApp, open_console: OpenConsole) -> None:
        """Before the first one there is nothing to say of conflicts."""
        app.answers["GET sweeps/{id}"] = Problem(404, "There is no such sweep.")
        app.answers["GET findings"] = {"findings": []}
        page = open_console()
        expect(page.locator("main")).to_contain_text("No sweep has run. Start one.")
        expect(page.locator("main")).to_contain_text("What a sweep could not check has no finding.")


class TestSession:
    def test_a_stranger_gets_the_sign_in_and_comes_back(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """The platform's sign-in, with the place that was asked for; no key on a deployed app."""
        app.answers["GET me"] = Problem(401, "The caller is not authenticated.")
        page = open_console(f"#/findings/{FINDING}")
        link = page.get_by_role("link", name="Sign in with Microsoft Entra ID")
        assert link.get_attribute("href") == (
            "/.auth/login/aad?post_login_redirect_uri="
            f"%2Fapi%2Fconsole%3Fopen%3D%252Ffindings%252F{FINDING}"
        )
        expect(page.get_by_label("Key")).to_have_count(0)

    def test_the_way_back_opens_what_was_asked_for(self, open_console: OpenConsole) -> None:
        """`?open=` becomes the fragment again, and is gone from the address."""
        page = open_console(f"?open=%2Ffindings%2F{FINDING}")
        expect(page.get_by_role("heading", name=f"Finding of {ADA}")).to_be_visible()
        assert page.url.endswith(f"/api/console#/findings/{FINDING}")

    @pytest.mark.parametrize("status", [401, 302])
    def test_a_session_that_ended_asks_to_sign_in_again(
        self, app: FakeApp, open_console: OpenConsole, status: int
    ) -> None:
        """By a 401 or by a redirect to the sign-in; the place stays."""
        page = open_console("#/findings")
        away = {"Location": "https://login.example/"} if status == 302 else {}
        app.answers["GET rules"] = Problem(status, headers=away)
        page.get_by_role("link", name="Rules").click()
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended. Sign in again")
        href = page.get_by_role("link", name="Sign in with").get_attribute("href") or ""
        assert href.endswith("%3Fopen%3D%252Frules")

    def test_a_key_is_taken_on_a_local_world(self, app: FakeApp, open_console: OpenConsole) -> None:
        """It goes with each request as a header, and a reload forgets it."""

        def known(asked: Asked) -> object:
            return app_me if asked.headers.get("x-functions-key") == "secret" else Problem(401)

        app_me = {**answers.me(*answers.READ_ROUTES), "kind": "key", "id": "local-host"}
        app.answers["GET me"] = known
        page = open_console(at=LOCAL)
        page.get_by_label("Key").fill("wrong")
        page.get_by_role("button", name="Use this key").click()
        expect(page.get_by_role("alert")).to_contain_text("The app does not accept this key.")
        page.get_by_label("Key").fill("secret")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Last sweep")).to_be_visible()
        settle(page)
        asked = [each for each in app.asked if each.route != "GET me"]
        assert {each.headers.get("x-functions-key") for each in asked} == {"secret"}
        stored = "[localStorage.length, sessionStorage.length, document.cookie]"
        assert page.evaluate(stored) == [0, 0, ""]
        page.reload()
        expect(page.get_by_label("Key")).to_be_visible()

    def test_a_caller_without_roles_is_told_what_to_do(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """With the object id that an administrator needs; nothing else is asked or offered."""
        app.answers["GET me"] = answers.me(roles=())
        page = open_console("#/findings")
        expect(page.get_by_role("heading", name="You have no role here")).to_be_visible()
        expect(page.locator("main")).to_contain_text(guid("me"))
        expect(page.get_by_role("navigation")).to_have_count(0)
        assert app.routes() == ["GET me"]

    @pytest.mark.parametrize(
        ("problem", "text"),
        [
            (Problem(403, "It takes SoD.Read."), "You may not do this. It takes SoD.Read."),
            (Problem(410, "The blob was removed."), "It is no longer kept. The blob was removed."),
            (Problem(429, "", {"Retry-After": "7"}), "too many requests. Try again in 7 seconds."),
            (Problem(503, "Graph is away.", {"Retry-After": "5"}), "Graph is away. Try again in 5"),
            (Problem(500), "The app answered with status 500."),
        ],
    )
    def test_a_refusal_is_a_sentence(
        self, app: FakeApp, open_console: OpenConsole, problem: Problem, text: str
    ) -> None:
        """What failed and what to do; *Try again* asks again."""
        app.answers["GET findings"] = problem
        page = open_console("#/findings")
        expect(page.get_by_role("alert")).to_contain_text(text)
        app.answers["GET findings"] = answers.everything()["GET findings"]
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("row").filter(has_text=ADA)).to_be_visible()

    def test_an_app_that_does_not_answer_is_told(
        self, app: FakeApp, open_console: OpenConsole
    ) -> None:
        """A network that fails is no empty list."""
        page = open_console("#/")
        page.context.set_offline(True)
        page.context.unroute("**/*")
        page.get_by_role("link", name="Rules").click()
        expect(page.get_by_role("alert")).to_contain_text("The app does not answer.")
        assert app.wrong == []


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "${alert(1)} &amp; {{x}}",
    "\u202egnp.eciovni\u202c",
    "مدير الفواتير",
    "支払いの承認",
    "A\u0301 \U0001f9d1\u200d\U0001f4bc \u200b",
    "x" * 256,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_in_every_view(app: FakeApp, open_console: OpenConsole, name: str) -> None:
    """Markup, code and every script stand as they are; nothing runs and nothing is requested."""

    def renamed(value: object) -> object:
        if isinstance(value, dict):
            return {key: renamed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [renamed(each) for each in value]
        return name if value in (ADA, GRACE, PAY, APPROVE, VENDORS, GAP["what"]) else value

    app.answers = {route: renamed(each) for route, each in app.answers.items()}
    page = open_console(width=390, height=844)
    seen = 0
    for place in PLACES:
        page.evaluate("place => { location.hash = place; }", place)
        settle(page)
        seen += name in (page.locator("main").text_content() or "")
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
    assert seen >= 6


class Keyboard:
    """Walks a page by Tab, and types where it has come to."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def go(self, name: str) -> None:
        """Tab to what has this name, once the page shows it."""
        named = self._page.get_by_label(name)
        for role in ("link", "button"):
            named = named.or_(self._page.get_by_role(role, name=name, exact=True))
        expect(named.first).to_be_visible()
        for _ in range(60):
            self._page.keyboard.press("Tab")
            text: str = self._page.evaluate(
                "() => { const at = document.activeElement;"
                "return at.labels?.[0]?.firstChild.textContent || at.ariaLabel || at.textContent; }"
            )
            if text.strip() == name:
                return
        raise AssertionError(f"{name} is not reached by Tab")

    def press(self, name: str, key: str = "Enter") -> None:
        self.go(name)
        self._page.keyboard.press(key)

    def type(self, name: str, text: str, *, then: str = "") -> None:
        self.go(name)
        self._page.keyboard.type(text)
        if then:
            self._page.keyboard.press(then)


class TestKeyboard:
    """Tab, Enter, Space and Escape reach each write, and each view's heading gets the focus."""

    def test_writing_is_frozen_and_freed(self, app: FakeApp, open_console: OpenConsole) -> None:
        """From the overview; Escape closes the question, and the focus is back on its button."""
        page = open_console()
        keyboard = Keyboard(page)
        keyboard.press("Writing")
        expect(page.get_by_role("heading", name="Writing")).to_be_focused()
        keyboard.type("Reason", "an audit")
        app.answers["GET freeze"] = answers.freeze(frozen=True)
        page.keyboard.press("Enter")
        expect(page.locator(".done")).to_have_text("Writing is frozen.")
        keyboard.press("End the freeze")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="End the freeze")).to_be_focused()
        page.keyboard.press("Enter")
        app.answers["GET freeze"] = answers.freeze()
        keyboard.press("End the freeze")
        expect(page.locator(".done")).to_have_text("The freeze has ended.")
        assert [each.route for each in app.writes()] == ["PUT freeze", "DELETE freeze"]

    @pytest.mark.parametrize(
        ("place", "button", "route"),
        [
            ("#/selections", "Approve pay-and-approve", "POST selections/approve"),
            ("#/sweeps", "Start a sweep", "POST sweeps"),
        ],
    )
    def test_what_asks_once_more(
        self, app: FakeApp, open_console: OpenConsole, place: str, button: str, route: str
    ) -> None:
        """The button, by Space, and the one in its dialog."""
        page = open_console(place)
        expect(page.get_by_role("button", name=button)).to_be_visible()
        Keyboard(page).press(button, "Space")
        Keyboard(page).press(button)
        expect(page.locator(".done")).to_be_focused()
        assert [each.route for each in app.writes()] == [route]

    def test_a_finding_is_claimed(self, app: FakeApp, open_console: OpenConsole) -> None:
        """From the list, by its link."""
        page = open_console("#/findings")
        expect(page.get_by_role("link", name=ADA)).to_be_visible()
        Keyboard(page).press(ADA)
        expect(page.get_by_role("heading", name=f"Finding of {ADA}")).to_be_focused()
        Keyboard(page).type("Why", "is taken away", then="Enter")
        expect(page.locator(".done")).to_have_text("You claimed the finding.")
        assert [each.route for each in app.writes()] == ["POST findings/{id}/claims"]

    def test_a_decision_is_asked(self, app: FakeApp, open_console: OpenConsole) -> None:
        """What is found is chosen by Tab and Enter."""
        page = open_console("#/decide")
        keyboard = Keyboard(page)
        for text, name in (("ada", ADA), ("approve", f"{APPROVE} (Finance)")):
            keyboard.type("Part of the name, or the id", text)
            expect(page.get_by_role("button", name=name)).to_be_visible()
            keyboard.press(name)
        keyboard.press("Decide")
        expect(page.locator(".decision")).to_contain_text("Denied")
        assert [each.route for each in app.writes()] == ["POST decisions"]
