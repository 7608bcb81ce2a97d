"""A finding: one subject that holds, against one rule, what must not meet; and its life. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Self

import msgspec

from entra_sod.domain.entra import Pair, Subject
from entra_sod.domain.rules.logic import ConflictKind

_PREFIX_LENGTH, _ID = 8, 32  # hexadecimal digits: of what the rule is held against, of the whole id


class FindingState(StrEnum):
    """Where a finding is in its life."""

    OPEN = "open"
    EXCEPTED = "excepted"
    EXCEPTION_EXPIRED = "exception-expired"
    RESOLVING = "resolving"
    RESOLVED = "resolved"
    ON_HOLD = "on-hold"

    @property
    def is_held(self) -> bool:
        """Whether the subject holds both, as far as is known."""
        return self not in (FindingState.RESOLVED, FindingState.ON_HOLD)


class ChangeSource(StrEnum):
    """What a change comes from."""

    SWEEP = "sweep"
    CHECK = "check"
    EXCEPTION = "exception"
    PERSON = "person"


class Change(msgspec.Struct, frozen=True, kw_only=True, rename={"was": "from", "now": "to"}):
    """One change of a finding.

    Attributes:
        was: None where it was found for the first time.
        now: the same as `was` where only the exception is another, or ends soon.
        cause: the id of the sweep, check or exception; what the person calls herself.
        run: the sweep or check that noted it; empty for a person.
        rules_hash: of the rules that were in force; empty for a person.
        days_left: of an exception that ends soon, where this is the warning.
    """

    at: str
    was: FindingState | None
    now: FindingState
    by: ChangeSource
    cause: str
    why: str
    run: str = ""
    rules_hash: str = msgspec.field(default="", name="rulesHash")
    days_left: int | None = msgspec.field(default=None, name="daysLeft")


class ActiveException(msgspec.Struct, frozen=True, kw_only=True):
    """An exception in force: its id and its last day."""

    id: str
    until: date


class ObservedConflict(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a run saw of one finding.

    Attributes:
        packages: that are held and make the conflict; of a pair both.
        kind: what makes it a conflict.
        missing: packages that the subject needs and does not hold: any of them would do, or with
            `every` all of them.
        process, tags, frameworks, owners: as the rule has them, frameworks as one text each, and
            owners beside `owner`.
        why: of one package that meets the rule by itself, which duties it gives, and what an
            override says of its assignment.
        override: the override for the package, and the last day until which it permits it, if so.
    """

    id: str
    rule: str
    severity: str
    owner: str
    packages: tuple[str, ...]
    subject_id: str
    object_id: str | None = None
    display_name: str | None = None
    subject_type: str | None = None
    kind: ConflictKind = ConflictKind.PAIR
    missing: tuple[str, ...] = ()
    process: str = ""
    tags: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    why: str = ""
    override: str = ""
    override_until: date | None = None

    @property
    def all_owners(self) -> Sequence[str]:
        return list(dict.fromkeys([self.owner, *self.owners]))

    @property
    def pair(self) -> Pair | None:
        """None for a conflict with a rule that is found only."""
        return Pair.of(*self.packages) if self.kind is ConflictKind.PAIR else None

    @property
    def package(self) -> str:
        """The package that meets the rule by itself; empty for a conflict of another kind."""
        return self.packages[0] if self.kind is ConflictKind.PACKAGE else ""

    @property
    def subject_key(self) -> str:
        """What tells its subject from others."""
        return self.object_id or self.subject_id


class Finding(ObservedConflict, frozen=True, kw_only=True, rename="camel"):
    """A finding as it stands: what was seen last, and its life.

    Attributes:
        since: when it came into its state.
        exception: that permits it, or last did while it stood; and the last day of that.
        warned: of the exception's days left, at how many the last warning was sent.
        claimed_by: who says that it is being taken away.
        looked_at, looked_by: the newest look at it, and the run that looked.
        salt: what its subject is hashed with in evidence; 32 hexadecimal digits.
        history: oldest first. Of very many changes the first and the newest are kept.
        left_out: how many changes are not.
    """

    state: FindingState
    since: str
    first_seen: str
    last_seen: str
    looked_at: str
    looked_by: str
    rules_hash: str
    salt: str
    exception: str = ""
    exception_until: date | None = None
    warned: int | None = None
    claimed_by: str = ""
    history: tuple[Change, ...] = ()
    left_out: int = 0

    @property
    def subject_ids(self) -> tuple[str, ...]:
        return tuple(each for each in (self.subject_id, self.object_id) if each)

    def changes_of(self, run: str) -> Sequence[Change]:
        return [each for each in self.history if each.run == run]


@dataclass(frozen=True, slots=True)
class FindingNames:
    """What findings and their subjects are called already.

    A finding keeps its id for ever: tickets and evidence have it. The id is made of the subject's
    id in entitlement management, which Graph shows of each assignment, so that runs that look at
    the same moment name it alike. Where that id has changed, the object id tells what it was.

    Attributes:
        ids: of findings that were named when their subject had another id, by the new name.
        object_ids: of subjects, by their ids in entitlement management. Graph does not show it of
            an assignment that is being delivered.
        subject_ids: the same the other way round.
    """

    ids: dict[str, str] = field(default_factory=dict)
    object_ids: dict[str, str] = field(default_factory=dict)
    subject_ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        names = cls()
        for each in findings:
            names.add(each)
        return names

    def add(self, finding: Finding) -> None:
        name = finding_id(finding.rule, finding.pair, finding.subject_id, package=finding.package)
        if name != finding.id:
            self.ids[name] = finding.id
        if finding.object_id:
            self.object_ids[finding.subject_id] = finding.object_id
            self.subject_ids[finding.object_id] = finding.subject_id

    def complete(self, subject: Subject) -> Subject:
        """Add the object id to a subject that Graph showed without it."""
        known = None if subject.object_id else self.object_ids.get(subject.id)
        return msgspec.structs.replace(subject, object_id=known) if known else subject

    def id_of(self, rule: str, pair: Pair | None, subject: Subject, *, package: str = "") -> str:
        """What the finding of a subject is called, or is to be called."""
        before = self.subject_ids.get(subject.object_id or "", subject.id)
        names = [
            finding_id(rule, pair, key, package=package)
            for key in dict.fromkeys([subject.id, before])
        ]
        return next((self.ids[name] for name in names if name in self.ids), names[-1])


def finding_id(rule: str, pair: Pair | None, subject_id: str, *, package: str = "") -> str:
    """Name a finding for ever, however the rule's text is edited.

    Findings of one pair have the same beginning, so that they lie side by side. A package that
    meets the rule by itself is against itself. Otherwise the rule, which is found only, takes the
    place of the pair, because what is held of it may change.
    """
    held_against = [package, package] if package else [pair.low, pair.high] if pair else [rule]
    rest = _digits([rule, *held_against, subject_id])
    return (_digits(held_against)[:_PREFIX_LENGTH] + rest)[:_ID]


def pair_prefix(pair: Pair) -> str:
    """The beginning of the ids of a pair's findings; another pair may, rarely, share it."""
    return _digits([pair.low, pair.high])[:_PREFIX_LENGTH]


def rule_prefix(rule: str) -> str:
    """The beginning of the ids of a rule that is found only; others may, rarely, share it."""
    return _digits([rule])[:_PREFIX_LENGTH]


def _digits(parts: Sequence[str]) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
