"""`entra-sod validate`: every mistake of the rules, with its place, in one run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.adapters.graph.client import GraphClient
from entra_sod.cli.operations.rules.lint import alike_problems, lint, named_groups
from entra_sod.cli.sources import read_sources
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import ConfigurationError, Forbidden, GraphError, NotFound
from entra_sod.domain.entra import Group
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.domain.rules.parse import ParsedRules, read_rules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.alike import AlikeReading, read_alike
from entra_sod.settings import read_settings

# Typer does not look through a `type` statement.
RulesPaths = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Rules files, or folders of them.", exists=True)
]
Offline = Annotated[bool, typer.Option("--offline", help="Check what needs no tenant.")]


def validate(paths: RulesPaths, offline: Offline = False) -> None:  # noqa: FBT002 - a flag
    """Check rules files; print each mistake as file:line:column: message.

    Exit code 0: no mistake, warnings at most. 1: mistakes, or the tenant could not be read.
    """
    sources = read_sources(paths)
    parsed = read_rules(sources.files, sources.unread)
    today = SystemClock().now().date()
    found, failure = (None, None) if offline else _try_tenant(os.environ, parsed, today)
    tenant, alike = found or (None, AlikeReading())
    named = alike_problems(parsed, alike)
    problems = sorted({*parsed.problems, *lint(parsed, today, tenant), *named})
    for problem in problems:
        typer.echo(problem)
    for each in alike.unread:
        typer.echo(f"entra-sod: not known: {each.what}: {each.why}", err=True)
    if failure:
        typer.echo(f"entra-sod: {failure} Use --offline to check what needs no tenant.", err=True)
    typer.echo(_summary(problems, sources.count), err=True)
    if failure or not all(problem.is_warning for problem in problems):
        raise typer.Exit(1)


def _try_tenant(
    environment: Mapping[str, str], parsed: ParsedRules, day: date
) -> tuple[tuple[Tenant, AlikeReading] | None, str | None]:
    """Read every package of the tenant, or say in one line why not."""
    try:
        return asyncio.run(_read_tenant(environment, parsed, day)), None
    except (GraphError, ConfigurationError) as error:
        line = " ".join(str(error).split())
        return None, line if line.endswith(".") else f"{line}."


async def _read_tenant(
    environment: Mapping[str, str], parsed: ParsedRules, day: date
) -> tuple[Tenant, AlikeReading]:
    graph = GraphClient(read_settings(environment).graph)
    try:
        tenant = Tenant(await graph.packages(), await _read_groups(graph, named_groups(parsed)))
        if parsed.problems:
            return tenant, AlikeReading()
        return tenant, await read_alike(graph, RuleSet(resolve(parsed, tenant, day)))
    finally:
        await graph.close()


async def _read_groups(graph: Graph, group_ids: Iterable[str]) -> dict[str, Group | None]:
    """Look groups up; none where the identity may not read the directory, which is usual."""
    found: dict[str, Group | None] = {}
    for group_id in sorted(group_ids):
        try:
            found[group_id] = await graph.group(group_id)
        except NotFound:
            found[group_id] = None
        except Forbidden:
            return {}
    return found


def _summary(problems: Sequence[RulesProblem], files: int) -> str:
    warnings = sum(problem.is_warning for problem in problems)
    parts = (_counted(len(problems) - warnings, "mistake"), _counted(warnings, "warning"))
    return f"{', '.join(parts)} in {_counted(files, 'file')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
