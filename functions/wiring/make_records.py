"""What needs storage alone. Kept light: a worker that only answers HTTP makes nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.checks.idempotency import IdempotencyKeys
from functions.checks.start import CheckStarter
from functions.checks.store import CheckStore
from functions.clock import Clock, SystemClock
from functions.dead_letters import DeadLetters
from functions.delivery.announce import Announcer
from functions.delivery.receivers import Receivers
from functions.evidence.chain import Chain
from functions.findings.store import FindingStore
from functions.settings import StorageSettings, read_storage_settings
from functions.storage.ports import Storage
from functions.sweeps.start import SweepStarter
from functions.sweeps.store import SweepStore

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What needs storage alone: accepting, telling, and noting failures."""

    storage: Storage
    clock: Clock
    checks: CheckStore
    sweeps: SweepStore
    dead_letters: DeadLetters
    receivers: Receivers
    findings: FindingStore
    chain: Chain
    announcer: Announcer
    keys: IdempotencyKeys
    check_starter: CheckStarter
    sweep_starter: SweepStarter


def make_records(storage: Storage, clock: Clock) -> Records:
    checks, sweeps = CheckStore(storage, clock), SweepStore(storage, clock)
    receivers, keys = Receivers(storage, clock), IdempotencyKeys(storage, clock)
    return Records(
        storage=storage,
        clock=clock,
        checks=checks,
        sweeps=sweeps,
        dead_letters=DeadLetters(storage.blobs, clock),
        receivers=receivers,
        findings=FindingStore(storage),
        chain=Chain(storage),
        announcer=Announcer(receivers=receivers, queues=storage.queues, clock=clock),
        keys=keys,
        check_starter=CheckStarter(
            store=checks,
            keys=keys,
            receivers=receivers,
            queues=storage.queues,
            clock=clock,
        ),
        sweep_starter=SweepStarter(store=sweeps, queues=storage.queues, clock=clock),
    )


def read_records(environment: Mapping[str, str]) -> Records:
    """Make the records that the environment asks for.

    Raises:
        ConfigurationError: naming what is wrong with the storage settings.
    """
    storage = _azure_storage(read_storage_settings(environment))
    return make_records(storage, SystemClock())


def _azure_storage(settings: StorageSettings) -> Storage:
    from functions.storage.azure import AzureStorage

    def credential() -> AsyncTokenCredential:
        from functions.graph.credential import managed_identity

        return managed_identity(settings.client_id)

    return AzureStorage(settings, credential)
