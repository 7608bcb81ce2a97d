"""Is it the same webhook again? Names what a repetition has in common with the first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec

from entra_sod.domain.notifications.signature import ID
from entra_sod.domain.webhooks.source import (
    ReceivedWebhook,
    Scheme,
    SourceKind,
    WebhookField,
    WebhookSource,
)
from entra_sod.services.checks.request import CheckRequest
from entra_sod.services.webhooks.request_mapping import read_fields
from entra_sod.stores.checks import RETENTION
from entra_sod.stores.idempotency import IdempotencyKey, RequestSource

JIRA_IDENTIFIER = "x-atlassian-webhook-identifier"
# Without any name, the same question is a sender's own retry for so long. After that its answer may
# be of rules that are in force no more, and it is asked anew; the rules are not read here.
DUPLICATE_WINDOW = timedelta(minutes=5)


def delivery_key(
    source: WebhookSource,
    sender: str,
    headers: Mapping[str, str],
    delivery: ReceivedWebhook,
    request: CheckRequest,
) -> IdempotencyKey:
    """Name a delivery: the same for each try of it, and for no other.

    Args:
        source: which the delivery was verified to come from.
        sender: who of those that may send as this source; empty where they share a secret.
        headers: of the request, names in lower case.
        delivery: taken out of its envelope.
        request: that was made of it.
    """
    best = next(_names(source, headers, delivery, request), None)
    names = best or ("question", request.digest)
    return IdempotencyKey(
        entry=RequestSource.WEBHOOK,
        # A source's name has no space.
        holder=f"{source.name} {sender}",
        text=msgspec.json.encode(names).decode(),
        answers_for=RETENTION if best else DUPLICATE_WINDOW,
    )


def _names(
    source: WebhookSource,
    headers: Mapping[str, str],
    delivery: ReceivedWebhook,
    request: CheckRequest,
) -> Iterator[tuple[str, ...]]:
    """The names that a delivery has, the best first; each begins with what it is."""
    # The signed id comes first: a proxy on the way could add one of the headers below.
    if source.scheme is Scheme.STANDARD_WEBHOOKS:
        yield "webhook", headers[ID]
    # ServiceNow's flows send it with an X-.
    if key := headers.get("idempotency-key") or headers.get("x-idempotency-key"):
        yield "key", key
    if source.kind is SourceKind.JIRA and (identifier := headers.get(JIRA_IDENTIFIER)):
        yield "jira", identifier
    if delivery.event:
        yield "event", *delivery.event
    if stage := read_fields(delivery, source).get(WebhookField.STAGE_INSTANCE_ID):
        # A stage may ask about several pairs.
        yield "stage", str(stage), request.digest
