from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.notifications.console_links import (
    finding_link,
    owner_link,
    with_owner_link,
)

APP = "https://app.example/api"


def test_a_finding_has_a_place() -> None:
    """As the console reads it."""
    assert finding_link(APP, "0" * 32) == f"{APP}/console#/findings/{'0' * 32}"


@given(st.text(min_size=1))
def test_an_owner_is_read_back_from_the_link(owner: str) -> None:
    """Whatever the rule calls its owner, the fragment stays one, and names that owner alone."""
    owner = owner.encode(errors="replace").decode()
    parts = urlsplit(owner_link(APP, owner))
    place, _, query = parts.fragment.partition("?")
    assert (parts.query, place) == ("", "/findings")
    assert parse_qsl(query, keep_blank_values=True) == [("owner", owner)]


def test_a_digest_keeps_its_fields() -> None:
    """Only the link is added; numbers and texts stay as they were written."""
    before = {"sweep": "s", "owner": "it@contoso.example", "counts": {"new": 2}, "new": ["é"]}
    after = json.loads(with_owner_link(msgspec.json.encode(before), APP))
    assert after == {**before, "link": owner_link(APP, "it@contoso.example")}
