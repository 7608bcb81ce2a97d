"""The way out by HTTP, for whoever may never have anything to send."""

from __future__ import annotations

from collections.abc import Mapping

from entra_sod.core.clock import Clock
from entra_sod.domain.notifications.address import Address
from entra_sod.domain.notifications.outcome import Outcome
from entra_sod.ports.sender import Sender


class LateHttpSender:
    """The way out by HTTP, loaded when there is something to send."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sender: Sender | None = None

    async def post(self, address: Address, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self._sender is None:
            from entra_sod.adapters.http.sender import HttpSender

            self._sender = HttpSender(self._clock)
        return await self._sender.post(address, headers, body)
