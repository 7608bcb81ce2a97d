"""Is it the same webhook again? Names what a repetition has in common with the first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from functions.checks.request import CheckRequest
from functions.checks.store import KEPT_FOR
from functions.delivery.signature import ID
from functions.webhooks.ask import read_fields
from functions.webhooks.delivery import Delivery
from functions.webhooks.source import Field, Kind, Scheme, Source

JIRA_IDENTIFIER = "x-atlassian-webhook-identifier"
# Without any name, the same question is taken for a repetition for so long.
SAME_QUESTION = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryKey:
    """An idempotency key and how long it stands for its check."""

    text: str
    kept_for: timedelta = KEPT_FOR


def delivery_key(
    source: Source, headers: Mapping[str, str], delivery: Delivery, request: CheckRequest
) -> DeliveryKey:
    """Name a delivery: the same for each try of it, and for no other.

    The source is part of the name, so that no sender can meet another's.

    Args:
        source: which the delivery was verified to come from.
        headers: of the request, names in lower case.
        delivery: taken out of its envelope.
        request: that was made of it.
    """
    best = next(_names(source, headers, delivery, request), None)
    if best is not None:
        return DeliveryKey(text=_joined(source.name, *best))
    text = _joined(source.name, "question", request.digest)
    return DeliveryKey(text=text, kept_for=SAME_QUESTION)


def _names(
    source: Source, headers: Mapping[str, str], delivery: Delivery, request: CheckRequest
) -> Iterator[tuple[str, ...]]:
    """The names that a delivery has, the best first; each begins with what it is."""
    # First what is signed: anybody on the way could add one of the headers below.
    if source.scheme is Scheme.STANDARD_WEBHOOKS:
        yield "webhook", headers[ID]
    # ServiceNow's flows send it with an X-.
    if key := headers.get("idempotency-key") or headers.get("x-idempotency-key"):
        yield "key", key
    if source.kind is Kind.JIRA and (identifier := headers.get(JIRA_IDENTIFIER)):
        yield "jira", identifier
    if delivery.event:
        yield "event", *delivery.event
    if stage := read_fields(delivery, source).get(Field.STAGE_INSTANCE_ID):
        # A stage may ask about several pairs.
        yield "stage", str(stage), request.digest


def _joined(*parts: str) -> str:
    return "webhook:" + msgspec.json.encode(parts).decode()
