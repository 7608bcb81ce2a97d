"""Who holds both packages of a pair, and by which way that was found out.

Two ways: Graph's `additionalAccess`, or both packages' assignments intersected here. Whether an
app may use the first is documented both ways, so it is tried, and a refusal is remembered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_sod.core.clock import Clock
from entra_sod.core.errors import Forbidden, GraphError, Rejected, Throttled, UnreadableItem
from entra_sod.domain.detection.join import holders_of_both, one_each
from entra_sod.domain.entra import Assignment
from entra_sod.domain.results.coverage import DetectionMethod
from entra_sod.ports.graph import AssignmentPage, Graph

REMEMBER_REFUSAL = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Detection:
    """An assignment of the first package for each subject that also holds the second.

    Attributes:
        gaps: items of the lists that could not be understood: there may be more holders.
    """

    holders: Sequence[Assignment]
    way: DetectionMethod
    gaps: Sequence[UnreadableItem] = ()


class Detector:
    """Finds the holders of both packages of a pair; remembers what this app may not use."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph, self._clock = graph, clock
        self._refused_until: datetime | None = None

    async def detect(self, package_id: str, incompatible_package_id: str) -> Detection:
        """Look at one pair, whose packages are known to be readable.

        Raises:
            GraphError: something needed could not be read; then nothing is known of the pair.
        """
        if self._refused_until is None or self._clock.now() >= self._refused_until:
            pages = self._graph.additional_access(package_id, incompatible_package_id)
            try:
                held, gaps = await _held(pages)
                return Detection(one_each(held), DetectionMethod.ADDITIONAL_ACCESS, gaps)
            except (Forbidden, Rejected):
                # Either the app may never use it, or it may not read these two: the assignment
                # lists tell, because they fail as well in the second case.
                detection = await self._by_assignments(package_id, incompatible_package_id)
                self._refused_until = self._clock.now() + REMEMBER_REFUSAL
                return detection
        return await self._by_assignments(package_id, incompatible_package_id)

    async def _by_assignments(self, package_id: str, other_id: str) -> Detection:
        others, unread_there = await _held(self._graph.assignments(other_id))
        held, unread_here = await _held(self._graph.assignments(package_id))
        both = holders_of_both(held, others)
        return Detection(both, DetectionMethod.ASSIGNMENTS, (*unread_here, *unread_there))


async def may_ask(graph: Graph, pair: tuple[str, str]) -> bool:
    """Try whether Graph answers this app about a pair; one request.

    Raises:
        Throttled: it is not known.
    """
    try:
        await anext(graph.additional_access(*pair), None)
    except Throttled:
        raise
    except GraphError:  # of this pair alone, perhaps; the lists of its packages tell
        return False
    return True


async def _held(
    pages: AsyncIterator[AssignmentPage],
) -> tuple[Sequence[Assignment], Sequence[UnreadableItem]]:
    """All that is held, each once though two pages repeat it, and what could not be understood."""
    found: dict[str, Assignment] = {}
    try:
        async for page in pages:
            found.update({each.id: each for each in page if each.is_held})
    except UnreadableItem as error:
        return tuple(found.values()), [error]
    return tuple(found.values()), ()
