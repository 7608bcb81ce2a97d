"""What becomes of a finding when somebody looks. Pure.

    seen ──► open ◄──► excepted ──► exception-expired
               │
               └─ not seen ─► resolving ─ not seen again ─► resolved ─ seen ─► open

Two looks must agree before a finding is called resolved: lists of Graph lag, and a page may skip an
entry that moves. Where nobody could look nothing is resolved; only exceptions go on, for they end
by the calendar. A rule that is off, or a package that is gone, puts a finding on hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from entra_sod.domain.findings.model import By, Change, Excuse, Finding, Sighting, State

WARN_AT_DAYS = (30, 7, 1)
LARGEST_HISTORY = 28_000  # characters of JSON; a table property holds 32 Ki


@dataclass(frozen=True, slots=True)
class Seen:
    """The subject holds both."""

    sighting: Sighting
    excuse: Excuse | None


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Everything that the finding takes was read, and it was not there."""


@dataclass(frozen=True, slots=True)
class NotLooked:
    """Something that it takes to know was not read, or says two things."""

    excuse: Excuse | None


@dataclass(frozen=True, slots=True)
class Off:
    """There is nothing to look for: the rule is off, or a package is gone."""

    why: str


type Look = Seen | NotSeen | NotLooked | Off


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A run that looks.

    Attributes:
        by: sweep or check.
        run: its id.
        at: RFC 3339; nothing that it read is older.
        rules_hash: of the rules in force.
        rules_day: on which they are in force; a sweep may begin before midnight, and end after it.
    """

    by: By
    run: str
    at: str
    rules_hash: str
    rules_day: date | None = None

    @property
    def day(self) -> date:
        """By which exceptions begin and end."""
        return self.rules_day or date.fromisoformat(self.at[:10])


def decide_next(
    previous: Finding | None, look: Look, moment: Moment, *, salt: str
) -> Finding | None:
    """Decide what a look makes of a finding; None where there is nothing to change.

    The same run decides once: of a finding that it has decided already nothing is changed, so a
    run that died half-way may go through all of them again. A look that is older than the newest
    one says nothing new.

    Args:
        previous: as it stands; None where there is none yet.
        look: what was seen.
        moment: who looks.
        salt: for a finding that is new.
    """
    if previous is not None and (
        previous.looked_by == moment.run or previous.looked_at > moment.at
    ):
        return None
    if isinstance(look, Seen):
        known = previous or _new(look.sighting, moment, salt)
        return _seen(known, look, moment, is_new=previous is None)
    if previous is None or previous.state is State.RESOLVED:
        return None
    match look:
        case NotSeen():
            return _not_seen(previous, moment)
        case NotLooked(excuse=excuse):
            return _by_calendar(previous, excuse, moment)
        case Off(why=why):
            is_held = previous.state is State.ON_HOLD
            return None if is_held else _moved(previous, State.ON_HOLD, moment, why)


def claim(finding: Finding, *, by: str, why: str, at: str) -> Finding | None:
    """Note that somebody says it is being taken away; None where nothing is there to take."""
    if finding.state not in (State.OPEN, State.EXCEPTION_EXPIRED, State.RESOLVING):
        return None
    change = Change(at=at, was=finding.state, now=State.RESOLVING, by=By.PERSON, cause=by, why=why)
    since = finding.since if finding.state is State.RESOLVING else at
    claimed = msgspec.structs.replace(finding, state=State.RESOLVING, since=since, claimed_by=by)
    return _noted(claimed, change)


def _new(sighting: Sighting, moment: Moment, salt: str) -> Finding:
    return Finding(
        **msgspec.structs.asdict(sighting),
        state=State.OPEN,
        since=moment.at,
        first_seen=moment.at,
        last_seen=moment.at,
        looked_at="",
        looked_by="",
        rules_hash=moment.rules_hash,
        salt=salt,
    )


def _seen(known: Finding, look: Seen, moment: Moment, *, is_new: bool) -> Finding:
    sighting = look.sighting
    finding = msgspec.structs.replace(
        known,
        severity=sighting.severity,
        owner=sighting.owner,
        packages=sighting.packages,
        object_id=sighting.object_id or known.object_id,
        display_name=sighting.display_name or known.display_name,
        last_seen=moment.at,
        looked_at=moment.at,
        looked_by=moment.run,
        rules_hash=moment.rules_hash,
    )
    if is_new or not known.state.stands or _is_fading(known):
        why = "found" if is_new else "seen again"
        return _arrived(finding, None if is_new else known.state, look.excuse, moment, why)
    return _excused(finding, look.excuse, moment) or finding


def _arrived(
    finding: Finding, was: State | None, excuse: Excuse | None, moment: Moment, why: str
) -> Finding:
    """A finding that begins to stand, or stands again."""
    now = _standing(finding, excuse)
    change = _change(moment, was, now, why, exception=excuse.id if excuse else "")
    return _noted(_permitted(finding, now, excuse, moment), change)


def _is_fading(finding: Finding) -> bool:
    """Whether it is being resolved because a look did not see it, and not by somebody's word."""
    return finding.state is State.RESOLVING and not finding.claimed_by


def _standing(finding: Finding, excuse: Excuse | None) -> State:
    if excuse:
        return State.EXCEPTED
    if finding.claimed_by:
        return State.RESOLVING
    return State.EXCEPTION_EXPIRED if finding.exception else State.OPEN


def _by_calendar(finding: Finding, excuse: Excuse | None, moment: Moment) -> Finding | None:
    """Exceptions begin and end, whether anybody could look or not."""
    if not finding.state.stands or _is_fading(finding):
        return None
    changed = _excused(finding, excuse, moment)
    return changed and msgspec.structs.replace(changed, looked_by=moment.run)


def _excused(finding: Finding, excuse: Excuse | None, moment: Moment) -> Finding | None:
    """What exceptions make of a finding that stands; None where all is as it was."""
    now = _standing(finding, excuse)
    if excuse and (now is not finding.state or not _is_noted(finding, excuse)):
        why = f"permitted until {excuse.until}"
        change = _change(moment, finding.state, now, why, exception=excuse.id)
        return _noted(_permitted(finding, now, excuse, moment), change)
    if excuse:
        return _warned(finding, moment)
    if now is finding.state:
        return None
    why = _ended(finding, moment)
    change = _change(moment, finding.state, now, why, exception=finding.exception)
    return _noted(_permitted(finding, now, None, moment), change)


def _is_noted(finding: Finding, excuse: Excuse) -> bool:
    return (finding.exception, finding.exception_until) == (excuse.id, excuse.until)


def _ended(finding: Finding, moment: Moment) -> str:
    until = finding.exception_until
    if until is not None and until >= moment.day:
        return "its exception was taken back"
    return f"its exception ended on {until}"


def _warned(finding: Finding, moment: Moment) -> Finding | None:
    """Warn once at each of the days; of an exception that is shorter only at those to come."""
    left = days_left(finding, moment.day)
    due = due_at(left)
    if left is None or due is None or (finding.warned is not None and finding.warned <= due):
        return None
    why = f"its exception ends in {left} day{'' if left == 1 else 's'}"
    change = _change(moment, finding.state, finding.state, why, exception=finding.exception)
    change = msgspec.structs.replace(change, days_left=left)
    return _noted(msgspec.structs.replace(finding, warned=due), change)


def days_left(finding: Finding, day: date) -> int | None:
    """Days until an exception's last day: 0 on that day; None without an exception in force."""
    if finding.state is not State.EXCEPTED or finding.exception_until is None:
        return None
    return (finding.exception_until - day).days


def due_at(left: int | None) -> int | None:
    """The last of the days to warn at that is reached."""
    reached = [days for days in WARN_AT_DAYS if left is not None and left <= days]
    return min(reached, default=None)


def _permitted(finding: Finding, now: State, excuse: Excuse | None, moment: Moment) -> Finding:
    since = finding.since if now is finding.state and finding.history else moment.at
    if excuse is None:
        return msgspec.structs.replace(finding, state=now, since=since, warned=None)
    left = (excuse.until - moment.day).days
    return msgspec.structs.replace(
        finding,
        state=now,
        since=since,
        exception=excuse.id,
        exception_until=excuse.until,
        warned=due_at(left),
    )


def _not_seen(finding: Finding, moment: Moment) -> Finding:
    if finding.state is not State.RESOLVING:
        return _moved(finding, State.RESOLVING, moment, "not seen any more; the next look decides")
    resolved = _moved(finding, State.RESOLVED, moment, "not seen")
    return msgspec.structs.replace(
        resolved, exception="", exception_until=None, warned=None, claimed_by=""
    )


def _moved(finding: Finding, now: State, moment: Moment, why: str) -> Finding:
    moved = msgspec.structs.replace(
        finding, state=now, since=moment.at, looked_at=moment.at, looked_by=moment.run
    )
    return _noted(moved, _change(moment, finding.state, now, why))


def _change(
    moment: Moment, was: State | None, now: State, why: str, *, exception: str = ""
) -> Change:
    """What a run notes; an exception of that id is its cause, where there is one."""
    return Change(
        at=moment.at,
        was=was,
        now=now,
        by=By.EXCEPTION if exception else moment.by,
        cause=exception or moment.run,
        why=why,
        run=moment.run,
        rules_hash=moment.rules_hash,
    )


def _noted(finding: Finding, change: Change) -> Finding:
    """Add a change; the oldest but the first give way where there are too many."""
    history, left_out = [*finding.history, change], finding.left_out
    while len(history) > 2 and _size(history) > LARGEST_HISTORY:  # noqa: PLR2004 - first and last
        del history[1]
        left_out += 1
    return msgspec.structs.replace(finding, history=tuple(history), left_out=left_out)


def _size(history: list[Change]) -> int:
    return len(msgspec.json.encode(history))
