"""Receivers of callbacks on this machine, and a network that leads every address to them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore

from entra_sod.adapters.http.connect import sockets

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Receiver:
    """A server that answers with raw bytes, whatever it is asked.

    Attributes:
        pause_seconds: before the answer.
        requests: the bytes of each request, head and body.
        names: the TLS server names that were asked for.
    """

    answer: bytes = OK
    pause_seconds: float = 0
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            (length,) = [
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ]
            self.requests.append(head + await reader.readexactly(length))
            await asyncio.sleep(self.pause_seconds)
            writer.write(self.answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client closed the connection
        finally:
            writer.close()


@asynccontextmanager
async def receiving(
    subscription: Receiver, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Let a receiver listen on a free port of this machine."""
    if tls is not None:

        def note_name(_socket: object, name: str | None, _context: object) -> None:
            subscription.names.append(name)

        tls.sni_callback = note_name
    server = await asyncio.start_server(subscription.serve, "127.0.0.1", 0, ssl=tls)
    subscription.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()


class Detour(httpcore.AsyncNetworkBackend):
    """A network in which every address is the receiver's; some are not reached.

    Attributes:
        called: the addresses that were connected to, in order.
    """

    def __init__(self, subscription: Receiver, unreachable: Sequence[str] = ()) -> None:
        self.called: list[str] = []
        self._receiver, self._unreachable = subscription, unreachable
        self._network = sockets()

    async def connect_tcp(
        self,
        host: str,
        port: int,  # noqa: ARG002 - httpcore's own signature
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.called.append(host)
        if host in self._unreachable:
            raise httpcore.ConnectError("no route")
        return await self._network.connect_tcp(
            "127.0.0.1", self._receiver.port, timeout, local_address, socket_options
        )


class Dns:
    """Answers with one list after the other, and stays with the last.

    Attributes:
        asked: the names that were asked for.
    """

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
