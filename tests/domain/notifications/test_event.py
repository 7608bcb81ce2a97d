from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.notifications.event import MAX_BODY_BYTES, Event, shortened

SELF = "https://app.example.com/api/checks/c1"
names = st.text("abcdefgh", min_size=1, max_size=3)
fields = st.none() | st.integers() | st.integers(0, 30_000).map("x".__mul__)


def event(status: str = "completed", subject: Any = "check") -> Event:
    return Event(
        subject=subject,
        subject_id="c1",
        status=status,
        at="2026-01-01T00:00:00Z",
        app="https://app.example.com/api",
        result=b'{"id":"c1"}',
    )


def test_an_event_has_the_attributes_of_cloudevents() -> None:
    """All that are required, and time and subject, as the binary mode names them."""
    assert event().attributes == {
        "ce-specversion": "1.0",
        "ce-type": "com.entra-sod.check.completed",
        "ce-source": "https://app.example.com/api",
        "ce-id": "check-c1",
        "ce-subject": "checks/c1",
        "ce-time": "2026-01-01T00:00:00Z",
    }


def test_the_type_says_whether_it_came_to_something() -> None:
    """Failed is an event of its own; completed with gaps is completed."""
    assert event("failed").name == "check.failed"
    assert event("completed-with-gaps", "sweep").name == "sweep.completed"
    assert event("failed", "sweep").name == "sweep.failed"


def test_a_small_result_is_sent_byte_for_byte() -> None:
    """The body is what a poller gets, without a field more or less."""
    assert event().body == b'{"id":"c1"}'
    largest = b'{"a":"' + b"x" * (MAX_BODY_BYTES - 8) + b'"}'
    assert shortened(largest, SELF) == largest


def test_of_a_large_result_the_holders_are_left_out_and_that_is_said() -> None:
    """The list is absent, not empty; `omitted` names it, and `self` leads to the whole."""
    holders = [{"subjectId": f"s{number}" * 10} for number in range(1000)]
    whole = {"id": "c1", "outcome": "conflict", "holders": holders, "holderCount": 1000}
    sent = json.loads(shortened(json.dumps(whole).encode(), SELF))
    assert sent == {
        "id": "c1",
        "outcome": "conflict",
        "holderCount": 1000,
        "self": SELF,
        "omitted": ["holders"],
    }


@given(st.dictionaries(names, fields, max_size=12))
def test_whatever_the_result_the_body_is_small_and_honest(result: dict[str, Any]) -> None:
    """Every field is there as it was, or named in `omitted`; the body is under its limit."""
    data = json.dumps(result).encode()
    body = shortened(data, SELF)
    assert len(body) <= MAX_BODY_BYTES
    sent = json.loads(body)
    if len(data) > MAX_BODY_BYTES:
        left_out = set(sent.pop("omitted"))
        assert left_out
        assert sent.pop("self") == SELF
        result = {name: result[name] for name in result.keys() - left_out}
    assert sent == result
