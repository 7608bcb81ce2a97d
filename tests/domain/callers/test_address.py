from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.callers.address import UNKNOWN, address_of


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:50112", "203.0.113.7"),
        ("10.0.0.1, 198.51.100.2, 203.0.113.7:1", "203.0.113.7"),
        ("203.0.113.7, unknown", UNKNOWN),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("", UNKNOWN),
        ("203.0.113.7:1:2", UNKNOWN),
        ("203.0.113.7\n", "203.0.113.7"),
    ],
)
def test_the_last_address_counts(forwarded: str, address: str) -> None:
    """What the front end wrote last is taken; what a caller put before it is not."""
    assert address_of({"X-Forwarded-For": forwarded}) == address


@given(st.text())
def test_whatever_a_caller_writes_does_not_hide_the_last_address(forged: str) -> None:
    """A forged chain before the front end's own entry makes no difference."""
    assert address_of({"X-Forwarded-For": f"{forged}, 203.0.113.7:5"}) == "203.0.113.7"


def test_without_the_header_all_are_one() -> None:
    """Without the platform no header says where a request came from."""
    assert address_of({}) == UNKNOWN
