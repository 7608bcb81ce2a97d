"""What needs storage alone. Kept light: a worker that only answers HTTP makes nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entra_sod.core.clock import Clock
from entra_sod.ports.storage import Storage
from entra_sod.services.checks.start import CheckStarter
from entra_sod.services.messages.verify import MessageVerifier
from entra_sod.services.notifications.announce import Announcer
from entra_sod.services.sweeps.start import SweepStarter
from entra_sod.settings import StorageSettings, read_storage_settings
from entra_sod.stores.checks import CheckStore
from entra_sod.stores.dead_letters import DeadLetters
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.findings import FindingStore
from entra_sod.stores.idempotency import IdempotencyKeys
from entra_sod.stores.kept_events import KeptEvents
from entra_sod.stores.outbox import Outbox
from entra_sod.stores.selections import SelectionStore
from entra_sod.stores.subscriptions import Subscriptions
from entra_sod.stores.sweeps import SweepStore
from entra_sod.stores.write_controls import WriteControls

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What needs storage alone: accepting, telling, and noting failures."""

    storage: Storage
    clock: Clock
    outbox: Outbox
    checks: CheckStore
    sweeps: SweepStore
    verifier: MessageVerifier
    dead_letters: DeadLetters
    subscriptions: Subscriptions
    findings: FindingStore
    chain: EvidenceChain
    announcer: Announcer
    keys: IdempotencyKeys
    controls: WriteControls
    selections: SelectionStore
    check_starter: CheckStarter
    sweep_starter: SweepStarter


def make_records(storage: Storage, clock: Clock) -> Records:
    checks, sweeps = CheckStore(storage, clock), SweepStore(storage, clock)
    outbox = Outbox(storage.queues, clock)
    subscriptions, keys = Subscriptions(storage, clock), IdempotencyKeys(storage, clock)
    return Records(
        storage=storage,
        clock=clock,
        outbox=outbox,
        checks=checks,
        sweeps=sweeps,
        verifier=MessageVerifier(checks, sweeps, clock),
        dead_letters=DeadLetters(storage.blobs, clock),
        subscriptions=subscriptions,
        findings=FindingStore(storage),
        chain=EvidenceChain(storage),
        announcer=Announcer(
            subscriptions=subscriptions, outbox=outbox, kept=KeptEvents(storage.blobs)
        ),
        keys=keys,
        controls=WriteControls(storage, clock),
        selections=SelectionStore(storage, clock),
        check_starter=CheckStarter(
            store=checks,
            keys=keys,
            subscriptions=subscriptions,
            outbox=outbox,
        ),
        sweep_starter=SweepStarter(store=sweeps, outbox=outbox, clock=clock),
    )


def read_records(environment: Mapping[str, str], clock: Clock) -> Records:
    """Make the records that the environment asks for.

    Raises:
        ConfigurationError: naming what is wrong with the storage settings.
    """
    return make_records(_azure_storage(read_storage_settings(environment)), clock)


def _azure_storage(settings: StorageSettings) -> Storage:
    from entra_sod.adapters.storage.azure import AzureStorage

    def credential() -> AsyncTokenCredential:
        from entra_sod.adapters.graph.credential import managed_identity

        return managed_identity(settings.client_id)

    return AzureStorage(settings, credential)
