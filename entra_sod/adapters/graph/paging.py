"""Reading a list of Graph's to its end, page after page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.adapters.graph.wire import WirePage, decode
from entra_sod.core.errors import UnsafeLink


async def pages[T](
    read: Callable[[str, str], Awaitable[bytes]],
    urls: GraphUrls,
    decoder: msgspec.json.Decoder[WirePage[T]],
    url: str,
    what: str,
) -> AsyncIterator[list[T]]:
    """Yield pages until there is no nextLink: an empty page with one is not the end.

    Args:
        read: fetches an address for a purpose, to the bytes of its answer.
        urls: under which every next page must lie.
        decoder: of one page.
        url: of the first page.
        what: is read, as an error would name it.

    Raises:
        UnsafeLink: a next page lies elsewhere, or is one that was read before.
        GraphError: a page could not be read.
    """
    followed: set[str] = set()
    while True:
        followed.add(url)
        page = decode(decoder, await read(url, what))
        yield page.value
        if page.next_link is None:
            return
        url = urls.next_page(url, page.next_link)
        if url in followed:
            raise UnsafeLink(f"Graph's pages of {what} lead in a circle: not followed again")
