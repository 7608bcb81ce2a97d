"""What the doctor's probes read: answers and errors as values, which `evaluate` judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from entra_sod.core.errors import SodError
from entra_sod.domain.results.sweep import OverlapSummary, ToxicSummary
from entra_sod.domain.roles.model import RoleAssignment, TokenPrincipal
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.storage import QueueState
from entra_sod.settings import Settings
from entra_sod.stores.ledger import DamagedEntry
from entra_sod.stores.sweeps import SweepRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedRight:
    """One right of one service, tried harmlessly.

    Attributes:
        service: `queues`, `tables` or `blobs`.
        right: in a word, such as `write`.
        error: None where it worked.
    """

    service: str
    right: str
    error: SodError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueProbe:
    """A queue and its poison queue, or the reason why they could not be read."""

    queue: str
    work: QueueState | SodError
    poison: QueueState | SodError
    dead_letters: int | SodError


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerProbe:
    """Rows of the ledger.

    Attributes:
        rows: how many were read.
        damaged: those of them that cannot be decoded.
        is_whole: whether all rows were read.
    """

    rows: int
    damaged: Sequence[DamagedEntry] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogProbe:
    """One catalog in which packages of the rules lie, looked at through one of them.

    Attributes:
        permissions: of each permission, in a few words, the error or None.
    """

    id: str
    name: str
    permissions: Mapping[str, SodError | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphProbe:
    """What Graph gave.

    Attributes:
        caller: who the token is for, or why there is none.
        packages: how many may be read, or why none.
        catalogs: those in which packages of the rules lie.
        unlisted: packages that rules name and the list does not have.
        additional_access: None where it was not tried; True where it works.
        roles: of the caller; an error where they may not be read.
        skew: how far Graph's clock is ahead.
    """

    caller: TokenPrincipal | SodError
    packages: int | SodError | None = None
    catalogs: Sequence[CatalogProbe] = ()
    unlisted: Sequence[str] = ()
    additional_access: bool | SodError | None = None
    roles: Sequence[RoleAssignment] | SodError | None = None
    skew: timedelta | None = None


class SweptPackages(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of the result of a sweep, the packages that pass rules by."""

    id: str
    toxic_packages: list[ToxicSummary] = []
    overlaps: list[OverlapSummary] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResults:
    """Everything; None where an earlier fault stood in the way.

    Attributes:
        problems: of the settings, a sentence each.
        sweep: the latest; with storage, None says that there was none yet.
        packages: that pass rules by, as the newest closed sweep saw them.
        rules: those in force, or why there are none.
    """

    now: datetime
    problems: Sequence[str] = ()
    settings: Settings | None = None
    storage: Sequence[ProbedRight] | None = None
    queues: Sequence[QueueProbe] = ()
    ledger: LedgerProbe | SodError | None = None
    sweep: SweepRecord | SodError | None = None
    packages: SweptPackages | SodError | None = None
    rules: RuleSet | SodError | None = None
    graph: GraphProbe | None = None
