"""What may stand in logs: of the libraries underneath, and of a tenant."""

import logging

from entra_sod.core.names import visible

# At INFO these log each request with its address, and Graph's addresses name persons.
LIBRARIES = ("azure", "hpack", "httpcore", "httpx", "msal", "urllib3")


def keep_requests_out_of_logs() -> None:
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


def keep_one_line(record: logging.LogRecord) -> bool:
    """Filter a logger's records: whatever names are in a message, it stays one line."""
    record.msg, record.args = visible(record.getMessage()), ()
    return True
