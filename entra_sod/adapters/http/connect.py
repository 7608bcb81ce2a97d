"""Connections that are made to the very addresses that were checked.

A name that answers with a public address when it is checked and with a private one when it is
called (DNS rebinding) comes to nothing: there is one resolution, and its numbers are connected to.
TLS still asks for the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import cast

import httpcore

from entra_sod.core.errors import AddressRefused
from entra_sod.domain.notifications.public_addresses import find_private, is_loopback

type Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class PrivateAddress(AddressRefused):
    """A name leads to an address that is not out on the Internet."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver.

    Raises:
        OSError: the name has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def sockets() -> httpcore.AsyncNetworkBackend:
    """Connections by sockets; httpcore's name for them is another type where anyio is missing."""
    return cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())


class CheckedConnections(httpcore.AsyncNetworkBackend):
    """Resolves, checks every address, and connects to one of those.

    Args:
        resolve: from a host name to its addresses.
        network: makes the connections.
        is_local: whether the name must lead to this machine, instead of never leading there.
    """

    def __init__(
        self, resolve: Resolve, network: httpcore.AsyncNetworkBackend, *, is_local: bool
    ) -> None:
        self._resolve, self._network, self._is_local = resolve, network, is_local

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        self._require_allowed(addresses)
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _require_allowed(self, addresses: Sequence[str]) -> None:
        if self._is_local:
            if not all(is_loopback(each) for each in addresses):
                raise PrivateAddress("a name of this machine leads elsewhere; it was not called")
        elif find_private(addresses) is not None:
            raise PrivateAddress(
                "the callback's host has an address that is not public; it was not called"
            )

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
