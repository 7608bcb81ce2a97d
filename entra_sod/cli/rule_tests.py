"""`entra-sod test`: unit tests for a customer's rules, in the customer's CI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import PlanRulesFolder
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.check_reports import (
    UNMET,
    FoundProblem,
    JUnitCase,
    JUnitSuite,
    junit,
    sarif,
)
from entra_sod.cli.operations.rules.rule_tests import RuleTestOutcome, run_rule_tests
from entra_sod.cli.terminal import err
from entra_sod.cli.yaml_files import read_yaml, yaml_files
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import RulesError, SodError
from entra_sod.core.names import visible
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.text import counted
from entra_sod.stores.rule_files import FolderRules


class RuleTestFormat(StrEnum):
    TEXT = "text"
    JUNIT = "junit"
    SARIF = "sarif"


RuleTestAs = Annotated[
    RuleTestFormat, typer.Option("--format", help="Output format; junit and sarif are for CI.")
]


@dataclass(frozen=True, slots=True)
class TestedFile:
    """A test file: what became of it, or the mistakes that kept it from being run.

    Attributes:
        within: the folder that the names of files in its mistakes are relative to.
    """

    __test__ = False  # for pytest, which takes its name for that of a test

    name: str
    outcome: RuleTestOutcome | None
    mistakes: Sequence[str] = ()
    within: Path = Path()


def test_rules(
    files: Annotated[
        list[Path], typer.Argument(help="Files with tests (YAML), or folders of them.", exists=True)
    ],
    rules: PlanRulesFolder = Path("rules"),  # noqa: PT028 - a command, no test of ours
    how: RuleTestAs = RuleTestFormat.TEXT,  # noqa: PT028
) -> None:
    """Run tests of the rules: who is in conflict, and who may get what; needs no tenant.

    Exit code 0: everything is as expected. 1: something is not, or a file has a mistake.
    """
    tested = _test(files, rules)
    mistakes = [each for file in tested for each in file.mistakes]
    if how is RuleTestFormat.TEXT:
        _print_failures(tested)
    else:
        typer.echo(_junit(tested) if how is RuleTestFormat.JUNIT else _sarif(tested), nl=False)
    for each in mistakes:
        typer.echo(each, err=True)
    if any(each.outcome is None or each.outcome.failures for each in tested):
        raise typer.Exit(ExitCode.ERROR)


def _test(paths: Sequence[Path], rules: Path) -> Sequence[TestedFile]:
    """Run all files; where the rules have mistakes, these are all that there is to tell."""
    try:
        parsed = parse_rules(asyncio.run(FolderRules(rules, tell=err.print).files()))
        files = yaml_files(paths)
    except (SodError, OSError) as error:
        return [TestedFile(rules.as_posix(), None, _mistakes(error), rules)]
    if not files:
        named = ", ".join(each.as_posix() for each in paths)
        return [TestedFile(named, None, [f"{named}:1:1: has no YAML file with tests"])]
    today = SystemClock().now().date()
    return [_run(path, parsed, today) for path in files]


def _run(path: Path, parsed: ParsedRules, today: date) -> TestedFile:
    try:
        return TestedFile(path.as_posix(), run_rule_tests(read_yaml(path), parsed, today))
    except RulesError as error:
        return TestedFile(path.as_posix(), None, _mistakes(error))


def _mistakes(error: SodError | OSError) -> Sequence[str]:
    if isinstance(error, RulesError):
        return error.problems
    return [visible(f"entra-sod: {error}")]


def _print_failures(tested: Sequence[TestedFile]) -> None:
    for each in tested:
        for failure in each.outcome.failures if each.outcome else ():
            typer.echo(str(failure))
    outcomes = [each.outcome for each in tested]
    if any(outcomes) or len(outcomes) > 1:
        typer.echo(summary(outcomes))


def summary(outcomes: Iterable[RuleTestOutcome | None]) -> str:
    """How many expectations there were, how many failed, and how many files were of no use."""
    all_of_them = list(outcomes)
    run = [outcome for outcome in all_of_them if outcome is not None]
    failed = sum(len(outcome.failures) for outcome in run)
    total = counted(sum(outcome.expectations for outcome in run), "expectation")
    text = f"{total} in {counted(len(run), 'file')}: {f'{failed} failed' if failed else 'all met'}"
    unread = len(all_of_them) - len(run)
    return f"{text}; {counted(unread, 'file')} with mistakes not run" if unread else text


def _sarif(tested: Sequence[TestedFile]) -> str:
    return sarif(found for each in tested for found in _found(each))


def _found(tested: TestedFile) -> Iterator[FoundProblem]:
    for mistake in tested.mistakes:
        yield FoundProblem.read(mistake).within(tested.within)
    for failure in tested.outcome.failures if tested.outcome else ():
        yield FoundProblem(failure, UNMET)


def _junit(tested: Sequence[TestedFile]) -> str:
    return junit([JUnitSuite(each.name, list(_cases(each))) for each in tested])


def _cases(tested: TestedFile) -> Iterator[JUnitCase]:
    for mistake in tested.mistakes:
        yield JUnitCase("the file can be used", error=mistake)
    for person in tested.outcome.people if tested.outcome else ():
        yield JUnitCase(person.name, person.failures)
