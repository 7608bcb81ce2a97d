"""`python -m local`: simulator, storage and host, kept running until ctrl-C. `make run` is this."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.environment_files import FOLDER, environment_files
from local.processes import NotReadyError, are_free, free_port, free_ports
from local.world import HostProcess, World

_HOST_PORT, _GRAPH_PORT, _STORAGE_PORT = 7071, 7080, 10000
_STORAGE_PORTS = 3
_LOOK_UP_SECONDS = 0.5


def main(arguments: Sequence[str] = ()) -> int:
    _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with tempfile.TemporaryDirectory() as logs, _world(Path(logs)) as world:
            host = world.start_host(port=_port(_HOST_PORT))
            log = Path(logs) / f"host-{host.url.rpartition(':')[2]}.log"
            with environment_files(FOLDER, world.environment, host) as written:
                _introduce(world, host, written)
                return _follow(host, log)
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
        return 0


def _world(logs: Path) -> World:
    storage = _STORAGE_PORT if are_free(_STORAGE_PORT, _STORAGE_PORTS) else None
    return World(
        logs=logs,
        graph_port=_port(_GRAPH_PORT),
        storage_port=storage or free_ports(_STORAGE_PORTS),
    )


def _port(friendly: int) -> int:
    """The port that the documentation names, or another one when it is taken."""
    return friendly if are_free(friendly) else free_port()


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="python -m local",
        description="Run a whole local world until Ctrl-C: a simulated tenant, storage, and the "
        "app on its host. `make run` is this. It takes ports 7071 (host), 7080 (tenant) and 10000 "
        "to 10002 (storage) if they are free, others if not, and prints them. For the command "
        "line it writes .local/environment.sh and .ps1: source one, or say entra-sod --local.",
    )


def _introduce(world: World, host: HostProcess, written: Sequence[Path]) -> None:
    print(f"host       {host.url}")
    print(f"simulator  {world.graph.root}/__simulator/requests")
    print(f"storage    {world.storage}")
    for each in written:
        print(f"settings   {each}")
    print(f"\ntry:       curl -i {host.url}/api/health")
    print("           .venv/bin/entra-sod --local packages")
    print("ctrl-C stops all\n", flush=True)


def _follow(host: HostProcess, log: Path) -> int:
    """Shows the host's log as it grows; returns when the host ends by itself."""
    with log.open() as lines:
        while host.returncode is None:
            sys.stderr.write(lines.read())
            sys.stderr.flush()
            time.sleep(_LOOK_UP_SECONDS)
        sys.stderr.write(lines.read())
    return host.returncode


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
