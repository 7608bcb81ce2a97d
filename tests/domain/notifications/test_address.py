from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.core.errors import AddressRefused
from entra_sod.domain.notifications.address import (
    MAX_ADDRESS_LENGTH,
    Address,
    check_address,
    parse_host_patterns,
)
from entra_sod.domain.notifications.public_addresses import find_private, is_public
from tests.domain.notifications.corpus import CORPUS

ALLOWED = CORPUS.patterns
LOGIC_APP = (
    "https://prod-12.westeurope.logic.azure.com:443/workflows/0123/runs/0858/actions/Check"
    "/run?api-version=2016-10-01&sp=%2Fruns%2Frun&sv=1.0&sig=s3cr3t-_~."
)


def refusal(url: str, allowed: str | None = None, *, in_local_world: bool = False) -> str:
    patterns = (
        ALLOWED if allowed is None else parse_host_patterns(allowed, in_local_world=in_local_world)
    )
    with pytest.raises(AddressRefused) as caught:
        check_address(url, patterns)
    return str(caught.value)


def test_no_address_of_the_corpus_may_be_called() -> None:
    """Every form of a private, foreign or ambiguous address is refused, whatever is allowed."""
    passed = []
    for bad in CORPUS.addresses:
        try:
            check_address(bad.url, ALLOWED)
        except AddressRefused:
            continue
        passed.append(bad)
    print(f"SSRF corpus: {len(CORPUS.addresses)} addresses, {len(passed)} got out")  # noqa: T201 - the count is asked for
    assert passed == []
    assert len(CORPUS.addresses) >= 200


def test_no_dns_answer_of_the_corpus_is_followed() -> None:
    """An answer with one address that is not public is bad as a whole, in whatever form."""
    passed = [each for each in CORPUS.answers if find_private(each.addresses) is None]
    print(f"SSRF corpus: {len(CORPUS.answers)} DNS answers, {len(passed)} got out")  # noqa: T201 - the count is asked for
    assert passed == []
    assert len(CORPUS.answers) >= 60


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "20.50.60.70", "2606:4700:4700::1111", "2a01:111:f100::1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    """What a receiver really has is let through."""
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_that_the_registries_keep_back_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Private, local, reserved and multicast addresses of both versions are never public."""
    kept_back = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    assert not (kept_back and is_public(str(address)))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_gets_out_inside_an_ipv6_address(inner: ipaddress.IPv4Address) -> None:
    """Mapped, compatible, translated, NAT64, 6to4 and Teredo are refused, whatever they carry."""
    low = int(inner)
    forms = [
        low,
        0xFFFF << 32 | low,
        0xFFFF << 48 | low,
        0x64FF9B << 96 | low,
        0x64FF9B0001 << 80 | low,
        0x2002 << 112 | low << 80,
        0x20010000 << 96 | (low ^ 0xFFFFFFFF),
    ]
    assert not [form for form in forms if is_public(str(ipaddress.IPv6Address(form)))]


def test_a_logic_apps_address_is_taken_apart_as_it_will_be_called() -> None:
    """Host, port and the rest, byte for byte, are what the call is made of."""
    assert check_address(LOGIC_APP, ALLOWED) == Address(
        scheme="https",
        host="prod-12.westeurope.logic.azure.com",
        port=443,
        target=LOGIC_APP.split(":443", 1)[1],
        is_local=False,
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://HOOKS.Example.COM", "hooks.example.com", 443, "/"),
        ("HTTPS://hooks.example.com?a=b", "hooks.example.com", 443, "/?a=b"),
        ("https://hooks.example.com:8443/x", "hooks.example.com", 8443, "/x"),
        ("https://hooks.example.com/a@b:80//c", "hooks.example.com", 443, "/a@b:80//c"),
        ("https://xn--bcher-kva.logic.azure.com/", "xn--bcher-kva.logic.azure.com", 443, "/"),
    ],
)
def test_an_allowed_address_is_brought_to_its_normal_form(
    url: str, host: str, port: int, target: str
) -> None:
    """Case and a missing path are normalised, and what follows the host stays as it is."""
    address = check_address(url, ALLOWED)
    assert (address.host, address.port, address.target) == (host, port, target)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.com/", "https"),
        ("https://user@hooks.example.com/", "user name"),
        ("https://hooks.example.com/#x", "fragment"),
        ("https://hooks.example.com\\x", "backslash"),
        ("https://127.1/", "numeric"),
        ("https://[::1]/", "numeric"),
        ("https://hooks/", "full host name"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hööks.example.com/", "xn--"),
        ("https://evil.example/", "CALLBACK_HOSTS"),
    ],
)
def test_a_refusal_says_what_to_mend(url: str, words: str) -> None:
    """Each kind of mistake has words of its own."""
    assert words in refusal(url)


HOSTS = ("hooks.example.com", "a.logic.azure.com", "evil.example", "127.0.0.1", "::1")
PIECES = st.sampled_from(
    [*HOSTS, "https://", "http://", "443", "8443", "%2f", "%00", *"@:/?#\\[].;,-_x。 \t\n\0"]
)


@given(st.lists(PIECES, max_size=9), st.sampled_from(["", "https://hooks.example.com"]))
def test_what_is_let_through_is_read_alike_by_others(pieces: list[str], start: str) -> None:
    """Of anything accepted, two other parsers see the same allowed host and port."""
    url = start + "".join(pieces)
    try:
        address = check_address(url, ALLOWED)
    except AddressRefused:
        return
    assert (address.scheme, address.port) in {("https", 443), ("https", 8443)}
    assert address.host == "hooks.example.com" or address.host.endswith(".logic.azure.com")
    standard, other = urlsplit(url), httpx.URL(url)
    assert address.host == standard.hostname == other.host
    assert address.port == (standard.port or 443) == (other.port or 443)


def test_a_suffix_stands_for_names_below_it_at_any_depth() -> None:
    """One label or more in place of the star, never none."""
    for host in ("a.logic.azure.com", "a.b.c.logic.azure.com"):
        assert check_address(f"https://{host}/", ALLOWED).host == host
    assert "CALLBACK_HOSTS" in refusal("https://logic.azure.com/")


def test_nothing_is_allowed_by_default() -> None:
    """Without the setting no address is called, and the refusal names the setting."""
    assert "CALLBACK_HOSTS" in refusal("https://hooks.example.com/", "")


def test_an_address_that_is_too_long_is_refused() -> None:
    """An address is at most 4,096 characters."""
    start = "https://hooks.example.com/"
    check_address(start.ljust(MAX_ADDRESS_LENGTH, "x"), ALLOWED)
    assert "4096" in refusal(start.ljust(MAX_ADDRESS_LENGTH + 1, "x"))


def test_neither_refusal_nor_repr_shows_the_secret() -> None:
    """A refused address is never repeated, and an accepted one keeps its path and query hidden."""
    for bad in CORPUS.addresses:
        assert "evil" not in refusal(bad.url)
    assert "s3cr3t" not in refusal(LOGIC_APP, "hooks.example.com")
    assert "s3cr3t" not in repr(check_address(LOGIC_APP, ALLOWED))


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "*.",
        "*.com",
        "com",
        "a.*.com",
        "**.a.com",
        "https://a.com",
        "a.com/x",
        "a.com:0",
        "a.com:99999",
        "a.com:x",
        "u@a.com",
        "ü.com",
        "127.0.0.1",
        "10.0.0.1",
        "[::1]",
        "[2606::1]",
        "localhost",
        "0x7f.1",
        "*.10.1",
    ],
)
def test_a_pattern_that_would_allow_too_much_is_refused(text: str) -> None:
    """Top-level domains, numbers, this machine and whole addresses are no host patterns."""
    with pytest.raises(ValueError, match=r".*"):
        parse_host_patterns(text, in_local_world=False)


class TestLocalWorld:
    """With a loopback GRAPH_ROOT, a loopback address that is named literally may be called."""

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
    def test_a_named_loopback_address_may_be_called_by_http(self, host: str) -> None:
        """By the very name and port in CALLBACK_HOSTS."""
        allowed = parse_host_patterns(f"{host}:9000", in_local_world=True)
        address = check_address(f"http://{host}:9000/x", allowed)
        assert (address.scheme, address.port, address.is_local) == ("http", 9000, True)

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:9001/x",
            "http://127.0.0.1/x",
            "http://localhost:9000/x",
            "http://[::1]:9000/x",
            "http://127.1:9000/x",
            "http://2130706433:9000/x",
            "http://127.0.0.2:9000/x",
            "http://hooks.example.com/x",
            "http://a.127.0.0.1:9000/x",
        ],
    )
    def test_no_other_way_to_write_it_is_taken(self, url: str) -> None:
        """Another port, name or form of the same machine is refused, and so is http elsewhere."""
        refusal(url, "127.0.0.1:9000, hooks.example.com", in_local_world=True)

    def test_the_corpus_is_refused_there_as_well(self) -> None:
        """Naming one loopback port lets nothing of the corpus out."""
        allowed = f"{CORPUS.allowed}, 127.0.0.1:9000"
        for bad in CORPUS.addresses:
            refusal(bad.url, allowed, in_local_world=True)
