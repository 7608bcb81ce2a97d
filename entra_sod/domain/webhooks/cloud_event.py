"""CloudEvents 1.0 over HTTP, structured and binary. Pure.

https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.core.validation import Path, as_pointer
from entra_sod.domain.webhooks.source import ReceivedWebhook

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_VERSION = "1.0"
_REQUIRED = ("id", "source", "type")
_IN_BODY: Path = ("data",)


def open_event(media_type: str, headers: Mapping[str, str], value: object) -> ReceivedWebhook:
    """Take an event apart.

    Args:
        media_type: in lower case, without parameters.
        headers: of the request, names in lower case; attributes stand there in binary mode.
        value: the decoded body.

    Raises:
        InvalidRequest: naming each attribute that is missing or wrong.
    """
    if media_type != STRUCTURED:
        names = ("specversion", *_REQUIRED)
        attributes = {name: unquote(headers.get(f"ce-{name}", "")) for name in names}
        return ReceivedWebhook(value=value, event=_identity(attributes, in_body=False))
    if not isinstance(value, dict):
        raise InvalidRequest([FieldError(pointer="", detail="must be an event, an object")])
    if "data_base64" in value:
        detail = "is not read: send the data as JSON, in data"
        raise InvalidRequest([FieldError(pointer="/data_base64", detail=detail)])
    return ReceivedWebhook(
        value=value.get("data"), at=_IN_BODY, event=_identity(value, in_body=True)
    )


def _identity(attributes: Mapping[str, object], *, in_body: bool) -> tuple[str, str]:
    """What names an event, once and for all: its source, and its id there."""
    wrong = [name for name in _REQUIRED if not _is_text(attributes.get(name))]
    errors = [_error(name, "must be text, and not empty", in_body=in_body) for name in wrong]
    if attributes.get("specversion") != _VERSION:
        errors.insert(0, _error("specversion", f"must be {_VERSION}", in_body=in_body))
    if errors:
        raise InvalidRequest(errors)
    return str(attributes["source"]), str(attributes["id"])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _error(name: str, detail: str, *, in_body: bool) -> FieldError:
    """A pointer names a place in the body only; a header is named in the words."""
    if in_body:
        return FieldError(pointer=as_pointer((name,)), detail=detail)
    return FieldError(pointer="", detail=f"the header ce-{name} {detail}")
