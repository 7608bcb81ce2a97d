"""What the next sweep may learn from this one, and where its findings and its index lie. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from functions.sweeps.conflicts import Conflicts
from functions.sweeps.store import SweepRecord
from functions.sweeps.whole import Whole


class IndexFileView(msgspec.Struct, frozen=True, kw_only=True):
    blob: str
    places: list[str]


class SweepSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of the newest sweep that was closed.

    Attributes:
        pages: of assignments, that were read of each package.
        additional_access_refused: whether Graph refused to answer pair by pair.
        index: the files of the index, each with its packages.
        findings: blobs of conflict lines.
        as_of: all that the index has was read after that moment; None of older versions.
        unread: packages whose assignments could not be read to their end, and why.
    """

    sweep_id: str
    pages: dict[str, int]
    additional_access_refused: bool
    index: list[IndexFileView]
    findings: list[str]
    as_of: datetime | None = None
    unread: Mapping[str, str] = {}


decoder = msgspec.json.Decoder(SweepSummary)


def summarize(record: SweepRecord, whole: Whole, conflicts: Conflicts) -> bytes:
    summary = SweepSummary(
        sweep_id=record.id,
        pages=whole.pages,
        additional_access_refused=whole.was_refused,
        index=[IndexFileView(blob=each.blob, places=list(each.places)) for each in whole.index],
        findings=conflicts.files,
        as_of=record.started_at,
        unread={
            each.package: each.why
            for each in whole.unread.values()
            if each.package not in whole.pages
        },
    )
    return msgspec.json.encode(summary)
