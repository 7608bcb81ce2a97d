"""The way out as a port: one POST to an address that was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from entra_sod.domain.notifications.address import Address
from entra_sod.domain.notifications.outcome import SendOutcome


class Sender(Protocol):
    async def post(self, address: Address, headers: Mapping[str, str], body: bytes) -> SendOutcome:
        """Send once, follow nothing, and say what came of it; never raises for the receiver."""
        ...
