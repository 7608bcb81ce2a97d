"""Whether a subject exists in entitlement management, in the last sweep, or in the directory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from entra_sod.core.errors import PERMANENT, Forbidden, GraphError, NotFound
from entra_sod.domain.entra import Subject
from entra_sod.ports.graph import Graph
from entra_sod.services.sweeps.index import held_by_index
from entra_sod.services.sweeps.summary import last_summary
from entra_sod.stores.sweeps import SweepStore

BY_ID, BY_DIRECTORY = "subject by id", "directory"

type _Found = Mapping[str, Subject | GraphError]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectIdentity:
    """Which subject an id belongs to.

    Attributes:
        known: whether a source contains the subject; None if that could not be read.
        object_id: the id by which Graph lists what the subject holds; None if there is none yet.
        source: the source that contains the subject, or why no source does.
    """

    known: bool | None
    object_id: str | None = None
    source: str


@dataclass(frozen=True, slots=True)
class SubjectReader:
    """Looks for subjects in one source after the other."""

    graph: Graph
    store: SweepStore

    async def identify(self, ids: Collection[str]) -> Mapping[str, SubjectIdentity]:
        """Find the subject of each id.

        The last sweep is read only if Graph gives no answer: a subject of the sweep may have been
        deleted since.

        Raises:
            Throttled, Unavailable: nothing is decided.
        """
        asked = await _ask(self.graph.subjects, ids)
        known = {
            key: known_subject(each, BY_ID)
            for key, each in asked.items()
            if isinstance(each, Subject)
        }
        untold = [key for key, each in asked.items() if not isinstance(each, Subject | NotFound)]
        known |= await self._by_index(untold)
        rest = asked.keys() - known.keys()
        listed = await _ask(self.graph.directory_subjects, rest)
        return known | {key: _by_directory(key, asked[key], listed[key]) for key in rest}

    async def _by_index(self, ids: Collection[str]) -> dict[str, SubjectIdentity]:
        last = await last_summary(self.store) if ids else None
        if last is None:
            return {}
        try:
            held = await held_by_index(self.store, last.index, ids)
        except LookupError:
            return {}
        return {key: known_subject(found[0].subject, last.name) for key, found in held.items()}


async def _ask(
    read: Callable[[Collection[str]], Awaitable[_Found]], ids: Collection[str]
) -> _Found:
    """Ask for one first: if Graph refuses it, Graph refuses all of them."""
    if not ids:
        return {}
    first, *others = sorted(ids)
    try:
        found = await read([first])
        if isinstance(refused := found[first], Forbidden):
            return dict.fromkeys(ids, refused)
        return {**found, **await read(others)}
    except PERMANENT as error:
        return dict.fromkeys(ids, error)


def known_subject(subject: Subject, source: str) -> SubjectIdentity:
    return SubjectIdentity(known=True, object_id=subject.object_id, source=source)


def _by_directory(
    asked_id: str, asked: Subject | GraphError, listed: Subject | GraphError
) -> SubjectIdentity:
    """The identity of an id that entitlement management does not contain, by the directory."""
    if isinstance(listed, Subject):
        return SubjectIdentity(known=True, object_id=asked_id, source=BY_DIRECTORY)
    if not isinstance(asked, NotFound):
        return SubjectIdentity(known=None, source=str(asked))
    directory = (
        "the directory has no such person or service principal"
        if isinstance(listed, NotFound)
        else f"the directory could not be asked: {listed}"
    )
    source = f"entitlement management has no subject of this id, and {directory}"
    return SubjectIdentity(known=False, source=source)
