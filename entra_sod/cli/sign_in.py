"""Signing a person in to Graph where Azure's own tools have no token that is good for it.

Kept thin: nothing here can be tried without Microsoft's sign-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from entra_sod.domain.roles.model import READ_WRITE_ALL
from entra_sod.settings import GraphSettings

if TYPE_CHECKING:
    from types import TracebackType

    from azure.core.credentials import AccessToken

# "Microsoft Graph Command Line Tools", which every tenant may use and which asks for any permission
# of Graph. Azure CLI's own application has a fixed list, without entitlement management.
GRAPH_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


class DeviceCode(AbstractAsyncContextManager["DeviceCode"]):
    """Shows a code that is typed in at a browser, on whatever machine; asks for one permission."""

    def __init__(
        self, settings: GraphSettings, tell: Callable[[str], None], tenant_id: str | None = None
    ) -> None:
        from azure.identity import DeviceCodeCredential

        resource = settings.scope.removesuffix("/.default")
        self._scope = f"{resource}/{READ_WRITE_ALL}"
        self._credential = DeviceCodeCredential(
            client_id=GRAPH_TOOLS,
            authority=settings.authority,
            tenant_id=tenant_id,
            prompt_callback=lambda address, code, _: tell(f"Open {address} and enter {code}."),
        )

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's own signature
        return await asyncio.to_thread(self._credential.get_token, self._scope)

    async def close(self) -> None:
        self._credential.close()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
