"""Matrices in a line or two, and what their import says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

from openpyxl import Workbook

from entra_sod.cli.operations.matrix.import_plan import (
    ImportPlan,
    RuleDefaults,
    RulesFolder,
    plan_import,
)
from entra_sod.cli.operations.matrix.model import Matrix, RemarkKind
from entra_sod.cli.operations.matrix.read_files import read_data
from entra_sod.cli.operations.matrix.read_matrix import read_matrix
from entra_sod.cli.operations.matrix.severity_words import SEVERITY_WORDS
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import ParsedRules, parse_rules

EMPTY = RulesFolder({}, ParsedRules())


def matrix_of(data: bytes | str, name: str = "m.csv") -> Matrix:
    """Read a file as `import matrix` does."""
    encoded = data.encode() if isinstance(data, str) else data
    return read_matrix(read_data(name, encoded), SEVERITY_WORDS)


def said(matrix: Matrix, kind: RemarkKind = RemarkKind.REFUSED) -> list[str]:
    """Rows and reasons of one kind."""
    return [f"{each.place.row}: {each.what}" for each in matrix.remarks if each.kind is kind]


def pairs(matrix: Matrix) -> list[tuple[str, ...]]:
    return [rule.duties for rule in matrix.rules]


def added(matrix: Matrix, folder: RulesFolder = EMPTY, name: str = "m") -> ImportPlan:
    return plan_import(matrix, folder, name, RuleDefaults())


def after(plan: ImportPlan, folder: RulesFolder = EMPTY) -> RulesFolder:
    """The folder that a plan makes of another."""
    files = {**folder.files, **plan.files}
    parsed = parse_rules(SourceFile(name, text) for name, text in files.items())
    return RulesFolder(files, parsed)


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    book = Workbook()
    del book[book.active.title if book.active else ""]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    data = BytesIO()
    book.save(data)
    return data.getvalue()
