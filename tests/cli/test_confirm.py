"""Asking for the word `yes`: on a terminal, never elsewhere."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from entra_sod.cli import confirm as module
from entra_sod.cli.confirm import Yes, confirm
from entra_sod.core.errors import ConfigurationError
from local.processes import CHECKOUT

QUESTION = "Write 3 references?"
app = typer.Typer()


@app.command()
def work(yes: Yes = False) -> None:  # noqa: FBT002 - a flag
    confirm(QUESTION, yes=yes)
    typer.echo("done")


def answered(answer: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(module, "is_terminal", lambda: True)
    return CliRunner().invoke(app, input=answer)


@pytest.mark.parametrize("answer", ["yes\n", " YES \n"])
def test_the_word_yes_goes_on(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question is shown with the word that it takes, and the work is done."""
    done = answered(answer, monkeypatch)
    assert (done.exit_code, done.stdout.endswith("done\n")) == (0, True)
    assert f"{QUESTION} Type yes to go on" in done.output


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", "", "yes please\n"])
def test_any_other_answer_ends_the_command(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One letter is typed by habit; the end of the input is no answer."""
    done = answered(answer, monkeypatch)
    assert (done.exit_code, "done" in done.output) == (1, False)


def test_without_a_terminal_the_error_says_how_to_go_on() -> None:
    """A program is never taken for a person: an answer that is piped in counts for nothing."""
    done = CliRunner().invoke(app, input="yes\n")
    assert isinstance(done.exception, ConfigurationError)
    assert QUESTION in str(done.exception)
    assert "--yes" in str(done.exception)
    assert "done" not in done.output


def test_yes_asks_nothing() -> None:
    """Neither a terminal nor an answer is needed."""
    done = CliRunner().invoke(app, ["--yes"])
    assert (done.exit_code, done.output) == (0, "done\n")


PROGRAM = """
import asyncio
import sys
import typer
from entra_sod.cli.confirm import confirm

async def work() -> None:
    confirm("Write 3 references?", yes=False)
    print("done")

try:
    asyncio.run(work())
except typer.Abort:
    sys.exit(7)
"""


def test_an_interrupt_ends_the_question_at_once(tmp_path: Path) -> None:
    """Ctrl-C at the question ends the command also where an event loop runs."""
    (tmp_path / "program.py").write_text(PROGRAM)
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, str(tmp_path / "program.py")],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        # A background job of a shell ignores it, and so would this one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(theirs)
    shown = b""
    while b"to go on" not in shown:
        shown += os.read(ours, 1024)
    # It shows the question just before it reads: an interrupt in between waits for the next key.
    time.sleep(0.5)
    asked.send_signal(signal.SIGINT)
    with suppress(OSError):  # the terminal is closed from the other side
        while os.read(ours, 1024):
            pass
    assert asked.wait(20) == 7
    os.close(ours)
