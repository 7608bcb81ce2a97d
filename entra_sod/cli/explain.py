"""`entra-sod explain`: the life of one finding, and what to do about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.findings_source import find_finding, open_findings, read_packages
from entra_sod.cli.lists import RulesIfAny, TextAs, TextFormat, folder_of, print_json, tell
from entra_sod.cli.show_explain import ExplainedFinding, explained_json, explained_lines
from entra_sod.cli.sweep import SweepUrl
from entra_sod.cli.terminal import out
from entra_sod.domain.portal import portal_links
from entra_sod.domain.rules.parse import ParsedRules, read_rules
from entra_sod.settings import CLOUDS
from entra_sod.stores.rule_files import read_sources

# Not `type` statements: typer does not look behind them.
ExplainedId = Annotated[
    str, typer.Argument(metavar="FINDING", help="Id of a finding, or the unique beginning of one.")
]


def explain(
    finding: ExplainedId,
    rules: RulesIfAny = None,
    how: TextAs = TextFormat.TABLE,
    url: SweepUrl = "",
) -> None:
    """Show one finding: subject, packages, rule, history, and what to do next.

    Reads the app's storage, or with --url asks a running app. The rule's title, its advice and the
    control of an exception come from the rules files.

    Exit code 0: shown. 1: an error, or no such finding.
    """
    raise typer.Exit(run(_explain(finding, rules, how, url)))


async def _explain(wanted: str, rules: Path | None, how: TextFormat, url: str) -> ExitCode:
    folder = folder_of(rules)
    async with open_findings(url) as source:
        finding = await find_finding(source, wanted)
        packages = await read_packages(source)
    told = ExplainedFinding(
        finding=finding,
        packages=packages,
        parsed=_parsed(folder),
        where=f"not in {folder}" if folder else "there is no folder of rules here",
        links=portal_links(CLOUDS.get(os.environ.get("GRAPH_CLOUD", ""), CLOUDS["global"])[0]),
    )
    if how is TextFormat.JSON:
        print_json(explained_json(told))
    else:
        # Addresses stay whole, so that they can be copied.
        out.print(explained_lines(told), crop=False)
    return ExitCode.NOTHING


def _parsed(folder: Path | None) -> ParsedRules | None:
    """Read the rules as far as they can be read: a mistake elsewhere hides no advice."""
    if folder is None:
        return None
    sources = read_sources([folder])
    parsed = read_rules(sources.files, sources.unread)
    if parsed.problems:
        tell(
            f"the rules in {folder} have mistakes: entra-sod validate {folder} --offline", "yellow"
        )
    return parsed
