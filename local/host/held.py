"""A message that this host holds: hidden from others for as long as it is being worked on."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.log import HOST
from local.host.queue_storage import is_lost

log = logging.getLogger(HOST)


class Held:
    """A fetched message with its latest receipt."""

    def __init__(self, queue: QueueClient, message: QueueMessage, hide: timedelta) -> None:
        self.message = message
        self._queue = queue
        self._hide = hide
        self._updating = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def hidden(self) -> AsyncIterator[None]:
        """Keeps the message hidden, renewed at half of its hide."""
        renewal = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            # Cut short, an update could change the receipt without telling which it is now.
            async with self._updating:
                renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    async def hide(self, after: timedelta) -> None:
        """Shows the message again after a while."""
        updated = await self._queue.update_message(
            self.message.id,
            self.message.pop_receipt,
            visibility_timeout=int(after.total_seconds()),
        )
        self.message.pop_receipt = updated.pop_receipt

    async def delete(self) -> None:
        await self._queue.delete_message(self.message.id, self.message.pop_receipt)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._hide.total_seconds() / 2)
            try:
                async with self._updating:
                    await self.hide(self._hide)
            except HttpResponseError as error:
                if is_lost(error):
                    return
                log.warning("message %s cannot be kept hidden: %s", self.message.id, error)
            except AzureError as error:
                log.warning("message %s cannot be kept hidden: %s", self.message.id, error)
