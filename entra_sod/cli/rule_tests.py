"""`entra-sod test`: unit tests for a customer's rules, in the customer's CI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import PlanRulesFolder
from entra_sod.cli.operations.rules.rule_tests import RuleTestOutcome, run_rule_tests
from entra_sod.cli.terminal import err
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import RulesError, SodError
from entra_sod.domain.rules.document import SourceFile, decode
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.stores.rule_files import FolderRules


def test_rules(
    files: Annotated[
        list[Path], typer.Argument(help="Tests: YAML files.", exists=True, dir_okay=False)
    ],
    rules: PlanRulesFolder = Path("rules"),  # noqa: PT028 - a command, no test of ours
) -> None:
    """Run tests of the rules: who is in conflict, and who may get what; needs no tenant.

    Exit code 0: everything is as expected. 1: something is not, or a file has a mistake.
    """
    try:
        parsed = parse_rules(asyncio.run(FolderRules(rules, tell=err.print).files()))
    except SodError as error:
        _print_mistakes(error)
        raise typer.Exit(1) from error
    today = SystemClock().now().date()
    outcomes = [_run(path, parsed, today) for path in files]
    typer.echo(summary(outcomes))
    if any(outcome is None or outcome.failures for outcome in outcomes):
        raise typer.Exit(1)


def summary(outcomes: Iterable[RuleTestOutcome | None]) -> str:
    """How many expectations there were, how many failed, and how many files were of no use."""
    all_of_them = list(outcomes)
    run = [outcome for outcome in all_of_them if outcome is not None]
    failed = sum(len(outcome.failures) for outcome in run)
    total = _counted(sum(outcome.expectations for outcome in run), "expectation")
    text = f"{total} in {_counted(len(run), 'file')}: {f'{failed} failed' if failed else 'all met'}"
    unread = len(all_of_them) - len(run)
    return f"{text}; {_counted(unread, 'file')} with mistakes not run" if unread else text


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _run(path: Path, parsed: ParsedRules, today: date) -> RuleTestOutcome | None:
    try:
        outcome = run_rule_tests(_read(path), parsed, today)
    except RulesError as error:
        _print_mistakes(error)
        return None
    for failure in outcome.failures:
        typer.echo(str(failure))
    return outcome


def _read(path: Path) -> SourceFile:
    file = decode(path.as_posix(), path.read_bytes())
    if isinstance(file, SourceFile):
        return file
    raise RulesError([str(file)])


def _print_mistakes(error: SodError) -> None:
    for line in error.problems if isinstance(error, RulesError) else (f"entra-sod: {error}",):
        typer.echo(line, err=True)
