"""The tenant of the faults A5 and A6: packages that give more than rules name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.domain.rules.language import Override, Rule, RulesFile
from entra_sod.services.report.render import render
from local.graph import odd_packages as packages
from local.graph.odd import NO_EXPIRATION, START, assignment_id, object_id, subject_id
from tests.adapters.graph.fixtures import Simulator
from tests.odd.setup import Commands, OddApp, between

pytestmark = pytest.mark.slow

PAYERS, APPROVERS, LEGACY = packages.GRANTS_PAYERS, packages.GRANTS_APPROVERS, packages.GRANTS_TEAM
OVERRIDE = packages.OVERRIDE
RULE = between(PAYERS, APPROVERS)
TEN_DAYS = {"type": "afterDateTime", "endDateTime": "2026-01-15T07:00:00Z", "duration": None}
# Who holds what, and for how long.
HOLDERS = {
    "ordinary": [(PAYERS, NO_EXPIRATION), (APPROVERS, NO_EXPIRATION)],
    "twice": [(LEGACY, NO_EXPIRATION)],
    "state delivered": [(OVERRIDE, TEN_DAYS)],
}


@pytest.fixture(autouse=True)
def _app_is_put_back(make_app: object) -> None:
    """What a test installs is taken out again."""


@pytest.fixture(autouse=True)
def _nothing_waits(waits: list[float]) -> None:
    """Retries are counted, not waited for."""


@pytest.fixture
def tenant(simulator: Simulator) -> None:
    """A legacy package grants both groups, and so does the one for a day; each has a holder."""
    tenant = simulator.control.tenant()
    by_id = {each["id"]: each for each in tenant["accessPackages"]}
    by_id[LEGACY]["resourceRoleScopes"] = by_id[OVERRIDE]["resourceRoleScopes"]
    by_id[LEGACY]["displayName"] = "Pay and approve since 2009"
    made = next(each for each in tenant["assignments"] if each["state"] == "delivered")
    for person, held in HOLDERS.items():
        for package, expiration in held:
            policy = by_id[package]["assignmentPolicies"][0]["id"]
            tenant["assignments"].append(
                {
                    **made,
                    "id": assignment_id(package, person, 9),
                    "accessPackageId": package,
                    "targetId": subject_id(person),
                    "assignmentPolicyId": policy,
                    "schedule": {"startDateTime": START, "expiration": expiration},
                }
            )
    simulator.control.replace_tenant(tenant)


def app_with(client: GraphClient, *overrides: Override) -> OddApp:
    app = OddApp(client, RULE)
    app.rules.write([RULE], overrides=overrides)
    return app


def override(days: int, package: str = OVERRIDE) -> Override:
    return Override(rule="r", package=UUID(package), max_days=days)


async def shown(app: OddApp) -> dict[str, Any]:
    """The data of the report's page."""
    view = await app.engine.reports.make(await app.engine.rules.current())
    [data] = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', render(view))
    found: dict[str, Any] = json.loads(data)
    return found


@pytest.mark.usefixtures("tenant")
async def test_three_subjects_are_found_and_the_report_shows_them(client: GraphClient) -> None:
    """The holder of both, of the legacy package, and of the one for a day, which is permitted."""
    app = app_with(client, override(14))
    answer = await app.swept()
    assert (answer["findings"], answer["excepted"]) == (3, 1)
    found = {each.finding.object_id: each.finding async for each in app.records.findings.all()}
    states = {person: found[object_id(person)].state.value for person in HOLDERS}
    assert states == {"ordinary": "open", "twice": "open", "state delivered": "excepted"}
    data = await shown(app)
    assert {each["accessPackageId"] for each in data["toxicPackages"]} == {LEGACY, OVERRIDE}
    assert len(data["findings"]) == 3
    assert {data["words"][each[10]] for each in data["findings"]} == {"pair", "package"}


@pytest.mark.usefixtures("tenant")
async def test_an_override_that_is_too_short_says_what_is_missing(client: GraphClient) -> None:
    """The assignment lasts ten days."""
    app = app_with(client, override(7))
    await app.swept()
    [finding] = [
        each.finding
        async for each in app.records.findings.all()
        if each.finding.packages == (OVERRIDE,)
    ]
    assert finding.state == "open"
    assert "ends 10 days after it starts, the override allows 7 days" in finding.why


@pytest.mark.usefixtures("tenant")
async def test_decisions_about_both_are_not_allow(client: GraphClient) -> None:
    """The legacy package is denied, the override package goes to a reviewer."""
    app = app_with(client, override(14))
    legacy = await app.decided(object_id("ordinary"), LEGACY)
    permitted = await app.decided(object_id("ordinary"), OVERRIDE)
    assert (legacy["decision"], permitted["decision"]) == ("deny", "review")
    for answer, package in ((legacy, LEGACY), (permitted, OVERRIDE)):
        assert all(each in answer["reasons"][1] for each in (package, PAYERS, APPROVERS))


@pytest.mark.usefixtures("tenant")
async def test_without_the_override_its_package_is_denied(client: GraphClient) -> None:
    """It is toxic as any other."""
    answer = await app_with(client).decided(object_id("ordinary"), OVERRIDE)
    assert answer["decision"] == "deny"


def write(folder: Path, rule: Rule, *overrides: Override) -> None:
    content = RulesFile(version=1, rules=[rule], overrides=list(overrides))
    (folder / "rules.yaml").write_bytes(msgspec.json.encode(content))


@pytest.mark.usefixtures("tenant")
def test_validate_and_plan_name_both(commands: Commands, tmp_path: Path) -> None:
    """A warning at the rule for what no override permits; a line of the plan for each."""
    write(tmp_path, RULE, override(14))
    validated = commands.run("validate")
    assert validated.exit_code == 0
    [warning] = [each for each in validated.stdout.splitlines() if "is met by one package" in each]
    assert LEGACY in warning
    assert "Pay and approve since 2009" in warning
    for form in ("table", "json", "markdown"):
        planned = commands.run("plan", "--format", form).stdout.replace("\\-", "-")
        assert "toxic" in planned
        assert LEGACY in planned
        assert OVERRIDE in planned


@pytest.mark.parametrize(
    ("package", "expected", "exit_code"),
    [
        (packages.GRANTS_NOTHING, "warning: overrides.0.package does not meet the rule by", 0),
        (packages.OUT_OF_REACH, "overrides.0.package is no access package that this identity", 1),
    ],
)
@pytest.mark.usefixtures("tenant")
def test_validate_names_an_override_that_permits_nothing(
    commands: Commands, tmp_path: Path, package: str, expected: str, exit_code: int
) -> None:
    """A package that is not toxic is doubtful, and an unreadable one a mistake."""
    write(tmp_path, RULE, override(14, package))
    done = commands.run("validate")
    assert expected in done.stdout
    assert done.exit_code == exit_code
