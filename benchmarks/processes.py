"""The measured processes, seen from outside: what they print, and how much memory they hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import psutil

from local.processes import CHECKOUT, tied

# Without it Python keeps no .pyc files, and every import would compile its modules anew.
_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A point that a child reached, and what it held there, in bytes.

    Attributes:
        resident: resident memory at this point.
        peak: the most so far where the system tells (Linux), `resident` elsewhere.
        facts: what the child itself said.
    """

    name: str
    resident: int
    peak: int
    facts: Mapping[str, Any] = field(default_factory=dict)


class _Line(msgspec.Struct):
    name: str
    facts: dict[str, Any] = {}


class Child:
    """A program of `benchmarks.children` that stops at checkpoints."""

    def __init__(
        self, program: str, *arguments: object, environment: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, arguments of our own
            tied(command(program, *arguments)),
            cwd=CHECKOUT,
            env=child_environment(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Yield what the child holds at each point; it goes on when the next one is asked for.

        Raises:
            subprocess.CalledProcessError: the child failed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for text in self._process.stdout:
            line = msgspec.json.decode(text, type=_Line)
            yield Checkpoint(
                name=line.name,
                resident=psutil.Process(self._process.pid).memory_info().rss,
                peak=peak_memory(self._process.pid),
                facts=line.facts,
            )
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        if code := self._process.wait(_SECONDS):
            raise subprocess.CalledProcessError(code, self._process.args)


def measure(
    program: str, *arguments: object, environment: Mapping[str, str] | None = None
) -> list[Checkpoint]:
    """Run a child to its end and collect its checkpoints."""
    with Child(program, *arguments, environment=environment) as child:
        return list(child.checkpoints())


def answer[T](
    kind: type[T],
    program: str,
    *arguments: object,
    environment: Mapping[str, str] | None = None,
) -> T:
    """Run a child to its end and decode what it printed."""
    done = subprocess.run(  # noqa: S603 - this interpreter, arguments of our own
        command(program, *arguments),
        cwd=CHECKOUT,
        env=child_environment(environment),
        stdout=subprocess.PIPE,
        timeout=_SECONDS,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=kind)


def command(program: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.children.{program}", *map(str, arguments)]


def child_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    return {**kept, **(more or {})}


def peak_memory(pid: int) -> int:
    """The most memory that a process ever held, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return psutil.Process(pid).memory_info().rss
