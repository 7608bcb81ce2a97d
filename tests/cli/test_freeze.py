"""`entra-sod freeze` and `unfreeze`, on real storage."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient
from typer.testing import CliRunner

from entra_sod.adapters.storage.azure import AzureStorage
from entra_sod.cli.__main__ import app
from entra_sod.core.clock import SystemClock
from entra_sod.core.errors import StorageUnavailable
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.domain.messages import DELIVERY_QUEUE, DeliveryMessage, decode, decode_base64
from entra_sod.settings import StorageSettings
from entra_sod.stores.kept_events import KeptEvents
from entra_sod.stores.write_controls import WriteControls
from tests.adapters.storage.test_storage_contract import no_identity


@pytest.fixture(autouse=True)
def storage(azurite: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AzureWebJobsStorage", azurite)
    return azurite


def frozen(connection: str) -> Freeze | None:
    async def read() -> Freeze | None:
        storage = AzureStorage(StorageSettings(connection_string=connection), no_identity)
        try:
            return await WriteControls(storage, SystemClock()).frozen()
        finally:
            await storage.close()

    return asyncio.run(read())


def test_freeze_and_unfreeze(storage: str) -> None:
    """The app's row is written and removed; both commands say what stands now."""
    done = CliRunner().invoke(app, ["freeze", "--reason", "an audit\nis on"])
    assert done.exit_code == 0
    assert "an audit\\nis on" in " ".join(done.stdout.split())
    freeze = frozen(storage)
    assert freeze is not None
    assert (freeze.reason, "on the command line" in freeze.by) == ("an audit\nis on", True)
    ended = [CliRunner().invoke(app, ["unfreeze"]).stdout for _ in range(2)]
    assert ended == ["writing is allowed again\n", "writing was not frozen\n"]
    assert frozen(storage) is None


def test_subscribers_are_told_by_the_app(storage: str) -> None:
    """Each command keeps its event and queues it; a freeze that there was not ends untold."""
    with QueueClient.from_connection_string(storage, DELIVERY_QUEUE) as queue:
        with suppress(ResourceNotFoundError):
            queue.clear_messages()
        for arguments in (["freeze", "--reason", "an audit"], ["unfreeze"], ["unfreeze"]):
            assert CliRunner().invoke(app, arguments).exit_code == 0
        told = [decode(decode_base64(each.content.encode())) for each in queue.receive_messages()]
    assert [each.subject for each in told if isinstance(each, DeliveryMessage)] == [
        "frozen",
        "unfrozen",
    ]


def test_a_freeze_holds_though_nobody_can_be_told(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with rights on the freeze alone freezes, and hears that nobody is told."""

    async def refuse(*_: object) -> None:
        raise StorageUnavailable("the container events takes nothing")

    monkeypatch.setattr(KeptEvents, "store", refuse)
    done = CliRunner().invoke(app, ["freeze", "--reason", "an audit"])
    assert done.exit_code == 0
    assert "subscribers are not told: the container events takes nothing" in done.output
    assert frozen(storage) is not None
    CliRunner().invoke(app, ["unfreeze"])


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_freeze_without_a_reason_is_refused(storage: str, reason: str) -> None:
    """Nothing is frozen, and the command says what is missing."""
    done = CliRunner().invoke(app, ["freeze", "--reason", reason])
    assert done.exit_code == 1
    assert "give a reason of 1 to 200 characters" in done.output
    assert frozen(storage) is None
