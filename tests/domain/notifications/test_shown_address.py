"""What is shown of an address that events are sent to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.notifications.shown_address import (
    MAX_SEGMENT_LENGTH,
    MAX_SHOWN_PATH,
    shown_address,
)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://a.example.com/hooks/sod", "a.example.com", "/hooks/sod"),
        ("https://a.example.com/hook?sig=SECRET#SECRET", "a.example.com", "/hook"),
        ("https://user:SECRET@a.example.com:8443/", "a.example.com", "/"),
        (
            "https://hooks.example.com/services/T01/B02/XXXXSECRETSECRETSECRET",
            "hooks.example.com",
            "/services/T01/B02/XXXX…",
        ),
        ("https://[", "", ""),
    ],
)
def test_the_host_and_the_path_are_shown(url: str, host: str, path: str) -> None:
    """No query, no fragment, no user; long segments are cut."""
    assert shown_address(url) == (host, path)


@given(st.text(min_size=MAX_SEGMENT_LENGTH + 1, max_size=100, alphabet="abcdef0123456789"))
def test_no_long_secret_is_shown_whole(secret: str) -> None:
    """Wherever it stands in the address."""
    for url in (
        f"https://x.example/a/{secret}",
        f"https://x.example/a?{secret}",
        f"https://{secret}@x.example/",
    ):
        assert secret not in "".join(shown_address(url))


@given(st.text(max_size=3000))
def test_any_text_has_something_to_show(url: str) -> None:
    """No address is an error, and none is long."""
    assert len(shown_address(url)[1]) <= MAX_SHOWN_PATH
