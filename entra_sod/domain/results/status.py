"""How far a check or a sweep is."""

from __future__ import annotations

from enum import StrEnum


class CheckStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        return self in (CheckStatus.COMPLETED, CheckStatus.FAILED)


class SweepStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    COMPLETED_WITH_GAPS = "completed-with-gaps"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        return self not in (SweepStatus.QUEUED, SweepStatus.RUNNING)
