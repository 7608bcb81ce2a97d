"""What fails on the way to Azure Storage, as our own error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError

from entra_sod.core.errors import StorageUnavailable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Raise our own error for whatever the service or the way to it refused."""
    try:
        yield
    except AzureError as error:
        raise unavailable(error) from error


def unavailable(error: AzureError) -> StorageUnavailable:
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        # No service was asked: there is no identity to ask it as.
        return StorageUnavailable(
            "Azure Storage: no sign-in was found. On a laptop run az login and set "
            "GRAPH_CREDENTIAL=default, or give AzureWebJobsStorage as a connection string; in "
            "Azure switch the managed identity on."
        )
    first_line = (error.message or "no answer").splitlines()[0]
    return StorageUnavailable(f"Azure Storage: {type(error).__name__}: {first_line}")


class SignIn(AbstractAsyncContextManager["SignIn"]):
    """Fails a request at once if no token can be had.

    The SDK's retry policies of blobs and queues would try again for over a minute.
    """

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's own signature
        async with translated():
            return await self._credential.get_token(*scopes, **options)

    async def close(self) -> None:
        await self._credential.close()

    async def __aexit__(self, *_: object, **__: object) -> None:
        await self.close()
