"""Import, export, import: the rules are the same, in every format."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entra_sod.cli.operations.matrix.export import (
    as_csv_file,
    as_markdown,
    as_workbook,
    export_grid,
    export_table,
)
from entra_sod.cli.operations.matrix.model import MatrixError
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from tests.cli.operations.matrix.cases import added, after, matrix_of, said

HEADS = ("Rule ID", "Role A", "Role B", "Severity", "Owner", "Title", "Description", "Advice")
MORE = ("Control ID", "Mitigation", "Process", "Frameworks", "Valid from", "Valid to")
WRITERS = {
    "csv": (as_csv_file, "m.csv"),
    "markdown": (as_markdown, "m.md"),
    "xlsx": (lambda table: as_workbook(table, "Rules"), "m.xlsx"),
}
NASTY = [
    "=1+1",
    "'=x",
    "a;-b",
    "a|b",
    "**b**",
    "`c`",
    "_d_",
    "<any>",
    "a\\|b",
    "&amp;",
    "x: y",
    "@t",
]
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))
DUTY = st.one_of(st.sampled_from(["Pay", "pay ", "Approve", "Buy", *NASTY]), st.text(max_size=6))
DAY = st.sampled_from(["", "2026-01-01", "31.12.2026", "9999-12-31"])
ROW = st.tuples(
    st.one_of(st.just(""), st.sampled_from(["R1", "R2"]), TEXT),
    DUTY,
    DUTY,
    st.sampled_from(["", "high", "M", "4"]),
    *(TEXT for _ in range(8)),
    DAY,
    DAY,
)


def written(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([(*HEADS, *MORE), *rows])
    return text.getvalue().replace("\0", " ").encode("utf-8", errors="replace")


def content(parsed: ParsedRules) -> Any:
    """Rules, controls and classes, without the place that each was imported from."""
    rules = [
        {name: value for name, value in msgspec.to_builtins(rule).items() if name != "source"}
        for rule in parsed.rules.values()
    ]
    return rules, msgspec.to_builtins(parsed.controls), sorted(parsed.classes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, max_size=6), st.sampled_from(sorted(WRITERS)))
def test_import_export_import_is_the_identity(rows: list[tuple[str, ...]], form: str) -> None:
    """Whatever people have in their cells, and whatever was refused of it the first time."""
    parsed = after(added(matrix_of(written(rows)))).parsed
    if not parsed.rules:
        return
    table = export_table(parsed)
    write, name = WRITERS[form]
    again = matrix_of(write(table), name)
    assert said(again) == []
    assert table.left_out == []
    assert content(after(added(again)).parsed) == content(parsed)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(DUTY, DUTY, st.sampled_from(["high", "M", "4"])), max_size=8))
def test_a_grid_keeps_pairs_and_severities(rows: list[tuple[str, str, str]]) -> None:
    """It has no room for more."""
    filled = [("", one, other, severity, *("" for _ in range(10))) for one, other, severity in rows]
    parsed = after(added(matrix_of(written(filled)))).parsed
    if len(parsed.rules) < 2:
        return
    again = after(added(matrix_of(as_csv_file(export_grid(parsed))))).parsed
    assert pairs(again) == pairs(parsed)


def pairs(parsed: ParsedRules) -> set[tuple[frozenset[str], str]]:
    return {
        (frozenset(name for side in rule.between or () for name in side.classes), rule.severity)
        for rule in parsed.rules.values()
    }


@pytest.mark.parametrize(
    ("sides", "reason"),
    [
        ("[{classes: [a]}, {classes: [b, c]}]", "a side of it is not one class"),
        ("[{classes: [a]}, {packages: [{name: P}]}]", "a side of it is not one class"),
        ("[{classes: [a]}, {classes: [b], grants: [{app: P}]}]", "a side of it is not one class"),
        ("[{classes: [a]}, {classes: [b], alike: true}]", "a side of it is not one class"),
        ("[{classes: [a]}, {classes: [b]}, {classes: [c]}]", "each of more than two sides"),
    ],
)
def test_a_rule_that_no_matrix_can_state_is_left_out_and_named(sides: str, reason: str) -> None:
    """Nothing is written that would be read back as another rule."""
    table = export_table(parsed_with(f"between: {sides}"))
    assert table.rows == []
    ((rule, why),) = table.left_out
    assert (rule, reason in why) == ("r", True)


def test_a_rule_of_another_form_is_left_out_and_named() -> None:
    """A matrix has sides."""
    table = export_table(parsed_with("atMost: {count: 1, classes: [a]}"))
    assert [rule for rule, _ in table.left_out] == ["r"]


def parsed_with(form: str) -> ParsedRules:
    classes = "".join(f"  {name}: {{packages: [{{name: {name}}}]}}\n" for name in "abc")
    rule = f"  - {{id: r, title: t, severity: low, owner: o, mode: warn, {form}}}\n"
    return parse_rules([SourceFile("r.yaml", f"version: 1\nclasses:\n{classes}rules:\n{rule}")])


def test_the_largest_count_of_a_csv_is_guarded_against_formulas() -> None:
    """A spreadsheet takes no cell of an export for a formula, and an import takes the guard off."""
    rows = [("R1", "=Pay", "Approve", "high", "o", "=1+1", *("" for _ in range(8)))]
    parsed = after(added(matrix_of(written(rows)))).parsed
    data = as_csv_file(export_table(parsed)).decode()
    assert '"\'=Pay"' in data
    assert '"\'=1+1"' in data


def test_what_is_no_matrix_is_no_matrix_when_it_is_exported() -> None:
    """A table with heads alone has no rules, and says so."""
    table = export_table(parsed_with("atMost: {count: 1, classes: [a]}"))
    matrix = matrix_of(as_csv_file(table))
    assert list(matrix.rules) == []
    with pytest.raises(MatrixError):
        matrix_of(b"")


def test_classes_that_are_bound_by_grants_are_exported_and_imported_as_ever() -> None:
    """A matrix states duties; what is bound to them is in no matrix, and is not lost."""
    text = (
        "version: 1\nclasses: {a: {grants: [{app: Pay}]}, b: {grants: [{app: Buy}]}}\n"
        "rules: [{id: r, title: t, severity: low, owner: o, mode: record,"
        " between: [{classes: [a]}, {classes: [b]}]}]\n"
    )
    table = export_table(parse_rules([SourceFile("r.yaml", text)]))
    assert (table.left_out, [row[:3] for row in table.rows]) == ([], [("r", "a", "b")])
