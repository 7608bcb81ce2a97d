"""`python -m benchmarks.children.serve_http ROUNDS`: the HTTP path in Microsoft's worker.

No queue is listened to and no HTTP server runs: as in Azure, both belong to the host.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from benchmarks.children.checkpoint import APP, loaded, reach

if TYPE_CHECKING:
    from pathlib import Path

    from local.host.worker import Reply, Worker

_ADDRESS = "http://127.0.0.1:7071/api/checks"
_ACCEPTED = "202"


async def main(rounds: int) -> None:
    reach("start")
    caller = await Caller.indexed()
    reach("indexed")
    for number in range(rounds):
        await caller.ask(await caller.check(number))
        if number == 0:
            reach("first")
    reach("last", loaded=loaded(["msgraph", "azure.identity", "azure.storage.blob"]))
    await close()


class Caller:
    """Calls the two functions as the host does."""

    def __init__(self, worker: Worker, ids: dict[str, str]) -> None:
        self._worker, self._ids = worker, ids

    @classmethod
    async def indexed(cls, app: Path = APP) -> Caller:
        from local.host.worker import Worker

        worker = Worker(app)
        return cls(worker, {each.name: each.function_id for each in await worker.index()})

    async def check(self, number: int) -> str:
        """POST /api/checks; returns the new check's id."""
        import msgspec

        return str(msgspec.json.decode(await self.start(number))["id"])

    async def start(self, number: int) -> bytes:
        """POST /api/checks; returns what 202 said."""
        import msgspec

        from benchmarks.pages import guid

        pair = {
            "accessPackageId": guid(1, number),
            "incompatibleAccessPackageId": guid(2, number),
        }
        return await self._call("start_check", "POST", _ADDRESS, body=msgspec.json.encode(pair))

    async def ask(self, check_id: str) -> None:
        """GET /api/checks/{id}."""
        await self._call("get_check", "GET", f"{_ADDRESS}/{check_id}", id=check_id)

    async def _call(
        self, function: str, method: str, url: str, *, body: bytes = b"", **parameters: str
    ) -> bytes:
        from local.host.protos import Message, TypedData
        from local.host.worker import Call

        request = Message(
            method=method,
            url=url,
            headers={"content-type": "application/json"},
            query={},
            params=parameters,
            body=TypedData(bytes=body),
        )
        call = Call(
            function_id=self._ids[function],
            invocation_id=f"{function}-{url[-12:]}",
            trace_parent="",
            inputs={"req": TypedData(http=request)},
        )
        return _body(await self._worker.invoke(call))


async def close() -> None:
    """End the app's connections, for a quiet end of this process."""
    from entra_sod import bootstrap
    from entra_sod.adapters.storage.azure import AzureStorage

    storage = bootstrap.app.records.storage
    assert isinstance(storage, AzureStorage)
    await storage.close()


def _body(reply: Reply) -> bytes:
    if reply.error is not None or reply.returned is None:
        raise RuntimeError(f"{reply.error}\n{reply.stack}")
    answer = reply.returned.http
    body: bytes = answer.body.bytes
    if str(answer.status_code) != _ACCEPTED:
        raise RuntimeError(body.decode())
    return body


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
