"""What the libraries underneath may log."""

import logging


def keep_requests_out_of_logs() -> None:
    """At INFO these log each request with its address, and Graph's addresses name persons."""
    for library in ("azure", "hpack", "httpcore", "httpx", "msal", "urllib3"):
        logging.getLogger(library).setLevel(logging.WARNING)
