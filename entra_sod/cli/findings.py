"""`entra-sod findings`: what was found, from the app's storage or from a running app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from entra_sod.cli.choices import choose_package
from entra_sod.cli.commands import run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.findings_source import (
    FindingsSource,
    Packages,
    find_finding,
    open_findings,
    read_packages,
)
from entra_sod.cli.lists import (
    ListAs,
    ListFormat,
    folder_of,
    print_json,
    print_list,
    tell,
)
from entra_sod.cli.show_findings import findings_list, in_order
from entra_sod.cli.sweep import SweepUrl
from entra_sod.cli.terminal import shown
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.findings.views import FindingView, as_csv
from entra_sod.domain.near_names import did_you_mean
from entra_sod.domain.rules.parse import read_rules
from entra_sod.services.findings.query import MAX_PAGE_SIZE, FindingsQuery, parse_query
from entra_sod.stores.rule_files import read_sources

# Not `type` statements: typer does not look behind them.
FindingName = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Show only this finding, as JSON. The unique beginning of an id is enough.",
    ),
]
RuleFilter = Annotated[str, typer.Option("--rule", help="Only findings of this rule (id).")]
StateFilter = Annotated[
    str, typer.Option("--state", help="Only these states, separated by commas.")
]
SeverityFilter = Annotated[
    str, typer.Option("--severity", help="Only these severities, separated by commas.")
]
PackageFilter = Annotated[
    str,
    typer.Option(
        "--package", help="Only this access package: its name, its id, or the beginning of its id."
    ),
]
KindFilter = Annotated[
    str, typer.Option("--kind", help="Only these kinds of conflict, separated by commas.")
]
SubjectFilter = Annotated[
    str,
    typer.Option("--subject", help="Only this subject: one of its ids, or a user principal name."),
]
ProcessFilter = Annotated[str, typer.Option("--process", help="Only rules of this process.")]
TagFilter = Annotated[str, typer.Option("--tag", help="Only rules with this tag.")]
FrameworkFilter = Annotated[
    str,
    typer.Option(
        "--framework", help="Only rules of this framework, such as SOX, or of a clause of it."
    ),
]
OwnerFilter = Annotated[str, typer.Option("--owner", help="Only rules of this owner.")]
SinceFilter = Annotated[
    str, typer.Option("--since", help="Only findings whose state changed on or after this date.")
]


def findings(  # noqa: PLR0917 - an option for each filter
    finding_id: FindingName = "",
    rule: RuleFilter = "",
    state: StateFilter = "",
    severity: SeverityFilter = "",
    kind: KindFilter = "",
    package: PackageFilter = "",
    subject: SubjectFilter = "",
    since: SinceFilter = "",
    process: ProcessFilter = "",
    tag: TagFilter = "",
    framework: FrameworkFilter = "",
    owner: OwnerFilter = "",
    how: ListAs = ListFormat.TABLE,
    url: SweepUrl = "",
) -> None:
    """List findings; from the app's storage, or with --url from a running app.

    On a terminal the subjects of one conflict stand below its packages. To read one finding with
    its history, advice and next steps: entra-sod explain ID.

    Exit code 0: listed, also if there are findings. 1: an error, or no such finding.
    """
    filters = {
        "rule": rule,
        "state": state,
        "severity": severity,
        "kind": kind,
        "subject": subject,
        "since": since,
        "process": process,
        "tag": tag,
        "framework": framework,
        "owner": owner,
        "pageSize": str(MAX_PAGE_SIZE),
    }
    given = {name: value for name, value in filters.items() if value}
    raise typer.Exit(run(_show(given, package, finding_id, how, url)))


async def _show(
    given: dict[str, str], package: str, finding_id: str, how: ListFormat, url: str
) -> ExitCode:
    query = parse_query(given)
    async with open_findings(url) as source:
        if finding_id:
            print_json(await find_finding(source, finding_id))
            return ExitCode.NOTHING
        packages = await read_packages(source)
        if package:
            wanted = await _package(source, package, packages, query)
            query = parse_query({**given, "package": wanted})
        found = in_order([each async for each in source.findings(query)], packages)
    _print(found, packages, how)
    if not found:
        tell(_why_empty(query))
    return ExitCode.NOTHING


async def _package(
    source: FindingsSource, wanted: str, packages: Packages, query: FindingsQuery
) -> str:
    """Return the id of a package on the tenant's list; if that is not known, of a finding.

    Raises:
        NoSuchChoice, AmbiguousChoice: it is not one package.
    """
    if packages:
        return choose_package(wanted, packages)
    named = {key async for each in source.findings(query) for key in each.pair}
    return choose_package(wanted, {key: AccessPackage(id=key) for key in named})


def _print(found: Sequence[FindingView], packages: Packages, how: ListFormat) -> None:
    """Print the list; its CSV is the one that the app answers with."""
    if how is ListFormat.CSV:
        typer.echo(as_csv(found), nl=False)
    else:
        print_list(findings_list(found, packages), how, found)


def _why_empty(query: FindingsQuery) -> str:
    if query.rule:
        near = did_you_mean(query.rule, _known_rules() - {query.rule})
        return f"there is no finding of rule {shown(query.rule)} that fits.{near}"
    return "there are no findings that fit"


def _known_rules() -> set[str]:
    """Return the ids of the rules in the folder, if there is one."""
    if (folder := folder_of(None)) is None:
        return set()
    sources = read_sources([folder])
    return set(read_rules(sources.files, sources.unread).rules)
