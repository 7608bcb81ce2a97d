import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.encoding import UndecodableError, bodies, decode, encode
from local.host.host_json import MessageEncoding
from local.host.protos import TypedData

BASE64, NONE = MessageEncoding.BASE64, MessageEncoding.NONE


@given(st.binary())
def test_base64_gives_back_every_body(body: bytes) -> None:
    """Bytes of any kind survive the queue under base64."""
    assert decode(encode(body, BASE64), BASE64) == body


@given(st.text())
def test_plain_text_gives_back_every_text(text: str) -> None:
    """Without encoding the text of a message is its body."""
    assert decode(encode(text.encode(), NONE), NONE) == text.encode()


@pytest.mark.parametrize("text", ["{}", "not base64!", "abc", "YWJj_w=="])
def test_what_is_no_base64_is_refused(text: str) -> None:
    """A message sent as plain text does not pass for base64."""
    with pytest.raises(UndecodableError):
        decode(text, BASE64)


def test_white_space_in_base64_is_allowed() -> None:
    """.NET, which decodes it in Azure, allows it too."""
    assert decode(" YW\nJj ", BASE64) == b"abc"


@pytest.mark.parametrize(
    ("output", "sent"),
    [
        (TypedData(string="one"), [b"one"]),
        (TypedData(bytes=b"\x00\xff"), [b"\x00\xff"]),
        (TypedData(json='["a", "b"]'), [b"a", b"b"]),
        (TypedData(json="[]"), []),
        (TypedData(json='[{"a": 1}]'), [b'{"a": 1}']),
        (TypedData(json='{"a": 1}'), [b'{"a": 1}']),
    ],
)
def test_an_output_is_one_message_or_one_per_item(output: TypedData, sent: list[bytes]) -> None:
    """A list set on an output binding is a message per item; anything else is one message."""
    assert bodies(output) == sent
