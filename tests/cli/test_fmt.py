"""`entra-sod fmt`, as people and pipelines call it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app

WIDE = "version:   1\nrules: []   # none\n"
NARROW = "version: 1\nrules: []  # none\n"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["fmt", *(str(each) for each in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `rules` below the current one, with an untidy file, a tidy one and a test."""
    rules = tmp_path / "rules"
    (rules / "tests").mkdir(parents=True)
    (rules / "a.yaml").write_text(WIDE)
    (rules / "b.YML").write_text(NARROW)
    (rules / "tests" / "t.yaml").write_text("version: 1\npackages:\n- {name: A}\npeople: []\n")
    (rules / ".hidden.yaml").write_text("not: [ours\n")
    (rules / "schema.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    return rules


def test_rules_and_tests_of_the_folder_are_written_anew(folder: Path) -> None:
    """Without a path it is the folder `rules`; what changed is named; twice is once."""
    code, out, err = run()
    assert (code, out) == (0, "rules/a.yaml\nrules/tests/t.yaml\n")
    assert err == "2 of 3 files formatted\n"
    assert (folder / "a.yaml").read_text() == NARROW
    assert run() == (0, "", "0 of 3 files formatted\n")


def test_check_names_the_files_and_writes_nothing(folder: Path) -> None:
    """Exit code 2 while a file would change, 0 afterwards."""
    code, out, err = run("--check", "rules")
    assert (code, out) == (2, "rules/a.yaml\nrules/tests/t.yaml\n")
    assert err == "2 of 3 files would change\n"
    assert (folder / "a.yaml").read_text() == WIDE
    run()
    assert run("--check") == (0, "", "0 of 3 files would change\n")


def test_a_file_that_is_no_yaml_stays_and_the_others_are_written(folder: Path) -> None:
    """Its mistake is named with its line; exit code 1 wins over files that would change."""
    (folder / "b.YML").write_text("version: 1\nrules: [\n")
    code, out, err = run()
    assert (code, out) == (1, "rules/a.yaml\nrules/tests/t.yaml\n")
    assert err.startswith("rules/b.YML:")
    assert err.endswith("2 of 3 files formatted; 1 could not be read or written\n")
    assert (folder / "b.YML").read_text() == "version: 1\nrules: [\n"
    (folder / "a.yaml").write_text(WIDE)
    assert run("--check")[0] == 1


def test_files_are_taken_by_name_and_once(folder: Path) -> None:
    """Also beside their folder, and by a link, which stays a link."""
    link = folder.parent / "link.yaml"
    link.symlink_to(folder / "a.yaml")
    code, out, _ = run(link, "rules/a.yaml", "rules")
    assert (code, out.splitlines()) == (0, [str(link), "rules/tests/t.yaml"])
    assert link.is_symlink()
    assert (folder / "a.yaml").read_text() == NARROW


def test_windows_line_ends_and_a_byte_order_mark_go(folder: Path) -> None:
    """The form is UTF-8 with line feeds."""
    (folder / "a.yaml").write_bytes(b"\xef\xbb\xbf" + NARROW.replace("\n", "\r\n").encode())
    assert run("rules/a.yaml")[0] == 0
    assert (folder / "a.yaml").read_bytes() == NARROW.encode()


def test_bytes_that_are_no_text_are_named(folder: Path) -> None:
    """With the place, as `validate` does."""
    (folder / "a.yaml").write_bytes(b"version: 1\n# caf\xe9\n")
    code, _, err = run("rules/a.yaml")
    assert (code, err.startswith("rules/a.yaml:2:6: not UTF-8")) == (1, True)


def test_without_a_folder_of_rules_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is no success."""
    monkeypatch.chdir(tmp_path)
    code, _, err = run()
    assert (code, "There is no folder rules here" in err) == (1, True)
