"""Roles by views, buttons and calls: what a caller may not do is not offered, and never asked."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from playwright.sync_api import Page, expect

from entra_sod.api.callers import caller_view
from entra_sod.domain.callers.caller import AppRole, Caller, CallerKind
from entra_sod.domain.callers.routes import ROUTES
from tests.api.console import answers
from tests.api.console.answers import guid
from tests.api.console.conftest import FakeApp, OpenConsole, Problem, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CLAIM, APPROVE = "Claim", "Approve pay-and-approve"
FREEZE, UNFREEZE, SWEEP, DECIDE = "Freeze writing", "End the freeze", "Start a sweep", "Decide"
# Where each button is, and the call that it makes.
BUTTONS: Mapping[str, tuple[str, str]] = {
    CLAIM: (f"#/findings/{answers.finding()['id']}", "POST findings/{id}/claims"),
    APPROVE: ("#/selections", "POST selections/approve"),
    FREEZE: ("#/writing", "PUT freeze"),
    UNFREEZE: ("#/writing", "DELETE freeze"),
    SWEEP: ("#/sweeps", "POST sweeps"),
    DECIDE: ("#/decide", "POST decisions"),
}
SEES = ["Overview", "Subjects", "Findings", "Rules", "Exceptions", "Held changes", "Writing"]
READ = [*SEES, "Sweeps", "Doctor"]
ALL = [*READ[:2], "May they get it?", *READ[2:]]
# Said here once more, so that a slip in the table of routes is not its own proof.
EXPECTED: Mapping[tuple[str, ...], tuple[list[str], list[str]]] = {
    ("SoD.Check",): (["Overview"], []),
    ("SoD.Decide",): (["Overview", "May they get it?"], [DECIDE]),
    ("SoD.Enforce",): (["Overview", "Writing", "Sweeps"], [SWEEP]),
    ("SoD.Read",): (READ, []),
    ("SoD.Read", "SoD.Enforce"): (READ, [CLAIM, SWEEP]),
    ("SoD.Read", "SoD.Decide"): (ALL, [DECIDE]),
    ("SoD.Admin",): (ALL, list(BUTTONS)),
}


def caller(roles: tuple[str, ...]) -> Caller:
    return Caller(
        kind=CallerKind.PRINCIPAL, id=guid("me"), roles=frozenset(AppRole(each) for each in roles)
    )


def seen_by(app: FakeApp, roles: tuple[str, ...]) -> None:
    """Have the app answer as it does to these roles, and refuse all other calls."""
    view = msgspec.to_builtins(caller_view(caller(roles), {}))
    for route in ROUTES.values():
        name = f"{route.method} {route.path}"
        is_guarded = name in app.answers and isinstance(route.access, frozenset)
        if is_guarded and name not in view["may"]:
            app.answers[name] = Problem(403, "not for this role")
    app.answers["GET me"] = view


def offered(page: Page, button: str, *, frozen: bool) -> bool:
    place, _ = BUTTONS[button]
    page.evaluate("place => { location.hash = '#/'; location.hash = place; }", place)
    settle(page)
    if button in (FREEZE, UNFREEZE) and frozen is not (button == UNFREEZE):
        return False
    return page.get_by_role("button", name=button, exact=True).count() > 0


@pytest.mark.parametrize("roles", EXPECTED, ids=" ".join)
def test_each_role_is_offered_what_it_may_do(
    app: FakeApp, open_console: OpenConsole, roles: tuple[str, ...]
) -> None:
    """The views and the buttons of each set of roles; no call of the page is refused."""
    views, buttons = EXPECTED[roles]
    seen_by(app, roles)
    page = open_console()
    links = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert links == views
    found = [each for each in BUTTONS if offered(page, each, frozen=False)]
    if not isinstance(app.answers["GET freeze"], Problem):
        app.answers["GET freeze"] = answers.freeze(frozen=True)
    page.reload()
    page.wait_for_selector("main h2")
    if offered(page, UNFREEZE, frozen=True):
        found.append(UNFREEZE)
    assert sorted(found) == sorted(buttons)
    refused = [each for each in app.asked if isinstance(app.answers[each.route], Problem)]
    assert refused == []


@pytest.mark.parametrize("button", BUTTONS)
def test_each_button_makes_its_own_call(
    app: FakeApp, open_console: OpenConsole, button: str
) -> None:
    """One write, to the route that the table of roles names, with the header against CSRF."""
    place, route = BUTTONS[button]
    app.answers["GET freeze"] = answers.freeze(frozen=button == UNFREEZE)
    seen_by(app, ("SoD.Admin",))
    page = open_console(place)
    if button == DECIDE:
        for group, text in (("Subject", "ada"), ("Access packages", "pay")):
            picker = page.get_by_role("group", name=group)
            picker.get_by_role("searchbox").fill(text)
            picker.get_by_role("list").get_by_role("button").first.click()
    expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
    for field in page.locator("main input[required]").all():
        field.fill("a reason")
    page.get_by_role("button", name=button, exact=True).click()
    if button in (APPROVE, UNFREEZE, SWEEP):
        page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".done, .decision").first).to_be_visible()
    [asked] = app.writes()
    assert (asked.route, asked.headers["x-requested-with"]) == (route, "entra-sod")


@pytest.mark.parametrize("place", ["#/selections", "#/findings/x", "#/doctor", "#/decide"])
def test_a_view_that_the_roles_do_not_include_is_told_and_not_asked(
    app: FakeApp, open_console: OpenConsole, place: str
) -> None:
    """A link that was sent to a caller with fewer roles."""
    seen_by(app, ("SoD.Check",))
    page = open_console(place)
    expect(page.get_by_role("heading", name="You may not see this")).to_be_visible()
    assert app.routes() == ["GET me"]


def test_every_call_of_the_page_is_a_route_of_the_app() -> None:
    """A route that was renamed would be asked for in vain."""
    known = {f"{each.method} {each.path}" for each in ROUTES.values()}
    assert set(answers.everything()) <= known
    assert {route for _, route in BUTTONS.values()} <= known
