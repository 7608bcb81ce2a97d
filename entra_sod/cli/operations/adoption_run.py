"""Takes references of people over, or gives them back: evidence first, then the ledger.

In this order a crash leaves no entry of the ledger that nothing proves. What is in the evidence and
not yet in the ledger is not the app's own, and the same command adopts it the next time. What is
given back in the evidence and still in the ledger is given back the next time.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from entra_sod.core.clock import Clock, timestamp
from entra_sod.domain.enforcement.desired import DesiredReference
from entra_sod.domain.enforcement.result import EnforcementResult
from entra_sod.domain.entra import Reference
from entra_sod.domain.evidence.rows import CoverageFile
from entra_sod.domain.results.check import references_view
from entra_sod.domain.results.coverage import Checked, Coverage, Skipped
from entra_sod.domain.rules.ruleset import RuleSet
from entra_sod.ports.storage import Storage
from entra_sod.services.evidence.writer import EvidenceInput, EvidenceWriter
from entra_sod.stores.evidence_chain import EvidenceChain
from entra_sod.stores.ledger import ADOPTION, Ledger, LedgerEntry, WriteOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipChange:
    """What became of a run.

    Attributes:
        run: its id.
        done: references that are the app's now, or are not any more.
        changed: references of which another run changed the entry meanwhile: they stay as they are.
    """

    run: str
    done: Sequence[Reference]
    changed: Sequence[Reference]


async def adopt_references(
    storage: Storage,
    clock: Clock,
    adoptions: Sequence[DesiredReference],
    rules: RuleSet,
    gaps: Sequence[Skipped],
) -> OwnershipChange:
    """Seal what is adopted, and note it in the ledger.

    Args:
        storage: of the app.
        clock: for the id of the run.
        adoptions: references that people made, and the rules that ask for them.
        rules: in force; their files are in the evidence.
        gaps: what could not be read.

    Raises:
        StorageUnavailable: run it again; what is adopted stays so.
    """
    now = clock.now()
    run, ledger = _run_id(ADOPTION, now), Ledger(storage, clock)
    references = [each.reference for each in adoptions]
    checked = Checked(what="references that rules ask for", how="the ledger and lists of Graph")
    await _seal(
        storage,
        EvidenceInput(
            run=run,
            kind="adopt",
            started_at=now,
            at=timestamp(now),
            rules=rules,
            references=references_view(EnforcementResult()),
            coverage=_coverage("adopted", checked, gaps),
            adopted=references,
        ),
    )
    done, changed = list[Reference](), list[Reference]()
    for each in adoptions:
        origin = WriteOrigin(run_id=run, rule_ids=each.rule_ids, rules_hash=rules.hash)
        is_taken = await ledger.take_over(each.reference, origin)
        (done if is_taken else changed).append(each.reference)
    return OwnershipChange(run=run, done=done, changed=changed)


async def return_references(
    storage: Storage, clock: Clock, entries: Sequence[LedgerEntry]
) -> OwnershipChange:
    """Seal what is given back, and have the ledger forget it.

    Raises:
        StorageUnavailable: run it again; what is given back stays so.
    """
    now = clock.now()
    run, ledger = _run_id("unadopt-", now), Ledger(storage, clock)
    checked = Checked(what="references that were adopted", how="the ledger")
    await _seal(
        storage,
        EvidenceInput(
            run=run,
            kind="unadopt",
            started_at=now,
            at=timestamp(now),
            rules=None,
            references=references_view(EnforcementResult()),
            coverage=_coverage("returned", checked, ()),
            returned=[each.reference for each in entries],
        ),
    )
    done, changed = list[Reference](), list[Reference]()
    for each in entries:
        is_forgotten = await ledger.delete(each.reference, each.version)
        (done if is_forgotten else changed).append(each.reference)
    return OwnershipChange(run=run, done=done, changed=changed)


def _run_id(beginning: str, now: datetime) -> str:
    return f"{beginning}{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _coverage(outcome: str, checked: Checked, gaps: Sequence[Skipped]) -> CoverageFile:
    coverage = Coverage(checked=[checked], skipped=list(gaps))
    return CoverageFile(outcome=outcome, pairs={}, coverage=coverage)


async def _seal(storage: Storage, evidence: EvidenceInput) -> None:
    await (await EvidenceWriter.open(EvidenceChain(storage), evidence)).seal()
