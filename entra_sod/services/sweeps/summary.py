"""What the next sweep may use of this one, and where its index is stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from entra_sod.core.clock import timestamp
from entra_sod.domain.detection.index import IndexFile
from entra_sod.services.sweeps.evaluate import ClosingSweep
from entra_sod.stores.sweeps import SweepStore


class SweepSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of the newest sweep that was closed.

    Attributes:
        pages: of assignments, of each package that this sweep read to its end: what its index has.
        counted: the same of every package that rules name, by the newest sweep that read it.
        index: the files of the index, each with its packages.
        as_of: all that the index has was read after that moment; later changes may be missing.
        holders: how many subjects hold each of these packages.
        unread: packages whose assignments could not be read to their end, and why.
        toxic: packages that meet a rule by themselves, or did before they could not be read: the
            next sweep looks at them from the start.
        compared_by: the hash of the rules, if the grants of all their packages were compared.
    """

    sweep_id: str
    pages: dict[str, int]
    index: list[IndexFile]
    counted: dict[str, int] = {}
    as_of: datetime
    holders: Mapping[str, int] = {}
    unread: Mapping[str, str] = {}
    toxic: list[str] = []
    compared_by: str = ""

    @property
    def name(self) -> str:
        """The index, as coverage names it."""
        return f"index of sweep {self.sweep_id}, as of {timestamp(self.as_of)}"

    def knows(self, packages: Collection[str]) -> bool:
        """Whether the index has each package: its holders, or why they could not be read."""
        return all(each in self.pages or each in self.unread for each in packages)


_decoder = msgspec.json.Decoder(SweepSummary)


async def last_summary(store: SweepStore) -> SweepSummary | None:
    """Read what the newest closed sweep has left."""
    data = await store.last_summary()
    return _decoder.decode(data) if data else None


def summarize(closing: ClosingSweep, last: SweepSummary | None) -> bytes:
    """Sum a sweep up, with what the one before knew and this one did not look at."""
    merged, toxic = closing.whole, _toxic(closing, last)
    named = closing.rules.packages.union(toxic)
    counted = (last.counted if last else {}) | merged.pages
    summary = SweepSummary(
        sweep_id=closing.record.id,
        pages=merged.pages,
        counted={each: counted[each] for each in sorted(named) if each in counted},
        index=merged.index,
        as_of=closing.record.started_at,
        holders={each: closing.conflicts.held[each] for each in merged.pages},
        unread={
            each.package: each.why
            for each in merged.unread.values()
            if each.package not in merged.pages
        },
        toxic=toxic,
        compared_by=closing.rules.hash if _is_compared(closing) else "",
    )
    return msgspec.json.encode(summary)


def _toxic(closing: ClosingSweep, last: SweepSummary | None) -> list[str]:
    uncertain = closing.whole.uncertain_packages.intersection(last.toxic if last else ())
    return sorted(closing.toxic.keys() | uncertain)


def _is_compared(closing: ClosingSweep) -> bool:
    unread = closing.whole.uncertain_packages & closing.rules.named_packages
    return not unread and not closing.alike.is_in_doubt
