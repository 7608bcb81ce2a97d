"""Bodies of events that are no result of their own, and what of them was told already.

That is kept of references that are held, and of changes to what rules select.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from entra_sod.domain.enforcement.selection_guard import HeldChange
from entra_sod.domain.notifications.kept_event import KeptEvent
from entra_sod.domain.results.check import ReferenceView
from entra_sod.ports.storage import Blobs

CONTAINER = "events"
_HELD, _CHANGED = "held", "changed"


class ToldChange(msgspec.Struct, frozen=True):
    """What subscribers were told of a rule's selection: ids of packages and groups."""

    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()


class KeptEvents:
    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def store(self, event: KeptEvent) -> None:
        await self._blobs.put(CONTAINER, f"{event.id}.json", event.body)

    async def body(self, event_id: str) -> bytes | None:
        return await self._blobs.get(CONTAINER, f"{event_id}.json")

    async def newly_held(self, held: Collection[ReferenceView]) -> Sequence[ReferenceView]:
        """Those that were not announced."""
        known = await self._known() if held else ()
        return [each for each in held if _key(each) not in known]

    async def remember_held(self, held: Iterable[ReferenceView], *, is_all: bool) -> None:
        """Note what was told. Two runs at once may forget one another's: it is told once more.

        A run that looked at all forgets what is held no more, so that it is told if it comes back.
        """
        known = await self._known()
        keys = {_key(each) for each in held} | (set() if is_all else known)
        if keys != known:
            await self._blobs.put(CONTAINER, f"{_HELD}.json", msgspec.json.encode(sorted(keys)))

    async def newly_changed(
        self, changes: Iterable[HeldChange]
    ) -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
        """Return by rule the ids that joined and that left, as far as they were not announced."""
        told = await self._told()
        new = {each.rule: _new(each, told.get(each.key, ToldChange())) for each in changes}
        return {rule: ids for rule, ids in new.items() if any(ids)}

    async def remember_changes(self, changes: Iterable[HeldChange]) -> None:
        """Note that all changes were told, and forget those that wait no more.

        A change that is undone or approved is told again if it comes back. Of a rule of which not
        all was read, what was told stays noted.
        """
        told = await self._told()
        noted = {each.key: _with_told(each, told.get(each.key, ToldChange())) for each in changes}
        following = {key: each for key, each in noted.items() if each.joined or each.left}
        if following != told:
            body = msgspec.json.encode(following, order="deterministic")
            await self._blobs.put(CONTAINER, f"{_CHANGED}.json", body)

    async def _told(self) -> Mapping[str, ToldChange]:
        """What was told by rule. If that is damaged, all is told once more: no run ends for it."""
        try:
            body = await self.body(_CHANGED) or b"{}"
            return msgspec.json.decode(body, type=dict[str, ToldChange])
        except msgspec.DecodeError:
            return {}

    async def _known(self) -> set[str]:
        """What was told. If that is damaged, all of it is told once more: no run ends for it."""
        try:
            return msgspec.json.decode(await self.body(_HELD) or b"[]", type=set[str])
        except msgspec.DecodeError:
            return set()


def _new(change: HeldChange, told: ToldChange) -> tuple[Sequence[str], Sequence[str]]:
    return sorted(change.joined - told.joined), sorted(change.left - told.left)


def _with_told(change: HeldChange, told: ToldChange) -> ToldChange:
    """What is to be noted of a rule: what it has now, and what could not be looked at again."""
    if change.is_whole:
        return ToldChange(change.joined, change.left)
    return ToldChange(change.joined | told.joined, change.left | told.left)


def _key(held: ReferenceView) -> str:
    """Without the reason, which may be another each night."""
    change = (held.access_package_id, held.kind, held.target_id, held.is_removal)
    return hashlib.sha256(msgspec.json.encode(change)).hexdigest()[:16]
