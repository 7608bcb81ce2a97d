"""HTTP functions on a running host."""

import httpx
import pytest

from local.world import HostProcess
from tests.local.host.conftest import Sample, wait_for

pytestmark = pytest.mark.host

KEY = {"x-functions-key": "function-key"}
MASTER = {"x-functions-key": "master-key"}


def test_a_function_sees_the_request(web: HostProcess) -> None:
    """Method, URL, route parameters, query, headers and body reach it as they were sent."""
    answer = httpx.post(
        f"{web.url}/api/echo/a%20b/x?q=1&q=2&code=function-key",
        content=b"\x00\xff",
        headers={"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"},
    )
    seen = answer.json()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert seen["url"] == f"{web.url}/api/echo/a%20b/x?q=1&q=2&code=function-key"
    assert seen["route"] == {"id": "a b", "name": "x"}
    assert seen["query"] == {"q": "1,2", "code": "function-key"}
    assert seen["headers"]["x-forwarded-for"] == "10.0.0.1"
    assert (seen["method"], seen["body"]) == ("POST", "00ff")


def test_an_invocation_continues_its_callers_trace(web: HostProcess) -> None:
    """The function's traceparent has the trace of the request's."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = httpx.get(f"{web.url}/api/echo/1", headers=KEY | {"traceparent": parent}).json()
    assert seen["trace"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert seen["invocation"]


def test_a_response_is_given_as_it_is(web: HostProcess) -> None:
    """Status, headers, cookies and bytes reach the caller."""
    answer = httpx.post(f"{web.url}/api/bytes", content=b"\x00\x01\xff")
    assert answer.status_code == 202
    assert answer.content == b"\x00\x01\xff"
    assert answer.headers["location"] == "/elsewhere"
    assert answer.headers["set-cookie"] == "a=b; path=/; httponly; samesite=lax"
    assert answer.headers["content-type"] == "application/octet-stream"


def test_an_async_function_answers_too(web: HostProcess) -> None:
    """Its literal route wins over the parameter of another function, and text has a charset."""
    answer = httpx.get(f"{web.url}/api/echo/latest")
    assert answer.text == "latest of GET"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_exception_is_an_empty_500(web: HostProcess) -> None:
    """What went wrong is in the log, not in the answer."""
    answer = httpx.get(f"{web.url}/api/broken")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: secret of GET" in web.output()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/nothing"), ("GET", "/"), ("GET", "/echo/1"), ("DELETE", "/api/echo/1")],
)
def test_what_no_function_takes_is_404(web: HostProcess, method: str, path: str) -> None:
    """Also a method that no function takes: the real host does not say 405."""
    assert httpx.request(method, web.url + path, headers=MASTER).status_code == 404


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/echo/1", {}, 401),
        ("/api/echo/1", {"x-functions-key": "wrong"}, 401),
        ("/api/echo/1", KEY, 201),
        ("/api/echo/1", MASTER, 201),
        ("/api/closed", KEY, 401),
        ("/api/closed", MASTER, 200),
        ("/admin/host/status", KEY, 401),
        ("/admin/host/status", MASTER, 200),
    ],
)
def test_keys_open_what_their_level_allows(
    web: HostProcess, path: str, headers: dict[str, str], status: int
) -> None:
    """Function level wants any key, admin level and the admin paths the master key."""
    assert httpx.get(web.url + path, headers=headers).status_code == status


def test_a_body_over_the_limit_is_413(web: HostProcess) -> None:
    """The real host takes 100 MB."""
    body = b"x" * (100 * 1024 * 1024 + 1)
    try:
        status = httpx.post(f"{web.url}/api/bytes", content=body, timeout=30).status_code
    except httpx.WriteError:
        status = 413  # it was refused before the whole body was sent
    assert status == 413


def test_the_host_describes_itself(web: HostProcess) -> None:
    """Status and functions are there for a caller with the master key."""
    status = httpx.get(f"{web.url}/admin/host/status", headers=MASTER).json()
    assert status == {"state": "Running", "functionCount": 10}
    functions = httpx.get(f"{web.url}/admin/functions", headers=MASTER).json()
    described = {each["name"]: (each["trigger"], each["route"]) for each in functions}
    assert described["echo"] == ("httpTrigger", "api/echo/{id}/{name?}")
    assert described["work"] == ("queueTrigger", None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("unknown", "{}", 404), ("echo", "{}", 400), ("nightly", "[", 400), ("nightly", "{}", 202)],
)
def test_what_cannot_be_run_by_hand_is_refused(
    web: HostProcess, path: str, body: str, status: int
) -> None:
    """An unknown function, one with a route, and a body that is not JSON."""
    answer = httpx.post(f"{web.url}/admin/functions/{path}", content=body, headers=MASTER)
    assert answer.status_code == status


def test_without_auth_no_key_is_asked_for(sample: Sample) -> None:
    """On a laptop the host is open, as Microsoft's own tools are; logs may be JSON."""
    host = sample.start(LOCAL_HOST_LOG="json")
    assert httpx.get(f"{host.url}/api/closed").text == "opened by GET"
    assert httpx.get(f"{host.url}/api/echo/1").status_code == 201
    assert wait_for(lambda: '"action": "echoed"' in host.output())
    assert host.output().count('"message": "echoing"') == 1


def test_keys_are_printed_at_the_start(web: HostProcess) -> None:
    """A person reads there what to put into a request."""
    assert "function key: function-key" in web.output()
