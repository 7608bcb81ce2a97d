"""A way out that leads nowhere: for tests, and for anyone who tries the app without receivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from entra_sod.domain.notifications.address import Address
from entra_sod.domain.notifications.outcome import ResponseReceived, SendOutcome


@dataclass(frozen=True, slots=True)
class Post:
    address: Address
    headers: Mapping[str, str]
    body: bytes


class MemorySender:
    """Keeps what was sent in `posts`; answers with the next of its outcomes, and 200 after them."""

    def __init__(self, outcomes: Sequence[SendOutcome] = ()) -> None:
        self.posts: list[Post] = []
        self.answer_with(outcomes)

    def answer_with(self, outcomes: Sequence[SendOutcome]) -> None:
        """Forget the outcomes there are, and answer with these."""
        self._outcomes = list(outcomes)

    async def post(self, address: Address, headers: Mapping[str, str], body: bytes) -> SendOutcome:
        self.posts.append(Post(address, headers, body))
        return self._outcomes.pop(0) if self._outcomes else ResponseReceived(200)
