"""What a webhook asks for: a check of two packages, or a decision on a subject and one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from entra_sod.core.errors import FieldError, InvalidRequest
from entra_sod.core.validation import as_pointer
from entra_sod.domain.notifications.address import HostPattern
from entra_sod.domain.webhooks.json_pointer import find
from entra_sod.domain.webhooks.source import ReceivedWebhook, WebhookField, WebhookSource
from entra_sod.services.checks.request import CheckRequest, parse_check_request
from entra_sod.services.decisions.request import DecisionRequest, parse_decision_request
from entra_sod.services.notifications.subscribe import require_callable

# A webhook asks; it never writes, whatever the app's setting allows.
MAX_ENFORCEMENT = "plan"

type MappedRequest = CheckRequest | DecisionRequest

_OF_A_CHECK = (
    WebhookField.ACCESS_PACKAGE_ID,
    WebhookField.INCOMPATIBLE_ACCESS_PACKAGE_ID,
    WebhookField.REFERENCE,
    WebhookField.CALLBACK_URL,
)
_OF_A_DECISION = (WebhookField.SUBJECT, WebhookField.ACCESS_PACKAGE_ID, WebhookField.REFERENCE)


def map_request(
    delivery: ReceivedWebhook, source: WebhookSource, hosts: tuple[HostPattern, ...]
) -> MappedRequest:
    """Make a request of what a webhook brought.

    Args:
        delivery: of a source that was verified.
        source: whose fields say where to look.
        hosts: that may be called back.

    Raises:
        InvalidRequest: naming each wrong field by its place in the sender's own body.
    """
    found = read_fields(delivery, source)
    with as_sender_wrote(delivery, source):
        return _request(found, hosts)


@contextmanager
def as_sender_wrote(delivery: ReceivedWebhook, source: WebhookSource) -> Iterator[None]:
    """Have wrong fields of the request named by their places in the sender's own body.

    Raises:
        InvalidRequest: the one that was raised within, with these places.
    """
    try:
        yield
    except InvalidRequest as error:
        moved = [_with_pointer(each, delivery, source) for each in error.errors]
        raise InvalidRequest(moved) from None


def read_fields(delivery: ReceivedWebhook, source: WebhookSource) -> Mapping[WebhookField, object]:
    """The fields that have a value; null and blank text count as none.

    Numbers become text, because a ticket may be named by a number.
    """
    values = {name: _text(find(delivery.value, place)) for name, place in source.fields.items()}
    return {name: value for name, value in values.items() if value not in (None, "")}


def _text(value: object) -> object:
    if isinstance(value, str):
        return value.strip()
    return str(value) if type(value) is int else value


def _request(found: Mapping[WebhookField, object], hosts: tuple[HostPattern, ...]) -> MappedRequest:
    if errors := list(_contradictions(found)):
        raise InvalidRequest(errors)
    if WebhookField.SUBJECT in found:
        return parse_decision_request(_chosen(found, _OF_A_DECISION))
    request = parse_check_request({**_chosen(found, _OF_A_CHECK), "enforcement": MAX_ENFORCEMENT})
    if request.callback_url is not None:
        require_callable(request.callback_url, hosts)
    return request


def _chosen(
    found: Mapping[WebhookField, object], names: tuple[WebhookField, ...]
) -> dict[str, object]:
    return {str(name): found[name] for name in names if name in found}


def _contradictions(found: Mapping[WebhookField, object]) -> Iterator[FieldError]:
    """Two questions, or none: neither is guessed, for each would be answered wrongly."""
    names_pair, names_subject = (
        WebhookField.INCOMPATIBLE_ACCESS_PACKAGE_ID in found,
        WebhookField.SUBJECT in found,
    )
    if WebhookField.ACCESS_PACKAGE_ID not in found:
        yield _error(WebhookField.ACCESS_PACKAGE_ID, "is missing")
    if not names_pair and not names_subject:
        detail = "is missing: name a second package to have the pair checked, or a subject to have"
        yield _error(WebhookField.INCOMPATIBLE_ACCESS_PACKAGE_ID, f"{detail} its wish decided")
    if names_pair and names_subject:
        detail = "asks two things at once: name a second package, or a subject, not both"
        yield _error(WebhookField.SUBJECT, detail)
    if names_subject and WebhookField.CALLBACK_URL in found:
        detail = "is not called for a decision, which is answered at once"
        yield _error(WebhookField.CALLBACK_URL, detail)


def _error(name: WebhookField, detail: str) -> FieldError:
    return FieldError(pointer=as_pointer((name,)), detail=detail)


def _with_pointer(
    error: FieldError, delivery: ReceivedWebhook, source: WebhookSource
) -> FieldError:
    """Point into the sender's body instead of the request that was made of it."""
    for name, place in source.fields.items():
        if error.pointer == as_pointer((name,)):
            return FieldError(pointer=as_pointer((*delivery.at, *place)), detail=error.detail)
    return FieldError(pointer="", detail=f"{error.pointer.removeprefix('/')} {error.detail}")
