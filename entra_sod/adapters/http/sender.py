"""The way out by HTTP.

httpcore itself rather than httpx: it follows no redirect, reads no proxy from the environment, and
telemetry that instruments httpx would record the whole address, secret and all.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import httpcore

from entra_sod.adapters.graph.failures import retry_after_seconds
from entra_sod.adapters.http.connect import (
    CheckedConnections,
    PrivateAddress,
    Resolve,
    resolve_by_system,
    sockets,
)
from entra_sod.core.clock import Clock
from entra_sod.domain.notifications.address import Address
from entra_sod.domain.notifications.outcome import (
    NoResponse,
    NotSent,
    ResponseReceived,
    SendOutcome,
)

MAX_POST_SECONDS = 10.0


class HttpSender:
    """Sends each POST on a connection of its own.

    Args:
        clock: against which a Retry-After date is held.
        resolve: from a host name to its addresses.
        network: makes the connections; sockets where it is None.
        tls: what is trusted; httpcore's own default where it is None.
        seconds: for all of one POST, from the name's resolution to the answer's head.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        resolve: Resolve = resolve_by_system,
        network: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        seconds: float = MAX_POST_SECONDS,
    ) -> None:
        self._clock, self._resolve, self._seconds = clock, resolve, seconds
        self._network = network or sockets()
        self._tls = tls or httpcore.default_ssl_context()

    async def post(self, address: Address, headers: Mapping[str, str], body: bytes) -> SendOutcome:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(address, headers, body)
        except TimeoutError:
            return NoResponse(f"there was no answer within {self._seconds:g} s")
        except PrivateAddress as error:
            return NotSent(str(error))
        except (OSError, *_FAILURES) as error:
            # By its type alone: what it says may hold what was sent.
            return NoResponse(f"there was no answer ({type(error).__name__})")

    async def _post(self, address: Address, headers: Mapping[str, str], body: bytes) -> SendOutcome:
        connections = CheckedConnections(self._resolve, self._network, is_local=address.is_local)
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls, network_backend=connections
            ) as pool,
            pool.stream("POST", url, headers=list(headers.items()), content=body) as answer,
        ):
            # Its body is of no use, and is not read: it has no end that we could trust.
            return self._outcome(answer)

    def _outcome(self, answer: httpcore.Response) -> ResponseReceived:
        named = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
        wait = retry_after_seconds(named.get(b"retry-after"), self._clock.now())
        return ResponseReceived(answer.status, wait)


_FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.ConnectionNotAvailable,
)
