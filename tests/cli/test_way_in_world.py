"""From a tenant to rules and back, as a person does it on the local world."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.graph.demo import (
    APPROVE_INVOICES,
    GROUP_EXTERNAL_AUDITORS,
    ORDER_GOODS,
    PAY_INVOICES,
    RECEIVE_GOODS,
)
from local.processes import CHECKOUT
from local.world import World
from tests.leftovers import clear_leftovers

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(300)]

AUDITORS = GROUP_EXTERNAL_AUDITORS
MADE = {
    PAY_INVOICES: ([APPROVE_INVOICES], []),
    APPROVE_INVOICES: ([PAY_INVOICES], [AUDITORS]),
    ORDER_GOODS: ([RECEIVE_GOODS], []),
}


@pytest.fixture(scope="module")
def world(azurite: str) -> Iterator[World]:
    """The demo tenant, in which people have made references."""
    clear_leftovers(azurite)
    with World(storage=azurite) as world:
        tenant = world.graph.tenant()
        for package in tenant["accessPackages"]:
            packages, groups = MADE.get(package["id"], ([], []))
            package["incompatibleAccessPackages"] = [{"id": each} for each in packages]
            package["incompatibleGroups"] = [{"id": each} for each in groups]
        world.graph.replace_tenant(tenant)
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def environment(world: World, **settings: str) -> dict[str, str]:
    path = {"PYTHONPATH": str(CHECKOUT), "COLUMNS": "80", "TERM": "dumb"}
    return {**os.environ, **world.environment, **path, **settings}


def run(world: World, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose output is piped."""
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", *arguments],
        cwd=folder,
        env=environment(world),
        capture_output=True,
        text=True,
        check=False,
    )


def on_terminal(world: World, folder: Path, *arguments: str) -> str:
    """Run a command on a terminal of 80 columns, and return what that shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "entra_sod.cli", *arguments],
        cwd=folder,
        env=environment(world),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        shown = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # as Linux ends a terminal that nobody writes to any more
        return b""


PIPED_PACKAGES = f"""\
name\tcatalog\tid
Approve invoices\tFinance\t{APPROVE_INVOICES}
Pay invoices\tFinance\t{PAY_INVOICES}
"""
TERMINAL_PACKAGES = f"""\
name              catalog
Approve invoices  Finance
{APPROVE_INVOICES[:8]}
Pay invoices      Finance
{PAY_INVOICES[:8]}"""
PIPED_INVENTORY = f"""\
on package\tkept away\tkind\tways\tmade by\ton id\tkept away id
Order goods\tReceive goods\tpackage\tone way\tpeople\t{ORDER_GOODS}\t{RECEIVE_GOODS}
Pay invoices\tApprove invoices\tpackage\tboth ways\tpeople\t{PAY_INVOICES}\t{APPROVE_INVOICES}
Approve invoices\t{AUDITORS}\tgroup\tgroup\tpeople\t{APPROVE_INVOICES}\t{AUDITORS}
Approve invoices\tPay invoices\tpackage\tboth ways\tpeople\t{APPROVE_INVOICES}\t{PAY_INVOICES}
"""
TERMINAL_INVENTORY = f"""\
on package        kept away         ways       made by
Order goods       Receive goods     one way    people
{ORDER_GOODS[:8]}          {RECEIVE_GOODS[:8]}
Pay invoices      Approve invoices  both ways  people
{PAY_INVOICES[:8]}          {APPROVE_INVOICES[:8]}
Approve invoices  {AUDITORS[:8]}          group      people
{APPROVE_INVOICES[:8]}
Approve invoices  Pay invoices      both ways  people
{APPROVE_INVOICES[:8]}          {PAY_INVOICES[:8]}"""
TERMINAL_ADOPT = f"""\
on package        kept away         rules
Order goods       Receive goods     between-b7adde79c3
{ORDER_GOODS[:8]}          {RECEIVE_GOODS[:8]}
Pay invoices      Approve invoices  between-a153d4fb0c
{PAY_INVOICES[:8]}          {APPROVE_INVOICES[:8]}
Approve invoices  {AUDITORS[:8]}          groups-82c7b1b602
{APPROVE_INVOICES[:8]}
Approve invoices  Pay invoices      between-a153d4fb0c
{APPROVE_INVOICES[:8]}          {PAY_INVOICES[:8]}"""
TERMINAL_IMPORT = f"""\
references.yaml: note: between-b7adde79c3 is one way: holders of "Order goods
    (Procurement)" can get "Receive goods (Procurement)". The reference on
    {RECEIVE_GOODS} to {ORDER_GOODS}
    is missing. Fix: under enforce the app writes it."""


def test_a_list_of_packages(world: World, folder: Path) -> None:
    """Piped, a line for each; on a terminal, the id below the name."""
    done = run(world, folder, "packages", "voices")
    assert (done.returncode, done.stdout) == (0, PIPED_PACKAGES)
    assert done.stderr.startswith("as ")  # who asks, and nothing else
    assert len(done.stderr.splitlines()) == 1
    assert on_terminal(world, folder, "packages", "voices") == TERMINAL_PACKAGES


def test_what_no_rule_names(world: World, folder: Path) -> None:
    """Piped with kinds and ids, on a terminal with the ids below; exit code 2."""
    done = run(world, folder, "inventory")
    assert (done.returncode, done.stdout) == (2, PIPED_INVENTORY)
    assert on_terminal(world, folder, "inventory") == TERMINAL_INVENTORY


def test_references_become_rules(world: World, folder: Path) -> None:
    """The rules pass, and rules name all references then; the report says what is missing."""
    assert on_terminal(world, folder, "import", "references") == TERMINAL_IMPORT
    assert run(world, folder, "validate", "rules", "--offline").returncode == 0
    done = run(world, folder, "inventory")
    assert (done.returncode, done.stdout) == (0, "")
    done = run(world, folder, "import", "references")
    assert (done.returncode, "no file written" in done.stderr) == (0, True)


def test_references_are_adopted_and_given_back(world: World, folder: Path) -> None:
    """A plan adds what is missing and no more; nothing in the tenant changes."""
    before = world.graph.tenant()
    run(world, folder, "import", "references")
    file = folder / "rules" / "references.yaml"
    file.write_text(file.read_text().replace("mode: record", "mode: enforce"))
    done = run(world, folder, "plan")
    assert "1 to add, 0 to remove, 0 held, 4 unchanged" in " ".join(done.stdout.split())
    assert on_terminal(world, folder, "adopt", "--dry-run") == TERMINAL_ADOPT
    done = run(world, folder, "adopt", "--yes")
    assert (done.returncode, "4 references adopted" in done.stdout) == (0, True), done.stderr
    done = run(world, folder, "unadopt", "--yes")
    assert (done.returncode, "4 references given back" in done.stdout) == (0, True), done.stderr
    assert run(world, folder, "evidence", "verify").returncode == 0
    assert world.graph.tenant() == before
