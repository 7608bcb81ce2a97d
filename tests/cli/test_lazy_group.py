"""The list of commands, of which only the one that is called is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from entra_sod.cli.__main__ import COMMANDS, app
from local.processes import CHECKOUT

LAZY = [each for some in COMMANDS.values() for each in some]
WIDTH = 80


def imported(*arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    script = (
        "import sys\n"
        "from entra_sod.cli.__main__ import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "--offline", "rules"]])
def test_what_needs_no_tenant_imports_no_sdk(arguments: list[str]) -> None:
    """These SDKs take most of the time that a command needs to start."""
    roots = {name.partition(".")[0] for name in imported(*arguments)}
    assert "typer" in roots
    assert roots.isdisjoint({"azure", "msgraph", "httpx", "kiota_http", "openpyxl"})


def test_help_lists_every_command_once_within_80_columns() -> None:
    """No text is cut."""
    shown = CliRunner().invoke(app, ["--help"], terminal_width=WIDTH).output.splitlines()
    assert all(len(each) <= WIDTH for each in shown)
    for each in LAZY:
        (line,) = (line for line in shown if line.split()[:1] == [each.name])
        assert line.endswith(f" {each.help}")


@pytest.mark.parametrize("command", LAZY, ids=lambda each: each.name)
def test_every_command_can_be_imported_and_has_help(command: object) -> None:
    """The table names a function or a group that is there."""
    name = getattr(command, "name", "")
    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0
    assert f"Usage: entra-sod {name}" in done.output


def test_a_name_that_is_nearly_a_command_is_answered_with_it() -> None:
    """A slip of the keyboard costs no reading of the help."""
    done = CliRunner().invoke(app, ["valdate"])
    assert done.exit_code != 0
    assert "Did you mean 'validate'?" in done.output


@pytest.mark.parametrize(
    ("words", "offered"), [("entra-sod val", "validate"), ("entra-sod import m", "matrix")]
)
def test_a_shell_completes_names(words: str, offered: str) -> None:
    """Of commands, and of those of a group."""
    environment = {"_ENTRA_SOD_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split()) - 1)
    done = CliRunner().invoke(app, [], env=environment, prog_name="entra-sod")
    assert offered in done.output.split()
