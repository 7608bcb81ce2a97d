"""The way in, as docs/tutorials/first-rules.md tells it: its commands run, its outputs are true.

`UPDATE_TUTORIAL=1` writes the outputs of the page anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import CHECKOUT
from local.world import World
from tests.leftovers import clear_leftovers

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(600)]

PAGE = CHECKOUT / "docs" / "tutorials" / "first-rules.md"
MAX_COMMANDS = 15
BLOCK = re.compile(r"```sh\n(?P<script>.*?)```\n(?:```text\n(?P<output>.*?)```\n)?", re.DOTALL)
UPDATES = "UPDATE_TUTORIAL" in os.environ
# What differs from run to run, and the word that stands for it in a comparison.
ANY = {
    r"\d{8}T\d{6}Z-[0-9a-f]{8}": "RUN",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "ID",
    r"\b[0-9a-f]{10,64}\b": "HASH",
    r"\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?": "DATE",
    r"127\.0\.0\.1:\d+": "ADDRESS",
    r"\s+": " ",
}


class Terminal:
    """A shell on a terminal of 80 columns, which keeps its folder from block to block."""

    def __init__(self, world: World, folder: Path) -> None:
        programs = folder / "programs"
        programs.mkdir()
        tool = programs / "entra-sod"
        tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m entra_sod.cli "$@"\n')
        tool.chmod(0o755)
        settings = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(CHECKOUT),
            "COLUMNS": "80",
            "TERM": "dumb",
        }
        # As the page does by `. .local/environment.sh`; the app's keys of a host are not needed.
        self._environment = {**os.environ, **world.environment, **settings}
        self._environment.pop("RULES", None)  # which that file does not set
        self._folder = folder

    def run(self, script: str) -> str:
        """Run a block, and return what it shows."""
        ours, theirs = pty.openpty()
        folder = self._folder / "folder"
        where = f"cd {shlex.quote(folder.read_text())}\n" if folder.exists() else ""
        kept = f"{where}{script}pwd > {folder.with_suffix('.new')}\n"
        with subprocess.Popen(  # noqa: S603 - the page's own commands
            ["/bin/bash", "-c", kept],
            cwd=self._folder,
            env=self._environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ):
            os.close(theirs)
            shown = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        folder.write_text(folder.with_suffix(".new").read_text().strip())
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).splitlines()
        return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux raises it at the end of a terminal without a writer
        return b""


@pytest.fixture
def world(azurite: str) -> Iterator[World]:
    """The demo tenant, as it is at the start of the page."""
    clear_leftovers(azurite)
    with World(storage=azurite) as world:
        yield world


def compared(text: str) -> str:
    for pattern, word in ANY.items():
        text = re.sub(pattern, word, text)
    return text.strip()


def shown(text: str, world: World, folder: Path) -> str:
    """An output as the page has it: without what is true of this run alone."""
    text = text.replace(world.graph.root, "http://127.0.0.1:7080").replace(f"{folder}/", "")
    return text.replace(str(folder), ".")


def test_every_output_of_the_page_is_what_its_command_shows(world: World, tmp_path: Path) -> None:
    """In the page's order; ids, dates, addresses and the breaks of lines may differ."""
    page, terminal = PAGE.read_text(encoding="utf-8"), Terminal(world, tmp_path)
    differing: list[tuple[str, str, str]] = []

    def with_output(block: re.Match[str]) -> str:
        output = shown(terminal.run(block["script"]), world, tmp_path)
        if compared(output) != compared(block["output"] or ""):
            differing.append((block["script"], block["output"] or "", output))
        return f"```sh\n{block['script']}```\n" + (f"```text\n{output}```\n" if output else "")

    written = BLOCK.sub(with_output, page)
    if UPDATES:
        PAGE.write_text(written, encoding="utf-8")
        return
    assert differing == []
    assert_adopted(world)


def assert_adopted(world: World) -> None:
    """The tenant has what it had: nothing on the page writes a reference."""
    packages = world.graph.tenant()["accessPackages"]
    assert sum(len(each["incompatibleAccessPackages"]) for each in packages) == 3


def test_the_way_is_short() -> None:
    """Fewer commands of ours than fifteen, and each step that a newcomer needs is among them."""
    scripts = [block["script"] for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
    commands = re.findall(r"^entra-sod (.+)$", "".join(scripts), re.MULTILINE)
    assert len(commands) < MAX_COMMANDS
    steps = [each.split()[0] for each in commands]
    wanted = ["whoami", "init", "packages", "import", "import", "validate", "plan", "adopt"]
    order = iter(steps)
    assert all(step in order for step in wanted)
