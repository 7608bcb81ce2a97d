"""Finds the subject that a text names by an id, or by a user principal name of the directory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from entra_sod.core.errors import PERMANENT, Forbidden, GraphError, NotFound, SodError
from entra_sod.core.names import visible
from entra_sod.domain.entra import Subject
from entra_sod.domain.subjects.names import (
    ADVICE,
    comparable_name,
    is_principal_name,
    subject_id,
)
from entra_sod.ports.subjects import DirectoryUsers
from entra_sod.services.subjects.from_index import HoldersByName, HoldersIndex

BY_DIRECTORY = "directory"
GRANT = (
    "Give the object id instead, or grant the app the Graph permission User.ReadBasic.All "
    "(docs/reference/roles-and-permissions.md)"
)


class SubjectNotResolved(SodError):
    """A text names no subject, or it is not known which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSubject:
    """The subject that a text means.

    Attributes:
        id: the id that was given; of a name the object id, or the id in entitlement management if
            the subject has no object id yet.
        principal_name: as its source writes it; None if an id was given.
        source: what says so; None if an id was given.
    """

    id: str
    principal_name: str | None = None
    display_name: str | None = None
    source: str | None = None


type Resolution = ResolvedSubject | SubjectNotResolved


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResolver:
    """Finds out which subjects texts mean.

    Attributes:
        users: the directory.
        index: of the last sweep, if there is one to ask.
    """

    users: DirectoryUsers
    index: HoldersIndex | None = None

    async def resolve(self, texts: Collection[str]) -> Mapping[str, Resolution]:
        """Find the subject of each text, or the reason why there is none.

        The index is read only if the app may not read the directory: a name that the directory
        does not contain is unused today, even if a subject had it when the last sweep began.

        Raises:
            Throttled, Unavailable: the directory cannot be asked now; nothing is resolved.
        """
        found: dict[str, Resolution] = {}
        names: dict[str, list[str]] = {}
        for text in texts:
            stripped = text.strip()
            if known := subject_id(stripped):
                found[text] = ResolvedSubject(id=known)
            elif is_principal_name(stripped):
                names.setdefault(stripped, []).append(text)
            else:
                found[text] = SubjectNotResolved(f"{visible(text)!r} {ADVICE}")
        for name, resolution in (await self._by_name(names)).items():
            found |= dict.fromkeys(names[name], resolution)
        return found

    async def resolve_one(self, text: str) -> ResolvedSubject:
        """Say which subject a text means.

        Raises:
            SubjectNotResolved: saying why not, and what to do.
            Throttled, Unavailable: the directory cannot be asked now.
        """
        found = (await self.resolve([text]))[text]
        if isinstance(found, SubjectNotResolved):
            raise found
        return found

    async def _by_name(self, names: Collection[str]) -> Mapping[str, Resolution]:
        if not names:
            return {}
        answers = await self._ask(names)
        found = {name: _by_directory(name, answers[name]) for name in names}
        refused = [name for name in names if isinstance(answers[name], Forbidden)]
        if not refused or self.index is None:
            return found
        return {**found, **await self._by_index(refused, self.index)}

    async def _ask(self, names: Collection[str]) -> Mapping[str, Subject | GraphError]:
        """Ask for one first: if Graph refuses it, Graph refuses all of them."""
        first, *others = sorted(names)
        try:
            found = await self.users.users_by_name([first])
            if isinstance(refused := found[first], Forbidden):
                return dict.fromkeys(names, refused)
            return {**found, **(await self.users.users_by_name(others) if others else {})}
        except PERMANENT as error:
            return dict.fromkeys(names, error)

    async def _by_index(
        self, names: Collection[str], index: HoldersIndex
    ) -> Mapping[str, Resolution]:
        found = await index.named(names)
        return {name: _of_index(name, found) for name in names}


def _by_directory(name: str, answer: Subject | GraphError) -> Resolution:
    shown = visible(name)
    if isinstance(answer, NotFound):
        return SubjectNotResolved(
            f"the directory has no user {shown}. Correct the name, or give the object id"
        )
    if isinstance(answer, GraphError):
        return SubjectNotResolved(
            f"the directory could not be asked who {shown} is: {answer}. {GRANT}"
        )
    if comparable_name(answer.principal_name or "") != comparable_name(name):
        other = visible(answer.principal_name or "a user without a name")
        return SubjectNotResolved(
            f"the directory answered with {other} when it was asked for {shown}. Give the object id"
        )
    return _resolved(answer, BY_DIRECTORY)


def _of_index(name: str, found: HoldersByName) -> Resolution:
    refused = "the app may not read the directory"
    if found.holders is None:
        return SubjectNotResolved(f"{refused}, and {found.source}. {GRANT}")
    subjects, shown = found.holders[name], visible(name)
    if not subjects:
        return SubjectNotResolved(
            f"{refused}, and the {found.source} has no holder {shown}. {GRANT}"
        )
    if len(subjects) > 1:
        return SubjectNotResolved(
            f"the {found.source} has {len(subjects)} subjects named {shown}. Give the object id"
        )
    return _resolved(subjects[0], found.source)


def _resolved(subject: Subject, source: str) -> ResolvedSubject:
    return ResolvedSubject(
        id=subject.key,
        principal_name=subject.principal_name,
        display_name=subject.display_name,
        source=source,
    )
