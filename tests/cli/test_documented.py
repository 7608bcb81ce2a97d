"""Every command is in README's table, and every option that the docs name is one."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer.main

from entra_sod.cli.__main__ import COMMANDS, app
from local.processes import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
LAZY = [each for some in COMMANDS.values() for each in some]
PAGES = ("permissions", "integrate", "operations", "upgrade", "costs")


def commands() -> list[str]:
    """The names of all commands, those of groups with the name of their group."""
    found: list[str] = []
    for each in LAZY:
        below = getattr(each.load(), "commands", None)
        found += [f"{each.name} {one}" for one in below] if below else [each.name]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    """A row of the table of commands begins with it."""
    assert f"\n| `{command}" in README


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_a_page_names_exists(page: str) -> None:
    """Options of our commands, as they are written in the docs, are options of some command."""
    text = (CHECKOUT / f"docs/{page}.md").read_text(encoding="utf-8")
    ours = [line for line in text.splitlines() if re.search(r"entra-sod \w", line)]
    named = {
        option
        for line in ours
        for part in re.findall(r"entra-sod ([^`]+)", line)
        for option in re.findall(r"(?<!\S)--[a-z-]+", part)
    }
    assert named <= options(), named - options()


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
