"""The pages of one list so far: tells a list that is long from one that never ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from entra_sod.adapters.graph.wire import DecodedPage
from entra_sod.core.errors import TooManyPages, UnreadableItem, UnsafeLink

# A list of a tenant has at most some hundred thousand entries, in pages of at least a hundred.
MAX_PAGES = 10_000
# Graph may answer empty pages, and a page again where the list changes while it is read.
MAX_PAGES_WITHOUT_NEWS = 50


@dataclass(slots=True)
class PageTrail:
    """The pages of one list.

    Attributes:
        what: is listed, in a few words.
        followed: the address of each page.
    """

    what: str
    followed: set[str]
    _shown: set[int] = field(default_factory=set)
    _pages: int = 0
    _without_news: int = 0

    def add[T](self, page: DecodedPage[T]) -> list[UnreadableItem]:
        """Take note of a page; what of it is not understood is returned.

        Raises:
            TooManyPages: the list shows nothing new any more, or is longer than any can be.
        """
        is_new = bool(page.items or page.unreadable) and page.fingerprint not in self._shown
        self._shown.add(page.fingerprint)
        self._pages += 1
        self._without_news = 0 if is_new else self._without_news + 1
        if self._without_news > MAX_PAGES_WITHOUT_NEWS or self._pages > MAX_PAGES:
            raise TooManyPages(
                f"Graph's pages of {self.what} do not end: {self._pages} were read, the last "
                f"{self._without_news} of them without anything new"
            )
        return [UnreadableItem(f"{self.what}, {name}", why) for name, why in page.unreadable]

    def follow(self, address: str) -> None:
        """Take note of where the next page is.

        Raises:
            UnsafeLink: it is a page that was read before.
        """
        if address in self.followed:
            raise UnsafeLink(f"Graph's pages of {self.what} lead in a circle: not followed again")
        self.followed.add(address)
