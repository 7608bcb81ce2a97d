"""Three hosts and a command line write at once, and share one budget of 24 hours."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations, cycle
from pathlib import Path

import pytest

from local.graph.demo import APPROVE_INVOICES, MAINTAIN_VENDORS, ORDER_GOODS, PAY_INVOICES
from local.processes import CHECKOUT
from tests.host.client import Caller
from tests.host.conftest import Stage

pytestmark = [pytest.mark.slow, pytest.mark.host]

LIMIT = 5
SETTINGS = {"ENFORCEMENT": "apply", "MAX_REFERENCE_WRITES_PER_DAY": str(LIMIT)}
PACKAGES = (PAY_INVOICES, APPROVE_INVOICES, MAINTAIN_VENDORS, ORDER_GOODS)
REFERENCES = ("/incompatibleAccessPackages/$ref", "/incompatibleGroups/$ref")


def test_hosts_and_the_command_line_never_pass_the_budget_together(
    world: Stage, tmp_path: Path
) -> None:
    """The demo's rules ask for twelve references; five are written, whoever writes them."""
    plan = str(tmp_path / "plan.json")
    command_line(world, "plan", "--out", plan).wait()
    world.graph.clear_requests()
    callers = cycle([Caller(world.start_host(auth=False, **SETTINGS).url) for _ in range(3)])
    applying = command_line(world, "apply", plan, "--yes")
    pairs = combinations(PACKAGES, 2)
    started = [(caller, caller.start(*pair)) for caller, pair in zip(callers, pairs, strict=False)]
    answers = [caller.wait(location, 100) for caller, location in started]
    applying.wait()
    written = [
        each
        for each in world.graph.requests()
        if each["method"] == "POST" and each["target"].endswith(REFERENCES)
    ]
    assert len(written) == LIMIT
    assert sum(len(each["references"]["written"]) for each in answers) == LIMIT


def command_line(world: Stage, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **world.environment, **SETTINGS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
