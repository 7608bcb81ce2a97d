"""`python -m local.storage --port P [--folder DIR] [--requests]`: Azurite on three ports.

Blobs are on P, queues on P+1, tables on P+2.
"""

import argparse
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from local.processes import are_free, tied
from local.storage import connection_string
from local.storage.azurite import SERVICES, StorageError, command

_READY_SECONDS = 60


def main() -> int:
    arguments = _arguments()
    try:
        check_ports(arguments.port)
        # In the group of this process, so that a signal to the group ends both.
        azurite = subprocess.Popen(tied(_command(arguments)))  # noqa: S603
        return _watch(azurite, arguments.port)
    except StorageError as error:
        print(f"local storage: {error}", file=sys.stderr)
        return 1


def check_ports(port: int) -> None:
    """Raises StorageError naming the ports that are taken."""
    ports = range(port, port + len(SERVICES))
    taken = [str(each) for each in ports if not are_free(each)]
    if taken:
        raise StorageError(f"port {', '.join(taken)} is taken: choose another with --port")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.storage", description="Runs Azurite as the storage of a local world."
    )
    parser.add_argument("--port", type=int, default=10000, help="of blobs; queues +1, tables +2")
    parser.add_argument("--folder", type=Path, help="keep the data there; otherwise in memory")
    parser.add_argument("--requests", action="store_true", help="print each request, as served")
    return parser.parse_args()


def _command(arguments: argparse.Namespace) -> list[str]:
    return command(arguments.port, arguments.folder, with_requests=arguments.requests)


def _watch(azurite: "subprocess.Popen[bytes]", port: int) -> int:
    """Runs until Azurite ends, or until this process is told to."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        azurite.terminate()
        was_stopped.append(True)

    was_stopped: list[bool] = []
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _wait_ready(azurite, port)
    code = azurite.wait()
    return 0 if was_stopped else code


def _wait_ready(azurite: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    waiting = list(range(port, port + len(SERVICES)))
    while waiting and azurite.poll() is None:
        waiting = [each for each in waiting if not _listens(each)]
        if time.monotonic() > deadline:
            azurite.kill()
            raise StorageError(f"Azurite does not answer on port {waiting[0]}")
        time.sleep(0.05)
    if not waiting:
        print(f"AzureWebJobsStorage={connection_string(port)}", flush=True)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
