"""The queues of the app's storage accounts, by connection string."""

from types import TracebackType
from typing import Self

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.encoding import encode
from local.host.errors import SettingError
from local.host.host_json import MessageEncoding

_LOST = frozenset({"MessageNotFound", "PopReceiptMismatch", "QueueNotFound"})


class QueueStorage:
    """Clients of every account that bindings name, opened once."""

    def __init__(self, encoding: MessageEncoding) -> None:
        self._encoding = encoding
        self._accounts: dict[str, QueueServiceClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for account in self._accounts.values():
            await account.close()

    def queue(self, connection_string: str, name: str) -> QueueClient:
        account = self._accounts.get(connection_string)
        if account is None:
            account = self._accounts[connection_string] = _open(connection_string)
        return account.get_queue_client(name)

    async def send(self, connection_string: str, name: str, body: bytes) -> None:
        """Sends a message as the host does; a missing queue is created."""
        await send_text(self.queue(connection_string, name), encode(body, self._encoding))


async def send_text(queue: QueueClient, text: str) -> None:
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        await create(queue)
        await queue.send_message(text)


async def create(queue: QueueClient) -> None:
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return


def is_lost(error: HttpResponseError) -> bool:
    """Whether another worker has the message by now: a later receipt, or its deletion."""
    code = getattr(error, "error_code", None)
    return getattr(code, "value", code) in _LOST


def _open(connection_string: str) -> QueueServiceClient:
    # The library waits 15 s before its first retry; storage on this machine answers sooner.
    try:
        return QueueServiceClient.from_connection_string(
            connection_string, retry_total=2, initial_backoff=1, increment_base=2
        )
    except ValueError as error:
        raise SettingError(f"a storage setting is no connection string: {error}") from error
