"""Who the app is, towards Graph and towards Storage: azure-identity's async credentials."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken

from entra_sod.settings import CredentialKind, GraphSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_LOCAL_TOKEN = "local"  # noqa: S105 - not a secret: it goes to loopback addresses only
_HOUR = 3600


class LocalCredential(AbstractAsyncContextManager["LocalCredential"]):
    """A fixed token for a Graph on one's own machine; settings allow it there only."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's own signature
        return AccessToken(_LOCAL_TOKEN, int(time.time()) + _HOUR)

    async def close(self) -> None:
        return

    async def __aexit__(self, *_: object, **__: object) -> None:
        return


def credential(settings: GraphSettings) -> AsyncTokenCredential:
    """Make the credential that the settings ask for; its first token is fetched when needed."""
    if settings.credential is CredentialKind.LOCAL:
        return LocalCredential()
    if settings.credential is CredentialKind.DEFAULT:
        from azure.identity.aio import DefaultAzureCredential

        return DefaultAzureCredential(
            authority=settings.authority, managed_identity_client_id=settings.client_id
        )
    return managed_identity(settings.client_id)


def managed_identity(client_id: str | None) -> AsyncTokenCredential:
    from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id)
