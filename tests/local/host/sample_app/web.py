"""HTTP functions of the sample app."""

import json
import logging
import typing

import azure.functions as func

web = func.Blueprint()
log = logging.getLogger("sample")


@web.route(route="echo/{id}/{name?}", methods=["GET", "POST"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    log.info("echoing", extra={"action": "echoed"})
    seen = {
        "method": req.method,
        "url": req.url,
        "route": dict(req.route_params),
        "query": dict(req.params),
        "headers": dict(req.headers),
        "body": req.get_body().hex(),
        "invocation": context.invocation_id,
        "trace": context.trace_context.trace_parent,
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", status_code=201)


@web.route(route="echo/latest", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def latest(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"latest of {req.method}")


@web.route(route="bytes", auth_level=func.AuthLevel.ANONYMOUS)
def as_bytes(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Location": "/elsewhere", "Set-Cookie": "a=b; Path=/; HttpOnly; SameSite=Lax"}
    return func.HttpResponse(
        req.get_body(), mimetype="application/octet-stream", headers=headers, status_code=202
    )


@web.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError(f"secret of {req.method}")


@web.route(route="closed", auth_level=func.AuthLevel.ADMIN)
def closed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"opened by {req.method}")


@web.route(route="send", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@web.queue_output(arg_name="out", queue_name="fanned", connection="AzureWebJobsStorage")
# The worker rejects list[str] here: azure-functions-python-worker#1034.
def send(req: func.HttpRequest, out: func.Out[typing.List[str]]) -> func.HttpResponse:  # noqa: UP006
    out.set(req.get_json())
    return func.HttpResponse(status_code=202)
