"""What becomes of a finding at each look. Pure.

    seen ──► open ◄──► excepted ──► exception-expired
               │
               └─ not seen ─► resolving ─ not seen again ─► resolved ─ seen ─► open

Two looks must agree before a finding is called resolved: lists of Graph lag, and a page may skip an
entry that moves. Without a look nothing is resolved; only exceptions go on, for they end
by the calendar. A rule that is off, or a package that is gone, puts a finding on hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from entra_sod.domain.findings.model import (
    ActiveException,
    Change,
    ChangeSource,
    Finding,
    FindingState,
    ObservedConflict,
)

WARN_AT_DAYS = (30, 7, 1)
# Of a conflict that is seen again; what Graph leaves out stays as it was known.
_KEPT_IF_NOT_SAID = ("object_id", "display_name", "subject_type")
_SEEN_ANEW = tuple(
    name
    for name in ObservedConflict.__struct_fields__
    if name not in ("id", "rule", *_KEPT_IF_NOT_SAID)
)
MAX_HISTORY_LENGTH = 28_000  # characters of JSON; a table property holds 32 Ki


@dataclass(frozen=True, slots=True)
class Present:
    """The subject holds both."""

    conflict: ObservedConflict
    exception: ActiveException | None


@dataclass(frozen=True, slots=True)
class Absent:
    """Everything that the finding takes was read, and it was not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that it takes to know was not read, or says two things."""

    exception: ActiveException | None


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """There is nothing to look for: the rule is off, or a package is gone."""

    why: str


type Observation = Present | Absent | Unknown | OutOfScope


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """A run that looks.

    Attributes:
        by: sweep or check.
        run: its id.
        at: RFC 3339; nothing that it read is older.
        rules_hash: of the rules in force.
        rules_day: on which they are in force; a sweep may begin before midnight, and end after it.
    """

    by: ChangeSource
    run: str
    at: str
    rules_hash: str
    rules_day: date | None = None

    @property
    def day(self) -> date:
        """By which exceptions begin and end."""
        return self.rules_day or date.fromisoformat(self.at[:10])


def decide_next(
    previous: Finding | None, observation: Observation, context: RunContext, *, salt: str
) -> Finding | None:
    """Decide what a look makes of a finding; None where there is nothing to change.

    The same run decides once: of a finding that it has decided already nothing is changed, so a
    run that died half-way may go through all of them again. A look that is older than the newest
    one says nothing new.

    Args:
        previous: as it stands; None where there is none yet.
        observation: what was seen.
        context: who looks.
        salt: for a finding that is new.
    """
    if previous is not None and (
        previous.looked_by == context.run or previous.looked_at > context.at
    ):
        return None
    if isinstance(observation, Present):
        known = previous or _new(observation.conflict, context, salt)
        return _present(known, observation, context, is_new=previous is None)
    if previous is None or previous.state is FindingState.RESOLVED:
        return None
    match observation:
        case Absent():
            return _absent(previous, context)
        case Unknown(exception=exception):
            return _by_exception_dates(previous, exception, context)
        case OutOfScope(why=why):
            is_held = previous.state is FindingState.ON_HOLD
            return None if is_held else _with_state(previous, FindingState.ON_HOLD, context, why)


def mark_resolving(finding: Finding, *, by: str, why: str, at: str) -> Finding | None:
    """Note a claim that it is being taken away; None where nothing is there to take."""
    if finding.state not in (
        FindingState.OPEN,
        FindingState.EXCEPTION_EXPIRED,
        FindingState.RESOLVING,
    ):
        return None
    change = Change(
        at=at,
        was=finding.state,
        now=FindingState.RESOLVING,
        by=ChangeSource.PERSON,
        cause=by,
        why=why,
    )
    since = finding.since if finding.state is FindingState.RESOLVING else at
    claimed = msgspec.structs.replace(
        finding, state=FindingState.RESOLVING, since=since, claimed_by=by
    )
    return _with_change(claimed, change)


def _new(conflict: ObservedConflict, context: RunContext, salt: str) -> Finding:
    return Finding(
        **msgspec.structs.asdict(conflict),
        state=FindingState.OPEN,
        since=context.at,
        first_seen=context.at,
        last_seen=context.at,
        looked_at="",
        looked_by="",
        rules_hash=context.rules_hash,
        salt=salt,
    )


def _present(known: Finding, observation: Present, context: RunContext, *, is_new: bool) -> Finding:
    conflict = observation.conflict
    finding = msgspec.structs.replace(
        known,
        **{name: getattr(conflict, name) for name in _SEEN_ANEW},
        **{name: getattr(conflict, name) or getattr(known, name) for name in _KEPT_IF_NOT_SAID},
        last_seen=context.at,
        looked_at=context.at,
        looked_by=context.run,
        rules_hash=context.rules_hash,
    )
    if is_new or not known.state.is_held or _is_resolving_by_absence(known):
        why = "found" if is_new else "seen again"
        return _opened(
            finding, None if is_new else known.state, observation.exception, context, why
        )
    return _with_exception(finding, observation.exception, context) or finding


def _opened(
    finding: Finding,
    was: FindingState | None,
    exception: ActiveException | None,
    context: RunContext,
    why: str,
) -> Finding:
    """A finding that begins to stand, or stands again."""
    now = _state_by_exception(finding, exception)
    change = _change(context, was, now, why, exception=exception.id if exception else "")
    return _with_change(_excepted(finding, now, exception, context), change)


def _is_resolving_by_absence(finding: Finding) -> bool:
    """Whether it is being resolved because a look did not see it, and not by a claim."""
    return finding.state is FindingState.RESOLVING and not finding.claimed_by


def _state_by_exception(finding: Finding, exception: ActiveException | None) -> FindingState:
    if exception:
        return FindingState.EXCEPTED
    if finding.claimed_by:
        return FindingState.RESOLVING
    return FindingState.EXCEPTION_EXPIRED if finding.exception else FindingState.OPEN


def _by_exception_dates(
    finding: Finding, exception: ActiveException | None, context: RunContext
) -> Finding | None:
    """Exceptions begin and end, with or without a look."""
    if not finding.state.is_held or _is_resolving_by_absence(finding):
        return None
    changed = _with_exception(finding, exception, context)
    return changed and msgspec.structs.replace(changed, looked_by=context.run)


def _with_exception(
    finding: Finding, exception: ActiveException | None, context: RunContext
) -> Finding | None:
    """What exceptions make of a finding that stands; None where all is as it was."""
    now = _state_by_exception(finding, exception)
    if exception and (now is not finding.state or not _has_exception(finding, exception)):
        why = f"permitted until {exception.until}"
        change = _change(context, finding.state, now, why, exception=exception.id)
        return _with_change(_excepted(finding, now, exception, context), change)
    if exception:
        return _with_warning(finding, context)
    if now is finding.state:
        return None
    why = _ended(finding, context)
    change = _change(context, finding.state, now, why, exception=finding.exception)
    return _with_change(_excepted(finding, now, None, context), change)


def _has_exception(finding: Finding, exception: ActiveException) -> bool:
    return (finding.exception, finding.exception_until) == (exception.id, exception.until)


def _ended(finding: Finding, context: RunContext) -> str:
    until = finding.exception_until
    if until is not None and until >= context.day:
        return "its exception was taken back"
    return f"its exception ended on {until}"


def _with_warning(finding: Finding, context: RunContext) -> Finding | None:
    """Warn once at each of the days; of an exception that is shorter only at those to come."""
    if finding.exception == finding.override:
        return None  # the access itself ends with it
    left = days_left(finding, context.day)
    due = warning_due(left)
    if left is None or due is None or (finding.warned is not None and finding.warned <= due):
        return None
    why = f"its exception ends in {left} day{'' if left == 1 else 's'}"
    change = _change(context, finding.state, finding.state, why, exception=finding.exception)
    change = msgspec.structs.replace(change, days_left=left)
    return _with_change(msgspec.structs.replace(finding, warned=due), change)


def days_left(finding: Finding, day: date) -> int | None:
    """Days until an exception's last day: 0 on that day; None without an exception in force."""
    if finding.state is not FindingState.EXCEPTED or finding.exception_until is None:
        return None
    return (finding.exception_until - day).days


def warning_due(left: int | None) -> int | None:
    """The last of the days to warn at that is reached."""
    reached = [days for days in WARN_AT_DAYS if left is not None and left <= days]
    return min(reached, default=None)


def _excepted(
    finding: Finding, now: FindingState, exception: ActiveException | None, context: RunContext
) -> Finding:
    since = finding.since if now is finding.state and finding.history else context.at
    if exception is None:
        return msgspec.structs.replace(finding, state=now, since=since, warned=None)
    left = (exception.until - context.day).days
    return msgspec.structs.replace(
        finding,
        state=now,
        since=since,
        exception=exception.id,
        exception_until=exception.until,
        warned=warning_due(left),
    )


def _absent(finding: Finding, context: RunContext) -> Finding:
    if finding.state is not FindingState.RESOLVING:
        return _with_state(
            finding, FindingState.RESOLVING, context, "not seen any more; the next look decides"
        )
    resolved = _with_state(finding, FindingState.RESOLVED, context, "not seen")
    return msgspec.structs.replace(
        resolved, exception="", exception_until=None, warned=None, claimed_by=""
    )


def _with_state(finding: Finding, now: FindingState, context: RunContext, why: str) -> Finding:
    moved = msgspec.structs.replace(
        finding, state=now, since=context.at, looked_at=context.at, looked_by=context.run
    )
    return _with_change(moved, _change(context, finding.state, now, why))


def _change(
    context: RunContext,
    was: FindingState | None,
    now: FindingState,
    why: str,
    *,
    exception: str = "",
) -> Change:
    """What a run notes; an exception of that id is its cause, where there is one."""
    return Change(
        at=context.at,
        was=was,
        now=now,
        by=ChangeSource.EXCEPTION if exception else context.by,
        cause=exception or context.run,
        why=why,
        run=context.run,
        rules_hash=context.rules_hash,
    )


def _with_change(finding: Finding, change: Change) -> Finding:
    """Add a change; the oldest but the first give way where there are too many."""
    history, left_out = [*finding.history, change], finding.left_out
    while len(history) > 2 and _size(history) > MAX_HISTORY_LENGTH:  # noqa: PLR2004 - first and last
        del history[1]
        left_out += 1
    return msgspec.structs.replace(finding, history=tuple(history), left_out=left_out)


def _size(history: list[Change]) -> int:
    return len(msgspec.json.encode(history))
