"""The table of docs/reference/results.md: what each surface says where something cannot be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.report import exit_code
from entra_sod.cli.sweep import verdict
from entra_sod.domain.results.coverage import Reason
from entra_sod.domain.results.sweep import SweepResult
from local.graph import odd_packages as packages
from local.graph.odd import assignment_id
from local.graph.odd_packages import COUNTERPART
from local.processes import CHECKOUT
from tests.adapters.graph.fixtures import Simulator
from tests.odd.setup import Commands, OddApp, between

pytestmark = pytest.mark.slow

START, END = "<!-- what is unreadable -->", "<!-- end of what is unreadable -->"
PAIR = (packages.WITH_GHOSTS, COUNTERPART)
RULES = (
    between(*PAIR, "ghosts"),
    between(packages.GRANTS_PAYERS, packages.GRANTS_APPROVERS, "pay"),
)
ROWS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "the whole tenant: no role": [{"answer": "forbidden"}],
    "the whole tenant: no licence": [{"answer": "no-license"}],
    "one package: Graph answers 500": [{"path_contains": PAIR[0]}],
    "one page of its assignments": [{"path_contains": PAIR[0], "page": 2, "answer": "forbidden"}],
    "one of its assignments": [
        {"item": assignment_id(PAIR[0], "forgotten"), "answer": "misshapen"}
    ],
    "one reference on it": [
        {
            "item": packages.GROUP_APPROVERS,
            "path_contains": "incompatibleGroups",
            "answer": "misshapen",
        }
    ],
}


@pytest.fixture(autouse=True)
def _app_is_put_back(make_app: object, waits: list[float]) -> None:
    """What a test installs is taken out again, and nothing waits."""


async def test_the_page_has_what_each_surface_says(
    client: GraphClient, simulator: Simulator, commands: Commands
) -> None:
    """Report, plan, drift, sweep and check, on the simulator, with the exit code of each."""
    tenant = simulator.control.tenant()
    for package in tenant["accessPackages"]:
        if package["id"] == PAIR[0]:
            package["incompatibleGroups"] = [{"id": packages.GROUP_APPROVERS}]
    simulator.control.replace_tenant(tenant)
    commands.write(*RULES)
    lines = [
        "| what cannot be read | check | sweep | report | `plan` | `drift` |",
        "| --- " * 6 + "|",
    ]
    for what, unreadable in ROWS.items():
        simulator.control.behave(additional_access="forbidden", page_size=1, unreadable=unreadable)
        app = OddApp(client, *RULES)
        cells = [await checked(app), *await swept(app), *await asyncio.to_thread(listed, commands)]
        lines.append(f"| {' | '.join([what, *cells])} |")
    page = (CHECKOUT / "docs/reference/results.md").read_text()
    said = page.split(START)[1].split(END)[0].strip()
    assert said.splitlines() == lines


def reasons(gaps: Iterable[dict[str, Any]]) -> str:
    """The reasons of gaps, but for what no run ever reads."""
    found = {each["reason"] for each in gaps} - {Reason.OUT_OF_SCOPE, Reason.NOT_LOOKED_AT}
    return f"; {', '.join(f'`{each}`' for each in sorted(found))}" if found else ""


async def checked(app: OddApp) -> str:
    answer = await app.check_ids(*PAIR)
    outcome = answer["outcome"] if answer["status"] == "completed" else answer["status"]
    return f"{outcome}, {answer['holderCount']} holders{reasons(answer['coverage']['skipped'])}"


async def swept(app: OddApp) -> tuple[str, str]:
    answer = await app.swept()
    pairs = ", ".join(f"{number} {each}" for each, number in answer["pairs"].items() if number)
    code = verdict(convert(answer))
    told = f"{answer['status']}: {pairs}{reasons(answer['coverage']['skipped'])} ({code:d})"
    return told, await reported(app)


def convert(answer: dict[str, Any]) -> SweepResult:
    return msgspec.convert(answer, SweepResult)


async def reported(app: OddApp) -> str:
    view = await app.engine.reports.make(await app.engine.rules.current())
    of_rules = ", ".join(
        f"{each.id}: {f'{each.findings} findings' if each.findings is not None else 'not checked'}"
        + (f" ({each.pairs_unknown} of {each.pairs} pair)" if each.pairs_unknown else "")
        for each in view.rules
    )
    return f"{of_rules} ({exit_code(view):d})"


def listed(commands: Commands) -> tuple[str, str]:
    """In a thread, for a command has a loop of its own."""
    return planned(commands), drifted(commands)


def planned(commands: Commands) -> str:
    done = commands.run("plan", "--format", "json")
    plan = json.loads(done.stdout)
    return f"{len(plan['additions'])} to add{reasons(plan['notRead'])} ({done.exit_code})"


def drifted(commands: Commands) -> str:
    done = commands.run("drift", "--format", "json")
    found = json.loads(done.stdout)
    return f"{len(found['drift'])} found{reasons(found['notRead'])} ({done.exit_code})"
