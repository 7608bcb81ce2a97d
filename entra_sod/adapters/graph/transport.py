"""The SDK's request adapter, set up for a queue worker: authentication, retries, transport.

Imported only by `client.py`'s first use: msgraph and azure.identity cost seconds to load.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
from anyio.lowlevel import checkpoint
from azure.core.exceptions import AzureError
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.response_handler import ResponseHandler
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.kiota_client_factory import KiotaClientFactory
from kiota_http.middleware import RetryHandler
from kiota_http.middleware.middleware import BaseMiddleware
from kiota_http.middleware.options import (
    RedirectHandlerOption,
    ResponseHandlerOption,
    RetryHandlerOption,
)
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory
from msgraph_core.middleware import GraphTelemetryHandler
from msgraph_core.middleware.options import GraphTelemetryHandlerOption

from entra_sod.adapters.graph.credential import credential
from entra_sod.adapters.graph.failures import clock_skew, graph_error
from entra_sod.core.errors import NoToken, Throttled, ThrottledLocally, Unavailable, UnsafeLink
from entra_sod.core.request_meter import count_requests, count_throttled
from entra_sod.core.telemetry import count_response
from entra_sod.ports.rate_limit import MAX_SILENCE_IN_PLACE, RateLimiter
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from kiota_abstractions.request_option import RequestOption

MAX_WAIT_SECONDS = MAX_SILENCE_IN_PLACE
MAX_ATTEMPTS_AFTER_429 = 3
RETRY_DELAYS_AFTER_LOST_CONNECTION = (0.5, 1.0)
# A token is good for five minutes at least, and may not be when a turn has come after them.
MAX_SECONDS_WITH_ONE_TOKEN = 240.0
_ONCE: list[RequestOption] = [RetryHandlerOption(max_retries=0)]

_carried: ContextVar[int] = ContextVar("requests_carried", default=1)

# HTTP/2's header compression writes every header out at this level, the token among them.
logging.getLogger("hpack").setLevel(logging.INFO)


class _ConnectionLost(Unavailable):
    """The connection broke: soon there will be another, unlike after an answer that takes long."""


class ShortRetryHandler(RetryHandler):
    """Retries 503 and 504 as the SDK does, but waits in place for seconds only.

    The SDK itself would sleep up to 179 s three times over, past the worker's own time limit. A
    longer wait belongs on the queue: the answer is handed back, and becomes one of our errors. 429
    concerns everybody who shares the rate, so the rate limiter answers it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.retry_on_status_codes = self.DEFAULT_RETRY_STATUS_CODES - {429}

    def get_delay_time(
        self,
        retry_count: int,
        response: httpx.Response | None = None,
        delay: float = RetryHandlerOption.DEFAULT_DELAY,
    ) -> float:
        give_up: float = RetryHandlerOption.MAX_DELAY
        try:
            wait = super().get_delay_time(retry_count, response, delay)
        except OverflowError:  # a Retry-After date that no calendar has
            return give_up
        return wait if wait <= MAX_WAIT_SECONDS else give_up


class RateLimitMiddleware(BaseMiddleware):
    """Stands last, so that every attempt takes a turn, repetitions of the SDK among them."""

    def __init__(self, limiter: RateLimiter, token: Callable[[], Awaitable[str]]) -> None:
        super().__init__()
        self._limiter, self._token = limiter, token
        self.clock_skew: timedelta | None = None

    async def send(
        self, request: httpx.Request, transport: httpx.AsyncBaseTransport
    ) -> httpx.Response:
        await checkpoint()  # loads what the first connection needs, which may take half a second
        asked_at = monotonic()
        await self._limiter.acquire(_carried.get())
        if monotonic() - asked_at > MAX_SECONDS_WITH_ONE_TOKEN:
            request.headers["Authorization"] = f"Bearer {await self._token()}"
        count_requests(_carried.get())
        try:
            answer = await super().send(request, transport)
        except httpx.HTTPError:
            count_response(0, _carried.get())
            raise
        self.clock_skew = clock_skew(answer.headers.get("date"), datetime.now(UTC))
        if not (answer.is_success and request.url.path.endswith("/$batch")):  # counted one by one
            count_response(answer.status_code, _carried.get())
        return answer


class BytesHandler(ResponseHandler):
    """Takes the bytes of a success, and makes everything else one of our errors.

    The adapter itself would take a redirect that is not followed for a success.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    async def handle_response_async(self, response: Any, error_map: object) -> bytes:  # noqa: ANN401, ARG002 - the SDK's own signature
        answer = cast("httpx.Response", response)
        if not answer.is_success:
            raise graph_error(self._what, answer.status_code, answer.headers, body=answer.content)
        return answer.content


class GraphTransport:
    """Sends requests through msgraph-sdk's adapter and hands back the bytes of the answer."""

    def __init__(
        self, settings: GraphSettings, limiter: RateLimiter, own: AsyncTokenCredential | None = None
    ) -> None:
        """Make a transport; with a credential of its own, it asks as that."""
        self._limiter, self._scope = limiter, settings.scope
        self._rate_limit = RateLimitMiddleware(limiter, self.token)
        self._credential = own or credential(settings)
        client = KiotaClientFactory.get_default_client()
        # The SDK puts a transport around the client's own that never closes it.
        self._connections = copy(client)
        self._http = GraphClientFactory.create_with_custom_middleware(
            _middleware(self._rate_limit), client=client
        )
        self._adapter = GraphRequestAdapter(
            AzureIdentityAuthenticationProvider(
                self._credential,
                scopes=[settings.scope],
                allowed_hosts=[urlsplit(settings.root).hostname or ""],
            ),
            client=self._http,
        )

    @property
    def clock_skew(self) -> timedelta | None:
        """How far Graph's clock is ahead of ours, by its last answer, to a second or so."""
        return self._rate_limit.clock_skew

    async def token(self) -> str:
        """Return the token that requests are sent with.

        Raises:
            Unavailable: there is none.
        """
        try:
            return (await self._credential.get_token(self._scope)).token
        except AzureError as error:
            raise _no_token(error) from error

    async def read(self, url: str, what: str) -> bytes:
        """GET, with short retries."""
        return await self._send_with_retries(lambda: _request(Method.GET, url), what)

    async def post_batch(self, url: str, body: bytes, what: str, *, requests: int) -> bytes:
        """POST a batch of reads, with short retries.

        Args:
            url: the address.
            body: JSON.
            what: it is, in a few words.
            requests: how many Graph counts it as.
        """
        carried = _carried.set(requests)
        try:
            return await self._send_with_retries(lambda: _request(Method.POST, url, body), what)
        finally:
            _carried.reset(carried)

    async def write(self, method: str, url: str, what: str, body: bytes | None = None) -> None:
        """POST, PUT or DELETE, exactly once: what a lost answer meant is settled by reading."""
        request = _request(Method[method], url, body)
        request.add_request_options(_ONCE)
        await self._send(request, what)

    async def _send_with_retries(
        self, request: Callable[[], RequestInformation], what: str
    ) -> bytes:
        """Send until it is not throttled, and once more where the connection was lost.

        Raises:
            Throttled: the wait is too long for waiting in place, or there have been several.
            Unavailable: no answer came, time and again, or one that says so.
        """
        tries, lost = 0, 0
        while True:
            try:
                return await self._send(request(), what)
            except ThrottledLocally:
                raise
            except Throttled as error:
                tries += 1
                if tries > MAX_ATTEMPTS_AFTER_429 or _is_long(error.retry_after):
                    raise
            except _ConnectionLost:
                if lost == len(RETRY_DELAYS_AFTER_LOST_CONNECTION):
                    raise
                await asyncio.sleep(RETRY_DELAYS_AFTER_LOST_CONNECTION[lost])
                lost += 1

    async def _send(self, request: RequestInformation, what: str) -> bytes:
        """Send once. A 429 of Graph is counted, and told to the rate limiter."""
        request.add_request_options([ResponseHandlerOption(BytesHandler(what))])
        try:
            answer = await self._adapter.send_primitive_async(request, "bytes", {})
        except ThrottledLocally:
            raise
        except Throttled as error:
            count_throttled(1)
            await self._limiter.slow_down(error.retry_after)
            raise
        except httpx.InvalidURL as error:
            raise UnsafeLink(f"Graph gave no usable address to go on with {what}") from error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise _ConnectionLost(
                f"No answer from Graph to {what}: {type(error).__name__}"
            ) from error
        except httpx.HTTPError as error:
            raise Unavailable(f"No answer from Graph to {what}: {type(error).__name__}") from error
        except AzureError as error:
            raise _no_token(error, f", which is needed for {what}") from error
        return cast("bytes", answer)

    async def close(self) -> None:
        """Close the connections; for programs that end, unlike the worker."""
        await self._http.aclose()
        await self._connections.aclose()
        await self._credential.close()


def _no_token(error: AzureError, needed_for: str = "") -> NoToken:
    reason = (error.message or type(error).__name__).splitlines()[0]
    return NoToken(f"No token for Graph{needed_for}: {reason}")


def _is_long(retry_after: float | None) -> bool:
    return retry_after is not None and retry_after > MAX_WAIT_SECONDS


def _request(method: Method, url: str, body: bytes | None = None) -> RequestInformation:
    request = RequestInformation(method=method)
    request.url = url
    request.headers.add("Accept", "application/json")
    if body is not None:
        request.headers.add("Content-Type", "application/json")
        request.content = body
    return request


def _middleware(rate_limit: RateLimitMiddleware) -> list[BaseMiddleware]:
    """The SDK's own chain, with our retry in place of its own, no redirects, and the rate."""
    chosen = {
        **options,
        RedirectHandlerOption.get_key(): RedirectHandlerOption(should_redirect=False),
    }
    chain = [
        ShortRetryHandler() if isinstance(handler, RetryHandler) else handler
        for handler in KiotaClientFactory.get_default_middleware(chosen)
    ]
    telemetry = cast("GraphTelemetryHandlerOption", options[GraphTelemetryHandlerOption.get_key()])
    return [*chain, GraphTelemetryHandler(options=telemetry), rate_limit]
