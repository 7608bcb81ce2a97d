"""The corpus of addresses that must not be called, and of DNS answers that must not be followed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from entra_sod.domain.notifications.address import HostPattern, parse_host_patterns


class BadAddress(msgspec.Struct, frozen=True):
    url: str
    what: str


class BadAnswer(msgspec.Struct, frozen=True):
    addresses: list[str]
    what: str


class Corpus(msgspec.Struct, frozen=True):
    """Bad addresses, each bad although `allowed` is as in CALLBACK_HOSTS, and bad DNS answers."""

    allowed: str
    addresses: list[BadAddress]
    answers: list[BadAnswer]

    @property
    def patterns(self) -> tuple[HostPattern, ...]:
        return parse_host_patterns(self.allowed, in_local_world=False)


CORPUS = msgspec.json.decode((Path(__file__).parent / "ssrf.json").read_bytes(), type=Corpus)
