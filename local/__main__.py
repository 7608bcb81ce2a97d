"""`python -m local`: simulator, storage and host, kept running until ctrl-C. `make run` is this."""

import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.processes import NotReadyError, are_free, free_port, free_ports
from local.world import HostProcess, World

_HOST_PORT, _GRAPH_PORT, _STORAGE_PORT = 7071, 7080, 10000
_STORAGE_PORTS = 3
_LOOK_UP_SECONDS = 0.5


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with tempfile.TemporaryDirectory() as logs, _world(Path(logs)) as world:
            host = world.start_host(port=_port(_HOST_PORT))
            _introduce(world, host)
            return _follow(host, Path(logs) / f"host-{host.url.rpartition(':')[2]}.log")
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


def _introduce(world: World, host: HostProcess) -> None:
    print(f"host       {host.url}")
    print(f"simulator  {world.graph.root}/__simulator/requests")
    print(f"storage    {world.storage}")
    print(f"\ntry:       curl -i {host.url}/api/health\nctrl-C stops all\n", flush=True)


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
    sys.exit(main())
