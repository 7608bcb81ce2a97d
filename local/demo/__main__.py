"""`python -m local.demo`: tells the story on this terminal, or into a log. `make demo` is this."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from local.demo.screen import Screen, console_on
from local.demo.tell import run

# Windows has no SIGHUP.
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_SIGNALLED = 128


class StoppedError(BaseException):
    """A person asked for an end: no error that the story could tell of."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"signal {number}")


def main() -> int:
    for number in _SIGNALS:
        signal.signal(number, _stop)
    _keep_from_proxies()
    try:
        return run(Screen(console_on(sys.stdout)))
    except StoppedError as stopped:
        print("\ndemo: stopped", flush=True)
        return _SIGNALLED + stopped.number


def _keep_from_proxies() -> None:
    """All of the world is on loopback, where a company's HTTP_PROXY does not reach."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1")))


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    # Not again while processes are being ended: some would be left behind.
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise StoppedError(number)


if __name__ == "__main__":
    sys.exit(main())
