"""From an answer that failed to one of our errors, and what such an error must not say."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.adapters.graph import transport
from entra_sod.adapters.graph.client import GraphClient
from entra_sod.adapters.graph.failures import clock_skew, graph_error, retry_after_seconds
from entra_sod.core.errors import (
    Forbidden,
    GraphError,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
    Unlicensed,
)
from entra_sod.core.logs import LIBRARIES
from entra_sod.domain.entra import Reference, ReferenceKind
from tests.adapters.graph.fixtures import SECRET
from tests.adapters.graph.server import RecordingServer
from tests.adapters.graph.tenant import AUDITORS, PAY

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
WEEK = 7 * 86_400

CLASSES: dict[int, type[GraphError]] = {
    301: Rejected,
    302: Rejected,
    304: Rejected,
    307: Rejected,
    400: Rejected,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    405: Rejected,
    408: Unavailable,
    409: Rejected,
    410: Rejected,
    412: Rejected,
    424: Rejected,
    425: Unavailable,
    429: Throttled,
    500: Unavailable,
    501: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
    509: Unavailable,
}

type Prepare = Callable[[RecordingServer, RecordingServer], None]
type Ask = Callable[[GraphClient], Awaitable[object]]


def fails_with(status: int) -> Prepare:
    return lambda server, _: server.will_answer({"error": {"code": "x"}}, status, Retry_After="99")


# Each way in which a request can fail, as a server does it.
FAILURES: dict[str, Prepare] = {
    **{str(status): fails_with(status) for status in (400, 401, 403, 404, 409, 429, 500, 503)},
    "redirect": lambda server, other: server.will_answer(status=302, Location=other.root),
    "foreign link": lambda server, other: server.will_answer(
        {"value": [], "@odata.nextLink": f"{other.root}/v1.0/x", "id": 1}
    ),
    "garbage": lambda server, _: server.will_answer(b"<html></html>"),
    "empty": lambda server, _: server.will_answer(b""),
    "hang-up": lambda server, _: server.will_hang_up(),
}
ASKS: dict[str, Ask] = {
    "read": lambda graph: graph.packages(),
    "batch": lambda graph: graph.packages_by_id([PAY]),
    "write": lambda graph: graph.add(Reference(PAY, ReferenceKind.GROUP, AUDITORS)),
}


@pytest.mark.parametrize("status", CLASSES)
def test_each_status_has_its_class(status: int) -> None:
    """The class of an error is decided by the status alone, and the error keeps it."""
    error = graph_error("reading x", status, {})
    assert type(error) is CLASSES[status]
    assert error.status == status
    assert "reading x" in str(error)


def test_a_missing_licence_is_told_apart_from_a_missing_role() -> None:
    """By its code, whatever the words; and only of a 403, for it is permanent as that is."""
    body = b'{"error": {"code": "NoLicense", "message": "User is not authorized"}}'
    assert type(graph_error("reading x", 403, {}, body=body)) is Unlicensed
    assert type(graph_error("reading x", 500, {}, body=body)) is Unavailable
    for other in (b"", b"<html>", b'{"error": {"code": "UnAuthorized"}}', b'{"error": 7}'):
        assert type(graph_error("reading x", 403, {}, body=other)) is Forbidden


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7),
        ("Wed, 31 Dec 2025 23:59:00 GMT", -60),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_clock_is_compared_by_the_date_of_an_answer(
    date: str | None, seconds: float | None
) -> None:
    """Ahead is positive; a header that says no date says nothing."""
    skew = clock_skew(date, datetime(2026, 1, 1, tzinfo=UTC))
    assert (skew.total_seconds() if skew is not None else None) == seconds


@given(st.integers(min_value=300, max_value=999))
def test_every_other_status_has_a_class_too(status: int) -> None:
    """No status is without an error."""
    assert isinstance(graph_error("reading x", status, {}), GraphError)


def test_an_error_names_graphs_id_of_the_request() -> None:
    """Microsoft's support asks for the request id, so it is in the message."""
    error = graph_error("reading x", 500, {"request-id": "7a-b"})
    assert error.request_id == "7a-b"
    assert "7a-b" in str(error)


def test_a_throttle_keeps_its_wait() -> None:
    """The wait of a 429 is read from its header."""
    error = graph_error("reading x", 429, {"retry-after": "17"})
    assert isinstance(error, Throttled)
    assert error.retry_after == 17


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 30, 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Sun, 22 Nov 2026 02:01:40 GMT", 100),
        ("Sun, 22 Nov 2026 03:01:40 +0100", 100),
        ("Sun, 22 Nov 2026 02:01:40 -0000", 100),
        ("Sat, 21 Nov 2026 02:00:00 GMT", 0),
        ("", None),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u00b2", None),
        ("\u0663", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(
    value: str | None, seconds: float | None
) -> None:
    """Seconds and HTTP dates are read; whatever else stands there is nothing usable."""
    assert retry_after_seconds(value, NOW) == seconds


@given(st.integers(min_value=0, max_value=86_400))
def test_seconds_are_read_as_they_are(seconds: int) -> None:
    """A number of seconds up to a day is that number."""
    assert retry_after_seconds(str(seconds), NOW) == seconds


@given(st.integers(min_value=0, max_value=86_400))
def test_a_date_is_so_many_seconds_away(seconds: int) -> None:
    """A date is the seconds until then."""
    moment = (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert retry_after_seconds(moment, NOW) == seconds


def test_a_date_is_held_against_the_answers_own_clock() -> None:
    """A local clock that is wrong neither shortens nor lengthens the wait that Graph asks for."""
    headers = {
        "retry-after": "Sun, 22 Nov 2026 02:01:40 GMT",
        "date": "Sun, 22 Nov 2026 02:01:00 GMT",
    }
    for wrong in (NOW - timedelta(hours=2), NOW + timedelta(hours=2)):
        error = graph_error("reading x", 429, headers, now=wrong)
        assert isinstance(error, Throttled)
        assert error.retry_after == 40


@pytest.mark.parametrize("date", [{}, {"date": "yesterday"}])
def test_without_a_date_in_the_answer_the_local_clock_counts(date: dict[str, str]) -> None:
    """As in the parts of a batch, which have none."""
    headers = {"retry-after": "Sun, 22 Nov 2026 02:01:40 GMT", **date}
    error = graph_error("reading x", 429, headers, now=NOW)
    assert isinstance(error, Throttled)
    assert error.retry_after == 100


DATE_PARTS = st.lists(
    st.one_of(
        st.sampled_from(["Mon,", "Jan", "GMT", "-0000", "+2359", ":", "00:00:00", "-", "2026"]),
        st.integers(min_value=-(10**25), max_value=10**25).map(str),
    ),
    max_size=8,
).map(" ".join)


@given(st.one_of(st.text(), st.from_regex(r"\d+", fullmatch=True), DATE_PARTS))
def test_no_retry_after_breaks_anything(value: str) -> None:
    """Whatever stands there gives nothing, or a wait that a queue can take."""
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds < WEEK


@pytest.mark.parametrize("prepare", FAILURES.values(), ids=FAILURES)
async def test_no_failure_shows_the_token(
    served: GraphClient,
    server: RecordingServer,
    other_server: RecordingServer,
    caplog: pytest.LogCaptureFixture,
    prepare: Prepare,
) -> None:
    """Neither an error, nor its trace, nor any log at any level has the token in it."""
    for logger in (None, *LIBRARIES):
        caplog.set_level(logging.DEBUG, logger)
    prepare(server, other_server)
    shown = [await _shown(ask(served)) for ask in ASKS.values()]
    assert {each.headers["authorization"] for each in server.received} == {f"Bearer {SECRET}"}
    assert caplog.records
    assert SECRET not in "".join(shown)
    assert SECRET not in caplog.text


async def _shown(asked: Awaitable[object]) -> str:
    """All that a log could show of a result or an error."""
    try:
        return repr(await asked)
    except GraphError as error:
        return f"{error}{error!r}{''.join(traceback.format_exception(error))}"


def test_compressed_headers_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """HTTP/2's header compression does not write the token into a log that is at debug level."""
    assert transport.MAX_WAIT_SECONDS
    caplog.set_level(logging.DEBUG)
    Encoder().encode([("authorization", f"Bearer {SECRET}")])
    assert SECRET not in caplog.text


def test_a_token_that_is_not_accepted_is_no_missing_role() -> None:
    """G9: 401 is about the token, 403 about the role on the catalog."""
    refused, forbidden = (str(graph_error("reading x", each, {})) for each in (401, 403))
    assert ("token" in refused, "Grant it" in refused) == (True, False)
    assert ("token" in forbidden, "Grant it Access" in forbidden) == (False, True)
