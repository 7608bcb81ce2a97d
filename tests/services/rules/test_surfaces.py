"""A rule that keeps nothing apart, and a package that left its rule, are said on every surface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from entra_sod.cli import plan as plans
from entra_sod.cli.operations.rules.lint import lint
from entra_sod.domain.entra import Assignment, Subject
from entra_sod.domain.rules.language import AtMost, PackageSelector, Rule, RulesFile, Side
from entra_sod.domain.rules.parse import read_rules
from entra_sod.domain.rules.resolve import Tenant as SelectableTenant
from entra_sod.services.doctor.evaluate import _rules as diagnose_rules
from entra_sod.services.rules.provider import LIST_LIFETIME
from entra_sod.stores.rule_files import read_sources
from functions.http.decisions import decide
from tests.app import App, body_of
from tests.builders import TODAY, assignment, at_most, guid, package, rule, side
from tests.cli.tenant import QUIET, Tenant
from tests.functions.test_ready import ask as ask_ready
from tests.services.decisions.test_decisions import post
from tests.services.sweeps.test_sweeps import MakeApp, sweep


def held_by(package_name: str, object_id: str) -> Assignment:
    found = assignment(package_name, object_id)
    return msgspec.structs.replace(
        found, subject=Subject(id=f"subject-{object_id}", object_id=object_id)
    )


PACKAGES = [package("a", "1"), package("b", "2"), package("c", "3")]
X, Y = guid("d"), guid("e")
HELD = {"a": [held_by("a", X)], "c": [held_by("c", Y)]}
KEPT_APART = rule("r", side("a"), side("b"))
MISSPELT = rule("m", side("a"), Side(packages=[PackageSelector(name="Aprove*")]))
ONLY_A = PackageSelector(name="Package a")
SAME = rule("m", side("a"), Side(packages=[ONLY_A]))
SET = msgspec.structs.replace(at_most("m", 1, ""), at_most=AtMost(count=1, of=[ONLY_A]))
PATTERN = rule("m", side("a"), Side(packages=[PackageSelector(name="Package b")]))


@pytest.fixture(params=[MISSPELT, SAME, SET], ids=["misspelt", "same", "set"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> App:
    return make_app(PACKAGES, HELD, [KEPT_APART, request.param])


def told(coverage: dict[str, Any], reason: str = "selects-nothing") -> bool:
    return any(
        each["reason"] == reason and ("rule m" in each["what"] or "rule m" in each["why"])
        for each in coverage["skipped"]
    )


async def decided(wanted: str, subject: str) -> dict[str, Any]:
    body = {"subject": subject, "accessPackageIds": [guid(wanted)]}
    return body_of(await post(body, decide))


async def test_a_check_tells_of_a_rule_without_a_pair(app: App) -> None:
    """Whatever pair it is of: what the rule was to keep apart is not known."""
    assert told((await app.check("a", "b"))["coverage"])


async def test_a_sweep_tells_of_a_rule_without_a_pair(app: App) -> None:
    """It is no sweep without gaps, and nothing is pruned by it."""
    answer = await sweep(app)
    assert answer["status"] == "completed-with-gaps"
    assert told(answer["coverage"])


async def test_a_decision_tells_of_a_rule_without_a_pair(app: App) -> None:
    """It is never `allow`: the rule may mean the very package that is asked for."""
    app.graph.whole_tenant = True
    answer = await decided("c", X)
    assert answer["decision"] == "review"
    assert told(answer["coverage"])
    assert any("rule m" in each for each in answer["reasons"])


async def test_the_report_tells_of_a_rule_without_a_pair(app: App) -> None:
    """Among what could not be looked at, before any sweep and after one."""
    for _ in range(2):
        view = await app.engine.reports.make(await app.engine.rules.current())
        assert any("rule m" in each.what for each in view.gaps)
        await sweep(app)


async def test_readiness_and_doctor_tell_of_a_rule_without_a_pair(app: App) -> None:
    """The doctor calls it wrong, and says what to do."""
    assert "rule m" in body_of(await ask_ready())["checks"]["rules"]
    lines = list(diagnose_rules(await app.engine.rules.current()))
    assert [("rule m" in each.what, each.result) for each in lines] == [(True, "wrong")]


@pytest.mark.parametrize("written", [MISSPELT, SAME, SET], ids=["misspelt", "same", "set"])
async def test_commands_tell_of_a_rule_without_a_pair(tmp_path: Path, written: Rule) -> None:
    """Plan and drift do not know all; `validate` calls it a mistake."""
    tenant = Tenant(tmp_path)
    content = msgspec.json.encode(RulesFile(version=1, rules=[KEPT_APART, written]))
    (tenant.folder / "rules.yaml").write_bytes(content)
    plan, _ = await plans.make(tenant.session, tenant.folder, QUIET)
    found = await plans.drift(tenant.session, tenant.folder)
    for gaps in (plan.not_read, found.not_read):
        assert [each.reason for each in gaps] == ["selects-nothing"]
    parsed = read_rules(read_sources([tenant.folder]).files)
    problems = lint(parsed, TODAY, SelectableTenant(PACKAGES))
    assert any(not each.is_warning for each in problems)


async def test_a_package_that_left_its_rule_is_told_and_still_decided_on(make_app: MakeApp) -> None:
    """A renamed package is no way around a rule, and no reason to review all other requests."""
    app = make_app(PACKAGES, HELD, [PATTERN])
    app.graph.whole_tenant = True
    await sweep(app)
    app.graph.put(replace(PACKAGES[1], display_name="Other"))
    app.clock.advance(LIST_LIFETIME.total_seconds() + 86_400)
    denied, allowed = await decided("b", X), await decided("b", Y)
    assert [denied["decision"], allowed["decision"]] == ["deny", "allow"]
    assert told(allowed["coverage"], "left-the-rule")
    ready = await ask_ready()
    assert (ready.status_code, "selection approve --rule m" in str(body_of(ready))) == (200, True)
    rules = await app.engine.rules.current()
    assert [each.result for each in diagnose_rules(rules)] == ["ok", "note"]
    view = await app.engine.reports.make(rules)
    assert any(guid("b") in each.what for each in view.gaps)
