"""The demo's tenant on a local world, with something in each view of the console."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from local.graph.demo import MAINTAIN_VENDORS
from local.graph.demo_people import object_id
from local.processes import CHECKOUT
from local.world import HostProcess, World

MAX_SECONDS = 180
# More pairs than packages, so that sweeps read by an index, which knows each holder.
_RULES = """
version: 1
rules:
  - id: prepare-and-approve
    title: What one person prepares, another one approves
    severity: medium
    owner: finance-controls@contoso.com
    mode: warn
    process: Record to report
    between:
      - packages: [{{name: Order goods}}, {{name: Post journals}}, {{name: Run payments}}]
      - packages: [{{name: Receive goods}}, {{name: Close the books}}, {{name: Approve exp*}}]
  - id: invoices-and-orders
    title: Invoices are approved apart from orders
    severity: high
    owner: procurement-controls@contoso.com
    mode: enforce
    between:
      - packages: [{{name: "Approve invoices*"}}]
      - packages: [{{name: Order goods}}]
exceptions:
  - id: EX-2026-014
    rule: prepare-and-approve
    subject: {subject}
    requestedBy: finance-lead@contoso.com
    approvedBy: cfo@contoso.com
    reason: Covers the year-end closing
    from: {start}
    until: {until}
"""


@dataclass(frozen=True)
class ConsoleWorld:
    """A host whose newest sweep has ended, and which knows a change that waits for approval."""

    host: HostProcess

    @property
    def headers(self) -> dict[str, str]:
        return {"x-functions-key": self.host.function_key}

    def get(self, path: str) -> httpx.Response:
        url = f"{self.host.url}/api/{path}"
        return httpx.get(url, headers=self.headers, timeout=60, trust_env=False)


@contextmanager
def console_world() -> Iterator[ConsoleWorld]:
    """Two nights of the demo's tenant: in between a package comes to fit a pattern."""
    with tempfile.TemporaryDirectory() as folder, World() as world:
        write_rules(Path(folder))
        settings = {"RULES": folder, "ENFORCEMENT": "apply"}
        first = ConsoleWorld(world.start_host(auth=True, settings=settings))
        _sweep(first)
        first.host.kill()
        tenant = world.graph.tenant()
        for each in tenant["accessPackages"]:
            if each["id"] == MAINTAIN_VENDORS:
                each["displayName"] = "Approve invoices of vendors"
        world.graph.replace_tenant(tenant)
        second = ConsoleWorld(world.start_host(auth=True, settings=settings))
        _sweep(second)
        yield second


def write_rules(folder: Path) -> None:
    """The demo's rules, and those that fill the console."""
    shutil.copy(CHECKOUT / "rules/finance.yaml", folder)
    today = datetime.now(UTC).date()
    text = _RULES.format(
        subject=object_id(3), start=today - timedelta(days=20), until=today + timedelta(days=6)
    )
    (folder / "more.yaml").write_text(text, encoding="utf-8")


def _sweep(world: ConsoleWorld) -> None:
    before = _newest(world)
    world.host.run_by_hand("start_sweep")
    deadline = time.monotonic() + MAX_SECONDS
    while time.monotonic() < deadline:
        if _newest(world) not in (None, before):
            return
        time.sleep(0.2)
    raise TimeoutError(f"the sweep did not end in {MAX_SECONDS} s")


def _newest(world: ConsoleWorld) -> str | None:
    """The newest sweep that has ended."""
    answer = world.get("sweeps/latest")
    return str(answer.json()["id"]) if answer.status_code == httpx.codes.OK else None
