"""May this address be called back? Pure.

A callback address is untrusted. It is read by one strict grammar, and the call is made of
the parts that were read here, so that no second parser can take it for another host.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from entra_sod.core.errors import AddressRefused

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
MAX_ADDRESS_LENGTH = 4096
_DEFAULT_PORTS = {"https": 443, "http": 80}
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]+)(?P<target>[/?].*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
# The last label is no number, not even a hexadecimal one: 127.1 and 0x7f.1 are addresses to many.
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPattern:
    """One entry of CALLBACK_HOSTS.

    Attributes:
        host: in lower case; without the `*.` that it may have been written with.
        port: None for the scheme's own.
        is_suffix: whether it stands for all names below `host`, and not for `host` itself.
        is_local: whether it is this machine, which may be called by http.
    """

    host: str
    port: int | None
    is_suffix: bool
    is_local: bool

    def fits(self, host: str, port: int, default_port: int) -> bool:
        is_host = host.endswith(f".{self.host}") if self.is_suffix else host == self.host
        return is_host and port == (default_port if self.port is None else self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address that may be called; its path and query may hold a secret and are not shown.

    Attributes:
        is_local: whether it must lead to this machine, instead of never leading there.
    """

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    is_local: bool


def parse_host_patterns(text: str, *, in_local_world: bool) -> tuple[HostPattern, ...]:
    """Read CALLBACK_HOSTS: host names and `*.` suffixes, with commas between.

    Args:
        text: the setting; empty lets nothing be called.
        in_local_world: whether a loopback address may be named.

    Raises:
        ValueError: an entry is neither.
    """
    entries = [entry.strip().lower() for entry in text.split(",")]
    return tuple(_pattern(entry, in_local_world=in_local_world) for entry in entries if entry)


def _pattern(entry: str, *, in_local_world: bool) -> HostPattern:
    parts = _AUTHORITY.fullmatch(entry)
    if parts is None:
        raise ValueError(entry)
    host, port = parts["host"], parts["port"]
    is_local = host in LOCAL_HOSTS
    name = host.removeprefix("*.")
    # A suffix of one label would be a whole top-level domain, for the grammar asks for two.
    if not (is_local and in_local_world) and not _HOST_NAME.fullmatch(name):
        raise ValueError(entry)
    return HostPattern(
        host=name,
        port=_port(port) if port else None,
        is_suffix=name != host,
        is_local=is_local,
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise ValueError(text)
    return port


def check_address(url: str, allowed: Sequence[HostPattern]) -> Address:
    """Read a callback address, if it may be called.

    Raises:
        AddressRefused: saying why in words that never hold a part of the address.
    """
    parts = _ADDRESS.fullmatch(_checked_text(url))
    if parts is None:
        raise AddressRefused("is no https address with a host")
    scheme = parts["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise AddressRefused("must be an https address")
    host, port = _host_and_port(parts["authority"].lower(), _DEFAULT_PORTS[scheme])
    pattern = next(
        (each for each in allowed if each.fits(host, port, _DEFAULT_PORTS[scheme])), None
    )
    if pattern is None or not pattern.is_local:
        _require_public(scheme, host)
    if pattern is None:
        raise AddressRefused("goes to a host or port that the setting CALLBACK_HOSTS does not name")
    target = parts["target"] or "/"
    return Address(
        scheme=scheme,
        host=host.strip("[]"),
        port=port,
        target=target if target.startswith("/") else f"/{target}",
        is_local=pattern.is_local,
    )


def _checked_text(url: str) -> str:
    if len(url) > MAX_ADDRESS_LENGTH:
        raise AddressRefused(f"has over {MAX_ADDRESS_LENGTH} characters")
    if not re.fullmatch(r"[!-~]*", url):
        raise AddressRefused(
            "must be plain ASCII without spaces; write an international host name as xn--…"
        )
    if "\\" in url:
        raise AddressRefused("must not have a backslash")
    if "#" in url:
        raise AddressRefused("must not have a fragment")
    return url


def _host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise AddressRefused("must not have a user name or password")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise AddressRefused("has no usable host and port")
    try:
        return parts["host"], _port(parts["port"]) if parts["port"] else default_port
    except ValueError:
        raise AddressRefused("has a port that does not exist") from None


def _require_public(scheme: str, host: str) -> None:
    if scheme != "https":
        raise AddressRefused("must be an https address")
    if host.startswith("[") or _NUMBER.fullmatch(host):
        raise AddressRefused("must name its host; numeric addresses are not called")
    if not _HOST_NAME.fullmatch(host):
        raise AddressRefused("has no full host name, such as hooks.example.com")
