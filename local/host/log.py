"""The host's log: every record of the app and of the host once, on stderr, as text or JSON."""

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

from azure_functions_runtime import invocation_id_cv

HOST = "host"

# Which invocation an async function is running for; the worker keeps its own for threads.
current_invocation: ContextVar[str | None] = ContextVar("current_invocation", default=None)

# What every record has; the rest of a record is what its `extra` gave it.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(environment: Mapping[str, str]) -> None:
    """Sends all logging of the process to stderr, in the form that LOCAL_HOST_LOG names."""
    handler = logging.StreamHandler(sys.stderr)
    as_json = environment.get("LOCAL_HOST_LOG", "").lower() == "json"
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def invocation_id() -> str | None:
    return current_invocation.get() or invocation_id_cv.get()


class TextLines(logging.Formatter):
    """A line for people: time, level, logger, message."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}"
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


class JsonLines(logging.Formatter):
    """One JSON object a line, with the record's `extra` fields beside the usual ones."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "invocation": invocation_id(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
