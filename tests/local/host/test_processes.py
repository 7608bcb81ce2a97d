"""Processes of a local world."""

import socket
import sys
from pathlib import Path

import psutil
import pytest

from local import processes
from local.processes import NotReadyError, Process, answers, are_free, free_port, free_ports
from tests.local.host.conftest import wait_for

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print(child.pid, flush=True); time.sleep(60)"
)


def run(script: str, log: Path | None = None) -> Process:
    return Process([sys.executable, "-c", script], log=log)


def test_free_ports_are_consecutive_and_free() -> None:
    """A server can listen on each of them."""
    first = free_ports(3)
    servers = [socket.create_server(("127.0.0.1", first + offset)) for offset in range(3)]
    assert not are_free(first, 3)
    for server in servers:
        server.close()


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may not listen yet, when another process looks for a free port."""
    port = free_port()
    monkeypatch.setattr(processes, "_PORTS", range(port, port + 1))
    with pytest.raises(OSError, match="no 1 consecutive ports"):
        free_port()
    script = f"from local import processes as p; p._PORTS = [{port}]; p.free_port()"
    with run(script) as other:
        assert other.wait() == 1
        assert "no 1 consecutive ports" in other.output()


def test_output_can_be_read_while_the_process_runs(tmp_path: Path) -> None:
    """It is in the log file that the caller names, too."""
    with run(SLEEP, tmp_path / "log") as process:
        process.wait_ready(lambda: "up" in process.output())
        assert process.returncode is None
        assert (tmp_path / "log").read_text() == "up\n"


def test_a_stop_ends_what_does_not_listen() -> None:
    """SIGKILL follows when SIGTERM does not help."""
    with run(STUBBORN) as process:
        process.wait_ready(lambda: "up" in process.output())
        assert process.stop(0.2) == -9


def test_a_kill_takes_the_whole_group() -> None:
    """What the process has started ends with it."""
    with run(PARENT) as process:
        process.wait_ready(lambda: process.output().strip().isdecimal())
        child = int(process.output())
        process.kill()
        assert wait_for(lambda: not psutil.pid_exists(child))


def test_an_end_before_it_is_ready_is_an_error_with_the_output() -> None:
    """The error does not wait for the time limit."""
    with (
        run("print('no luck'); raise SystemExit(3)") as process,
        pytest.raises(NotReadyError, match=r"ended with 3:\nno luck"),
    ):
        process.wait_ready(lambda: False)


def test_a_time_limit_is_an_error_with_the_output() -> None:
    """What the process said so far is in it."""
    with run(SLEEP) as process:
        process.wait_ready(lambda: "up" in process.output())
        with pytest.raises(NotReadyError, match=r"not ready:\nup"):
            process.wait_ready(lambda: False, 0.1)


def test_an_address_without_a_server_does_not_answer() -> None:
    """Being refused is no answer."""
    assert not answers(f"http://127.0.0.1:{free_port()}/")
