"""The demo as a whole: it comes true, it can fail, and it leaves nothing behind."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.demo.screen import Screen, console_on
from local.demo.tell import run
from local.processes import CHECKOUT

pytestmark = [pytest.mark.slow, pytest.mark.host]

COMMAND = [sys.executable, "-m", "local.demo"]


@pytest.mark.timeout(400)  # it takes over a minute alone, and other tests run beside it
def test_the_demo_comes_true() -> None:
    """It ends with 0 and the counts in its last line, in plain text, behind a company's proxy."""
    done = subprocess.run(  # noqa: S603 - no shell, and a command of our own
        COMMAND, cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == (
        "demo: ok, 7 conflicts found and 1 more let in, 4+8 references written, "
        "2 requests refused, 6 pairs swept, 1 unknown"
    )
    assert done.stdout.count("demo: ") == 1
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 100


def test_the_demo_can_fail() -> None:
    """An app that only plans where it should write is found out, and its log is shown."""
    output = io.StringIO()
    assert run(Screen(console_on(output)), second_enforcement="plan") == 1
    lines = output.getvalue().splitlines()
    assert lines[-1].startswith("demo: FAILED: written references: expected 4 (")
    assert lines[-1].endswith(", seen none")
    assert "the end of the app's log:" in lines
    assert "finished run_check" in output.getvalue()
    assert "demo: ok" not in output.getvalue()


def test_an_app_that_does_not_start_is_a_failure() -> None:
    """A setting that the app refuses ends the story with what the app says of it."""
    output = io.StringIO()
    assert run(Screen(console_on(output)), second_enforcement="everything") == 1
    assert "demo: FAILED: " in output.getvalue().splitlines()[-1]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_leaves_nothing_behind(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end all that was started, and the exit code says which it was."""
    with subprocess.Popen(  # noqa: S603 - no shell, and a command of our own
        COMMAND, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        # Everything runs as soon as the first check is told of.
        while not demo.stdout.readline().startswith("2  "):
            assert demo.poll() is None
        started = descendants(demo.pid)
        demo.send_signal(number)
        rest = demo.stdout.read()
    assert demo.returncode == 128 + number
    assert rest.endswith("\ndemo: stopped\n")
    assert len(started) >= 4
    assert not running(started)


def environment() -> dict[str, str]:
    """With a proxy that nothing may go through; without what asks for colours in a log."""
    asks = {"FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
    others = {name: value for name, value in os.environ.items() if name not in asks}
    return others | {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}


def descendants(pid: int) -> set[int]:
    """All processes that descend from one."""
    found, looked_at = {pid}, set[int]()
    while todo := found - looked_at:
        looked_at |= todo
        found |= {child for parent in todo for child in children(parent)}
    return found - {pid}


def children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task")
    try:
        texts = [(task / "children").read_text() for task in tasks.iterdir()]
    except FileNotFoundError:
        return set()
    return {int(child) for text in texts for child in text.split()}


def running(pids: set[int]) -> set[int]:
    """Those that are still there after a moment: one that was killed is gone a little later."""
    deadline = time.monotonic() + 5
    while left := {pid for pid in pids if Path(f"/proc/{pid}").exists()}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left
