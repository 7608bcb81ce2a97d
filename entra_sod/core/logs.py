"""What the libraries underneath may log."""

import logging

# At INFO these log each request with its address, and Graph's addresses name persons.
LIBRARIES = ("azure", "hpack", "httpcore", "httpx", "msal", "urllib3")


def keep_requests_out_of_logs() -> None:
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
