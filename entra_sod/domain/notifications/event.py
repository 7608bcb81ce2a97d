"""What is delivered: the answer that a poller would get, told as an event. Pure.

CloudEvents 1.0 in binary mode: the body is the answer itself, and the attributes are headers, so
that a Logic App finds the same JSON in a callback as in the answer of a poll.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

import msgspec

MAX_BODY_BYTES = 20_000  # bytes, as Standard Webhooks advise
_TYPE_PREFIX = "com.entra-sod."
_FAILED = "failed"

# The bodies of these are kept for them; for the others, a result or a finding is looked up.
type KeptSubject = Literal["references", "selection", "budget", "frozen", "unfrozen"]
KEPT_SUBJECTS: frozenset[str] = frozenset(get_args(KeptSubject.__value__))
type EventSubject = Literal["check", "sweep", "digest", "finding"] | KeptSubject
type EventStatus = Literal["", "opened", "resolved", "written", "held", "changed", "exhausted"]


class EventName(StrEnum):
    """What a subscription may ask for; `completed` includes `completed-with-gaps`."""

    CHECK_COMPLETED = "check.completed"
    CHECK_FAILED = "check.failed"
    SWEEP_COMPLETED = "sweep.completed"
    SWEEP_FAILED = "sweep.failed"
    DIGEST_READY = "digest.ready"
    FINDING_OPENED = "finding.opened"
    FINDING_RESOLVED = "finding.resolved"
    REFERENCES_WRITTEN = "references.written"
    REFERENCES_HELD = "references.held"
    SELECTION_CHANGED = "selection.changed"
    BUDGET_EXHAUSTED = "budget.exhausted"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"

    @property
    def subject(self) -> str:
        return self.partition(".")[0]


def name_of(subject: str, status: str) -> EventName:
    return EventName(f"{subject}.{status}".removesuffix("."))


def event_id(subject: str, subject_id: str, status: str, occasion: str = "") -> str:
    """The same for every try and every receiver. Without a dot, which parts what is signed."""
    return "-".join(each for each in (subject, subject_id, status, occasion) if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, ready to be sent.

    Attributes:
        subject_id: of the check, the sweep or the finding; of other events the run, or the freeze.
        occasion: what tells it from other events of the same subject.
        at: RFC 3339, when it was announced; the same at each try.
        app: the address of this app as the receiver knows it, up to `/api`.
        result: JSON, as its poller gets it.
    """

    subject: EventSubject
    subject_id: str
    status: str
    at: str
    app: str
    result: bytes
    occasion: str = ""

    @property
    def name(self) -> EventName:
        if self.subject in ("check", "sweep"):
            ended = _FAILED if self.status == _FAILED else "completed"
            return EventName(f"{self.subject}.{ended}")
        return name_of(self.subject, self.status)

    @property
    def id(self) -> str:
        status = "" if self.subject in ("check", "sweep") else self.status
        return event_id(self.subject, self.subject_id, status, self.occasion)

    @property
    def path(self) -> str:
        # A digest has no address of its own: it is of a sweep.
        folder = "sweep" if self.subject == "digest" else self.subject
        return f"{folder}{'' if folder in KEPT_SUBJECTS else 's'}/{self.subject_id}"

    @property
    def body(self) -> bytes:
        return shortened(self.result, f"{self.app}/{self.path}")

    @property
    def attributes(self) -> dict[str, str]:
        """The CloudEvents attributes, as headers."""
        return {
            "ce-specversion": "1.0",
            "ce-type": _TYPE_PREFIX + self.name,
            "ce-source": self.app,
            "ce-id": self.id,
            "ce-subject": self.path,
            "ce-time": self.at,
        }


def shortened(result: bytes, self_url: str) -> bytes:
    """Leave a result as it is, or, where it is too large, leave out its largest fields.

    A field that is left out is absent and named in `omitted`, so that no reader takes it for empty;
    `self` is the address of the whole.
    """
    if len(result) <= MAX_BODY_BYTES:
        return result
    fields = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    omitted: list[str] = []
    while True:
        largest = max(fields, key=lambda name: len(bytes(fields[name])))
        del fields[largest]
        omitted.append(largest)
        body = msgspec.json.encode({**fields, "self": self_url, "omitted": omitted})
        if len(body) <= MAX_BODY_BYTES:
            return body
