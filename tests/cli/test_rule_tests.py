from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from entra_sod.cli import rule_tests
from entra_sod.cli.operations.rules.rule_tests import PersonOutcome, RuleTestOutcome

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "rules" / "tests" / "finance.yaml"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(rule_tests.test_rules)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the example rules and a copy of their tests, to be spoiled."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "finance.yaml").write_text((ROOT / "rules" / "finance.yaml").read_text())
    (tmp_path / "tests" / "finance.yaml").write_text(EXAMPLE.read_text())
    return tmp_path


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_example_rules_pass_their_tests() -> None:
    """The rules that are shipped do what their tests say."""
    code, out, err = run(EXAMPLE, "--rules", ROOT / "rules")
    assert (code, err) == (0, "")
    assert out == "18 expectations in 1 file: all met\n"


def test_a_changed_rule_fails_its_test(folder: Path) -> None:
    """Each failed expectation is a line with its place, and the exit code is 1."""
    spoil(folder / "finance.yaml", "mode: enforce", "mode: record")
    tests = folder / "tests" / "finance.yaml"
    code, out, _ = run(tests, "--rules", folder)
    assert code == 1
    assert out == (
        f"{tests}:25:9: expected deny by pay-and-approve for Ben pays asking for Approve invoices, "
        "found review by pay-and-approve\n18 expectations in 1 file: 1 failed\n"
    )


def test_an_unknown_name_is_a_mistake_and_other_files_still_run(folder: Path) -> None:
    """A file with a mistake is named where it stands; the rest is tested all the same."""
    broken = folder / "tests" / "finance.yaml"
    spoil(broken, "holds: [Order goods]", "holds: [Order godds]")
    code, out, err = run(broken, EXAMPLE, "--rules", folder)
    assert code == 1
    assert err.startswith(f"{broken}:45:13: people.4.holds.0 Order godds is no package here; did")
    assert out == "18 expectations in 1 file: all met; 1 file with mistakes not run\n"


def test_broken_rules_are_named_and_nothing_is_run(folder: Path) -> None:
    """Rules that have a mistake cannot be tested."""
    spoil(folder / "finance.yaml", "mode: enforce", "mode: forbid")
    code, out, err = run(EXAMPLE, "--rules", folder)
    assert (code, out) == (1, "")
    assert err.startswith("finance.yaml:")


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    """A folder without rules is an error, not a success."""
    code, _, err = run(EXAMPLE, "--rules", tmp_path)
    assert (code, "has no YAML file" in err) == (1, True)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are a mistake of the test file."""
    path = tmp_path / "t.yaml"
    path.write_bytes(b"version: \xff")
    code, _, err = run(path, "--rules", ROOT / "rules")
    assert (code, err.startswith(f"{path}:1:10: not UTF-8")) == (1, True)


@pytest.mark.parametrize("arguments", [[], ["missing.yaml"], [str(EXAMPLE), "--nonsense"]])
def test_wrong_use_is_an_error(arguments: list[str]) -> None:
    """No file, a file that is not there, an option that is none."""
    assert run(*arguments)[0] == 1


def test_the_count_reads_well() -> None:
    """One is said as one."""
    one, two = (RuleTestOutcome([PersonOutcome("Ann", each, [])]) for each in (1, 2))
    assert rule_tests.summary([one]) == "1 expectation in 1 file: all met"
    assert rule_tests.summary([one, two]) == "3 expectations in 2 files: all met"
