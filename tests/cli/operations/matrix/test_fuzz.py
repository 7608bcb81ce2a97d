"""Whatever a file holds: a matrix, refusals or one error in words; never a traceback."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.matrix.model import MatrixError
from entra_sod.domain.rules.language import Mode
from tests.cli.operations.matrix.cases import added, after, matrix_of, workbook

NAMES = st.sampled_from(["m.csv", "m.xlsx", "m.md", "m"])
HEADS = st.sampled_from(
    [
        "Role A",
        "Role B",
        "Role",
        "Conflicting Role",
        "Risk ID",
        "FUNCTID",
        "ACTION",
        "Severity",
        "System_A",
        "System_B",
        "ENT_LEG1",
        "ENT_LEG2",
        "NUMBER_OF_LEGS",
        "Status",
        "Valid to",
        "X",
        "Frameworks",
        "Cannot be combined with",
        "ACTIVE",
        "Mitigation",
        "Control ID",
        "|",
        "---",
    ]
)
CELLS = st.one_of(
    HEADS,
    st.sampled_from(["", "A", "B", "x", "H", "4", "2", "<any>", "#REF!", "9999", "Accepted", "\0"]),
    st.text(max_size=8),
)
TABLES = st.lists(st.lists(CELLS, max_size=7), max_size=8)
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def imported(data: bytes, name: str) -> None:
    """Read a file and plan its import: an error in words, or rules that enforce nothing."""
    with suppress(MatrixError):
        parsed = after(added(matrix_of(data, name))).parsed
        assert not parsed.problems
        assert {each.mode for each in parsed.rules.values()} <= {Mode.RECORD}


@SETTINGS
@given(st.binary(max_size=300), NAMES)
def test_bytes_end_in_words(data: bytes, name: str) -> None:
    """Any bytes under any name."""
    imported(data, name)


@SETTINGS
@given(TABLES, st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_cells_of_csv_end_in_words(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    """Heads, traps and any text in any order."""
    text = io.StringIO()
    with suppress(csv.Error):
        csv.writer(text, delimiter=delimiter).writerows(rows)
    imported(text.getvalue().encode(encoding, errors="replace"), "m.csv")


@SETTINGS
@given(TABLES)
def test_cells_of_markdown_end_in_words(rows: list[list[str]]) -> None:
    """Tables that are cut off, nested and escaped."""
    head, *others = rows or [[]]
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *others)]
    imported("\n".join(lines).encode(errors="replace"), "m.md")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TABLES, TABLES, st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_damaged_workbooks_end_in_words(
    rows: list[list[str]], more: list[list[str]], at: int, damage: bytes
) -> None:
    """Some bytes of the zip are others than they were."""
    data = bytearray(workbook({"Functions": printable(rows), "Risks": printable(more)}))
    imported(bytes(data), "m.xlsx")
    at %= len(data)
    data[at : at + len(damage)] = damage
    imported(bytes(data), "m.xlsx")


def printable(rows: list[list[str]]) -> list[list[str]]:
    """What openpyxl writes into a cell."""
    return [["".join(filter(str.isprintable, cell)) for cell in row] for row in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"]),
    st.one_of(st.binary(max_size=50), st.sampled_from([b"<a/>", b"<worksheet/>", b"<a><b></a>"])),
)
def test_workbooks_with_other_parts_end_in_words(member: str, content: bytes) -> None:
    """One file of the zip is another one."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"S": [["Role A", "Role B"], ["A", "B"]]}))) as old,
        zipfile.ZipFile(made, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    imported(made.getvalue(), "m.xlsx")


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"*" * 200_000,
        lambda: b"|" * 50_000 + b"\n|---|\n",
        lambda: b"| *a " * 50_000 + b"|\n|---|\n",
        lambda: b'"' * 200_001,
        lambda: b"a,b\n" * 50_000,
        lambda: b"\\" * 100_000 + b"|a\n|---|---|\n",
        lambda: b"| Role A | Role B |\n|---|---|\n| " + b"_a _" * 8_000 + b" | b |\n",
    ],
    ids=["stars", "pipes", "marks", "quotes", "rows", "escapes", "underscores"],
)
def test_patterns_that_could_take_for_ever_end(make: Callable[[], bytes]) -> None:
    """No text has an import look back and forth without end; the run's own limit ends this test."""
    for name in ("m.md", "m.csv"):
        imported(make(), name)
