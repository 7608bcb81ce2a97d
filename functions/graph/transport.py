"""The SDK's request adapter, set up for a queue worker: authentication, retries, transport.

Imported by nobody but `client.py`'s first use: msgraph and azure.identity cost seconds to load.
"""

from __future__ import annotations

import logging
from copy import copy
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
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

from functions.errors import Unavailable, UnsafeLink
from functions.graph.credential import credential
from functions.graph.failures import graph_error
from functions.graph.meter import count_request
from functions.settings import GraphSettings

if TYPE_CHECKING:
    from kiota_abstractions.request_option import RequestOption

LONGEST_WAIT_SECONDS = 10.0
_ONCE: list[RequestOption] = [RetryHandlerOption(max_retries=0)]

# HTTP/2's header compression writes every header out at this level, the token among them.
logging.getLogger("hpack").setLevel(logging.INFO)


class ShortWaits(RetryHandler):
    """Retries as the SDK does, but waits in place for seconds only.

    The SDK itself would sleep up to 179 s three times over, past the worker's own time limit. A
    longer wait belongs on the queue: the answer is handed back, and becomes `Throttled`.
    """

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
        return wait if wait <= LONGEST_WAIT_SECONDS else give_up


class Bytes(ResponseHandler):
    """Takes the bytes of a success, and makes everything else one of our errors.

    The adapter itself would take a redirect that is not followed for a success.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    async def handle_response_async(self, response: Any, error_map: object) -> bytes:  # noqa: ANN401, ARG002 - the SDK's own signature
        answer = cast("httpx.Response", response)
        if not answer.is_success:
            raise graph_error(self._what, answer.status_code, answer.headers)
        return answer.content


class GraphTransport:
    """Sends requests through msgraph-sdk's adapter and hands back the bytes of the answer."""

    def __init__(self, settings: GraphSettings) -> None:
        self._credential = credential(settings)
        client = KiotaClientFactory.get_default_client()
        # The SDK puts a transport around the client's own that never closes it.
        self._connections = copy(client)
        self._http = GraphClientFactory.create_with_custom_middleware(_middleware(), client=client)
        self._adapter = GraphRequestAdapter(
            AzureIdentityAuthenticationProvider(
                self._credential,
                scopes=[settings.scope],
                allowed_hosts=[urlsplit(settings.root).hostname or ""],
            ),
            client=self._http,
        )

    async def read(self, url: str, what: str) -> bytes:
        """GET, with short retries."""
        return await self._send(_request(Method.GET, url), what)

    async def ask(self, url: str, body: bytes, what: str) -> bytes:
        """POST something that changes nothing, such as a batch of reads, with short retries."""
        return await self._send(_request(Method.POST, url, body), what)

    async def write(self, method: str, url: str, what: str, body: bytes | None = None) -> None:
        """POST or DELETE, exactly once: what a lost answer meant is settled by reading."""
        request = _request(Method[method], url, body)
        request.add_request_options(_ONCE)
        await self._send(request, what)

    async def _send(self, request: RequestInformation, what: str) -> bytes:
        count_request()
        request.add_request_options([ResponseHandlerOption(Bytes(what))])
        try:
            answer = await self._adapter.send_primitive_async(request, "bytes", {})
        except httpx.InvalidURL as error:
            raise UnsafeLink(f"Graph gave no usable address to go on with {what}") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"No answer from Graph to {what}: {type(error).__name__}") from error
        except AzureError as error:
            reason = (error.message or type(error).__name__).splitlines()[0]
            raise Unavailable(f"No token for Graph, wanted for {what}: {reason}") from error
        return cast("bytes", answer)

    async def close(self) -> None:
        """Close the connections; for programs that end, unlike the worker."""
        await self._http.aclose()
        await self._connections.aclose()
        await self._credential.close()


def _request(method: Method, url: str, body: bytes | None = None) -> RequestInformation:
    request = RequestInformation(method=method)
    request.url = url
    request.headers.add("Accept", "application/json")
    if body is not None:
        request.headers.add("Content-Type", "application/json")
        request.content = body
    return request


def _middleware() -> list[BaseMiddleware]:
    """The SDK's own chain, with our retry in place of its own, and no redirects."""
    chosen = {
        **options,
        RedirectHandlerOption.get_key(): RedirectHandlerOption(should_redirect=False),
    }
    chain = [
        ShortWaits() if isinstance(handler, RetryHandler) else handler
        for handler in KiotaClientFactory.get_default_middleware(chosen)
    ]
    telemetry = cast("GraphTelemetryHandlerOption", options[GraphTelemetryHandlerOption.get_key()])
    return [*chain, GraphTelemetryHandler(options=telemetry)]
