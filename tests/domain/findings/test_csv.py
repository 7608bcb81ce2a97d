from __future__ import annotations

import csv
import io

import pytest

from entra_sod.domain.findings.views import csv_table

FULL_WIDTH = ["\uff1d", "\uff0b", "\uff0d", "\uff20"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", *FULL_WIDTH, " =", "\u00a0="])
@pytest.mark.parametrize("before", ["", "x;", "x|", "x\t", "x\n", "x\r"])
def test_c3_no_cell_is_a_formula(sign: str, before: str) -> None:
    """At the beginning of a cell, or where one begins for a reader that does not know the comma."""
    table = csv_table(["name"], [[f"{before}{sign}1+1"]]).decode()
    [cell] = list(csv.reader(io.StringIO(table, newline="")))[1]
    assert f"'{sign}" in cell
    assert cell.replace("'", "") == f"{before}{sign}1+1"


@pytest.mark.parametrize("blank", ["\t", "\r", "\n"])
def test_c3_no_cell_begins_with_a_tab_or_the_end_of_a_line(blank: str) -> None:
    """A spreadsheet may pass it over, and see what is behind it."""
    assert csv_table([], [[f"{blank}x"]]).decode().startswith(f"\"'{blank}")


def test_c3_every_field_is_quoted() -> None:
    """So that a reader who separates at `;` sees one cell as one."""
    table = csv_table(["a", "b"], [["x;=1+1", 'say "x"']]).decode()
    assert table == '"a","b"\r\n"x;\'=1+1","say ""x"""\r\n'


@pytest.mark.parametrize(
    "name", ["Ana-Maria O'Neil", "a@b.example", "1+1=2", "Zahlung; prüfen", ""]
)
def test_c3_other_names_stay(name: str) -> None:
    """A sign within a name is no formula."""
    [[cell]] = csv.reader(io.StringIO(csv_table([], [[name]]).decode()))
    assert cell == name
