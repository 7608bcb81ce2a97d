"""Bodies of events that are no result of their own, and which held references were told already."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

import msgspec

from entra_sod.domain.notifications.kept_event import KeptEvent
from entra_sod.domain.results.check import ReferenceView
from entra_sod.ports.storage import Blobs

CONTAINER = "events"
_HELD = "held"


class KeptEvents:
    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def store(self, event: KeptEvent) -> None:
        await self._blobs.put(CONTAINER, f"{event.id}.json", event.body)

    async def body(self, event_id: str) -> bytes | None:
        return await self._blobs.get(CONTAINER, f"{event_id}.json")

    async def newly_held(self, held: Collection[ReferenceView]) -> Sequence[ReferenceView]:
        """Those that nobody was told of."""
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

    async def _known(self) -> set[str]:
        """What was told. If that is damaged, all of it is told once more: no run ends for it."""
        try:
            return msgspec.json.decode(await self.body(_HELD) or b"[]", type=set[str])
        except msgspec.DecodeError:
            return set()


def _key(held: ReferenceView) -> str:
    """Without the reason, which may be another each night."""
    change = (held.access_package_id, held.kind, held.target_id, held.is_removal)
    return hashlib.sha256(msgspec.json.encode(change)).hexdigest()[:16]
