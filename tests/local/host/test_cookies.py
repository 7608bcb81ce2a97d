from http.cookies import SimpleCookie

import pytest
from azure_functions_runtime.bindings.datumdef import parse_to_rpc_http_cookie_list

from local.host.cookies import set_cookie
from local.host.protos import Protos


@pytest.mark.parametrize(
    "header",
    [
        "a=b",
        "a=b; domain=contoso.com; path=/; secure; httponly; samesite=strict",
        "a=b; expires=Sun, 22 Nov 2026 17:00:00 GMT; max-age=60; samesite=none",
    ],
)
def test_a_cookie_survives_the_worker(header: str) -> None:
    """What a function sets is what the caller gets, through the worker's own messages."""
    (cookie,) = parse_to_rpc_http_cookie_list([SimpleCookie(header)], Protos())
    assert set_cookie(cookie) == header
