"""`entra-sod --local`: the settings of the local world that `make run` started."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import typer

FILE = Path(".local/environment.sh")
_FIX = "Fix: make run, in another terminal (without make: uv run tasks.py run)."


def use_local_world() -> None:
    """Put the settings of the local world into this process; end the command if there is none."""
    start = Path.cwd()
    file = find_file(start)
    if file is None:
        where = f"neither {start} nor a folder above it has {FILE}"
        typer.echo(f"entra-sod: --local: no local world is running: {where}. {_FIX}", err=True)
        raise typer.Exit(1)
    os.environ.update(read_settings_file(file.read_text(encoding="utf-8")))


def find_file(start: Path) -> Path | None:
    """Return the file of a folder, or of the nearest one above it that has it."""
    candidates = (folder / FILE for folder in (start, *start.parents))
    return next((each for each in candidates if each.is_file()), None)


def read_settings_file(text: str) -> Mapping[str, str]:
    """Read the lines `export NAME=value`, as a shell would; others are left out."""
    lines = (shlex.split(line, comments=True) for line in text.splitlines())
    exports = (words[1].partition("=") for words in lines if words[:1] == ["export"])
    return {name: value for name, _, value in exports}
