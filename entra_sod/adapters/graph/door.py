"""What all clients of Graph share: a transport of their own, and lists read to their end.

The transport is made on first use inside the running loop and kept: an async HTTP client belongs to
the loop that made it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING

from entra_sod.adapters.graph.claims import caller_of
from entra_sod.adapters.graph.page_trail import PageTrail
from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.adapters.graph.wire import AnswerDecoder, DecodedPage, decode
from entra_sod.adapters.rate_limit.limiters import LocalRateLimiter
from entra_sod.core.errors import UnreadableItem
from entra_sod.domain.roles.model import TokenPrincipal
from entra_sod.ports.rate_limit import RateLimiter
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from entra_sod.adapters.graph.transport import GraphTransport


class GraphDoor:
    def __init__(
        self,
        settings: GraphSettings,
        limiter: RateLimiter | None = None,
        credential: AsyncTokenCredential | None = None,
    ) -> None:
        """Make a client.

        Args:
            settings: where Graph is, and who asks.
            limiter: without one, only the silence that Graph asks for is kept.
            credential: to ask as another identity than the settings say.
        """
        self._settings, self._credential = settings, credential
        self._limiter = limiter or LocalRateLimiter()
        self._urls = GraphUrls(settings.root)

    @cached_property
    def _transport(self) -> GraphTransport:
        from entra_sod.adapters.graph.transport import GraphTransport

        return GraphTransport(self._settings, self._limiter, self._credential)

    async def caller(self) -> TokenPrincipal:
        return caller_of(await self._transport.token())

    async def tenant_id(self) -> str:
        return (await self.caller()).tenant_id

    async def _pages[T](
        self, decoder: AnswerDecoder[DecodedPage[T]], url: str, what: str
    ) -> AsyncIterator[list[T]]:
        """Yield pages until there is no nextLink: an empty page with one is not the end.

        Args:
            decoder: of one page.
            url: of the first page.
            what: is read, as an error would name it.

        Raises:
            UnreadableItem: after the last page, if an item was not understood.
            UnsafeLink: a next page lies elsewhere, is one that was read before, or they never end.
            GraphError: a page could not be read.
        """
        trail, unreadable = PageTrail(what, {url}), list[UnreadableItem]()
        while True:
            page = decode(decoder, await self._transport.read(url, what))
            unreadable += trail.add(page)
            yield page.items
            if page.next_link is None:
                break
            url = self._urls.next_page(url, page.next_link)
            trail.follow(url)
        if unreadable:
            raise unreadable[0]

    async def _items[T](
        self, decoder: AnswerDecoder[DecodedPage[T]], url: str, what: str
    ) -> list[T]:
        """Read a list to its end.

        Raises:
            UnreadableItem: with the other items, if one was not understood.
        """
        items: list[T] = []
        try:
            async for page in self._pages(decoder, url, what):
                items += page
        except UnreadableItem as error:
            error.partial = items
            raise
        return items

    async def close(self) -> None:
        """Close the connections, if any were made; for programs that end, unlike the worker."""
        if "_transport" in self.__dict__:
            await self._transport.close()
