"""When each event is sent and what its body has: docs/reference/events.md is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from entra_sod.domain.notifications.event import EventName
from entra_sod.domain.notifications.kept_event import (
    MAX_IDS_TOLD,
    MAX_REFERENCES_TOLD,
    MAX_RULES_TOLD,
)


@dataclass(frozen=True, slots=True)
class EventDescription:
    """One event, for the reference."""

    when: str
    body: str


_CHECK = "The answer of `GET /api/checks/{id}`."
_SWEEP = "The answer of `GET /api/sweeps/{id}`."
_FINDING = "`dedupeKey` (the finding's id), `action` (`open` or `close`), `finding`, `link` to it."

EVENT_DESCRIPTIONS: Mapping[EventName, EventDescription] = {
    EventName.CHECK_COMPLETED: EventDescription("A check has completed.", _CHECK),
    EventName.CHECK_FAILED: EventDescription("A check failed for good.", _CHECK),
    EventName.SWEEP_COMPLETED: EventDescription("A sweep has ended, with or without gaps.", _SWEEP),
    EventName.SWEEP_FAILED: EventDescription("A sweep failed for good.", _SWEEP),
    EventName.DIGEST_READY: EventDescription(
        "After a sweep, once for each owner of rules who has news. Not for rules in `record`.",
        "`counts`; at most ten each of `new`, `reopened` and `expiring`; `references` on packages "
        "of the owner's enforced rules: `written`, `removed`, `held`, `left`; `stopped`.",
    ),
    EventName.FINDING_OPENED: EventDescription(
        "A sweep or check opened a finding. At most 1,000 a run, not for rules in `record`.",
        _FINDING,
    ),
    EventName.FINDING_RESOLVED: EventDescription("A finding is resolved.", _FINDING),
    EventName.REFERENCES_WRITTEN: EventDescription(
        "A check, a sweep or a command wrote or removed references.",
        f"`run`; the counts `written`, `removed`, `failed`; `references`, the first "
        f"{MAX_REFERENCES_TOLD}, removals with `isRemoval`.",
    ),
    EventName.REFERENCES_HELD: EventDescription(
        "A run holds references that were not held before.",
        f"`run`; the count `held`; `references`, the first {MAX_REFERENCES_TOLD}, with `why`.",
    ),
    EventName.SELECTION_CHANGED: EventDescription(
        "A sweep holds a change that was not announced before: packages or groups joined or left "
        "the selection of an enforcing rule.",
        f"`run`; `changed`, the number of rules; `rules`, the first {MAX_RULES_TOLD}, each with "
        f"the first {MAX_IDS_TOLD} ids that `joined` and that `left`.",
    ),
    EventName.BUDGET_EXHAUSTED: EventDescription(
        "A run left writes planned because it met a limit. Once for each run.",
        "`run`; `stopped`: `by` (`day-limit`, `run-limit`), `why`, `left`, `used`, `limit`, "
        "`roomFrom`.",
    ),
    EventName.FROZEN: EventDescription(
        "Writing was frozen, or the freeze stopped a run.",
        "`frozen`: `since`, `by`, `reason`. For a run also `run` and `left`.",
    ),
    EventName.UNFROZEN: EventDescription("A freeze has ended.", "`frozen`; `endedBy`."),
}
