"""Is this network address out on the Internet? Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

type IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Global by the registry, but Azure's own wire server: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_PLATFORM = frozenset({ipaddress.ip_address("168.63.129.16")})
# All that is given out for hosts of the Internet. What carries an IPv4 address inside, which
# a gateway on the way would take out again, lies outside: mapped, compatible, translated, NAT64.
_IPV6_HOSTS = ipaddress.ip_network("2000::/3")
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "2001::/32",  # Teredo, which carries IPv4
        "2002::/16",  # 6to4, which carries IPv4
        "192.88.99.0/24",  # 6to4 relays
        "3fff::/20",  # documentation
    )
)


def find_private(addresses: Iterable[str]) -> str | None:
    """Return the first address that is not out on the Internet; None where all of them are."""
    return next((each for each in addresses if not is_public(each)), None)


def is_public(text: str) -> bool:
    """Whether a numeric address is one that strangers may have called."""
    address = _read(text)
    if address is None or address in _PLATFORM:
        return False
    if address.version == _IPV6_HOSTS.version and address not in _IPV6_HOSTS:
        return False
    if any(address in network for network in _NEVER):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_loopback(text: str) -> bool:
    address = _read(text)
    return address is not None and address.is_loopback


def _read(text: str) -> IPAddress | None:
    """Read an address without a zone: one with a zone is of a link, not of the Internet."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None
