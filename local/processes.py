"""Processes of a local world: started on free ports, waited for, and gone when their parent is."""

import atexit
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import IO, Self

import httpx

CHECKOUT = Path(__file__).resolve().parents[1]

# Below the range that the system gives to outgoing connections, which could take a port meanwhile.
_PORTS = range(20000, 30000)
_TRIES = 200

# What marks the ports that this process has given, until it ends.
_reserved = contextlib.ExitStack()
atexit.register(_reserved.close)

type Ready = str | Callable[[], bool]


class NotReadyError(Exception):
    """A process ended, or did not become ready in time; its output is in the message."""


def free_port() -> int:
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many consecutive free ports on loopback, which no other process is given.

    A server takes a moment to listen: until then another process would find its port free, and
    would take the other's server for its own. So a port that was given is marked as taken, for as
    long as this process lives, by the UDP socket of the same number.
    """
    for _ in range(_TRIES):
        first = random.SystemRandom().choice(_PORTS)
        if are_free(first, count) and _reserve(range(first, first + count)):
            return first
    raise OSError(f"no {count} consecutive ports are free")


def are_free(first: int, count: int = 1) -> bool:
    return all(_is_free(port) for port in range(first, first + count))


class Process:
    """A program with its output in a file; with `with`, it is stopped at the end.

    On Linux it also dies with the thread that started it, so start it from one that lasts.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        cwd: Path = CHECKOUT,
    ) -> None:
        self.name = " ".join(argv[1:4])
        self._is_over = False
        self._ending = contextlib.ExitStack()
        self._log: IO[bytes] = self._ending.enter_context(_log_file(log))
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the caller's own argv
            tied(argv),
            env=os.environ if env is None else env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._ending.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while the process is running."""
        return self._process.poll()

    def wait_ready(self, ready: Ready, seconds: float = 30) -> None:
        """Waits until an address answers or a question is answered with yes."""
        is_ready = partial(answers, ready) if isinstance(ready, str) else ready
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.returncode is not None:
                raise NotReadyError(f"{self.name} ended with {self.returncode}:\n{self.output()}")
            if time.monotonic() > deadline:
                raise NotReadyError(f"{self.name} is not ready:\n{self.output()}")
            time.sleep(0.05)

    def wait(self, seconds: float = 30) -> int:
        """Waits for the end; raises subprocess.TimeoutExpired when there is none."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL to the process and to all that it started."""
        if not self._is_over:
            end_tree(self._process.pid)
            self._process.wait()
            # From here on the number may be given to a group of another process.
            self._is_over = True

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM, and SIGKILL when that does not help; returns the exit code."""
        if self.returncode is None:
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()
        return self._process.returncode

    def output(self) -> str:
        """All that the process has written so far."""
        return Path(self._log.name).read_bytes().decode(errors="replace")


def _log_file(path: Path | None) -> contextlib.AbstractContextManager[IO[bytes]]:
    # To be read by its name, since Windows has no pread.
    return NamedTemporaryFile(delete_on_close=False) if path is None else path.open("w+b")


def end_tree(pid: int, system: str = os.name) -> None:
    """End a process and all that it started; on Windows, which has no groups, by its tree."""
    if system == "nt":
        ended = ["taskkill", "/F", "/T", "/PID", str(pid)]
        subprocess.run(ended, capture_output=True, check=False)  # noqa: S603 - the system's own
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def tied(argv: Sequence[str], system: str = os.name) -> list[str]:
    """The command line that runs a program so that it dies with this process.

    On Windows the program itself: to become another one is to start it and to end there.
    """
    if system == "nt":
        return [*argv]
    # -S and -E: the stand-in lives for milliseconds and needs no packages.
    launcher = CHECKOUT / "local" / "tied.py"
    return [sys.executable, "-S", "-E", str(launcher), str(os.getpid()), *argv]


def answers(url: str) -> bool:
    """Whether something answers there, whatever the answer is."""
    try:
        httpx.get(url, timeout=2, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def _reserve(ports: Iterable[int]) -> bool:
    """Whether none of them was given yet; then they are taken."""
    with contextlib.ExitStack() as taken:
        for port in ports:
            mark = taken.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
                mark.bind(("127.0.0.1", port))
            except OSError:
                return False
        _reserved.push(taken.pop_all())
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
