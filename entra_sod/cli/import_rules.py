"""`entra-sod import`: rules from the matrices that people have, and from packs. It only adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from textwrap import fill
from typing import Annotated

import msgspec
import typer

from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.matrix.import_plan import (
    BINDING,
    CONTROLS,
    DEFAULT_OWNER,
    DEFAULT_SEVERITY,
    ImportPlan,
    RuleDefaults,
    RulesFolder,
    plan_import,
    slug,
)
from entra_sod.cli.operations.matrix.model import Matrix, MatrixError, Remark, RemarkKind
from entra_sod.cli.operations.matrix.packs import pack_names, read_pack
from entra_sod.cli.operations.matrix.read_files import read_sheets
from entra_sod.cli.operations.matrix.read_matrix import read_matrix
from entra_sod.cli.operations.matrix.severity_words import read_severity_words
from entra_sod.cli.terminal import err, in_markdown, out
from entra_sod.core.errors import RulesError, SodError
from entra_sod.core.names import visible
from entra_sod.domain.findings.views import csv_table
from entra_sod.domain.rules.document import RulesProblem, SourceFile
from entra_sod.domain.rules.language import Severity
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.text import counted
from entra_sod.stores.rule_files import RulesSources, read_sources

_MAX_STEM, _MAX_CELL = 60, 500  # characters
_COLUMNS = ("kind", "file", "sheet", "row", "what", "fix")


class ImportFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


OutFolder = Annotated[
    Path,
    typer.Option(
        "--out", help="Folder of the rules files. It may already contain some.", file_okay=False
    ),
]
Owner = Annotated[str, typer.Option(help="Owner of the rules for which the input names none.")]
ImportReportAs = Annotated[ImportFormat, typer.Option("--format", help="Format of the report.")]

app = typer.Typer(
    help="Import rules from a matrix (CSV, XLSX, Markdown), a pack, or a tenant.",
    no_args_is_help=True,
)


@app.command("matrix")
def import_matrix(  # noqa: PLR0917 - options, which typer passes by name
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE", help="Matrix: CSV, XLSX or Markdown.", exists=True, dir_okay=False
        ),
    ],
    folder: OutFolder = Path("rules"),
    owner: Owner = DEFAULT_OWNER,
    severity: Annotated[
        Severity, typer.Option(help="Severity of rules that have none in the file.")
    ] = DEFAULT_SEVERITY,
    words: Annotated[
        list[str] | None,
        typer.Option(
            "--word",
            help="What a word in the file means as a severity: P1=critical. May be repeated.",
        ),
    ] = None,
    sheets: Annotated[
        list[str] | None,
        typer.Option("--sheet", help="Read only this sheet. May be repeated. Default: all sheets."),
    ] = None,
    how: ImportReportAs = ImportFormat.TABLE,
) -> None:
    """Add the rules of a matrix to a folder, over classes that you bind to access packages.

    The rules only record. Importing again adds what is new and changes nothing else. Files of one
    export, such as functions and risks of SAP GRC, are read together.

    Exit code 0: all rows are rules. 2: some rows were refused; the report gives row and reason. 3:
    a table could not be read. 1: an error; nothing was written.
    """
    with told():
        table = read_severity_words(words or ())
        matrix = read_matrix(read_sheets(files), table, sheets or ())
        defaults = RuleDefaults(owner=owner, severity=severity)
        raise typer.Exit(_add(matrix, folder, files[0].stem, defaults, how))


@app.command("pack")
def import_pack(
    name: Annotated[str, typer.Argument(help="Name of the pack: " + ", ".join(pack_names()) + ".")],
    folder: OutFolder = Path("rules"),
    owner: Owner = DEFAULT_OWNER,
    how: ImportReportAs = ImportFormat.TABLE,
) -> None:
    """Add the rules of a pack to a folder, over classes that you bind to access packages.

    A pack names clauses of frameworks that its rules help with. It claims no compliance.

    Exit code 0: done. 2: some rules were refused. 1: an error; nothing was written.
    """
    with told():
        raise typer.Exit(_add(read_pack(name), folder, name, RuleDefaults(owner=owner), how))


@contextmanager
def told() -> Iterator[None]:
    """Say an error in one line."""
    try:
        yield
    except (SodError, OSError) as error:
        typer.echo(f"entra-sod: {visible(str(error))}", err=True)
        raise typer.Exit(ExitCode.ERROR) from error


def _add(
    matrix: Matrix, folder: Path, stem: str, defaults: RuleDefaults, how: ImportFormat
) -> ExitCode:
    name = slug(stem, _MAX_STEM) or "matrix"
    if f"{name}.yaml" in (BINDING, CONTROLS):
        name += "-matrix"
    plan = plan_import(matrix, read_folder(folder), name, defaults)
    for file, text in plan.files.items():
        write_whole(folder / file, text)
    typer.echo(report(plan.remarks, how, out.width if out.is_terminal else None), nl=False)
    typer.echo(folded(_summary(plan, folder), err.width if err.is_terminal else None), err=True)
    return exit_code(plan.remarks)


def read_folder(
    folder: Path, is_left_out: Callable[[SourceFile], bool] = lambda _: False
) -> RulesFolder:
    """Read the rules files of a folder, which may not be there yet.

    Args:
        folder: of the rules.
        is_left_out: whether a file is passed over, because it is about to be written anew.

    Raises:
        MatrixError: they have mistakes, so that what is there is not known.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return RulesFolder({}, ParsedRules())
    sources = read_sources([folder], within=folder)
    unread = [each for each in sources.unread if not _is_only_empty(each, sources)]
    try:
        files = [each for each in sources.files if not is_left_out(each)]
        parsed = _parse(files, unread)
    except RulesError as error:
        first = error.problems[0]
        raise MatrixError(
            f"{folder} has rules with mistakes, so what is there is not known ({first}). "
            f"Fix: entra-sod validate {folder} --offline"
        ) from error
    return RulesFolder({file.name: file.text for file in files}, parsed)


def _parse(files: Sequence[SourceFile], unread: Sequence[RulesProblem]) -> ParsedRules:
    if unread:
        raise RulesError(list(map(str, unread)))
    return parse_rules(files)


def _is_only_empty(problem: RulesProblem, sources: RulesSources) -> bool:
    """Whether a folder has no rules file yet, which is no mistake for an import."""
    return not sources.files and problem.message == "has no YAML file"


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)


def exit_code(remarks: Sequence[Remark]) -> ExitCode:
    refused = [each for each in remarks if each.kind is RemarkKind.REFUSED]
    unread = [each for each in remarks if each.kind is RemarkKind.UNREAD]
    return ExitCode.of(refused, unread)


def report(remarks: Sequence[Remark], how: ImportFormat, width: int | None) -> str:
    """Write the report, as wide as the terminal. What a person must act on comes first."""
    ordered = sorted(remarks, key=lambda each: (list(RemarkKind).index(each.kind), each.place))
    rows = [_cells(each) for each in ordered]
    match how:
        case ImportFormat.JSON:
            made = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
            return msgspec.json.format(msgspec.json.encode(made)).decode() + "\n"
        case ImportFormat.CSV:
            return csv_table(_COLUMNS, rows).decode()
        case ImportFormat.MARKDOWN:
            table = [_COLUMNS, ["---"] * len(_COLUMNS), *(map(_in_markdown, row) for row in rows)]
            return "".join(f"| {' | '.join(row)} |\n" for row in table)
        case ImportFormat.TABLE:
            lines = [folded([visible(str(each))], width) for each in ordered]
            return "".join(f"{line}\n" for line in lines)


def _cells(remark: Remark) -> Sequence[str]:
    place = remark.place
    return (
        remark.kind,
        place.file,
        place.sheet,
        str(place.row or ""),
        remark.what,
        remark.fix,
    )


def _in_markdown(cell: str) -> str:
    return in_markdown(cell, _MAX_CELL)


def folded(lines: Iterable[str], width: int | None) -> str:
    """Fold lines at blanks on a terminal; what is piped keeps a line for each thing."""
    if width is None:
        return "\n".join(lines)
    return "\n".join(fill(line, width, subsequent_indent="    ") for line in lines)


def _summary(plan: ImportPlan, folder: Path) -> Sequence[str]:
    """Say what was written, and what to do next."""
    rules = f"{counted(len(plan.new), 'rule')} added"
    if plan.present:
        rules += f", {len(plan.present)} there already"
    refused = sum(each.kind is RemarkKind.REFUSED for each in plan.remarks)
    written = ", ".join(plan.files) or "no file"
    lines = [f"{rules}, {counted(refused, 'row')} refused; {written} written"]
    if plan.unbound:
        classes = counted(len(plan.classes), "class", "classes")
        lines += [
            f"{len(plan.unbound)} of {classes} not bound: their rules cover nothing.",
            f"Next: name packages in {folder / BINDING}, and run",
            f"entra-sod validate {folder}",
        ]
    return [visible(line) for line in lines]
