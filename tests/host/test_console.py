"""The console in a real browser before a running app: a host, a simulated tenant, real storage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from local.graph.demo import APPROVE_INVOICES, MAINTAIN_VENDORS, PAY_INVOICES
from local.graph.demo_people import DOMAIN
from local.world import HostProcess
from tests.credentials import OBJECT_ID, principal
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(400)]

RULES = f"""
version: 1
rules:
  - id: pay-and-approve
    title: Nobody both pays and approves invoices
    severity: critical
    owner: finance@contoso.com
    advice: Keep the approving duty.
    mode: enforce
    between:
      - packages: [{{id: {PAY_INVOICES}}}]
      - packages: [{{name: "Approve inv*"}}]
  # More pairs than packages, so that sweeps read by an index, which knows each holder.
  - id: prepare-and-close
    title: Preparing and closing are apart
    severity: low
    owner: finance@contoso.com
    mode: record
    between:
      - packages: [{{name: Order goods}}, {{name: Post journals}}, {{name: Approve expenses}}]
      - packages: [{{name: Receive goods}}, {{name: Close the books}}, {{name: Approve purchase*}}]
"""
# Long enough for a machine on which other tests run.
PATIENCE = 40_000
SWEPT = 120_000


class Console:
    """The console of a host, opened as a principal whom the platform has signed in."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self._contexts = browser, list[BrowserContext]()
        self.writes: list[str] = []
        self.elsewhere: list[str] = []

    def open(self, host: HostProcess, *roles: str, place: str = "#/") -> Page:
        """Open a place; the headers are those that Easy Auth adds to each request of a session."""
        context = self._browser.new_context(extra_http_headers=principal(*roles))
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self._note(host, request))
        page.goto(f"{host.url}/api/console{place}")
        page.wait_for_selector("main h2")
        return page

    def _note(self, host: HostProcess, request: Request) -> None:
        if not request.url.startswith(f"{host.url}/"):
            self.elsewhere.append(request.url)
        if request.method != "GET":
            path = request.url.removeprefix(f"{host.url}/api/")
            self.writes.append(f"{request.method} {path}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        assert self.elsewhere == []


@pytest.fixture
def console(browser: Browser) -> Iterator[Console]:
    opened = Console(browser)
    yield opened
    opened.close()


@pytest.fixture
def start(world: Stage, tmp_path: Path) -> Callable[..., HostProcess]:
    """A host with the rules of this file, which believes the platform's headers."""
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    settings = {"RULES": str(tmp_path), "WEBSITE_AUTH_ENABLED": "True", "LOCAL_HOST_LOG": "json"}

    def start_it(**more: str) -> HostProcess:
        return world.start_host(auth=True, **{**settings, **more})

    return start_it


def sweep(host: HostProcess) -> None:
    """Run a night's sweep and wait for its end."""
    before = latest(host)
    host.run_by_hand("start_sweep")
    location = f"{host.url}/api/sweeps/latest"
    deadline = time.monotonic() + SWEPT / 1000
    with httpx.Client(headers={"x-functions-key": host.function_key}, timeout=30) as client:
        while time.monotonic() < deadline:
            answer = client.get(location)
            if answer.status_code == httpx.codes.OK and answer.json()["id"] != before:
                return
            time.sleep(0.2)
    raise TimeoutError("the sweep did not end")


def latest(host: HostProcess) -> str | None:
    headers = {"x-functions-key": host.function_key}
    answer = httpx.get(f"{host.url}/api/sweeps/latest", headers=headers, timeout=30)
    return answer.json().get("id") if answer.is_success else None


def admitted(host: HostProcess) -> list[str]:
    """The routes of the audit lines of this principal, in order."""
    lines = [line for line in host.output().splitlines() if '"caller_admitted"' in line]
    return [line.split('"route": "')[1].split('"')[0] for line in lines if OBJECT_ID in line]


def change(world: Stage, package_id: str, **changes: object) -> None:
    tenant = world.graph.tenant()
    (found,) = [each for each in tenant["accessPackages"] if each["id"] == package_id]
    found.update(changes)
    world.graph.replace_tenant(tenant)


def choose(page: Page, group: str, text: str, name: str) -> None:
    picker = page.get_by_role("group", name=group)
    picker.get_by_role("searchbox").fill(text)
    picker.get_by_role("button", name=name).first.click()


def test_from_a_sweep_to_a_claim(start: Callable[..., HostProcess], console: Console) -> None:
    """Start a sweep, be denied and read why, claim a finding.

    The subject without a conflict is found by the address.
    """
    host = start()
    page = console.open(host, "SoD.Admin", place="#/sweeps")
    expect(page.locator("main")).to_contain_text("No sweep has run yet.")
    page.get_by_role("button", name="Start a sweep").click()
    page.get_by_role("dialog").get_by_role("button", name="Start a sweep").click()
    expect(page.locator("main")).to_contain_text("permitted by an exception", timeout=SWEPT)

    page.goto(f"{host.url}/api/console#/subjects?search=+")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    clear = page.get_by_role("row").filter(has_text="Ada ").filter(has_text="none").first
    name = clear.get_by_role("link").inner_text()
    address = f"{name.lower().replace(' ', '.')}@{DOMAIN}"
    page.get_by_label("Name, user principal name or object id").fill(address)
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name=name).click()
    expect(page.locator("main")).to_contain_text("There is no finding.")

    page.get_by_role("link", name="May they get a package?").click()
    expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    for package in ("Pay invoices", "Approve invoices"):
        choose(page, "Access packages", package.lower(), f"{package} (")
    page.get_by_role("button", name="Decide").click()
    said = page.locator(".decision")
    expect(said).to_contain_text("Denied")
    expect(said).to_contain_text("Keep the approving duty.")
    expect(said).to_contain_text("Nobody both pays and approves invoices")

    page.goto(f"{host.url}/api/console#/findings")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    page.get_by_label("By").fill("CHG-7")
    page.get_by_label("Why").fill("is taken away")
    page.get_by_role("button", name="Claim").click()
    expect(page.locator(".done")).to_have_text("You claimed the finding.")
    expect(page.get_by_role("table", name="History of the finding")).to_contain_text("CHG-7")
    [first, second, third] = console.writes
    assert (first, second) == ("POST sweeps", "POST decisions")
    assert third.startswith("POST findings/")
    assert admitted(host) == ["POST sweeps", "POST decisions", "POST findings/{id}/claims"]


def test_a_held_reference_is_approved_and_written(
    world: Stage, start: Callable[..., HostProcess], console: Console
) -> None:
    """What joined a pattern waits; the console approves it, and the next sweep writes it."""
    first = start(ENFORCEMENT="apply")
    sweep(first)
    first.kill()
    change(world, MAINTAIN_VENDORS, displayName="Approve invoices of vendors")
    host = start(ENFORCEMENT="apply")
    sweep(host)
    page = console.open(host, "SoD.Admin", place="#/selections")
    expect(page.locator("article")).to_contain_text("Approve invoices of vendors")
    assert not has_reference(world)
    page.get_by_role("button", name="Approve pay-and-approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.locator(".done")).to_contain_text("The next sweep writes what was held.")
    expect(page.locator("main")).to_contain_text("Nothing waits for approval.")
    assert admitted(host) == ["POST selections/approve"]

    page.goto(f"{host.url}/api/console#/sweeps")
    page.get_by_role("button", name="Start a sweep").click()
    before = latest(host)
    page.get_by_role("dialog").get_by_role("button", name="Start a sweep").click()
    page.wait_for_function(
        "before => { const at = document.querySelector('main dd code');"
        "return at && at.textContent !== before && !document.querySelector('main progress'); }",
        arg=before,
        timeout=SWEPT,
    )
    assert has_reference(world)
    assert console.writes == ["POST selections/approve", "POST sweeps"]


def has_reference(world: Stage) -> bool:
    """Whether Entra keeps the package that joined apart from paying."""
    packages = world.graph.tenant()["accessPackages"]
    return any(
        {each["id"], reference["id"]} == {MAINTAIN_VENDORS, PAY_INVOICES}
        for each in packages
        for reference in each["incompatibleAccessPackages"]
    )


def test_writing_is_frozen_and_freed(start: Callable[..., HostProcess], console: Console) -> None:
    """Another page says that it is frozen, why and by whom; its end leaves an audit line, too."""
    host = start()
    page = console.open(host, "SoD.Admin", place="#/writing")
    page.get_by_label("Reason").fill("an audit <b>today</b>")
    page.get_by_role("button", name="Freeze writing").click()
    expect(page.locator(".done")).to_have_text("Writing is frozen.")
    reader = console.open(host, "SoD.Read")
    expect(reader.locator("main")).to_contain_text("an audit <b>today</b>")
    expect(reader.locator("main")).to_contain_text(OBJECT_ID)
    page.get_by_role("button", name="End the freeze").click()
    page.get_by_role("dialog").get_by_role("button", name="End the freeze").click()
    expect(page.locator("main")).to_contain_text("Writing is not frozen.")
    assert console.writes == ["PUT freeze", "DELETE freeze"]
    assert admitted(host) == console.writes


def test_a_key_of_the_host_opens_it(browser: Browser, start: Callable[..., HostProcess]) -> None:
    """On a local world, where there is no sign-in."""
    host = start(WEBSITE_AUTH_ENABLED="False")
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{host.url}/api/console#/rules")
    page.get_by_label("Key").fill(host.function_key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.close()


def test_what_vanished_says_so(
    world: Stage, start: Callable[..., HostProcess], console: Console
) -> None:
    """Places of things that are not there: a finding, a rule, a subject, a sweep."""
    host = start()
    sweep(host)
    page = console.open(host, "SoD.Read")
    for place, text in (
        ("#/findings/" + "0" * 32, "It is not there any more. There is no finding"),
        ("#/rules/gone", "No rule with the id gone is in force."),
        (f"#/subjects/{OBJECT_ID}", "The newest sweep has seen no subject of this id"),
        ("#/sweeps/never", "There is no such sweep."),
    ):
        page.evaluate("place => { location.hash = place; }", place)
        expect(page.locator("main")).to_contain_text(text)
    tenant = world.graph.tenant()
    tenant["accessPackages"] = [
        each for each in tenant["accessPackages"] if each["id"] != APPROVE_INVOICES
    ]
    world.graph.replace_tenant(tenant)
    page.evaluate("location.hash = '#/findings'")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(page.get_by_role("table", name="History of the finding")).to_be_visible()


def test_another_site_cannot_write(start: Callable[..., HostProcess], console: Console) -> None:
    """A form of another site, which the browser sends with the session, freezes nothing."""
    host = start()
    page = console.open(host, "SoD.Admin")
    body = (
        f"<form method='post' action='{host.url}/api/sweeps' enctype='text/plain'>"
        "<input name='x' value='y'></form><script>document.forms[0].submit()</script>"
    )
    page.route(
        "http://elsewhere.example/",
        lambda route: route.fulfill(body=body, content_type="text/html"),
    )
    with page.expect_navigation(url=f"{host.url}/api/sweeps") as sent:
        page.goto("http://elsewhere.example/", wait_until="commit")
    assert sent.value is not None
    assert sent.value.status == 403
    assert admitted(host) == []
    console.elsewhere.clear()
