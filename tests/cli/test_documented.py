"""Every command and option that the docs name exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from entra_sod.cli.__main__ import COMMANDS, app
from local.processes import CHECKOUT
from local.reference.cli_page import command_names

LAZY = [each for some in COMMANDS.values() for each in some]
PAGES = sorted(
    path
    for path in (CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md"))
    if path.name not in ("api.md", "rules.md")
)
# Words that stand after `entra-sod` in a sentence, or in the help of the root.
_NO_COMMANDS = {"--help", "--version", "--install-completion", "COMMAND"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    """What stands in code after `entra-sod` begins with the name of a command."""
    known = command_names()
    text = page.read_text(encoding="utf-8")
    named = [" ".join(each.split()).removeprefix("--local ") for each in commands_in(text)]
    begun = {each.split()[0] for each in known}
    assert [
        each
        for each in named
        if each.split()[0] not in _NO_COMMANDS
        and not any(f"{each} ".startswith(f"{name} ") for name in known)
        and each not in begun
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    """Options behind a command are options of some command."""
    named = {
        option
        for each in commands_in(page.read_text(encoding="utf-8"))
        for option in re.findall(r"(?<!\S)--[a-z-]+", each)
    }
    assert named <= options(), named - options()


def commands_in(text: str) -> list[str]:
    """The commands in a page: in code within a sentence, and line by line in blocks for a shell."""
    found = re.findall(r"`entra-sod ([^`]+)`", text)
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines()
        found += [match[1] for line in lines if (match := re.match(r" *entra-sod ([^#|]+)", line))]
    return found


def options() -> set[str]:
    root = typer.main.get_command(app)
    found: set[str] = set()
    waiting: list[Any] = [root, *(each.load() for each in LAZY)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        for parameter in command.params:
            found |= {*parameter.opts, *parameter.secondary_opts}
    return found
