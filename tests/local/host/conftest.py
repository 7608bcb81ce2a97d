"""The sample app on a host, with its queues and its diary."""

import base64
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, QueueServiceClient

from local.processes import free_port
from local.world import HostProcess

SAMPLE_APP = Path(__file__).parent / "sample_app"
PATIENCE_SECONDS = 20


def wait_for[Found](look: Callable[[], Found], seconds: float = PATIENCE_SECONDS) -> Found:
    """What a look finds at last: the first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


class Sample:
    """A sample app of a test's own: its settings, queues, hosts and diary."""

    host: HostProcess

    def __init__(self, azurite: str, folder: Path, ending: ExitStack) -> None:
        self.work = f"work-{uuid.uuid4().hex[:8]}"
        self._diary = folder / "diary"
        self._ending = ending
        self._account = ending.enter_context(QueueServiceClient.from_connection_string(azurite))
        self.settings = {
            "AzureWebJobsStorage": azurite,
            "WORK_QUEUE": self.work,
            "SAMPLE_DIARY": str(self._diary),
            "SWEEP_SCHEDULE": "0 0 2 * * *",
            "LOCAL_HOST_FUNCTION_KEY": "function-key",
            "LOCAL_HOST_MASTER_KEY": "master-key",
            "AzureWebJobs.tick.Disabled": "true",
        }

    def start(self, **settings: str) -> HostProcess:
        return self._start({**os.environ, **self.settings, **settings}, auth=False)

    def start_with_keys(self) -> HostProcess:
        return self._start({**os.environ, **self.settings}, auth=True)

    def _start(self, environment: dict[str, str], *, auth: bool) -> HostProcess:
        host = HostProcess(environment, port=free_port(), auth=auth, app=SAMPLE_APP, log=None)
        self._ending.enter_context(host)
        host.wait_running()
        return host

    def queue(self, name: str) -> QueueClient:
        return self._account.get_queue_client(name)

    def forget(self) -> None:
        """Empties diary and work queue, so that a test finds only its own."""
        self._diary.unlink(missing_ok=True)
        self.queue(self.work).clear_messages()

    def order(self, **order: object) -> None:
        """Sends an order to the app's work queue, as the host's own client would."""
        self.send(base64.b64encode(json.dumps(order).encode()).decode())

    def send(self, text: str) -> None:
        queue = self.queue(self.work)
        with suppress(ResourceExistsError):
            queue.create_queue()
        queue.send_message(text)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the app wrote into its diary under one name."""
        if not self._diary.exists():
            return []
        lines = (json.loads(line) for line in self._diary.read_text().splitlines())
        return [line for line in lines if line["event"] == name]

    def wait_for_events(self, name: str, count: int) -> list[dict[str, Any]]:
        return wait_for(lambda: self.events(name)[:count] * (len(self.events(name)) >= count))

    def length(self, queue: str) -> int:
        """How many messages a queue holds, hidden ones included."""
        return self.queue(queue).get_queue_properties().approximate_message_count or 0


@pytest.fixture
def sample(azurite: str, tmp_path: Path) -> Iterator[Sample]:
    with ExitStack() as ending:
        yield Sample(azurite, tmp_path, ending)


@pytest.fixture(scope="session")
def shared(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """A running sample app for tests that need no settings of their own."""
    with ExitStack() as ending:
        sample = Sample(azurite, tmp_path_factory.mktemp("shared"), ending)
        sample.host = sample.start()
        yield sample


@pytest.fixture
def running(shared: Sample) -> Sample:
    shared.forget()
    return shared


@pytest.fixture(scope="module")
def web(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host with keys, shared by the tests that only call it."""
    with ExitStack() as ending:
        yield Sample(azurite, tmp_path_factory.mktemp("web"), ending).start_with_keys()


def module_line(*arguments: str) -> list[str]:
    """The command line of the host itself."""
    return [sys.executable, "-m", "local.host", *arguments]
