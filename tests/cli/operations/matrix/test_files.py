"""Files as people and programs save them: encodings, separators, workbooks, and others."""

from __future__ import annotations

import codecs
import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from entra_sod.cli.operations.matrix import limits, read_workbook
from entra_sod.cli.operations.matrix.model import MatrixError, RemarkKind
from tests.cli.operations.matrix.cases import matrix_of, pairs, said, saved, workbook

TEXT = "Role A,Role B,Severity,Description\nPrüfer,Käufer,hoch,Größe\n"
ROWS = [["Role A", "Role B", "Severity"], ["A", "B", "high"]]


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        b"sep=;\r\n" + TEXT.replace(",", ";").encode(),
        b"\n\n" + TEXT.encode(),
    ],
)
def test_encodings_and_separators_of_spreadsheets_are_read(data: bytes) -> None:
    """The same matrix, however it was saved."""
    (rule,) = matrix_of(data).rules
    assert (rule.duties, rule.title, rule.severity) == (("Prüfer", "Käufer"), "Größe", "high")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("m.csv", "A,B\n".encode("utf-32"), "is no text"),
        ("m.csv", b"\x00\x01\x02binary", "is no text"),
        ("m.csv", b"Role A,Role B\nA\x81,B\n", "is neither UTF-8, UTF-16 nor windows-1252"),
        ("m.csv", codecs.BOM_UTF16_LE + b"A", "is neither UTF-8, UTF-16 nor windows-1252"),
        ("m.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an XLS workbook"),
        ("m.pdf", b"%PDF-1.7", "is a PDF"),
        ("m.xlsx", b"PK\x03\x04 and then nothing", "is a damaged workbook"),
        ("m.xlsx", b"PK\x03\x04", "is a damaged workbook"),
    ],
)
def test_a_file_of_another_kind_is_an_error(name: str, data: bytes, reason: str) -> None:
    """The message says what it is, and how to save it."""
    with pytest.raises(MatrixError, match=reason) as error:
        matrix_of(data, name)
    assert "Fix: " in str(error.value)


def zipped(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return data.getvalue()


def replaced(data: bytes, name: str, content: bytes) -> bytes:
    """A workbook with other content in one of its files."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return made.getvalue()


def test_a_zip_that_is_no_workbook_is_an_error() -> None:
    """Also one of the binary format of workbooks."""
    with pytest.raises(MatrixError, match="is a zip, and no XLSX workbook"):
        matrix_of(zipped(note=b"hello"), "m.xlsx")
    with pytest.raises(MatrixError, match="is an XLSB workbook"):
        matrix_of(zipped(**{"xl__workbook.bin": b""}), "m.xlsb")


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """By the ratio of one file, however small the zip is."""
    bomb = replaced(workbook({"S": ROWS}), "xl/worksheets/sheet1.xml", b" " * 30_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(MatrixError, match="unpacks to more than a matrix has"):
        matrix_of(bomb, "m.xlsx")


def test_many_files_that_unpack_to_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size of all of them together."""
    monkeypatch.setattr(read_workbook, "MAX_UNPACKED", 5_000)
    with pytest.raises(MatrixError, match="unpacks to more than a matrix has"):
        matrix_of(workbook({"S": ROWS}), "m.xlsx")


def test_too_many_files_within_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workbook has thousands of parts."""
    monkeypatch.setattr(read_workbook, "MAX_MEMBERS", 3)
    with pytest.raises(MatrixError, match="files within"):
        matrix_of(workbook({"S": ROWS}), "m.xlsx")


def test_a_document_type_is_refused() -> None:
    """Entities would let a small workbook become a large one."""
    lol = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    with pytest.raises(MatrixError, match="has a document type"):
        matrix_of(replaced(workbook({"S": ROWS}), "xl/worksheets/sheet1.xml", lol), "m.xlsx")


def test_16000_columns_by_accident_are_read_where_they_are_empty() -> None:
    """A blank far to the right costs nothing; text there is named with its row."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ROWS:
        sheet.append(row)
    sheet.cell(row=2, column=16_000, value=" ")
    assert pairs(matrix_of(saved(book), "m.xlsx")) == [("A", "B")]
    sheet.cell(row=2, column=16_000, value="x")
    with pytest.raises(MatrixError, match="has 16,000 columns in row 2; the maximum is 1,000"):
        matrix_of(saved(book), "m.xlsx")
    with pytest.raises(MatrixError, match="has 16,001 columns in row 1"):
        matrix_of("," * 16_000 + "x\n")


def test_more_rows_or_text_than_a_matrix_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each limit is named."""
    monkeypatch.setattr(limits, "MAX_ROWS", 3)
    with pytest.raises(MatrixError, match="has more than 3 rows"):
        matrix_of("Role A,Role B\n" + "A,B\n" * 3)
    monkeypatch.setattr(limits, "MAX_CHARACTERS", 10)
    with pytest.raises(MatrixError, match="too many cells or too much text"):
        matrix_of("Role A,Role B\n")
    with pytest.raises(MatrixError, match="a cell of more than 32,767 characters in row 1"):
        matrix_of("x" * 40_000)


def test_a_file_that_is_too_large_is_refused() -> None:
    """Before anything reads it."""
    with pytest.raises(MatrixError, match="has more than 20 MiB"):
        matrix_of(b"a" * (20 * 1024 * 1024 + 1))


def test_a_row_far_below_is_refused() -> None:
    """A sheet that claims a billion rows does not make the command wait."""
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="999999999"><c r="A999999999"><v>1</v></c></row></sheetData></worksheet>'
    )
    with pytest.raises(MatrixError, match="has more than 100,000 rows"):
        matrix_of(replaced(workbook({"S": ROWS}), "xl/worksheets/sheet1.xml", sheet), "m.xlsx")


def test_rows_that_are_not_in_order_are_refused() -> None:
    """A reader would pass over the second of them without a word."""
    rows = "".join(
        f'<row r="{number}"><c t="inlineStr"><is><t>Role {side}</t></is></c></row>'
        for number, side in ((5, "A"), (2, "B"))
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    with pytest.raises(MatrixError, match="is a damaged workbook"):
        matrix_of(replaced(workbook({"S": ROWS}), "xl/worksheets/sheet1.xml", sheet), "m.xlsx")


def test_a_long_sheet_is_read_in_pieces() -> None:
    """What stands at the end of one piece is seen once."""
    rows = [["Role A", "Role B"], *([f"A{number}", f"B{number}"] for number in range(15_000))]
    assert len(matrix_of(workbook({"S": rows}), "m.xlsx").rules) == 15_000


def test_merged_cells_have_the_value_of_their_range() -> None:
    """As people see them; and it is said."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [*ROWS, ["", "C", "low"], ["D", "E", "low"]]:
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    matrix = matrix_of(saved(book), "m.xlsx")
    assert pairs(matrix) == [("A", "B"), ("A", "C"), ("D", "E")]
    assert "merged range" in said(matrix, RemarkKind.NOTE)[0]


FORMULAS = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>Role A</t></is></c>'
    b'<c r="B1" t="inlineStr"><is><t>Role B</t></is></c></row>'
    b'<row r="2"><c r="A2" t="str"><f>UPPER("a")</f><v>A</v></c>'
    b'<c r="B2" t="inlineStr"><is><t>B</t></is></c></row>'
    b'<row r="3"><c r="A3" t="str"><f>UPPER("c")</f></c>'
    b'<c r="B3" t="inlineStr"><is><t>D</t></is></c></row></sheetData></worksheet>'
)


def test_formulas_count_as_last_computed_and_nothing_is_evaluated() -> None:
    """A formula of which the file has no value is refused; it is not an empty cell."""
    data = replaced(workbook({"S": ROWS}), "xl/worksheets/sheet1.xml", FORMULAS)
    matrix = matrix_of(data, "m.xlsx")
    assert pairs(matrix) == [("A", "B")]
    assert said(matrix) == ["3: Role A has #NOT COMPUTED! in place of a value."]
    assert "2 cells have formulas" in said(matrix, RemarkKind.NOTE)[0]


def test_values_of_cells_are_read_as_text() -> None:
    """Numbers without a decimal point, dates, and truths."""
    head = ["Role A", "Role B", "Severity", "ValidFrom"]
    data = workbook({"S": [head, [7, 8.0, 3, date(2026, 5, 1)]]})
    (rule,) = matrix_of(data, "m.xlsx").rules
    assert (rule.duties, rule.severity) == (("7", "8"), "high")
    assert rule.effective is not None
    assert rule.effective.start == date(2026, 5, 1)


def test_a_sheet_that_is_no_matrix_is_named() -> None:
    """An import that has not read everything says so; a named sheet is enough by itself."""
    data = workbook({"Cover": [["Made by", "Ann"]], "Rules": ROWS})
    matrix = matrix_of(data, "m.xlsx")
    assert said(matrix, RemarkKind.UNREAD) == ["0: The table is no matrix."]
    assert pairs(matrix) == [("A", "B")]


def test_tables_of_markdown_lose_their_marks() -> None:
    """Bold, code, escapes, breaks and entities; the row is the line of the file."""
    text = (
        "# Duties\n\n| Role A | Role B | Description |\n|---|:-:|---|\n"
        r"| **A** | `B_1` | x \| y &amp; *z*<br>w |" + "\n\nwords | and | words\n"
    )
    (rule,) = matrix_of(text, "m.md").rules
    assert (rule.duties, rule.title, rule.origin.row) == (("A", "B_1"), "x | y & z w", 5)
