"""Queue triggers: fetch, hide while running, then delete, release or poison."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage

from local.host import decisions
from local.host.bindings import Function, QueueTrigger
from local.host.decisions import Delete, Leave, Poison, Release, Run
from local.host.encoding import UndecodableError, decode, encode
from local.host.errors import HostError
from local.host.held import Held
from local.host.host_json import Queues
from local.host.invocations import Invocation, Invocations
from local.host.log import HOST
from local.host.queue_storage import QueueStorage, create, is_lost, send_text
from local.host.queue_trigger import trigger_data, trigger_metadata

log = logging.getLogger(HOST)

# How long a full listener takes to notice that the host is stopping.
_LOOK_UP_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a listener's messages are, and how they are treated."""

    connection_string: str
    options: Queues
    hide: timedelta


class Listener:
    """The queue trigger of one function."""

    def __init__(
        self, function: Function, source: Source, storage: QueueStorage, invocations: Invocations
    ) -> None:
        if not isinstance(function.trigger, QueueTrigger):
            raise TypeError(f"{function.name} has no queue trigger")
        self._function = function
        self._trigger = function.trigger
        self._options = source.options
        self._source = source
        self._storage = storage
        self._invocations = invocations
        self._queue = storage.queue(source.connection_string, self.queue)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._is_stopping = False

    @property
    def queue(self) -> str:
        return self._trigger.queue_name

    async def prepare(self) -> None:
        """Creates the queue; in Azure the deployment does."""
        try:
            await create(self._queue)
        except AzureError as error:
            raise HostError(
                f"queue {self.queue} cannot be created: {_first_line(error)}"
            ) from error

    async def listen(self) -> None:
        """Fetches and runs messages until stop()."""
        pause: timedelta | None = None
        while not self._is_stopping:
            if await self._fetch():
                pause = None
                await self._wait_for_room()
            else:
                pause = decisions.next_pause(pause, self._options.longest_pause)
                await self._wait(pause)

    def notify(self) -> None:
        """A message has just been sent to the queue by this host."""
        self._wake.set()

    def stop(self) -> None:
        """No more fetching; what runs goes on."""
        self._is_stopping = True
        self._wake.set()

    async def settle(self) -> None:
        """Waits until the messages that ran are deleted or released."""
        if self._running:
            await asyncio.wait(self._running)

    async def _fetch(self) -> bool:
        found = False
        try:
            async for message in self._receive():
                found = True
                task = asyncio.create_task(self._process(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        except AzureError as error:
            log.warning("queue %s cannot be read: %s", self.queue, _first_line(error))
        return found

    def _receive(self) -> AsyncIterator[QueueMessage]:
        size = self._options.batch_size
        pages = self._queue.receive_messages(
            messages_per_page=size,
            max_messages=size,
            visibility_timeout=int(self._source.hide.total_seconds()),
        )
        return aiter(pages)

    async def _wait_for_room(self) -> None:
        while not (self._is_stopping or decisions.wants_batch(len(self._running), self._options)):
            await asyncio.wait(
                self._running, timeout=_LOOK_UP_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )

    async def _wait(self, pause: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause.total_seconds())
        self._wake.clear()

    async def _process(self, message: QueueMessage) -> None:
        try:
            held = Held(self._queue, message, self._source.hide)
            await self._settle(held, await self._decide(held))
        except HttpResponseError as error:
            if not is_lost(error):
                log.warning("queue %s, message %s: %s", self.queue, message.id, _first_line(error))
        except AzureError as error:
            log.warning("queue %s, message %s: %s", self.queue, message.id, _first_line(error))

    async def _decide(self, held: Held) -> Delete | Release | Poison | Leave:
        message = held.message
        dequeue_count = message.dequeue_count or 1
        arrival = decisions.on_arrival(self.queue, dequeue_count, self._options)
        if not isinstance(arrival, Run):
            return arrival
        try:
            body = decode(message.content, self._options.message_encoding)
        except UndecodableError as error:
            return self._undecodable(held, error)
        async with held.hidden():
            has_succeeded = await self._run(message, body)
        if has_succeeded:
            return Delete()
        return decisions.after_failure(self.queue, dequeue_count, self._options)

    def _undecodable(self, held: Held, error: UndecodableError) -> Poison | Leave:
        log.error(
            "queue %s, message %s is not %s and is not run: %s",
            *(self.queue, held.message.id, self._options.message_encoding, error),
        )
        # The host's own client writes the poison message, and it encodes whatever it writes.
        held.message.content = encode(held.message.content.encode(), self._options.message_encoding)
        return decisions.give_up(self.queue)

    async def _run(self, message: QueueMessage, body: bytes) -> bool:
        try:
            data = trigger_data(self._trigger, body)
        except UnicodeDecodeError as error:
            log.error("queue %s, message %s is no text: %s", self.queue, message.id, error)  # noqa: TRY400
            return False
        reason = f"message {message.id}, dequeue count {message.dequeue_count}, in {self.queue}"
        invocation = Invocation(reason=reason, data=data, metadata=trigger_metadata(message))
        reply = await self._invocations.run(self._function, invocation)
        return reply.error is None

    async def _settle(self, held: Held, end: Delete | Release | Poison | Leave) -> None:
        match end:
            case Delete():
                await held.delete()
            case Release(after):
                await held.hide(after)
            case Poison(queue):
                await self._poison(held, queue)
            case Leave():
                log.error("queue %s: message %s stays hidden", self.queue, held.message.id)

    async def _poison(self, held: Held, queue: str) -> None:
        log.error("queue %s: message %s goes to %s", self.queue, held.message.id, queue)
        target = self._storage.queue(self._source.connection_string, queue)
        await send_text(target, held.message.content)
        await held.delete()


def _first_line(error: AzureError) -> str:
    return str(error).splitlines()[0]
