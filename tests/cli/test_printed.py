"""What commands print, held against files: at 80 columns, piped, and their help.

After a change that is meant, write the files anew and look at each in the diff:

    ENTRA_SOD_WRITE_SNAPSHOTS=1 python -m pytest tests/cli/test_printed.py
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from entra_sod.cli.__main__ import COMMANDS, app
from entra_sod.cli.examples import EXAMPLES
from tests.app import install_parts
from tests.builders import guid
from tests.cli.printed import PrintedWorld, as_snapshot

FOLDER = Path(__file__).parent / "snapshots"
WRITE = "ENTRA_SOD_WRITE_SNAPSHOTS"
WIDTH = 80
LAZY = [each for some in COMMANDS.values() for each in some]
LISTS = {
    "packages": ("packages",),
    "packages-long": ("packages", "pay", "--long"),
    "packages-none": ("packages", "Payed"),
    "inventory": ("inventory",),
    "findings": ("findings",),
    "findings-none": ("findings", "--state", "resolved"),
    "findings-ambiguous": ("findings", "bdc5914e"),
    "rules-show": ("rules", "show"),
    "rules-show-people": ("rules", "show", "--rule", "pay-and-approve", "--people"),
    "rules-show-unknown": ("rules", "show", "--rule", "pay-and-aprove"),
    "decide-deny": ("decide", guid("0c"), "Pay invoices"),
    "decide-review": ("decide", guid("0a"), "Order goods"),
    "decide-near": ("decide", guid("0a"), "Order good"),
    "decide-no-subject": ("decide", "Ada", "Order goods"),
    "grants": ("grants",),
    "drift": ("drift",),
    "plan": ("plan",),
    "exceptions": ("exceptions", "rules"),
    "exceptions-none": ("exceptions", "rules", "--within", "1"),
    "adopt": ("adopt", "--dry-run"),
    "redrive": ("redrive",),
    "rollback": ("rollback", "--rule", "pay", "--dry-run"),
    "no-rules": ("plan", "--rules", "elsewhere"),
    "validate": ("validate", "rules", "--offline"),
    "validate-none": ("validate", "elsewhere", "--offline"),
    "test": ("test", "rules"),
    "fmt-check": ("fmt", "rules", "--check"),
    "export-matrix": ("export", "matrix"),
    "import-references": ("import", "references", "--out", "references.yaml"),
    "import-pack": ("import", "pack", "procure-to-pay", "--out", "duties"),
    "init": ("init", "new", "--offline"),
    "selection-show": ("selection", "show"),
    "selection-approve": ("selection", "approve", "--yes"),
    "apply-no-plan": ("apply", "plan.json", "--yes"),
    "unfreeze": ("unfreeze",),
    "erase": ("erase", "--subject", guid("0a")),
    "evidence-verify": ("evidence", "verify"),
    "whoami": ("whoami",),
    "doctor-no-app": ("doctor", "--url", "http://localhost:1/api"),
    "hook-no-sign-in": ("hook", "plan", "--catalog", "Finance"),
    "push-no-app": ("rules", "push", "sod-rules"),
    "logout": ("logout",),
    "connector": ("connector", "--out", "connector"),
    "report": ("report", "--out", "report.html"),
    "sweep-no-app": ("sweep", "--url", "http://localhost:1/api"),
}
# Lines that editors and spreadsheets read: a terminal breaks them, and the command does not.
ONE_LINE_EACH = {"validate", "export-matrix", "erase"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PrintedWorld]:
    yield await PrintedWorld.swept(tmp_path)
    install_parts()


def hold(name: str, printed: str) -> None:
    """Compare with the file of a name, or write it where that is asked for."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get(WRITE):
        file.write_text(printed, encoding="utf-8", newline="\n")
    assert printed == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LISTS)
async def test_a_command_prints_what_its_file_has(name: str, world: PrintedWorld) -> None:
    """On a terminal within 80 columns; piped without frames, whole, a line for each row."""
    shown = await world.run(*LISTS[name], terminal=True)
    piped = await world.run(*LISTS[name], terminal=False)
    too_long = [each for each in shown.splitlines()[1:] if cell_len(each) > WIDTH]
    assert name in ONE_LINE_EACH or all(each.startswith("Error: ") for each in too_long)
    assert not re.search("[\u2500-\u257f]", piped)  # frames
    hold(name, f"{shown}\n{piped}")


async def test_explain_prints_what_its_file_has(world: PrintedWorld) -> None:
    """Only addresses are longer than the terminal, so that they can be copied."""
    found = await anext(world.app.records.findings.all())
    shown = await world.run("explain", found.finding.id[:12], terminal=True)
    too_long = [each for each in shown.splitlines()[1:] if cell_len(each) > WIDTH]
    assert all(each.strip().startswith("https://") for each in too_long)
    hold("explain", f"{shown}\n{await world.run('explain', found.finding.id, terminal=False)}")


async def test_apply_prints_what_its_file_has(world: PrintedWorld) -> None:
    """What was reviewed stands first, then what was written."""
    await world.run("plan", "--out", "plan.json", terminal=False)
    shown = await world.run("apply", "plan.json", "--dry-run", terminal=True)
    assert [each for each in shown.splitlines() if cell_len(each) > WIDTH] == []
    hold("apply", f"{shown}\n{await world.run('apply', 'plan.json', '--yes', terminal=False)}")


@pytest.mark.parametrize("how", ["json", "csv", "markdown"])
async def test_a_list_has_the_same_formats(how: str, world: PrintedWorld) -> None:
    """For programs, spreadsheets and documents; names are data in each."""
    texts = [
        await world.run(*arguments, "--format", how, terminal=False)
        for arguments in (("packages",), ("findings",), ("rules", "show"), ("drift",))
    ]
    hold(f"formats-{how}", "\n".join(texts))


@pytest.mark.parametrize("words", ["", *(each.name for each in LAZY)])
def test_help_is_what_its_file_has(words: str) -> None:
    """With its options and an example, within 80 columns."""
    texts = [_help(words)] if words else [_help("")]
    texts += [_help(f"{words} {each}") for each in _below(words)]
    assert [line for text in texts for line in text.splitlines() if cell_len(line) > WIDTH] == []
    hold(f"help-{words or 'entra-sod'}", "\n".join(texts))


def test_every_command_has_examples() -> None:
    """People copy one before they read the options."""
    words = {f"{each.name} {one}".strip() for each in LAZY for one in _below(each.name) or [""]}
    assert words == EXAMPLES.keys()


@pytest.mark.parametrize("example", [each for some in EXAMPLES.values() for each in some])
def test_an_example_has_options_that_there_are(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read as a command line, and every required option is in it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("rules", "tests", "copies", "infra"):
        Path(folder).mkdir()
    for file in ("plan.json", "matrix.xlsx", "risks.csv", "report.json", "tests/payments.yaml"):
        Path(file).touch()
    first, *arguments = shlex.split(example)
    command: Any = next(each.load() for each in LAZY if each.name == first)
    while below := getattr(command, "commands", {}):
        command = below[arguments.pop(0)]
    command.make_context(first, arguments)


def _below(words: str) -> list[str]:
    """The commands of a group; none for a command."""
    command: Any = next((each.load() for each in LAZY if each.name == words), None)
    return sorted(getattr(command, "commands", {}))


def _help(words: str) -> str:
    arguments = (*words.split(), "--help")
    done = CliRunner().invoke(app, list(arguments), terminal_width=WIDTH)
    return as_snapshot(arguments, done.exit_code, done.stdout, done.stderr)
