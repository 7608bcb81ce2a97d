"""Runs the simulator on this machine, and prints the settings that point an app at it."""

import argparse
import gc
import logging
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvicorn

from local.graph.app import DEFAULT_IDENTITY_HEADER, IDENTITY_PATH, create_app
from local.graph.behaviour import Behaviour
from local.graph.demo import demo_tenant
from local.graph.odd import odd_tenant
from local.graph.scale import PREFIX, parse, scaled_tenant
from local.graph.tenant import Tenant, load

HOST = "127.0.0.1"
MADE = {"demo": demo_tenant, "odd": odd_tenant}


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    tenant = _tenant(options.tenant)
    behaviour = _behaviour(options.behaviour)
    # Bound before anything is printed: a reader of the settings can connect at once.
    with _listener(options.port) as listener:
        root = f"http://{HOST}:{listener.getsockname()[1]}"
        app = create_app(tenant, behaviour, root=root, identity_header=options.identity_header)
        # A large tenant would be searched for garbage again and again, in the middle of requests.
        gc.freeze()
        _print_settings(root, tenant, identity_header=options.identity_header)
        # Keep-alive outlasts the pauses of a client, whose pooled connections stay usable then.
        config = uvicorn.Config(
            app,
            http="h11",
            log_level=logging.CRITICAL,
            date_header=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=120,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.graph", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument(
        "--tenant", default="demo", help=f"demo, odd, a JSON file, or {PREFIX}{{…}}"
    )
    parser.add_argument("--behaviour", type=Path, help="a JSON file")
    parser.add_argument("--identity-header", default=DEFAULT_IDENTITY_HEADER)
    return parser


def _tenant(text: str) -> Tenant:
    if text.startswith(PREFIX):
        return scaled_tenant(parse(text))
    made = MADE.get(text)
    return made() if made else load(Path(text))


def _behaviour(file: Path | None) -> Behaviour:
    return msgspec.json.decode(file.read_bytes(), type=Behaviour) if file else Behaviour()


def _listener(port: int) -> socket.socket:
    # asyncio sends without delay only on sockets that name TCP, which create_server's do not: each
    # answer would wait some 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen()
    return listener


def _print_settings(root: str, tenant: Tenant, *, identity_header: str) -> None:
    print(f"GRAPH_ROOT={root}")
    print(f"IDENTITY_ENDPOINT={root}{IDENTITY_PATH}")
    print(f"IDENTITY_HEADER={identity_header}")
    # The app's identity is the first one of a tenant.
    for identity in tenant.identities[:1]:
        print(f"AZURE_CLIENT_ID={identity.client_id}")
    print(end="", flush=True)


if __name__ == "__main__":
    main()
