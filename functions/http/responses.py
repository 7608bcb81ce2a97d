"""What all HTTP functions share: bodies, problems (RFC 9457), and the app's own addresses."""

from __future__ import annotations

import codecs
import logging
import math
import re
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

import azure.functions as func
import msgspec

from entra_sod import bootstrap
from entra_sod.api.responses import FieldProblem, NoFields, Problem
from entra_sod.core.errors import (
    CallerRefused,
    ConfigurationError,
    CrossSiteRequest,
    FieldError,
    GraphError,
    InvalidRequest,
    RulesError,
    StorageUnavailable,
    Throttled,
    TooManyRequests,
    Unauthenticated,
)
from entra_sod.core.validation import find_repeated_fields, read_as
from entra_sod.domain.notifications.public_addresses import is_loopback

log = logging.getLogger("entra_sod")

MAX_BODY_BYTES = 64 * 1024
_PROBLEMS = "urn:entra-sod:problem:"
_RETRY_SECONDS = 10
_SEND_UTF8 = (
    "The body is not UTF-8. Send UTF-8: in PowerShell, "
    "-Body ([Text.Encoding]::UTF8.GetBytes($json)) and "
    "-ContentType 'application/json; charset=utf-8'."
)
_GRAPH_RETRY_SECONDS = 5
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


class HttpProblem(Exception):
    """An answer that is a problem: a stable type, a status, what was wrong and what to do."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail
        self.errors, self.headers = errors, dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"

    def response(self) -> func.HttpResponse:
        body = Problem(
            type=_PROBLEMS + self.slug,
            title=self.title,
            status=self.status,
            detail=self.detail,
            errors=[FieldProblem(pointer=e.pointer, detail=e.detail) for e in self.errors],
        )
        return json_response(self.status, body, self.headers, mimetype="application/problem+json")


def json_response(
    status: int,
    body: object,
    headers: Mapping[str, str] | None = None,
    *,
    mimetype: str = "application/json",
) -> func.HttpResponse:
    """Build an answer; `body` is a value, or bytes that are JSON already."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    # It is taken for nothing but what it says: names of a tenant are in it.
    always = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    headers = {**always, **(headers or {})}
    return func.HttpResponse(data, status_code=status, headers=headers, mimetype=mimetype)


def page_response(page: bytes, policy: str) -> func.HttpResponse:
    """Build an answer that is a page for people; `policy` is its Content-Security-Policy."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return func.HttpResponse(page, headers=headers, mimetype="text/html", charset="utf-8")


async def with_problem_details(work: Awaitable[func.HttpResponse]) -> func.HttpResponse:
    """Await a handler and turn every error that has a name into its problem."""
    try:
        return await work
    except HttpProblem as problem:
        return problem.response()
    except CallerRefused as error:
        return _refused(error).response()
    except InvalidRequest as error:
        return _invalid(error).response()
    except (ConfigurationError, RulesError) as error:
        log.error("the app is not set up: %s", error, extra={"action": "not_set_up"})  # noqa: TRY400
        return _unavailable("not-set-up", "The app is not set up", str(error)).response()
    except StorageUnavailable as error:
        log.exception("storage is unavailable", extra={"action": "storage_unavailable"})
        return _unavailable("storage", "Storage is unavailable", str(error)).response()


def _refused(error: CallerRefused) -> HttpProblem:
    if isinstance(error, TooManyRequests):
        wait = math.ceil(error.retry_after)
        return HttpProblem(
            429, "too-many-requests", "You ask too often", str(error), retry_after=wait
        )
    if isinstance(error, Unauthenticated):
        return HttpProblem(401, "unauthenticated", "The caller is not authenticated", str(error))
    if isinstance(error, CrossSiteRequest):
        return HttpProblem(403, "cross-site", "The request comes from another site", str(error))
    return HttpProblem(403, "not-allowed", "You may not do this", str(error))


def _invalid(error: InvalidRequest) -> HttpProblem:
    return HttpProblem(
        422,
        "invalid-request",
        "Invalid request",
        f"{len(error.errors)} field(s) need attention; see errors.",
        errors=error.errors,
    )


def graph_problem(error: GraphError, consequence: str) -> HttpProblem:
    """Graph cannot be read now, so the app answers 503 instead of a guess."""
    wait = error.retry_after if isinstance(error, Throttled) else None
    return HttpProblem(
        503,
        "graph",
        "Microsoft Graph cannot be read now",
        f"{consequence} {error}",
        retry_after=round(wait or _GRAPH_RETRY_SECONDS),
    )


def _unavailable(slug: str, title: str, detail: str) -> HttpProblem:
    return HttpProblem(503, slug, title, detail, retry_after=_RETRY_SECONDS)


def read_json(request: func.HttpRequest, *, largest: int = MAX_BODY_BYTES) -> object:
    """Decode a JSON body, within limits.

    Raises:
        HttpProblem: 413, 415 or 400.
    """
    body, media_type = read_body(request, largest=largest), media_type_of(request)
    if media_type != "application/json" and not re.fullmatch(
        r"application/[\w.-]+\+json", media_type
    ):
        detail = f"Send Content-Type: application/json, not {media_type or 'none'!r}."
        raise HttpProblem(415, "not-json-type", "The content type is not JSON", detail)
    try:
        data = body.removeprefix(codecs.BOM_UTF8)
        value: object = msgspec.json.decode(data)
        repeated = find_repeated_fields(data)
    # ValueError: a number of thousands of digits.
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        detail = str(error) if _is_utf8(body) else _SEND_UTF8
        raise HttpProblem(400, "not-json", "The body is not JSON", detail) from error
    if repeated:
        detail = "Each field stands once in its object."
        raise HttpProblem(400, "repeated-field", "A field is given twice", detail, errors=repeated)
    return value


def _is_utf8(body: bytes) -> bool:
    try:
        return "\0" not in body.decode()  # of UTF-16 and UTF-32 every second character is one
    except UnicodeDecodeError:
        return False


def read_body(request: func.HttpRequest, *, largest: int) -> bytes:
    """Take the bytes of a body as they came.

    Raises:
        HttpProblem: 413, where there are more.
    """
    body: bytes = request.get_body()
    if len(body) > largest:
        detail = f"The body has {len(body)} bytes; at most {largest} are read."
        raise HttpProblem(413, "too-large", "The body is too large", detail)
    return body


def media_type_of(request: func.HttpRequest) -> str:
    """The content type in lower case, without its parameters."""
    return (request.headers.get("Content-Type") or "").split(";")[0].strip().lower()


def require_no_fields(request: func.HttpRequest) -> None:
    """Accept only an empty body: no bytes, or `{}`.

    Raises:
        HttpProblem: 413, 415 or 400, as of any JSON body.
        InvalidRequest: the body has fields, which the app would ignore.
    """
    if request.get_body():
        read_as(NoFields, read_json(request))


def own_url(request: func.HttpRequest, path: str) -> str:
    """Build an absolute address of this app as the caller knows it."""
    return f"{own_root(request)}/{path}"


def own_root(request: func.HttpRequest) -> str:
    """The address of this app, up to `/api`, as the platform has it; callers are not believed.

    In a local world, without a platform, it is where the request came to; http for loopback alone.
    """
    host = bootstrap.app.own_host or urlsplit(request.url).netloc.rpartition("@")[2]
    name = urlsplit(f"//{host}").hostname or ""
    scheme = "http" if name == "localhost" or is_loopback(name) else "https"
    return f"{scheme}://{host}/api"


def own_hosts(request: func.HttpRequest) -> frozenset[str]:
    """The names of this app: the platform's, and the one that the request was sent to.

    A browser says the second by itself, and no site can make it say another one. It is that of a
    custom domain.
    """
    asked = urlsplit(request.url).netloc.rpartition("@")[2]
    named = (request.headers.get("Host") or "", asked, bootstrap.app.own_host)
    return frozenset(each.lower() for each in named if each)


def traceparent(request: func.HttpRequest) -> str:
    """The caller's trace, or a new one (W3C trace context)."""
    given = request.headers.get("traceparent") or ""
    if _TRACEPARENT.fullmatch(given):
        return given
    return new_traceparent()


def new_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
