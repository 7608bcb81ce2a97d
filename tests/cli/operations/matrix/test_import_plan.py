"""An import adds to a folder of rules, and changes nothing that people have written there."""

from __future__ import annotations

import pytest

from entra_sod.cli.operations.matrix import import_plan
from entra_sod.cli.operations.matrix.import_plan import RulesFolder
from entra_sod.cli.operations.matrix.model import MatrixError, RemarkKind
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.language import Mode
from entra_sod.domain.rules.parse import parse_rules
from tests.cli.operations.matrix.cases import EMPTY, added, after, matrix_of, said

HEAD = "Rule ID,Role A,Role B,Severity,Mitigation\n"
MATRIX = matrix_of(f"{HEAD}R1,A,B,high,Ann looks\nR2,B,C,low,\n")


def folder(**files: str) -> RulesFolder:
    named = {f"{name}.yaml": text for name, text in files.items()}
    return RulesFolder(named, parse_rules(SourceFile(*each) for each in named.items()))


def edited(found: RulesFolder, file: str, old: str, new: str) -> RulesFolder:
    assert old in found.files[file]
    files = {**found.files, file: found.files[file].replace(old, new)}
    return RulesFolder(files, parse_rules(SourceFile(*each) for each in files.items()))


def test_rules_only_record() -> None:
    """Whatever a matrix says, nothing is enforced by an import."""
    rules = after(added(MATRIX)).parsed.rules.values()
    assert {rule.mode for rule in rules} == {Mode.RECORD}


def test_importing_again_changes_nothing() -> None:
    """No file is written a second time."""
    plan = added(MATRIX, after(added(MATRIX)))
    assert (plan.files, plan.new, plan.present) == ({}, [], ["R1", "R2"])


def test_what_people_changed_stays() -> None:
    """Bindings, severity, owner and mode; a severity that the matrix has otherwise is told."""
    found = after(added(MATRIX))
    found = edited(found, "m.yaml", "severity: high", "severity: critical")
    found = edited(found, "m.yaml", "mode: record", "mode: warn")
    found = edited(found, "m.yaml", "owner: not named yet", "owner: ann@contoso.com")
    found = edited(found, "binding.yaml", "(not bound)", "Buy *")
    plan = added(MATRIX, found)
    assert plan.files == {}
    assert [each.what for each in plan.remarks if each.kind is RemarkKind.KEPT] == [
        "R1 is in m.yaml with another severity, and stays so."
    ]
    assert plan.unbound == []


def test_new_rows_are_added_below() -> None:
    """Comments and edits of the files stay as they are."""
    found = edited(after(added(MATRIX)), "binding.yaml", "classes:", "classes:  # bound by Ann")
    more = matrix_of(f"{HEAD}R1,A,B,high,Ann looks\nR2,B,C,low,\nR3,C,D,low,Two sign\n")
    plan = added(more, found)
    assert plan.new == ["R3"]
    for name, text in plan.files.items():
        assert text.startswith(found.files[name])
    assert set(after(plan, found).parsed.classes) == {"A", "B", "C", "D"}


def test_a_row_that_is_gone_is_told_and_its_rule_stays() -> None:
    """Importing a shorter file removes no rule."""
    plan = added(matrix_of(f"{HEAD}R2,B,C,low,\n"), after(added(MATRIX)))
    assert plan.files == {}
    assert [str(each.place) + " " + each.what for each in plan.remarks] == [
        "m.yaml R1 is not in what was imported now, and stays."
    ]


def test_an_id_with_other_duties_is_refused() -> None:
    """The rule that is there is not changed under its name."""
    plan = added(matrix_of(f"{HEAD}R1,A,X,high,\n"), after(added(MATRIX)))
    assert (plan.files, plan.new) == ({}, [])
    assert '"R1" keeps other duties apart in m.yaml.' in said_of(plan)


def said_of(plan: import_plan.ImportPlan) -> str:
    return " ".join(str(each) for each in plan.remarks)


def test_a_class_that_is_there_is_used_and_not_written_again() -> None:
    """Names are compared as people see them."""
    known = folder(own="version: 1\nclasses:\n  a:\n    packages: [{name: Pay}]\n")
    plan = added(MATRIX, known)
    assert "\n  A:" not in plan.files["binding.yaml"]
    assert "- classes: [a]" in plan.files["m.yaml"]
    assert plan.unbound == ["B", "C"]


def test_a_file_that_no_import_wrote_is_not_added_to() -> None:
    """Also if its name is that of the matrix."""
    with pytest.raises(MatrixError, match=r"m\.yaml is there, and no import wrote it"):
        added(MATRIX, folder(m="version: 1\nrules: []\n"))


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nclasses: {A: {packages: [{name: Pay}]}}\n",
        "classes:\n  Z:\n    packages: [{name: Pay}]\nversion: 1\n",
        "version: 1\nclasses:\n    Z:\n        packages: [{name: Pay}]\n",
    ],
)
def test_a_binding_in_another_form_is_left_alone(text: str) -> None:
    """Nothing is written, and the message says what form can be added to."""
    with pytest.raises(MatrixError, match=r"Nothing was written.*binding\.yaml.*block form"):
        added(MATRIX, folder(binding=text))


def test_large_matrices_become_several_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rules file has a limit; a later import goes on with the last one."""
    monkeypatch.setattr(import_plan, "MAX_WRITTEN", 900)
    rows = "".join(f"R{number},A{number},B{number},low,\n" for number in range(9))
    plan = added(matrix_of(HEAD + rows))
    names = {name for name in plan.files if name != "binding.yaml"}
    assert {"m.yaml", "m.2.yaml", "m.3.yaml"} <= names
    found = after(plan)
    assert len(found.parsed.rules) == 9
    assert added(matrix_of(HEAD + rows), found).files == {}
    more = added(matrix_of(f"{HEAD}{rows}R9,A9,B9,low,\n"), found)
    last = max(names, key=lambda name: (len(name), name))
    assert set(more.files) <= {"binding.yaml", last, f"m.{len(names) + 1}.yaml"}


def test_a_compensating_control_becomes_a_control() -> None:
    """Once for all rules that name it; nothing that a matrix does not say is made up."""
    found = after(added(matrix_of(f"{HEAD}R1,A,B,high,Two sign\nR2,B,C,low,two  sign\n"))).parsed
    (control,) = found.controls.values()
    assert {rule.control for rule in found.rules.values()} == {control.id}
    assert (control.title, control.days, control.evidence) == ("Two sign", 1, "not named yet")


def test_one_reference_with_two_texts_is_told() -> None:
    """The first text stays."""
    head = "Role A,Role B,Control ID,Mitigating control\n"
    plan = added(matrix_of(f"{head}A,B,C-1,One signs\nC,D,C-1,Two sign\n"))
    assert 'Control C-1 has another text already, which stays: "One signs".' in said_of(plan)


@pytest.mark.parametrize(
    "name", ["yes", "Null", "7", "a: b", "#a", "*x", "„Quote“", "a\u2028b", "é", "-", "{x}", "a'b"]
)
def test_any_text_is_written_so_that_it_reads_back(name: str) -> None:
    """Words of YAML, marks of it, and invisible characters."""
    text = HEAD.replace(",", ";") + f'R1;"{name} duty";Other;high;{name} control\n'
    found = after(added(matrix_of(text))).parsed
    duty = " ".join(f"{name} duty".split())
    assert duty in found.classes
    assert found.rules["R1"].between is not None


def test_the_place_of_a_row_is_kept() -> None:
    """File, hash and row of each rule."""
    text = added(MATRIX, EMPTY).files["m.yaml"]
    assert MATRIX.rules[0].sha256 in text
    assert "m.csv" in text
    assert said(MATRIX) == []
