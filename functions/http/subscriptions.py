"""`/api/subscriptions`: subscribe, list subscriptions, and unsubscribe."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func

from entra_sod import bootstrap
from entra_sod.api.queries import PAGE_PARAMETERS, QueryReader, next_link
from entra_sod.api.responses import ListedSubscriptionView, SubscriptionList, SubscriptionView
from entra_sod.core.errors import TooManySubscriptions
from entra_sod.core.parallel import first_of
from entra_sod.domain.callers.caller import AppRole, Caller
from entra_sod.domain.notifications.shown_address import shown_address
from entra_sod.services.notifications.subscribe import parse_subscription_request
from entra_sod.stores.subscriptions import ListedSubscription
from functions.http.guard import GuardedBlueprint
from functions.http.responses import HttpProblem, json_response, own_root, own_url, read_json

bp = GuardedBlueprint()


@bp.answers_caller
async def start_subscription(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    request = parse_subscription_request(read_json(req), bootstrap.app.delivery.hosts)
    try:
        subscription_id = await bootstrap.app.records.subscriptions.subscribe(
            url=request.callback_url,
            app=own_root(req),
            events=request.events,
            holder=caller.name,
        )
    except TooManySubscriptions as error:
        raise _too_many(error) from error
    location = own_url(req, f"subscriptions/{subscription_id}")
    body = SubscriptionView(id=subscription_id, events=sorted(set(request.events)), self_=location)
    return json_response(201, body, {"Location": location})


@bp.answers_caller
async def list_subscriptions(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    reader = QueryReader(dict(req.params), PAGE_PARAMETERS)
    query = reader.page(1)
    reader.finish()
    found = bootstrap.app.records.subscriptions.listed(
        asking=caller.name,
        with_others=AppRole.ADMIN in caller.roles,
        after=next(iter(query.after), ""),
        at_once=query.limit + 1,
    )
    views = [_view(req, each) async for each in first_of(found, query.limit + 1)]
    page, more = views[: query.limit], len(views) > query.limit
    link = next_link(own_url(req, "subscriptions"), req.params, (page[-1].id,) if more else None)
    return json_response(200, SubscriptionList(subscriptions=page, more=more, next_link=link))


def _view(req: func.HttpRequest, listed: ListedSubscription) -> ListedSubscriptionView:
    found = listed.subscription
    host, path = shown_address(found.url)
    return ListedSubscriptionView(
        id=found.id,
        events=sorted(found.events),
        host=host,
        path=path,
        created_at=listed.created_at,
        own=listed.is_own,
        self_=own_url(req, f"subscriptions/{found.id}"),
    )


@bp.answers_caller
async def end_subscription(req: func.HttpRequest, caller: Caller) -> func.HttpResponse:
    """End a subscription of the caller; an Admin may end any. Others get 404, even if it exists."""
    holder = None if AppRole.ADMIN in caller.roles else caller.name
    subscriptions = bootstrap.app.records.subscriptions
    if not await subscriptions.unsubscribe(_subscription_id(req), holder=holder):
        raise _unknown()
    return func.HttpResponse(status_code=204, headers={"Cache-Control": "no-store"})


def _subscription_id(req: func.HttpRequest) -> str:
    try:
        return str(UUID(req.route_params["id"]))
    except ValueError:
        raise _unknown() from None


def _too_many(error: TooManySubscriptions) -> HttpProblem:
    # Not 429: waiting does not help, so a sender must not try again by itself.
    return HttpProblem(409, "too-many-subscriptions", "You have too many subscriptions", str(error))


def _unknown() -> HttpProblem:
    detail = (
        "You have no subscription with this id. Use the Location that POST /api/subscriptions "
        "answered with, and the identity that made it, or one with the app role SoD.Admin."
    )
    return HttpProblem(404, "unknown-subscription", "No such subscription", detail)
