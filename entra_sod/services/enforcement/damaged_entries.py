"""Reports rows of the ledger that cannot be decoded, as gaps."""

from __future__ import annotations

from collections.abc import Sequence

from entra_sod.domain.results.coverage import Coverage, Reason, Skipped
from entra_sod.stores.ledger import DamagedEntry

MAX_NAMED = 20


def note_damaged(damaged: Sequence[DamagedEntry], notes: Coverage) -> None:
    """Name the first rows and count the rest, because a large ledger may be damaged as a whole."""
    for each in damaged[:MAX_NAMED]:
        notes.skip(f"row {each.row} of the ledger", str(each), Reason.UNREADABLE_ITEM)
    if (more := len(damaged) - MAX_NAMED) > 0:
        what = f"{more} more rows of the ledger"
        notes.skip(what, str(damaged[-1]), Reason.UNREADABLE_ITEM)


def damaged_gaps(damaged: Sequence[DamagedEntry]) -> Sequence[Skipped]:
    """The same as values."""
    notes = Coverage()
    note_damaged(damaged, notes)
    return notes.skipped
