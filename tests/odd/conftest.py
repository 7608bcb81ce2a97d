"""The app's own Graph client, checks, sweeps, decisions and commands, on the odd tenant."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from entra_sod.cli import terminal
from local.processes import Process, free_port
from local.world import GraphControl, printed_settings
from tests.adapters.graph.fixtures import (
    Simulator,
    client,
    connect,
    few_certificates,
    simulator,
    waits,
)
from tests.odd.setup import Commands

__all__ = ["client", "connect", "few_certificates", "simulator", "waits"]


@pytest.fixture(scope="session")
def started_simulator() -> Iterator[Simulator]:
    """In place of the usual one: a simulator whose tenant is the odd one."""
    port = free_port()
    argv = [sys.executable, "-m", "local.graph", "--port", str(port), "--tenant", "odd"]
    with Process(argv) as process:
        root = f"http://127.0.0.1:{port}"
        process.wait_ready(f"{root}/__simulator/health", 60)
        control = GraphControl(root)
        yield Simulator(control, printed_settings(process.output()))
        control.close()


@pytest.fixture
def commands(
    simulator: Simulator,
    few_certificates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    """Commands without storage, and so without a ledger."""
    for name in [each for each in os.environ if each.startswith("AzureWebJobsStorage")]:
        monkeypatch.delenv(name)
    environment = {**simulator.settings, "SSL_CERT_FILE": str(few_certificates)}
    monkeypatch.setattr(terminal.out, "width", 400)
    monkeypatch.setattr(terminal.err, "width", 400)
    return Commands(tmp_path, environment)
