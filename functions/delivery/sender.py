"""The way out as a port: one POST to an address that was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from functions.clock import Clock
from functions.delivery.address import Address
from functions.delivery.outcome import Outcome


class Sender(Protocol):
    async def post(self, address: Address, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send once, follow nothing, and say what came of it; never raises for the receiver."""
        ...


class LateHttpSender:
    """The way out by HTTP, loaded when there is something to send."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sender: Sender | None = None

    async def post(self, address: Address, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self._sender is None:
            from functions.delivery.http_sender import HttpSender

            self._sender = HttpSender(self._clock)
        return await self._sender.post(address, headers, body)
