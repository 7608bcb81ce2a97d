from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from entra_sod.adapters.http.connect import resolve_by_system
from entra_sod.adapters.http.sender import HttpSender
from entra_sod.core.logs import LIBRARIES
from entra_sod.domain.notifications.address import Address
from entra_sod.domain.notifications.outcome import (
    NoResponse,
    NotSent,
    ResponseReceived,
    SendOutcome,
)
from entra_sod.ports.sender import Sender
from local.memory.clock import ManualClock
from local.memory.sender import MemorySender
from tests.adapters.http.certificates import serving, trusting
from tests.adapters.http.receiver import Detour, Dns, Receiver, receiving
from tests.domain.notifications.corpus import CORPUS

HOST, SECRET = "hooks.example.com", "s3cr3t"
PUBLIC, OTHER_PUBLIC = "8.8.8.8", "2606:4700:4700::1111"
ADDRESS = Address(scheme="https", host=HOST, port=443, target=f"/x?sig={SECRET}", is_local=False)
HEADERS = {"content-type": "application/json", "webhook-id": "check-1"}
BODY = b'{"id":"c1"}'


class Way:
    """A sender whose network leads to one receiver."""

    def __init__(self, subscription: Receiver, dns: Dns, unreachable: Sequence[str]) -> None:
        self.receiver, self.dns, self.detour = subscription, dns, Detour(subscription, unreachable)
        self.sender = HttpSender(
            ManualClock(), resolve=dns, network=self.detour, tls=trusting(), seconds=2
        )

    async def post(self, address: Address = ADDRESS) -> SendOutcome:
        return await self.sender.post(address, HEADERS, BODY)


@asynccontextmanager
async def way(
    subscription: Receiver,
    *answers: Sequence[str],
    unreachable: Sequence[str] = (),
    certificate: str = HOST,
) -> AsyncIterator[Way]:
    async with receiving(subscription, serving(certificate)):
        yield Way(subscription, Dns(*(answers or [[PUBLIC]])), unreachable)


async def test_a_post_arrives_as_it_was_sent() -> None:
    """Target, host, headers and body are there; TLS asks for the name, not for the number."""
    subscription = Receiver()
    async with way(subscription) as out:
        assert await out.post() == ResponseReceived(200)
    head, body = subscription.requests[0].split(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST /x?sig={SECRET} HTTP/1.1"
    assert f"Host: {HOST}" in lines
    assert "webhook-id: check-1" in lines
    assert body == BODY
    assert (subscription.names, out.detour.called) == ([HOST], [PUBLIC])


async def test_nothing_can_rebind_between_check_and_connection() -> None:
    """There is one resolution for a post: the number that was checked is the one connected to."""
    async with way(Receiver(), [PUBLIC], ["127.0.0.1"]) as out:
        assert await out.post() == ResponseReceived(200)
        assert (out.dns.asked, out.detour.called) == ([HOST], [PUBLIC])
        assert isinstance(await out.post(), NotSent)
    assert (out.dns.asked, out.detour.called) == ([HOST, HOST], [PUBLIC])
    assert len(out.receiver.requests) == 1


async def test_no_connection_is_made_for_a_bad_dns_answer() -> None:
    """However a name leads inside, also beside a public address: nothing is connected to."""
    detour, tls = Detour(Receiver()), trusting()
    for answer in CORPUS.answers:
        dns = Dns(answer.addresses)
        sender = HttpSender(ManualClock(), resolve=dns, network=detour, tls=tls)
        assert isinstance(await sender.post(ADDRESS, HEADERS, BODY), NotSent), answer
        assert dns.asked == [HOST]
    assert detour.called == []


async def test_the_next_address_is_tried_where_one_is_not_reached() -> None:
    """All addresses were checked, so any of them will do."""
    async with way(Receiver(), [OTHER_PUBLIC, PUBLIC], unreachable=[OTHER_PUBLIC]) as out:
        assert await out.post() == ResponseReceived(200)
    assert out.detour.called == [OTHER_PUBLIC, PUBLIC]


async def test_a_certificate_of_another_name_is_not_spoken_to() -> None:
    """Who cannot prove the name gets neither body nor address."""
    async with way(Receiver(), certificate="evil.example") as out:
        assert isinstance(await out.post(), NoResponse)
    assert out.receiver.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """The answer is the redirect itself, and nothing else is resolved or called."""
    target = b"Location: https://127.0.0.1/metadata\r\n"
    answer = b"HTTP/1.1 %d See\r\n%bContent-Length: 0\r\n\r\n" % (status, target)
    async with way(Receiver(answer)) as out:
        assert await out.post() == ResponseReceived(status)
    assert (out.dns.asked, out.detour.called) == ([HOST], [PUBLIC])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 7", 7.0),
        ("retry-after: Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Retry-After: soon", None),
        ("Retry-After: -1", None),
        ("X: y", None),
    ],
)
async def test_a_retry_after_is_read_in_both_forms(header: str, seconds: float | None) -> None:
    """Seconds or a date; anything else is as if it were not there."""
    answer = f"HTTP/1.1 503 Away\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode()
    async with way(Receiver(answer)) as out:
        assert await out.post() == ResponseReceived(503, seconds)


BROKEN = {
    "nothing": b"",
    "rubbish": b"\x00\xff no HTTP\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nX: y",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000,
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_answer_is_none(name: str) -> None:
    """Whatever comes in place of HTTP, it is no answer, and no error of ours."""
    async with way(Receiver(BROKEN[name])) as out:
        assert isinstance(await out.post(), NoResponse)


async def test_an_endless_body_is_not_read() -> None:
    """Only the status counts: the sender does not wait for an announced body of a gigabyte."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" + b"x" * 1000
    async with way(Receiver(answer)) as out:
        assert await out.post() == ResponseReceived(200)


async def test_a_receiver_that_is_too_slow_gave_no_answer() -> None:
    """One limit holds for all of a post, and the words say which."""
    subscription = Receiver(pause_seconds=60)
    async with receiving(subscription, serving(HOST)):
        sender = HttpSender(
            ManualClock(),
            resolve=Dns([PUBLIC]),
            network=Detour(subscription),
            tls=trusting(),
            seconds=0.2,
        )
        async with asyncio.timeout(20):
            outcome = await sender.post(ADDRESS, HEADERS, BODY)
        assert outcome == NoResponse("there was no answer within 0.2 s")


async def test_a_name_without_an_address_gives_no_answer() -> None:
    """A resolver that fails and one that finds nothing are as good as a receiver that is away."""

    async def failing(host: str, _port: int) -> Sequence[str]:
        raise OSError(f"no such name: {host} {SECRET}")

    for resolve in (failing, Dns([])):
        detour = Detour(Receiver())
        sender = HttpSender(ManualClock(), resolve=resolve, network=detour)
        outcome = await sender.post(ADDRESS, HEADERS, BODY)
        assert isinstance(outcome, NoResponse)
        assert SECRET not in outcome.why
        assert detour.called == []


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name by itself, and call what was never checked."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with way(Receiver()) as out:
        assert await out.post() == ResponseReceived(200)


async def test_no_log_line_has_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Not even where everything is logged: the path and the query stay out of it."""
    for logger in (None, *LIBRARIES):
        caplog.set_level(logging.DEBUG, logger)
    async with way(Receiver()) as out:
        await out.post()
    assert caplog.records
    assert SECRET not in caplog.text
    assert SECRET not in repr(out.sender.__dict__)


class TestLocalWorld:
    async def test_this_machine_is_called_by_http_where_it_is_named(self) -> None:
        """The real resolver and sockets, without TLS."""
        subscription = Receiver()
        async with receiving(subscription):
            address = Address(
                scheme="http", host="127.0.0.1", port=subscription.port, target="/x", is_local=True
            )
            sender = HttpSender(ManualClock())
            assert await sender.post(address, HEADERS, BODY) == ResponseReceived(200)
        assert f"Host: 127.0.0.1:{subscription.port}".encode() in subscription.requests[0]

    async def test_a_local_name_that_leads_elsewhere_is_not_called(self) -> None:
        """`localhost` is called on this machine only."""
        detour = Detour(Receiver())
        sender = HttpSender(ManualClock(), resolve=Dns([PUBLIC]), network=detour)
        local = Address(scheme="http", host="localhost", port=9000, target="/", is_local=True)
        assert isinstance(await sender.post(local, HEADERS, BODY), NotSent)
        assert detour.called == []

    async def test_the_system_resolves_this_machine(self) -> None:
        """The default resolver gives numbers, each once."""
        assert await resolve_by_system("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize("kind", ["memory", "http"])
async def test_every_sender_says_what_was_answered(kind: str) -> None:
    """In memory and by HTTP: the answers of the receiver, one post each, in their order."""
    for status in (200, 204, 410, 503):
        answer = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()
        async with way(Receiver(answer)) as out:
            sender: Sender = (
                MemorySender([ResponseReceived(status)]) if kind == "memory" else out.sender
            )
            assert await sender.post(ADDRESS, HEADERS, BODY) == ResponseReceived(status)
