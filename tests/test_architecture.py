"""The rules of the house, held by tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = (
    "callers",
    "rules",
    "detection",
    "enforcement",
    "checks",
    "sweeps",
    "delivery",
    "hooks",
    "decisions",
    "findings",
    "evidence",
    "webhooks",
    "roles",
    "doctor",
    "report",
    "contract",
)
ADAPTERS = {
    "functions.graph.client",
    "functions.graph.extensions",
    "functions.graph.roles",
    "functions.storage.azure",
}
ONLY_IN = {
    "msgraph": {"functions/graph"},
    "msgraph_core": {"functions/graph"},
    "kiota_abstractions": {"functions/graph"},
    "kiota_http": {"functions/graph"},
    "azure.identity": {"functions/graph"},
    "azure.storage": {"functions/storage"},
    "azure.data": {"functions/storage"},
    "azure.functions": {"functions/triggers", "."},
    "opentelemetry": {"functions"},
    "httpcore": {"functions/delivery"},
    "httpx": {"functions/graph"},
    "os": {"functions/wiring"},
}


def modules(folder: str = "functions") -> Iterator[tuple[Path, list[str]]]:
    """Every module with the names it imports."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text())
        names = [
            name
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        ]
        yield path.relative_to(ROOT), names


@pytest.mark.parametrize("package", ONLY_IN)
def test_an_outside_package_is_imported_where_it_belongs(package: str) -> None:
    """One door to Graph, one to Storage, and the host's API in the triggers alone."""
    users = {
        path.parent.as_posix()
        for path, names in modules()
        if any(name == package or name.startswith(package + ".") for name in names)
    }
    assert users <= ONLY_IN[package]


def test_the_core_does_not_know_its_adapters() -> None:
    """Whatever works imports ports, never what is behind them."""
    wrong = [
        (path.as_posix(), name)
        for path, names in modules()
        if path.parts[1] in CORE
        for name in names
        if name in ADAPTERS or name.startswith(("functions.triggers", "functions.wiring"))
    ]
    assert wrong == []


def test_rules_and_decisions_are_pure() -> None:
    """What decides imports no port, no clock and no environment."""
    pure = {
        "functions/contract/bodies.py",
        "functions/contract/connector.py",
        "functions/contract/docstrings.py",
        "functions/contract/model.py",
        "functions/contract/openapi.py",
        "functions/contract/operations.py",
        "functions/contract/packages.py",
        "functions/contract/parameters.py",
        "functions/contract/schemas.py",
        "functions/rules/circles.py",
        "functions/callers/address.py",
        "functions/callers/caller.py",
        "functions/callers/identify.py",
        "functions/callers/keys.py",
        "functions/callers/limit.py",
        "functions/callers/principal.py",
        "functions/callers/reach.py",
        "functions/callers/routes.py",
        "functions/rules/language.py",
        "functions/rules/document.py",
        "functions/rules/lint.py",
        "functions/rules/parse.py",
        "functions/rules/resolve.py",
        "functions/rules/trial.py",
        "functions/rules/version.py",
        "functions/rules/ruleset.py",
        "functions/rules/verdict.py",
        "functions/detection/cost.py",
        "functions/detection/index.py",
        "functions/detection/join.py",
        "functions/decisions/choose.py",
        "functions/decisions/decide.py",
        "functions/sweeps/outcomes.py",
        "functions/sweeps/parts.py",
        "functions/delivery/address.py",
        "functions/delivery/event.py",
        "functions/delivery/outcome.py",
        "functions/delivery/public.py",
        "functions/delivery/signature.py",
        "functions/enforcement/blast.py",
        "functions/enforcement/compile.py",
        "functions/enforcement/desired.py",
        "functions/enforcement/drift.py",
        "functions/enforcement/review.py",
        "functions/enforcement/plan.py",
        "functions/evidence/manifest.py",
        "functions/evidence/rows.py",
        "functions/findings/digest.py",
        "functions/findings/life.py",
        "functions/findings/model.py",
        "functions/findings/observe.py",
        "functions/findings/views.py",
        "functions/storage/filters.py",
        "functions/doctor/diagnosis.py",
        "functions/doctor/judge.py",
        "functions/doctor/judge_graph.py",
        "functions/doctor/seen.py",
        "functions/hooks/model.py",
        "functions/hooks/plan.py",
        "functions/report/bounds.py",
        "functions/report/compact.py",
        "functions/report/places.py",
        "functions/report/render.py",
        "functions/report/tally.py",
        "functions/report/trend.py",
        "functions/report/view.py",
        "functions/retry.py",
        "functions/roles/model.py",
        "functions/roles/plan.py",
        "functions/throttle/schedule.py",
        "functions/webhooks/ask.py",
        "functions/webhooks/cloud_event.py",
        "functions/webhooks/dedupe.py",
        "functions/webhooks/delivery.py",
        "functions/webhooks/handshake.py",
        "functions/webhooks/pointer.py",
        "functions/webhooks/source.py",
        "functions/webhooks/verify.py",
    }
    impure = {"asyncio", "os", "time", "functions.clock", "functions.graph.port", "logging"}
    found = {path.as_posix(): names for path, names in modules() if path.as_posix() in pure}
    assert found.keys() == pure
    assert {name for names in found.values() for name in names} & impure == set()


def test_importing_the_app_loads_neither_graph_nor_identity_nor_storage() -> None:
    """A worker that only answers HTTP does not pay for the packages it does not use."""
    code = "import function_app, sys; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for package in (
        "msgraph",
        "azure.identity",
        "azure.storage.queue",
        "azure.data.tables",
        "opentelemetry",
        "functions.graph",
        "httpcore",
    ):
        assert package not in loaded


def test_the_entry_file_registers_and_nothing_else() -> None:
    """function_app.py stays at some twenty lines without a function or a setting in it."""
    tree = ast.parse((ROOT / "function_app.py").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert len((ROOT / "function_app.py").read_text().splitlines()) <= 25
