"""`python -m local.host --port P [--auth] [--app DIR] [--list]`: the app, as Azure would run it.

All settings come from the environment, those of the app and these of the host:

    AzureFunctionsJobHost__…         overrides a value of host.json, as in Azure
    AzureWebJobs.NAME.Disabled       true leaves a function out, as in Azure
    LOCAL_HOST_FUNCTION_KEY          the function key with --auth; random otherwise, and printed
    LOCAL_HOST_MASTER_KEY            the master key with --auth; random otherwise, and printed
    CALLER_KEYS                      of the app: with --auth these two keys, else `anyone`
    LOCAL_HOST_LOG=json              one JSON object a line
    LOCAL_HOST_INVISIBILITY_SECONDS  how long a running message is hidden; 600, as in Azure
    LOCAL_HOST_DRAIN_SECONDS         how long a stop waits for what is running; 10
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from local.host import indexing, log
from local.host.errors import HostError


def main() -> int:
    arguments = _arguments()
    app = (arguments.app or default_app()).resolve()
    log.configure(os.environ)
    try:
        if arguments.list:
            return _list(app)
        return _run(app, arguments.port, with_auth=arguments.auth)
    except HostError as error:
        print(f"local host: {error}", file=sys.stderr)
        return 1


def default_app() -> Path:
    """The current directory when it is an app, the checkout of this package otherwise."""
    here = Path.cwd()
    return here if (here / "function_app.py").is_file() else indexing.CHECKOUT


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.host", description="Runs the app as Azure Functions would, locally."
    )
    parser.add_argument("--port", type=int, default=7071, help="port on 127.0.0.1")
    parser.add_argument("--app", type=Path, help="folder of function_app.py and host.json")
    parser.add_argument("--auth", action="store_true", help="ask for keys, as in Azure")
    parser.add_argument("--list", action="store_true", help="print functions and bindings, exit")
    return parser.parse_args()


def _list(app: Path) -> int:
    print(indexing.as_json(indexing.index_here(app)))
    return 0


def _run(app: Path, port: int, *, with_auth: bool) -> int:
    # Half a second of imports that a listing does without.
    from local.host.app_host import Options, serve

    options = Options(app=app, port=port, environment=os.environ, with_auth=with_auth)
    if not asyncio.run(serve(options)):
        # A thread that is still running would keep the process; nothing waits for it any more.
        print("local host: some functions were still running", file=sys.stderr, flush=True)
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
