"""Whom an exception is for, if its subject is a user principal name. Pure.

A name may become another person's. So an exception is bound to the id that its name had when the
app met the exception first. If the name has another id later, the exception excuses no one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from entra_sod.core.names import visible
from entra_sod.domain.rules.language import ExceptionEntry
from entra_sod.domain.subjects.names import is_principal_name, person_key, subject_id

WRITE_ID = "write the object id as subject, and the name as upn"


class SubjectProblem(StrEnum):
    """What is wrong with the people of an exception.

    `RENAMED` is told only. With any other one the exception excuses no one.
    """

    UNRESOLVED = "unresolved"
    REUSED = "reused"
    SAME_PERSON = "same-person"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class ExceptionProblem:
    """An exception as it is written, and what is wrong with whom it names."""

    entry: ExceptionEntry
    kind: SubjectProblem
    why: str

    @property
    def is_void(self) -> bool:
        """Whether the exception excuses no one."""
        return self.kind is not SubjectProblem.RENAMED


@dataclass(frozen=True, slots=True)
class BoundException:
    """An exception with the id of its subject; None if it excuses no one.

    Attributes:
        is_new: whether the id is to be remembered for the name.
    """

    entry: ExceptionEntry | None
    problem: ExceptionProblem | None = None
    is_new: bool = False


type People = Mapping[str, str | None]
"""The id of each name that was looked up; None if it could not be resolved."""


def named_of(entry: ExceptionEntry) -> list[str]:
    """The user principal names that say whom an exception is for."""
    given = [entry.subject, *([entry.upn] if entry.upn else [])]
    return [each.strip() for each in given if is_principal_name(each.strip())]


def approvers_of(entry: ExceptionEntry) -> list[str]:
    """Names of the people who asked and approved, where spelling does not tell people apart.

    If all three are names, two spellings are two people. If one is an id, a name may be the same
    person.
    """
    people = [entry.subject, entry.approved_by, entry.requested_by]
    if not any(subject_id(person_key(each)) for each in people):
        return []
    return [each.strip() for each in people[1:] if is_principal_name(each.strip())]


def bind(
    entry: ExceptionEntry, people: People, why: Mapping[str, str], remembered: str | None
) -> BoundException:
    """Find out whom an exception is for.

    Args:
        entry: as it is written.
        people: that were looked up.
        why: each name of them that could not be resolved is not known.
        remembered: the id that the subject's name had when the exception was met first.
    """
    bound = _bind_subject(entry, people, why, remembered)
    if bound.entry is None:
        return bound
    if same := _same_person(bound.entry, people):
        return _void(entry, SubjectProblem.SAME_PERSON, same)
    return bound


def _bind_subject(
    entry: ExceptionEntry, people: People, why: Mapping[str, str], remembered: str | None
) -> BoundException:
    if known := subject_id(entry.subject.strip()):
        told = _renamed(entry, known, people) if entry.upn else None
        return BoundException(msgspec.structs.replace(entry, subject=known), told)
    name = entry.subject.strip()
    found = people.get(name)
    if found is None and remembered is None:
        return _void(entry, SubjectProblem.UNRESOLVED, why.get(name, "no one was asked"))
    if found is not None and remembered not in (None, found):
        return _void(entry, SubjectProblem.REUSED, _told_reuse(name, str(remembered), found))
    bound = msgspec.structs.replace(entry, subject=found or remembered, upn=name)
    if found is None:
        stays = f"{why.get(name, 'no one was asked')}. It stays with {remembered}: {WRITE_ID}"
        return BoundException(bound, ExceptionProblem(entry, SubjectProblem.RENAMED, stays))
    return BoundException(bound, is_new=remembered is None)


def _void(entry: ExceptionEntry, kind: SubjectProblem, why: str) -> BoundException:
    return BoundException(None, ExceptionProblem(entry, kind, why))


def _told_reuse(name: str, before: str, now: str) -> str:
    return (
        f"{visible(name)} was {before} when the app met this exception first, and is {now} now. "
        f"It excuses neither: {WRITE_ID}"
    )


def _renamed(entry: ExceptionEntry, known: str, people: People) -> ExceptionProblem | None:
    """Tell that the name beside an id is another subject's; the id decides."""
    name = (entry.upn or "").strip()
    found = people.get(name)
    if found is None or found == known:
        return None
    why = f"{visible(name)} is {found} now. The exception is for {known}: correct upn"
    return ExceptionProblem(entry, SubjectProblem.RENAMED, why)


def _same_person(entry: ExceptionEntry, people: People) -> str | None:
    """Say who approved that may not, whatever spelling was used."""

    def ids(text: str) -> set[str]:
        key, found = person_key(text), people.get(text.strip())
        return {key, found} if found else {key}

    approvers = ids(entry.approved_by)
    if approvers & {entry.subject, *(ids(entry.upn) if entry.upn else ())}:
        return "approvedBy is the subject itself: another person has to approve it"
    if approvers & ids(entry.requested_by):
        return "approvedBy is the same person as requestedBy: another person has to approve it"
    return None
