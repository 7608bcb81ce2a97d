"""How a host ends: by SIGTERM, by SIGKILL, with its parent."""

import subprocess
import sys
import time

import httpx
import psutil
import pytest

from local.processes import CHECKOUT, NotReadyError, free_port
from local.world import HostProcess
from tests.local.host.conftest import Sample, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.host]


def test_a_stop_waits_for_what_is_running(sample: Sample) -> None:
    """The message that runs is finished and deleted, the next one is not begun; exit code 0."""
    host = sample.start(AzureFunctionsJobHost__extensions__queues__batchSize="1")
    sample.order(seconds=2)
    sample.wait_for_events("started", 1)
    assert host.stop() == 0
    assert len(sample.events("ended")) == 1
    assert sample.length(sample.work) == 0
    sample.order(after="the end")
    time.sleep(0.5)
    assert len(sample.events("started")) == 1


def test_a_stop_does_not_wait_for_ever(sample: Sample) -> None:
    """What still runs after its time is left, and comes back when its hide ends."""
    host = sample.start(LOCAL_HOST_DRAIN_SECONDS="2")
    sample.order(seconds=60)
    sample.wait_for_events("started", 1)
    began = time.monotonic()
    assert host.stop(20) == 0
    assert 1.5 < time.monotonic() - began < 8
    assert sample.length(sample.work) == 1


def test_a_message_of_a_killed_host_comes_back(sample: Sample) -> None:
    """After kill -9 in the middle a new host runs the message again when its hide has ended."""
    hide = {"LOCAL_HOST_INVISIBILITY_SECONDS": "2"}
    host = sample.start(**hide)
    sample.order(seconds=1)
    sample.wait_for_events("started", 1)
    host.kill()
    assert sample.events("ended") == []
    sample.start(**hide)
    (ended,) = sample.wait_for_events("ended", 1)
    assert ended["count"] == 2
    assert wait_for(lambda: sample.length(sample.work) == 0)


def test_a_message_over_its_tries_is_not_run_again(sample: Sample) -> None:
    """One that has killed its host at every try goes to poison when it is fetched once more."""
    sample.order(deadly=True)
    list(sample.queue(sample.work).receive_messages(visibility_timeout=1))
    sample.start(AzureFunctionsJobHost__extensions__queues__maxDequeueCount="1")
    (poison,) = sample.wait_for_events("poison", 1)
    assert poison["text"] == '{"deadly": true}'
    assert sample.events("started") == []


def test_a_host_dies_with_its_parent(sample: Sample) -> None:
    """Nothing is left behind by a parent that was killed and could not clean up."""
    port = free_port()
    script = (
        "import os, time; from pathlib import Path; from local.world import HostProcess\n"
        f"app = Path('tests/local/host/sample_app').resolve()\n"
        f"host = HostProcess(os.environ, port={port}, auth=False, app=app, log=None)\n"
        "host.wait_running(); print(host.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603 - this interpreter, with a script of this test
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env=sample.settings | {"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert wait_for(lambda: not psutil.pid_exists(child))


def test_a_taken_port_is_said(sample: Sample, web: HostProcess) -> None:
    """A second host on the same port ends at once with a line that says so."""
    port = int(web.url.rpartition(":")[2])
    second = HostProcess(sample.settings, port=port, auth=False, app=CHECKOUT, log=None)
    with second:
        assert second.wait() == 1
        assert f"port {port} cannot be used" in second.output()
    assert httpx.get(f"{web.url}/api/echo/latest").status_code == 200


def test_a_program_that_ends_is_not_waited_for(sample: Sample) -> None:
    """Waiting for it fails at once, with its output in the error."""
    settings = sample.settings | {"WORK_QUEUE": ""}
    del settings["WORK_QUEUE"]
    app = CHECKOUT / "tests/local/host/sample_app"
    with (
        HostProcess(settings, port=free_port(), auth=False, app=app, log=None) as host,
        pytest.raises(NotReadyError, match="%WORK_QUEUE%"),
    ):
        host.wait_running()
