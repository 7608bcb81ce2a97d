"""`/api/webhooks/{source}`: what ticketing systems send, and the handshake before CloudEvents.

The host requires no key here, because each webhook carries its own proof of origin. A sender
without a valid proof always gets the same answer, whatever was wrong. The log gives the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.core.errors import ConfigurationError
from entra_sod.domain.callers.caller import AppRole, Caller, UnknownCaller
from entra_sod.domain.results.status import CheckStatus
from entra_sod.domain.webhooks.cloud_event import BATCH, open_event
from entra_sod.domain.webhooks.handshake import consent
from entra_sod.domain.webhooks.source import (
    ReceivedWebhook,
    Scheme,
    SourceKind,
    WebhookSource,
    WebhookSources,
)
from entra_sod.domain.webhooks.verify import is_authentic, is_recent
from entra_sod.services.callers.admission import require_role
from entra_sod.services.decisions.request import DecisionRequest
from entra_sod.services.webhooks.deduplication import delivery_key
from entra_sod.services.webhooks.request_mapping import as_sender_wrote, map_request
from functions.http.checks import accepted
from functions.http.decisions import answer_decision
from functions.http.guard import GuardedBlueprint
from functions.http.responses import (
    HttpProblem,
    media_type_of,
    own_root,
    read_body,
    read_json,
    traceparent,
)

bp = GuardedBlueprint()
log = logging.getLogger("entra_sod")

# A Jira issue with its comments outgrows what our own requests may have.
MAX_WEBHOOK_BYTES = 1024 * 1024
_RETRY_SECONDS = 60


@bp.answers_anybody
async def receive_webhook(
    req: func.HttpRequest, caller: Caller | UnknownCaller
) -> func.HttpResponse:
    headers, now = _headers(req), bootstrap.app.clock.now()
    source = _verified(req, headers, caller, now)
    delivery = _opened(req, source, headers)
    if not is_recent(delivery, source, now):
        raise _refused(source, "was sent too long ago")
    request = map_request(delivery, source, bootstrap.app.delivery.hosts)
    if isinstance(request, DecisionRequest):
        _sender(source, caller, AppRole.DECIDE)
        with as_sender_wrote(delivery, source):
            return await answer_decision(request)
    sender = _sender(source, caller, AppRole.CHECK)
    key = delivery_key(source, sender, headers, delivery, request)
    check_id = await bootstrap.app.records.check_starter.start(
        request, idempotency_key=key, traceparent=traceparent(req), app=own_root(req)
    )
    return accepted(req, check_id, CheckStatus.QUEUED)


@bp.answers
async def agree_to_webhooks(req: func.HttpRequest) -> func.HttpResponse:
    source = _sources().get(req.route_params["source"])
    agreed = consent(source, _headers(req))
    headers = {"Allow": "POST", "Cache-Control": "no-store", **(agreed or {})}
    return func.HttpResponse(status_code=405 if agreed is None else 200, headers=headers)


def _verified(
    req: func.HttpRequest, headers: Mapping[str, str], caller: Caller | UnknownCaller, now: datetime
) -> WebhookSource:
    """Find out who sends, before anything of the body is read."""
    body = read_body(req, largest=MAX_WEBHOOK_BYTES)
    source = _sources().get(req.route_params["source"])
    genuine = is_authentic(source, headers, body, caller=caller, now=now)
    if source is None or not genuine:
        raise _refused(source, "does not prove where it comes from")
    return source


def _sender(source: WebhookSource, caller: Caller | UnknownCaller, role: AppRole) -> str:
    """Who sends, where several may by one source: held against what is asked, unlike a secret."""
    if source.scheme is not Scheme.ENTRA:
        return ""
    return require_role(caller, [role], f"POST webhooks/{source.name}").name


def _opened(
    req: func.HttpRequest, source: WebhookSource, headers: Mapping[str, str]
) -> ReceivedWebhook:
    media_type = media_type_of(req)
    if media_type == BATCH:
        detail = "Send events one by one: application/cloudevents+json, or application/json."
        raise HttpProblem(415, "batch", "Batches of events are not accepted", detail)
    value = read_json(req, largest=MAX_WEBHOOK_BYTES)
    if source.kind is SourceKind.CLOUDEVENTS:
        return open_event(media_type, headers, value)
    return ReceivedWebhook(value=value)


def _sources() -> WebhookSources:
    """The configured sources. An error in them is explained in the log only."""
    try:
        return bootstrap.app.sources
    except ConfigurationError as error:
        log.error("webhooks are not set up: %s", error, extra={"action": "not_set_up"})  # noqa: TRY400 - the words are enough
        detail = "The settings are wrong. GET /api/ready names them."
        raise HttpProblem(
            503, "not-set-up", "The app is not set up", detail, retry_after=_RETRY_SECONDS
        ) from None


def _refused(source: WebhookSource | None, why: str) -> HttpProblem:
    name = source.name if source else "of an unknown source"
    log.warning("a webhook %s %s", name, why, extra={"action": "webhook_refused"})
    detail = (
        "Its source is not configured, or the webhook has no valid and current proof of origin."
    )
    return HttpProblem(401, "unverified-webhook", "The webhook is not verified", detail)


def _headers(req: func.HttpRequest) -> Mapping[str, str]:
    return {name.lower(): value for name, value in req.headers.items()}
