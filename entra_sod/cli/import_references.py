"""`entra-sod import references`: the incompatible packages and groups of a tenant as rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import run
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.import_rules import (
    ImportFormat,
    ImportReportAs,
    Owner,
    exit_code,
    read_folder,
    report,
    told,
    write_whole,
)
from entra_sod.cli.lists import tell
from entra_sod.cli.operations.inventory import named_by_rules
from entra_sod.cli.operations.matrix.import_plan import (
    DEFAULT_OWNER,
    DEFAULT_SEVERITY,
    RulesFolder,
    slug,
)
from entra_sod.cli.operations.matrix.model import MatrixError, Remark
from entra_sod.cli.operations.references.import_plan import (
    ReferencesImport,
    ReferencesOutput,
    WantedReferences,
    plan_references,
    require_sound,
)
from entra_sod.cli.operations.references.write_rules import WritingOptions
from entra_sod.cli.operations.tenant_state import content_hash
from entra_sod.cli.packages import InCatalog
from entra_sod.cli.read_references import TenantReferences, read_references
from entra_sod.cli.session import Session, open_session
from entra_sod.cli.terminal import MAX_ROWS, out
from entra_sod.core.names import visible
from entra_sod.domain.entra import Reference, ReferenceKind
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.rules.resolve import resolve
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.domain.text import TextPattern, counted, fold_for_patterns

_MAX_STEM, _ENDING = 60, ".yaml"

OutFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="File to write. Default: rules/references.yaml, with --catalog named after it.",
        dir_okay=False,
    ),
]
ImportSeverity = Annotated[
    Severity, typer.Option(help="Severity of the rules, because a tenant has none.")
]


def import_references(
    catalog: InCatalog = "",
    file: OutFile = None,
    owner: Owner = DEFAULT_OWNER,
    severity: ImportSeverity = DEFAULT_SEVERITY,
    how: ImportReportAs = ImportFormat.TABLE,
) -> None:
    """Make rules of the incompatible packages and groups that are set in the tenant today.

    The rules name packages and groups by id, with names as comments, and only record. What rules
    in other files of the folder already name is left out. Importing again writes the file anew,
    unless you have changed it. References that work one way are marked, with what is missing.

    Exit code 0: done. 2: some references cannot be asked for by a rule. 3: not everything could be
    read. 1: an error; nothing was written.
    """
    path = file or _default(catalog)
    with told():
        work = _import(path, catalog, owner, severity, how)
        raise typer.Exit(run(work, refused=ExitCode.UNKNOWN))


def _default(catalog: str) -> Path:
    name = slug(catalog, _MAX_STEM)
    return Path("rules") / f"references{'-' if name else ''}{name}{_ENDING}"


async def _import(
    path: Path, catalog: str, owner: str, severity: Severity, how: ImportFormat
) -> ExitCode:
    output, folder = _output(path)
    async with open_session() as session:
        read = await read_references(session)
        today = session.clock.now().date()
    references = _wanted(read, catalog)
    rules = RuleSet(resolve(folder.parsed, read.tenant, today, and_later=True))
    options = WritingOptions(
        name_of=lambda kind, key: _name(read, kind, key),
        source=_source(session, references),
        graph=session.settings.graph.root,
        owner=owner,
        severity=severity,
    )
    wanted = WantedReferences(
        references=references,
        named=named_by_rules(rules, read.state.packages),
        state=read.state,
        gaps=read.gaps,
    )
    plan = plan_references(wanted, output, options)
    require_sound(plan, folder)
    for name, text in plan.files.items():
        write_whole(path.parent / name, text)
    _report(plan, how)
    _tell(plan, read, references, path)
    return exit_code(plan.remarks)


def _output(path: Path) -> tuple[ReferencesOutput, RulesFolder]:
    """Read the output as it is, and the rules beside it.

    Raises:
        MatrixError: the file has another ending, or the rules beside it have mistakes.
    """
    if path.suffix != _ENDING:
        raise MatrixError(f"--out {path}: the name has to end in {_ENDING}, as rules files do.")
    pattern = re.compile(rf"{re.escape(path.stem)}(?:\.[1-9]\d*)?\.yaml")
    found = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    before = {
        each.name: each.read_text(encoding="utf-8", errors="replace")
        for each in found
        if pattern.fullmatch(each.name)
    }
    output = ReferencesOutput(stem=path.stem, before=before)
    anew = before.keys() - set(output.changed) if not output.changed else frozenset[str]()
    return output, read_folder(path.parent, lambda each: each.name in anew)


def _wanted(read: TenantReferences, catalog: str) -> frozenset[Reference]:
    """Return the references of the tenant, or those on and to packages of a catalog."""
    if not catalog.strip():
        return read.state.present
    pattern = TextPattern(catalog.strip())
    packages = {
        key
        for key, each in read.tenant.packages.items()
        if pattern.fits(fold_for_patterns(each.catalog_name))
    }
    return frozenset(
        each for each in read.state.present if not packages.isdisjoint((each.on, each.target))
    )


def _name(read: TenantReferences, kind: ReferenceKind, key: str) -> str:
    name, package = read.name(key, kind), read.package(key)
    catalog = package.catalog_name if kind is ReferenceKind.PACKAGE and package else ""
    return f"{name} ({catalog})" if name and catalog else name


def _source(session: Session, references: Collection[Reference]) -> str:
    root, digest = session.settings.graph.root, content_hash(sorted(references))
    return f"{root}, {len(references)} references, {digest}"


def _report(plan: ReferencesImport, how: ImportFormat) -> None:
    width = out.width if out.is_terminal else None
    remarks: Sequence[Remark] = plan.remarks
    if how is ImportFormat.TABLE and width:
        remarks = plan.remarks[:MAX_ROWS]
    typer.echo(report(remarks, how, width), nl=False)
    if more := len(plan.remarks) - len(remarks):
        typer.echo(f"and {more:,} more, see --format csv")


def _tell(
    plan: ReferencesImport, read: TenantReferences, references: Collection[Reference], path: Path
) -> None:
    """Say what was made, and what to do next."""
    missing = sum(len(each.missing) for each in plan.rules)
    written = ", ".join(str(path.parent / name) for name in plan.files) or "no file"
    total = counted(len(references), "reference")
    text = (
        f"{counted(len(plan.rules), 'rule')} for {plan.references:,} of {total}; "
        f"{plan.named:,} named by other rules, {missing:,} missing in the other direction; "
        f"{written} written"
    )
    tell(visible(text))
    if not references and not read.gaps:
        tell("the tenant has no incompatible packages or groups that could be made rules")
    if plan.files:
        tell(f"Next: entra-sod validate {path.parent}, then set the mode of rules, and run")
        tell(f"entra-sod plan --rules {path.parent}")
