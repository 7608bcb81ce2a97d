from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_sod.domain.notifications.signature import (
    TOLERANCE_SECONDS,
    SigningKey,
    parse_signing_keys,
    sign,
    verify,
)

NEW, OLD = SigningKey(b"n" * 32), SigningKey(b"o" * 24)
NOW, BODY = 1_700_000_000, b'{"id": 1}'
# The example of the specification's own libraries.
KNOWN_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KNOWN = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
KNOWN_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(signature: str, *, message_id: str = "m1", stamp: str = str(NOW)) -> dict[str, str]:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature,
    }


def signed(*keys: SigningKey, body: bytes = BODY, seconds: int = NOW) -> dict[str, str]:
    signature = sign(keys, message_id="m1", seconds=seconds, body=body)
    return headers(signature, stamp=str(seconds))


def test_the_specifications_example_is_signed_as_it_says() -> None:
    """Another implementation's signature of the same content is ours."""
    message_id, seconds, body = KNOWN
    keys = parse_signing_keys(KNOWN_KEY)
    assert sign(keys, message_id=message_id, seconds=seconds, body=body) == KNOWN_SIGNATURE


def test_the_signature_is_what_a_receiver_computes_by_hand() -> None:
    """HMAC-SHA256 over id, timestamp and body with dots between, in base64 after `v1,`."""
    content = b"m1." + str(NOW).encode() + b"." + BODY
    mac = base64.b64encode(hmac.new(NEW.secret, content, hashlib.sha256).digest()).decode()
    assert signed(NEW)["webhook-signature"] == f"v1,{mac}"


def test_a_rotation_is_seamless() -> None:
    """Signed with both keys, a receiver that has either one accepts; the newest comes first."""
    both = signed(NEW, OLD)
    first, second = both["webhook-signature"].split(" ")
    assert first == signed(NEW)["webhook-signature"]
    assert second == signed(OLD)["webhook-signature"]
    assert verify(both, BODY, [OLD], now=NOW)
    assert verify(both, BODY, [NEW], now=NOW)
    assert verify(signed(OLD), BODY, [NEW, OLD], now=NOW)
    assert not verify(signed(OLD), BODY, [NEW], now=NOW)


@given(st.binary(max_size=200), st.integers(0, 2**34))
def test_what_was_signed_is_verified(body: bytes, seconds: int) -> None:
    """Any body and moment that was signed verifies then, as long as the window is open."""
    sent = signed(NEW, body=body, seconds=seconds)
    assert verify(sent, body, [NEW], now=seconds + TOLERANCE_SECONDS)
    assert not verify(sent, body, [NEW], now=seconds + TOLERANCE_SECONDS + 1)
    assert not verify(sent, body, [NEW], now=seconds - TOLERANCE_SECONDS - 1)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_changed_byte_is_refused(body: bytes, data: st.DataObject) -> None:
    """One other byte anywhere in the body breaks the signature."""
    place = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert not verify(signed(NEW, body=body), bytes(changed), [NEW], now=NOW)


GOOD = signed(NEW)
MAC = GOOD["webhook-signature"]
FORGED = {
    "no headers": {},
    "no id": {name: GOOD[name] for name in ("webhook-timestamp", "webhook-signature")},
    "no timestamp": {name: GOOD[name] for name in ("webhook-id", "webhook-signature")},
    "no signature": {name: GOOD[name] for name in ("webhook-id", "webhook-timestamp")},
    "an empty signature": headers(""),
    "no version": headers(MAC.removeprefix("v1,")),
    "another version": headers(MAC.replace("v1,", "v2,")),
    "an asymmetric version": headers(MAC.replace("v1,", "v1a,")),
    "a signature cut short": headers(MAC[:-1]),
    "a signature and more": headers(MAC + "A"),
    "letters that are not ASCII": headers("v1,é"),
    "another key's": signed(SigningKey(b"x" * 32)),
    "another id": headers(MAC, message_id="m2"),
    "an id that takes the timestamp in": headers(MAC, message_id=f"m1.{NOW}", stamp=""),
    "an empty id that was signed": headers(
        sign([NEW], message_id="", seconds=NOW, body=BODY), message_id=""
    ),
    "another moment": headers(MAC, stamp=str(NOW + 1)),
    "a moment with a sign": headers(MAC, stamp=f"+{NOW}"),
    "a moment with a point": headers(MAC, stamp=f"{NOW}.0"),
    "no moment at all": headers(MAC, stamp="now"),
    "commas in place of spaces": headers(f"v1,AAAA,{MAC}"),
    "the right one after too many": headers("v1,AAAA " * 10 + MAC),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_or_mangled_signature_is_refused(name: str) -> None:
    """Whatever is missing, old, changed or of another key is refused."""
    print(f"signature corpus: {len(FORGED)} forgeries")  # noqa: T201 - the count is asked for
    assert verify(GOOD, BODY, [NEW], now=NOW)
    assert not verify(FORGED[name], BODY, [NEW], now=NOW)


def test_without_a_key_nothing_is_verified() -> None:
    """An app without keys accepts no signature, also not one with an empty key."""
    assert not verify(signed(SigningKey(b"")), BODY, [], now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "whsec_",
        "whsec_????",
        base64.b64encode(b"x" * 32).decode(),
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        " ".join([KNOWN_KEY] * 3),
        "whpk_" + base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_key_that_is_none_is_refused_without_being_repeated(text: str) -> None:
    """Wrong prefixes, lengths and numbers of keys are refused; no key is in the words."""
    with pytest.raises(ValueError, match=r".*") as caught:
        parse_signing_keys(text)
    assert "x" * 5 not in str(caught.value)
    assert text not in str(caught.value)


def test_a_key_is_never_shown() -> None:
    """The repr of a key does not have its bytes."""
    assert "nnn" not in repr(NEW)
    assert len(parse_signing_keys(f"{KNOWN_KEY}, {KNOWN_KEY}")) == 2
    assert parse_signing_keys("") == ()
