"""docs/reference/log-actions.md and metrics.md: what the app tells its operators."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from entra_sod.core.log_actions import LOG_ACTIONS, LogAction
from local.processes import CHECKOUT
from local.reference.markdown import anchor, code, page, table

_ACTIONS = """
Every line that matters has an `action` in its properties. Lines contain ids only: no names,
tokens or free text.
"""
_METRICS = """
OpenTelemetry metrics of the worker. They need `APPLICATIONINSIGHTS_CONNECTION_STRING` and
`PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY=true`, which the deployment sets. Attributes are
statuses and queues, never ids. Never set `PYTHON_ENABLE_OPENTELEMETRY`: with Python 3.13 older
workers then answer 500 to every request.
"""


def log_actions_page() -> str:
    rows = [(code(each.name), each.level, each.meaning, _remedy(each)) for each in LOG_ACTIONS]
    return page("Log actions", _ACTIONS, table(("action", "level", "meaning", "what to do"), rows))


def _remedy(action: LogAction) -> str:
    if not action.runbook:
        return action.remedy
    link = f"[{action.runbook}](../how-to/operate.md#{anchor(action.runbook)})"
    return f"{action.remedy} {link}"


def metrics_page() -> str:
    rows = [(code(name), kind, unit, text) for name, kind, unit, text in _instruments()]
    return page("Metrics", _METRICS, table(("metric", "kind", "unit", "meaning"), rows))


def _instruments() -> Iterator[tuple[str, str, str, str]]:
    """Every instrument of core/telemetry.py, read from its source: instruments hide their names."""
    source = (CHECKOUT / "entra_sod" / "core" / "telemetry.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        made = node.func.attr
        if made.startswith("create_"):
            given = {each.arg: each.value for each in node.keywords}
            name, unit, text = (
                ast.literal_eval(each)
                for each in (node.args[0], given["unit"], given["description"])
            )
            yield name, made.removeprefix("create_"), unit.strip("{}"), text
