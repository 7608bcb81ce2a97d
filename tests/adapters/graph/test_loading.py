"""What is imported when: the Graph packages cost seconds, and the SDK's models minutes of CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from local.processes import CHECKOUT
from tests.adapters.graph.fixtures import Simulator

HEAVY = ("msgraph", "msgraph_core", "kiota_http", "kiota_abstractions", "azure.identity", "httpx")

IMPORT = """
import json, sys
import entra_sod.adapters.graph.client
print(json.dumps(sorted(sys.modules)))
"""
READ = """
import asyncio, json, os, sys
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.settings import read_settings

async def read():
    graph = GraphClient(read_settings(os.environ).graph)
    packages = await graph.packages()
    pages = [page async for page in graph.assignments(packages[0].id)]
    await graph.close()
    return len(packages), len(pages[0])

print(json.dumps([asyncio.run(read()), sorted(sys.modules)]))
"""


def run(program: str, settings: dict[str, str]) -> object:
    """What a program of its own prints, as JSON."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        timeout=60,
    )
    result: object = json.loads(done.stdout)
    return result


def below(modules: list[str], *packages: str) -> list[str]:
    return [
        name for name in modules for package in packages if f"{name}.".startswith(f"{package}.")
    ]


def test_importing_the_client_imports_nothing_heavy() -> None:
    """The client's packages are loaded at its first use, not when the worker indexes the app."""
    modules = run(IMPORT, {})
    assert isinstance(modules, list)
    assert "entra_sod.adapters.graph.client" in modules
    assert below(modules, *HEAVY) == []


def test_reading_pages_loads_none_of_the_sdks_models(simulator: Simulator) -> None:
    """Pages are decoded from their bytes: the SDK's generated models are not even imported."""
    answer = run(READ, simulator.settings)
    assert isinstance(answer, list)
    counts, modules = answer
    assert counts == [3, 5]
    assert below(modules, "msgraph", "azure.identity")
    assert below(modules, "msgraph.generated.models", "msgraph.generated.identity_governance") == []
