"""`entra-sod export`: rules as a matrix, for people who work in a spreadsheet."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from entra_sod.cli.commands import PlanRulesFolder
from entra_sod.cli.exit_code import ExitCode
from entra_sod.cli.operations.matrix.export import (
    ExportedTable,
    as_csv_file,
    as_markdown,
    as_workbook,
    export_grid,
    export_table,
)
from entra_sod.core.errors import RulesError
from entra_sod.core.names import visible
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.stores.rule_files import read_sources


class MatrixFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    MARKDOWN = "markdown"
    GRID = "grid"


app = typer.Typer(help="Rules as a matrix.", no_args_is_help=True)


@app.callback()
def _export() -> None:
    """Keep `export matrix` two words, though it is the only one."""


@app.command("matrix")
def export_matrix(
    rules: PlanRulesFolder = Path("rules"),
    how: Annotated[
        MatrixFormat,
        typer.Option(
            "--format", help="Output format; grid is CSV with the duties as rows and as columns."
        ),
    ] = MatrixFormat.CSV,
    file: Annotated[
        Path | None, typer.Option("--out", help="File to write. Default: standard output.")
    ] = None,
) -> None:
    """Write the rules as a matrix, which `import matrix` reads back.

    A grid contains only pairs and severities.

    Exit code 0: all rules were exported. 2: rules with a side that is not one class were left out;
    each is named. 1: the rules have mistakes.
    """
    if how is MatrixFormat.XLSX and file is None:
        raise typer.BadParameter("xlsx cannot be printed. Fix: --format xlsx --out matrix.xlsx")
    try:
        parsed = _read(rules)
        table = export_grid(parsed) if how is MatrixFormat.GRID else export_table(parsed)
        data = _encoded(table, how)
        if file is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            file.write_bytes(data)
    except (RulesError, OSError) as error:
        problems = error.problems if isinstance(error, RulesError) else (f"entra-sod: {error}",)
        for problem in problems:
            typer.echo(visible(problem), err=True)
        raise typer.Exit(ExitCode.ERROR) from error
    for rule_id, why in table.left_out:
        typer.echo(visible(f"{rule_id} is not in the matrix: {why}"), err=True)
    typer.echo(f"{len(parsed.rules) - len(table.left_out)} of {len(parsed.rules)} rules", err=True)
    raise typer.Exit(ExitCode.of(table.left_out, ()))


def _read(folder: Path) -> ParsedRules:
    sources = read_sources([folder], within=folder)
    if sources.unread:
        raise RulesError(list(map(str, sources.unread)))
    return parse_rules(sources.files)


def _encoded(table: ExportedTable, how: MatrixFormat) -> bytes:
    if how is MatrixFormat.XLSX:
        return as_workbook(table, "Rules")
    return as_markdown(table) if how is MatrixFormat.MARKDOWN else as_csv_file(table)
