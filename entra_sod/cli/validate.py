"""`entra-sod validate`: every mistake of the rules, with its place, in one run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.check_reports import FoundProblem, sarif
from entra_sod.cli.operations.rules.lint import (
    alike_problems,
    exception_problems,
    lint,
    named_groups,
    toxic_problems,
)
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import ConfigurationError, Forbidden, GraphError, NotFound
from entra_sod.domain.enforcement.without_effect import wants_groups_only
from entra_sod.domain.entra import AccessPackage, Group
from entra_sod.domain.results.coverage import Skipped, exception_gaps
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.domain.rules.exception_subjects import SubjectProblem
from entra_sod.domain.rules.parse import ParsedRules, read_rules
from entra_sod.domain.rules.resolve import Tenant, needs_grants, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.graph import Graph
from entra_sod.services.rules.alike import (
    AlikeReading,
    GrantsOfGraph,
    granting,
    read_alike,
    read_grants,
)
from entra_sod.services.rules.exception_subjects import BoundExceptions, ExceptionSubjects
from entra_sod.services.rules.grants import TenantGrants
from entra_sod.services.rules.provider import read_tenant
from entra_sod.services.subjects.resolve import SubjectResolver
from entra_sod.settings import read_settings
from entra_sod.stores.rule_files import read_sources

# Typer does not look through a `type` statement.
RulesPaths = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Rules files, or folders of them.", exists=True)
]
Offline = Annotated[bool, typer.Option("--offline", help="Check what needs no tenant.")]


class ValidateFormat(StrEnum):
    TEXT = "text"
    SARIF = "sarif"


ValidateAs = Annotated[
    ValidateFormat, typer.Option("--format", help="For people, or for code scanning.")
]


def validate(
    paths: RulesPaths,
    offline: Offline = False,  # noqa: FBT002 - a flag
    how: ValidateAs = ValidateFormat.TEXT,
) -> None:
    """Check rules files; print each mistake as file:line:column: message.

    Examples: entra-sod validate rules, entra-sod validate rules --offline --format sarif.

    Exit code 0: no mistake, warnings at most. 1: mistakes, or wrong settings. 3: no mistake was
    found, and the tenant could not be read, or not all of it.
    """
    sources = read_sources(paths)
    parsed = read_rules(sources.files, sources.unread)
    today = SystemClock().now().date()
    found, failure, has_wrong_settings = (
        (None, None, False) if offline else _try_tenant(os.environ, parsed, today)
    )
    tenant, alike, exceptions = found or (None, AlikeReading(), BoundExceptions())
    in_force = {each.id for each in parsed.rules.values() if each.holds_on(today)} if found else ()
    named = [*alike_problems(parsed, alike), *toxic_problems(parsed, alike, in_force)]
    people = exception_problems(parsed, exceptions.problems)
    problems = sorted(
        {*parsed.problems, *sources.left_out, *lint(parsed, today, tenant), *named, *people}
    )
    unread = [
        *alike.unread_of_rules,
        *alike.unread,
        *_grants_not_read(tenant),
        *_subjects_not_known(exceptions),
    ]
    _print(problems, [f"{each.what}: {each.why}" for each in unread], failure, how)
    typer.echo(_summary(problems, len(sources.files) + len(sources.unread)), err=True)
    if not all(problem.is_warning for problem in problems) or has_wrong_settings:
        raise typer.Exit(ExitCode.ERROR)
    raise typer.Exit(ExitCode.UNKNOWN if failure or unread else ExitCode.NOTHING)


def _print(
    problems: Sequence[RulesProblem],
    not_known: Sequence[str],
    failure: str | None,
    how: ValidateFormat,
) -> None:
    """Print what was found; on standard error what could not be looked at, in every format."""
    if how is ValidateFormat.SARIF:
        gaps = [*not_known, *([failure] if failure else [])]
        typer.echo(sarif(map(FoundProblem.of, problems), gaps), nl=False)
    else:
        for problem in problems:
            typer.echo(problem)
    for each in not_known:
        typer.echo(f"entra-sod: not known: {each}", err=True)
    if failure:
        typer.echo(f"entra-sod: {failure} Use --offline to check what needs no tenant.", err=True)


def _try_tenant(
    environment: Mapping[str, str], parsed: ParsedRules, day: date
) -> tuple[tuple[Tenant, AlikeReading, BoundExceptions] | None, str | None, bool]:
    """Read every package of the tenant; or why not, and whether the settings are to blame."""
    try:
        found = asyncio.run(_read_tenant(environment, parsed, day))
    except (GraphError, ConfigurationError) as error:
        return None, _sentence(str(error)), isinstance(error, ConfigurationError)
    unlisted = found[0].unlisted
    return found, unlisted and _sentence(unlisted), False


def _grants_not_read(tenant: Tenant | None) -> list[Skipped]:
    unread = tenant.grants.unread if tenant and tenant.grants else {}
    return [Skipped.of(f"what access package {key} grants", each) for key, each in unread.items()]


def _subjects_not_known(exceptions: BoundExceptions) -> Iterable[Skipped]:
    unresolved = [each for each in exceptions.problems if each.kind is SubjectProblem.UNRESOLVED]
    return exception_gaps(unresolved, {each.entry.rule for each in unresolved})


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith(".") else f"{line}."


async def _read_tenant(
    environment: Mapping[str, str], parsed: ParsedRules, day: date
) -> tuple[Tenant, AlikeReading, BoundExceptions]:
    from entra_sod.cli.session import open_graph, say_who_asks  # slow, and --offline needs none

    graph = open_graph(environment, read_settings(environment).graph)
    try:
        await say_who_asks(graph)
        tenant = await read_tenant(graph, await _read_groups(graph, named_groups(parsed)))
        if parsed.problems:
            return tenant, AlikeReading(), BoundExceptions()
        subjects = ExceptionSubjects(SubjectResolver(users=graph))
        exceptions = await subjects.bind(
            [each for each in parsed.exceptions.values() if each.end >= day]
        )
        if needs_grants(parsed):
            grants = TenantGrants(graph, SystemClock())
            tenant = tenant.with_grants(await grants.read(tenant.packages))
        known = await _read_granting(graph, parsed, tenant, day)
        alike = await read_alike(GrantsOfGraph(graph), RuleSet(resolve(parsed, tenant, day)), known)
        fit = await _without_unfit_groups(graph, known)
        return tenant.with_granting(fit), alike, exceptions
    finally:
        await graph.close()


async def _read_granting(
    graph: Graph, parsed: ParsedRules, tenant: Tenant, day: date
) -> Mapping[str, AccessPackage]:
    """Read what packages grant, where rules ask for references to groups and to nothing else."""
    rules = filter(wants_groups_only, resolve(parsed, tenant, day, and_later=True))
    wanted = {each for rule in rules for side in rule.sides for each in side.packages}
    return {each.id: each for each in granting(await read_grants(graph, wanted))}


async def _without_unfit_groups(
    graph: Graph, packages: Mapping[str, AccessPackage]
) -> Mapping[str, AccessPackage]:
    """Leave out groups that cannot be held against a package, where groups may be looked up."""
    granted = {group for each in packages.values() for group in each.member_groups}
    looked_up = await _read_groups(graph, granted)
    unfit = {key for key, group in looked_up.items() if group and not group.is_security_enabled}
    return {
        key: replace(each, member_groups=each.member_groups - unfit)
        for key, each in packages.items()
    }


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
