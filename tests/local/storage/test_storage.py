"""Azurite as the launcher starts it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.processes import CHECKOUT, Process, free_ports
from local.storage import connection_string
from local.storage.azurite import StorageError, command, node
from tests.local.host.conftest import wait_for


def start(port: int, *arguments: str) -> Process:
    return Process([sys.executable, "-m", "local.storage", "--port", str(port), *arguments])


def wait_ready(storage: Process) -> None:
    storage.wait_ready(lambda: "AzureWebJobsStorage=" in storage.output(), 60)


def node_of(storage: Process) -> psutil.Process:
    return next(
        each for each in psutil.Process(storage.pid).children() if "azurite" in str(each.cmdline())
    )


def test_the_connection_string_names_three_services() -> None:
    """Blobs, queues and tables are on consecutive ports of loopback."""
    text = connection_string(10000)
    assert "AccountName=devstoreaccount1;" in text
    assert "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;" in text
    assert "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;" in text
    assert "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;" in text


def test_without_a_folder_nothing_is_written() -> None:
    """Data in memory leaves nothing to clean, however the process ends."""
    assert "--inMemoryPersistence" in command(10000, None)
    assert "--location" not in command(10000, None)


def test_a_missing_node_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to run."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StorageError, match="make node_modules"):
        node()


def test_a_missing_azurite_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to run."""
    monkeypatch.setattr("local.storage.azurite._SCRIPT", Path("nowhere"))
    with pytest.raises(StorageError, match="make node_modules"):
        command(10000, None)


def test_data_in_a_folder_is_kept(tmp_path: Path) -> None:
    """Queues and blobs are there again after a stop, which ends with 0."""
    port = free_ports(3)
    with start(port, "--folder", str(tmp_path)) as storage:
        wait_ready(storage)
        with (
            QueueServiceClient.from_connection_string(connection_string(port)) as queues,
            BlobServiceClient.from_connection_string(connection_string(port)) as blobs,
        ):
            queues.create_queue("kept").send_message("a")
            blobs.create_container("kept").close()
        assert storage.stop() == 0
    with start(port, "--folder", str(tmp_path)) as storage:
        wait_ready(storage)
        with QueueServiceClient.from_connection_string(connection_string(port)) as queues:
            assert [each.name for each in queues.list_queues()] == ["kept"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_azurite_dies_with_a_launcher_that_is_killed() -> None:
    """A kill -9 of the launcher alone leaves no Node behind."""
    with start(free_ports(3)) as storage:
        wait_ready(storage)
        azurite = node_of(storage)
        os.kill(storage.pid, signal.SIGKILL)
        assert wait_for(lambda: not azurite.is_running())


def test_a_taken_port_is_said() -> None:
    """The error names the port, and nothing is started."""
    port = free_ports(3)
    with socket.create_server(("127.0.0.1", port + 1)):
        done = subprocess.run(  # noqa: S603 - this interpreter, with arguments of this test
            [sys.executable, "-m", "local.storage", "--port", str(port)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port + 1} is taken" in done.stderr


def test_requests_are_printed_when_asked_for() -> None:
    """So that a benchmark can count the messages that were sent."""
    port = free_ports(3)
    with start(port, "--requests") as storage:
        wait_ready(storage)
        with QueueServiceClient.from_connection_string(connection_string(port)) as service:
            service.create_queue("printed").send_message("hello")
        sent = '"POST /devstoreaccount1/printed/messages HTTP/1.1" 201'
        wait_for(lambda: sent in storage.output())
