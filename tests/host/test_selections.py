"""Rules by pattern on a host of its own, on the simulated tenant and real storage."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.graph.demo import APPROVE_INVOICES, MAINTAIN_VENDORS, PAY_INVOICES
from local.processes import CHECKOUT
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host]

RULES = f"""
version: 1
rules:
  - id: pay-and-approve
    title: Nobody both pays and approves invoices
    severity: critical
    owner: finance@contoso.com
    mode: enforce
    between:
      - packages: [{{id: {PAY_INVOICES}}}]
      - packages: [{{name: "Approve inv*"}}]
"""


class Watched:
    """Nights of one deployment: each on a host that reads the tenant's list anew."""

    def __init__(self, world: Stage, folder: Path) -> None:
        (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
        self.world, self.folder = world, folder
        self.settings = {"ENFORCEMENT": "apply", "PRUNE": "true", "RULES": str(folder)}

    def night(self) -> dict[str, Any]:
        host = self.world.start_host(auth=False, **self.settings)
        answer = Caller(host.url).sweep(host)
        host.kill()
        return answer

    def change(self, package_id: str, **changes: object) -> None:
        tenant = self.world.graph.tenant()
        (found,) = [each for each in tenant["accessPackages"] if each["id"] == package_id]
        found.update(changes)
        self.world.graph.replace_tenant(tenant)

    def grants(self, package_id: str) -> list[dict[str, Any]]:
        packages = self.world.graph.tenant()["accessPackages"]
        (found,) = [each for each in packages if each["id"] == package_id]
        scopes: list[dict[str, Any]] = found["resourceRoleScopes"]
        return scopes

    def references(self) -> set[str]:
        """Every reference of the tenant, by the package that it is on."""
        return {
            f"{each['id']} {kind} {reference['id']}"
            for each in self.world.graph.tenant()["accessPackages"]
            for kind in ("incompatibleGroups", "incompatibleAccessPackages")
            for reference in each[kind]
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "entra_sod.cli", "selection", *arguments],
            cwd=CHECKOUT,
            env={**os.environ, **self.world.environment, **self.settings},
            capture_output=True,
            text=True,
            check=False,
        )


def test_a_rename_prunes_nothing_and_a_group_and_a_package_wait(
    world: Stage, tmp_path: Path
) -> None:
    """Four nights: all is written; a rename is told; what joins is held; it is approved."""
    watched = Watched(world, tmp_path)
    first = watched.night()
    written = watched.references()
    assert (first["status"], len(first["references"]["written"])) == ("completed", 4)

    watched.change(APPROVE_INVOICES, displayName="Aprove invoices")
    renamed = watched.night()
    assert renamed["references"]["removed"] == []
    assert renamed["findings"] == first["findings"]
    assert "left-the-rule" in [each["reason"] for each in renamed["coverage"]["skipped"]]

    watched.change(APPROVE_INVOICES, displayName="Approve invoices")
    scopes = [*watched.grants(APPROVE_INVOICES), *watched.grants(MAINTAIN_VENDORS)]
    watched.change(APPROVE_INVOICES, resourceRoleScopes=scopes)
    watched.change(MAINTAIN_VENDORS, displayName="Approve invoices of vendors")
    joined = watched.night()
    assert joined["pairs"]["total"] == 2
    assert joined["references"]["written"] == []
    assert len(joined["references"]["held"]) > 2
    assert watched.references() == written

    shown = watched.command("show")
    assert (shown.returncode, "has changed" in shown.stdout) == (2, False), shown.stderr
    approved = watched.command("approve", "--rule", "pay-and-approve", "--yes")
    assert approved.returncode == 0, approved.stderr
    last = watched.night()
    assert last["references"]["held"] == []
    assert len(last["references"]["written"]) == len(joined["references"]["held"])
