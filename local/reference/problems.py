"""The types of problems that HTTP answers with, read from the source of functions/http."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from local.processes import CHECKOUT

# How a call that makes a problem names its type and title: function, and which arguments.
_MAKERS = {"HttpProblem": (0, 1, 2), "_unavailable": (None, 0, 1)}
_UNAVAILABLE = 503


def problem_types() -> list[tuple[int, str, str]]:
    """Status, type and title of every problem, in order."""
    files = sorted((CHECKOUT / "functions" / "http").glob("*.py"))
    return sorted({each for file in files for each in _made_in(file)})


def _made_in(file: Path) -> Iterator[tuple[int, str, str]]:
    module = ast.parse(file.read_text(encoding="utf-8"))
    named = _named_in(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            status_at, slug_at, title_at = _MAKERS.get(node.func.id, (None, -1, -1))
            if slug_at < 0 or not _is_text(node, slug_at):
                continue
            status = _UNAVAILABLE if status_at is None else _constant(node, status_at, named)
            yield (
                int(status),
                str(_constant(node, slug_at, named)),
                str(_constant(node, title_at, named)),
            )


def _is_text(node: ast.Call, at: int) -> bool:
    given = node.args[at] if len(node.args) > at else None
    return isinstance(given, ast.Constant) and isinstance(given.value, str)


def _named_in(module: ast.Module) -> list[tuple[int, str, ast.expr]]:
    """Every name that a module gives to something, with its line, in order."""
    found = [
        (each.lineno, each.targets[0].id, each.value)
        for each in ast.walk(module)
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    ]
    return sorted(found, key=lambda each: each[0])


def _constant(node: ast.Call, at: int, named: Sequence[tuple[int, str, ast.expr]]) -> int | str:
    """The value of an argument; of a name the one that it was given last before the call."""
    given = node.args[at]
    if isinstance(given, ast.Name):
        before = [value for line, name, value in named if name == given.id and line < node.lineno]
        given = before[-1]
    value: int | str = ast.literal_eval(given)
    return value
