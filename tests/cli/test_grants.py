"""`entra-sod grants`: who grants what, alike on a terminal and in a pipe."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from entra_sod.cli.__main__ import app
from local.graph import demo_packages as demo
from local.graph.demo import APP_CLIENT_ID, demo_tenant
from tests.adapters.graph.fixtures import Simulator

RULES = f"""\
version: 1
classes:
  clearing: {{grants: [{{app: Payments, role: Clear payments}}]}}
rules:
  - id: run-and-clear
    title: One
    severity: high
    owner: o@example.com
    mode: record
    between:
      - grants: [{{app: payments, role: run payments}}]
      - classes: [clearing]
  - id: nothing
    title: Two
    severity: high
    owner: o@example.com
    mode: record
    between:
      - packages: [{{id: {demo.PAY_INVOICES}}}]
      - packages: [{{id: {demo.APPROVE_INVOICES}}}]
"""


class Demo:
    """The command on the demo tenant."""

    def __init__(self, simulator: Simulator, certificates: Path, folder: Path) -> None:
        self.simulator, self.folder = simulator, folder
        (folder / "rules.yaml").write_text(RULES)
        simulator.control.replace_tenant(json.loads(msgspec.json.encode(demo_tenant())))
        self.env = {
            **simulator.settings,
            "AZURE_CLIENT_ID": APP_CLIENT_ID,
            "SSL_CERT_FILE": str(certificates),
        }

    def run(self, *arguments: str) -> Result:
        rules = ["--rules", str(self.folder)]
        return CliRunner().invoke(app, ["grants", *rules, *arguments], env=self.env)

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("--format", "json", *arguments).stdout)[
            "grants"
        ]
        return found


@pytest.fixture
def tenant(simulator: Simulator, few_certificates: Path, tmp_path: Path) -> Demo:
    return Demo(simulator, few_certificates, tmp_path)


def test_it_says_who_grants_a_role_and_which_rules_select_by_it(tenant: Demo) -> None:
    """A line for each grant, with the names and the whole ids of all that it is about."""
    result = tenant.run("--package", "run PAYMENTS")
    role = demo.packages()[-4].resource_role_scopes[0].role
    head, line = (each.split("\t") for each in result.stdout.splitlines())
    assert (result.exit_code, dict(zip(head, line, strict=True))) == (
        0,
        {
            "grant": "role Run payments of app Payments",
            "accessPackageId": demo.RUN_PAYMENTS,
            "accessPackage": "Run payments",
            "originSystem": "AadApplication",
            "resourceId": demo.PAYMENTS_APP,
            "resource": "Payments",
            "roleId": role.origin_id,
            "role": "Run payments",
            "kind": "active",
            "rules": "run-and-clear",
        },
    )
    assert result.stderr.endswith("1 grant of 1 access package\n")
    short = tenant.run("--package", demo.RUN_PAYMENTS[:8])
    assert short.stdout == result.stdout


def test_filters_choose_grants(tenant: Demo) -> None:
    """By group id, by app name or id, and by package id; a package alone is read alone."""
    by_group = tenant.json("--group", demo.GROUP_INVOICE_APPROVERS)
    assert {each["accessPackageId"] for each in by_group} == {
        demo.APPROVE_INVOICES,
        demo.INVOICE_DESK,
        demo.INVOICE_STAND_IN,
    }
    assert {each["role"] for each in tenant.json("--app", "payments")} == {
        "Run payments",
        "Clear payments",
    }
    assert tenant.json("--app", demo.PAYMENTS_APP) == tenant.json("--app", "Payments")
    tenant.simulator.control.clear_requests()
    (site, group) = sorted(
        tenant.json("--package", demo.MAINTAIN_VENDORS), key=lambda each: -len(each["originSystem"])
    )
    assert (site["originSystem"], site["resource"], group["kind"]) == (
        "SharePointOnline",
        "Vendors",
        "member",
    )
    batched = [each for each in tenant.simulator.control.requests() if each["batch"] is not None]
    assert len(batched) == 1


def test_csv_has_a_line_for_each_grant(tenant: Demo) -> None:
    """With the columns of the JSON."""
    rows = list(csv.DictReader(io.StringIO(tenant.run("--format", "csv").stdout)))
    assert len(rows) == len(tenant.json())
    (run,) = [each for each in rows if each["accessPackageId"] == demo.RUN_PAYMENTS]
    assert (run["resource"], run["kind"], run["rules"]) == ("Payments", "active", "run-and-clear")


@pytest.mark.parametrize("how", ["table", "json", "csv"])
def test_what_cannot_be_read_is_said_and_is_exit_code_3(tenant: Demo, how: str) -> None:
    """With the package and the reason; what was read is shown."""
    match = {"method": "GET", "path_contains": demo.PAY_INVOICES}
    fault = {"kind": "status", "status": 403, "times": 100, "match": match}
    tenant.simulator.control.add_faults(fault)
    result = tenant.run("--format", how)
    assert result.exit_code == 3
    assert demo.RUN_PAYMENTS in result.stdout
    said = result.stdout if how == "json" else result.stderr
    assert f"what access package {demo.PAY_INVOICES} grants" in said


def test_a_package_that_does_not_exist_is_an_error_with_a_suggestion(tenant: Demo) -> None:
    """Nothing is read for it."""
    result = tenant.run("--package", "Run paymnets")
    assert result.exit_code == 1
    assert "Did you mean Run payments," in " ".join(result.stderr.split())


def test_rules_are_not_needed(tenant: Demo) -> None:
    """Without a folder of rules no rule is named."""
    (tenant.folder / "rules.yaml").unlink()
    tenant.folder = tenant.folder / "nowhere"
    assert {tuple(each["rules"]) for each in tenant.json()} == {()}


def test_names_of_the_tenant_are_data(tenant: Demo) -> None:
    """A name with codes of a terminal is shown with escapes."""
    wild = demo_tenant()
    wild.access_packages[0].display_name = "Pay \x1b[2J invoices"
    tenant.simulator.control.replace_tenant(json.loads(msgspec.json.encode(wild)))
    shown = tenant.run("--package", demo.PAY_INVOICES).stdout
    assert "Pay \\x1b[2J invoices" in shown


def test_validate_names_grants_that_no_package_gives(tenant: Demo) -> None:
    """Each at its place, with the nearest name, as a warning."""
    file = tenant.folder / "rules.yaml"
    text = RULES.replace("{app: payments, role: run payments}", "{app: Payment, role: run}")
    file.write_text(text.replace("role: Clear payments", "role: Clear payment"))
    result = CliRunner().invoke(app, ["validate", str(file)], env=tenant.env)
    lines = [each.removeprefix(f"{file}:") for each in result.stdout.splitlines()]
    assert any(
        each.startswith("11:24: warning: rules.0.between.0.grants.0.app Payment is granted by no")
        and each.endswith("did you mean Payments?")
        for each in lines
    ), lines
    assert any(
        each.startswith("3:45: warning: classes.clearing.grants.0.role Clear payment is granted")
        and "did you mean Clear payments?" in each
        for each in lines
    ), lines


def test_validate_cannot_vouch_for_rules_by_grants_that_it_cannot_read(tenant: Demo) -> None:
    """What could not be read is said, and is exit code 3."""
    match = {"method": "GET", "path_contains": demo.PAY_INVOICES}
    fault = {"kind": "status", "status": 403, "times": 100, "match": match}
    tenant.simulator.control.add_faults(fault)
    file = str(tenant.folder / "rules.yaml")
    result = CliRunner().invoke(app, ["validate", file], env=tenant.env)
    assert result.exit_code == 3
    assert f"not known: what access package {demo.PAY_INVOICES} grants" in result.stderr
