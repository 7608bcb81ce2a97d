"""What a subscriber may ask, parsed once at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from entra_sod.core.errors import AddressRefused, FieldError, InvalidRequest
from entra_sod.core.validation import read_as
from entra_sod.domain.notifications.address import HostPattern, check_address
from entra_sod.domain.notifications.event import EventName

_POINTER = "/callbackUrl"

type CallbackAddress = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uri"})]


class SubscriptionRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`POST /subscriptions`: where to tell, and what.

    Attributes:
        callback_url: where to POST what ends; it may hold a secret.
        events: the events to send; without any, every end of a check or of a sweep. Digests and
            findings have other bodies, so they are sent only to subscriptions that name them.
    """

    callback_url: CallbackAddress
    events: list[EventName] = msgspec.field(
        default_factory=lambda: [each for each in EventName if each.subject in ("check", "sweep")]
    )

    def __repr__(self) -> str:
        """Leave the address out: it may hold a secret."""
        return f"SubscriptionRequest(events={self.events})"


def parse_subscription_request(value: object, hosts: Sequence[HostPattern]) -> SubscriptionRequest:
    """Turn decoded JSON into a request.

    Raises:
        InvalidRequest: naming each wrong field.
    """
    request = read_as(SubscriptionRequest, value)
    if not request.events:
        raise InvalidRequest([FieldError(pointer="/events", detail="must name an event")])
    require_callable(request.callback_url, hosts)
    return request


def require_callable(url: str, hosts: Sequence[HostPattern]) -> None:
    """Refuse a callback address that is not called.

    Raises:
        InvalidRequest: saying why.
    """
    try:
        check_address(url, hosts)
    except AddressRefused as error:
        raise InvalidRequest([FieldError(pointer=_POINTER, detail=str(error))]) from None
