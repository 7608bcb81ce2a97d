"""A group of commands of which only the one that is called is imported.

All commands together take over a second to import, most of it for Azure's SDKs; a person who asks
for `--help` or checks a file needs none of them. So the group knows each command by a line of text
and by where it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, override

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from entra_sod.cli.examples import examples_of


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command, or a group of them, that is not imported yet.

    Attributes:
        name: as it is called.
        place: `module:name` of the function, or of the Typer app of a group.
        help: one line, as the list of commands shows it.
    """

    name: str
    place: str
    help: str

    def load(self) -> TyperCommand | TyperGroup:
        """Import the command, and make of it what Typer calls."""
        module, _, name = self.place.partition(":")
        found = getattr(importlib.import_module(module), name)
        # Taken out of a group made for it, so it is what it would be in a group of all commands.
        around = typer.Typer(rich_markup_mode=None, add_completion=False)
        around.callback()(lambda: None)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=self.name)
        else:
            around.command(self.name)(found)
        made = getattr(get_command(around), "commands", {})[self.name]
        if not isinstance(made, TyperCommand | TyperGroup):
            raise TypeError(f"{self.place} is no command of Typer")
        _add_examples(made, self.name)
        return made


def _add_examples(command: TyperCommand | TyperGroup, words: str) -> None:
    """Put the examples of a command, and of those below it, at the end of their help."""
    command.epilog = examples_of(words)
    for name, below in getattr(command, "commands", {}).items():
        _add_examples(below, f"{words} {name}")


type Sections = Mapping[str, Sequence[LazyCommand]]


def lazy_group(sections: Sections) -> type[TyperGroup]:
    """Return the group of these commands, for Typer's `cls`; help lists them by section."""
    commands = {each.name: each for some in sections.values() for each in some}

    # ctx and formatter are of Typer's private copy of Click, so they are Any.
    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:  # noqa: ANN401
            super().__init__(**options)
            self._lists_names = False
            # For the names, for completion and for "did you mean"; none of these is ever called.
            self.commands.update(
                {each.name: TyperCommand(each.name, help=each.help) for each in commands.values()}
            )

        @override
        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            known = commands.get(cmd_name)
            if known is None or self._lists_names:
                return super().get_command(ctx, cmd_name)
            return known.load()

        @override
        def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
            self._lists_names = True
            return super().shell_complete(ctx, incomplete)

        @override
        def format_commands(self, ctx: Any, formatter: Any) -> None:
            width = max(map(len, commands))  # the texts of all sections stand below each other
            for title, some in sections.items():
                with formatter.section(title):
                    formatter.write_dl([(each.name.ljust(width), each.help) for each in some])

    return LazyGroup
