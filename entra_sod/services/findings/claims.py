"""Marks a finding as being remediated, when a caller claims so."""

from __future__ import annotations

from typing import Annotated

import msgspec

from entra_sod.core.clock import Clock, timestamp
from entra_sod.domain.findings.lifecycle import mark_resolving
from entra_sod.domain.findings.model import Finding
from entra_sod.stores.findings import FindingStore, StoredFinding

type ClaimText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ClaimRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /findings/{id}/claims`.

    Attributes:
        by: who remediates the finding or asked for that, for example a ticket number.
        why: the reason, for an auditor.
    """

    by: ClaimText
    why: ClaimText


class NotClaimable(Exception):
    """The finding is permitted, on hold or resolved: there is nothing to remediate."""


async def store_claim(
    store: FindingStore, finding_id: str, request: ClaimRequest, clock: Clock
) -> Finding | None:
    """Note a claim in a finding's history; None where there is no such finding.

    Raises:
        NotClaimable: of a finding that does not stand, or is permitted.
    """
    while True:
        kept = await store.get(finding_id)
        if kept is None:
            return None
        claimed = mark_resolving(
            kept.finding, by=request.by, why=request.why, at=timestamp(clock.now())
        )
        if claimed is None:
            raise NotClaimable(kept.finding.state)
        if not await store.write([StoredFinding(claimed, kept.etag)]):
            return claimed
