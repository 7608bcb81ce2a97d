"""`entra-sod import` and `entra-sod export`, as people and programs run them."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.cli.import_rules import ImportFormat, report
from entra_sod.cli.operations.matrix.model import CellPlace, Remark, RemarkKind
from entra_sod.cli.operations.matrix.packs import pack_names, read_pack
from entra_sod.domain.entra import AccessPackage
from entra_sod.domain.results.coverage import selection_gaps
from entra_sod.domain.rules.document import SourceFile
from entra_sod.domain.rules.parse import ParsedRules, parse_rules
from entra_sod.domain.rules.resolve import Tenant, resolve
from entra_sod.domain.rules.ruleset import RuleSet
from local.processes import CHECKOUT

MATRIX = "Rule ID,Role A,Role B,Severity\nR1,Buy,Pay,high\nR2,Pay,<any>,high\n"
SOUND = "Rule ID,Role A,Role B,Severity\nR1,Buy,Pay,high\n"
PACKS = CHECKOUT / "packs"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "m.csv"
    path.write_text(MATRIX)
    return path


def parsed(folder: Path) -> ParsedRules:
    return parse_rules(
        SourceFile(path.name, path.read_text()) for path in sorted(folder.glob("*.yaml"))
    )


def test_refused_rows_are_exit_code_2_and_the_others_are_written(
    matrix: Path, tmp_path: Path
) -> None:
    """The report is on standard output; what to do next is on standard error."""
    code, out, err = run("import", "matrix", matrix, "--out", tmp_path / "r")
    assert code == 2
    assert out.startswith('m.csv:3: refused: Role B says "<any>", which fits everything')
    assert err.startswith("1 rule added, 1 row refused; binding.yaml, m.yaml written\n")
    assert f"Next: name packages in {tmp_path / 'r' / 'binding.yaml'}, and run\n" in err
    assert err.endswith(f"\nentra-sod validate {tmp_path / 'r'}\n")
    assert set(parsed(tmp_path / "r").rules) == {"R1"}


def test_all_rows_are_exit_code_0(matrix: Path, tmp_path: Path) -> None:
    """Also the second time, when nothing is written."""
    matrix.write_text(SOUND)
    assert run("import", "matrix", matrix, "--out", tmp_path / "r")[:2] == (0, "")
    code, out, err = run("import", "matrix", matrix, "--out", tmp_path / "r")
    assert (code, out) == (0, "")
    assert err.startswith("0 rules added, 1 there already, 0 rows refused; no file written\n")


def test_a_table_that_was_not_read_is_exit_code_3(tmp_path: Path) -> None:
    """It wins over refused rows."""
    page = "| Made by | On |\n|---|---|\n| Ann | Monday |\n\n"
    rows = [line.split(",") for line in MATRIX.splitlines()]
    lines = [rows[0], ["---"] * 4, *rows[1:]]
    path = tmp_path / "m.md"
    path.write_text(page + "".join(f"| {' | '.join(row)} |\n" for row in lines))
    code, out, _ = run("import", "matrix", path, "--out", tmp_path / "r")
    assert code == 3
    assert out.startswith(
        "m.md: not read: The table is no matrix. Fix: give it two columns of duties"
    )


@pytest.mark.parametrize("text", ["", "no matrix at all", "Role A,Role B\nA\x00,B\n"])
def test_a_file_that_cannot_be_imported_is_exit_code_1(
    text: str, matrix: Path, tmp_path: Path
) -> None:
    """One line says why, and no folder is made."""
    matrix.write_text(text)
    code, out, err = run("import", "matrix", matrix, "--out", tmp_path / "r")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "Fix: " in err
    assert not (tmp_path / "r").exists()


def test_rules_with_a_mistake_are_not_added_to(matrix: Path, tmp_path: Path) -> None:
    """What is there has to be known first; nothing is written."""
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "own.yaml").write_text("version: 1\nrules: [{id: x}]\n")
    code, _, err = run("import", "matrix", matrix, "--out", folder)
    assert (code, list(folder.iterdir())) == (1, [folder / "own.yaml"])
    assert "has rules with mistakes" in err
    assert f"entra-sod validate {folder} --offline" in err


def test_a_folder_with_other_files_and_rules_is_added_to(matrix: Path, tmp_path: Path) -> None:
    """Files that are no rules, and rules of people, stay as they are."""
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "README.md").write_text("hello")
    assert run("import", "matrix", matrix, "--out", folder)[0] == 2
    assert (folder / "README.md").read_text() == "hello"
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "binding.yaml", "m.yaml"]


def test_a_folder_that_is_a_file_is_wrong_use(matrix: Path) -> None:
    """The command says so before it reads anything."""
    assert run("import", "matrix", matrix, "--out", matrix)[0] == 1


@pytest.mark.parametrize("form", ["json", "csv", "markdown"])
def test_the_report_is_for_programs_too(form: str, matrix: Path, tmp_path: Path) -> None:
    """File, row, reason and what to do are fields of their own."""
    _, out, _ = run("import", "matrix", matrix, "--out", tmp_path / "r", "--format", form)
    if form == "json":
        (line,) = json.loads(out)
    elif form == "csv":
        (line,) = csv.DictReader(io.StringIO(out))
    else:
        head, _, row = (each.strip("| \n").split(" | ") for each in out.splitlines())
        line = dict(zip(head, row, strict=True))
    assert (line["kind"], line["row"]) == ("refused", "3")
    assert "name one duty" in line["fix"]


def test_a_terminal_gets_folded_lines_and_a_pipe_whole_ones() -> None:
    """At 80 columns no line is longer, and no word is cut; piped, each refusal is one line."""
    place = CellPlace("a matrix of many.csv", "", 7)
    what, fix = 'Role B has more than the name of one duty: "A AND B".', "give each a row."
    remark = Remark(kind=RemarkKind.REFUSED, place=place, what=what, fix=fix)
    narrow = report([remark], ImportFormat.TABLE, 80)
    assert max(map(len, narrow.splitlines())) <= 80
    piped = report([remark], ImportFormat.TABLE, None)
    assert piped == f"a matrix of many.csv:7: refused: {what} Fix: {fix}\n"
    assert narrow.split() == piped.split()


def test_names_in_a_file_are_data(tmp_path: Path) -> None:
    """Escape sequences reach neither a terminal nor the rules."""
    path = tmp_path / "m.csv"
    path.write_text("Role A,Role B,Severity\n\x1b[31mBuy,P\u202eay,\x1b]8;;x\n")
    _, out, err = run("import", "matrix", path, "--out", tmp_path / "r")
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err


def test_owner_and_severity_of_rows_that_have_none(tmp_path: Path) -> None:
    """Said once on the command line."""
    path = tmp_path / "m.csv"
    path.write_text("Role1,Role2,Rating\nA,B,\nC,D,P1\n")
    options = ("--owner", "ann@contoso.com", "--severity", "low", "--word", "P1=critical")
    assert run("import", "matrix", path, "--out", tmp_path / "r", *options)[0] == 0
    rules = parsed(tmp_path / "r").rules.values()
    assert [(rule.owner, rule.severity) for rule in rules] == [
        ("ann@contoso.com", "low"),
        ("ann@contoso.com", "critical"),
    ]


def test_a_class_without_a_binding_covers_nothing_and_validate_says_so(
    matrix: Path, tmp_path: Path
) -> None:
    """A warning for each class, by name, until a package is put there."""
    folder = tmp_path / "r"
    run("import", "matrix", matrix, "--out", folder)
    code, out, _ = run("validate", folder, "--offline")
    assert (code, out.count("is not bound to packages, groups or grants yet")) == (0, 2)
    unbound = "classes.Buy is not bound to packages, groups or grants yet"
    assert f"{unbound}: it selects nothing for R1" in out
    binding = folder / "binding.yaml"
    binding.write_text(binding.read_text().replace("[{name: (not bound)}]", "[{name: Buy *}]", 1))
    _, out, _ = run("validate", folder, "--offline")
    assert "classes.Buy" not in out
    assert "classes.Pay" in out


def test_a_rule_over_classes_that_are_not_bound_is_a_gap(matrix: Path, tmp_path: Path) -> None:
    """A sweep never calls it clear, whatever packages there are."""
    run("import", "matrix", matrix, "--out", tmp_path / "r")
    packages = [AccessPackage(id=name, display_name=name) for name in ("Buy", "Pay")]
    resolved = resolve(parsed(tmp_path / "r"), Tenant(packages), date(2026, 6, 1))
    assert [gap.what for gap in selection_gaps(RuleSet(resolved))] == [
        "side 1 of rule R1",
        "side 2 of rule R1",
    ]


def test_an_export_is_read_back(matrix: Path, tmp_path: Path) -> None:
    """To a file in each format, or to standard output."""
    matrix.write_text(SOUND)
    run("import", "matrix", matrix, "--out", tmp_path / "r")
    for form, ending in (("csv", "csv"), ("xlsx", "xlsx"), ("markdown", "md")):
        file = tmp_path / f"out.{ending}"
        exported = run(
            "export", "matrix", "--rules", tmp_path / "r", "--format", form, "--out", file
        )
        assert exported == (0, "", "1 of 1 rules\n")
        assert run("import", "matrix", file, "--out", tmp_path / form)[0] == 0
        assert parsed(tmp_path / form).rules.keys() == {"R1"}
    code, out, _ = run("export", "matrix", "--rules", tmp_path / "r", "--format", "grid")
    assert (code, out.lstrip("\ufeff")) == (
        0,
        '"","Buy","Pay"\n"Buy","","high"\n"Pay","high",""\n',
    )


def test_a_workbook_needs_a_file(tmp_path: Path) -> None:
    """A terminal has no use for it."""
    code, _, err = run("export", "matrix", "--rules", tmp_path, "--format", "xlsx")
    assert (code, "--out" in err) == (1, True)


def test_rules_that_no_matrix_can_state_are_exit_code_2() -> None:
    """The demo's rules name packages: each is named as left out."""
    code, _, err = run("export", "matrix", "--rules", CHECKOUT / "rules")
    assert code == 2
    assert "pay-and-approve is not in the matrix: a side of it is not one class" in err
    assert "0 of " in err


def test_an_export_of_rules_with_mistakes_is_exit_code_1(tmp_path: Path) -> None:
    """Nothing is written."""
    (tmp_path / "own.yaml").write_text("version: 1\nrules: [{id: x}]\n")
    code, out, err = run("export", "matrix", "--rules", tmp_path, "--out", tmp_path / "m.csv")
    assert (code, out, (tmp_path / "m.csv").exists()) == (1, "", False)
    assert "own.yaml:2:" in err


def test_there_are_six_packs() -> None:
    """Each has a test tenant and a binding for it."""
    assert pack_names() == [
        "entra-administration",
        "hire-to-retire",
        "it-operations",
        "order-to-cash",
        "procure-to-pay",
        "record-to-report",
    ]
    for folder in (PACKS / "tests", PACKS / "tests" / "bindings"):
        assert sorted(path.stem for path in folder.glob("*.yaml")) == pack_names()


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_passes_its_tests_once_it_is_bound(name: str, tmp_path: Path) -> None:
    """Imported, bound to the packages of its test tenant, and tested by `entra-sod test`."""
    folder = tmp_path / "r"
    assert run("import", "pack", name, "--out", folder, "--owner", "Ann")[:2] == (0, "")
    (folder / "binding.yaml").write_text((PACKS / "tests/bindings" / f"{name}.yaml").read_text())
    assert run("validate", folder, "--offline")[:2] == (0, "")
    code, out, err = run("test", PACKS / "tests" / f"{name}.yaml", "--rules", folder)
    assert (code, err) == (0, ""), out
    assert "all met" in out


@pytest.mark.parametrize("name", pack_names())
def test_a_pack_is_whole(name: str) -> None:
    """Each duty is kept apart from another and explained; each rule has advice and the clauses."""
    pack = read_pack(name)
    assert {duty.casefold() for rule in pack.rules for duty in rule.duties} == set(pack.meanings)
    for rule in pack.rules:
        assert rule.advice
        assert rule.severity
        assert {"ISO/IEC 27001:2022 A.5.3", "DORA RTS 2024/1774 21(1)(b)"} <= {
            str(clause) for clause in rule.frameworks
        }
    titles = [rule.title for rule in pack.rules]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("path", sorted(PACKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_pack_claims_no_compliance(path: Path) -> None:
    """Clauses are named as what rules help with."""
    text = path.read_text().casefold()
    assert not {"complian", "compliant", "fulfil", "ensures"} & set(text.split())
    assert "no rule claims that a clause is met" in text


def test_all_packs_go_into_one_folder(tmp_path: Path) -> None:
    """Their ids differ, and a duty of two packs is one class."""
    for name in pack_names():
        assert run("import", "pack", name, "--out", tmp_path / "r")[0] == 0
    assert len(parsed(tmp_path / "r").rules) == sum(
        len(read_pack(each).rules) for each in pack_names()
    )


def test_a_pack_that_is_none_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    """With the nearest name."""
    code, _, err = run("import", "pack", "procure-to-pray", "--out", tmp_path / "r")
    assert code == 1
    assert "There is no pack procure-to-pray; did you mean procure-to-pay?" in err


@pytest.mark.parametrize("name", pack_names())
def test_what_an_import_writes_is_in_canonical_form(name: str, tmp_path: Path) -> None:
    """So `fmt --check` of a pipeline passes after it."""
    assert run("import", "pack", name, "--out", tmp_path)[0] == 0
    assert run("fmt", "--check", tmp_path)[:2] == (0, "")
