"""Events that have a body of their own: what a run wrote, held or had to leave, and a freeze. Pure.

Bodies have counts, and ids of packages and groups. docs/reference/events.md lists their fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from entra_sod.domain.enforcement.budget import WritesStopped
from entra_sod.domain.enforcement.freeze import Freeze
from entra_sod.domain.notifications.event import (
    MAX_BODY_BYTES,
    EventStatus,
    KeptSubject,
    event_id,
)
from entra_sod.domain.results.check import ReferencesView, ReferenceView
from entra_sod.domain.results.sweep import ReferenceCounts

MAX_REFERENCES_TOLD = 100
MAX_RULES_TOLD, MAX_IDS_TOLD = 20, 10


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One event and its body; `about` is the id of the run, or of the freeze."""

    subject: KeptSubject
    status: EventStatus
    about: str
    body: bytes

    @property
    def id(self) -> str:
        return event_id(self.subject, self.about, self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReferences:
    """What came of a run's references.

    Attributes:
        run: id of the check or sweep, or of the run of a command.
        references: the first of each kind.
        counts: of all of them.
        is_all: whether the run looked at the references of all rules.
    """

    run: str
    references: ReferencesView
    counts: ReferenceCounts
    stopped: WritesStopped | None = None
    is_all: bool = False

    @classmethod
    def of(
        cls, run: str, references: ReferencesView, stopped: WritesStopped | None = None
    ) -> RunReferences:
        """Of a run that shows all of its references."""
        counts = ReferenceCounts.of(references)
        return cls(run=run, references=references, counts=counts, stopped=stopped)

    @property
    def left(self) -> Sequence[ReferenceView]:
        """Planned references that a run which was stopped has not tried to write."""
        if self.stopped is None:
            return ()
        failed = (msgspec.structs.replace(each, why=None) for each in self.references.failed)
        tried = {*self.references.written, *failed}
        return [each for each in self.references.planned if each not in tried]


def run_events(writes: RunReferences, newly_held: Sequence[ReferenceView]) -> Iterator[KeptEvent]:
    """What is to be told of a run; nothing if it neither wrote nor was held back."""
    run, counts, stopped = writes.run, writes.counts, writes.stopped
    if counts.written or counts.removed:
        removed = [
            msgspec.structs.replace(each, is_removal=True) for each in writes.references.removed
        ]
        numbers = {name: getattr(counts, name) for name in ("written", "removed", "failed")}
        yield _of_references("written", run, numbers, [*writes.references.written, *removed])
    if newly_held:
        yield _of_references("held", run, {"held": len(newly_held)}, newly_held)
    if stopped and stopped.frozen:
        body = {"run": run, "left": stopped.left, "frozen": stopped.frozen}
        yield KeptEvent("frozen", "", run, msgspec.json.encode(body))
    elif stopped:
        body = {"run": run, "stopped": stopped}
        yield KeptEvent("budget", "exhausted", run, msgspec.json.encode(body))


def _of_references(
    status: EventStatus, run: str, counts: Mapping[str, int], references: Sequence[ReferenceView]
) -> KeptEvent:
    """With as many references as a receiver takes: reasons may be long. Counts are whole."""
    told = references[:MAX_REFERENCES_TOLD]
    while True:
        body = msgspec.json.encode({"run": run, **counts, "references": told})
        if len(body) <= MAX_BODY_BYTES:
            return KeptEvent("references", status, run, body)
        told = told[: len(told) // 2]


def freeze_event(freeze: Freeze, *, ended_by: str | None = None) -> KeptEvent:
    """Tell of a freeze, or of its end."""
    moment = "".join(each for each in freeze.since if each.isalnum())
    end = {"endedBy": ended_by} if ended_by else {}
    body = msgspec.json.encode({"frozen": freeze, **end})
    return KeptEvent("unfrozen" if ended_by else "frozen", "", moment, body)


def selection_event(
    run: str, changes: Mapping[str, tuple[Sequence[str], Sequence[str]]]
) -> KeptEvent:
    """Tell of rules that select something else than before.

    Args:
        run: that saw it.
        changes: ids of packages and groups that joined the selection of each rule, and that left.
    """
    rules = [
        {"rule": rule, "joined": joined[:MAX_IDS_TOLD], "left": left[:MAX_IDS_TOLD]}
        for rule, (joined, left) in sorted(changes.items())[:MAX_RULES_TOLD]
    ]
    body = msgspec.json.encode({"run": run, "changed": len(changes), "rules": rules})
    return KeptEvent("selection", "changed", run, body)
