"""Ask before something is done that others notice: on a terminal; programs say `--yes`."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from entra_sod.core.errors import ConfigurationError, SodError

ANSWER = "yes"
# Not a `type` statement: typer does not look behind it.
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask. Required if there is no terminal.")]


class NotConfirmed(ConfigurationError):
    """The command needs an answer and has no terminal to ask on. Nothing was done."""

    def __init__(self, question: str) -> None:
        problem = (
            f"{question} There is no terminal to ask on, so nothing was done. "
            "If you mean it, run the command again with --yes."
        )
        self.problems = (problem,)
        SodError.__init__(self, problem)


def confirm(question: str, *, yes: bool) -> None:
    """Ask for the word `yes`, and return if it is given.

    Args:
        question: what is about to be done, as a question with its figures.
        yes: whether `--yes` was said, so that there is nothing to ask.

    Raises:
        NotConfirmed: there is no terminal, and `--yes` was not said.
        typer.Abort: the answer is another word, or none.
    """
    if yes:
        return
    if not is_terminal():
        raise NotConfirmed(question)
    with _interruptible():
        prompt = f"{question} Type {ANSWER} to go on"
        answer: str = typer.prompt(prompt, default="", show_default=False, err=True)
    if answer.strip().casefold() != ANSWER:
        raise typer.Abort


def is_terminal() -> bool:
    """Whether a person can read what the command prints, and answer it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question at once: a running event loop would only take note of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
