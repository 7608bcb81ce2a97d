"""What Graph says when it refuses, in its error shape."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Literal

# refusals that a behaviour or a fault can order by name
type ErrorName = Literal["server-error", "forbidden", "no-license", "not-found"]


class GraphError(Exception):
    """A refusal; the message is what the caller reads."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def bad_request(message: str, *, code: str = "BadRequest") -> GraphError:
    return GraphError(HTTPStatus.BAD_REQUEST, code, message)


def unauthenticated(message: str) -> GraphError:
    challenge = {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'}
    return GraphError(
        HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken", message, headers=challenge
    )


def forbidden() -> GraphError:
    # The wording speaks of users for every caller: observed, not documented.
    message = (
        "User is not authorized to perform the operation. Reason: The caller is not authorized."
    )
    return GraphError(HTTPStatus.FORBIDDEN, "UnAuthorized", message)


def unlicensed() -> GraphError:
    # Observed, not documented: a code of its own, and words that begin as those of a refusal.
    message = (
        "User is not authorized to perform the operation. Reason: Tenant does not meet license "
        "requirement!"
    )
    return GraphError(HTTPStatus.FORBIDDEN, "NoLicense", message)


def not_found(message: str) -> GraphError:
    return GraphError(HTTPStatus.NOT_FOUND, "ResourceNotFound", message)


def conflict(message: str) -> GraphError:
    return GraphError(HTTPStatus.CONFLICT, "Conflict", message)


def method_not_allowed() -> GraphError:
    return GraphError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )


def server_error() -> GraphError:
    return GraphError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError", "An error has occurred."
    )


def named_error(name: ErrorName) -> GraphError:
    match name:
        case "server-error":
            return server_error()
        case "forbidden":
            return forbidden()
        case "no-license":
            return unlicensed()
        case "not-found":
            return not_found("The requested resource does not exist.")


def too_many_requests(headers: Mapping[str, str]) -> GraphError:
    return GraphError(
        HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests.", headers=headers
    )


def error_body(
    error: GraphError, *, request_id: str, client_request_id: str, date: datetime
) -> dict[str, object]:
    inner = {
        "date": date.strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id,
    }
    return {"error": {"code": error.code, "message": error.message, "innerError": inner}}
