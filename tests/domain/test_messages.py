from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.errors import InvalidMessage
from entra_sod.domain.messages import (
    MAX_MESSAGE_BYTES,
    CheckMessage,
    DeliveryMessage,
    Message,
    SweepMessage,
    decode,
    encode,
)
from tests.builders import guid

GOOD = {
    "version": 1,
    "kind": "check",
    "id": guid("c"),
    "traceparent": "00-0-0-01",
    "enqueuedAt": "2026-01-01T00:00:00Z",
    "accessPackageId": guid("a"),
    "incompatibleAccessPackageId": guid("b"),
}

envelopes = {
    "version": st.just(1),
    "id": st.from_regex(r"\A[A-Za-z0-9-]{1,64}\Z"),
    "traceparent": st.text(max_size=60),
    "enqueued_at": st.just("") | st.datetimes(timezones=st.timezones()).map(str),
    "attempt": st.integers(0, 200),
    "throttled": st.integers(0, 200),
    "reason": st.none() | st.text(max_size=100),
}
checks = st.builds(
    CheckMessage,
    **{**envelopes, "id": st.uuids().map(str)},
    access_package_id=st.uuids(),
    incompatible_access_package_id=st.uuids(),
    reference=st.none() | st.text(max_size=200),
)
sweeps = st.builds(
    SweepMessage,
    **envelopes,
    part=st.integers(0, 10_000),
    closes=st.booleans(),
)
deliveries = st.builds(
    DeliveryMessage,
    **envelopes,
    subject=st.sampled_from(["check", "sweep"]),
    subscription=st.none() | st.uuids().map(str),
    tries=st.integers(0, 200),
)


@given(st.one_of(checks, sweeps, deliveries))
def test_a_message_survives_the_queue(message: Message) -> None:
    """What is encoded is decoded to the same value, and is far smaller than a message may be."""
    body = encode(message)
    assert decode(body) == message
    assert len(body) < MAX_MESSAGE_BYTES // 4


def test_every_message_has_the_fixed_fields() -> None:
    """Version, kind, id, traceparent and enqueuedAt are on the wire, by these names."""
    message = decode(json.dumps(GOOD).encode())
    assert isinstance(message, CheckMessage)
    assert message.access_package_id == UUID(guid("a"))
    assert GOOD.items() <= json.loads(encode(message)).items()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\x00\x01", "not base64 of a JSON object"),
        (b"[]", "not base64 of a JSON object"),
        (b"{}", "version None"),
        ({**GOOD, "version": 2}, "version 2"),
        ({**GOOD, "version": "1"}, "not base64 of a JSON object"),
        ({**GOOD, "kind": "party"}, "party"),
        ({**GOOD, "accessPackageId": "x')/../"}, "accessPackageId"),
        ({**GOOD, "id": "../x"}, "id"),
        ({**GOOD, "surprise": 1}, "surprise"),
        ({key: value for key, value in GOOD.items() if key != "id"}, "id"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), "bytes"),
    ],
)
def test_a_message_that_nothing_can_be_made_of_says_why(body: object, words: str) -> None:
    """Wrong bytes, versions, kinds and shapes are InvalidMessage, with what is wrong."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidMessage, match=words):
        decode(data)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(body: bytes) -> None:
    """Random bytes are refused by name, never by a crash."""
    with pytest.raises(InvalidMessage):
        decode(body)
