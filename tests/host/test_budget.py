"""Two hosts and two command lines write at once, and share one budget of 24 hours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import combinations, cycle
from pathlib import Path

import pytest

from local.graph.demo import APPROVE_INVOICES, MAINTAIN_VENDORS, ORDER_GOODS, PAY_INVOICES
from local.processes import CHECKOUT
from local.world import HostProcess
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(300)]

LIMIT = 5
PACKAGES = (PAY_INVOICES, APPROVE_INVOICES, MAINTAIN_VENDORS, ORDER_GOODS)
# The first rule of the demo alone: what it asks for fits into the budget at once.
PAY_AND_APPROVE = f"""\
version: 1
rules:
  - id: pay-and-approve
    title: Nobody both pays and approves invoices
    severity: critical
    owner: finance-controls@contoso.com
    mode: enforce
    between:
      - packages: [{{id: {PAY_INVOICES}}}]
      - packages: [{{id: {APPROVE_INVOICES}}}]
    references: both
"""


def test_additions_of_all_together_never_pass_the_budget(world: Stage, tmp_path: Path) -> None:
    """The hosts want twelve references and each command line four; five at most are written."""
    settings = settings_of(LIMIT)
    small = settings | {"RULES": rules_folder(tmp_path, PAY_AND_APPROVE)}
    plan = make_plan(world, tmp_path, small)
    callers = cycle(Caller(start_host(world, settings).url) for _ in range(2))
    applying = [command_line(world, small, "apply", plan, "--yes") for _ in range(2)]
    pairs = combinations(PACKAGES, 2)
    started = [(caller, caller.start(*pair)) for caller, pair in zip(callers, pairs, strict=False)]
    for caller, location in started:
        caller.wait(location, 100)
    for each in applying:
        each.wait()
    changed = writes(world)
    assert LIMIT - 1 <= changed["POST"] == changed.total() <= LIMIT


def test_removals_count_against_the_same_budget(world: Stage, tmp_path: Path) -> None:
    """No rule asks for the app's four references any more; two of them at most are removed."""
    host = start_host(world, settings_of(100))
    written = Caller(host.url).check(PAY_INVOICES, APPROVE_INVOICES)["references"]["written"]
    host.kill()
    assert len(written) == 4
    folder = rules_folder(tmp_path, PAY_AND_APPROVE.replace("enforce", "warn"))
    settings = settings_of(len(written) + 2, RULES=folder, PRUNE="true")
    plan = make_plan(world, tmp_path, settings)
    hosts = [start_host(world, settings) for _ in range(2)]
    applying = [command_line(world, settings, "apply", plan, "--yes") for _ in range(2)]
    result = Caller(hosts[0].url).sweep(hosts[0])
    for each in applying:
        each.wait()
    assert writes(world) == {"DELETE": 2}
    assert (len(result["references"]["removed"]), result["stopped"]["left"]) == (2, 2)


def rules_folder(folder: Path, text: str) -> str:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(text)
    return str(folder / "rules")


def settings_of(limit: int, **more: str) -> dict[str, str]:
    return {"ENFORCEMENT": "apply", "MAX_REFERENCE_WRITES_PER_DAY": str(limit), **more}


def make_plan(world: Stage, folder: Path, settings: dict[str, str]) -> str:
    """Plan, and count what is written from then on."""
    plan = str(folder / "plan.json")
    command_line(world, settings, "plan", "--out", plan).wait()
    world.graph.clear_requests()
    return plan


def start_host(world: Stage, settings: dict[str, str]) -> HostProcess:
    return world.start_host(auth=False, **settings)


def writes(world: Stage) -> Counter[str]:
    """How many references were added and removed, by method."""
    return Counter(
        each["method"]
        for each in world.graph.requests()
        if each["method"] in ("POST", "DELETE") and "/incompatible" in each["target"]
    )


def command_line(
    world: Stage, settings: dict[str, str], *arguments: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **world.environment, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
