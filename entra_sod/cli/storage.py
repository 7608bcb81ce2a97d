"""The app's storage, reached from the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from entra_sod.adapters.graph.credential import credential, managed_identity
from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.cli.sign_in import asks_as_person
from entra_sod.settings import CredentialKind, GraphSettings, read_settings, read_storage_settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

type SignInFactory = Callable[[GraphSettings], AsyncTokenCredential]


@asynccontextmanager
async def open_storage(
    environment: Mapping[str, str], sign_in: SignInFactory = credential
) -> AsyncIterator[AzureStorage]:
    """Reach storage by connection string, or as a person or an app; and close it.

    Beside a managed identity it is that one, as in the app. On a machine of a person it is the
    sign-in that DefaultAzureCredential finds, such as that of `az login`.

    Args:
        environment: the settings.
        sign_in: makes the credential of a person.

    Raises:
        ConfigurationError: naming every wrong setting.
    """
    settings, graph = read_storage_settings(environment), read_settings(environment).graph
    async with AsyncExitStack() as ending:

        def identity() -> AsyncTokenCredential:
            is_own = graph.credential is CredentialKind.DEFAULT or asks_as_person(environment)
            own = replace(graph, credential=CredentialKind.DEFAULT)
            made = sign_in(own) if is_own else managed_identity(settings.client_id)
            ending.push_async_callback(made.close)
            return made

        storage = AzureStorage(settings, identity)
        ending.push_async_callback(storage.close)
        yield storage
