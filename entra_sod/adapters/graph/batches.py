"""Many reads of Graph, up to 20 to one `$batch`, however many pages each of them has.

A worklist of reads is packed into batches. A page's nextLink goes back onto it, in front, so that
a list is read to its end before the next one is begun. What was throttled goes back alone, and what
failed in passing goes to the end. Only one batch of answers is held at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from entra_sod.adapters.graph import wire
from entra_sod.adapters.graph.failures import graph_error
from entra_sod.adapters.graph.page_trail import PageTrail
from entra_sod.adapters.graph.urls import GraphUrls
from entra_sod.core.clock import Clock
from entra_sod.core.errors import GraphError, Throttled, Unavailable
from entra_sod.core.request_meter import count_throttled
from entra_sod.core.telemetry import count_response
from entra_sod.ports.rate_limit import MAX_SILENCE_IN_PLACE, RateLimiter

if TYPE_CHECKING:
    from entra_sod.adapters.graph.transport import GraphTransport

MAX_FAILURES = 3
MAX_REFUSALS = 10
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class BatchRead[K]:
    """One thing to read: whose it is, its path under the version root, and it in a few words."""

    key: K
    path: str
    what: str


@dataclass(frozen=True, slots=True)
class _BatchPart[K]:
    """A read on the worklist.

    Attributes:
        read: what is read.
        path: of its next page.
        trail: its pages so far.
        failures: how often this page failed in passing.
        refusals: how often it was throttled.
    """

    read: BatchRead[K]
    path: str
    trail: PageTrail
    failures: int = 0
    refusals: int = 0

    def after(self, error: Throttled) -> _BatchPart[K]:
        """The same once more, unless the error says or shows that it takes longer."""
        if self.refusals == MAX_REFUSALS or (error.retry_after or 0) > MAX_SILENCE_IN_PLACE:
            raise error
        return replace(self, refusals=self.refusals + 1)


@dataclass(slots=True)
class _BatchOutcome[K, T]:
    """What one batch gave."""

    answers: list[tuple[K, T | GraphError]] = field(default_factory=list)
    following: list[_BatchPart[K]] = field(default_factory=list)
    throttled: list[tuple[_BatchPart[K], Throttled]] = field(default_factory=list)
    failed: list[tuple[_BatchPart[K], Unavailable]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Reads in batches, each of which takes a turn for all that it carries."""

    transport: GraphTransport
    urls: GraphUrls
    limiter: RateLimiter
    clock: Clock

    async def pages[K, T](
        self, reads: Iterable[BatchRead[K]], decoder: wire.AnswerDecoder[wire.DecodedPage[T]]
    ) -> AsyncIterator[tuple[K, Sequence[T] | GraphError]]:
        """Yield the pages of every list, as `each` does; an `UnreadableItem` does not end a list.

        Raises:
            Throttled, Unavailable: come again later.
        """
        async for key, page in self.each(reads, decoder):
            yield key, page if isinstance(page, GraphError) else page.items

    async def each[K, T](
        self, reads: Iterable[BatchRead[K]], decoder: wire.AnswerDecoder[T]
    ) -> AsyncIterator[tuple[K, T | GraphError]]:
        """Yield the answer to every read, in any order; a list's pages each by itself.

        A read that fails for good, or time and again, yields its error, and ends.

        Raises:
            Throttled: come again later.
            Unavailable: likewise; no read at all was answered.
        """
        worklist = deque(
            _BatchPart(read, read.path, PageTrail(read.what, {read.path})) for read in reads
        )
        was_answered, failed = False, list[tuple[K, Unavailable]]()
        while worklist:
            await self._recover(worklist)
            size = min(len(worklist), self.limiter.max_batch)
            parts = [worklist.popleft() for _ in range(size)]
            outcome = await self._send(parts, decoder)
            for key, answer in outcome.answers:
                was_answered = True
                yield key, answer
            worklist.extendleft(outcome.following)
            worklist.extendleft([part.after(error) for part, error in outcome.throttled])
            for part, error in outcome.failed:
                if part.failures == MAX_FAILURES:
                    failed.append((part.read.key, error))
                else:
                    worklist.append(replace(part, failures=part.failures + 1))
        for key, error in failed:
            if not was_answered:
                raise error
            yield key, error

    async def _recover[K](self, worklist: Iterable[_BatchPart[K]]) -> None:
        """Wait where there is nothing left to do but what has failed before."""
        if fewest := min(part.failures for part in worklist):
            await self.clock.sleep(2.0 ** (fewest - 1))

    async def _send[K, T](
        self, parts: Sequence[_BatchPart[K]], decoder: wire.AnswerDecoder[T]
    ) -> _BatchOutcome[K, T]:
        body = wire.batch_body([part.path for part in parts])
        data = await self.transport.post_batch(
            self.urls.batch(), body, "a batch of reads", requests=len(parts)
        )
        responses = {each.id: each for each in wire.decode(wire.batch_answers, data).responses}
        outcome = _BatchOutcome[K, T]()
        for number, part in enumerate(parts):
            self._sort(part, responses.get(str(number)), decoder, outcome)
        await self._slow_down([error.retry_after for _, error in outcome.throttled])
        return outcome

    def _sort[K, T](
        self,
        part: _BatchPart[K],
        response: wire.BatchAnswer | None,
        decoder: wire.AnswerDecoder[T],
        outcome: _BatchOutcome[K, T],
    ) -> None:
        try:
            value = _value(part.read.what, response, decoder)
            outcome.answers.append((part.read.key, value))
            if isinstance(value, wire.DecodedPage):
                outcome.answers += [(part.read.key, each) for each in part.trail.add(value)]
                outcome.following += self._following(part, value.next_link)
        except Throttled as error:
            outcome.throttled.append((part, error))
        except Unavailable as error:
            outcome.failed.append((part, error))
        except GraphError as error:
            outcome.answers.append((part.read.key, error))

    def _following[K](self, part: _BatchPart[K], next_link: str | None) -> list[_BatchPart[K]]:
        """The next page, if there is one."""
        if next_link is None:
            return []
        url = self.urls.next_page(self.urls.absolute(part.path), next_link)
        path = self.urls.relative(url)
        part.trail.follow(path)
        return [_BatchPart(part.read, path, part.trail)]

    async def _slow_down(self, waits: Sequence[float | None]) -> None:
        """Tell the rate limiter once for a batch, with the longest wait that was asked for."""
        if waits:
            count_throttled(len(waits))
            measured = [wait for wait in waits if wait is not None]
            await self.limiter.slow_down(max(measured, default=None))


def _value[T](what: str, response: wire.BatchAnswer | None, decoder: wire.AnswerDecoder[T]) -> T:
    if response is None:
        raise Unavailable(f"Graph's batch gave no answer to {what}")
    count_response(response.status)
    if response.status not in _SUCCESS:
        headers = {name.lower(): value for name, value in response.headers.items()}
        raise graph_error(what, response.status, headers, body=bytes(response.body))
    if _is_no_json(response, decoder):
        raise Unavailable(f"Graph's answer to {what} is not JSON")
    return wire.decode(decoder, response.body)


def _is_no_json(response: wire.BatchAnswer, decoder: object) -> bool:
    """A batch carries what is no JSON as text: an answer that was cut off, and every count."""
    is_text = bytes(memoryview(response.body)[:1]) == b'"'
    return is_text and not isinstance(decoder, wire.CountDecoder)
