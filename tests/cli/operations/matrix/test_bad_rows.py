"""Rows that are no rule are refused with their number and the reason; the others are read."""

from __future__ import annotations

from datetime import date

import pytest

from entra_sod.cli.operations.matrix.model import MatrixError, RemarkKind
from entra_sod.cli.operations.matrix.pairs import clauses
from entra_sod.cli.operations.matrix.severity_words import SEVERITY_WORDS, read_severity_words
from entra_sod.domain.rules.language import Effective, Severity
from tests.cli.operations.matrix.cases import added, matrix_of, pairs, said

HEAD = "Rule ID,Role A,Role B,Severity,Description\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("R,<any>,B,high,", 'Role A says "<any>", which fits everything'),
        ("R,A,*,high,", 'Role B says "*", which fits everything'),
        ("R,A,ALL,high,", 'Role B says "ALL", which fits everything'),
        ("R,A,,high,", "Role B is empty."),
        ("R,A,n/a,high,", "Role B is empty."),
        ("R,A,B,urgent,", '"urgent" is no severity that is known.'),
        ("R,A,a ,high,", 'It keeps "A" from itself.'),
        ('R,A,"B\nC\nD",high,', "Role B has more than the name of one duty"),
        ("R,A,B AND C,high,", "Role B has more than the name of one duty"),
        ("R,A,B; C,high,", "Role B has more than the name of one duty"),
        (f"R,A,{'B' * 101},high,", "Role B has more than the name of one duty"),
        ("R,#REF!,B,high,", "Role A has #REF! in place of a value."),
        ("R,A,B,#N/A,", "Severity has #N/A in place of a value."),
        (f"{'R' * 101},A,B,high,", "Rule ID has 101 characters."),
    ],
)
def test_a_row_is_refused_with_its_number_and_the_reason(row: str, reason: str) -> None:
    """The row before and the row after are rules all the same."""
    matrix = matrix_of(f"{HEAD}R1,C,D,low,\n{row}\nR3,E,F,low,\n")
    (refused,) = said(matrix)
    assert refused.startswith("3: ")
    assert reason in refused
    assert pairs(matrix) == [("C", "D"), ("E", "F")]
    assert all(each.fix for each in matrix.remarks)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("HIGH", "high"),
        ("H", "high"),
        ("Critical", "critical"),
        ("m", "medium"),
        ("4", "critical"),
        ("1", "low"),
        ("Hoch", "high"),
        (" very  high ", "critical"),
    ],
)
def test_words_for_severities_are_a_table(word: str, severity: str) -> None:
    """Case and blanks do not matter."""
    (rule,) = matrix_of(f"{HEAD}R,A,B,{word},\n").rules
    assert rule.severity == Severity(severity)


def test_numbers_for_severities_are_told() -> None:
    """Whether 1 or 4 is the gravest differs from matrix to matrix, so a reader has to know."""
    notes = said(matrix_of(f"{HEAD}R,A,B,3,\n"), RemarkKind.NOTE)
    assert notes == ["0: Severities 1 to 4 were read as low to critical."]


def test_a_word_can_be_added_to_the_table() -> None:
    """`--word` adds words, and wins over the table."""
    assert read_severity_words(["P1=critical", "1=critical"]) == {
        **SEVERITY_WORDS,
        "p1": Severity.CRITICAL,
        "1": Severity.CRITICAL,
    }


@pytest.mark.parametrize("text", ["P1", "P1=grave", "=high", ""])
def test_a_word_that_is_written_in_another_way_is_an_error(text: str) -> None:
    """The message says how to write it."""
    with pytest.raises(MatrixError, match="WORD=SEVERITY"):
        read_severity_words([text])


def test_no_severity_is_none_and_becomes_the_default() -> None:
    """A matrix without severities is no mistake."""
    matrix = matrix_of("Role1,Role2\nA,B\n")
    assert matrix.rules[0].severity is None
    assert "severity: medium" in added(matrix).files["m.yaml"]


def test_fewer_leg_columns_than_legs_are_refused_and_the_prose_is_quoted() -> None:
    """Two legs of five would be a wider rule than the one that is meant."""
    head = "CODE,ENT_LEG1,ENT_LEG2,SOD_DESC,NUMBER_OF_LEGS\n"
    (refused,) = said(matrix_of(f"{head}X,A,B,then C and D and E,5\n"))
    assert 'NUMBER_OF_LEGS is "5", and ENT_LEG1 and ENT_LEG2 have 2' in refused
    assert "then C and D and E" in refused


def test_an_acceptance_is_refused_and_its_rule_is_imported() -> None:
    """An exception requires a name and an end. Without them the conflict is recorded."""
    matrix = matrix_of("Role,Conflicting Role,Status\nA,B,Accepted\nC,D,Open\n")
    (refused,) = said(matrix)
    assert refused.startswith("2: It says accepted, without a person and an end.")
    assert pairs(matrix) == [("A", "B"), ("C", "D")]


@pytest.mark.parametrize(
    ("start", "end", "effective"),
    [
        ("2026-01-31", "31.12.2026", "2026-01-31 2026-12-31"),
        ("1900-01-01", "2154-12-31", "None"),
        ("1/1/1900", "", "None"),
        ("", "9999-12-31", "None"),
        ("2026-01-01 00:00:00", "", "2026-01-01 None"),
    ],
)
def test_dates_become_the_time_of_a_rule(start: str, end: str, effective: str) -> None:
    """What systems write for *never* is no date."""
    (rule,) = matrix_of(f"Role A,Role B,ValidFrom,ValidTo\nA,B,{start},{end}\n").rules
    found = rule.effective
    assert (f"{found.start} {found.end}" if found else "None") == effective


@pytest.mark.parametrize(("start", "end"), [("03/04/2026", ""), ("soon", ""), ("2026-02-30", "")])
def test_a_date_that_is_not_clear_is_refused(start: str, end: str) -> None:
    """The third of April, or the fourth of March: it is not guessed."""
    (refused,) = said(matrix_of(f"Role A,Role B,ValidFrom,ValidTo\nA,B,{start},{end}\n"))
    assert "is no clear date" in refused


def test_an_end_before_its_beginning_is_refused() -> None:
    """A rule that is never in force would look like one that finds nothing."""
    text = "Role A,Role B,ValidFrom,ValidTo\nA,B,2026-02-01,2026-01-01\n"
    assert said(matrix_of(text)) == ["2: It ends before it begins."]


def test_two_rows_for_one_pair_are_one_rule_and_said() -> None:
    """A-B beside B-A, whatever their ids; the graver severity and the longer time hold."""
    text = (
        "Rule ID,Role A,Role B,Severity,ValidTo\n"
        "R1,A,B,low,2020-12-31\nR2,b,a,high,\nR3,A,B,medium,2030-01-01\n"
    )
    matrix = matrix_of(text)
    (rule,) = matrix.rules
    assert (rule.id, rule.severity, rule.effective) == ("R1", Severity.HIGH, None)
    assert said(matrix, RemarkKind.MERGED) == [
        "3: R2 keeps the same duties apart as R1 in row 2, and its severity high holds.",
        "4: R3 keeps the same duties apart as R1 in row 2.",
    ]
    assert "# also m.csv:3 (R2), m.csv:4 (R3)" in added(matrix).files["m.yaml"]


def test_times_of_two_rows_for_one_pair_are_taken_together() -> None:
    """The rule is in force from the first to the last day of both."""
    text = "Role A,Role B,ValidFrom,ValidTo\nA,B,2026-01-01,2026-03-31\nB,A,2026-03-01,2026-12-31\n"
    (rule,) = matrix_of(text).rules
    assert rule.effective == Effective(date(2026, 1, 1), date(2026, 12, 31))


def test_one_id_on_several_pairs_is_several_rules() -> None:
    """Each has the id with an ending that its duties make, so that order does not matter."""
    rows = ["P,A,B,high,", "P,A,C,high,"]
    ids = {
        tuple(sorted(added(matrix_of(HEAD + "\n".join(order))).new)) for order in (rows, rows[::-1])
    }
    assert len(ids) == 1
    assert all(each.startswith("P-") for each in ids.pop())


def test_an_id_of_its_own_is_the_same_for_both_orders_of_a_pair() -> None:
    """A matrix without ids that is turned over finds its rules again."""
    one = added(matrix_of("Role1,Role2\nPay,Approve\n")).new
    assert one == added(matrix_of("Role1,Role2\napprove,PAY\n")).new


def test_a_head_that_is_repeated_among_the_rows_is_no_row() -> None:
    """Files that were put together have it."""
    matrix = matrix_of(f"{HEAD}R1,A,B,low,\n{HEAD}R2,C,D,low,\n")
    assert pairs(matrix) == [("A", "B"), ("C", "D")]
    assert said(matrix) == []


def test_lines_above_the_head_are_passed_over() -> None:
    """Titles of a report, and a head of two lines."""
    text = f"Matrix of 2026,,,,\n,,,,\n,Sides,Sides,,\n{HEAD}R1,A,B,low,\n"
    matrix = matrix_of(text)
    assert pairs(matrix) == [("A", "B")]
    assert matrix.rules[0].origin.row == 5


def test_two_columns_with_one_meaning_are_not_read() -> None:
    """Which of two severities holds is not guessed: the table is not read, and named."""
    matrix = matrix_of("Role A,Role B,Severity,Risk Level\nA,B,high,low\n")
    assert said(matrix, RemarkKind.UNREAD) == [
        '1: Two columns have the same meaning: "Risk Level".'
    ]
    assert matrix.rules == []


def test_columns_that_mean_nothing_to_an_import_are_named() -> None:
    """Nothing of a file is passed over in silence."""
    matrix = matrix_of("Role A,Role B,Approver's mood\nA,B,good\n")
    assert said(matrix, RemarkKind.NOTE) == ['0: Columns that were not used: "Approver\'s mood".']


@pytest.mark.parametrize(
    "text", ["", "\n\n", "one\ntwo\n", "A,B\n1,2\n", "Function,Action\nF,A\n", '{"rules": []}']
)
def test_a_file_without_a_matrix_is_an_error(text: str) -> None:
    """The message says what was found and what a matrix has."""
    with pytest.raises(MatrixError, match="has no table that is a matrix"):
        matrix_of(text)


def test_more_than_two_duties_of_a_risk_count_only_together() -> None:
    """Two of three would be a wider rule; where the language has no allOf, the rule is refused."""
    matrix = matrix_of("RISKID,FUNCTID\nP1,A\nP1,B\nP1,C\nP2,A\nP2,B\n")
    assert pairs(matrix) == [("A", "B", "C"), ("A", "B")]
    plan = added(matrix)
    text = plan.files["m.yaml"]
    assert "P2" in plan.new
    assert ("allOf:" in text) is ("P1" in plan.new)
    assert text.count("- classes: [C]") == ("P1" in plan.new)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("SOX 404; ISO/IEC 27001 A.5.3", ["SOX|404", "ISO/IEC 27001|A.5.3"]),
        ("ISO/IEC 27001:2022: A.5.3", ["ISO/IEC 27001:2022|A.5.3"]),
        ("SOX", ["SOX|-"]),
        ("a;-b; ;", ["a|-", "-b|-"]),
        ("", []),
    ],
)
def test_frameworks_are_split_into_clauses(cell: str, found: list[str]) -> None:
    """As people write them, and as an export does."""
    assert [f"{each.id}|{each.ref}" for each in clauses(cell)] == found
    exported = "; ".join(f"{each.id}: {each.ref}" for each in clauses(cell))
    assert list(clauses(exported)) == list(clauses(cell))


def test_more_clauses_than_a_rule_may_have_are_refused() -> None:
    """The row is named; the other rows are rules."""
    cell = ";".join(f"F {number}" for number in range(21))
    (refused,) = said(matrix_of(f"Role A,Role B,Frameworks\nA,B,{cell}\n"))
    assert refused == "2: Frameworks has 21 clauses."
