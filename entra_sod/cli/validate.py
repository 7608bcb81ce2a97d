"""`entra-sod validate`: every mistake of the rules, with its place, in one run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.rules.lint import (
    alike_problems,
    exception_problems,
    lint,
    toxic_problems,
)
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import ConfigurationError, GraphError
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.domain.rules.exception_subjects import SubjectProblem
from entra_sod.domain.rules.parse import ParsedRules, read_rules
from entra_sod.domain.rules.resolve import Tenant
from entra_sod.domain.text import counted
from entra_sod.stores.rule_files import read_sources

if TYPE_CHECKING:
    from entra_sod.domain.results.coverage import Skipped
    from entra_sod.services.rules.alike import AlikeReading
    from entra_sod.services.rules.exception_subjects import BoundExceptions

# Typer does not look through a `type` statement.
RulesPaths = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Rules files, or folders of them.", exists=True)
]
Offline = Annotated[bool, typer.Option("--offline", help="Do only the checks that need no tenant.")]


class ValidateFormat(StrEnum):
    TEXT = "text"
    SARIF = "sarif"


ValidateAs = Annotated[
    ValidateFormat, typer.Option("--format", help="Output format; sarif is for code scanning.")
]


def validate(
    paths: RulesPaths,
    offline: Offline = False,  # noqa: FBT002 - a flag
    how: ValidateAs = ValidateFormat.TEXT,
) -> None:
    """Check rules files; print each mistake as file:line:column: message.

    Exit code 0: no mistake, warnings at most. 1: mistakes, or wrong settings. 3: no mistake was
    found, and the tenant could not be read, or not all of it.
    """
    sources = read_sources(paths)
    parsed = read_rules(sources.files, sources.unread)
    today = SystemClock().now().date()
    found, failure, has_wrong_settings = (
        (None, None, False) if offline else _try_tenant(os.environ, parsed, today)
    )
    tenant = found[0] if found else None
    named, unread = _read_of_tenant(parsed, today, *found) if found else ((), ())
    problems = sorted({*parsed.problems, *sources.left_out, *lint(parsed, today, tenant), *named})
    _print(problems, [f"{each.what}: {each.why}" for each in unread], failure, how)
    typer.echo(_summary(problems, len(sources.files) + len(sources.unread)), err=True)
    if not all(problem.is_warning for problem in problems) or has_wrong_settings:
        raise typer.Exit(ExitCode.ERROR)
    raise typer.Exit(ExitCode.UNKNOWN if failure or unread else ExitCode.NOTHING)


def _read_of_tenant(
    parsed: ParsedRules,
    today: date,
    tenant: Tenant,
    alike: AlikeReading,
    exceptions: BoundExceptions,
) -> tuple[Sequence[RulesProblem], Sequence[Skipped]]:
    """Return what only grants and names of subjects show, and what of them is not known."""
    in_force = {each.id for each in parsed.rules.values() if each.holds_on(today)}
    named = [
        *alike_problems(parsed, alike),
        *toxic_problems(parsed, alike, in_force),
        *exception_problems(parsed, exceptions.problems),
    ]
    unread = [
        *alike.unread_of_rules,
        *alike.unread,
        *_grants_not_read(tenant),
        *_subjects_not_known(exceptions),
    ]
    return named, unread


def _print(
    problems: Sequence[RulesProblem],
    not_known: Sequence[str],
    failure: str | None,
    how: ValidateFormat,
) -> None:
    """Print what was found; on standard error what could not be looked at, in every format."""
    if how is ValidateFormat.SARIF:
        from entra_sod.cli.operations.check_reports import FoundProblem, sarif  # slow to import

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
    import asyncio  # these are slow to import, and --offline needs none of them

    from entra_sod.cli.read_validated import read_validated_tenant

    try:
        found = asyncio.run(read_validated_tenant(environment, parsed, day))
    except (GraphError, ConfigurationError) as error:
        return None, _sentence(str(error)), isinstance(error, ConfigurationError)
    unlisted = found[0].unlisted
    return found, unlisted and _sentence(unlisted), False


def _grants_not_read(tenant: Tenant) -> list[Skipped]:
    from entra_sod.domain.results.coverage import Skipped  # slow to import, for tenants alone

    unread = tenant.grants.unread if tenant.grants else {}
    return [Skipped.of(f"what access package {key} grants", each) for key, each in unread.items()]


def _subjects_not_known(exceptions: BoundExceptions) -> Iterable[Skipped]:
    # Slow to import, and for tenants alone.
    from entra_sod.domain.results.coverage import exception_gaps

    unresolved = [each for each in exceptions.problems if each.kind is SubjectProblem.UNRESOLVED]
    return exception_gaps(unresolved, {each.entry.rule for each in unresolved})


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith(".") else f"{line}."


def _summary(problems: Sequence[RulesProblem], files: int) -> str:
    warnings = sum(problem.is_warning for problem in problems)
    parts = (counted(len(problems) - warnings, "mistake"), counted(warnings, "warning"))
    return f"{', '.join(parts)} in {counted(files, 'file')}"
