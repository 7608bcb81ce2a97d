"""Every file of a folder that a person would take for a rules file is read, or named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entra_sod.cli.__main__ import app
from entra_sod.core.errors import RulesError
from entra_sod.domain.rules.document import RulesProblem
from entra_sod.stores.rule_files import FolderRules, read_sources

RULES = "version: 1\nrules: []\n"


def put(folder: Path, *names: str, text: str = RULES) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


async def read(folder: Path) -> tuple[list[str], list[str]]:
    told: list[RulesProblem] = []
    files = await FolderRules(folder, tell=told.append).files()
    return [file.name for file in files], [each.file for each in told]


async def test_a3_an_ending_counts_in_any_case(tmp_path: Path) -> None:
    """Today two of these are left out without a word."""
    put(tmp_path, "ok.yaml", "FINANCE.YAML", "deep/er/Other.Yml")
    assert (await read(tmp_path))[0] == ["FINANCE.YAML", "deep/er/Other.Yml", "ok.yaml"]


async def test_a3_what_looks_like_rules_and_is_none_is_told(tmp_path: Path) -> None:
    """Names with another ending, and rules among the tests; a schema and a note are none."""
    put(tmp_path, "ok.yaml", "a.yaml.txt", "b.yml~", ".yaml", "c.json", "tests/rules.yaml")
    put(tmp_path, "schema.json", "README.md", "tests/pay.txt")
    put(tmp_path, "tests/pay.yaml", text="version: 1\npackages: []\npeople: []\n")
    assert await read(tmp_path) == (
        ["ok.yaml"],
        [".yaml", "a.yaml.txt", "b.yml~", "c.json", "tests/rules.yaml"],
    )


async def test_a3_links_are_followed_and_each_file_is_read_once(tmp_path: Path) -> None:
    """Links to files and folders, circles, and the layout of mounted volumes."""
    put(tmp_path / "elsewhere", "x.yaml", "sub/y.yaml")
    rules = tmp_path / "rules"
    put(rules, "..2026/pay.yaml")
    (rules / "..data").symlink_to("..2026")
    (rules / "pay.yaml").symlink_to("..data/pay.yaml")
    (rules / "more").symlink_to(tmp_path / "elsewhere")
    (rules / "again").symlink_to(".")
    assert await read(rules) == (["more/sub/y.yaml", "more/x.yaml", "pay.yaml"], [])


async def test_a3_what_cannot_be_opened_is_a_mistake(tmp_path: Path) -> None:
    """A link to nowhere, a link to itself, a pipe."""
    put(tmp_path, "ok.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
    (tmp_path / "self.yaml").symlink_to("self.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(RulesError) as raised:
        await FolderRules(tmp_path).files()
    assert [each.split(":")[0] for each in raised.value.problems] == [
        "gone.yaml",
        "pipe.yaml",
        "self.yaml",
    ]


def test_a3_a_folder_that_cannot_be_listed_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may lie in it is not known."""
    put(tmp_path, "ok.yaml", "closed/x.yaml")
    listed = Path.iterdir

    def iterdir(self: Path) -> object:
        if self.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = read_sources([tmp_path], within=tmp_path)
    assert [str(each) for each in found.unread] == [
        "closed:1:1: cannot be listed: Permission denied"
    ]


@pytest.mark.parametrize("command", ["validate", "test", "exceptions", "rules push"])
def test_a3_every_command_names_what_it_leaves_out(tmp_path: Path, command: str) -> None:
    """Whichever command reads the folder."""
    rules, tests = tmp_path / "rules", tmp_path / "t.yaml"
    put(rules, "ok.yaml", "pay.yaml.bak", text="version: 2\n" if "push" in command else RULES)
    put(tmp_path, "t.yaml", text="version: 1\npackages: []\npeople: [{name: Ann}]\n")
    arguments = {
        "validate": ["validate", str(rules), "--offline"],
        "test": ["test", str(tests), "--rules", str(rules)],
        "exceptions": ["exceptions", str(rules)],
        "rules push": ["rules", "push", "c", "--rules", str(rules)],
    }[command]
    done = CliRunner().invoke(
        app, arguments, env={"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    )
    assert "pay.yaml.bak" in done.output.replace("\n", "")


def test_c5_a_file_name_is_one_line_of_a_log(tmp_path: Path) -> None:
    """A line break in it, and any other invisible character, is an escape."""
    put(tmp_path, "a\n::error::b\u202e.yaml", text='version: 2\n"x\\n::error::y": 1\n')
    done = CliRunner().invoke(app, ["validate", str(tmp_path), "--offline"])
    assert done.exit_code == 1
    assert "a\\n::error::b\\u202e.yaml:1:10: version must be 1" in done.stdout
    assert "\n::error::" not in done.output
