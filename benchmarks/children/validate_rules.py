"""`python -m benchmarks.children.validate_rules CASE`: validate a file of bad rules, offline."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import typer

from benchmarks.children.bad_rules import CASES
from benchmarks.children.checkpoint import reach
from entra_sod.cli.validate import validate


def main(case: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rules.yaml")
        file.write_text(CASES[case](), encoding="utf-8")
        reach("written", size=file.stat().st_size)
        started = time.process_time()
        said = _validated(file)
        seconds = time.process_time() - started
    reach("validated", seconds=seconds, lines=said)


def _validated(file: Path) -> int:
    """The number of lines that were said."""
    said = StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            validate([file], offline=True)
    except typer.Exit:
        pass
    return len(said.getvalue().splitlines())


if __name__ == "__main__":
    main(sys.argv[1])
