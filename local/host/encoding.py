"""The text of a queue message: base64 of the body, or the body as it is (host.json decides)."""

import base64
import binascii
import json

from local.host.host_json import MessageEncoding
from local.host.protos import TypedData


class UndecodableError(Exception):
    """The text of a message is not what messageEncoding says."""


def encode(body: bytes, encoding: MessageEncoding) -> str:
    if encoding is MessageEncoding.NONE:
        return body.decode()
    return base64.b64encode(body).decode()


def decode(text: str, encoding: MessageEncoding) -> bytes:
    if encoding is MessageEncoding.NONE:
        return text.encode()
    try:
        # .NET, which reads the message in Azure, allows white space and nothing else besides.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableError(str(error)) from error


def bodies(output: TypedData) -> list[bytes]:
    """The messages that one output binding sends: a JSON list is one message per item."""
    if output.kind == "bytes":
        return [bytes(output.bytes)]
    if output.kind != "json":
        return [str(output.value).encode()]
    value = json.loads(output.json)
    return [_body(each) for each in value] if isinstance(value, list) else [_body(value)]


def _body(item: object) -> bytes:
    """A string is a message as it is; anything else is sent as its JSON."""
    return (item if isinstance(item, str) else json.dumps(item)).encode()
